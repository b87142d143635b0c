package httpapi

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Graph is what a journey does. Publishing checks it and names the node and field of each fault.
type Graph json.RawMessage

// Schema implements huma.SchemaProvider: node kinds check their own configuration.
func (Graph) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "trigger, nodes, exit, goal, re_entry and max_age; GET /journey-nodes describes the node kinds"}
}

// MarshalJSON implements json.Marshaler.
func (g Graph) MarshalJSON() ([]byte, error) { return json.RawMessage(g).MarshalJSON() }

// UnmarshalJSON implements json.Unmarshaler.
func (g *Graph) UnmarshalJSON(b []byte) error { return (*json.RawMessage)(g).UnmarshalJSON(b) }

func (g Graph) decode() (journey.Graph, error) { return journey.ParseGraph(json.RawMessage(g)) }

// Journey is a graph that people walk through.
type Journey struct {
	ID        string    `json:"id"`
	Key       string    `json:"key,omitempty" doc:"of a ready-made journey"`
	Name      string    `json:"name"`
	Status    string    `json:"status" enum:"draft,live,paused,stopped,archived"`
	Draft     Graph     `json:"draft"`
	Published int       `json:"published_version" doc:"version that new people enter, 0 before the first publishing"`
	Revision  int64     `json:"revision" doc:"send it back with an edit"`
	Entered   int64     `json:"entered"`
	Active    int64     `json:"active" doc:"people inside now"`
	Goals     int64     `json:"goals"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

func (a *api) journeyShape(ctx context.Context, j journey.Journey) (Journey, error) {
	draft, err := json.Marshal(j.Draft)
	if err != nil {
		return Journey{}, err
	}
	s, err := a.c.Journeys.Stats(ctx, j.Workspace, j.ID)
	if err != nil {
		return Journey{}, err
	}
	return Journey{
		ID: j.ID, Key: j.Key, Name: j.Name, Status: string(j.Status), Draft: draft, Published: j.Published, Revision: j.Rev,
		Entered: s.Entered, Active: s.Inside, Goals: s.Goals, CreatedAt: j.CreatedAt, UpdatedAt: j.UpdatedAt,
	}, nil
}

// JourneyDraft is what an author writes.
type JourneyDraft struct {
	Name  string `json:"name" maxLength:"200"`
	Draft Graph  `json:"draft"`
}

// JourneyVersion is a published graph; it never changes.
type JourneyVersion struct {
	Version   int       `json:"version"`
	Graph     Graph     `json:"graph"`
	CreatedAt time.Time `json:"created_at"`
}

// JourneyTest is an A/B test of a journey.
type JourneyTest struct {
	Name       string            `json:"name"`
	Node       string            `json:"node"`
	Metric     string            `json:"metric" enum:"goal,clicked"`
	People     int64             `json:"people" doc:"how many must have gone each way before it is decided"`
	Ways       []JourneyTestWay  `json:"ways" doc:"so far; looking at them does not hasten the decision"`
	Detectable float64           `json:"detectable" doc:"the smallest difference in shares that is found four times of five"`
	Decision   *JourneyTestEnded `json:"decision,omitempty"`
}

// JourneyTestWay is one way of a test.
type JourneyTestWay struct {
	Output string `json:"output"`
	People int64  `json:"people" doc:"who can be judged"`
	Hits   int64  `json:"hits" doc:"of them, those with the metric"`
}

// JourneyTestEnded is how a test ended.
type JourneyTestEnded struct {
	Winner    string           `json:"winner" doc:"output by which everybody leaves now"`
	Ways      []JourneyTestWay `json:"ways" doc:"as they were"`
	Chance    float64          `json:"chance" doc:"probability of such a lead if the two best were equally good"`
	Certain   bool             `json:"certain" doc:"chance is below 5 %; otherwise the leader wins all the same"`
	DecidedAt time.Time        `json:"decided_at"`
}

func testShape(t journey.TrialStats) JourneyTest {
	ways := func(all []journey.Way) []JourneyTestWay {
		out := make([]JourneyTestWay, len(all))
		for i, w := range all {
			out[i] = JourneyTestWay(w)
		}
		return out
	}
	out := JourneyTest{Name: t.Test.Name, Node: t.Node, Metric: t.Test.Metric, People: t.Test.People, Ways: ways(t.Ways), Detectable: t.Detectable}
	if d := t.Decision; d != nil {
		out.Decision = &JourneyTestEnded{Winner: d.Winner, Ways: ways(d.Ways), Chance: d.Chance, Certain: d.Certain, DecidedAt: d.DecidedAt}
	}
	return out
}

// NodeKind is a kind of node.
type NodeKind struct {
	Kind    string          `json:"kind"`
	Title   string          `json:"title"`
	Outputs []string        `json:"outputs" doc:"by which people leave; none if the journey always ends here"`
	Pauses  bool            `json:"pauses" doc:"people rest here"`
	Quick   bool            `json:"quick" doc:"but only until something is done: it does not count as a wait in a loop"`
	Config  json.RawMessage `json:"config_schema" doc:"JSON Schema of the configuration; x-order is the order for forms"`
}

// ReadyJourneys is the library of ready-made journeys.
type ReadyJourneys struct {
	Journeys []ReadyJourney `json:"journeys"`
}

// ReadyJourney is a journey that can be installed as it is.
type ReadyJourney struct {
	Key       string          `json:"key"`
	Name      string          `json:"name"`
	About     string          `json:"about" doc:"what it does"`
	Indicator string          `json:"indicator" doc:"what it is judged by"`
	Goal      string          `json:"goal" doc:"the target in words"`
	Target    float64         `json:"target" doc:"how many of 100 who enter shall reach the goal; a suggestion to begin with"`
	GoalEvent string          `json:"goal_event"`
	GoalDays  float64         `json:"goal_days" doc:"counted from entering"`
	Events    []string        `json:"events" doc:"what the workspace must send for it to work"`
	Traits    []string        `json:"traits" doc:"what must be known of people"`
	Messages  []ReadyTemplate `json:"messages"`
	Journey   string          `json:"journey,omitempty" doc:"id, once installed"`
}

// ReadyTemplate is a message of a ready-made journey.
type ReadyTemplate struct {
	Name             string `json:"name"`
	Subject          string `json:"subject"`
	ValueProposition string `json:"value_proposition"`
}

func readyShape(s journey.Scenario) ReadyJourney {
	out := ReadyJourney{
		Key: s.Key, Name: s.Words.Name, About: s.Words.About, Indicator: s.Words.Indicator, Goal: s.Words.Goal, Target: s.Target,
		GoalEvent: s.Indicator.Event, GoalDays: s.Indicator.Window.Duration().Hours() / 24, Events: s.Uses.Events, Traits: s.Uses.Traits,
	}
	if out.Events == nil {
		out.Events = []string{}
	}
	if out.Traits == nil {
		out.Traits = []string{}
	}
	for _, key := range slices.Sorted(maps.Keys(s.Words.Templates)) {
		t := s.Words.Templates[key]
		out.Messages = append(out.Messages, ReadyTemplate{t.Name, t.Subject, t.ValueProposition})
	}
	return out
}

func (a *api) journeyRoutes() {
	s := a.c.Journeys
	one := func(ctx context.Context, j journey.Journey, err error) (*body[Journey], error) {
		if err != nil {
			return nil, err
		}
		shape, err := a.journeyShape(ctx, j)
		return answer(shape), err
	}
	write := func(ctx context.Context, action string, do func(ctx context.Context) (journey.Journey, error)) (*body[Journey], error) {
		j, err := changed(ctx, a, action, "journey", func(j journey.Journey) string { return j.ID }, do)
		return one(ctx, j, err)
	}
	type chosen struct {
		Paging
		Q      string `query:"q" maxLength:"200" doc:"part of the name"`
		Status string `query:"status" enum:"draft,live,paused,stopped,archived" doc:"left out: all but those in the archive"`
	}
	route(a, http.MethodGet, "/journeys", "journey-list", "Journeys", staff.JourneysRead, func(ctx context.Context, in *chosen) (*body[List[Journey]], error) {
		found, err := s.List(ctx, workspaceOf(ctx), journey.Filter{Text: in.Q, Status: journey.Status(in.Status)}, in.request())
		if err != nil {
			return nil, err
		}
		out := List[Journey]{Items: make([]Journey, len(found.Items)), NextCursor: found.Next}
		for i, j := range found.Items {
			if out.Items[i], err = a.journeyShape(ctx, j); err != nil {
				return nil, err
			}
		}
		return answer(out), nil
	})
	route(a, http.MethodPost, "/journeys", "journey-create", "Make a journey as a draft", staff.JourneysWrite, func(ctx context.Context, in *in[JourneyDraft]) (*body[Journey], error) {
		g, err := in.Body.Draft.decode()
		if err != nil {
			return nil, err
		}
		return write(ctx, "create", func(ctx context.Context) (journey.Journey, error) {
			return s.Create(ctx, workspaceOf(ctx), "", in.Body.Name, g)
		})
	}, created)
	route(a, http.MethodGet, "/journeys/{id}", "journey-get", "One journey", staff.JourneysRead, func(ctx context.Context, in *IDPath) (*body[Journey], error) {
		j, err := s.Get(ctx, workspaceOf(ctx), in.ID)
		return one(ctx, j, err)
	})
	type edit struct {
		JourneyDraft
		Revision int64 `json:"revision"`
	}
	route(a, http.MethodPut, "/journeys/{id}", "journey-update", "Change the draft; people inside are not affected until it is published", staff.JourneysWrite, func(ctx context.Context, in *inAt[edit]) (*body[Journey], error) {
		g, err := in.Body.Draft.decode()
		if err != nil {
			return nil, err
		}
		return write(ctx, "update", func(ctx context.Context) (journey.Journey, error) {
			return s.Edit(ctx, workspaceOf(ctx), in.ID, in.Body.Revision, in.Body.Name, g)
		})
	})
	act := func(verb, summary string, do func(ctx context.Context, ws, id string) (journey.Journey, error)) {
		route(a, http.MethodPost, "/journeys/{id}/"+verb, "journey-"+verb, summary, staff.JourneysPublish, func(ctx context.Context, in *IDPath) (*body[Journey], error) {
			return write(ctx, verb, func(ctx context.Context) (journey.Journey, error) { return do(ctx, workspaceOf(ctx), in.ID) })
		})
	}
	act("publish", "Check the draft and let new people enter it; those inside finish on their version", s.Publish)
	act("pause", "Nobody enters or moves", s.Pause)
	act("resume", "Go on", s.Resume)
	act("archive", "Put a journey that nobody is in out of sight", s.Archive)
	act("restore", "Take a journey from the archive: a draft, or stopped", s.Restore)
	act("stop", "Nobody enters; those inside finish", func(ctx context.Context, ws, id string) (journey.Journey, error) { return s.End(ctx, ws, id, false) })
	act("exit-all", "Nobody enters; everybody inside is taken out", func(ctx context.Context, ws, id string) (journey.Journey, error) { return s.End(ctx, ws, id, true) })

	type retried struct {
		Count int `json:"count"`
	}
	route(a, http.MethodPost, "/journeys/{id}/retry", "journey-retry", "Send everybody on who is parked with an error", staff.JourneysPublish, func(ctx context.Context, in *IDPath) (*body[retried], error) {
		if _, err := s.Get(ctx, workspaceOf(ctx), in.ID); err != nil {
			return nil, err
		}
		n, err := s.RetryAll(ctx, workspaceOf(ctx), in.ID) // in batches, each a transaction
		if err != nil {
			return nil, err
		}
		return answer(retried{n}), a.audit(ctx, "retry", "journey", in.ID)
	})

	type readyList struct {
		Locale string `query:"locale" enum:"en,zh-Hans,ja" default:"en"`
	}
	route(a, http.MethodGet, "/journeys/ready", "journey-ready", "Ready-made journeys, with what each is judged by and whether it is installed", staff.JourneysRead, func(ctx context.Context, in *readyList) (*body[ReadyJourneys], error) {
		all, err := journey.Scenarios(in.Locale)
		if err != nil {
			return nil, err
		}
		out := ReadyJourneys{Journeys: make([]ReadyJourney, 0, len(all))}
		for _, sc := range all {
			shape := readyShape(sc)
			switch j, err := s.ByKey(ctx, workspaceOf(ctx), sc.Key); {
			case err == nil:
				if j.Status != journey.Archived { // one that was put away can be had again
					shape.Journey = j.ID
				}
			case !errs.Is(err, errs.KindNotFound):
				return nil, err
			}
			out.Journeys = append(out.Journeys, shape)
		}
		return answer(out), nil
	})
	type ready struct {
		Locale string   `json:"locale" enum:"en,zh-Hans,ja" doc:"language of names and mails"`
		Keys   []string `json:"keys,omitempty" doc:"which; all if left out"`
	}
	route(a, http.MethodPost, "/journeys/ready", "journey-install-ready", "Install ready-made journeys as drafts, with segments, topics and mails; what is there stays", staff.JourneysWrite, func(ctx context.Context, in *in[ready]) (*body[List[Journey]], error) {
		made, err := s.Install(ctx, workspaceOf(ctx), in.Body.Locale, a.c.ReadyKit, in.Body.Keys...)
		if err != nil {
			return nil, err
		}
		out := List[Journey]{Items: []Journey{}}
		for _, j := range made {
			shape, err := a.journeyShape(ctx, j)
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, shape)
		}
		return answer(out), a.audit(ctx, "install_ready", "journey", "")
	})
	route(a, http.MethodPost, "/journeys/{id}/check", "journey-check", "Say whether the draft could be published, and if not every reason", staff.JourneysRead, func(ctx context.Context, in *IDPath) (*nothing, error) {
		return nil, s.Check(ctx, workspaceOf(ctx), in.ID)
	}, noContent)
	route(a, http.MethodGet, "/journeys/{id}/versions", "journey-versions", "What was published, latest first", staff.JourneysRead, func(ctx context.Context, in *IDPath) (*body[List[JourneyVersion]], error) {
		all, err := s.Versions(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		out := List[JourneyVersion]{Items: make([]JourneyVersion, len(all))}
		for i, v := range all {
			graph, err := json.Marshal(v.Graph)
			if err != nil {
				return nil, err
			}
			out.Items[i] = JourneyVersion{Version: v.Number, Graph: graph, CreatedAt: v.CreatedAt}
		}
		return answer(out), nil
	})
	route(a, http.MethodGet, "/journeys/{id}/tests", "journey-tests", "The A/B tests of the published version: how each way does, and the decision", staff.JourneysRead, func(ctx context.Context, in *IDPath) (*body[List[JourneyTest]], error) {
		all, err := s.Trials(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		out := List[JourneyTest]{Items: make([]JourneyTest, len(all))}
		for i, t := range all {
			out.Items[i] = testShape(t)
		}
		return answer(out), nil
	})
	route(a, http.MethodGet, "/journey-nodes", "journey-node-list", "The kinds of nodes that journeys are made of", staff.JourneysRead, func(context.Context, *nothing) (*body[List[NodeKind]], error) {
		out := List[NodeKind]{}
		for _, n := range node.Catalog() {
			schema, _, err := configSchema(n.Config())
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, NodeKind{Kind: n.Kind, Title: n.Title, Outputs: append([]string{}, n.Outputs...), Pauses: n.Pauses, Quick: n.Quick, Config: schema})
		}
		return answer(out), nil
	})
}
