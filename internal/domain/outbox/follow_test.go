package outbox_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
)

// follows notes clicks at moments after the start, each "link" or "trap".
func (f *fixture) follow(id, link string, at time.Duration, change ...func(*outbox.Interaction)) {
	f.t.Helper()
	f.clock.Set(start.Add(at))
	in := outbox.Interaction{Link: outbox.Link{Workspace: ws, MessageID: id, URL: "https://shop.example/" + link, Trap: link == "trap"}, Agent: "UA", Address: "192.0.2.0"}
	for _, c := range change {
		c(&in)
	}
	if err := f.Followed(f.t.Context(), in); err != nil {
		f.t.Fatal(err)
	}
}

// verdicts lists the clicks that are events, in the order of time, as "link at" with an exclamation mark for machines.
func (f *fixture) verdicts(t *testing.T) []string {
	t.Helper()
	out := []string{}
	for _, e := range f.log.all() {
		if e.Name != event.MessageClicked {
			continue
		}
		p := props(t, e)
		mark := ""
		if p["machine"] == true {
			mark = "!"
		}
		out = append(out, fmt.Sprintf("%s %s%s", p["url"].(string)[len("https://shop.example/"):], e.Time.Sub(start), mark))
	}
	return out
}

func (f *fixture) settle() {
	f.t.Helper()
	for {
		n, err := f.Settle(f.t.Context())
		if err != nil {
			f.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

func TestABurstIsAScannersFromItsFirstLinkOn(t *testing.T) {
	const h = time.Hour
	for name, c := range map[string]struct {
		clicks []any // link, time
		want   []string
	}{
		"one link, again and again": {[]any{"a", h, "a", h + time.Second, "a", h + 2*time.Second}, []string{"a 1h0m0s", "a 1h0m1s", "a 1h0m2s"}},
		"two links":                 {[]any{"a", h, "b", h + time.Second}, []string{"a 1h0m0s", "b 1h0m1s"}},
		"three links with time to look": {
			[]any{"a", h, "b", h + 2*time.Second, "c", h + 4*time.Second}, []string{"a 1h0m0s", "b 1h0m2s", "c 1h0m4s"},
		},
		"three links at once, and what follows": {
			[]any{"a", h, "b", h + time.Second, "c", h + 2*time.Second, "a", h + 40*time.Second, "a", h + 5*time.Minute},
			[]string{"a 1h0m0s!", "b 1h0m1s!", "c 1h0m2s!", "a 1h0m40s!", "a 1h5m0s"},
		},
		"two links of a mail that has just arrived": {[]any{"a", 5 * time.Second, "b", 6 * time.Second}, []string{"a 5s!", "b 6s!"}},
		"a person before the scanner":               {[]any{"a", h - time.Minute, "a", h, "b", h, "c", h}, []string{"a 59m0s", "a 1h0m0s!", "b 1h0m0s!", "c 1h0m0s!"}},
		"a link that nobody sees":                   {[]any{"a", h, "trap", h + 2*time.Second, "b", h + 30*time.Second}, []string{"a 1h0m0s!", "trap 1h0m2s!", "b 1h0m30s!"}},
		"a link that nobody sees, later":            {[]any{"a", h, "trap", h + time.Minute}, []string{"a 1h0m0s", "trap 1h1m0s!"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := setup(t, sqlite(t))
			id := f.sent(1, 1)[0]
			for i := 0; i < len(c.clicks); i += 2 {
				f.follow(id, c.clicks[i].(string), c.clicks[i+1].(time.Duration))
				f.settle() // as often as it may happen
			}
			f.clock.Advance(time.Minute)
			f.settle()
			if diff := cmp.Diff(c.want, f.verdicts(t)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhoIsNoPersonSaysNothingOfOthers(t *testing.T) {
	f := setup(t, sqlite(t))
	ids := f.sent(1, 2)
	machine := func(in *outbox.Interaction) { in.Machine = true }
	f.follow(ids[0], "a", time.Hour, machine)
	f.follow(ids[0], "a", time.Hour+time.Second)
	f.follow(ids[0], "b", time.Hour+time.Second)
	f.follow(ids[1], "c", time.Hour+time.Second) // another message's
	f.clock.Advance(time.Minute)
	f.settle()
	if diff := cmp.Diff([]string{"a 1h0m0s!", "a 1h0m1s", "b 1h0m1s", "c 1h0m1s"}, f.verdicts(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAClickWaitsForItsVerdictAndIsToldOnce(t *testing.T) {
	f := setup(t, sqlite(t))
	id := f.sent(1, 1)[0]
	f.follow(id, "a", time.Hour)
	f.follow("msg_gone", "b", time.Hour)
	f.clock.Advance(4 * time.Second)
	if f.settle(); len(f.verdicts(t)) != 0 {
		t.Error("it is told before it can be known")
	}
	f.clock.Advance(time.Second)
	f.settle()
	f.settle()
	if diff := cmp.Diff([]string{"a 1h0m0s"}, f.verdicts(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	f.clock.Advance(time.Hour)
	if n, err := f.PurgeFollows(t.Context(), 10); err != nil || n != 2 {
		t.Errorf("forgotten: %d %v, want the message that is gone too", n, err)
	}
}

// An end between settling and the log is an event that is told again: the same one.
func TestAVerdictIsTheSameWhenItIsFoundAgain(t *testing.T) {
	f := setup(t, sqlite(t))
	id := f.sent(1, 1)[0]
	for i, link := range []string{"a", "b", "c"} {
		f.follow(id, link, time.Hour+time.Duration(i)*time.Second)
	}
	f.clock.Advance(time.Minute)
	f.settle()
	first := f.verdicts(t)
	if _, err := f.db.Exec(context.Background(), `UPDATE link_follow SET settled = FALSE`); err != nil {
		t.Fatal(err)
	}
	f.settle()
	if diff := cmp.Diff(first, f.verdicts(t)); diff != "" || len(first) != 3 {
		t.Errorf("(-first +again):\n%s", diff)
	}
}

func TestAnOrderRightAfterAClickIsCreditedToItsMessage(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 1)
	d := f.dispatch(outbox.DispatchConfig{})
	send := func(key string) string {
		id := f.enqueue(f.request(1, func(r *outbox.Request) { r.Key = key }))[0].MessageID
		f.untilState(id, outbox.Sent)
		return id
	}
	clicked := send("first")
	f.clock.Advance(time.Hour)
	latest := send("second")
	if err := d.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.follow(clicked, "a", 2*time.Hour)
	f.follow(latest, "b", 2*time.Hour, func(in *outbox.Interaction) { in.Machine = true })
	if err := f.Attribution(t.Context(), []event.Kept{order(1, "o1", `{"order_id":"1","total":5,"currency":"EUR"}`, 2*time.Hour+time.Second)}); err != nil {
		t.Fatal(err)
	}
	if f.message(clicked).ConvertedAt.IsZero() || !f.message(latest).ConvertedAt.IsZero() {
		t.Errorf("credited to the latest: %v %v", f.message(clicked).ConvertedAt, f.message(latest).ConvertedAt)
	}
}
