package collect

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
)

// body is a batch as @segment/analytics-node sends it, with events of about 570 bytes.
func body(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"batch":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"userId":"user-%d","event":"Order Completed","properties":{"order_id":"o-%d","total":%d.5,"currency":"EUR",`+
			`"products":[{"product_id":"p-%d","name":"Löffel","price":12.5,"quantity":2,"category":"kitchen"}],"coupon":null},"type":"track",`+
			`"context":{"library":{"name":"@segment/analytics-node","version":"3.1.0"},"page":{"url":"https://shop.example/checkout?step=%d","title":"Checkout"},"locale":"de-DE"},`+
			`"timestamp":"2026-05-06T07:08:%02d.123Z","messageId":"node-next-1777593600-%d-1f0a9d2e","integrations":{},"_metadata":{"nodeVersion":"20.20.2","jsRuntime":"node"}}`,
			i, i, i, i%7, i%4, i%60, i)
	}
	b.WriteString(`],"writeKey":"k","sentAt":"2026-05-06T07:08:59.000Z"}`)
	return b.Bytes()
}

// BenchmarkParse measures from the body's bytes to the lines for the log, on one core, in batches of 50.
func BenchmarkParse(b *testing.B) {
	const n = 50
	in := body(n)
	var env envelope
	var out, scratch []byte
	now := time.Date(2026, 5, 6, 7, 9, 0, 0, time.UTC)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		if err := env.parse(in, false); err != nil {
			b.Fatal(err)
		}
		bl := builder{env: &env, source: Source{ID: "src_1", Workspace: "ws_1"}, received: now, scratch: scratch}
		bl.start()
		out = out[:0]
		for i := range env.events {
			e, why := bl.event(i)
			if why != nil {
				b.Fatal(why)
			}
			out = event.AppendLine(out, &e)
		}
		scratch = bl.scratch
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "events/s")
}

type oneSource struct{}

func (oneSource) SourceByWriteKey(context.Context, string) (Source, error) {
	return Source{ID: "src_1", Workspace: "ws_1", Browser: true}, nil
}

type noLog struct{}

func (noLog) Append(context.Context, [][]byte) error { return nil }

// BenchmarkHandler adds the handler around it: key, rate, body, answer, without a network and without a log.
func BenchmarkHandler(b *testing.B) {
	const n = 50
	in := body(n)
	h := New(Config{Sources: oneSource{}, Log: noLog{}, Clock: clock.System{}})
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/v1/batch", bytes.NewReader(in))
		r.SetBasicAuth("k", "")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "events/s")
}
