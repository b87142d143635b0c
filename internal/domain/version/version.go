package version

import (
	"context"
	"encoding/json"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Kept is how many versions of a thing stay; the console promises fifty.
const Kept = 100

// Thing is what has versions: a kind in the words of the audit log, and an id.
type Thing struct {
	Kind, ID string
}

// Version is what a thing said once it was saved.
type Version struct {
	Number   int64           // the revision of the thing
	Document json.RawMessage // compact JSON
	SavedBy  string          // name of the member or key; empty of a state from before versions were kept
	SaverID  string          // id of the member or key; empty where SavedBy is, and of versions from before it was kept
	SavedAt  time.Time
}

// Store keeps versions. All methods join the transaction in ctx, if any.
type Store interface {
	// Keep adds a version, unless the thing has one of that number, and removes all but the newest most of the thing.
	Keep(ctx context.Context, ws string, of Thing, v Version, most int) error
	// List lists the versions of a thing, the newest first; of an unknown one there are none.
	List(ctx context.Context, ws string, of Thing, p page.Request) (page.Of[Version], error)
	// Remove removes one version of a thing; one that is not there is none to remove.
	Remove(ctx context.Context, ws string, of Thing, number int64) error
	// Drop removes all versions of a thing.
	Drop(ctx context.Context, ws string, of Thing) error
}

// Saver is who saves a thing.
type Saver struct{ ID, Name string }

// Service keeps versions.
type Service struct {
	store Store
	clock clock.Clock
}

// New returns a service on a store.
func New(store Store, c clock.Clock) *Service { return &Service{store, c} }

// Keep adds what a thing says now that by has saved it as that number; one that is there already stays as it is. document is encoded as JSON. saved is
// when it was saved; zero: now.
func (s *Service) Keep(ctx context.Context, ws string, of Thing, number int64, by Saver, saved time.Time, document any) error {
	raw, err := json.Marshal(document)
	if err != nil {
		return err
	}
	if saved.IsZero() {
		saved = s.clock.Now()
	}
	return s.store.Keep(ctx, ws, of, Version{number, raw, by.Name, by.ID, saved}, Kept)
}

// Quiet is how long somebody must not have saved a thing that saves itself for their next change to begin a version of its own.
const Quiet = time.Hour

// Join is Keep for a thing that saves itself at every touch: it takes the place of the newest version if the same hand saved that less than Quiet ago. To be called in a
// transaction.
func (s *Service) Join(ctx context.Context, ws string, of Thing, number int64, by Saver, saved time.Time, document any) error {
	newest, err := s.store.List(ctx, ws, of, page.Request{Limit: 1})
	if err != nil {
		return err
	}
	for _, v := range newest.Items {
		if v.Number < number && by.ID != "" && v.SaverID == by.ID && saved.Sub(v.SavedAt) < Quiet {
			if err := s.store.Remove(ctx, ws, of, v.Number); err != nil {
				return err
			}
		}
	}
	return s.Keep(ctx, ws, of, number, by, saved, document)
}

// List lists the versions of a thing, the newest first.
func (s *Service) List(ctx context.Context, ws string, of Thing, p page.Request) (page.Of[Version], error) {
	return s.store.List(ctx, ws, of, p)
}

// Drop removes all versions of a thing that is deleted.
func (s *Service) Drop(ctx context.Context, ws string, of Thing) error {
	return s.store.Drop(ctx, ws, of)
}
