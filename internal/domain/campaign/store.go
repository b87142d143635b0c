package campaign

import (
	"context"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Filter chooses campaigns.
type Filter struct {
	Text     string   // that the name has; the case of ASCII letters does not matter
	Status   Status   // empty: any
	Archived Archived // empty: any
}

// Archived says whether campaigns are in the archive.
type Archived string

// Which campaigns are meant.
const (
	NotArchived  Archived = "no"
	OnlyArchived Archived = "yes"
)

// Store keeps campaigns. Every method takes part in the transaction of its context.
type Store interface {
	// Create adds a campaign.
	Create(ctx context.Context, c Campaign) error
	// Get returns a campaign or errs.NotFound.
	Get(ctx context.Context, ws, id string) (Campaign, error)
	// List returns campaigns that match, latest made first.
	List(ctx context.Context, ws string, f Filter, p page.Request) (page.Of[Campaign], error)
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
	// CreateSeries adds a series.
	CreateSeries(ctx context.Context, s Series) error
	// GetSeries returns a series or errs.NotFound.
	GetSeries(ctx context.Context, ws, id string) (Series, error)
	// ListSeries returns series that fit a filter, latest made first.
	ListSeries(ctx context.Context, ws string, f SeriesFilter, p page.Request) (page.Of[Series], error)
	// UpdateSeries replaces the series whose Rev is s.Rev and raises Rev by one; errs.Conflict if Rev has moved on.
	UpdateSeries(ctx context.Context, s Series) error
	// DeleteSeries removes a series with all that belongs to it; errs.NotFound if there is none.
	DeleteSeries(ctx context.Context, ws, id string) error
	// DueSeries returns the live series (of all workspaces) whose next run is due, unless their RetryAt lies in the future. Longest due first.
	DueSeries(ctx context.Context, now time.Time) ([]Series, error)
	// AddRun adds a run; errs.Conflict if there is one of that series and time.
	AddRun(ctx context.Context, ws string, r Run) error
	// Runs lists the runs of a series, latest planned first. Vars are left out.
	Runs(ctx context.Context, ws, series string, p page.Request) (page.Of[Run], error)
	// RunVars returns the Vars of the run that made the campaign, nil if none did.
	RunVars(ctx context.Context, ws, campaign string) (map[string]any, error)
	// SeenItems returns which of the items have been seen by the series.
	SeenItems(ctx context.Context, ws, series string, keys []string) (map[string]bool, error)
	// SeeItems notes items as seen; those that are already stay.
	SeeItems(ctx context.Context, ws, series string, keys []string, at time.Time) error

	// People returns up to limit person numbers of a wave that are greater than after, ascending.
	People(ctx context.Context, ws, id string, wave int, after uint64, limit int) ([]uint64, error)
	// WavesOf returns the waves, by Seq, that hold one of the person numbers.
	WavesOf(ctx context.Context, ws, id string, nums []uint64) ([]int, error)
}
