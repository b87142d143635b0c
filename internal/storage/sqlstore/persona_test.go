package sqlstore_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/persona"
	"github.com/kizuna-cx/kizuna/internal/domain/persona/personatest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestPersonaStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		personatest.Run(t, func(t *testing.T) persona.Store {
			clearTables(t, db, "persona")
			return sqlstore.NewPersona(db)
		})
	})
}
