// Package growth runs the other benches on one, four and sixteen times as much and fits how the processor time of one event, row, mail or step, and what
// one waits from accepting an event to entering a segment, grows with that: as n to the power of what is printed. 0 means that the hundred thousandth costs what the first did; 1 that each costs as much as there are.
//
//	go test ./bench/growth -run XXX -bench Growth -benchtime 1x -timeout 1h
//
// KIZUNA_BENCH_SCALE multiplies all sizes (1: some minutes). KIZUNA_BENCH_CASES names some of "collect single chain import segments send journey". The binary is
// built once, or the one that KIZUNA_TEST_BINARY names.
package growth

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/test/harness"
)

var times = []int{1, 4, 16}

// A figure is found in what a bench prints. All numbers that the pattern finds are added up.
type figure struct {
	name    string
	pattern *regexp.Regexp
	cost    func(found, n float64) float64 // µs of processor time of one
}

func same(v, _ float64) float64         { return v }
func ofRate(v, _ float64) float64       { return 1e6 / v }
func ofMilli(ms, _ float64) float64     { return ms * 1000 }
func ofAll(ms, n float64) float64       { return ms * 1000 / n }
func found(p string) *regexp.Regexp     { return regexp.MustCompile(p) }
func metric(unit string) *regexp.Regexp { return found(`([\d.e+]+) ` + regexp.QuoteMeta(unit) + `\s`) }

// A bench is run with each variable set to its size.
type bench struct {
	name, pkg, run string
	sizes          map[string]int
	n              string // the size that counts
	fixed          []string
	figures        []figure
}

var benches = []bench{
	{"collect", "./bench/collect", "Collect/batch=50/people=5000$", map[string]int{"KIZUNA_BENCH_EVENTS": 50_000}, "KIZUNA_BENCH_EVENTS", nil, []figure{
		{"an event taken", metric("events/cpu-s-collect"), ofRate},
	}},
	{"single", "./bench/collect", "Collect/batch=1/people=5000$", map[string]int{"KIZUNA_BENCH_EVENTS": 50_000}, "KIZUNA_BENCH_EVENTS", nil, []figure{
		{"an event taken in a call of its own", metric("events/cpu-s-collect"), ofRate},
	}},
	// Its lag is told after the events that the chain has carried, which are what grows.
	{"chain", "./bench/collect", "Chain/(whole|lag)/(row=10|rate=.*)$", map[string]int{"KIZUNA_BENCH_EVENTS": 50_000}, "KIZUNA_BENCH_EVENTS", []string{"KIZUNA_BENCH_RATE=1000"}, []figure{
		{"an event through the chain", metric("events/cpu-s"), ofRate},
		{"accepted to entered, p50, by the clock", metric("ms-p50"), ofMilli},
		{"accepted to entered, p99, by the clock", metric("ms-p99"), ofMilli},
	}},
	{"import", "./bench/import", "Import", map[string]int{"KIZUNA_BENCH_ROWS": 1000}, "KIZUNA_BENCH_ROWS", nil, []figure{
		{"a person of a file", found(`Import/people.*?([\d.e+]+) µs-cpu/row\s`), same},
		{"an event of a file", found(`Import/events.*?([\d.e+]+) µs-cpu/row\s`), same},
	}},
	{"segments", "./bench/segments", "Segments", map[string]int{"KIZUNA_BENCH_PEOPLE": 10_000, "KIZUNA_BENCH_EVENTS": 200_000}, "KIZUNA_BENCH_EVENTS", nil, []figure{
		{"an event under six questions", found(` people +\d+ ms \( *(\d+) CPU\) +by hand`), ofAll},
		{"an event under six questions by hand", found(`by hand +\d+ ms \( *(\d+) CPU\)`), ofAll},
		{"500 touched people under 101 segments", found(`101 segments: .*\((\d+) CPU\)`), ofMilli},
	}},
	{"send", "./bench/send", "Send$", map[string]int{"KIZUNA_BENCH_PEOPLE": 500}, "KIZUNA_BENCH_PEOPLE", []string{"KIZUNA_BENCH_CASES=10/0s"}, []figure{
		{"a mail", metric("µs-cpu/mail"), same},
		{"a mail with its events", metric("µs-cpu/mail-with-events"), same},
	}},
	{"journey", "./internal/domain/journey", "Journey/(enrol|step)$", map[string]int{"KIZUNA_BENCH_WAITING": 10_000}, "KIZUNA_BENCH_WAITING", nil, []figure{
		{"an enrolment while n wait", found(`Journey/enrol.*?([\d.e+]+) cpu-µs/`), same},
		{"a step while n wait", found(`Journey/step.*?([\d.e+]+) cpu-µs/`), same},
	}},
}

