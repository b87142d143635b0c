package sqlstore_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/person/persontest"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestPerson(t *testing.T) {
	for _, kind := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(kind), func(t *testing.T) {
			persontest.Run(t, func(t *testing.T) (person.Store, tx.Runner) {
				db := sqldbtest.Open(t, kind)
				return sqlstore.NewPerson(db), db
			})
		})
	}
}
