package workspace

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

// Service holds the rules of workspaces and sources. It is safe for concurrent use.
type Service struct {
	store Store
	tx    tx.Runner
	clock clock.Clock
	keys  *keyCache
	gone  atomic.Pointer[[]Moved] // the workspaces that have moved away; nil: not asked for yet
}

// New returns the service.
func New(store Store, runner tx.Runner, c clock.Clock) *Service {
	return &Service{store: store, tx: runner, clock: c, keys: newKeyCache()}
}

// Create adds a workspace. The id and the times are set here; empty Timezone, Currency, DefaultRegion and Locale become UTC, USD, US and en.
func (s *Service) Create(ctx context.Context, w Workspace) (Workspace, error) {
	for p, v := range map[*string]string{&w.Timezone: "UTC", &w.Currency: "USD", &w.DefaultRegion: "US", &w.Locale: "en"} {
		if *p == "" {
			*p = v
		}
	}
	w.normalize()
	if err := w.Validate(); err != nil {
		return Workspace{}, err
	}
	w.ID = id.New("ws")
	w.CreatedAt = s.clock.Now()
	w.UpdatedAt = w.CreatedAt
	return w, s.store.Create(ctx, w)
}

// Get returns a workspace, or an errs.KindNotFound error.
func (s *Service) Get(ctx context.Context, ws string) (Workspace, error) { return s.store.Get(ctx, ws) }

// List returns a page of workspaces, oldest first.
func (s *Service) List(ctx context.Context, p page.Request) (page.Of[Workspace], error) {
	return s.store.List(ctx, p)
}

// All returns every workspace; for loops that serve all of them.
func (s *Service) All(ctx context.Context) ([]Workspace, error) {
	var all []Workspace
	for p := (page.Request{Limit: page.MaxLimit}); ; {
		got, err := s.store.List(ctx, p)
		if err != nil {
			return nil, err
		}
		all = append(all, got.Items...)
		if got.Next == "" {
			return all, nil
		}
		p.Cursor = got.Next
	}
}

// Update replaces what a user may change: everything but the id and CreatedAt.
func (s *Service) Update(ctx context.Context, w Workspace) (Workspace, error) {
	w.normalize()
	if err := w.Validate(); err != nil {
		return Workspace{}, err
	}
	err := s.tx.InTx(ctx, func(ctx context.Context) error {
		old, err := s.store.Get(ctx, w.ID)
		if err != nil {
			return err
		}
		w.CreatedAt, w.UpdatedAt = old.CreatedAt, s.clock.Now()
		return s.store.Update(ctx, w)
	})
	if err != nil {
		return Workspace{}, err
	}
	return w, nil
}

// CreateSource adds a source to the workspace. An empty WriteKey gets a new random one.
func (s *Service) CreateSource(ctx context.Context, ws string, src Source) (Source, error) {
	if src.WriteKey == "" {
		src.WriteKey = "wk_" + rand.Text() // 130 random bits in base32
	}
	if err := src.Validate(); err != nil {
		return Source{}, err
	}
	src.ID, src.Workspace, src.CreatedAt = id.New("src"), ws, s.clock.Now()
	err := s.tx.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.store.Get(ctx, ws); err != nil {
			return err
		}
		return s.store.CreateSource(ctx, ws, src)
	})
	if err != nil {
		return Source{}, err
	}
	s.keys.clear() // the key may be remembered as unknown
	return src, nil
}

// Source returns a source of the workspace, or an errs.KindNotFound error.
func (s *Service) Source(ctx context.Context, ws, id string) (Source, error) {
	return s.store.Source(ctx, ws, id)
}

// Sources returns a page of the workspace's sources, oldest first.
func (s *Service) Sources(ctx context.Context, ws string, p page.Request) (page.Of[Source], error) {
	return s.store.Sources(ctx, ws, p)
}

// UpdateSource changes a source's name and whether it is disabled. Kind and write key stay: make another source instead.
func (s *Service) UpdateSource(ctx context.Context, ws, id, name string, disabled bool) (Source, error) {
	var src Source
	err := s.tx.InTx(ctx, func(ctx context.Context) (err error) {
		if src, err = s.store.Source(ctx, ws, id); err != nil {
			return err
		}
		src.Name, src.Disabled = name, disabled
		if err := src.Validate(); err != nil {
			return err
		}
		return s.store.UpdateSource(ctx, ws, src)
	})
	if err != nil {
		return Source{}, err
	}
	s.keys.clear()
	return src, nil
}

