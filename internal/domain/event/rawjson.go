package event

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/kit/fastjson"
)

// Object decodes a JSON object as rules read it. Of a repeated key the last value counts. Invalid UTF-8 and halves of
// surrogate pairs become U+FFFD, and a number beyond the range of float64 becomes its text, so that one odd
// value does not hide the others. Anything that is not an object is an empty object.
func Object(raw json.RawMessage) map[string]any {
	if len(raw) == 0 {
		return map[string]any{}
	}
	if v, ok := fastjson.Value(string(raw)); ok {
		if m, ok := v.(map[string]any); ok {
			return m
		}
		return map[string]any{}
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err == nil {
		if m == nil {
			m = map[string]any{}
		}
		return m
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	m = nil
	if err := d.Decode(&m); err != nil || m == nil {
		return map[string]any{}
	}
	return plain(m).(map[string]any)
}

// plain replaces json.Number by float64, or by its text where it has no float64.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	}
	return v
}

// Clean returns the object as every JSON reader understands it alike: well-formed, in valid UTF-8, no key twice,
// no number beyond float64. An object that is so already is returned as it is; others are rewritten as Object
// reads them. Event stores keep only clean objects, because their engines refuse or read differently what is not.
func Clean(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("{}")
	}
	s := scanner{b: raw}
	if s.document() {
		return raw
	}
	b, err := json.Marshal(Object(raw))
	if err != nil {
		return json.RawMessage("{}")
	}
	return b
}

// scanner walks a JSON text once and stops at the first thing that Clean would have to mend.
type scanner struct {
	b []byte
	i int
}

// maxNesting is how deep a clean object may nest; deeper ones are left to encoding/json, which stops at 10,000.
const maxNesting = 200

func (s *scanner) document() bool {
	s.space()
	if !utf8.Valid(s.b) || s.i >= len(s.b) || s.b[s.i] != '{' || !s.object(0) {
		return false
	}
	s.space()
	return s.i == len(s.b)
}

func (s *scanner) space() {
	for s.i < len(s.b) && (s.b[s.i] == ' ' || s.b[s.i] == '\n' || s.b[s.i] == '\t' || s.b[s.i] == '\r') {
		s.i++
	}
}

func (s *scanner) take(c byte) bool {
	s.space()
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

func (s *scanner) value(depth int) bool {
	s.space()
	if s.i >= len(s.b) || depth > maxNesting {
		return false
	}
	switch c := s.b[s.i]; c {
	case '{':
		return s.object(depth + 1)
	case '[':
		return s.array(depth + 1)
	case '"':
		_, ok := s.text()
		return ok
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	default:
		return s.number()
	}
}

func (s *scanner) word(w string) bool {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		return false
	}
	s.i += len(w)
	return true
}

func (s *scanner) object(depth int) bool {
	s.i++
	if s.take('}') {
		return true
	}
	var few [16][]byte
	keys := few[:0]
	var many map[string]bool
	for {
		s.space()
		if s.i >= len(s.b) || s.b[s.i] != '"' {
			return false
		}
		key, ok := s.text()
		// A key with an escape may equal another one that is written without: leave it to the decoder.
		if !ok || bytes.IndexByte(key, '\\') >= 0 {
			return false
		}
		if len(keys) < cap(few[:]) {
			for _, k := range keys {
				if bytes.Equal(k, key) {
					return false
				}
			}
			keys = append(keys, key)
		} else {
			if many == nil {
				many = make(map[string]bool, 64)
				for _, k := range keys {
					many[string(k)] = true
				}
			}
			if many[string(key)] {
				return false
			}
			many[string(key)] = true
		}
		if !s.take(':') || !s.value(depth) {
			return false
		}
		if s.take('}') {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}

func (s *scanner) array(depth int) bool {
	s.i++
	if s.take(']') {
		return true
	}
	for {
		if !s.value(depth) {
			return false
		}
		if s.take(']') {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}

// text reads a string and returns what stands between its quotes.
func (s *scanner) text() ([]byte, bool) {
	s.i++
	start := s.i
	for s.i < len(s.b) {
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return s.b[start : s.i-1], true
		case c < 0x20:
			return nil, false
		case c == '\\':
			if s.i+1 >= len(s.b) {
				return nil, false
			}
			switch s.b[s.i+1] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
				s.i += 2
			case 'u':
				if !s.escape() {
					return nil, false
				}
			default:
				return nil, false
			}
		default:
			s.i++
		}
	}
	return nil, false
}

// escape accepts \uXXXX, and of surrogates only whole pairs.
func (s *scanner) escape() bool {
	n, ok := s.unit()
	if !ok || n >= 0xdc00 && n <= 0xdfff {
		return false
	}
	if n >= 0xd800 && n <= 0xdbff {
		low, ok := s.unit()
		return ok && low >= 0xdc00 && low <= 0xdfff
	}
	return true
}

func (s *scanner) unit() (uint64, bool) {
	if s.i+6 > len(s.b) || s.b[s.i] != '\\' || s.b[s.i+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s.b[s.i+2:s.i+6]), 16, 16)
	s.i += 6
	return n, err == nil
}

// number accepts numbers that are certainly within float64: up to 100 digits and no exponent beyond two digits.
func (s *scanner) number() bool {
	start := s.i
	if s.i < len(s.b) && s.b[s.i] == '-' {
		s.i++
	}
	whole := s.digits()
	if whole == 0 || whole > 1 && s.b[s.i-whole] == '0' {
		return false
	}
	if s.i < len(s.b) && s.b[s.i] == '.' {
		s.i++
		if s.digits() == 0 {
			return false
		}
	}
	if s.i-start > 100 {
		return false
	}
	if s.i < len(s.b) && (s.b[s.i] == 'e' || s.b[s.i] == 'E') {
		s.i++
		if s.i < len(s.b) && (s.b[s.i] == '+' || s.b[s.i] == '-') {
			s.i++
		}
		if n := s.digits(); n == 0 || n > 2 {
			return false
		}
	}
	return true
}

func (s *scanner) digits() int {
	start := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i - start
}
