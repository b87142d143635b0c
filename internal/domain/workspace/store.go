package workspace

import (
	"context"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Store keeps workspaces and sources. All methods take part in the transaction of their context.
type Store interface {
	// Create adds a workspace; its id must be new.
	Create(ctx context.Context, w Workspace) error
	// Get returns a workspace, or an errs.KindNotFound error.
	Get(ctx context.Context, ws string) (Workspace, error)
	// List returns workspaces, oldest id first.
	List(ctx context.Context, p page.Request) (page.Of[Workspace], error)
	// Update replaces everything but id and CreatedAt; errs.KindNotFound if there is no such workspace.
	Update(ctx context.Context, w Workspace) error
	// Moved returns the workspaces that have gone to other installations.
	Moved(ctx context.Context) ([]Moved, error)

	// CreateSource adds a source. If any workspace has a source with the same write key it returns an errs.KindConflict error
	// with code source.write_key.taken.
	CreateSource(ctx context.Context, ws string, s Source) error
	// Source returns a source of the workspace, or an errs.KindNotFound error.
	Source(ctx context.Context, ws, id string) (Source, error)
	// Sources returns the workspace's sources, oldest id first.
	Sources(ctx context.Context, ws string, p page.Request) (page.Of[Source], error)
	// SourceByWriteKey finds a source in any workspace, compared byte by byte, or returns an errs.KindNotFound error. The
	// key itself says which workspace it is for.
	SourceByWriteKey(ctx context.Context, key string) (Source, error)
	// UpdateSource replaces name and Disabled; errs.KindNotFound if the workspace has no such source.
	UpdateSource(ctx context.Context, ws string, s Source) error
	// TouchSource sets LastUsed unless it is later already. It does nothing if there is no such source.
	TouchSource(ctx context.Context, ws, id string, at time.Time) error
	// DeleteSource removes a source; errs.KindNotFound if the workspace has none with this id.
	DeleteSource(ctx context.Context, ws, id string) error
}
