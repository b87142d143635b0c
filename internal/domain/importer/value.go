package importer

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/width"
)

// Type says what the cells of a column are read as.
type Type string

// The types.
const (
	Text    Type = "text"
	Number  Type = "number"
	Truth   Type = "bool"
	Time    Type = "time"     // year first, or seconds since 1970
	TimeDMY Type = "time_dmy" // day, month, year
	TimeMDY Type = "time_mdy" // month, day, year
	JSON    Type = "json"
)

// Types lists the types that can be chosen.
func Types() []Type { return []Type{Text, Number, Truth, Time, TimeDMY, TimeMDY, JSON} }

// yes and no in the languages of the product, with what forms and tools write.
var truths = map[string]bool{
	"true": true, "yes": true, "y": true, "t": true, "1": true, "on": true, "x": true, "✓": true, "✔": true, "○": true, "◯": true, "subscribed": true, "opt-in": true, "active": true,
	"是": true, "对": true, "有": true, "订阅": true, "已订阅": true, "同意": true, "はい": true, "する": true, "希望する": true, "登録": true, "購読": true, "配信": true, "可": true,
	"false": false, "no": false, "n": false, "f": false, "0": false, "off": false, "-": false, "✗": false, "×": false, "unsubscribed": false, "opt-out": false, "inactive": false,
	"否": false, "不": false, "无": false, "退订": false, "已退订": false, "拒绝": false, "いいえ": false, "しない": false, "希望しない": false, "解除": false, "停止": false, "配信停止": false, "不可": false,
}

func readTruth(s string) (is, ok bool) {
	is, ok = truths[strings.ToLower(strings.TrimSpace(width.Fold.String(s)))]
	return is, ok
}

var currencySigns = strings.NewReplacer("¥", "", "￥", "", "$", "", "€", "", "£", "", "円", "", "元", "", " ", "", "\u00a0", "", "\u202f", "", "'", "")

// readNumber reads 1234.5 as people write it: with full-width digits, a currency sign, thousands apart, a comma before the decimals. One comma or point
// with exactly three digits behind it and no other sign is taken for thousands if it is a comma, for decimals if it is a point.
func readNumber(s string) (float64, bool) {
	s = currencySigns.Replace(width.Fold.String(strings.TrimSpace(s)))
	negative := strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")")
	if negative {
		s = s[1 : len(s)-1]
	}
	comma, point := strings.LastIndexByte(s, ','), strings.LastIndexByte(s, '.')
	switch {
	case comma >= 0 && point >= 0 && comma > point: // 1.234,5
		s = strings.ReplaceAll(strings.ReplaceAll(s, ".", ""), ",", ".")
	case comma >= 0 && point >= 0: // 1,234.5
		s = strings.ReplaceAll(s, ",", "")
	case comma >= 0 && (strings.Count(s, ",") > 1 || len(s)-comma == 4): // 1,234
		s = strings.ReplaceAll(s, ",", "")
	case comma >= 0: // 12,5
		s = strings.Replace(s, ",", ".", 1)
	case strings.Count(s, ".") > 1: // 1.234.567
		s = strings.ReplaceAll(s, ".", "")
	}
	if s == "" || !strings.ContainsAny(s[len(s)-1:], "0123456789.") || strings.ContainsAny(s, "xXpP_") {
		return 0, false // ParseFloat also reads Inf, NaN and hexadecimals
	}
	f, err := strconv.ParseFloat(s, 64)
	if negative {
		f = -f
	}
	return f, err == nil
}

var (
	yearFirst = []string{
		time.RFC3339Nano, "2006-1-2", "2006-1-2 15:04:05", "2006-1-2 15:04", "2006-1-2T15:04:05", "2006-1-2 15:04:05 -0700", "2006-1-2 15:04:05 MST",
		"2006/1/2", "2006/1/2 15:04:05", "2006/1/2 15:04", "2006.1.2", "2006.1.2 15:04", "20060102", "20060102150405", "2006年1月2日", "2006年1月2日 15:04:05", "2006年1月2日 15:04",
		"Jan 2, 2006", "2 Jan 2006", "2006-01",
	}
	dayFirst   = dated("2/1/2006", "2.1.2006", "2-1-2006", "2/1/06", "2.1.06")
	monthFirst = dated("1/2/2006", "1-2-2006", "1/2/06")
)

func dated(days ...string) (out []string) {
	for _, d := range days {
		out = append(out, d, d+" 15:04:05", d+" 15:04", d+" 3:04 PM", d+" 3:04:05 PM")
	}
	return out
}

// moments reads the times of a column, which are mostly written alike: what fitted last is tried first.
type moments struct{ last string }

func (m *moments) read(s string, t Type, zone *time.Location) (time.Time, bool) {
	s = strings.TrimSpace(width.Fold.String(s))
	if len(s) < 6 || len(s) > 40 {
		return time.Time{}, false
	}
	if zone == nil {
		zone = time.UTC
	}
	if m.last != "" {
		if at, err := time.ParseInLocation(m.last, s, zone); err == nil {
			return proper(at)
		}
	}
	layouts := yearFirst
	switch t {
	case TimeDMY:
		layouts = dayFirst
	case TimeMDY:
		layouts = monthFirst
	}
	for _, l := range layouts {
		if at, err := time.ParseInLocation(l, s, zone); err == nil {
			m.last = l
			return proper(at)
		}
	}
	if t != Time {
		return time.Time{}, false
	}
	return epoch(s)
}

// epoch reads seconds or milliseconds since 1970, from 2001 on: fewer digits are no time.
func epoch(s string) (time.Time, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil:
		return time.Time{}, false
	case n >= 1e9 && n < 1e10:
		return time.Unix(n, 0).UTC(), true
	case n >= 1e12 && n < 1e13:
		return time.UnixMilli(n).UTC(), true
	}
	return time.Time{}, false
}

func proper(at time.Time) (time.Time, bool) {
	at = at.UTC().Truncate(time.Microsecond)
	return at, at.Year() >= 1900 && at.Year() < 2200
}

// value reads a cell as what its column is.
func (c *column) value(cell string) (any, bool) {
	switch c.Type {
	case Number:
		f, ok := readNumber(cell)
		return f, ok
	case Truth:
		b, ok := readTruth(cell)
		return b, ok
	case Time, TimeDMY, TimeMDY:
		at, ok := c.moments.read(cell, c.Type, c.zone)
		return at.Format(time.RFC3339Nano), ok
	case JSON:
		if !json.Valid([]byte(cell)) {
			return nil, false
		}
		return json.RawMessage(cell), true
	}
	return cell, true
}