func BenchmarkGrowth(b *testing.B) {
	scale, err := strconv.ParseFloat(os.Getenv("KIZUNA_BENCH_SCALE"), 64)
	if err != nil || scale <= 0 {
		scale = 1
	}
	only := strings.Fields(os.Getenv("KIZUNA_BENCH_CASES"))
	binary := harness.Binary(b)
	for b.Loop() {
		fmt.Printf("%-40s %9s %9s %9s   %s\n", "µs, of processor time if not said", "1x", "4x", "16x", "grows as n^")
		for _, c := range benches {
			if len(only) > 0 && !slices.Contains(only, c.name) {
				continue
			}
			costs := make([][]float64, len(c.figures))
			for _, t := range times {
				size := func(base int) int { return int(scale * float64(base*t)) }
				cmd := exec.Command("go", "test", c.pkg, "-run", "XXX", "-bench", c.run, "-benchtime", "1x", "-timeout", "1h")
				cmd.Dir = "../.."
				cmd.Env = append(append(os.Environ(), "KIZUNA_TEST_BINARY="+binary, "KIZUNA_BENCH_CASES="), c.fixed...)
				for name, base := range c.sizes {
					cmd.Env = append(cmd.Env, name+"="+strconv.Itoa(size(base)))
				}
				out, err := cmd.CombinedOutput()
				if err != nil {
					b.Fatalf("%s with %d: %v\n%s", c.name, size(c.sizes[c.n]), err, out)
				}
				for i, f := range c.figures {
					all := f.pattern.FindAllSubmatch(out, -1)
					if all == nil {
						b.Fatalf("%s with %d tells no %s:\n%s", c.name, size(c.sizes[c.n]), f.name, out)
					}
					sum := 0.0
					for _, m := range all {
						v, err := strconv.ParseFloat(string(m[1]), 64)
						if err != nil {
							b.Fatal(err)
						}
						sum += v
					}
					costs[i] = append(costs[i], f.cost(sum, float64(size(c.sizes[c.n]))))
				}
			}
			for i, f := range c.figures {
				e := exponent(costs[i])
				fmt.Printf("%-40s %9.2f %9.2f %9.2f   %.2f\n", f.name, costs[i][0], costs[i][1], costs[i][2], e)
				b.ReportMetric(e, strings.NewReplacer(" ", "-", ",", "").Replace(f.name)+"-exponent")
			}
		}
	}
	b.ReportMetric(0, "ns/op")
}

// exponent is the slope of the line that fits best through the logarithms.
func exponent(costs []float64) float64 {
	var x, y, xx, xy float64
	n := float64(len(costs))
	for i, c := range costs {
		a, b := math.Log(float64(times[i])), math.Log(c)
		x, y, xx, xy = x+a, y+b, xx+a*a, xy+a*b
	}
	return (n*xy - x*y) / (n*xx - x*x)
}

func TestExponentIsThatOfTheCosts(t *testing.T) {
	for _, want := range []float64{0, 0.5, 1} {
		var costs []float64
		for _, n := range times {
			costs = append(costs, 7*math.Pow(float64(n), want))
		}
		if got := exponent(costs); math.Abs(got-want) > 1e-9 {
			t.Errorf("exponent %v, want %v", got, want)
		}
	}
}
