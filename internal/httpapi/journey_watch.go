package httpapi

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// JourneyChange is one difference between two versions.
type JourneyChange struct {
	What  string          `json:"what" enum:"trigger_changed,settings_changed,node_added,node_removed,node_changed,connection_changed"`
	Node  string          `json:"node,omitempty"`
	Title string          `json:"title,omitempty"`
	Kind  string          `json:"kind,omitempty"`
	Field string          `json:"field,omitempty" doc:"within what was changed; the output of a connection"`
	From  json.RawMessage `json:"from,omitempty" doc:"left out if there was none"`
	To    json.RawMessage `json:"to,omitempty" doc:"left out if there is none"`
}

// JourneyMigration says what becomes of people inside older versions.
type JourneyMigration struct {
	From  []int             `json:"from,omitempty" maxItems:"1000" doc:"versions; left out: all but the published one"`
	Fate  string            `json:"fate" enum:"move,exit" doc:"move to the published version or leave; without a migration people finish on their version"`
	Nodes map[string]string `json:"nodes,omitempty" doc:"old node -> new node, empty to leave; needed for each node at which people rest that the published version lacks"`
	Key   string            `json:"idempotency_key,omitempty" maxLength:"200"`
}

// JourneyStats is what the canvas shows: how the whole journey and each node goes, now.
type JourneyStats struct {
	Entered  int64              `json:"entered"`
	Inside   int64              `json:"inside"`
	Goals    int64              `json:"goals"`
	Ended    map[string]int64   `json:"ended" doc:"by why"`
	Revenue  map[string]int64   `json:"revenue" doc:"minor units by currency"`
	Turned   map[string]int64   `json:"turned_away" doc:"people not let in, by reason"`
	Versions []JourneyInhabited `json:"versions" doc:"those with people inside"`
	Control  *JourneyControl    `json:"control,omitempty" doc:"of a journey with a holdout"`
	Trouble  JourneyTrouble     `json:"trouble"`
	Nodes    []JourneyNodeStats `json:"nodes"`
}

// JourneyInhabited is a version with people inside.
type JourneyInhabited struct {
	Version int   `json:"version"`
	Inside  int64 `json:"inside"`
}

// JourneyControl compares people who are led with those who are kept out.
type JourneyControl struct {
	Entered     int64            `json:"entered" doc:"people kept out"`
	Watched     int64            `json:"watched" doc:"of them, those whose window is still open"`
	Goals       int64            `json:"goals"`
	Revenue     map[string]int64 `json:"revenue"`
	LateGoals   int64            `json:"late_goals" doc:"of people who were led and had left before they reached the goal within its window: add them to goals to compare"`
	LateRevenue map[string]int64 `json:"late_revenue"`
}

// JourneyTrouble counts what keeps people from going on.
type JourneyTrouble struct {
	Parked  int64 `json:"parked" doc:"cannot go on until someone mends something; retry sends them on"`
	Trying  int64 `json:"trying" doc:"a step failed and is tried again"`
	Overdue int64 `json:"overdue" doc:"due for more than five minutes and not moved"`
	Entries int64 `json:"entries" doc:"letting them in failed and is tried again"`
	Tasks   int64 `json:"tasks" doc:"whose last try failed"`
	Paused  int64 `json:"paused" doc:"inside paused journeys"`
	Endless int64 `json:"endless" doc:"not let in within the last day because journeys that start each other would have led them on without end"`
}

// JourneyBrief names a journey.
type JourneyBrief struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// JourneyNodeStats is how one node goes.
type JourneyNodeStats struct {
	Node    string           `json:"node"`
	Kind    string           `json:"kind,omitempty"`
	Title   string           `json:"title,omitempty"`
	In      int64            `json:"in"`
	Now     int64            `json:"now"`
	Parked  int64            `json:"parked"`
	Out     map[string]int64 `json:"out" doc:"by output"`
	Ended   map[string]int64 `json:"ended" doc:"by why"`
	Queued  int64            `json:"queued" doc:"messages that the gate let through"`
	Refused map[string]int64 `json:"refused" doc:"messages, by reason"`
}

// StuckRound is one person who does not go on.
type StuckRound struct {
	Cause string      `json:"cause" enum:"parked,trying,overdue"`
	Who   PersonBrief `json:"person"`
	Round
}

