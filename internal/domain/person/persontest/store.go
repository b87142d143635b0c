package persontest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

// Run is the conformance suite of person.Store. open returns a fresh store with the transactions it takes part in.
func Run(t *testing.T, open func(t *testing.T) (person.Store, tx.Runner)) {
	for name, body := range map[string]func(*testing.T, person.Store, tx.Runner){
		"numbers":     numbers,
		"position":    position,
		"seen":        seen,
		"links":       links,
		"people":      people,
		"redirects":   redirects,
		"decisions":   decisions,
		"tasks":       tasks,
		"scheme":      scheme,
		"apart":       apart,
		"spellings":   spellings,
		"suggestions": suggestions,
		"list":        list,
		"transaction": transaction,
		"service":     service,
	} {
		t.Run(name, func(t *testing.T) {
			store, run := open(t)
			body(t, store, run)
		})
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func get[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		ok(t, err)
		return v
	}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

func numbers(t *testing.T, s person.Store, _ tx.Runner) {
	ctx, n := t.Context(), get[uint64](t)
	ok(t, s.Lock(ctx, "ws_1"))
	equal(t, "first", n(s.NextNums(ctx, "ws_1", 3)), uint64(1))
	ok(t, s.Lock(ctx, "ws_1"))
	equal(t, "after three", n(s.NextNums(ctx, "ws_1", 1)), uint64(4))
	equal(t, "without lock, other workspace", n(s.NextNums(ctx, "ws_2", 2)), uint64(1))
	equal(t, "its next", n(s.NextNums(ctx, "ws_2", 1)), uint64(3))
}

func position(t *testing.T, s person.Store, _ tx.Runner) {
	ctx, n := t.Context(), get[uint64](t)
	equal(t, "at first", n(s.Position(ctx)), uint64(0))
	ok(t, s.SetPosition(ctx, 7))
	ok(t, s.SetPosition(ctx, 5))
	equal(t, "never back", n(s.Position(ctx)), uint64(7))
}

func seen(t *testing.T, s person.Store, _ tx.Runner) {
	ctx := t.Context()
	odd := "it's \"odd\" \\ % _ 絆"
	ok(t, s.SaveSeen(ctx, "ws_1", []person.Seen{
		{MessageID: "a", Seq: 1, Index: 2, Person: 3, Day: 10}, {MessageID: odd, Seq: 1<<62 + 1, Index: 0, Person: 0, Day: 11}, {MessageID: "A", Seq: 9, Day: 12},
	}))
	ok(t, s.SaveSeen(ctx, "ws_2", []person.Seen{{MessageID: "a", Seq: 5, Day: 10}}))
	equal(t, "found", get[map[string]person.Seen](t)(s.Seen(ctx, "ws_1", []string{"a", odd, "none"})), map[string]person.Seen{
		"a": {MessageID: "a", Seq: 1, Index: 2, Person: 3, Day: 10}, odd: {MessageID: odd, Seq: 1<<62 + 1, Day: 11},
	})
	equal(t, "nothing asked", len(get[map[string]person.Seen](t)(s.Seen(ctx, "ws_1", nil))), 0)
	ok(t, s.MoveSeen(ctx, []event.Move{{Workspace: "ws_1", MessageID: "a", To: 8}}))
	equal(t, "moved", get[map[string]person.Seen](t)(s.Seen(ctx, "ws_1", []string{"a"}))["a"].Person, uint64(8))
	equal(t, "not the other workspace's", get[map[string]person.Seen](t)(s.Seen(ctx, "ws_2", []string{"a"}))["a"].Person, uint64(0))
	purged := get[int64](t)
	equal(t, "bounded", purged(s.PurgeSeen(ctx, 12, 2)), int64(2))
	equal(t, "rest", purged(s.PurgeSeen(ctx, 12, 2)), int64(1))
	equal(t, "young ones stay", len(get[map[string]person.Seen](t)(s.Seen(ctx, "ws_1", []string{"a", odd, "A"}))), 1)
	if err := s.SaveSeen(ctx, "ws_1", []person.Seen{{MessageID: "A"}}); err == nil {
		t.Fatal("a message id was kept twice")
	}
}

func link(kind, value string, owner uint64) person.Link {
	return person.Link{Identifier: event.Identifier{Kind: kind, Value: value}, Person: owner, FirstSeen: 1, LastSeen: 2, LastMessage: "m", Source: "src"}
}

func byValue(rows []person.Link) []person.Link {
	slices.SortFunc(rows, func(a, b person.Link) int {
		if a.String() < b.String() {
			return -1
		}
		return 1
	})
	return rows
}

func links(t *testing.T, s person.Store, _ tx.Runner) {
	ctx, found := t.Context(), get[[]person.Link](t)
	mail, upper, dev := link("email", "a@x", 1), link("email", "A@x", 2), link("device_id", "a@x", 1)
	dev.Spans, dev.Users, dev.Shared, dev.SharedMsg, dev.Contested = `[[0,"",1]]`, `[["u",5]]`, 9, "m9", true
	ok(t, s.SaveLinks(ctx, "ws_1", []person.Link{mail, upper, dev}))
	ok(t, s.SaveLinks(ctx, "ws_2", []person.Link{link("email", "a@x", 7)}))
	equal(t, "case and kind matter", byValue(found(s.Links(ctx, "ws_1", []event.Identifier{mail.Identifier, dev.Identifier, {Kind: "phone", Value: "A@x"}}))), []person.Link{dev, mail})
	equal(t, "of a person", byValue(found(s.LinksOf(ctx, "ws_1", []uint64{1, 5}))), []person.Link{dev, mail})
	touched := mail
	touched.LastSeen, touched.LastMessage, touched.Users = 99, "m99", `[["u",99]]`
	noise := touched
	noise.Person, noise.FirstSeen = 55, 55
	ok(t, s.TouchLinks(ctx, "ws_1", []person.Link{noise}))
	equal(t, "touched", found(s.Links(ctx, "ws_1", []event.Identifier{mail.Identifier})), []person.Link{touched})
	mail.Person, mail.Contested, mail.Spans = 2, true, `[[0,"",1],[5,"m5",2]]`
	ok(t, s.SaveLinks(ctx, "ws_1", []person.Link{mail}))
	equal(t, "replaced", found(s.Links(ctx, "ws_1", []event.Identifier{mail.Identifier})), []person.Link{mail})
	ok(t, s.DropLinks(ctx, "ws_1", []event.Identifier{mail.Identifier, {Kind: "email", Value: "none"}}))
	equal(t, "dropped", len(found(s.Links(ctx, "ws_1", []event.Identifier{mail.Identifier}))), 0)
	equal(t, "elsewhere untouched", len(found(s.LinksOf(ctx, "ws_2", []uint64{7}))), 1)
}

func record(num uint64) person.Record {
	return person.Record{
		Num: num, ID: fmt.Sprintf("per_%d", num), FirstSeen: 1, LastSeen: 2, Created: 3, Updated: 4, Touch: 5, TouchMsg: "m", Merges: 6, Links: 7,
		Best: 8, Traits: `{"a":{"v":1,"t":1}}`, Facts: `{}`,
	}
}

func byNum(rows []person.Record) []person.Record {
	slices.SortFunc(rows, func(a, b person.Record) int { return int(a.Num) - int(b.Num) })
	return rows
}

func people(t *testing.T, s person.Store, _ tx.Runner) {
	ctx, found := t.Context(), get[[]person.Record](t)
	a, b := record(1), record(2)
	b.UserID, b.Contested = "u2", true
	ok(t, s.AddPeople(ctx, "ws_1", []person.Record{a, b}))
	equal(t, "by number", byNum(found(s.People(ctx, "ws_1", []uint64{1, 2, 3}))), []person.Record{a, b})
	equal(t, "by id", found(s.PeopleByID(ctx, "ws_1", []string{"per_2", "per_9"})), []person.Record{b})
	equal(t, "workspace", len(found(s.People(ctx, "ws_2", []uint64{1}))), 0)
	equal(t, "names", byNum(found(s.Names(ctx, "ws_1", []uint64{1, 2, 3}))), []person.Record{{Num: a.Num, ID: a.ID, Redirect: a.Redirect}, {Num: b.Num, ID: b.ID, Redirect: b.Redirect}})
	equal(t, "names elsewhere", len(found(s.Names(ctx, "ws_2", []uint64{1}))), 0)
	b.UserID, b.LastSeen, b.Updated, b.Touch, b.TouchMsg, b.Merges, b.Links, b.Best, b.Contested, b.Traits, b.Facts = "u3", 20, 21, 22, "m22", 23, 24, 25, false, `{"b":{"t":1}}`, `{"c":{"events":1}}`
	changed := b
	changed.Created, changed.Redirect, changed.ID = 99, 99, "per_99"
	ok(t, s.SavePeople(ctx, "ws_1", []person.Record{changed}))
	equal(t, "saved", found(s.People(ctx, "ws_1", []uint64{2})), []person.Record{b})
	if err := s.AddPeople(ctx, "ws_1", []person.Record{record(1)}); err == nil {
		t.Fatal("a number was given out twice")
	}
}

func redirects(t *testing.T, s person.Store, _ tx.Runner) {
	ctx := t.Context()
	ok(t, s.AddPeople(ctx, "ws_1", []person.Record{record(1), record(2), record(3), record(4)}))
	ok(t, s.SaveLinks(ctx, "ws_1", []person.Link{link("email", "a", 1), link("email", "b", 2), link("email", "c", 4)}))
	ok(t, s.Redirect(ctx, "ws_1", []person.Merge{{Loser: 1, Winner: 2, Seq: 10}}))
	ok(t, s.Redirect(ctx, "ws_1", []person.Merge{{Loser: 2, Winner: 3, Seq: 20}, {Loser: 4, Winner: 3}}))
	for _, r := range get[[]person.Record](t)(s.People(ctx, "ws_1", []uint64{1, 2, 4})) {
		equal(t, fmt.Sprintf("winner of %d", r.Num), r.Redirect, uint64(3))
	}
	equal(t, "identifiers", len(get[[]person.Link](t)(s.LinksOf(ctx, "ws_1", []uint64{3}))), 3)
	var losers []uint64
	for _, r := range byNum(get[[]person.Record](t)(s.Losers(ctx, "ws_1", []uint64{3, 2}))) {
		losers = append(losers, r.Num)
	}
	equal(t, "losers", losers, []uint64{1, 2, 4})
	between := get[[]event.Redirect](t)
	equal(t, "caused by", between(s.RedirectsBetween(ctx, 10, 19)), []event.Redirect{{Workspace: "ws_1", Loser: 1, Winner: 3}})
	equal(t, "those without a record are not", len(between(s.RedirectsBetween(ctx, 0, 100))), 2)
	equal(t, "count", get[int64](t)(s.Count(ctx, "ws_1", person.Query{})), int64(1))
}

func decisions(t *testing.T, s person.Store, _ tx.Runner) {
	ctx, read := t.Context(), get[[]person.Entry](t)
	entry := func(who uint64, at int64, id string, count int) person.Entry {
		return person.Entry{EntryKey: person.EntryKey{At: at, ID: id}, Person: who, Count: count, Body: `{"a":"` + id + `"}`}
	}
	ok(t, s.AddDecisions(ctx, "ws_1", []person.Entry{entry(1, 5, "a", 1), entry(1, 5, "b", 1), entry(2, 6, "c", 1), entry(3, 7, "d", 1), entry(1, 4, "day", 2)}))
	ok(t, s.AddDecisions(ctx, "ws_1", []person.Entry{entry(1, 4, "day", 3)}))
	all := read(s.Decisions(ctx, "ws_1", []uint64{1, 2}, person.EntryKey{}, 10))
	equal(t, "newest first", all, []person.Entry{entry(2, 6, "c", 1), entry(1, 5, "b", 1), entry(1, 5, "a", 1), entry(1, 4, "day", 5)})
	equal(t, "after the cursor", read(s.Decisions(ctx, "ws_1", []uint64{1, 2}, all[1].EntryKey, 1)), all[2:3])
	equal(t, "workspace", len(read(s.Decisions(ctx, "ws_2", []uint64{1}, person.EntryKey{}, 10))), 0)
}

func tasks(t *testing.T, s person.Store, _ tx.Runner) {
	ctx, read := t.Context(), get[[]person.Task](t)
	a, b := person.Task{Workspace: "ws_1", ID: "tsk_1", Seeds: "[]", Created: 1}, person.Task{Workspace: "ws_2", ID: "tsk_2", Seeds: "[1]", Created: 2}
	ok(t, s.AddTask(ctx, b))
	ok(t, s.AddTask(ctx, a))
	equal(t, "oldest first", read(s.Tasks(ctx, 10)), []person.Task{a, b})
	equal(t, "bounded", read(s.Tasks(ctx, 1)), []person.Task{a})
	ok(t, s.DropTasks(ctx, "ws_2", []string{"tsk_1", "tsk_2"}))
	equal(t, "dropped", read(s.Tasks(ctx, 10)), []person.Task{a})

	effects := get[[]person.Effect](t)
	x, y := person.Effect{ID: "eff_1", Workspace: "ws_1", Body: "{}"}, person.Effect{ID: "eff_2", Workspace: "ws_2", Body: "[]"}
	ok(t, s.AddEffect(ctx, y))
	ok(t, s.AddEffect(ctx, x))
	equal(t, "effects", effects(s.Effects(ctx, 10)), []person.Effect{x, y})
	ok(t, s.DropEffects(ctx, []string{"eff_1"}))
	equal(t, "acknowledged", effects(s.Effects(ctx, 10)), []person.Effect{y})
}

func apart(t *testing.T, s person.Store, _ tx.Runner) {
	ctx, read, has := t.Context(), get[[]person.Apart](t), get[bool](t)
	mail, phone, anon := event.Identifier{Kind: "email", Value: "a"}, event.Identifier{Kind: "phone", Value: "a"}, event.Identifier{Kind: "anonymous_id", Value: "x"}
	a := person.Apart{ID: "apt_1", One: []event.Identifier{mail}, Two: []event.Identifier{anon, phone}, Person: 3, Split: true, Note: "n", By: "usr", Created: 5}
	b := person.Apart{ID: "apt_0", One: []event.Identifier{phone}, Two: []event.Identifier{mail}, Person: 4, Created: 6}
	equal(t, "none", has(s.HasApart(ctx, "ws_1")), false)
	ok(t, s.AddApart(ctx, "ws_1", a))
	ok(t, s.AddApart(ctx, "ws_1", b))
	equal(t, "some", has(s.HasApart(ctx, "ws_1")), true)
	equal(t, "in another workspace", has(s.HasApart(ctx, "ws_2")), false)
	equal(t, "oldest first", read(s.ApartOf(ctx, "ws_1", []event.Identifier{mail, anon})), []person.Apart{a, b})
	equal(t, "by one identifier", read(s.ApartOf(ctx, "ws_1", []event.Identifier{anon})), []person.Apart{a})
	equal(t, "same value of another kind", len(read(s.ApartOf(ctx, "ws_1", []event.Identifier{{Kind: "user_id", Value: "a"}}))), 0)
	equal(t, "seen from another workspace", len(read(s.ApartOf(ctx, "ws_2", []event.Identifier{mail}))), 0)
	if _, err := s.DropApart(ctx, "ws_2", a.ID); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("dropped from another workspace: %v", err)
	}
	equal(t, "dropped", get[person.Apart](t)(s.DropApart(ctx, "ws_1", a.ID)), a)
	equal(t, "left", read(s.ApartOf(ctx, "ws_1", []event.Identifier{mail, anon})), []person.Apart{b})
	if _, err := s.DropApart(ctx, "ws_1", a.ID); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("dropped twice: %v", err)
	}
}

