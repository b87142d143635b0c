package content

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/content/block"
	"github.com/kizuna-cx/kizuna/internal/domain/content/liquid"
	"github.com/kizuna-cx/kizuna/internal/domain/content/plain"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// RenderOptions say for whom and how a template is filled. Everything that rendering depends on is here or in the
// variables.
type RenderOptions struct {
	Locale         string // of the reader, BCP 47
	Zone           *time.Location
	Now            time.Time
	Currency       string                  // for amounts that come without one
	LinkFunc       func(url string) string // what http and https links of the HTML become; nil leaves them; must be pure
	OpenPixelURL   string                  // empty: no open mark
	UnsubscribeURL string                  // {{ unsubscribe_url }}
	Transactional  bool                    // answers something the person did: no footer is forced on it
}

// Rendered is a filled template.
type Rendered struct {
	Subject   string
	Preheader string
	HTML      string // empty for templates of text alone
	Text      string // has the addresses of links as the author wrote them, untracked
	FromName  string
	ReplyTo   string
	Locale    string    // of the text that was chosen; empty if the template does not say
	Missing   []string  // variables without a value, each once
	Problems  []Finding // what was left empty, the missing variables included
}

// compiled is one language of a template ready to be filled.
type compiled struct {
	draft                          Draft
	text0                          Translation      // what it was made of
	subject, preheader, html, text *liquid.Template // text is nil if it is made from the rendered HTML
	derived                        bool             // text was made from the HTML template or the document
	document                       block.Document   // of kind Blocks
	site                           bool             // it names the workspace's site
}

// compile checks a draft and compiles one of its languages; the error joins everything wrong with it.
func compile(d Draft, t Translation, k Kit) (*compiled, error) {
	c := &compiled{draft: d, text0: t}
	all := d.check()
	all = append(all, c.compile(t, k)...)
	if len(all) > 0 {
		return nil, errors.Join(all...)
	}
	for _, t := range c.fields() {
		c.site = c.site || slices.ContainsFunc(t.Uses(), func(u liquid.Use) bool { return u.Path == sitePath })
	}
	return c, nil
}

// compileAll compiles every language of a draft.
func compileAll(d Draft, k Kit) ([]*compiled, error) {
	all := d.check()
	var out []*compiled
	for i, t := range d.translations() {
		c := &compiled{draft: d, text0: t}
		bad := c.compile(t, k)
		if i > 0 {
			for _, e := range bad {
				all = append(all, inTranslation(i-1, e)...)
			}
		} else {
			all = append(all, bad...)
		}
		out = append(out, c)
	}
	if len(all) > 0 {
		return nil, errors.Join(all...)
	}
	return out, nil
}

func (c *compiled) compile(t Translation, k Kit) (all []error) {
	parse := func(field, src string, mode liquid.Mode) *liquid.Template {
		if len(src) > MaxBody && c.draft.Kind == Code {
			return nil
		}
		t, err := liquid.Parse(src, mode, liquid.Limits{Source: 4 * MaxBody})
		if err != nil {
			all = append(all, languageError(field, err))
		}
		return t
	}
	c.subject = parse("subject", t.Subject, liquid.Subject)
	c.preheader = parse("preheader", t.Preheader, liquid.Subject)
	if c.draft.Kind == Blocks {
		doc, err := block.Parse(t.Document)
		if err != nil {
			for _, e := range errs.All(err) {
				moved := *e
				moved.Field = strings.TrimSuffix("document."+e.Field, ".")
				all = append(all, &moved)
			}
			return all
		}
		snippets, err := fragmentsFor(k.Snippets, t.Locale)
		if err != nil {
			return append(all, err)
		}
		out, err := block.Compile(doc, block.Options{Brand: k.Brand, Locale: t.Locale, Title: t.Subject, Words: wordsFor(t.Locale), Snippets: snippets})
		if err != nil {
			return append(all, err)
		}
		c.document = doc
		c.html = parse("document", out.HTML, liquid.HTML)
		c.text, c.derived = parse("document", out.Text, liquid.Text), true
		return all
	}
	if t.HTML != "" {
		c.html = parse("html", t.HTML, liquid.HTML)
	}
	if t.Text != "" {
		c.text = parse("text", t.Text, liquid.Text)
	}
	if len(all) == 0 && t.Text == "" {
		if src, ok := plain.Template(t.HTML); ok {
			if t, err := liquid.Parse(src, liquid.Text, liquid.Limits{Source: 2 * MaxBody}); err == nil {
				c.text, c.derived = t, true
			}
		}
	}
	return all
}

