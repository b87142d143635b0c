package send

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// urgentCalls is how many transactional messages are asked for in each phase, one every urgentPace.
const (
	urgentCalls = 300
	urgentPace  = 20 * time.Millisecond
)

// BenchmarkUrgent measures the lane of transactional messages: the time from the answer to POST /messages until the server at the other end has taken the
// mail, while nothing else is sent and while a campaign to everybody is on its way.
func BenchmarkUrgent(b *testing.B) {
	w := newWorld(b, 50_000)
	for _, latency := range []time.Duration{0, 5 * time.Millisecond} {
		b.Run(fmt.Sprintf("connections=10/latency=%s", latency), func(b *testing.B) {
			for b.Loop() {
				w.urgent(b, latency)
			}
		})
	}
}

func (w *world) urgent(b *testing.B, latency time.Duration) {
	sink := startSink(b, latency)
	defer sink.stop()
	w.route(sink.addr, 10)
	w.s.Quiet(10 * time.Minute)
	idle := w.ask(b, "idle "+latency.String())
	var made struct{ ID string }
	w.s.Must("POST", "/campaigns", map[string]any{
		"name": "Beside urgent mail " + latency.String(), "channel": "email", "audience": map[string]any{"include": []string{w.segment}}, "topic": w.topic, "template": w.template,
	}, &made)
	before := sink.taken(b).N
	w.s.Must("POST", "/campaigns/"+made.ID+"/launch", nil, nil)
	w.s.Eventually(10*time.Minute, "the campaign is on its way", func() bool { return sink.taken(b).N >= before+1000 })
	beside := w.ask(b, "beside "+latency.String())
	if n := sink.taken(b).N - before; n >= w.people+urgentCalls {
		b.Logf("the campaign was over before the last urgent mail: use more people")
	}
	w.s.Eventually(30*time.Minute, "everybody is mailed", func() bool { return sink.taken(b).N >= before+w.people+urgentCalls })
	for _, q := range []struct {
		name  string
		share float64
	}{{"p50", 0.5}, {"p99", 0.99}} {
		alone, busy := quantile(idle, q.share), quantile(beside, q.share)
		b.ReportMetric(float64(alone.Microseconds())/1000, "ms-"+q.name+"-idle")
		b.ReportMetric(float64(busy.Microseconds())/1000, "ms-"+q.name+"-campaign")
		b.ReportMetric(float64(busy)/float64(alone), q.name+"-ratio")
	}
	b.ReportMetric(0, "ns/op")
}

// ask asks for transactional messages at an even pace and returns how long each was on its way.
func (w *world) ask(b *testing.B, phase string) []time.Duration {
	type asked struct {
		id string
		at time.Time
	}
	var all []asked
	tick := time.NewTicker(urgentPace)
	defer tick.Stop()
	for n := range urgentCalls {
		<-tick.C
		var made struct{ ID string }
		w.s.Must("POST", "/messages", map[string]any{
			"to": map[string]any{"address": fmt.Sprintf("u%d@urgent.example", n)}, "subject": "Your code", "text": "It is " + phase,
		}, &made)
		all = append(all, asked{made.ID, time.Now()})
	}
	out := make([]time.Duration, len(all))
	for n, a := range all {
		w.s.Eventually(5*time.Minute, "the message is sent", func() bool {
			var m struct {
				State  string
				SentAt time.Time `json:"sent_at"`
			}
			w.s.Must("GET", "/messages/"+a.id, nil, &m)
			out[n] = max(m.SentAt.Sub(a.at), time.Microsecond) // some are there before the answer is
			return m.State == "sent"
		})
	}
	return out
}

func quantile(all []time.Duration, share float64) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[int(share*float64(len(sorted)-1))]
}
