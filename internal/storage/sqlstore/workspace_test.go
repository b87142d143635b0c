package sqlstore_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/workspace"
	"github.com/kizuna-cx/kizuna/internal/domain/workspace/workspacetest"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestWorkspace(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			workspacetest.Run(t, func(t *testing.T) (workspace.Store, tx.Runner) {
				db := sqldbtest.Open(t, kind)
				return sqlstore.NewWorkspace(db), db
			})
		})
	}
}
