package content

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/kizuna-cx/kizuna/internal/domain/content/brand"
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

// pin says what a draft would be compiled with now, and compiles it once to see that it can be. The error joins everything wrong with it.
func (s *Service) pin(ctx context.Context, ws string, d Draft) (Pins, error) {
	pins := Pins{}
	k, err := s.kit(ctx, ws, pins)
	if err != nil {
		return Pins{}, err
	}
	_, err = compileAll(d, k)
	return pins, err
}

// kit loads what a version is dressed with.
func (s *Service) kit(context.Context, string, Pins) (Kit, error) {
	return Kit{Brand: brand.Default("", "", "")}, nil
}

func (p Pins) same(o Pins) bool { return p.Brand == o.Brand && maps.Equal(p.Snippets, o.Snippets) }
