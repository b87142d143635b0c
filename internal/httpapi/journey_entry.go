package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// JourneyAddition asks to let one person in.
type JourneyAddition struct {
	Person     string            `json:"person_id,omitempty" doc:"either this or identifier"`
	Identifier *event.Identifier `json:"identifier,omitempty"`
	Data       map[string]any    `json:"data,omitempty" doc:"what messages and conditions may read as the properties of the trigger"`
	Key        string            `json:"idempotency_key" minLength:"1" maxLength:"200" doc:"the same key again lets nobody in twice and answers what became of the first"`
}

// JourneyAdmission says what became of it.
type JourneyAdmission struct {
	Status string `json:"status" enum:"entered,waiting,refused"`
	Round  string `json:"round_id,omitempty" doc:"if entered"`
	Reason string `json:"reason,omitempty" enum:"once,too_soon,inside,too_old,full,day_full,left_segment,duplicate,hops,status," doc:"why the person waits or was refused; status: the journey is paused or stopped, so that nobody enters until it goes on"`
}

// JourneyGroup is whom staff add: people, or everybody in a segment or list.
type JourneyGroup struct {
	People []string `json:"person_ids,omitempty" maxItems:"1000"`
	Set    string   `json:"set_id,omitempty" doc:"segment or list"`
}

// JourneyTask is work on many people of a journey, done in batches.
type JourneyTask struct {
	ID        string          `json:"id"`
	Journey   string          `json:"journey_id"`
	Kind      string          `json:"kind" enum:"scan,run,add,move" doc:"scan: appointments after publishing; run: the audience of a schedule enters; add: people whom staff add; move: people on older versions"`
	Status    string          `json:"status" enum:"running,done,cancelled"`
	Version   int             `json:"version"`
	Total     int64           `json:"total" doc:"people, as far as known"`
	Done      int64           `json:"done"`
	Data      json.RawMessage `json:"data,omitempty"`
	Error     string          `json:"error,omitempty" doc:"of the last try, if it failed; it is tried again"`
	Due       time.Time       `json:"due_at" doc:"when it goes on"`
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
}

func journeyTaskShape(t journey.Task) JourneyTask {
	return JourneyTask{
		ID: t.ID, Journey: t.Journey, Kind: t.Kind, Status: t.Status, Version: t.Version, Total: t.Total, Done: t.Done, Data: t.Data, Error: t.Error, Due: t.Due,
		CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
	}
}

// JourneyEntry is somebody who is to enter.
type JourneyEntry struct {
	Person   string      `json:"person_id"`
	Who      PersonBrief `json:"person"`
	Kind     string      `json:"kind" enum:"event,date,inactive,schedule,api,manual"`
	Due      time.Time   `json:"due_at" doc:"when they enter; in the past if they wait for a place"`
	Attempts int         `json:"attempts,omitempty" doc:"failed tries to let them in"`
	Error    string      `json:"error,omitempty"`
}

// JourneyRefusal is somebody who was not let in.
type JourneyRefusal struct {
	Person string      `json:"person_id"`
	Who    PersonBrief `json:"person"`
	Kind   string      `json:"kind" enum:"event,date,inactive,schedule,api,manual"`
	Reason string      `json:"reason" enum:"once,too_soon,inside,too_old,full,day_full,left_segment,duplicate,hops,status"`
	At     time.Time   `json:"at"`
}

