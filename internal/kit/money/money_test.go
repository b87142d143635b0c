package money

import (
	"encoding/json"
	"math"
	"testing"
)

func TestMinorFollowsTheDecimalsOfTheCurrency(t *testing.T) {
	for _, c := range []struct {
		major    float64
		currency string
		want     int64
		ok       bool
	}{
		{19.99, "USD", 1999, true},
		{0.295, "EUR", 30, true},
		{1980, "JPY", 1980, true},
		{1.2345, "KWD", 1235, true},
		{-5.5, "USD", -550, true},
		{math.NaN(), "USD", 0, false},
		{1e300, "USD", 0, false},
		{math.Inf(1), "JPY", 0, false},
	} {
		if got, ok := Minor(c.major, c.currency); got != c.want || ok != c.ok {
			t.Errorf("Minor(%v, %s) = %d, %v; want %d, %v", c.major, c.currency, got, ok, c.want, c.ok)
		}
	}
}

func TestOfPropertiesReadsTheFirstUsableAmount(t *testing.T) {
	for _, c := range []struct {
		props    string
		minor    int64
		currency string
		ok       bool
	}{
		{`{"total": 12.5, "currency": "usd"}`, 1250, "USD", true},
		{`{"revenue": "7.25", "currency": "EUR"}`, 725, "EUR", true},
		{`{"total": "n/a", "value": 300, "currency": "JPY"}`, 300, "JPY", true},
		{`{"total": 3}`, 300, Unknown, true},
		{`{"total": 3, "currency": 5}`, 300, Unknown, true},
		{`{"total": 3, "currency": "dollars"}`, 300, Unknown, true},
		{`{}`, 0, "", false},
		{`[]`, 0, "", false},
		{``, 0, "", false},
		{`{"total": true}`, 0, "", false},
	} {
		minor, currency, ok := OfProperties(json.RawMessage(c.props))
		if ok != c.ok || ok && (minor != c.minor || currency != c.currency) {
			t.Errorf("OfProperties(%s) = %d %s %v", c.props, minor, currency, ok)
		}
	}
}
