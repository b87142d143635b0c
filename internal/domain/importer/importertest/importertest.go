// Package importertest holds the suite that every importer.MappingStore passes.
package importertest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kizuna-cx/kizuna/internal/domain/importer"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

const ws = "ws_1"

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 123000, time.UTC)

func sample(n int) importer.SavedMapping {
	return importer.SavedMapping{
		ID: fmt.Sprintf("imm_%d", n), Workspace: ws, Name: fmt.Sprintf("売上 %d", n), Columns: []string{"会員番号", "amount"}, By: "Aya", Rev: 1, CreatedAt: t0, UpdatedAt: t0.Add(time.Duration(n/2) * time.Minute),
		Plan: importer.Plan{Event: "Order Completed", Columns: []importer.Column{{Name: "会員番号", To: importer.ToIdentifier, Key: "user_id"}}, Basis: importer.Basis{Source: "shop"}},
	}
}

// Mappings checks a store; open returns an empty one.
func Mappings(t *testing.T, open func(t *testing.T) importer.MappingStore) {
	t.Helper()
	t.Run("a mapping comes back as it was stored, to its workspace alone", func(t *testing.T) {
		s, a := open(t), sample(1)
		must(t, s.Create(t.Context(), a))
		got, err := s.Get(t.Context(), ws, a.ID)
		must(t, err)
		same(t, got, a)
		_, err = s.Get(t.Context(), "ws_2", a.ID)
		same(t, errs.Is(err, errs.KindNotFound), true)
		found, err := s.Delete(t.Context(), "ws_2", a.ID)
		same(t, []any{found, err}, []any{false, nil})
		found, err = s.Delete(t.Context(), ws, a.ID)
		same(t, []any{found, err}, []any{true, nil})
		n, err := s.Count(t.Context(), ws)
		same(t, []any{n, err}, []any{0, nil})
	})
	t.Run("a name is given once, whatever the letter case, and a change needs the present revision", func(t *testing.T) {
		s, a, b := open(t), sample(1), sample(2)
		a.Name, b.Name = "Shop", "SHOP"
		must(t, s.Create(t.Context(), a))
		same(t, code(s.Create(t.Context(), b)), "import.mapping.name_taken")
		b.Name = "Till"
		must(t, s.Create(t.Context(), b))
		b.Name = "shop"
		same(t, code(s.Update(t.Context(), b)), "import.mapping.name_taken")
		b.Name, b.Plan.Event, b.By, b.UpdatedAt = "Tills", "Visited", "Ben", t0.Add(time.Hour)
		must(t, s.Update(t.Context(), b))
		same(t, code(s.Update(t.Context(), b)), "import.mapping.changed")
		b.Rev++
		got, err := s.Get(t.Context(), ws, b.ID)
		must(t, err)
		same(t, got, b)
	})
	t.Run("the list is by the latest change, pages, and narrows to the columns in whatever order", func(t *testing.T) {
		s := open(t)
		for n := range 5 { // pairs of equal times
			m := sample(n)
			if n == 4 {
				m.Columns = []string{"amount", "会員番号"}
			}
			if n == 1 {
				m.Columns = []string{"amount"}
			}
			must(t, s.Create(t.Context(), m))
		}
		list := func(header string, limit int) (ids []string) {
			t.Helper()
			cursor := ""
			for {
				found, err := s.List(t.Context(), ws, header, page.Request{Limit: limit, Cursor: cursor})
				must(t, err)
				for _, m := range found.Items {
					ids = append(ids, m.ID)
				}
				if cursor = found.Next; cursor == "" {
					return ids
				}
			}
		}
		same(t, list("", 2), []string{"imm_4", "imm_3", "imm_2", "imm_1", "imm_0"})
		same(t, list(importer.Header([]string{"amount", "会員番号"}), 1), []string{"imm_4", "imm_3", "imm_2", "imm_0"})
		same(t, list(importer.Header([]string{"会員番号"}), 9), []string(nil))
		n, err := s.Count(t.Context(), ws)
		same(t, []any{n, err}, []any{5, nil})
	})
}

func code(err error) string {
	if e, ok := errors.AsType[*errs.Error](err); ok {
		return e.Code
	}
	return ""
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