// DeleteSource removes a source; what it has sent stays.
func (s *Service) DeleteSource(ctx context.Context, ws, id string) error {
	if err := s.store.DeleteSource(ctx, ws, id); err != nil {
		return err
	}
	s.keys.clear()
	return nil
}

// SourceByWriteKey returns the enabled source with the write key. An unknown key and that of a disabled source give an
// errs.KindUnauthenticated error with code source.write_key.unknown or source.disabled. Answers come from memory and
// are at most one second old; the use is noted to the minute.
func (s *Service) SourceByWriteKey(ctx context.Context, key string) (Source, error) {
	now := s.clock.Now()
	src, known := s.keys.get(key, now)
	if !known {
		if !writeKeyForm.MatchString(key) {
			return Source{}, errUnknownKey
		}
		generation := s.keys.generation.Load()
		var err error
		src, err = s.store.SourceByWriteKey(ctx, key)
		if err != nil && !errs.Is(err, errs.KindNotFound) {
			return Source{}, err
		}
		s.keys.put(key, src, now, generation)
	}
	switch {
	case src.ID == "":
		return Source{}, errUnknownKey
	case src.Disabled:
		return Source{}, errDisabled
	}
	if s.keys.use(src, now) {
		if err := s.store.TouchSource(ctx, src.Workspace, src.ID, now); err != nil {
			s.keys.unuse(src) // a note for the console is no reason to refuse events; the next one tries again
		}
	}
	return src, nil
}

var (
	errUnknownKey = errs.Unauthenticated("source.write_key.unknown", "this write key belongs to no source; copy it from Settings, Sources")
	errDisabled   = errs.Unauthenticated("source.disabled", "this source is switched off; switch it on in Settings, Sources")
)

// MovedKey returns the workspace that a write key led to before it moved to another installation, and MovedWorkspace one by its id; false if none has. A workspace
// moves while no process runs, so they ask once.
func (s *Service) MovedKey(ctx context.Context, key string) (Moved, bool, error) {
	return s.moved(ctx, func(w Moved) bool { return slices.Contains(w.Keys, key) })
}

// MovedWorkspace is described at MovedKey.
func (s *Service) MovedWorkspace(ctx context.Context, ws string) (Moved, bool, error) {
	return s.moved(ctx, func(w Moved) bool { return w.Workspace == ws })
}

func (s *Service) moved(ctx context.Context, is func(Moved) bool) (Moved, bool, error) {
	all := s.gone.Load()
	if all == nil {
		found, err := s.store.Moved(ctx)
		if err != nil {
			return Moved{}, false, err
		}
		all = &found
		s.gone.Store(all)
	}
	i := slices.IndexFunc(*all, is)
	if i < 0 {
		return Moved{}, false, nil
	}
	return (*all)[i], true, nil
}

// Bootstrap makes the first workspace with a source for a site and one for servers if there is none yet, and returns the id of the
// oldest workspace. If writeKey is not empty, it makes sure that a server source with it exists; an existing source is left as it is.
// A key that has moved away with its workspace is left alone. It may be called at every start.
func (s *Service) Bootstrap(ctx context.Context, writeKey string) (ws string, err error) {
	err = s.tx.InTx(ctx, func(ctx context.Context) error {
		first, err := s.store.List(ctx, page.Request{Limit: 1})
		if err != nil {
			return err
		}
		if len(first.Items) > 0 {
			ws = first.Items[0].ID
		} else {
			w, err := s.Create(ctx, Workspace{Name: "My business"})
			if err != nil {
				return err
			}
			ws = w.ID
			if _, err := s.CreateSource(ctx, ws, Source{Name: "Website", Kind: Browser}); err != nil {
				return err
			}
			if writeKey == "" {
				_, err := s.CreateSource(ctx, ws, Source{Name: "Server", Kind: Server})
				return err
			}
		}
		if writeKey == "" {
			return nil
		}
		if _, moved, err := s.MovedKey(ctx, writeKey); err != nil || moved {
			return err
		}
		switch _, err := s.store.SourceByWriteKey(ctx, writeKey); {
		case err == nil:
			return nil
		case !errs.Is(err, errs.KindNotFound):
			return err
		}
		_, err = s.CreateSource(ctx, ws, Source{Name: "Server", Kind: Server, WriteKey: writeKey})
		return err
	})
	if err != nil {
		return "", fmt.Errorf("bootstrap workspace: %w", err)
	}
	return ws, nil
}
