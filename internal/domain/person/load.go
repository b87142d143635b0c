package person

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// loader fills a graph from the store.
type loader struct {
	*graph
	store Store
	ws    string
	recs  map[uint64]*Record
	byNum map[uint64]*subject
	spans map[*node][]storedSpan // of nodes whose owners are not set yet
}

// storedSpan is a span with numbers.
type storedSpan struct {
	T int64
	M string
	P uint64
}

func newLoader(g *graph, store Store, ws string) *loader {
	return &loader{
		graph: g, store: store, ws: ws, recs: map[uint64]*Record{}, byNum: map[uint64]*subject{}, spans: map[*node][]storedSpan{},
	}
}

// links loads identifiers with their owners.
func (l *loader) links(ctx context.Context, ids []event.Identifier) error {
	if err := l.spell(ctx, ids); err != nil {
		return err
	}
	if err := l.mark(ctx, l.store, l.ws, ids); err != nil {
		return err
	}
	wanted := make([]event.Identifier, 0, len(ids))
	for _, id := range ids {
		of := l.one(id)
		if hash, ok := l.renamed[of]; ok {
			of = hash
		}
		wanted = append(wanted, of)
	}
	rows, err := l.store.Links(ctx, l.ws, wanted)
	if err != nil {
		return err
	}
	return l.adopt(ctx, rows)
}

// whole loads everything that the people own.
func (l *loader) whole(ctx context.Context, people []*subject) error {
	var nums []uint64
	for _, s := range people {
		if !s.whole {
			s.whole = true
			nums = append(nums, s.rec.Num)
		}
	}
	if len(nums) == 0 {
		return nil
	}
	rows, err := l.store.LinksOf(ctx, l.ws, nums)
	if err != nil {
		return err
	}
	ids := make([]event.Identifier, len(rows))
	for i, r := range rows {
		ids[i] = r.Identifier
	}
	if err := l.mark(ctx, l.store, l.ws, ids); err != nil {
		return err
	}
	return l.adopt(ctx, rows)
}

func (l *loader) adopt(ctx context.Context, rows []Link) error {
	var nums []uint64
	for i := range rows {
		r := &rows[i]
		if n := l.nodes[l.one(r.Identifier)]; n != nil && n.stored {
			continue
		}
		n := l.node(r.Identifier)
		if n.id != r.Identifier {
			if l.renamed[n.id] != r.Identifier {
				continue // a task will make one of the two
			}
			n.was, n.dirty = r.Identifier, true
		}
		n.stored, n.first, n.last = true, r.FirstSeen, moment{r.LastSeen, r.LastMessage}
		n.shared, n.contested, n.source = moment{r.Shared, r.SharedMsg}, r.Contested, r.Source
		spans, err := decodeSpans(r)
		if err != nil {
			return err
		}
		if n.users, err = decodeUsers(r.Users); err != nil {
			return err
		}
		l.spans[n] = spans
		for _, sp := range spans {
			nums = append(nums, sp.P)
		}
	}
	if err := l.people(ctx, nums); err != nil {
		return err
	}
	for n, spans := range l.spans {
		for _, sp := range spans {
			who := l.subject(sp.P)
			n.spans = append(n.spans, span{moment{sp.T, sp.M}, who})
			if who != nil {
				who.nodes[n] = true
			}
		}
	}
	clear(l.spans)
	return nil
}

// people loads people by number, with those they were merged into.
func (l *loader) people(ctx context.Context, nums []uint64) error {
	for {
		var missing []uint64
		for _, n := range nums {
			if n != 0 && l.recs[n] == nil {
				missing = append(missing, n)
			}
		}
		if len(missing) == 0 {
			return nil
		}
		slices.Sort(missing)
		missing = slices.Compact(missing)
		rows, err := l.store.People(ctx, l.ws, missing)
		if err != nil {
			return err
		}
		if len(rows) != len(missing) {
			return fmt.Errorf("people %v of workspace %s are referred to but not stored", missing, l.ws)
		}
		nums = l.take(rows)
	}
}

// named loads people by id; unknown ids stay unknown.
func (l *loader) named(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	rows, err := l.store.PeopleByID(ctx, l.ws, ids)
	if err != nil {
		return err
	}
	if err := l.people(ctx, l.take(rows)); err != nil {
		return err
	}
	for i := range rows {
		l.byID[rows[i].ID] = l.subject(rows[i].Num)
	}
	return nil
}

