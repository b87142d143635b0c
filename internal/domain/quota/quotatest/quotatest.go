// Package quotatest is the conformance suite of quota.Store.
package quotatest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/quota"
)

// Run checks a store; open returns an empty one.
func Run(t *testing.T, open func(t *testing.T) quota.Store) {
	ctx := t.Context()
	t.Run("limits are of one workspace and are replaced whole", func(t *testing.T) {
		s := open(t)
		if got, err := s.Own(ctx); err != nil || len(got) != 0 {
			t.Fatalf("without any: %v, %v", got, err)
		}
		other := quota.Limits{quota.EventsPerDay: 0}
		if err := s.SetOwn(ctx, "ws2", other); err != nil {
			t.Fatal(err)
		}
		for _, l := range []quota.Limits{{quota.EventsPerDay: 5, quota.MessagesPerDay: 7}, {quota.EventsPerSecond: 1}} {
			if err := s.SetOwn(ctx, "ws1", l); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Own(ctx); err != nil || !cmp.Equal(got, map[string]quota.Limits{"ws1": l, "ws2": other}) {
				t.Errorf("%v, %v; want %v", got, err, l)
			}
		}
		if err := s.SetOwn(ctx, "ws1", quota.Limits{}); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Own(ctx); err != nil || !cmp.Equal(got, map[string]quota.Limits{"ws2": other}) {
			t.Errorf("after removing: %v, %v", got, err)
		}
	})
	t.Run("counts add up by workspace and day", func(t *testing.T) {
		s := open(t)
		u := quota.Use{Events: 1, Refused: 2, Requests: 3, RequestsRefused: 4, Messages: 5}
		add := func(ws string, d quota.Day, want quota.Use) {
			t.Helper()
			if got, err := s.Add(ctx, ws, d, u); err != nil || got != want {
				t.Errorf("%+v, %v; want %+v", got, err, want)
			}
		}
		twice := quota.Use{Events: 2, Refused: 4, Requests: 6, RequestsRefused: 8, Messages: 10}
		add("ws1", 7, u)
		add("ws1", 7, twice)
		add("ws1", 9, u)
		add("ws2", 7, u)
		if got, err := s.On(ctx, 7); err != nil || !cmp.Equal(got, map[string]quota.Use{"ws1": twice, "ws2": u}) {
			t.Errorf("on the day: %+v, %v", got, err)
		}
		if got, err := s.Days(ctx, "ws1", 7); err != nil || !cmp.Equal(got, []quota.DayUse{{Day: 7, Use: twice}, {Day: 9, Use: u}}) {
			t.Errorf("days: %+v, %v", got, err)
		}
		if got, err := s.Days(ctx, "ws1", 8); err != nil || !cmp.Equal(got, []quota.DayUse{{Day: 9, Use: u}}) {
			t.Errorf("later days: %+v, %v", got, err)
		}
		if n, err := s.Purge(ctx, 9, 1); err != nil || n != 1 {
			t.Errorf("first purge: %d, %v", n, err)
		}
		if n, err := s.Purge(ctx, 9, 10); err != nil || n != 1 {
			t.Errorf("second purge: %d, %v", n, err)
		}
		if got, err := s.Days(ctx, "ws1", 0); err != nil || len(got) != 1 {
			t.Errorf("what is left: %+v, %v", got, err)
		}
	})
}
