package consent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/secret"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

const ws = "ws_1"

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

type fixture struct {
	*consent.Service
	clock      *clock.Fixed
	events     []event.Event
	restricted [][]string
	news       consent.Topic
	known      map[string][]string
	everybody  int // how often everybody was to be looked at again
}

func (f *fixture) Emit(_ context.Context, events ...event.Event) error {
	f.events = append(f.events, events...)
	return nil
}

func (f *fixture) ConsentRestricted(_ context.Context, _ string, people []string) error {
	f.restricted = append(f.restricted, people)
	return nil
}

func (f *fixture) PersonIDs(_ context.Context, _ string, nums []uint64) (map[uint64]string, error) {
	out := map[uint64]string{}
	for _, n := range nums {
		if n < 100 {
			out[n] = "per_" + string(rune('a'+n))
		}
	}
	return out, nil
}

// Identifiers implements consent.Identifiers.
func (f *fixture) Identifiers(_ context.Context, _ string, ids []string) (map[string][]string, error) {
	out := map[string][]string{}
	for _, id := range ids {
		if f.known[id] != nil {
			out[id] = f.known[id]
		}
	}
	return out, nil
}

func setup(t *testing.T) *fixture {
	t.Helper()
	return setupOn(t, sqldbtest.Open(t, sqldb.SQLite))
}

