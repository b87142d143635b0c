package rule_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
)

// recorder is a source that remembers the SQL it is asked and answers it with the same people.
type recorder struct {
	everyone, answer *roaring64.Bitmap
	sets             map[string]*roaring64.Bitmap
	sql              []string
	args             [][]any
	err              error
}

func (r *recorder) Select(_ context.Context, _, sql string, args []any) (*roaring64.Bitmap, error) {
	r.sql, r.args = append(r.sql, sql), append(r.args, args)
	return r.answer, r.err
}

func (r *recorder) Everyone(context.Context, string) (*roaring64.Bitmap, error) {
	return r.everyone, nil
}

func (*recorder) Engine() event.Engine { return event.DuckDB }

func (r *recorder) Members(_ context.Context, _, set string) (*roaring64.Bitmap, error) {
	return r.sets[set], nil
}

func TestAudienceCombinesAndCountsEveryNode(t *testing.T) {
	src := &recorder{
		everyone: roaring64.BitmapOf(1, 2, 3, 4, 5, 6), answer: roaring64.BitmapOf(1, 2, 3, 99),
		sets: map[string]*roaring64.Bitmap{"seg_1": roaring64.BitmapOf(3, 4, 77), "lst_1": roaring64.BitmapOf(5)},
	}
	r := parse(t, `{"all":[{"any":[{"trait":{"path":"a","op":"exists"}},{"list":{"id":"lst_1"}},{"any":[]}]},{"not":{"segment":{"id":"seg_1"}}},
		{"event":{"name":"A","op":"eq","value":0}},{"all":[]},{"segment":{"id":"seg_1","in":false}}]}`)
	a, err := r.Audience(t.Context(), src, "ws_1", now)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]uint64{5}, a.People.ToArray()); d != "" {
		t.Errorf("people: %s", d)
	}
	want := []rule.NodeCount{
		{Path: "all", Count: 1},
		{Path: "all[0].any", Count: 4},
		{Path: "all[0].any[0].trait", Count: 3}, // 99 is nobody
		{Path: "all[0].any[1].list", Count: 1},
		{Path: "all[0].any[2].any", Count: 0},
		{Path: "all[1].not", Count: 4},
		{Path: "all[1].not.segment", Count: 2},
		{Path: "all[2].event", Count: 3}, // everyone but those who did it
		{Path: "all[3].all", Count: 6},
		{Path: "all[4].segment", Count: 4},
	}
	if d := cmp.Diff(want, a.Counts); d != "" {
		t.Errorf("counts: %s", d)
	}
	if d := cmp.Diff([]uint64{1, 2, 3, 4, 5, 6}, src.everyone.ToArray()) + cmp.Diff([]uint64{3, 4, 77}, src.sets["seg_1"].ToArray()); d != "" {
		t.Errorf("the source's bitmaps were changed: %s", d)
	}
}

func TestAudienceSaysWhichConditionFailed(t *testing.T) {
	gone := errors.New("store is gone")
	src := &recorder{everyone: roaring64.New(), err: gone}
	_, err := parse(t, `{"any":[{"everyone":{}},{"order":{}}]}`).Audience(t.Context(), src, "ws_1", now)
	if !errors.Is(err, gone) || !strings.Contains(err.Error(), "any[1].order") {
		t.Errorf("got %v, want the cause and any[1].order", err)
	}
}

func TestWhatAUserWroteIsNeverPartOfTheSQL(t *testing.T) {
	const evil = `evil'); DROP TABLE event; --`
	for _, raw := range []string{
		`{"trait":{"path":"EVIL","op":"eq","value":"EVIL"}}`, `{"trait":{"path":"EVIL","op":"contains","value":"EVIL"}}`, `{"trait":{"path":"EVIL","op":"between","value":["EVIL","EVIL"]}}`,
		`{"event":{"name":"EVIL","agg":"last","path":"EVIL","op":"in","value":["EVIL","EVIL"],"filter":[{"path":"EVIL","op":"starts_with","value":"EVIL"}]}}`,
		`{"event":{"name":"EVIL","agg":"distinct","path":"EVIL","op":"gt","value":1}}`, `{"event":{"name":"EVIL","agg":"sum","path":"EVIL","op":"gt","value":1}}`,
		`{"device":{"path":"os","op":"contains","value":"EVIL"}}`, `{"device":{"path":"os_version","op":"gte","value":"1 EVIL"}}`,
		`{"channel":{"kind":"EVIL","subscribed":"EVIL"}}`, `{"bucket":{"salt":"EVIL","from":0,"to":1}}`,
		`{"engagement":{"action":"opened","topic":"EVIL","channel":"EVIL","source":{"kind":"EVIL","id":"EVIL","node":"EVIL"}}}`,
		`{"order":{"filter":[{"path":"EVIL","op":"eq","value":"EVIL"}]}}`,
	} {
		src := &recorder{everyone: roaring64.New(), answer: roaring64.New()}
		r := parse(t, strings.ReplaceAll(raw, "EVIL", strings.ReplaceAll(evil, `"`, `\"`)))
		if _, err := r.Audience(t.Context(), src, "ws_evil", now); err != nil {
			t.Fatal(err)
		}
		for i, sql := range src.sql {
			if strings.Contains(sql, "evil") || strings.Contains(sql, "DROP") {
				t.Errorf("%s: the SQL contains what the user wrote: %s", raw, sql)
			}
			if len(src.args[i]) < 2 {
				t.Errorf("%s: %d arguments, want the workspace and what the user wrote", raw, len(src.args[i]))
			}
		}
	}
}
