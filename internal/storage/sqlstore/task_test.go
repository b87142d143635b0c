package sqlstore_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/task"
	"github.com/kizuna-cx/kizuna/internal/domain/task/tasktest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestTaskStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		tasktest.Run(t, func(t *testing.T) task.Store {
			clearTables(t, db, "task")
			return sqlstore.NewTask(db)
		})
	})
}
