package person

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Get returns the person with the id. The id of someone who was merged away leads to the winner.
func (s *Service) Get(ctx context.Context, ws, id string) (Person, error) {
	found, err := s.ByIDs(ctx, ws, []string{id})
	if err != nil {
		return Person{}, err
	}
	p, ok := found[id]
	if !ok {
		return Person{}, errs.NotFound("person", id)
	}
	return p, nil
}

// ByIdentifier returns the person who owns the identifier now. The value is brought into its normal form first.
func (s *Service) ByIdentifier(ctx context.Context, ws string, id event.Identifier) (Person, error) {
	norm, err := s.Normalise(ctx, ws, id)
	if err != nil {
		return Person{}, err
	}
	k, err := s.kindsOf(ctx, ws)
	if err != nil {
		return Person{}, err
	}
	asked := []event.Identifier{norm}
	if hashing, err := s.Store.Hashing(ctx, ws); err != nil {
		return Person{}, err
	} else if hashing {
		c := &component{ws: ws, kinds: k, hashing: true, ids: map[event.Identifier]bool{norm: true}}
		if asked, err = s.spell(ctx, c, asked); err != nil {
			return Person{}, err
		}
	}
	rows, err := s.Store.Links(ctx, ws, asked)
	if err != nil {
		return Person{}, err
	}
	if len(rows) > 0 && rows[0].Person != 0 {
		found, err := s.ByNums(ctx, ws, []uint64{rows[0].Person})
		if err != nil {
			return Person{}, err
		}
		if len(found) == 1 {
			return found[0], nil
		}
	}
	return Person{}, errs.NotFound("person", norm.Kind+":"+norm.Value)
}

// Holders returns who owns the identifiers of a kind now, by value as given; those that nobody owns, or that can identify nobody, are left out.
func (s *Service) Holders(ctx context.Context, ws, kind string, values []string) (map[string]string, error) {
	at, known := s.kinds.byName[kind]
	if !known {
		return nil, nil
	}
	region, err := s.region(ctx, ws)
	if err != nil {
		return nil, err
	}
	given := make(map[string][]string, len(values)) // by normal form
	ids := make([]event.Identifier, 0, len(values))
	for _, v := range values {
		norm, ok := normalise(s.kinds.list[at].Form, v, region)
		if !ok {
			continue
		}
		if given[norm] == nil {
			ids = append(ids, event.Identifier{Kind: kind, Value: norm})
		}
		given[norm] = append(given[norm], v)
	}
	links, err := s.Store.Links(ctx, ws, ids)
	if err != nil {
		return nil, err
	}
	nums := make([]uint64, 0, len(links))
	for _, l := range links {
		if l.Person != 0 {
			nums = append(nums, l.Person)
		}
	}
	owners, err := s.IDs(ctx, ws, nums)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(links))
	for _, l := range links {
		if owner := owners[l.Person]; owner != "" {
			for _, v := range given[l.Value] {
				out[v] = owner
			}
		}
	}
	return out, nil
}

// Normalise brings an identifier into the form it is stored in. It fails if the kind is not declared or the value can
// identify nobody.
func (s *Service) Normalise(ctx context.Context, ws string, id event.Identifier) (event.Identifier, error) {
	kinds, err := s.kindsOf(ctx, ws)
	if err != nil {
		return event.Identifier{}, err
	}
	i, ok := kinds.byName[id.Kind]
	if !ok {
		names := make([]string, len(kinds.list))
		for i, k := range kinds.list {
			names[i] = k.Name
		}
		return event.Identifier{}, errs.Invalid("person.identifier.kind", "identifier", "unknown kind %q; use one of %s", id.Kind, strings.Join(names, ", "))
	}
	region, err := s.region(ctx, ws)
	if err != nil {
		return event.Identifier{}, err
	}
	k := kinds.list[i]
	v, ok := normalise(k.Form, id.Value, region)
	if !ok {
		return event.Identifier{}, errs.Invalid("person.identifier.value", "identifier", "%q is no valid %s; blocked values such as \"null\" or \"0\" identify nobody", id.Value, k.Name)
	}
	return event.Identifier{Kind: k.Name, Value: v}, nil
}

