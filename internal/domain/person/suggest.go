package person

import (
	"cmp"
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

// SuggestionStatus says what became of a suggestion.
type SuggestionStatus string

// The statuses.
const (
	Open    SuggestionStatus = "open"
	Joined  SuggestionStatus = "joined"  // somebody agreed, and they became or become one
	Refusal SuggestionStatus = "refused" // somebody decided that they are two
)

// Suggestion says that two people may be one. It comes from merges that were refused and from what two people have in common; no machine ever
// acts on it.
type Suggestion struct {
	ID       string
	One, Two Person // as they are now; One would keep its id
	Status   SuggestionStatus
	Score    int // the sum of what its evidence weighs; the list is ordered by it
	Evidence []Indication
	First    time.Time // when it came up
	Last     time.Time // latest evidence
	Note, By string    // why it was decided and who did
	Decided  time.Time // zero while open
}

// Indication is one reason to take two people for one.
type Indication struct {
	Reason string `json:"r"` // of a refusal (Reason constants), or a Like constant
	Kind   string `json:"k,omitempty"`
	Value  string `json:"v,omitempty"` // what they have in common
	Times  int    `json:"n"`           // how often it was met
	First  int64  `json:"f"`           // microseconds UTC, of the event
	Last   int64  `json:"l"`
}

// SuggestionSource says that something from a source or an import speaks for a suggestion.
type SuggestionSource struct{ Suggestion, Source string }

// SuggestionRow is a suggestion as stored.
type SuggestionRow struct {
	ID       string
	One, Two uint64 // One is the smaller number
	Status   SuggestionStatus
	Score    int64
	Evidence string // JSON
	First    int64
	Last     int64
	Note, By string
	Decided  int64
}

// Weights of evidence. What names a person outweighs any number of shared devices.
const (
	weightStrong = 100
	weightLike   = 40
	weightWeak   = 1
	maxEvidence  = 20 // kept of one suggestion
)

// weigh adds up a list of evidence: each reason counts once, and a little more if it keeps coming up.
func (k *kinds) weigh(list []Indication) (score int64) {
	for _, e := range list {
		w := int64(weightWeak)
		switch i, ok := k.rank[e.Kind]; {
		case e.alike():
			w = weightLike
		case ok && k.list[i].Strength == Strong:
			w = weightStrong
		}
		score += w + min(int64(e.Times)-1, w/2)
	}
	return score
}

func (e Indication) alike() bool { return likeWeight[e.Reason] }

// hint is evidence on its way to a suggestion about two people.
type hint struct {
	a, b   uint64
	e      Indication
	source string // of the event: a source or an import; empty: what two people are alike in
}

// hints takes from the verdicts of a batch what speaks for two people being one.
func (g *graph) hints() []hint {
	var out []hint
	for _, v := range g.verdicts {
		if v.action != Refused && v.action != Demoted || v.other == nil || len(v.ids) == 0 {
			continue
		}
		switch v.reason {
		case ReasonConflict, ReasonAlias, ReasonMergeCap, ReasonLinkCap, ReasonLimit, ReasonApart:
		default:
			continue
		}
		a, b := v.who.find(), v.other.find()
		if a == b || a.rec.Num == 0 || b.rec.Num == 0 {
			continue
		}
		id := v.ids[len(v.ids)-1]
		out = append(out, hint{a.rec.Num, b.rec.Num, Indication{Reason: v.reason, Kind: id.Kind, Value: id.Value, Times: v.count, First: v.at.t, Last: v.at.t}, v.source})
	}
	return out
}

// suggest adds evidence to the suggestions about pairs of people. What was refused by hand stays refused, with what speaks against it.
func (s *Service) suggest(ctx context.Context, ws string, k *kinds, hints []hint) error {
	if len(hints) == 0 {
		return nil
	}
	var nums []uint64
	for _, h := range hints {
		nums = append(nums, h.a, h.b)
	}
	rows, err := s.Store.SuggestionsOf(ctx, ws, nums)
	if err != nil {
		return err
	}
	now := s.Clock.Now().UnixMicro()
	changed := map[int]bool{}
	var from []SuggestionSource
	for _, h := range hints {
		one, two := min(h.a, h.b), max(h.a, h.b)
		i := slices.IndexFunc(rows, func(r SuggestionRow) bool { return r.One == one && r.Two == two })
		if i < 0 {
			i = len(rows)
			rows = append(rows, SuggestionRow{ID: id.New("sug"), One: one, Two: two, Status: Open, First: now})
			if h.e.Reason == ReasonApart {
				rows[i].Status, rows[i].Decided = Refusal, now
			}
		}
		r := &rows[i]
		list, err := r.evidence()
		if err != nil {
			return err
		}
		list = addIndication(list, h.e)
		if r.Evidence, err = encodeEvidence(list); err != nil {
			return err
		}
		r.Score, r.Last, changed[i] = k.weigh(list), now, true
		if h.source != "" {
			from = append(from, SuggestionSource{r.ID, h.source})
		}
	}
	var save []SuggestionRow
	for i := range rows {
		if changed[i] {
			save = append(save, rows[i])
		}
	}
	if err := s.Store.SaveSuggestions(ctx, ws, save); err != nil {
		return err
	}
	return s.Store.AddSuggestionSources(ctx, ws, from)
}

func (r SuggestionRow) evidence() (list []Indication, err error) {
	if r.Evidence == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(r.Evidence), &list); err != nil {
		return nil, fmt.Errorf("stored suggestion %s: %w", r.ID, err)
	}
	return list, nil
}

