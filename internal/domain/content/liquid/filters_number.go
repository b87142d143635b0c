package liquid

import (
	"math"
	"strconv"
	"strings"
)

// num reads an operand; absent and unreadable values are reported.
func (s *state) num(v any) (f float64, i int64, isInt, ok bool) {
	f, i, isInt, ok = number(v)
	if !ok && v != nil {
		s.complain("not_a_number", s.filter.name+" needs numbers")
	}
	return f, i, isInt, ok
}

// arithmetic computes with whole numbers as long as both operands are whole; the quotient of whole numbers is rounded
// down, as in Liquid.
func arithmetic(op byte) filterFunc {
	return func(s *state, in any, args []any) any {
		if in == nil {
			return nil
		}
		x, xi, xInt, ok1 := s.num(in)
		y, yi, yInt, ok2 := s.num(args[0])
		if !ok1 || !ok2 {
			return nil
		}
		if (op == '/' || op == '%') && y == 0 {
			s.complain("division_by_zero", "this divides by zero")
			return nil
		}
		if xInt && yInt {
			if r, ok := whole(op, xi, yi); ok {
				return r
			}
		}
		var r float64
		switch op {
		case '+':
			r = x + y
		case '-':
			r = x - y
		case '*':
			r = x * y
		case '/':
			r = x / y
		default:
			r = x - y*math.Floor(x/y)
		}
		if math.IsInf(r, 0) || math.IsNaN(r) {
			s.complain("not_a_number", "the result is too large")
			return nil
		}
		return r
	}
}

// whole computes with integers; ok is false on overflow.
func whole(op byte, x, y int64) (r int64, ok bool) {
	switch op {
	case '+':
		r = x + y
		return r, (r > x) == (y > 0)
	case '-':
		r = x - y
		return r, (r < x) == (y > 0)
	case '*':
		if x == 0 || y == 0 {
			return 0, true
		}
		r = x * y
		return r, r/y == x && !(x == -1 && y == math.MinInt64) && !(y == -1 && x == math.MinInt64)
	}
	if x == math.MinInt64 && y == -1 {
		return 0, false
	}
	q, m := x/y, x%y
	if m != 0 && (m < 0) != (y < 0) {
		q--
		m += y
	}
	if op == '/' {
		return q, true
	}
	return m, true
}

func filterRound(s *state, in any, args []any) any {
	f, i, isInt, ok := s.num(in)
	if !ok {
		return nil
	}
	places := 0
	if len(args) > 0 {
		places, _ = toInt(args[0])
		places = min(max(places, 0), 12)
	}
	if isInt {
		return i
	}
	r := roundTo(f, places)
	if places == 0 && math.Abs(r) < 1<<53 {
		return int64(r)
	}
	return r
}

// roundTo rounds half away from zero, on the decimal digits that people see rather than the binary ones: 1.005 to two
// places is 1.01.
func roundTo(f float64, places int) float64 {
	p := math.Pow10(places)
	if math.Abs(f) >= 1<<52/p {
		return f
	}
	r, err := strconv.ParseFloat(strconv.FormatFloat(f*p, 'g', 15, 64), 64)
	if err != nil {
		return f
	}
	return math.Round(r) / p
}

func filterWhole(round func(float64) float64) filterFunc {
	return func(s *state, in any, _ []any) any {
		f, i, isInt, ok := s.num(in)
		switch {
		case !ok:
			return nil
		case isInt:
			return i
		case math.Abs(f) < 1<<53:
			return int64(round(f))
		}
		return f
	}
}

func filterAbs(s *state, in any, _ []any) any {
	f, i, isInt, ok := s.num(in)
	switch {
	case !ok:
		return nil
	case isInt && i != math.MinInt64:
		return max(i, -i)
	}
	return math.Abs(f)
}

// filterNumber groups digits by thousands; an argument fixes the number of decimals. All three languages write
// 1,234.5.
func filterNumber(s *state, in any, args []any) any {
	f, i, isInt, ok := s.num(in)
	if !ok {
		return nil
	}
	places := -1
	if len(args) > 0 {
		if places, ok = toInt(args[0]); !ok || places < 0 || places > 12 {
			s.complain("not_a_number", "number takes 0 to 12 decimals")
			places = -1
		}
	}
	if isInt {
		t := strconv.FormatInt(i, 10)
		if places > 0 {
			t += "." + strings.Repeat("0", places)
		}
		return grouped(t)
	}
	if places >= 0 {
		return grouped(strconv.FormatFloat(roundTo(f, places), 'f', places, 64))
	}
	return grouped(string(appendNumber(nil, f)))
}

// grouped puts commas between the thousands of a plain decimal.
func grouped(t string) string {
	sign := ""
	if strings.HasPrefix(t, "-") {
		sign, t = "-", t[1:]
	}
	whole, frac, _ := strings.Cut(t, ".")
	var b strings.Builder
	b.WriteString(sign)
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	if frac != "" {
		b.WriteByte('.')
		b.WriteString(frac)
	}
	return b.String()
}

// decimalsOf is the number of decimals of currencies that do not have two (ISO 4217).
var decimalsOf = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0,
	"VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0, "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

