package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/secret"
	"github.com/kizuna-cx/kizuna/internal/kit/shred"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// LogKey keeps the keys that events are sealed under on the log.
type LogKey struct {
	db  *sqldb.DB
	box *secret.Box
}

// NewLogKey returns the store of the log's keys; the box seals them.
func NewLogKey(db *sqldb.DB, box *secret.Box) *LogKey { return &LogKey{db, box} }

const logKeyPurpose = "log-key"

// Nodes returns all nodes. It fails if one was sealed with another master key.
func (s *LogKey) Nodes(ctx context.Context) ([]shred.Node, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (n shred.Node, err error) {
		var sealed []byte
		if err := r.Scan(&n.Epoch, &n.Path, &sealed, &n.Made); err != nil {
			return n, err
		}
		seed, err := s.box.Open(logKeyPurpose, sealed)
		if err == nil && len(seed) != len(n.Seed) {
			err = errors.New("a seed of another length")
		}
		if err != nil {
			return n, fmt.Errorf("keys of the log: %w (was the master key exchanged?)", err)
		}
		n.Seed = [32]byte(seed)
		return n, nil
	}, `SELECT epoch, path, sealed, made_at FROM log_key ORDER BY epoch, path`)
}

// Keep applies a change in one transaction.
func (s *LogKey) Keep(ctx context.Context, c shred.Change) error {
	gone, made := make([][]any, len(c.Gone)), make([][]any, len(c.New))
	for i, n := range c.Gone {
		gone[i] = []any{n.Epoch, n.Path}
	}
	for i, n := range c.New {
		made[i] = []any{n.Epoch, n.Path, s.box.Seal(logKeyPurpose, n.Seed[:]), n.Made}
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Bulk(ctx, `DELETE FROM log_key WHERE epoch = $1 AND path = $2`, gone); err != nil {
			return err
		}
		_, err := s.db.Bulk(ctx, `INSERT INTO log_key (epoch, path, sealed, made_at) VALUES ($1, $2, $3, $4)`, made)
		return err
	})
}

// Mark returns a text that is another one after every change of the keys.
func (s *LogKey) Mark(ctx context.Context) (string, error) {
	// A destroyed key leaves more nodes than it takes away, and an epoch begins or ends.
	return sqldb.One(ctx, s.db, func(r sqldb.Row) (string, error) {
		var n, first, last int64
		err := r.Scan(&n, &first, &last)
		return fmt.Sprint(n, " ", first, " ", last), err
	}, `SELECT count(*), coalesce(min(epoch), 0), coalesce(max(epoch), 0) FROM log_key`)
}

// logKeyEpoch is how long one tree of keys seals. Trees are kept until the log has let go of all that they sealed.
const logKeyEpoch = 8 * 24 * time.Hour

// Turn begins a new tree when it is time and forgets those whose last records the log has let go of.
func (s *LogKey) Turn(ctx context.Context, ring *shred.Ring, now time.Time, retention time.Duration) error {
	if err := ring.Refresh(); err != nil { // another process may have begun one
		return err
	}
	return ring.Rotate(now, logKeyEpoch, retention+24*time.Hour, func(c shred.Change) error { return s.Keep(ctx, c) })
}
