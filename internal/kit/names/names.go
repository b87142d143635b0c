// Package names writes people's names in the order of those who bear them.
package names

import "unicode"

// Han tells whether a text has Chinese characters or kana in it.
func Han(s string) bool {
	for _, r := range s {
		if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) {
			return true
		}
	}
	return false
}

// Full joins a given and a family name, of which either may be empty: the family name first where it is written in Han or kana, and without a
// space if both are; otherwise the given name first.
func Full(given, family string) string {
	switch {
	case given == "" || family == "":
		return given + family
	case Han(family) && Han(given):
		return family + given
	case Han(family):
		return family + " " + given
	}
	return given + " " + family
}
