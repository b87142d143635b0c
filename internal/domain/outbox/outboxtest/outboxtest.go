// Package outboxtest holds the suites that every outbox.Store and outbox.AccountStore pass.
package outboxtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Store is what one database offers the outbox.
type Store interface {
	outbox.Store
	outbox.AccountStore
	outbox.ReturnStore
	outbox.FollowStore
}

const ws = "ws_1"

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 123000, time.UTC)

// Run checks a store; open returns an empty one.
func Run(t *testing.T, open func(t *testing.T) Store) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(*testing.T, Store)
	}{
		{"messages come back as they were stored", roundTrip},
		{"a key makes one message per workspace", keys},
		{"routes name lanes that are due and not stopped", routes},
		{"a claim takes what is due longest and nothing twice", claims},
		{"only the claim that holds a message begins it", begin},
		{"results are written by the claim that holds the message", finish},
		{"released messages are queued again unless in flight", release},
		{"an expired owner's messages are inherited", inherit},
		{"recall takes back what is not in flight", recall},
		{"what a source has asked for is taken back, and made due by the reason it waits for", rouse},
		{"cancel stops what is not in flight", cancel},
		{"one message can be cancelled", cancelOne},
		{"bodies are kept until some time after the end", bodies},
		{"receipts keep the earliest time", marks},
		{"what the log says was sent takes the place of what waits", keptSent},
		{"all that waits is counted by its source and cancelled together", cancelWaiting},
		{"a conversion is credited once per key", conversions},
		{"refunds are taken off whichever comes first", refunds},
		{"candidates are those whose effect is followed", candidates},
		{"figures count and lead to the people behind them", figures},
		{"messages follow a merge", repoint},
		{"goals are remembered once", goals},
		{"accounts keep one default per kind", accounts},
		{"windows add up, minutes are forgotten and days are not", windows},
		{"queued messages are counted by what they wait for", waitingBy},
		{"the policy comes back as it was set", policy},
		{"slots count what may have reached a person", slots},
		{"rivals are what is on its way, and can be displaced until they leave", rivals},
		{"how news comes back is kept per account", inboundSettings},
		{"bounces are listed once per class and counted by address", bounces},
		{"followed links wait for a verdict with what else was followed of their message", follows},
		{"workspaces do not see each other", isolation},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
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

func message(n int, change ...func(*outbox.Message)) outbox.Message {
	m := outbox.Message{
		ID: fmt.Sprintf("msg_%03d", n), Workspace: ws, PersonID: "per_1", Channel: "email", Topic: "tpc_1", Template: "tpl_1", TemplateVersion: 3,
		Source: outbox.Source{Kind: "campaign", ID: "cmp_1"}, Key: fmt.Sprintf("k%d", n), Goal: outbox.Goal{Event: "Order Completed", Window: 7 * 24 * time.Hour},
		Address: "a@b.example", State: outbox.Queued, CreatedAt: t0, NotBefore: t0, DueAt: t0.Add(time.Duration(n) * time.Second),
		Trace: fmt.Sprintf("00-%032x-%016x-01", n, n), Hops: n,
	}
	for _, c := range change {
		c(&m)
	}
	if m.State != outbox.Queued && m.EndedAt.IsZero() {
		m.EndedAt = m.CreatedAt
	}
	return m
}

func insert(t *testing.T, s Store, messages ...outbox.Message) {
	t.Helper()
	n, err := s.Insert(t.Context(), messages[0].Workspace, messages)
	must(t, err)
	if n != int64(len(messages)) {
		t.Fatalf("inserted %d of %d", n, len(messages))
	}
}

func get(t *testing.T, s Store, id string) outbox.Message {
	t.Helper()
	m, err := s.Message(t.Context(), ws, id)
	must(t, err)
	return m
}

var bulk = outbox.Route{Workspace: ws, Channel: "email"}

func claim(t *testing.T, s Store, name string, limit int) []outbox.Message {
	t.Helper()
	got, err := s.Claim(t.Context(), bulk, name, t0.Add(time.Hour), limit)
	must(t, err)
	return got
}

func ids(messages []outbox.Message) []string {
	out := []string{}
	for _, m := range messages {
		out = append(out, m.ID)
	}
	return out
}

func held(messages []outbox.Message) []outbox.Held {
	var out []outbox.Held
	for _, m := range messages {
		out = append(out, outbox.Held{MessageID: m.ID, Claim: m.Claim})
	}
	return out
}

func roundTrip(t *testing.T, s Store) {
	m := message(1, func(m *outbox.Message) {
		m.Vars = map[string]any{"event": map[string]any{"total": 12.5, "items": []any{"a"}}, "n": nil}
		m.Source = outbox.Source{Kind: "journey", ID: "jrn_1", Version: 4, Node: "n1"}
		m.Transactional = true
		m.Goal.Filter, m.Goal.Value = []json.RawMessage{json.RawMessage(`{"path":"plan","op":"eq","value":"pro"}`)}, "order.total"
	})
	refused := message(2, func(m *outbox.Message) {
		m.State, m.Reason, m.Data, m.Address, m.EndedAt = outbox.Refused, "no_address", outbox.Evidence{"channel": "email", "n": 1.5, "yes": true}, "", t0
		m.Priority, m.Body, m.Given, m.Print = outbox.High, true, true, "abc"
	})
	insert(t, s, m, refused)
	equal(t, "message", m, get(t, s, m.ID))
	equal(t, "refused", refused, get(t, s, refused.ID))
	if _, err := s.Message(t.Context(), ws, "msg_none"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("unknown: %v, want not_found", err)
	}
}

func keys(t *testing.T, s Store) {
	ctx := t.Context()
	insert(t, s, message(1))
	again := message(2, func(m *outbox.Message) { m.Key = "k1" })
	n, err := s.Insert(ctx, ws, []outbox.Message{again, message(3)})
	must(t, err)
	equal(t, "added", int64(1), n)
	got, err := s.ByKeys(ctx, ws, []string{"k1", "k2", "k3"})
	must(t, err)
	equal(t, "by key", map[string]outbox.Message{"k1": message(1), "k3": message(3)}, got)
	insert(t, s, message(4, func(m *outbox.Message) { m.Key, m.Workspace = "k1", "ws_2" }))
}

func routes(t *testing.T, s Store) {
	ctx := t.Context()
	in := func(w, ch string, urgent bool, due time.Duration) func(*outbox.Message) {
		return func(m *outbox.Message) {
			m.Workspace, m.Channel, m.Transactional, m.DueAt = w, ch, urgent, t0.Add(due)
		}
	}
	insert(t, s, message(1, in("ws_1", "email", false, 0)), message(2, in("ws_1", "email", true, 0)), message(3, in("ws_1", "sms", false, time.Hour)))
	insert(t, s, message(4, in("ws_2", "email", false, -time.Hour)))
	insert(t, s, message(5, in("ws_3", "line", false, 0), func(m *outbox.Message) { m.State = outbox.Refused }))
	insert(t, s, message(6, in("ws_4", "email", false, 0)))
	must(t, s.SetStopped(ctx, "ws_4", true, t0))
	must(t, s.SetStopped(ctx, "ws_4", true, t0.Add(time.Hour)))
	at, err := s.Stopped(ctx, "ws_4")
	must(t, err)
	equal(t, "stopped since", t0, at)

	got, err := s.Routes(ctx, t0)
	must(t, err)
	equal(t, "routes", []outbox.Route{
		{Workspace: "ws_1", Channel: "email", Transactional: true}, {Workspace: "ws_1", Channel: "email"}, {Workspace: "ws_2", Channel: "email"},
	}, got)
	if c, err := s.Claim(ctx, outbox.Route{Workspace: "ws_4", Channel: "email"}, "o.1", t0, 10); err != nil || len(c) != 0 {
		t.Errorf("claimed %v, %v of a stopped workspace", c, err)
	}
	must(t, s.SetStopped(ctx, "ws_4", false, t0))
	at, err = s.Stopped(ctx, "ws_4")
	must(t, err)
	equal(t, "resumed", time.Time{}, at)
	got, err = s.Routes(ctx, t0.Add(time.Hour))
	must(t, err)
	equal(t, "later", []outbox.Route{
		{Workspace: "ws_1", Channel: "email", Transactional: true},
		{Workspace: "ws_1", Channel: "email"},
		{Workspace: "ws_1", Channel: "sms"},
		{Workspace: "ws_2", Channel: "email"},
		{Workspace: "ws_4", Channel: "email"},
	}, got)
}

func claims(t *testing.T, s Store) {
	ctx := t.Context()
	late := message(9, func(m *outbox.Message) { m.DueAt = t0.Add(-time.Minute) })
	insert(t, s, message(1), message(2), message(3), late, message(4, func(m *outbox.Message) { m.DueAt = t0.Add(2 * time.Hour) }),
		message(5, func(m *outbox.Message) { m.Transactional = true }))
	first := claim(t, s, "o.1", 2)
	equal(t, "first", []string{"msg_009", "msg_001"}, ids(first))
	if first[0].State != outbox.Claimed || first[0].Claim != "o.1" {
		t.Errorf("claimed row: %+v", first[0])
	}
	equal(t, "second", []string{"msg_002", "msg_003"}, ids(claim(t, s, "o.2", 10)))
	equal(t, "third", []string{}, ids(claim(t, s, "o.3", 10)))
	urgent, err := s.Claim(ctx, outbox.Route{Workspace: ws, Channel: "email", Transactional: true}, "o.4", t0.Add(time.Hour), 10)
	must(t, err)
	equal(t, "urgent", []string{"msg_005"}, ids(urgent))
}

func begin(t *testing.T, s Store) {
	ctx := t.Context()
	insert(t, s, message(1), message(2))
	old := claim(t, s, "o.1", 2)
	must(t, s.Release(ctx, held(old[:1])))
	again := claim(t, s, "o.2", 2)
	equal(t, "claimed again", []string{"msg_001"}, ids(again))
	begun, err := s.Begin(ctx, held(old))
	must(t, err)
	equal(t, "by the old claim", map[string]bool{"msg_002": true}, begun)
	begun, err = s.Begin(ctx, held(append(again, old[1])))
	must(t, err)
	equal(t, "by the new claim", map[string]bool{"msg_001": true}, begun)
	if !get(t, s, "msg_001").InFlight {
		t.Error("a begun message is not in flight")
	}
}

func finish(t *testing.T, s Store) {
	ctx := t.Context()
	var all []outbox.Message
	for i := range 6 {
		all = append(all, message(i+1))
	}
	insert(t, s, all...)
	got := claim(t, s, "o.1", 10)
	_, err := s.Begin(ctx, held(got))
	must(t, err)
	at := t0.Add(time.Hour)
	result := func(i int, state outbox.State, change ...func(*outbox.Result)) outbox.Result {
		r := outbox.Result{Held: held(got)[i], State: state, At: at, Address: "new@b.example", Subject: "Hi", Code: "250"}
		for _, c := range change {
			c(&r)
		}
		return r
	}
	stale := result(5, outbox.Sent, func(r *outbox.Result) { r.Claim = "o.0" })
	lost, err := s.Finish(ctx, []outbox.Result{
		result(0, outbox.Sent),
		result(1, outbox.Bounced, func(r *outbox.Result) { r.Reason, r.Detail = "rejected", "no such user" }),
		result(2, outbox.Queued, func(r *outbox.Result) { r.Due, r.Reason = at.Add(time.Minute), "deferred" }),
		result(3, outbox.Queued, func(r *outbox.Result) { r.Due, r.Lost = at.Add(time.Minute), true }),
		result(4, outbox.Refused, func(r *outbox.Result) { r.Reason, r.Data = "unsubscribed", outbox.Evidence{"topic": "tpc_1"} }),
		stale,
	})
	must(t, err)
	equal(t, "lost", map[string]bool{"msg_006": true}, lost)

	want := func(n int, change func(*outbox.Message)) {
		t.Helper()
		m := message(n, func(m *outbox.Message) { m.Address, m.Subject, m.Code, m.Attempts = "new@b.example", "Hi", "250", 1 }, change)
		equal(t, m.ID, m, get(t, s, m.ID))
	}
	want(1, func(m *outbox.Message) { m.State, m.SentAt, m.EndedAt = outbox.Sent, at, at })
	want(2, func(m *outbox.Message) {
		m.State, m.BouncedAt, m.Reason, m.Detail, m.EndedAt = outbox.Bounced, at, "rejected", "no such user", at
	})
	want(3, func(m *outbox.Message) { m.State, m.DueAt, m.Reason = outbox.Queued, at.Add(time.Minute), "deferred" })
	want(4, func(m *outbox.Message) { m.State, m.DueAt, m.Uncertain = outbox.Queued, at.Add(time.Minute), 1 })
	want(5, func(m *outbox.Message) {
		m.State, m.Reason, m.Data, m.EndedAt = outbox.Refused, "unsubscribed", outbox.Evidence{"topic": "tpc_1"}, at
	})
	if m := get(t, s, "msg_006"); m.State != outbox.Claimed || !m.InFlight {
		t.Errorf("a stale result changed the message: %+v", m)
	}
	if lost, err = s.Finish(ctx, []outbox.Result{result(0, outbox.Failed)}); err != nil || !lost["msg_001"] {
		t.Errorf("a second result: %v, %v; want it lost", lost, err)
	}
	lost, err = s.Finish(ctx, nil)
	must(t, err)
	equal(t, "nothing", 0, len(lost))
}

func release(t *testing.T, s Store) {
	ctx := t.Context()
	insert(t, s, message(1), message(2), message(3))
	got := claim(t, s, "o.1", 3)
	_, err := s.Begin(ctx, held(got[:1]))
	must(t, err)
	must(t, s.Release(ctx, append(held(got[:2]), outbox.Held{MessageID: "msg_003", Claim: "o.0"})))
	equal(t, "in flight", outbox.Claimed, get(t, s, "msg_001").State)
	equal(t, "released", message(2), get(t, s, "msg_002"))
	equal(t, "other claim", outbox.Claimed, get(t, s, "msg_003").State)
}

func inherit(t *testing.T, s Store) {
	ctx := t.Context()
	known, err := s.Hold(ctx, "own_a", t0.Add(time.Minute))
	must(t, err)
	equal(t, "known at first", false, known)
	known, err = s.Hold(ctx, "own_a", t0.Add(2*time.Minute))
	must(t, err)
	equal(t, "known then", true, known)
	_, err = s.Hold(ctx, "own_b", t0.Add(time.Hour))
	must(t, err)
	for at, want := range map[time.Duration][]string{0: {}, 3 * time.Minute: {"own_a"}} {
		got, err := s.Expired(ctx, "own_b", t0.Add(at), false)
		must(t, err)
		equal(t, "expired", want, got)
	}
	got, err := s.Expired(ctx, "own_b", t0, true)
	must(t, err)
	equal(t, "all others", []string{"own_a"}, got)

	insert(t, s, message(1), message(2), message(3, func(m *outbox.Message) { m.PersonID = "per_2" }), message(4))
	mine := claim(t, s, "own_a.1", 3)
	claim(t, s, "own_ab.1", 1)
	others := get(t, s, "msg_004")
	_, err = s.Begin(ctx, held(mine[:2]))
	must(t, err)
	// The answer of the second was lost once before.
	_, err = s.Finish(ctx, []outbox.Result{{Held: held(mine)[1], State: outbox.Queued, At: t0, Due: t0, Lost: true, Address: "a@b.example"}})
	must(t, err)
	mine = append(mine[:1], append(claim(t, s, "own_a.2", 1), mine[2])...)
	_, err = s.Begin(ctx, held(mine[1:2]))
	must(t, err)

	at := t0.Add(time.Hour)
	flying, err := s.Inherit(ctx, "own_a", at, 1)
	must(t, err)
	slices.SortFunc(flying, func(a, b outbox.Message) int { return int(a.Uncertain - b.Uncertain) })
	equal(t, "in flight", []string{"msg_001", "msg_002"}, ids(flying))
	first, second := get(t, s, "msg_001"), get(t, s, "msg_002")
	if first.State != outbox.Queued || first.Uncertain != 1 || first.InFlight || first.Attempts != 1 {
		t.Errorf("lost once: %+v", first)
	}
	if second.State != outbox.Failed || second.Uncertain != 2 || second.Reason != outbox.ReasonAnswerLost {
		t.Errorf("lost twice: %+v", second)
	}
	equal(t, "only claimed", message(3, func(m *outbox.Message) { m.PersonID = "per_2" }), get(t, s, "msg_003"))
	equal(t, "another owner's", others, get(t, s, "msg_004"))
	equal(t, "whose", "own_ab.1", others.Claim)
	got, err = s.Expired(ctx, "own_b", at, true)
	must(t, err)
	equal(t, "forgotten", []string{}, got)
}

func recall(t *testing.T, s Store) {
	ctx := t.Context()
	insert(t, s, message(1), message(2), message(3, func(m *outbox.Message) { m.PersonID = "per_2" }))
	got := claim(t, s, "o.1", 3)
	_, err := s.Begin(ctx, held(got[:1]))
	must(t, err)
	must(t, s.Recall(ctx, ws, []string{"per_1", "per_9"}))
	equal(t, "in flight", outbox.Claimed, get(t, s, "msg_001").State)
	equal(t, "recalled", outbox.Queued, get(t, s, "msg_002").State)
	equal(t, "someone else's", outbox.Claimed, get(t, s, "msg_003").State)
	must(t, s.Recall(ctx, "ws_2", nil))
	equal(t, "other workspace's", outbox.Claimed, get(t, s, "msg_003").State)
	must(t, s.Recall(ctx, ws, nil))
	equal(t, "everyone's", outbox.Queued, get(t, s, "msg_003").State)
	equal(t, "in flight still", outbox.Claimed, get(t, s, "msg_001").State)
}

func rouse(t *testing.T, s Store) {
	ctx := t.Context()
	source := outbox.Source{Kind: "campaign", ID: "cmp_1"}
	waits := func(reason string) func(*outbox.Message) {
		return func(m *outbox.Message) { m.Reason, m.DueAt = reason, t0.Add(time.Hour) }
	}
	elsewhere := func(m *outbox.Message) { m.Source.ID = "cmp_2" }
	insert(t, s, message(1), message(2), message(3, elsewhere), message(4, waits("source_paused")), message(5, waits("quiet_hours")), message(6, waits("source_paused"), elsewhere))
	got := claim(t, s, "o.1", 3)
	_, err := s.Begin(ctx, held(got[:1]))
	must(t, err)
	must(t, s.RecallSource(ctx, "ws_2", source))
	equal(t, "from elsewhere", outbox.Claimed, get(t, s, "msg_002").State)
	must(t, s.RecallSource(ctx, ws, source))
	equal(t, "in flight", outbox.Claimed, get(t, s, "msg_001").State)
	equal(t, "recalled", outbox.Queued, get(t, s, "msg_002").State)
	equal(t, "another source's", outbox.Claimed, get(t, s, "msg_003").State)
	must(t, s.Rouse(ctx, "ws_2", source, t0, "source_paused"))
	equal(t, "roused from elsewhere", t0.Add(time.Hour), get(t, s, "msg_004").DueAt)
	must(t, s.Rouse(ctx, ws, source, t0, "source_paused"))
	equal(t, "roused", t0, get(t, s, "msg_004").DueAt)
	equal(t, "at night", t0.Add(time.Hour), get(t, s, "msg_005").DueAt)
	equal(t, "another source's", t0.Add(time.Hour), get(t, s, "msg_006").DueAt)
	planned := func(m *outbox.Message) { m.NotBefore = t0.Add(30 * time.Minute) }
	insert(t, s, message(7, waits("quiet_hours"), planned, elsewhere), message(8, waits("throttled")))
	must(t, s.Rouse(ctx, ws, outbox.Source{}, t0, "quiet_hours", "capped"))
	equal(t, "at night, of any source", t0, get(t, s, "msg_005").DueAt)
	equal(t, "planned for later", t0.Add(30*time.Minute), get(t, s, "msg_007").DueAt)
	equal(t, "by another reason", t0.Add(time.Hour), get(t, s, "msg_008").DueAt)
}

func cancel(t *testing.T, s Store) {
	ctx := t.Context()
	node := func(n string) func(*outbox.Message) { return func(m *outbox.Message) { m.Source.Node = n } }
	insert(t, s, message(1), message(2), message(3, node("a")), message(4, node("b")), message(5, func(m *outbox.Message) { m.Source.ID = "cmp_2" }))
	got := claim(t, s, "o.1", 2)
	_, err := s.Begin(ctx, held(got[:1]))
	must(t, err)
	n, err := s.Cancel(ctx, ws, outbox.Source{Kind: "campaign", ID: "cmp_1", Node: "a"}, t0)
	must(t, err)
	equal(t, "one node", int64(1), n)
	n, err = s.Cancel(ctx, ws, outbox.Source{Kind: "campaign", ID: "cmp_1"}, t0)
	must(t, err)
	equal(t, "the rest", int64(2), n)
	for id, want := range map[string]outbox.State{
		"msg_001": outbox.Claimed, "msg_002": outbox.Cancelled, "msg_003": outbox.Cancelled, "msg_004": outbox.Cancelled, "msg_005": outbox.Queued,
	} {
		equal(t, id, want, get(t, s, id).State)
	}
	if begun, err := s.Begin(ctx, held(got[1:])); err != nil || len(begun) != 0 {
		t.Errorf("a cancelled message was begun: %v, %v", begun, err)
	}
}

func conversion(key, message string, minor int64) outbox.Conversion {
	return outbox.Conversion{
		Key: key, EventID: "e-" + key, Event: "Order Completed", MessageID: message, PersonID: "per_1", Source: outbox.Source{Kind: "campaign", ID: "cmp_1"},
		At: t0.Add(time.Hour), Minor: minor, Currency: "EUR",
	}
}

func conversions(t *testing.T, s Store) {
	ctx := t.Context()
	insert(t, s, message(1))
	a, b := conversion("a", "msg_001", 100), conversion("b", "msg_001", 250)
	b.At = t0.Add(30 * time.Minute)
	added, err := s.AddConversions(ctx, ws, []outbox.Conversion{a, a})
	must(t, err)
	equal(t, "added", map[string]bool{"a": true}, added)
	added, err = s.AddConversions(ctx, ws, []outbox.Conversion{a, b})
	must(t, err)
	equal(t, "added then", map[string]bool{"b": true}, added)
	got, err := s.Conversions(ctx, ws, "msg_001")
	must(t, err)
	equal(t, "conversions", []outbox.Conversion{b, a}, got)
	equal(t, "converted at", b.At, get(t, s, "msg_001").ConvertedAt)
}

func refunds(t *testing.T, s Store) {
	ctx := t.Context()
	insert(t, s, message(1))
	back := func(key, event string, minor int64, currency string) outbox.Refund {
		return outbox.Refund{Key: key, EventID: event, Minor: minor, Currency: currency, Whole: minor == 0, At: t0}
	}
	all := []outbox.Refund{back("a", "r1", 30, "EUR"), back("a", "r2", 20, "XXX"), back("b", "r3", 900, "EUR"), back("c", "r4", 0, "XXX"), back("d", "r5", 10, "JPY")}
	must(t, s.AddRefunds(ctx, ws, all[:1]))
	conversions := []outbox.Conversion{conversion("a", "msg_001", 100), conversion("b", "msg_001", 250), conversion("c", "msg_001", 70), conversion("d", "msg_001", 60)}
	_, err := s.AddConversions(ctx, ws, conversions)
	must(t, err)
	must(t, s.AddOutcomes(ctx, ws, conversions))
	for range 2 {
		must(t, s.AddRefunds(ctx, ws, all[1:]))
	}
	must(t, s.AddRefunds(ctx, "ws_2", []outbox.Refund{back("d", "r9", 0, "EUR")}))
	got, err := s.Conversions(ctx, ws, "msg_001")
	must(t, err)
	off := map[string]int64{}
	for _, c := range got {
		off[c.Key] = c.Refunded
	}
	equal(t, "taken off", map[string]int64{"a": 50, "b": 250, "c": 70, "d": 0}, off)
	counts, err := s.CountsByNode(ctx, ws, outbox.Source{Kind: "campaign", ID: "cmp_1"})
	must(t, err)
	equal(t, "revenue", map[string]int64{"EUR": 110}, counts[""].Revenue)
	equal(t, "refunded", map[string]int64{"EUR": 370}, counts[""].Refunded)
}

// sent stores messages as sent at the given minutes after t0.
func sent(t *testing.T, s Store, minutes map[int]int, messages ...outbox.Message) {
	t.Helper()
	insert(t, s, messages...)
	var results []outbox.Result
	for _, m := range claim(t, s, "o.1", len(messages)) {
		var n int
		_, err := fmt.Sscanf(m.ID, "msg_%d", &n)
		must(t, err)
		if at, ok := minutes[n]; ok {
			results = append(results, outbox.Result{Held: held([]outbox.Message{m})[0], State: outbox.Sent, At: t0.Add(time.Duration(at) * time.Minute), Address: m.Address})
		}
	}
	lost, err := s.Finish(t.Context(), results)
	must(t, err)
	if len(lost) > 0 {
		t.Fatalf("lost %v", lost)
	}
}

func refused(reason string) func(*outbox.Message) {
	return func(m *outbox.Message) { m.State, m.Reason = outbox.Refused, reason }
}

func candidates(t *testing.T, s Store) {
	ctx := t.Context()
	sent(t, s, map[int]int{1: 30, 2: 10, 3: 20, 4: 20}, message(1), message(2), message(3), message(4, func(m *outbox.Message) { m.PersonID = "per_2" }), message(5))
	must(t, s.Mark(ctx, ws, []outbox.Receipt{{MessageID: "msg_003", Kind: outbox.ReceiptBounced, At: t0.Add(time.Hour)}}))
	later := func(m *outbox.Message) { m.NotBefore = t0.Add(25 * time.Minute) }
	insert(t, s, message(6, later, refused(outbox.ReasonHoldout)), message(7, later, refused(outbox.ReasonCapped)), message(8, later),
		message(9, later, refused(outbox.ReasonUnsubscribed)),                                                                        // who would not have got it anyway
		message(10, later, refused(outbox.ReasonUnsubscribed), func(m *outbox.Message) { m.EndedAt = m.CreatedAt.Add(time.Minute) }), // who has changed their mind since
		message(11, later, func(m *outbox.Message) { m.State, m.Reason = outbox.Cancelled, outbox.ReasonCancelled }),
		message(12, later, func(m *outbox.Message) { m.Transactional, m.DueAt = true, t0.Add(time.Hour) }))
	lost, err := s.Finish(ctx, []outbox.Result{{Held: held(claim(t, s, "o.2", 1))[0], State: outbox.Bounced, At: t0.Add(time.Hour)}})
	if err != nil || len(lost) > 0 {
		t.Fatal(lost, err)
	}
	got, err := s.Candidates(ctx, ws, []string{"per_1"}, t0)
	must(t, err)
	equal(t, "candidates", []string{"msg_005", "msg_002", "msg_003", "msg_006", "msg_007", "msg_008", "msg_010", "msg_011", "msg_001"}, ids(got))
	got, err = s.Candidates(ctx, ws, []string{"per_1", "per_2"}, t0.Add(25*time.Minute))
	must(t, err)
	equal(t, "since", []string{"msg_006", "msg_007", "msg_008", "msg_010", "msg_011", "msg_001"}, ids(got))
}

func figures(t *testing.T, s Store) {
	ctx := t.Context()
	node := func(n string) func(*outbox.Message) { return func(m *outbox.Message) { m.Source.Node = n } }
	src := outbox.Source{Kind: "campaign", ID: "cmp_1"}
	insert(t, s, message(11, node("a"), refused("no_address")), message(12, node("a"), refused("suppressed")), message(13, node("b"), refused("suppressed")),
		message(14, func(m *outbox.Message) { m.Source.ID = "cmp_2" }, refused("suppressed")))
	sent(t, s, map[int]int{1: 1, 2: 1, 3: 1}, message(1, node("a")), message(2, node("a")), message(3, node("b")), message(4, node("a")))
	must(t, s.Mark(ctx, ws, []outbox.Receipt{
		{MessageID: "msg_001", Kind: outbox.ReceiptClicked, At: t0},
		{MessageID: "msg_001", Kind: outbox.ReceiptUnsubscribed, At: t0},
		{MessageID: "msg_002", Kind: outbox.ReceiptMachineOpen, At: t0},
		{MessageID: "msg_003", Kind: outbox.ReceiptBounced, At: t0},
	}))
	c := conversion("o1", "msg_001", 1999)
	c.Source.Node = "a"
	yen := conversion("o2", "msg_001", 500)
	yen.Source.Node, yen.Currency = "a", "JPY"
	goal := conversion("e3", "msg_002", 0)
	goal.Source.Node, goal.Currency = "a", ""
	_, err := s.AddConversions(ctx, ws, []outbox.Conversion{c, yen, goal})
	must(t, err)

	got, err := s.CountsByNode(ctx, ws, src)
	must(t, err)
	none := map[string]int64{}
	equal(t, "figures", map[string]outbox.Counts{
		"a": {
			Audience: 5, Refused: 2, RefusedBy: map[string]int64{"no_address": 1, "suppressed": 1}, FailedBy: none, Queued: 1, Sent: 2, Delivered: 2,
			Opened: 1, MachineOpened: 1, Clicked: 1, Converted: 2, Unsubscribed: 1, Revenue: map[string]int64{"EUR": 1999, "JPY": 500}, Refunded: none,
		},
		"b": {Audience: 2, Refused: 1, RefusedBy: map[string]int64{"suppressed": 1}, FailedBy: none, Sent: 1, Bounced: 1, Revenue: none, Refunded: none},
	}, got)
	one, err := s.CountsByNode(ctx, ws, outbox.Source{Kind: "campaign", ID: "cmp_1", Node: "b"})
	must(t, err)
	equal(t, "one node", map[string]outbox.Counts{"b": got["b"]}, one)
	for node, want := range map[string]int64{"": 1, "a": 1, "b": 0} {
		waiting, err := s.Waiting(ctx, ws, outbox.Source{Kind: src.Kind, ID: src.ID, Node: node})
		must(t, err)
		equal(t, "waiting in node "+node, want, waiting)
	}

	list := func(node string, m outbox.Metric) []string {
		t.Helper()
		var all []string
		for req := (page.Request{Limit: 2}); ; {
			p, err := s.BySource(ctx, ws, outbox.Source{Kind: "campaign", ID: "cmp_1", Node: node}, m, req)
			must(t, err)
			all = append(all, ids(p.Items)...)
			if p.Next == "" {
				return all
			}
			req.Cursor = p.Next
		}
	}
	for metric, want := range map[outbox.Metric][]string{
		outbox.MetricAudience:     {"msg_013", "msg_012", "msg_011", "msg_004", "msg_003", "msg_002", "msg_001"},
		outbox.MetricRefused:      {"msg_013", "msg_012", "msg_011"},
		"refused:suppressed":      {"msg_013", "msg_012"},
		outbox.MetricQueued:       {"msg_004"},
		outbox.MetricSent:         {"msg_003", "msg_002", "msg_001"},
		outbox.MetricDelivered:    {"msg_002", "msg_001"},
		outbox.MetricBounced:      {"msg_003"},
		outbox.MetricFailed:       nil,
		outbox.MetricCancelled:    nil,
		outbox.MetricOpened:       {"msg_001"},
		outbox.MetricMachineOpen:  {"msg_002"},
		outbox.MetricClicked:      {"msg_001"},
		outbox.MetricConverted:    {"msg_002", "msg_001"},
		outbox.MetricUnsubscribed: {"msg_001"},
		outbox.MetricUncertain:    nil,
	} {
		equal(t, string(metric), want, list("", metric))
	}
	equal(t, "of a node", []string{"msg_013", "msg_003"}, list("b", outbox.MetricAudience))
	if _, err := s.BySource(ctx, ws, src, "nonsense", page.Request{}); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("unknown figure: %v, want invalid", err)
	}
	p, err := s.ByPerson(ctx, ws, "per_1", outbox.PersonFilter{}, page.Request{Limit: 3})
	must(t, err)
	equal(t, "person's", []string{"msg_014", "msg_013", "msg_012"}, ids(p.Items))
	p, err = s.ByPerson(ctx, ws, "per_1", outbox.PersonFilter{}, page.Request{Limit: 10, Cursor: p.Next})
	must(t, err)
	equal(t, "person's rest", []string{"msg_011", "msg_004", "msg_003", "msg_002", "msg_001"}, ids(p.Items))
	for _, c := range []struct {
		f    outbox.PersonFilter
		want int
	}{
		{outbox.PersonFilter{Kind: "campaign", IDs: []string{"cmp_0", "cmp_1"}}, 7},
		{outbox.PersonFilter{Kind: "campaign", IDs: []string{}}, 0},
		{outbox.PersonFilter{Kind: "journey", IDs: []string{"cmp_1"}}, 0},
		{outbox.PersonFilter{Kind: "campaign", IDs: []string{"cmp_0"}}, 0},
		{outbox.PersonFilter{Template: "tpl_1"}, 8},
		{outbox.PersonFilter{Kind: "api", Template: "tpl_1"}, 0},
		{outbox.PersonFilter{Template: "tpl_2"}, 0},
	} {
		p, err := s.ByPerson(ctx, ws, "per_1", c.f, page.Request{})
		must(t, err)
		equal(t, fmt.Sprintf("person's by %+v", c.f), c.want, len(p.Items))
		p, err = s.ByPerson(ctx, "ws_2", "per_1", c.f, page.Request{})
		must(t, err)
		equal(t, "another workspace's", 0, len(p.Items))
	}
}

