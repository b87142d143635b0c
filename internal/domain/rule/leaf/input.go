package leaf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Input is a JSON value with its place in the rule, for errors that say where.
type Input struct {
	Path string

	kind    byte // 'o' object, 'a' list, 's' text, 'n' number, 'b' boolean, '0' null
	members []member
	items   []Input
	text    string
	num     float64
	yes     bool
}

type member struct {
	key string
	val Input
}

// ReadJSON reads one JSON value. A key that stands twice is an error: which of the two was meant cannot be known.
func ReadJSON(raw []byte, path string, maxDepth int) (Input, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	in, err := readValue(d, path, maxDepth)
	if err != nil {
		if e, ok := errors.AsType[*errs.Error](err); ok {
			return Input{}, e
		}
		return Input{}, errs.Invalid("rule.syntax", path, "this is not JSON (%v); mend it near byte %d", err, d.InputOffset())
	}
	if _, err := d.Token(); err != io.EOF {
		return Input{}, errs.Invalid("rule.syntax", path, "something follows the rule at byte %d; remove it", d.InputOffset())
	}
	return in, nil
}

func readValue(d *json.Decoder, path string, depth int) (Input, error) {
	if depth < 0 {
		return Input{}, errs.Invalid("rule.too_deep", path, "the rule nests too deeply; put the inner part into a segment of its own")
	}
	t, err := d.Token()
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return Input{}, err
	}
	in := Input{Path: path}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			in.kind = 'o'
			err = in.readObject(d, depth)
		} else {
			in.kind = 'a'
			err = in.readList(d, depth)
		}
	case string:
		in.kind, in.text = 's', t
	case json.Number:
		in.kind = 'n'
		if in.num, err = t.Float64(); err != nil || math.IsInf(in.num, 0) {
			return in, errs.Invalid("rule.value", path, "the number %.40s is too large; use one below 10^300", t.String())
		}
	case bool:
		in.kind, in.yes = 'b', t
	default:
		in.kind = '0'
	}
	return in, err
}

func (in *Input) readObject(d *json.Decoder, depth int) error {
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		key, _ := t.(string)
		at := in.Path + "." + key
		if slices.ContainsFunc(in.members, func(m member) bool { return m.key == key }) {
			return errs.Invalid("rule.duplicate_key", at, "%q stands twice here; keep one of them", key)
		}
		v, err := readValue(d, at, depth-1)
		if err != nil {
			return err
		}
		in.members = append(in.members, member{key, v})
	}
	_, err := d.Token()
	return err
}

func (in *Input) readList(d *json.Decoder, depth int) error {
	for d.More() {
		v, err := readValue(d, fmt.Sprintf("%s[%d]", in.Path, len(in.items)), depth-1)
		if err != nil {
			return err
		}
		in.items = append(in.items, v)
	}
	_, err := d.Token()
	return err
}

// Keys returns the keys of an object in the order they were written, and whether it is an object.
func (in Input) Keys() ([]string, bool) {
	var keys []string
	for _, m := range in.members {
		keys = append(keys, m.key)
	}
	return keys, in.kind == 'o'
}

// Get returns the member of an object.
func (in Input) Get(key string) (Input, bool) {
	for _, m := range in.members {
		if m.key == key {
			return m.val, true
		}
	}
	return Input{Path: in.Path + "." + key}, false
}

// Items returns the elements of a list, and whether it is a list.
func (in Input) Items() ([]Input, bool) { return in.items, in.kind == 'a' }

// Number returns a number, and whether it is one.
func (in Input) Number() (float64, bool) { return in.num, in.kind == 'n' }

func (in Input) is() string {
	switch in.kind {
	case 'o':
		return "an object"
	case 'a':
		return "a list"
	case 's':
		return "a text"
	case 'n':
		return "a number"
	case 'b':
		return "true or false"
	}
	return "null"
}

func (in Input) wrong(want string) error {
	return errs.Invalid("rule.type", in.Path, "this must be %s, not %s", want, in.is())
}

