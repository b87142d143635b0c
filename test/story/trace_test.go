package story_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/test/harness"
)

// The caller of the story's event: its trace and its span, as W3C Trace Context writes them.
const (
	callersTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	callersSpan  = "00f067aa0ba902b7"
)

// TestOneTraceFollowsAnEventToTheAnswerOfItsMailThroughRestarts: the shop sends an order within a trace of its own; a journey waits a day and writes a mail,
// which a webhook tells of and the customer clicks. The process ends in good order before anything was sent, and is killed before the click.
func TestOneTraceFollowsAnEventToTheAnswerOfItsMailThroughRestarts(t *testing.T) {
	for _, kind := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(kind), func(t *testing.T) { traced(t, kind) })
	}
}

// TestATraceGoesOnFromProcessToProcess: one process takes the order, another works on it and writes the mail.
func TestATraceGoesOnFromProcessToProcess(t *testing.T) {
	long(t)
	collector, sink := harness.StartCollector(t), harness.StartSink(t)
	p := startParty(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL)
	mailAccount(t, p.front, sink.Addr)
	orderJourney(t, p.front, atOnce)
	orderWithin(t, p.front, "ada", "00-"+callersTrace+"-"+callersSpan+"-01")
	p.front.Eventually(time.Minute, "both processes have told", func() bool {
		got := collector.Of(callersTrace)
		return len(got["POST intake"]) == 1 && len(got["pipeline"]) > 1 && len(got["send"]) == 1
	})
}

