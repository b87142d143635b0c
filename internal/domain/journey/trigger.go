package journey

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Trigger says what brings people in. Exactly one field is set. Besides what it says, staff may add people by hand to any live journey.
type Trigger struct {
	node.Match
	Date     *DateTrigger     `json:"date,omitempty"`
	Inactive *InactiveTrigger `json:"inactive,omitempty"`
	Schedule *ScheduleTrigger `json:"schedule,omitempty"`
	API      *APITrigger      `json:"api,omitempty"`
	Manual   *ManualTrigger   `json:"manual,omitempty"`
}

// DateTrigger brings a person in on a date that one of their traits holds, or some days before or after it, where they live.
type DateTrigger struct {
	Trait  string `json:"trait" doc:"Trait that holds the date (1990-05-17, or 05-17 without the year) or a moment"`
	Yearly bool   `json:"yearly,omitempty" doc:"Every year on that day, from the year after, such as a birthday; otherwise once"`
	Days   int    `json:"days,omitempty" doc:"So many days after the date; before it if negative"`
	Time   string `json:"time,omitempty" doc:"Time of day where the person lives, such as 09:00; midnight if left out"`
	Leap   string `json:"leap,omitempty" enum:"february,march" doc:"In years without 29 February: on the last of February (february, also if left out) or the first of March"`
}

// InactiveTrigger brings a person in once they have not done something for so long, exactly then. Who has never done it is not waited for:
// a segment tells who that is.
type InactiveTrigger struct {
	Events []string  `json:"events,omitempty" doc:"Names of events; any of them counts as activity. Left out: any page, screen or tracked event"`
	For    node.Span `json:"for" doc:"How long without one"`
}

// ScheduleTrigger brings everybody in a segment or list in at set times. Exactly one of once, weekly and cron is set.
type ScheduleTrigger struct {
	Set    string          `json:"set" doc:"Segment or list"`
	Zone   string          `json:"zone,omitempty" doc:"IANA zone in which the times are meant; person: each person's own; left out: the workspace's"`
	Once   string          `json:"once,omitempty" doc:"Date and time such as 2026-12-24T09:00"`
	Weekly *WeeklySchedule `json:"weekly,omitempty"`
	Cron   string          `json:"cron,omitempty" doc:"minute hour day-of-month month day-of-week, such as 0 9 1 * *; at most 24 times a day"`
}

// WeeklySchedule is a time of day on some weekdays.
type WeeklySchedule struct {
	Days []int  `json:"days" doc:"0 is Sunday"`
	Time string `json:"time" doc:"Such as 09:00"`
}

// APITrigger brings in whom a program names, with data of its own.
type APITrigger struct {
	Required []string `json:"required,omitempty" doc:"Fields that the data must have"`
}

// ManualTrigger lets nobody in but those whom staff add.
type ManualTrigger struct{}

// OwnZone is the Zone of a schedule that goes by each person's clock.
const OwnZone = "person"

// Kinds of entries; each but Manual is also what its trigger is called.
const (
	ByEvent    = "event"
	ByDate     = "date"
	ByInactive = "inactive"
	BySchedule = "schedule"
	ByAPI      = "api"
	ByManual   = "manual"
)

const (
	maxDays     = 366
	maxRequired = 20
)

// entrance is a compiled trigger.
type entrance struct {
	kind  string
	match *node.Matcher // matches nothing unless the kind is event

	trait string // date
	date  anniversary

	idleNames []string // inactive; empty: any behaviour
	idleFor   time.Duration

	set   string // schedule
	zone  *time.Location
	own   bool // the times are of each person's zone
	once  *civil
	again clock.Cron

	required []string // api
}

// compile checks a trigger. The field of an error is relative to it.
func (t Trigger) compile() (entrance, error) {
	out := entrance{match: &node.Matcher{}}
	var kinds []string
	for kind, set := range map[string]bool{
		ByEvent: t.Match != (node.Match{}), ByDate: t.Date != nil, ByInactive: t.Inactive != nil, BySchedule: t.Schedule != nil, ByAPI: t.API != nil, ByManual: t.Manual != nil,
	} {
		if set {
			kinds = append(kinds, kind)
		}
	}
	if len(kinds) != 1 {
		return out, errs.Invalid("journey.trigger", "", "name exactly one of event, form, segment_entered, segment_left, date, inactive, schedule, api and manual")
	}
	out.kind = kinds[0]
	var err error
	switch out.kind {
	case ByEvent:
		if out.match, err = t.Match.Compile(); err == nil {
			err = t.Event.Alone("event")
		}
	case ByDate:
		err = out.addDate(*t.Date)
	case ByInactive:
		err = out.addInactive(*t.Inactive)
	case BySchedule:
		err = out.addSchedule(*t.Schedule)
	case ByAPI:
		if len(t.API.Required) > maxRequired {
			err = errs.Invalid("journey.trigger.required", "api.required", "at most %d fields", maxRequired)
		}
		out.required = t.API.Required
	}
	return out, err
}