// Only refuses members other than the allowed ones and names the nearest.
func (in Input) Only(allowed ...string) error {
	if in.kind != 'o' {
		return in.wrong("an object")
	}
	for _, m := range in.members {
		if !slices.Contains(allowed, m.key) {
			return errs.Invalid("rule.unknown_key", m.val.Path, "%q is not known here; did you mean %q? Allowed: %s",
				m.key, Nearest(m.key, allowed), strings.Join(allowed, ", "))
		}
	}
	return nil
}

// fields reads the members of an object and keeps the first error.
type fields struct {
	in  Input
	err error
}

func (in Input) fields(allowed ...string) *fields {
	return &fields{in: in, err: in.Only(allowed...)}
}

func (f *fields) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

func (f *fields) has(key string) bool {
	_, ok := f.in.Get(key)
	return ok
}

// need returns a member that must be there.
func (f *fields) need(key string) Input {
	v, ok := f.in.Get(key)
	if !ok {
		f.fail(errs.Invalid("rule.missing", v.Path, "%q is missing here; add it", key))
	}
	return v
}

// maxText is the longest text in a rule, in bytes.
const maxText = 1000

// text returns a text that must be there and not be empty.
func (f *fields) text(key string) string {
	v := f.need(key)
	if f.err != nil {
		return ""
	}
	s, err := v.plainText()
	f.fail(err)
	return s
}

// maybeText is text for a member that may be left out.
func (f *fields) maybeText(key string) string {
	if !f.has(key) {
		return ""
	}
	return f.text(key)
}

func (in Input) plainText() (string, error) {
	switch {
	case in.kind != 's':
		return "", in.wrong("a text")
	case in.text == "":
		return "", errs.Invalid("rule.value", in.Path, "this is empty; fill it in or leave the key out")
	case len(in.text) > maxText:
		return "", errs.Invalid("rule.value", in.Path, "this text has %d bytes; at most %d are allowed", len(in.text), maxText)
	}
	return in.text, nil
}

// choice returns one of the allowed texts; otherwise if the member is left out.
func (f *fields) choice(key, otherwise string, allowed []string) string {
	v, ok := f.in.Get(key)
	if !ok && otherwise != "" {
		return otherwise
	}
	s := f.text(key)
	if f.err == nil && !slices.Contains(allowed, s) {
		f.fail(errs.Invalid("rule.value", v.Path, "%q is not known here; did you mean %q? Allowed: %s", s, Nearest(s, allowed), strings.Join(allowed, ", ")))
	}
	return s
}

// yesNo returns a boolean; otherwise if the member is left out.
func (f *fields) yesNo(key string, otherwise bool) bool {
	v, ok := f.in.Get(key)
	if !ok {
		return otherwise
	}
	if v.kind != 'b' {
		f.fail(v.wrong("true or false"))
	}
	return v.yes
}

// number returns a number that must be there and lie between min and max.
func (f *fields) number(key string, min, max float64) float64 {
	v := f.need(key)
	if f.err != nil {
		return 0
	}
	if v.kind != 'n' {
		f.fail(v.wrong("a number"))
	} else if v.num < min || v.num > max {
		f.fail(errs.Invalid("rule.value", v.Path, "%v is outside of %v to %v", v.num, min, max))
	}
	return v.num
}

// Nearest returns the allowed word that takes the fewest edits to reach.
func Nearest(word string, allowed []string) string {
	best, cost := "", math.MaxInt
	word = strings.ToLower(word)
	if len(word) > 40 {
		word = word[:40]
	}
	for _, a := range allowed {
		if d := distance(word, a); d < cost {
			best, cost = a, d
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cur := row[j+1]
			sub := prev
			if a[i] != b[j] {
				sub++
			}
			row[j+1] = min(sub, cur+1, row[j]+1)
			prev = cur
		}
	}
	return row[len(b)]
}
