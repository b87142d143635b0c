package campaign

import (
	"context"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Store keeps campaigns. Every method takes part in the transaction of its context.
type Store interface {
	// Create adds a campaign.
	Create(ctx context.Context, c Campaign) error
	// Get returns a campaign or errs.NotFound.
	Get(ctx context.Context, ws, id string) (Campaign, error)
	// List returns campaigns, latest made first.
	List(ctx context.Context, ws string, p page.Request) (page.Of[Campaign], error)
	// Update replaces the campaign whose Rev is c.Rev and raises Rev by one; errs.Conflict if Rev has moved on.
	Update(ctx context.Context, c Campaign) error
	// Delete removes a campaign and its waves; errs.NotFound if there is none.
	Delete(ctx context.Context, ws, id string) error
	// Working returns the campaigns (of all workspaces) that a worker must look at now: preparing or sending ones, and
	// scheduled ones whose time has come, unless their RetryAt lies in the future. Oldest first.
	Working(ctx context.Context, now time.Time) ([]Campaign, error)
	// SaveWaves fixes the audience, in place of one saved before. people[i] are those of waves[i]; Seq is the index.
	SaveWaves(ctx context.Context, ws, id string, waves []Wave, people []*roaring64.Bitmap) error
	// Waves returns the waves by Seq; none before the audience is fixed.
	Waves(ctx context.Context, ws, id string) ([]Wave, error)
	// UpdateWave writes DueAt, Template, Handled and Position of a wave. It is called in the transaction that updates the campaign,
	// whose Rev keeps two writers apart.
	UpdateWave(ctx context.Context, ws, id string, w Wave) error
	// People returns up to limit person numbers of a wave that are greater than after, ascending.
	People(ctx context.Context, ws, id string, wave int, after uint64, limit int) ([]uint64, error)
}
