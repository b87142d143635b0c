package outboxtest

import (
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func cancelOne(t *testing.T, s Store) {
	ctx := t.Context()
	insert(t, s, message(1), message(2), message(3))
	got := claim(t, s, "o.1", 2)
	_, err := s.Begin(ctx, held(got[:1]))
	must(t, err)
	for id, want := range map[string]bool{"msg_001": false, "msg_002": true, "msg_003": true, "msg_009": false} {
		done, err := s.CancelOne(ctx, ws, id, t0.Add(time.Hour))
		must(t, err)
		equal(t, id, want, done)
	}
	if done, err := s.CancelOne(ctx, "ws_2", "msg_003", t0); err != nil || done {
		t.Errorf("from elsewhere: %v, %v", done, err)
	}
	if m := get(t, s, "msg_003"); m.State != outbox.Cancelled || m.Reason != outbox.ReasonCancelled || !m.EndedAt.Equal(t0.Add(time.Hour)) {
		t.Errorf("%+v", m)
	}
}

func bodies(t *testing.T, s Store) {
	ctx := t.Context()
	insert(t, s, message(1), message(2))
	must(t, s.PutBody(ctx, ws, "msg_001", []byte{0, 1, 255}))
	must(t, s.PutBody(ctx, ws, "msg_002", []byte("b")))
	must(t, s.PutBody(ctx, ws, "msg_001", []byte{0, 2, 255}))
	got, err := s.Body(ctx, ws, "msg_001")
	must(t, err)
	equal(t, "body", []byte{0, 2, 255}, got)
	for _, at := range [][2]string{{"ws_2", "msg_001"}, {ws, "msg_009"}} {
		if _, err := s.Body(ctx, at[0], at[1]); !errs.Is(err, errs.KindNotFound) {
			t.Errorf("%v: %v", at, err)
		}
	}
	_, err = s.CancelOne(ctx, ws, "msg_001", t0)
	must(t, err)
	n, err := s.PurgeBodies(ctx, t0, 10)
	must(t, err)
	equal(t, "too early", int64(0), n)
	n, err = s.PurgeBodies(ctx, t0.Add(time.Second), 10)
	must(t, err)
	equal(t, "purged", int64(1), n)
	if _, err := s.Body(ctx, ws, "msg_001"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("purged: %v", err)
	}
	if _, err := s.Body(ctx, ws, "msg_002"); err != nil {
		t.Errorf("of a message that waits: %v", err)
	}
}

func rivals(t *testing.T, s Store) {
	ctx := t.Context()
	rank := func(p outbox.Priority) func(*outbox.Message) { return func(m *outbox.Message) { m.Priority = p } }
	insert(t, s, message(1), message(2, rank(outbox.Low)), message(3, rank(outbox.High)), message(4, func(m *outbox.Message) { m.Transactional = true }),
		message(5, func(m *outbox.Message) { m.PersonID = "per_2" }), message(6, func(m *outbox.Message) { m.State = outbox.Refused }), message(7, func(m *outbox.Message) { m.DueAt = t0.Add(time.Hour) }))
	got := claim(t, s, "o.1", 2)
	_, err := s.Begin(ctx, held(got[:1]))
	must(t, err)
	ids := func(due time.Time) []string {
		found, err := s.Rivals(ctx, ws, []string{"per_1"}, due)
		must(t, err)
		var out []string
		for _, m := range found {
			out = append(out, m.ID)
		}
		return out
	}
	equal(t, "due now", []string{"msg_003", "msg_001", "msg_002"}, ids(t0.Add(time.Minute)))
	equal(t, "due later", []string{"msg_003", "msg_001", "msg_007", "msg_002"}, ids(t0.Add(time.Hour)))
	why := outbox.Evidence{"by": "msg_003"}
	done, err := s.Displace(ctx, ws, "outranked", map[string]outbox.Evidence{"msg_001": why, "msg_002": why, "msg_007": why, "msg_006": why}, t0)
	must(t, err)
	equal(t, "displaced", map[string]bool{"msg_002": true, "msg_007": true}, done) // the first is in flight
	if m := get(t, s, "msg_002"); m.State != outbox.Refused || m.Reason != "outranked" || m.Data["by"] != "msg_003" || m.Claim != "" || !m.EndedAt.Equal(t0) {
		t.Errorf("%+v", m)
	}
	if done, err := s.Displace(ctx, "ws_2", "outranked", map[string]outbox.Evidence{"msg_003": why}, t0); err != nil || len(done) != 0 {
		t.Errorf("from elsewhere: %v, %v", done, err)
	}
}
