package sqlstore_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/content/contenttest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestContentStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		contenttest.Run(t, func(t *testing.T) content.Store {
			clearTables(t, db, "template", "template_version", "template_snippet", "brand_revision", "snippet", "snippet_version")
			return sqlstore.NewContent(db)
		})
	})
}