func repoint(t *testing.T, s Store) {
	ctx := t.Context()
	insert(t, s, message(1), message(2, func(m *outbox.Message) { m.PersonID = "per_2" }))
	_, err := s.AddConversions(ctx, ws, []outbox.Conversion{conversion("a", "msg_001", 1)})
	must(t, err)
	must(t, s.Repoint(ctx, ws, "per_1", "per_2"))
	p, err := s.ByPerson(ctx, ws, "per_2", outbox.PersonFilter{}, page.Request{})
	must(t, err)
	equal(t, "messages", []string{"msg_002", "msg_001"}, ids(p.Items))
	c, err := s.Conversions(ctx, ws, "msg_001")
	must(t, err)
	equal(t, "conversion", "per_2", c[0].PersonID)
}

func goals(t *testing.T, s Store) {
	ctx := t.Context()
	must(t, s.NoteGoals(ctx, ws, []string{"b", "a"}))
	must(t, s.NoteGoals(ctx, ws, []string{"a", "c"}))
	got, err := s.Goals(ctx, ws)
	must(t, err)
	equal(t, "goals", []string{"a", "b", "c"}, got)
}

func accounts(t *testing.T, s Store) {
	ctx := t.Context()
	account := func(id, kind string, isDefault bool) outbox.SealedAccount {
		return outbox.SealedAccount{Sealed: []byte{0, 1, 2}, Account: outbox.Account{
			ID: id, Workspace: ws, Kind: kind, Name: "n", FromName: "f", FromAddr: "a@b", ReplyTo: "r@b", RatePerSecond: 2.5, Connections: 3,
			Pace:    outbox.Pace{Providers: true, Throttles: []outbox.Throttle{{Name: "t", Domains: []string{"d.example"}, PerMinute: 5, Connections: 2}}, WarmUp: &outbox.WarmUp{Start: "2026-03-01", First: 5, Growth: 1.5, Target: 50}},
			Default: isDefault, Status: outbox.AccountActive, CreatedAt: t0, UpdatedAt: t0,
		}}
	}
	a, b, c := account("acc_1", "email", true), account("acc_2", "email", true), account("acc_3", "sms", true)
	must(t, s.PutAccount(ctx, ws, a))
	got, err := s.Account(ctx, ws, "acc_1")
	must(t, err)
	equal(t, "account", a, got)
	must(t, s.PutAccount(ctx, ws, b))
	must(t, s.PutAccount(ctx, ws, c))
	a.Default = false
	list, err := s.Accounts(ctx, ws)
	must(t, err)
	equal(t, "accounts", []outbox.SealedAccount{a, b, c}, list)
	def, ok, err := s.DefaultAccount(ctx, ws, "email")
	must(t, err)
	if !ok || def.ID != "acc_2" {
		t.Errorf("default: %v %v", def.ID, ok)
	}
	b.Status, b.Name, b.Sealed, b.UpdatedAt = outbox.AccountDisabled, "changed", []byte{9}, t0.Add(time.Hour)
	must(t, s.PutAccount(ctx, ws, b))
	got, err = s.Account(ctx, ws, "acc_2")
	must(t, err)
	equal(t, "replaced", b, got)
	if _, ok, err := s.DefaultAccount(ctx, ws, "email"); err != nil || ok {
		t.Errorf("a disabled account is the default: %v, %v", ok, err)
	}
	for _, want := range []bool{true, false} {
		found, err := s.DeleteAccount(ctx, ws, "acc_2")
		must(t, err)
		equal(t, "deleted", want, found)
	}
	if _, err := s.Account(ctx, ws, "acc_2"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("deleted account: %v, want not_found", err)
	}
}

