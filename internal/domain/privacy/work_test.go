package privacy_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/privacy"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/secret"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

var errDead = errors.New("killed")

// holders hold somebody: three rows, five events, two files, and a key that has a successor whenever it is destroyed. The process dies right after the given of
// the steps in which one of them lets go, before anything can be noted.
type holders struct {
	rows, events, files int
	lets, dies          int
}

func (h *holders) letGo(of *int) (int64, error) {
	n := *of
	*of = 0
	if h.lets++; h.lets == h.dies {
		return 0, errDead
	}
	return int64(n), nil
}

func (h *holders) Subject(context.Context, string, string) (privacy.Subject, error) {
	return privacy.Subject{IDs: []string{"per_1"}, Nums: []uint64{1}}, nil
}

func (h *holders) Several(context.Context, string, []string) (privacy.Subject, error) {
	return privacy.Subject{}, nil
}

func (h *holders) Busy(context.Context, string, []string) (int64, error) { return 0, nil }

// Erase takes part in the transaction of the request.
func (h *holders) Erase(context.Context, string, privacy.Traces) ([]privacy.Count, error) {
	n := h.rows
	h.rows = 0
	return []privacy.Count{{Store: "records", What: "message", How: "stripped", N: int64(n)}}, nil
}

func (h *holders) Remove(context.Context, string, privacy.Traces) error { return nil }
func (h *holders) Scrub(context.Context) ([]privacy.Caveat, error)      { return nil, nil }
func (h *holders) Destroy(_ context.Context, _ []string) (int, error) {
	key := 1
	n, err := h.letGo(&key)
	return int(n), err
}

func (h *holders) Holding(context.Context, string, []string) (names []string, _ error) {
	for n := range h.files {
		names = append(names, fmt.Sprint("job/", n))
	}
	return names, nil
}

func (h *holders) Drop(context.Context, string, []string) error {
	_, err := h.letGo(&h.files)
	return err
}

// history is how the holders look to what asks for events.
type history struct{ *holders }

func (h history) Traces(_ context.Context, _ string, t privacy.Traces) (privacy.Traces, error) {
	t.Events = max(t.Events, int64(h.events))
	return t, nil
}

func (h history) Strip(context.Context, string, []uint64) (int64, error) { return h.letGo(&h.events) }
func (h history) Drop(context.Context, string, []uint64) error           { return nil }
func (h history) Scrub(context.Context) error                            { return nil }

func TestTheReceiptOfAnErasureCountsWhatWentWhereverTheProcessDied(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		box, err := secret.NewBox(make([]byte, 32))
		if err != nil {
			t.Fatal(err)
		}
		for dies := range 7 { // files, events and keys, twice; 0: never
			if _, err := db.Exec(t.Context(), `DELETE FROM privacy_request`); err != nil {
				t.Fatal(err)
			}
			h := &holders{rows: 3, events: 5, files: 2, dies: dies}
			s := privacy.New(privacy.Config{
				Store: sqlstore.NewPrivacy(db), Records: h, Events: history{h}, Keys: h, Files: h, Tx: db, Clock: clock.NewFixed(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)),
				Log: slog.New(slog.DiscardHandler), Box: box, Quiet: func(context.Context) error { return nil },
				Spellings: func(_ context.Context, _ string, ids []event.Identifier) ([]event.Identifier, error) { return ids, nil },
			})
			asked, err := s.Ask(t.Context(), "ws_1", "per_1", privacy.Forget, "", privacy.Actor{})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Work(t.Context()); errors.Is(err, errDead) != (dies > 0) {
				t.Fatal(err)
			}
			if err := s.Work(t.Context()); err != nil {
				t.Fatal(err)
			}
			r, err := s.Get(t.Context(), "ws_1", asked.ID)
			got := map[string]int64{}
			for _, c := range r.Counts {
				got[c.Store] = c.N
			}
			if want := map[string]int64{"records": 3, "events": 5, "files": 2, "log": 1}; err != nil || r.State != privacy.Done || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("died at the %d. letting go: %s with %v, %v; want %v", dies, r.State, got, err, want)
			}
		}
	})
}