func setupOn(t *testing.T, db *sqldb.DB) *fixture {
	t.Helper()
	box, err := secret.NewBox(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{clock: clock.NewFixed(start), known: map[string][]string{}}
	f.Service = consent.New(consent.Config{
		Store: sqlstore.NewConsent(db), Tx: db, Emitter: f, Hasher: box, People: f, Known: f, Clock: f.clock,
		Everybody: func(context.Context, string) error { f.everybody++; return nil },
	})
	f.Watch(f)
	if err := f.EnsureDefaults(t.Context(), ws); err != nil {
		t.Fatal(err)
	}
	topics, err := f.Topics(t.Context(), ws)
	if err != nil || len(topics) != 1 {
		t.Fatalf("default topics: %v, %v", topics, err)
	}
	f.news = topics[0]
	return f
}

func (f *fixture) topic(t *testing.T, name string, optIn consent.OptIn) consent.Topic {
	t.Helper()
	topic, err := f.CreateTopic(t.Context(), ws, consent.Topic{Name: name, Channels: []string{"email"}, OptIn: optIn})
	if err != nil {
		t.Fatal(err)
	}
	return topic
}

func (f *fixture) say(t *testing.T, person, topic string, status consent.Status, at time.Time) {
	t.Helper()
	if err := f.Change(t.Context(), ws, consent.Change{PersonID: person, Topic: topic, Channel: "email", Status: status, Source: "test", At: at}); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) state(t *testing.T, person, address string) consent.Channel {
	t.Helper()
	got, err := f.States(t.Context(), ws, []string{person}, map[string]map[string]string{person: {"email": address}})
	if err != nil {
		t.Fatal(err)
	}
	return got[person]["email"]
}

func (f *fixture) names() []string {
	var out []string
	for _, e := range f.events {
		out = append(out, e.Name)
	}
	return out
}

func TestSilenceIsConsentOnlyForImpliedTopics(t *testing.T) {
	f := setup(t)
	notices := f.topic(t, "Notices", consent.Implied)
	got := f.state(t, "per_a", "a@b.example")
	want := consent.Channel{Topics: map[string]bool{f.news.ID: false, notices.ID: true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	f.clock.Advance(time.Hour)
	f.say(t, "per_a", f.news.ID, consent.Subscribed, time.Time{})
	f.say(t, "per_a", notices.ID, consent.Unsubscribed, time.Time{})
	got = f.state(t, "per_a", "a@b.example")
	want = consent.Channel{Topics: map[string]bool{f.news.ID: true, notices.ID: false}, Declined: map[string]bool{notices.ID: true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEnsureDefaultsLeavesExistingTopicsAlone(t *testing.T) {
	f := setup(t)
	if err := f.EnsureDefaults(t.Context(), ws); err != nil {
		t.Fatal(err)
	}
	if topics, _ := f.Topics(t.Context(), ws); len(topics) != 1 {
		t.Errorf("got %d topics, want 1", len(topics))
	}
}

func TestNoToEverythingIsLiftedOnlyByALaterYesToTheTopic(t *testing.T) {
	f := setup(t)
	offers := f.topic(t, "Offers", consent.Explicit)
	f.clock.Advance(24 * time.Hour)
	f.say(t, "per_a", f.news.ID, consent.Subscribed, start)
	f.say(t, "per_a", offers.ID, consent.Subscribed, start)
	f.say(t, "per_a", consent.AllTopics, consent.Unsubscribed, start.Add(time.Hour))
	if got := f.state(t, "per_a", ""); got.Topics[f.news.ID] || got.Topics[offers.ID] {
		t.Errorf("after no to everything: %v", got.Topics)
	}
	f.say(t, "per_a", f.news.ID, consent.Subscribed, start.Add(2*time.Hour))
	if got := f.state(t, "per_a", ""); !got.Topics[f.news.ID] || got.Topics[offers.ID] {
		t.Errorf("after a later yes to one: %v", got.Topics)
	}
}

func TestChangesAreRecordedOncePerCauseAndEmittedOnlyWhenTheyDiffer(t *testing.T) {
	f := setup(t)
	c := consent.Change{PersonID: "per_a", Topic: f.news.ID, Channel: "email", Source: "form", Evidence: "box ticked on /join", Cause: "m1"}
	for range 3 {
		if err := f.Subscribe(t.Context(), ws, c); err != nil {
			t.Fatal(err)
		}
	}
	f.clock.Advance(time.Minute)
	c.Cause = "m2"
	if err := f.Subscribe(t.Context(), ws, c); err != nil {
		t.Fatal(err)
	}
	h, err := f.History(t.Context(), ws, "per_a", page.Request{})
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Items) != 2 || h.Items[1].Evidence != "box ticked on /join" {
		t.Errorf("history: %+v, want two entries with their evidence", h.Items)
	}
	if diff := cmp.Diff([]string{event.TopicSubscribed}, f.names()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	e := f.events[0]
	if e.PersonID != "per_a" || e.Type != event.Consent || e.Origin != event.Internal || !strings.Contains(string(e.Properties), f.news.ID) {
		t.Errorf("event: %+v", e)
	}
	if len(f.restricted) != 0 {
		t.Errorf("a yes restricted somebody: %v", f.restricted)
	}
	if err := f.Unsubscribe(t.Context(), ws, consent.Change{PersonID: "per_a", Topic: f.news.ID, Channel: "email", Source: "form"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"per_a"}}, f.restricted); diff != "" {
		t.Errorf("restricted (-want +got):\n%s", diff)
	}
}

func TestStatementsMayArriveInAnyOrder(t *testing.T) {
	f := setup(t)
	other := f.topic(t, "Other", consent.Implied)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		type said struct {
			topic  string
			status consent.Status
			minute int
		}
		statements := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) said {
			return said{
				rapid.SampledFrom([]string{f.news.ID, other.ID, consent.AllTopics}).Draw(rt, "topic"),
				rapid.SampledFrom([]consent.Status{consent.Subscribed, consent.Unsubscribed}).Draw(rt, "status"),
				-rapid.IntRange(0, 5).Draw(rt, "minute"),
			}
		}), 1, 6).Draw(rt, "statements")
		shuffled := rapid.Permutation(statements).Draw(rt, "shuffled")
		var got [2]consent.Channel
		for i, list := range [][]said{statements, shuffled} {
			person := "per_" + string(rune('x'+i)) + strings.Repeat("i", n)
			for _, s := range list {
				f.say(t, person, s.topic, s.status, start.Add(time.Duration(s.minute)*time.Minute))
			}
			got[i] = f.state(t, person, "")
		}
		if diff := cmp.Diff(got[0], got[1]); diff != "" {
			rt.Fatalf("another order of the same statements (-first +second):\n%s", diff)
		}
	})
}

