package content

import (
	"context"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/domain/content/liquid"
)

// clipped is the size above which Gmail hides the end of a mail, the way out included.
const clipped = 102 << 10

func tooLong(size int, locale string) Finding {
	return Finding{Field: "html", Code: "clipped", Locale: locale, Message: fmt.Sprintf("%d KB: Gmail shows the first 102 KB only and hides the rest, the link to unsubscribe included", size>>10)}
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
		for _, f := range c.findings(known) {
			f.Locale = c.text0.Locale
			out = append(out, f)
		}
	}
	if d.ValueProposition == "" {
		out = append(out, Finding{Field: "value_proposition", Code: "empty", Message: "write down why the reader would open this; if that is hard, the mail may not be worth sending"})
	}
	return out, nil
}

func (c *compiled) findings(known []string) []Finding {
	var out []Finding
	fields := c.fields()
	for _, field := range []string{"subject", "preheader", "html", "text"} {
		t := fields[field]
		if t == nil {
			continue
		}
		for _, p := range t.Check(known) {
			out = append(out, Finding{Field: field, Code: p.Code, Name: p.Name, Line: p.Line, Col: p.Col, Message: p.Msg})
		}
	}
	warn := func(field, code, format string, args ...any) {
		out = append(out, Finding{Field: field, Code: code, Message: fmt.Sprintf(format, args...)})
	}
	if n := len(c.text0.HTML); n > clipped {
		out = append(out, tooLong(n, ""))
	}
	if n := utf8.RuneCountInString(c.text0.Subject); n > 150 {
		warn("subject", "long", "%d characters: phones show about 40", n)
	}
	if !slices.ContainsFunc(append(fieldUses(c.html), fieldUses(c.text)...), func(u liquid.Use) bool { return u.Path == "unsubscribe_url" }) {
		warn("html", "footer", "there is no {{ unsubscribe_url }}: a line with the link to unsubscribe will be added at the end")
	}
	return out
}

func fieldUses(t *liquid.Template) []liquid.Use {
	if t == nil {
		return nil
	}
	return t.Uses()
}
