package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
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

// Round is one person's way through a journey.
type Round struct {
	ID      string     `json:"id"`
	Person  string     `json:"person_id"`
	Journey string     `json:"journey_id"`
	Version int        `json:"version"`
	Status  string     `json:"status" enum:"active,done,exited,parked"`
	Node    string     `json:"node"`
	Entered time.Time  `json:"entered_at"`
	Ended   *time.Time `json:"ended_at,omitempty"`
	Due     *time.Time `json:"due_at,omitempty" doc:"when they move on by themselves"`
	GoalAt  *time.Time `json:"goal_at,omitempty"`
	Why     string     `json:"why,omitempty" doc:"how it ended"`
	Reason  string     `json:"reason,omitempty"`
	Error   string     `json:"error,omitempty"`
	Steps   []Step     `json:"steps,omitempty"`
}

// Step is one node passed, with the reason.
type Step struct {
	Node      string     `json:"node"`
	Kind      string     `json:"kind"`
	Arrived   time.Time  `json:"arrived_at"`
	Left      *time.Time `json:"left_at,omitempty"`
	Output    string     `json:"output,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	MessageID string     `json:"message_id,omitempty"`
	Refused   string     `json:"refused,omitempty" doc:"why the gate refused the message"`
}

func roundShape(i journey.Instance) Round {
	return Round{
		ID: i.ID, Person: i.Person, Journey: i.Journey, Version: i.Version, Status: string(i.Status), Node: i.Node, Entered: i.Entered, Ended: moment(i.Ended),
		Due: moment(i.Due), GoalAt: moment(i.GoalAt), Why: i.Why, Reason: i.Reason, Error: i.Error,
	}
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
	route(a, http.MethodGet, "/journeys", "journey-list", "Journeys", staff.JourneysRead, func(ctx context.Context, in *Paging) (*body[List[Journey]], error) {
		found, err := s.List(ctx, workspaceOf(ctx), in.request())
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
	type draft struct {
		Name  string `json:"name" maxLength:"200"`
		Draft Graph  `json:"draft"`
	}
	route(a, http.MethodPost, "/journeys", "journey-create", "Make a journey as a draft", staff.JourneysWrite, func(ctx context.Context, in *in[draft]) (*body[Journey], error) {
		g, err := in.Body.Draft.decode()
		if err != nil {
			return nil, err
		}
		j, err := s.Create(ctx, workspaceOf(ctx), "", in.Body.Name, g)
		if err != nil {
			return nil, err
		}
		if err := a.audit(ctx, "create", "journey", j.ID); err != nil {
			return nil, err
		}
		return one(ctx, j, nil)
	}, created)
	route(a, http.MethodGet, "/journeys/{id}", "journey-get", "One journey", staff.JourneysRead, func(ctx context.Context, in *idPath) (*body[Journey], error) {
		j, err := s.Get(ctx, workspaceOf(ctx), in.ID)
		return one(ctx, j, err)
	})
	type edit struct {
		draft
		Revision int64 `json:"revision"`
	}
	route(a, http.MethodPut, "/journeys/{id}", "journey-update", "Change the draft; people inside are not affected until it is published", staff.JourneysWrite, func(ctx context.Context, in *inAt[edit]) (*body[Journey], error) {
		g, err := in.Body.Draft.decode()
		if err != nil {
			return nil, err
		}
		j, err := s.Edit(ctx, workspaceOf(ctx), in.ID, in.Body.Revision, in.Body.Name, g)
		if err != nil {
			return nil, err
		}
		if err := a.audit(ctx, "update", "journey", j.ID); err != nil {
			return nil, err
		}
		return one(ctx, j, nil)
	})
	act := func(verb, summary string, do func(ctx context.Context, ws, id string) (journey.Journey, error)) {
		route(a, http.MethodPost, "/journeys/{id}/"+verb, "journey-"+verb, summary, staff.JourneysPublish, func(ctx context.Context, in *idPath) (*body[Journey], error) {
			j, err := do(ctx, workspaceOf(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			if err := a.audit(ctx, verb, "journey", j.ID); err != nil {
				return nil, err
			}
			return one(ctx, j, nil)
		})
	}
	act("publish", "Check the draft and let new people enter it; those inside finish on their version", s.Publish)
	act("pause", "Nobody enters or moves", s.Pause)
	act("resume", "Go on", s.Resume)
	act("archive", "Put a journey that nobody is in out of sight", s.Archive)
	act("stop", "Nobody enters; those inside finish", func(ctx context.Context, ws, id string) (journey.Journey, error) { return s.End(ctx, ws, id, false) })
	act("exit-all", "Nobody enters; everybody inside is taken out", func(ctx context.Context, ws, id string) (journey.Journey, error) { return s.End(ctx, ws, id, true) })

	type retried struct {
		Count int `json:"count"`
	}
	route(a, http.MethodPost, "/journeys/{id}/retry", "journey-retry", "Send everybody on who is parked with an error", staff.JourneysPublish, func(ctx context.Context, in *idPath) (*body[retried], error) {
		n, err := s.RetryAll(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return answer(retried{n}), a.audit(ctx, "retry", "journey", in.ID)
	})

	type ready struct {
		Locale string `json:"locale" enum:"en,zh-Hans,ja" doc:"language of names and mails"`
	}
	route(a, http.MethodPost, "/journeys/ready", "journey-install-ready", "Install the ready-made journeys as drafts, with segment, topic and mails; what is there stays", staff.JourneysWrite, func(ctx context.Context, in *in[ready]) (*body[List[Journey]], error) {
		made, err := s.Install(ctx, workspaceOf(ctx), in.Body.Locale, a.c.ReadyKit)
		if err != nil {
			return nil, err
		}
		out := List[Journey]{Items: []Journey{}}
		for _, key := range []string{journey.AbandonedCart, journey.WinBack} {
			shape, err := a.journeyShape(ctx, made[key])
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, shape)
		}
		return answer(out), a.audit(ctx, "install_ready", "journey", "")
	})

	route(a, http.MethodGet, "/people/{id}/journeys", "person-journeys", "A person's ways through journeys, newest first", staff.PeopleRead, func(ctx context.Context, in *pageAt) (*body[List[Round]], error) {
		p, err := a.c.People.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		found, err := s.OfPerson(ctx, p.Workspace, p.ID, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, roundShape), nil
	})
	route(a, http.MethodGet, "/journey-rounds/{id}", "journey-round", "One person's way through a journey, every step with its reason", staff.PeopleRead, func(ctx context.Context, in *idPath) (*body[Round], error) {
		i, steps, err := s.Path(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		r := roundShape(i)
		for _, st := range steps {
			r.Steps = append(r.Steps, Step{Node: st.Node, Kind: st.Kind, Arrived: st.Arrived, Left: moment(st.Left), Output: st.Output, Reason: st.Reason, MessageID: st.MessageID, Refused: st.Refused})
		}
		return answer(r), a.saw(ctx, "person", i.Person)
	})
}
