package outboxtest

import (
	"slices"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
)

func marks(t *testing.T, s Store) {
	ctx := t.Context()
	insert(t, s, message(1), message(2))
	at := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Minute) }
	receipts := []outbox.Receipt{
		{MessageID: "msg_001", Kind: outbox.ReceiptOpened, At: at(5)},
		{MessageID: "msg_001", Kind: outbox.ReceiptClicked, At: at(3)},
		{MessageID: "msg_001", Kind: outbox.ReceiptMachineOpen, At: at(1)},
		{MessageID: "msg_001", Kind: outbox.ReceiptDelivered, At: at(2)},
		{MessageID: "msg_001", Kind: outbox.ReceiptUnsubscribed, At: at(4)},
		{MessageID: "msg_none", Kind: outbox.ReceiptOpened, At: at(4)},
		{MessageID: "msg_002", Kind: outbox.ReceiptBounced, At: at(9)},
		{MessageID: "msg_002", Kind: outbox.ReceiptHardBounced, At: at(10)},
		{MessageID: "msg_002", Kind: outbox.ReceiptComplained, At: at(11)},
	}
	want := message(1, func(m *outbox.Message) {
		m.OpenedAt, m.ClickedAt, m.MachineOpenedAt, m.DeliveredAt, m.UnsubscribedAt = at(3), at(3), at(1), at(2), at(4)
	})
	for range 2 {
		must(t, s.Mark(ctx, ws, receipts))
		equal(t, "marked", want, get(t, s, "msg_001"))
		equal(t, "bounced", at(9), get(t, s, "msg_002").BouncedAt)
		equal(t, "bounced for good", at(10), get(t, s, "msg_002").HardBouncedAt)
		equal(t, "complained", at(11), get(t, s, "msg_002").ComplainedAt)
		slices.Reverse(receipts)
	}
	must(t, s.Mark(ctx, "ws_2", []outbox.Receipt{{MessageID: "msg_002", Kind: outbox.ReceiptOpened, At: at(1)}}))
	equal(t, "another workspace's receipt", time.Time{}, get(t, s, "msg_002").OpenedAt)
}

func keptSent(t *testing.T, s Store) {
	ctx, at := t.Context(), t0.Add(time.Hour)
	insert(t, s, message(1), message(2, func(m *outbox.Message) { m.Body = true }), message(3, func(m *outbox.Message) { m.State = outbox.Cancelled }), message(4), message(5))
	must(t, s.PutBody(ctx, ws, "msg_002", []byte("sealed")))
	all := []string{"msg_001", "msg_far", "msg_003", "msg_old", "msg_new"}
	unsent, err := s.Unsent(ctx, ws, all)
	must(t, err)
	equal(t, "unsent", []string{"msg_001", "msg_far", "msg_old", "msg_new"}, unsent)
	if got, err := s.Unsent(ctx, ws, []string{"msg_003"}); err != nil || len(got) > 0 {
		t.Errorf("of one that has ended: %v, %v", got, err)
	}
	claimed := claim(t, s, "a", 1)[0] // msg_001
	sent := func(id, key string) outbox.Message {
		return message(0, func(m *outbox.Message) { m.ID, m.Key, m.Subject, m.SentAt = id, key, "Hello", at })
	}
	for range 2 {
		must(t, s.KeepSent(ctx, ws, []outbox.Message{sent("msg_001", "k1"), sent("msg_far", "k2"), sent("msg_003", "k3"), sent("msg_old", ""), sent("msg_new", "k9"), sent("msg_late", "k3")}))
		for id, key := range map[string]string{"msg_001": "k1", "msg_far": "k2", "msg_new": "k9"} {
			m := get(t, s, id)
			equal(t, id, []any{outbox.Sent, key, "Hello", at, at, ""}, []any{m.State, m.Key, m.Subject, m.SentAt, m.EndedAt, m.Claim})
		}
		if body, err := s.Body(ctx, ws, "msg_far"); err != nil || string(body) != "sealed" {
			t.Errorf("body %q, %v", body, err)
		}
		known, err := s.Messages(ctx, ws, []string{"msg_002", "msg_003", "msg_old", "msg_late"})
		must(t, err)
		if len(known) != 1 || known["msg_003"].State != outbox.Cancelled {
			t.Errorf("kept besides: %v", known)
		}
	}
	if begun, err := s.Begin(ctx, held([]outbox.Message{claimed})); err != nil || len(begun) > 0 {
		t.Errorf("what was sent is begun once more: %v, %v", begun, err)
	}
	if n, err := s.Insert(ctx, ws, []outbox.Message{message(9)}); err != nil || n != 0 {
		t.Errorf("a key of what was sent made %d messages, %v", n, err)
	}
	equal(t, "what waits on", []string{"msg_004", "msg_005"}, ids(claim(t, s, "b", 10)))
}

func cancelWaiting(t *testing.T, s Store) {
	ctx, at := t.Context(), t0.Add(time.Hour)
	api := func(m *outbox.Message) { m.Source = outbox.Source{Kind: "api"} }
	insert(t, s, message(1), message(2), message(3), message(4, api), message(5, func(m *outbox.Message) { m.State = outbox.Refused }))
	insert(t, s, message(6, func(m *outbox.Message) { m.Workspace = "ws_2" }))
	flying := claim(t, s, "a", 2)[0]
	if _, err := s.Begin(ctx, held([]outbox.Message{flying})); err != nil {
		t.Fatal(err)
	}
	waiting, err := s.WaitingBySource(ctx, ws)
	must(t, err)
	equal(t, "waiting", []outbox.Waiting{{Source: outbox.Source{Kind: "campaign", ID: "cmp_1"}, Count: 3}, {Source: outbox.Source{Kind: "api"}, Count: 1}}, waiting)
	if n, err := s.CancelWaiting(ctx, ws, at); err != nil || n != 3 {
		t.Errorf("cancelled %d, %v", n, err)
	}
	for id, want := range map[string]outbox.State{"msg_001": outbox.Claimed, "msg_002": outbox.Cancelled, "msg_003": outbox.Cancelled, "msg_004": outbox.Cancelled, "msg_005": outbox.Refused} {
		equal(t, id, want, get(t, s, id).State)
	}
	waiting, err = s.WaitingBySource(ctx, "ws_2")
	must(t, err)
	equal(t, "in another workspace", []outbox.Waiting{{Source: outbox.Source{Kind: "campaign", ID: "cmp_1"}, Count: 1}}, waiting)
}
