// Package consenttest holds the suite that every consent.Store passes.
package consenttest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 123000, time.UTC)

// Run checks a store; open returns an empty one.
func Run(t *testing.T, open func(t *testing.T) consent.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, consent.Store){
		"topics come back as they were stored":                     topics,
		"a topic name is taken whatever its case":                  topicNames,
		"a record is added once per id":                            records,
		"history pages latest first":                               history,
		"an older state never replaces a newer one":                latestWins,
		"at the same moment the refusal wins":                      refusalWins,
		"a takeover moves history and drops the states of both":    takeOver,
		"suppressions match by hash and keep the strictest reason": suppressions,
		"suppressions page latest first and filter":                suppressionPages,
		"holds of people are replaced, found and removed":          holds,
		"settings are replaced and removed":                        settings,
		"workspaces do not see each other":                         isolation,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func topic(id, name string, at time.Time) consent.Topic {
	return consent.Topic{ID: id, Name: name, Description: "d", Channels: []string{"email", "sms"}, OptIn: consent.Double, Confirmation: "tpl_1", TextVersion: 3, CreatedAt: at, UpdatedAt: at}
}

func topics(t *testing.T, s consent.Store) {
	ctx := t.Context()
	a, b := topic("tpc_b", "News", t0), topic("tpc_a", "Offers", t0.Add(time.Second))
	must(t, s.InsertTopic(ctx, "ws", a))
	must(t, s.InsertTopic(ctx, "ws", b))
	got, err := s.Topics(ctx, "ws")
	must(t, err)
	equal(t, "topics", []consent.Topic{a, b}, got)

	a.Name, a.Archived, a.OptIn, a.Channels, a.UpdatedAt = "Nieuws", true, consent.Implied, []string{"email"}, t0.Add(time.Hour)
	must(t, s.UpdateTopic(ctx, "ws", a))
	one, err := s.Topic(ctx, "ws", a.ID)
	must(t, err)
	equal(t, "topic", a, one)

	if _, err := s.Topic(ctx, "ws", "tpc_none"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("unknown topic: got %v, want not_found", err)
	}
	if err := s.UpdateTopic(ctx, "ws", topic("tpc_none", "X", t0)); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("update of an unknown topic: got %v, want not_found", err)
	}
}

func topicNames(t *testing.T, s consent.Store) {
	ctx := t.Context()
	must(t, s.InsertTopic(ctx, "ws", topic("tpc_1", "Ümlaut", t0)))
	must(t, s.InsertTopic(ctx, "ws", topic("tpc_2", "Other", t0)))
	if err := s.InsertTopic(ctx, "ws", topic("tpc_3", "üMLAUT", t0)); !errs.Is(err, errs.KindConflict) {
		t.Errorf("same name: got %v, want conflict", err)
	}
	if err := s.UpdateTopic(ctx, "ws", topic("tpc_2", "ümlaut", t0)); !errs.Is(err, errs.KindConflict) {
		t.Errorf("rename to a taken name: got %v, want conflict", err)
	}
	must(t, s.UpdateTopic(ctx, "ws", topic("tpc_1", "ümlaut", t0)))
	must(t, s.InsertTopic(ctx, "ws2", topic("tpc_4", "Ümlaut", t0)))
}

func record(id, person string, status consent.Status, at time.Time) consent.Record {
	return consent.Record{ID: id, Recorded: at.Add(time.Minute), Change: consent.Change{
		PersonID: person, Topic: "tpc_1", Channel: "email", Status: status, Source: "test", Evidence: "ticked", At: at, Cause: "c-" + id, IP: "203.0.113.0", TextVersion: 2,
	}}
}

func records(t *testing.T, s consent.Store) {
	ctx := t.Context()
	a, b := record("r1", "p1", consent.Subscribed, t0), record("r2", "p1", consent.Unsubscribed, t0.Add(time.Hour))
	added, err := s.AddRecords(ctx, "ws", []consent.Record{a, a})
	must(t, err)
	equal(t, "first", map[string]bool{"r1": true}, added)
	added, err = s.AddRecords(ctx, "ws", []consent.Record{a, b})
	must(t, err)
	equal(t, "second", map[string]bool{"r2": true}, added)
	got, err := s.Records(ctx, "ws", "p1", page.Request{})
	must(t, err)
	equal(t, "history", page.Of[consent.Record]{Items: []consent.Record{b, a}}, got)
}

func history(t *testing.T, s consent.Store) {
	ctx := t.Context()
	var all []consent.Record
	for i := range 7 {
		all = append(all, record(fmt.Sprintf("r%d", i), "p1", consent.Subscribed, t0.Add(time.Duration(i/2)*time.Hour)))
	}
	_, err := s.AddRecords(ctx, "ws", all)
	must(t, err)
	var seen []string
	for req := (page.Request{Limit: 3}); ; {
		got, err := s.Records(ctx, "ws", "p1", req)
		must(t, err)
		for _, r := range got.Items {
			seen = append(seen, r.ID)
		}
		if got.Next == "" {
			break
		}
		req.Cursor = got.Next
	}
	equal(t, "order", []string{"r6", "r5", "r4", "r3", "r2", "r1", "r0"}, seen)
}

