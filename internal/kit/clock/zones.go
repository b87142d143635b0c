package clock

import (
	_ "embed"
	"strings"
	"sync"
	"time"
)

// zoneList are the names of the IANA time zone database, links included (release 2025b).
//
//go:embed zones.txt
var zoneList string

// Zones returns every time zone of the IANA database that this machine knows, by name. The map is shared: leave it alone.
var Zones = sync.OnceValue(func() map[string]*time.Location {
	out := map[string]*time.Location{}
	for name := range strings.FieldsSeq(zoneList) {
		if z := Zone(name); z != nil {
			out[name] = z
		}
	}
	return out
})

const dayMicros = int64(24 * time.Hour / time.Microsecond)

// DayStart returns the first microsecond of a day in a zone. A day is the number of days since 1 January 1970. It never goes back from one day to
// the next; a day that the zone skipped begins and ends at the same moment.
func DayStart(day int64, zone *time.Location) int64 {
	d := time.Unix(day*86400, 0).UTC()
	return Civil(d.Year(), d.Month(), d.Day(), 0, 0, zone).UnixMicro()
}

// DayOf returns the day on which a moment, in microseconds, falls in a zone: the last one that has begun by DayStart.
func DayOf(t int64, zone *time.Location) int64 {
	_, offset := time.UnixMicro(t).In(zone).Zone()
	local := t + int64(offset)*int64(time.Second/time.Microsecond)
	day := local / dayMicros
	if local < day*dayMicros {
		day--
	}
	for DayStart(day+1, zone) <= t {
		day++
	}
	for DayStart(day, zone) > t {
		day--
	}
	return day
}
