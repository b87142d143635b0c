// Package personaltest is the conformance suite of personal.Store.
package personaltest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/personal"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 123000, time.UTC)

// Run checks a store; open returns an empty one.
func Run(t *testing.T, open func(t *testing.T) personal.Store) {
	ctx := t.Context()
	put := func(t *testing.T, s personal.Store, ws, owner, key, value string) {
		t.Helper()
		if err := s.Put(ctx, ws, owner, personal.Setting{Key: key, Value: []byte(value), UpdatedAt: t0}, 3); err != nil {
			t.Fatal(err)
		}
	}
	check := func(t *testing.T, s personal.Store, ws, owner string, want ...personal.Setting) {
		t.Helper()
		got, err := s.All(ctx, ws, owner)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(append([]personal.Setting{}, want...), got); d != "" {
			t.Errorf("of %s in %s, -want +got:\n%s", owner, ws, d)
		}
	}
	t.Run("each owner has their own, by key, and writing replaces", func(t *testing.T) {
		s := open(t)
		put(t, s, "ws1", "ann", "views.people", `[1]`)
		put(t, s, "ws1", "ann", "hints", `{}`)
		put(t, s, "ws1", "ben", "hints", `"b"`)
		put(t, s, "ws2", "ann", "hints", `"other"`)
		put(t, s, "ws1", "ann", "views.people", `[2]`)
		check(t, s, "ws1", "ann", personal.Setting{Key: "hints", Value: []byte(`{}`), UpdatedAt: t0}, personal.Setting{Key: "views.people", Value: []byte(`[2]`), UpdatedAt: t0})
		check(t, s, "ws2", "ann", personal.Setting{Key: "hints", Value: []byte(`"other"`), UpdatedAt: t0})
		check(t, s, "ws1", "nobody")
	})
	t.Run("deleting takes one of one owner, twice does nothing", func(t *testing.T) {
		s := open(t)
		put(t, s, "ws1", "ann", "a", `1`)
		put(t, s, "ws1", "ben", "a", `1`)
		for range 2 {
			if err := s.Delete(ctx, "ws1", "ann", "a"); err != nil {
				t.Fatal(err)
			}
		}
		check(t, s, "ws1", "ann")
		check(t, s, "ws1", "ben", personal.Setting{Key: "a", Value: []byte(`1`), UpdatedAt: t0})
	})
	t.Run("no more than the limit, but what is there can be changed", func(t *testing.T) {
		s := open(t)
		for i := range 3 {
			put(t, s, "ws1", "ann", fmt.Sprint("k", i), `1`)
		}
		err := s.Put(ctx, "ws1", "ann", personal.Setting{Key: "k3", Value: []byte(`1`), UpdatedAt: t0}, 3)
		if !errs.Is(err, errs.KindConflict) {
			t.Errorf("one too many: %v", err)
		}
		put(t, s, "ws1", "ann", "k1", `2`)
		put(t, s, "ws1", "ben", "k3", `1`)
	})
}
