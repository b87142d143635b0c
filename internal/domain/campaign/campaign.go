package campaign

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Status says what a campaign does.
type Status string

// The statuses.
const (
	Draft     Status = "draft"
	Review    Status = "review"    // waits for a second person's approval
	Scheduled Status = "scheduled" // waits for its time
	Preparing Status = "preparing" // the audience is being counted out
	Sending   Status = "sending"
	Paused    Status = "paused"
	Sent      Status = "sent" // every message has reached its final state
	Cancelled Status = "cancelled"
	Failed    Status = "failed" // Error says why; launching again goes on
)

// Running reports whether a worker has something to do, now or later.
func (s Status) Running() bool { return s == Scheduled || s == Preparing || s == Sending }

// Reasons in Refused that are not the gate's.
const (
	ReasonMerged = "merged" // the same person was in the audience under another number
	ReasonGone   = "gone"   // the person was erased after the audience was fixed
)

// Campaign is one message to many people.
type Campaign struct {
	ID        string
	Workspace string
	Name      string
	Audience  Audience
	Topic     string
	Template  string
	Channel   string // kind
	Goal      outbox.Goal
	Plan      Plan

	Status      Status
	ScheduledAt time.Time // zero: as soon as it is launched; of a local time, when the first clock shows it
	RequestedBy string    // who asked to launch it, where launching needs approval
	ApprovedBy  string    // who agreed: another person than RequestedBy
	StartedAt   time.Time // when the audience was fixed
	FinishedAt  time.Time
	Progress    Progress
	Result      *Result   // of the A/B test, nil before it is decided
	PausedFrom  Status    // where Resume goes
	Attempts    int       // failed tries in a row
	RetryAt     time.Time // nothing is done before: the next try, the next wave, or the next turn of a throttled campaign
	Error       Failure   // of the last failed try
	Rev         int64     // goes up with every change
	CreatedAt   time.Time
	UpdatedAt   time.Time
	ArchivedAt  time.Time // when it was put out of sight; zero: it is not
}

// Audience is the union of some segments and lists, less the union of others.
type Audience struct {
	Include []string `json:"include"`
	Exclude []string `json:"exclude,omitempty"`
}

// Progress is how far sending has come. The figures are exact.
type Progress struct {
	Audience int64            // people in the fixed audience
	Handled  int64            // of them, those the outbox was asked for, or who could not be asked for
	Queued   int64            // let through by the gate
	Refused  map[string]int64 // not let through, by reason
}

// Left returns how many people are still to be handled.
func (p Progress) Left() int64 { return p.Audience - p.Handled }

func (p Progress) plus(reason string, n int64) Progress {
	p.Refused = maps.Clone(p.Refused)
	if p.Refused == nil {
		p.Refused = map[string]int64{}
	}
	p.Refused[reason] += n
	return p
}

// Source names the campaign in the outbox.
func (c Campaign) Source() outbox.Source { return outbox.Source{Kind: "campaign", ID: c.ID} }

const (
	maxName = 200
	maxSets = 50
)

// Validate checks what must hold even for an unfinished draft.
func (c Campaign) Validate() error {
	if n := strings.TrimSpace(c.Name); n == "" || utf8.RuneCountInString(n) > maxName {
		return errs.Invalid("campaign.name", "name", "give the campaign a name of at most %d characters", maxName)
	}
	if len(c.Audience.Include)+len(c.Audience.Exclude) > maxSets {
		return errs.Invalid("campaign.audience", "audience", "at most %d segments and lists; combine some in a segment", maxSets)
	}
	if err := c.Goal.Validate(); err != nil {
		return err
	}
	return c.Plan.validate(c)
}

// late is how far back the time of a campaign may lie: filling in a form takes a while, and clocks differ.
const late = 5 * time.Minute

// timely refuses a time that has passed: whoever meant another day would write to everybody at once. A time where people live has passed once no clock is
// before it.
func (c Campaign) timely(now time.Time) error {
	at, field := c.ScheduledAt, "scheduled_at"
	if !c.Plan.Local.IsZero() {
		at, field = c.Plan.Local.in(time.FixedZone("", lastZone)), "plan.local"
	}
	if at.IsZero() || !at.Before(now.Add(-late)) {
		return nil
	}
	return errs.Invalid("campaign.time_passed", field, "this time has passed; choose a later one, or none to send at once")
}

// incomplete returns what is missing before the campaign can be launched.
func (c Campaign) incomplete() []error {
	var bad []error
	if len(c.Audience.Include) == 0 {
		bad = append(bad, errs.Invalid("campaign.incomplete.audience", "audience.include", "choose the segments or lists to write to"))
	}
	for _, id := range c.Audience.Include {
		if slices.Contains(c.Audience.Exclude, id) {
			bad = append(bad, errs.Invalid("campaign.incomplete.excluded", "audience.exclude", "the same segment is included and excluded, so nobody of it is left"))
		}
	}
	if c.Topic == "" {
		bad = append(bad, errs.Invalid("campaign.incomplete.topic", "topic", "choose the topic that people subscribed to"))
	}
	if c.Template == "" {
		bad = append(bad, errs.Invalid("campaign.incomplete.template", "template", "choose the template to send"))
	}
	return bad
}
