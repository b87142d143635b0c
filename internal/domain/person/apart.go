package person

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Apart is what a member of staff has decided: the identifiers of side Two never belong to the same person as those of side One, nor do people
// who own them. It is part of the definition of identity: whatever comes in later, and however often the history is worked out again, it
// holds until it is taken back.
type Apart struct {
	ID      string
	One     []event.Identifier // who keeps the person's id
	Two     []event.Identifier
	Person  uint64 // whom it was decided about
	Split   bool   // one person was split; false: two people are kept apart
	Note    string // why
	By      string // who decided
	Created int64
}

// mark says on which side of a decision an identifier is.
type mark struct {
	apart string
	two   bool
}

// opposed reports whether two sets of marks are on different sides of a decision.
func opposed(a, b []mark) bool {
	return slices.ContainsFunc(a, func(m mark) bool { return slices.Contains(b, mark{m.apart, !m.two}) })
}

// marks returns the sides that the person is on because of what they own.
func (s *subject) marks() (out []mark) {
	for n := range s.nodes {
		if len(n.marks) > 0 && n.owner() == s {
			out = append(out, n.marks...)
		}
	}
	return out
}

// keeps reports whether a person must not own the node.
func (s *subject) keeps(n *node) bool { return len(n.marks) > 0 && opposed(s.marks(), n.marks) }

// mark loads the decisions about identifiers. It is to be called before their nodes are made.
func (g *graph) mark(ctx context.Context, store Store, ws string, ids []event.Identifier) error {
	if g.unmarked || len(ids) == 0 {
		return nil
	}
	if g.marks == nil {
		some, err := store.HasApart(ctx, ws)
		if err != nil {
			return err
		}
		if !some {
			g.unmarked = true
			return nil
		}
		g.marks = map[event.Identifier][]mark{}
	}
	found, err := store.ApartOf(ctx, ws, g.written(ids))
	if err != nil {
		return err
	}
	for _, id := range ids {
		delete(g.marks, g.one(id))
	}
	for _, a := range found {
		for two, side := range [][]event.Identifier{a.One, a.Two} {
			for _, id := range side {
				id = g.one(id)
				if m := (mark{a.ID, two == 1}); !slices.Contains(g.marks[id], m) {
					g.marks[id] = append(g.marks[id], m)
				}
			}
		}
	}
	return nil
}

// Split is a wish to make two people of one.
type Split struct {
	Identifiers []event.Identifier // what the second person gets; all identifiers but these stay
	Merge       string             // instead: the entry of the identity log that tells of the merge to be undone
	Note        string
	By          string
}

const maxNote = 500

// Split takes identifiers off a person, with the events that carried them and what those events said. The first keeps the id. The
// two never become one again by machine; TakeBack undoes it. It is carried out soon after the call, by RunTasks.
func (s *Service) Split(ctx context.Context, ws, personID string, w Split) (Apart, error) {
	if utf8.RuneCountInString(w.Note) > maxNote {
		return Apart{}, errs.Invalid("person.split.note", "note", "at most %d characters", maxNote)
	}
	who, err := s.Get(ctx, ws, personID)
	if err != nil {
		return Apart{}, err
	}
	if w.Merge != "" {
		if w.Identifiers, err = s.broughtBy(ctx, ws, who, w.Merge); err != nil {
			return Apart{}, err
		}
	}
	a := Apart{ID: id.New("apt"), Person: who.Num, Split: true, Note: w.Note, By: w.By, Created: s.Clock.Now().UnixMicro()}
	for i, given := range w.Identifiers {
		norm, err := s.Normalise(ctx, ws, given)
		if err != nil {
			return Apart{}, err
		}
		owned := slices.ContainsFunc(who.Identifiers, func(x Identifier) bool { return x.Kind == norm.Kind && x.Value == norm.Value })
		if !owned && w.Merge == "" {
			return Apart{}, errs.Invalid("person.split.identifiers", fmt.Sprintf("identifiers[%d]", i), "%s %q does not belong to this person", norm.Kind, norm.Value)
		}
		if owned && !slices.Contains(a.Two, norm) {
			a.Two = append(a.Two, norm)
		}
	}
	for _, x := range who.Identifiers {
		if norm := (event.Identifier{Kind: x.Kind, Value: x.Value}); !slices.Contains(a.Two, norm) {
			a.One = append(a.One, norm)
		}
	}
	if len(a.Two) == 0 || len(a.One) == 0 {
		return Apart{}, errs.Invalid("person.split.identifiers", "identifiers", "choose some of the person's identifiers, but not all: both people must keep at least one")
	}
	return a, s.keepApart(ctx, ws, a, verdict{who: &subject{rec: Record{Num: who.Num, ID: who.ID}}, action: SplitOff, ids: a.Two})
}

