package draft

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// MaxDocument is how many bytes of JSON a draft has at most: the largest mail with its languages fits.
const MaxDocument = 2 << 20

const (
	// Days is how long a draft that nobody changes is kept.
	Days = 30
	// maxDrafts is how many one member may have.
	maxDrafts = 100
	// New is the thing of a draft of something that does not exist yet.
	New = "new"
)

// Kinds are the things that have drafts, in the words of the audit log.
var Kinds = []string{"template", "snippet", "brand", "segment", "campaign", "series"}

// Thing is what is edited: the id or key of one of a kind, or New.
type Thing struct {
	Kind, ID string
}

// Draft is what one member has written of a thing.
type Draft struct {
	Thing
	Base      int64           // the revision of the thing that the member has begun with; 0 of a new one
	Document  json.RawMessage // compact
	CreatedAt time.Time       // since when there is something that is not saved
	UpdatedAt time.Time
}

// Holder is a colleague who has a draft of the same thing.
type Holder struct {
	Name             string
	Since, UpdatedAt time.Time
}

// Store keeps drafts. Owner is the id of a user or an API key.
type Store interface {
	// Get returns the owner's draft of a thing, or not found.
	Get(ctx context.Context, ws, owner string, of Thing) (Draft, error)
	// Put adds or replaces the owner's draft; CreatedAt of one that is there stays, and the one that is kept is returned. It returns
	// errs.KindConflict if the owner would have more than limit in the workspace.
	Put(ctx context.Context, ws, owner string, d Draft, limit int) (Draft, error)
	// Delete removes the owner's draft of a thing; one that is not there is no error.
	Delete(ctx context.Context, ws, owner string, of Thing) error
	// Others lists the members of the workspace who have a draft of the thing, without the owner, who has changed it last first, at most twenty.
	Others(ctx context.Context, ws, owner string, of Thing) ([]Holder, error)
	// Expire removes at most limit drafts of all workspaces that were last changed before then, and says how many.
	Expire(ctx context.Context, then time.Time, limit int) (int64, error)
}

// Service checks drafts and stores them.
type Service struct {
	store Store
	clock clock.Clock
}

// NewService returns a service on a store.
func NewService(store Store, c clock.Clock) *Service { return &Service{store, c} }

// Get returns the owner's draft of a thing, or not found.
func (s *Service) Get(ctx context.Context, ws, owner string, of Thing) (Draft, error) {
	if err := of.check(); err != nil {
		return Draft{}, err
	}
	return s.store.Get(ctx, ws, owner, of)
}

// Put keeps what the owner has written of a thing, in the place of what they had written before.
func (s *Service) Put(ctx context.Context, ws, owner string, of Thing, base int64, document json.RawMessage) (Draft, error) {
	if err := of.check(); err != nil {
		return Draft{}, err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, document); err != nil || compact.Len() == 0 {
		return Draft{}, errs.Invalid("draft.document", "document", "send a JSON value")
	}
	if compact.Len() > MaxDocument {
		return Draft{}, errs.Invalid("draft.document.too_large", "document", "at most %d bytes are kept of a draft; save it, or make it shorter", MaxDocument)
	}
	now := s.clock.Now()
	return s.store.Put(ctx, ws, owner, Draft{of, base, compact.Bytes(), now, now}, maxDrafts)
}

// Delete forgets the owner's draft of a thing; one that is not there is no error.
func (s *Service) Delete(ctx context.Context, ws, owner string, of Thing) error {
	if err := of.check(); err != nil {
		return err
	}
	return s.store.Delete(ctx, ws, owner, of)
}

// Others lists the colleagues who have a draft of the same thing. Two new ones are not the same.
func (s *Service) Others(ctx context.Context, ws, owner string, of Thing) ([]Holder, error) {
	if of.ID == New {
		return []Holder{}, nil
	}
	return s.store.Others(ctx, ws, owner, of)
}

// Expire removes at most limit drafts that nobody has changed for Days, and says how many.
func (s *Service) Expire(ctx context.Context, limit int) (int64, error) {
	return s.store.Expire(ctx, s.clock.Now().AddDate(0, 0, -Days), limit)
}

func (t Thing) check() error {
	if !slices.Contains(Kinds, t.Kind) {
		return errs.Invalid("draft.kind", "kind", "drafts are kept of %v", Kinds)
	}
	if t.ID == "" || len(t.ID) > 80 {
		return errs.Invalid("draft.thing", "thing", "send the id of what is edited, or %q", New)
	}
	return nil
}