func encodeEvidence(list []Indication) (string, error) {
	b, err := json.Marshal(list)
	if err != nil {
		return "", fmt.Errorf("encode evidence: %w", err)
	}
	return string(b), nil
}

// addIndication counts evidence that is there already, and adds what is new while there is room. What two people are alike in is a fact, not a
// number of times.
func addIndication(list []Indication, e Indication) []Indication {
	i := slices.IndexFunc(list, func(x Indication) bool { return x.Reason == e.Reason && x.Kind == e.Kind && x.Value == e.Value })
	switch {
	case i < 0 && len(list) < maxEvidence:
		return append(list, e)
	case i >= 0:
		if !e.alike() {
			list[i].Times += e.Times
		}
		list[i].First, list[i].Last = min(list[i].First, e.First), max(list[i].Last, e.Last)
	}
	return list
}

// repoint lets suggestions follow merges: those about two who became one are done, those about a loser are about the winner.
func (s *Service) repoint(ctx context.Context, ws string, k *kinds, merges []Merge) error {
	if len(merges) == 0 {
		return nil
	}
	now := map[uint64]uint64{}
	var losers []uint64
	for _, m := range merges {
		now[m.Loser] = m.Winner
		losers = append(losers, m.Loser)
	}
	follow := func(n uint64) uint64 {
		for w, ok := now[n]; ok; w, ok = now[n] {
			n = w
		}
		return n
	}
	rows, err := s.Store.SuggestionsOf(ctx, ws, losers)
	if err != nil || len(rows) == 0 {
		return err
	}
	var winners []uint64
	for _, r := range rows {
		winners = append(winners, follow(r.One), follow(r.Two))
	}
	others, err := s.Store.SuggestionsOf(ctx, ws, winners)
	if err != nil {
		return err
	}
	drop := map[string]string{}
	var save []SuggestionRow
	at := s.Clock.Now().UnixMicro()
	for _, r := range rows {
		a, b := follow(r.One), follow(r.Two)
		if a == b {
			if r.Status != Joined {
				r.Status, r.Decided = Joined, at
				save = append(save, r)
			}
			continue
		}
		r.One, r.Two = min(a, b), max(a, b)
		same := func(x SuggestionRow) bool { return x.ID != r.ID && x.One == r.One && x.Two == r.Two }
		list := save
		i := slices.IndexFunc(list, same)
		if i < 0 {
			if j := slices.IndexFunc(others, same); j >= 0 && !slices.ContainsFunc(rows, func(x SuggestionRow) bool { return x.ID == others[j].ID }) {
				save = append(save, others[j])
				i = len(save) - 1
			}
		}
		if i < 0 {
			save = append(save, r)
			continue
		}
		mine, err := r.evidence()
		if err != nil {
			return err
		}
		into := &save[i]
		all, err := into.evidence()
		if err != nil {
			return err
		}
		for _, e := range mine {
			all = addIndication(all, e)
		}
		if into.Evidence, err = encodeEvidence(all); err != nil {
			return err
		}
		into.Score, into.First, into.Last = k.weigh(all), min(into.First, r.First), max(into.Last, r.Last)
		if r.Status == Refusal && into.Status == Open { // a no stands
			into.Status, into.Note, into.By, into.Decided = r.Status, r.Note, r.By, r.Decided
		}
		drop[r.ID] = into.ID
	}
	if err := s.Store.DropSuggestions(ctx, ws, drop); err != nil {
		return err
	}
	return s.Store.SaveSuggestions(ctx, ws, save)
}

