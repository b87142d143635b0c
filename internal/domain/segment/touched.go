package segment

import (
	"context"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/person"
)

const (
	touchedBatch = 1000
	// mergeGrace is how long a merge waits for its winner to be touched. The note lives longer only if a crash fell between
	// the merge and the reaction to it.
	mergeGrace = time.Minute
)

// Touched checks all active segments for people to whom something has happened, after the event store has it: new events, other
// traits, a merge. causes names the message behind it for each person, where there is one. Calling it again for the same
// people changes nothing.
func (s *Service) Touched(ctx context.Context, ws string, people []uint64, causes map[uint64]string) error {
	people = slices.Clone(people)
	slices.Sort(people)
	people = slices.Compact(people)
	merged, err := s.takeMerges(ctx, ws, people, causes)
	if err != nil {
		return err
	}
	return s.look(ctx, ws, slices.DeleteFunc(people, merged.Contains), causes, func(v *view) []*compiled { return v.order })
}

// Told is Touched for people of whom nothing has changed but that they have new events with these names: only the segments whose rules ask
// about such events are checked, and those that name them. A campaign leaves an event with everybody, and most rules do not care.
func (s *Service) Told(ctx context.Context, ws string, people []uint64, names []string, causes map[uint64]string) error {
	people = slices.Clone(people)
	slices.Sort(people)
	return s.look(ctx, ws, slices.Compact(people), causes, func(v *view) []*compiled {
		var roots []string
		for _, c := range v.order {
			if c.all || slices.ContainsFunc(c.names, func(n string) bool { return slices.Contains(names, n) }) {
				roots = append(roots, c.ID)
			}
		}
		return v.affected(roots...)
	})
}

// look checks the segments of a scope for people.
func (s *Service) look(ctx context.Context, ws string, people []uint64, causes map[uint64]string, scope func(v *view) []*compiled) error {
	for batch := range slices.Chunk(people, touchedBatch) {
		err := s.change(ctx, ws, func(w *workspace, v *view) (*view, error) {
			check := scope(v)
			if len(check) == 0 {
				return nil, nil
			}
			return s.apply(ctx, w, v, pass{
				people: batch, scope: check, root: everyPair,
				why: func(c *compiled, person uint64, match bool) (Cause, string) {
					if c.State == Evaluating {
						// What the event store answered at the start of the full evaluation is what the edit would have come to; only
						// another answer is the event's doing.
						if t := w.targets[c.ID]; t == nil || t.Contains(person) == match {
							return ByEdit, ""
						}
					}
					return ByEvent, causes[person]
				},
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// PeopleMerged notes that loser has become winner, in the transaction of the merge; see person.MergeObserver. The next Touched for the
// winner carries it out: loser leaves all sets in silence, winner takes over the lists and is evaluated with cause ByMerge.
func (s *Service) PeopleMerged(ctx context.Context, ws string, loser, winner person.Ref) error {
	return s.c.Store.AddMerge(ctx, ws, Merge{Loser: loser.Num, Winner: winner.Num, At: s.c.Clock.Now()})
}

// Forget takes people who are to be erased out of all segments and lists, in silence. Doing it again changes nothing.
func (s *Service) Forget(ctx context.Context, ws string, people []uint64) error {
	return s.change(ctx, ws, func(w *workspace, v *view) (*view, error) {
		p := pass{gone: people, given: deltas{}, root: noPair, why: always(ByManual)}
		for id, set := range v.sets {
			for _, num := range people {
				if set.bits.Contains(num) {
					p.given.of(id).remove.Add(num)
				}
			}
		}
		return s.apply(ctx, w, v, p)
	})
}

// takeMerges carries out the merges whose winners are among the people, and returns who is done with.
func (s *Service) takeMerges(ctx context.Context, ws string, people []uint64, causes map[uint64]string) (*roaring64.Bitmap, error) {
	done := roaring64.New()
	notes, err := s.c.Store.Merges(ctx, ws)
	if err != nil || len(notes) == 0 {
		return done, err
	}
	into := map[uint64]uint64{}
	for _, m := range notes {
		into[m.Loser] = m.Winner
	}
	last := func(num uint64) uint64 {
		for range notes {
			next, merged := into[num]
			if !merged {
				break
			}
			num = next
		}
		return num
	}
	late := s.c.Clock.Now().Add(-mergeGrace)
	notes = slices.DeleteFunc(notes, func(m Merge) bool {
		_, touched := slices.BinarySearch(people, last(m.Loser))
		return !touched && m.At.After(late)
	})
	for batch := range slices.Chunk(notes, touchedBatch) {
		err := s.change(ctx, ws, func(w *workspace, v *view) (*view, error) {
			p := pass{
				scope: v.order, root: everyPair, given: deltas{},
				why: func(_ *compiled, person uint64, _ bool) (Cause, string) { return ByMerge, causes[person] },
			}
			for _, m := range batch {
				winner := last(m.Loser)
				p.gone, p.people = append(p.gone, m.Loser), append(p.people, winner)
				for id, set := range v.sets {
					if !set.bits.Contains(m.Loser) {
						continue
					}
					p.given.of(id).remove.Add(m.Loser)
					if set.List {
						p.given.of(id).add.Add(winner)
					}
				}
			}
			slices.Sort(p.people)
			p.people = slices.Compact(p.people)
			p.also = func(ctx context.Context) error { return s.c.Store.DropMerges(ctx, ws, p.gone) }
			return s.apply(ctx, w, v, p)
		})
		if err != nil {
			return nil, err
		}
		for _, m := range batch {
			done.Add(m.Loser)
			done.Add(last(m.Loser))
		}
	}
	return done, nil
}
