package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/click"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/duck"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/shared"
)

// events is an event store as this package needs it: answered, written, and read from one end to the other.
type events interface {
	shared.Keeper
	movable
}

// openEvents opens the event store that the configuration names, to write: a file in the data folder, or a database of a ClickHouse server.
func (c Config) openEvents(ctx context.Context) (events, error) {
	if c.EventsURL != "" {
		return click.Open(ctx, c.EventsURL, click.Options{})
	}
	return duck.Open(ctx, eventsPath(c.Data), duck.Options{MemoryMB: c.EventMemoryMB})
}

// readEvents opens it for reading alone, where that makes a difference: a server's database may be written meanwhile.
func (c Config) readEvents(ctx context.Context) (events, error) {
	if c.EventsURL != "" {
		return click.Open(ctx, c.EventsURL, click.Options{Read: true})
	}
	return c.openEvents(ctx)
}

func (c Config) eventEngine() event.Engine {
	if c.EventsURL != "" {
		return event.ClickHouse
	}
	return event.DuckDB
}

// eventPlace says where the events are, for messages; passwords are left out.
func (c Config) eventPlace() string {
	if c.EventsURL == "" {
		return eventsPath(c.Data)
	}
	u, err := url.Parse(c.EventsURL)
	if err != nil {
		return "ClickHouse"
	}
	return u.Redacted()
}

func (c Config) validateEvents() error {
	if c.EventsURL == "" {
		return nil
	}
	if err := click.Check(c.EventsURL); err != nil {
		return fmt.Errorf("KIZUNA_EVENTS_URL: %w", err)
	}
	return nil
}

// validateFromEvents looks at where the events of an installation that moves are said to be.
func (c Config) validateFromEvents() error {
	if c.fromEvents == "" {
		return nil
	}
	if err := click.Check(c.fromEvents); err != nil {
		return fmt.Errorf("KIZUNA_FROM_EVENTS_URL or --from-events: %w", err)
	}
	if click.Same(c.fromEvents, c.EventsURL) {
		return errors.New("KIZUNA_FROM_EVENTS_URL (or --from-events) and KIZUNA_EVENTS_URL name the same database: give the new installation another one")
	}
	return nil
}

// fillEvents fills an event store through its port alone. Its position says how far it is, so that it goes on where it was. tell says how far it has come; what
// is told at the end of something comes with true.
func fillEvents(ctx context.Context, from, to movable, workspaces []string, tell func(always bool, format string, args ...any)) error {
	end, err := from.Position(ctx)
	if err != nil {
		return err
	}
	at, err := to.Position(ctx)
	if err != nil {
		return err
	}
	if at > end {
		return fmt.Errorf("the new store is at record %d, beyond %d: it is another's; begin anew with an empty one", at, end)
	}
	merged, err := from.Redirects(ctx)
	if err != nil {
		return err
	}
	if err := to.Append(ctx, event.Batch{Redirects: merged}); err != nil {
		return err
	}
	for _, ws := range workspaces {
		if err := eachMirror(ctx, from, ws, func(people []event.Mirror) error {
			tell(false, "people of %s", ws)
			return to.Append(ctx, event.Batch{People: people})
		}); err != nil {
			return err
		}
	}
	if err := from.Each(ctx, at, func(events []event.Kept, through uint64) error {
		tell(through == end, "events: record %d of %d", through, end)
		return to.Append(ctx, event.Batch{Events: events, Through: through})
	}); err != nil {
		return err
	}
	if end == 0 {
		return nil
	}
	return to.Append(ctx, event.Batch{Through: end}) // the last records may have no events
}

// fileOf makes the DuckDB file of a backup out of a server's database. What the file holds is what the database holds, whichever engine it is restored to.
func fileOf(ctx context.Context, from movable, file string, c Config, workspaces []string) (err error) {
	to, err := duck.Open(ctx, file, duck.Options{MemoryMB: c.EventMemoryMB})
	if err != nil {
		return err
	}
	return errors.Join(fillEvents(ctx, from, to, workspaces, func(bool, string, ...any) {}), to.Close())
}
