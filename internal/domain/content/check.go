package content

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rivo/uniseg"

	"github.com/kizuna-cx/kizuna/internal/domain/content/block"
	"github.com/kizuna-cx/kizuna/internal/domain/content/liquid"
)

// clipped is the size above which Gmail hides the end of a mail, the way out included.
const clipped = 102 << 10

func tooLong(size int, locale string) Finding {
	return Finding{Group: "length", Field: "html", Code: "clipped", Locale: locale, Message: fmt.Sprintf("%d KB: Gmail shows the first 102 KB only and hides the rest, the link to unsubscribe included", size>>10)}
}

// Report is what a team should read about a template before it is sent.
type Report struct {
	Template         string    `json:"template"`
	Name             string    `json:"name"`
	Version          int       `json:"version"`
	ValueProposition string    `json:"value_proposition"`
	Purpose          Purpose   `json:"purpose"`
	Languages        Coverage  `json:"languages"`
	Findings         []Finding `json:"findings"`
}

// Report checks the current version of a template.
func (s *Service) Report(ctx context.Context, ws, templateID string) (Report, error) {
	t, err := s.store.Get(ctx, ws, templateID)
	if err != nil {
		return Report{}, err
	}
	k, err := s.kit(ctx, ws, t.Draft, t.Pins)
	if err != nil {
		return Report{}, err
	}
	found, err := s.findings(ctx, ws, t.Draft, k)
	return Report{t.ID, t.Name, t.Version, t.ValueProposition, t.Purpose, t.Cover(k.Brand.Locales), append([]Finding{}, found...)}, err
}

// findings says what the author of a draft without errors should know.
func (s *Service) findings(ctx context.Context, ws string, d Draft, k Kit) ([]Finding, error) {
	known := DefaultKnown
	if s.vocabulary != nil {
		var err error
		if known, err = s.vocabulary.Known(ctx, ws); err != nil {
			return nil, fmt.Errorf("load the known variables: %w", err)
		}
		known = append([]string{"unsubscribe_url", "mail.*"}, known...)
	}
	all, err := compileAll(d, k)
	if err != nil {
		return findingsOf(err), nil
	}
	var out []Finding
	for _, c := range all {
		f := &finder{c: c, known: known, kit: k}
		f.run()
		for _, x := range f.out {
			x.Locale = c.text0.Locale
			out = append(out, x)
		}
	}
	f := &finder{}
	f.purpose(d)
	if d.Kind == Blocks {
		f.brand(d, k)
	}
	return append(out, f.out...), nil
}

// finder looks through one text.
type finder struct {
	c     *compiled
	known []string
	kit   Kit
	out   []Finding
}

func (f *finder) add(x Finding, format string, args ...any) {
	x.Message = fmt.Sprintf(format, args...)
	f.out = append(f.out, x)
}

func (f *finder) run() {
	fields := f.c.fields()
	if f.c.draft.Kind == Blocks {
		delete(fields, "html")
	}
	for _, field := range []string{"subject", "preheader", "html", "text"} {
		if t := fields[field]; t != nil {
			for _, p := range t.Check(f.known) {
				f.out = append(f.out, Finding{Group: "variable", Field: field, Code: p.Code, Name: p.Name, Like: p.Like, Path: p.Path, Line: p.Line, Col: p.Col, Message: p.Msg})
			}
		}
	}
	if n := len(f.c.text0.HTML); n > clipped {
		f.out = append(f.out, tooLong(n, ""))
	}
	f.lines()
	if f.c.draft.Kind == Blocks {
		f.document()
	} else {
		f.code()
	}
	if !slices.ContainsFunc(append(fieldUses(f.c.html), fieldUses(f.c.text)...), func(u liquid.Use) bool { return u.Path == "unsubscribe_url" }) {
		f.add(Finding{Group: "link", Field: "html", Code: "footer"}, "there is no {{ unsubscribe_url }}: a line with the link to unsubscribe will be added at the end")
	}
}

func fieldUses(t *liquid.Template) []liquid.Use {
	if t == nil {
		return nil
	}
	return t.Uses()
}

