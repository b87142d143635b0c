package content

import (
	"context"
	"errors"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/content/brand"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Look is one revision of the brand kit.
type Look struct {
	Revision int // from 1; 0: nothing has been saved, and this is what would be
	brand.Brand
	SavedAt time.Time
}

// Sender is what a workspace says about itself; the first brand begins with it.
type Sender struct{ Name, PostalAddress, Locale, Site string }

// Look returns the brand kit now.
func (s *Service) Look(ctx context.Context, ws string) (Look, error) {
	l, err := s.store.Look(ctx, ws, 0)
	if !errs.Is(err, errs.KindNotFound) {
		return l, err
	}
	var from Sender
	if s.sender != nil {
		if from, err = s.sender(ctx, ws); err != nil {
			return Look{}, err
		}
	}
	return Look{Brand: brand.Default(from.Name, from.PostalAddress, from.Locale).Normal()}, nil
}

// Looks lists the revisions, latest first.
func (s *Service) Looks(ctx context.Context, ws string, p page.Request) (page.Of[Look], error) {
	return s.store.Looks(ctx, ws, p)
}

// SetLook saves the next revision. Mails keep the one they were made with until they are saved or refreshed. base is the revision that its
// author had before them, as in Update.
func (s *Service) SetLook(ctx context.Context, ws string, b brand.Brand, base int) (Look, error) {
	b = b.Normal()
	if all := b.Validate(); len(all) > 0 {
		return Look{}, errors.Join(all...)
	}
	var out Look
	err := s.tx.InTx(ctx, func(ctx context.Context) error {
		now, err := s.Look(ctx, ws)
		if err != nil {
			return err
		}
		if base != now.Revision {
			return errs.Conflict("content.brand.stale", "somebody saved revision %d since you opened revision %d; load it and make your changes again", now.Revision, base)
		}
		out = Look{Revision: now.Revision + 1, Brand: b, SavedAt: s.clock.Now()}
		return s.store.AddLook(ctx, ws, out)
	})
	return out, err
}

// pinLook returns the brand to compile with and its revision. The first time a mail needs one the kit as it stands becomes revision 1,
// so that the mail can be made again whatever the workspace says about itself later.
func (s *Service) pinLook(ctx context.Context, ws string, save bool) (Look, error) {
	l, err := s.Look(ctx, ws)
	if err != nil || l.Revision > 0 || !save {
		return l, err
	}
	l.Revision, l.SavedAt = 1, s.clock.Now()
	err = s.store.AddLook(ctx, ws, l)
	if errs.Is(err, errs.KindConflict) { // another process saved one just now
		return s.store.Look(ctx, ws, 0)
	}
	return l, err
}