// ByNums returns the people with these numbers after merges, each once, by number; unknown ones are left out.
func (s *Service) ByNums(ctx context.Context, ws string, nums []uint64) ([]Person, error) {
	rows, err := s.Store.People(ctx, ws, nums)
	if err != nil {
		return nil, err
	}
	winners, err := s.winners(ctx, ws, rows)
	if err != nil {
		return nil, err
	}
	unique := map[uint64]Record{}
	for _, r := range winners {
		unique[r.Num] = r
	}
	out := make([]Record, 0, len(unique))
	for _, r := range unique {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Record) int { return cmp.Compare(a.Num, b.Num) })
	return s.people(ctx, ws, out)
}

// IDs returns the public ids of people under the numbers that were asked for; of someone who was merged away it is the winner's.
// Unknown numbers are left out.
func (s *Service) IDs(ctx context.Context, ws string, nums []uint64) (map[uint64]string, error) {
	rows, err := s.Store.Names(ctx, ws, nums)
	if err != nil {
		return nil, err
	}
	winners, err := s.winners(ctx, ws, rows)
	if err != nil {
		return nil, err
	}
	out := make(map[uint64]string, len(rows))
	for i, r := range rows {
		out[r.Num] = winners[i].ID
	}
	return out, nil
}

// ByIDs returns people by the id that was asked for; the person is the one who has it after merges. Unknown ids are left out.
func (s *Service) ByIDs(ctx context.Context, ws string, ids []string) (map[string]Person, error) {
	rows, err := s.Store.PeopleByID(ctx, ws, ids)
	if err != nil {
		return nil, err
	}
	winners, err := s.winners(ctx, ws, rows)
	if err != nil {
		return nil, err
	}
	people, err := s.people(ctx, ws, winners)
	if err != nil {
		return nil, err
	}
	out := make(map[string]Person, len(rows))
	for i, r := range rows {
		out[r.ID] = people[i]
	}
	return out, nil
}

// winners returns for each row the row itself or, if it was merged away, the winner.
func (s *Service) winners(ctx context.Context, ws string, rows []Record) ([]Record, error) {
	var nums []uint64
	for _, r := range rows {
		if r.Redirect != 0 {
			nums = append(nums, r.Redirect)
		}
	}
	if len(nums) == 0 {
		return rows, nil
	}
	found, err := s.Store.People(ctx, ws, nums)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(rows)
	for i, r := range rows {
		if r.Redirect == 0 {
			continue
		}
		j := slices.IndexFunc(found, func(x Record) bool { return x.Num == r.Redirect })
		if j < 0 {
			return nil, fmt.Errorf("person %s was merged into %d, which is not stored", r.ID, r.Redirect)
		}
		out[i] = found[j]
	}
	return out, nil
}

