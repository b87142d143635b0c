package sqlstore_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/standing/standingtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestStandingStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		standingtest.Run(t, func(t *testing.T) standingtest.World {
			clearTables(t, db, "standing", "standing_scheme")
			return standingtest.World{Store: sqlstore.NewStanding(db), Tx: db}
		})
	})
}
