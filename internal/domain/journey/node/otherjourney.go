package node

import (
	"encoding/json"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// EnterJourney lets the person into another journey, by that journey's own rules of re-entry, and goes on in this one.
var EnterJourney = Spec{
	Kind: "enter_journey", Title: "Enter another journey", Outputs: []string{"next"},
	Config: func() any { return &EnterJourneyConfig{} },
	New: func(config any) (Node, error) {
		c := config.(*EnterJourneyConfig)
		if c.Journey == "" {
			return nil, errs.Invalid("journey.enter_journey.journey", "journey", "choose the journey to enter")
		}
		return enterJourney{*c}, nil
	},
}

// EnterJourneyConfig configures EnterJourney.
type EnterJourneyConfig struct {
	Journey string `json:"journey" doc:"Journey to enter; it must be live when the person comes by"`
}

type enterJourney struct{ EnterJourneyConfig }

func (n enterJourney) Needs() Needs      { return Needs{Effects: true, Journeys: []string{n.Journey}} }
func (enterJourney) Listens() []*Matcher { return nil }

func (n enterJourney) Step(s State, _ Input, _ time.Time) Result {
	return Result{Output: "next", Reason: Because("entering", "journey", n.Journey), Effects: []Effect{{Enter: &Enter{Journey: n.Journey, Properties: s.Trigger.Properties}}}}
}

// LeaveJourney takes the person out of another journey, if they are in it, and goes on in this one.
var LeaveJourney = Spec{
	Kind: "leave_journey", Title: "Leave another journey", Outputs: []string{"next"},
	Config: func() any { return &LeaveJourneyConfig{} },
	New: func(config any) (Node, error) {
		c := config.(*LeaveJourneyConfig)
		if c.Journey == "" {
			return nil, errs.Invalid("journey.leave_journey.journey", "journey", "choose the journey to leave; to leave this one use an exit")
		}
		return leaveJourney{*c}, nil
	},
}

// LeaveJourneyConfig configures LeaveJourney.
type LeaveJourneyConfig struct {
	Journey string `json:"journey" doc:"Journey to leave"`
}

type leaveJourney struct{ LeaveJourneyConfig }

func (n leaveJourney) Needs() Needs      { return Needs{Effects: true, Journeys: []string{n.Journey}} }
func (leaveJourney) Listens() []*Matcher { return nil }

func (n leaveJourney) Step(State, Input, time.Time) Result {
	return Result{Output: "next", Reason: Because("leaving", "journey", n.Journey), Effects: []Effect{{Leave: &Leave{Journey: n.Journey}}}}
}

// Enter asks for the person to be let into another journey.
type Enter struct {
	Journey    string          `json:"journey"`
	Properties json.RawMessage `json:"properties,omitempty"` // handed on, so that the other journey's messages can name them
}

// Leave asks for the person to be taken out of another journey.
type Leave struct {
	Journey string `json:"journey"`
}