func (a *api) journeyWatchRoutes() {
	s := a.c.Journeys
	type span struct {
		IDPath
		From int `query:"from" minimum:"0" doc:"version; 0 is the draft"`
		To   int `query:"to" minimum:"0" doc:"version; 0 is the draft"`
	}
	route(a, http.MethodGet, "/journeys/{id}/diff", "journey-diff", "What is different between two versions of a journey", staff.JourneysRead, func(ctx context.Context, in *span) (*body[List[JourneyChange]], error) {
		found, err := s.Compare(ctx, workspaceOf(ctx), in.ID, in.From, in.To)
		if err != nil {
			return nil, err
		}
		out := List[JourneyChange]{Items: make([]JourneyChange, len(found))}
		for i, c := range found {
			out.Items[i] = JourneyChange(c)
		}
		return answer(out), nil
	})
	route(a, http.MethodGet, "/journeys/{id}/faults", "journey-faults", "What the version that people enter names and can no longer use: archived, deleted or forbidden since it was published", staff.JourneysRead, func(ctx context.Context, in *IDPath) (*body[List[Fault]], error) {
		out := List[Fault]{Items: []Fault{}}
		err := s.Faults(ctx, workspaceOf(ctx), in.ID)
		if err != nil && !errs.Is(err, errs.KindInvalid) {
			return nil, err
		}
		for _, f := range errs.All(err) {
			out.Items = append(out.Items, faultOf(f))
		}
		return answer(out), nil
	})
	route(a, http.MethodGet, "/journeys/{id}/circle", "journey-circle", "Live journeys that the draft would start one after the other, at once, and the last of which would start it again; none: it closes no circle", staff.JourneysRead, func(ctx context.Context, in *IDPath) (*body[List[JourneyBrief]], error) {
		found, err := s.Circle(ctx, workspaceOf(ctx), in.ID)
		out := List[JourneyBrief]{Items: make([]JourneyBrief, len(found))}
		for i, j := range found {
			out.Items[i] = JourneyBrief{j.ID, j.Name}
		}
		return answer(out), err
	})
	route(a, http.MethodPost, "/journeys/{id}/migrations", "journey-migration-create", "Move the people inside older versions to the published one, or take them out", staff.JourneysPublish, func(ctx context.Context, in *inAt[JourneyMigration]) (*body[JourneyTask], error) {
		var t journey.Task
		err := a.change(ctx, "migrate", "journey", in.ID, func(ctx context.Context) (err error) {
			t, err = s.Migrate(ctx, workspaceOf(ctx), in.ID, journey.Migration{From: in.Body.From, Exit: in.Body.Fate == "exit", Nodes: in.Body.Nodes, Key: in.Body.Key})
			return err
		})
		if err != nil {
			return nil, err
		}
		return answer(journeyTaskShape(t)), nil
	}, created)
	route(a, http.MethodGet, "/journeys/{id}/stats", "journey-stats", "How a journey and each of its nodes goes now", staff.JourneysRead, func(ctx context.Context, in *IDPath) (*body[JourneyStats], error) {
		found, err := s.Stats(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		trouble, err := s.Trouble(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return answer(journeyStatsShape(found, trouble)), nil
	})
	type where struct {
		Paging
		Journey string `query:"journey" maxLength:"100" doc:"only this one"`
	}
	route(a, http.MethodGet, "/journey-trouble", "journey-trouble", "What keeps people from going on in journeys; all zero: nobody is stuck", staff.JourneysRead, func(ctx context.Context, in *struct {
		Journey string `query:"journey" maxLength:"100" doc:"only this one"`
	},
	) (*body[JourneyTrouble], error) {
		found, err := s.Trouble(ctx, workspaceOf(ctx), in.Journey)
		return answer(JourneyTrouble(found)), err
	})
	route(a, http.MethodGet, "/journey-trouble/rounds", "journey-trouble-rounds", "People who do not go on, and why", staff.PeopleRead, func(ctx context.Context, in *where) (*body[List[StuckRound]], error) {
		found, err := s.Stuck(ctx, workspaceOf(ctx), in.Journey, in.request())
		if err != nil {
			return nil, err
		}
		who, err := known(ctx, a, found.Items, func(i journey.Stuck) string { return i.Person })
		if err != nil {
			return nil, err
		}
		return list(found, func(i journey.Stuck) StuckRound {
			return StuckRound{Cause: i.Cause, Who: who(i.Person), Round: roundShape(i.Instance)}
		}), nil
	})
}

func journeyStatsShape(s journey.Stats, trouble journey.Trouble) JourneyStats {
	out := JourneyStats{
		Entered: s.Entered, Inside: s.Inside, Goals: s.Goals, Ended: s.Ended, Revenue: s.Revenue, Turned: s.Turned, Trouble: JourneyTrouble(trouble),
		Versions: []JourneyInhabited{}, Nodes: make([]JourneyNodeStats, len(s.Nodes)),
	}
	for _, v := range slices.Sorted(maps.Keys(s.Versions)) {
		out.Versions = append(out.Versions, JourneyInhabited{v, s.Versions[v]})
	}
	if c := s.Control; c.Entered > 0 {
		out.Control = &JourneyControl{Entered: c.Entered, Watched: c.Watched, Goals: c.Goals, Revenue: c.Revenue, LateGoals: s.LateGoals, LateRevenue: s.LateRevenue}
	}
	for i, n := range s.Nodes {
		out.Nodes[i] = JourneyNodeStats(n)
	}
	return out
}

// RoundTrigger is what brought a person in.
type RoundTrigger struct {
	Name       string          `json:"name" doc:"of the event; or date, inactive, schedule, api, manual"`
	Time       time.Time       `json:"time"`
	MessageID  string          `json:"message_id"`
	Properties json.RawMessage `json:"properties,omitempty"`
}
