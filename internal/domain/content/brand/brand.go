package brand

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Brand is the kit. Texts by language have BCP 47 tags as keys.
type Brand struct {
	Name    string   `json:"name"`              // as readers know it
	Locales []string `json:"locales,omitempty"` // languages that the team writes in, the main one first
	Logo    Logo     `json:"logo"`
	Light   Palette  `json:"light"`
	Dark    Palette  `json:"dark"`
	Fonts   Fonts    `json:"fonts"`
	Radius  int      `json:"radius"` // of corners, in pixels
	Footer  Footer   `json:"footer"`
	Social  []Link   `json:"social,omitempty"`
	Voice   Voice    `json:"voice"`
}

// Logo stands at the head of mails. Without a picture the name is set in the heading's font.
type Logo struct {
	URL     string `json:"url,omitempty"`
	DarkURL string `json:"dark_url,omitempty"` // for dark screens; empty: the same
	Width   int    `json:"width,omitempty"`    // in pixels; 140 if left out
	Link    string `json:"link,omitempty"`
}

// Palette is the colours of one scheme, each as #rrggbb.
type Palette struct {
	Page     string `json:"page"`      // behind the letter
	Surface  string `json:"surface"`   // the letter
	Subtle   string `json:"subtle"`    // a quiet band in it
	Text     string `json:"text"`      // on page, surface and subtle
	Muted    string `json:"muted"`     // small print, on the same
	Accent   string `json:"accent"`    // buttons and links
	OnAccent string `json:"on_accent"` // text on the accent
	Border   string `json:"border"`
}

// Fonts are families: sans, serif, rounded or mono. Which typefaces that means is decided by the language.
type Fonts struct {
	Body    string `json:"body"`
	Heading string `json:"heading"`
}

// Footer ends every mail.
type Footer struct {
	Company string            `json:"company,omitempty"` // who sends, as registered
	Address string            `json:"address,omitempty"` // where they can be reached by post; lines are kept
	Notes   map[string]string `json:"notes,omitempty"`   // further small print by language
	Links   []Link            `json:"links,omitempty"`
}

// Link is a named address.
type Link struct {
	Label string `json:"label"`
	URL   string `json:"url"`
}

// Voice is the guide for whoever writes.
type Voice struct {
	Character string   `json:"character,omitempty"` // who speaks: what the brand is like as a person
	Tone      string   `json:"tone,omitempty"`      // how the voice bends to the moment: glad news, bad news, a reminder
	Do        []string `json:"do,omitempty"`        // words and habits to use
	Dont      []string `json:"dont,omitempty"`      // words that are not used; found in content before it is sent
}

// Default is the kit of a workspace that has made none.
func Default(name, address, locale string) Brand {
	b := Brand{
		Name: name, Radius: 8, Fonts: Fonts{Body: "sans", Heading: "sans"}, Footer: Footer{Company: name, Address: address},
		Light: Palette{Page: "#f3f4f1", Surface: "#ffffff", Subtle: "#f7f8f5", Text: "#1f2421", Muted: "#5d6660", Accent: "#1d6b52", OnAccent: "#ffffff", Border: "#e0e4de"},
		Dark:  Palette{Page: "#121513", Surface: "#1c211e", Subtle: "#232925", Text: "#eef1ed", Muted: "#a7b0aa", Accent: "#7fd1b0", OnAccent: "#0b2119", Border: "#343c37"},
	}
	if locale != "" {
		b.Locales = []string{locale}
	}
	return b
}

// Families are the font families, in the order of a menu.
var Families = []string{"sans", "serif", "rounded", "mono"}

const (
	maxName    = 200
	maxText    = 4000
	maxItems   = 50
	maxRadius  = 32
	maxLogo    = 400
	maxLocales = 40
)

// Normal brings what was typed into the form that is kept.
func (b Brand) Normal() Brand {
	for _, p := range []*string{&b.Name, &b.Logo.URL, &b.Logo.DarkURL, &b.Logo.Link, &b.Footer.Company, &b.Footer.Address, &b.Voice.Character, &b.Voice.Tone} {
		*p = strings.TrimSpace(*p)
	}
	for _, p := range []*Palette{&b.Light, &b.Dark} {
		for _, c := range p.colours() {
			*c.value = strings.ToLower(strings.TrimSpace(*c.value))
			if v := *c.value; len(v) == 4 && v[0] == '#' { // #abc
				*c.value = string([]byte{'#', v[1], v[1], v[2], v[2], v[3], v[3]})
			}
		}
	}
	b.Locales = slices.Clone(b.Locales)
	for i, l := range b.Locales {
		b.Locales[i] = Tag(l)
	}
	if b.Fonts.Body == "" {
		b.Fonts.Body = "sans"
	}
	if b.Fonts.Heading == "" {
		b.Fonts.Heading = b.Fonts.Body
	}
	return b
}

