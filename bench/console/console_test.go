// Package console measures what a reader of the console waits for: the real binary, Chromium (playwright-core), moments taken inside the page.
//
//	go test ./bench/console -run XXX -bench . -benchtime 1x -timeout 30m
//
// KIZUNA_BENCH_PEOPLE is the number of people (100,000), KIZUNA_BENCH_NODES the number of steps on the canvas (200), KIZUNA_BENCH_ROUNDS how often each
// thing is done, KIZUNA_BENCH_TRACE=FOLDER keeps traces for Chromium's performance panel. The console must have been built (make web).
package console

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/test/harness"
)

func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// figure is a line that a script prints.
type figure struct {
	Name  string
	N     int
	P50   float64
	P95   float64
	Max   float64
	Limit float64 // what P95 should not exceed; 0: no promise is made
	Unit  string
}

// tell runs a script of this folder against the server and reports its figures.
func tell(b *testing.B, s *harness.Server, script string) {
	b.Helper()
	cmd := exec.Command("node", script, s.URL, harness.Email, harness.Password)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var f figure
		if json.Unmarshal(lines.Bytes(), &f) != nil {
			b.Log(lines.Text())
			continue
		}
		verdict := ""
		if f.Limit > 0 {
			verdict = fmt.Sprintf("within %g", f.Limit)
			if f.P95 > f.Limit {
				verdict = fmt.Sprintf("OVER %g", f.Limit)
			}
		}
		fmt.Printf("%-34s n=%-5d p50 %8.1f %s   p95 %8.1f   max %8.1f   %s\n", f.Name, f.N, f.P50, f.Unit, f.P95, f.Max, verdict)
		b.ReportMetric(f.P95, strings.ReplaceAll(f.Name, " ", "-")+"-p95-"+f.Unit)
	}
	if err := cmd.Wait(); err != nil {
		b.Fatalf("%s: %v", script, err)
	}
	b.ReportMetric(0, "ns/op")
}

var (
	given  = []string{"Aiko", "Ben", "Chen", "Dana", "Emi", "Farid", "Greta", "Haruto", "Ines", "Jun", "伟", "陽菜", "健太", "Lena", "Mika", "Noor"}
	family = []string{"Abe", "Baker", "Chen", "Diaz", "Endo", "Fischer", "Garcia", "Hayashi", "Ito", "Jones", "王", "佐藤", "鈴木", "Kowalski", "Li", "Mori", "Novak", "Okafor"}
	cities = []string{"Osaka", "Berlin", "上海", "東京", "Lisbon", "Toronto"}
)

// crowd makes people known to the server and waits until they are.
func crowd(b *testing.B, s *harness.Server, people int) {
	b.Helper()
	for from := 0; from < people; from += 500 {
		var batch []harness.Event
		for n := from; n < min(from+500, people); n++ {
			user := fmt.Sprintf("u%06d", n)
			batch = append(batch, harness.Event{
				"type": "identify", "userId": user, "messageId": "i" + user,
				"timestamp": time.Now().Add(-time.Duration(n*7919%525_600) * time.Minute).UTC().Format(time.RFC3339),
				"traits": map[string]any{
					"email": user + "@people.example", "first_name": given[n*7%len(given)], "last_name": family[n*11%len(family)],
					"city": cities[n%len(cities)], "country": "JP", "plan": "free", "note": strings.Repeat("something known about them ", 8),
				},
			})
		}
		for !s.Send(batch...) {
			time.Sleep(100 * time.Millisecond) // the intake is full for the moment
		}
	}
	s.Eventually(20*time.Minute, "everybody is known", func() bool {
		var now struct{ People int }
		s.Must("GET", "/stats", nil, &now)
		return now.People >= people
	})
}

// BenchmarkPeople is the list of people: opened, searched, sorted, scrolled, gone back to.
func BenchmarkPeople(b *testing.B) {
	s := harness.Start(b)
	crowd(b, s, number("KIZUNA_BENCH_PEOPLE", 100_000))
	s.Quiet(10 * time.Minute)
	for b.Loop() {
		tell(b, s, "people.mjs")
	}
}

// BenchmarkSegment is the figures of a rule while it is edited, among many people.
func BenchmarkSegment(b *testing.B) {
	s := harness.Start(b)
	crowd(b, s, number("KIZUNA_BENCH_PEOPLE", 100_000))
	s.Quiet(10 * time.Minute)
	for b.Loop() {
		tell(b, s, "segment.mjs")
	}
}

// BenchmarkMail is the preview of a mail while it is written.
func BenchmarkMail(b *testing.B) {
	s := harness.Start(b)
	for b.Loop() {
		tell(b, s, "mail.mjs")
	}
}

// BenchmarkCanvas is a journey of many steps under the hands of somebody who edits it.
func BenchmarkCanvas(b *testing.B) {
	s := harness.Start(b)
	var made struct{ ID string }
	s.Must("POST", "/journeys", map[string]any{"name": "Large", "draft": large(number("KIZUNA_BENCH_NODES", 200))}, &made)
	for b.Loop() {
		tell(b, s, "canvas.mjs")
	}
}

// large is a journey with five arms; each is a stem with a choice every fifth step, whose two ways meet again.
func large(n int) map[string]any {
	id := func(i int) string { return fmt.Sprintf("n%d", i) }
	first := map[string]string{}
	nodes := []map[string]any{{"id": id(0), "kind": "split", "config": map[string]any{"salt": "arms", "percent": []int{20, 20, 20, 20, 20}}, "next": first}}
	const arms = 5
	long := (n - 1) / arms
	for arm := range arms {
		start := 1 + arm*long
		first[string(rune('a'+arm))] = id(start)
		for i := range long {
			at, left := start+i, long-1-i // left: steps behind this one
			node := map[string]any{"id": id(at), "kind": "wait", "config": map[string]any{"for": map[string]any{"n": i%9 + 1, "unit": "day"}}}
			next := map[string]string{}
			switch {
			case i%5 == 1 && left > 2:
				node["kind"], node["config"] = "split", map[string]any{"salt": id(at), "percent": []int{50, 50}}
				next["a"], next["b"] = id(at+1), id(at+2)
			case i%5 == 2 && left > 1:
				next["next"] = id(at + 2)
			case left > 0:
				next["next"] = id(at + 1)
			}
			node["next"] = next
			nodes = append(nodes, node)
		}
	}
	return map[string]any{"trigger": map[string]any{"event": map[string]any{"name": "Signed Up"}}, "nodes": nodes}
}
