package sqlstore

import (
	"context"

	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore/migrations"
)

// Migrate brings the database to the schema that this version needs.
func Migrate(ctx context.Context, db *sqldb.DB) error { return db.Migrate(ctx, migrations.Files) }

// Unapplied returns the names of the migrations that Migrate would apply; an error if a newer version has used the database.
func Unapplied(ctx context.Context, db *sqldb.DB) ([]string, error) {
	return db.Unapplied(ctx, migrations.Files)
}
