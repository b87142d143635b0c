package journey_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/trace"
)

func hooked(config string) string {
	return `{"trigger": {"event": {"name": "Go"}}, "re_entry": {"mode": "always"}, "nodes": [
	{"id": "crm", "kind": "webhook", "config": ` + config + `, "next": {"done": "tier", "refused": "no", "timeout": "late"}},
	{"id": "tier", "kind": "switch", "config": {"from": "answers.crm.body.tier", "cases": [["gold"]]}, "next": {"a": "mail"}},
	{"id": "mail", "kind": "send", "config": {"template": "tpl_1", "topic": "tpc_1"}},
	{"id": "no", "kind": "exit", "config": {"reason": "refused"}},
	{"id": "late", "kind": "exit", "config": {"reason": "late"}}]}`
}

func TestAWebhookIsCalledAndItsAnswerLeadsOn(t *testing.T) {
	w := newWorld(t)
	x, err := w.svc.CreateSecret(t.Context(), ws, "CRM", "s3cret")
	if err != nil {
		t.Fatal(err)
	}
	w.publish("x", hooked(`{"method": "PUT", "url": "https://crm.example/p/{{ person.id | url_encode }}?q={{ event.q | url_encode }}",
		"headers": [{"name": "Authorization", "secret": "`+x.ID+`", "prefix": "Bearer "}, {"name": "X-Who", "value": "{{ event.q }}"}],
		"body": {"n": "{{ event.n }}", "note": "says \"{{ event.q }}\"", "deep": [{"id": "{{person.id}}"}, true, null]}, "timeout": 7}`))
	w.reply = func(journey.CallRequest) (journey.CallAnswer, error) {
		return journey.CallAnswer{Status: 201, Body: []byte(`{"tier": "gold"}`)}, nil
	}
	w.happen(w.event("g", 1, "Go", `{"q": "a \"b\"\r\nX-Evil: 1&c", "n": 12.5}`))
	w.settle()
	if len(w.calls) != 1 {
		t.Fatalf("%d calls", len(w.calls))
	}
	c := w.calls[0]
	want(t, "method and url", []any{c.Method, c.URL, c.Timeout}, []any{"PUT", `https://crm.example/p/per_1?q=a+%22b%22%0D%0AX-Evil%3A+1%26c`, 7 * time.Second})
	var body struct {
		N    float64 `json:"n"`
		Note string  `json:"note"`
	}
	if err := json.Unmarshal(c.Body, &body); err != nil || body.N != 12.5 || body.Note != "says \"a \"b\"\r\nX-Evil: 1&c\"" {
		t.Errorf("%s: %v", c.Body, err)
	}
	want(t, "headers", []any{c.Header["Authorization"], c.Header["Content-Type"], c.Header["Idempotency-Key"]},
		[]any{"Bearer s3cret", "application/json", "jrn:" + w.instance("per_1") + ":crm:1"})
	if strings.ContainsAny(c.Header["X-Who"], "\r\n") {
		t.Errorf("a header with line breaks: %q", c.Header["X-Who"])
	}
	want(t, "path", w.path("per_1"), "crm>done tier>a mail>next")
	want(t, "in messages", w.strings(`SELECT vars LIKE '%"answers":{"crm":{"body":{"tier":"gold"},"ok":true,"status":201,"tries":1}}%' FROM test_message`), []string{"1"})
	all, err := w.svc.ErrandsOf(t.Context(), ws, w.instance("per_1"))
	if err != nil || len(all) != 1 || all[0].Status != journey.Finished || all[0].Excerpt != `{"tier": "gold"}` || all[0].Answer.Status != 201 {
		t.Fatalf("%+v %v", all, err)
	}
	if raw, _ := json.Marshal(all); strings.Contains(string(raw), "s3cret") {
		t.Error("the secret is stored with the call")
	}
	for _, col := range w.strings(`SELECT sealed FROM journey_secret`) {
		if strings.Contains(col, "s3cret") {
			t.Error("the secret is stored as it is")
		}
	}
}

