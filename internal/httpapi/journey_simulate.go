package httpapi

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// JourneySimulation says what a journey would have done in the last days.
type JourneySimulation struct {
	ID        string                 `json:"id"`
	Journey   string                 `json:"journey_id"`
	Version   int                    `json:"version" doc:"0 is the draft"`
	Status    string                 `json:"status" enum:"running,done,cancelled,failed"`
	Error     *JourneyReason         `json:"error,omitempty"`
	From      time.Time              `json:"from"`
	To        time.Time              `json:"to"`
	Everybody int64                  `json:"everybody" doc:"people of the workspace"`
	People    int64                  `json:"people" doc:"to look at: everybody, or the sample"`
	Looked    int64                  `json:"looked" doc:"of them, those done"`
	Entered   int64                  `json:"entered" doc:"rounds"`
	Persons   int64                  `json:"persons" doc:"people with at least one round"`
	Messages  int64                  `json:"messages" doc:"that would have been sent"`
	Receivers int64                  `json:"receivers" doc:"people with at least one"`
	Goals     int64                  `json:"goals" doc:"reached after entering, without the journey"`
	Inside    int64                  `json:"inside" doc:"not yet at the end"`
	Control   int64                  `json:"control" doc:"kept out by the holdout"`
	Endless   int64                  `json:"endless" doc:"people given up because they moved without end"`
	Ended     map[string]int64       `json:"ended" doc:"by why"`
	Refused   map[string]int64       `json:"refused" doc:"messages, by reason"`
	Turned    map[string]int64       `json:"turned_away" doc:"not let in, by reason"`
	Days      map[string]int64       `json:"days" doc:"entries by day of the workspace"`
	Nodes     []JourneySimulatedNode `json:"nodes"`
	About     []string               `json:"approximations" doc:"what is not exact, to be said beside the figures: traits_of_today, consent_of_today, caps_own_messages, quiet_hours_delay, no_caps_on_entry, no_answers, people_did_not_read, sample"`
}

// JourneySimulatedNode is how one node would have gone.
type JourneySimulatedNode struct {
	Node     string           `json:"node"`
	Kind     string           `json:"kind"`
	Title    string           `json:"title,omitempty"`
	In       int64            `json:"in"`
	Messages int64            `json:"messages"`
	People   int64            `json:"people" doc:"who would have got a message here"`
	Out      map[string]int64 `json:"out" doc:"by output"`
	Ended    map[string]int64 `json:"ended" doc:"by why"`
	Refused  map[string]int64 `json:"refused" doc:"messages, by reason"`
}

// TrialEvent is something that is made up to happen.
type TrialEvent struct {
	AfterMinutes int64          `json:"after_minutes,omitempty" minimum:"0" maximum:"576000" doc:"after entering"`
	Name         string         `json:"name,omitempty" maxLength:"200" doc:"of the event; left out of a change of traits"`
	Traits       map[string]any `json:"traits,omitempty" doc:"that change, instead of an event; null removes one"`
	Properties   map[string]any `json:"properties,omitempty"`
}

func (e TrialEvent) event() (journey.TrialEvent, error) {
	out := journey.TrialEvent{After: time.Duration(e.AfterMinutes) * time.Minute, Name: e.Name, Traits: e.Traits}
	if e.Properties == nil {
		return out, nil
	}
	raw, err := json.Marshal(e.Properties)
	if err != nil {
		return out, errs.Invalid("journey.trial.properties", "properties", "the properties are no JSON object: %v", err)
	}
	out.Properties = raw
	return out, nil
}

// JourneyTrial asks to rehearse a journey with one person.
type JourneyTrial struct {
	Version int            `json:"version,omitempty" minimum:"0" doc:"0 is the draft"`
	Person  string         `json:"person_id,omitempty" doc:"left out: somebody made up, who may be written to"`
	Traits  map[string]any `json:"traits,omitempty" doc:"of the person made up, or instead of the person's own"`
	At      *time.Time     `json:"at,omitempty" doc:"when they enter; left out: now"`
	Trigger TrialEvent     `json:"trigger" doc:"what lets them in"`
	Events  []TrialEvent   `json:"events,omitempty" maxItems:"100" doc:"what they do afterwards"`
	Answers []TrialAnswer  `json:"answers,omitempty" maxItems:"100" doc:"what other servers say to its webhooks; one that is left out never answers"`
}

// TrialAnswer is what another server is imagined to say to a webhook.
type TrialAnswer struct {
	Node   string          `json:"node" maxLength:"200" doc:"the webhook"`
	Status int             `json:"status,omitempty" minimum:"0" maximum:"599" doc:"of the HTTP answer; 0: it never answers"`
	Body   json.RawMessage `json:"body,omitempty" doc:"JSON that the steps behind it can use"`
}

// TrialLetter is a message that a step would have sent. POST /templates/preview shows it.
type TrialLetter struct {
	Step     int            `json:"step" doc:"index among the steps of the round"`
	At       time.Time      `json:"at" doc:"when it would go"`
	Channel  string         `json:"channel"`
	Template string         `json:"template_id"`
	Vars     map[string]any `json:"vars" doc:"what its content is filled with; person as they are by then"`
}

