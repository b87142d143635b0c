package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Leases say which process does work that only one may do at a time. Their time is the database's, so that the clocks of machines need not agree.
type Leases struct{ db *sqldb.DB }

// NewLeases returns the store of leases.
func NewLeases(db *sqldb.DB) *Leases { return &Leases{db} }

// Lease is who does the work.
type Lease struct {
	Holder  string // empty: nobody
	Address string
	Fence   int64 // grows whenever the holder changes
}

// Take takes the lease for ttl, or extends it, unless another process holds it; it returns who holds it then.
func (s *Leases) Take(ctx context.Context, name, holder, address string, ttl time.Duration) (l Lease, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		now, err := s.db.Now(ctx)
		if err != nil {
			return err
		}
		old, until, err := s.read(ctx, name)
		if err != nil {
			return err
		}
		if old.Holder != "" && old.Holder != holder && until.After(now) {
			l = old
			return nil
		}
		l = Lease{Holder: holder, Address: address, Fence: old.Fence}
		if old.Holder != holder {
			l.Fence++
		}
		_, err = s.db.Exec(ctx, `INSERT INTO lease (name, holder, url, fence, held_until) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, url = excluded.url, fence = excluded.fence, held_until = excluded.held_until`,
			name, l.Holder, l.Address, l.Fence, now.Add(ttl))
		return err
	})
	return l, err
}

func (s *Leases) read(ctx context.Context, name string) (l Lease, until time.Time, err error) {
	l, err = sqldb.One(ctx, s.db, func(r sqldb.Row) (l Lease, err error) {
		return l, r.Scan(&l.Holder, &l.Address, &l.Fence, &until)
	}, `SELECT holder, url, fence, held_until FROM lease WHERE name = $1`, name)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = nil
	}
	return l, until, err
}

// Holder returns who holds the lease now; the holder is empty if nobody does.
func (s *Leases) Holder(ctx context.Context, name string) (Lease, error) {
	now, err := s.db.Now(ctx)
	if err != nil {
		return Lease{}, err
	}
	l, until, err := s.read(ctx, name)
	if err != nil || !until.After(now) {
		return Lease{}, err
	}
	return l, nil
}

// Leave gives the lease back if the process holds it, so that another need not wait.
func (s *Leases) Leave(ctx context.Context, name, holder string) error {
	_, err := s.db.Exec(ctx, `UPDATE lease SET held_until = 0 WHERE name = $1 AND holder = $2`, name, holder)
	return err
}
