package outbox

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// StepOutcome says what came of one question of the gate.
type StepOutcome string

// The outcomes.
const (
	StepPassed   StepOutcome = "passed"
	StepFailed   StepOutcome = "failed"
	StepWaits    StepOutcome = "waits"
	StepNotAsked StepOutcome = "not_asked" // an earlier question had settled it, or its time has not come
)

// CourseStep is one question of the gate with what came of it.
type CourseStep struct {
	Name    string
	Outcome StepOutcome
	Reason  string // why it failed or waits; empty otherwise
}

// course names the gate's questions in the order in which decide asks them, each with the reasons that it gives; the last is not the gate's but what comes after
// it.
var course = []struct {
	name      string
	marketing bool // not asked about transactional messages
	reasons   []string
}{
	{"content", false, []string{ReasonUnknownTemplate, ReasonArchivedTemplate, ReasonTemplateChannel, ReasonNoAccount}},
	{"person", false, []string{ReasonUnknownPerson, ReasonPersonSuppressed}},
	{"address", false, []string{ReasonNoAddress, ReasonBadAddress, ReasonSuppressed}},
	{"consent", true, []string{ReasonNoTopic, ReasonUnknownTopic, ReasonTopicChannel, ReasonUnsubscribed, ReasonNotSubscribed, ReasonCategory, ReasonPaused}},
	{"control", true, []string{ReasonHoldout}},
	{"caps", true, []string{ReasonCapped, ReasonOutranked}},
	{"quiet", true, []string{ReasonQuietHours}},
	{"sending", false, []string{
		ReasonStopped, ReasonAccountPaused, ReasonScheduled, ReasonTurn, ReasonDailyLimit, ReasonThrottled, ReasonWarmingUp, ReasonDomainRests, ReasonRender, ReasonExpired,
		ReasonAnswerLost, ReasonRejected, ReasonDeferred, ReasonCancelled, ReasonSourcePaused, ReasonLeftJourney,
	}},
}

// Course says how a message went through the gate: by the reason that it was refused for or waits for, empty if there is none; sent, once it has left.
func Course(transactional bool, reason string, waits, sent bool) []CourseStep {
	out := make([]CourseStep, 0, len(course))
	at := StepPassed
	for _, c := range course {
		if c.marketing && transactional {
			continue
		}
		step := CourseStep{Name: c.name, Outcome: at}
		switch {
		case at == StepNotAsked:
		case slices.Contains(c.reasons, reason):
			step.Outcome, step.Reason = StepFailed, reason
			if waits {
				step.Outcome = StepWaits
			}
			at = StepNotAsked
		case c.name == "sending" && !sent:
			step.Outcome = StepNotAsked
		}
		out = append(out, step)
	}
	return out
}

// Course says how a message that has reached its end went through the gate; of one that waits, Wait knows.
func (m Message) Course() []CourseStep {
	reason := m.Reason
	switch {
	case reason != "":
	case m.State == Bounced || m.State == Failed:
		reason = ReasonRejected
	case m.State == Cancelled:
		reason = ReasonCancelled
	}
	return Course(m.Transactional, reason, false, !m.SentAt.IsZero())
}

// Course says how the imagined message would go through the gate.
func (d Decision) Course(transactional bool) []CourseStep {
	if d.Waits != "" {
		return Course(transactional, d.Waits, true, false)
	}
	return Course(transactional, d.Reason, false, false)
}

// Wait is what a message waits for.
type Wait struct {
	Reason string
	Data   Evidence
	At     time.Time // when it goes at the earliest; zero: at once when what holds it back is gone
}

// Course says how the message has come so far that waits for this.
func (w Wait) Course(m Message) []CourseStep { return Course(m.Transactional, w.Reason, true, false) }

// Waits says what messages wait for that have not reached their end, by id; the others are left out. What holds all of them back, such as a paused account, comes
// before what the gate said of one.
func (s *Service) Waits(ctx context.Context, ws string, messages []Message) (map[string]Wait, error) {
	out := map[string]Wait{}
	var stopped *Wait
	channels := map[string]*Wait{}
	pointers := make([]*Message, 0, len(messages))
	for i, m := range messages {
		if m.State == Queued || m.State == Claimed {
			pointers = append(pointers, &messages[i])
		}
	}
	paused, err := s.pausedOf(ctx, ws, pointers)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	for _, m := range messages {
		if m.State != Queued && m.State != Claimed {
			continue
		}
		if len(channels) == 0 {
			since, err := s.store.Stopped(ctx, ws)
			if err != nil {
				return nil, fmt.Errorf("load whether sending is stopped: %w", err)
			}
			if !since.IsZero() {
				stopped = &Wait{Reason: ReasonStopped, Data: Evidence{}.with("since", since)}
			}
		}
		held, asked := channels[m.Channel]
		if !asked {
			var err error
			if held, err = s.channelWaits(ctx, ws, m.Channel); err != nil {
				return nil, err
			}
			channels[m.Channel] = held
		}
		if stopped != nil {
			held = stopped
		}
		w := Wait{Reason: ReasonTurn}
		if m.DueAt.After(now) && !m.InFlight {
			w.At = m.DueAt
		}
		switch {
		case m.InFlight:
		case held != nil:
			w.Reason, w.Data = held.Reason, held.Data
		case paused[m.Source.whole()]:
			w.Reason, w.Data, w.At = ReasonSourcePaused, pausedBecause(m.Source), time.Time{}
		case m.DueAt.After(now) && m.Reason != "":
			w.Reason, w.Data = m.Reason, m.Data
		case m.DueAt.After(now):
			w.Reason = ReasonScheduled
		}
		out[m.ID] = w
	}
	return out, nil
}

// channelWaits says what holds back whatever goes by a channel; nil: nothing does.
func (s *Service) channelWaits(ctx context.Context, ws, kind string) (*Wait, error) {
	a, ok, err := s.accounts.DefaultAccount(ctx, ws, kind)
	if err != nil {
		return nil, fmt.Errorf("load account: %w", err)
	}
	if !ok {
		return &Wait{Reason: ReasonNoAccount, Data: Evidence{"channel": kind}}, nil
	}
	alert, err := s.returns.AccountAlert(ctx, ws, a.ID)
	if err != nil {
		return nil, fmt.Errorf("load what is wrong with the account: %w", err)
	}
	if alert == nil || !alert.Paused {
		return nil, nil
	}
	return &Wait{Reason: ReasonAccountPaused, Data: Evidence{"account": a.ID, "account_name": a.Name}.with("since", alert.At)}, nil
}
