package app

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/bus/natsbus"
	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/privacy"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
	"github.com/kizuna-cx/kizuna/internal/kit/secret"
	"github.com/kizuna-cx/kizuna/internal/kit/shred"
	"github.com/kizuna-cx/kizuna/internal/pipeline"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/shared"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// openVault reads the keys that events are sealed under on the log.
func openVault(ctx context.Context, keys *sqlstore.LogKey, box *secret.Box) (*shred.Ring, error) {
	nodes, err := keys.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	again := func() ([]shred.Node, error) { return keys.Nodes(context.WithoutCancel(ctx)) }
	return shred.New(box.Hash("log-leaf", ""), nodes, again), nil
}

// logKeys destroys keys of the log.
type logKeys struct {
	keys   *sqlstore.LogKey
	vault  *shred.Ring
	stream *natsbus.Log
}

// Destroy implements privacy.Log.
func (l logKeys) Destroy(ctx context.Context, subjects []string) (int, error) {
	if err := l.vault.Refresh(); err != nil {
		return 0, err
	}
	n, err := l.vault.Destroy(subjects, func(c shred.Change) error { return l.keys.Keep(ctx, c) })
	if n > 0 && err == nil {
		_ = l.stream.Tell(keysTopic, nil) // the others look by themselves, a second later
	}
	return n, err
}

func (l logKeys) forget(ctx context.Context, subjects []string) error {
	_, err := l.Destroy(ctx, subjects)
	return err
}

// history lets go of people in the event store.
type history struct{ shared.Keeper }

// Traces implements privacy.Events.
func (h history) Traces(ctx context.Context, ws string, t privacy.Traces) (privacy.Traces, error) {
	found, err := h.Keeper.Traces(ctx, ws, t.Nums, t.Before)
	if err != nil {
		return t, err
	}
	own := map[event.Identifier]bool{}
	for _, i := range t.Identifiers {
		own[i] = true
	}
	for _, i := range found.Identifiers {
		if !own[i] {
			t.Others = append(t.Others, i)
		}
	}
	t.Orders, t.Events = append(t.Orders, found.Orders...), found.Events
	t.Keys = append(t.Keys, found.Subjects...)
	return t, nil
}

// leavers lets the nouns go of a person that have a say in it.
type leavers struct{ *application }

// Leave implements privacy.Leaver.
func (l leavers) Leave(ctx context.Context, ws string, s privacy.Subject, mode privacy.Mode) error {
	// In one transaction: there may be hundreds of people.
	if err := l.db.InTx(ctx, func(ctx context.Context) error {
		for _, id := range s.IDs {
			if err := l.journeys.Forget(ctx, ws, id); err != nil {
				return fmt.Errorf("journeys: %w", err)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if err := l.segments.Forget(ctx, ws, s.Nums); err != nil {
		return fmt.Errorf("segments: %w", err)
	}
	if mode != privacy.Refuse {
		return nil
	}
	var wanted []consent.Suppress
	for _, i := range s.Identifiers {
		if i.Kind == person.KindEmail && !person.Hashed(i.Value) {
			wanted = append(wanted, consent.Suppress{Channel: content.Email, Address: i.Value, Reason: consent.Erased})
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	_, err := l.consent.Suppress(ctx, ws, wanted...)
	return err
}

// quiet waits until everything that is on its way now has arrived.
type quiet struct {
	waiting *sqlstore.PendingEvent
	writer  *bus.Writer
	stream  *natsbus.Log
	worker  *pipeline.Worker
}

const (
	quietPoll = 50 * time.Millisecond
	// quietRounds is how often the way is walked: what arrives may cause events of its own, such as a segment that is left.
	quietRounds = 2
)

func (q *quiet) wait(ctx context.Context) error {
	for range quietRounds {
		if err := q.once(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (q *quiet) once(ctx context.Context) error {
	newest, err := q.waiting.Newest(ctx)
	if err != nil {
		return err
	}
	for newest != "" {
		left, err := q.waiting.Next(ctx, 1)
		if err != nil {
			return err
		}
		if len(left) == 0 || left[0].ID > newest {
			break
		}
		if err := lifecycle.Sleep(ctx, quietPoll); err != nil {
			return err
		}
	}
	// An empty line is no event; what was handed to the writer before is on the log with it.
	if err := q.writer.Append(ctx, [][]byte{[]byte("\n")}); err != nil {
		return err
	}
	_, last, err := q.stream.Bounds(ctx)
	if err != nil {
		return err
	}
	for {
		at, err := q.worker.Position(ctx)
		if err != nil {
			return err
		}
		if at >= last {
			return nil
		}
		if err := q.worker.Trouble(); err != nil {
			return err
		}
		if err := lifecycle.Sleep(ctx, quietPoll); err != nil {
			return err
		}
	}
}

// screen tells intake whom it must not take. Regions, which numbers without a country code are read with, change hardly ever and are
// remembered for a few seconds, since intake may not wait for the record store.
type screen struct {
	privacy *privacy.Service
	people  *person.Service
	region  func(ctx context.Context, ws string) (string, error)
}

// Refuses implements collect.Screen.
func (s screen) Refuses(ctx context.Context, e *event.Event) bool {
	if !s.privacy.Any(e.Workspace) {
		return false
	}
	region, err := s.region(ctx, e.Workspace)
	if err != nil {
		return false // the pipeline tells
	}
	ids, err := s.people.Carried(ctx, e, region)
	return err == nil && s.privacy.Refuses(e.Workspace, ids)
}

// Kept implements collect.Screen.
func (s screen) Kept(e *event.Event) bool { return s.privacy.Kept(e.Workspace, e) }

// remembered keeps the answers of a question about workspaces for two seconds: another process may have changed them.
func remembered(now func() time.Time, ask func(ctx context.Context, ws string) (string, error)) func(ctx context.Context, ws string) (string, error) {
	type answer struct {
		text  string
		until time.Time
	}
	var mu sync.Mutex
	known := map[string]answer{}
	return func(ctx context.Context, ws string) (string, error) {
		mu.Lock()
		a, ok := known[ws]
		mu.Unlock()
		if ok && now().Before(a.until) {
			return a.text, nil
		}
		text, err := ask(ctx, ws)
		if err != nil {
			return "", err
		}
		mu.Lock()
		defer mu.Unlock()
		known[ws] = answer{text, now().Add(2 * time.Second)}
		return text, nil
	}
}
