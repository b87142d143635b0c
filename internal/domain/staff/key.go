package staff

import (
	"context"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// keyPrefix lets people and secret scanners recognise an API key.
const keyPrefix = "kz_"

// NewKey is an API key to make.
type NewKey struct {
	Name      string
	Scopes    []Permission
	ExpiresAt time.Time // zero: never
	Secret    string    // empty: random. Only System may give one.
}

// CreateKey makes an API key for the principal's workspace and returns its secret, which is not kept. Its scopes cannot go
// beyond the principal's own permissions.
func (s *Service) CreateKey(ctx context.Context, by Principal, n NewKey) (k Key, secret string, err error) {
	if err := by.Require(KeysWrite); err != nil {
		return Key{}, "", err
	}
	if n.Secret != "" && by.Kind != BySystem {
		return Key{}, "", errs.Forbidden("staff.key.secret", "secrets of keys are made here, not chosen")
	}
	now := s.clock.Now()
	k = Key{
		ID: id.New("key"), Workspace: by.Workspace, Name: strings.TrimSpace(n.Name), Scopes: n.Scopes,
		CreatedBy: by.ID, CreatedAt: now, ExpiresAt: n.ExpiresAt,
	}
	if err := validKey(k, now); err != nil {
		return Key{}, "", err
	}
	if !by.covers(k.Scopes) {
		return Key{}, "", errs.Forbidden("staff.key.scopes.beyond", "a key cannot have permissions that you do not have yourself")
	}
	if secret = n.Secret; secret == "" {
		token, _ := newToken()
		secret = keyPrefix + token
		k.Hint = secret[:len(keyPrefix)+4]
	}
	k.Hash = hashToken(secret)
	err = s.tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.store.CreateKey(ctx, by.Workspace, k); err != nil {
			return err
		}
		return s.Audit(ctx, by, Act{Action: "key.create", Noun: "key", NounID: k.ID, Detail: map[string]any{"name": k.Name, "scopes": k.Scopes}})
	})
	if err != nil {
		return Key{}, "", err
	}
	return k, secret, nil
}

// KeyState is whether a key can be used.
type KeyState string

// The states of keys. One that was revoked is revoked, whether it would have expired by now or not.
const (
	KeyActive  KeyState = "active"
	KeyExpired KeyState = "expired"
	KeyRevoked KeyState = "revoked"
)

// KeyFilter narrows a list of keys; empty members narrow nothing.
type KeyFilter struct {
	Text  string // part of the name
	State KeyState
}

// Key returns a key of the workspace, in force or not.
func (s *Service) Key(ctx context.Context, by Principal, id string) (Key, error) {
	if err := by.Require(KeysWrite); err != nil {
		return Key{}, err
	}
	return s.store.Key(ctx, by.Workspace, id)
}

// Keys returns a page of the workspace's keys that fit a filter, newest first.
func (s *Service) Keys(ctx context.Context, by Principal, f KeyFilter, p page.Request) (page.Of[Key], error) {
	if err := by.Require(KeysWrite); err != nil {
		return page.Of[Key]{}, err
	}
	return s.store.Keys(ctx, by.Workspace, f, s.clock.Now(), p)
}

// RevokeKey ends a key at once. Repeating it changes nothing.
func (s *Service) RevokeKey(ctx context.Context, by Principal, id string) (Key, error) {
	if err := by.Require(KeysWrite); err != nil {
		return Key{}, err
	}
	var k Key
	err := s.tx.InTx(ctx, func(ctx context.Context) (err error) {
		if k, err = s.store.Key(ctx, by.Workspace, id); err != nil || !k.RevokedAt.IsZero() {
			return err
		}
		k.RevokedAt = s.clock.Now()
		if err := s.store.RevokeKey(ctx, by.Workspace, id, k.RevokedAt); err != nil {
			return err
		}
		return s.Audit(ctx, by, Act{Action: "key.revoke", Noun: "key", NounID: id, Detail: map[string]any{"name": k.Name}})
	})
	return k, err
}

// AuthenticateKey returns who an API key stands for. Unknown, expired and revoked keys give an errs.KindUnauthenticated error with
// a code of its own each.
func (s *Service) AuthenticateKey(ctx context.Context, secret, ip string) (Principal, error) {
	now := s.clock.Now()
	k, err := s.store.KeyByHash(ctx, hashToken(secret))
	switch {
	case errs.Is(err, errs.KindNotFound):
		return Principal{}, errs.Unauthenticated("staff.key.unknown", "this API key does not exist; make one in Settings, API keys")
	case err != nil:
		return Principal{}, err
	case !k.RevokedAt.IsZero():
		return Principal{}, errs.Unauthenticated("staff.key.revoked", "this API key was revoked; make another in Settings, API keys")
	case !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt):
		return Principal{}, errs.Unauthenticated("staff.key.expired", "this API key has expired; make another in Settings, API keys")
	}
	if now.Sub(k.LastUsed) >= noteEvery {
		if err := s.store.TouchKey(ctx, k.Workspace, k.ID, now); err != nil {
			return Principal{}, err
		}
	}
	return Principal{Kind: ByKey, ID: k.ID, Name: k.Name, Workspace: k.Workspace, Permissions: k.Scopes, IP: ip}, nil
}
