package journeymap

import (
	"context"

	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Store keeps maps. Every method takes part in the transaction of its context.
type Store interface {
	// Create adds a map.
	Create(ctx context.Context, m Map) error
	// Get returns a map or errs.NotFound.
	Get(ctx context.Context, ws, id string) (Map, error)
	// Update replaces the draft of the map whose Rev is m.Rev and raises Rev by one; errs.Conflict "map.changed" if Rev has moved on or there is none.
	Update(ctx context.Context, m Map) error
	// Delete removes a map and reports whether there was one.
	Delete(ctx context.Context, ws, id string) (bool, error)
	// List returns maps that fit a filter, latest made first.
	List(ctx context.Context, ws string, f Filter, p page.Request) (page.Of[Map], error)
	// Count returns how many maps a workspace has.
	Count(ctx context.Context, ws string) (int, error)
}
