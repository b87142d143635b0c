package sqlstore_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/retention"
	"github.com/kizuna-cx/kizuna/internal/domain/retention/retentiontest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestRetentionStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		retentiontest.Run(t, func(t *testing.T) retention.Store {
			clearTables(t, db, "retention_policy", "retention_receipt", "retention_gone")
			return sqlstore.NewRetention(db)
		})
	})
}
