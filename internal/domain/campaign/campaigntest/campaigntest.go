// Package campaigntest is what every campaign.Store must pass.
package campaigntest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

const ws = "ws_1"

var epoch = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func sample(id string) campaign.Campaign {
	return campaign.Campaign{
		ID: id, Workspace: ws, Name: "春の便り", Audience: campaign.Audience{Include: []string{"seg_1", "lst_1"}, Exclude: []string{"seg_2"}},
		Topic: "tpc_1", Template: "tpl_1", Channel: "email", Goal: outbox.Goal{Event: "Order Completed", Window: 72 * time.Hour},
		Status: campaign.Draft, Rev: 1, CreatedAt: epoch, UpdatedAt: epoch,
	}
}

// Run tests a store. open returns an empty one for each test.
func Run(t *testing.T, open func(t *testing.T) campaign.Store) {
	t.Helper()
	ok := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	same := func(t *testing.T, want, got any) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
	}

	t.Run("series come back as they were written", func(t *testing.T) { series(t, open(t)) })
	t.Run("campaigns come back as they were written", func(t *testing.T) {
		s, c := open(t), sample("cmp_1")
		ok(t, s.Create(t.Context(), c))
		got, err := s.Get(t.Context(), ws, "cmp_1")
		ok(t, err)
		same(t, c, got)

		c.Name, c.Status, c.PausedFrom, c.ScheduledAt, c.StartedAt, c.FinishedAt = "x", campaign.Paused, campaign.Sending, epoch.Add(1), epoch.Add(time.Hour), epoch.Add(2*time.Hour)
		c.ScheduledAt = epoch.Add(time.Minute)
		c.Progress = campaign.Progress{Audience: 10, Handled: 7, Queued: 4, Refused: map[string]int64{"unsubscribed": 3}}
		local, err := campaign.ParseCivil("2026-12-24T09:00")
		ok(t, err)
		c.Plan = campaign.Plan{Local: local, BestHour: true, PerMinute: 30, Test: &campaign.Test{Variants: []string{"tpl_2"}, Share: 20, Metric: "clicked", Hours: 4}}
		c.Result = &campaign.Result{Winner: "B", Template: "tpl_2", DecidedAt: epoch.Add(time.Hour), Chance: 0.01, Certain: true, Arms: []campaign.Arm{{Variant: "A", People: 5, Hits: 2}}}
		c.RequestedBy, c.ApprovedBy = "stf_1", "stf_2"
		c.Attempts, c.RetryAt, c.Error, c.UpdatedAt = 3, epoch.Add(time.Second), "broken", epoch.Add(time.Hour)
		c.Audience.Exclude = nil
		ok(t, s.Update(t.Context(), c))
		c.Rev++
		got, err = s.Get(t.Context(), ws, "cmp_1")
		ok(t, err)
		same(t, c, got)
	})
	t.Run("an update needs the revision it was based on", func(t *testing.T) {
		s, c := open(t), sample("cmp_1")
		ok(t, s.Create(t.Context(), c))
		ok(t, s.Update(t.Context(), c))
		if err := s.Update(t.Context(), c); !errs.Is(err, errs.KindConflict) {
			t.Errorf("the old revision: %v", err)
		}
		if err := s.Update(t.Context(), sample("cmp_2")); !errs.Is(err, errs.KindNotFound) {
			t.Errorf("unknown: %v", err)
		}
		c.Workspace, c.Rev = "ws_2", 2
		if err := s.Update(t.Context(), c); !errs.Is(err, errs.KindNotFound) {
			t.Errorf("another workspace: %v", err)
		}
	})
	t.Run("lists page, latest first, one workspace at a time", func(t *testing.T) {
		s := open(t)
		for i := range 5 {
			ok(t, s.Create(t.Context(), sample(fmt.Sprintf("cmp_%d", i))))
		}
		other := sample("cmp_9")
		other.Workspace = "ws_2"
		ok(t, s.Create(t.Context(), other))
		var got []string
		req := page.Request{Limit: 2}
		for range 4 {
			p, err := s.List(t.Context(), ws, campaign.Filter{}, req)
			ok(t, err)
			for _, c := range p.Items {
				got = append(got, c.ID)
			}
			if req.Cursor = p.Next; p.Next == "" {
				break
			}
		}
		same(t, []string{"cmp_4", "cmp_3", "cmp_2", "cmp_1", "cmp_0"}, got)
		spring := sample("cmp_7")
		spring.Name = "Spring 100% 春"
		ok(t, s.Create(t.Context(), spring))
		for text, want := range map[string]int{"SPRING": 1, "0% 春": 1, "%%": 0, "1_0": 0} {
			p, err := s.List(t.Context(), ws, campaign.Filter{Text: text}, page.Request{})
			ok(t, err)
			if len(p.Items) != want {
				t.Errorf("%q finds %d campaigns, not %d", text, len(p.Items), want)
			}
		}
		spring.ID, spring.Status = "cmp_8", campaign.Review
		ok(t, s.Create(t.Context(), spring))
		old := sample("cmp_6")
		old.ArchivedAt = epoch
		ok(t, s.Create(t.Context(), old))
		for archived, want := range map[campaign.Archived]int{"": 8, campaign.NotArchived: 7, campaign.OnlyArchived: 1} {
			p, err := s.List(t.Context(), ws, campaign.Filter{Archived: archived}, page.Request{})
			ok(t, err)
			if len(p.Items) != want {
				t.Errorf("archived %q: %d campaigns, not %d", archived, len(p.Items), want)
			}
			if archived == campaign.OnlyArchived {
				same(t, []campaign.Campaign{old}, p.Items)
			}
		}
		for status, want := range map[campaign.Status][]string{campaign.Review: {"cmp_8"}, campaign.Cancelled: nil} {
			p, err := s.List(t.Context(), ws, campaign.Filter{Text: "spring", Status: status}, page.Request{})
			ok(t, err)
			var got []string
			for _, c := range p.Items {
				got = append(got, c.ID)
			}
			same(t, want, got)
		}
	})
	wave := func(people *roaring64.Bitmap) campaign.Wave {
		return campaign.Wave{DueAt: epoch, Template: "tpl_1", Node: "A", Size: int64(people.GetCardinality())}
	}
	save := func(t *testing.T, s campaign.Store, id string, people ...*roaring64.Bitmap) {
		t.Helper()
		var waves []campaign.Wave
		for _, p := range people {
			waves = append(waves, wave(p))
		}
		ok(t, s.SaveWaves(t.Context(), ws, id, waves, people))
	}
	t.Run("waves come back in order and move on alone", func(t *testing.T) {
		s := open(t)
		save(t, s, "cmp_1", roaring64.BitmapOf(1, 2, 3), roaring64.BitmapOf(4))
		save(t, s, "cmp_2", roaring64.BitmapOf(1))
		first, second := wave(roaring64.BitmapOf(1, 2, 3)), wave(roaring64.BitmapOf(4))
		second.Seq, second.DueAt, second.Template, second.Handled, second.Position = 1, time.Time{}, "", 1, 1<<40
		ok(t, s.UpdateWave(t.Context(), ws, "cmp_1", second))
		got, err := s.Waves(t.Context(), ws, "cmp_1")
		ok(t, err)
		same(t, []campaign.Wave{first, second}, got)
		if err := s.UpdateWave(t.Context(), "ws_2", "cmp_1", second); !errs.Is(err, errs.KindNotFound) {
			t.Errorf("from another workspace: %v", err)
		}
		none, err := s.Waves(t.Context(), "ws_2", "cmp_1")
		ok(t, err)
		same(t, 0, len(none))
	})
	t.Run("the waves of somebody are found by any of their numbers", func(t *testing.T) {
		s := open(t)
		save(t, s, "cmp_1", roaring64.BitmapOf(1, 1<<16, 1<<40), roaring64.BitmapOf(4, 1<<16+1))
		save(t, s, "cmp_2", roaring64.BitmapOf(9))
		for _, c := range []struct {
			nums []uint64
			want []int
		}{{[]uint64{1}, []int{0}}, {[]uint64{4}, []int{1}}, {[]uint64{9, 1<<16 + 1, 4}, []int{1}}, {[]uint64{1 << 40, 4}, []int{0, 1}}, {[]uint64{2, 9}, nil}, {nil, nil}} {
			got, err := s.WavesOf(t.Context(), ws, "cmp_1", c.nums)
			ok(t, err)
			same(t, c.want, got)
		}
		got, err := s.WavesOf(t.Context(), "ws_2", "cmp_1", []uint64{1})
		ok(t, err)
		same(t, 0, len(got))
	})
	t.Run("a deleted campaign is gone with its waves", func(t *testing.T) {
		s := open(t)
		ok(t, s.Create(t.Context(), sample("cmp_1")))
		save(t, s, "cmp_1", roaring64.BitmapOf(1, 2))
		if err := s.Delete(t.Context(), "ws_2", "cmp_1"); !errs.Is(err, errs.KindNotFound) {
			t.Errorf("from another workspace: %v", err)
		}
		ok(t, s.Delete(t.Context(), ws, "cmp_1"))
		if _, err := s.Get(t.Context(), ws, "cmp_1"); !errs.Is(err, errs.KindNotFound) {
			t.Errorf("still there: %v", err)
		}
		got, err := s.People(t.Context(), ws, "cmp_1", 0, 0, 10)
		ok(t, err)
		same(t, 0, len(got))
		waves, err := s.Waves(t.Context(), ws, "cmp_1")
		ok(t, err)
		same(t, 0, len(waves))
	})
	t.Run("working ones are those a worker must look at now", func(t *testing.T) {
		s := open(t)
		for i, c := range []struct {
			status    campaign.Status
			scheduled time.Time
			retry     time.Time
		}{
			{campaign.Draft, time.Time{}, time.Time{}},
			{campaign.Scheduled, epoch, time.Time{}},
			{campaign.Scheduled, epoch.Add(time.Second), time.Time{}},
			{campaign.Preparing, epoch.Add(time.Hour), time.Time{}},
			{campaign.Sending, time.Time{}, epoch},
			{campaign.Sending, time.Time{}, epoch.Add(time.Second)},
			{campaign.Paused, time.Time{}, time.Time{}},
			{campaign.Sent, time.Time{}, time.Time{}},
			{campaign.Failed, time.Time{}, time.Time{}},
			{campaign.Cancelled, time.Time{}, time.Time{}},
		} {
			x := sample(fmt.Sprintf("cmp_%d", i))
			x.Status, x.ScheduledAt, x.RetryAt = c.status, c.scheduled, c.retry
			ok(t, s.Create(t.Context(), x))
		}
		all, err := s.Working(t.Context(), epoch)
		ok(t, err)
		var got []string
		for _, c := range all {
			got = append(got, c.ID)
		}
		same(t, []string{"cmp_1", "cmp_3", "cmp_4"}, got)
	})
	t.Run("a wave can be walked from any position", func(t *testing.T) {
		s := open(t)
		people, rng := roaring64.New(), rand.New(rand.NewPCG(1, 2))
		for range 3000 { // some dense, some sparse, some far away
			people.Add(1 + rng.Uint64N(5000))
			people.Add(1 + rng.Uint64N(40_000_000))
		}
		people.Add(1 << 45)
		save(t, s, "cmp_1", roaring64.BitmapOf(7, 8, 9))
		save(t, s, "cmp_1", roaring64.BitmapOf(5, 6), people) // in place of the first
		save(t, s, "cmp_2", roaring64.BitmapOf(1), roaring64.BitmapOf(2))
		want, after := people.ToArray(), uint64(0)
		var got []uint64
		for {
			part, err := s.People(t.Context(), ws, "cmp_1", 1, after, 1+rng.IntN(700))
			ok(t, err)
			if len(part) == 0 {
				break
			}
			got = append(got, part...)
			after = part[len(part)-1]
		}
		same(t, want, got)
		none, err := s.People(t.Context(), "ws_2", "cmp_1", 1, 0, 10)
		ok(t, err)
		same(t, 0, len(none))
		save(t, s, "cmp_1", roaring64.New())
		none, err = s.People(t.Context(), ws, "cmp_1", 0, 0, 10)
		ok(t, err)
		same(t, 0, len(none))
	})
}
