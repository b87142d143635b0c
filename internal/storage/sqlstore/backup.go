package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Backups remember the last backup of the installation.
type Backups struct{ db *sqldb.DB }

// NewBackups returns the memory of backups.
func NewBackups(db *sqldb.DB) *Backups { return &Backups{db} }

// Backup is one that was finished.
type Backup struct {
	Made   time.Time // the moment that it holds; zero: there is none
	Host   string    // the machine that it was made on
	Folder string    // absolute, there
}

// Last returns the last one.
func (s *Backups) Last(ctx context.Context) (Backup, error) {
	b, err := sqldb.One(ctx, s.db, func(r sqldb.Row) (b Backup, err error) {
		return b, r.Scan(&b.Made, &b.Host, &b.Folder)
	}, `SELECT made_at, host, folder FROM backup ORDER BY made_at DESC LIMIT 1`)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = nil
	}
	return b, err
}

// Note notes a backup as the last one.
func (s *Backups) Note(ctx context.Context, b Backup) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if err := s.Forget(ctx); err != nil {
			return err
		}
		_, err := s.db.Exec(ctx, `INSERT INTO backup (made_at, host, folder) VALUES ($1, $2, $3)`, b.Made, b.Host, b.Folder)
		return err
	})
}

// Forget says that there is none: the records have come from another installation, or hold what no backup of this one does.
func (s *Backups) Forget(ctx context.Context) error {
	_, err := s.db.Exec(ctx, `DELETE FROM backup`)
	return err
}
