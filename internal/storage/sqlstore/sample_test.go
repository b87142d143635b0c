package sqlstore_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/sample"
	"github.com/kizuna-cx/kizuna/internal/domain/sample/sampletest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestSampleStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		sampletest.Run(t, func(t *testing.T) (sample.Store, func(string, ...any)) {
			clearTables(t, db, "sample_mark", "source", "audit_log")
			return sqlstore.NewSample(db), func(query string, args ...any) {
				t.Helper()
				if _, err := db.Exec(t.Context(), query, args...); err != nil {
					t.Fatal(err)
				}
			}
		})
	})
}
