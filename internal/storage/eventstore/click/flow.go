package click

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore"
)

// way is a person's stations.
type way struct {
	person uint64
	stages []int
	times  []int64
}

// ways calls do for everybody who came to a stage. The server sorts, and what follows from the order of stations is counted here: in SQL each figure would walk
// all ways again.
func (s *Store) ways(ctx context.Context, ws string, q event.FlowQuery, do func(*way)) error {
	join, joined := among(q.People, "event.person")
	var stages strings.Builder
	var args []any
	for i, all := range q.Stages {
		parts := make([]string, 0, len(all))
		for _, signal := range all {
			var w eventstore.Where
			w.Signal(signal)
			parts, args = append(parts, "("+w.String()+")"), append(args, w.Args...)
		}
		if len(parts) > 0 {
			fmt.Fprintf(&stages, " WHEN %s THEN %d", strings.Join(parts, " OR "), i)
		}
	}
	if stages.Len() == 0 {
		return nil
	}
	args = append(append(args, joined...), ws, q.From.UnixMicro(), q.To.UnixMicro())
	var w way
	var steps []int32
	return s.each(ctx, `SELECT person, arrayMap(x -> tupleElement(x, 4), hits) AS stages, arrayMap(x -> tupleElement(x, 1), hits) AS times FROM
		(SELECT person, arraySort(groupArray((time, seq, idx, stage))) AS hits FROM
			(SELECT person, time, seq, idx, toInt32(CASE`+stages.String()+` ELSE -1 END) AS stage FROM event`+join+` WHERE event.ws = ? AND time >= ? AND time < ?) AS hit
		WHERE stage >= 0 GROUP BY person) AS sorted`, args, func(scan func(...any) error) error {
		if err := scan(&w.person, &steps, &w.times); err != nil {
			return err
		}
		w.stages = w.stages[:0]
		for i, stage := range steps {
			if n := len(w.stages); n == 0 || w.stages[n-1] != int(stage) {
				w.times[n] = w.times[i]
				w.stages = append(w.stages, int(stage))
			}
		}
		do(&w)
		return nil
	})
}

// off see event.Flow.OffPlan.
func (w *way) off(q *event.FlowQuery) bool {
	if w.stages[0] != 0 {
		return true
	}
	for i, to := range w.stages[1:] {
		if !slices.Contains(q.Ways[w.stages[i]], to) {
			return true
		}
	}
	return false
}

// onward is how long after the first time at the stage the next one followed, and whether it did.
func (w *way) onward(stage int) (took int64, ok bool) {
	from := slices.Index(w.stages, stage)
	if from < 0 {
		return 0, false
	}
	to := slices.Index(w.stages[from:], stage+1)
	if to < 0 {
		return 0, false
	}
	return w.times[from+to] - w.times[from], true
}

// link is the station of a step, and the next one.
func (w *way) link(i int) event.FlowLink {
	l := event.FlowLink{Step: i + 1, From: w.stages[i], To: event.End}
	if i+1 < len(w.stages) {
		l.To = w.stages[i+1]
	}
	return l
}

// links are the first steps, as far as they are told apart.
func (w *way) links(steps int) []event.FlowLink {
	var out []event.FlowLink
	for i := range min(len(w.stages), steps) {
		if l := w.link(i); i+1 < steps || l.To == event.End {
			out = append(out, l)
		}
	}
	return out
}

// path is the stations told, as text.
func (w *way) path(steps int) string {
	parts := make([]string, min(len(w.stages), steps))
	for i := range parts {
		parts[i] = strconv.Itoa(w.stages[i])
	}
	return strings.Join(parts, ">")
}

type path struct {
	text      string
	more, off bool
}

