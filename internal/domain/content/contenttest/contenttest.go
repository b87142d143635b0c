// Package contenttest is the conformance suite of content.Store.
package contenttest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/content/brand"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)

func template(n int) content.Template {
	at := epoch.Add(time.Duration(n) * time.Minute)
	return content.Template{
		ID: fmt.Sprintf("tpl_%03d", n), Version: 1, Status: content.Active, CreatedAt: at, UpdatedAt: at,
		Draft: content.Draft{
			Name: fmt.Sprintf("Letter %d", n), Channel: content.Email, Subject: "こんにちは {{ person | name }}", Preheader: "p", HTML: "<p>你好 {{ x }}</p>",
			Text: "text", FromName: "絆", ReplyTo: "r@example.com", ValueProposition: "why",
			Kind: content.Blocks, Locale: "ja", Document: json.RawMessage(`{"version":1,"sections":[]}`), Purpose: content.Purpose{Action: "買う", Ask: "q"},
			Translations: []content.Translation{{Locale: "en", Subject: "Hello", HTML: "<p>x</p>", Text: "t", Preheader: "pre"}, {Locale: "zh-Hans", Subject: "你好", Document: json.RawMessage(`{"version":1}`)}},
		},
		Pins: content.Pins{Brand: 3, Snippets: map[string]int{"hours": 2}},
	}
}

// Run checks a store; open returns an empty one.
func Run(t *testing.T, open func(t *testing.T) content.Store) {
	t.Run("a template comes back as it was saved", func(t *testing.T) { comesBack(t, open(t)) })
	t.Run("versions are immutable and in sequence", func(t *testing.T) { versions(t, open(t)) })
	t.Run("a key belongs to one template", func(t *testing.T) { keys(t, open(t)) })
	t.Run("lists are paged, filtered and ordered", func(t *testing.T) { lists(t, open(t)) })
	t.Run("workspaces do not see each other", func(t *testing.T) { workspaces(t, open(t)) })
	t.Run("status changes without a version", func(t *testing.T) { status(t, open(t)) })
	t.Run("revisions of the brand follow each other", func(t *testing.T) { looks(t, open(t)) })
	t.Run("snippets have versions and users", func(t *testing.T) { snippets(t, open(t)) })
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func kind(t *testing.T, err error, k errs.Kind) {
	t.Helper()
	if !errs.Is(err, k) {
		t.Fatalf("got %v, want an error of kind %v", err, k)
	}
}

func comesBack(t *testing.T, s content.Store) {
	want := template(1)
	must(t, s.Insert(t.Context(), "ws_1", want))
	got, err := s.Get(t.Context(), "ws_1", want.ID)
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	_, err = s.Get(t.Context(), "ws_1", "tpl_none")
	kind(t, err, errs.KindNotFound)
	_, err = s.Version(t.Context(), "ws_1", want.ID, 2)
	kind(t, err, errs.KindNotFound)
}

func versions(t *testing.T, s content.Store) {
	first := template(1)
	must(t, s.Insert(t.Context(), "ws_1", first))
	var saved []content.Template
	saved = append(saved, first)
	for v := 2; v <= 5; v++ {
		next := first
		next.Version, next.Name, next.Subject, next.UpdatedAt = v, fmt.Sprintf("Name %d", v), fmt.Sprintf("Subject %d", v), first.UpdatedAt.Add(time.Duration(v)*time.Hour)
		must(t, s.AddVersion(t.Context(), "ws_1", next))
		saved = append(saved, next)
	}
	stale := first
	stale.Version = 5
	kind(t, s.AddVersion(t.Context(), "ws_1", stale), errs.KindConflict)
	stale.Version = 7
	kind(t, s.AddVersion(t.Context(), "ws_1", stale), errs.KindConflict)
	stale.ID = "tpl_none"
	kind(t, s.AddVersion(t.Context(), "ws_1", stale), errs.KindNotFound)

	for i, want := range saved {
		got, err := s.Version(t.Context(), "ws_1", first.ID, i+1)
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("version %d: %s", i+1, diff)
		}
	}
	got, err := s.Get(t.Context(), "ws_1", first.ID)
	must(t, err)
	if diff := cmp.Diff(saved[4], got); diff != "" {
		t.Error(diff)
	}
	var seen []int
	for p := (page.Request{Limit: 2}); ; {
		out, err := s.Versions(t.Context(), "ws_1", first.ID, p)
		must(t, err)
		for _, v := range out.Items {
			seen = append(seen, v.Version)
			if diff := cmp.Diff(saved[v.Version-1], v); diff != "" {
				t.Errorf("listed version %d: %s", v.Version, diff)
			}
		}
		if p.Cursor = out.Next; p.Cursor == "" {
			break
		}
	}
	if diff := cmp.Diff([]int{5, 4, 3, 2, 1}, seen); diff != "" {
		t.Error(diff)
	}
}

