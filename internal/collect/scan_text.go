package collect

import (
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// plain marks the bytes that stand for themselves in a string.
var plain = func() (t [256]bool) {
	for c := 0x20; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// text reads a string and writes it in its one canonical form, so that equal strings are equal bytes.
func (s *scanner) text() error {
	s.out = append(s.out, '"')
	i := s.pos + 1
	for {
		start := i
		for i < len(s.in) && plain[s.in[i]] {
			i++
		}
		s.out = append(s.out, s.in[start:i]...)
		if i >= len(s.in) {
			s.pos = i
			return s.fail()
		}
		switch c := s.in[i]; {
		case c == '"':
			s.out = append(s.out, '"')
			s.pos = i + 1
			return nil
		case c == '\\':
			n, ok := s.escape(s.in[i:])
			if !ok {
				s.pos = i
				return s.fail()
			}
			i += n
		case c < 0x20:
			s.pos = i
			return s.fail()
		default:
			r, n := utf8.DecodeRune(s.in[i:])
			if r == utf8.RuneError && n == 1 {
				s.mended = true
			}
			s.out = utf8.AppendRune(s.out, r)
			i += n
		}
	}
}

// escape writes what the escape at the start of in stands for and returns its length.
func (s *scanner) escape(in []byte) (int, bool) {
	if len(in) < 2 {
		return 0, false
	}
	switch c := in[1]; c {
	case '"', '\\', 'b', 'f', 'n', 'r', 't':
		s.out = append(s.out, '\\', c)
		return 2, true
	case '/':
		s.out = append(s.out, '/')
		return 2, true
	case 'u':
	default:
		return 0, false
	}
	r, ok := hex4(in[2:])
	if !ok {
		return 0, false
	}
	n := 6
	if utf16.IsSurrogate(r) {
		low, isEscape := rune(0), len(in) >= 12 && in[6] == '\\' && in[7] == 'u'
		if isEscape {
			low, isEscape = hex4(in[8:])
		}
		if pair := utf16.DecodeRune(r, low); isEscape && pair != utf8.RuneError {
			r, n = pair, 12
		} else {
			r = utf8.RuneError
		}
		if n == 6 {
			s.mended = true
		}
	}
	s.rune(r)
	return n, true
}

// rune writes a character that came as an escape.
func (s *scanner) rune(r rune) {
	switch {
	case r == 0:
		s.mended = true
		s.out = append(s.out, "\uFFFD"...)
	case r == '"' || r == '\\':
		s.out = append(s.out, '\\', byte(r))
	case r == '\b':
		s.out = append(s.out, '\\', 'b')
	case r == '\f':
		s.out = append(s.out, '\\', 'f')
	case r == '\n':
		s.out = append(s.out, '\\', 'n')
	case r == '\r':
		s.out = append(s.out, '\\', 'r')
	case r == '\t':
		s.out = append(s.out, '\\', 't')
	case r < 0x20:
		const digits = "0123456789abcdef"
		s.out = append(s.out, '\\', 'u', '0', '0', digits[r>>4], digits[r&15])
	default:
		s.out = utf8.AppendRune(s.out, r)
	}
}

func hex4(in []byte) (rune, bool) {
	if len(in) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range in[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// longNumber is the length from which a number is written as the float64 it stands for: databases limit digits.
const longNumber = 100

// number reads a number. One beyond float64 becomes its text; one too close to zero becomes 0.
func (s *scanner) number() error {
	start := s.pos
	if s.in[s.pos] == '-' {
		s.pos++
	}
	whole := s.pos
	if s.digits() == 0 || s.in[whole] == '0' && s.pos-whole > 1 {
		return s.fail()
	}
	exponent := false
	if s.pos < len(s.in) && s.in[s.pos] == '.' {
		s.pos++
		if s.digits() == 0 {
			return s.fail()
		}
	}
	if s.pos < len(s.in) && s.in[s.pos]|0x20 == 'e' {
		exponent = true
		s.pos++
		if s.pos < len(s.in) && (s.in[s.pos] == '+' || s.in[s.pos] == '-') {
			s.pos++
		}
		if s.digits() == 0 {
			return s.fail()
		}
	}
	literal := s.in[start:s.pos]
	if !exponent && len(literal) < longNumber {
		s.out = append(s.out, literal...)
		return nil
	}
	f, err := strconv.ParseFloat(string(literal), 64)
	switch {
	case err != nil || math.IsInf(f, 0):
		s.mended = true
		if len(literal) > longNumber {
			literal = literal[:longNumber]
		}
		s.out = append(append(append(s.out, '"'), literal...), '"')
	case f == 0:
		s.out = append(s.out, '0')
	case len(literal) >= longNumber:
		s.mended = true
		s.out = strconv.AppendFloat(s.out, f, 'g', -1, 64)
	default:
		s.out = append(s.out, literal...)
	}
	return nil
}

func (s *scanner) digits() int {
	start := s.pos
	for s.pos < len(s.in) && s.in[s.pos] >= '0' && s.in[s.pos] <= '9' {
		s.pos++
	}
	return s.pos - start
}
