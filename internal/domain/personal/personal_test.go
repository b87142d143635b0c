package personal

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

type fixed struct{}

func (fixed) Now() time.Time { return time.Unix(0, 0).UTC() }

type memory struct{ put []Setting }

func (m *memory) All(context.Context, string, string) ([]Setting, error) { return m.put, nil }
func (m *memory) Delete(context.Context, string, string, string) error   { return nil }
func (m *memory) Put(_ context.Context, _, _ string, p Setting, _ int) error {
	m.put = append(m.put, p)
	return nil
}

func TestValuesAreCheckedBeforeTheyAreStored(t *testing.T) {
	m := &memory{}
	s := New(m, fixed{})
	for _, c := range []struct{ key, value, code string }{
		{"Views", `1`, "personal.key"},
		{"views people", `1`, "personal.key"},
		{"views." + strings.Repeat("x", 80), `1`, "personal.key"},
		{"views.people", ``, "personal.value"},
		{"views.people", `{`, "personal.value"},
		{"views.people", `"` + strings.Repeat("x", maxValue) + `"`, "personal.value.too_large"},
	} {
		_, err := s.Put(t.Context(), "ws", "usr", c.key, json.RawMessage(c.value))
		if all := errs.All(err); len(all) != 1 || all[0].Code != c.code {
			t.Errorf("%q %.20q: %v, want %s", c.key, c.value, err, c.code)
		}
	}
	if len(m.put) != 0 {
		t.Fatalf("stored %v", m.put)
	}
	p, err := s.Put(t.Context(), "ws", "usr", "views.saved-reports", json.RawMessage("{ \"a\":\n 1 }"))
	if err != nil || string(p.Value) != `{"a":1}` || string(m.put[0].Value) != `{"a":1}` {
		t.Errorf("%s %v", p.Value, err)
	}
}
