// Package hooktest holds the suite that every hook.Store passes.
package hooktest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kizuna-cx/kizuna/internal/domain/hook"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

const ws, other = "ws_1", "ws_2"

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 123000, time.UTC)

// Run checks a store; open returns an empty one.
func Run(t *testing.T, open func(t *testing.T) hook.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, hook.Store){
		"an endpoint comes back as it was stored, the oldest first":           endpoints,
		"an endpoint goes with its deliveries":                                remove,
		"an event makes one delivery an endpoint":                             once,
		"a claim is due, earliest first, and nobody else's until it ends":     claims,
		"an endpoint is ready when it is on, rested, and has something due":   ready,
		"what has ended is not ended again":                                   finish,
		"parking takes what has waited long enough and keeps what it knows":   park,
		"what has ended waits anew, by stretch, state and kind, or one by id": requeue,
		"deliveries page latest first and filter":                             list,
		"what is old and does not wait is forgotten":                          purge,
		"workspaces do not see each other":                                    isolation,
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
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func endpoint(n int) hook.Endpoint {
	at := t0.Add(time.Duration(n) * time.Hour)
	return hook.Endpoint{
		ID: fmt.Sprintf("whk_%d", n), Name: "倉庫", URL: "https://example.com/in", Kinds: []string{"message.sent", "segment.left"}, Secret: []byte{1, 2, byte(n)},
		Status: hook.On, CreatedAt: at, UpdatedAt: at,
	}
}

func delivery(n int, endpoint string) hook.Delivery {
	at := t0.Add(time.Duration(n) * time.Minute)
	return hook.Delivery{
		ID: fmt.Sprintf("whd_%02d", n), Endpoint: endpoint, Kind: "message.sent", Event: fmt.Sprintf("m%d", n), Body: `{"type":"message.sent","data":{"n":"絆"}}`,
		State: hook.Waiting, QueuedAt: at, DueAt: at, CreatedAt: at, Trace: fmt.Sprintf("00-%032x-%016x-01", n, n),
	}
}

func add(t *testing.T, s hook.Store, ws string, all ...hook.Delivery) {
	t.Helper()
	n, err := s.Add(t.Context(), ws, all)
	must(t, err)
	equal(t, "new deliveries", int64(len(all)), n)
}

func get(t *testing.T, s hook.Store, endpoint, id string) hook.Delivery {
	t.Helper()
	d, err := s.Delivery(t.Context(), ws, endpoint, id)
	must(t, err)
	return d
}

func ids(all []hook.Delivery) (out []string) {
	for _, d := range all {
		out = append(out, d.ID)
	}
	return out
}

func endpoints(t *testing.T, s hook.Store) {
	first, second := endpoint(1), endpoint(2)
	must(t, s.Put(t.Context(), ws, second))
	must(t, s.Put(t.Context(), ws, first))
	all, err := s.All(t.Context(), ws)
	must(t, err)
	equal(t, "all", []hook.Endpoint{first, second}, all)
	first.Name, first.URL, first.Kinds, first.Secret, first.OldSecret, first.OldUntil = "n", "https://b.example/", []string{"order.completed"}, []byte{9}, []byte{8}, t0
	first.Status, first.UpdatedAt = hook.Disabled, t0.Add(99*time.Hour)
	first.Health = hook.Health{Reason: hook.ReasonFailing, FailingSince: t0, Failures: 7, RestUntil: t0.Add(time.Hour), LastError: "webhook.status", SucceededAt: t0.Add(-time.Hour)}
	must(t, s.Put(t.Context(), ws, first))
	got, err := s.Get(t.Context(), ws, first.ID)
	must(t, err)
	equal(t, "replaced", first, got)
	if _, err := s.Get(t.Context(), ws, "none"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("an endpoint that does not exist: %v", err)
	}
}

func remove(t *testing.T, s hook.Store) {
	must(t, s.Put(t.Context(), ws, endpoint(1)))
	must(t, s.Put(t.Context(), ws, endpoint(2)))
	add(t, s, ws, delivery(1, "whk_1"), delivery(2, "whk_2"))
	found, err := s.Delete(t.Context(), ws, "whk_1")
	must(t, err)
	equal(t, "found", true, found)
	found, err = s.Delete(t.Context(), ws, "whk_1")
	must(t, err)
	equal(t, "found again", false, found)
	if _, err := s.Delivery(t.Context(), ws, "whk_1", "whd_01"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("a delivery outlives its endpoint: %v", err)
	}
	get(t, s, "whk_2", "whd_02")
}

func once(t *testing.T, s hook.Store) {
	d := delivery(1, "whk_1")
	d.Attempts, d.EndedAt, d.Outcome = 2, t0, hook.Outcome{Status: 500, Answer: "おっと", Error: "webhook.status", Detail: "x", Took: 1500 * time.Microsecond}
	add(t, s, ws, d)
	again, elsewhere := delivery(1, "whk_1"), delivery(1, "whk_2")
	again.ID, elsewhere.ID = "whd_90", "whd_91"
	n, err := s.Add(t.Context(), ws, []hook.Delivery{again, elsewhere})
	must(t, err)
	equal(t, "new for the other endpoint alone", int64(1), n)
	equal(t, "the first stays", d, get(t, s, "whk_1", "whd_01"))
}

func claims(t *testing.T, s hook.Store) {
	add(t, s, ws, delivery(2, "whk_1"), delivery(1, "whk_1"), delivery(3, "whk_1"), delivery(9, "whk_1"), delivery(0, "whk_2"))
	now, until := t0.Add(3*time.Minute), t0.Add(8*time.Minute)
	got, err := s.Claim(t.Context(), ws, "whk_1", now, until, 2)
	must(t, err)
	equal(t, "the earliest", []string{"whd_01", "whd_02"}, ids(got))
	equal(t, "held until", until, got[0].DueAt)
	got, err = s.Claim(t.Context(), ws, "whk_1", now, until, 5)
	must(t, err)
	equal(t, "the rest of what is due", []string{"whd_03"}, ids(got))
	got, err = s.Claim(t.Context(), ws, "whk_1", until, until.Add(time.Minute), 5)
	must(t, err)
	equal(t, "claims that have ended", []string{"whd_01", "whd_02", "whd_03"}, ids(got))
}

func ready(t *testing.T, s hook.Store) {
	for n, change := range []func(*hook.Endpoint){
		func(*hook.Endpoint) {},
		func(e *hook.Endpoint) { e.Status = hook.Off },
		func(e *hook.Endpoint) { e.Status = hook.Disabled },
		func(e *hook.Endpoint) { e.RestUntil = t0.Add(2 * time.Hour) },
	} {
		e := endpoint(n)
		change(&e)
		must(t, s.Put(t.Context(), ws, e))
		add(t, s, ws, delivery(n, e.ID))
	}
	idle, late := endpoint(5), endpoint(6)
	must(t, s.Put(t.Context(), ws, idle))
	must(t, s.Put(t.Context(), other, late))
	done := delivery(10, idle.ID)
	done.State = hook.Delivered
	add(t, s, ws, done)
	add(t, s, other, delivery(90, late.ID))
	got, err := s.Ready(t.Context(), t0.Add(time.Hour), 10)
	must(t, err)
	equal(t, "after an hour", []hook.Ref{{Workspace: ws, Endpoint: "whk_0"}}, got)
	got, err = s.Ready(t.Context(), t0.Add(2*time.Hour), 10)
	must(t, err)
	equal(t, "after two", []hook.Ref{{Workspace: ws, Endpoint: "whk_0"}, {Workspace: ws, Endpoint: "whk_3"}, {Workspace: other, Endpoint: "whk_6"}}, got)
	got, err = s.Ready(t.Context(), t0.Add(2*time.Hour), 1)
	must(t, err)
	equal(t, "limited", 1, len(got))
}

func finish(t *testing.T, s hook.Store) {
	add(t, s, ws, delivery(1, "whk_1"))
	d := delivery(1, "whk_1")
	d.Attempts, d.DueAt, d.EndedAt = 1, t0.Add(time.Hour), t0.Add(time.Minute)
	d.Outcome = hook.Outcome{Status: 503, Answer: "later", Error: "webhook.status", Detail: "said 503", Took: time.Second}
	must(t, s.Finish(t.Context(), ws, d))
	equal(t, "failed once", d, get(t, s, "whk_1", d.ID))
	d.State, d.Outcome = hook.Delivered, hook.Outcome{Status: 204}
	must(t, s.Finish(t.Context(), ws, d))
	equal(t, "delivered", d, get(t, s, "whk_1", d.ID))
	late := d
	late.State, late.Attempts = hook.Parked, 9
	must(t, s.Finish(t.Context(), ws, late))
	equal(t, "still delivered", d, get(t, s, "whk_1", d.ID))
}

func park(t *testing.T, s hook.Store) {
	tried, done := delivery(2, "whk_1"), delivery(3, "whk_1")
	tried.Error, done.State = "url.timeout", hook.Delivered
	add(t, s, ws, delivery(1, "whk_1"), tried, done, delivery(5, "whk_1"), delivery(0, "whk_2"))
	n, err := s.Park(t.Context(), ws, "whk_1", "webhook.off", t0.Add(5*time.Minute))
	must(t, err)
	equal(t, "parked", int64(2), n)
	for id, want := range map[string][2]string{"whd_01": {"parked", "webhook.off"}, "whd_02": {"parked", "url.timeout"}, "whd_03": {"delivered", ""}, "whd_05": {"waiting", ""}} {
		d := get(t, s, "whk_1", id)
		equal(t, id, want, [2]string{string(d.State), d.Error})
	}
	counts, err := s.Counts(t.Context(), ws, "whk_1")
	must(t, err)
	equal(t, "counts", map[hook.State]int64{hook.Waiting: 1, hook.Delivered: 1, hook.Parked: 2}, counts)
}

func requeue(t *testing.T, s hook.Store) {
	var all []hook.Delivery
	for n, state := range []hook.State{hook.Parked, hook.Parked, hook.Delivered, hook.Waiting, hook.Parked} {
		d := delivery(n, "whk_1")
		d.State, d.Attempts, d.Error = state, 4, "x"
		all = append(all, d)
	}
	all[4].Kind = "segment.left"
	add(t, s, ws, all...)
	now := t0.Add(24 * time.Hour)
	f := hook.Filter{State: hook.Parked, Kind: "message.sent", From: t0.Add(time.Minute)}
	n, err := s.Requeue(t.Context(), ws, "whk_1", f, now)
	must(t, err)
	equal(t, "parked ones of the kind since", int64(1), n)
	d := get(t, s, "whk_1", "whd_01")
	equal(t, "waits anew", []any{hook.Waiting, 0, now, now, t0.Add(time.Minute)}, []any{d.State, d.Attempts, d.QueuedAt, d.DueAt, d.CreatedAt})
	n, err = s.Requeue(t.Context(), ws, "whk_1", hook.Filter{From: t0, To: t0.Add(2 * time.Minute)}, now)
	must(t, err)
	equal(t, "whatever ended before", int64(1), n)
	later := now.Add(time.Hour)
	for id, want := range map[string]bool{"whd_02": true, "whd_03": true, "none": false} {
		found, err := s.RequeueOne(t.Context(), ws, "whk_1", id, later)
		must(t, err)
		equal(t, id, want, found)
		if want {
			equal(t, id, later, get(t, s, "whk_1", id).DueAt)
		}
	}
	found, err := s.RequeueOne(t.Context(), ws, "whk_2", "whd_02", later)
	must(t, err)
	equal(t, "of another endpoint", false, found)
}

func list(t *testing.T, s hook.Store) {
	for n := range 5 {
		d := delivery(n, "whk_1")
		d.CreatedAt = t0.Add(time.Duration(n/2) * time.Minute) // some at the same moment
		if n == 3 {
			d.State, d.Kind = hook.Parked, "segment.left"
		}
		add(t, s, ws, d)
	}
	add(t, s, ws, delivery(9, "whk_2"))
	var got []string
	for cursor := ""; ; {
		p, err := s.Deliveries(t.Context(), ws, "whk_1", hook.Filter{}, page.Request{Limit: 2, Cursor: cursor})
		must(t, err)
		got = append(got, ids(p.Items)...)
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	equal(t, "all", []string{"whd_04", "whd_03", "whd_02", "whd_01", "whd_00"}, got)
	for _, c := range []struct {
		f    hook.Filter
		want []string
	}{
		{hook.Filter{State: hook.Parked}, []string{"whd_03"}},
		{hook.Filter{Kind: "segment.left"}, []string{"whd_03"}},
		{hook.Filter{From: t0.Add(time.Minute), To: t0.Add(2 * time.Minute)}, []string{"whd_03", "whd_02"}},
	} {
		p, err := s.Deliveries(t.Context(), ws, "whk_1", c.f, page.Request{})
		must(t, err)
		equal(t, fmt.Sprint(c.f), c.want, ids(p.Items))
	}
	if _, err := s.Deliveries(t.Context(), ws, "whk_1", hook.Filter{}, page.Request{Cursor: "nonsense"}); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("a cursor of nobody: %v", err)
	}
}

func purge(t *testing.T, s hook.Store) {
	done, parked, young := delivery(1, "whk_1"), delivery(2, "whk_1"), delivery(60, "whk_1")
	done.State, parked.State, young.State = hook.Delivered, hook.Parked, hook.Delivered
	add(t, s, ws, delivery(0, "whk_1"), done, parked, young)
	n, err := s.Purge(t.Context(), t0.Add(time.Hour), 1)
	must(t, err)
	equal(t, "at most one", int64(1), n)
	n, err = s.Purge(t.Context(), t0.Add(time.Hour), 10)
	must(t, err)
	equal(t, "the other", int64(1), n)
	p, err := s.Deliveries(t.Context(), ws, "whk_1", hook.Filter{}, page.Request{})
	must(t, err)
	equal(t, "left", []string{"whd_60", "whd_00"}, ids(p.Items))
}

func isolation(t *testing.T, s hook.Store) {
	must(t, s.Put(t.Context(), ws, endpoint(1)))
	d := delivery(1, "whk_1")
	d.State = hook.Parked
	add(t, s, ws, d, delivery(2, "whk_1"))
	ctx, now := t.Context(), t0.Add(time.Hour)
	if _, err := s.Get(ctx, other, "whk_1"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("get: %v", err)
	}
	if _, err := s.Delivery(ctx, other, "whk_1", "whd_01"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("delivery: %v", err)
	}
	claimed, err := s.Claim(ctx, other, "whk_1", now, now, 9)
	must(t, err)
	equal(t, "claimed", 0, len(claimed))
	for what, do := range map[string]func() (int64, error){
		"parked":   func() (int64, error) { return s.Park(ctx, other, "whk_1", "x", now) },
		"requeued": func() (int64, error) { return s.Requeue(ctx, other, "whk_1", hook.Filter{}, now) },
	} {
		n, err := do()
		must(t, err)
		equal(t, what, int64(0), n)
	}
	found, err := s.RequeueOne(ctx, other, "whk_1", "whd_01", now)
	must(t, err)
	equal(t, "requeued one", false, found)
	found, err = s.Delete(ctx, other, "whk_1")
	must(t, err)
	equal(t, "deleted", false, found)
	must(t, s.Finish(ctx, other, hook.Delivery{ID: "whd_02", State: hook.Delivered}))
	equal(t, "untouched", delivery(2, "whk_1"), get(t, s, "whk_1", "whd_02"))
	counts, err := s.Counts(ctx, other, "whk_1")
	must(t, err)
	equal(t, "counts", map[hook.State]int64{}, counts)
}