// Flow implements event.Store.
func (s *Store) Flow(ctx context.Context, ws string, q event.FlowQuery) (event.Flow, error) {
	out := event.Flow{Stages: make([]event.FlowStage, len(q.Stages))}
	onward := make([][]int64, len(q.Stages))
	between, links, paths := map[event.FlowLink][]int64{}, map[event.FlowLink]int64{}, map[path]int64{}
	err := s.ways(ctx, ws, q, func(w *way) {
		p := path{w.path(q.Steps), len(w.stages) > q.Steps, w.off(&q)}
		paths[p]++
		out.People++
		if p.off {
			out.OffPlan++
		}
		out.Stages[w.stages[len(w.stages)-1]].Ended++
		for stage := range q.Stages {
			if !slices.Contains(w.stages, stage) {
				continue
			}
			out.Stages[stage].Reached++
			if took, ok := w.onward(stage); ok {
				onward[stage] = append(onward[stage], took)
			}
		}
		for _, l := range w.links(q.Steps) {
			links[l]++
			if l.To != event.End {
				between[l] = append(between[l], w.times[l.Step]-w.times[l.Step-1])
			}
		}
	})
	if err != nil {
		return event.Flow{}, fmt.Errorf("flow: %w", err)
	}
	for i, all := range onward {
		out.Stages[i].Next, out.Stages[i].Median = int64(len(all)), median(all)
	}
	for l, n := range links {
		took := median(between[l])
		l.People, l.Median = n, took
		out.Links = append(out.Links, l)
	}
	slices.SortFunc(out.Links, func(a, b event.FlowLink) int {
		return cmp.Or(cmp.Compare(a.Step, b.Step), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	most := slices.SortedFunc(maps.Keys(paths), func(a, b path) int {
		return cmp.Or(cmp.Compare(paths[b], paths[a]), strings.Compare(a.text, b.text), before(a.more, b.more), before(a.off, b.off))
	})
	out.Other = out.People
	for _, p := range most[:min(len(most), max(q.Paths, 0))] {
		told := event.FlowPath{More: p.more, Off: p.off, People: paths[p]}
		for text := range strings.SplitSeq(p.text, ">") {
			stage, err := strconv.Atoi(text)
			if err != nil {
				return event.Flow{}, err
			}
			told.Stages = append(told.Stages, stage)
		}
		out.Paths, out.Other = append(out.Paths, told), out.Other-told.People
	}
	return out, nil
}

// before orders false before true.
func before(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// median of microseconds, between the middle two if there are two.
func median(all []int64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	low, high := all[(len(all)-1)/2], all[len(all)/2]
	return time.Duration(low+(high-low)/2) * time.Microsecond
}

// FlowPeople implements event.Store.
func (s *Store) FlowPeople(ctx context.Context, ws string, q event.FlowQuery, pick event.FlowPick) (*roaring64.Bitmap, error) {
	var is func(*way) bool
	switch pick.Figure {
	case event.FlowAll:
		is = func(*way) bool { return true }
	case event.FlowOff:
		is = func(w *way) bool { return w.off(&q) }
	case event.FlowReached:
		is = func(w *way) bool { return slices.Contains(w.stages, pick.Stage) }
	case event.FlowNext, event.FlowDropped:
		is = func(w *way) bool {
			_, on := w.onward(pick.Stage)
			return slices.Contains(w.stages, pick.Stage) && on == (pick.Figure == event.FlowNext)
		}
	case event.FlowLinked:
		is = func(w *way) bool {
			return pick.Step >= 1 && pick.Step <= len(w.stages) && w.link(pick.Step-1) == event.FlowLink{Step: pick.Step, From: pick.Stage, To: pick.To}
		}
	case event.FlowWent:
		is = func(w *way) bool {
			told := w.stages[:min(len(w.stages), q.Steps)]
			return slices.Equal(told, pick.Path) && pick.More == (len(w.stages) > q.Steps)
		}
	default:
		return nil, fmt.Errorf("event store: flow: unknown figure %q", pick.Figure)
	}
	out := roaring64.New()
	err := s.ways(ctx, ws, q, func(w *way) {
		if is(w) {
			out.Add(w.person)
		}
	})
	return out, err
}
