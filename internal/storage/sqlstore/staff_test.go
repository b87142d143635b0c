package sqlstore_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/domain/staff/stafftest"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestStaff(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			stafftest.Run(t, func(t *testing.T) (staff.Store, tx.Runner) {
				db := sqldbtest.Open(t, kind)
				return sqlstore.NewStaff(db), db
			})
		})
	}
}
