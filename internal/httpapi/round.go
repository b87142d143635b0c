package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// Round is one person's way through a journey.
type Round struct {
	ID      string                     `json:"id"`
	Person  string                     `json:"person_id"`
	Journey string                     `json:"journey_id"`
	Version int                        `json:"version"`
	Status  string                     `json:"status" enum:"active,done,exited,parked"`
	Node    string                     `json:"node"`
	Entered time.Time                  `json:"entered_at"`
	Ended   *time.Time                 `json:"ended_at,omitempty"`
	Due     *time.Time                 `json:"due_at,omitempty" doc:"when they move on by themselves"`
	Arrived time.Time                  `json:"arrived_at" doc:"at the node"`
	Waits   *JourneyReason             `json:"waits,omitempty" doc:"what the person waits for at the node"`
	Control bool                       `json:"control,omitempty" doc:"kept out to compare: watched for the goal, not led"`
	Key     string                     `json:"key,omitempty" doc:"tells rounds that run side by side apart, such as a cart"`
	Tries   int                        `json:"attempts,omitempty" doc:"failed tries of the present step"`
	Trigger RoundTrigger               `json:"trigger" doc:"what brought the person in, with its data"`
	Answers map[string]json.RawMessage `json:"answers,omitempty" doc:"what was answered to nodes, by node"`
	GoalAt  *time.Time                 `json:"goal_at,omitempty"`
	Why     string                     `json:"why,omitempty" doc:"how it ended"`
	Reason  *JourneyReason             `json:"reason,omitempty" doc:"the same with what it rests on"`
	Error   *JourneyReason             `json:"error,omitempty" doc:"why the last try failed"`
	Steps   []Step                     `json:"steps,omitempty"`
	Errands []Errand                   `json:"errands,omitempty" doc:"calls of webhooks and changes of lists, in the order of asking"`
}

// JourneyReason says why, as a code that the reader's words are found by and what those words rest on.
type JourneyReason struct {
	Code string         `json:"code" doc:"stable; 'said': a sentence of before there were codes, in data.text; a code with a dot is that of an error, data.text says it in English"`
	Data map[string]any `json:"data,omitempty" doc:"names, lengths of time {n, unit}, moments, figures"`
}

func reasonShape(r node.Reason) *JourneyReason {
	if r.IsZero() {
		return nil
	}
	return &JourneyReason{Code: r.Code, Data: r.Data}
}

// Errand is something that a node asked for outside of the journey, and what came of it.
type Errand struct {
	Node    string     `json:"node"`
	Kind    string     `json:"kind" enum:"webhook,add_to_list,remove_from_list"`
	Status  string     `json:"status" enum:"waiting,finished,failed,expired,dropped" doc:"failed: refused for good; expired: not possible in time; dropped: the person had left"`
	Tries   int        `json:"tries"`
	List    string     `json:"list_id,omitempty"`
	Method  string     `json:"method,omitempty"`
	URL     string     `json:"url,omitempty"`
	Body    string     `json:"body,omitempty" doc:"sent"`
	Code    int        `json:"answer_status,omitempty" doc:"HTTP status of the last answer"`
	Excerpt string     `json:"answer_excerpt,omitempty" doc:"beginning of the last answer"`
	Error   string     `json:"error,omitempty" doc:"of the last try, for technicians"`
	ErrCode string     `json:"error_code,omitempty" doc:"the same as a code, if there is one"`
	Asked   time.Time  `json:"asked_at"`
	Next    *time.Time `json:"next_try_at,omitempty"`
	Ended   *time.Time `json:"ended_at,omitempty"`
}

func errandShape(e journey.Errand) Errand {
	out := Errand{Node: e.Node, Status: string(e.Status), Tries: e.Tries, Excerpt: e.Excerpt, Asked: e.CreatedAt, Ended: moment(e.EndedAt)}
	switch {
	case e.Want.Call != nil:
		out.Kind, out.Method, out.URL, out.Body = "webhook", e.Want.Call.Method, e.Want.Call.URL, e.Want.Call.Body
	case e.Want.List != nil && e.Want.List.Remove:
		out.Kind, out.List = "remove_from_list", e.Want.List.List
	case e.Want.List != nil:
		out.Kind, out.List = "add_to_list", e.Want.List.List
	}
	if e.Answer != nil {
		out.Code, out.Error, out.ErrCode = e.Answer.Status, e.Answer.Error, e.Answer.Code
	}
	if e.Status == journey.Waiting {
		out.Next = moment(e.Due)
	}
	return out
}

