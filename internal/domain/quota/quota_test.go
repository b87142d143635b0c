package quota_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/quota"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

const ws = "ws1"

// node is one process of an installation.
func node(t *testing.T, db *sqldb.DB, c clock.Clock, l quota.Limits) *quota.Service {
	t.Helper()
	s := quota.New(quota.Config{Store: sqlstore.NewQuota(db), Tx: db, Clock: c, Default: l})
	must(t, s.Exchange(t.Context()))
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, err error, k quota.Kind, after time.Duration) {
	t.Helper()
	e, ok := errors.AsType[*quota.Exceeded](err)
	if !ok || e.Kind != k || e.After != after || !errs.Is(err, errs.KindRateLimited) {
		t.Errorf("got %v (%+v), want %s after %s", err, e, k, after)
	}
}

func TestProcessesShareTheDayAndAKillForgetsNothingThatWasExchanged(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		c := clock.NewFixed(start)
		l := quota.Limits{quota.EventsPerDay: 10}
		one, two := node(t, db, c, l), node(t, db, c, l)
		must(t, one.TakeEvents(ws, 6))
		must(t, two.TakeEvents(ws, 3))
		must(t, one.Exchange(t.Context()))
		must(t, two.Exchange(t.Context()))
		must(t, two.TakeEvents(ws, 1)) // the tenth
		refused(t, two.TakeEvents(ws, 1), quota.EventsPerDay, 15*time.Hour)
		must(t, two.Exchange(t.Context()))
		must(t, one.Exchange(t.Context()))
		refused(t, one.Intake(ws), quota.EventsPerDay, 15*time.Hour)
		third := node(t, db, c, l) // started after both were killed
		refused(t, third.Intake(ws), quota.EventsPerDay, 15*time.Hour)
		c.Advance(15 * time.Hour)
		must(t, one.TakeEvents(ws, 2))
		must(t, one.Exchange(t.Context()))
		days, err := third.Days(t.Context(), ws, 2)
		if err != nil || days[0].Events != 10 || days[0].Refused < 1 || days[1].Events != 0 {
			t.Errorf("before it has exchanged: %+v, %v", days, err)
		}
		must(t, third.Exchange(t.Context()))
		if got := third.Today(ws); got.Events != 2 || got.Day != days[1].Day {
			t.Errorf("today: %+v", got)
		}
	})
}

func TestWhatIsCountedOverMidnightBelongsToItsDay(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		c := clock.NewFixed(start)
		s := node(t, db, c, nil)
		must(t, s.TakeEvents(ws, 4))
		c.Advance(24 * time.Hour)
		must(t, s.TakeEvents(ws, 1))
		must(t, s.Exchange(t.Context()))
		days, err := s.Days(t.Context(), ws, 2)
		if err != nil || days[0].Events != 4 || days[1].Events != 1 {
			t.Errorf("%+v, %v", days, err)
		}
	})
}

// failing is a store that is away while down is set.
type failing struct {
	quota.Store
	down bool
}

func (f *failing) Add(ctx context.Context, ws string, d quota.Day, u quota.Use) (quota.Use, error) {
	if f.down {
		return quota.Use{}, errors.New("away")
	}
	return f.Store.Add(ctx, ws, d, u)
}

func TestCountsSurviveAStoreThatIsAway(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		store := &failing{Store: sqlstore.NewQuota(db)}
		s := quota.New(quota.Config{Store: store, Tx: db, Clock: clock.NewFixed(start)})
		must(t, s.TakeEvents(ws, 4))
		store.down = true
		if s.Exchange(t.Context()) == nil {
			t.Error("the store was away, and nobody said so")
		}
		store.down = false
		must(t, s.Exchange(t.Context()))
		must(t, s.Exchange(t.Context()))
		if found, err := store.On(t.Context(), quota.DayOf(start)); err != nil || found[ws].Events != 4 {
			t.Errorf("%+v, %v", found, err)
		}
	})
}

func TestALargeBatchPassesAndTheNextOneWaitsForIt(t *testing.T) {
	c := clock.NewFixed(start)
	s := quota.New(quota.Config{Clock: c, Default: quota.Limits{quota.EventsPerSecond: 10}})
	must(t, s.TakeEvents(ws, 100))
	refused(t, s.TakeEvents(ws, 1), quota.EventsPerSecond, 9100*time.Millisecond)
	c.Advance(9 * time.Second)
	refused(t, s.Intake(ws), quota.EventsPerSecond, 100*time.Millisecond)
	s.GiveBack(ws, 1)
	must(t, s.Intake(ws))
	must(t, s.TakeEvents("ws2", 10))
	if got := s.Today(ws); got.Events != 99 || got.Refused != 2 {
		t.Errorf("counted %+v", got)
	}
	if f := s.Figures(); f.Refused[quota.EventsPerSecond] != 2 {
		t.Errorf("figures %+v", f)
	}
}

func TestPeopleAndKeysDoNotTakeEachOthersCalls(t *testing.T) {
	s := quota.New(quota.Config{Clock: clock.NewFixed(start), Default: quota.Limits{quota.RequestsPerSecond: 1}})
	must(t, s.TakeRequest(ws, false))
	refused(t, s.TakeRequest(ws, false), quota.RequestsPerSecond, time.Second)
	must(t, s.TakeRequest(ws, true))
}

func TestAWorkspacesOwnLimitStandsAboveTheInstallations(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := node(t, db, clock.NewFixed(start), quota.Limits{quota.EventsPerDay: 1, quota.MessagesPerDay: 7})
		set := func(change map[quota.Kind]*int64) quota.Limits {
			t.Helper()
			l, err := s.Set(t.Context(), ws, change)
			must(t, err)
			must(t, s.Exchange(t.Context()))
			return l
		}
		five, none := int64(5), int64(0)
		set(map[quota.Kind]*int64{quota.EventsPerDay: &five})
		must(t, s.TakeEvents(ws, 4))
		must(t, s.Intake(ws))
		if l := set(map[quota.Kind]*int64{quota.MessagesPerDay: &none}); l[quota.EventsPerDay] != 5 || l[quota.MessagesPerDay] != 0 {
			t.Errorf("in force: %v", l)
		}
		if f := s.Figures(); f.Nearest[quota.EventsPerDay] != 0.8 {
			t.Errorf("figures %+v", f)
		}
		set(map[quota.Kind]*int64{quota.EventsPerDay: nil})
		refused(t, s.Intake(ws), quota.EventsPerDay, 15*time.Hour)
		must(t, s.TakeEvents("ws2", 1))
		bad := int64(-1)
		if _, err := s.Set(t.Context(), ws, map[quota.Kind]*int64{quota.EventsPerDay: &bad}); !errs.Is(err, errs.KindInvalid) {
			t.Errorf("below zero: %v", err)
		}
		if _, err := s.Set(t.Context(), ws, map[quota.Kind]*int64{"luck": &five}); !errs.Is(err, errs.KindInvalid) {
			t.Errorf("no such limit: %v", err)
		}
	})
}

func BenchmarkTakeEvents(b *testing.B) {
	s := quota.New(quota.Config{Clock: clock.System{}, Default: quota.Limits{quota.EventsPerSecond: 1 << 40, quota.EventsPerDay: 1 << 39}})
	for b.Loop() {
		if s.Intake(ws) != nil || s.TakeEvents(ws, 50) != nil {
			b.Fatal("refused")
		}
	}
}