// suggestedNoMore lets suggestions follow a split: one that was agreed to, about two who are two again, is refused, by whoever parted them.
func (w *rework) suggestedNoMore(ctx context.Context, from, made *subject) error {
	losers, err := w.Store.Losers(ctx, w.ws, []uint64{from.rec.Num})
	if err != nil {
		return err
	}
	both := []uint64{from.rec.Num}
	for _, l := range losers {
		both = append(both, l.Num)
	}
	rows, err := w.Store.SuggestionsOf(ctx, w.ws, both)
	if err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(r SuggestionRow) bool {
		return r.Status != Joined || !slices.Contains(both, r.One) || !slices.Contains(both, r.Two)
	})
	if len(rows) == 0 {
		return nil
	}
	log, err := w.history(ctx, w.ws, from.rec.Num)
	if err != nil {
		return err
	}
	var theirs []event.Identifier
	for n := range made.nodes {
		theirs = append(theirs, n.id)
	}
	left := func(num uint64) bool { // whether what this one of the two came with is the made person's now
		return slices.ContainsFunc(log, func(d Decision) bool {
			return d.Person.Num == num && d.brings() && slices.ContainsFunc(d.Identifiers, func(x event.Identifier) bool { return slices.Contains(theirs, w.next.one(x)) })
		})
	}
	said := Apart{Created: w.Clock.Now().UnixMicro()}
	decided, err := w.Store.ApartOf(ctx, w.ws, theirs)
	if err != nil {
		return err
	}
	if len(decided) > 0 {
		said = slices.MaxFunc(decided, func(a, b Apart) int { return cmp.Compare(a.Created, b.Created) })
	}
	var save []SuggestionRow
	drop := map[string]string{}
	for _, r := range rows {
		switch {
		case left(r.One) == left(r.Two): // these two are one still
		case len(save) > 0:
			drop[r.ID] = save[0].ID
		default:
			r.One, r.Two = min(from.rec.Num, made.rec.Num), max(from.rec.Num, made.rec.Num)
			r.Status, r.Note, r.By, r.Decided = Refusal, said.Note, said.By, said.Created
			save = append(save, r)
		}
	}
	if err := w.Store.DropSuggestions(ctx, w.ws, drop); err != nil {
		return err
	}
	return w.Store.SaveSuggestions(ctx, w.ws, save)
}

// Suggestions returns suggestions of a status, those that weigh most first; of a source only those that something from it speaks for.
func (s *Service) Suggestions(ctx context.Context, ws string, status SuggestionStatus, source string, p page.Request) (page.Of[Suggestion], error) {
	var after SuggestionRow
	if _, err := page.Decode(p.Cursor, &after.Score, &after.ID); err != nil {
		return page.Of[Suggestion]{}, err
	}
	rows, err := s.Store.Suggestions(ctx, ws, status, source, after, p.Size()+1)
	if err != nil {
		return page.Of[Suggestion]{}, err
	}
	cut := page.Cut(rows, p.Size(), func(r SuggestionRow) string { return page.Encode(r.Score, r.ID) })
	out, err := s.suggestions(ctx, ws, cut.Items)
	return page.Of[Suggestion]{Items: out, Next: cut.Next}, err
}

// CountSuggestions returns of how many pairs something from a source says that they are one, and who are two all the same.
func (s *Service) CountSuggestions(ctx context.Context, ws, source string) (int64, error) {
	return s.Store.CountSuggestions(ctx, ws, source)
}