// broughtBy returns the identifiers that a merge brought to a person.
func (s *Service) broughtBy(ctx context.Context, ws string, who Person, entry string) ([]event.Identifier, error) {
	log, err := s.history(ctx, ws, who.Num)
	if err != nil {
		return nil, err
	}
	loser := uint64(0)
	for _, d := range log {
		if d.ID == entry && d.Action == Merged {
			loser = d.Other.Num
		}
	}
	if loser == 0 {
		return nil, errs.NotFound("merge", entry)
	}
	// A loser may have taken others in before.
	from := map[uint64]bool{loser: true}
	for more := true; more; {
		more = false
		for _, d := range log {
			if d.Action == Merged && from[d.Person.Num] && d.Other.Num != 0 && !from[d.Other.Num] {
				from[d.Other.Num], more = true, true
			}
		}
	}
	var out []event.Identifier
	for _, d := range log {
		if from[d.Person.Num] && d.brings() {
			out = append(out, d.Identifiers...)
		}
	}
	if len(out) == 0 {
		return nil, errs.Conflict("person.split.nothing", "it is not recorded what this merge brought; name the identifiers instead")
	}
	return out, nil
}

// brings reports whether the decision gave identifiers to its person.
func (d Decision) brings() bool {
	return d.Action == Created || d.Action == Linked || d.Action == Moved
}

// history returns all decisions about a person and those merged into them, newest first.
func (s *Service) history(ctx context.Context, ws string, num uint64) ([]Decision, error) {
	nums, err := s.Nums(ctx, ws, num)
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.Decisions(ctx, ws, nums, EntryKey{}, maxDecisions)
	if err != nil {
		return nil, err
	}
	return s.decisions(ctx, ws, rows)
}

// maxDecisions bounds the log that a merge to be undone is looked for in; a person has at most maxLinks identifiers and maxMerges merges.
const maxDecisions = 10_000

// Separate decides that two people are not the same, so that no machine makes them one.
func (s *Service) Separate(ctx context.Context, ws, personID, otherID, note, by string) (Apart, error) {
	if utf8.RuneCountInString(note) > maxNote {
		return Apart{}, errs.Invalid("person.split.note", "note", "at most %d characters", maxNote)
	}
	found, err := s.ByIDs(ctx, ws, []string{personID, otherID})
	if err != nil {
		return Apart{}, err
	}
	one, two := found[personID], found[otherID]
	switch {
	case one.ID == "":
		return Apart{}, errs.NotFound("person", personID)
	case two.ID == "":
		return Apart{}, errs.NotFound("person", otherID)
	case one.ID == two.ID:
		return Apart{}, errs.Invalid("person.split.same", "other", "this is one person already; split them instead")
	}
	a := Apart{ID: id.New("apt"), Person: one.Num, Note: note, By: by, Created: s.Clock.Now().UnixMicro()}
	for side, p := range map[*[]event.Identifier]Person{&a.One: one, &a.Two: two} {
		for _, x := range p.Identifiers {
			*side = append(*side, event.Identifier{Kind: x.Kind, Value: x.Value})
		}
		if len(*side) == 0 {
			return Apart{}, errs.Conflict("person.split.nothing", "%s has no identifier by which anybody could take them for somebody else", p.ID)
		}
	}
	return a, s.keepApart(ctx, ws, a, verdict{who: &subject{rec: Record{Num: one.Num, ID: one.ID}}, other: &subject{rec: Record{Num: two.Num, ID: two.ID}}, action: SplitOff, reason: ReasonApart, ids: a.Two})
}

func (s *Service) keepApart(ctx context.Context, ws string, a Apart, said verdict) error {
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.Lock(ctx, ws); err != nil {
			return err
		}
		if err := s.Store.AddApart(ctx, ws, a); err != nil {
			return err
		}
		g := newGraph(newKinds(Scheme{})) // a log needs no kinds
		said.at = moment{t: a.Created, m: a.ID}
		g.log(said)
		if err := s.Store.AddDecisions(ctx, ws, g.entries(a.Created)); err != nil {
			return err
		}
		name, props := event.PersonSplit, map[string]any{"identifiers": a.Two, "note": a.Note}
		if said.other != nil {
			name, props = event.PeopleApart, map[string]any{"other": said.other.rec.ID, "note": a.Note}
		}
		return s.again(ctx, ws, a, said.who.rec.ID, name, props)
	})
}

