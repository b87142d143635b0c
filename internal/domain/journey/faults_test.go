package journey_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// The console marks what a graph alone tells in the moment of the edit (web/console/src/journeys/faults.ts). Its test reads the same file: both say the same.
func TestWhatAGraphAloneTells(t *testing.T) {
	raw, err := os.ReadFile("testdata/faults.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Graph  json.RawMessage
		Faults []string
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		var g journey.Graph
		if err := json.Unmarshal(c.Graph, &g); err != nil {
			t.Fatalf("graph %d: %v", i, err)
		}
		_, err := journey.Compile(g)
		found := []string{}
		for _, e := range errs.All(err) {
			found = append(found, e.Field+" "+e.Code)
		}
		slices.Sort(found)
		slices.Sort(c.Faults)
		if !slices.Equal(found, c.Faults) {
			t.Errorf("graph %d:\n found %s\nwanted %s", i, strings.Join(found, "\n       "), strings.Join(c.Faults, "\n       "))
		}
	}
}