func TestRequestsOfAJourneyGoOnInTheTraceOfTheEventThatBeganIt(t *testing.T) {
	const trigger = "4bf92f3577b34da6a3ce929d0e0e4736"
	w := newWorld(t)
	w.publish("x", hooked(`{"url": "https://crm.example/"}`))
	first := w.event("g", 1, "Go", `{}`)
	first.Trace = "00-" + trigger + "-00f067aa0ba902b7-01"
	w.happen(first, w.event("h", 2, "Go", `{}`))
	rec := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(rec)).Tracer("test")
	w.settleIn(trace.With(t.Context(), tracer))
	if len(w.calls) != 2 {
		t.Fatalf("%d calls", len(w.calls))
	}
	inTrace := 0
	for _, c := range w.calls {
		switch parent := c.Header["traceparent"]; {
		case strings.HasPrefix(parent, "00-"+trigger+"-"):
			inTrace++
		case parent != "":
			t.Errorf("a request came with %q", parent)
		}
	}
	var told []string
	for _, s := range rec.Ended() {
		if s.SpanContext().TraceID().String() == trigger {
			told = append(told, s.Name())
		}
	}
	if inTrace != 1 || !slices.Contains(told, "journey step") || !slices.Contains(told, "journey request") {
		t.Errorf("%d requests in the trace, which tells of %q", inTrace, told)
	}
}

func TestTemporaryRefusalsAreTriedAgainUnderTheSameKeyUntilTheTimeOut(t *testing.T) {
	w := newWorld(t)
	w.publish("x", hooked(`{"url": "https://crm.example/", "within": {"n": 10, "unit": "minute"}}`))
	status := 503
	w.reply = func(journey.CallRequest) (journey.CallAnswer, error) {
		if status == 0 {
			return journey.CallAnswer{}, errs.Unavailable("url.timeout", "no answer")
		}
		return journey.CallAnswer{Status: status, RetryAfter: 7 * time.Second}, nil
	}
	w.happen(w.event("g", 1, "Go", `{}`), w.event("h", 2, "Go", `{}`))
	w.settle()
	want(t, "called once each", len(w.calls), 2)
	w.pass(6 * time.Second)
	want(t, "left alone as asked", len(w.calls), 2)
	status = 0
	w.pass(time.Second)
	want(t, "again", len(w.calls), 4)
	status = 200
	w.pass(10 * time.Second)
	want(t, "path", w.path("per_1"), "crm>done tier>other")
	keys := map[string]int{}
	for _, c := range w.calls {
		keys[c.Header["Idempotency-Key"]]++
	}
	want(t, "keys", len(keys), 2)
	want(t, "reason", w.strings(`SELECT reason FROM journey_step WHERE node = 'crm' AND person_id = 'per_1'`), []string{`{"code":"answered","data":{"status":200,"tries":3}}`})

	status = 500
	w.happen(w.event("i", 3, "Go", `{}`))
	for range 121 {
		w.pass(5 * time.Second)
	}
	want(t, "timed out", w.path("per_3"), "crm>timeout late!exit_node")
	want(t, "expired", w.strings(`SELECT status FROM journey_errand WHERE person_id = 'per_3'`), []string{"expired"})
	n := len(w.calls)
	w.pass(time.Hour)
	want(t, "and not called any more", len(w.calls), n)
}

func TestWhatIsRefusedForGoodLeavesByRefused(t *testing.T) {
	w := newWorld(t)
	w.publish("x", hooked(`{"url": "https://crm.example/"}`))
	w.reply = func(journey.CallRequest) (journey.CallAnswer, error) {
		return journey.CallAnswer{Status: 422, Body: []byte("no")}, nil
	}
	w.happen(w.event("g", 1, "Go", `{}`))
	w.settle()
	want(t, "refused", w.path("per_1"), "crm>refused no!exit_node")
	w.reply = func(journey.CallRequest) (journey.CallAnswer, error) {
		return journey.CallAnswer{}, errs.Invalid("url.not_public", "url", "not a public address")
	}
	w.happen(w.event("h", 2, "Go", `{}`))
	w.settle()
	want(t, "not public", w.path("per_2"), "crm>refused no!exit_node")
	want(t, "reason", w.strings(`SELECT reason FROM journey_step WHERE node = 'crm' ORDER BY person_id`), []string{`{"code":"answered","data":{"status":422,"tries":1}}`, `{"code":"not_called","data":{"code":"url.not_public","text":"url: not a public address"}}`})
	want(t, "calls", len(w.calls), 2)
}

