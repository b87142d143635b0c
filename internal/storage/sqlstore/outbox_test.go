package sqlstore_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox/outboxtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestOutboxStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		outboxtest.Run(t, func(t *testing.T) outboxtest.Store {
			clearTables(t, db, "message", "message_owner", "message_goal", "message_conversion", "message_outcome", "order_refund", "sending_stop", "sending_policy", "channel_account", "sending_window")
			return sqlstore.NewOutbox(db)
		})
	})
}