// symbols are the currency signs that readers of a language expect (Unicode CLDR); other currencies show their code.
var symbols = map[lang]map[string]string{
	english: {
		"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CNY": "CN¥", "KRW": "₩", "TWD": "NT$", "HKD": "HK$", "INR": "₹",
		"AUD": "A$", "CAD": "CA$", "NZD": "NZ$", "BRL": "R$", "MXN": "MX$", "ILS": "₪", "VND": "₫", "PHP": "₱",
	},
	chinese: {
		"CNY": "¥", "USD": "US$", "EUR": "€", "GBP": "£", "JPY": "JP¥", "KRW": "₩", "TWD": "NT$", "HKD": "HK$", "INR": "₹",
		"AUD": "AU$", "CAD": "CA$", "NZD": "NZ$", "BRL": "R$", "MXN": "MX$", "ILS": "₪", "VND": "₫", "PHP": "₱",
	},
	japanese: {
		"JPY": "￥", "USD": "$", "EUR": "€", "GBP": "£", "CNY": "元", "KRW": "₩", "TWD": "NT$", "HKD": "HK$", "INR": "₹",
		"AUD": "A$", "CAD": "CA$", "NZD": "NZ$", "BRL": "R$", "MXN": "MX$", "ILS": "₪", "VND": "₫", "PHP": "₱",
	},
}

// filterMoney writes an amount in the currency's main unit: 12.5 with "USD" is $12.50. A group of values with "minor"
// (or "amount") and "currency" is an amount that brings its own currency.
func filterMoney(s *state, in any, args []any) any {
	currency := s.currency(args)
	if m, ok := canon(in).(map[string]any); ok {
		if c := s.str(m["currency"]); c != "" {
			currency = c
		}
		if minor, ok := m["minor"]; ok {
			return s.amount(minor, currency, true)
		}
		in = m["amount"]
	}
	return s.amount(in, currency, false)
}

// filterMoneyMinor writes an amount in the currency's smallest unit: 1250 with "USD" is $12.50.
func filterMoneyMinor(s *state, in any, args []any) any {
	return s.amount(in, s.currency(args), true)
}

func (s *state) currency(args []any) string {
	if len(args) > 0 && args[0] != nil {
		return s.str(args[0])
	}
	return s.env.Currency
}

func (s *state) amount(v any, currency string, minor bool) any {
	f, i, isInt, ok := s.num(v)
	if !ok {
		return nil
	}
	currency = strings.ToUpper(strings.TrimSpace(currency))
	places, known := decimalsOf[currency]
	if !known {
		places = 2
	}
	var t string
	switch {
	case minor && (isInt || math.Abs(f) < 1<<53):
		if !isInt {
			i = int64(math.Round(f))
		}
		t = decimal(i, places)
	case minor:
		t = strconv.FormatFloat(f/math.Pow10(places), 'f', places, 64)
	case isInt:
		t = strconv.FormatInt(i, 10)
		if places > 0 {
			t += "." + strings.Repeat("0", places)
		}
	default:
		t = strconv.FormatFloat(roundTo(f, places), 'f', places, 64)
	}
	sign := ""
	t = grouped(t)
	if strings.HasPrefix(t, "-") {
		sign, t = "-", t[1:]
		if strings.Trim(t, "0.,") == "" {
			sign = ""
		}
	}
	symbol, ok := symbols[s.lang][currency]
	if !ok && currency != "" {
		symbol = currency + "\u00a0"
	}
	if !s.room(len(currency)) {
		return nil
	}
	return sign + symbol + t
}

// decimal writes minor units with a decimal point.
func decimal(minor int64, places int) string {
	if places == 0 {
		return strconv.FormatInt(minor, 10)
	}
	t := strconv.FormatInt(minor, 10)
	sign := ""
	if t[0] == '-' {
		sign, t = "-", t[1:]
	}
	if n := places + 1 - len(t); n > 0 {
		t = strings.Repeat("0", n) + t
	}
	return sign + t[:len(t)-places] + "." + t[len(t)-places:]
}

// filterSum adds the members of a list, or one field of each; what is no number counts nothing.
func filterSum(s *state, in any, args []any) any {
	var whole int64
	var rest float64
	exact := true
	for _, x := range s.listOf(in) {
		if len(args) > 0 {
			x = member(x, s.str(args[0]))
		}
		f, i, isInt, ok := number(x)
		switch {
		case !ok:
		case isInt && exact && (i >= 0) == (whole+i >= whole): // no overflow
			whole += i
		default:
			exact = false
			rest += f
		}
	}
	if exact {
		return whole
	}
	return roundTo(float64(whole)+rest, 10)
}

// filterBound holds a number at or above a bound, or at or below it.
func filterBound(sign int) filterFunc {
	return func(s *state, in any, args []any) any {
		f, _, _, ok := s.num(in)
		g, _, _, ok2 := s.num(args[0])
		if !ok || !ok2 {
			return nil
		}
		if (f-g)*float64(sign) < 0 {
			return canon(args[0])
		}
		return canon(in)
	}
}
