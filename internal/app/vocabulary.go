package app

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/standing"
)

// vocabulary tells authors of messages which variables there are: the traits that people were seen with, and what every message has.
type vocabulary struct {
	events interface {
		Fields(ctx context.Context, ws, name string, limit int) ([]event.Field, error)
	}
	now func() time.Time

	mu   sync.Mutex
	kept map[string]words // by workspace
}

type words struct {
	at    time.Time
	known []string
}

// A draft is checked with each edit, and looking through what people have takes a while: what was found is good for a minute.
const vocabularyAge = time.Minute

// maxTraits is beyond what anybody would list; a workspace with more is not told of misspelt ones.
const maxTraits = 2000

// Known implements content.Vocabulary. While nothing is known of anybody, or the event store is away, every trait passes: this is advice, and mails are written
// without it too.
func (v *vocabulary) Known(ctx context.Context, ws string) ([]string, error) {
	now := v.now()
	v.mu.Lock()
	had, ok := v.kept[ws]
	v.mu.Unlock()
	if ok && now.Sub(had.at) < vocabularyAge {
		return had.known, nil
	}
	fields, err := v.events.Fields(ctx, ws, "", maxTraits)
	if err != nil || len(fields) == 0 || len(fields) == maxTraits {
		return content.DefaultKnown, ctx.Err()
	}
	known := slices.DeleteFunc(slices.Clone(content.DefaultKnown), func(k string) bool { return k == "person.*" })
	for _, own := range []string{"id", "email", "name", "first_name", "last_name", "locale", "timezone"} { // outbox.vars, and what everybody writes
		known = append(known, "person."+own)
	}
	for _, f := range standing.Fields { // also before anybody has been judged
		known = append(known, "person."+standing.Trait+"."+f)
	}
	nested := map[string]bool{} // those whose members are in the list themselves
	for _, f := range fields {
		for i := range f.Path {
			if f.Path[i] == '.' {
				nested[f.Path[:i]] = true
			}
		}
	}
	for _, f := range fields {
		known = append(known, "person."+f.Path)
		if f.Kind == "list" || f.Kind == "object" && !nested[f.Path] {
			known = append(known, "person."+f.Path+".*")
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.kept == nil || len(v.kept) > 1000 {
		v.kept = map[string]words{}
	}
	v.kept[ws] = words{now, known}
	return known, nil
}
