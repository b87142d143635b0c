package sqlstore_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/report/reporttest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestReportStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		reporttest.Run(t, func(testing.TB) reporttest.Stores {
			clearTables(t, db, "message", "message_owner", "message_conversion", "message_outcome", "order_refund", "report_note", "saved_report")
			return reporttest.Stores{Reports: sqlstore.NewReport(db), Messages: sqlstore.NewOutbox(db)}
		})
	})
}
