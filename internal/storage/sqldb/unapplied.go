package sqldb

import (
	"context"
	"fmt"
	"io/fs"
)

// Unapplied returns the names of the migrations that Migrate would apply, without applying them; an error where Migrate would
// refuse.
func (db *DB) Unapplied(ctx context.Context, fsys fs.FS) ([]string, error) {
	all, err := readMigrations(fsys)
	if err != nil {
		return nil, err
	}
	applied, err := db.applied(ctx)
	if err != nil {
		return nil, fmt.Errorf("read which migrations were applied: %w", err)
	}
	todo, err := pending(all, applied)
	names := make([]string, len(todo))
	for i, m := range todo {
		names[i] = m.name
	}
	return names, err
}
