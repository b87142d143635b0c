package report

import (
	"context"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

// Messages counts messages and what became of them.
type Messages interface {
	// CountsByNode returns the figures of a source by node; a campaign has the single node "".
	CountsByNode(ctx context.Context, ws string, src outbox.Source) (map[string]outbox.Counts, error)
	// People lists the messages behind a figure, latest first.
	People(ctx context.Context, ws string, src outbox.Source, m outbox.Metric, p page.Request) (page.Of[outbox.Message], error)
}

// Campaigns knows campaigns.
type Campaigns interface {
	Get(ctx context.Context, ws, id string) (campaign.Campaign, error)
}

// Calendar knows what campaigns went and will go.
type Calendar interface {
	Calendar(ctx context.Context, ws string, from, to time.Time, zone *time.Location) ([]campaign.Entry, []campaign.Conflict, error)
	// Both lists by number the people in the audiences of two campaigns or series.
	Both(ctx context.Context, ws, a, b string, p page.Request) (page.Of[uint64], error)
}

// Journeys knows journeys and counts the people in them.
type Journeys interface {
	Get(ctx context.Context, ws, id string) (journey.Journey, error)
	ByKey(ctx context.Context, ws, key string) (journey.Journey, error)
	Stats(ctx context.Context, ws, id string) (journey.Stats, error)
	Behind(ctx context.Context, ws, id string, b journey.Behind, p page.Request) (page.Of[journey.Visit], error)
	Parked(ctx context.Context, ws string) (int64, error)
	Against(ctx context.Context, ws, id string) (journey.Comparison, error)
	AgainstPeople(ctx context.Context, ws, id string, kept, reached bool, p page.Request) (page.Of[journey.Compared], error)
}

// Events is the part of the event store that reports read.
type Events interface {
	Stats(ctx context.Context, ws string) (event.Stats, error)
	Query(ctx context.Context, sql string, args []any) ([][]any, error)
}

// Names tells what ids stand for. Each method errs with errs.NotFound if the thing is gone.
type Names interface {
	Topic(ctx context.Context, ws, id string) (string, error)
	Template(ctx context.Context, ws, id string) (string, error)
	// Subject returns the subject line of a version of a template, as its author wrote it.
	Subject(ctx context.Context, ws, template string, version int) (string, error)
}

// People knows people by their numbers, merges followed.
type People interface {
	IDs(ctx context.Context, ws string, nums []uint64) (map[uint64]string, error)
}

// MessageFigures are the figures of messages, with the shares that people compare.
type MessageFigures struct {
	outbox.Counts
	Refusal     Rate // refused, of the audience
	Delivery    Rate // delivered, of delivered and bounced
	Bounce      Rate // bounced, of the same
	Open        Rate // opened by humans, of delivered
	Click       Rate // clicked, of delivered
	ClickToOpen Rate // clicked, of opened
	Conversion  Rate // converted, of delivered
	Unsubscribe Rate // unsubscribed, of delivered
	Complaint   Rate // complained, of delivered
}

func figures(c outbox.Counts) MessageFigures {
	return MessageFigures{
		Counts:  c,
		Refusal: NewRate(c.Refused, c.Audience),
		// Sent does not hold those that were turned away at the door, and holds those that came back later.
		Delivery:    NewRate(c.Delivered, c.Delivered+c.Bounced),
		Bounce:      NewRate(c.Bounced, c.Delivered+c.Bounced),
		Open:        NewRate(c.Opened, c.Delivered),
		Click:       NewRate(c.Clicked, c.Delivered),
		ClickToOpen: NewRate(c.Clicked, c.Opened),
		Conversion:  NewRate(c.Converted, c.Delivered),
		Unsubscribe: NewRate(c.Unsubscribed, c.Delivered),
		Complaint:   NewRate(c.Complained, c.Delivered),
	}
}

// Campaign is the report of a campaign.
type Campaign struct {
	campaign.Campaign
	LeftOut  map[string]int64 // people of the audience whom the gate was never asked about, by why: merged, gone
	Messages MessageFigures
	Variants map[string]MessageFigures // of the A/B test, by variant; what the rest got is under ""
	At       time.Time                 // when it was made
}

// Journey is the report of a journey.
type Journey struct {
	journey.Journey
	Stats    journey.Stats
	Goal     Rate           // goals, of rounds begun; rounds still going on may yet reach it
	Messages MessageFigures // of all nodes
	Nodes    []Node
	At       time.Time
}

// Node is the report of a node.
type Node struct {
	journey.NodeStats
	Messages *MessageFigures // nil for nodes that never asked for a message
}

// Person is one person behind a figure.
type Person struct {
	PersonID string
	At       time.Time       // when it happened
	State    string          // of the message, or of the round in the journey
	Reason   string          // code, of the gate or, with Round, of a journey
	Data     outbox.Evidence // what the reason rests on
	Detail   string
	Message  string // outbox message, empty for figures that are not about one
	Round    string // round through the journey, empty for figures of messages
	Node     string // node of the journey
	Event    string // its name, of figures that count events; of one without a name its type
	Times    int64  // how many messages count, for figures that have a person once; else 0
	Amount   int64  // of figures of money, in minor units; negative if it was taken back
	Currency string
}

// Figure names a figure of a report.
type Figure struct {
	Node   string // of a journey, or variant of a campaign; empty: the whole
	Name   string // one of outbox.Metric; of money: revenue, refunded; or of the journey's own: entered, inside, parked, goal, ended, out
	Detail string // narrows refused, failed, ended, out to one reason or output; empty: all
}

// Names of the figures that a journey counts itself.
const (
	FigureEntered = "entered" // rounds begun; with a node: arrivals there
	FigureInside  = "inside"
	FigureParked  = "parked"
	FigureGoal    = "goal"
	FigureEnded   = "ended"
	FigureOut     = "out"
)

// Names of the figures of money: what was credited to messages, refunds taken off, and what was taken off.
const (
	FigureRevenue  = "revenue"
	FigureRefunded = "refunded"
)

// ParseFigure reads "name" or "name:detail".
func ParseFigure(node, s string) (Figure, error) {
	name, detail, _ := strings.Cut(s, ":")
	f := Figure{Node: node, Name: name, Detail: detail}
	switch name {
	case FigureEntered, FigureInside, FigureParked, FigureGoal, FigureRevenue, FigureRefunded:
		if detail == "" {
			return f, nil
		}
	case FigureEnded, FigureOut:
		return f, nil
	default:
		if outbox.Metric(s).Valid() {
			return f, nil
		}
	}
	return Figure{}, errs.Invalid("report.figure", "figure", "there is no figure %q; use the name of a figure of the report", s)
}

// ofJourney are the figures that the journey itself counts, by its own names.
var ofJourney = map[string]string{
	FigureEntered: journey.In, FigureInside: journey.Inside, FigureParked: journey.Failing,
	FigureGoal: journey.Goals, FigureEnded: journey.Ended, FigureOut: journey.Out,
}

func (f Figure) money() bool { return f.Name == FigureRevenue || f.Name == FigureRefunded }

func (f Figure) metric() outbox.Metric {
	if f.Detail == "" {
		return outbox.Metric(f.Name)
	}
	return outbox.Metric(f.Name + ":" + f.Detail)
}

// Config is what a Service needs; all fields are required.
type Config struct {
	Clock     clock.Clock
	Tx        tx.Runner
	Store     Store
	Messages  Messages
	Campaigns Campaigns
	Calendar  Calendar
	Journeys  Journeys
	Events    Events
	Names     Names
	People    People
	Zone      func(ctx context.Context, ws string) (*time.Location, error) // in which the workspace's days begin
}

// Service makes reports. It is safe for concurrent use.
type Service struct{ c Config }

// New returns a Service.
func New(c Config) *Service { return &Service{c} }

// Campaign reports on a campaign.
func (s *Service) Campaign(ctx context.Context, ws, id string) (Campaign, error) {
	c, err := s.c.Campaigns.Get(ctx, ws, id)
	if err != nil {
		return Campaign{}, err
	}
	counts, err := s.c.Messages.CountsByNode(ctx, ws, outbox.Source{Kind: "campaign", ID: id})
	if err != nil {
		return Campaign{}, err
	}
	out := Campaign{Campaign: c, LeftOut: map[string]int64{}, Messages: figures(add(counts)), At: s.c.Clock.Now()}
	if c.Plan.Test != nil {
		out.Variants = map[string]MessageFigures{}
		for variant, n := range counts {
			out.Variants[variant] = figures(n)
		}
	}
	for _, why := range []string{campaign.ReasonMerged, campaign.ReasonGone} {
		if n := c.Progress.Refused[why]; n > 0 {
			out.LeftOut[why] = n
		}
	}
	return out, nil
}

// Journey reports on a journey and each of its nodes, over all its versions.
func (s *Service) Journey(ctx context.Context, ws, id string) (Journey, error) {
	j, err := s.c.Journeys.Get(ctx, ws, id)
	if err != nil {
		return Journey{}, err
	}
	stats, err := s.c.Journeys.Stats(ctx, ws, id)
	if err != nil {
		return Journey{}, err
	}
	counts, err := s.c.Messages.CountsByNode(ctx, ws, outbox.Source{Kind: "journey", ID: id})
	if err != nil {
		return Journey{}, err
	}
	out := Journey{Journey: j, Stats: stats, Goal: NewRate(stats.Goals, stats.Entered), Messages: figures(add(counts)), At: s.c.Clock.Now()}
	for _, n := range stats.Nodes {
		node := Node{NodeStats: n}
		if c, ok := counts[n.Node]; ok || n.Kind == "send" {
			f := figures(c)
			node.Messages = &f
		}
		out.Nodes = append(out.Nodes, node)
	}
	return out, nil
}

func add(parts map[string]outbox.Counts) outbox.Counts {
	var out outbox.Counts
	for _, c := range parts {
		out.Add(c)
	}
	return out
}

// CampaignPeople lists the people behind a figure of a campaign, latest first.
func (s *Service) CampaignPeople(ctx context.Context, ws, id string, f Figure, p page.Request) (page.Of[Person], error) {
	if ofJourney[f.Name] != "" {
		return page.Of[Person]{}, errs.Invalid("report.figure", "figure", "a campaign has no figure %q", f.Name)
	}
	if _, err := s.c.Campaigns.Get(ctx, ws, id); err != nil {
		return page.Of[Person]{}, err
	}
	return s.messagePeople(ctx, ws, outbox.Source{Kind: "campaign", ID: id, Node: f.Node}, f, p)
}

// JourneyPeople lists the people behind a figure of a journey or one of its nodes, latest first.
func (s *Service) JourneyPeople(ctx context.Context, ws, id string, f Figure, p page.Request) (page.Of[Person], error) {
	if what := ofJourney[f.Name]; what != "" {
		found, err := s.c.Journeys.Behind(ctx, ws, id, journey.Behind{Node: f.Node, What: what, Detail: f.Detail}, p)
		if err != nil {
			return page.Of[Person]{}, err
		}
		out := page.Of[Person]{Items: make([]Person, len(found.Items)), Next: found.Next}
		for i, v := range found.Items {
			why := v.Reason
			if !v.Error.IsZero() {
				why = v.Error
			}
			out.Items[i] = Person{PersonID: v.Person, At: v.Arrived, State: string(v.Status), Reason: why.Code, Data: outbox.Evidence(why.Data), Message: v.Message, Round: v.Instance, Node: v.Node}
		}
		return out, nil
	}
	if _, err := s.c.Journeys.Get(ctx, ws, id); err != nil {
		return page.Of[Person]{}, err
	}
	return s.messagePeople(ctx, ws, outbox.Source{Kind: "journey", ID: id, Node: f.Node}, f, p)
}

func (s *Service) messagePeople(ctx context.Context, ws string, src outbox.Source, f Figure, p page.Request) (page.Of[Person], error) {
	if f.money() {
		return s.credited(ctx, ws, Credits{Scope: Scope{Kind: src.Kind, Source: src.ID, Node: src.Node}, Refunded: f.Name == FigureRefunded, Money: true}, p)
	}
	found, err := s.c.Messages.People(ctx, ws, src, f.metric(), p)
	return personsOf(found, f), err
}

// personsOf shows the people behind messages.
func personsOf(found page.Of[outbox.Message], f Figure) page.Of[Person] {
	out := page.Of[Person]{Items: make([]Person, len(found.Items)), Next: found.Next}
	for i, m := range found.Items {
		out.Items[i] = Person{
			PersonID: m.PersonID, At: happened(m, outbox.Metric(f.Name)), State: string(m.Shown()), Reason: m.Reason, Data: m.Data, Detail: m.Detail,
			Message: m.ID, Node: m.Source.Node,
		}
	}
	return out
}

// happened is when the message came to count for the figure.
func happened(m outbox.Message, figure outbox.Metric) time.Time {
	at := time.Time{}
	switch figure {
	case outbox.MetricSent, outbox.MetricFailed, outbox.MetricUncertain:
		at = m.SentAt
	case outbox.MetricDelivered:
		at = m.DeliveredAt
	case outbox.MetricBounced:
		at = m.BouncedAt
	case outbox.MetricOpened:
		at = m.OpenedAt
	case outbox.MetricMachineOpen:
		at = m.MachineOpenedAt
	case outbox.MetricClicked:
		at = m.ClickedAt
	case outbox.MetricConverted:
		at = m.ConvertedAt
	case outbox.MetricUnsubscribed:
		at = m.UnsubscribedAt
	case outbox.MetricHardBounced:
		at = m.HardBouncedAt
	case outbox.MetricSoftBounced:
		at = m.BouncedAt
	case outbox.MetricComplained:
		at = m.ComplainedAt
	}
	switch {
	case !at.IsZero():
		return at
	case !m.SentAt.IsZero():
		return m.SentAt
	}
	return m.CreatedAt
}
