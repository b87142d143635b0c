package collect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/collect"
	"github.com/kizuna-cx/kizuna/internal/domain/quota"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func TestOneBadEventIsRejectedAloneWithItsReason(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	manyKeys := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"k%d":1`, i)
		}
		return "{" + b.String()[1:] + "}"
	}
	for code, bodies := range map[string][]string{
		"event.invalid":             {`1`, `"text"`, `null`, `[{"type":"page","userId":"u"}]`, `[]`},
		"event.too_large":           {`{"type":"page","userId":"u","messageId":"mid","properties":{"p":"` + long(collect.MaxEvent) + `"}}`},
		"event.too_deep":            {`{"type":"page","userId":"u","messageId":"mid","properties":` + strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat(`}`, 40) + `}`, `{"x":` + strings.Repeat(`[`, 5000) + strings.Repeat(`]`, 5000) + `}`},
		"event.id.missing":          {`{"type":"page"}`, `{"type":"page","userId":"","anonymousId":null}`, `{"type":"page","userId":"  "}`, `{"type":"page","traits":{"userId":"u"}}`},
		"event.name.missing":        {`{"type":"track","userId":"u"}`, `{"type":"track","userId":"u","event":""}`, `{"type":"track","userId":"u","event":null}`, `{"type":"track","userId":"u","name":"X"}`},
		"event.name.too_long":       {`{"type":"track","userId":"u","event":"` + long(501) + `"}`, `{"type":"page","userId":"u","name":"` + long(501) + `"}`},
		"event.name.invalid":        {`{"type":"track","userId":"u","event":{"name":"X"}}`, `{"type":"track","userId":"u","event":true}`},
		"event.name.broken":         {`{"type":"track","userId":"u","event":"a\u0000"}`},
		"event.type.missing":        {`{"userId":"u"}`, `{"userId":"u","type":""}`, `{}`},
		"event.type.unknown":        {`{"userId":"u","type":"teleport"}`, `{"userId":"u","type":"Track","event":"X"}`, `{"userId":"u","type":"message"}`},
		"event.type.invalid":        {`{"userId":"u","type":["track"]}`},
		"event.message_id.too_long": {`{"type":"page","userId":"u","messageId":"` + long(101) + `"}`},
		"event.message_id.invalid":  {`{"type":"page","userId":"u","messageId":{}}`, `{"type":"page","userId":"u","messageId":1.5}`},
		"event.message_id.broken":   {"{\"type\":\"page\",\"userId\":\"u\",\"messageId\":\"a\xff\"}"},
		"event.user_id.invalid":     {`{"type":"page","userId":{"id":1}}`, `{"type":"page","userId":true}`, `{"type":"page","userId":["u"]}`, `{"type":"page","userId":1e3}`},
		"event.user_id.too_long":    {`{"type":"page","userId":"` + long(501) + `"}`},
		"event.user_id.broken":      {`{"type":"page","userId":"\ud83d"}`, `{"type":"page","userId":"\u0000"}`},
		"event.user_id.missing":     {`{"type":"alias","anonymousId":"a","previousId":"p"}`},
		"event.anonymous_id.broken": {"{\"type\":\"page\",\"anonymousId\":\"\xc3\x28\"}", `{"type":"page","anonymousId":1e999}`},
		"event.previous_id.missing": {`{"type":"alias","userId":"u"}`},
		"event.group_id.missing":    {`{"type":"group","userId":"u"}`, `{"type":"group","userId":"u","groupId":""}`},
		"event.group_id.too_long":   {`{"type":"group","userId":"u","groupId":"` + long(501) + `"}`},
		"event.properties.invalid":  {`{"type":"page","userId":"u","properties":[1]}`, `{"type":"page","userId":"u","properties":"x"}`},
		"event.properties.too_many": {`{"type":"page","userId":"u","properties":` + manyKeys(301) + `}`},
		"event.traits.invalid":      {`{"type":"identify","userId":"u","traits":7}`},
		"event.traits.too_many":     {`{"type":"identify","userId":"u","traits":` + manyKeys(301) + `}`, `{"type":"group","groupId":"g","userId":"u","traits":` + manyKeys(400) + `}`},
		"event.context.invalid":     {`{"type":"page","userId":"u","context":"x"}`},
		"event.timestamp.invalid":   {`{"type":"page","userId":"u","timestamp":"yesterday"}`, `{"type":"page","userId":"u","timestamp":{}}`, `{"type":"page","userId":"u","timestamp":true}`, `{"type":"page","userId":"u","timestamp":-5}`, `{"type":"page","userId":"u","timestamp":2026}`, `{"type":"page","userId":"u","timestamp":1e300}`, `{"type":"page","userId":"u","originalTimestamp":"x","timestamp":"2026-01-01T00:00:00Z"}`},
		"event.timestamp.too_old":   {`{"type":"page","userId":"u","timestamp":"1969-12-31T23:59:59Z"}`, `{"type":"page","userId":"u","timestamp":"0001-01-02T00:00:00Z"}`},
	} {
		for _, body := range bodies {
			t.Run(code, func(t *testing.T) {
				in := newIntake(t)
				w := in.post("/v1/batch", `{"batch":[{"type":"page","userId":"u","messageId":"before"},`+body+`,{"type":"page","userId":"u","messageId":"after"}]}`)
				a := read(t, w)
				if w.Code != 200 || !a.Success {
					t.Fatalf("%.100s: answer %d %s", body, w.Code, w.Body)
				}
				if len(a.Rejected) != 1 || a.Rejected[0].Index != 1 || a.Rejected[0].Code != code || a.Rejected[0].Reason == "" {
					t.Fatalf("%.100s: rejected %+v, want %s", body, a.Rejected, code)
				}
				if strings.HasPrefix(a.Rejected[0].MessageID, "evt_") {
					t.Errorf("the rejection names an id that nobody sent: %+v", a.Rejected[0])
				}
				if strings.Contains(body, `"mid"`) && a.Rejected[0].MessageID != "mid" {
					t.Errorf("the rejection does not name the event: %+v", a.Rejected[0])
				}
				evs := in.events()
				if len(evs) != 2 || evs[0].MessageID != "before" || evs[1].MessageID != "after" {
					t.Errorf("on the log: %+v", evs)
				}
				rs := in.recorded()
				if len(rs) != 1 || rs[0].Code != code || rs[0].Index != 1 || rs[0].Workspace != "ws_1" || rs[0].Source != "src_s" || rs[0].Reason != a.Rejected[0].Reason || !rs[0].Time.Equal(now) {
					t.Errorf("recorded: %+v", rs)
				}
			})
		}
	}
	in := newIntake(t)
	w := in.post("/v1/batch", `{"batch":[{"type":"group","userId":"`+long(500)+`","groupId":"`+long(500)+`","messageId":"`+long(100)+`","traits":`+manyKeys(300)+`}]}`)
	if len(read(t, w).Rejected) != 0 {
		t.Errorf("at the limits: %s", w.Body)
	}
}

func TestSingleCallRejectsLikeABatch(t *testing.T) {
	in := newIntake(t)
	w := in.post("/v1/track", `{"userId":"u","messageId":"m9"}`)
	a := read(t, w)
	if w.Code != 200 || len(a.Rejected) != 1 || a.Rejected[0].MessageID != "m9" || a.Rejected[0].Code != "event.name.missing" {
		t.Errorf("answer %d %s", w.Code, w.Body)
	}
	if rs := in.recorded(); len(rs) != 1 || rs[0].MessageID != "m9" || rs[0].Type != "track" {
		t.Errorf("recorded: %+v", rs)
	}
}

func TestWholeBodyIs400OnlyIfItIsNoJSONOrTooLarge(t *testing.T) {
	event := `{"type":"page","userId":"u"}`
	pad := func(n int) string { return strings.Repeat(" ", n) }
	for name, c := range map[string]struct {
		path, body, encoding string
		code                 string // "" for 200
	}{
		"empty":                      {path: "/v1/track", code: "body.empty"},
		"white space":                {path: "/v1/track", body: " \n", code: "body.empty"},
		"broken":                     {path: "/v1/track", body: `{"userId":`, code: "body.invalid_json"},
		"broken in a later event":    {path: "/v1/batch", body: `{"batch":[` + event + `,{"type":]}`, code: "body.invalid_json"},
		"cut off":                    {path: "/v1/batch", body: `{"batch":[` + event, code: "body.invalid_json"},
		"something after":            {path: "/v1/batch", body: `{"batch":[` + event + `]} x`, code: "body.invalid_json"},
		"not JSON":                   {path: "/v1/batch", body: `userId=1&event=2`, code: "body.invalid_json"},
		"NUL bytes":                  {path: "/v1/batch", body: "\x00\x00", code: "body.invalid_json"},
		"a NUL in a string":          {path: "/v1/track", body: "{\"userId\":\"a\x00b\"}", code: "body.invalid_json"},
		"array":                      {path: "/v1/batch", body: `[` + event + `]`, code: "body.no_object"},
		"string":                     {path: "/v1/track", body: `"x"`, code: "body.no_object"},
		"no batch":                   {path: "/v1/batch", body: event, code: "body.no_batch"},
		"empty object":               {path: "/v1/batch", body: `{}`, code: "body.no_batch"},
		"batch is no array":          {path: "/v1/batch", body: `{"batch":{}}`, code: "body.no_batch"},
		"empty batch":                {path: "/v1/batch", body: `{"batch":[]}`},
		"deep beyond the parser":     {path: "/v1/batch", body: `{"batch":[` + strings.Repeat(`[`, 20000) + strings.Repeat(`]`, 20000) + `]}`, code: "body.invalid_json"},
		"deep around the events":     {path: "/v1/batch", body: `{"x":` + strings.Repeat(`[`, 40) + strings.Repeat(`]`, 40) + `,"batch":[]}`, code: "body.too_deep"},
		"batch context no object":    {path: "/v1/batch", body: `{"context":7,"batch":[]}`, code: "body.context.invalid"},
		"batch context too large":    {path: "/v1/batch", body: `{"context":{"a":"` + strings.Repeat("x", 40_000) + `"},"batch":[]}`, code: "body.context.too_large"},
		"batch context null":         {path: "/v1/batch", body: `{"context":null,"integrations":null,"batch":[` + event + `]}`},
		"single at the limit":        {path: "/v1/page", body: event + pad(collect.MaxEvent-len(event))},
		"single over the limit":      {path: "/v1/page", body: event + pad(collect.MaxEvent-len(event)+1), code: "body.too_large"},
		"batch at the limit":         {path: "/v1/batch", body: `{"batch":[]}` + pad(collect.MaxBatch-12)},
		"batch over the limit":       {path: "/v1/batch", body: `{"batch":[]}` + pad(collect.MaxBatch-11), code: "body.too_large"},
		"batch far over the limit":   {path: "/v1/batch", body: `{"batch":[]}` + pad(3*collect.MaxBatch), code: "body.too_large"},
		"packed over the limit":      {path: "/v1/batch", body: gzipped(t, `{"batch":[]}`+pad(collect.MaxBatch)), encoding: "gzip", code: "body.too_large"},
		"zip bomb":                   {path: "/v1/batch", body: gzipped(t, pad(20<<20)), encoding: "gzip", code: "body.too_large"},
		"gzip that is none":          {path: "/v1/batch", body: `{"batch":[]}`, encoding: "gzip", code: "body.gzip"},
		"gzip cut off":               {path: "/v1/batch", body: gzipped(t, `{"batch":[]}`)[:20], encoding: "gzip", code: "body.gzip"},
		"gzip with a wrong checksum": {path: "/v1/batch", body: strings.TrimSuffix(gzipped(t, `{"batch":[]}`), "\x00") + "\x01", encoding: "gzip", code: "body.gzip"},
		"another encoding":           {path: "/v1/batch", body: `{"batch":[]}`, encoding: "br", code: "body.encoding"},
	} {
		t.Run(name, func(t *testing.T) {
			in := newIntake(t)
			w := in.do(http.MethodPost, c.path, "server-key", c.body, "Content-Encoding", c.encoding)
			if c.code == "" {
				if w.Code != 200 {
					t.Errorf("answer %d %s", w.Code, w.Body)
				}
				return
			}
			a := read(t, w)
			if w.Code != 400 || a.Code != c.code || a.Message == "" || a.Success {
				t.Errorf("answer %d %s, want %s", w.Code, w.Body, c.code)
			}
			if len(in.events()) != 0 {
				t.Error("something reached the log")
			}
			if rs := in.recorded(); len(rs) != 1 || rs[0].Index != -1 || rs[0].Code != c.code {
				t.Errorf("recorded: %+v", rs)
			}
		})
	}
}

func TestEventsBeyondTheMostABatchMayHaveAreRejected(t *testing.T) {
	in := newIntake(t)
	body := `{"batch":[` + strings.Repeat(`{"type":"page","userId":"u"},`, collect.MaxBatchEvents) + `{"type":"page","userId":"u"},7]}`
	a := read(t, in.post("/v1/batch", body))
	if len(a.Rejected) != 2 || a.Rejected[0].Index != collect.MaxBatchEvents || a.Rejected[0].Code != "event.too_many" {
		t.Errorf("rejected %+v", a.Rejected)
	}
	if n := len(in.events()); n != collect.MaxBatchEvents {
		t.Errorf("%d events on the log", n)
	}
}

func TestAHugeBatchOfRubbishGetsABoundedAnswer(t *testing.T) {
	in := newIntake(t)
	w := in.post("/v1/batch", `{"batch":[`+strings.TrimSuffix(strings.Repeat(`1,`, 250_000), ",")+`]}`)
	if w.Code != 200 || len(read(t, w).Rejected) > 2*collect.MaxBatchEvents || w.Body.Len() > 2<<20 {
		t.Errorf("answer %d with %d bytes", w.Code, w.Body.Len())
	}
}

func TestABatchCannotGrowWithoutBoundByItsContext(t *testing.T) {
	in := newIntake(t)
	a := read(t, in.post("/v1/batch", `{"context":{"a":"`+strings.Repeat("x", 30_000)+`"},"batch":[`+
		strings.TrimSuffix(strings.Repeat(`{"type":"page","userId":"u"},`, 2000), ",")+`]}`))
	n := len(in.events())
	if n == 0 || n > 300 || len(a.Rejected) != 2000-n || a.Rejected[0].Code != "event.too_many_bytes" {
		t.Errorf("%d events of 30 KB on the log, %d rejected", n, len(a.Rejected))
	}
}

func TestAnEventTooLargeTogetherWithTheBatchsContextIsRejected(t *testing.T) {
	in := newIntake(t)
	a := read(t, in.post("/v1/batch", `{"context":{"a":"`+strings.Repeat("x", 20_000)+`"},"batch":[{"type":"page","userId":"u","context":{"b":"`+strings.Repeat("y", 20_000)+`"}}]}`))
	if len(a.Rejected) != 1 || a.Rejected[0].Code != "event.too_large" {
		t.Errorf("rejected %+v", a.Rejected)
	}
}

func TestBackPressureIs503WithRetryAfter(t *testing.T) {
	in := newIntake(t)
	in.log.Fail(errs.Unavailable("bus.full", "full"))
	w := in.post("/v1/page", `{"userId":"u"}`)
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || read(t, w).Code != "bus.full" {
		t.Errorf("answer %d %v %s", w.Code, w.Header(), w.Body)
	}
	in.log.Fail(errors.New("disk on fire"))
	if w := in.post("/v1/page", `{"userId":"u"}`); w.Code != 500 || strings.Contains(w.Body.String(), "fire") {
		t.Errorf("answer %d %s", w.Code, w.Body)
	}
	in.log.Fail(nil)
	if w := in.post("/v1/page", `{"userId":"u"}`); w.Code != 200 {
		t.Errorf("answer %d once the log is back", w.Code)
	}
	if got := in.Figures(); got.Accepted != 1 || got.Refused != 1 {
		t.Errorf("figures %+v", got)
	}
}

func TestRejectionsAreNotRecordedForARequestThatMustComeAgain(t *testing.T) {
	in := newIntake(t)
	in.log.Fail(errs.Unavailable("bus.full", "full"))
	in.post("/v1/batch", `{"batch":[{"type":"page","userId":"u"},{"type":"page"}]}`)
	if rs := in.recorded(); len(rs) != 0 {
		t.Errorf("recorded: %+v", rs)
	}
}

func TestBodiesInHandAreBounded(t *testing.T) {
	in := newIntake(t, func(c *collect.Config) { c.MaxBodies = 10_000 })
	if w := in.post("/v1/page", `{"userId":"u","properties":{"p":"`+strings.Repeat("x", 20_000)+`"}}`); w.Code != 503 || read(t, w).Code != "intake.busy" {
		t.Errorf("answer %d %s", w.Code, w.Body)
	}
	for range 10 { // what was held is given back
		if w := in.post("/v1/page", `{"userId":"u","properties":{"p":"`+strings.Repeat("x", 2_000)+`"}}`); w.Code != 200 {
			t.Fatalf("answer %d %s", w.Code, w.Body)
		}
	}
}

// held takes in what quota allows a workspace.
func held(t *testing.T, l quota.Limits) (*intake, *quota.Service) {
	t.Helper()
	var q *quota.Service
	in := newIntake(t, func(c *collect.Config) {
		q = quota.New(quota.Config{Clock: c.Clock, Default: l})
		c.Quota = q
	})
	return in, q
}

func TestEventsASecondAreHeldPerWorkspace(t *testing.T) {
	in, _ := held(t, quota.Limits{quota.EventsPerSecond: 3})
	for i := range 3 {
		if w := in.post("/v1/page", `{"userId":"u"}`); w.Code != 200 {
			t.Fatalf("request %d: %d", i, w.Code)
		}
	}
	w := in.post("/v1/page", `{"userId":"u"}`)
	if a := read(t, w); w.Code != 429 || w.Header().Get("Retry-After") != "1" || w.Header().Get("X-RateLimit-Reset") != "1" || a.Code != "quota.events_per_second" || !strings.Contains(a.Message, "3 events a second") {
		t.Errorf("answer %d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := in.do(http.MethodPost, "/v1/page", "", `{"userId":"u","writeKey":"server-key"}`); w.Code != 429 {
		t.Errorf("key in the body: %d", w.Code)
	}
	in.clock.Advance(time.Second)
	if w := in.post("/v1/page", `{"userId":"u"}`); w.Code != 200 {
		t.Errorf("a second later: %d", w.Code)
	}
	if n := len(in.events()); n != 4 {
		t.Errorf("%d events on the log, 4 were acknowledged", n)
	}
}

// What one workspace sends beyond its limit costs another one nothing: no answer, no place in the count, no event.
func TestOneWorkspacesExcessIsNotAnothers(t *testing.T) {
	in, q := held(t, quota.Limits{quota.EventsPerSecond: 50, quota.EventsPerDay: 120})
	batch := `{"batch":[` + strings.Repeat(`{"type":"page","userId":"u"},`, 99) + `{"type":"page","userId":"u"}]}`
	refused := 0
	for range 200 {
		if w := in.post("/v1/batch", batch); w.Code == 429 {
			refused++
		}
		if w := in.do(http.MethodPost, "/v1/page", "other-key", `{"userId":"u"}`); w.Code != 200 {
			if q.Today("ws_2").Events < 50 {
				t.Fatalf("the other workspace: %d %s", w.Code, w.Body)
			}
			break
		}
	}
	acknowledged := map[string]int{}
	for _, e := range in.events() {
		acknowledged[e.Workspace]++
	}
	if acknowledged["ws_1"] != 100 || acknowledged["ws_2"] != 50 || refused < 49 {
		t.Errorf("on the log %v, refused %d", acknowledged, refused)
	}
	if one, two := q.Today("ws_1"), q.Today("ws_2"); one.Events != 100 || one.Refused != int64(refused) || two.Events != 50 {
		t.Errorf("counted %+v and %+v", one, two)
	}
}

func TestTheDaysEventsAreHeldAndTheNextDayBeginsAnew(t *testing.T) {
	in, _ := held(t, quota.Limits{quota.EventsPerDay: 2})
	in.post("/v1/page", `{"userId":"u"}`)
	if w := in.post("/v1/batch", `{"batch":[{"type":"page","userId":"u"},{"type":"page","userId":"u"}]}`); w.Code != 200 {
		t.Errorf("the batch that crosses the limit: %d", w.Code)
	}
	w := in.post("/v1/page", `{"userId":"u"}`)
	day := now.Truncate(24 * time.Hour).Add(24 * time.Hour)
	if a := read(t, w); w.Code != 429 || a.Code != "quota.events_per_day" || w.Header().Get("Retry-After") != strconv.Itoa(int(day.Sub(now).Seconds())) {
		t.Errorf("answer %d %v %s", w.Code, w.Header(), w.Body)
	}
	in.clock.Set(day)
	if w := in.post("/v1/page", `{"userId":"u"}`); w.Code != 200 {
		t.Errorf("the next day: %d", w.Code)
	}
}

func TestKeysAreAskedForOnceAndAgainAfterAWhile(t *testing.T) {
	in := newIntake(t)
	for range 5 {
		in.post("/v1/page", `{"userId":"u"}`)
		in.do(http.MethodPost, "/v1/page", "nope", `{}`)
	}
	if in.keys.asked != 2 {
		t.Errorf("asked %d times", in.keys.asked)
	}
	// A key that is made works soon, one that is withdrawn stops soon, and both at once when told.
	in.keys.byKey["nope"] = collect.Source{ID: "src_n", Workspace: "ws_1"}
	in.clock.Advance(11 * time.Second)
	if w := in.do(http.MethodPost, "/v1/page", "nope", `{"userId":"u"}`); w.Code != 200 {
		t.Errorf("a new key: %d", w.Code)
	}
	delete(in.keys.byKey, "server-key")
	in.clock.Advance(31 * time.Second)
	if w := in.post("/v1/page", `{"userId":"u"}`); w.Code != 401 {
		t.Errorf("a withdrawn key: %d", w.Code)
	}
	delete(in.keys.byKey, "nope")
	in.Forget()
	if w := in.do(http.MethodPost, "/v1/page", "nope", `{"userId":"u"}`); w.Code != 401 {
		t.Errorf("a key withdrawn and forgotten: %d", w.Code)
	}
}

func TestAStoreThatFailsIsNoReasonForA401(t *testing.T) {
	in := newIntake(t)
	in.post("/v1/page", `{"userId":"u"}`)
	in.keys.err = errors.New("database is gone")
	in.clock.Advance(time.Hour)
	if w := in.post("/v1/page", `{"userId":"u"}`); w.Code != 200 {
		t.Errorf("a key that was known: %d", w.Code)
	}
	if w := in.do(http.MethodPost, "/v1/page", "other-key", `{"userId":"u"}`); w.Code != 503 {
		t.Errorf("a key that was not: %d", w.Code)
	}
}

func TestAFloodOfMadeUpKeysReachesTheStoreSlowly(t *testing.T) {
	in := newIntake(t)
	in.post("/v1/page", `{"userId":"u"}`)
	turnedAway := 0
	for i := range 20_000 {
		if w := in.do(http.MethodPost, "/v1/page", fmt.Sprintf("made-up-%d", i), `{}`); w.Code == 503 {
			turnedAway++
		}
	}
	if in.keys.asked > 500 || turnedAway < 19_000 {
		t.Errorf("asked %d times, %d turned away", in.keys.asked, turnedAway)
	}
	if w := in.post("/v1/page", `{"userId":"u"}`); w.Code != 200 {
		t.Errorf("a known key in the flood: %d", w.Code)
	}
}

func TestRecordingOfRejectionsNeverHoldsUpIntake(t *testing.T) {
	store := &rejections{hold: make(chan struct{})}
	in := newIntake(t, func(c *collect.Config) { c.Rejections = store })
	defer close(store.hold)
	batch := `{"batch":[` + strings.TrimSuffix(strings.Repeat(`{"type":"page"},`, 1000), ",") + `]}`
	for range 20 {
		if w := in.post("/v1/batch", batch); w.Code != 200 || len(read(t, w).Rejected) != 1000 {
			t.Fatalf("answer %d", w.Code)
		}
	}
	if f := in.Figures(); f.Rejected != 20_000 || f.Unrecorded < 5_000 {
		t.Errorf("figures %+v", f)
	}
}

func TestIntakeWorksWithoutAStoreForRejections(t *testing.T) {
	in := newIntake(t, func(c *collect.Config) { c.Rejections = nil })
	if w := in.post("/v1/page", `{}`); w.Code != 200 || len(read(t, w).Rejected) != 1 {
		t.Errorf("answer %d %s", w.Code, w.Body)
	}
}

func TestARequestThatEndsEarlyIsToldToComeAgain(t *testing.T) {
	in := newIntake(t)
	release := in.log.Hold()
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		r, _ := http.NewRequestWithContext(ctx, http.MethodPost, "/v1/page", strings.NewReader(`{"userId":"u"}`))
		r.SetBasicAuth("server-key", "")
		w := httptest.NewRecorder()
		in.ServeHTTP(w, r)
		if w.Code != 503 {
			t.Errorf("answer %d", w.Code)
		}
	})
	cancel()
	wg.Wait()
	r, _ := http.NewRequest(http.MethodPost, "/v1/page", &brokenReader{})
	r.SetBasicAuth("server-key", "")
	w := httptest.NewRecorder()
	in.ServeHTTP(w, r)
	if w.Code != 503 {
		t.Errorf("a body that breaks off: %d %s", w.Code, w.Body)
	}
}

func TestRejectionNamesAreClipped(t *testing.T) {
	in := newIntake(t)
	in.post("/v1/track", `{"event":"`+strings.Repeat("é", 400)+`"}`)
	rs := in.recorded()
	if len(rs) != 1 || len([]rune(rs[0].Name)) != 200 {
		t.Errorf("recorded: %+v", rs)
	}
}

// brokenReader is a body whose sender went away.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestConcurrentRequestsShareNothing sends many different bodies at once and checks that each arrives whole.
func TestConcurrentRequestsShareNothing(t *testing.T) {
	in := newIntake(t)
	const clients, each = 16, 30
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for i := range each {
				id := fmt.Sprintf("%d-%d", c, i)
				fill := strings.Repeat(id, 1+(c*i)%50)
				w := in.post("/v1/batch", fmt.Sprintf(`{"context":{"c":%q},"batch":[{"type":"track","event":"X","userId":%q,"messageId":%q,"properties":{"p":%q}},{"type":"page"}]}`, fill, id, id, fill))
				if w.Code != 200 || len(read(t, w).Rejected) != 1 {
					t.Errorf("%s: %d", id, w.Code)
				}
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, e := range in.events() {
		var c, i int
		if _, err := fmt.Sscanf(e.MessageID, "%d-%d", &c, &i); err != nil {
			t.Fatal(err)
		}
		fill := strings.Repeat(e.MessageID, 1+(c*i)%50)
		if e.UserID != e.MessageID || string(e.Properties) != `{"p":"`+fill+`"}` || string(e.Context) != `{"c":"`+fill+`"}` {
			t.Errorf("%s arrived as %+v", e.MessageID, e)
		}
		seen[e.MessageID] = true
	}
	if len(seen) != clients*each {
		t.Errorf("%d of %d arrived", len(seen), clients*each)
	}
}
