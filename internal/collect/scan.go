package collect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// maxDepth is how deep an event may nest, itself included.
const maxDepth = 32

// errDeep is returned by scanner.value for what nests deeper than maxDepth.
var errDeep = errors.New("nested too deep")

// syntaxError says where a text stops being JSON.
type syntaxError struct{ offset int }

func (e *syntaxError) Error() string { return fmt.Sprintf("not valid JSON at byte %d", e.offset) }

// scanner reads JSON once and writes it again as every store reads it alike: without white space, in valid UTF-8, the
// last of two equal keys only, no NUL, no half of a surrogate pair, no number that is not a finite float64. Doing both
// in one pass makes this cheaper than validating and decoding with encoding/json.
type scanner struct {
	in  []byte
	pos int
	out []byte

	members []member // of the objects that are open, innermost last
	mended  bool     // something was written differently from how it was meant
}

// span is a part of scanner.out.
type span struct{ from, to int }

// member is one member of an object in scanner.out: `"key":value`.
type member struct {
	start, colon, end int
	mended            bool
	dropped           bool // the key came again later
}

func (m member) value() span { return span{m.colon + 1, m.end} }

// reset starts over with another text, in the memory of the last.
func (s *scanner) reset(in []byte) {
	*s = scanner{in: in, out: s.out[:0], members: s.members[:0]}
}

func (s *scanner) fail() error { return &syntaxError{s.pos} }

// next skips white space and returns the next byte without taking it, 0 at the end.
func (s *scanner) next() byte {
	for s.pos < len(s.in) {
		c := s.in[s.pos]
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
		s.pos++
	}
	return 0
}

// value reads one value that may nest depth levels. After errDeep, out holds a part of it.
func (s *scanner) value(depth int) error {
	switch c := s.next(); {
	case c == '"':
		return s.text()
	case c == '{':
		base, start := len(s.members), len(s.out)
		err := s.fields(depth)
		if err == nil {
			s.compact(base, start)
		}
		s.members = s.members[:base]
		return err
	case c == '[':
		return s.array(depth)
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	}
	return s.fail()
}

func (s *scanner) word(w string) error {
	if len(s.in)-s.pos < len(w) || string(s.in[s.pos:s.pos+len(w)]) != w {
		return s.fail()
	}
	s.pos += len(w)
	s.out = append(s.out, w...)
	return nil
}

func (s *scanner) array(depth int) error {
	if depth == 0 {
		return errDeep
	}
	s.pos++
	s.out = append(s.out, '[')
	if s.next() == ']' {
		s.pos++
		s.out = append(s.out, ']')
		return nil
	}
	for {
		if err := s.value(depth - 1); err != nil {
			return err
		}
		c := s.next()
		if c != ',' && c != ']' {
			return s.fail()
		}
		s.pos++
		s.out = append(s.out, c)
		if c == ']' {
			return nil
		}
	}
}

// fields reads an object and leaves its members on the stack, above those that were there. Members that came again are
// marked and still in out.
func (s *scanner) fields(depth int) error {
	if depth == 0 {
		return errDeep
	}
	keys := keySet{base: len(s.members)}
	s.pos++
	s.out = append(s.out, '{')
	if s.next() == '}' {
		s.pos++
		s.out = append(s.out, '}')
		return nil
	}
	for {
		if err := s.key(&keys); err != nil {
			return err
		}
		i := len(s.members) - 1
		before := s.mended
		s.mended = false
		err := s.value(depth - 1)
		m := &s.members[i]
		m.end, m.mended = len(s.out), s.mended
		s.mended = s.mended || before
		if err != nil {
			return err
		}
		c := s.next()
		if c != ',' && c != '}' {
			return s.fail()
		}
		s.pos++
		s.out = append(s.out, c)
		if c == '}' {
			return nil
		}
	}
}

// key reads a key and its colon, and pushes the member.
func (s *scanner) key(keys *keySet) error {
	if s.next() != '"' {
		return s.fail()
	}
	m := member{start: len(s.out)}
	if err := s.text(); err != nil {
		return err
	}
	m.colon = len(s.out)
	if s.next() != ':' {
		return s.fail()
	}
	s.pos++
	s.out = append(s.out, ':')
	if keys.add(s, m) {
		s.mended = true
	}
	return nil
}

// keySet finds keys that come again. Few keys are compared one by one; a map is made for objects with many.
type keySet struct {
	base int            // index of the object's first member
	many map[string]int // key with its quotes -> member
}

const fewKeys = 16

// add pushes the member, marks an earlier one with the same key as dropped and reports whether there was one.
func (k *keySet) add(s *scanner, m member) bool {
	at := len(s.members)
	s.members = append(s.members, m)
	key := s.out[m.start:m.colon]
	if k.many == nil {
		if at-k.base < fewKeys {
			for i := k.base; i < at; i++ {
				o := &s.members[i]
				if !o.dropped && bytes.Equal(s.out[o.start:o.colon], key) {
					o.dropped = true
					return true
				}
			}
			return false
		}
		k.many = make(map[string]int, 4*fewKeys)
		for i := k.base; i < at; i++ {
			if o := s.members[i]; !o.dropped {
				k.many[string(s.out[o.start:o.colon])] = i
			}
		}
	}
	earlier, again := k.many[string(key)]
	if again {
		s.members[earlier].dropped = true
	}
	k.many[string(key)] = at
	return again
}

// compact takes dropped members out of the object that starts at start.
func (s *scanner) compact(base, start int) {
	dropped := false
	for _, m := range s.members[base:] {
		dropped = dropped || m.dropped
	}
	if !dropped {
		return
	}
	to := start + 1
	for _, m := range s.members[base:] {
		if m.dropped {
			continue
		}
		if to > start+1 {
			s.out[to] = ','
			to++
		}
		to += copy(s.out[to:], s.out[m.start:m.end])
	}
	s.out = append(s.out[:to], '}')
}

// skip moves past the value at pos without writing it, whatever its depth up to what encoding/json bears.
func (s *scanner) skip() error {
	d := json.NewDecoder(bytes.NewReader(s.in[s.pos:]))
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return s.fail()
	}
	s.pos += int(d.InputOffset())
	return nil
}

// eachMember calls fn for the members of an object that a scanner has written: key and value, and both with the
// colon between them.
func eachMember(obj []byte, fn func(key, value, both []byte)) {
	for i := 1; i < len(obj)-1; {
		start := i
		colon := skipString(obj, i)
		end := skipValue(obj, colon+1)
		fn(obj[start:colon], obj[colon+1:end], obj[start:end])
		i = end + 1
	}
}

// skipString returns the index after the string at i; skipValue the same for any value. Both trust the scanner.
func skipString(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func skipValue(b []byte, i int) int {
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		for depth := 0; ; {
			switch b[i] {
			case '"':
				i = skipString(b, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			}
			i++
			if depth == 0 {
				return i
			}
		}
	}
	for b[i] != ',' && b[i] != '}' && b[i] != ']' {
		i++
	}
	return i
}