// again leaves the task to work out the identity of those concerned, and an event: it is on the person's timeline, and on its way it wakes whoever
// works on tasks.
func (s *Service) again(ctx context.Context, ws string, a Apart, personID, name string, props map[string]any) error {
	raw, err := json.Marshal(props)
	if err != nil {
		return fmt.Errorf("encode decision: %w", err)
	}
	now := s.Clock.Now()
	if err := s.Emitter.Emit(ctx, event.Event{
		Workspace: ws, MessageID: "identity:" + a.ID + ":" + name, Type: event.Identity, Name: name, PersonID: personID,
		Time: now, Received: now, Origin: event.Internal, Properties: raw,
	}); err != nil {
		return err
	}
	return s.addTask(ctx, ws, slices.Concat(a.One, a.Two))
}

// TakeBack forgets a decision to keep apart. Who would be one person without it becomes one soon after.
func (s *Service) TakeBack(ctx context.Context, ws, apartID string) error {
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.Lock(ctx, ws); err != nil {
			return err
		}
		a, err := s.Store.DropApart(ctx, ws, apartID)
		if err != nil {
			return err
		}
		about, err := s.Store.People(ctx, ws, []uint64{a.Person})
		if err != nil || len(about) == 0 {
			return err
		}
		return s.again(ctx, ws, a, about[0].ID, event.ApartTakenBack, map[string]any{"note": a.Note})
	})
}

// KeptApart returns the decisions that concern what a person owns, oldest first.
func (s *Service) KeptApart(ctx context.Context, ws, personID string, p page.Request) (page.Of[Apart], error) {
	who, err := s.Get(ctx, ws, personID)
	if err != nil {
		return page.Of[Apart]{}, err
	}
	after := ""
	if _, err := page.Decode(p.Cursor, &after); err != nil {
		return page.Of[Apart]{}, err
	}
	all, err := s.apart(ctx, ws, who)
	if err != nil {
		return page.Of[Apart]{}, err
	}
	// A person has few of them, and each has identifiers in it, so they are read whole and cut here.
	all = all[slices.IndexFunc(all, func(a Apart) bool { return a.ID == after })+1:]
	return page.Cut(all[:min(len(all), p.Size()+1)], p.Size(), func(a Apart) string { return page.Encode(a.ID) }), nil
}

func (s *Service) apart(ctx context.Context, ws string, who Person) ([]Apart, error) {
	ids := make([]event.Identifier, len(who.Identifiers))
	for i, x := range who.Identifiers {
		ids[i] = event.Identifier{Kind: x.Kind, Value: x.Value}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return s.Store.ApartOf(ctx, ws, ids)
}

// joinedByHand begins the message ids of events by which staff join people.
const joinedByHand = "join:"

// linking returns the person's best identifier that links events to them.
func (p Person) linking() Identifier {
	for _, id := range p.Identifiers {
		if id.Status == Active {
			return id
		}
	}
	return p.Identifiers[0]
}

// Join makes one person of two because a member of staff says so. The event that says it joins the history like all others, so it holds
// whenever the history is worked out again; a decision to keep them apart must be taken back first. cause makes a repeated call harmless.
func (s *Service) Join(ctx context.Context, ws, personID, otherID, cause string) error {
	found, err := s.ByIDs(ctx, ws, []string{personID, otherID})
	if err != nil {
		return err
	}
	one, two := found[personID], found[otherID]
	switch {
	case one.ID == "":
		return errs.NotFound("person", personID)
	case two.ID == "":
		return errs.NotFound("person", otherID)
	case one.ID == two.ID:
		return nil
	case len(one.Identifiers) == 0 || len(two.Identifiers) == 0:
		return errs.Conflict("person.join.nothing", "a person without any identifier cannot be joined with another")
	}
	apart, err := s.apart(ctx, ws, one)
	if err != nil {
		return err
	}
	other := func(x event.Identifier) bool {
		return slices.ContainsFunc(two.Identifiers, func(y Identifier) bool { return y.Kind == x.Kind && y.Value == x.Value })
	}
	for _, a := range apart {
		if slices.ContainsFunc(a.One, other) || slices.ContainsFunc(a.Two, other) {
			return errs.Conflict("person.join.apart", "it was decided that these are two people; take that back first")
		}
	}
	now := s.Clock.Now()
	at := now
	for _, p := range []Person{one, two} {
		if !at.After(p.LastSeen) { // a client's clock was ahead; the two must be known by then
			at = p.LastSeen.Add(time.Microsecond)
		}
	}
	ev := event.Event{Workspace: ws, MessageID: joinedByHand + cause, Type: event.Identify, Time: at, Received: now, Origin: event.Internal}
	if one.UserID() != "" && two.UserID() != "" {
		ev.Type, ev.UserID, ev.PreviousID = event.Alias, one.UserID(), two.UserID()
	} else {
		a, b := one.linking(), two.linking()
		if err := carry(&ev, []event.Identifier{{Kind: a.Kind, Value: a.Value}, {Kind: b.Kind, Value: b.Value}}); err != nil {
			return err
		}
	}
	return s.Emitter.Emit(ctx, ev)
}
