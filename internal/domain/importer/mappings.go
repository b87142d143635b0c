package importer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

// SavedMapping is what the columns of a file tell, kept for the next file that has the same.
type SavedMapping struct {
	ID        string
	Workspace string
	Name      string
	Columns   []string // all of the file, in its order
	Plan      Plan
	By        string // name of who said so last
	Rev       int64  // grows with each change
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Limits of what is kept.
const (
	MaxMappings   = 500 // of a workspace
	MaxNameLength = 100 // characters
)

// Header names the files that have the same columns, in whatever order.
func Header(columns []string) string {
	sorted := slices.Sorted(slices.Values(columns))
	sum := sha256.Sum256([]byte(strings.Join(sorted, "\x00")))
	return hex.EncodeToString(sum[:])
}

// MappingStore keeps what columns tell. Every method takes part in the transaction of its context.
type MappingStore interface {
	// Create adds a mapping; errs.Conflict "import.mapping.name_taken" if the workspace has one of that name, whatever the letter case.
	Create(ctx context.Context, m SavedMapping) error
	// Get returns a mapping or errs.NotFound.
	Get(ctx context.Context, ws, id string) (SavedMapping, error)
	// Update writes Name, Plan, By and UpdatedAt of the mapping whose Rev is m.Rev and raises Rev by one; errs.Conflict "import.mapping.changed" if Rev has
	// moved on or there is none, "import.mapping.name_taken" as for Create.
	Update(ctx context.Context, m SavedMapping) error
	// Delete removes a mapping and reports whether there was one.
	Delete(ctx context.Context, ws, id string) (bool, error)
	// List returns mappings, latest changed first; header narrows to those of files with these columns (see Header), empty: all.
	List(ctx context.Context, ws, header string, p page.Request) (page.Of[SavedMapping], error)
	// Count returns how many mappings a workspace has.
	Count(ctx context.Context, ws string) (int, error)
}

// Mappings holds the rules of what is kept. Valid says what is wrong with a plan in a workspace.
type Mappings struct {
	Store MappingStore
	Tx    tx.Runner
	Clock clock.Clock
	Valid func(ctx context.Context, ws string, plan Plan) error
}

func (s Mappings) check(ctx context.Context, m *SavedMapping) error {
	m.Name = strings.TrimSpace(m.Name)
	if n := utf8.RuneCountInString(m.Name); n == 0 || n > MaxNameLength {
		return errs.Invalid("import.mapping.name", "name", "give the mapping a name of at most %d characters, such as that of the shop the files come from", MaxNameLength)
	}
	if len(m.Columns) == 0 || len(m.Columns) > maxColumns {
		return errs.Invalid("import.mapping.columns", "columns", "name the columns of the file, at most %d", maxColumns)
	}
	for _, c := range m.Plan.Columns {
		if !slices.Contains(m.Columns, c.Name) {
			return errs.Invalid("import.plan.column", "plan.columns", "the file has no column %q; it has %s", c.Name, strings.Join(m.Columns, ", "))
		}
	}
	return s.Valid(ctx, m.Workspace, m.Plan)
}

// Create keeps what the columns of a file tell. Of m it takes workspace, name, columns, plan and who says so.
func (s Mappings) Create(ctx context.Context, m SavedMapping) (SavedMapping, error) {
	if err := s.check(ctx, &m); err != nil {
		return m, err
	}
	m.CreatedAt = s.Clock.Now()
	m.ID, m.Rev, m.UpdatedAt = id.At("imm", m.CreatedAt), 1, m.CreatedAt
	return m, s.Tx.InTx(ctx, func(ctx context.Context) error {
		n, err := s.Store.Count(ctx, m.Workspace)
		if err != nil {
			return err
		}
		if n >= MaxMappings {
			return errs.Conflict("import.mapping.limit", "%d mappings are kept already; remove one that no file needs any more", MaxMappings)
		}
		return s.Store.Create(ctx, m)
	})
}

// Update replaces name and plan. m.Rev is what the editor saw; 0 overwrites whatever is there.
func (s Mappings) Update(ctx context.Context, m SavedMapping) (out SavedMapping, err error) {
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		if out, err = s.Store.Get(ctx, m.Workspace, m.ID); err != nil {
			return err
		}
		if m.Rev != 0 && m.Rev != out.Rev {
			return mappingChanged(out.By)
		}
		out.Name, out.Plan, out.By, out.UpdatedAt = m.Name, m.Plan, m.By, s.Clock.Now()
		if err := s.check(ctx, &out); err != nil {
			return err
		}
		if err := s.Store.Update(ctx, out); err != nil {
			return err
		}
		out.Rev++
		return nil
	})
	return out, err
}

func mappingChanged(by string) error {
	return errs.Conflict("import.mapping.changed", "%s has changed this mapping meanwhile; load it again and repeat the change", by)
}

// Delete forgets a mapping.
func (s Mappings) Delete(ctx context.Context, ws, id string) error {
	found, err := s.Store.Delete(ctx, ws, id)
	if err == nil && !found {
		return errs.NotFound("import_mapping", id)
	}
	return err
}

// For returns what was kept of files with these columns, latest changed first, at most a page.
func (s Mappings) For(ctx context.Context, ws string, columns []string) ([]SavedMapping, error) {
	found, err := s.Store.List(ctx, ws, Header(columns), page.Request{})
	return found.Items, err
}
