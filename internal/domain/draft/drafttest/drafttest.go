// Package drafttest is the conformance suite of draft.Store.
package drafttest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/draft"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

var (
	t0  = time.Date(2026, 3, 1, 9, 0, 0, 123000, time.UTC)
	tpl = draft.Thing{Kind: "template", ID: "tpl_1"}
	seg = draft.Thing{Kind: "segment", ID: "seg_1"}
)

// Run checks a store; open returns an empty one, and makes members of a workspace whose names are their ids in capitals.
func Run(t *testing.T, open func(t *testing.T) (s draft.Store, join func(ws, user string))) {
	ctx := t.Context()
	put := func(t *testing.T, s draft.Store, ws, owner string, of draft.Thing, base int64, document string, at time.Time) draft.Draft {
		t.Helper()
		d, err := s.Put(ctx, ws, owner, draft.Draft{Thing: of, Base: base, Document: []byte(document), CreatedAt: at, UpdatedAt: at}, 3)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	absent := func(t *testing.T, s draft.Store, ws, owner string, of draft.Thing) {
		t.Helper()
		if d, err := s.Get(ctx, ws, owner, of); !errs.Is(err, errs.KindNotFound) {
			t.Errorf("%s in %s has %s: %s %v", owner, ws, of, d.Document, err)
		}
	}
	t.Run("each member has their own, and writing replaces all but since when", func(t *testing.T) {
		s, _ := open(t)
		put(t, s, "ws1", "ann", tpl, 1, `{"a":1}`, t0)
		put(t, s, "ws1", "ben", tpl, 1, `{"b":1}`, t0)
		put(t, s, "ws2", "ann", tpl, 1, `{"c":1}`, t0)
		kept := put(t, s, "ws1", "ann", tpl, 2, `{"a":2}`, t0.Add(time.Hour))
		want := draft.Draft{Thing: tpl, Base: 2, Document: []byte(`{"a":2}`), CreatedAt: t0, UpdatedAt: t0.Add(time.Hour)}
		if d := cmp.Diff(want, kept); d != "" {
			t.Errorf("put answers, -want +got:\n%s", d)
		}
		got, err := s.Get(ctx, "ws1", "ann", tpl)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%v, -want +got:\n%s", err, d)
		}
		absent(t, s, "ws1", "ann", seg)
		absent(t, s, "ws1", "cem", tpl)
		absent(t, s, "ws3", "ann", tpl)
	})
	t.Run("deleting takes one of one member, twice does nothing", func(t *testing.T) {
		s, _ := open(t)
		put(t, s, "ws1", "ann", tpl, 1, `1`, t0)
		put(t, s, "ws1", "ann", seg, 1, `1`, t0)
		put(t, s, "ws1", "ben", tpl, 1, `2`, t0)
		for range 2 {
			if err := s.Delete(ctx, "ws1", "ann", tpl); err != nil {
				t.Fatal(err)
			}
		}
		absent(t, s, "ws1", "ann", tpl)
		for owner, of := range map[string]draft.Thing{"ann": seg, "ben": tpl} {
			if _, err := s.Get(ctx, "ws1", owner, of); err != nil {
				t.Errorf("%s of %s: %v", of, owner, err)
			}
		}
	})
	t.Run("colleagues of the workspace are named, the latest first", func(t *testing.T) {
		s, join := open(t)
		for _, who := range []string{"ann", "ben", "cem"} {
			join("ws1", who)
			put(t, s, "ws1", who, tpl, 1, `1`, t0)
		}
		put(t, s, "ws1", "cem", tpl, 1, `2`, t0.Add(time.Hour))
		put(t, s, "ws1", "gone", tpl, 1, `1`, t0) // no member
		put(t, s, "ws1", "ben", seg, 1, `1`, t0)
		put(t, s, "ws2", "dan", tpl, 1, `1`, t0)
		got, err := s.Others(ctx, "ws1", "ann", tpl)
		want := []draft.Holder{{Name: "CEM", Since: t0, UpdatedAt: t0.Add(time.Hour)}, {Name: "BEN", Since: t0, UpdatedAt: t0}}
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%v, -want +got:\n%s", err, d)
		}
		if got, err := s.Others(ctx, "ws1", "ben", seg); err != nil || got == nil || len(got) != 0 {
			t.Errorf("others of what only ben writes: %v %v", got, err)
		}
	})
	t.Run("no more than the limit, but what is there can be changed", func(t *testing.T) {
		s, _ := open(t)
		for i := range 3 {
			put(t, s, "ws1", "ann", draft.Thing{Kind: "segment", ID: fmt.Sprint(i)}, 1, `1`, t0)
		}
		if _, err := s.Put(ctx, "ws1", "ann", draft.Draft{Thing: tpl, Document: []byte(`1`), CreatedAt: t0, UpdatedAt: t0}, 3); !errs.Is(err, errs.KindConflict) {
			t.Errorf("one too many: %v", err)
		}
		put(t, s, "ws1", "ann", draft.Thing{Kind: "segment", ID: "1"}, 1, `2`, t0)
		put(t, s, "ws1", "ben", tpl, 1, `1`, t0)
		put(t, s, "ws2", "ann", tpl, 1, `1`, t0)
	})
	t.Run("old ones go, at most so many at once", func(t *testing.T) {
		s, _ := open(t)
		put(t, s, "ws1", "ann", tpl, 1, `1`, t0)
		put(t, s, "ws2", "ben", tpl, 1, `1`, t0.Add(time.Second))
		put(t, s, "ws1", "ann", seg, 1, `1`, t0.Add(time.Hour))
		for _, want := range []int64{1, 1, 0} {
			if n, err := s.Expire(ctx, t0.Add(time.Hour), 1); err != nil || n != want {
				t.Errorf("%d went: %v, want %d", n, err, want)
			}
		}
		absent(t, s, "ws1", "ann", tpl)
		absent(t, s, "ws2", "ben", tpl)
		if _, err := s.Get(ctx, "ws1", "ann", seg); err != nil {
			t.Errorf("one that was changed just then: %v", err)
		}
	})
}
