package sqlstore_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/domain/segment/segmenttest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestSegmentStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		segmenttest.Run(t, func(t *testing.T) segment.Store {
			for _, table := range []string{"segment", "segment_list", "segment_revision", "segment_chunk", "segment_deadline", "segment_merge"} {
				if _, err := db.Exec(t.Context(), "DELETE FROM "+table); err != nil {
					t.Fatal(err)
				}
			}
			return sqlstore.NewSegment(db)
		})
	})
}
