// Package money converts amounts as events carry them (a number of major units) into the form the
// product adds up and stores: whole minor units and an ISO 4217 currency. Binary floating point never takes
// part in a sum.
package money

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// Unknown is the currency of amounts that came without one.
const Unknown = "XXX" // ISO 4217: no currency

// exponents lists the currencies that do not have two decimals (ISO 4217, list one).
var exponents = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0,
	"UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

// Exponent returns the number of decimals of the currency, 2 unless known otherwise.
func Exponent(currency string) int {
	if e, ok := exponents[currency]; ok {
		return e
	}
	return 2
}

// Currency brings a currency code into upper case; anything but three letters becomes Unknown.
func Currency(code string) string {
	code = strings.ToUpper(strings.TrimSpace(code))
	if len(code) != 3 {
		return Unknown
	}
	for _, c := range code {
		if c < 'A' || c > 'Z' {
			return Unknown
		}
	}
	return code
}

// Minor converts major units to minor units, rounding half away from zero. Amounts that do not fit (or are not
// numbers) are 0, false.
func Minor(major float64, currency string) (int64, bool) {
	v := math.Round(major * math.Pow10(Exponent(currency)))
	if math.IsNaN(v) || math.Abs(v) > 1<<53 {
		return 0, false
	}
	return int64(v), true
}

// OfProperties reads the amount of an order from the properties of its event: total, else revenue, else
// value, each a number or a numeric string, and currency. ok is false if there is no usable amount.
func OfProperties(properties json.RawMessage) (minor int64, currency string, ok bool) {
	var p struct {
		Total    any `json:"total"`
		Revenue  any `json:"revenue"`
		Value    any `json:"value"`
		Currency any `json:"currency"`
	}
	if len(properties) == 0 || json.Unmarshal(properties, &p) != nil {
		return 0, "", false
	}
	code, _ := p.Currency.(string)
	currency = Currency(code)
	for _, v := range []any{p.Total, p.Revenue, p.Value} {
		var major float64
		switch x := v.(type) {
		case float64:
			major = x
		case string:
			f, err := strconv.ParseFloat(strings.TrimSpace(x), 64)
			if err != nil {
				continue
			}
			major = f
		default:
			continue
		}
		if minor, ok = Minor(major, currency); ok {
			return minor, currency, true
		}
	}
	return 0, "", false
}
