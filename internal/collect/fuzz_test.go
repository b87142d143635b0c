package collect_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/collect"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// FuzzIntake sends any body to a batch and to a single path. Whatever it is: an answer of the contract, every event
// either on the log or rejected, and nothing on the log that a store could not keep.
func FuzzIntake(f *testing.F) {
	for _, seed := range []string{
		`{"batch":[{"type":"track","event":"A","userId":"u","messageId":"m","properties":{"a":[1,{"b":null}]},"context":{"ip":"1.2.3.4","direct":true},"timestamp":"2026-01-01T00:00:00Z"}],"sentAt":"2026-01-01T00:00:01Z","writeKey":"browser-key","context":{"x":1},"integrations":{"All":true}}`,
		`{"batch":[{"type":"alias","userId":"u","previousId":"p"},{"type":"group","groupId":1,"userId":"u"},7,null,{"type":"identify","anonymousId":"a","traits":{"a":1,"a":2}}]}`,
		`{"userId":"\ud83d","event":"X"}`, `{"userId":"u","event":"X","timestamp":1777593600,"extra":1,"context":{"extra":{}}}`,
		"{\"anonymousId\":\"a\xff\",\"event\":\"\\u0000\",\"properties\":{\"n\":1e999}}", `{"batch":[[[[[]]]]]}`, `{"batch":{}}`, `[]`, ``, `{"category":"c","userId":"u","name":"n"}`,
		`{"batch":[{"type":"page","userId":"u","properties":` + strings.Repeat(`{"a":`, 33) + `1` + strings.Repeat(`}`, 33) + `}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		in := newIntake(t)
		for _, target := range []string{"/v1/batch", "/v1/track", "/v1/page", "/v1/identify"} {
			for _, key := range []string{"server-key", "browser-key"} {
				w := in.do(http.MethodPost, target, key, string(body))
				a := read(t, w)
				evs := in.events()
				switch {
				case w.Code == 200 && a.Success:
					if !json.Valid(body) && body[0] != 0x1f {
						t.Fatalf("%s took a body that is no JSON", target)
					}
					if sent := count(target, body); sent >= 0 && len(evs)+len(a.Rejected) != sent {
						t.Fatalf("%s: %d events sent, %d kept, %d rejected", target, sent, len(evs), len(a.Rejected))
					}
				case w.Code == 400 && a.Code != "" && a.Message != "":
					if len(evs) > 0 {
						t.Fatalf("%s: refused, and on the log", target)
					}
				default:
					t.Fatalf("%s: answer %d %s", target, w.Code, w.Body)
				}
				for _, e := range evs {
					check(t, e)
				}
			}
		}
	})
}

// count returns the number of events in a body, -1 if encoding/json reads its members differently.
func count(target string, body []byte) int {
	if target != "/v1/batch" {
		return 1
	}
	if bytes.Count(body, []byte("atch")) != 1 {
		return -1
	}
	var b struct {
		Batch []json.RawMessage `json:"batch"`
	}
	if json.Unmarshal(body, &b) != nil || b.Batch == nil {
		return -1
	}
	return len(b.Batch)
}

func check(t *testing.T, e event.Event) {
	t.Helper()
	for _, text := range []string{e.MessageID, e.Name, e.UserID, e.AnonymousID, e.PreviousID, e.GroupID} {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) || len([]rune(text)) > 500 {
			t.Fatalf("broken text %q", text)
		}
	}
	for _, obj := range []json.RawMessage{e.Properties, e.Context} {
		if len(obj) > 0 && (obj[0] != '{' || string(event.Clean(obj)) != string(obj) && !surrogates(obj)) {
			t.Fatalf("not clean: %q -> %q", obj, event.Clean(obj))
		}
		if len(obj) > 2*collect.MaxEvent {
			t.Fatalf("%d bytes", len(obj))
		}
	}
	if e.UserID == "" && e.AnonymousID == "" || e.Time.Unix() < 0 || e.Time.After(now.Add(5*60*1e9)) {
		t.Fatalf("on the log: %+v", e)
	}
}

// surrogates reports escapes and exponents, which event.Clean leaves to encoding/json although they are clean.
func surrogates(obj []byte) bool { return bytes.ContainsAny(obj, `\eE`) }
