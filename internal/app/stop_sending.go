package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/workspace"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func stopSendingCommand() command {
	return command{
		name: "stop-sending", summary: "stop sending in every workspace, before a copy or a database set back is started",
		long: `
What waits in records of an earlier moment may have been sent since, and would be sent again as soon as a server starts on them: so before one does, after PostgreSQL has gone back to a moment
of its archive or a copy of the database was made. kizuna restore does it by itself. The record store is that of --data and KIZUNA_DATABASE_URL; servers need not run.

Look through what waits in the settings of each workspace (Limits and quiet hours), then resume sending there, with it or without it.`,
		flags: func(fs *flag.FlagSet) func(context.Context, IO) error {
			c, envErr := defaults()
			configFlags(fs, &c)
			return func(ctx context.Context, io IO) error {
				if err := errors.Join(envErr, c.Validate()); err != nil {
					return usageError{err.Error()}
				}
				if path, ok := strings.CutPrefix(c.Database, "sqlite:"); ok {
					if _, err := os.Stat(path); err != nil {
						return fmt.Errorf("--data %s holds no installation: %w", c.Data, err) // opening it would make one
					}
				}
				db, err := sqldb.Open(ctx, c.Database, sqldb.Options{})
				if err != nil {
					return fmt.Errorf("record store: %w", err)
				}
				defer db.Close()
				n, err := stopSending(ctx, db)
				if err != nil {
					return fmt.Errorf("record store: %w", err)
				}
				fmt.Fprintf(io.Out, "sending is stopped in %d workspaces; look through what waits before you resume it\n", n)
				return nil
			}
		},
	}
}

// stopSending stops sending in every workspace, and returns how many there are.
func stopSending(ctx context.Context, db *sqldb.DB) (int, error) {
	all, err := workspace.New(sqlstore.NewWorkspace(db), db, clock.System{}).All(ctx)
	if err != nil {
		return 0, err
	}
	for _, ws := range all {
		if err := sqlstore.NewOutbox(db).SetStopped(ctx, ws.ID, true, time.Now()); err != nil {
			return 0, err
		}
	}
	return len(all), nil
}
