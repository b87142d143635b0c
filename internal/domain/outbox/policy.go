package outbox

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/rule/leaf"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

// Policy is what a workspace allows itself. Transactional messages are not touched by it.
type Policy struct {
	Quiet []Quiet `json:"quiet,omitempty"`
	Caps  []Cap   `json:"caps,omitempty"`
	// Holdout is the percentage of people who get nothing, so that the effect of everything together can be measured. Who belongs to it
	// follows from Salt and the person's id alone: it is the rule {"bucket": {"salt": Salt, "from": 0, "to": Holdout}}.
	Holdout float64 `json:"holdout,omitempty"`
	Salt    string  `json:"salt,omitempty"` // given by the service and kept
	// Reserve is for how many hours ahead places under caps are kept for messages of higher priority that wait already; 0: only for those
	// that are due.
	Reserve int `json:"reserve_hours,omitempty"`
	// Rev goes up with every change, from 1; to SetPolicy, the one that the editor saw, 0 to write over whatever is there.
	Rev int64 `json:"rev,omitempty"`
}

// Quiet is a time of day in the person's zone in which nothing goes out.
type Quiet struct {
	Channel string         `json:"channel,omitempty"` // empty: every channel
	From    Clock          `json:"from"`
	To      Clock          `json:"to"`             // not after From: on the next day
	Days    []time.Weekday `json:"days,omitempty"` // on which it begins; empty: every day
	Refuse  bool           `json:"refuse,omitempty"`
}

// Cap limits how many messages a person gets.
type Cap struct {
	Channel  string `json:"channel,omitempty"` // empty: all channels together
	Topic    string `json:"topic,omitempty"`   // empty: all topics together
	Limit    int    `json:"limit"`
	Days     int    `json:"days"`
	Calendar bool   `json:"calendar,omitempty"`    // Days are calendar days of the person, today included; otherwise days of 24 hours up to now
	Retry    int    `json:"retry_hours,omitempty"` // how long a message may wait for its turn; 0: it is refused at once
}

// Clock is a time of day in minutes, written "21:30".
type Clock int

// ParseClock reads "21:30".
func ParseClock(text string) (Clock, error) {
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0, fmt.Errorf("%q is no time of day; write one such as 21:30", text)
	}
	return Clock(t.Hour()*60 + t.Minute()), nil
}

func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

// MarshalText writes what ParseClock reads.
func (c Clock) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads it.
func (c *Clock) UnmarshalText(b []byte) (err error) {
	*c, err = ParseClock(string(b))
	return err
}

func (c Clock) on(year int, month time.Month, day int, zone *time.Location) time.Time {
	return clock.Civil(year, month, day, int(c)/60, int(c)%60, zone)
}

const (
	maxPolicyRules = 20
	maxCapDays     = 366
	maxCapLimit    = 10_000
	maxCapRetry    = 14 * 24
	maxHoldout     = 50.0
	maxReserve     = 7 * 24
	maxQuietSteps  = 20 // periods that follow each other without a gap before the night is called endless
)

// Validate names the first thing that cannot be.
func (p Policy) Validate() error {
	bad := func(field, format string, args ...any) error {
		return errs.Invalid("outbox.policy."+field[strings.LastIndexByte(field, '.')+1:], field, format, args...)
	}
	switch {
	case len(p.Quiet) > maxPolicyRules:
		return bad("quiet", "at most %d quiet hours", maxPolicyRules)
	case len(p.Caps) > maxPolicyRules:
		return bad("caps", "at most %d caps", maxPolicyRules)
	}
	for i, q := range p.Quiet {
		at := fmt.Sprintf("quiet[%d]", i)
		if q.From == q.To {
			return bad(at+".to", "quiet hours that begin and end at %s would never end; choose another end, or stop sending", q.From)
		}
		for _, d := range q.Days {
			if d < time.Sunday || d > time.Saturday {
				return bad(at+".days", "days are numbers from 0 (Sunday) to 6 (Saturday)")
			}
		}
	}
	for i, q := range p.Quiet {
		if p.endless(q.Channel) {
			return errs.Invalid("outbox.policy.endless", fmt.Sprintf("quiet[%d].to", i), "with the other quiet hours of the channel there would be no time at which anything may go; leave some of the week free, or stop sending")
		}
	}
	for i, c := range p.Caps {
		at := fmt.Sprintf("caps[%d]", i)
		switch {
		case c.Limit < 1 || c.Limit > maxCapLimit:
			return bad(at+".limit", "between 1 and %d messages", maxCapLimit)
		case c.Days < 1 || c.Days > maxCapDays:
			return bad(at+".days", "between 1 and %d days", maxCapDays)
		case c.Retry < 0 || c.Retry > maxCapRetry:
			return bad(at+".retry_hours", "between 0 (refuse at once) and %d hours", maxCapRetry)
		}
	}
	if p.Reserve < 0 || p.Reserve > maxReserve {
		return bad("reserve_hours", "between 0 and %d hours", maxReserve)
	}
	if !(p.Holdout >= 0 && p.Holdout <= maxHoldout) {
		return bad("holdout", "between 0 and %g percent of the people", maxHoldout)
	}
	return nil
}

