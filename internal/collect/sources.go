package collect

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Source is where events come from: what a write key stands for.
type Source struct {
	ID        string
	Workspace string
	Browser   bool // the key is public: events get the address of the connection and are trusted less
}

// Sources knows the write keys.
type Sources interface {
	// SourceByWriteKey returns the source of a key in use, or an errs.KindNotFound error; an errs.KindUnauthenticated error is told to whoever has sent the key.
	SourceByWriteKey(ctx context.Context, key string) (Source, error)
}

// How the answers of Sources are remembered. A new key works after at most unknownFor, a withdrawn one stops after at
// most knownFor, and both at once after Handler.Forget.
const (
	knownFor   = 2 * time.Second // staff withdraw a key because somebody has it who should not
	unknownFor = 2 * time.Second
	maxUnknown = 8192 // keys; a flood of made-up ones starts over

	// New keys are asked for at most this often, so that a flood of made-up ones cannot occupy the store.
	lookupRate  = 100
	lookupBurst = 200

	lookupPatience = 5 * time.Second
	maxKeyLength   = 128
)

// keyring remembers which keys are known.
type keyring struct {
	sources Sources
	clock   clock.Clock
	fresh   *rate.Limiter
	flight  singleflight.Group

	mu      sync.Mutex
	known   map[string]keyEntry
	unknown map[string]refusal
}

// refusal is why a key lets nothing in, and until when that is remembered.
type refusal struct {
	why   error
	until time.Time
}

type keyEntry struct {
	source Source
	until  time.Time
}

func newKeyring(s Sources, c clock.Clock) *keyring {
	k := &keyring{sources: s, clock: c, fresh: rate.NewLimiter(lookupRate, lookupBurst)}
	k.forget()
	return k
}

func (k *keyring) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.known, k.unknown = map[string]keyEntry{}, map[string]refusal{}
}

func errUnknownKey() error {
	return errs.Unauthenticated("key.unknown", "this write key is not in use here; copy it from the source's page")
}

// find returns the source of a key. It is an errs.KindUnauthenticated error if the key is not in use, and
// errs.KindUnavailable if that cannot be told now.
func (k *keyring) find(ctx context.Context, key string) (Source, error) {
	if key == "" {
		return Source{}, errs.Unauthenticated("key.missing", "no write key; send it as the user name of HTTP Basic, as \"writeKey\" in the body or as ?writeKey=")
	}
	if !wellFormed(key) {
		return Source{}, errUnknownKey()
	}
	now := k.clock.Now()
	k.mu.Lock()
	entry, known := k.known[key]
	refused, unknown := k.unknown[key]
	k.mu.Unlock()
	switch {
	case known && now.Before(entry.until):
		return entry.source, nil
	case unknown && now.Before(refused.until):
		return Source{}, refused.why
	case !known && !k.fresh.AllowN(now, 1):
		return Source{}, errs.Unavailable("key.busy", "too many new write keys at once; try again in a moment")
	}
	found, err, _ := k.flight.Do(key, func() (any, error) {
		// The first caller asks for all, so that its leaving must not end the question.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupPatience)
		defer cancel()
		return k.ask(ctx, key)
	})
	if errs.Is(err, errs.KindUnavailable) && known {
		return entry.source, nil // better old than none
	}
	if err != nil {
		return Source{}, err
	}
	return found.(Source), nil
}

func (k *keyring) ask(ctx context.Context, key string) (Source, error) {
	source, err := k.sources.SourceByWriteKey(ctx, key)
	now := k.clock.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case err == nil:
		k.known[key] = keyEntry{source, now.Add(knownFor)}
		delete(k.unknown, key)
		return source, nil
	case errs.Is(err, errs.KindNotFound):
		err = errUnknownKey()
		fallthrough
	case errs.Is(err, errs.KindUnauthenticated):
		delete(k.known, key)
		if len(k.unknown) >= maxUnknown {
			clear(k.unknown)
		}
		k.unknown[key] = refusal{err, now.Add(unknownFor)}
		return Source{}, err
	}
	return Source{}, errs.Unavailable("key.unavailable", "write keys cannot be checked now; try again in a moment").With(err)
}

// wellFormed tells keys from noise before anything is remembered about them.
func wellFormed(key string) bool {
	if len(key) > maxKeyLength {
		return false
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return false
		}
	}
	return true
}
