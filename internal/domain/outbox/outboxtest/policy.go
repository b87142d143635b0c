package outboxtest

import (
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
)

func policy(t *testing.T, s Store) {
	ctx := t.Context()
	got, err := s.Policy(ctx, ws)
	must(t, err)
	equal(t, "before", outbox.Policy{}, got)
	want := outbox.Policy{
		Quiet: []outbox.Quiet{{Channel: "email", From: 21 * 60, To: 8*60 + 30, Days: []time.Weekday{time.Saturday, time.Sunday}, Refuse: true}},
		Caps:  []outbox.Cap{{Topic: "tpc_1", Limit: 2, Days: 7, Calendar: true, Retry: 24}}, Holdout: 2.5, Salt: "hld_1",
	}
	must(t, s.SetPolicy(ctx, ws, outbox.Policy{Holdout: 1}, t0))
	must(t, s.SetPolicy(ctx, ws, want, t0))
	got, err = s.Policy(ctx, ws)
	must(t, err)
	equal(t, "after", want, got)
	got, err = s.Policy(ctx, "ws_2")
	must(t, err)
	equal(t, "another workspace", outbox.Policy{}, got)
}

func slots(t *testing.T, s Store) {
	ctx := t.Context()
	other := func(m *outbox.Message) { m.PersonID = "per_2" }
	insert(t, s, message(1), message(2), message(3), message(4, other), message(5), message(6))
	taken := claim(t, s, "o.1", 10)
	must(t, s.Take(ctx, ws, held(taken[:4]), t0.Add(time.Hour)))
	must(t, s.Take(ctx, ws, held(taken[4:5]), t0.Add(2*time.Hour)))
	must(t, s.Take(ctx, "ws_2", held(taken[5:]), t0.Add(time.Hour))) // another workspace: nothing of it is here
	must(t, s.Take(ctx, ws, []outbox.Held{{MessageID: taken[5].ID, Claim: "o.2"}}, t0.Add(time.Hour)))
	_, err := s.Finish(ctx, []outbox.Result{
		{Held: held(taken)[0], State: outbox.Sent, At: t0},
		{Held: held(taken)[1], State: outbox.Failed, At: t0},              // never left
		{Held: held(taken)[2], State: outbox.Failed, At: t0, Lost: true},  // may have
		{Held: held(taken)[4], State: outbox.Queued, At: t0, Waits: true}, // still may
		{Held: held(taken)[5], State: outbox.Queued, At: t0, Due: t0, Waits: true},
	})
	must(t, err)
	if m := get(t, s, taken[5].ID); m.Attempts != 0 {
		t.Errorf("waiting counts as %d attempts", m.Attempts)
	}
	of := func(since time.Time, people ...string) []string {
		found, err := s.Taken(ctx, ws, people, since)
		must(t, err)
		out := []string{}
		for _, slot := range found {
			out = append(out, slot.MessageID+" "+slot.PersonID+" "+slot.Channel+" "+slot.Topic+" "+slot.At.Sub(t0).String())
		}
		return out
	}
	equal(t, "of one person", []string{"msg_001 per_1 email tpc_1 1h0m0s", "msg_003 per_1 email tpc_1 1h0m0s", "msg_005 per_1 email tpc_1 2h0m0s"}, of(t0, "per_1"))
	equal(t, "since", []string{"msg_005 per_1 email tpc_1 2h0m0s"}, of(t0.Add(2*time.Hour), "per_1", "per_2"))
	// What was sent while nothing limited it, and what no cap counts.
	third := func(m *outbox.Message) { m.PersonID = "per_3" }
	insert(t, s, message(7, third), message(8, third), message(9, third, func(m *outbox.Message) { m.Transactional = true }), message(10, third))
	free := claim(t, s, "o.1", 10)
	ended := map[string]outbox.State{"msg_007": outbox.Sent, "msg_008": outbox.Sent, "msg_009": outbox.Sent, "msg_010": outbox.Failed}
	for i, m := range free {
		if state, ends := ended[m.ID]; ends {
			_, err := s.Finish(ctx, []outbox.Result{{Held: held(free)[i], State: state, At: m.DueAt}})
			must(t, err)
		}
	}
	equal(t, "sent without a slot", []string{"msg_007 per_3 email tpc_1 7s", "msg_008 per_3 email tpc_1 8s"}, of(t0, "per_3"))
	equal(t, "sent without a slot, since", 0, len(of(t0.Add(24*time.Hour), "per_3")))
	must(t, s.Repoint(ctx, ws, "per_2", "per_1"))
	equal(t, "after a merge", 4, len(of(t0, "per_1")))
	found, err := s.Taken(ctx, "ws_2", []string{"per_1"}, t0)
	must(t, err)
	equal(t, "another workspace", 0, len(found))
}