func traced(t *testing.T, kind sqldb.Dialect) {
	collector, sink := harness.StartCollector(t), harness.StartSink(t)
	s := harness.Start(t, append(database(t, kind), "KIZUNA_ALLOW_TARGETS=127.0.0.1",
		"OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL, "OTEL_SERVICE_NAME=shop-crm", "OTEL_BSP_SCHEDULE_DELAY=100")...)
	mailAccount(t, s, sink.Addr)
	var mu sync.Mutex
	var toldOf []string // the traceparents that the webhook came with
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		toldOf = append(toldOf, r.Header.Get("Traceparent"))
	}))
	t.Cleanup(hook.Close)
	s.Must("POST", "/webhooks", map[string]any{"name": "CRM", "url": hook.URL, "kinds": []string{"message.sent"}}, nil)
	var tpl, journey struct{ ID string }
	s.Must("POST", "/templates", map[string]any{"name": "Thanks", "channel": "email", "subject": "Thank you", "html": `<p><a href="https://shop.example/new">New</a></p>`}, &tpl)
	s.Must("POST", "/journeys", fmt.Sprintf(`{"name":"Thanks","draft":{"trigger":{"event":{"name":"Order Completed"}},"max_age":{"n":0,"unit":"day"},"nodes":[%s
		{"id":"s","kind":"send","config":{"template":%q,"topic":%q},"next":{"next":"x"}},{"id":"x","kind":"exit"}]}}`, aDay, tpl.ID, newsTopic(t, s)), &journey)
	s.Must("POST", "/journeys/"+journey.ID+"/publish", nil, nil)

	orderWithin(t, s, "ada", "00-"+callersTrace+"-"+callersSpan+"-01")
	orderWithin(t, s, "bob", "00-"+strings.Repeat("ab", 16)+"-"+callersSpan+"-00") // the caller samples, and not this one
	s.Eventually(time.Minute, "both wait in the journey", func() bool {
		var stats struct{ Inside int }
		s.Must("GET", "/journeys/"+journey.ID+"/stats", nil, &stats)
		return stats.Inside == 2
	})
	s.Stop()
	s.Launch()
	s.Advance(25 * time.Hour)
	s.Eventually(time.Minute, "both got their mail, and the webhook told of them", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return sink.Total() == 2 && len(toldOf) == 2
	})
	spans := func(names ...string) func() bool {
		return func() bool {
			got := collector.Of(callersTrace)
			return !slices.ContainsFunc(names, func(n string) bool { return len(got[n]) == 0 })
		}
	}
	s.Eventually(time.Minute, "the collector has the mail", spans("send", "webhook"))
	s.Kill()
	s.Launch()
	link := regexp.MustCompile(`http://[^"\s]+/t/c/[^"\s]+`).FindString(unfolded(sink.Last("ada@people.example")))
	if link == "" {
		t.Fatalf("no link in %s", sink.Last("ada@people.example"))
	}
	if code, _ := get(t, link); code == http.StatusNotFound {
		t.Fatal("the link leads nowhere")
	}
	s.Advance(time.Minute)
	s.Eventually(time.Minute, "the click is told of", spans("answer"))
	s.Stop()

	s.Launch()
	together(t, s, collector)
	bySegment(t, s, collector, tpl.ID)
	s.Stop()

	got := collector.Of(callersTrace)
	for _, name := range []string{"POST intake", "log", "pipeline", "resolve and fold", "keep", "react: journeys", "react: segments", "journey step", "outbox", "relay", "render", "send", "intent", "webhook", "answer"} {
		if len(got[name]) == 0 {
			t.Errorf("the trace has no span %q", name)
		}
	}
	if p := got["POST intake"]; len(p) == 1 && p[0].Parent != callersSpan {
		t.Errorf("the request is part of %s, not of the caller's span", p[0].Parent)
	}
	if n := len(got["send"]); n != 1 {
		t.Errorf("%d mails in the trace, want that of one person", n)
	}
	if e := got["answer"]; len(e) == 1 && e[0].Attributes["kizuna.event"] != "Message Clicked" {
		t.Errorf("the answer is %v", e[0].Attributes)
	}
	if !slices.ContainsFunc(collector.Spans(), func(one harness.Span) bool { return strings.HasSuffix(one.Name, "/journeys/{id}/publish") }) {
		t.Error("calls to the API are not named by what they ask for")
	}
	ids := map[string]bool{callersSpan: true}
	for _, same := range got {
		for _, one := range same {
			ids[one.ID] = true
		}
	}
	mine := regexp.MustCompile(`ada|bob|people\.example|Order Completed|shop\.example|o-1`)
	for _, one := range collector.Spans() {
		if one.Trace == strings.Repeat("ab", 16) {
			t.Errorf("%s is told of a trace that its caller does not sample", one.Name)
		}
		if one.Trace == callersTrace && !ids[one.Parent] {
			t.Errorf("%s hangs on a span that nobody knows", one.Name)
		}
		for k, v := range one.Attributes {
			if mine.MatchString(v) {
				t.Errorf("%s says %s=%s", one.Name, k, v)
			}
		}
	}
	if w := got["webhook"]; len(w) != 1 || !slices.Contains(toldOf, "00-"+callersTrace+"-"+w[0].ID+"-01") || !slices.Contains(toldOf, "") {
		t.Errorf("the webhook came with %q, want that of %v, and none with Bob's mail", toldOf, w)
	}
}

// together lets customers order at once, each within a trace of their own: whatever batches they come into, each trace has its own mail and no other's.
func together(t *testing.T, s *harness.Server, collector *harness.Collector) {
	t.Helper()
	const customers = 12
	trace := func(n int) string { return fmt.Sprintf("%032x", 0xc0ffee00+n) }
	var all sync.WaitGroup
	for n := range customers {
		all.Go(func() { orderWithin(t, s, fmt.Sprintf("c%d", n), "00-"+trace(n)+"-"+callersSpan+"-01") })
	}
	all.Wait()
	s.Eventually(time.Minute, "all of them wait in the journey", func() bool {
		waiting := 0
		for n := range customers {
			if len(collector.Of(trace(n))["pipeline"]) > 1 { // the second tells of those who entered
				waiting++
			}
		}
		return waiting == customers
	})
	s.Advance(25 * time.Hour)
	for n := range customers {
		s.Eventually(time.Minute, "the mail is told of", func() bool { return len(collector.Of(trace(n))["webhook"]) > 0 })
	}
	s.Stop()
	s.Launch() // so that nothing is on its way to the collector
	for n := range customers {
		got := collector.Of(trace(n))
		for _, name := range []string{"POST intake", "log", "journey step", "render", "send", "webhook"} {
			if len(got[name]) != 1 {
				t.Errorf("customer %d: %d spans %q", n, len(got[name]), name)
			}
		}
		if batch := got["journey step"]; len(batch) == 1 && len(batch[0].Links) == 0 && len(got["outbox"]) == 0 {
			t.Errorf("customer %d: the step tells neither what was done nor where that is told", n)
		}
	}
}

