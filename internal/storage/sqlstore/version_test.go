package sqlstore_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/version"
	"github.com/kizuna-cx/kizuna/internal/domain/version/versiontest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestVersionStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		versiontest.Run(t, func(t *testing.T) version.Store {
			clearTables(t, db, "thing_version")
			return sqlstore.NewVersion(db)
		})
	})
}
