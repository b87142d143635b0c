package content

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/domain/content/block"
	"github.com/kizuna-cx/kizuna/internal/domain/content/brand"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Snippet is one version of blocks that are kept in one place for many mails.
type Snippet struct {
	Key     string // what documents call it; it never changes
	Version int    // from 1
	Status  Status
	SnippetDraft
	CreatedAt time.Time // of the snippet
	UpdatedAt time.Time // of this version; later if the status has changed since
}

// SnippetDraft is what an author writes.
type SnippetDraft struct {
	Name         string          `json:"name"`
	Description  string          `json:"description,omitempty"`
	Locale       string          `json:"locale,omitempty"` // of Blocks; empty: for every language
	Blocks       json.RawMessage `json:"blocks"`
	Translations []SnippetText   `json:"translations,omitempty"`
}

// SnippetText is a snippet's blocks in one language.
type SnippetText struct {
	Locale string          `json:"locale"`
	Blocks json.RawMessage `json:"blocks"`
}

const (
	maxDescription = 2000
	maxPinned      = 100 // snippets in one mail, those in snippets included
)

func (d SnippetDraft) normal() SnippetDraft {
	d.Name, d.Description, d.Locale = strings.TrimSpace(d.Name), strings.TrimSpace(d.Description), brand.Tag(d.Locale)
	form := func(raw json.RawMessage) json.RawMessage {
		if f, err := block.ParseFragment(raw); err == nil {
			return f.Encode()
		}
		return raw
	}
	d.Blocks = form(d.Blocks)
	d.Translations = slices.Clone(d.Translations)
	for i, t := range d.Translations {
		d.Translations[i] = SnippetText{brand.Tag(t.Locale), form(t.Blocks)}
	}
	if len(d.Translations) == 0 {
		d.Translations = nil
	}
	slices.SortStableFunc(d.Translations, func(a, b SnippetText) int { return strings.Compare(a.Locale, b.Locale) })
	return d
}

// fragments reads the blocks in every language, the main one first, and says what is wrong with them.
func (d SnippetDraft) fragments() (out []block.Fragment, all []error) {
	add := func(code, field, format string, args ...any) {
		all = append(all, errs.Invalid("content.snippet."+code, field, format, args...))
	}
	if d.Name == "" {
		add("name_missing", "name", "give the snippet a name that your team will recognise")
	}
	if n := utf8.RuneCountInString(d.Name); n > MaxName {
		add("too_long", "name", "%d characters; at most %d fit here", n, MaxName)
	}
	if n := utf8.RuneCountInString(d.Description); n > maxDescription {
		add("too_long", "description", "%d characters; at most %d fit here", n, maxDescription)
	}
	if !clean(d.Name) || !clean(d.Description) {
		add("encoding", "name", "this is not valid UTF-8 text")
	}
	if d.Locale != "" && !brand.ValidTag(d.Locale) {
		add("locale", "locale", "%q is no language; write it like en, zh-Hans or ja", d.Locale)
	}
	if len(d.Translations) > 0 && d.Locale == "" {
		add("locale_missing", "locale", "say which language the main blocks are in")
	}
	if len(d.Translations) > MaxTranslations {
		add("too_many", "translations", "%d languages; at most %d fit here", len(d.Translations), MaxTranslations)
	}
	read := func(at string, raw json.RawMessage) {
		f, err := block.ParseFragment(raw)
		for _, e := range errs.All(err) {
			moved := *e
			moved.Field = strings.Trim(at+strings.TrimPrefix(e.Field, "blocks"), ".")
			all = append(all, &moved)
		}
		if err == nil && len(f) == 0 {
			add("empty", at, "put a block into the snippet")
		}
		out = append(out, f)
	}
	read("blocks", d.Blocks)
	seen := map[string]bool{strings.ToLower(d.Locale): true}
	for i, t := range d.Translations {
		at := fmt.Sprintf("translations[%d].", i)
		if !brand.ValidTag(t.Locale) || seen[strings.ToLower(t.Locale)] {
			add("locale", at+"locale", "%q is no language, or is there twice", t.Locale)
		}
		seen[strings.ToLower(t.Locale)] = true
		read(at+"blocks", t.Blocks)
	}
	return out, all
}

