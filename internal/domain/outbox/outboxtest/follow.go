package outboxtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
)

func follow(n int, message string, after time.Duration, change ...func(*outbox.Follow)) outbox.Follow {
	f := outbox.Follow{
		ID: fmt.Sprintf("clk_%03d", n), Workspace: ws, MessageID: message, URL: fmt.Sprintf("https://shop.example/%d?a=1&b=「x」", n),
		Agent: "UA", Address: "192.0.2.0", At: t0.Add(after),
	}
	for _, c := range change {
		c(&f)
	}
	return f
}

func follows(t *testing.T, s Store) {
	ctx := t.Context()
	elsewhere := func(f *outbox.Follow) { f.Workspace = "ws_2" }
	first, second := follow(1, "msg_a", 0, func(f *outbox.Follow) { f.Trap, f.Machine = true, true }), follow(2, "msg_a", 10*time.Second)
	other, same := follow(3, "msg_b", time.Second), follow(4, "msg_a", time.Second, elsewhere)
	late := follow(5, "msg_c", 10*time.Second)
	for _, f := range []outbox.Follow{second, first, other, same, late, first} {
		must(t, s.AddFollow(ctx, f))
	}
	settling := func(after time.Duration, limit int) []outbox.Follow {
		t.Helper()
		got, err := s.Settling(ctx, t0.Add(after), limit)
		must(t, err)
		return got
	}
	equal(t, "before anything is due", 0, len(settling(-time.Second, 9)))
	equal(t, "what is due comes with the rest of its message", []outbox.Follow{first, second}, settling(0, 9))
	equal(t, "all that is due", []outbox.Follow{first, other, same, second}, settling(time.Second, 9))
	equal(t, "the longest waiting first", []outbox.Follow{first, second}, settling(time.Minute, 1))

	of, err := s.Follows(ctx, ws, []string{"msg_b", "msg_a", "msg_none"})
	must(t, err)
	equal(t, "of these messages", []outbox.Follow{first, other, second}, of)

	must(t, s.Settle(ctx, []string{first.ID, other.ID, "clk_none"}))
	must(t, s.Settle(ctx, []string{first.ID}))
	must(t, s.Settle(ctx, nil))
	first.Settled = true
	equal(t, "what is settled still comes with its message", []outbox.Follow{same, first, second, late}, func() []outbox.Follow {
		got := settling(time.Minute, 9)
		got[0], got[1] = got[1], got[0] // first is the earliest
		return got
	}())
	must(t, s.AddFollow(ctx, func() outbox.Follow { f := first; f.Settled = false; return f }()))
	if got := settling(0, 9); len(got) != 0 {
		t.Errorf("a link that is told again waits again: %+v", got)
	}

	purged, err := s.PurgeFollows(ctx, t0.Add(time.Second), 9)
	must(t, err)
	equal(t, "purged: settled, and before the time", int64(1), purged)
	purged, err = s.PurgeFollows(ctx, t0.Add(time.Hour), 9)
	must(t, err)
	equal(t, "what waits is never purged", int64(1), purged)
	equal(t, "left", []outbox.Follow{same, second, late}, settling(time.Hour, 9))
}
