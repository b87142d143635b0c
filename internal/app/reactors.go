package app

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/hook"
	"github.com/kizuna-cx/kizuna/internal/domain/invoice"
	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/replay"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/domain/standing"
	"github.com/kizuna-cx/kizuna/internal/pipeline"
	"github.com/kizuna-cx/kizuna/internal/realtime"
)

// onEvents is a Reactor that looks at events alone.
func onEvents(name string, f func(ctx context.Context, events []event.Kept) error) pipeline.Reactor {
	return pipeline.Reactor{Name: name, React: func(ctx context.Context, r pipeline.Reaction) error { return f(ctx, r.Events) }}
}

// reactors lists what happens once events are stored, in order: consent first, since everything else asks for it.
func reactors(c *consent.Service, i *invoice.Service, o *outbox.Service, s *segment.Service, j *journey.Service, h *hook.Service, st *standing.Service, live *realtime.Hub) []pipeline.Reactor {
	return []pipeline.Reactor{
		onEvents("consent", c.ApplyEvents),
		onEvents("invoices", i.ApplyEvents),
		onEvents("receipts", o.Receipts),
		onEvents("attribution", o.Attribution),
		touched(s),
		onEvents("journeys", j.React),
		watchers(j),
		onEvents("webhooks", h.Feed),
		judged(st),
		screens(live),
	}
}

// replayed lists who looks at people whose part is worked out anew; nil: all.
func replayed(p replay.Part, s *segment.Service, j *journey.Service, st *standing.Service) []pipeline.Reactor {
	switch p {
	case replay.Mirror:
		return []pipeline.Reactor{} // the mirror is brought up to date in any case
	case replay.Segments:
		return []pipeline.Reactor{touched(s)}
	case replay.Standing:
		return []pipeline.Reactor{judged(st)}
	case replay.Journeys:
		return []pipeline.Reactor{watchers(j)}
	}
	return nil
}

// judged lets stages and scores follow a batch.
func judged(st *standing.Service) pipeline.Reactor {
	return pipeline.Reactor{Name: "standing", React: func(ctx context.Context, r pipeline.Reaction) error {
		if err := st.React(ctx, standing.Batch{Events: r.Events, Touched: r.Touched, Told: r.Told, People: r.People}); err != nil || len(r.Winners) == 0 {
			return err
		}
		// They may have been judged between the merge and this moment, by half of what they did.
		return st.React(ctx, standing.Batch{Touched: r.Winners, People: r.People})
	}}
}

// liveGather is how long changes are gathered before screens hear of them: short enough to feel immediate, long enough that a batch of
// events makes one message.
const liveGather = 300 * time.Millisecond

// screens tells open screens whom and what a batch was about.
func screens(live *realtime.Hub) pipeline.Reactor {
	return pipeline.Reactor{Name: "screens", React: func(_ context.Context, r pipeline.Reaction) error {
		changes := map[string]map[realtime.Change]bool{}
		note := func(ws, topic, id string) {
			if changes[ws] == nil {
				if !live.Listening(ws) {
					return
				}
				changes[ws] = map[realtime.Change]bool{}
			}
			changes[ws][realtime.Change{Topic: topic, ID: id}] = true
		}
		for _, ref := range r.Touched {
			note(ref.Workspace, "person", ref.ID)
		}
		for _, e := range r.Events {
			note(e.Workspace, "event", "")
			var about struct {
				Segment string `json:"segment_id"`
				Journey string `json:"journey_id"`
				Kind    string `json:"source_kind"`
				Source  string `json:"source_id"`
			}
			if e.Type.External() || json.Unmarshal(e.Properties, &about) != nil {
				continue // what comes from outside says nothing of our nouns
			}
			switch {
			case e.Type == event.Segment && about.Segment != "":
				note(e.Workspace, "segment", about.Segment)
			case e.Type == event.Journey && about.Journey != "":
				note(e.Workspace, "journey", about.Journey)
			case e.Type == event.Message && about.Source != "":
				note(e.Workspace, about.Kind, about.Source)
			case e.Type == event.Invoice:
				note(e.Workspace, "invoice", "")
			}
		}
		for ws, all := range changes {
			live.Publish(ws, slices.Collect(maps.Keys(all))...)
		}
		return nil
	}}
}

// watchers lets journeys look again at the people of a batch who wait for a rule; segments have looked before, since rules may ask for them.
func watchers(j *journey.Service) pipeline.Reactor {
	return pipeline.Reactor{Name: "journeys that wait for a rule", React: func(ctx context.Context, r pipeline.Reaction) error {
		people := map[string][]string{}
		for _, ref := range r.Touched {
			people[ref.Workspace] = append(people[ref.Workspace], ref.ID)
		}
		for _, ws := range slices.Sorted(maps.Keys(people)) {
			if err := j.Touched(ctx, ws, people[ws]); err != nil {
				return err
			}
		}
		return nil
	}}
}

// touched lets segments look again at the people of a batch.
func touched(s *segment.Service) pipeline.Reactor {
	type batch struct {
		changed, told []uint64
		names         map[string]bool
		causes        map[uint64]string
	}
	return pipeline.Reactor{Name: "segments", React: func(ctx context.Context, r pipeline.Reaction) error {
		told := make(map[person.Ref]bool, len(r.Told))
		for _, s := range r.Told {
			told[s.Ref] = true
		}
		batches := map[string]*batch{}
		of := func(ws string) *batch {
			if batches[ws] == nil {
				batches[ws] = &batch{names: map[string]bool{}, causes: map[uint64]string{}}
			}
			return batches[ws]
		}
		for _, ref := range r.Touched {
			b := of(ref.Workspace)
			if told[ref] {
				b.told = append(b.told, ref.Num)
			} else {
				b.changed = append(b.changed, ref.Num)
			}
		}
		for _, e := range r.Events {
			b := of(e.Workspace)
			b.causes[e.Person] = e.MessageID // the last one of the batch
			b.names[e.Name] = true
			if e.Type == event.Page || e.Type == event.Screen {
				b.names[string(e.Type)] = true // they answer to it in rules
			}
		}
		for _, ws := range slices.Sorted(maps.Keys(batches)) {
			b := batches[ws]
			if len(b.changed) > 0 {
				if err := s.Touched(ctx, ws, b.changed, b.causes); err != nil {
					return err
				}
			}
			if len(b.told) > 0 {
				if err := s.Told(ctx, ws, b.told, slices.Sorted(maps.Keys(b.names)), b.causes); err != nil {
					return err
				}
			}
		}
		return nil
	}}
}
