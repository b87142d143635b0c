package node

import (
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// maxSpan keeps due times in a range where a mistake ("3000 weeks") is noticed at publishing.
const maxSpan = 2 * 366 * 24 * time.Hour

// Span is a length of time as people say it. A day is 24 hours, a week seven days.
type Span struct {
	N    int    `json:"n" minimum:"0" doc:"How many"`
	Unit string `json:"unit" enum:"minute,hour,day,week" doc:"Of what"`
}

var units = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour}

// Duration returns the length; 0 for an unknown unit.
func (s Span) Duration() time.Duration { return time.Duration(s.N) * units[s.Unit] }

// Check returns an errs.Invalid for field unless the span lies between one minute and two years.
func (s Span) Check(field string) error {
	if _, ok := units[s.Unit]; !ok {
		return errs.Invalid("journey.span.unit", field+".unit", "the unit %q is not known; use minute, hour, day or week", s.Unit)
	}
	if s.N < 1 || time.Duration(s.N) > maxSpan/units[s.Unit] {
		return errs.Invalid("journey.span.n", field+".n", "the length must lie between 1 minute and 2 years")
	}
	return nil
}
