package outbox

import "slices"

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
		ReasonDailyLimit, ReasonThrottled, ReasonWarmingUp, ReasonDomainRests, ReasonRender, ReasonExpired, ReasonAnswerLost, ReasonRejected, ReasonDeferred, ReasonCancelled,
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
		step := CourseStep{c.name, at}
		switch {
		case at == StepNotAsked:
		case slices.Contains(c.reasons, reason):
			step.Outcome = StepFailed
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

// Course says how the message went through the gate as far as it has come.
func (m Message) Course() []CourseStep {
	reason := m.Reason
	switch {
	case reason != "":
	case m.State == Bounced || m.State == Failed:
		reason = ReasonRejected
	case m.State == Cancelled:
		reason = ReasonCancelled
	}
	return Course(m.Transactional, reason, m.State == Queued, !m.SentAt.IsZero())
}

// Course says how the imagined message would go through the gate.
func (d Decision) Course(transactional bool) []CourseStep {
	if d.Waits != "" {
		return Course(transactional, d.Waits, true, false)
	}
	return Course(transactional, d.Reason, false, false)
}
