package retention

import (
	"context"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Store keeps policies, receipts and what is gone. Every method takes part in the transaction of its context.
type Store interface {
	// Policy returns a workspace's policy, the zero value if it has none.
	Policy(ctx context.Context, ws string) (Policy, error)
	// PutPolicy replaces it.
	PutPolicy(ctx context.Context, ws string, p Policy) error
	// Policies returns the policies of all workspaces that have one.
	Policies(ctx context.Context) (map[string]Policy, error)
	// Gone returns what is gone of a workspace, by type and name; Count is of all removals together.
	Gone(ctx context.Context, ws string) ([]Gone, error)
	// AddReceipt keeps a receipt and adds its lines to what is gone, once for an id.
	AddReceipt(ctx context.Context, ws string, r Receipt) error
	// Receipts returns receipts, latest finished first.
	Receipts(ctx context.Context, ws string, p page.Request) (page.Of[Receipt], error)
}

// Events is what removal asks of the event store.
type Events interface {
	// Ages counts a workspace's events by kind, the most frequent first.
	Ages(ctx context.Context, ws string) ([]event.Age, error)
	// TooOld counts the events that happened before their terms begin; kinds of which there are none are left out.
	TooOld(ctx context.Context, ws string, terms []event.Term) ([]event.Age, error)
	// DropOld deletes at most limit such events of a kind and returns how many there were.
	DropOld(ctx context.Context, ws string, t event.Term, limit int) (int64, error)
	// Scrub writes the store's file anew, so that no bytes of deleted rows are left in it.
	Scrub(ctx context.Context) error
}

// Standings is what removal asks of how people stand.
type Standings interface {
	// EventsRemoved has people judged anew if judgements read one of the kinds of which older events than so went; daily leaves to the next round whom it may.
	EventsRemoved(ctx context.Context, ws string, went []event.Term, daily bool) error
}

// Segments is what removal asks of the segments.
type Segments interface {
	// Rules returns the active segments with their rules, by name.
	Rules(ctx context.Context, ws string) ([]segment.Ruled, error)
	// Reevaluate has everybody checked again.
	Reevaluate(ctx context.Context, ws, id string) (segment.Segment, error)
}
