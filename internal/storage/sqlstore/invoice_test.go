package sqlstore_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/invoice"
	"github.com/kizuna-cx/kizuna/internal/domain/invoice/invoicetest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestInvoiceStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		invoicetest.Run(t, func(t *testing.T) invoice.Store {
			clearTables(t, db, "invoice", "invoice_payment", "invoice_plan")
			return sqlstore.NewInvoice(db)
		})
	})
}
