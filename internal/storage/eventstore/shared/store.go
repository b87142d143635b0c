package shared

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Config is what a Store needs.
type Config struct {
	Engine event.Engine // of the keeper, wherever it is; DuckDB if empty
	// Locate returns the base address of the process that keeps the events, empty if none does at the moment.
	Locate   func(ctx context.Context) (string, error)
	Key      string        // that all processes of the installation have
	Patience time.Duration // how long a question waits for a keeper; 15 s if zero: as long as another takes over
	Log      *slog.Logger  // nil discards
}

// Store is an event.Store that asks whoever keeps the events. It is safe for concurrent use.
type Store struct {
	c      Config
	client *http.Client

	mu     sync.RWMutex // held for reading while the keeper is asked
	keeper Keeper

	known atomic.Pointer[string] // address that answered last
}

var _ event.Store = (*Store)(nil)

// Engine implements event.Store.
func (s *Store) Engine() event.Engine { return s.c.Engine }

// again is the pause before a question is asked again.
const again = 100 * time.Millisecond

// New returns a store that keeps nothing itself yet.
func New(c Config) *Store {
	if c.Patience == 0 {
		c.Patience = 15 * time.Second
	}
	if c.Engine == "" {
		c.Engine = event.DuckDB
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Store{c: c, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute}}}
}

// Keep makes this process the one that keeps the events.
func (s *Store) Keep(k Keeper) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keeper = k
}

// Release ends that, after the questions in work, and closes the keeper. Without one it does nothing.
func (s *Store) Release() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keeper == nil {
		return nil
	}
	k := s.keeper
	s.keeper = nil
	return k.Close()
}

// Close is Release at the end of the process.
func (s *Store) Close() error {
	s.client.CloseIdleConnections()
	return s.Release()
}

func (s *Store) kept() (Keeper, func()) {
	s.mu.RLock()
	return s.keeper, s.mu.RUnlock
}

// Still implements Keeper, where the events are kept.
func (s *Store) Still(ctx context.Context, do func() error) error {
	k, done := s.kept()
	done() // do may ask this store; the keeper itself waits with closing
	if k == nil {
		return errs.Conflict("events.elsewhere", "another process keeps the events; run this where the worker runs")
	}
	return k.Still(ctx, do)
}

// ask gets the answer to a question from this process or the one that keeps the events.
func (s *Store) ask(ctx context.Context, q call) (answer, error) {
	deadline := time.Now().Add(s.c.Patience)
	for {
		k, done := s.kept()
		if k != nil {
			defer done()
			return perform(ctx, k, q)
		}
		done()
		a, err := s.post(ctx, q)
		if err == nil {
			return a, a.Fault.error()
		}
		if ctx.Err() != nil {
			return a, ctx.Err()
		}
		if _, away := errors.AsType[absent](err); !away {
			return a, err
		}
		if time.Now().After(deadline) {
			return a, errs.Unavailable("events.away", "the process that keeps the events does not answer; try again in a moment").With(err)
		}
		if err := lifecycle.Sleep(ctx, again); err != nil {
			return a, err
		}
	}
}

// absent is the error of a keeper that is not there, or not any more.
type absent struct{ error }

