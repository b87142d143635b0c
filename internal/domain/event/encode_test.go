package event_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

func sample() event.Event {
	at := time.Date(2026, 3, 4, 5, 6, 7, 891_000_000, time.UTC)
	return event.Event{
		Workspace: "ws_1", MessageID: "m-1", Type: event.Track, Name: "Order Completed", UserID: "u1", AnonymousID: "a1",
		Time: at, Original: at.Add(-time.Second), Sent: at.Add(time.Millisecond), Received: at.Add(time.Second),
		Source: "src_1", Origin: event.Server,
		Properties: json.RawMessage(`{"total":12.5,"currency":"EUR","products":[{"sku":"s-1","name":"Löffel"}]}`),
		Context:    json.RawMessage(`{"ip":"10.0.0.0","page":{"url":"https://shop.example/a?b=c&d=e"}}`),
		Flags:      []string{"clock_future"},
		Trace:      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		Hops:       12,
	}
}

func genEvent(t *rapid.T) event.Event {
	text := rapid.String()
	stamp := rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMicro(rapid.Int64Range(1, 253402300799_000000).Draw(t, "µs")).UTC()
	})
	object := rapid.Custom(func(t *rapid.T) json.RawMessage {
		m := rapid.MapOf(rapid.String(), rapid.OneOf(rapid.String().AsAny(), rapid.Float64Range(-1e9, 1e9).AsAny(), rapid.Bool().AsAny())).Draw(t, "object")
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	})
	optional := func(g *rapid.Generator[string]) string {
		if rapid.Bool().Draw(t, "present") {
			return g.Draw(t, "text")
		}
		return ""
	}
	e := event.Event{
		Workspace: "ws_" + text.Draw(t, "ws"), MessageID: "m" + text.Draw(t, "id"),
		Type: rapid.SampledFrom([]event.Type{event.Track, event.Alias, event.Message, event.Consent}).Draw(t, "type"),
		Name: optional(text), UserID: optional(text), AnonymousID: optional(text), PreviousID: optional(text),
		GroupID: optional(text), PersonID: optional(text), Source: optional(text),
		Origin: event.Browser, Time: stamp.Draw(t, "time"), Received: stamp.Draw(t, "received"),
	}
	if rapid.Bool().Draw(t, "full") {
		e.Original, e.Sent = stamp.Draw(t, "original"), stamp.Draw(t, "sent")
		e.Properties, e.Context = object.Draw(t, "properties"), object.Draw(t, "context")
		e.Flags = rapid.SliceOfN(text, 1, 3).Draw(t, "flags")
	}
	return e
}

// What is written comes back, and encoding/json reads it the same.
func TestBatchRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(genEvent), 0, 4).Draw(t, "events")
		data, err := event.EncodeBatch(events)
		if err != nil {
			t.Fatal(err)
		}
		got, err := event.DecodeBatch(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(events, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		var std []event.Event
		for d := json.NewDecoder(bytes.NewReader(data)); d.More(); {
			var e event.Event
			if err := d.Decode(&e); err != nil {
				t.Fatal(err)
			}
			std = append(std, e)
		}
		if diff := cmp.Diff(std, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestEncodeBatchPutsEveryEventOnOneLine(t *testing.T) {
	e := sample()
	e.Name = "two\nlines"
	e.Properties = json.RawMessage("{\n  \"a\": 1\n}")
	e.Context = json.RawMessage(" null ")
	data, err := event.EncodeBatch([]event.Event{e, sample()})
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(data), "\n"); n != 2 {
		t.Errorf("%d lines for two events: %s", n, data)
	}
	got, err := event.DecodeBatch(data)
	if err != nil || got[0].Name != e.Name || string(got[0].Properties) != `{"a":1}` || got[0].Context != nil {
		t.Errorf("decoded as %+v, %v", got, err)
	}
}

func TestEncodeBatchRefusesWhatCannotBeReadBack(t *testing.T) {
	for name, spoil := range map[string]func(*event.Event){
		"properties that are no object": func(e *event.Event) { e.Properties = json.RawMessage(`[1]`) },
		"broken properties":             func(e *event.Event) { e.Properties = json.RawMessage(`{"a":`) },
		"broken context":                func(e *event.Event) { e.Context = json.RawMessage(`{"a":1}}`) },
		"a year beyond 9999":            func(e *event.Event) { e.Time = time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		t.Run(name, func(t *testing.T) {
			e := sample()
			spoil(&e)
			if data, err := event.EncodeBatch([]event.Event{e}); err == nil {
				t.Errorf("encoded as %s", data)
			}
		})
	}
}

func TestDecodeBatchKeepsTheGoodLinesAndNamesTheBad(t *testing.T) {
	good, err := event.EncodeBatch([]event.Event{sample()})
	if err != nil {
		t.Fatal(err)
	}
	line := strings.TrimSuffix(string(good), "\n")
	for name, bad := range map[string]string{
		"not JSON":               `{"w":`,
		"not an object":          `"text"`,
		"two values":             line + line,
		"no workspace":           strings.Replace(line, `"w":"ws_1"`, `"w":""`, 1),
		"no message id":          strings.Replace(line, `"m":"m-1",`, ``, 1),
		"unknown type":           strings.Replace(line, `"t":"track"`, `"t":"teleport"`, 1),
		"no origin":              strings.Replace(line, `,"o":"server"`, ``, 1),
		"no time":                strings.Replace(line, `"ts":"2026-03-04T05:06:07.891Z",`, ``, 1),
		"time in another format": strings.Replace(line, `"2026-03-04T05:06:07.891Z"`, `"4 March 2026"`, 1),
		"properties not object":  strings.Replace(line, `"pr":{`, `"pr":[],"x":{`, 1),
		"broken properties":      strings.Replace(line, `"total":12.5`, `"total":12.5.5`, 1),
		"broken string":          strings.Replace(line, "Order Completed", "Order \t Completed", 1),
		"number for a string":    strings.Replace(line, `"u":"u1"`, `"u":1`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			if bad == line {
				t.Fatal("the line was not spoilt")
			}
			got, err := event.DecodeBatch([]byte(line + "\n" + bad + "\n\n" + line + "\n"))
			if err == nil || !strings.Contains(err.Error(), "line 2") {
				t.Errorf("error %v, want one that names line 2", err)
			}
			if len(got) != 2 {
				t.Errorf("%d events beside the bad one, want 2", len(got))
			}
		})
	}
}

func TestDecodeBatchLeavesUnknownFieldsAlone(t *testing.T) {
	data, err := event.EncodeBatch([]event.Event{sample()})
	if err != nil {
		t.Fatal(err)
	}
	later := bytes.Replace(data, []byte(`{"w"`), []byte(`{"zz":{"new":[1]},"w"`), 1)
	got, err := event.DecodeBatch(later)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]event.Event{sample()}, got); diff != "" {
		t.Error(diff)
	}
}

