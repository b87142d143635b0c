package id

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxKey is far below what the indexes of all stores can hold.
const maxKey = 200

// Key makes a text that came from outside (an order number, a message id) fit to be part of a database key: as it is if it is short
// and plain, else a hash of it. The same text always gives the same key.
func Key(text string) string {
	if len(text) <= maxKey && utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || r == unicode.ReplacementChar
	}) {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:16])
}