func state(person string, status consent.Status, at time.Time) consent.State {
	return consent.State{PersonID: person, Topic: "tpc_1", Channel: "email", Status: status, Source: "test", At: at}
}

func put(t *testing.T, s consent.Store, states ...consent.State) []consent.State {
	t.Helper()
	must(t, s.PutStates(t.Context(), "ws", states))
	got, err := s.States(t.Context(), "ws", []string{"p1", "p2"})
	must(t, err)
	return got
}

func latestWins(t *testing.T, s consent.Store) {
	no, yes := state("p1", consent.Unsubscribed, t0.Add(time.Hour)), state("p1", consent.Subscribed, t0)
	equal(t, "first", []consent.State{no}, put(t, s, no))
	equal(t, "older", []consent.State{no}, put(t, s, yes))
	later := state("p1", consent.Subscribed, t0.Add(2*time.Hour))
	equal(t, "newer", []consent.State{later}, put(t, s, later))
	equal(t, "none", []consent.State{later}, put(t, s))
}

func refusalWins(t *testing.T, s consent.Store) {
	no, yes := state("p1", consent.Unsubscribed, t0), state("p1", consent.Subscribed, t0)
	put(t, s, yes)
	equal(t, "refusal after", []consent.State{no}, put(t, s, no))
	equal(t, "consent after", []consent.State{no}, put(t, s, yes))
}

func takeOver(t *testing.T, s consent.Store) {
	ctx := t.Context()
	_, err := s.AddRecords(ctx, "ws", []consent.Record{record("r1", "p1", consent.Subscribed, t0), record("r2", "p2", consent.Unsubscribed, t0)})
	must(t, err)
	put(t, s, state("p1", consent.Unsubscribed, t0), state("p2", consent.Subscribed, t0))
	must(t, s.TakeOver(ctx, "ws", "p1", "p2"))
	got, err := s.States(ctx, "ws", []string{"p1", "p2"})
	must(t, err)
	equal(t, "states", []consent.State{}, got)
	h, err := s.Records(ctx, "ws", "p2", page.Request{})
	must(t, err)
	if len(h.Items) != 2 {
		t.Errorf("the winner has %d records, want 2", len(h.Items))
	}
}

func entry(hash string, reason consent.Reason, at time.Time) consent.Suppression {
	return consent.Suppression{Channel: "email", Hash: hash, Hint: "a…@b….c", Reason: reason, Detail: "550", At: at}
}

func suppressions(t *testing.T, s consent.Store) {
	ctx := t.Context()
	all, bounce := entry("h1", consent.UnsubscribedAll, t0), entry("h2", consent.HardBounce, t0)
	n, err := s.PutSuppressions(ctx, "ws", []consent.Suppression{all, bounce})
	must(t, err)
	equal(t, "added", 2, n)
	stricter := entry("h1", consent.Complaint, t0.Add(time.Hour))
	n, err = s.PutSuppressions(ctx, "ws", []consent.Suppression{stricter, entry("h2", consent.UnsubscribedAll, t0.Add(time.Hour))})
	must(t, err)
	equal(t, "added again", 0, n)
	got, err := s.Suppressed(ctx, "ws", "email", []string{"h1", "h2", "h3"})
	must(t, err)
	equal(t, "found", map[string]consent.Suppression{"h1": stricter, "h2": bounce}, got)
	got, err = s.Suppressed(ctx, "ws", "sms", []string{"h1"})
	must(t, err)
	equal(t, "other channel", map[string]consent.Suppression{}, got)

	held := entry("h1", consent.Manual, t0)
	held.PersonID = "per_1"
	n, err = s.PutSuppressions(ctx, "ws", []consent.Suppression{held, entry("h2", consent.Manual, t0)})
	must(t, err)
	equal(t, "added with a holder", 0, n)
	stricter.PersonID = "per_1"

	for _, want := range []bool{true, false} {
		e, found, err := s.RemoveSuppression(ctx, "ws", "email", "h1")
		must(t, err)
		equal(t, "removed", want, found)
		if found {
			equal(t, "what was removed", stricter, e)
		}
	}
}