// Whatever the bytes, DecodeBatch gives what encoding/json gives line by line, and what it gives can be encoded again.
func FuzzDecodeBatch(f *testing.F) {
	data, err := event.EncodeBatch([]event.Event{sample(), {Workspace: "w", MessageID: "m", Type: event.Alias, UserID: "\u2028\"\\\x01", Origin: event.Browser, Time: time.Unix(1, 0), Received: time.Unix(2, 0)}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"w":"w","m":"m","t":"page","ts":"2026-01-01T00:00:00Z","rt":"2026-01-01T00:00:00+09:00","o":"server","pr":{"a":"\ud83d"},"fl":[]}`))
	f.Add([]byte(`{"w":"w","m":"m","t":"page","ts":"9999-12-31T23:59:59-01:00","rt":"0000-01-01T00:00:00+09:00","o":"server"}`))
	f.Add([]byte(`{"W":"w","m":null,"t":"page"}` + "\n\n{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := event.DecodeBatch(data)
		var want []event.Event
		clean := true
		for _, line := range bytes.Split(data, []byte("\n")) {
			if len(line) == 0 {
				continue
			}
			var e event.Event
			if json.Unmarshal(line, &e) != nil || e.Workspace == "" || e.MessageID == "" || e.Origin == "" || e.Time.IsZero() || e.Received.IsZero() ||
				e.Time.UTC().Year() > 9999 || e.Received.UTC().Year() > 9999 || e.Original.UTC().Year() > 9999 || e.Sent.UTC().Year() > 9999 ||
				e.Time.UTC().Year() < 0 || e.Received.UTC().Year() < 0 || e.Original.UTC().Year() < 0 || e.Sent.UTC().Year() < 0 ||
				len(e.Properties) > 0 && e.Properties[0] != '{' || len(e.Context) > 0 && e.Context[0] != '{' ||
				!e.Type.External() && e.Type != event.Message && e.Type != event.Segment && e.Type != event.Journey && e.Type != event.Consent {
				clean = false
				continue
			}
			want = append(want, e)
		}
		if clean != (err == nil) {
			t.Fatalf("error %v, want none: %v", err, clean)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		again, err := event.EncodeBatch(got)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := event.DecodeBatch(again); err != nil || len(back) != len(got) {
			t.Fatalf("%d of %d events after another round, %v", len(back), len(got), err)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	e := sample()
	var out []byte
	for b.Loop() {
		out = event.AppendLine(out[:0], &e)
	}
	b.SetBytes(int64(len(out)))
}

func BenchmarkDecode(b *testing.B) {
	e := sample()
	data := event.AppendLine(nil, &e)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := event.DecodeBatch(data); err != nil {
			b.Fatal(err)
		}
	}
}

// A type that the reader of the log does not know is an event that is lost after it was written.
func TestEveryTypeOfEventComesBackFromTheLog(t *testing.T) {
	for _, typ := range []event.Type{
		event.Track, event.Page, event.Screen, event.Identify, event.Group, event.Alias,
		event.Message, event.Segment, event.Journey, event.Consent, event.Task, event.Invoice, event.Identity,
	} {
		e := sample()
		e.Type = typ
		raw, err := event.EncodeBatch([]event.Event{e})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := event.DecodeBatch(raw); err != nil || len(got) != 1 || got[0].Type != typ {
			t.Errorf("%s: %v, %v", typ, got, err)
		}
	}
}
