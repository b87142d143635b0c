package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Arrival is an event as it came in, without what it says of a person.
type Arrival struct {
	MessageID  string    `json:"message_id"`
	Type       string    `json:"type"`
	Name       string    `json:"name"`
	Person     string    `json:"person,omitempty" doc:"id of the person it belongs to, after merges"`
	Source     string    `json:"source,omitempty" doc:"id of the source it came with; empty for what the product itself writes"`
	Time       time.Time `json:"time" doc:"when it happened"`
	ReceivedAt time.Time `json:"received_at"`
}

// ArrivedEvent is an arrival whole.
type ArrivedEvent struct {
	Arrival
	Properties  json.RawMessage    `json:"properties"`
	Context     json.RawMessage    `json:"context"`
	Encrypted   []string           `json:"encrypted,omitempty" doc:"fields that are left out since they are kept encrypted; see person-reveal"`
	Identifiers []event.Identifier `json:"identifiers" doc:"by which the person was found"`
}

// eventRoutes serve those who connect a source and want to see what becomes of each event. The list holds nothing of a person but the id;
// the event itself counts as a look at the person.
func (a *api) eventRoutes() {
	type filter struct {
		Paging
		Source string `query:"source" maxLength:"60" doc:"id of a source"`
		Type   string `query:"type" maxLength:"20"`
		Name   string `query:"name" maxLength:"200"`
	}
	route(a, http.MethodGet, "/events", "event-list", "Events as they came in, the last one first", staff.PeopleRead, func(ctx context.Context, in *filter) (*body[List[Arrival]], error) {
		ws := workspaceOf(ctx)
		found, err := a.c.Events.Arrivals(ctx, ws, event.ArrivalFilter{Source: in.Source, Type: event.Type(in.Type), Name: in.Name}, in.request())
		if err != nil {
			return nil, err
		}
		ids, err := a.peopleOf(ctx, ws, found.Items)
		if err != nil {
			return nil, err
		}
		return list(found, func(k event.Kept) Arrival { return arrivalShape(k, ids) }), nil
	})

	type named struct {
		ID string `path:"id" maxLength:"400" doc:"message id"`
	}
	route(a, http.MethodGet, "/events/{id}", "event-get", "One event with all that it says", staff.PeopleRead, func(ctx context.Context, in *named) (*body[ArrivedEvent], error) {
		ws := workspaceOf(ctx)
		found, err := a.c.Events.Arrivals(ctx, ws, event.ArrivalFilter{MessageID: in.ID}, page.Request{Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(found.Items) == 0 {
			return nil, errs.NotFound("event", in.ID)
		}
		ids, err := a.peopleOf(ctx, ws, found.Items)
		if err != nil {
			return nil, err
		}
		k := found.Items[0]
		out := ArrivedEvent{Arrival: arrivalShape(k, ids), Identifiers: append([]event.Identifier{}, k.Identifiers...)}
		out.Properties, out.Context, out.Encrypted = shown(k)
		if out.Person != "" {
			err = a.saw(ctx, out.Person)
		}
		return &body[ArrivedEvent]{Body: out}, err
	})
}

func (a *api) peopleOf(ctx context.Context, ws string, events []event.Kept) (map[uint64]string, error) {
	nums := make([]uint64, len(events))
	for i, k := range events {
		nums[i] = k.Person
	}
	return a.c.People.IDs(ctx, ws, nums)
}

func arrivalShape(k event.Kept, people map[uint64]string) Arrival {
	return Arrival{MessageID: k.MessageID, Type: string(k.Type), Name: k.Name, Person: people[k.Person], Source: k.Source, Time: k.Time, ReceivedAt: k.Received}
}