type colour struct {
	name  string
	value *string
}

func (p *Palette) colours() []colour {
	return []colour{{"page", &p.Page}, {"surface", &p.Surface}, {"subtle", &p.Subtle}, {"text", &p.Text}, {"muted", &p.Muted}, {"accent", &p.Accent}, {"on_accent", &p.OnAccent}, {"border", &p.Border}}
}

// Validate returns everything that keeps the kit from being used.
func (b Brand) Validate() []error {
	var all []error
	add := func(code, field, format string, args ...any) {
		all = append(all, errs.Invalid("content.brand."+code, field, format, args...))
	}
	text := func(field, v string, maximum int) {
		if n := utf8.RuneCountInString(v); n > maximum {
			add("too_long", field, "%d characters; at most %d fit here", n, maximum)
		}
	}
	web := func(field, v string) {
		if v == "" {
			return
		}
		if u, err := url.Parse(v); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			add("url", field, "%q is no address; write it like https://example.com/logo.png", v)
		}
	}
	text("name", b.Name, maxName)
	text("footer.company", b.Footer.Company, maxName)
	text("footer.address", b.Footer.Address, maxText)
	text("voice.character", b.Voice.Character, maxText)
	text("voice.tone", b.Voice.Tone, maxText)
	web("logo.url", b.Logo.URL)
	web("logo.dark_url", b.Logo.DarkURL)
	web("logo.link", b.Logo.Link)
	if b.Logo.Width < 0 || b.Logo.Width > maxLogo {
		add("range", "logo.width", "a logo is 0 to %d pixels wide", maxLogo)
	}
	if b.Radius < 0 || b.Radius > maxRadius {
		add("range", "radius", "corners are 0 to %d pixels round", maxRadius)
	}
	for scheme, p := range map[string]*Palette{"light": &b.Light, "dark": &b.Dark} {
		for _, c := range p.colours() {
			if _, ok := parseColour(*c.value); !ok {
				add("colour", scheme+"."+c.name, "%q is no colour; write it like #1d6b52", *c.value)
			}
		}
	}
	for field, f := range map[string]string{"fonts.body": b.Fonts.Body, "fonts.heading": b.Fonts.Heading} {
		if !slices.Contains(Families, f) {
			add("font", field, "there is no family %q; choose from %v", f, Families)
		}
	}
	for field, links := range map[string][]Link{"footer.links": b.Footer.Links, "social": b.Social} {
		if len(links) > maxItems {
			add("too_many", field, "%d; at most %d fit here", len(links), maxItems)
		}
		for i, l := range links {
			at := fmt.Sprintf("%s[%d]", field, i)
			if strings.TrimSpace(l.Label) == "" {
				add("label_missing", at+".label", "say where the link leads")
			}
			text(at+".label", l.Label, maxName)
			if l.URL == "" {
				add("url", at+".url", "the link needs an address")
			}
			web(at+".url", l.URL)
		}
	}
	for field, words := range map[string][]string{"voice.do": b.Voice.Do, "voice.dont": b.Voice.Dont} {
		if len(words) > maxItems {
			add("too_many", field, "%d; at most %d fit here", len(words), maxItems)
		}
		for i, w := range words {
			at := fmt.Sprintf("%s[%d]", field, i)
			text(at, w, maxName)
			if strings.TrimSpace(w) == "" {
				add("empty", at, "write a word here or take the line out")
			}
		}
	}
	if len(b.Locales) > maxLocales {
		add("too_many", "locales", "%d languages; at most %d fit here", len(b.Locales), maxLocales)
	}
	for i, l := range b.Locales {
		if !ValidTag(l) {
			add("locale", fmt.Sprintf("locales[%d]", i), "%q is no language; write it like en, zh-Hans or ja", l)
		}
		if slices.Index(b.Locales, l) != i {
			add("locale", fmt.Sprintf("locales[%d]", i), "%q is in the list twice", l)
		}
	}
	for l, note := range b.Footer.Notes {
		if !ValidTag(l) {
			add("locale", "footer.notes", "%q is no language; write it like en, zh-Hans or ja", l)
		}
		text("footer.notes."+l, note, maxText)
	}
	slices.SortFunc(all, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return all
}

// ValidTag tells whether a BCP 47 tag names a language.
func ValidTag(tag string) bool {
	t, err := language.Parse(tag)
	return err == nil && t != language.Und && len(tag) <= 35
}

// Tag brings a BCP 47 tag into its usual spelling; what is none stays as it is.
func Tag(tag string) string {
	tag = strings.TrimSpace(tag)
	if t, err := language.Parse(tag); err == nil && t != language.Und {
		return t.String()
	}
	return tag
}
