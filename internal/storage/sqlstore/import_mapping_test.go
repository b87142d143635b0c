package sqlstore_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/importer"
	"github.com/kizuna-cx/kizuna/internal/domain/importer/importertest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestImportMappingStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		importertest.Mappings(t, func(t *testing.T) importer.MappingStore {
			clearTables(t, db, "import_mapping")
			return sqlstore.NewImportMapping(db)
		})
	})
}