// text returns the blocks for a language.
func (d SnippetDraft) text(locale string) (block.Fragment, error) {
	all := append([]SnippetText{{d.Locale, d.Blocks}}, d.Translations...)
	i := nearest(locale, d.Locale, len(all), func(i int) string { return all[i].Locale })
	return block.ParseFragment(all[i].Blocks)
}

func (d SnippetDraft) same(o SnippetDraft) bool {
	a, err := json.Marshal(d)
	b, err2 := json.Marshal(o)
	return err == nil && err2 == nil && string(a) == string(b)
}

// CreateSnippet saves a new snippet under a key.
func (s *Service) CreateSnippet(ctx context.Context, ws, key string, d SnippetDraft) (Snippet, error) {
	if !block.ValidKey(key) {
		return Snippet{}, errs.Invalid("content.snippet.key", "key", "%q is no key; keys are small letters, digits, - and _", key)
	}
	d = d.normal()
	if err := s.checkSnippet(ctx, ws, key, d); err != nil {
		return Snippet{}, err
	}
	now := s.clock.Now()
	n := Snippet{Key: key, Version: 1, Status: Active, SnippetDraft: d, CreatedAt: now, UpdatedAt: now}
	return n, s.store.InsertSnippet(ctx, ws, n)
}

// UpdateSnippet saves the next version. Mails keep the version they were made with until they are saved or refreshed; base as in Update.
func (s *Service) UpdateSnippet(ctx context.Context, ws, key string, d SnippetDraft, base int) (Snippet, error) {
	d = d.normal()
	var out Snippet
	err := s.tx.InTx(ctx, func(ctx context.Context) error {
		n, err := s.store.Snippet(ctx, ws, key, 0)
		if err != nil {
			return err
		}
		if base != 0 && base != n.Version {
			return errs.Conflict("content.snippet.stale", "somebody saved version %d since you opened version %d; load it and make your changes again", n.Version, base)
		}
		if err := s.checkSnippet(ctx, ws, key, d); err != nil {
			return err
		}
		if n.SnippetDraft.same(d) {
			out = n
			return nil
		}
		n.SnippetDraft, n.Version, n.UpdatedAt = d, n.Version+1, s.clock.Now()
		out = n
		return s.store.AddSnippetVersion(ctx, ws, n)
	})
	return out, err
}

// checkSnippet reads a snippet and compiles it with the ones it refers to.
func (s *Service) checkSnippet(ctx context.Context, ws, key string, d SnippetDraft) error {
	texts, all := d.fragments()
	if len(all) > 0 {
		return errors.Join(all...)
	}
	var refs []string
	for _, f := range texts {
		refs = append(refs, f.Snippets()...)
	}
	found, err := s.closure(ctx, ws, refs)
	if err != nil {
		return err
	}
	found[key] = Snippet{Key: key, SnippetDraft: d}
	for i, f := range texts {
		locale := d.Locale
		if i > 0 {
			locale = d.Translations[i-1].Locale
		}
		frags, err := fragmentsFor(found, locale)
		if err != nil {
			return err
		}
		frags[key] = f
		doc := block.Document{Version: block.Version, Sections: []block.Section{{Columns: []block.Column{{Blocks: f}}}}}
		if _, err := block.CompileInside(key, doc, block.Options{Brand: brand.Default("", "", ""), Locale: locale, Words: wordsFor(locale), Snippets: frags}); err != nil {
			for _, e := range errs.All(err) {
				moved := *e
				moved.Field = "blocks"
				all = append(all, &moved)
			}
		}
	}
	return errors.Join(all...)
}

// closure loads the current versions of snippets and of those they refer to. Ones that are not there are left out: the compiler
// names the block that asks for them.
func (s *Service) closure(ctx context.Context, ws string, refs []string) (map[string]Snippet, error) {
	out := map[string]Snippet{}
	for len(refs) > 0 {
		key := refs[0]
		refs = refs[1:]
		if _, ok := out[key]; ok {
			continue
		}
		if len(out) >= maxPinned {
			return nil, errs.Invalid("content.snippet.too_many", "document", "more than %d snippets in one mail", maxPinned)
		}
		n, err := s.store.Snippet(ctx, ws, key, 0)
		if errs.Is(err, errs.KindNotFound) || err == nil && n.Status == Archived {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("load snippet: %w", err)
		}
		out[key] = n
		texts, _ := n.fragments() // what was saved parses
		for _, f := range texts {
			refs = append(refs, f.Snippets()...)
		}
	}
	return out, nil
}

