package brand_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/content/brand"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func TestTheDefaultLookIsValidAndReadable(t *testing.T) {
	b := brand.Default("Aoba", "Ginza", "ja").Normal()
	if bad := b.Validate(); len(bad) > 0 {
		t.Error(bad)
	}
	for _, p := range b.Contrasts() {
		if !p.OK {
			t.Error(p)
		}
	}
}

func TestContrastIsThatOfWCAG(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float64
	}{{"#000000", "#ffffff", 21}, {"#ffffff", "#ffffff", 1}, {"#777777", "#ffffff", 4.48}, {"#ffffff", "#767676", 4.54}, {"#ff0000", "#ffffff", 4}, {"red", "#ffffff", 0}} {
		if got := brand.Contrast(c.a, c.b); got < c.want-0.005 || got > c.want+0.005 {
			t.Errorf("%s on %s: %.3f, want %.2f", c.a, c.b, got, c.want)
		}
	}
}

func TestErrorsNameTheField(t *testing.T) {
	b := brand.Default("Aoba", "", "ja")
	b.Light.Accent, b.Dark.Text, b.Radius, b.Logo.URL, b.Fonts.Body = "green", "#12", 99, "ftp://x", "comic"
	b.Locales = []string{"ja", "ja", "klingon!"}
	b.Social = []brand.Link{{Label: "", URL: ""}}
	b.Voice.Dont = []string{" "}
	b.Footer.Notes = map[string]string{"x y": "note"}
	var fields []string
	for _, e := range b.Normal().Validate() {
		fields = append(fields, errs.All(e)[0].Field)
	}
	want := "dark.text footer.notes fonts.body light.accent locales[1] locales[2] logo.url radius social[0].label social[0].url voice.dont[0]"
	got := strings.Fields(strings.Join(fields, " "))
	for _, f := range strings.Fields(want) {
		if !strings.Contains(" "+strings.Join(got, " ")+" ", " "+f+" ") {
			t.Errorf("no error about %s in %v", f, got)
		}
	}
	if len(got) != len(strings.Fields(want)) {
		t.Errorf("%d errors: %v", len(got), got)
	}
}

func TestEachLanguageGetsItsShapes(t *testing.T) {
	for locale, font := range map[string]string{"ja": "Hiragino Sans", "ja-JP": "Noto Sans JP", "zh-CN": "PingFang SC", "zh-Hans": "Noto Sans SC", "zh-TW": "PingFang TC", "zh-Hant-HK": "PingFang TC", "ko": "Malgun Gothic"} {
		if s := brand.Stack("sans", locale); !strings.Contains(s, font) || !strings.HasSuffix(s, ",sans-serif") {
			t.Errorf("%s: %s", locale, s)
		}
	}
	if s := brand.Stack("serif", "en-GB"); strings.Contains(s, "CJK") || !strings.HasSuffix(s, ",serif") {
		t.Error(s)
	}
	if !brand.ScriptOf("ar-EG").RTL || !brand.ScriptOf("he").RTL || brand.ScriptOf("ja").RTL || !brand.ScriptOf("zh").CJK || brand.ScriptOf("en").CJK {
		t.Error("a script is set the wrong way")
	}
}

func TestTheChainNeverCrossesScripts(t *testing.T) {
	for locale, want := range map[string][]string{
		"ja-JP": {"ja-JP", "ja", "en"}, "en-GB": {"en-GB", "en"}, "zh-CN": {"zh-CN", "zh-Hans", "zh", "en"}, "zh-TW": {"zh-TW", "zh-Hant", "en"}, "sr-Latn-RS": {"sr-Latn-RS", "sr-Latn", "en"}, "": {"en"}, "%%": {"en"},
	} {
		if diff := cmp.Diff(want, brand.Chain(locale, "en")); diff != "" {
			t.Errorf("%s: %s", locale, diff)
		}
	}
}
