package sample

import (
	"strings"
	"testing"
)

func TestWhatTheUserHasBuiltOnStaysWithAllThatItNames(t *testing.T) {
	all := []Thing{
		{Noun: Map, ID: "map_s", Says: "prs_s", Sample: true},
		{Noun: Persona, ID: "prs_s", Says: "seg_a", Sample: true},
		{Noun: Campaign, ID: "cmp_s", Says: `["seg_b"] top_s tpl_s`, Sample: true},
		{Noun: Campaign, ID: "cmp_u", Name: "mine", Says: `["seg_c"] top_u tpl_s`},
		{Noun: Segment, ID: "seg_a", Sample: true},
		{Noun: Segment, ID: "seg_b", Sample: true},
		{Noun: Segment, ID: "seg_c", Says: "seg_b", Sample: true},
		{Noun: Segment, ID: "seg_u"},
		{Noun: Template, ID: "tpl_s", Sample: true},
		{Noun: Topic, ID: "top_s", Sample: true},
		{Noun: Brand, ID: "1", Sample: true},
	}
	going, kept := split(all)
	var out []string
	for _, g := range going {
		out = append(out, g.ID)
	}
	if got, want := strings.Join(out, " "), "map_s prs_s cmp_s seg_a top_s 1"; got != want {
		t.Errorf("%s would go, want %s", got, want)
	}
	out = nil
	for _, k := range kept {
		text := k.ID
		for _, f := range k.For {
			text += " for " + f.Name
		}
		out = append(out, text)
	}
	if got, want := strings.Join(out, ", "), "seg_c for mine, tpl_s for mine, seg_b"; got != want {
		t.Errorf("%s would stay, want %s", got, want)
	}
}