// Policy returns what the workspace allows itself.
func (s *Service) Policy(ctx context.Context, ws string) (Policy, error) {
	p, err := s.store.Policy(ctx, ws)
	p.Rev = max(p.Rev, 1)
	return p, err
}

// SetPolicy replaces it, unless somebody has changed it since the editor saw it: errs.Conflict "outbox.policy.changed". The salt is kept, so that the holdout stays the same people while its size changes. Rules name channels and topics that there are:
// any other would hold nothing back without anybody noticing.
func (s *Service) SetPolicy(ctx context.Context, ws string, p Policy) (Policy, error) {
	if err := p.Validate(); err != nil {
		return Policy{}, err
	}
	var out Policy
	err := s.tx.InTx(ctx, func(ctx context.Context) error {
		p := p // the function may run again
		old, err := s.Policy(ctx, ws)
		if err != nil {
			return err
		}
		if p.Rev != 0 && p.Rev != old.Rev {
			return errs.Conflict("outbox.policy.changed", "somebody else has changed the rules of sending meanwhile; load them again and repeat the change")
		}
		p.Rev = old.Rev + 1
		if err := s.checkNames(ctx, ws, p); err != nil {
			return err
		}
		if p.Salt = old.Salt; p.Salt == "" {
			p.Salt = id.New("hld")
		}
		out = p
		if err := s.store.SetPolicy(ctx, ws, p, s.clock.Now()); err != nil {
			return err
		}
		if err := s.store.Recall(ctx, ws, nil); err != nil {
			return err
		}
		// What is about to go meets the new policy, and so does what waits by the old one.
		return s.store.Rouse(ctx, ws, Source{}, s.clock.Now(), ReasonQuietHours, ReasonCapped)
	})
	return out, err
}

// checkNames refuses rules of channels and topics that there are not.
func (s *Service) checkNames(ctx context.Context, ws string, p Policy) error {
	topics, err := s.consent.Topics(ctx, ws)
	if err != nil {
		return fmt.Errorf("load topics: %w", err)
	}
	check := func(at, kind, topic string) error {
		if kind != "" && !slices.ContainsFunc(s.channels, func(c channel.Spec) bool { return c.Kind == kind }) {
			return errs.Invalid("outbox.policy.channel", at+".channel", "there is no channel %q; leave it out for all channels", kind)
		}
		if topic != "" && !slices.ContainsFunc(topics, func(t consent.Topic) bool { return t.ID == topic }) {
			return errs.Invalid("outbox.policy.topic", at+".topic", "there is no topic %q; leave it out for all topics together", topic)
		}
		return nil
	}
	for i, q := range p.Quiet {
		if err := check(fmt.Sprintf("quiet[%d]", i), q.Channel, ""); err != nil {
			return err
		}
	}
	for i, c := range p.Caps {
		if err := check(fmt.Sprintf("caps[%d]", i), c.Channel, c.Topic); err != nil {
			return err
		}
	}
	return nil
}

// heldOut reports whether the person belongs to the holdout of a salt.
func heldOut(salt, personID string, percent float64) bool {
	return percent > 0 && leaf.Share(salt, personID) < percent
}

// Forecast says when a message to a person would go that is asked for at t, or with which reason it would be refused and on what that rests, by the policy alone: holdout, quiet
// hours, and caps over the slots given. Consent, addresses and the stop switch are not looked at.
func (p Policy) Forecast(personID, channel, topic string, t time.Time, zone *time.Location, taken []Slot) (time.Time, string, Evidence) {
	if heldOut(p.Salt, personID, p.Holdout) {
		return t, ReasonHoldout, nil
	}
	m := &Message{PersonID: personID, Channel: channel, Topic: topic, NotBefore: t}
	at, _, v := p.quiet(channel, t, zone)
	if !v.refused() {
		at, _, v = p.capped(m, taken, at, zone)
	}
	if !v.refused() {
		at, _, v = p.quiet(channel, at, zone)
	}
	if v.refused() {
		return t, v.reason, v.data
	}
	return at, "", nil
}

// endless reports whether quiet hours that concern a channel leave no time of the week free: if any is free, it begins where one of them ends.
func (p Policy) endless(channel string) bool {
	quiet := slices.DeleteFunc(slices.Clone(p.Quiet), func(q Quiet) bool { return q.Channel != "" && q.Channel != channel })
	for day := 1; day <= 7; day++ { // of January 2024, which began on a Monday
		for _, q := range quiet {
			at := q.To.on(2024, time.January, day, time.UTC)
			if !slices.ContainsFunc(quiet, func(o Quiet) bool { return !o.end(at, time.UTC).IsZero() }) {
				return false
			}
		}
	}
	return len(quiet) > 0
}

