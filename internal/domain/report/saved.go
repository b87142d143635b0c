package report

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Saved is a report under a name: whoever has its id sees the same report, made of the figures of that moment.
type Saved struct {
	ID        string
	Name      string
	Report    string // key in the catalog
	Params    Params
	Owner     string // who saved it
	Rev       int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

const maxSavedName = 200

func (s *Service) validateSaved(ctx context.Context, ws string, r Saved) error {
	if n := utf8.RuneCountInString(strings.TrimSpace(r.Name)); n == 0 || n > maxSavedName {
		return errs.Invalid("saved_report.name", "name", "give the report a name of 1 to %d characters", maxSavedName)
	}
	err := s.Check(ctx, ws, r.Report, r.Params)
	if errs.Is(err, errs.KindNotFound) {
		return errs.Invalid("saved_report.report", "report", "there is no report %q; use a key of the catalog", r.Report)
	}
	return err
}

// Save keeps a report under a name.
func (s *Service) Save(ctx context.Context, ws string, r Saved) (Saved, error) {
	if err := s.validateSaved(ctx, ws, r); err != nil {
		return Saved{}, err
	}
	now := s.c.Clock.Now()
	r.ID, r.Rev, r.CreatedAt, r.UpdatedAt = id.New("rpt"), 1, now, now
	return r, s.c.Store.CreateSaved(ctx, ws, r)
}

// Saved returns a saved report.
func (s *Service) Saved(ctx context.Context, ws, id string) (Saved, error) {
	return s.c.Store.Saved(ctx, ws, id)
}

// ListSaved lists saved reports, latest made first.
func (s *Service) ListSaved(ctx context.Context, ws string, p page.Request) (page.Of[Saved], error) {
	return s.c.Store.ListSaved(ctx, ws, p)
}

// ChangeSaved gives a saved report another name and other parameters. r.Rev is the one that the editor saw, 0 to overwrite whatever is there.
func (s *Service) ChangeSaved(ctx context.Context, ws string, r Saved) (Saved, error) {
	var out Saved
	err := s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		old, err := s.c.Store.Saved(ctx, ws, r.ID)
		if err != nil {
			return err
		}
		if r.Rev != 0 && r.Rev != old.Rev {
			return errs.Conflict("saved_report.changed", "somebody else has changed this report; load it again and repeat the change")
		}
		old.Name, old.Report, old.Params, old.UpdatedAt = r.Name, r.Report, r.Params, s.c.Clock.Now()
		if err := s.validateSaved(ctx, ws, old); err != nil {
			return err
		}
		if err := s.c.Store.UpdateSaved(ctx, ws, old); err != nil {
			return err
		}
		old.Rev++
		out = old
		return nil
	})
	return out, err
}

// DeleteSaved removes a saved report.
func (s *Service) DeleteSaved(ctx context.Context, ws, id string) error {
	return s.c.Store.DeleteSaved(ctx, ws, id)
}