// purpose asks whether the team knows why it writes.
func (f *finder) purpose(d Draft) {
	p := d.Purpose
	if d.ValueProposition == "" {
		f.add(Finding{Group: "purpose", Field: "value_proposition", Code: "empty"}, "write down why the reader would open this; if that is hard, the mail may not be worth sending")
	}
	if p.Action == "" {
		f.add(Finding{Group: "purpose", Field: "purpose.action", Code: "action_missing"}, "write down the one thing that the reader is meant to do")
	}
	if p.Ask != "" {
		for _, x := range []struct{ field, value, code, say string }{
			{"why", p.Why, "why_missing", "say why you ask"}, {"who", p.Who, "who_missing", "say which team asks"}, {"use", p.Use, "use_missing", "say what the answer is used for"},
		} {
			if x.value == "" {
				f.add(Finding{Group: "purpose", Field: "purpose." + x.field, Code: x.code}, "something is asked of the reader: %s", x.say)
			}
		}
	}
}

// brand says what the kit lacks for this mail.
func (f *finder) brand(d Draft, k Kit) {
	if k.Brand.Footer.Address == "" {
		f.add(Finding{Group: "brand", Field: "brand", Code: "address_missing"}, "the brand has no postal address; in many countries the law asks for one at the foot of marketing mail")
	}
	for _, p := range k.Brand.Contrasts() {
		if !p.OK {
			f.add(Finding{Group: "access", Field: "brand", Code: "contrast", Name: p.Scheme + "." + p.Foreground}, "%s", p)
		}
	}
	for _, l := range d.Cover(k.Brand.Locales).Missing {
		f.add(Finding{Group: "language", Field: "translations", Code: "translation_missing", Name: l}, "there is no text in %s; those readers get %s", l, d.Locale)
	}
}

// document looks through the blocks.
func (f *finder) document() {
	snippets, err := fragmentsFor(f.kit.Snippets, f.c.text0.Locale)
	if err != nil {
		return // it has been compiled, so they can be read
	}
	d := f.c.document
	seen := map[string]bool{}
	pictures, width := 0, 0 // and how much is said in words
	d.Texts(snippets, func(t block.Text) {
		src := t.Value
		switch t.Is {
		case "cond":
			src = "{% if " + src + " %}{% endif %}"
		case "path":
			src = "{{ " + src + " }}"
		}
		tpl, err := liquid.Parse(src, liquid.Text, liquid.Limits{})
		if err != nil {
			return // what was compiled parses
		}
		known := f.known
		if t.Item {
			known = append(slices.Clone(known), "item.*", "forloop.*")
		}
		for _, p := range tpl.Check(known) {
			if !seen[t.Block+p.Name] {
				seen[t.Block+p.Name] = true
				f.out = append(f.out, Finding{Group: "variable", Field: "document." + t.Field, Block: t.Block, Code: p.Code, Name: p.Name, Like: p.Like, Path: p.Path, Line: p.Line, Col: p.Col, Message: p.Msg})
			}
		}
		switch t.Is {
		case "line", "text", "rich":
			f.words(t.Value, Finding{Field: "document." + t.Field, Block: t.Block})
			if !strings.HasSuffix(t.Field, ".alt") {
				width += uniseg.StringWidth(survey(t.Value).text)
			}
		case "html":
			s := f.markup(t.Value, Finding{Field: "document." + t.Field, Block: t.Block})
			pictures, width = pictures+s.images, width+uniseg.StringWidth(s.text)
		case "path":
			width += wordsForOne // names and prices, which nobody knows yet
		case "url":
			if t.Type == "image" && strings.HasSuffix(t.Field, ".src") {
				pictures++
			}
		}
		if t.Is == "rich" {
			f.paragraphs(t.Value, Finding{Field: "document." + t.Field, Block: t.Block})
		}
	})
	f.pictures(pictures, width, Finding{Field: "document"})
	links := d.Links(snippets)
	for _, l := range links {
		f.link(l.Value, l.Label, Finding{Field: "document." + l.Field, Block: l.Block})
	}
	if len(links) == 0 {
		f.add(Finding{Group: "purpose", Field: "document", Code: "no_link"}, "there is nothing to click: say clearly what the reader is meant to do, with a button")
	}
	levels, ids := d.Headings()
	last := 0
	for i, level := range levels {
		if level > last+1 && !(i == 0 && level == 2) {
			f.add(Finding{Group: "access", Field: "document", Block: ids[i], Code: "heading_order"}, "a heading of level %d follows one of level %d; people who listen to mail find their way by the order", level, last)
		}
		last = level
	}
}

// words looks for what the brand does not say.
func (f *finder) words(text string, at Finding) {
	low := strings.ToLower(text)
	for _, w := range f.kit.Brand.Voice.Dont {
		if w = strings.TrimSpace(w); w != "" && strings.Contains(low, strings.ToLower(w)) {
			at.Group, at.Code, at.Name = "brand", "word", w
			f.add(at, "the brand does not say %q", w)
		}
	}
}