// JourneyTrace is what a trial came to, step by step.
type JourneyTrace struct {
	Round   Round         `json:"round"`
	Matches bool          `json:"trigger_matches" doc:"the trigger would have let the event in"`
	Until   time.Time     `json:"until" doc:"when the rehearsal ended at the latest"`
	Letters []TrialLetter `json:"letters" doc:"messages it would have sent"`
	Endless bool          `json:"endless" doc:"given up, since the person moved without end"`
}

func (a *api) journeySimulateRoutes() {
	s := a.c.Journeys
	type ask struct {
		Version int `json:"version,omitempty" minimum:"0" doc:"0 is the draft"`
		Days    int `json:"days" minimum:"1" maximum:"365"`
		Sample  int `json:"sample,omitempty" minimum:"0" doc:"so many people instead of everybody, drawn by a stable hash"`
	}
	route(a, http.MethodPost, "/journeys/{id}/simulations", "journey-simulation-create", "Begin to rehearse a journey with everybody's history; nothing is stored or sent", staff.JourneysWrite, func(ctx context.Context, in *inAt[ask]) (*body[JourneySimulation], error) {
		sim, err := s.Simulate(ctx, workspaceOf(ctx), in.ID, in.Body.Version, in.Body.Days, in.Body.Sample)
		if err != nil {
			return nil, err
		}
		return answer(simulationShape(sim)), nil
	}, created)
	route(a, http.MethodGet, "/journey-simulations/{id}", "journey-simulation-get", "A simulation as far as it has come", staff.JourneysRead, func(ctx context.Context, in *IDPath) (*body[JourneySimulation], error) {
		sim, err := s.Simulation(ctx, workspaceOf(ctx), in.ID)
		return answer(simulationShape(sim)), err
	})
	route(a, http.MethodPost, "/journey-simulations/{id}/cancel", "journey-simulation-cancel", "End a simulation; what it has counted stays", staff.JourneysWrite, func(ctx context.Context, in *IDPath) (*body[JourneySimulation], error) {
		sim, err := s.CancelSimulation(ctx, workspaceOf(ctx), in.ID)
		return answer(simulationShape(sim)), err
	})
	route(a, http.MethodPost, "/journeys/{id}/trial", "journey-trial", "Rehearse a journey with one person, real or made up, jumping from step to step; nothing is stored or sent", staff.PeopleRead, func(ctx context.Context, in *inAt[JourneyTrial]) (*body[JourneyTrace], error) {
		t := journey.Trial{Version: in.Body.Version, Traits: in.Body.Traits}
		if in.Body.At != nil {
			t.At = *in.Body.At
		}
		var err error
		if in.Body.Person != "" {
			if t.Person, err = a.named(ctx, in.Body.Person, nil); err != nil {
				return nil, err
			}
		}
		if t.Trigger, err = in.Body.Trigger.event(); err != nil {
			return nil, err
		}
		for _, e := range in.Body.Events {
			made, err := e.event()
			if err != nil {
				return nil, err
			}
			t.Events = append(t.Events, made)
		}
		for _, x := range in.Body.Answers {
			t.Replies = append(t.Replies, journey.TrialReply(x))
		}
		got, err := s.Try(ctx, workspaceOf(ctx), in.ID, t)
		if err != nil {
			return nil, err
		}
		out := JourneyTrace{Round: roundShape(got.Instance), Matches: got.Matches, Until: got.Until, Endless: got.Endless, Letters: make([]TrialLetter, len(got.Letters))}
		for i, l := range got.Letters {
			vars := map[string]any{"person": l.Traits}
			maps.Copy(vars, l.Vars)
			out.Letters[i] = TrialLetter{Step: l.Step, At: l.At, Channel: cmp.Or(l.Channel, "email"), Template: l.Template, Vars: vars}
		}
		out.Round.Steps = stepShapes(got.Steps)
		if t.Person != "" {
			return answer(out), a.saw(ctx, t.Person)
		}
		return answer(out), nil
	})
}

func simulationShape(s journey.Simulation) JourneySimulation {
	out := JourneySimulation{
		ID: s.ID, Journey: s.Journey, Version: s.Version, Status: s.Status, Error: reasonShape(s.Error), From: s.From, To: s.To, Everybody: s.Everybody, People: s.People, Looked: s.Looked,
		Entered: s.Entered, Persons: s.Persons, Messages: s.Messages, Receivers: s.Receivers, Goals: s.Goals, Inside: s.Inside, Control: s.Held, Endless: s.Endless,
		Ended: s.Ended, Refused: s.Refused, Turned: s.Turned, Days: s.Days, Nodes: make([]JourneySimulatedNode, len(s.Nodes)), About: s.About,
	}
	for i, n := range s.Nodes {
		out.Nodes[i] = JourneySimulatedNode(n)
	}
	return out
}
