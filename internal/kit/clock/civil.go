package clock

import (
	"sync"
	"sync/atomic"
	"time"
)

// Civil returns the moment at which clocks in the zone show a time. Of a time that comes twice in autumn it is one of the two. A time that
// the zone skips in spring is as long after the gap as it would have been after its beginning: 02:30 becomes 03:30. time.Date does not
// say which side it takes.
func Civil(year int, month time.Month, day, hour, minute int, zone *time.Location) time.Time {
	t := time.Date(year, month, day, hour, minute, 0, 0, zone)
	wanted := time.Date(year, month, day, hour, minute, 0, 0, time.UTC)
	y, m, d := t.Date()
	shown := time.Date(y, m, d, t.Hour(), t.Minute(), 0, 0, time.UTC)
	if gap := wanted.Sub(shown); gap > 0 {
		t = t.Add(gap)
	}
	return Trunc(t)
}

var zones sync.Map // IANA name -> *time.Location, nil if there is none

// maxZoneNames bounds what Zone remembers: names come from outside.
const maxZoneNames = 2000

var zoneNames atomic.Int64

// Zone returns the time zone with an IANA name, nil if there is none; "" and "Local" name none. Loading a zone reads a file, so it
// remembers them.
func Zone(name string) *time.Location {
	if name == "" || name == "Local" || len(name) > 64 {
		return nil
	}
	if z, ok := zones.Load(name); ok {
		return z.(*time.Location)
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		z = nil
	}
	if zoneNames.Add(1) <= maxZoneNames {
		zones.Store(name, z)
	}
	return z
}
