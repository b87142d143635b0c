package content

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// CheckVariables refuses a template whose current version writes out a variable that is empty for everybody, unless the text tests it or gives it a default
// somewhere. Such are the names that no message has, and the traits that has denies. Has is asked about paths below person that the vocabulary, which looks at
// some people only, does not know; nil: somebody may bring any of them.
func (s *Service) CheckVariables(ctx context.Context, ws, templateID string, has func(ctx context.Context, ws, trait string) (bool, error)) error {
	t, err := s.store.Get(ctx, ws, templateID)
	if err != nil {
		return err
	}
	k, err := s.kit(ctx, ws, t.Draft, t.Pins)
	if err != nil {
		return err
	}
	found, err := s.findings(ctx, ws, t.Draft, k)
	if err != nil {
		return err
	}
	var bad []error
	seen := map[string]bool{}
	for _, f := range found {
		if f.Code != "unknown" || f.Path == "" || seen[f.Name] {
			continue
		}
		seen[f.Name] = true
		if trait, ok := strings.CutPrefix(f.Path, "person."); ok {
			if has == nil {
				continue
			}
			some, err := has(ctx, ws, traitOf(trait))
			if err != nil {
				return fmt.Errorf("ask who has %s: %w", f.Name, err)
			}
			if some {
				continue
			}
		}
		bad = append(bad, errs.Conflict("template.unfilled", "the template %q writes %s (line %d, column %d), which is empty for everybody; correct it, or give it a default", t.Name, f.Name, f.Line, f.Col))
	}
	return errors.Join(bad...)
}

// traitOf returns the trait that a path below person leads into: what liquid makes of lists and texts is none of its own.
func traitOf(path string) string {
	path, _, _ = strings.Cut(path, "[]")
	for _, made := range []string{".size", ".first", ".last"} {
		path = strings.TrimSuffix(path, made)
	}
	return path
}