// Step is one node passed, with the reason.
type Step struct {
	Node      string         `json:"node"`
	Kind      string         `json:"kind"`
	Arrived   time.Time      `json:"arrived_at"`
	Left      *time.Time     `json:"left_at,omitempty"`
	Output    string         `json:"output,omitempty"`
	Reason    *JourneyReason `json:"reason,omitempty"`
	MessageID string         `json:"message_id,omitempty"`
	Refused   string         `json:"refused,omitempty" doc:"why the gate refused the message"`
}

func roundShape(i journey.Instance) Round {
	due := i.Due
	if !i.Memory.Until.IsZero() && i.Attempts == 0 {
		due = i.Memory.Until // looked at before that only to see whether an exit rule holds
	}
	return Round{
		Arrived: i.Arrived, Waits: reasonShape(i.Memory.Waits), Control: i.Control, Key: i.Key, Tries: i.Attempts, Answers: i.Memory.Answers,
		Trigger: RoundTrigger{Name: i.Memory.Trigger.Name, Time: i.Memory.Trigger.Time, MessageID: i.EntryKey, Properties: i.Memory.Trigger.Properties},
		ID:      i.ID, Person: i.Person, Journey: i.Journey, Version: i.Version, Status: string(i.Status), Node: i.Node, Entered: i.Entered, Ended: moment(i.Ended),
		Due: moment(due), GoalAt: moment(i.GoalAt), Why: i.Why, Reason: reasonShape(i.Reason), Error: reasonShape(i.Error),
	}
}

func (a *api) roundRoutes() {
	s := a.c.Journeys
	route(a, http.MethodGet, "/people/{id}/journeys", "person-journeys", "A person's ways through journeys, newest first", staff.PeopleRead, func(ctx context.Context, in *PageAt) (*body[List[Round]], error) {
		p, err := a.c.People.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		found, err := s.OfPerson(ctx, p.Workspace, p.ID, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, roundShape), a.saw(ctx, p.ID)
	})
	route(a, http.MethodGet, "/journey-rounds/{id}", "journey-round-get", "One person's way through a journey, every step with its reason", staff.PeopleRead, func(ctx context.Context, in *IDPath) (*body[Round], error) {
		i, steps, err := s.Path(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		r := roundShape(i)
		r.Steps = stepShapes(steps)
		asked, err := s.ErrandsOf(ctx, i.Workspace, i.ID)
		if err != nil {
			return nil, err
		}
		for _, e := range asked {
			r.Errands = append(r.Errands, errandShape(e))
		}
		return answer(r), a.saw(ctx, i.Person)
	})

	route(a, http.MethodPost, "/journey-rounds/{id}/retry", "journey-round-retry", "Send a person on who is parked with an error", staff.JourneysPublish, func(ctx context.Context, in *IDPath) (*nothing, error) {
		return nil, a.change(ctx, "retry", "journey_round", in.ID, func(ctx context.Context) error { return s.Retry(ctx, workspaceOf(ctx), in.ID) })
	}, noContent)
	route(a, http.MethodPost, "/journey-rounds/{id}/remove", "journey-round-remove", "Take a person out of a journey", staff.JourneysPublish, func(ctx context.Context, in *IDPath) (*nothing, error) {
		return nil, a.change(ctx, "remove", "journey_round", in.ID, func(ctx context.Context) error { return s.Remove(ctx, workspaceOf(ctx), in.ID) })
	}, noContent)
}

func stepShapes(steps []journey.Step) []Step {
	out := make([]Step, 0, len(steps))
	for _, st := range steps {
		out = append(out, Step{Node: st.Node, Kind: st.Kind, Arrived: st.Arrived, Left: moment(st.Left), Output: st.Output, Reason: reasonShape(st.Reason), MessageID: st.MessageID, Refused: st.Refused})
	}
	return out
}
