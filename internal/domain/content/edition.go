package content

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/kizuna-cx/kizuna/internal/domain/content/block"
	"github.com/kizuna-cx/kizuna/internal/domain/content/brand"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// edition is one version of a template with its languages, each compiled when the first reader of it comes.
type edition struct {
	draft Draft
	kit   Kit

	mu      sync.Mutex
	texts   map[string]*compiled // by the language of the text
	readers map[string]*compiled // by the reader's locale; a shortcut
}

// maxReaders bounds the shortcut: a locale is what a person's program says, so there is no end to them.
const maxReaders = 200

func (e *edition) forReader(locale string) (*compiled, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c, ok := e.readers[locale]; ok {
		return c, nil
	}
	text := e.draft.choose(locale)
	c, ok := e.texts[text.Locale]
	if !ok {
		var err error
		if c, err = compile(e.draft, text, e.kit); err != nil {
			return nil, fmt.Errorf("compile template: %w", err)
		}
		if e.texts == nil {
			e.texts, e.readers = map[string]*compiled{}, map[string]*compiled{}
		}
		e.texts[text.Locale] = c
	}
	if len(e.readers) < maxReaders {
		e.readers[locale] = c
	}
	return c, nil
}

// Pins name the revision of the brand and the versions of snippets that a version was made with, so that what was sent can be
// made again.
type Pins struct {
	Brand    int            `json:"brand"`              // 0: none, as templates of code have
	Snippets map[string]int `json:"snippets,omitempty"` // version by key
}

func (p Pins) same(o Pins) bool { return p.Brand == o.Brand && maps.Equal(p.Snippets, o.Snippets) }

// Kit is what documents are dressed with.
type Kit struct {
	Brand    brand.Brand
	Snippets map[string]Snippet // by key
}

// plainKit is for templates of code, which bring their own dress.
func plainKit() Kit { return Kit{Brand: brand.Default("", "", "")} }

// pin says what a draft would be compiled with now. Snippets that are not there are left out; the compiler names who asks for them.
func (s *Service) pin(ctx context.Context, ws string, d Draft, save bool) (Pins, Kit, error) {
	if d.Kind != Blocks {
		return Pins{}, plainKit(), nil
	}
	l, err := s.pinLook(ctx, ws, save)
	if err != nil {
		return Pins{}, Kit{}, fmt.Errorf("load the brand: %w", err)
	}
	var refs []string
	for _, t := range d.translations() {
		if doc, err := block.Parse(t.Document); err == nil {
			refs = append(refs, doc.Snippets()...)
		}
	}
	found, err := s.closure(ctx, ws, refs)
	if err != nil {
		return Pins{}, Kit{}, err
	}
	pins := Pins{Brand: l.Revision}
	for key, n := range found {
		if pins.Snippets == nil {
			pins.Snippets = map[string]int{}
		}
		pins.Snippets[key] = n.Version
	}
	return pins, Kit{Brand: l.Brand, Snippets: found}, nil
}

// ready pins a draft that is to be saved, and compiles it once to see that it can be. The error joins everything wrong with it.
func (s *Service) ready(ctx context.Context, ws string, d Draft) (Pins, error) {
	pins, k, err := s.pin(ctx, ws, d, true)
	if err != nil {
		return Pins{}, err
	}
	_, err = compileAll(d, k)
	return pins, err
}

// kit loads what a version was made with.
func (s *Service) kit(ctx context.Context, ws string, d Draft, pins Pins) (Kit, error) {
	if d.Kind != Blocks {
		return plainKit(), nil
	}
	l, err := s.store.Look(ctx, ws, pins.Brand)
	if errs.Is(err, errs.KindNotFound) {
		l, err = Look{Brand: brand.Default("", "", "")}, nil
	}
	if err != nil {
		return Kit{}, fmt.Errorf("load the brand: %w", err)
	}
	k := Kit{Brand: l.Brand, Snippets: map[string]Snippet{}}
	for _, key := range slices.Sorted(maps.Keys(pins.Snippets)) {
		if k.Snippets[key], err = s.store.Snippet(ctx, ws, key, pins.Snippets[key]); err != nil {
			return Kit{}, fmt.Errorf("load snippet: %w", err)
		}
	}
	return k, nil
}

// Outdated names what has a newer revision than the one a version was made with: "brand", or the key of a snippet.
func (s *Service) Outdated(ctx context.Context, ws string, t Template) ([]string, error) {
	now, _, err := s.pin(ctx, ws, t.Draft, false)
	if err != nil {
		return nil, err
	}
	out := []string{}
	if now.Brand != t.Pins.Brand {
		out = append(out, "brand")
	}
	for _, key := range slices.Sorted(maps.Keys(now.Snippets)) {
		if now.Snippets[key] != t.Pins.Snippets[key] {
			out = append(out, key)
		}
	}
	return out, nil
}

// Refresh saves a template as it is with today's brand and snippets. If that changes nothing it makes no version.
func (s *Service) Refresh(ctx context.Context, ws, templateID string) (Template, error) {
	t, err := s.store.Get(ctx, ws, templateID)
	if err != nil {
		return Template{}, err
	}
	return s.Update(ctx, ws, templateID, t.Draft, t.Version)
}

// Revert saves the words of an earlier version as the next one, dressed as things stand today.
func (s *Service) Revert(ctx context.Context, ws, templateID string, version int) (Template, error) {
	was, err := s.store.Version(ctx, ws, templateID, version)
	if err != nil {
		return Template{}, err
	}
	now, err := s.store.Get(ctx, ws, templateID)
	if err != nil {
		return Template{}, err
	}
	return s.Update(ctx, ws, templateID, was.Draft, now.Version)
}
