package hook

import (
	"context"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Ref names an endpoint.
type Ref struct{ Workspace, Endpoint string }

// Filter narrows deliveries of an endpoint; empty fields narrow nothing.
type Filter struct {
	State    State
	Kind     string
	From, To time.Time // of CreatedAt: From included, To not
}

// Store keeps endpoints and deliveries. Every method takes part in the transaction of its context.
type Store interface {
	// Put adds an endpoint or replaces the one with its id.
	Put(ctx context.Context, ws string, e Endpoint) error
	// Get returns an endpoint, not_found "webhook" if there is none.
	Get(ctx context.Context, ws, id string) (Endpoint, error)
	// All returns the endpoints of a workspace, the oldest first.
	All(ctx context.Context, ws string) ([]Endpoint, error)
	// Delete removes an endpoint with its deliveries, and reports whether there was one.
	Delete(ctx context.Context, ws, id string) (bool, error)
	// Ready returns up to limit endpoints of all workspaces that are on, do not rest, and have a delivery whose DueAt has come.
	Ready(ctx context.Context, now time.Time, limit int) ([]Ref, error)

	// Add adds deliveries; those whose endpoint has one of the same event already are left out. It returns how many were new.
	Add(ctx context.Context, ws string, all []Delivery) (int64, error)
	// Claim takes up to limit waiting deliveries whose DueAt has come, the earliest due first, and sets their DueAt to until: nobody
	// else gets them before.
	Claim(ctx context.Context, ws, endpoint string, now, until time.Time, limit int) ([]Delivery, error)
	// Finish writes state, attempts, due time and outcome of a delivery that still waits; of others, and unknown ones, nothing.
	Finish(ctx context.Context, ws string, d Delivery) error
	// Park parks the waiting deliveries that began to wait before a moment, with an error code unless they have one, and returns how many.
	Park(ctx context.Context, ws, endpoint, code string, before time.Time) (int64, error)
	// Requeue makes the deliveries that pass the filter and do not wait wait anew from now, and returns how many.
	Requeue(ctx context.Context, ws, endpoint string, f Filter, now time.Time) (int64, error)
	// RequeueOne does so for one, also if it waits; it reports whether there is such a delivery of this endpoint.
	RequeueOne(ctx context.Context, ws, endpoint, id string, now time.Time) (bool, error)
	// Delivery returns one, not_found "delivery" if the endpoint has none with this id.
	Delivery(ctx context.Context, ws, endpoint, id string) (Delivery, error)
	// Deliveries returns those that pass the filter, the latest first.
	Deliveries(ctx context.Context, ws, endpoint string, f Filter, p page.Request) (page.Of[Delivery], error)
	// Counts returns how many deliveries of an endpoint there are in each state; states with none are left out.
	Counts(ctx context.Context, ws, endpoint string) (map[State]int64, error)
	// Purge forgets up to limit deliveries of all workspaces that were made before a moment and do not wait, and returns how many.
	Purge(ctx context.Context, before time.Time, limit int) (int64, error)
}