// fragmentsFor picks the text of each snippet in a language.
func fragmentsFor(all map[string]Snippet, locale string) (map[string]block.Fragment, error) {
	out := make(map[string]block.Fragment, len(all))
	for key, n := range all {
		f, err := n.text(locale)
		if err != nil {
			return nil, fmt.Errorf("snippet %s: %w", key, err)
		}
		out[key] = f
	}
	return out, nil
}

// Snippet returns a version of a snippet, 0 the current one.
func (s *Service) Snippet(ctx context.Context, ws, key string, version int) (Snippet, error) {
	return s.store.Snippet(ctx, ws, key, version)
}

// Snippets lists current versions in the order of their keys.
func (s *Service) Snippets(ctx context.Context, ws string, f Filter, p page.Request) (page.Of[Snippet], error) {
	return s.store.Snippets(ctx, ws, f, p)
}

// SnippetVersions lists the versions of a snippet, latest first.
func (s *Service) SnippetVersions(ctx context.Context, ws, key string, p page.Request) (page.Of[Snippet], error) {
	if _, err := s.store.Snippet(ctx, ws, key, 0); err != nil {
		return page.Of[Snippet]{}, err
	}
	return s.store.SnippetVersions(ctx, ws, key, p)
}

// User is something that a snippet stands in, or that sends a template.
type User struct {
	Noun   string `json:"noun" enum:"template,snippet,campaign,series,journey,topic"`
	ID     string `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status,omitempty" doc:"of a campaign, series or journey"`
}

// SnippetUsers lists the templates and snippets whose current version has the snippet in it, those included that have it
// through another snippet. Archived ones do not count.
func (s *Service) SnippetUsers(ctx context.Context, ws, key string) ([]User, error) {
	if _, err := s.store.Snippet(ctx, ws, key, 0); err != nil {
		return nil, err
	}
	return s.snippetUsers(ctx, ws, key)
}

func (s *Service) snippetUsers(ctx context.Context, ws, key string) ([]User, error) {
	out, err := s.store.SnippetUsers(ctx, ws, key)
	if err != nil {
		return nil, err
	}
	for p := (page.Request{Limit: page.MaxLimit}); ; {
		found, err := s.store.Snippets(ctx, ws, Filter{Status: Active}, p)
		if err != nil {
			return nil, err
		}
		for _, n := range found.Items {
			texts, _ := n.fragments() // what was saved parses
			if n.Key != key && slices.ContainsFunc(texts, func(f block.Fragment) bool { return slices.Contains(f.Snippets(), key) }) {
				out = append(out, User{Noun: "snippet", ID: n.Key, Name: n.Name})
			}
		}
		if p.Cursor = found.Next; p.Cursor == "" {
			return out, nil
		}
	}
}

// ArchiveSnippet takes a snippet that nothing uses out of use. Versions that were made with it keep it.
func (s *Service) ArchiveSnippet(ctx context.Context, ws, key string) (Snippet, error) {
	return s.setSnippetStatus(ctx, ws, key, Archived)
}

// RestoreSnippet brings an archived snippet back.
func (s *Service) RestoreSnippet(ctx context.Context, ws, key string) (Snippet, error) {
	return s.setSnippetStatus(ctx, ws, key, Active)
}

func (s *Service) setSnippetStatus(ctx context.Context, ws, key string, status Status) (Snippet, error) {
	var out Snippet
	err := s.tx.InTx(ctx, func(ctx context.Context) error {
		n, err := s.store.Snippet(ctx, ws, key, 0)
		if err != nil {
			return err
		}
		if status == Archived {
			users, err := s.snippetUsers(ctx, ws, key)
			if err != nil {
				return err
			}
			if len(users) > 0 {
				return errs.Conflict("content.snippet.in_use", "%d templates and snippets use it, %q among them; take it out there first", len(users), users[0].Name)
			}
		}
		if n.Status != status {
			n.Status, n.UpdatedAt = status, s.clock.Now()
			if err := s.store.SetSnippetStatus(ctx, ws, key, status, n.UpdatedAt); err != nil {
				return err
			}
		}
		out = n
		return nil
	})
	return out, err
}
