// Package fastjson reads plain JSON several times faster than encoding/json: what the product itself has written, of which there is a
// document for every person and every event. It knows objects, arrays, strings without escapes, numbers and the three words, and gives
// up on everything else, as well as on whatever is wrong: then the caller asks encoding/json. So the two never differ in what they accept, nor in what they
// make of it.
package fastjson

import (
	"strconv"
	"unicode/utf8"
)

// maxDepth is how deep values may be nested before the reader gives up.
const maxDepth = 64

// Reader reads one document. Once something is not plain, Failed is true and everything that was read is worth nothing.
type Reader struct {
	s      string
	i      int
	depth  int
	failed bool
}

// Of returns a reader of the document.
func Of(doc string) *Reader { return &Reader{s: doc} }

// Failed reports whether the reader has given up.
func (r *Reader) Failed() bool { return r.failed }

// Done reports whether the whole document has been read and all of it was plain.
func (r *Reader) Done() bool {
	r.space()
	return !r.failed && r.i == len(r.s)
}

// Value reads one value as encoding/json does into an any. ok is false if the document is not plain.
func Value(doc string) (v any, ok bool) {
	r := Of(doc)
	v = r.Value()
	return v, r.Done()
}

func (r *Reader) space() {
	for r.i < len(r.s) && (r.s[r.i] == ' ' || r.s[r.i] == '\n' || r.s[r.i] == '\t' || r.s[r.i] == '\r') {
		r.i++
	}
}

// peek returns the next byte that is no space, 0 at the end.
func (r *Reader) peek() byte {
	r.space()
	if r.failed || r.i >= len(r.s) {
		return 0
	}
	return r.s[r.i]
}

func (r *Reader) take(c byte) bool {
	if r.peek() != c {
		r.failed = true
		return false
	}
	r.i++
	return true
}

// Object reads an object and calls field for each of its keys; field must read the value.
func (r *Reader) Object(field func(key string)) {
	if !r.open('{') {
		return
	}
	defer r.close()
	if r.peek() == '}' {
		r.i++
		return
	}
	for !r.failed {
		key := r.String()
		if !r.take(':') {
			return
		}
		field(key)
		if r.peek() == ',' {
			r.i++
			continue
		}
		r.take('}')
		return
	}
}

func (r *Reader) open(c byte) bool {
	if r.depth++; r.depth > maxDepth {
		r.failed = true
	}
	return r.take(c)
}

func (r *Reader) close() { r.depth-- }

// String reads a string.
func (r *Reader) String() string {
	if !r.take('"') {
		return ""
	}
	from, ascii := r.i, true
	for r.i < len(r.s) {
		switch c := r.s[r.i]; {
		case c == '"':
			out := r.s[from:r.i]
			r.i++
			if !ascii && !utf8.ValidString(out) {
				r.failed = true
			}
			return out
		case c == '\\' || c < ' ':
			r.failed = true
			return ""
		case c >= utf8.RuneSelf:
			ascii = false
		}
		r.i++
	}
	r.failed = true
	return ""
}

// number reads what JSON calls a number.
func (r *Reader) number() string {
	r.space()
	from := r.i
	digits := func() bool {
		start := r.i
		for r.i < len(r.s) && r.s[r.i] >= '0' && r.s[r.i] <= '9' {
			r.i++
		}
		return r.i > start
	}
	if r.i < len(r.s) && r.s[r.i] == '-' {
		r.i++
	}
	zero := r.i < len(r.s) && r.s[r.i] == '0'
	start := r.i
	if !digits() || zero && r.i > start+1 {
		r.failed = true
		return ""
	}
	if r.i < len(r.s) && r.s[r.i] == '.' {
		r.i++
		if !digits() {
			r.failed = true
			return ""
		}
	}
	if r.i < len(r.s) && (r.s[r.i] == 'e' || r.s[r.i] == 'E') {
		r.i++
		if r.i < len(r.s) && (r.s[r.i] == '+' || r.s[r.i] == '-') {
			r.i++
		}
		if !digits() {
			r.failed = true
			return ""
		}
	}
	return r.s[from:r.i]
}

// Int reads a whole number.
func (r *Reader) Int() int64 {
	n, err := strconv.ParseInt(r.number(), 10, 64)
	if err != nil {
		r.failed = true
	}
	return n
}

func (r *Reader) word(w string) {
	r.space()
	if len(r.s)-r.i < len(w) || r.s[r.i:r.i+len(w)] != w {
		r.failed = true
		return
	}
	r.i += len(w)
}

// Bool reads true or false.
func (r *Reader) Bool() bool {
	if r.peek() == 't' {
		r.word("true")
		return true
	}
	r.word("false")
	return false
}

// Raw reads any value and returns its text.
func (r *Reader) Raw() string {
	r.space()
	from := r.i
	switch r.peek() {
	case '"':
		_ = r.String()
	case '{':
		r.Object(func(string) { r.Raw() })
	case '[':
		r.array(func() { r.Raw() })
	case 't', 'f':
		r.Bool()
	case 'n':
		r.word("null")
	default:
		r.number()
	}
	if r.failed {
		return ""
	}
	return r.s[from:r.i]
}

func (r *Reader) array(element func()) {
	if !r.open('[') {
		return
	}
	defer r.close()
	if r.peek() == ']' {
		r.i++
		return
	}
	for !r.failed {
		element()
		if r.peek() == ',' {
			r.i++
			continue
		}
		r.take(']')
		return
	}
}

// Value reads any value: map[string]any, []any, string, float64, bool or nil.
func (r *Reader) Value() any {
	switch r.peek() {
	case '"':
		return r.String()
	case '{':
		out := map[string]any{}
		r.Object(func(key string) { out[key] = r.Value() })
		return out
	case '[':
		out := []any{}
		r.array(func() { out = append(out, r.Value()) })
		return out
	case 't', 'f':
		return r.Bool()
	case 'n':
		r.word("null")
		return nil
	}
	f, err := strconv.ParseFloat(r.number(), 64)
	if err != nil {
		r.failed = true
	}
	return f
}