// end returns when the quiet period that covers t ends; zero if none does.
func (q Quiet) end(t time.Time, zone *time.Location) time.Time {
	local := t.In(zone)
	for back := range 2 { // begun today or yesterday
		year, month, day := local.Date()
		day -= back
		begin, end := q.From.on(year, month, day, zone), q.To.on(year, month, day, zone)
		if q.To <= q.From {
			end = q.To.on(year, month, day+1, zone)
		}
		if len(q.Days) > 0 && !slices.Contains(q.Days, time.Date(year, month, day, 12, 0, 0, 0, zone).Weekday()) {
			continue
		}
		if !t.Before(begin) && t.Before(end) {
			return end
		}
	}
	return time.Time{}
}

// quiet returns when a message may go that would go at t (t itself if it is not quiet then) and which quiet hours say so.
func (p Policy) quiet(channel string, t time.Time, zone *time.Location) (time.Time, Evidence, verdict) {
	at, data := t, Evidence(nil)
	for range maxQuietSteps {
		moved := false
		for _, q := range p.Quiet {
			if q.Channel != "" && q.Channel != channel {
				continue
			}
			end := q.end(at, zone)
			if end.IsZero() {
				continue
			}
			if q.Refuse {
				return t, nil, refuse(ReasonQuietHours, q.evidence().with("zone", zone.String()))
			}
			at, moved = end, true
			if data == nil {
				data = q.evidence()
			}
		}
		if !moved {
			return at, data, verdict{}
		}
	}
	return t, nil, refuse(ReasonQuietHours, Evidence{"endless": true, "zone": zone.String()})
}

func (q Quiet) evidence() Evidence {
	return Evidence{"from": q.From.String(), "to": q.To.String()}
}

// Slot is a message's place under the caps.
type Slot struct {
	MessageID string
	PersonID  string
	Channel   string
	Topic     string
	At        time.Time // when it was about to go
}

// since returns from when on slots count for a message at t.
func (c Cap) since(t time.Time, zone *time.Location) time.Time {
	if !c.Calendar {
		return t.Add(-time.Duration(c.Days) * 24 * time.Hour).Add(time.Microsecond)
	}
	year, month, day := t.In(zone).Date()
	return clock.Civil(year, month, day-c.Days+1, 0, 0, zone)
}

// until returns when a slot ceases to count.
func (c Cap) until(at time.Time, zone *time.Location) time.Time {
	if !c.Calendar {
		return at.Add(time.Duration(c.Days) * 24 * time.Hour)
	}
	year, month, day := at.In(zone).Date()
	return clock.Civil(year, month, day+c.Days, 0, 0, zone)
}

// evidence names the cap that so many messages have filled.
func (c Cap) evidence(taken int) Evidence {
	out := Evidence{"taken": taken, "limit": c.Limit, "days": c.Days, "calendar": c.Calendar}
	if c.Channel != "" {
		out["channel"] = c.Channel
	}
	if c.Topic != "" {
		out["topic"] = c.Topic
	}
	return out
}

func (c Cap) covers(channel, topic string) bool {
	return (c.Channel == "" || c.Channel == channel) && (c.Topic == "" || c.Topic == topic)
}

// capped returns when a message has its turn: now, later (and under which cap) if it may wait so long, or a refusal. Taken are the slots
// of the person, the message's own left out or not.
func (p Policy) capped(m *Message, taken []Slot, now time.Time, zone *time.Location) (time.Time, Evidence, verdict) {
	at, data := now, Evidence(nil)
	for _, c := range p.Caps {
		if !c.covers(m.Channel, m.Topic) {
			continue
		}
		var counted []time.Time
		since := c.since(now, zone)
		for _, s := range taken {
			if s.MessageID != m.ID && c.covers(s.Channel, s.Topic) && !s.At.Before(since) {
				counted = append(counted, s.At)
			}
		}
		if len(counted) < c.Limit {
			continue
		}
		slices.SortFunc(counted, time.Time.Compare)
		free := c.until(counted[len(counted)-c.Limit], zone)
		if free.After(m.NotBefore.Add(time.Duration(c.Retry) * time.Hour)) {
			return now, nil, refuse(ReasonCapped, c.evidence(len(counted)).with("until", free))
		}
		if free.After(at) {
			at, data = free, c.evidence(len(counted))
		}
	}
	return at, data, verdict{}
}

// longest returns from when on slots matter to any cap.
func (p Policy) longest(now time.Time) time.Time {
	days := 0
	for _, c := range p.Caps {
		days = max(days, c.Days)
	}
	return now.AddDate(0, 0, -days-1) // a day more: zones
}