func spellings(t *testing.T, s person.Store, _ tx.Runner) {
	ctx, read, builds, links := t.Context(), get[[]person.Spelling](t), get[[]person.HashBuild](t), get[[]person.Link](t)
	x := person.Spelling{Hash: event.Identifier{Kind: "email", Value: "md5:1"}, Of: "a@x"}
	y := person.Spelling{Hash: event.Identifier{Kind: "phone", Value: "md5:1"}, Of: "+1"}
	equal(t, "at first", get[bool](t)(s.Hashing(ctx, "ws_1")), false)
	ok(t, s.BeginHashing(ctx, "ws_1"))
	equal(t, "begun", get[bool](t)(s.Hashing(ctx, "ws_1")), true)
	equal(t, "in another workspace", get[bool](t)(s.Hashing(ctx, "ws_2")), false)
	equal(t, "build", builds(s.HashBuilds(ctx, 10)), []person.HashBuild{{Workspace: "ws_1"}})
	b := person.HashBuild{Workspace: "ws_1", After: event.Identifier{Kind: "email", Value: "a"}}
	ok(t, s.SetHashBuild(ctx, b, false))
	ok(t, s.BeginHashing(ctx, "ws_1"))
	equal(t, "begun twice", builds(s.HashBuilds(ctx, 10)), []person.HashBuild{b})
	ok(t, s.SetHashBuild(ctx, b, true))
	equal(t, "done", len(builds(s.HashBuilds(ctx, 10))), 0)
	ok(t, s.AddSpellings(ctx, "ws_1", []person.Spelling{x, y}))
	ok(t, s.AddSpellings(ctx, "ws_1", []person.Spelling{{Hash: x.Hash, Of: "other"}}))
	equal(t, "by hash", read(s.Spellings(ctx, "ws_1", []event.Identifier{x.Hash, {Kind: "email", Value: "md5:2"}})), []person.Spelling{x})
	equal(t, "workspace", len(read(s.Spellings(ctx, "ws_2", []event.Identifier{x.Hash}))), 0)
	rows := []person.Link{link("email", "a", 1), link("email", "b", 2), link("phone", "a", 3)}
	ok(t, s.SaveLinks(ctx, "ws_1", rows))
	equal(t, "identifiers in order", links(s.LinksAfter(ctx, "ws_1", event.Identifier{}, 2)), rows[:2])
	equal(t, "after one", links(s.LinksAfter(ctx, "ws_1", rows[0].Identifier, 9)), rows[1:])
}