func (l *loader) take(rows []Record) (winners []uint64) {
	for i := range rows {
		r := &rows[i]
		if l.recs[r.Num] == nil {
			l.recs[r.Num] = r
		}
		if r.Redirect != 0 {
			winners = append(winners, r.Redirect)
		}
	}
	return winners
}

// subject returns the loaded person who the number stands for after merges, nil for 0.
func (l *loader) subject(num uint64) *subject {
	r := l.recs[num]
	if r == nil {
		return nil
	}
	if r.Redirect != 0 {
		return l.subject(r.Redirect)
	}
	s := l.byNum[num]
	if s == nil {
		s = l.add(&subject{rec: *r, stored: true, touch: moment{r.Touch, r.TouchMsg}, st: state{rawTraits: r.Traits, rawFacts: r.Facts}})
		l.byNum[num] = s
	}
	return s.find()
}

// joiners returns the people whom the occurrences may change the identifiers of.
func (l *loader) joiners(occs []*occurrence) []*subject {
	var out []*subject
	mark := map[*subject]bool{}
	for _, o := range occs {
		ids := o.linked(l.kinds)
		if o.unbinds {
			ids = o.ids
		} else if o.ev.PersonID != "" || len(ids) < 2 {
			continue
		}
		// The user ids of one person are contested: how many they are is asked of such an event.
		uniform := o.previous == "" && !o.unbinds && (o.user() == "" || !l.node(o.ids[0]).contested)
		owner := l.node(ids[0]).owner()
		for _, id := range ids {
			n := l.node(id)
			uniform = uniform && len(n.spans) == 1 && n.owner() == owner && len(n.users) <= 1
		}
		if uniform {
			continue
		}
		for _, id := range ids {
			for _, sp := range l.node(id).spans {
				if sp.who != nil && !mark[sp.who] {
					mark[sp.who] = true
					out = append(out, sp.who)
				}
			}
		}
	}
	return out
}

// row returns the node as it is stored. All owners must have numbers.
func (n *node) row() Link {
	r := Link{
		Identifier: n.id, FirstSeen: n.first, LastSeen: n.last.t, LastMessage: n.last.m,
		Shared: n.shared.t, SharedMsg: n.shared.m, Contested: n.contested, Source: n.source, Users: encodeUsers(n.users),
	}
	if s := n.owner(); s != nil {
		r.Person = s.rec.Num
	}
	if len(n.spans) > 1 || len(n.spans) == 1 && n.spans[0].from != (moment{}) {
		rows := make([][3]any, 0, len(n.spans))
		for _, sp := range n.spans {
			var num uint64
			if s := sp.who.find(); s != nil {
				num = s.rec.Num
			}
			rows = append(rows, [3]any{sp.from.t, sp.from.m, num})
		}
		b, _ := json.Marshal(rows) // numbers and strings always encode
		r.Spans = string(b)
	}
	return r
}

func decodeSpans(r *Link) ([]storedSpan, error) {
	if r.Spans == "" {
		return []storedSpan{{P: r.Person}}, nil
	}
	var rows [][3]json.RawMessage
	if err := json.Unmarshal([]byte(r.Spans), &rows); err != nil {
		return nil, fmt.Errorf("stored spans: %w", err)
	}
	out := make([]storedSpan, len(rows))
	for i, row := range rows {
		for j, into := range []any{&out[i].T, &out[i].M, &out[i].P} {
			if err := json.Unmarshal(row[j], into); err != nil {
				return nil, fmt.Errorf("stored spans: %w", err)
			}
		}
	}
	return out, nil
}

func encodeUsers(users []use) string {
	if len(users) == 0 {
		return ""
	}
	rows := make([][2]any, len(users))
	for i, u := range users {
		rows[i] = [2]any{u.user, u.last}
	}
	b, _ := json.Marshal(rows) // numbers and strings always encode
	return string(b)
}

func decodeUsers(raw string) ([]use, error) {
	if raw == "" {
		return nil, nil
	}
	var rows [][2]json.RawMessage
	if err := json.Unmarshal([]byte(raw), &rows); err != nil {
		return nil, fmt.Errorf("stored users: %w", err)
	}
	out := make([]use, len(rows))
	for i, row := range rows {
		if err := json.Unmarshal(row[0], &out[i].user); err != nil {
			return nil, fmt.Errorf("stored users: %w", err)
		}
		if err := json.Unmarshal(row[1], &out[i].last); err != nil {
			return nil, fmt.Errorf("stored users: %w", err)
		}
	}
	return out, nil
}
