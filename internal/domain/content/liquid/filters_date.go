package liquid

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// lang is one of the languages whose ways of writing dates, amounts and names are known.
type lang uint8

const (
	english lang = iota
	chinese
	japanese
)

// language maps a BCP 47 tag to a lang.
func language(locale string) lang {
	if len(locale) < 2 || len(locale) > 2 && locale[2] != '-' && locale[2] != '_' {
		return english
	}
	switch strings.ToLower(locale[:2]) {
	case "zh":
		return chinese
	case "ja":
		return japanese
	}
	return english
}

// dateWords are the words and patterns of one language; the patterns follow Unicode CLDR.
type dateWords struct {
	months, shortMonths [12]string
	days, shortDays     [7]string
	am, pm              string
	presets             map[string]string // preset name -> strftime pattern
}

var cjkMonths = [12]string{"1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"}

var dates = [...]dateWords{
	english: {
		months:      [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		shortMonths: [12]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
		days:        [7]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
		shortDays:   [7]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"},
		am:          "AM", pm: "PM",
		presets: map[string]string{
			"short": "%-m/%-d/%y", "medium": "%b %-d, %Y", "long": "%B %-d, %Y", "full": "%A, %B %-d, %Y",
			"month_day": "%B %-d", "weekday": "%A", "time": "%-I:%M %p", "datetime": "%B %-d, %Y at %-I:%M %p",
		},
	},
	chinese: {
		months: cjkMonths, shortMonths: cjkMonths,
		days:      [7]string{"星期日", "星期一", "星期二", "星期三", "星期四", "星期五", "星期六"},
		shortDays: [7]string{"周日", "周一", "周二", "周三", "周四", "周五", "周六"},
		am:        "上午", pm: "下午",
		presets: map[string]string{
			"short": "%Y/%-m/%-d", "medium": "%Y年%-m月%-d日", "long": "%Y年%-m月%-d日", "full": "%Y年%-m月%-d日%A",
			"month_day": "%-m月%-d日", "weekday": "%A", "time": "%H:%M", "datetime": "%Y年%-m月%-d日 %H:%M",
		},
	},
	japanese: {
		months: cjkMonths, shortMonths: cjkMonths,
		days:      [7]string{"日曜日", "月曜日", "火曜日", "水曜日", "木曜日", "金曜日", "土曜日"},
		shortDays: [7]string{"日", "月", "火", "水", "木", "金", "土"},
		am:        "午前", pm: "午後",
		presets: map[string]string{
			"short": "%Y/%m/%d", "medium": "%Y/%m/%d", "long": "%Y年%-m月%-d日", "full": "%Y年%-m月%-d日%A",
			"month_day": "%-m月%-d日", "weekday": "%A", "time": "%-H:%M", "datetime": "%Y年%-m月%-d日 %-H:%M",
		},
	},
}

// prepareDate checks the pattern and resolves the zone once, if they are literals.
func prepareDate(args []expr) (data any, msg string) {
	if l, ok := args[0].(literal); ok {
		p, isText := l.v.(string)
		if !isText {
			return nil, `date needs a pattern such as "%Y-%m-%d", or one of short, medium, long, full, month_day, weekday, time, datetime in quotes`
		}
		if _, preset := dates[english].presets[p]; !preset && !strings.Contains(p, "%") {
			return nil, strconv.Quote(p) + " is neither a pattern such as \"%Y-%m-%d\" nor one of short, medium, long, full, month_day, weekday, time, datetime"
		}
	}
	if len(args) > 1 {
		l, ok := args[1].(literal)
		name, isText := l.v.(string)
		if !ok || !isText {
			return nil, `the second argument of date is a zone in quotes, such as "Asia/Tokyo"`
		}
		zone, err := time.LoadLocation(name)
		if err != nil || name == "" || name == "Local" {
			return nil, "there is no time zone " + strconv.Quote(name) + `; write it like "Asia/Tokyo"`
		}
		return zone, ""
	}
	return nil, ""
}

// filterDate writes a moment in the reader's zone, or the zone given. A date without a time of day belongs to no zone
// and is not moved.
func filterDate(s *state, in any, args []any) any {
	if in == nil {
		return nil
	}
	zone := s.env.Zone
	if z, ok := s.filter.data.(*time.Location); ok {
		zone = z
	}
	t, ok := moment(in, s.env.Now, zone)
	if !ok || t.Year() < 1 || t.Year() > 9999 {
		s.complain("not_a_date", "this is not a date; send dates as 2006-01-02 or 2006-01-02T15:04:05Z")
		return nil
	}
	pattern := s.str(args[0])
	if !s.room(len(pattern)) {
		return nil
	}
	w := &dates[s.lang]
	if p, ok := w.presets[pattern]; ok {
		pattern = p
	}
	out := strftime(nil, t, pattern, w)
	if !s.room(len(out)) {
		return nil
	}
	return string(out)
}

var zoned = [...]string{time.RFC3339Nano, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 -0700", "2006-01-02T15:04:05-0700", time.RFC1123Z, time.RFC1123}

var unzoned = [...]string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04"}

// moment reads what people send as a time. Numbers are seconds since 1970, or milliseconds if they are too large
// for that; text without a zone is UTC.
func moment(v any, now time.Time, zone *time.Location) (time.Time, bool) {
	switch v := canon(v).(type) {
	case time.Time:
		return v.In(zone), true
	case string:
		v = strings.TrimSpace(v)
		if v == "now" || v == "today" {
			return now.In(zone), true
		}
		if len(v) < 8 || len(v) > 40 {
			break
		}
		for _, l := range zoned {
			if t, err := time.Parse(l, v); err == nil {
				return t.In(zone), true
			}
		}
		for _, l := range unzoned {
			if t, err := time.Parse(l, v); err == nil {
				return t.In(zone), true
			}
		}
		for _, l := range [...]string{"2006-01-02", "2006/01/02", "2006/1/2"} {
			if t, err := time.ParseInLocation(l, v, zone); err == nil {
				return t, true
			}
		}
	}
	f, i, isInt, ok := number(v)
	if !ok || math.Abs(f) > 1e14 {
		return time.Time{}, false
	}
	if !isInt {
		return time.UnixMicro(int64(f * 1e6 / scale(f))).In(zone), true
	}
	if scale(f) > 1 {
		return time.UnixMilli(i).In(zone), true
	}
	return time.Unix(i, 0).In(zone), true
}

// scale tells seconds from milliseconds: seconds above 1e11 would be after the year 5138.
func scale(f float64) float64 {
	if math.Abs(f) >= 1e11 {
		return 1000
	}
	return 1
}

// strftime appends t in the pattern. Flags: - no padding, 0 zeros, _ spaces, ^ upper case.
func strftime(dst []byte, t time.Time, pattern string, w *dateWords) []byte {
	for i := 0; i < len(pattern); i++ {
		if pattern[i] != '%' || i+1 == len(pattern) {
			dst = append(dst, pattern[i])
			continue
		}
		start := i
		i++
		pad, upper := byte(0), false
		for i+1 < len(pattern) && strings.IndexByte("-0_^", pattern[i]) >= 0 {
			if pattern[i] == '^' {
				upper = true
			} else {
				pad = pattern[i]
			}
			i++
		}
		from := len(dst)
		var ok bool
		if dst, ok = directive(dst, t, pattern[i], pad, w); !ok {
			dst = append(dst, pattern[start:i+1]...)
		} else if upper {
			dst = append(dst[:from], strings.ToUpper(string(dst[from:]))...)
		}
	}
	return dst
}

func directive(dst []byte, t time.Time, c, pad byte, w *dateWords) ([]byte, bool) {
	num := func(n, width int, fill byte) []byte {
		switch pad {
		case '-':
			width = 0
		case '_':
			fill = ' '
		case '0':
			fill = '0'
		}
		d := strconv.Itoa(n)
		for k := len(d); k < width; k++ {
			dst = append(dst, fill)
		}
		return append(dst, d...)
	}
	hour12 := (t.Hour()+11)%12 + 1
	switch c {
	case 'Y':
		return num(t.Year(), 4, '0'), true
	case 'y':
		return num(t.Year()%100, 2, '0'), true
	case 'C':
		return num(t.Year()/100, 2, '0'), true
	case 'm':
		return num(int(t.Month()), 2, '0'), true
	case 'd':
		return num(t.Day(), 2, '0'), true
	case 'e':
		return num(t.Day(), 2, ' '), true
	case 'j':
		return num(t.YearDay(), 3, '0'), true
	case 'H':
		return num(t.Hour(), 2, '0'), true
	case 'k':
		return num(t.Hour(), 2, ' '), true
	case 'I':
		return num(hour12, 2, '0'), true
	case 'l':
		return num(hour12, 2, ' '), true
	case 'M':
		return num(t.Minute(), 2, '0'), true
	case 'S':
		return num(t.Second(), 2, '0'), true
	case 'L':
		return num(t.Nanosecond()/1e6, 3, '0'), true
	case 'B':
		return append(dst, w.months[t.Month()-1]...), true
	case 'b', 'h':
		return append(dst, w.shortMonths[t.Month()-1]...), true
	case 'A':
		return append(dst, w.days[t.Weekday()]...), true
	case 'a':
		return append(dst, w.shortDays[t.Weekday()]...), true
	case 'p', 'P':
		s := w.am
		if t.Hour() >= 12 {
			s = w.pm
		}
		if c == 'P' {
			s = strings.ToLower(s)
		}
		return append(dst, s...), true
	case 'u':
		return num((int(t.Weekday())+6)%7+1, 1, '0'), true
	case 'w':
		return num(int(t.Weekday()), 1, '0'), true
	case 'U':
		return num((t.YearDay()+6-int(t.Weekday()))/7, 2, '0'), true
	case 'V':
		_, week := t.ISOWeek()
		return num(week, 2, '0'), true
	case 'G':
		year, _ := t.ISOWeek()
		return num(year, 4, '0'), true
	case 's':
		return strconv.AppendInt(dst, t.Unix(), 10), true
	case 'z':
		return t.AppendFormat(dst, "-0700"), true
	case 'Z':
		return t.AppendFormat(dst, "MST"), true
	case 'F':
		return t.AppendFormat(dst, "2006-01-02"), true
	case 'D', 'x':
		return t.AppendFormat(dst, "01/02/06"), true
	case 'T', 'X':
		return t.AppendFormat(dst, "15:04:05"), true
	case 'R':
		return t.AppendFormat(dst, "15:04"), true
	case 'c':
		return strftime(dst, t, w.presets["datetime"], w), true
	case '%':
		return append(dst, '%'), true
	}
	return dst, false
}
