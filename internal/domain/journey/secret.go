package journey

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Secret is a value that webhooks send in a header. Graphs name it by its id, so they can be shown, copied and published without it; the value
// is encrypted at rest and never given out.
type Secret struct {
	ID        string
	Workspace string
	Name      string
	Sealed    []byte
	CreatedAt time.Time
	UpdatedAt time.Time
}

const (
	maxSecret     = 4096
	secretPurpose = "journey-secret"
)

// CreateSecret stores a secret under a name.
func (s *Service) CreateSecret(ctx context.Context, ws, name, value string) (Secret, error) {
	now := s.c.Clock.Now()
	x := Secret{ID: id.New("jsec"), Workspace: ws, Name: strings.TrimSpace(name), CreatedAt: now, UpdatedAt: now}
	if err := s.seal(&x, value); err != nil {
		return Secret{}, err
	}
	return x, s.c.Store.PutSecret(ctx, x)
}

// ChangeSecret replaces the name, and the value unless it is empty. Requests that are made from now on carry the new value.
func (s *Service) ChangeSecret(ctx context.Context, ws, id, name, value string) (Secret, error) {
	var x Secret
	return x, s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		var err error
		if x, err = s.c.Store.Secret(ctx, ws, id); err != nil {
			return err
		}
		if name = strings.TrimSpace(name); name != "" {
			x.Name = name
		}
		x.UpdatedAt = s.c.Clock.Now()
		if value != "" {
			if err := s.seal(&x, value); err != nil {
				return err
			}
		}
		return s.c.Store.PutSecret(ctx, x)
	})
}

func (s *Service) seal(x *Secret, value string) error {
	if x.Name == "" || utf8.RuneCountInString(x.Name) > maxName {
		return errs.Invalid("journey_secret.name", "name", "give the secret a name of at most %d characters", maxName)
	}
	if value == "" || len(value) > maxSecret || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return errs.Invalid("journey_secret.value", "value", "the value has 1 to %d bytes and no line breaks or control characters", maxSecret)
	}
	x.Sealed = s.c.Box.Seal(secretPurpose+x.Workspace+x.ID, []byte(value))
	return nil
}

func (s *Service) reveal(ctx context.Context, ws, id string) (string, error) {
	x, err := s.c.Store.Secret(ctx, ws, id)
	if err != nil {
		return "", err
	}
	plain, err := s.c.Box.Open(secretPurpose+ws+id, x.Sealed)
	if err != nil {
		return "", errs.Invalid("journey_secret.unreadable", "", "the secret %q was stored under another master key; enter it anew", x.Name).With(err)
	}
	return string(plain), nil
}

// Secret returns a secret without its value.
func (s *Service) Secret(ctx context.Context, ws, id string) (Secret, error) {
	return s.c.Store.Secret(ctx, ws, id)
}

// Secrets lists the secrets without their values, latest made first.
func (s *Service) Secrets(ctx context.Context, ws string, p page.Request) (page.Of[Secret], error) {
	return s.c.Store.Secrets(ctx, ws, p)
}

// DeleteSecret removes a secret. A conflict names a journey that can still send it.
func (s *Service) DeleteSecret(ctx context.Context, ws, id string) error {
	return s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.c.Store.Secret(ctx, ws, id); err != nil {
			return err
		}
		running, err := s.c.Store.Running(ctx)
		if err != nil {
			return err
		}
		for _, j := range running {
			if j.Workspace != ws {
				continue
			}
			versions, err := s.c.Store.Inhabited(ctx, ws, j.ID)
			if err != nil {
				return err
			}
			for _, v := range append(versions, j.Published) {
				p, err := s.plan(ctx, planKey{ws, j.ID, v})
				if permanent(err) {
					continue // nobody can walk it, so it sends nothing
				}
				if err != nil {
					return fmt.Errorf("read journey %s: %w", j.ID, err)
				}
				if slices.ContainsFunc(p.References().Secrets, func(r Reference) bool { return r.ID == id }) {
					return errs.Conflict("journey_secret.in_use", "the journey %q sends it; publish it without the secret first", j.Name)
				}
			}
		}
		return s.c.Store.DeleteSecret(ctx, ws, id)
	})
}