func windows(t *testing.T, s Store) {
	ctx := t.Context()
	minute := t0.Truncate(time.Minute)
	day := minute.Truncate(24 * time.Hour)
	window := func(bucket string, at time.Time, n int) outbox.Window {
		return outbox.Window{Bucket: bucket, At: at, Used: n}
	}
	must(t, s.Count(ctx, ws, "acc_1", []outbox.Window{window("a", minute, 2), window("a", minute.Add(time.Minute), 1), window(outbox.WarmUpBucket, day, 3)}, minute))
	must(t, s.Count(ctx, ws, "acc_1", []outbox.Window{window("a", minute, 5), window("b", minute, 1)}, minute))
	must(t, s.Count(ctx, ws, "acc_2", []outbox.Window{window("a", minute, 7)}, minute))
	must(t, s.Count(ctx, "ws_2", "acc_1", []outbox.Window{window("a", minute, 9)}, minute))
	got, err := s.Windows(ctx, ws, "acc_1", minute, day)
	must(t, err)
	equal(t, "windows", []outbox.Window{window(outbox.WarmUpBucket, day, 3), window("a", minute, 7), window("b", minute, 1), window("a", minute.Add(time.Minute), 1)}, got)
	later := minute.Add(time.Minute)
	must(t, s.Count(ctx, ws, "acc_1", []outbox.Window{window("b", later, 1)}, later))
	got, err = s.Windows(ctx, ws, "acc_1", minute, day)
	must(t, err)
	equal(t, "a minute later", []outbox.Window{window(outbox.WarmUpBucket, day, 3), window("a", later, 1), window("b", later, 1)}, got)
	got, err = s.Windows(ctx, ws, "acc_1", later.Add(time.Hour), day.AddDate(0, 0, 1))
	must(t, err)
	if len(got) != 0 {
		t.Errorf("windows that are over: %+v", got)
	}
}

