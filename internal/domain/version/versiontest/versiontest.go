// Package versiontest is the conformance suite of version.Store.
package versiontest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/version"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

var (
	t0 = time.Date(2026, 3, 1, 9, 0, 0, 123000, time.UTC)
	a  = version.Thing{Kind: "segment", ID: "seg_a"}
	b  = version.Thing{Kind: "segment", ID: "seg_b"}
)

// Run checks a store; open returns an empty one.
func Run(t *testing.T, open func(t *testing.T) version.Store) {
	ctx := t.Context()
	v := func(n int64) version.Version {
		return version.Version{Number: n, Document: fmt.Appendf(nil, `{"n":%d}`, n), SavedBy: "Ann", SaverID: "usr_ann", SavedAt: t0.Add(time.Duration(n) * time.Minute)}
	}
	keep := func(t *testing.T, s version.Store, ws string, of version.Thing, v version.Version, most int) {
		t.Helper()
		if err := s.Keep(ctx, ws, of, v, most); err != nil {
			t.Fatal(err)
		}
	}
	check := func(t *testing.T, s version.Store, ws string, of version.Thing, want ...version.Version) {
		t.Helper()
		var got []version.Version
		for p := (page.Request{Limit: 2}); ; {
			found, err := s.List(ctx, ws, of, p)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, found.Items...)
			if p.Cursor = found.Next; p.Cursor == "" {
				break
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("of %s in %s, -want +got:\n%s", of, ws, d)
		}
	}
	t.Run("each thing has its own, the newest first, and one that is there stays", func(t *testing.T) {
		s := open(t)
		for n := range int64(5) {
			keep(t, s, "ws1", a, v(n+7), 100)
		}
		other := v(8)
		other.SavedBy = "Ben"
		keep(t, s, "ws1", a, other, 100)
		keep(t, s, "ws1", b, v(1), 100)
		keep(t, s, "ws2", a, v(2), 100)
		check(t, s, "ws1", a, v(11), v(10), v(9), v(8), v(7))
		check(t, s, "ws1", b, v(1))
		check(t, s, "ws2", a, v(2))
		check(t, s, "ws2", b)
	})
	t.Run("the newest stay", func(t *testing.T) {
		s := open(t)
		keep(t, s, "ws1", b, v(1), 2)
		for n := range int64(12) {
			keep(t, s, "ws1", a, v(n), 2)
		}
		check(t, s, "ws1", a, v(11), v(10))
		check(t, s, "ws1", b, v(1))
	})
	t.Run("one of them goes", func(t *testing.T) {
		s := open(t)
		for n := range int64(3) {
			keep(t, s, "ws1", a, v(n), 9)
		}
		keep(t, s, "ws1", b, v(1), 9)
		keep(t, s, "ws2", a, v(1), 9)
		for range 2 {
			if err := s.Remove(ctx, "ws1", a, 1); err != nil {
				t.Fatal(err)
			}
		}
		check(t, s, "ws1", a, v(2), v(0))
		check(t, s, "ws1", b, v(1))
		check(t, s, "ws2", a, v(1))
	})
	t.Run("what one hand saves without an hour's rest is one version", func(t *testing.T) {
		s := open(t)
		clock := clock.NewFixed(t0)
		all := version.New(s, clock)
		number := int64(0)
		save := func(ws, by string, after time.Duration, apart bool) {
			t.Helper()
			number++
			clock.Advance(after)
			keep := all.Join
			if apart {
				keep = all.Keep
			}
			if err := keep(ctx, ws, a, number, version.Saver{ID: "usr_" + by, Name: strings.TrimRight(by, "2")}, clock.Now(), map[string]int64{"n": number}); err != nil {
				t.Fatal(err)
			}
		}
		numbers := func(ws string) (out []string) {
			t.Helper()
			found, err := s.List(ctx, ws, a, page.Request{})
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range found.Items {
				out = append(out, fmt.Sprint(x.Number, " ", x.SavedBy))
			}
			return out
		}
		save("ws1", "Ann", 0, false)
		save("ws1", "Ann", 50*time.Minute, false)
		save("ws1", "Ann", 50*time.Minute, false)
		save("ws1", "Ben", time.Minute, false)
		save("ws1", "Ann", time.Minute, false)
		save("ws1", "Ann", time.Hour, false)
		save("ws1", "Ann", time.Minute, true) // an old one that is taken up again does not take the place of what it replaces
		save("ws1", "Ann", time.Minute, false)
		save("ws1", "Ann2", time.Minute, false) // another of the same name
		save("ws2", "Ann", time.Minute, false)
		if d := cmp.Diff([]string{"9 Ann", "8 Ann", "6 Ann", "5 Ann", "4 Ben", "3 Ann"}, numbers("ws1")); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]string{"10 Ann"}, numbers("ws2")); d != "" {
			t.Error(d)
		}
	})
	t.Run("all of one thing go", func(t *testing.T) {
		s := open(t)
		keep(t, s, "ws1", a, v(1), 9)
		keep(t, s, "ws1", b, v(1), 9)
		keep(t, s, "ws2", a, v(1), 9)
		for range 2 {
			if err := s.Drop(ctx, "ws1", a); err != nil {
				t.Fatal(err)
			}
		}
		check(t, s, "ws1", a)
		check(t, s, "ws1", b, v(1))
		check(t, s, "ws2", a, v(1))
	})
}