func TestAMergeNeverAllowsWhatOneOfTheTwoRefused(t *testing.T) {
	f := setup(t)
	topics := []string{f.news.ID, f.topic(t, "Other", consent.Implied).ID}
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		people := [2]string{"per_l" + strings.Repeat("i", n), "per_w" + strings.Repeat("i", n)}
		for _, p := range people {
			for range rapid.IntRange(0, 4).Draw(rt, "n") {
				f.say(t, p, rapid.SampledFrom(append(topics, consent.AllTopics)).Draw(rt, "topic"),
					rapid.SampledFrom([]consent.Status{consent.Subscribed, consent.Unsubscribed}).Draw(rt, "status"),
					start.Add(-time.Duration(rapid.IntRange(0, 5).Draw(rt, "minute"))*time.Minute))
			}
		}
		before := [2]consent.Channel{f.state(t, people[0], ""), f.state(t, people[1], "")}
		if err := f.PeopleMerged(t.Context(), ws, people[0], people[1]); err != nil {
			rt.Fatal(err)
		}
		after := f.state(t, people[1], "")
		for _, topic := range topics {
			if after.Topics[topic] && (before[0].Declined[topic] || before[1].Declined[topic]) {
				rt.Fatalf("%s is allowed after the merge of %+v", topic, before)
			}
			yes := before[0].Topics[topic] || before[1].Topics[topic]
			if yes && !before[0].Declined[topic] && !before[1].Declined[topic] && !after.Topics[topic] {
				rt.Fatalf("%s was allowed and refused by nobody, but is lost: %+v -> %+v", topic, before, after)
			}
		}
	})
}

