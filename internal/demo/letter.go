package demo

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/content/brand"
)

//go:embed letters/*.json
var letters embed.FS

// Drawings, so that the sample needs no photographs. Mail programs in the world do not show SVG; the sample's local mailbox does.
//
//go:embed pictures/*.svg
var pictures embed.FS

// Pictures are the sample shop's, at the top of the tree.
func Pictures() fs.FS {
	f, err := fs.Sub(pictures, "pictures")
	if err != nil {
		panic(err) // embedded
	}
	return f
}

// site is where the letters' pictures are said to be.
const site = Site + "pictures/"

// Site is where the shop would be, if there were one.
const Site = "https://aoba-sample.example/"

// languages of the sample's letters.
var languages = []string{"en", "zh-Hans", "ja"}

// Letter returns the shop's letter with locale as its main language.
func Letter(locale string, shop Shop) (content.Draft, error) {
	type words struct {
		Subject          string          `json:"subject"`
		Preheader        string          `json:"preheader"`
		ValueProposition string          `json:"value_proposition"`
		Purpose          content.Purpose `json:"purpose"`
		Document         json.RawMessage `json:"document"`
	}
	read := func(locale string) (w words, err error) {
		raw, err := letters.ReadFile("letters/" + locale + ".json")
		if err != nil {
			return w, fmt.Errorf("the sample has no letter in %q: %w", locale, err)
		}
		return w, json.Unmarshal([]byte(strings.ReplaceAll(string(raw), site, shop.Pictures)), &w)
	}
	w, err := read(locale)
	if err != nil {
		return content.Draft{}, err
	}
	d := content.Draft{
		Name: "Tea letter (sample)", Channel: content.Email, Kind: content.Blocks, Locale: locale, Subject: w.Subject, Preheader: w.Preheader, Document: w.Document,
		ValueProposition: w.ValueProposition, Purpose: w.Purpose,
	}
	for _, other := range languages {
		if other == locale {
			continue
		}
		t, err := read(other)
		if err != nil {
			return content.Draft{}, err
		}
		d.Translations = append(d.Translations, content.Translation{Locale: other, Subject: t.Subject, Preheader: t.Preheader, Document: t.Document})
	}
	return d, nil
}

// Brand is how the shop looks and speaks.
func Brand(locale string) brand.Brand {
	b := brand.Default("Aoba Tea (sample)", "1-2-3 Uji, Kyoto 611-0021, Japan", "")
	b.Locales = []string{locale}
	for _, l := range languages {
		if l != locale {
			b.Locales = append(b.Locales, l)
		}
	}
	b.Fonts.Heading, b.Radius = "serif", 10
	b.Footer.Company = "Aoba Tea K.K. (sample data)"
	b.Footer.Notes = map[string]string{
		"en": "Prices include tax. This shop does not exist.", "zh-Hans": "价格含税。本店为虚构示例。", "ja": "価格はすべて税込です。架空の店舗です。",
	}
	b.Social = []brand.Link{{Label: "Instagram", URL: "https://aoba-sample.example/instagram"}, {Label: "LINE", URL: "https://aoba-sample.example/line"}, {Label: "微信", URL: "https://aoba-sample.example/wechat"}}
	b.Voice = brand.Voice{
		Character: "A tea merchant of the fourth generation: calm, exact, glad to explain, never in a hurry.",
		Tone:      "Warm in letters, brief in reminders, plain and first of all helpful when something went wrong.",
		Do:        []string{"say where a tea comes from", "write as to a guest"},
		Dont:      []string{"last chance", "act now", "激安", "手慢无"},
	}
	return b
}