// fields returns the compiled fields that an author wrote.
func (c *compiled) fields() map[string]*liquid.Template {
	m := map[string]*liquid.Template{"subject": c.subject, "preheader": c.preheader}
	if c.html != nil {
		m["html"] = c.html
	}
	if c.text != nil && !c.derived {
		m["text"] = c.text
	}
	return m
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 64<<10); return &b }}

// language is what dates, amounts and names are written in: the reader's, unless the text is in another one.
func (c *compiled) language(reader string) string {
	own := c.text0.Locale
	if own == "" || sameLanguage(reader, own) {
		return reader
	}
	return own
}

func (c *compiled) render(vars map[string]any, o RenderOptions) (Rendered, error) {
	r := Rendered{FromName: c.draft.FromName, ReplyTo: c.draft.ReplyTo}
	r.Locale = c.text0.Locale
	o.Locale = c.language(o.Locale)
	given := vars
	vars = make(map[string]any, len(given)+2)
	maps.Copy(vars, given)
	if o.UnsubscribeURL != "" {
		vars["unsubscribe_url"] = o.UnsubscribeURL
	}
	vars["mail"] = map[string]any{"transactional": o.Transactional, "locale": o.Locale}
	env := liquid.Env{Locale: o.Locale, Zone: o.Zone, Now: o.Now, Currency: o.Currency}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	fill := func(field string, t *liquid.Template) (string, error) {
		out, problems, err := t.Append((*buf)[:0], vars, env)
		if cap(out) <= 1<<20 {
			*buf = out
		}
		if err != nil {
			var e *liquid.Error
			if !errors.As(err, &e) {
				return "", err
			}
			return "", errs.Invalid("content.render."+e.Code, field, "%s", e.Msg).With(err)
		}
		for _, p := range problems {
			if p.Code == "missing" && !slices.Contains(r.Missing, p.Name) {
				r.Missing = append(r.Missing, p.Name)
			}
			if field != "text" || !c.derived { // otherwise it was found in the HTML
				r.Problems = append(r.Problems, Finding{Field: field, Code: p.Code, Name: p.Name, Line: p.Line, Col: p.Col, Message: p.Msg})
			}
		}
		return string(out), nil
	}
	d := dressing{locale: o.Locale, link: o.LinkFunc, pixel: o.OpenPixelURL, unsubscribe: o.UnsubscribeURL, force: !o.Transactional}
	var err error
	if r.Subject, err = fill("subject", c.subject); err != nil {
		return Rendered{}, err
	}
	r.Subject = strings.TrimSpace(r.Subject)
	if d.preheader, err = fill("preheader", c.preheader); err != nil {
		return Rendered{}, err
	}
	d.preheader = strings.TrimSpace(d.preheader)
	r.Preheader = d.preheader
	letter := ""
	if c.html != nil {
		if letter, err = fill("html", c.html); err != nil {
			return Rendered{}, err
		}
		r.HTML = dressHTML(letter, d)
	}
	switch {
	case c.text == nil:
		r.Text = plain.FromHTML(letter)
	case c.derived:
		if r.Text, err = fill("text", c.text); err != nil {
			return Rendered{}, err
		}
		r.Text = plain.Tidy(r.Text)
	default:
		if r.Text, err = fill("text", c.text); err != nil {
			return Rendered{}, err
		}
	}
	r.Text = dressText(r.Text, d)
	return r, nil
}

// Zone returns the time zone with an IANA name, UTC if there is none.
func Zone(name string) *time.Location {
	if z := clock.Zone(name); z != nil {
		return z
	}
	return time.UTC
}
