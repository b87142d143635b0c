package content

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/content/liquid"
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
	Subject  string
	HTML     string // empty for templates of text alone
	Text     string // has the addresses of links as the author wrote them, untracked
	FromName string
	ReplyTo  string
	Missing  []string  // variables without a value, each once
	Problems []Finding // what was left empty, the missing variables included
}

// compiled is a template ready to be filled.
type compiled struct {
	draft                          Draft
	subject, preheader, html, text *liquid.Template // text is nil if it is made from the rendered HTML
	derived                        bool             // text was made from the HTML template
}

// compile checks a draft and compiles its fields; the error joins everything wrong with it.
func compile(d Draft) (*compiled, error) {
	c := &compiled{draft: d}
	all := d.check()
	parse := func(field, src string, mode liquid.Mode) *liquid.Template {
		if len(src) > MaxBody {
			return nil
		}
		t, err := liquid.Parse(src, mode, liquid.Limits{Source: MaxBody})
		if err != nil {
			all = append(all, languageError(field, err))
		}
		return t
	}
	c.subject = parse("subject", d.Subject, liquid.Subject)
	c.preheader = parse("preheader", d.Preheader, liquid.Subject)
	if d.HTML != "" {
		c.html = parse("html", d.HTML, liquid.HTML)
	}
	if d.Text != "" {
		c.text = parse("text", d.Text, liquid.Text)
	}
	if len(all) > 0 {
		return nil, errors.Join(all...)
	}
	if d.Text == "" {
		if src, ok := deriveTemplate(d.HTML); ok {
			if t, err := liquid.Parse(src, liquid.Text, liquid.Limits{Source: 2 * MaxBody}); err == nil {
				c.text, c.derived = t, true
			}
		}
	}
	return c, nil
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

func (c *compiled) render(vars map[string]any, o RenderOptions) (Rendered, error) {
	r := Rendered{FromName: c.draft.FromName, ReplyTo: c.draft.ReplyTo}
	if o.UnsubscribeURL != "" {
		vars = maps.Clone(vars)
		if vars == nil {
			vars = map[string]any{}
		}
		vars["unsubscribe_url"] = o.UnsubscribeURL
	}
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
	plain := ""
	if c.html != nil {
		if plain, err = fill("html", c.html); err != nil {
			return Rendered{}, err
		}
		r.HTML = dressHTML(plain, d)
	}
	switch {
	case c.text == nil:
		r.Text = htmlText(plain)
	case c.derived:
		if r.Text, err = fill("text", c.text); err != nil {
			return Rendered{}, err
		}
		r.Text = tidy(r.Text)
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
