// Package mailauthtest is the conformance suite of mailauth.Store.
package mailauthtest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/mailauth"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

const ws = "ws_1"

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 123000, time.UTC)

func domain(id, name string) mailauth.Domain {
	return mailauth.Domain{ID: id, Workspace: ws, Name: name, Sign: true, CreatedAt: t0, UpdatedAt: t0}
}

func key(id, domain string, n int) mailauth.SealedKey {
	return mailauth.SealedKey{
		Key:    mailauth.Key{ID: id, DomainID: domain, Selector: "s" + id, Algorithm: mailauth.RSA, Public: "MIIB", Status: mailauth.Waiting, CreatedAt: t0.Add(time.Duration(n) * time.Second)},
		Sealed: []byte{0, 1, 255},
	}
}

// Run checks a store; open returns an empty one.
func Run(t *testing.T, open func(t *testing.T) mailauth.Store) {
	ctx := t.Context()
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	equal := func(t *testing.T, want, got any) {
		t.Helper()
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	}
	t.Run("a domain comes back as it was put, with its report", func(t *testing.T) {
		s := open(t)
		d := domain("dom_1", "shop.example")
		must(t, s.PutDomain(ctx, ws, d))
		got, err := s.Domain(ctx, ws, d.ID)
		must(t, err)
		equal(t, d, got)
		d.Sign, d.UpdatedAt = false, t0.Add(time.Hour)
		d.Report = &mailauth.Report{At: t0, Status: mailauth.Fail, Items: []mailauth.Item{{
			Kind: "spf", Status: mailauth.Fail, Code: "spf.missing", Data: map[string]string{"host": "h"}, Found: []string{"a"}, Record: &mailauth.Record{Type: "TXT", Name: "n", Value: "v"},
		}}}
		must(t, s.PutDomain(ctx, ws, d))
		got, err = s.Domain(ctx, ws, d.ID)
		must(t, err)
		equal(t, d, got)
		if _, err := s.Domain(ctx, ws, "dom_none"); !errs.Is(err, errs.KindNotFound) {
			t.Errorf("unknown domain: %v", err)
		}
	})
	t.Run("a name is there once in a workspace", func(t *testing.T) {
		s := open(t)
		must(t, s.PutDomain(ctx, ws, domain("dom_1", "shop.example")))
		if err := s.PutDomain(ctx, ws, domain("dom_2", "shop.example")); !errs.Is(err, errs.KindConflict) {
			t.Errorf("second: %v, want conflict", err)
		}
		must(t, s.PutDomain(ctx, "ws_2", domain("dom_2", "shop.example")))
	})
	t.Run("domains are listed by name, page by page, and found by name", func(t *testing.T) {
		s := open(t)
		for i, n := range []string{"c.example", "a.example", "b.example"} {
			must(t, s.PutDomain(ctx, ws, domain("dom_"+string(rune('1'+i)), n)))
		}
		var names []string
		for cursor := ""; ; {
			p, err := s.Domains(ctx, ws, page.Request{Limit: 2, Cursor: cursor})
			must(t, err)
			for _, d := range p.Items {
				names = append(names, d.Name)
			}
			if cursor = p.Next; cursor == "" {
				break
			}
		}
		equal(t, []string{"a.example", "b.example", "c.example"}, names)
		found, err := s.DomainsNamed(ctx, ws, []string{"x.example", "b.example"})
		must(t, err)
		if len(found) != 1 || found[0].Name != "b.example" {
			t.Errorf("found %+v", found)
		}
	})
	t.Run("keys change status, keep their secret and go with their domain", func(t *testing.T) {
		s := open(t)
		must(t, s.PutDomain(ctx, ws, domain("dom_1", "shop.example")))
		k1, k2, other := key("k1", "dom_1", 2), key("k2", "dom_1", 1), key("k3", "dom_2", 0)
		for _, k := range []mailauth.SealedKey{k1, k2, other} {
			must(t, s.PutKey(ctx, ws, k))
		}
		k1.Status, k1.ActiveAt, k1.RetiredAt = mailauth.Retired, t0.Add(time.Minute), t0.Add(time.Hour)
		must(t, s.PutKey(ctx, ws, k1))
		got, err := s.Keys(ctx, ws, []string{"dom_1"})
		must(t, err)
		equal(t, []mailauth.SealedKey{k2, k1}, got)
		gone, err := s.DeleteKey(ctx, ws, "k2")
		must(t, err)
		again, err := s.DeleteKey(ctx, ws, "k2")
		must(t, err)
		if !gone || again {
			t.Errorf("deleted %v, then %v", gone, again)
		}
		found, err := s.DeleteDomain(ctx, ws, "dom_1")
		must(t, err)
		left, err := s.Keys(ctx, ws, []string{"dom_1", "dom_2"})
		must(t, err)
		if !found || len(left) != 1 || left[0].ID != "k3" {
			t.Errorf("found %v, left %+v", found, left)
		}
	})
	t.Run("workspaces do not see each other", func(t *testing.T) {
		s := open(t)
		must(t, s.PutDomain(ctx, ws, domain("dom_1", "shop.example")))
		must(t, s.PutKey(ctx, ws, key("k1", "dom_1", 1)))
		if _, err := s.Domain(ctx, "ws_2", "dom_1"); !errs.Is(err, errs.KindNotFound) {
			t.Errorf("another workspace: %v", err)
		}
		keys, err := s.Keys(ctx, "ws_2", []string{"dom_1"})
		must(t, err)
		list, err := s.Domains(ctx, "ws_2", page.Request{})
		must(t, err)
		named, err := s.DomainsNamed(ctx, "ws_2", []string{"shop.example"})
		must(t, err)
		d1, err := s.DeleteDomain(ctx, "ws_2", "dom_1")
		must(t, err)
		d2, err := s.DeleteKey(ctx, "ws_2", "k1")
		must(t, err)
		if len(keys)+len(list.Items)+len(named) != 0 || d1 || d2 {
			t.Errorf("another workspace sees %v %v %v and deletes %v %v", keys, list, named, d1, d2)
		}
	})
}
