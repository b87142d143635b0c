package eventtest

import (
	"encoding/json"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

func promoted(t *testing.T, s Store) {
	columns := `total, currency, order_id, product_id, category, url, path, os, os_version, device_type, device_model, platform, app_version,
		locale, timezone, country, channel, topic, source_kind, source_id, node, outbox_id`
	full := Kept(1, "A", 0, 1)
	full.Properties = json.RawMessage(`{"total":19.5,"revenue":1,"currency":"USD","order_id":"o1","product_id":"p1","sku":"s1","category":"c1","url":"u1","path":"/p"}`)
	full.Context = json.RawMessage(`{"os":{"name":"iOS","version":"17.1"},"device":{"type":"ios","model":"iPhone"},"app":{"version":"3.2"},
		"locale":"ja-JP","timezone":"Asia/Tokyo","location":{"country":"JP"},"page":{"url":"other","path":"other"}}`)
	fallback := Kept(1, "A", 1, 2)
	fallback.Properties = json.RawMessage(`{"total":"19.5","value":3,"order_id":12,"sku":"s1","Total":9}`)
	fallback.Context = json.RawMessage(`{"os":{"name":"Windows","version":11},"page":{"url":"u2","path":"/2"}}`)
	wrong := Kept(1, "A", 2, 3)
	wrong.Properties = json.RawMessage(`{"total":null,"revenue":[1],"value":true,"currency":5,"order_id":{"a":1},"product_id":"","category":["x"],"url":1,"path":{},"channel":"email"}`)
	wrong.Context = json.RawMessage(`{"os":"iOS","device":[],"app":null,"locale":7,"timezone":{},"location":"JP","page":3}`)
	wrong.Origin = event.Internal
	message := Kept(1, event.MessageOpened, 3, 4)
	message.Type = event.Message
	message.Origin = event.Internal
	message.Properties = json.RawMessage(`{"channel":"email","topic":"tpc_1","source_kind":"campaign","source_id":"cmp_1","node":"n1","message_id":"msg_1"}`)
	appendBatch(t, s, event.Batch{Events: []event.Kept{full, fallback, wrong, message}, Through: 4})
	got, err := s.Query(t.Context(), `SELECT `+columns+` FROM event WHERE ws = ? ORDER BY time`, []any{"ws_1"})
	if err != nil {
		t.Fatal(err)
	}
	none := make([]any, 22)
	ofMessage := make([]any, 22)
	copy(ofMessage[16:], []any{"email", "tpc_1", "campaign", "cmp_1", "n1", "msg_1"})
	same(t, "promoted columns", got, [][]any{
		{19.5, "USD", "o1", "p1", "c1", "u1", "/p", "iOS", "17.1", "ios", "iPhone", "ios", "3.2", "ja-JP", "Asia/Tokyo", "JP", nil, nil, nil, nil, nil, nil},
		{3.0, nil, "12", "s1", nil, "u2", "/2", "Windows", "11", nil, nil, "web", nil, nil, nil, nil, nil, nil, nil, nil, nil, nil},
		none,
		ofMessage,
	})
}

func oddJSON(t *testing.T, s Store) {
	var b event.Batch
	odd := map[string]string{
		`{"a":"\ud800"}`:                       "{\"a\":\"\ufffd\"}",
		`{"a":1,"a":2}`:                        `{"a":2}`,
		`{"a":1e999,"b":-1e400}`:               `{"a":"1e999","b":"-1e400"}`,
		"{\"a\":\"\xff\"}":                     "{\"a\":\"\ufffd\"}",
		`{"a":"x\u0000y"}`:                     `{"a":"x\u0000y"}`,
		`{"a":"\ud83d\uDE00 ok"}`:              `{"a":"\ud83d\uDE00 ok"}`,
		`{"a":123456789012345678901234567890}`: `{"a":123456789012345678901234567890}`,
		` {"a": -0.0, "b": [ ] , "":{}} `:      ` {"a": -0.0, "b": [ ] , "":{}} `,
		`[1]`:                                  `{}`,
		`null`:                                 `{}`,
		`{"a":`:                                `{}`,
		`{"a":01}`:                             `{}`,
	}
	want := map[string]string{}
	n := uint64(0)
	for in, out := range odd {
		n++
		k := Kept(1, "A", int(n), n)
		k.Properties, k.Context = json.RawMessage(in), json.RawMessage(in)
		b.Events = append(b.Events, k)
		b.People = append(b.People, mirror(n, in))
		want[k.MessageID] = out
	}
	b.Through = n
	appendBatch(t, s, b)
	h, err := s.Histories(t.Context(), "ws_1", []uint64{1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, k := range h[1] {
		got[k.MessageID] = string(k.Properties)
		if !json.Valid(k.Properties) || !json.Valid(k.Context) {
			t.Errorf("%s: not JSON any more: %s", k.MessageID, k.Properties)
		}
	}
	same(t, "properties", got, want)
	if rows, err := s.Query(t.Context(), `SELECT props, context FROM event WHERE ws = ?`, []any{"ws_1"}); err != nil || uint64(len(rows)) != n {
		t.Errorf("%d rows, %v; want %d", len(rows), err, n)
	}
	if people, err := s.People(t.Context(), "ws_1", []uint64{1, 2}); err != nil || len(people) != 2 {
		t.Errorf("%d people, %v; want 2", len(people), err)
	}
}
