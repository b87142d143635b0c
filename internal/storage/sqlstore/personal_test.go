package sqlstore_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/personal"
	"github.com/kizuna-cx/kizuna/internal/domain/personal/personaltest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestPersonalStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		personaltest.Run(t, func(t *testing.T) personal.Store {
			clearTables(t, db, "personal_setting")
			return sqlstore.NewPersonal(db)
		})
	})
}
