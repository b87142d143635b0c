// Package replay works out anew what follows from the events of a time range.
//
// Owns: the job, whom it is about. Does not own: how people are mirrored and who reacts to them (pipeline), events (event).
//
//	from, to ─► everybody with an event in between, some at a time ─► Again: mirror, segments, standing, journeys that wait for a rule
//
// Invariants: no event is handed out a second time, so nothing that an event has caused happens twice: no mail, no webhook, no step of a journey. What is put right is told as
// ever: who turns out to belong into a segment enters it now. One part alone can be asked for; the mirror is with each. A job that was killed goes on behind the last people it has done.
package replay

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Job is the kind of job.
const Job = "replay"

// some is how many people are worked out at once; new events wait meanwhile.
const some = 200

// Events is what replay asks of the event store.
type Events interface {
	Query(ctx context.Context, sql string, args []any) ([][]any, error)
}

// Service begins replays and does them.
type Service struct {
	Events Events
	// IDs returns ids of people by their numbers; whoever is gone is left out.
	IDs func(ctx context.Context, ws string, nums []uint64) (map[uint64]string, error)
	// Again brings people's mirrored rows up to date and has everything look at them that follows from people.
	Again func(ctx context.Context, people []person.Ref, part Part) error
}

// Part is what is worked out anew; empty for everything.
type Part string

// The parts there are. The mirror is brought up to date with each of them, since they ask it.
const (
	Mirror   Part = "mirror"   // people as segments are asked of them
	Segments Part = "segments" // membership
	Standing Part = "standing" // stages, scores
	Journeys Part = "journeys" // people in journeys who wait for a rule
)

// Parts are all of them.
var Parts = []Part{Mirror, Segments, Standing, Journeys}

// Range is from when, inclusive, to when, exclusive, something happened, and what of it is worked out anew.
type Range struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Part Part      `json:"part,omitempty"`
}

// Validate reports what is wrong with the range.
func (r Range) Validate() error {
	if !r.From.Before(r.To) {
		return errs.Invalid("replay.range", "to", "the end must be after the beginning; exchange them")
	}
	if r.Part != "" && !slices.Contains(Parts, r.Part) {
		return errs.Invalid("replay.part", "part", "%q is no part; there are %v, and without one all is worked out", r.Part, Parts)
	}
	return nil
}

// Wanted returns the job to be begun.
func (s *Service) Wanted(r Range) (job.Wanted, error) {
	if err := r.Validate(); err != nil {
		return job.Wanted{}, err
	}
	title := r.From.UTC().Format(time.RFC3339) + " – " + r.To.UTC().Format(time.RFC3339)
	if r.Part != "" {
		title += " (" + string(r.Part) + ")"
	}
	return job.Wanted{Kind: Job, Title: title, Params: r}, nil
}

const inRange = ` FROM event WHERE ws = ? AND time >= ? AND time < ? AND person > ?`

func args(ws string, r Range, after uint64) []any {
	return []any{ws, r.From.UnixMicro(), r.To.UnixMicro(), after}
}

// Size counts the people and events of a range.
func (s *Service) Size(ctx context.Context, ws string, r Range) (people, events int64, err error) {
	if err := r.Validate(); err != nil {
		return 0, 0, err
	}
	rows, err := s.Events.Query(ctx, `SELECT COUNT(DISTINCT person), COUNT(*)`+inRange, args(ws, r, 0))
	if err != nil {
		return 0, 0, fmt.Errorf("people of a time: %w", err)
	}
	return rows[0][0].(int64), rows[0][1].(int64), nil
}

// Kind is the job.
func (s *Service) Kind() job.Kind { return job.Kind{Name: Job, Need: staff.SettingsWrite, Do: s.do} }

// way is the mark: the last number that is done, and how many people that were.
type way struct {
	After uint64 `json:"after"`
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
}

func (s *Service) do(ctx context.Context, r *job.Run) (job.Outcome, error) {
	ws := r.Job().Workspace
	var span Range
	if err := r.Params(&span); err != nil {
		return job.Outcome{}, err
	}
	var at way
	begun, err := r.Mark(&at)
	if err != nil {
		return job.Outcome{}, err
	}
	if !begun {
		if at.Total, _, err = s.Size(ctx, ws, span); err != nil {
			return job.Outcome{}, err
		}
	}
	for {
		rows, err := s.Events.Query(ctx, `SELECT DISTINCT person`+inRange+fmt.Sprintf(` ORDER BY 1 LIMIT %d`, some), args(ws, span, at.After))
		if err != nil {
			return job.Outcome{}, fmt.Errorf("people of a time: %w", err)
		}
		nums := make([]uint64, len(rows))
		for i, row := range rows {
			nums[i] = row[0].(uint64)
		}
		if err := s.some(ctx, ws, nums, span.Part); err != nil {
			return job.Outcome{}, err
		}
		at.Done += int64(len(nums))
		if len(nums) > 0 {
			at.After = nums[len(nums)-1]
		}
		p := job.Progress{Done: at.Done, Total: max(at.Total, at.Done), Figures: map[string]int64{"people": at.Done}}
		if err := r.Save(ctx, at, p); err != nil {
			return job.Outcome{}, err
		}
		if len(nums) < some {
			return job.Outcome{Figures: p.Figures}, nil
		}
	}
}

func (s *Service) some(ctx context.Context, ws string, nums []uint64, part Part) error {
	if len(nums) == 0 {
		return nil
	}
	ids, err := s.IDs(ctx, ws, nums)
	if err != nil {
		return err
	}
	people := make([]person.Ref, 0, len(nums))
	for _, n := range nums {
		if id := ids[n]; id != "" {
			people = append(people, person.Ref{Workspace: ws, ID: id, Num: n})
		}
	}
	return s.Again(ctx, people, part)
}
