package console

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/test/harness"
)

// BenchmarkList is what the server has to do for the list of people, without a browser: milliseconds and processor time of an answer, in
// which the record store's are if it is a process of its own.
func BenchmarkList(b *testing.B) {
	people := number("KIZUNA_BENCH_PEOPLE", 100_000)
	for _, kind := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		b.Run(string(kind), func(b *testing.B) {
			var env []string
			var backends func() []int
			if kind == sqldb.Postgres {
				at := sqldbtest.URL(b, kind)
				env, backends = []string{"KIZUNA_DATABASE_URL=" + at + "&application_name=kizuna_bench_list"}, servers(b, at)
			}
			s := harness.Start(b, env...)
			crowd(b, s, people)
			var osaka struct{ ID string }
			s.Must("POST", "/segments", map[string]any{"name": "In Osaka", "rule": map[string]any{"trait": map[string]any{"path": "city", "op": "eq", "value": "Osaka"}}}, &osaka)
			s.Eventually(5*time.Minute, "the segment is whole", func() bool {
				var g struct{ Size int }
				s.Must("GET", "/segments/"+osaka.ID, nil, &g)
				return g.Size >= people/len(cities)
			})
			s.Quiet(10 * time.Minute)
			cpu := func() (sum time.Duration) {
				sum = harness.CPU(s.PID())
				if backends != nil {
					for _, pid := range backends() {
						sum += harness.CPU(pid)
					}
				}
				return sum
			}
			one := func(i int) string { return fmt.Sprintf("u%06d", (i*3331+17)%people) }
			for b.Loop() {
				for _, c := range []struct {
					name string
					ask  func(i int) string
				}{
					{"opened", func(int) string { return "" }},
					{"sorted: seen last", func(int) string { return "order=recent" }},
					{"sorted: silent longest", func(int) string { return "order=silent" }},
					{"identified", func(int) string { return "status=identified" }},
					{"anonymous: nobody", func(int) string { return "status=anonymous" }},
					{"seen in a week", func(int) string { return "seen_after=" + time.Now().Add(-7*24*time.Hour).UTC().Format(time.RFC3339) }},
					{"in a segment", func(int) string { return "set=" + osaka.ID }},
					{"in a segment, seen last", func(int) string { return "order=recent&set=" + osaka.ID }},
					{"searched: one of all", func(i int) string { return "q=" + one(i) }},
					{"searched: a name of many", func(i int) string { return "q=" + []string{"lena", "hayashi"}[i%2] }},
					{"searched: two characters", func(i int) string { return "q=" + url.QueryEscape([]string{"鈴木", "陽菜"}[i%2]) }},
					{"searched: nobody", func(i int) string { return fmt.Sprintf("q=zzqx%d", i) }},
					{"searched by seen last", func(i int) string { return "order=recent&q=" + one(i) }},
					{"searched in a segment", func(i int) string { return "set=" + osaka.ID + "&q=" + one(i) }},
				} {
					const rounds = 20
					get := func(i int) int {
						var l struct{ Items []struct{ ID string } }
						s.Must("GET", "/people?limit=200&"+c.ask(i), nil, &l)
						return len(l.Items)
					}
					found := get(0)
					var times []time.Duration
					before := cpu()
					for i := range rounds {
						began := time.Now()
						get(i)
						times = append(times, time.Since(began))
					}
					used := cpu() - before
					slices.Sort(times)
					ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
					fmt.Printf("%-9s %-26s %4d rows   p50 %7.1f ms   p95 %7.1f ms   CPU %6.1f ms\n", kind, c.name, found, ms(times[rounds/2]), ms(times[rounds-2]), ms(used/rounds))
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// servers returns what tells the processes that PostgreSQL works in for the benched server.
func servers(b *testing.B, at string) func() []int {
	b.Helper()
	db, err := sqldb.Open(b.Context(), at, sqldb.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	if !strings.Contains(at, "127.0.0.1") {
		b.Log("PostgreSQL is on another machine: its processor time is not counted")
	}
	return func() []int {
		pids, err := sqldb.Collect(b.Context(), db, sqldb.Value[int], `SELECT pid FROM pg_stat_activity WHERE application_name = 'kizuna_bench_list'`)
		if err != nil {
			b.Fatal(err)
		}
		return pids
	}
}