func keys(t *testing.T, s content.Store) {
	a, b, c, d := template(1), template(2), template(3), template(4)
	a.Key, b.Key = "cart", "cart"
	must(t, s.Insert(t.Context(), "ws_1", a))
	kind(t, s.Insert(t.Context(), "ws_1", b), errs.KindConflict)
	must(t, s.Insert(t.Context(), "ws_2", b))
	must(t, s.Insert(t.Context(), "ws_1", c))
	must(t, s.Insert(t.Context(), "ws_1", d)) // many without a key
	next := a
	next.Version, next.Subject = 2, "new"
	must(t, s.AddVersion(t.Context(), "ws_1", next))
	got, err := s.ByKey(t.Context(), "ws_1", "cart")
	must(t, err)
	if diff := cmp.Diff(next, got); diff != "" {
		t.Error(diff)
	}
	for _, key := range []string{"", "other"} {
		_, err = s.ByKey(t.Context(), "ws_1", key)
		kind(t, err, errs.KindNotFound)
	}
}

func lists(t *testing.T, s content.Store) {
	for n := range 7 {
		one := template(n)
		if n == 3 {
			one.Name = "ÉTÉ 100%_夏"
		}
		if n%2 == 1 {
			one.CreatedAt = template(0).CreatedAt // ties are ordered by id
		}
		must(t, s.Insert(t.Context(), "ws_1", one))
	}
	must(t, s.SetStatus(t.Context(), "ws_1", "tpl_002", content.Archived, epoch))
	for _, c := range []struct {
		filter content.Filter
		want   string
	}{
		{content.Filter{}, "6 4 2 5 3 1 0"},
		{content.Filter{Status: content.Active}, "6 4 5 3 1 0"},
		{content.Filter{Status: content.Archived}, "2"},
		{content.Filter{Query: "LETTER"}, "6 4 2 5 1 0"},
		{content.Filter{Query: "été 100%_"}, "3"},
		{content.Filter{Query: "%"}, "3"},
		{content.Filter{Query: "_"}, "3"},
		{content.Filter{Query: "r 4"}, "4"},
		{content.Filter{Query: "none"}, ""},
	} {
		var got []string
		for p := (page.Request{Limit: 2}); ; {
			out, err := s.List(t.Context(), "ws_1", c.filter, p)
			must(t, err)
			if len(out.Items) > 2 {
				t.Fatalf("a page of %d", len(out.Items))
			}
			for _, one := range out.Items {
				got = append(got, strings.TrimLeft(strings.TrimPrefix(one.ID, "tpl_"), "0"))
				if got[len(got)-1] == "" {
					got[len(got)-1] = "0"
				}
			}
			if p.Cursor = out.Next; p.Cursor == "" {
				break
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v: %v, want %s", c.filter, got, c.want)
		}
	}
	_, err := s.List(t.Context(), "ws_1", content.Filter{}, page.Request{Cursor: "nonsense"})
	kind(t, err, errs.KindInvalid)
}

func workspaces(t *testing.T, s content.Store) {
	one := template(1)
	must(t, s.Insert(t.Context(), "ws_1", one))
	_, err := s.Get(t.Context(), "ws_2", one.ID)
	kind(t, err, errs.KindNotFound)
	_, err = s.Version(t.Context(), "ws_2", one.ID, 1)
	kind(t, err, errs.KindNotFound)
	kind(t, s.SetStatus(t.Context(), "ws_2", one.ID, content.Archived, epoch), errs.KindNotFound)
	next := one
	next.Version = 2
	kind(t, s.AddVersion(t.Context(), "ws_2", next), errs.KindNotFound)
	out, err := s.List(t.Context(), "ws_2", content.Filter{}, page.Request{})
	must(t, err)
	vs, err := s.Versions(t.Context(), "ws_2", one.ID, page.Request{})
	must(t, err)
	if len(out.Items) != 0 || len(vs.Items) != 0 {
		t.Error("another workspace's templates are listed")
	}
}

func status(t *testing.T, s content.Store) {
	one := template(1)
	must(t, s.Insert(t.Context(), "ws_1", one))
	at := epoch.Add(time.Hour * 24)
	must(t, s.SetStatus(t.Context(), "ws_1", one.ID, content.Archived, at))
	got, err := s.Get(t.Context(), "ws_1", one.ID)
	must(t, err)
	one.Status, one.UpdatedAt = content.Archived, at
	if diff := cmp.Diff(one, got); diff != "" {
		t.Error(diff)
	}
	kind(t, s.SetStatus(t.Context(), "ws_1", "tpl_none", content.Archived, at), errs.KindNotFound)
}

// all reads every page of a list.
func all[T any](t *testing.T, list func(p page.Request) (page.Of[T], error)) (out []T) {
	t.Helper()
	for p := (page.Request{Limit: 2}); ; {
		found, err := list(p)
		must(t, err)
		if len(found.Items) > 2 {
			t.Fatalf("a page of %d", len(found.Items))
		}
		out = append(out, found.Items...)
		if p.Cursor = found.Next; p.Cursor == "" {
			return out
		}
	}
}

func looks(t *testing.T, s content.Store) {
	ctx := t.Context()
	_, err := s.Look(ctx, "ws_1", 0)
	kind(t, err, errs.KindNotFound)
	var want []content.Look
	for rev := 1; rev <= 3; rev++ {
		l := content.Look{Revision: rev, Brand: brand.Default("青葉", "Ginza", "ja"), SavedAt: epoch.Add(time.Duration(rev) * time.Hour)}
		l.Radius, l.Footer.Notes, l.Voice.Dont = rev, map[string]string{"ja": "註"}, []string{"激安"}
		must(t, s.AddLook(ctx, "ws_1", l))
		want = append([]content.Look{l}, want...)
	}
	for _, rev := range []int{3, 5, 1} {
		kind(t, s.AddLook(ctx, "ws_1", content.Look{Revision: rev}), errs.KindConflict)
	}
	if diff := cmp.Diff(want, all(t, func(p page.Request) (page.Of[content.Look], error) { return s.Looks(ctx, "ws_1", p) })); diff != "" {
		t.Error(diff)
	}
	latest, err := s.Look(ctx, "ws_1", 0)
	must(t, err)
	second, err := s.Look(ctx, "ws_1", 2)
	must(t, err)
	if diff := cmp.Diff([]content.Look{want[0], want[1]}, []content.Look{latest, second}); diff != "" {
		t.Error(diff)
	}
	_, err = s.Look(ctx, "ws_2", 0)
	kind(t, err, errs.KindNotFound)
	_, err = s.Look(ctx, "ws_1", 9)
	kind(t, err, errs.KindNotFound)
}

func snippets(t *testing.T, s content.Store) {
	ctx := t.Context()
	make := func(key string) content.Snippet {
		return content.Snippet{Key: key, Version: 1, Status: content.Active, CreatedAt: epoch, UpdatedAt: epoch, SnippetDraft: content.SnippetDraft{
			Name: "Name of " + key, Description: "d", Locale: "ja", Blocks: json.RawMessage(`[{"type":"divider"}]`), Translations: []content.SnippetText{{Locale: "en", Blocks: json.RawMessage(`[]`)}},
		}}
	}
	for _, key := range []string{"c", "a", "b"} {
		must(t, s.InsertSnippet(ctx, "ws_1", make(key)))
	}
	kind(t, s.InsertSnippet(ctx, "ws_1", make("a")), errs.KindConflict)
	must(t, s.InsertSnippet(ctx, "ws_2", make("a")))
	next := make("a")
	next.Version, next.Name, next.UpdatedAt, next.Translations = 2, "Opening hours", epoch.Add(time.Hour), nil
	must(t, s.AddSnippetVersion(ctx, "ws_1", next))
	kind(t, s.AddSnippetVersion(ctx, "ws_1", next), errs.KindConflict)
	gone := make("none")
	gone.Version = 2
	kind(t, s.AddSnippetVersion(ctx, "ws_1", gone), errs.KindNotFound)
	current, err := s.Snippet(ctx, "ws_1", "a", 0)
	must(t, err)
	first, err := s.Snippet(ctx, "ws_1", "a", 1)
	must(t, err)
	if diff := cmp.Diff([]content.Snippet{next, make("a")}, []content.Snippet{current, first}); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]content.Snippet{next, make("a")}, all(t, func(p page.Request) (page.Of[content.Snippet], error) { return s.SnippetVersions(ctx, "ws_1", "a", p) })); diff != "" {
		t.Error(diff)
	}
	must(t, s.SetSnippetStatus(ctx, "ws_1", "c", content.Archived, epoch.Add(2*time.Hour)))
	kind(t, s.SetSnippetStatus(ctx, "ws_2", "c", content.Archived, epoch), errs.KindNotFound)
	keys := func(ws string, f content.Filter) (out string) {
		for _, n := range all(t, func(p page.Request) (page.Of[content.Snippet], error) { return s.Snippets(ctx, ws, f, p) }) {
			out += n.Key
		}
		return out
	}
	for _, c := range []struct {
		ws     string
		filter content.Filter
		want   string
	}{
		{"ws_1", content.Filter{}, "abc"}, {"ws_1", content.Filter{Status: content.Active}, "ab"}, {"ws_1", content.Filter{Query: "OPENING"}, "a"}, {"ws_1", content.Filter{Query: "%"}, ""}, {"ws_2", content.Filter{}, "a"}, {"ws_3", content.Filter{}, ""},
	} {
		if got := keys(c.ws, c.filter); got != c.want {
			t.Errorf("%+v: %q, want %q", c, got, c.want)
		}
	}

	one, two := template(1), template(2)
	one.Pins.Snippets, two.Pins.Snippets = map[string]int{"a": 1, "b": 1}, map[string]int{"a": 2}
	must(t, s.Insert(ctx, "ws_1", one))
	must(t, s.Insert(ctx, "ws_1", two))
	users := func(key string) (out string) {
		found, err := s.SnippetUsers(ctx, "ws_1", key)
		must(t, err)
		for _, u := range found {
			out += u.Noun + " " + u.ID + " " + u.Name + ", "
		}
		return out
	}
	if got := users("a") + "| " + users("b"); got != "template tpl_001 Letter 1, template tpl_002 Letter 2, | template tpl_001 Letter 1, " {
		t.Error(got)
	}
	one.Version, one.Pins.Snippets = 2, map[string]int{"a": 2}
	must(t, s.AddVersion(ctx, "ws_1", one))
	must(t, s.SetStatus(ctx, "ws_1", "tpl_002", content.Archived, epoch))
	if got := users("a") + "| " + users("b"); got != "template tpl_001 Letter 1, | " {
		t.Error(got)
	}
	if other, err := s.SnippetUsers(ctx, "ws_2", "a"); err != nil || len(other) > 0 {
		t.Errorf("another workspace's templates use it: %v %v", other, err)
	}
}
