package person

import (
	"regexp"
	"strings"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/unicode/norm"
)

// maxValue is the longest identifier in bytes; longer ones are payload, not names.
const maxValue = 500

// blockedPatterns and blockedValues are values that clients send when they have none (the union of what Segment and PostHog
// publish as blocked). Values are compared in lower case, without quotes around them.
var blockedPatterns = []*regexp.Regexp{
	regexp.MustCompile(`^[0-]*$`), // 0, 000, 00000000-0000-0000-0000-000000000000
}

var blockedValues = map[string]bool{
	"-1": true, "null": true, "anonymous": true, "guest": true, "distinctid": true, "distinct_id": true, "id": true,
	"not_authenticated": true, "email": true, "undefined": true, "true": true, "false": true, "none": true, "nil": true,
	"nan": true, "[object object]": true, "0": true,
}

func blocked(value string) bool {
	v := strings.ToLower(strings.Trim(value, `"'`))
	if blockedValues[v] {
		return true
	}
	for _, p := range blockedPatterns {
		if p.MatchString(v) {
			return true
		}
	}
	return false
}

// normalise returns the one form of a value, or false if it identifies nobody.
func normalise(form Normaliser, value, region string) (string, bool) {
	v := strings.TrimSpace(value)
	if len(v) > maxValue || strings.ContainsRune(v, 0) || blocked(v) {
		return "", false
	}
	if form.addressed() {
		if s, ok := spelling(v, ""); ok {
			return s, true
		}
	}
	switch form {
	case Mail:
		return normaliseMail(v)
	case Dial:
		return normalisePhone(v, region)
	}
	return v, true
}

func normaliseMail(v string) (string, bool) {
	v = strings.ToLower(norm.NFC.String(v))
	at := strings.LastIndexByte(v, '@')
	if at <= 0 || at == len(v)-1 || strings.ContainsAny(v, " \t\r\n") {
		return "", false
	}
	return v, true
}

func normalisePhone(v, region string) (string, bool) {
	n, err := phonenumbers.Parse(v, region)
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return "", false
	}
	return phonenumbers.Format(n, phonenumbers.E164), true
}
