package personal

import (
	"bytes"
	"context"
	"encoding/json"
	"regexp"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

const (
	maxValue = 16 << 10 // bytes of one value; two hundred saved views fit
	maxKeys  = 200      // settings of one owner
)

// Setting is one arrangement.
type Setting struct {
	Key       string
	Value     json.RawMessage // compact
	UpdatedAt time.Time
}

// Store keeps settings. Owner is the id of a user or an API key.
type Store interface {
	// All returns the owner's settings by key; none is an empty slice.
	All(ctx context.Context, ws, owner string) ([]Setting, error)
	// Put adds or replaces one. It returns errs.KindConflict if the owner would have more than limit.
	Put(ctx context.Context, ws, owner string, p Setting, limit int) error
	// Delete removes one; one that is not there is no error.
	Delete(ctx context.Context, ws, owner, key string) error
}

// Service checks settings and stores them.
type Service struct {
	store Store
	clock clock.Clock
}

// New returns a service on a store.
func New(store Store, c clock.Clock) *Service { return &Service{store, c} }

// All returns the owner's settings by key.
func (s *Service) All(ctx context.Context, ws, owner string) ([]Setting, error) {
	return s.store.All(ctx, ws, owner)
}

var keyForm = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_-]+){0,3}$`)

// Put replaces the value of a key.
func (s *Service) Put(ctx context.Context, ws, owner, key string, value json.RawMessage) (Setting, error) {
	if len(key) > 80 || !keyForm.MatchString(key) {
		return Setting{}, errs.Invalid("personal.key", "key", "write lower-case words joined by dots, such as views.people")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, value); err != nil || compact.Len() == 0 {
		return Setting{}, errs.Invalid("personal.value", "value", "send a JSON value")
	}
	if compact.Len() > maxValue {
		return Setting{}, errs.Invalid("personal.value.too_large", "value", "at most %d bytes fit; remove what is no longer needed", maxValue)
	}
	p := Setting{Key: key, Value: compact.Bytes(), UpdatedAt: s.clock.Now()}
	return p, s.store.Put(ctx, ws, owner, p, maxKeys)
}

// Delete forgets a key.
func (s *Service) Delete(ctx context.Context, ws, owner, key string) error {
	return s.store.Delete(ctx, ws, owner, key)
}
