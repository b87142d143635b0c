package app

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/content/liquid"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

type fieldsSeen struct {
	found []event.Field
	err   error
	asked int
}

func (f *fieldsSeen) Fields(_ context.Context, _, _ string, limit int) ([]event.Field, error) {
	f.asked++
	return f.found[:min(limit, len(f.found))], f.err
}

func TestVocabularyIsWhatWasSeen(t *testing.T) {
	now := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	seen := &fieldsSeen{found: []event.Field{
		{Path: "plan", Kind: "text"}, {Path: "address", Kind: "object"}, {Path: "address.city", Kind: "text"}, {Path: "address.geo", Kind: "object"}, {Path: "pets", Kind: "list"},
	}}
	v := &vocabulary{events: seen, now: func() time.Time { return now }}
	unknown := func(source string) (out []string) {
		t.Helper()
		known, err := v.Known(t.Context(), "wsp_1")
		if err != nil {
			t.Fatal(err)
		}
		tpl, err := liquid.Parse(source, liquid.Text, liquid.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range tpl.Check(known) {
			out = append(out, p.Name+" "+p.Like)
		}
		return out
	}
	const good = `{{ person.plan }}{{ person.email }}{{ person.first_name }}{{ person.address.city }}{{ person.address.geo.lat }}{{ person.pets[0].name }}{{ person.pets.size }}{{ person.standing.f }}{{ event.total }}`
	if got := unknown(good); len(got) > 0 {
		t.Errorf("unknown: %q", got)
	}
	if got, want := unknown(`{{ person.plna }} {{ person.address.ctiy }} {{ persn.plan }} {{ person.wealth }} {{ person.standing.stag }}`), []string{
		"person.plna person.plan", "person.address.ctiy person.address.city", "persn.plan person.plan", "person.wealth ", "person.standing.stag person.standing.stage",
	}; !slices.Equal(got, want) {
		t.Errorf("unknown: %q, want %q", got, want)
	}
	if seen.asked != 1 {
		t.Errorf("asked %d times within a minute", seen.asked)
	}
	now = now.Add(vocabularyAge)
	seen.found = append(seen.found, event.Field{Path: "wealth", Kind: "number"})
	if got := unknown(`{{ person.wealth }}`); len(got) > 0 || seen.asked != 2 {
		t.Errorf("a minute later: %q, asked %d times", got, seen.asked)
	}
}

func TestVocabularyNobodyCanTell(t *testing.T) {
	for name, seen := range map[string]*fieldsSeen{
		"nobody is known":         {},
		"the event store is away": {err: errors.New("away")},
		"too many traits":         {found: make([]event.Field, maxTraits)},
	} {
		v := &vocabulary{events: seen, now: time.Now}
		if known, err := v.Known(t.Context(), "wsp_1"); err != nil || !slices.Equal(known, content.DefaultKnown) {
			t.Errorf("%s: %v %v", name, known, err)
		}
	}
}