func suggestions(t *testing.T, s person.Store, _ tx.Runner) {
	ctx, read := t.Context(), get[[]person.SuggestionRow](t)
	row := func(id string, one, two uint64, score int64) person.SuggestionRow {
		return person.SuggestionRow{ID: id, One: one, Two: two, Status: person.Open, Score: score, Evidence: "[]", First: 1, Last: 2, Note: "n", By: "b", Decided: 3}
	}
	a, b, c := row("sug_a", 1, 2, 5), row("sug_b", 2, 3, 9), row("sug_c", 4, 5, 5)
	ok(t, s.SaveSuggestions(ctx, "ws_1", []person.SuggestionRow{a, b, c}))
	equal(t, "one", get[person.SuggestionRow](t)(s.Suggestion(ctx, "ws_1", "sug_b")), b)
	if _, err := s.Suggestion(ctx, "ws_2", "sug_b"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("from another workspace: %v", err)
	}
	equal(t, "by score, then newest", read(s.Suggestions(ctx, "ws_1", person.Open, "", person.SuggestionRow{}, 9)), []person.SuggestionRow{b, c, a})
	equal(t, "after one", read(s.Suggestions(ctx, "ws_1", person.Open, "", c, 9)), []person.SuggestionRow{a})
	equal(t, "of somebody", len(read(s.SuggestionsOf(ctx, "ws_1", []uint64{2, 3}))), 2)
	equal(t, "of nobody", len(read(s.SuggestionsOf(ctx, "ws_2", []uint64{2}))), 0)
	a.Status, a.One, a.Two = person.Joined, 7, 8
	ok(t, s.SaveSuggestions(ctx, "ws_1", []person.SuggestionRow{a}))
	equal(t, "saved", read(s.SuggestionsOf(ctx, "ws_1", []uint64{8})), []person.SuggestionRow{a})
	from := []person.SuggestionSource{{Suggestion: "sug_a", Source: "job_1"}, {Suggestion: "sug_b", Source: "job_1"}, {Suggestion: "sug_b", Source: "src_1"}, {Suggestion: "sug_c", Source: "src_1"}}
	ok(t, s.AddSuggestionSources(ctx, "ws_1", from))
	ok(t, s.AddSuggestionSources(ctx, "ws_1", from[1:2]))
	count := get[int64](t)
	equal(t, "of a source, without what was joined", count(s.CountSuggestions(ctx, "ws_1", "job_1")), int64(1))
	equal(t, "in another workspace", count(s.CountSuggestions(ctx, "ws_2", "job_1")), int64(0))
	equal(t, "list of a source", read(s.Suggestions(ctx, "ws_1", person.Open, "job_1", person.SuggestionRow{}, 9)), []person.SuggestionRow{b})
	ok(t, s.DropSuggestions(ctx, "ws_1", map[string]string{"sug_b": "sug_c"}))
	equal(t, "dropped", read(s.Suggestions(ctx, "ws_1", person.Open, "", person.SuggestionRow{}, 9)), []person.SuggestionRow{c})
	equal(t, "what came from the source is noted of the heir", read(s.Suggestions(ctx, "ws_1", person.Open, "job_1", person.SuggestionRow{}, 9)), []person.SuggestionRow{c})
	equal(t, "once", count(s.CountSuggestions(ctx, "ws_1", "src_1")), int64(1))

	alike := get[[]person.Likeness](t)
	ok(t, s.AddPeople(ctx, "ws_1", []person.Record{record(1), record(2), record(3)}))
	ok(t, s.SaveLikenesses(ctx, "ws_1", []uint64{1, 2, 3}, []person.Likeness{{Key: "k", Person: 1}, {Key: "k", Person: 2}, {Key: "l", Person: 2}, {Key: "k", Person: 3}}))
	ok(t, s.SaveLikenesses(ctx, "ws_1", []uint64{2}, []person.Likeness{{Key: "k", Person: 2}}))
	ok(t, s.Redirect(ctx, "ws_1", []person.Merge{{Loser: 3, Winner: 1}}))
	equal(t, "alike", alike(s.Alike(ctx, "ws_1", []string{"k", "l"})), []person.Likeness{{Key: "k", Person: 1}, {Key: "k", Person: 2}})
	equal(t, "alike elsewhere", len(alike(s.Alike(ctx, "ws_2", []string{"k"}))), 0)

	equal(t, "never looked", get[person.Look](t)(s.Look(ctx, "ws_1")), person.Look{})
	for _, l := range []person.Look{{Before: 5, Started: 6}, {Before: 2, Started: 6, Second: true, Done: true}} {
		ok(t, s.SetLook(ctx, "ws_1", l))
		equal(t, "looked", get[person.Look](t)(s.Look(ctx, "ws_1")), l)
	}
}

