package node

import (
	"encoding/json"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// An errand is something that cannot be done in the transaction that moves a person: a request to another server, a change of a list. The node
// asks for it once, the person rests at the node, and what came of it is in Input.Answer of a later step.

// Call asks for one HTTP request. It is made at least once, each time with the same Idempotency-Key header.
type Call struct {
	Method  string   `json:"method"`
	URL     string   `json:"url"`
	Headers []Header `json:"headers,omitempty"`
	Body    string   `json:"body,omitempty"`
	Timeout int      `json:"timeout"` // seconds, for one try
}

// Header is one header of a request. The value of a secret is put in when the request is made, so it is stored nowhere else.
type Header struct {
	Name   string `json:"name" doc:"Name of the header"`
	Value  string `json:"value,omitempty" doc:"Value; a template"`
	Secret string `json:"secret,omitempty" doc:"Stored secret whose value is sent instead"`
	Prefix string `json:"prefix,omitempty" doc:"What stands before the secret, such as Bearer and a space"`
}

// ListChange asks for the person to be put into a list or taken out of it.
type ListChange struct {
	List   string `json:"list"`
	Remove bool   `json:"remove,omitempty"`
}

// Answer is what came of an errand.
type Answer struct {
	OK     bool            `json:"ok"`
	Status int             `json:"status,omitempty"` // of the HTTP answer, 0 if there was none
	Body   json.RawMessage `json:"body,omitempty"`   // of the HTTP answer, if it is JSON and not too large
	Error  string          `json:"error,omitempty"`  // why not, in words for technicians
	Code   string          `json:"code,omitempty"`   // the same as a code of package errs, if it has one
	Args   []string        `json:"args,omitempty"`   // what the error names, for words in other languages
	Tries  int             `json:"tries,omitempty"`
}

// asked is the note of a node whose errand is on its way.
var asked = json.RawMessage(`{"asked":true}`)

// listWithin is how long a list may be out of reach before the person is parked.
const listWithin = 24 * time.Hour

// AddToList puts the person into a list.
var AddToList = listSpec("add_to_list", "Add to a list", false)

// RemoveFromList takes the person out of a list.
var RemoveFromList = listSpec("remove_from_list", "Remove from a list", true)

func listSpec(kind, title string, remove bool) Spec {
	return Spec{
		Kind: kind, Title: title, Outputs: []string{"next"}, Pauses: true, Quick: true,
		Config: func() any { return &ListConfig{} },
		New: func(config any) (Node, error) {
			c := config.(*ListConfig)
			if c.List == "" {
				return nil, errs.Invalid("journey."+kind+".list", "list", "choose a list")
			}
			return changeList{c.List, remove}, nil
		},
	}
}

// ListConfig configures AddToList and RemoveFromList.
type ListConfig struct {
	List string `json:"list" doc:"List, not a segment: who is in a segment follows from its rule"`
}

type changeList struct {
	list   string
	remove bool
}

func (n changeList) Needs() Needs      { return Needs{Effects: true, Asks: true, Lists: []string{n.list}} }
func (changeList) Listens() []*Matcher { return nil }

func (n changeList) Step(s State, in Input, now time.Time) Result {
	due := s.Arrived.Add(listWithin)
	switch {
	case len(s.Data) == 0:
		return Result{
			Due: later(due, now), Data: asked, Reason: Because("list_changing"),
			Effects: []Effect{{Errand: &Errand{List: &ListChange{List: n.list, Remove: n.remove}, Until: later(due, now)}}},
		}
	case in.Answer == nil && now.Before(due):
		return Result{Due: due, Data: s.Data, Reason: Because("list_changing")}
	case in.Answer == nil:
		return Result{Failed: Because("list_late")}
	case !in.Answer.OK:
		return Result{Failed: Because("list_failed", "code", in.Answer.Code, "text", in.Answer.Error, "args", Named(in.Answer.Args))}
	case n.remove:
		return Result{Output: "next", Reason: Because("list_left")}
	}
	return Result{Output: "next", Reason: Because("list_joined")}
}

// later is the moment, or one a while after now if it has passed: whoever is sent on after a failure gets another chance.
func later(due, now time.Time) time.Time {
	if due.After(now) {
		return due
	}
	return now.Add(time.Hour)
}

// Errand asks for something outside of the transaction. Exactly one of Call and List is set.
type Errand struct {
	Call  *Call       `json:"call,omitempty"`
	List  *ListChange `json:"list,omitempty"`
	Until time.Time   `json:"until"` // not tried any more after this
}
