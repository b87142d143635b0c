package liquid

import (
	"unicode"
	"unicode/utf8"
)

// nextGrapheme returns the length in bytes of the first user-perceived character of s. It follows the extended
// grapheme clusters of Unicode Standard Annex 29 for what people write in names and mail: combining marks, emoji with
// modifiers and joiners, flags, Hangul syllables; Indic conjuncts are split.
func nextGrapheme(s string) int {
	if s == "" {
		return 0
	}
	if s[0] < 0x80 && (len(s) == 1 || s[1] < 0x80) && s[0] != '\r' {
		return 1
	}
	prev, n := utf8.DecodeRuneInString(s)
	flags := 0
	if regional(prev) {
		flags = 1
	}
	for n < len(s) {
		r, size := utf8.DecodeRuneInString(s[n:])
		switch {
		case prev == '\r' && r == '\n':
		case unicode.IsControl(prev) || unicode.IsControl(r):
			return n
		case r == 0x200D || unicode.In(r, unicode.Mn, unicode.Me, unicode.Mc) || r >= 0x1F3FB && r <= 0x1F3FF || r >= 0xE0020 && r <= 0xE007F:
		case prev == 0x200D && pictographic(r):
		case regional(r) && flags == 1:
			flags = 2
		case hangulJoins(prev, r):
		default:
			return n
		}
		prev = r
		n += size
	}
	return n
}

func regional(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }

func pictographic(r rune) bool {
	return r >= 0x1F000 && r <= 0x1FAFF || r >= 0x2190 && r <= 0x2BFF || r == 0x3030 || r == 0x303D || r == 0x00A9 || r == 0x00AE
}

func hangulJoins(a, b rune) bool {
	l := func(r rune) bool { return r >= 0x1100 && r <= 0x115F || r >= 0xA960 && r <= 0xA97C }
	v := func(r rune) bool { return r >= 0x1160 && r <= 0x11A7 || r >= 0xD7B0 && r <= 0xD7C6 }
	t := func(r rune) bool { return r >= 0x11A8 && r <= 0x11FF || r >= 0xD7CB && r <= 0xD7FB }
	syllable := func(r rune) bool { return r >= 0xAC00 && r <= 0xD7A3 }
	open := func(r rune) bool { return syllable(r) && (r-0xAC00)%28 == 0 }
	switch {
	case l(a):
		return l(b) || v(b) || syllable(b)
	case v(a) || open(a):
		return v(b) || t(b)
	case t(a) || syllable(a):
		return t(b)
	}
	return false
}

// graphemes counts the user-perceived characters of s.
func graphemes(s string) int {
	n := 0
	for s != "" {
		s = s[nextGrapheme(s):]
		n++
	}
	return n
}

// cut returns the first n user-perceived characters of s.
func cut(s string, n int) string {
	end := 0
	for ; n > 0 && end < len(s); n-- {
		end += nextGrapheme(s[end:])
	}
	return s[:end]
}
