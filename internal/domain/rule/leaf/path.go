package leaf

import (
	"strconv"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Path is the place of a value inside a JSON object, the parts of "address.city".
type Path []string

// Limits of a path.
const (
	maxPath     = 200 // bytes
	maxSegments = 10
)

func (f *fields) path(key string) Path {
	s := f.text(key)
	if f.err != nil {
		return nil
	}
	at := f.in.Path + "." + key
	p := Path(strings.Split(s, "."))
	switch {
	case len(s) > maxPath || len(p) > maxSegments:
		f.fail(errs.Invalid("rule.path", at, "this path is too long; at most %d bytes and %d parts are allowed", maxPath, maxSegments))
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }):
		f.fail(errs.Invalid("rule.path", at, "this path has a control character; remove it"))
	default:
		for _, seg := range p {
			if seg == "" {
				f.fail(errs.Invalid("rule.path", at, "a part of %q is empty; write it as a.b.c", s))
			}
		}
	}
	return p
}

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

// field is the path as rules of intake name it, below traits or properties.
func (p Path) field(root string) string { return root + "." + strings.Join(p, ".") }

// Pointer returns the path as a JSON Pointer (RFC 6901), which every engine takes as an argument.
func (p Path) Pointer() string {
	var b strings.Builder
	for _, seg := range p {
		b.WriteByte('/')
		b.WriteString(pointerEscape.Replace(seg))
	}
	return b.String()
}

// Of returns the value at the path, nil if there is none. Like a JSON Pointer it reads a number as the index of a list.
func (p Path) Of(m map[string]any) any {
	var v any = m
	for _, seg := range p {
		switch c := v.(type) {
		case map[string]any:
			v = c[seg]
		case []any:
			i, err := strconv.Atoi(seg)
			if err != nil || i < 0 || i >= len(c) || strconv.Itoa(i) != seg {
				return nil
			}
			v = c[i]
		default:
			return nil
		}
	}
	return v
}
