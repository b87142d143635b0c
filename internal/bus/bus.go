// Package bus is the port to the durable log.
//
// The log is a sequence of records, each an opaque payload with a sequence number that only grows.
// Appending is durable: when Append returns, the record survives a kill of the process and a loss of
// power. Readers keep their own position, in the same transaction as the effects they derive from
// the records, and ask for what follows it; the log itself remembers no consumer. That is what makes
// every step behind it exactly once.
//
//	collect ──Writer──► Log ──Read(after position)──► pipeline
//
// natsbus implements the port on NATS JetStream; bustest is the suite that every implementation passes.
// One record should carry many events: the log syncs to disk once a record, so Writer gathers the
// payloads of concurrent callers into one record (group commit).
package bus

import (
	"context"
	"time"
)

// Record is one entry of the log.
type Record struct {
	Seq  uint64 // position, starting at 1; gaps are possible, order is not
	Time time.Time
	Data []byte
}

// Log is a durable, ordered sequence of records.
type Log interface {
	// Append stores data as one record and returns its position once it is on disk. Concurrent
	// appends are allowed. It returns an errs.KindUnavailable error if the log is full or closing;
	// the record may or may not have been stored then.
	Append(ctx context.Context, data []byte) (uint64, error)
	// Read returns up to max records after the position, in order. If there are none it waits up
	// to wait for the first and then returns an empty slice. Records older than the retention are gone:
	// reading then continues at the oldest one that is left. A position beyond the end is an errs.KindConflict error: it
	// was kept from another log, and waiting for it would hide that.
	Read(ctx context.Context, after uint64, max int, wait time.Duration) ([]Record, error)
	// Bounds returns the position of the oldest and newest record; both are 0 for an empty log that never
	// had a record.
	Bounds(ctx context.Context) (first, last uint64, err error)
}
