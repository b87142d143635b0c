package task

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Status says how far a task is.
type Status string

// The statuses.
const (
	Open      Status = "open"
	Done      Status = "done"
	Cancelled Status = "cancelled"
)

// Task is one thing to do.
type Task struct {
	ID        string
	Workspace string
	Key       string // what makes it one task however often it is asked for
	Draft
	Origin    Origin
	Status    Status
	Outcome   string // what came of it, in the words of whoever ended it
	Rev       int64
	CreatedAt time.Time
	UpdatedAt time.Time
	EndedAt   time.Time // zero while open
}

// Draft is what may be said about a task while it is open.
type Draft struct {
	Title    string
	Note     string
	Person   string    // customer it is about; empty: nobody
	Assignee string    // user of staff who is to do it; empty: anybody with Role
	Role     string    // role whose people may take it; empty: anybody
	Due      time.Time // zero: no date
}

// Origin says where a task comes from; empty if made by hand.
type Origin struct {
	Journey string `json:"journey_id,omitempty"`
	Round   string `json:"instance_id,omitempty"`
	Node    string `json:"node,omitempty"`
}

const (
	maxTitle = 200
	maxNote  = 4000
)

func (d Draft) validate() error {
	if t := strings.TrimSpace(d.Title); t == "" || utf8.RuneCountInString(t) > maxTitle {
		return errs.Invalid("task.title", "title", "say in 1 to %d characters what is to be done", maxTitle)
	}
	if utf8.RuneCountInString(d.Note) > maxNote {
		return errs.Invalid("task.note", "note", "the note has more than %d characters; shorten it", maxNote)
	}
	return nil
}
