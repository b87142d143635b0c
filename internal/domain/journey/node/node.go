package node

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
)

// Spec describes a kind of node.
type Spec struct {
	Kind    string   // stable, lower case: "wait"
	Title   string   // English; catalogues translate it by kind
	Outputs []string // by which a person leaves, none if the journey always ends here; an output that leads nowhere ends the journey
	Pauses  bool     // a person rests here
	Quick   bool     // with Pauses: only until an errand is done, so a loop through this node spins all the same
	// Config returns a pointer to a zero configuration struct; its JSON Schema makes the form.
	Config func() any
	// New makes a Node of what Config returned, filled. Its errors are errs.Invalid with Field relative to the configuration.
	New func(config any) (Node, error)
}

// Node is one configured step. It is immutable and safe for concurrent use.
type Node interface {
	// Needs says what Step reads beside State.
	Needs() Needs
	// Listens returns the events that wake a person who rests here, nil if none. They arrive as Input.Event.
	Listens() []*Matcher
	// Step moves one person. It is pure.
	Step(s State, in Input, now time.Time) Result
}

// Needs is what a node wants to be given, and what must exist before a journey with it may start.
type Needs struct {
	Subject bool          // Step reads Input.Subject
	Names   []string      // events that the subject's history must include
	All     bool          // the history must include every event
	Effects bool          // Step may return effects
	Asks    bool          // Step may ask for an errand and reads Input.Answer
	Changes []string      // fields of the person that Step may change, as in Fields
	Rest    time.Duration // how long everybody rests here at least, if that is known beforehand
	Watches bool          // whoever rests here is to be stepped again when anything about them changes

	Templates, Topics, Sets []string // ids referred to; sets are segments and lists
	Journeys, Lists         []string // other journeys and lists referred to
	Channels, Members       []string // kinds of channels, and users of staff
	Fields                  []string // that rules look at, see rule.Rule.Fields
	URLs, Secrets           []string // scheme and host of addresses to call, stored secrets to send there
	Answers                 []string // ids of nodes whose answers it reads
}

// Leaves is a node that people leave by fewer outputs than its kind has.
type Leaves interface{ Outputs() []string }

// Trigger is the event that brought the person into the journey.
type Trigger struct {
	MessageID  string          `json:"id"`
	Name       string          `json:"name"`
	Time       time.Time       `json:"time"` // when it happened; goals and "since entry" count from here
	Position   event.Position  `json:"at"`   // in the log; tells what came after it at the same moment
	Properties json.RawMessage `json:"props,omitempty"`
	Trace      string          `json:"trace,omitempty"` // traceparent of it, see kit/trace; empty if it is not traced
	Hops       int             `json:"hops,omitempty"`  // how many journeys led the person on to this one, see event.Event
}

// State is where a person is in a journey.
type State struct {
	Trigger Trigger
	Entered time.Time       // into the journey
	Arrived time.Time       // at this node
	Key     string          // of this visit, as in what is done for it
	Visit   int             // the how-manieth visit to this node, from 1
	Data    json.RawMessage // what the node noted at its last step of this visit

	Answers map[string]json.RawMessage // what was answered to the journey's nodes so far, by node id
}

// Since reports whether an event happened after the person came in. The trigger itself does not count.
func (s State) Since(e event.Kept) bool {
	return e.MessageID != s.Trigger.MessageID && !e.Time.Before(s.Trigger.Time)
}

// Input is what a step may look at.
type Input struct {
	Subject *rule.Subject     // set if Needs asked for it
	Event   *event.Kept       // the event that woke the person, nil if it was time
	Answer  *Answer           // what came of the errand that the node asked for, nil if it is still on its way
	Winners map[string]string // decided A/B tests of the journey: name -> output
	Home    *time.Location    // of people whose zone is not known; nil: UTC
}

// End says how a step ends the journey.
type End string

// The ends. None means that the journey goes on.
const (
	None   End = ""
	Exited End = "exited" // left before the end of the path
	Goal   End = "goal"   // what the journey is for has happened
)

// Result is what a step decided. Exactly one of Output, End, Failed, or staying (none of them) holds.
type Result struct {
	Output  string          `json:"output,omitempty"`
	Due     time.Time       `json:"due,omitzero"`      // staying: step again then; zero: only an event wakes the person
	End     End             `json:"end,omitempty"`     //
	GoalBy  *Reached        `json:"goal_by,omitempty"` // with End Goal
	Failed  Reason          `json:"failed,omitzero"`   // why the person cannot go on until somebody mends it: they are parked here
	Answer  *Answer         `json:"answer,omitempty"`  // with Output: to be found in State.Answers by the nodes that follow
	Reason  Reason          `json:"reason,omitzero"`   // why, for the log of the person's path
	Data    json.RawMessage `json:"data,omitempty"`    // staying: to be found in State.Data at the next step
	Effects []Effect        `json:"effects,omitempty"` // carried out in the transaction that stores the move
}

// Reached is the event that fulfilled a goal.
type Reached struct {
	MessageID string    `json:"id"`
	Name      string    `json:"name"`
	Time      time.Time `json:"time"`
	Minor     int64     `json:"minor,omitempty"`    // amount of the event in minor units
	Currency  string    `json:"currency,omitempty"` // empty if the event carried no amount
	Order     string    `json:"order,omitempty"`    // key by which refunds of the order are found; empty if it has no number
}

// Effect is something to be done, as data. Exactly one field is set.
type Effect struct {
	Send      *Send      `json:"send,omitempty"`
	SetTraits *SetTraits `json:"set_traits,omitempty"`
	Enter     *Enter     `json:"enter,omitempty"`
	Leave     *Leave     `json:"leave,omitempty"`
	Errand    *Errand    `json:"errand,omitempty"`
	Task      *Task      `json:"task,omitempty"`
}

// Send asks for one message.
type Send struct {
	Template      string         `json:"template"`
	Topic         string         `json:"topic,omitempty"`
	Channel       string         `json:"channel"`
	Transactional bool           `json:"transactional,omitempty"`
	Priority      string         `json:"priority,omitempty"` // "low", "high"; else normal
	Vars          map[string]any `json:"vars,omitempty"`
}

// SetTraits asks for traits to be set and to be added to; a nil value removes the trait. What an addition comes to is worked out where the person
// is folded, so that two journeys that add at the same time both count.
type SetTraits struct {
	Traits    map[string]any     `json:"traits"`
	Increment map[string]float64 `json:"increment,omitempty"`
}

// On returns the traits as they will be for those who know the old ones: the steps that follow in the same walk.
func (s *SetTraits) On(old map[string]any) map[string]any {
	out := maps.Clone(old)
	if out == nil {
		out = map[string]any{}
	}
	for name, v := range s.Traits {
		if v == nil {
			delete(out, name)
		} else {
			out[name] = v
		}
	}
	for name, by := range s.Increment {
		v, _ := out[name].(float64)
		out[name] = v + by
	}
	return out
}

// Make reads a node of this kind from its configuration. Fields that the kind does not know are refused.
func (s Spec) Make(config json.RawMessage) (Node, error) {
	c := s.Config()
	if len(config) == 0 {
		config = json.RawMessage("{}")
	}
	if err := Strict(config, c, "journey.node.config"); err != nil {
		return nil, err
	}
	return s.New(c)
}
