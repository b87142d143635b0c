package brand

import (
	"strings"

	"golang.org/x/text/language"
)

// Script is what the typography of a language needs to know.
type Script struct {
	Lang   string // for the lang attribute
	RTL    bool
	CJK    bool    // no italics, breaks between characters, more air between lines
	Height float64 // of lines, times the font's size
	Tight  float64 // of lines in headings
}

// ScriptOf tells how a language is set.
func ScriptOf(locale string) Script {
	s := Script{Lang: Tag(locale), Height: 1.6, Tight: 1.25}
	tag := language.Make(s.Lang)
	base, _ := tag.Base()
	script, _ := tag.Script()
	switch base.String() {
	case "ja", "zh", "ko", "yue":
		s.CJK, s.Height, s.Tight = true, 1.75, 1.4
	case "th", "lo", "km", "my":
		s.Height, s.Tight = 1.75, 1.45
	}
	switch script.String() {
	case "Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm":
		s.RTL = true
	}
	return s
}

// east are the typefaces for the languages that share Han characters: without one of their own a mail program takes
// whatever it has, and a Japanese letter shows Chinese shapes.
var east = map[string]map[string]string{
	"ja": {
		"sans":    `'Hiragino Sans','Hiragino Kaku Gothic ProN','Noto Sans JP','Noto Sans CJK JP','Yu Gothic',Meiryo`,
		"serif":   `'Hiragino Mincho ProN','Noto Serif JP','Noto Serif CJK JP','Yu Mincho','MS PMincho'`,
		"rounded": `'Hiragino Maru Gothic ProN','Noto Sans JP','Noto Sans CJK JP','Yu Gothic',Meiryo`,
		"mono":    `'Osaka-Mono','Noto Sans Mono CJK JP','MS Gothic'`,
	},
	"zh-Hans": {
		"sans":    `'PingFang SC','Noto Sans SC','Noto Sans CJK SC','Microsoft YaHei','Heiti SC'`,
		"serif":   `'Songti SC','Noto Serif SC','Noto Serif CJK SC',SimSun`,
		"rounded": `'Yuanti SC','PingFang SC','Noto Sans CJK SC','Microsoft YaHei'`,
		"mono":    `'Noto Sans Mono CJK SC','Microsoft YaHei'`,
	},
	"zh-Hant": {
		"sans":    `'PingFang TC','Noto Sans TC','Noto Sans CJK TC','Microsoft JhengHei'`,
		"serif":   `'Songti TC','Noto Serif TC','Noto Serif CJK TC',PMingLiU`,
		"rounded": `'Yuanti TC','PingFang TC','Noto Sans CJK TC','Microsoft JhengHei'`,
		"mono":    `'Noto Sans Mono CJK TC','Microsoft JhengHei'`,
	},
	"ko": {
		"sans":    `'Apple SD Gothic Neo','Noto Sans KR','Noto Sans CJK KR','Malgun Gothic'`,
		"serif":   `AppleMyungjo,'Noto Serif KR','Noto Serif CJK KR',Batang`,
		"rounded": `'Apple SD Gothic Neo','Noto Sans CJK KR','Malgun Gothic'`,
		"mono":    `'Noto Sans Mono CJK KR','Malgun Gothic'`,
	},
}

var west = map[string]string{
	"sans":    `-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,'Helvetica Neue',Arial`,
	"serif":   `Georgia,'Times New Roman'`,
	"rounded": `ui-rounded,'SF Pro Rounded','Hiragino Maru Gothic ProN','Segoe UI',Roboto`,
	"mono":    `ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono'`,
}

// Stack returns the font-family of a family in a language, with single quotes.
func Stack(family, locale string) string {
	generic := map[string]string{"serif": "serif", "mono": "monospace"}[family]
	if generic == "" {
		generic = "sans-serif"
	}
	w, ok := west[family]
	if !ok {
		family, w = "sans", west["sans"]
	}
	key := Tag(locale)
	switch base, _, _ := strings.Cut(key, "-"); base {
	case "zh", "yue":
		key = "zh-Hans"
		if script, _ := language.Make(Tag(locale)).Script(); script.String() == "Hant" {
			key = "zh-Hant"
		}
	default:
		key = base
	}
	if e, ok := east[key]; ok {
		return w + "," + e[family] + "," + generic
	}
	return w + "," + generic
}

// Chain is the order in which a reader's languages are looked for: the locale, what it is a variety of, then the main
// language of the content. zh-Hant never falls back to simplified characters.
func Chain(locale, main string) []string {
	var out []string
	add := func(tag string) {
		if tag == "" || tag == "und" {
			return
		}
		for _, known := range out {
			if strings.EqualFold(known, tag) {
				return
			}
		}
		out = append(out, tag)
	}
	if t := Tag(locale); ValidTag(t) {
		add(t)
		tag := language.Make(t)
		base, _ := tag.Base()
		script, _ := tag.Script()
		plain, _ := language.Make(base.String()).Script()
		if base.String() == "zh" || script != plain {
			add(base.String() + "-" + script.String())
		}
		if base.String() == "zh" && script == plain || script == plain {
			add(base.String())
		}
	}
	add(Tag(main))
	return out
}
