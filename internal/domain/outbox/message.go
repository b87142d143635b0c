package outbox

import (
	"maps"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// State is where a message stands.
type State string

// The states.
const (
	Queued    State = "queued"    // waiting for its time, its turn or its next attempt
	Claimed   State = "claimed"   // a worker has it
	Sending   State = "sending"   // Claimed and InFlight, as it is shown; not stored
	Sent      State = "sent"      // accepted by the other side
	Bounced   State = "bounced"   // rejected by the other side
	Failed    State = "failed"    // given up
	Refused   State = "refused"   // stopped by the gate
	Cancelled State = "cancelled" // taken back by whoever asked for it
)

// Reasons of refusals and failures; stable, for figures and catalogues.
const (
	ReasonUnknownPerson    = "unknown_person"
	ReasonNoAddress        = "no_address"
	ReasonBadAddress       = "bad_address"
	ReasonSuppressed       = "suppressed"        // the address
	ReasonPersonSuppressed = "person_suppressed" // whatever address they have
	ReasonUnsubscribed     = "unsubscribed"
	ReasonNotSubscribed    = "not_subscribed"
	ReasonNoTopic          = "no_topic"
	ReasonUnknownTopic     = "unknown_topic"
	ReasonTopicChannel     = "topic_not_on_channel"
	ReasonUnknownTemplate  = "unknown_template"
	ReasonArchivedTemplate = "archived_template"
	ReasonTemplateChannel  = "template_not_for_channel"
	ReasonNoAccount        = "no_account"
	ReasonQuietHours       = "quiet_hours"  // of a queued message: waits for their end
	ReasonCapped           = "capped"       // of a queued message: waits for its turn
	ReasonThrottled        = "throttled"    // of a queued message: waits for its minute
	ReasonWarmingUp        = "warming_up"   // of a queued message: waits for its day
	ReasonDailyLimit       = "daily_limit"  // of a queued message: the workspace has sent what the operator lets it send a day
	ReasonDomainRests      = "domain_rests" // of a queued message: its domain has put everything off lately
	ReasonHoldout          = "holdout"
	ReasonCategory         = "category_declined" // a category of consent that sending needs
	ReasonPaused           = "paused"            // the person asked for quiet
	ReasonOutranked        = "outranked"         // a message of higher priority takes the place under a cap
	ReasonSourcePaused     = "source_paused"     // of a queued message: the campaign or journey that asked for it is paused
	ReasonLeftJourney      = "left_journey"      // the person left the journey that asked for it before it went

	ReasonRender     = "render_error"
	ReasonExpired    = "expired"
	ReasonAnswerLost = "answer_lost"
	ReasonRejected   = "rejected"
	ReasonDeferred   = "deferred"
	ReasonCancelled  = "cancelled"
)

// Reasons that no message is stored with: they hold for all that wait together, or follow from its times. See Waits.
const (
	ReasonStopped       = "sending_stopped" // all sending of the workspace
	ReasonAccountPaused = "account_paused"  // its servers turn mail away
	ReasonScheduled     = "scheduled"       // meant to go later
	ReasonTurn          = "turn"            // nothing holds it back: it goes with those that are due
)

// Evidence says what a reason rests on: names and figures that a screen words in its reader's language. Values are text, numbers, booleans
// and moments (RFC 3339 once stored). The keys by reason:
//
//	no_address, bad_address, no_account       channel
//	suppressed                                channel, why: a consent.Reason; scope: "person" if all of theirs are
//	unsubscribed, not_subscribed,
//	topic_not_on_channel                      topic, topic_name, channel; pending: asked, but not confirmed yet
//	unknown_topic                             topic
//	unknown_template, archived_template,
//	template_not_for_channel                  template, template_name, template_channel
//	holdout                                   scope: "workspace", "campaign" ...; percent
//	quiet_hours                               from, to, zone; until, if it waits; endless, if they never end
//	capped                                    taken, limit, days, calendar, channel, topic, until; own, if the person asked for less mail
//	paused                                    until
//	category_declined                         categories
//	outranked                                 by: the message; priority, source_kind, source_id of it; the cap as in capped
//	source_paused                             source_kind, source_id
//	left_journey                              journey, why: how they left it
//	throttled                                 throttle, limit a minute, until; day, minute: the places it has been given
//	warming_up                                limit of today, until, zone; day: the place it has been given
//	daily_limit                               limit, until
//	domain_rests                              domain, until
//	expired                                   hours
//	sending_stopped                           since
//	account_paused                            account, account_name, since
//
// Reasons of failures that are not here are told by Detail and Code alone.
type Evidence map[string]any

// with adds to a copy.
func (e Evidence) with(key string, v any) Evidence {
	out := maps.Clone(e)
	if out == nil {
		out = Evidence{}
	}
	if t, ok := v.(time.Time); ok {
		v = t.UTC().Format(time.RFC3339)
	}
	out[key] = v
	return out
}

// Message is one message to one person, or the refusal to send it. Zero times mean "has not happened".
type Message struct {
	ID              string
	Workspace       string
	PersonID        string
	Channel         string
	Topic           string
	Template        string
	TemplateVersion int
	Source          Source
	Key             string
	Vars            map[string]any
	Transactional   bool
	Goal            Goal // filled in: never the zero value
	Address         string
	Given           bool   // Address was named by the asker: it is not the person's of today
	Print           string // see Request
	Trace           string // traceparent of what asked for it, see kit/trace; empty if that is not traced
	Hops            int    // how many journeys led to it, see event.Event
	Subject         string // as sent; empty before

	Priority Priority // who goes first where a cap leaves room for fewer
	Body     bool     // what it says, or part of it, is stored beside it; see Body

	State     State
	Claim     string   // who has it while it is Claimed
	InFlight  bool     // the other side may have it: between commit and answer
	Reason    string   // code of a refusal, a failure or the last deferral
	Data      Evidence // what the gate's reason rests on
	Detail    string   // the other side's own words, or those of the template engine
	Code      string   // the protocol's last answer, "250 2.0.0"
	Attempts  int
	Uncertain int // answers lost: at most this many surplus copies may have arrived

	CreatedAt time.Time
	NotBefore time.Time // when it was meant to go; CreatedAt if at once
	DueAt     time.Time // when it is tried next

	EndedAt          time.Time // when it was sent, bounced, refused, given up or cancelled
	SentAt           time.Time
	DeliveredAt      time.Time
	BouncedAt        time.Time
	HardBouncedAt    time.Time // first bounce that will not change: the address does not exist
	OpenedAt         time.Time // first human open or click
	MachineOpenedAt  time.Time // first open by a proxy or scanner
	ClickedAt        time.Time // first human click
	ConvertedAt      time.Time
	UnsubscribedAt   time.Time
	ComplainedAt     time.Time // called spam by the recipient
	RepliedAt        time.Time // first answer that a person wrote
	MachineClickedAt time.Time // first click by a scanner
}

// Priority says which of several messages goes where a cap leaves room for fewer. Transactional messages stand above all of them.
type Priority int

// The priorities.
const (
	Low    Priority = -1
	Normal Priority = 0
	High   Priority = 1
)

// ParsePriority reads "low", "normal" or "high"; empty is normal.
func ParsePriority(text string) (Priority, error) {
	switch text {
	case "low":
		return Low, nil
	case "", "normal":
		return Normal, nil
	case "high":
		return High, nil
	}
	return Normal, errs.Invalid("outbox.priority", "priority", "%q is no priority; use low, normal or high", text)
}

func (p Priority) String() string {
	switch {
	case p < Normal:
		return "low"
	case p > Normal:
		return "high"
	}
	return "normal"
}

// MarshalText writes what ParsePriority reads.
func (p Priority) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads it.
func (p *Priority) UnmarshalText(b []byte) (err error) {
	*p, err = ParsePriority(string(b))
	return err
}

// held names the claim under which the message was read.
func (m Message) held() Held { return Held{MessageID: m.ID, Claim: m.Claim} }

// Shown is the state as people see it.
func (m Message) Shown() State {
	if m.State == Claimed {
		if m.InFlight {
			return Sending
		}
		return Queued
	}
	return m.State
}

// Counts are the figures of a campaign, a journey or one of its nodes.
type Counts struct {
	Audience       int64            // everyone the source asked to write to
	Refused        int64            // of these: stopped by the gate
	RefusedBy      map[string]int64 // by reason
	Queued         int64            // waiting or being sent
	Sent           int64            // accepted by the other side
	Delivered      int64            // accepted and not bounced since
	Bounced        int64
	HardBounced    int64 // of them, for good
	Failed         int64
	FailedBy       map[string]int64 // by reason
	Cancelled      int64
	Opened         int64 // by humans
	MachineOpened  int64 // by machines alone
	Clicked        int64
	Converted      int64
	Unsubscribed   int64
	MachineClicked int64 // by machines alone
	Complained     int64
	Replied        int64            // by people
	Uncertain      int64            // messages whose answer was lost at least once
	LostAnswers    int64            // answers lost in all: no more surplus copies than this can have gone out
	Revenue        map[string]int64 // minor units by currency, refunds taken off
	Refunded       map[string]int64 // what was taken off
}

// Add sums the figures of parts of a source.
func (c *Counts) Add(o Counts) {
	c.Audience += o.Audience
	c.Refused += o.Refused
	c.Queued += o.Queued
	c.Sent += o.Sent
	c.Delivered += o.Delivered
	c.Bounced += o.Bounced
	c.HardBounced += o.HardBounced
	c.Failed += o.Failed
	c.Cancelled += o.Cancelled
	c.Opened += o.Opened
	c.MachineOpened += o.MachineOpened
	c.Clicked += o.Clicked
	c.Converted += o.Converted
	c.Unsubscribed += o.Unsubscribed
	c.MachineClicked += o.MachineClicked
	c.Complained += o.Complained
	c.Replied += o.Replied
	c.Uncertain += o.Uncertain
	c.LostAnswers += o.LostAnswers
	c.RefusedBy = sum(c.RefusedBy, o.RefusedBy)
	c.FailedBy = sum(c.FailedBy, o.FailedBy)
	c.Revenue = sum(c.Revenue, o.Revenue)
	c.Refunded = sum(c.Refunded, o.Refunded)
}

func sum(a, b map[string]int64) map[string]int64 {
	out := make(map[string]int64, len(a)+len(b))
	for k, v := range a {
		out[k] += v
	}
	for k, v := range b {
		out[k] += v
	}
	return out
}

// Metric names one of the figures, to list the people behind it. MetricRefused and MetricFailed may be narrowed to a
// reason: "refused:suppressed".
type Metric string

// The metrics.
const (
	MetricAudience     Metric = "audience"
	MetricRefused      Metric = "refused"
	MetricQueued       Metric = "queued"
	MetricSent         Metric = "sent"
	MetricDelivered    Metric = "delivered"
	MetricBounced      Metric = "bounced"
	MetricHardBounced  Metric = "hard_bounced"
	MetricSoftBounced  Metric = "soft_bounced"
	MetricFailed       Metric = "failed"
	MetricCancelled    Metric = "cancelled"
	MetricOpened       Metric = "opened"
	MetricMachineOpen  Metric = "machine_opened"
	MetricClicked      Metric = "clicked"
	MetricConverted    Metric = "converted"
	MetricUnsubscribed Metric = "unsubscribed"
	MetricMachineClick Metric = "machine_clicked"
	MetricComplained   Metric = "complained"
	MetricReplied      Metric = "replied"
	MetricUncertain    Metric = "uncertain"
)

// Split returns the figure and the reason it is narrowed to.
func (m Metric) Split() (figure Metric, reason string) {
	f, r, _ := strings.Cut(string(m), ":")
	return Metric(f), r
}

// Valid reports whether the metric is one of the above.
func (m Metric) Valid() bool {
	figure, reason := m.Split()
	switch figure {
	case MetricRefused, MetricFailed:
		return true
	case MetricAudience, MetricQueued, MetricSent, MetricDelivered, MetricBounced, MetricCancelled, MetricOpened, MetricMachineOpen,
		MetricClicked, MetricConverted, MetricUnsubscribed, MetricUncertain, MetricHardBounced, MetricSoftBounced, MetricComplained, MetricMachineClick, MetricReplied:
		return reason == ""
	}
	return false
}
