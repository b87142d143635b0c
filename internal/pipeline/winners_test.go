package pipeline

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
)

func TestWinnersAreThoseOfTheTouchedIntoWhomOthersWereMerged(t *testing.T) {
	ref := func(ws string, num uint64) person.Ref { return person.Ref{Workspace: ws, Num: num, ID: "per"} }
	a := person.Applied{
		Touched:   []person.Ref{ref("ws_1", 1), ref("ws_1", 2), ref("ws_2", 2), ref("ws_2", 3)},
		Redirects: []event.Redirect{{Workspace: "ws_1", Loser: 9, Winner: 2}, {Workspace: "ws_1", Loser: 8, Winner: 2}, {Workspace: "ws_2", Loser: 7, Winner: 3}, {Workspace: "ws_2", Loser: 6, Winner: 5}},
	}
	if diff := cmp.Diff([]person.Ref{ref("ws_1", 2), ref("ws_2", 3)}, winners(a)); diff != "" {
		t.Errorf("winners (-want +got):\n%s", diff)
	}
	if got := winners(person.Applied{Touched: a.Touched}); got != nil {
		t.Errorf("without merges: %v", got)
	}
}
