package eventtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// station is one stage of somebody's way.
type station struct {
	stage int
	at    time.Time
}

// wayOf is a person's way, read off the definition of event.FlowQuery.
func wayOf(events []event.Kept, q event.FlowQuery) (way []station) {
	events = slices.Clone(events)
	slices.SortFunc(events, func(a, b event.Kept) int {
		switch {
		case event.Less(a, b):
			return -1
		case event.Less(b, a):
			return 1
		}
		return 0
	})
	for _, e := range events {
		if e.Time.Before(q.From) || !e.Time.Before(q.To) {
			continue
		}
		stage := slices.IndexFunc(q.Stages, func(all []event.Signal) bool {
			return slices.ContainsFunc(all, func(s event.Signal) bool { return s.Matches(&e.Event) })
		})
		if stage >= 0 && (len(way) == 0 || way[len(way)-1].stage != stage) {
			way = append(way, station{stage, e.Time})
		}
	}
	return way
}

// naiveFlow counts without a database. behind says who is behind each figure, by a text that names it.
func naiveFlow(histories map[uint64][]event.Kept, q event.FlowQuery) (out event.Flow, behind map[string][]uint64) {
	out.Stages, behind = make([]event.FlowStage, len(q.Stages)), map[string][]uint64{}
	links, between, onward := map[[3]int]int64{}, map[[3]int][]time.Duration{}, make([][]time.Duration, len(q.Stages))
	paths := map[string]event.FlowPath{}
	for _, person := range slices.Sorted(keys(histories)) {
		way := wayOf(histories[person], q)
		if len(way) == 0 || q.People != nil && !q.People.Contains(person) {
			continue
		}
		note := func(p event.FlowPick) { behind[fmt.Sprint(p)] = append(behind[fmt.Sprint(p)], person) }
		out.People++
		note(event.FlowPick{Figure: event.FlowAll})
		off := way[0].stage != 0
		first := map[int]int{}
		path := event.FlowPath{More: len(way) > q.Steps}
		for i, s := range way {
			if i > 0 && !slices.Contains(q.Ways[way[i-1].stage], s.stage) {
				off = true
			}
			if _, ok := first[s.stage]; !ok {
				first[s.stage] = i
			}
			if i < q.Steps {
				path.Stages = append(path.Stages, s.stage)
			}
			key := [3]int{i + 1, s.stage, event.End}
			if i+1 < len(way) {
				key[2] = way[i+1].stage
			} else {
				out.Stages[s.stage].Ended++
			}
			if i+1 < q.Steps || i+1 == q.Steps && key[2] == event.End {
				links[key]++
				if key[2] != event.End {
					between[key] = append(between[key], way[i+1].at.Sub(s.at))
				}
				note(event.FlowPick{Figure: event.FlowLinked, Step: i + 1, Stage: s.stage, To: key[2]})
			}
		}
		if off {
			out.OffPlan++
			note(event.FlowPick{Figure: event.FlowOff})
		}
		for stage, i := range first {
			out.Stages[stage].Reached++
			note(event.FlowPick{Figure: event.FlowReached, Stage: stage})
			if j := slices.IndexFunc(way[i:], func(s station) bool { return s.stage == stage+1 }); j >= 0 {
				onward[stage] = append(onward[stage], way[i+j].at.Sub(way[i].at))
				note(event.FlowPick{Figure: event.FlowNext, Stage: stage})
			} else {
				note(event.FlowPick{Figure: event.FlowDropped, Stage: stage})
			}
		}
		path.Off = off
		key := fmt.Sprint(path.Stages, path.More, off)
		path.People = paths[key].People + 1
		paths[key] = path
		note(event.FlowPick{Figure: event.FlowWent, Path: path.Stages, More: path.More})
	}
	for stage, all := range onward {
		out.Stages[stage].Next, out.Stages[stage].Median = int64(len(all)), median(all)
	}
	for key, n := range links {
		out.Links = append(out.Links, event.FlowLink{Step: key[0], From: key[1], To: key[2], People: n, Median: median(between[key])})
	}
	slices.SortFunc(out.Links, func(a, b event.FlowLink) int {
		return cmp.Or(cmp.Compare(a.Step, b.Step), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	for _, p := range paths {
		out.Paths = append(out.Paths, p)
	}
	text := func(p event.FlowPath) string {
		return strings.Join(strings.Fields(strings.Trim(fmt.Sprint(p.Stages), "[]")), ">")
	}
	number := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	slices.SortFunc(out.Paths, func(a, b event.FlowPath) int {
		return cmp.Or(cmp.Compare(b.People, a.People), cmp.Compare(text(a), text(b)), cmp.Compare(number(a.More), number(b.More)), cmp.Compare(number(a.Off), number(b.Off)))
	})
	out.Paths = out.Paths[:min(len(out.Paths), q.Paths)]
	out.Other = out.People
	for _, p := range out.Paths {
		out.Other -= p.People
	}
	return out, behind
}

func keys[V any](m map[uint64]V) func(func(uint64) bool) {
	return func(yield func(uint64) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func median(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	n := len(all)
	return ((all[(n-1)/2] + all[n/2]) / 2).Truncate(time.Microsecond)
}

func sameFlow(t rapid.TB, what string, got, want event.Flow) {
	t.Helper()
	if d := gocmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

func flow(t *testing.T, s Store) {
	names := []string{"A", "B", "C", "D"}
	n := uint64(0)
	round := 0
	rapid.Check(t, func(r *rapid.T) {
		round++
		ws := fmt.Sprintf("ws_%d", round)
		histories := map[uint64][]event.Kept{}
		var all []event.Kept
		for person := uint64(1); person <= uint64(rapid.IntRange(1, 8).Draw(r, "people")); person++ {
			for range rapid.IntRange(0, 9).Draw(r, "events") {
				n++
				// Few minutes, so that many events have the same time and their place in the log decides.
				k := Kept(person, rapid.SampledFrom(names).Draw(r, "name"), rapid.IntRange(0, 12).Draw(r, "minute"), n)
				k.Workspace = ws
				histories[person], all = append(histories[person], k), append(all, k)
			}
		}
		if err := s.Append(t.Context(), event.Batch{Events: all, Through: n}); err != nil {
			r.Fatal(err)
		}
		stages := rapid.IntRange(1, 4).Draw(r, "stages")
		q := event.FlowQuery{
			Ways: make([][]int, stages), From: epoch.Add(time.Duration(rapid.IntRange(0, 4).Draw(r, "from")) * time.Minute), To: epoch.Add(time.Duration(rapid.IntRange(5, 13).Draw(r, "to")) * time.Minute),
			Steps: rapid.IntRange(1, 4).Draw(r, "steps"), Paths: rapid.IntRange(0, 4).Draw(r, "paths"),
		}
		for i := range stages {
			var signals []event.Signal
			for range rapid.IntRange(0, 2).Draw(r, "signals") { // the same name may stand at two stages: the first has it
				signals = append(signals, event.Signal{Name: rapid.SampledFrom(names).Draw(r, "signal")})
			}
			q.Stages = append(q.Stages, signals)
			if i+1 < stages {
				q.Ways[i] = append(q.Ways[i], i+1)
			}
			if rapid.Bool().Draw(r, "back") {
				q.Ways[i] = append(q.Ways[i], 0)
			}
		}
		if rapid.Bool().Draw(r, "narrowed") {
			q.People = roaring64.BitmapOf(1, 3, 4, 1<<40)
		}
		want, behind := naiveFlow(histories, q)
		got, err := s.Flow(t.Context(), ws, q)
		if err != nil {
			r.Fatal(err)
		}
		sameFlow(r, "flow", got, want)
		picks := []event.FlowPick{{Figure: event.FlowAll}, {Figure: event.FlowOff}}
		for stage := range stages {
			picks = append(picks, event.FlowPick{Figure: event.FlowReached, Stage: stage}, event.FlowPick{Figure: event.FlowNext, Stage: stage}, event.FlowPick{Figure: event.FlowDropped, Stage: stage})
		}
		for _, l := range want.Links {
			picks = append(picks, event.FlowPick{Figure: event.FlowLinked, Step: l.Step, Stage: l.From, To: l.To})
		}
		for _, p := range want.Paths {
			picks = append(picks, event.FlowPick{Figure: event.FlowWent, Path: p.Stages, More: p.More})
		}
		pick := rapid.SampledFrom(picks).Draw(r, "pick")
		who, err := s.FlowPeople(t.Context(), ws, q, pick)
		if err != nil {
			r.Fatal(err)
		}
		if d := gocmp.Diff(behind[fmt.Sprint(pick)], who.ToArray(), cmpopts.EquateEmpty()); d != "" {
			r.Fatalf("behind %+v (-want +got):\n%s", pick, d)
		}
	})
}

func flowBounds(t *testing.T, s Store) {
	at := func(person uint64, typ event.Type, name, props string, minute int, seq uint64) event.Kept {
		k := Kept(person, name, minute, seq)
		k.Type, k.Properties = typ, json.RawMessage(props)
		return k
	}
	foreign := at(1, event.Page, "", `{"path":"/tea/1"}`, 1, 9)
	foreign.Workspace = "ws_2"
	appendBatch(t, s, event.Batch{Events: []event.Kept{
		at(1, event.Page, "Tea", `{"path":"/tea/1"}`, 1, 1), at(2, event.Page, "", `{"path":"/teapots"}`, 2, 2), at(2, event.Message, event.MessageClicked, `{"channel":"email","source_id":"cmp_1"}`, 3, 3),
		at(3, event.Message, event.MessageClicked, `{"channel":"email","source_id":"cmp_2"}`, 3, 4), at(2, event.Track, "Order", `{"path":"/tea/9"}`, 5, 5), at(3, event.Track, "Order", `{}`, 60, 6), foreign,
	}, Through: 9})
	q := event.FlowQuery{
		Stages: [][]event.Signal{{{Type: event.Page, Path: "/tea/*"}, {Type: event.Message, Name: event.MessageClicked, Channel: "email", Source: "cmp_1"}}, {{Name: "Order"}}},
		Ways:   [][]int{{1}, nil}, From: epoch, To: epoch.Add(time.Hour), Steps: 3, Paths: 3,
	}
	check := func(what string, want event.Flow) {
		t.Helper()
		got, err := s.Flow(t.Context(), "ws_1", q)
		if err != nil {
			t.Fatal(err)
		}
		sameFlow(t, what, got, want)
	}
	two := event.Flow{
		People: 2, Stages: []event.FlowStage{{Reached: 2, Next: 1, Median: 2 * time.Minute, Ended: 1}, {Reached: 1, Ended: 1}},
		Links: []event.FlowLink{{Step: 1, From: 0, To: event.End, People: 1}, {Step: 1, From: 0, To: 1, People: 1, Median: 2 * time.Minute}, {Step: 2, From: 1, To: event.End, People: 1}},
		Paths: []event.FlowPath{{Stages: []int{0}, People: 1}, {Stages: []int{0, 1}, People: 1}},
	}
	check("an order at the end of the period is outside, a path ends with its star, a message is of its campaign", two)
	q.People = roaring64.BitmapOf(1)
	check("one person", event.Flow{
		People: 1, Stages: []event.FlowStage{{Reached: 1, Ended: 1}, {}},
		Links: []event.FlowLink{{Step: 1, From: 0, To: event.End, People: 1}}, Paths: []event.FlowPath{{Stages: []int{0}, People: 1}},
	})
	q.People = roaring64.New()
	check("nobody", event.Flow{Stages: []event.FlowStage{{}, {}}})
	q.People = nil
	appendBatch(t, s, event.Batch{Redirects: []event.Redirect{{Workspace: "ws_1", Loser: 2, Winner: 1}}, Through: 10})
	check("two who became one went one way", event.Flow{
		People: 1, Stages: []event.FlowStage{{Reached: 1, Next: 1, Median: 4 * time.Minute}, {Reached: 1, Ended: 1}},
		Links: []event.FlowLink{{Step: 1, From: 0, To: 1, People: 1, Median: 4 * time.Minute}, {Step: 2, From: 1, To: event.End, People: 1}},
		Paths: []event.FlowPath{{Stages: []int{0, 1}, People: 1}},
	})
	q.Stages = [][]event.Signal{nil, nil}
	check("stages without signals", event.Flow{Stages: []event.FlowStage{{}, {}}})
	if _, err := s.FlowPeople(t.Context(), "ws_1", q, event.FlowPick{Figure: "nonsense"}); err == nil {
		t.Error("a figure that does not exist was answered")
	}
}