func list(t *testing.T, s person.Store, _ tx.Runner) {
	ctx := t.Context()
	find := func(ws string, q person.Query, before uint64, limit int) []uint64 {
		t.Helper()
		rows, err := s.Find(ctx, ws, q, person.Place{Num: before}, limit)
		ok(t, err)
		out := []uint64{}
		for _, r := range rows {
			out = append(out, r.Num)
		}
		return out
	}
	var rows []person.Record
	for i := range uint64(5) {
		rows = append(rows, record(i+1))
	}
	for i := range rows {
		rows[i].UserID, rows[i].LastSeen = "", int64(i+1)*100
	}
	rows[1].UserID = "u2"
	ok(t, s.AddPeople(ctx, "ws_1", rows))
	ok(t, s.AddPeople(ctx, "ws_2", rows[:1]))
	sought := func(num uint64, text, identifiers string) person.Sought {
		return person.Sought{Num: num, Identified: num == 2, Text: text, Identifiers: &identifiers}
	}
	ok(t, s.SaveSought(ctx, "ws_1", []person.Sought{
		sought(1, "山田太郎\ntaro@x", ""), sought(2, `100% \ done_`, ""), sought(3, "other", "abc-taro"), sought(4, "", "device"), sought(5, "taro", ""),
	}))
	ok(t, s.SaveSought(ctx, "ws_1", []person.Sought{sought(4, "", "device\ntaro-5"), {Num: 3, Text: "others"}}))
	ok(t, s.SaveSought(ctx, "ws_2", []person.Sought{sought(1, "taro", "")}))
	ok(t, s.Redirect(ctx, "ws_1", []person.Merge{{Loser: 5, Winner: 4}}))
	equal(t, "newest first without losers", find("ws_1", person.Query{}, 0, 10), []uint64{4, 3, 2, 1})
	equal(t, "below the cursor", find("ws_1", person.Query{}, 4, 2), []uint64{3, 2})
	equal(t, "text and identifiers", find("ws_1", person.Query{Text: "taro"}, 0, 10), []uint64{4, 3, 1})
	equal(t, "text anew beside identifiers as they were", find("ws_1", person.Query{Text: "others"}, 0, 10), []uint64{3})
	equal(t, "paged", find("ws_1", person.Query{Text: "taro"}, 3, 10), []uint64{1})
	equal(t, "characters without spaces between", find("ws_1", person.Query{Text: "田太"}, 0, 10), []uint64{1})
	for _, q := range []string{"0%", `% \`, "e_", `\`} {
		equal(t, "wildcards are letters: "+q, find("ws_1", person.Query{Text: q}, 0, 10), []uint64{2})
	}
	equal(t, "nothing", find("ws_1", person.Query{Text: "x_x"}, 0, 10), []uint64{})
	equal(t, "workspace", find("ws_2", person.Query{Text: "taro"}, 0, 10), []uint64{1})
	ok(t, s.SaveLinks(ctx, "ws_1", []person.Link{link("email", "three@x", 3)}))
	strong := []string{"email", "user_id"}
	for _, c := range []struct {
		name string
		q    person.Query
		want []uint64
	}{
		{"identified", person.Query{Status: person.Identified, Strong: strong}, []uint64{2}},
		{"known", person.Query{Status: person.Known, Strong: strong}, []uint64{3}},
		{"anonymous", person.Query{Status: person.Anonymous, Strong: strong}, []uint64{4, 1}},
		{"seen since", person.Query{SeenFrom: 300}, []uint64{4, 3}},
		{"seen before", person.Query{SeenTo: 300}, []uint64{2, 1}},
		{"text seen since", person.Query{Text: "taro", SeenFrom: 300}, []uint64{4, 3}},
		{"text by last seen", person.Query{Text: "taro", Order: person.Silent}, []uint64{1, 3, 4}},
		{"identified by last seen", person.Query{Status: person.Identified, Strong: strong, Order: person.Recent}, []uint64{2}},
		{"seen between", person.Query{SeenFrom: 200, SeenTo: 400}, []uint64{3, 2}},
		{"among", person.Query{Nums: []uint64{5, 4, 2, 9}}, []uint64{4, 2}},
		{"among nobody", person.Query{Nums: []uint64{}}, []uint64{}},
		{"all at once", person.Query{Text: "taro", Status: person.Anonymous, Strong: strong, SeenTo: 300, Nums: []uint64{1, 2, 3}}, []uint64{1}},
	} {
		equal(t, c.name, find("ws_1", c.q, 0, 10), c.want)
		equal(t, "counted: "+c.name, get[int64](t)(s.Count(ctx, "ws_1", c.q)), int64(len(c.want)))
	}
	equal(t, "filtered and paged", find("ws_1", person.Query{Status: person.Anonymous, Strong: strong}, 4, 10), []uint64{1})
	// 6 was seen when 2 was.
	sixth := record(6)
	sixth.UserID, sixth.LastSeen = "", 200
	ok(t, s.AddPeople(ctx, "ws_1", []person.Record{sixth}))
	for _, c := range []struct {
		order person.Order
		want  []uint64
	}{{person.Recent, []uint64{4, 3, 6, 2, 1}}, {person.Silent, []uint64{1, 2, 6, 3, 4}}, {person.Newest, []uint64{6, 4, 3, 2, 1}}} {
		equal(t, "order "+string(c.order), find("ws_1", person.Query{Order: c.order}, 0, 10), c.want)
		var walked []uint64
		var at person.Place
		for {
			rows, err := s.Find(ctx, "ws_1", person.Query{Order: c.order}, at, 2)
			ok(t, err)
			if len(rows) == 0 {
				break
			}
			for _, r := range rows {
				walked = append(walked, r.Num)
			}
			last := rows[len(rows)-1]
			at = person.Place{Num: last.Num, Seen: last.LastSeen}
		}
		equal(t, "page by page "+string(c.order), walked, c.want)
		equal(t, "narrowed "+string(c.order), len(find("ws_1", person.Query{Order: c.order, Nums: []uint64{2, 4}}, 0, 10)), 2)
	}
	equal(t, "count", get[int64](t)(s.Count(ctx, "ws_1", person.Query{})), int64(5))
	equal(t, "count of an empty workspace", get[int64](t)(s.Count(ctx, "ws_3", person.Query{})), int64(0))
}

func transaction(t *testing.T, s person.Store, run tx.Runner) {
	stop := errors.New("stop")
	err := run.InTx(t.Context(), func(ctx context.Context) error {
		ok(t, s.Lock(ctx, "ws_1"))
		ok(t, s.AddPeople(ctx, "ws_1", []person.Record{record(1)}))
		ok(t, s.SaveSeen(ctx, "ws_1", []person.Seen{{MessageID: "a"}}))
		ok(t, s.SetPosition(ctx, 5))
		equal(t, "sees its own writes", get[int64](t)(s.Count(ctx, "ws_1", person.Query{})), int64(1))
		return stop
	})
	if !errors.Is(err, stop) {
		t.Fatalf("got %v", err)
	}
	equal(t, "people", get[int64](t)(s.Count(t.Context(), "ws_1", person.Query{})), int64(0))
	equal(t, "position", get[uint64](t)(s.Position(t.Context())), uint64(0))
}

// service tells one story through the Service: a shared device with a late event, which needs every part of the store.
func service(t *testing.T, s person.Store, run tx.Runner) {
	w := NewWorld(t, s, run, nil)
	track := func(msg string, minute int, user string) event.Event {
		return event.Event{MessageID: msg, Type: event.Track, Name: "Seen", Time: At(minute), UserID: user, AnonymousID: "dev"}
	}
	w.Deliver(track("m1", 0, ""), track("m2", 1, "b"))
	w.Deliver(track("m5", 10, "c"))
	w.Deliver(track("m6", 11, ""))
	w.Deliver(track("m4", 5, "")) // late, b's
	w.Deliver(track("m3", 3, "d"))
	b, c, d, kiosk := w.Who("user_id", "b"), w.Who("user_id", "c"), w.Who("user_id", "d"), w.Who("anonymous_id", "dev")
	for msg, want := range map[string]uint64{"m1": b.Num, "m2": b.Num, "m3": d.Num, "m4": d.Num, "m5": c.Num, "m6": kiosk.Num} {
		equal(t, msg, w.Owner(msg), want)
	}
	equal(t, "people", w.Count(), int64(4))
	equal(t, "kiosk", kiosk.Identifiers[0].Status, person.Shared)
}

func scheme(t *testing.T, store person.Store, _ tx.Runner) {
	ctx := t.Context()
	equal(t, "no scheme", get[person.SchemeRow](t)(store.Scheme(ctx, WS)), person.SchemeRow{})
	equal(t, "no version", get[int64](t)(store.SchemeVersion(ctx, WS)), int64(0))
	row := person.SchemeRow{Version: 1, Kinds: `[{"Name":"user_id"}]`, Changed: 5, By: "usr_1"}
	ok(t, store.SaveScheme(ctx, WS, row))
	row.Version, row.Kinds = 2, `[]`
	ok(t, store.SaveScheme(ctx, WS, row))
	equal(t, "the last one", get[person.SchemeRow](t)(store.Scheme(ctx, WS)), row)
	equal(t, "its version", get[int64](t)(store.SchemeVersion(ctx, WS)), int64(2))
	equal(t, "another workspace", get[person.SchemeRow](t)(store.Scheme(ctx, "ws_other")), person.SchemeRow{})
}