func TestACallIsMadeAgainByAnotherWorkerIfTheFirstDies(t *testing.T) {
	w := newWorld(t)
	w.publish("x", hooked(`{"url": "https://crm.example/"}`))
	w.happen(w.event("g", 1, "Go", `{}`))
	if _, err := w.svc.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	dying, kill := context.WithCancel(t.Context())
	w.reply = func(journey.CallRequest) (journey.CallAnswer, error) { // the server hears of it, the answer comes too late
		kill()
		return journey.CallAnswer{Status: 200}, nil
	}
	if _, err := w.svc.Errands(dying); err == nil {
		t.Fatal("it did not die")
	}
	w.reply = nil
	w.pass(time.Minute)
	want(t, "while the lease lasts", len(w.calls), 1)
	w.pass(time.Minute + time.Second)
	want(t, "after it", []any{len(w.calls), w.calls[0].Header["Idempotency-Key"] == w.calls[1].Header["Idempotency-Key"]}, []any{2, true})
	want(t, "path", w.path("per_1"), "crm>done tier>other")
}

func TestWhoHasLeftIsNotCalledFor(t *testing.T) {
	w := newWorld(t)
	w.publish("x", hooked(`{"url": "https://crm.example/"}`))
	w.happen(w.event("g", 1, "Go", `{}`))
	if _, err := w.svc.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.svc.Remove(t.Context(), ws, w.instance("per_1")); err != nil {
		t.Fatal(err)
	}
	w.settle()
	want(t, "calls", len(w.calls), 0)
	want(t, "status", w.strings(`SELECT status FROM journey_errand`), []string{"dropped"})
}

func TestListsAreChangedAndWhatFailsIsParkedAndRetried(t *testing.T) {
	w := newWorld(t)
	w.publish("x", `{"trigger": {"event": {"name": "Go"}}, "nodes": [
		{"id": "in", "kind": "add_to_list", "config": {"list": "lst_1"}, "next": {"next": "w"}},
		{"id": "w", "kind": "wait", "config": {"for": {"n": 1, "unit": "day"}}, "next": {"next": "out"}},
		{"id": "out", "kind": "remove_from_list", "config": {"list": "lst_1"}}]}`)
	w.fail = func(what string) error {
		switch what {
		case "list per_2":
			return errs.NotFound("list", "lst_1")
		case "list per_3":
			return errs.Unavailable("db", "the disk is on fire")
		}
		return nil
	}
	w.happen(w.event("a", 1, "Go", `{}`), w.event("b", 2, "Go", `{}`), w.event("c", 3, "Go", `{}`))
	w.settle()
	want(t, "in the list", w.strings(`SELECT person FROM test_list`), []string{"per_1"})
	want(t, "parked", w.rounds("per_2"), []string{"parked in "})
	want(t, "tried again", w.rounds("per_3"), []string{"active in "})
	w.fail = nil
	if err := w.svc.Retry(t.Context(), ws, w.instance("per_2")); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	want(t, "all", w.strings(`SELECT person FROM test_list ORDER BY person`), []string{"per_1", "per_2", "per_3"})
	w.pass(25 * time.Hour)
	want(t, "and out", w.strings(`SELECT person FROM test_list`), []string{})
	for n := range 3 {
		want(t, "path", w.path(fmt.Sprintf("per_%d", n+1)), "in>next w>next out>next")
	}
}