func (s *Store) post(ctx context.Context, q call) (a answer, err error) {
	at, err := s.address(ctx)
	if err != nil {
		return a, absent{err}
	}
	var body bytes.Buffer
	if err := gob.NewEncoder(&body).Encode(q); err != nil {
		return a, fmt.Errorf("event store: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at+Path, &body)
	if err != nil {
		return a, err
	}
	req.Header.Set("Authorization", "Bearer "+s.c.Key)
	resp, err := s.client.Do(req)
	if err != nil {
		s.forget(at)
		return a, absent{err}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		s.forget(at)
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		err := fmt.Errorf("event store: %s answers %s: %s", at, resp.Status, bytes.TrimSpace(text))
		if resp.StatusCode == http.StatusServiceUnavailable {
			return a, absent{err}
		}
		return a, err
	}
	if err := gob.NewDecoder(resp.Body).Decode(&a); err != nil {
		s.forget(at)
		return a, absent{err} // broke off: the keeper has died
	}
	return a, nil
}

// address returns who answered last, or who is said to keep the events.
func (s *Store) address(ctx context.Context) (string, error) {
	if known := s.known.Load(); known != nil {
		return *known, nil
	}
	at, err := s.c.Locate(ctx)
	if err != nil {
		return "", err
	}
	if at == "" {
		return "", errors.New("event store: nobody keeps the events at the moment")
	}
	s.known.Store(&at)
	return at, nil
}

func (s *Store) forget(at string) {
	if known := s.known.Load(); known != nil && *known == at {
		s.known.CompareAndSwap(known, nil)
	}
}

// Position implements event.Store.
func (s *Store) Position(ctx context.Context) (uint64, error) {
	a, err := s.ask(ctx, call{Method: "Position"})
	return a.Number, err
}

// Append implements event.Store.
func (s *Store) Append(ctx context.Context, b event.Batch) error {
	_, err := s.ask(ctx, call{Method: "Append", Batch: b})
	return err
}

// Timeline implements event.Store.
func (s *Store) Timeline(ctx context.Context, ws string, person uint64, types []event.Type, p page.Request) (page.Of[event.Kept], error) {
	a, err := s.ask(ctx, call{Method: "Timeline", WS: ws, People: []uint64{person}, Types: types, Page: p})
	return page.Of[event.Kept]{Items: a.Kept, Next: a.Next}, err
}

// Arrivals implements event.Store.
func (s *Store) Arrivals(ctx context.Context, ws string, f event.ArrivalFilter, p page.Request) (page.Of[event.Kept], error) {
	a, err := s.ask(ctx, call{Method: "Arrivals", WS: ws, Arrival: f, Page: p})
	return page.Of[event.Kept]{Items: a.Kept, Next: a.Next}, err
}

// Histories implements event.Store.
func (s *Store) Histories(ctx context.Context, ws string, people []uint64, names []string) (map[uint64][]event.Kept, error) {
	return s.Recent(ctx, ws, people, names, time.Time{})
}

// Recent implements event.Store.
func (s *Store) Recent(ctx context.Context, ws string, people []uint64, names []string, since time.Time) (map[uint64][]event.Kept, error) {
	a, err := s.ask(ctx, call{Method: "Histories", WS: ws, People: people, Names: names, Named: names != nil, Since: since})
	return a.Histories, err
}

// Linked implements event.Store.
func (s *Store) Linked(ctx context.Context, ws string, ids []event.Identifier, limit int) ([]event.Kept, error) {
	a, err := s.ask(ctx, call{Method: "Linked", WS: ws, IDs: ids, Limit: limit})
	return a.Kept, err
}

// Select implements event.Store.
func (s *Store) Select(ctx context.Context, ws, sql string, args []any) (*roaring64.Bitmap, error) {
	list, err := cells(args)
	if err != nil {
		return nil, err
	}
	return s.people(ctx, call{Method: "Select", WS: ws, SQL: sql, Args: list})
}

func (s *Store) people(ctx context.Context, q call) (*roaring64.Bitmap, error) {
	a, err := s.ask(ctx, q)
	if err == nil && a.Bitmap == nil {
		a.Bitmap = roaring64.New()
	}
	return a.Bitmap, err
}

// Query implements event.Store.
func (s *Store) Query(ctx context.Context, sql string, args []any) ([][]any, error) {
	list, err := cells(args)
	if err != nil {
		return nil, err
	}
	a, err := s.ask(ctx, call{Method: "Query", SQL: sql, Args: list})
	if err != nil {
		return nil, err
	}
	rows := make([][]any, len(a.Rows))
	for i, r := range a.Rows {
		rows[i] = values(r)
	}
	return rows, nil
}

// People implements event.Store.
func (s *Store) People(ctx context.Context, ws string, nums []uint64) ([]event.Mirror, error) {
	a, err := s.ask(ctx, call{Method: "People", WS: ws, People: nums})
	return a.Mirrors, err
}

// Everyone implements event.Store.
func (s *Store) Everyone(ctx context.Context, ws string) (*roaring64.Bitmap, error) {
	return s.people(ctx, call{Method: "Everyone", WS: ws})
}

// Stats implements event.Store.
func (s *Store) Stats(ctx context.Context, ws string) (event.Stats, error) {
	a, err := s.ask(ctx, call{Method: "Stats", WS: ws})
	if a.Stats.ByType == nil {
		a.Stats.ByType = map[event.Type]int64{}
	}
	return a.Stats, err
}

// Names implements event.Store.
func (s *Store) Names(ctx context.Context, ws string, limit int) ([]event.NameCount, error) {
	a, err := s.ask(ctx, call{Method: "Names", WS: ws, Limit: limit})
	return a.Names, err
}

// Fields implements event.Store.
func (s *Store) Fields(ctx context.Context, ws, name string, limit int) ([]event.Field, error) {
	a, err := s.ask(ctx, call{Method: "Fields", WS: ws, Name: name, Limit: limit})
	return a.Fields, err
}

// Values implements event.Store.
func (s *Store) Values(ctx context.Context, ws, name, path string, limit int) ([]event.ValueCount, error) {
	a, err := s.ask(ctx, call{Method: "Values", WS: ws, Name: name, Path: path, Limit: limit})
	return a.Values, err
}

// Profile implements event.Store.
func (s *Store) Profile(ctx context.Context, ws string, q event.ProfileQuery) (event.Profile, error) {
	a, err := s.ask(ctx, call{Method: "Profile", WS: ws, Profile: q})
	for _, m := range []*map[string]int64{&a.Profile.Reached, &a.Profile.Answered} {
		if *m == nil {
			*m = map[string]int64{}
		}
	}
	return a.Profile, err
}

// Flow implements event.Store.
func (s *Store) Flow(ctx context.Context, ws string, q event.FlowQuery) (event.Flow, error) {
	a, err := s.ask(ctx, call{Method: "Flow", WS: ws, Flow: q})
	return a.Flow, err
}

// FlowPeople implements event.Store.
func (s *Store) FlowPeople(ctx context.Context, ws string, q event.FlowQuery, pick event.FlowPick) (*roaring64.Bitmap, error) {
	return s.people(ctx, call{Method: "FlowPeople", WS: ws, Flow: q, Pick: pick})
}

// Traces implements Keeper.
func (s *Store) Traces(ctx context.Context, ws string, people []uint64, since time.Time) (event.Traces, error) {
	a, err := s.ask(ctx, call{Method: "Traces", WS: ws, People: people, Since: since})
	return a.Traces, err
}

// Brought implements Keeper.
func (s *Store) Brought(ctx context.Context, ws, source string) (people, own int64, err error) {
	a, err := s.ask(ctx, call{Method: "Brought", WS: ws, Name: source})
	return int64(a.Number), a.Own, err
}

// Told implements Keeper.
func (s *Store) Told(ctx context.Context, ws, source string) (people, own int64, err error) {
	a, err := s.ask(ctx, call{Method: "Told", WS: ws, Name: source})
	return int64(a.Number), a.Own, err
}

// Own implements Keeper.
func (s *Store) Own(ctx context.Context, ws, source string, loose bool) ([]uint64, error) {
	a, err := s.ask(ctx, call{Method: "Own", WS: ws, Name: source, Loose: loose})
	return a.People, err
}

// Drop implements Keeper.
func (s *Store) Drop(ctx context.Context, ws string, people []uint64) error {
	_, err := s.ask(ctx, call{Method: "Drop", WS: ws, People: people})
	return err
}

// DropSource implements Keeper.
func (s *Store) DropSource(ctx context.Context, ws, source string) error {
	_, err := s.ask(ctx, call{Method: "DropSource", WS: ws, Name: source})
	return err
}

// Ages implements Keeper.
func (s *Store) Ages(ctx context.Context, ws string) ([]event.Age, error) {
	a, err := s.ask(ctx, call{Method: "Ages", WS: ws})
	return a.Ages, err
}

// TooOld implements Keeper.
func (s *Store) TooOld(ctx context.Context, ws string, terms []event.Term) ([]event.Age, error) {
	a, err := s.ask(ctx, call{Method: "TooOld", WS: ws, Terms: terms})
	return a.Ages, err
}

// DropOld implements Keeper.
func (s *Store) DropOld(ctx context.Context, ws string, t event.Term, limit int) (int64, error) {
	a, err := s.ask(ctx, call{Method: "DropOld", WS: ws, Terms: []event.Term{t}, Limit: limit})
	return int64(a.Number), err
}

// Strip implements Keeper.
func (s *Store) Strip(ctx context.Context, ws string, people []uint64) (int64, error) {
	a, err := s.ask(ctx, call{Method: "Strip", WS: ws, People: people})
	return int64(a.Number), err
}

// Scrub implements Keeper.
func (s *Store) Scrub(ctx context.Context) error {
	_, err := s.ask(ctx, call{Method: "Scrub"})
	return err
}
