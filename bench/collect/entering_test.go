package collect

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/test/harness"
)

// BenchmarkEntering lets everybody enter a segment at once, as an edit of its rule does. It tells what each of them costs, from the request until the server
// is quiet: their events have gone through the whole chain. KIZUNA_BENCH_PEOPLE is how many there are.
func BenchmarkEntering(b *testing.B) {
	people := number("KIZUNA_BENCH_PEOPLE", 50_000)
	s := harness.Start(b)
	known(b, s, people)
	for i := range 3 { // the first finds cold caches
		b.Run(fmt.Sprintf("edit=%d", i+1), func(b *testing.B) {
			for b.Loop() {
				cpu, began := harness.CPU(s.PID()), time.Now()
				profiled := s.ProfileDuring(int(number("KIZUNA_BENCH_PROFILE_SECONDS", 10)), fmt.Sprintf("entering-%d.cpu", i+1))
				var made struct {
					ID   string
					Size int64
				}
				s.Must("POST", "/segments", map[string]any{"name": fmt.Sprintf("Everybody %d", i+1), "rule": json.RawMessage(`{"trait":{"path":"plan","op":"eq","value":"free"}}`)}, &made)
				s.Eventually(10*time.Minute, "everybody is a member", func() bool {
					time.Sleep(time.Second)
					s.Must("GET", "/segments/"+made.ID, nil, &made)
					return made.Size == people
				})
				took := time.Since(began)
				s.Quiet(10 * time.Minute)
				used := harness.CPU(s.PID()) - cpu
				profiled()
				b.ReportMetric(float64(used.Microseconds())/float64(people), "cpu-µs/person")
				b.ReportMetric(used.Seconds(), "cpu-s")
				b.ReportMetric(took.Seconds(), "s-until-members")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// known makes people with an address and a plan known to the server, and waits until all that follows is over.
func known(b *testing.B, s *harness.Server, people int64) {
	b.Helper()
	const batch = 500
	var next atomic.Int64
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for from := next.Add(batch) - batch; from < people; from = next.Add(batch) - batch {
				var events []harness.Event
				for n := from; n < min(from+batch, people); n++ {
					user := fmt.Sprintf("u%06d", n)
					events = append(events, harness.Event{
						"type": "identify", "userId": user, "messageId": "i" + user,
						"traits": map[string]any{"email": user + "@people.example", "plan": "free", "country": "JP", "note": strings.Repeat("something known about them ", 8)},
					})
				}
				for !s.Send(events...) {
					time.Sleep(100 * time.Millisecond) // the intake is full for the moment
				}
			}
		})
	}
	all.Wait()
	s.Eventually(20*time.Minute, "everybody is known", func() bool {
		var now struct{ People int64 }
		time.Sleep(time.Second)
		s.Must("GET", "/stats", nil, &now)
		return now.People >= people
	})
	s.Quiet(10 * time.Minute)
}
