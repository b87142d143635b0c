// Package workspacetest is the suite that every workspace.Store passes, together with the service's rules on top of it.
package workspacetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/workspace"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// Opener returns an empty store and the transactions that it takes part in.
type Opener func(t *testing.T) (workspace.Store, tx.Runner)

// Run runs the suite.
func Run(t *testing.T, open Opener) {
	for name, test := range map[string]func(*testing.T, workspace.Store, tx.Runner){
		"workspaces come back as they were stored": workspacesComeBack,
		"lists page without gaps or doubles":       listsPage,
		"sources stay inside their workspace":      sourcesStayInside,
		"write keys are unique and case-sensitive": writeKeysAreUnique,
		"last use only moves forward":              lastUseMovesForward,
		"service fills in and checks":              serviceFillsInAndChecks,
		"write key lookup follows changes":         lookupFollowsChanges,
		"bootstrap may be repeated":                bootstrapMayBeRepeated,
	} {
		t.Run(name, func(t *testing.T) {
			store, runner := open(t)
			test(t, store, runner)
		})
	}
}

func sample(id string) workspace.Workspace {
	return workspace.Workspace{
		ID: id, Name: "絆 Shop", Timezone: "Asia/Tokyo", Currency: "JPY", DefaultRegion: "JP", Locale: "ja",
		Settings:  workspace.Settings{PublicURL: "https://k.example.com", SenderName: "Shop", SenderEmail: "shop@example.com", ReplyTo: "help@example.com", PostalAddress: "1-1\nTokyo", Cadence: workspace.Cadence{Least: 1, Most: 3, Person: 4}},
		CreatedAt: start, UpdatedAt: start.Add(time.Microsecond),
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKind(t *testing.T, err error, kind errs.Kind, code string) {
	t.Helper()
	all := errs.All(err)
	if !errs.Is(err, kind) || len(all) == 0 || all[0].Code != code {
		t.Errorf("got %v (kind %v), want kind %v, code %s", err, errs.KindOf(err), kind, code)
	}
}

func equal(t *testing.T, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func workspacesComeBack(t *testing.T, s workspace.Store, r tx.Runner) {
	ctx := t.Context()
	w := sample("ws_a")
	check(t, s.Create(ctx, w))
	equal(t, w, must[workspace.Workspace](t)(s.Get(ctx, "ws_a")))
	if err := s.Create(ctx, w); err == nil {
		t.Error("two workspaces with one id")
	}
	_, err := s.Get(ctx, "ws_b")
	wantKind(t, err, errs.KindNotFound, "workspace.not_found")
	w.Name, w.Settings, w.UpdatedAt = "Other", workspace.Settings{}, start.Add(time.Hour)
	check(t, s.Update(ctx, w))
	equal(t, w, must[workspace.Workspace](t)(s.Get(ctx, "ws_a")))
	wantKind(t, s.Update(ctx, sample("ws_b")), errs.KindNotFound, "workspace.not_found")
	err = r.InTx(ctx, func(ctx context.Context) error {
		check(t, s.Create(ctx, sample("ws_c")))
		return context.Canceled
	})
	if err == nil {
		t.Error("the transaction was kept")
	}
	_, err = s.Get(ctx, "ws_c")
	wantKind(t, err, errs.KindNotFound, "workspace.not_found")
}

func listsPage(t *testing.T, s workspace.Store, _ tx.Runner) {
	ctx := t.Context()
	var want, wantSources []string
	for i := range 7 {
		w := sample(fmt.Sprintf("ws_%d", i))
		check(t, s.Create(ctx, w))
		want = append(want, w.ID)
		src := workspace.Source{ID: fmt.Sprintf("src_%d", i), Workspace: "ws_0", Name: "s", Kind: workspace.Server, WriteKey: fmt.Sprint("key_", i), CreatedAt: start}
		check(t, s.CreateSource(ctx, "ws_0", src))
		wantSources = append(wantSources, src.ID)
	}
	for _, size := range []int{1, 3, 7, 100} {
		equal(t, want, collect(t, size, func(p page.Request) (page.Of[workspace.Workspace], error) { return s.List(ctx, p) },
			func(w workspace.Workspace) string { return w.ID }))
		equal(t, wantSources, collect(t, size, func(p page.Request) (page.Of[workspace.Source], error) { return s.Sources(ctx, "ws_0", p) },
			func(s workspace.Source) string { return s.ID }))
	}
	_, err := s.List(ctx, page.Request{Cursor: "nonsense"})
	wantKind(t, err, errs.KindInvalid, "page.cursor.invalid")
	_, err = s.Sources(ctx, "ws_0", page.Request{Cursor: "nonsense"})
	wantKind(t, err, errs.KindInvalid, "page.cursor.invalid")
}

func collect[T any](t *testing.T, size int, list func(page.Request) (page.Of[T], error), key func(T) string) []string {
	t.Helper()
	var ids []string
	for p := (page.Request{Limit: size}); ; {
		got := must[page.Of[T]](t)(list(p))
		if len(got.Items) > size {
			t.Fatalf("a page of %d items, want at most %d", len(got.Items), size)
		}
		for _, v := range got.Items {
			ids = append(ids, key(v))
		}
		if got.Next == "" {
			return ids
		}
		p.Cursor = got.Next
	}
}

func sourcesStayInside(t *testing.T, s workspace.Store, _ tx.Runner) {
	ctx := t.Context()
	a := workspace.Source{ID: "src_a", Workspace: "ws_a", Name: "A", Kind: workspace.Browser, WriteKey: "key_a", CreatedAt: start}
	b := workspace.Source{ID: "src_b", Workspace: "ws_b", Name: "B", Kind: workspace.Server, WriteKey: "key_b", Disabled: true, CreatedAt: start}
	check(t, s.CreateSource(ctx, "ws_a", a))
	check(t, s.CreateSource(ctx, "ws_b", b))
	equal(t, a, must[workspace.Source](t)(s.Source(ctx, "ws_a", "src_a")))
	equal(t, b, must[workspace.Source](t)(s.SourceByWriteKey(ctx, "key_b")))
	equal(t, []workspace.Source{a}, must[page.Of[workspace.Source]](t)(s.Sources(ctx, "ws_a", page.Request{})).Items)

	_, err := s.Source(ctx, "ws_a", "src_b")
	wantKind(t, err, errs.KindNotFound, "source.not_found")
	wantKind(t, s.UpdateSource(ctx, "ws_a", workspace.Source{ID: "src_b", Name: "stolen"}), errs.KindNotFound, "source.not_found")
	wantKind(t, s.DeleteSource(ctx, "ws_a", "src_b"), errs.KindNotFound, "source.not_found")
	check(t, s.TouchSource(ctx, "ws_a", "src_b", start))
	equal(t, b, must[workspace.Source](t)(s.Source(ctx, "ws_b", "src_b")))

	a.Name, a.Disabled = "renamed", true
	check(t, s.UpdateSource(ctx, "ws_a", a))
	equal(t, a, must[workspace.Source](t)(s.Source(ctx, "ws_a", "src_a")))
	check(t, s.DeleteSource(ctx, "ws_a", "src_a"))
	_, err = s.SourceByWriteKey(ctx, "key_a")
	wantKind(t, err, errs.KindNotFound, "source.not_found")
}

func writeKeysAreUnique(t *testing.T, s workspace.Store, _ tx.Runner) {
	ctx := t.Context()
	src := workspace.Source{ID: "src_1", Workspace: "ws_a", Name: "A", Kind: workspace.Browser, WriteKey: "Key", CreatedAt: start}
	check(t, s.CreateSource(ctx, "ws_a", src))
	src.ID = "src_2"
	wantKind(t, s.CreateSource(ctx, "ws_b", src), errs.KindConflict, "source.write_key.taken")
	_, err := s.SourceByWriteKey(ctx, "key")
	wantKind(t, err, errs.KindNotFound, "source.not_found")
	src.WriteKey = "key"
	check(t, s.CreateSource(ctx, "ws_b", src))
}

func lastUseMovesForward(t *testing.T, s workspace.Store, _ tx.Runner) {
	ctx := t.Context()
	check(t, s.CreateSource(ctx, "ws_a", workspace.Source{ID: "src_1", Name: "A", Kind: workspace.Browser, WriteKey: "key1", CreatedAt: start}))
	for _, at := range []time.Time{start, start.Add(time.Minute), start.Add(time.Second)} {
		check(t, s.TouchSource(ctx, "ws_a", "src_1", at))
	}
	equal(t, start.Add(time.Minute), must[workspace.Source](t)(s.Source(ctx, "ws_a", "src_1")).LastUsed)
	check(t, s.TouchSource(ctx, "ws_a", "gone", start))
}

func serviceFillsInAndChecks(t *testing.T, s workspace.Store, r tx.Runner) {
	ctx := t.Context()
	c := clock.NewFixed(start)
	svc := workspace.New(s, r, c)
	w := must[workspace.Workspace](t)(svc.Create(ctx, workspace.Workspace{Name: "  Shop ", Currency: "eur", Settings: workspace.Settings{PublicURL: "https://k.example.com/"}}))
	want := workspace.Workspace{
		ID: w.ID, Name: "Shop", Timezone: "UTC", Currency: "EUR", DefaultRegion: "US", Locale: "en",
		Settings: workspace.Settings{PublicURL: "https://k.example.com"}, CreatedAt: start, UpdatedAt: start,
	}
	equal(t, want, w)
	equal(t, want, must[workspace.Workspace](t)(svc.Get(ctx, w.ID)))

	c.Advance(time.Hour)
	w.Name, w.CreatedAt = "New", time.Time{}
	w = must[workspace.Workspace](t)(svc.Update(ctx, w))
	want.Name, want.UpdatedAt = "New", start.Add(time.Hour)
	equal(t, want, must[workspace.Workspace](t)(svc.Get(ctx, w.ID)))

	if _, err := svc.Update(ctx, workspace.Workspace{ID: w.ID}); len(errs.All(err)) != 5 {
		t.Errorf("an empty workspace has %d faults, want 5: %v", len(errs.All(err)), err)
	}
	w.ID = "ws_none"
	_, err := svc.Update(ctx, w)
	wantKind(t, err, errs.KindNotFound, "workspace.not_found")
	_, err = svc.CreateSource(ctx, "ws_none", workspace.Source{Name: "x", Kind: workspace.Server})
	wantKind(t, err, errs.KindNotFound, "workspace.not_found")
	_, err = svc.CreateSource(ctx, want.ID, workspace.Source{Name: "x", Kind: "mobile"})
	wantKind(t, err, errs.KindInvalid, "source.kind.unknown")
	_, err = svc.UpdateSource(ctx, want.ID, "src_none", "x", false)
	wantKind(t, err, errs.KindNotFound, "source.not_found")

	one := must[workspace.Source](t)(svc.CreateSource(ctx, want.ID, workspace.Source{Name: "x", Kind: workspace.Server}))
	two := must[workspace.Source](t)(svc.CreateSource(ctx, want.ID, workspace.Source{Name: "x", Kind: workspace.Server}))
	if one.WriteKey == two.WriteKey || len(one.WriteKey) < 28 {
		t.Errorf("weak write keys %q and %q", one.WriteKey, two.WriteKey)
	}
	_, err = svc.UpdateSource(ctx, want.ID, one.ID, "", false)
	wantKind(t, err, errs.KindInvalid, "source.name.length")
	equal(t, 2, len(must[page.Of[workspace.Source]](t)(svc.Sources(ctx, want.ID, page.Request{})).Items))
	for range 3 {
		must[workspace.Workspace](t)(svc.Create(ctx, workspace.Workspace{Name: "more"}))
	}
	equal(t, 4, len(must[[]workspace.Workspace](t)(svc.All(ctx))))
}

func lookupFollowsChanges(t *testing.T, s workspace.Store, r tx.Runner) {
	ctx := t.Context()
	c := clock.NewFixed(start)
	svc, elsewhere := workspace.New(s, r, c), workspace.New(s, r, c)
	ws := must[workspace.Workspace](t)(svc.Create(ctx, workspace.Workspace{Name: "Shop"})).ID

	_, err := svc.SourceByWriteKey(ctx, "my-key")
	wantKind(t, err, errs.KindUnauthenticated, "source.write_key.unknown")
	_, err = svc.SourceByWriteKey(ctx, "not a key at all")
	wantKind(t, err, errs.KindUnauthenticated, "source.write_key.unknown")
	src := must[workspace.Source](t)(svc.CreateSource(ctx, ws, workspace.Source{Name: "x", Kind: workspace.Server, WriteKey: "my-key"}))
	equal(t, src, must[workspace.Source](t)(svc.SourceByWriteKey(ctx, "my-key"))) // the answer "unknown" is forgotten
	equal(t, start, must[workspace.Source](t)(svc.Source(ctx, ws, src.ID)).LastUsed)

	c.Advance(59 * time.Second)
	must[workspace.Source](t)(svc.SourceByWriteKey(ctx, "my-key"))
	equal(t, start, must[workspace.Source](t)(svc.Source(ctx, ws, src.ID)).LastUsed)
	c.Advance(time.Second)
	must[workspace.Source](t)(svc.SourceByWriteKey(ctx, "my-key"))
	equal(t, start.Add(time.Minute), must[workspace.Source](t)(svc.Source(ctx, ws, src.ID)).LastUsed)

	must[workspace.Source](t)(svc.UpdateSource(ctx, ws, src.ID, "x", true))
	_, err = svc.SourceByWriteKey(ctx, "my-key")
	wantKind(t, err, errs.KindUnauthenticated, "source.disabled")

	// Another process switches it on: we notice within a second.
	must[workspace.Source](t)(elsewhere.UpdateSource(ctx, ws, src.ID, "x", false))
	_, err = svc.SourceByWriteKey(ctx, "my-key")
	wantKind(t, err, errs.KindUnauthenticated, "source.disabled")
	c.Advance(time.Second)
	must[workspace.Source](t)(svc.SourceByWriteKey(ctx, "my-key"))

	check(t, svc.DeleteSource(ctx, ws, src.ID))
	_, err = svc.SourceByWriteKey(ctx, "my-key")
	wantKind(t, err, errs.KindUnauthenticated, "source.write_key.unknown")
	wantKind(t, svc.DeleteSource(ctx, ws, src.ID), errs.KindNotFound, "source.not_found")
}

func bootstrapMayBeRepeated(t *testing.T, s workspace.Store, r tx.Runner) {
	ctx := t.Context()
	svc := workspace.New(s, r, clock.NewFixed(start))
	ws := must[string](t)(svc.Bootstrap(ctx, "given-key"))
	equal(t, ws, must[string](t)(svc.Bootstrap(ctx, "given-key")))
	equal(t, ws, must[string](t)(svc.Bootstrap(ctx, "")))
	kinds := map[workspace.Kind]int{}
	for _, src := range must[page.Of[workspace.Source]](t)(svc.Sources(ctx, ws, page.Request{})).Items {
		kinds[src.Kind]++
	}
	equal(t, map[workspace.Kind]int{workspace.Browser: 1, workspace.Server: 1}, kinds)
	src := must[workspace.Source](t)(svc.SourceByWriteKey(ctx, "given-key"))
	equal(t, workspace.Server, src.Kind)
	must[string](t)(svc.Bootstrap(ctx, "another-key"))
	must[workspace.Source](t)(svc.SourceByWriteKey(ctx, "another-key"))
	_, err := svc.Bootstrap(ctx, "no key!")
	wantKind(t, err, errs.KindInvalid, "source.write_key.invalid")
	equal(t, 1, len(must[[]workspace.Workspace](t)(svc.All(ctx))))
}
