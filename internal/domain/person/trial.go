package person

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// Trial is what a scheme would make of some people.
type Trial struct {
	Last event.Identifier // the last identifier that was looked at
	Done bool             // there are no more

	People   int64 // who were looked at
	Merged   int64 // of them, those who would become part of somebody else
	Split    int64 // people who would be made of parts of them
	Refused  int64 // merges that would be refused
	TooLarge int64 // identifiers with too much behind them to be worked out again: they stay as they are

	Examples []Example
}

// What an Example shows.
const (
	ExampleMerge   = "merge"
	ExampleSplit   = "split"
	ExampleRefused = "refused"
)

// Example is one of the changes, and why.
type Example struct {
	What        string             `json:"what"`
	People      []string           `json:"people"` // ids: of a merge first who stays, of a split who is split
	Reason      string             `json:"reason,omitempty"`
	Identifiers []event.Identifier `json:"identifiers"` // that bring them together, or that would be somebody else's
}

const (
	trialIDs      = 20_000 // identifiers worked out at once
	trialExamples = 20     // of each sort
)

// TryScheme works out, without changing anything, who the holders of the next identifiers after one would be by another scheme; at most limit identifiers at once.
// Everybody is counted with the first of their identifiers, so that the sum over all pages counts nobody twice.
func (s *Service) TryScheme(ctx context.Context, ws string, scheme Scheme, after event.Identifier, limit int) (Trial, error) {
	t := Trial{Last: after}
	links, err := s.Store.LinksAfter(ctx, ws, after, limit)
	if err != nil || len(links) == 0 {
		t.Done = true
		return t, err
	}
	t.Last, t.Done = links[len(links)-1].Identifier, len(links) < limit
	seeds := make([]event.Identifier, len(links))
	for i, l := range links {
		seeds[i] = l.Identifier
	}
	return t, s.try(ctx, ws, newKinds(scheme), seeds, &t)
}

func (s *Service) try(ctx context.Context, ws string, k *kinds, seeds []event.Identifier, t *Trial) error {
	c, err := s.collectBy(ctx, ws, k, seeds, trialIDs)
	if err != nil {
		return err
	}
	if c.tooLarge {
		if len(seeds) == 1 {
			t.TooLarge++
			return nil
		}
		half := len(seeds) / 2
		if err := s.try(ctx, ws, k, seeds[:half], t); err != nil {
			return err
		}
		return s.try(ctx, ws, k, seeds[half:], t)
	}
	w, err := s.reworking(ctx, c)
	if err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{w.run, w.load, w.match} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("try a scheme: %w", err)
		}
	}
	w.tell(seeds, t)
	return nil
}

// tell adds what came out to a trial, as far as it is about people whose first identifier is among the seeds.
func (w *rework) tell(seeds []event.Identifier, t *Trial) {
	asked := map[event.Identifier]bool{}
	for _, id := range seeds {
		asked[id] = true
	}
	mine := func(x *subject) bool {
		var least event.Identifier
		for n := range x.nodes {
			if n.owner() == x && n.stored && (least == (event.Identifier{}) || before(n.id, least)) {
				least = n.id
			}
		}
		return asked[least]
	}
	show := func(e Example) {
		n := 0
		for _, x := range t.Examples {
			if x.What == e.What {
				n++
			}
		}
		if n < trialExamples {
			t.Examples = append(t.Examples, e)
		}
	}
	for _, x := range w.old.subjects {
		if x.into == nil && mine(x) {
			t.People++
		}
	}
	for _, u := range w.merged {
		if !mine(u.loser) {
			continue
		}
		t.Merged++
		g := w.heirs[u.loser]
		e := Example{What: ExampleMerge, People: []string{u.loser.rec.ID}, Identifiers: []event.Identifier{}}
		if stays := w.today[g]; stays != nil {
			e.People = []string{stays.rec.ID, u.loser.rec.ID}
		}
		e.Identifiers = append(e.Identifiers, w.between(g, u.loser)...)
		show(e)
	}
	from := map[*subject]*subject{} // group that nobody of today is -> whose first event it has
	for _, o := range w.occs {
		if o.who != nil && w.today[o.who] == nil && from[o.who] == nil {
			from[o.who] = w.old.subject(o.num)
		}
	}
	for _, g := range w.groups() {
		x := from[g]
		if x == nil || !mine(x) {
			continue
		}
		t.Split++
		e := Example{What: ExampleSplit, People: []string{x.rec.ID}, Reason: w.why(g), Identifiers: []event.Identifier{}}
		for _, n := range sorted(g.nodes) {
			if n.owner() == g && len(e.Identifiers) < 3 {
				e.Identifiers = append(e.Identifiers, n.id)
			}
		}
		show(e)
	}
	w.tellRefusals(asked, t, show)
}

// tellRefusals counts the merges that the scheme refuses: each pair once for each reason.
func (w *rework) tellRefusals(asked map[event.Identifier]bool, t *Trial, show func(Example)) {
	type refusal struct {
		one, two *subject
		reason   string
	}
	seen := map[refusal]bool{}
	for _, v := range w.next.verdicts {
		if v.other == nil || v.action != Refused && v.action != Demoted || len(v.ids) == 0 || !asked[v.ids[0]] {
			continue
		}
		r := refusal{v.who.find(), v.other.find(), v.reason}
		if r.one == r.two || seen[r] {
			continue
		}
		seen[r] = true
		t.Refused++
		e := Example{What: ExampleRefused, People: []string{}, Reason: v.reason, Identifiers: v.ids}
		for _, g := range []*subject{r.one, r.two} {
			if x := w.today[g]; x != nil {
				e.People = append(e.People, x.rec.ID)
			}
		}
		show(e)
	}
}

// between returns an identifier because of which somebody of today becomes part of a group.
func (w *rework) between(g, x *subject) []event.Identifier {
	var any []event.Identifier
	for _, v := range w.next.verdicts {
		if v.action != Merged || v.who.find() != g || len(v.ids) == 0 {
			continue
		}
		if before := w.old.nodes[v.ids[0]]; before != nil && before.owner() == x {
			return v.ids[:1]
		}
		if any == nil {
			any = v.ids[:1]
		}
	}
	if any == nil { // what both came with, without a merge: an identifier that now is of one of them
		for _, n := range sorted(g.nodes) {
			if before := w.before(n); before != nil && before.owner() == x {
				return []event.Identifier{n.id}
			}
		}
	}
	return any
}

// why returns the reason for which a group did not become part of another.
func (w *rework) why(g *subject) string {
	found := slices.IndexFunc(w.next.verdicts, func(v verdict) bool {
		return (v.action == Refused || v.action == Demoted) && (v.who.find() == g || v.other.find() == g)
	})
	if found < 0 {
		return ""
	}
	return cmp.Or(w.next.verdicts[found].reason, string(w.next.verdicts[found].action))
}