func (t *entrance) addDate(d DateTrigger) (err error) {
	if strings.TrimSpace(d.Trait) == "" {
		return errs.Invalid("journey.trigger.trait", "date.trait", "name the trait that holds the date, such as birthday")
	}
	if d.Days < -maxDays || d.Days > maxDays {
		return errs.Invalid("journey.trigger.days", "date.days", "between %d days before and %d days after", maxDays, maxDays)
	}
	if d.Leap != "" && d.Leap != "february" && d.Leap != "march" {
		return errs.Invalid("journey.trigger.leap", "date.leap", "choose february or march")
	}
	t.trait = d.Trait
	t.date = anniversary{yearly: d.Yearly, days: d.Days, leapMarch: d.Leap == "march"}
	t.date.hour, t.date.minute, err = timeOfDay(d.Time, "date.time")
	return err
}

func (t *entrance) addInactive(i InactiveTrigger) error {
	if len(i.Events) > maxRequired {
		return errs.Invalid("journey.trigger.events", "inactive.events", "at most %d names", maxRequired)
	}
	for n, name := range i.Events {
		if strings.TrimSpace(name) == "" {
			return errs.Invalid("journey.trigger.event", fmt.Sprintf("inactive.events[%d]", n), "name the event")
		}
	}
	t.idleNames, t.idleFor = i.Events, i.For.Duration()
	return i.For.Check("inactive.for")
}

func (t *entrance) addSchedule(s ScheduleTrigger) error {
	if s.Set == "" {
		return errs.Invalid("journey.trigger.set", "schedule.set", "choose a segment or list")
	}
	t.set, t.own = s.Set, s.Zone == OwnZone
	if s.Zone != "" && !t.own {
		zone, err := time.LoadLocation(s.Zone)
		if err != nil || s.Zone == "Local" {
			return errs.Invalid("journey.trigger.zone", "schedule.zone", "there is no zone %q; write one such as Asia/Tokyo, or person", s.Zone)
		}
		t.zone = zone
	}
	given := 0
	if s.Once != "" {
		given++
		c, err := parseCivil(s.Once)
		if err != nil {
			return errs.Invalid("journey.trigger.once", "schedule.once", "%q is no date and time; write one such as 2026-12-24T09:00", s.Once)
		}
		t.once = &c
	}
	if w := s.Weekly; w != nil {
		given++
		hour, minute, err := timeOfDay(w.Time, "schedule.weekly.time")
		if err != nil {
			return err
		}
		if len(w.Days) == 0 || slices.ContainsFunc(w.Days, func(d int) bool { return d < 0 || d > 6 }) {
			return errs.Invalid("journey.trigger.weekly", "schedule.weekly.days", "name at least one day, from 0 (Sunday) to 6 (Saturday)")
		}
		days := make([]string, len(w.Days))
		for i, d := range w.Days {
			days[i] = strconv.Itoa(d)
		}
		if t.again, err = clock.ParseCron(fmt.Sprintf("%d %d * * %s", minute, hour, strings.Join(days, ","))); err != nil {
			return errs.Invalid("journey.trigger.weekly", "schedule.weekly", "%v", err)
		}
	}
	if s.Cron != "" {
		given++
		var err error
		if t.again, err = clock.ParseCron(s.Cron); err != nil {
			return errs.Invalid("journey.trigger.cron", "schedule.cron", "%v", err)
		}
		if n := t.again.Daily(); n > maxDaily {
			return errs.Invalid("journey.trigger.cron.often", "schedule.cron", "this is %d times a day; at most %d", n, maxDaily)
		}
		if _, ok := t.again.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), time.UTC); !ok {
			return errs.Invalid("journey.trigger.cron.never", "schedule.cron", "there is no such day")
		}
	}
	if given != 1 {
		return errs.Invalid("journey.trigger.schedule", "schedule", "give exactly one of once, weekly and cron")
	}
	return nil
}

// in is the zone in which the next time of the schedule is looked for. With people's own zones that is where it comes first.
func (t *entrance) in(home *time.Location) *time.Location {
	switch {
	case t.own:
		return earliest
	case t.zone != nil:
		return t.zone
	}
	return home
}

// next returns the first time of the schedule after a moment, and the moment; false if none is left.
func (t *entrance) next(after time.Time, home *time.Location) (civil, time.Time, bool) {
	zone := t.in(home)
	if t.once != nil {
		at := t.once.in(zone)
		return *t.once, at, at.After(after)
	}
	wall, ok := t.again.Next(after, zone)
	c := civilOf(wall)
	return c, c.in(zone), ok
}

// liveKey is what tells one round of a person from another that may run beside it: the value of a property of the trigger.
func (r ReEntry) liveKey(props json.RawMessage) string {
	if r.Key == "" {
		return ""
	}
	text := node.Property(props, r.Key)
	if len(text) > maxLiveKey {
		text = text[:maxLiveKey]
	}
	return text
}

// maxLiveKey bounds the part of a key that is kept.
const maxLiveKey = 200