func (a *api) journeyEntryRoutes() {
	s := a.c.Journeys
	route(a, http.MethodPost, "/journeys/{id}/entries", "journey-entry-create", "Let one person into a journey whose trigger is the API, with data of its own", staff.JourneysWrite, func(ctx context.Context, in *inAt[JourneyAddition]) (*body[JourneyAdmission], error) {
		who, err := a.named(ctx, in.Body.Person, in.Body.Identifier)
		if err != nil {
			return nil, err
		}
		var data json.RawMessage
		if in.Body.Data != nil {
			if data, err = json.Marshal(in.Body.Data); err != nil {
				return nil, errs.Invalid("journey.entry.data", "data", "the data is no JSON object: %v", err)
			}
		}
		var out journey.Outcome
		err = a.change(ctx, "enter", "journey", in.ID, func(ctx context.Context) (err error) {
			out, err = s.Add(ctx, workspaceOf(ctx), in.ID, journey.Addition{Person: who, Key: in.Body.Key, Data: data})
			return err
		})
		if err != nil {
			return nil, err
		}
		shape := JourneyAdmission{Status: "refused", Round: out.Instance, Reason: out.Reason}
		switch {
		case out.Instance != "":
			shape.Status = "entered"
		case out.Waiting:
			shape.Status = "waiting"
		}
		return answer(shape), nil
	})
	// group finds whom staff named, each once.
	group := func(ctx context.Context, in JourneyGroup) (journey.Group, error) {
		g := journey.Group{Set: in.Set}
		found, err := a.c.People.ByIDs(ctx, workspaceOf(ctx), in.People)
		if err != nil {
			return g, err
		}
		seen := map[string]bool{}
		for i, p := range in.People {
			f, ok := found[p]
			if !ok {
				return g, namedBy(errs.NotFound("person", p), fmt.Sprintf("person_ids[%d]", i))
			}
			if !seen[f.ID] {
				g.People = append(g.People, f.ID)
			}
			seen[f.ID] = true
		}
		return g, nil
	}
	type size struct {
		Count int64 `json:"count" doc:"people; send it as confirmed_count when adding them"`
	}
	route(a, http.MethodPost, "/journeys/{id}/additions/preview", "journey-addition-preview", "Count the people that would be added", staff.JourneysPublish, func(ctx context.Context, in *inAt[JourneyGroup]) (*body[size], error) {
		if _, err := s.Get(ctx, workspaceOf(ctx), in.ID); err != nil {
			return nil, err
		}
		g, err := group(ctx, in.Body)
		if err != nil {
			return nil, err
		}
		n, err := s.CountGroup(ctx, workspaceOf(ctx), g)
		return answer(size{n}), namedBy(err, "set_id")
	})
	type addition struct {
		JourneyGroup
		Confirmed int64  `json:"confirmed_count" minimum:"1" doc:"how many people the caller agreed to add; more are refused"`
		Key       string `json:"idempotency_key,omitempty" maxLength:"200"`
	}
	route(a, http.MethodPost, "/journeys/{id}/additions", "journey-addition-create", "Add people to a live journey by hand; the re-entry rule and the caps hold for them too", staff.JourneysPublish, func(ctx context.Context, in *inAt[addition]) (*body[JourneyTask], error) {
		if _, err := s.Get(ctx, workspaceOf(ctx), in.ID); err != nil {
			return nil, err
		}
		g, err := group(ctx, in.Body.JourneyGroup)
		if err != nil {
			return nil, err
		}
		g.Key = in.Body.Key
		var t journey.Task
		err = a.change(ctx, "add_people", "journey", in.ID, func(ctx context.Context) (err error) {
			t, err = s.AddGroup(ctx, workspaceOf(ctx), in.ID, caller(ctx).ID, g, in.Body.Confirmed)
			return namedBy(err, "set_id")
		})
		if err != nil {
			return nil, err
		}
		return answer(journeyTaskShape(t)), nil
	}, created)
	route(a, http.MethodGet, "/journeys/{id}/tasks", "journey-tasks", "What is being done or was done to many people of a journey at once, latest first", staff.JourneysRead, func(ctx context.Context, in *PageAt) (*body[List[JourneyTask]], error) {
		found, err := s.Tasks(ctx, workspaceOf(ctx), in.ID, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, journeyTaskShape), nil
	})
	route(a, http.MethodPost, "/journey-tasks/{id}/cancel", "journey-task-cancel", "End a task where it is; what it did stays", staff.JourneysPublish, func(ctx context.Context, in *IDPath) (*body[JourneyTask], error) {
		var t journey.Task
		err := a.change(ctx, "cancel", "journey_task", in.ID, func(ctx context.Context) (err error) {
			t, err = s.CancelTask(ctx, workspaceOf(ctx), in.ID)
			return err
		})
		return answer(journeyTaskShape(t)), err
	})
	route(a, http.MethodGet, "/journeys/{id}/queue", "journey-queue", "Who is to enter a journey: appointments, and people who wait for a place; soonest first", staff.PeopleRead, func(ctx context.Context, in *PageAt) (*body[List[JourneyEntry]], error) {
		found, err := s.Queue(ctx, workspaceOf(ctx), in.ID, in.request())
		if err != nil {
			return nil, err
		}
		who, err := known(ctx, a, found.Items, func(e journey.Entry) string { return e.Person })
		if err != nil {
			return nil, err
		}
		return list(found, func(e journey.Entry) JourneyEntry {
			return JourneyEntry{Person: e.Person, Who: who(e.Person), Kind: e.Kind, Due: e.Due, Attempts: e.Attempts, Error: e.Error}
		}), nil
	})
	type refused struct {
		PageAt
		Reason string `query:"reason" maxLength:"40" doc:"only those refused for it"`
	}
	route(a, http.MethodGet, "/journeys/{id}/refusals", "journey-refusals", "Who was not let into a journey and why, latest first", staff.PeopleRead, func(ctx context.Context, in *refused) (*body[List[JourneyRefusal]], error) {
		found, err := s.Refusals(ctx, workspaceOf(ctx), in.ID, in.Reason, in.request())
		if err != nil {
			return nil, err
		}
		who, err := known(ctx, a, found.Items, func(r journey.Refusal) string { return r.Person })
		if err != nil {
			return nil, err
		}
		return list(found, func(r journey.Refusal) JourneyRefusal {
			return JourneyRefusal{Person: r.Person, Who: who(r.Person), Kind: r.Kind, Reason: r.Reason, At: r.At}
		}), nil
	})
}

// known tells who the people are whom rows of a page name by id; of somebody who is gone only the id.
func known[T any](ctx context.Context, a *api, rows []T, id func(T) string) (func(string) PersonBrief, error) {
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = id(r)
	}
	people, err := a.c.People.ByIDs(ctx, workspaceOf(ctx), ids)
	return func(id string) PersonBrief {
		p := people[id]
		return PersonBrief{ID: id, Name: p.Name(), Email: p.Email()}
	}, err
}

// named returns the id of the person whom a caller names by id or by identifier.
func (a *api) named(ctx context.Context, id string, by *event.Identifier) (string, error) {
	if (id == "") == (by == nil) {
		return "", errs.Invalid("person.named", "person_id", "name the person by person_id or by identifier")
	}
	if by != nil {
		p, err := a.c.People.ByIdentifier(ctx, workspaceOf(ctx), *by)
		return p.ID, namedBy(err, "identifier")
	}
	p, err := a.c.People.Get(ctx, workspaceOf(ctx), id)
	return p.ID, namedBy(err, "person_id")
}

// namedBy says which field of the body named what does not exist: without it the address of the request could be meant.
func namedBy(err error, field string) error {
	if e, ok := errors.AsType[*errs.Error](err); ok && e.Kind == errs.KindNotFound && e.Field == "" {
		c := *e
		c.Field = field
		return &c
	}
	return err
}
