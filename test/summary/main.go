// Command summary reads `go test -json` and prints what a person wants to know: every failure with its output,
// every skipped test with its reason, the tests that took longest,
// and one closing line. It exits with 1 if anything failed.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

type line struct {
	Action, Package, Test, Output, ImportPath string
	Elapsed                                   float64
}

// slow is how long a test takes at least, in seconds, to be named, and slowest how many are.
const slow, slowest = 10, 25

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 64<<20)
	output := map[string][]string{}
	var failed, skipped []string
	var took []line
	inPackage := map[string]bool{} // packages with a failed test
	passed, nFailed, nSkipped, packages := 0, 0, 0, 0
	for in.Scan() {
		var l line
		if json.Unmarshal(in.Bytes(), &l) != nil {
			fmt.Println(in.Text()) // compiler output and the like
			continue
		}
		key := l.Package + " " + l.Test
		if l.Test != "" && l.Elapsed >= slow && (l.Action == "pass" || l.Action == "fail") {
			took = append(took, l)
		}
		switch l.Action {
		case "output":
			output[key] = append(output[key], l.Output)
		case "build-output":
			fmt.Print(l.Output)
		case "pass":
			if l.Test == "" {
				packages++
				fmt.Printf("ok    %-64s %6.1fs\n", l.Package, l.Elapsed)
			} else {
				passed++
			}
			delete(output, key)
		case "fail":
			failed = append(failed, key)
			if l.Test != "" {
				nFailed++
				inPackage[l.Package] = true
				break
			}
			fmt.Printf("FAIL  %-64s %6.1fs\n", l.Package, l.Elapsed)
			if !inPackage[l.Package] { // it did not build, or died outside a test
				nFailed++
			}
		case "skip":
			if l.Test != "" {
				nSkipped++
				skipped = append(skipped, l.Package+" "+l.Test+": "+reason(output[key]))
			}
			delete(output, key)
		}
	}
	for _, key := range failed {
		fmt.Printf("\n--- FAIL %s\n%s", key, strings.Join(output[key], ""))
	}
	if len(skipped) > 0 {
		slices.Sort(skipped)
		fmt.Println("\nskipped:")
		for _, s := range skipped {
			fmt.Println("  " + s)
		}
	}
	if len(took) > 0 {
		slices.SortFunc(took, func(a, b line) int { return cmp.Compare(b.Elapsed, a.Elapsed) })
		fmt.Println("\nlongest:")
		for _, l := range took[:min(len(took), slowest)] {
			fmt.Printf("  %6.1fs  %s %s\n", l.Elapsed, l.Package, l.Test)
		}
	}
	fmt.Printf("\n%d passed, %d failed, %d skipped\n", passed, nFailed, nSkipped)
	if len(failed) > 0 || packages == 0 {
		os.Exit(1)
	}
}

// reason is what the test said when it skipped itself.
func reason(out []string) string {
	for _, o := range out {
		o = strings.TrimSpace(o)
		if _, text, ok := strings.Cut(o, ".go:"); ok {
			if _, text, ok = strings.Cut(text, ": "); ok {
				return text
			}
		}
	}
	return "no reason given"
}
