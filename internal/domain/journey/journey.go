package journey

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Status says what a journey does.
type Status string

// The statuses.
const (
	Draft    Status = "draft"    // never published
	Live     Status = "live"     // people enter and move
	Paused   Status = "paused"   // nobody enters, nobody moves; goals and exits still count
	Stopped  Status = "stopped"  // nobody enters; those inside finish
	Archived Status = "archived" // nobody inside, out of sight
)

// Journey is a graph that people walk through.
type Journey struct {
	ID        string
	Workspace string
	Key       string // name key of a ready-made journey, unique in the workspace; empty for others
	Name      string
	Status    Status
	Draft     Graph // being edited; may be incomplete
	Published int   // version that new people enter, 0 before the first publishing
	Draining  bool  // everybody inside is being taken out
	Rev       int64 // goes up with every change; guards against two editors overwriting each other
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Version is a published graph. It never changes.
type Version struct {
	Workspace string
	Journey   string
	Number    int // from 1
	Graph     Graph
	CreatedAt time.Time
}

// Graph is what a journey does.
type Graph struct {
	Trigger Trigger    `json:"trigger"`
	Start   string     `json:"start,omitempty"` // node where people begin; the first one if empty
	Nodes   []Node     `json:"nodes"`
	Exit    []ExitRule `json:"exit,omitempty"`
	Goal    *GoalRule  `json:"goal,omitempty"`
	ReEntry ReEntry    `json:"re_entry,omitzero"`
	Caps    *Caps      `json:"caps,omitempty"`
	Holdout *Holdout   `json:"holdout,omitempty"`
	MaxAge  *node.Span `json:"max_age,omitempty"` // what is older than this starts nothing, be it an event or an appointment; nil: 24 hours; n = 0: any age starts it
}

// Node is one step of the graph.
type Node struct {
	ID     string            `json:"id"`
	Kind   string            `json:"kind"`
	Title  string            `json:"title,omitempty"`
	Config json.RawMessage   `json:"config,omitempty"`
	Next   map[string]string `json:"next,omitempty"` // output -> node id; an output left out ends the journey
	X      int               `json:"x,omitempty"`    // place on the canvas
	Y      int               `json:"y,omitempty"`
}

// ExitRule takes people out wherever they are. An event or a change of membership does so when it happens. A rule does so when it begins to
// hold, be it by what the person does or by time alone, and is asked once more before each step, so it always holds back a message.
type ExitRule struct {
	node.Match
	Rule   json.RawMessage `json:"rule,omitempty"`
	Reason string          `json:"reason,omitempty"`
}

// GoalRule is what the journey is for. Reached at any node, it ends the journey for the person.
type GoalRule struct {
	Event  node.EventMatch `json:"event"`
	Value  string          `json:"value,omitempty"`  // property that holds what the event is worth; empty: the amount that the event carries
	Window *node.Span      `json:"window,omitempty"` // counted from entering; nil: as long as the person is inside
}

// ReEntry says whether a person may go through the journey again. Nobody is inside twice at the same time, unless Key tells their rounds
// apart: then once for each of its values, and the mode goes for each of them alone.
type ReEntry struct {
	Mode  string     `json:"mode,omitempty" enum:"once,always,after"` // empty is "once"; "always" is as soon as the last round has ended
	After *node.Span `json:"after,omitempty"`                         // mode "after": counted from the last entering
	Key   string     `json:"key,omitempty" maxLength:"100"`           // property of the trigger, such as cart_id; dots lead into objects
}

// Caps bound how many people a journey takes.
type Caps struct {
	Inside  int64  `json:"inside,omitempty" minimum:"0"`          // at the same time; 0: no bound
	Daily   int64  `json:"daily,omitempty" minimum:"0"`           // entering on one calendar day of the workspace; 0: no bound
	Surplus string `json:"surplus,omitempty" enum:"wait,refuse,"` // who does not fit waits for a place, as long as max_age allows (also if empty), or is refused
}

// What happens to people for whom there is no place.
const (
	SurplusWait   = "wait"
	SurplusRefuse = "refuse"
)

// The re-entry modes.
const (
	Once   = "once"
	Always = "always"
	After  = "after"
)

const (
	maxName      = 200
	maxNodes     = 200
	maxGraphSize = 256 << 10
)

// Validate checks what must hold even for an unfinished draft.
func (j Journey) Validate() error {
	name := strings.TrimSpace(j.Name)
	if name == "" || utf8.RuneCountInString(name) > maxName {
		return errs.Invalid("journey.name", "name", "give the journey a name of at most %d characters", maxName)
	}
	if len(j.Draft.Nodes) > maxNodes {
		return errs.Invalid("journey.nodes", "draft.nodes", "a journey has at most %d nodes; split it", maxNodes)
	}
	raw, err := json.Marshal(j.Draft)
	if err != nil {
		return errs.Invalid("journey.graph", "draft", "the graph is not valid JSON: %v", err)
	}
	if len(raw) > maxGraphSize {
		return errs.Invalid("journey.graph.size", "draft", "the graph is larger than %d KB; split the journey", maxGraphSize>>10)
	}
	return nil
}

// InstanceStatus says how it goes with a person in a journey.
type InstanceStatus string

// The statuses of instances.
const (
	Active InstanceStatus = "active" // on the way
	Done   InstanceStatus = "done"   // came to the end, or reached the goal (GoalAt is set)
	Exited InstanceStatus = "exited" // left before the end, Reason says why
	Parked InstanceStatus = "parked" // could not go on, Error says why; Retry sends them on
)

// Instance is one person going through a journey once.
type Instance struct {
	ID        string
	Workspace string
	Journey   string
	Version   int
	Person    string // person id
	EntryKey  string // message id of the trigger event, or what stands for it
	Key       string // tells rounds of one person that run side by side apart; see ReEntry.Key
	Status    InstanceStatus
	Node      string // where the person is, or was at the end
	Arrived   time.Time
	Entered   time.Time
	Ended     time.Time // zero while inside
	Due       time.Time // zero when only an event wakes the person, or when not active
	Seq       int       // number of steps done
	Memory    Memory
	Why       string      // code with which the journey ended: goal, end, exit_node, exit_rule, merged, stopped, removed, other_journey, version_ended, control, gone
	Reason    node.Reason // the same with what it rests on
	GoalAt    time.Time
	Goal      *node.Reached // what reached the goal
	Attempts  int           // failed tries of the present step
	Error     node.Reason   // why the last try failed
	Control   bool          // kept out to compare: watched for the goal, not led
	Lease     string        // token of the worker that holds the row, empty if none
	Rev       int64         // goes up with every write
}

// source names a journey in the outbox.
func source(journey string) outbox.Source { return outbox.Source{Kind: "journey", ID: journey} }

// Inside reports whether the person has not left the journey.
func (i Instance) Inside() bool { return i.Status == Active || i.Status == Parked }

// Memory is what an instance remembers between steps.
type Memory struct {
	Trigger node.Trigger               `json:"trigger"`
	Visits  map[string]int             `json:"visits,omitempty"`  // how often each node was entered
	Data    json.RawMessage            `json:"data,omitempty"`    // the present node's own note
	Until   time.Time                  `json:"until,omitzero"`    // how long the present node wants to wait; the person may be looked at before
	Waits   node.Reason                `json:"waits,omitzero"`    // what for
	Answers map[string]json.RawMessage `json:"answers,omitempty"` // what was answered to nodes, by node id
}

// Step is one entry of the log of a person's path: a stay at a node that has ended.
type Step struct {
	Workspace string
	Journey   string
	Version   int
	Instance  string
	Person    string
	Seq       int
	Node      string
	Kind      string
	Arrived   time.Time
	Left      time.Time
	Output    string // by which the person left; empty if the journey ended here
	Why       string // code with which the journey ended here, else empty
	Reason    node.Reason
	MessageID string // outbox message that the step asked for
	Refused   string // code with which the gate refused it, empty if it may go
}

// Tally counts one thing at one place; Count rows are sums of tallies.
type Tally struct {
	Workspace string
	Journey   string
	Version   int
	Node      string // empty: the journey as a whole
	What      string // see the What constants; some are followed by ":" and a detail
}

// What is tallied. Node level: In, Out+":<output>", Ended+":<why>", Queued, Refused+":<reason>", Failing (those parked now).
// Journey level: In, Inside (those inside now), Ended+":<why>", Goals, Revenue+":<currency>" in minor units, Day+":<date>" (entered on it),
// Turned+":<reason>" (not let in).
const (
	In      = "in"
	Out     = "out"
	Ended   = "ended"
	Queued  = "queued"
	Refused = "refused"
	Failing = "parked"
	Inside  = "inside"
	Goals   = "goal"
	Revenue = "revenue"
	Day     = "day"
	Turned  = "turned"
)

// Count is a tally and its sum.
type Count struct {
	Tally
	N int64
}

// ParseGraph reads a graph. Fields that a graph does not have are refused, so that a misspelt one is noticed when it is
// written and not when people should be moved by it.
func ParseGraph(raw json.RawMessage) (Graph, error) {
	var g Graph
	if err := node.Strict(raw, &g, "journey.graph"); err != nil {
		return Graph{}, node.Under("draft", err)
	}
	return g, nil
}
