package journeymap

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func TestReadyMapsAreCompleteAndRightInEveryLanguage(t *testing.T) {
	for _, key := range readyKeys {
		raw, err := readyFiles.ReadFile("ready/" + key + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var all any
		if err := json.Unmarshal(raw, &all); err != nil {
			t.Fatal(err)
		}
		everyText(t, key, all)
		for _, locale := range Locales {
			r, err := ReadyMap(key, locale)
			if err != nil {
				t.Fatal(err)
			}
			before := fmt.Sprint(r.Draft.flow().Ways)
			if err := r.Draft.tidy(); err != nil {
				t.Errorf("%s in %s: %v", key, locale, err)
			}
			if after := fmt.Sprint(r.Draft.flow().Ways); after != before {
				t.Errorf("%s: some of its ways lead nowhere: %s became %s", key, before, after)
			}
			for _, s := range r.Stages {
				if strings.TrimSpace(s.Name) == "" || len(s.Touchpoints) == 0 {
					t.Errorf("%s in %s: a stage without name or touchpoint: %+v", key, locale, s)
				}
			}
		}
	}
}

// everyText fails on texts that a language lacks.
func everyText(t *testing.T, at string, v any) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v["en"]; ok {
			for _, locale := range Locales {
				if text, _ := v[locale].(string); text == "" {
					t.Errorf("%s has no text in %s", at, locale)
				}
			}
			return
		}
		for k, x := range v {
			everyText(t, at+"."+k, x)
		}
	case []any:
		for i, x := range v {
			everyText(t, fmt.Sprintf("%s[%d]", at, i), x)
		}
	}
}

func TestADraftIsCheckedAndItsFaultNamed(t *testing.T) {
	stage := func(id string, change func(*Stage)) Stage {
		s := Stage{ID: id, Touchpoints: []Touchpoint{{ID: id + "t", Signals: []event.Signal{{Name: "A"}}}}}
		if change != nil {
			change(&s)
		}
		return s
	}
	for field, d := range map[string]Draft{
		"name":                                {Name: " "},
		"stages":                              {Name: "n", Stages: make([]Stage, MaxStages+1)},
		"stages[1].id":                        {Name: "n", Stages: []Stage{stage("a", nil), stage("a", nil)}},
		"stages[0].id":                        {Name: "n", Stages: []Stage{stage("", nil)}},
		"stages[0].touchpoints[0].id":         {Name: "n", Stages: []Stage{stage("a", func(s *Stage) { s.Touchpoints[0].ID = "a" })}},
		"rows":                                {Name: "n", Rows: make([]Row, MaxRows+1)},
		"rows[0].id":                          {Name: "n", Stages: []Stage{stage("a", nil)}, Rows: []Row{{ID: "a"}}},
		"stages[0].notes.r":                   {Name: "n", Rows: []Row{{ID: "r"}}, Stages: []Stage{stage("a", func(s *Stage) { s.Notes = map[string]string{"r": strings.Repeat("x", MaxText+1)} })}},
		"stages[0].mood":                      {Name: "n", Stages: []Stage{stage("a", func(s *Stage) { s.Mood = 3 })}},
		"stages[0].thinks":                    {Name: "n", Stages: []Stage{stage("a", func(s *Stage) { s.Thinks = strings.Repeat("思", MaxText+1) })}},
		"stages[0].touchpoints[0].owner":      {Name: "n", Stages: []Stage{stage("a", func(s *Stage) { s.Touchpoints[0].Owner = strings.Repeat("x", MaxLine+1) })}},
		"stages[0].touchpoints[0].signals[0]": {Name: "n", Stages: []Stage{stage("a", func(s *Stage) { s.Touchpoints[0].Signals[0] = event.Signal{Type: event.Track} })}},
		"stages[0].touchpoints[0].signals[0].type": {Name: "n", Stages: []Stage{stage("a", func(s *Stage) { s.Touchpoints[0].Signals[0].Type = "nonsense" })}},
	} {
		var e *errs.Error
		if err := d.tidy(); !errors.As(err, &e) || e.Field != field || e.Kind != errs.KindInvalid {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestWaysLeadToTheNextStageAndWhereElseThePlanSays(t *testing.T) {
	d := Draft{Name: "n", Stages: []Stage{
		{ID: "a", Also: []string{"c", "a", "gone", "c"}, Touchpoints: []Touchpoint{{ID: "t", Signals: []event.Signal{{Path: "/tea"}}}, {ID: "u", Signals: []event.Signal{{Name: "B"}}}}},
		{ID: "b", Also: []string{"a"}},
		{ID: "c"},
	}}
	if err := d.tidy(); err != nil {
		t.Fatal(err)
	}
	want := event.FlowQuery{Stages: [][]event.Signal{{{Type: event.Page, Path: "/tea"}, {Name: "B"}}, nil, nil}, Ways: [][]int{{1, 2}, {2, 0}, nil}}
	if diff := cmp.Diff(want, d.flow()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
