package sqlstore_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/consent/consenttest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestConsentStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		consenttest.Run(t, func(t *testing.T) consent.Store {
			clearTables(t, db, "topic", "consent_record", "consent_state", "suppression")
			return sqlstore.NewConsent(db)
		})
	})
}

// clearTables empties tables, so that one database serves a whole suite.
func clearTables(t *testing.T, db *sqldb.DB, tables ...string) {
	t.Helper()
	for _, table := range tables {
		if _, err := db.Exec(t.Context(), "DELETE FROM "+table); err != nil {
			t.Fatal(err)
		}
	}
}