func waitingBy(t *testing.T, s Store) {
	insert(t, s, message(1), message(2, func(m *outbox.Message) { m.Reason = outbox.ReasonThrottled }), message(3, func(m *outbox.Message) { m.Reason = outbox.ReasonThrottled }),
		message(4, func(m *outbox.Message) { m.Channel = "sms" }), message(5, func(m *outbox.Message) { m.State, m.Reason = outbox.Refused, "no_address" }))
	got, err := s.WaitingBy(t.Context(), ws, "email")
	must(t, err)
	equal(t, "waiting", map[string]int64{"": 1, outbox.ReasonThrottled: 2}, got)
	got, err = s.WaitingBy(t.Context(), "ws_2", "email")
	must(t, err)
	equal(t, "elsewhere", map[string]int64{}, got)
}

func isolation(t *testing.T, s Store) {
	ctx := t.Context()
	insert(t, s, message(1))
	_, err := s.AddConversions(ctx, ws, []outbox.Conversion{conversion("a", "msg_001", 1)})
	must(t, err)
	if _, err := s.Message(ctx, "ws_2", "msg_001"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("message: %v, want not_found", err)
	}
	if got, err := s.ByKeys(ctx, "ws_2", []string{"k1"}); err != nil || len(got) != 0 {
		t.Errorf("by key: %v, %v", got, err)
	}
	if got, err := s.CountsByNode(ctx, "ws_2", outbox.Source{Kind: "campaign", ID: "cmp_1"}); err != nil || len(got) != 0 {
		t.Errorf("figures: %v, %v", got, err)
	}
	if n, err := s.Cancel(ctx, "ws_2", outbox.Source{Kind: "campaign", ID: "cmp_1"}, t0); err != nil || n != 0 {
		t.Errorf("cancelled %d, %v", n, err)
	}
	if got, err := s.Conversions(ctx, "ws_2", "msg_001"); err != nil || len(got) != 0 {
		t.Errorf("conversions: %v, %v", got, err)
	}
	if got, err := s.Goals(ctx, "ws_2"); err != nil || len(got) != 0 {
		t.Errorf("goals: %v, %v", got, err)
	}
}
