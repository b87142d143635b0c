package httpapi

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2/validation"
)

// finding is one kind of thing that the framework finds wrong with a value: its own words, and ours, which name the remedy. $1 and $2 are what the framework names.
type finding struct {
	theirs string
	code   string // below "request."
	ours   string
}

var findings = []finding{
	{validation.MsgUnexpectedProperty, "unknown", "there is no such field; take it out, or look for a misspelling"},
	{validation.MsgExpectedRequiredProperty, "missing", "this is needed; fill it in"},
	{validation.MsgExpectedDependentRequiredProperty, "missing_with", "this is needed together with $2; fill it in"},
	{validation.MsgExpectedMinLength, "too_short", "write at least $1 characters"},
	{validation.MsgExpectedMaxLength, "too_long", "write at most $1 characters"},
	{validation.MsgExpectedMinItems, "too_few", "name at least $1"},
	{validation.MsgExpectedMaxItems, "too_many", "name at most $1"},
	{validation.MsgExpectedMinProperties, "too_few", "name at least $1"},
	{validation.MsgExpectedMaxProperties, "too_many", "name at most $1"},
	{validation.MsgExpectedArrayItemsUnique, "repeated", "name each only once"},
	{validation.MsgExpectedMinimumNumber, "too_small", "use a number of at least $1"},
	{validation.MsgExpectedMaximumNumber, "too_big", "use a number of at most $1"},
	{validation.MsgExpectedExclusiveMinimumNumber, "not_above", "use a number above $1"},
	{validation.MsgExpectedExclusiveMaximumNumber, "not_below", "use a number below $1"},
	{validation.MsgExpectedNumberBeMultipleOf, "not_multiple", "use a multiple of $1"},
	{validation.MsgExpectedOneOf, "choice", "use one of $1"},
	{validation.MsgExpectedRFC3339DateTime, "time", "write a time like 2026-11-29T10:00:00Z"},
	{validation.MsgExpectedRFC3339Date, "date", "write a date like 2026-11-29"},
	{validation.MsgExpectedRFC5322Email, "email", "write a mail address like aya@example.com"},
	{validation.MsgExpectedRFC3986URI, "url", "write an address like https://example.com/page"},
	{validation.MsgExpectedBePattern, "form", "write $1"},
	{validation.MsgExpectedMatchPattern, "pattern", "write it so that it matches $1"},
	{validation.MsgExpectedBoolean, "kind", "use true or false here"},
	{validation.MsgExpectedNumber, "kind", "use a number here"},
	{validation.MsgExpectedInteger, "kind", "use a whole number here"},
	{validation.MsgExpectedString, "kind", "use a text here"},
	{validation.MsgExpectedArray, "kind", "use a list here"},
	{validation.MsgExpectedObject, "kind", "use an object here"},
	{validation.MsgExpectedMatchExactlyOneSchema, "shape", "this is of none of the forms that are possible here; see the API's description"},
	{validation.MsgExpectedMatchAtLeastOneSchema, "shape", "this is of none of the forms that are possible here; see the API's description"},
}

// theirs recognises the words of each finding.
var theirs = func() []*regexp.Regexp {
	verb := regexp.MustCompile(`%[vds]`)
	out := make([]*regexp.Regexp, len(findings))
	for i, f := range findings {
		out[i] = regexp.MustCompile("^" + verb.ReplaceAllString(regexp.QuoteMeta(f.theirs), "(.*)") + "$")
	}
	return out
}()

// power is a number as the framework writes those of seven digits and more.
var power = regexp.MustCompile(`-?[0-9.]+e\+[0-9]+$`)

func digits(s string) string {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return s
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

// worded gives what the framework found a code of its own, and words that name the remedy. What it does not know stays as it is.
func (f Fault) worded() Fault {
	f.Message = power.ReplaceAllStringFunc(f.Message, digits)
	for i, re := range theirs {
		m := re.FindStringSubmatchIndex(f.Message)
		if m == nil {
			continue
		}
		var args []string
		for n := 2; n < len(m); n += 2 {
			args = append(args, f.Message[m[n]:m[n+1]])
		}
		code := findings[i].code
		if strings.HasPrefix(code, "missing") { // the framework names the object that lacks it
			f.Location = field(f.Location + "." + args[0])
			args = args[1:]
		}
		f.Message = string(re.ExpandString(nil, findings[i].ours, f.Message, m))
		f.Code, f.Args = "request."+code, args
		return f
	}
	return f
}

// required is what the framework says of a parameter that is missing.
const required = "required " // "required query parameter is missing"

// fault makes a Fault of what the framework found.
func fault(status int, code, location, message string) Fault {
	f := Fault{Location: field(location), Code: code, Message: message}
	if status != http.StatusUnprocessableEntity {
		return f
	}
	if strings.HasPrefix(message, required) && strings.HasSuffix(message, "parameter is missing") {
		f.Code, f.Message = "request.missing", "this is needed; fill it in"
		return f
	}
	return f.worded()
}