func TestPublishingChecksListsAddressesAndSecrets(t *testing.T) {
	w := newWorld(t)
	w.checks["lst_gone"] = errs.NotFound("list", "lst_gone")
	w.checks["http://10.0.0.1"] = errs.Invalid("url.not_public", "url", "not public")
	j, err := w.svc.Create(t.Context(), ws, "", "x", parse(t, `{"trigger": {"event": {"name": "Go"}}, "nodes": [
		{"id": "l", "kind": "add_to_list", "config": {"list": "lst_gone"}, "next": {"next": "h"}},
		{"id": "h", "kind": "webhook", "config": {"url": "http://10.0.0.1/x", "headers": [{"name": "A", "secret": "jsec_none"}]}, "next": {"done": "l"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	err = w.svc.Check(t.Context(), ws, j.ID)
	var got []string
	for _, e := range errs.All(err) {
		got = append(got, e.Code+" "+e.Field)
	}
	want(t, "an errand is no wait", got, []string{"journey.node.loop nodes[l].next", "journey.node.loop nodes[h].next"})
	g := j.Draft
	g.Nodes[1].Next = nil
	if _, err := w.svc.Edit(t.Context(), ws, j.ID, 0, "x", g); err != nil {
		t.Fatal(err)
	}
	got = nil
	for _, e := range errs.All(w.svc.Check(t.Context(), ws, j.ID)) {
		got = append(got, e.Code+" "+e.Field)
	}
	want(t, "what is missing", got, []string{
		"journey.missing.list nodes[l].config.list", "url.not_public nodes[h].config.url", "journey.missing.secret nodes[h].config.headers",
	})
}

func TestSecretsAreKeptChangedAndHeldWhileTheyAreSent(t *testing.T) {
	w := newWorld(t)
	for _, bad := range [][2]string{{"", "x"}, {"a", ""}, {"a", "x\ny"}, {"a", strings.Repeat("x", 5000)}} {
		if _, err := w.svc.CreateSecret(t.Context(), ws, bad[0], bad[1]); !errs.Is(err, errs.KindInvalid) {
			t.Errorf("%.10q: %v", bad, err)
		}
	}
	x, err := w.svc.CreateSecret(t.Context(), ws, "CRM", "one")
	if err != nil {
		t.Fatal(err)
	}
	j := w.publish("x", hooked(`{"url": "https://crm.example/", "headers": [{"name": "X-Key", "secret": "`+x.ID+`"}]}`))
	if _, err := w.svc.ChangeSecret(t.Context(), ws, x.ID, "", "two"); err != nil {
		t.Fatal(err)
	}
	w.happen(w.event("g", 1, "Go", `{}`))
	w.settle()
	want(t, "the new value", w.calls[0].Header["X-Key"], "two")
	if err := w.svc.DeleteSecret(t.Context(), ws, x.ID); !errs.Is(err, errs.KindConflict) {
		t.Errorf("in use: %v", err)
	}
	if err := w.svc.DeleteSecret(t.Context(), "ws_2", x.ID); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("another workspace: %v", err)
	}
	if _, err := w.svc.End(t.Context(), ws, j.ID, true); err != nil {
		t.Fatal(err)
	}
	w.settle()
	if _, err := w.svc.Archive(t.Context(), ws, j.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.svc.DeleteSecret(t.Context(), ws, x.ID); err != nil {
		t.Error(err)
	}
	all, err := w.svc.Secrets(t.Context(), ws, page.Request{})
	want(t, "gone", []any{len(all.Items), err}, []any{0, nil})
}

// A text with a gap for everybody keeps a journey from being published; whoever is in one that was published goes on.
func TestPublishingChecksWhatItsTemplatesWriteOut(t *testing.T) {
	w := newWorld(t)
	const graph = `{"trigger": {"event": {"name": "Go"}}, "nodes": [{"id": "s", "kind": "send", "config": {"template": "tpl_1", "topic": "tpc_1"}}]}`
	live := w.publish("live", graph)
	w.checks["variables of tpl_1"] = errs.Conflict("template.unfilled", "%s %s %d %d", "Letter", "frist_name", 2, 5)
	j, err := w.svc.Create(t.Context(), ws, "", "x", parse(t, graph))
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.svc.Publish(t.Context(), ws, j.ID)
	var got []string
	for _, e := range errs.All(err) {
		got = append(got, fmt.Sprint(e.Kind, " ", e.Code, " ", e.Field, " ", e.Args))
	}
	want(t, "refused", got, []string{"invalid template.unfilled nodes[s].config.template [Letter frist_name 2 5]"})
	if err := w.svc.Faults(t.Context(), ws, live.ID); err != nil {
		t.Errorf("what runs is no fault: %v", err)
	}
}
