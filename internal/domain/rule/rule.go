package rule

import (
	"context"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/rule/leaf"
)

// Subject is one person as a rule sees them.
type Subject = leaf.Subject

// Channel is what rules may ask about a way to reach the person.
type Channel = leaf.Channel

// Result is the answer for one person at one moment.
type Result = leaf.Result

// Source answers what a rule needs to know about everyone at once.
type Source interface {
	// Engine says in whose SQL Select is asked.
	Engine() event.Engine
	// Select runs a query over the event store that returns person numbers (see event.Store).
	Select(ctx context.Context, ws string, sql string, args []any) (*roaring64.Bitmap, error)
	// Everyone returns all people of the workspace.
	Everyone(ctx context.Context, ws string) (*roaring64.Bitmap, error)
	// Members returns the members of a segment or list. The caller must not change the bitmap.
	Members(ctx context.Context, ws string, set string) (*roaring64.Bitmap, error)
}

// Audience is the answer for everyone.
type Audience struct {
	People *roaring64.Bitmap
	Counts []NodeCount // every node of the tree, in document order
}

// NodeCount is how many people fulfil one node of the tree alone.
type NodeCount struct {
	Path  string // e.g. "all[0].event"; of a group "all", "all[1].any"
	Count uint64
}