// Suggestion returns one.
func (s *Service) Suggestion(ctx context.Context, ws, suggestionID string) (Suggestion, error) {
	row, err := s.Store.Suggestion(ctx, ws, suggestionID)
	if err != nil {
		return Suggestion{}, err
	}
	out, err := s.suggestions(ctx, ws, []SuggestionRow{row})
	if err != nil {
		return Suggestion{}, err
	}
	return out[0], nil
}

func (s *Service) suggestions(ctx context.Context, ws string, rows []SuggestionRow) ([]Suggestion, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	var nums []uint64
	for _, r := range rows {
		nums = append(nums, r.One, r.Two)
	}
	records, err := s.Store.People(ctx, ws, nums)
	if err != nil {
		return nil, err
	}
	winners, err := s.winners(ctx, ws, records)
	if err != nil {
		return nil, err
	}
	people, err := s.people(ctx, ws, winners)
	if err != nil {
		return nil, err
	}
	byNum := map[uint64]Person{}
	for i, r := range records {
		byNum[r.Num] = people[i]
	}
	out := make([]Suggestion, len(rows))
	for i, r := range rows {
		list, err := r.evidence()
		if err != nil {
			return nil, err
		}
		x := Suggestion{ID: r.ID, One: byNum[r.One], Two: byNum[r.Two], Status: r.Status, Score: int(r.Score), Evidence: list, First: micros(r.First), Last: micros(r.Last), Note: r.Note, By: r.By, Decided: micros(r.Decided)}
		if survives(x.Two, x.One) {
			x.One, x.Two = x.Two, x.One
		}
		out[i] = x
	}
	return out, nil
}

// survives reports whether a would keep the id if the two became one, as subject.beats has it.
func survives(a, b Person) bool {
	switch ua, ub := a.UserID() != "", b.UserID() != ""; {
	case ua != ub:
		return ua
	case !a.FirstSeen.Equal(b.FirstSeen):
		return !a.FirstSeen.IsZero() && (b.FirstSeen.IsZero() || a.FirstSeen.Before(b.FirstSeen))
	}
	return a.ID < b.ID
}

// AcceptSuggestion joins the two, by is who decided. Again, it changes nothing.
func (s *Service) AcceptSuggestion(ctx context.Context, ws, suggestionID, note, by string) (Suggestion, error) {
	return s.decideSuggestion(ctx, ws, suggestionID, Joined, note, by, func(ctx context.Context, x Suggestion) error {
		return s.Join(ctx, ws, x.One.ID, x.Two.ID, "suggestion:"+x.ID)
	})
}

// RefuseSuggestion keeps the two apart: no machine joins them, and they are not suggested again. Again, it changes nothing.
func (s *Service) RefuseSuggestion(ctx context.Context, ws, suggestionID, note, by string) (Suggestion, error) {
	return s.decideSuggestion(ctx, ws, suggestionID, Refusal, note, by, func(ctx context.Context, x Suggestion) error {
		_, err := s.Separate(ctx, ws, x.One.ID, x.Two.ID, note, by)
		return err
	})
}

func (s *Service) decideSuggestion(ctx context.Context, ws, suggestionID string, to SuggestionStatus, note, by string, do func(context.Context, Suggestion) error) (Suggestion, error) {
	if utf8.RuneCountInString(note) > maxNote {
		return Suggestion{}, errs.Invalid("person.split.note", "note", "at most %d characters", maxNote)
	}
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.Lock(ctx, ws); err != nil {
			return err
		}
		row, err := s.Store.Suggestion(ctx, ws, suggestionID)
		switch {
		case err != nil || row.Status == to:
			return err
		case row.Status != Open:
			return errs.Conflict("person.suggestion.decided", "this suggestion was decided already; open the person to change it")
		}
		found, err := s.suggestions(ctx, ws, []SuggestionRow{row})
		if err != nil {
			return err
		}
		if err := do(ctx, found[0]); err != nil {
			return err
		}
		row.Status, row.Note, row.By, row.Decided = to, note, by, s.Clock.Now().UnixMicro()
		return s.Store.SaveSuggestions(ctx, ws, []SuggestionRow{row})
	})
	if err != nil {
		return Suggestion{}, err
	}
	return s.Suggestion(ctx, ws, suggestionID)
}
