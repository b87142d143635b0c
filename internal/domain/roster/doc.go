// Package roster does something with everybody who fits a filter, however many they are: files of people and of events, and putting all of them on a list or
// taking them off it.
//
// Owns: the filter as screens and callers write it, the jobs, how a change of a list is taken back. Does not own: the people, the events, the lists, how a job
// is run, watched and cancelled (job).
//
//	filter ─► Resolve ─► pages of people, newest record first ─► a file        (people_export)
//	                                                         └─► a list        (list_change, list_undo)
//	events, the last one first ─────────────────────────────────► a file        (events_export)
//
// Invariants: whoever fits during the whole job is in the file, or on the list, once; a job that breaks off anywhere goes on where it was, with nothing twice in
// its file; list_undo takes back exactly the memberships that the change has made or ended, whatever happened to the list besides.
package roster

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// The jobs.
const (
	PeopleExport = "people_export"
	EventsExport = "events_export"
	ListChange   = "list_change"
	ListUndo     = "list_undo"
)

// People is what of the people this needs.
type People interface {
	Find(ctx context.Context, ws string, f person.Filter, p page.Request) (page.Of[person.Person], error)
	CountFitting(ctx context.Context, ws string, f person.Filter) (int64, error)
	IDs(ctx context.Context, ws string, nums []uint64) (map[uint64]string, error)
}

// Sets is what of segments and lists this needs.
type Sets interface {
	Members(ctx context.Context, ws, set string) (*roaring64.Bitmap, error)
	Audience(ctx context.Context, ws string, rule json.RawMessage) (*roaring64.Bitmap, error)
	GetList(ctx context.Context, ws, id string) (segment.List, error)
	AddToList(ctx context.Context, ws, id string, entries []segment.Entry) ([]segment.Row, error)
	RemoveFromList(ctx context.Context, ws, id string, entries []segment.Entry) ([]segment.Row, error)
}

// Events is what of the event store this needs.
type Events interface {
	Arrivals(ctx context.Context, ws string, f event.ArrivalFilter, p page.Request) (page.Of[event.Kept], error)
	Fields(ctx context.Context, ws, name string, limit int) ([]event.Field, error)
}

// Jobs is what of the jobs this needs.
type Jobs interface {
	Get(ctx context.Context, by staff.Principal, id string) (job.Job, error)
	Cancel(ctx context.Context, by staff.Principal, id string) (job.Job, error)
	// Room fails if the files of the workspace take all they may.
	Room(ctx context.Context, ws string) error
	// Made opens what a job has written with Append, also before it has ended.
	Made(ctx context.Context, ws, id, key string) (io.ReadSeekCloser, int64, error)
	// Ended waits until a job is over, or its context is, and returns it.
	Ended(ctx context.Context, ws, id string) (job.Job, error)
}

// Filter says who is meant; all of it must fit. Its zero value is everybody.
type Filter struct {
	Text       string    `json:"q,omitempty"`
	Status     string    `json:"status,omitempty"`
	Set        string    `json:"set,omitempty"`
	Reachable  string    `json:"reachable,omitempty"`
	SeenAfter  time.Time `json:"seen_after,omitzero"`
	SeenBefore time.Time `json:"seen_before,omitzero"`
}

// Service resolves filters and does the jobs.
type Service struct {
	People People
	Sets   Sets
	Events Events
	Jobs   Jobs
}

// Kinds returns the jobs.
func (s Service) Kinds() []job.Kind {
	return []job.Kind{
		{Name: PeopleExport, Need: staff.Export, Do: s.exportPeople},
		{Name: EventsExport, Need: staff.Export, Do: s.exportEvents},
		{Name: ListChange, Need: staff.SegmentsWrite, Do: s.changeList},
		{Name: ListUndo, Need: staff.SegmentsWrite, Do: s.undoList},
	}
}

// Resolve turns a filter into one of people, as sets and reachability are now. A set that does not exist is not_found.
func (s Service) Resolve(ctx context.Context, ws string, in Filter) (person.Filter, error) {
	f := person.Filter{Text: in.Text, Status: person.Status(in.Status), SeenFrom: in.SeenAfter, SeenTo: in.SeenBefore}
	if in.Set != "" {
		members, err := s.Sets.Members(ctx, ws, in.Set)
		if err != nil {
			return f, err
		}
		f.Among = members
	}
	if in.Reachable != "" {
		rule, err := json.Marshal(map[string]any{"channel": map[string]any{"kind": in.Reachable, "reachable": true}})
		if err != nil {
			return f, err
		}
		reached, err := s.Sets.Audience(ctx, ws, rule)
		if err != nil {
			return f, err
		}
		if f.Among != nil {
			reached = roaring64.And(reached, f.Among)
		}
		f.Among = reached
	}
	return f, nil
}

// Count returns how many people fit.
func (s Service) Count(ctx context.Context, ws string, in Filter) (int64, error) {
	f, err := s.Resolve(ctx, ws, in)
	if err != nil {
		return 0, err
	}
	return s.People.CountFitting(ctx, ws, f)
}
