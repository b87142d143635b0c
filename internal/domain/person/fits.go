package person

import (
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
)

// TraitFits reports whether a value has the form that the product itself asks of a trait: "email" is an address of mail, "phone" a number, "timezone" a name
// of the IANA list. Nil, which removes a trait, fits, and so does anything for a trait without a form.
func TraitFits(name string, v any) bool {
	text, isText := v.(string)
	text = strings.TrimSpace(text)
	switch {
	case v == nil, isText && (event.Sealed(text) || Hashed(text)): // what stands for an address may stand in its place
		return true
	case name == "email":
		_, ok := normaliseMail(text)
		return isText && ok && !strings.ContainsAny(text, `<>(),;:"\[]`)
	case name == "phone":
		digits := strings.Map(func(r rune) rune {
			if strings.ContainsRune("0123456789", r) {
				return r
			}
			return -1
		}, text)
		return isText && len(digits) >= 3 && strings.Trim(text, "+0123456789 ()./-") == ""
	case name == "timezone":
		return isText && clock.Zone(text) != nil
	}
	return true
}
