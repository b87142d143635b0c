// Package sheet makes texts safe for files that people open in spreadsheets.
package sheet

import "strings"

// Safe keeps spreadsheets from taking a text for a formula (OWASP, CSV injection): an apostrophe makes it text.
func Safe(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(text)[0]) {
		return "'" + text
	}
	return text
}
