package sqlstore_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/quota"
	"github.com/kizuna-cx/kizuna/internal/domain/quota/quotatest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestQuotaStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		quotatest.Run(t, func(t *testing.T) quota.Store {
			clearTables(t, db, "quota", "quota_use")
			return sqlstore.NewQuota(db)
		})
	})
}
