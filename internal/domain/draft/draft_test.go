package draft

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

type fixed struct{}

func (fixed) Now() time.Time { return time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC) }

type memory struct {
	Store
	put  []Draft
	then time.Time
}

func (m *memory) Put(_ context.Context, _, _ string, d Draft, _ int) (Draft, error) {
	m.put = append(m.put, d)
	return d, nil
}

func (m *memory) Expire(_ context.Context, then time.Time, _ int) (int64, error) {
	m.then = then
	return 0, nil
}

func TestDraftsAreCheckedBeforeTheyAreStored(t *testing.T) {
	m := &memory{}
	s := NewService(m, fixed{})
	for _, c := range []struct{ kind, thing, document, code string }{
		{"journey", "jrn_1", `1`, "draft.kind"},
		{"template", "", `1`, "draft.thing"},
		{"template", strings.Repeat("x", 81), `1`, "draft.thing"},
		{"template", "tpl_1", ``, "draft.document"},
		{"template", "tpl_1", `{`, "draft.document"},
		{"template", "tpl_1", `"` + strings.Repeat("x", MaxDocument) + `"`, "draft.document.too_large"},
	} {
		_, err := s.Put(t.Context(), "ws", "usr", Thing{c.kind, c.thing}, 1, json.RawMessage(c.document))
		if all := errs.All(err); len(all) != 1 || all[0].Code != c.code {
			t.Errorf("%s %.20q %.20q: %v, want %s", c.kind, c.thing, c.document, err, c.code)
		}
	}
	if len(m.put) != 0 {
		t.Fatalf("stored %v", m.put)
	}
	if d, err := s.Put(t.Context(), "ws", "usr", Thing{"template", "tpl_1"}, 3, json.RawMessage("{ \"a\":\n 1 }")); err != nil || string(d.Document) != `{"a":1}` || d.Base != 3 {
		t.Errorf("%+v %v", d, err)
	}
	if _, err := s.Expire(t.Context(), 10); err != nil || !m.then.Equal(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)) {
		t.Errorf("drafts of before %s go: %v", m.then, err)
	}
	if others, err := s.Others(t.Context(), "ws", "usr", Thing{"segment", New}); err != nil || len(others) != 0 {
		t.Errorf("two new segments are not the same: %v %v", others, err)
	}
}
