package sqlstore_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/hook"
	"github.com/kizuna-cx/kizuna/internal/domain/hook/hooktest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestHookStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		hooktest.Run(t, func(t *testing.T) hook.Store {
			clearTables(t, db, "hook_endpoint", "hook_delivery")
			return sqlstore.NewHook(db)
		})
	})
}
