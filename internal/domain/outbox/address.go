package outbox

import (
	"strings"
	"unicode"

	"github.com/kizuna-cx/kizuna/internal/domain/person"
)

// Channel kinds whose addresses need more than an identifier of the same name.
const (
	KindEmail = "email"
	KindSMS   = "sms"
)

// Address returns where the person is reached on the channel, empty if nowhere. For channels beyond mail and phone it
// is the identifier of the channel's kind that was seen last.
func Address(p person.Person, channel string) string {
	switch channel {
	case KindEmail:
		return p.Email()
	case KindSMS:
		return p.Phone()
	}
	var best person.Identifier
	for _, id := range p.Identifiers {
		if id.Kind == channel && (best.Value == "" || id.LastSeen.After(best.LastSeen)) {
			best = id
		}
	}
	return best.Value
}

// ValidAddress reports whether an address can be one of the channel.
func ValidAddress(channel, addr string) bool { return validAddress(channel, addr) }

// validAddress refuses what no server would take, or what would break out of a header. Whether an address exists
// is for the other side to say.
func validAddress(channel, addr string) bool {
	if addr == "" || strings.ContainsFunc(addr, func(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar }) {
		return false
	}
	if channel != KindEmail {
		return true
	}
	at := strings.LastIndexByte(addr, '@')
	if at < 1 || at > 64 || len(addr) > 254 { // RFC 5321, 4.5.3.1
		return false
	}
	local, domain := addr[:at], addr[at+1:]
	if strings.ContainsAny(local, " @<>(),;:\"\\[]") || strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
		return false
	}
	if strings.ContainsAny(domain, " <>(),;:\"\\[]_@") {
		return false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
	}
	return true
}
