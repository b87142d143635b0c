package duck

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"
)

// Whatever is in a list comes back from DuckDB as it was.
func TestListsReachDuckDBAsTheyAre(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "e.duckdb"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	texts := []string{
		"", " ", " a ", "NULL", "null", `"`, `\`, `\"`, `"quoted"`, `'single'`, "a,b", "[a]", "{a: b}", "(x)", "line\nfeed\ttab\r", `back\slash\n`, "日本語 絆", "email:tea@shop.example", `\\\\`, `a"b'c\d`, ",", "]", "=",
		"a\u200bb", "\x01\x7f", "https://x.example/?a=1&b=[2]",
	}
	for _, all := range [][]string{{}, texts, texts[:1], {`\`}, {`"`, `"`}} {
		rows, err := s.Query(t.Context(), `SELECT unnest(CAST(? AS VARCHAR[]))`, []any{all})
		if err != nil {
			t.Fatalf("%q: %v", all, err)
		}
		got := []string{}
		for _, r := range rows {
			v, ok := r[0].(string)
			if !ok {
				t.Fatalf("%q came back as %T", all, r[0])
			}
			got = append(got, v)
		}
		if !slices.Equal(got, all) {
			t.Errorf("got %q, want %q", got, all)
		}
	}
	rows, err := s.Query(t.Context(), `SELECT CAST(a AS VARCHAR), CAST(b AS VARCHAR) FROM (SELECT unnest(CAST(? AS UBIGINT[])) AS a, unnest(CAST(? AS BIGINT[])) AS b)`,
		[]any{[]uint64{0, math.MaxUint64, 7}, []int64{math.MinInt64, math.MaxInt64, -1}})
	if err != nil {
		t.Fatal(err)
	}
	want := [][2]string{{"0", "-9223372036854775808"}, {"18446744073709551615", "9223372036854775807"}, {"7", "-1"}}
	for i, r := range rows {
		if r[0] != want[i][0] || r[1] != want[i][1] {
			t.Errorf("row %d is %v, want %v", i, r, want[i])
		}
	}
	if len(rows) != len(want) {
		t.Errorf("%d rows, want %d", len(rows), len(want))
	}
}

// What a list takes is given back with the statement. The driver, given a slice, keeps a hundred bytes of each element.
func TestListsLeaveNothingBehind(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "e.duckdb"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	nums := make([]uint64, 50_000)
	for i := range nums {
		nums[i] = uint64(i)
	}
	ask := func(times int) {
		for range times {
			if _, err := s.People(t.Context(), "ws_1", nums); err != nil {
				t.Fatal(err)
			}
		}
		ReleaseMemory()
		debug.FreeOSMemory()
	}
	ask(5)
	before := resident(t)
	ask(20) // a million elements
	if more := resident(t) - before; more > 40<<20 {
		t.Errorf("%d MB more after a million elements of lists", more>>20)
	}
}

// resident is what this process has in memory, in bytes (proc(5)).
func resident(t *testing.T) int {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("only Linux tells:", err)
	}
	var size, pages int
	if _, err := fmt.Sscan(string(raw), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
