package event

import (
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
)

// Signal names events by what they are. An empty member narrows nothing.
type Signal struct {
	Type    Type   `json:"type,omitempty"`
	Name    string `json:"name,omitempty"`
	Path    string `json:"path,omitempty"`    // of the page, as Promote finds it; a final * stands for any ending
	Channel string `json:"channel,omitempty"` // of messages
	Source  string `json:"source,omitempty"`  // of messages: id of the campaign or journey
}

// Matches reports whether the event is one of those that the signal names.
func (s Signal) Matches(e *Event) bool {
	p := Promote(e)
	path, open := strings.CutSuffix(s.Path, "*")
	return (s.Type == "" || s.Type == e.Type) && (s.Name == "" || s.Name == e.Name) && (s.Channel == "" || s.Channel == p.Channel) && (s.Source == "" || s.Source == p.SourceID) &&
		(s.Path == "" || path == p.Path || open && p.Path != "" && strings.HasPrefix(p.Path, path))
}

// FlowQuery asks how people go through stages.
//
// An event belongs to the first stage that has a signal for it. A person's way is the stages of their events in the order of Less, each as often as they came
// to it from another one: looking at three pages of one stage is one station.
type FlowQuery struct {
	Stages   [][]Signal        // what happens at each stage; one without signals is never reached
	Ways     [][]int           // where the plan leads to from each stage; ways begin at stage 0
	From, To time.Time         // To left out
	People   *roaring64.Bitmap // nil: everyone
	Steps    int               // how many stations of a way are told apart, 1 or more
	Paths    int               // how many different ways are told
}

// Flow is how people went.
type Flow struct {
	People  int64 // who came to a stage at all
	OffPlan int64 // of them: who began elsewhere than at stage 0, or went from a stage to one where the plan does not lead
	Stages  []FlowStage
	Links   []FlowLink // by step, then From and To
	Paths   []FlowPath // most frequent first, then in the order of their texts
	Other   int64      // people whose way is not among Paths
}

// FlowStage counts people at a stage.
type FlowStage struct {
	Reached int64
	Next    int64         // of them: who later came to the stage after it
	Median  time.Duration // from the first time at this stage to the next one, of those
	Ended   int64         // whose way ends here as far as the period goes
}

// End is where a FlowLink leads if the way ends.
const End = -1

// FlowLink is a station and the next one.
type FlowLink struct {
	Step   int // the station is the way's Step-th, from 1 to Steps-1; End also at the last one
	From   int
	To     int // End if there is none
	People int64
	Median time.Duration // from coming to the one to coming to the other; 0 for End
}

// FlowPath is a way, its first Steps stations.
type FlowPath struct {
	Stages []int
	More   bool // it goes on
	Off    bool // see Flow.OffPlan; also for what comes after the stations told
	People int64
}

// FlowPick names a figure of a Flow to ask who is behind it.
type FlowPick struct {
	Figure FlowFigure
	Stage  int   // FlowReached, FlowNext, FlowDropped, and the From of FlowLinked
	Step   int   // FlowLinked
	To     int   // FlowLinked
	Path   []int // FlowWent
	More   bool  // FlowWent
}

// FlowFigure is a kind of figure.
type FlowFigure string

// The figures.
const (
	FlowAll     FlowFigure = "all"
	FlowOff     FlowFigure = "off"
	FlowReached FlowFigure = "reached"
	FlowNext    FlowFigure = "next"
	FlowDropped FlowFigure = "dropped" // reached the stage and not the next one later
	FlowLinked  FlowFigure = "link"
	FlowWent    FlowFigure = "path" // on plan and off it
)
