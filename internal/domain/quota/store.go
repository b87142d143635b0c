package quota

import "context"

// Store keeps limits and counts. Every method takes part in the transaction of its context.
type Store interface {
	// Own returns the limits that were set, by workspace; those that have none of their own are left out.
	Own(ctx context.Context) (map[string]Limits, error)
	// SetOwn replaces the limits of a workspace; empty ones are removed.
	SetOwn(ctx context.Context, ws string, l Limits) error
	// Add adds to the counts of a day and returns what they are then.
	Add(ctx context.Context, ws string, d Day, u Use) (Use, error)
	// On returns the counts of a day by workspace; those without any are left out.
	On(ctx context.Context, d Day) (map[string]Use, error)
	// Days returns the counts of a workspace since a day, the first day first; days without any are left out.
	Days(ctx context.Context, ws string, since Day) ([]DayUse, error)
	// Purge removes counts of days before the given one, at most limit rows, and returns how many.
	Purge(ctx context.Context, before Day, limit int) (int64, error)
}
