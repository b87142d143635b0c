// Package sampletest is the conformance suite of sample.Store.
package sampletest

import (
	"slices"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/sample"
)

// Run checks a store. open returns an empty one together with a function that runs SQL on what is below it.
func Run(t *testing.T, open func(t *testing.T) (sample.Store, func(query string, args ...any))) {
	ctx := t.Context()
	source := func(exec func(string, ...any), ws, id string) {
		exec(`INSERT INTO source (workspace_id, id, name, kind, write_key, disabled, created_at, last_used) VALUES ($1, $2, $3, 'server', $4, $5, 1, 0)`, ws, id, "Source "+id, "wk_"+ws+id, false)
	}
	names := func(t *testing.T, s sample.Store, ws string) (out []string) {
		t.Helper()
		all, err := s.Things(ctx, ws)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range all {
			mark := ""
			if x.Sample {
				mark = " sample"
			}
			out = append(out, x.Noun+" "+x.ID+mark)
		}
		return out
	}
	t.Run("things are told with their marks, of one workspace", func(t *testing.T) {
		s, exec := open(t)
		source(exec, "ws1", "src_1")
		source(exec, "ws1", "src_2")
		source(exec, "ws2", "src_3")
		for range 2 {
			if err := s.Mark(ctx, "ws1", []sample.Thing{{Noun: sample.Source, ID: "src_2"}, {Noun: sample.Segment, ID: "seg_gone"}}); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := names(t, s, "ws1"), []string{"source src_1", "source src_2 sample"}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		if err := s.Unmark(ctx, "ws2", []sample.Thing{{Noun: sample.Source, ID: "src_2"}}); err != nil {
			t.Fatal(err)
		}
		if err := s.Unmark(ctx, "ws1", []sample.Thing{{Noun: sample.Source, ID: "src_2"}, {Noun: sample.Source, ID: "none"}}); err != nil {
			t.Fatal(err)
		}
		if got, want := names(t, s, "ws1"), []string{"source src_1", "source src_2"}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
	t.Run("what is dropped is gone, in its workspace alone", func(t *testing.T) {
		s, exec := open(t)
		source(exec, "ws1", "src_1")
		source(exec, "ws1", "src_2")
		source(exec, "ws2", "src_3")
		if err := s.Mark(ctx, "ws1", []sample.Thing{{Noun: sample.Source, ID: "src_1"}}); err != nil {
			t.Fatal(err)
		}
		for _, noun := range sample.Nouns() { // every statement runs on this engine
			if err := s.Drop(ctx, "ws1", noun, []string{"src_1", "src_3", "none"}); err != nil {
				t.Errorf("%s: %v", noun, err)
			}
		}
		if got, want := names(t, s, "ws1"), []string{"source src_2"}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		if got, want := names(t, s, "ws2"), []string{"source src_3"}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
	t.Run("who has made something through the API is known", func(t *testing.T) {
		s, exec := open(t)
		exec(`INSERT INTO audit_log (workspace_id, id, at, actor_kind, actor_id, actor_name, action, noun, noun_id, detail, ip) VALUES ('ws1', 'aud_1', 1, 'user', 'u', 'u', 'segment.create', 'segment', 'seg_1', '{}', '')`)
		made, err := s.Made(ctx, "ws1", []string{"seg_1", "seg_2"})
		if err != nil || !made["seg_1"] || made["seg_2"] {
			t.Errorf("%v %v", made, err)
		}
		if made, err := s.Made(ctx, "ws2", []string{"seg_1"}); err != nil || made["seg_1"] {
			t.Errorf("of another workspace: %v %v", made, err)
		}
	})
}
