package collect

import (
	"strconv"
	"time"
)

// How far clocks may differ.
const (
	// A difference between sentAt and our clock up to this is taken for the way here and not corrected: that would shift
	// exact times, such as those of an imported history, by the length of a request. Clients on servers repeat a batch
	// with the sentAt of the first attempt, and servers have good clocks, so there it may be longer: correcting it would
	// turn the order of a batch that was repeated and the next one.
	browserLatency = 2 * time.Second
	serverLatency  = time.Minute
	// future is how far ahead of our clock an event may be.
	future = 5 * time.Minute
)

var earliest = time.Unix(0, 0)

// correct returns when an event happened by our clock: original and sent are the client's clock, the difference
// between sent and received, beyond latency, is how wrong it is. sent may be zero. clamped reports a time that was in
// the future.
func correct(original, sent, received time.Time, latency time.Duration) (at time.Time, clamped bool) {
	at = original
	if !sent.IsZero() {
		if skew := received.Sub(sent); skew > latency || skew < -latency {
			at = received.Add(-sent.Sub(original))
		}
	}
	if at.After(received.Add(future)) {
		return received, true
	}
	return at, false
}

// layouts are what clients send besides RFC 3339, most common first. A time without a zone is UTC.
var layouts = [...]string{
	"2006-01-02T15:04:05.999999999",
	"2006-01-02T15:04:05.999999999Z0700",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999Z0700",
	"2006-01-02 15:04:05.999999999 Z07:00",
	"2006-01-02 15:04:05.999999999 Z0700",
	"2006-01-02",
}

// parseTime reads a JSON value, string or number, as a time at microsecond precision. Numbers are seconds since 1970,
// or milliseconds or microseconds if they are too large for that.
func parseTime(raw []byte) (time.Time, bool) {
	if len(raw) == 0 {
		return time.Time{}, false
	}
	if raw[0] != '"' {
		return parseEpoch(string(raw))
	}
	text := string(raw[1 : len(raw)-1])
	t, err := time.Parse(time.RFC3339Nano, text)
	for i := 0; err != nil && i < len(layouts); i++ {
		t, err = time.Parse(layouts[i], text)
	}
	if err != nil {
		return parseEpoch(text)
	}
	return encodable(t)
}

func parseEpoch(text string) (time.Time, bool) {
	if len(text) < 8 {
		return time.Time{}, false // "2026" and the like are no seconds since 1970
	}
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || f < 0:
		return time.Time{}, false
	case f < 1e11:
		f *= 1e6
	case f < 1e14:
		f *= 1e3
	case f < 1e17:
	default:
		return time.Time{}, false
	}
	return encodable(time.UnixMicro(int64(f)))
}

// encodable returns t as it is kept, and whether RFC 3339 can express it.
func encodable(t time.Time) (time.Time, bool) {
	t = t.UTC().Truncate(time.Microsecond)
	return t, t.Year() >= 1 && t.Year() <= 9999
}