func holds(t *testing.T, s consent.Store) {
	ctx := t.Context()
	hold := func(n int, person string) consent.Hold {
		return consent.Hold{
			ID: fmt.Sprintf("hld_%d", n), PersonID: person, Ground: consent.GroundLegal, Note: "弁護士", All: n == 1, Actor: "usr_1", ActorName: "Ann",
			At: t0.Add(time.Duration(n) * time.Hour), Until: t0.AddDate(1, 0, 0), Marks: []string{"a", "b"},
		}
	}
	one, two, three := hold(1, "per_1"), hold(2, "per_2"), hold(3, "per_1")
	three.Until = time.Time{}
	must(t, s.PutHolds(ctx, "ws", []consent.Hold{one, two, three}))
	other := hold(9, "per_1")
	other.Until = one.Until.Add(time.Second)
	must(t, s.PutHolds(ctx, "other", []consent.Hold{other}))
	got, err := s.Holds(ctx, "ws", []string{"per_1", "per_2", "per_3"})
	must(t, err)
	equal(t, "holds", []consent.Hold{one, two, three}, got)
	two.PersonID, two.Note = "per_1", "moved"
	must(t, s.PutHolds(ctx, "ws", []consent.Hold{two}))
	got, err = s.Holds(ctx, "ws", []string{"per_1"})
	must(t, err)
	equal(t, "moved", []consent.Hold{one, two, three}, got)
	for _, at := range []time.Time{one.Until.Add(-time.Microsecond), one.Until} {
		ended, err := s.TakeEndedHolds(ctx, at, 2)
		must(t, err)
		want := map[string][]string{}
		if at.Equal(one.Until) { // of three, those that come first
			want = map[string][]string{"ws": {"per_1", "per_1"}}
		}
		equal(t, "ended", want, ended)
	}
	got, err = s.Holds(ctx, "ws", []string{"per_1"})
	must(t, err)
	equal(t, "without an end", []consent.Hold{three}, got)
	for _, want := range []int{1, 0} {
		n, err := s.RemoveHolds(ctx, "ws", "per_1")
		must(t, err)
		equal(t, "removed", want, n)
	}
	got, err = s.Holds(ctx, "other", []string{"per_1"})
	must(t, err)
	equal(t, "another workspace's", 1, len(got))
}

func suppressionPages(t *testing.T, s consent.Store) {
	ctx := t.Context()
	var all []consent.Suppression
	for i := range 5 {
		reason := consent.Manual
		if i == 2 {
			reason = consent.Imported
		}
		all = append(all, entry(fmt.Sprintf("h%d", i), reason, t0.Add(time.Duration(i/2)*time.Hour)))
	}
	_, err := s.PutSuppressions(ctx, "ws", all)
	must(t, err)
	var seen []string
	for req := (page.Request{Limit: 2}); ; {
		got, err := s.Suppressions(ctx, "ws", consent.SuppressionFilter{Channel: "email"}, req)
		must(t, err)
		for _, e := range got.Items {
			seen = append(seen, e.Hash)
		}
		if got.Next == "" {
			break
		}
		req.Cursor = got.Next
	}
	equal(t, "order", []string{"h4", "h3", "h2", "h1", "h0"}, seen)
	got, err := s.Suppressions(ctx, "ws", consent.SuppressionFilter{Reason: consent.Imported}, page.Request{})
	must(t, err)
	equal(t, "filtered", []consent.Suppression{all[2]}, got.Items)
	if _, err := s.Suppressions(ctx, "ws", consent.SuppressionFilter{}, page.Request{Cursor: "nonsense"}); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("bad cursor: got %v, want invalid", err)
	}
}

func isolation(t *testing.T, s consent.Store) {
	ctx := t.Context()
	must(t, s.InsertTopic(ctx, "ws", topic("tpc_1", "News", t0)))
	_, err := s.AddRecords(ctx, "ws", []consent.Record{record("r1", "p1", consent.Subscribed, t0)})
	must(t, err)
	put(t, s, state("p1", consent.Subscribed, t0))
	_, err = s.PutSuppressions(ctx, "ws", []consent.Suppression{entry("h1", consent.Manual, t0)})
	must(t, err)

	if got, err := s.Topics(ctx, "ws2"); err != nil || len(got) != 0 {
		t.Errorf("topics of the other workspace: %v, %v", got, err)
	}
	if got, err := s.States(ctx, "ws2", []string{"p1"}); err != nil || len(got) != 0 {
		t.Errorf("states of the other workspace: %v, %v", got, err)
	}
	if got, err := s.Suppressed(ctx, "ws2", "email", []string{"h1"}); err != nil || len(got) != 0 {
		t.Errorf("suppressions of the other workspace: %v, %v", got, err)
	}
	added, err := s.AddRecords(ctx, "ws2", []consent.Record{record("r1", "p1", consent.Subscribed, t0)})
	must(t, err)
	equal(t, "the same record id elsewhere", map[string]bool{"r1": true}, added)
}

func settings(t *testing.T, s consent.Store) {
	ctx := t.Context()
	a, b := consent.Settings{PausedUntil: t0, Weekly: true}, consent.Settings{Weekly: true}
	must(t, s.PutSettings(ctx, "ws", "p1", consent.Settings{PausedUntil: t0.Add(time.Hour)}))
	must(t, s.PutSettings(ctx, "ws", "p1", a))
	must(t, s.PutSettings(ctx, "ws", "p2", b))
	must(t, s.PutSettings(ctx, "ws2", "p1", b))
	got, err := s.Settings(ctx, "ws", []string{"p1", "p2", "p3"})
	must(t, err)
	equal(t, "settings", map[string]consent.Settings{"p1": a, "p2": b}, got)
	must(t, s.PutSettings(ctx, "ws", "p1", consent.Settings{}))
	got, err = s.Settings(ctx, "ws", []string{"p1", "p2"})
	must(t, err)
	equal(t, "after removal", map[string]consent.Settings{"p2": b}, got)
}