// people brings rows into the public form.
func (s *Service) people(ctx context.Context, ws string, rows []Record) ([]Person, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	nums := make([]uint64, len(rows))
	for i, r := range rows {
		nums[i] = r.Num
	}
	links, err := s.linksOf(ctx, ws, nums)
	if err != nil {
		return nil, err
	}
	out := make([]Person, len(rows))
	k, err := s.kindsOf(ctx, ws)
	if err != nil {
		return nil, err
	}
	for i, r := range rows {
		if out[i], err = k.person(ws, r, &state{rawTraits: r.Traits, rawFacts: r.Facts}, links[r.Num]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// linksOf returns the identifiers of people by number.
func (s *Service) linksOf(ctx context.Context, ws string, nums []uint64) (map[uint64][]Link, error) {
	if len(nums) == 0 {
		return nil, nil
	}
	links, err := s.Store.LinksOf(ctx, ws, nums)
	byOwner := make(map[uint64][]Link, len(nums))
	for _, l := range links {
		byOwner[l.Person] = append(byOwner[l.Person], l)
	}
	return byOwner, err
}

func (k *kinds) person(ws string, r Record, st *state, links []Link) (Person, error) {
	p := Person{
		ID: r.ID, Num: r.Num, Workspace: ws, Status: Anonymous, Merges: r.Merges,
		FirstSeen: micros(r.FirstSeen), LastSeen: micros(r.LastSeen), CreatedAt: micros(r.Created), UpdatedAt: micros(r.Updated),
	}
	if err := st.fill(&p); err != nil {
		return Person{}, fmt.Errorf("person %s: %w", r.ID, err)
	}
	slices.SortFunc(links, func(a, b Link) int {
		return cmp.Or(
			cmp.Compare(k.rankOf(a.Kind), k.rankOf(b.Kind)), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.FirstSeen, b.FirstSeen), cmp.Compare(a.Value, b.Value))
	})
	for i := range links {
		l := &links[i]
		id := Identifier{
			Kind: l.Kind, Value: l.Value, Status: Active, FirstSeen: micros(l.FirstSeen), LastSeen: micros(l.LastSeen), Source: l.Source,
		}
		if l.Shared != 0 {
			id.Status = Shared
		}
		spans, err := decodeSpans(l)
		if err != nil {
			return Person{}, err
		}
		id.Since = micros(spans[len(spans)-1].T)
		p.Identifiers = append(p.Identifiers, id)
		if rank, ok := k.rank[l.Kind]; ok && k.list[rank].Strength == Strong && p.Status == Anonymous {
			p.Status = Known
		}
	}
	if r.UserID != "" {
		p.Status = Identified
	}
	return p, nil
}

// Filter narrows a list of people. Its zero value is everybody.
type Filter struct {
	Text     string            // part of a name, address or identifier, in any case; or the whole id of a person
	Status   Status            // empty: any
	SeenFrom time.Time         // last seen then or later, unless zero
	SeenTo   time.Time         // last seen before, unless zero
	Among    *roaring64.Bitmap // only these numbers, unless nil
	Order    Order
}

// List returns people after merges, newest first.
func (s *Service) List(ctx context.Context, ws string, p page.Request) (page.Of[Person], error) {
	return s.Find(ctx, ws, Filter{}, p)
}

const (
	maxQuery = 200  // characters of a search text
	atOnce   = 2000 // numbers of Filter.Among in one question to the store

	countAtOnce = 20_000 // the same where nothing but their number is asked for
)

// Find returns people who fit the filter, in its order.
func (s *Service) Find(ctx context.Context, ws string, f Filter, p page.Request) (page.Of[Person], error) {
	f, err := s.whoseID(ctx, ws, f)
	if err != nil {
		return page.Of[Person]{}, err
	}
	q, err := s.query(ctx, ws, f)
	if err != nil {
		return page.Of[Person]{}, err
	}
	var after Place
	if _, err := page.Decode(p.Cursor, &after.Num, &after.Seen); err != nil {
		return page.Of[Person]{}, err
	}
	rows, err := s.find(ctx, ws, q, f.Among, after, p.Size()+1)
	if err != nil {
		return page.Of[Person]{}, err
	}
	cut := page.Cut(rows, p.Size(), func(r Record) string { return page.Encode(r.Num, r.LastSeen) })
	people, err := s.people(ctx, ws, cut.Items)
	return page.Of[Person]{Items: people, Next: cut.Next}, err
}

// whoseID is the filter with a text that is a person's id, even of before a merge, turned into that person's number.
func (s *Service) whoseID(ctx context.Context, ws string, f Filter) (Filter, error) {
	text := strings.TrimSpace(f.Text)
	if !strings.HasPrefix(text, "per_") {
		return f, nil
	}
	p, err := s.Get(ctx, ws, text)
	if errs.Is(err, errs.KindNotFound) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	one := roaring64.BitmapOf(p.Num)
	if f.Among != nil {
		one.And(f.Among)
	}
	f.Text, f.Among = "", one
	return f, nil
}

// query is the filter as the store reads it, but for Among.
func (s *Service) query(ctx context.Context, ws string, f Filter) (Query, error) {
	q := Query{Text: strings.ToLower(strings.TrimSpace(f.Text)), Status: f.Status, Order: f.Order}
	if utf8.RuneCountInString(q.Text) > maxQuery {
		return q, errs.Invalid("person.search.too_long", "q", "at most %d characters can be searched for", maxQuery)
	}
	kinds, err := s.kindsOf(ctx, ws)
	if err != nil {
		return q, err
	}
	for _, k := range kinds.list {
		if k.Strength == Strong {
			q.Strong = append(q.Strong, k.Name)
		}
	}
	if !f.SeenFrom.IsZero() {
		q.SeenFrom = f.SeenFrom.UnixMicro()
	}
	if !f.SeenTo.IsZero() {
		q.SeenTo = f.SeenTo.UnixMicro()
	}
	return q, nil
}

// find asks the store. Numbers are given to it some at a time as long as the list goes by them: few are needed for a page, unless few of them
// have the text.
func (s *Service) find(ctx context.Context, ws string, q Query, among *roaring64.Bitmap, after Place, limit int) ([]Record, error) {
	switch {
	case among == nil:
		return s.Store.Find(ctx, ws, q, after, limit)
	case q.Order != Newest || q.Text != "":
		q.Nums = among.ToArray()
		return s.Store.Find(ctx, ws, q, after, limit)
	}
	q.Nums = []uint64{} // nil would mean everybody
	var out []Record
	for it := among.ReverseIterator(); it.HasNext() && len(out) < limit; {
		q.Nums = q.Nums[:0]
		for it.HasNext() && len(q.Nums) < atOnce {
			if n := it.Next(); after.Num == 0 || n < after.Num {
				q.Nums = append(q.Nums, n)
			}
		}
		found, err := s.Store.Find(ctx, ws, q, after, limit-len(out))
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// Count returns how many people there are after merges.
func (s *Service) Count(ctx context.Context, ws string) (int64, error) {
	return s.Store.Count(ctx, ws, Query{})
}

// CountFitting returns how many people Find would return, page after page.
func (s *Service) CountFitting(ctx context.Context, ws string, f Filter) (int64, error) {
	f, err := s.whoseID(ctx, ws, f)
	if err != nil {
		return 0, err
	}
	q, err := s.query(ctx, ws, f)
	if err != nil {
		return 0, err
	}
	if f.Among == nil {
		return s.Store.Count(ctx, ws, q)
	}
	var sum int64
	for nums := range slices.Chunk(f.Among.ToArray(), countAtOnce) {
		q.Nums = nums
		n, err := s.Store.Count(ctx, ws, q)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// Nums returns all numbers that a person has had: today's, and those of everybody who was merged into them.
func (s *Service) Nums(ctx context.Context, ws string, num uint64) ([]uint64, error) {
	losers, err := s.Store.Losers(ctx, ws, []uint64{num})
	if err != nil {
		return nil, err
	}
	nums := []uint64{num}
	for _, l := range losers {
		nums = append(nums, l.Num)
	}
	return nums, nil
}

// IdentityLog returns every decision that made this one person, also those on people who were merged into them, newest first.
func (s *Service) IdentityLog(ctx context.Context, ws, id string, p page.Request) (page.Of[Decision], error) {
	who, err := s.Get(ctx, ws, id)
	if err != nil {
		return page.Of[Decision]{}, err
	}
	nums, err := s.Nums(ctx, ws, who.Num)
	if err != nil {
		return page.Of[Decision]{}, err
	}
	var before EntryKey
	if _, err := page.Decode(p.Cursor, &before.At, &before.ID); err != nil {
		return page.Of[Decision]{}, err
	}
	rows, err := s.Store.Decisions(ctx, ws, nums, before, p.Size()+1)
	if err != nil {
		return page.Of[Decision]{}, err
	}
	cut := page.Cut(rows, p.Size(), func(e Entry) string { return page.Encode(e.At, e.ID) })
	out, err := s.decisions(ctx, ws, cut.Items)
	return page.Of[Decision]{Items: out, Next: cut.Next}, err
}

func (s *Service) decisions(ctx context.Context, ws string, rows []Entry) ([]Decision, error) {
	out := make([]Decision, len(rows))
	bodies := make([]body, len(rows))
	var nums []uint64
	for i, e := range rows {
		if err := json.Unmarshal([]byte(e.Body), &bodies[i]); err != nil {
			return nil, fmt.Errorf("stored decision %s: %w", e.ID, err)
		}
		nums = append(nums, e.Person, bodies[i].Other)
	}
	found, err := s.Store.People(ctx, ws, nums)
	if err != nil {
		return nil, err
	}
	refs := map[uint64]Ref{}
	for _, r := range found {
		refs[r.Num] = Ref{Workspace: ws, ID: r.ID, Num: r.Num}
	}
	for i, e := range rows {
		b := bodies[i]
		out[i] = Decision{
			ID: e.ID, Person: refs[e.Person], Action: b.Action, Reason: b.Reason, Identifiers: b.IDs, Other: refs[b.Other],
			MessageID: b.Message, Time: micros(b.Time), At: micros(e.At), Count: e.Count,
		}
	}
	return out, nil
}
