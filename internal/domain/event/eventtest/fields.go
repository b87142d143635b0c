package eventtest

import (
	"encoding/json"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

func fields(t *testing.T, s Store) {
	seen := func(n int, name, props string) event.Kept {
		k := Kept(1, name, n, uint64(n))
		k.Properties = json.RawMessage(props)
		return k
	}
	other := mirror(9, `{"secret":"x","country":"JP"}`)
	other.Workspace = "ws_2"
	hidden := seen(4, "Bought", `{"inner":1}`)
	hidden.Type = event.Message
	appendBatch(t, s, event.Batch{
		Events: []event.Kept{seen(1, "Bought", `{"total":5,"box":{"a/b":"x"}}`), seen(2, "Bought", `{"total":5.5}`), seen(3, "Looked", `{"url":"u"}`), hidden},
		People: []event.Mirror{
			mirror(1, `{"country":"JP","vip":true,"address":{"city":"Kyoto"},"a.b":1,"gone":null,"tags":["x"]}`),
			mirror(2, `{"country":"JP","vip":false}`), mirror(3, `{"country":"FR"}`), mirror(4, `{}`), other,
		},
		Through: 4,
	})
	ctx := t.Context()
	for _, c := range []struct {
		name  string
		limit int
		want  []event.Field
	}{
		{"", 10, []event.Field{{Path: "country", Kind: "text", Count: 3}, {Path: "vip", Kind: "boolean", Count: 2}, {Path: "address", Kind: "object", Count: 1}, {Path: "address.city", Kind: "text", Count: 1}, {Path: "tags", Kind: "list", Count: 1}}},
		{"", 1, []event.Field{{Path: "country", Kind: "text", Count: 3}}},
		{"Bought", 10, []event.Field{{Path: "total", Kind: "number", Count: 2}, {Path: "box", Kind: "object", Count: 1}, {Path: "box.a/b", Kind: "text", Count: 1}}},
		{"Nothing", 10, nil},
	} {
		got, err := s.Fields(ctx, "ws_1", c.name, c.limit)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "fields of "+c.name, got, c.want)
	}
	for _, c := range []struct {
		name, path string
		want       []event.ValueCount
	}{
		{"", "country", []event.ValueCount{{Value: "JP", Kind: "text", Count: 2}, {Value: "FR", Kind: "text", Count: 1}}},
		{"", "vip", []event.ValueCount{{Value: "false", Kind: "boolean", Count: 1}, {Value: "true", Kind: "boolean", Count: 1}}},
		{"", "address.city", []event.ValueCount{{Value: "Kyoto", Kind: "text", Count: 1}}},
		{"", "address", nil},
		{"", "gone", nil},
		{"Bought", "box.a/b", []event.ValueCount{{Value: "x", Kind: "text", Count: 1}}},
		{"Looked", "total", nil},
	} {
		got, err := s.Values(ctx, "ws_1", c.name, c.path, 10)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "values at "+c.path, got, c.want)
	}
}
