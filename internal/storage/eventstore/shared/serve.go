package shared

import (
	"context"
	"crypto/subtle"
	"encoding/gob"
	"fmt"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// Path is where Handler answers.
const Path = "/events"

// Keeper is the store that one process keeps. *duck.Store is one.
type Keeper interface {
	event.Store
	Traces(ctx context.Context, ws string, people []uint64, since time.Time) (event.Traces, error)
	Brought(ctx context.Context, ws, source string) (people, own int64, err error)
	Told(ctx context.Context, ws, source string) (people, own int64, err error)
	Own(ctx context.Context, ws, source string, loose bool) ([]uint64, error)
	Strip(ctx context.Context, ws string, people []uint64) (int64, error)
	Drop(ctx context.Context, ws string, people []uint64) error
	DropSource(ctx context.Context, ws, source string) error
	Ages(ctx context.Context, ws string) ([]event.Age, error)
	TooOld(ctx context.Context, ws string, terms []event.Term) ([]event.Age, error)
	DropOld(ctx context.Context, ws string, t event.Term, limit int) (int64, error)
	Scrub(ctx context.Context) error
	Still(ctx context.Context, do func() error) error
	Close() error
}

// Handler answers the other processes while this one keeps the store, and says 503 while it does not.
func (s *Store) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Path, func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+s.c.Key)) != 1 {
			http.Error(w, "the key is another installation's", http.StatusUnauthorized)
			return
		}
		keeper, done := s.kept()
		defer done()
		if keeper == nil {
			http.Error(w, "the events are kept elsewhere", http.StatusServiceUnavailable)
			return
		}
		var q call
		if err := gob.NewDecoder(r.Body).Decode(&q); err != nil {
			http.Error(w, "unreadable: "+err.Error(), http.StatusBadRequest)
			return
		}
		a, err := perform(r.Context(), keeper, q)
		a.Fault = faultOf(err)
		w.Header().Set("Content-Type", "application/x-gob")
		if err := gob.NewEncoder(w).Encode(a); err != nil && r.Context().Err() == nil {
			s.c.Log.Warn("an answer about events did not arrive", "method", q.Method, "err", err)
		}
	})
	return mux
}

// perform does what a question asks for.
func perform(ctx context.Context, k Keeper, q call) (a answer, err error) {
	switch q.Method {
	case "Position":
		a.Number, err = k.Position(ctx)
	case "Append":
		err = k.Append(ctx, q.Batch)
	case "Timeline":
		found, terr := k.Timeline(ctx, q.WS, q.People[0], q.Types, q.Page)
		a.Kept, a.Next, err = found.Items, found.Next, terr
	case "Arrivals":
		found, aerr := k.Arrivals(ctx, q.WS, q.Arrival, q.Page)
		a.Kept, a.Next, err = found.Items, found.Next, aerr
	case "Histories":
		names := q.Names
		if q.Named && names == nil {
			names = []string{}
		}
		a.Histories, err = k.Recent(ctx, q.WS, q.People, names, q.Since)
	case "Linked":
		a.Kept, err = k.Linked(ctx, q.WS, q.IDs, q.Limit)
	case "Select":
		a.Bitmap, err = k.Select(ctx, q.WS, q.SQL, values(q.Args))
	case "Query":
		rows, qerr := k.Query(ctx, q.SQL, values(q.Args))
		if qerr != nil {
			return a, qerr
		}
		a.Rows = make([][]cell, len(rows))
		for i, row := range rows {
			if a.Rows[i], err = cells(row); err != nil {
				return a, err
			}
		}
	case "People":
		a.Mirrors, err = k.People(ctx, q.WS, q.People)
	case "Everyone":
		a.Bitmap, err = k.Everyone(ctx, q.WS)
	case "Stats":
		a.Stats, err = k.Stats(ctx, q.WS)
	case "Names":
		a.Names, err = k.Names(ctx, q.WS, q.Limit)
	case "Fields":
		a.Fields, err = k.Fields(ctx, q.WS, q.Name, q.Limit)
	case "Values":
		a.Values, err = k.Values(ctx, q.WS, q.Name, q.Path, q.Limit)
	case "Profile":
		a.Profile, err = k.Profile(ctx, q.WS, q.Profile)
	case "Flow":
		a.Flow, err = k.Flow(ctx, q.WS, q.Flow)
	case "FlowPeople":
		a.Bitmap, err = k.FlowPeople(ctx, q.WS, q.Flow, q.Pick)
	case "Traces":
		a.Traces, err = k.Traces(ctx, q.WS, q.People, q.Since)
	case "Brought":
		people, own, berr := k.Brought(ctx, q.WS, q.Name)
		a.Number, a.Own, err = uint64(people), own, berr
	case "Told":
		people, own, terr := k.Told(ctx, q.WS, q.Name)
		a.Number, a.Own, err = uint64(people), own, terr
	case "Own":
		a.People, err = k.Own(ctx, q.WS, q.Name, q.Loose)
	case "Drop":
		err = k.Drop(ctx, q.WS, q.People)
	case "DropSource":
		err = k.DropSource(ctx, q.WS, q.Name)
	case "Ages":
		a.Ages, err = k.Ages(ctx, q.WS)
	case "TooOld":
		a.Ages, err = k.TooOld(ctx, q.WS, q.Terms)
	case "DropOld":
		n, derr := k.DropOld(ctx, q.WS, q.Terms[0], q.Limit)
		a.Number, err = uint64(n), derr
	case "Strip":
		n, serr := k.Strip(ctx, q.WS, q.People)
		a.Number, err = uint64(n), serr
	case "Scrub":
		err = k.Scrub(ctx)
	default:
		err = fmt.Errorf("event store: this version does not know the question %q; bring all processes to one version", q.Method)
	}
	return a, err
}
