package sqlstore_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/mailauth"
	"github.com/kizuna-cx/kizuna/internal/domain/mailauth/mailauthtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestMailAuthStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		mailauthtest.Run(t, func(t *testing.T) mailauth.Store {
			clearTables(t, db, "sending_domain", "dkim_key")
			return sqlstore.NewMailAuth(db)
		})
	})
}
