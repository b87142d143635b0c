package outbox_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/report"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// A shop on payday, day after day: most orders come in the first hours, those who buy much have had a message lately and meet the cap, two in five live where
// it is night, and whoever of them has bought before morning is not written to any more. Each day other people are the control group.
func TestTheIntervalOfAnEffectHoldsTheTruthWhateverBecomesOfTheMessages(t *testing.T) {
	const (
		people = 440
		days   = 40
	)
	f := setup(t, sqlite(t))
	f.subscribed(1, people)
	rng := rand.New(rand.NewPCG(7, 11))
	heavy, asleep := map[int]bool{}, map[int]bool{}
	earlier, before := []outbox.Message{}, start.AddDate(0, 0, -2)
	for n := 1; n <= people; n++ {
		zone := "Europe/London"
		if asleep[n] = rng.Float64() < 0.4; asleep[n] {
			zone = "America/Los_Angeles"
		}
		f.people.all[pid(n)].Traits["timezone"] = person.Trait{Value: zone, Time: start}
		if heavy[n] = rng.Float64() < 0.25; heavy[n] {
			earlier = append(earlier, outbox.Message{
				ID: fmt.Sprintf("msg_before_%03d", n), Workspace: ws, PersonID: pid(n), Channel: "email", Topic: f.news.ID, Template: "tpl_other", Source: outbox.Source{Kind: "campaign", ID: "cmp_before"},
				Key: fmt.Sprint("before", n), Goal: outbox.Goal{None: true}, State: outbox.Sent, CreatedAt: before, NotBefore: before, DueAt: before, EndedAt: before, SentAt: before,
			})
		}
	}
	ctx := t.Context()
	if _, err := f.store().Insert(ctx, ws, earlier); err != nil {
		t.Fatal(err)
	}
	reports := report.New(report.Config{Clock: f.clock, Store: sqlstore.NewReport(f.db), Zone: func(context.Context, string) (*time.Location, error) { return time.UTC, nil }})
	policy := outbox.Policy{
		Holdout: 50, Caps: []outbox.Cap{{Limit: 1, Days: 7}},
		Quiet: []outbox.Quiet{{From: 22 * 60, To: 8 * 60}},
	}
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := f.db.Exec(ctx, query, args...); err != nil {
			t.Fatal(err)
		}
	}
	// day lets a day pass and returns what is said of it. A message that arrives makes so many buy who would not have.
	var refused, late, withdrawn int
	day := func(k int, persuaded float64) report.Effect {
		at := start.AddDate(0, 0, 200*k) // 9 o'clock in London, 1 in Los Angeles; summer time there makes it 2
		f.clock.Set(at)
		policy.Salt = fmt.Sprint("day ", k)
		if err := f.store().SetPolicy(ctx, ws, policy, at); err != nil {
			t.Fatal(err)
		}
		exec(`UPDATE message SET slot_at = $2, sent_at = $2 WHERE workspace_id = $1 AND source_id = 'cmp_before'`, ws, at.Add(-time.Hour))
		var asked []outbox.Request
		for n := 1; n <= people; n++ {
			asked = append(asked, f.request(n, func(r *outbox.Request) {
				r.Source.ID, r.Key, r.Goal = fmt.Sprint("cmp_day", k), fmt.Sprint("day", k, ":", n), outbox.Goal{Event: event.OrderCompleted, Window: 24 * time.Hour}
			}))
		}
		decisions := f.enqueue(asked...)
		var early, later []event.Kept
		for n := 1; n <= people; n++ {
			d := decisions[n-1]
			if (d.Reason == outbox.ReasonCapped) != (heavy[n] && d.Reason != outbox.ReasonHoldout) || d.Allowed && (d.Waits == outbox.ReasonQuietHours) != asleep[n] {
				t.Fatalf("person %d: %+v", n, d)
			}
			buys := 0.1
			if heavy[n] {
				buys = 0.5
			}
			u := rng.Float64()
			after := time.Duration(u * u * float64(36*time.Hour))
			bought := rng.Float64() < buys
			switch {
			case d.Reason == outbox.ReasonCapped:
				refused++
			case d.Allowed && asleep[n] && bought && after < 6*time.Hour:
				withdrawn++
				exec(`UPDATE message SET state = 'refused', reason = 'left_journey', ended_at = $3 WHERE workspace_id = $1 AND id = $2`, ws, d.MessageID, at.Add(after))
			case d.Allowed:
				if asleep[n] {
					late++
				}
				if !bought && rng.Float64() < persuaded {
					bought, after = true, 8*time.Hour
				}
			}
			if !bought {
				continue
			}
			e := event.Kept{Person: uint64(n), Event: event.Event{
				Workspace: ws, MessageID: fmt.Sprint("order", k, ":", n), Type: event.Track, Name: event.OrderCompleted, Time: at.Add(after), Origin: event.Server, Properties: []byte(`{"total":10,"currency":"EUR"}`),
			}}
			if after < 6*time.Hour {
				early = append(early, e)
			} else {
				later = append(later, e)
			}
		}
		f.receive(early...)
		exec(`UPDATE message SET state = 'sent', sent_at = due_at, ended_at = due_at WHERE workspace_id = $1 AND state = 'queued'`, ws)
		f.receive(later...)
		f.clock.Set(at.AddDate(0, 0, 2))
		e, err := reports.WorkspaceEffect(ctx, ws, at.Format(time.DateOnly), at.Format(time.DateOnly), report.Scope{Channel: "email"})
		if err != nil {
			t.Fatal(err)
		}
		if e.ControlOf != report.HeldWorkspace || e.Treated.People+e.Control.People != people || e.Judgement == report.TooFew || e.Control.Delivered != 0 {
			t.Fatalf("day %d: %+v", k, e)
		}
		return e
	}
	held, sum, paid, reached := 0, 0.0, 0, int64(0)
	for k := range days {
		e := day(k, 0)
		if e.Lift.Low <= 0 && 0 <= e.Lift.High {
			held++
		}
		if r := e.Revenue["EUR"]; r.Low <= 0 && 0 <= r.High {
			paid++
		}
		sum, reached = sum+e.Lift.Value, reached+e.Treated.Delivered
	}
	if refused == 0 || late == 0 || withdrawn == 0 {
		t.Fatalf("%d refused, %d late, %d withdrawn", refused, late, withdrawn)
	}
	// Of forty intervals of 95 % thirty-eight hold the truth in the mean; fewer than thirty-four is one chance in a hundred.
	if held < 34 || paid < 34 {
		t.Errorf("nothing had an effect, and the intervals hold zero on %d and %d of %d days", held, paid, days)
	}
	if mean := sum / days; mean < -0.02 || mean > 0.02 {
		t.Errorf("nothing had an effect, and the mean of the differences is %.3f", mean)
	}
	// A true effect is seen, thinned by those whom no message reached.
	seen := 0.0
	for k := range 10 {
		e := day(days+k, 0.4)
		want := float64(e.Treated.Delivered) / float64(e.Treated.People) * 0.4 * 0.9
		seen += (e.Lift.Value - want) / 10
		if e.Judgement != report.Higher {
			t.Errorf("day %d: a third of those reached bought because of it, and the report says %s: %+v", days+k, e.Judgement, e.Lift)
		}
	}
	if seen < -0.03 || seen > 0.03 {
		t.Errorf("the effect is told wrong by %.3f in the mean", seen)
	}
	t.Logf("held zero on %d and %d of %d days, mean %.4f; %.2f of the treated were reached; true effect off by %.3f", held, paid, days, sum/days, float64(reached)/float64(days*people/2), seen)
}