func TestAMergeTellsThatTheWinnerIsUnsubscribed(t *testing.T) {
	f := setup(t)
	f.say(t, "per_w", f.news.ID, consent.Subscribed, time.Time{})
	f.say(t, "per_l", f.news.ID, consent.Unsubscribed, time.Time{})
	f.events, f.restricted = nil, nil
	for range 2 { // the second time there is nothing left to take over
		if err := f.PeopleMerged(t.Context(), ws, "per_l", "per_w"); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{event.TopicUnsubscribed}, f.names()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if len(f.restricted) != 1 {
		t.Errorf("restricted: %v, want once", f.restricted)
	}
	h, _ := f.History(t.Context(), ws, "per_w", page.Request{})
	if len(h.Items) != 2 {
		t.Errorf("the winner's history has %d entries, want both", len(h.Items))
	}
}

func TestSuppressionMatchesTheAddressHoweverItIsWritten(t *testing.T) {
	f := setup(t)
	n, err := f.Suppress(t.Context(), ws,
		consent.Suppress{Channel: "email", Address: "Ann.Lee@Example.COM", Reason: consent.HardBounce, PersonID: "per_a"},
		consent.Suppress{Channel: "email", Address: " ann.lee@example.com ", Reason: consent.HardBounce, PersonID: "per_b"})
	if err != nil || n != 1 {
		t.Fatalf("Suppress = %d, %v; want 1", n, err)
	}
	if got := f.state(t, "per_z", "ann.lee@example.com"); !got.Suppressed || got.Reason != consent.HardBounce {
		t.Errorf("state: %+v, want suppressed", got)
	}
	if got := f.state(t, "per_z", "bob@example.com"); got.Suppressed {
		t.Error("another address is suppressed too")
	}
	list, err := f.Suppressions(t.Context(), ws, consent.SuppressionFilter{}, "", page.Request{})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("list: %v, %v", list, err)
	}
	raw, _ := json.Marshal([]any{list, f.events})
	if strings.Contains(strings.ToLower(string(raw)), "ann.lee") {
		t.Errorf("the address can be read: %s", raw)
	}
	if diff := cmp.Diff([]string{event.Suppressed}, f.names()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if n, err := f.Suppress(t.Context(), ws, consent.Suppress{Channel: "email", Address: "ann.lee@example.com", Reason: consent.Manual}); err != nil || n != 0 {
		t.Errorf("again: %d, %v; want 0", n, err)
	}
	if err := f.Unsuppress(t.Context(), ws, "email", "ANN.LEE@example.com"); err != nil {
		t.Fatal(err)
	}
	if err := f.Unsuppress(t.Context(), ws, "email", "ann.lee@example.com"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("twice: %v, want not_found", err)
	}
}

func TestOnlyARefusalOfAdvertisingLetsTransactionalMailThrough(t *testing.T) {
	for _, r := range []consent.Reason{consent.HardBounce, consent.Complaint, consent.Manual, consent.Imported} {
		if !r.Blocks(true) || !r.Blocks(false) {
			t.Errorf("%s must block everything", r)
		}
	}
	if consent.UnsubscribedAll.Blocks(true) || !consent.UnsubscribedAll.Blocks(false) {
		t.Error("unsubscribed_all must block all but transactional messages")
	}
}

func TestEventsFromOutsideChangeConsent(t *testing.T) {
	f := setup(t)
	offers := f.topic(t, "Special Offers", consent.Explicit)
	kept := func(id, name string, num uint64, props string) event.Kept {
		return event.Kept{Person: num, Event: event.Event{Workspace: ws, MessageID: id, Type: event.Track, Name: name, Time: start, Origin: event.Server, Properties: json.RawMessage(props)}}
	}
	events := []event.Kept{
		kept("m1", "Subscribed", 0, `{"topic":"special offers","channel":"Email","source":"checkout"}`),
		kept("m2", "Subscribed", 1, `{"topic":"`+offers.ID+`"}`),
		kept("m3", "Subscribed", 2, `{"topic":"no such topic"}`),
		kept("m4", "Subscribed", 2, `{"topic":7}`), // two topics: none can be meant
		kept("m5", "Subscribed", 200, `{"topic":"News"}`),
		kept("m6", "Unsubscribed", 1, ``),
		kept("m6b", "Subscribed", 2, `{"topic":"News","channel":"e mail\u0000"}`),
		kept("m\x00"+strings.Repeat("x", 5000), "Subscribed", 4, `{"topic":"News"}`),
		kept("m7", "Order Completed", 3, `{"topic":"News"}`),
		{Person: 3, Event: event.Event{Workspace: ws, MessageID: "m8", Type: event.Consent, Name: "Subscribed", Time: start, Properties: json.RawMessage(`{"topic":"News"}`)}},
	}
	for range 2 {
		if err := f.ApplyEvents(t.Context(), events); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{event.TopicSubscribed, event.TopicSubscribed, event.TopicUnsubscribed, event.TopicSubscribed}, f.names()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	for person, want := range map[string]bool{"per_a": true, "per_b": false, "per_c": false, "per_d": false} {
		if got := f.state(t, person, "").Topics[offers.ID]; got != want {
			t.Errorf("%s may be mailed offers: %v, want %v", person, got, want)
		}
	}
	h, _ := f.History(t.Context(), ws, "per_a", page.Request{})
	if len(h.Items) != 1 || h.Items[0].Source != "event:server:checkout" || h.Items[0].Cause != "m1" {
		t.Errorf("history: %+v", h.Items)
	}
}

func TestWhoGetsAnAddressThatWasSuppressedWhileNobodyHadItIsToldOnTheTimeline(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f := setupOn(t, db)
		if _, err := f.Suppress(t.Context(), ws,
			consent.Suppress{Channel: "email", Address: "nobodys@example.com", Reason: consent.Imported},
			consent.Suppress{Channel: "sms", Address: "+49 30 1234", Reason: consent.Imported},
			consent.Suppress{Channel: "email", Address: "erased@example.com", Reason: consent.Erased},
			consent.Suppress{Channel: "email", Address: "owned@example.com", Reason: consent.HardBounce, PersonID: "per_z"}); err != nil {
			t.Fatal(err)
		}
		f.events = nil
		came := func(num uint64, minute int, ids ...event.Identifier) event.Kept {
			at := start.Add(time.Duration(minute) * time.Minute)
			return event.Kept{Person: num, Identifiers: ids, Event: event.Event{Workspace: ws, MessageID: fmt.Sprint("i", num, minute), Type: event.Identify, Time: at}}
		}
		mail := func(v string) event.Identifier { return event.Identifier{Kind: "email", Value: v} }
		events := []event.Kept{
			came(1, 1, mail("nobodys@example.com"), event.Identifier{Kind: "phone", Value: "+49301234"}),
			came(2, 2, mail("nobodys@example.com"), mail("erased@example.com"), mail("owned@example.com"), mail("free@example.com")),
			came(0, 3, mail("nobodys@example.com")),
		}
		for range 2 {
			if err := f.ApplyEvents(t.Context(), events); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for _, e := range f.events {
			got = append(got, fmt.Sprint(e.Name, " ", e.PersonID, " ", e.Time.Equal(start.Add(time.Minute)), " ", string(e.Properties)))
		}
		slices.Sort(got)
		if diff := cmp.Diff([]string{
			`Suppressed per_b true {"channel":"email","reason":"import","source":"import"}`,
			`Suppressed per_b true {"channel":"sms","reason":"import","source":"import"}`,
		}, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		found, err := f.SuppressedAmong(t.Context(), ws, "email", []string{"nobodys@example.com", "erased@example.com", "owned@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		if a, b, c := found["nobodys@example.com"], found["erased@example.com"], found["owned@example.com"]; a.PersonID != "per_b" || a.Reason != consent.Imported || b.PersonID != "" || c.PersonID != "per_z" {
			t.Errorf("%+v, %+v, %+v", a, b, c)
		}
	})
}

func TestEverybodyIsLookedAtAgainWhenATopicAllowsAnotherThing(t *testing.T) {
	f := setup(t)
	topic, err := f.CreateTopic(t.Context(), ws, consent.Topic{Name: "Offers", Channels: []string{"email"}, OptIn: consent.Explicit})
	if err != nil {
		t.Fatal(err)
	}
	step := func(what string, times int, change func() error) {
		t.Helper()
		before := f.everybody
		if err := change(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got := f.everybody - before; got != times {
			t.Errorf("%s: everybody is looked at %d times, want %d", what, got, times)
		}
	}
	update := func(change func(*consent.Topic)) func() error {
		return func() (err error) {
			change(&topic)
			topic, err = f.UpdateTopic(t.Context(), ws, topic)
			return err
		}
	}
	if f.everybody != 0 {
		t.Errorf("nobody has agreed to a new topic, and everybody was looked at")
	}
	step("another name", 0, update(func(o *consent.Topic) { o.Name = "Bargains" }))
	step("silence is consent", 1, update(func(o *consent.Topic) { o.OptIn = consent.Implied }))
	step("the same again", 0, update(func(*consent.Topic) {}))
	step("another channel", 1, update(func(o *consent.Topic) { o.Channels = []string{"sms"} }))
	step("archived", 1, update(func(o *consent.Topic) { o.Archived = true }))
	step("a new topic to which everybody is subscribed", 1, func() error {
		_, err := f.CreateTopic(t.Context(), ws, consent.Topic{Name: "Notices", Channels: []string{"email"}, OptIn: consent.Implied})
		return err
	})

	f.known["per_a"] = []string{"user_id:a", "email:a@x.example"}
	suppressed := func(person, address string) func() error {
		return func() error {
			if _, err := f.Suppress(t.Context(), ws, consent.Suppress{Channel: "email", Address: address, Reason: consent.Manual, PersonID: person}); err != nil {
				return err
			}
			return f.Unsuppress(t.Context(), ws, "email", address)
		}
	}
	step("an address that its owner still has is allowed again", 0, suppressed("per_a", "A@x.example"))
	step("an address that has moved on is allowed again", 1, suppressed("per_a", "b@x.example"))
	step("an address of nobody is allowed again", 0, suppressed("", "nobody@x.example"))
}

func TestBadTopicsAndChangesAreRefusedWithARemedy(t *testing.T) {
	f := setup(t)
	for code, topic := range map[string]consent.Topic{
		"consent.topic.name_missing":     {Name: "  ", Channels: []string{"email"}},
		"consent.topic.name_reserved":    {Name: "ALL", Channels: []string{"email"}},
		"consent.topic.name_too_long":    {Name: strings.Repeat("x", 81), Channels: []string{"email"}},
		"consent.topic.name_taken":       {Name: "news", Channels: []string{"email"}},
		"consent.topic.channels_missing": {Name: "A"},
		"consent.topic.channel_invalid":  {Name: "A", Channels: []string{"Email"}},
		"consent.topic.opt_in_unknown":   {Name: "A", Channels: []string{"email"}, OptIn: "maybe"},
	} {
		_, err := f.CreateTopic(t.Context(), ws, topic)
		if all := errs.All(err); len(all) == 0 || all[0].Code != code {
			t.Errorf("%+v: got %v, want %s", topic, err, code)
		}
	}
	for code, c := range map[string]consent.Change{
		"consent.change.person_missing":  {Topic: f.news.ID, Channel: "email", Source: "x"},
		"topic.not_found":                {PersonID: "p", Topic: "tpc_0", Channel: "email", Source: "x"},
		"consent.change.channel_missing": {PersonID: "p", Topic: f.news.ID, Source: "x"},
		"consent.change.source_missing":  {PersonID: "p", Topic: f.news.ID, Channel: "email"},
	} {
		err := f.Subscribe(t.Context(), ws, c)
		if all := errs.All(err); len(all) == 0 || all[0].Code != code {
			t.Errorf("%+v: got %v, want %s", c, err, code)
		}
	}
}

func TestMaskLeavesTheOwnerAbleToRecogniseIt(t *testing.T) {
	for in, want := range map[string]string{
		"ann@example.com": "a…@e….com", "a@b": "a…@b…", "+4915112345": "+4…45", "123": "…", "": "…", "日本@例え.jp": "日…@例….jp",
	} {
		if got := consent.Mask(in); got != want {
			t.Errorf("Mask(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestASplitTakesRefusalsAlongAndNoConsent(t *testing.T) {
	f := setup(t)
	offers, notices := f.topic(t, "Offers", consent.Explicit), f.topic(t, "Notices", consent.Implied)
	for topic, status := range map[string]consent.Status{notices.ID: consent.Unsubscribed, offers.ID: consent.Subscribed} {
		if err := f.Change(t.Context(), ws, consent.Change{PersonID: "per_a", Topic: topic, Channel: "email", Status: status, Source: "test", At: start}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // it may be told twice
		if err := f.PersonSplit(t.Context(), ws, "per_a", "per_b"); err != nil {
			t.Fatal(err)
		}
	}
	may := func(person, topic string) bool {
		states, err := f.States(t.Context(), ws, []string{person}, map[string]map[string]string{person: {"email": person + "@example.com"}})
		if err != nil {
			t.Fatal(err)
		}
		return states[person]["email"].Topics[topic]
	}
	if may("per_b", offers.ID) || may("per_b", notices.ID) {
		t.Error("the new person is written to")
	}
	if !may("per_a", offers.ID) || may("per_a", notices.ID) || !may("per_c", notices.ID) {
		t.Error("what the first person said, or has not said, is no longer so")
	}
}

func TestAFileOfAddressesIsReadRowByRow(t *testing.T) {
	f := setup(t)
	file := "\ufeffname,Email\nAda,a@x.example\nBob,\nCyd,nonsense\nDan,A@x.example\nEve,e@x.example\n"
	valid := func(_, a string) bool { return strings.Contains(a, "@") }
	if _, err := f.Suppress(t.Context(), ws, consent.Suppress{Channel: "email", Address: "E@x.example", Reason: consent.Imported, Detail: "old tool"}); err != nil {
		t.Fatal(err)
	}
	read := func(file, column string) consent.FileResult {
		t.Helper()
		in, err := consent.ReadAddresses(strings.NewReader(file), "email", column, valid)
		if err != nil {
			t.Fatal(err)
		}
		r, err := f.CheckFile(t.Context(), ws, in)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	faults := []consent.FileRow{{Line: 3, Code: "empty"}, {Line: 4, Value: "nonsense", Code: "invalid"}, {Line: 5, Value: "A@x.example", Code: "repeated"}}
	for range 2 { // looking changes nothing
		if diff := cmp.Diff(consent.FileResult{Rows: 5, Added: 1, Known: 1, Rejected: 3, Faults: faults}, read(file, "")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if r := read(file, "name"); r.Rows != 5 || r.Rejected != 5 {
		t.Errorf("of another column: %+v", r)
	}
	if _, err := consent.ReadAddresses(strings.NewReader(file), "email", "mail", valid); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("a column that is not there: %v", err)
	}
	if r := read("plain@x.example\nother@x.example", ""); r.Rows != 2 || r.Added != 2 {
		t.Errorf("without a heading: %+v", r)
	}
	many := read("x@x.example\n"+strings.Repeat("nonsense\n", 2500), "")
	if many.Rejected != 2500 || many.Added != 1 || len(many.Faults) != 1000 {
		t.Errorf("many faults: %d, %d listed", many.Rejected, len(many.Faults))
	}
}

func TestAnImportedYesWithoutADateTakesNoRefusalBack(t *testing.T) {
	f := setup(t)
	news, double := f.news, f.topic(t, "Twice", consent.Double)
	statement := func(id, name string, person uint64, at int, source, props string) event.Kept {
		return event.Kept{Person: person, Event: event.Event{
			Workspace: ws, MessageID: id, Type: event.Track, Name: name, Origin: event.Server, Source: source, Time: start.Add(time.Duration(at) * time.Minute), Properties: json.RawMessage(props),
		}}
	}
	f.clock.Advance(time.Hour)
	if err := f.ApplyEvents(t.Context(), []event.Kept{
		statement("a", "Unsubscribed", 0, 1, "src_1", `{"topic":"News"}`),
		statement("b", "Subscribed", 0, 2, "job_1", `{"topic":"News","source":"form","dated":false}`),
		statement("c", "Unsubscribed", 1, 1, "src_1", `{}`),
		statement("d", "Subscribed", 1, 2, "job_1", `{"topic":"News","source":"form"}`),
		statement("e", "Unsubscribed", 2, 1, "src_1", `{"topic":"News"}`),
		statement("f", "Subscribed", 2, 2, "job_1", `{"topic":"News","source":"form","dated":true}`),
		statement("g", "Subscribed", 2, 2, "job_1", `{"topic":"Twice","source":"form"}`),
	}); err != nil {
		t.Fatal(err)
	}
	for person, want := range map[string]bool{"per_a": false, "per_b": false, "per_c": true} {
		if got := f.state(t, person, "").Topics[news.ID]; got != want {
			t.Errorf("%s may be mailed: %v, want %v", person, got, want)
		}
	}
	if !f.state(t, "per_c", "").Topics[double.ID] {
		t.Error("who imports vouches for the proof: nobody is asked to confirm")
	}
}
