package block

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/content/brand"
	"github.com/kizuna-cx/kizuna/internal/domain/content/plain"
)

// The console's visual field writes some texts otherwise than it found them; a reader must not notice. Room between elements and around line ends
// shows nowhere in HTML.
func TestWhatTheVisualFieldRewritesIsTheSameLetter(t *testing.T) {
	raw, err := os.ReadFile("testdata/rich.json")
	if err != nil {
		t.Fatal(err)
	}
	var pairs []struct{ Written, Rewritten string }
	if err := json.Unmarshal(raw, &pairs); err != nil || len(pairs) == 0 {
		t.Fatal(len(pairs), err)
	}
	room := regexp.MustCompile(`\s+`)
	between := regexp.MustCompile(`(</?(?:p|ul|ol|li)\b[^>]*>)\s+(</?(?:p|ul|ol|li)\b|$)`)
	html := func(src string) string {
		r, problems := inline(src)
		if len(problems) > 0 {
			t.Errorf("%q: %v", src, problems)
		}
		out := room.ReplaceAllString(r.html(&writer{o: Options{Brand: brand.Default("x", "y", "z")}}), " ")
		for was := ""; was != out; {
			was, out = out, between.ReplaceAllString(out, "$1$2")
		}
		return out
	}
	words := func(src string) []string { r, _ := inline(src); return strings.Fields(plain.Tidy(r.plain())) }
	for _, p := range pairs {
		if a, b := html(p.Written), html(p.Rewritten); a != b {
			t.Errorf("%q and %q: HTML differs\n%s\n%s", p.Written, p.Rewritten, a, b)
		}
		if a, b := words(p.Written), words(p.Rewritten); strings.Join(a, " ") != strings.Join(b, " ") {
			t.Errorf("%q and %q: text differs\n%q\n%q", p.Written, p.Rewritten, a, b)
		}
	}
}

func TestALineEndBesideATagIsOne(t *testing.T) {
	for src, want := range map[string]string{
		"a\n<b>b</b>":            `<p style="margin:0">a<br><b>b</b></p>`,
		"<b>a</b>\r\nb":          `<p style="margin:0"><b>a</b><br>b</p>`,
		"<b>a\n</b>b":            `<p style="margin:0"><b>a</b><br>b</p>`,
		"a\n<br>b":               `<p style="margin:0">a<br>b</p>`,
		"<b>a<br></b>\nb":        `<p style="margin:0"><b>a<br></b>b</p>`,
		"\na\n":                  `<p style="margin:0">a</p>`,
		"<b>a\n\nb</b>":          `<p style="margin:0 0 14px"><b>a</b></p><p style="margin:0"><b>b</b></p>`,
		"a\n\n<b>b</b>\n\n\n\nc": `<p style="margin:0 0 14px">a</p><p style="margin:0 0 14px"><b>b</b></p><p style="margin:0 0 14px"></p><p style="margin:0">c</p>`,
	} {
		r, problems := inline(src)
		if got := r.html(&writer{o: Options{Brand: brand.Default("x", "y", "z")}}); got != want || len(problems) > 0 {
			t.Errorf("%q:\n%s\nwant\n%s %v", src, got, want, problems)
		}
	}
	r, _ := inline("see\n<a href=\"https://x.example\">it</a>\nnow")
	if got := plain.Tidy(r.plain()); !strings.Contains(got, "see\nit") || !strings.Contains(got, "\nnow") {
		t.Errorf("%q", got)
	}
}
