package content

import (
	"strings"

	"golang.org/x/text/language"

	"github.com/kizuna-cx/kizuna/internal/domain/content/brand"
)

// Locales are the languages of the draft, the main one first.
func (d Draft) Locales() []string {
	var out []string
	for _, t := range d.translations() {
		if t.Locale != "" {
			out = append(out, t.Locale)
		}
	}
	return out
}

// Chain is the order in which texts are looked for, for a reader's locale: as people can be shown it.
func (d Draft) Chain(locale string) []string { return brand.Chain(locale, d.Locale) }

// choose returns the text for a reader.
func (d Draft) choose(locale string) Translation {
	all := d.translations()
	return all[nearest(locale, d.Locale, len(all), func(i int) string { return all[i].Locale })]
}

// nearest returns which of n texts a reader gets, the first being the main one.
func nearest(locale, main string, n int, of func(i int) string) int {
	if n == 1 {
		return 0
	}
	for _, want := range brand.Chain(locale, main) {
		for i := range n {
			if strings.EqualFold(of(i), want) {
				return i
			}
		}
		for i := range n { // en-GB reads en-US rather than another language
			if sameLanguage(of(i), want) {
				return i
			}
		}
	}
	return 0
}

// sameLanguage tells whether who reads one reads the other: the same language in the same script.
func sameLanguage(a, b string) bool {
	if a == "" || b == "" {
		return a == b
	}
	x, y := language.Make(brand.Tag(a)), language.Make(brand.Tag(b))
	xb, _ := x.Base()
	yb, _ := y.Base()
	xs, _ := x.Script()
	ys, _ := y.Script()
	return xb == yb && xs == ys
}

// Coverage says which languages a template speaks and which of the wanted ones it lacks.
type Coverage struct {
	Main    string   `json:"main"`    // empty: not said
	Has     []string `json:"has"`     // the main one first
	Missing []string `json:"missing"` // of those that the brand writes in
}

// Gets says which text a reader of a locale gets, and whether it is in a language that they read. Of a reader or a main text whose language nobody has
// said, nothing else is known.
func (c Coverage) Gets(locale string) (text string, reads bool) {
	if c.Main == "" || Language(locale) == "" {
		return c.Main, true
	}
	text = c.Has[nearest(locale, c.Main, len(c.Has), func(i int) string { return c.Has[i] })]
	return text, sameLanguage(text, locale)
}

// Language names the language of a locale as one reads it, with the script where it matters: ja, zh-Hant. Empty if it names none.
func Language(locale string) string {
	t := brand.Tag(locale)
	if !brand.ValidTag(t) {
		return ""
	}
	tag := language.Make(t)
	base, _ := tag.Base()
	script, _ := tag.Script()
	if usual, _ := language.Make(base.String()).Script(); base.String() == "zh" || script != usual {
		return base.String() + "-" + script.String()
	}
	return base.String()
}

// Cover compares the languages of a draft with those that are wanted.
func (d Draft) Cover(wanted []string) Coverage {
	c := Coverage{Main: d.Locale, Has: append([]string{}, d.Locales()...), Missing: []string{}}
	for _, w := range wanted {
		found := false
		for _, h := range c.Has {
			found = found || sameLanguage(h, w)
		}
		if !found {
			c.Missing = append(c.Missing, w)
		}
	}
	return c
}