// bySegment lets a journey begin when somebody enters a segment: the trace of the event that brought them in goes on through it.
func bySegment(t *testing.T, s *harness.Server, collector *harness.Collector, template string) {
	t.Helper()
	const trace = "0af7651916cd43dd8448eb211c80319c"
	var seg, journey struct{ ID string }
	s.Must("POST", "/segments", `{"name":"Subscribers","rule":{"event":{"name":"Came Back"}}}`, &seg)
	s.Eventually(time.Minute, "the segment is ready", func() bool {
		var now struct{ State string }
		s.Must("GET", "/segments/"+seg.ID, nil, &now)
		return now.State == "ready"
	})
	s.Must("POST", "/journeys", fmt.Sprintf(`{"name":"Back","draft":{"trigger":{"segment_entered":{"id":%q}},"max_age":{"n":0,"unit":"day"},"nodes":[
		{"id":"s","kind":"send","config":{"template":%q,"topic":%q}}]}}`, seg.ID, template, newsTopic(t, s)), &journey)
	s.Must("POST", "/journeys/"+journey.ID+"/publish", nil, nil)
	if code := postWithin(t, s, `{"batch":[{"type":"track","event":"Came Back","userId":"ada"}]}`, "00-"+trace+"-"+callersSpan+"-01"); code != http.StatusOK {
		t.Fatal(code)
	}
	s.Eventually(time.Minute, "the mail is told of", func() bool { return len(collector.Of(trace)["webhook"]) > 0 })
	got := collector.Of(trace)
	var passed []string
	for _, one := range got["pipeline"] {
		passed = append(passed, one.Attributes["kizuna.traced"])
	}
	if all := strings.Join(passed, "; "); len(got["send"]) != 1 || !strings.Contains(all, "track") || !strings.Contains(all, "Segment Entered") || !strings.Contains(all, "Message Sent") {
		t.Errorf("%d mails; through the pipeline went %s", len(got["send"]), all)
	}
	var messages struct{ Items []struct{ ID string } }
	s.Must("GET", "/people/"+who(s, "ada")+"/messages?limit=1", nil, &messages)
	var m struct {
		Trace string `json:"trace_id"`
	}
	if s.Must("GET", "/messages/"+messages.Items[0].ID, nil, &m); m.Trace != trace {
		t.Errorf("the message says that it belongs to trace %q", m.Trace)
	}
}

// orderWithin lets a customer appear, subscribe and order in one request of a trace.
func orderWithin(t *testing.T, s *harness.Server, user, traceparent string) {
	t.Helper()
	body := fmt.Sprintf(`{"batch":[{"type":"identify","userId":%[1]q,"traits":{"email":"%[1]s@people.example"}},
		{"type":"track","event":"Subscribed","userId":%[1]q,"properties":{"topic":"News","channel":"email"}},
		{"type":"track","event":"Order Completed","userId":%[1]q,"properties":{"order_id":"o-1"}}]}`, user)
	if code := postWithin(t, s, body, traceparent); code != http.StatusOK {
		t.Error(code)
	}
}

// postWithin sends a batch within a trace.
func postWithin(t *testing.T, s *harness.Server, batch, traceparent string) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, s.URL+"/v1/batch", strings.NewReader(batch))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(harness.WriteKey, "")
	req.Header.Set("Traceparent", traceparent)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// unfolded is a mail's text without the line breaks of quoted-printable.
func unfolded(mail string) string {
	return strings.NewReplacer("=\r\n", "", "=\n", "", "=3D", "=").Replace(mail)
}
