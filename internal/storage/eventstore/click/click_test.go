package click_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/event/eventtest"
	"github.com/kizuna-cx/kizuna/internal/domain/rule/ruletest"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/click"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/eventstoretest"
)

func opener(t *testing.T, o click.Options) eventtest.Open {
	at := eventstoretest.Databases(t)
	return func(t *testing.T, dir string) eventtest.Store {
		t.Helper()
		s, err := click.Open(t.Context(), at(dir), o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func TestStoreKeepsItsContract(t *testing.T) { eventtest.Run(t, opener(t, click.Options{})) }

func TestStoreKeepsItsContractWhenRowsAreDeletedAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("a long suite; run without -short")
	}
	eventtest.Run(t, opener(t, click.Options{DeleteAt: 1}))
}

func TestAudienceIsWhomEvalMatches(t *testing.T) {
	ruletest.Run(t, opener(t, click.Options{})(t, t.TempDir()))
}

func add(t *testing.T, s *click.Store, b event.Batch) {
	t.Helper()
	if err := s.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func ids(t *testing.T, s *click.Store, person uint64) []string {
	t.Helper()
	found, err := s.Timeline(t.Context(), "ws_1", person, nil, page.Request{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, k := range found.Items {
		out = append(out, k.MessageID)
	}
	return out
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// A process that was thought dead goes on and commits after another has taken over: nothing of it is seen, now or later.
func TestAProcessThatLostItsTurnPutsNothingInBetween(t *testing.T) {
	at := eventstoretest.Address(t)
	old := eventstoretest.Click(t, at, click.Options{})
	add(t, old, event.Batch{Events: []event.Kept{eventtest.Kept(1, "A", 1, 1)}, Through: 1})
	next := eventstoretest.Click(t, at, click.Options{})
	add(t, old, event.Batch{Events: []event.Kept{eventtest.Kept(1, "A", 2, 2)}, Redirects: []event.Redirect{{Workspace: "ws_1", Loser: 1, Winner: 5}}, Through: 2})
	same(t, "after the late commit", ids(t, next, 1), []string{"m1"})
	if pos, _ := next.Position(t.Context()); pos != 1 {
		t.Fatalf("position %d", pos)
	}
	again := eventtest.Kept(1, "A", 2, 2)
	add(t, next, event.Batch{Events: []event.Kept{again, eventtest.Kept(1, "A", 3, 3)}, Through: 3})
	add(t, old, event.Batch{Events: []event.Kept{eventtest.Kept(1, "A", 9, 9)}, Through: 9})
	same(t, "with what came anew", ids(t, next, 1), []string{"m3", "m2", "m1"})
	reader := eventstoretest.Click(t, at, click.Options{Read: true})
	same(t, "to a reader", ids(t, reader, 1), []string{"m3", "m2", "m1"})
	third := eventstoretest.Click(t, at, click.Options{})
	same(t, "after the next turn", ids(t, third, 1), []string{"m3", "m2", "m1"})
	add(t, third, event.Batch{Events: []event.Kept{eventtest.Kept(1, "A", 4, 4)}, Through: 4})
	same(t, "and its commits", ids(t, third, 1), []string{"m4", "m3", "m2", "m1"})
}

func TestAReaderChangesNothing(t *testing.T) {
	at := eventstoretest.Address(t)
	if n, err := click.Look(t.Context(), at); n != 0 || err != nil {
		t.Errorf("of nothing: %d, %v", n, err)
	}
	s := eventstoretest.Click(t, at, click.Options{})
	add(t, s, event.Batch{Events: []event.Kept{eventtest.Kept(1, "A", 1, 1)}, Through: 1})
	reader := eventstoretest.Click(t, at, click.Options{Read: true})
	if err := reader.Append(t.Context(), event.Batch{Through: 7}); err == nil {
		t.Error("a reader took a batch")
	}
	if err := reader.Drop(t.Context(), "ws_1", []uint64{1}); err == nil {
		t.Error("a reader dropped somebody")
	}
	add(t, s, event.Batch{Events: []event.Kept{eventtest.Kept(1, "A", 2, 2)}, Through: 2})
	same(t, "the writer goes on", ids(t, s, 1), []string{"m2", "m1"})
	same(t, "the reader sees what it saw", ids(t, reader, 1), []string{"m1"})
	if n, err := click.Look(t.Context(), at); n != 2 || err != nil {
		t.Errorf("position %d, %v", n, err)
	}
}

func TestAddressesAreChecked(t *testing.T) {
	for _, bad := range []string{"", "clickhouse://h:9000/k", "http://h:8123", "h:8123/k", "http://h:8123/", "http:///k", "http://h:8123/a`b", "http://u:secret@h:8123/k?x=1", "http://u:se cret@h:81 23/k"} {
		if err := click.Check(bad); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := click.Check("https://u:secret@h:8443/kizuna"); err != nil {
		t.Error(err)
	}
}

func TestTwoAddressesOfOneDatabase(t *testing.T) {
	const one = "http://k:secret@click.example/kizuna"
	for other, want := range map[string]bool{
		one: true, "http://Click.Example:8123/kizuna/": true, "http://somebody@click.example:8123//kizuna": true,
		"http://k:secret@click.example/other": false, "http://k:secret@click.example:8124/kizuna": false, "http://other.example/kizuna": false,
		"https://click.example/kizuna": false, "https://click.example:8123/kizuna": true, "http://click.example/Kizuna": false, "": false,
	} {
		if click.Same(one, other) != want || click.Same(other, one) != want {
			t.Errorf("%s and %s: want %v", one, other, want)
		}
	}
	if click.Same("", "") {
		t.Error("no address is no database")
	}
}

// ClickHouse gives up a whole object for one number beyond 64 bits, rounds halves to even, counts texts in bytes and has a calendar of its own.
func TestWhatClickHouseWouldReadOtherwise(t *testing.T) {
	s := eventstoretest.Click(t, eventstoretest.Address(t), click.Options{})
	wide := `{"total":2.5,"n":123456789012345678901234567890,"k":-99999999999999999999,"text":"\"1234567890123456789012\" 絆","max":18446744073709551615}`
	k := eventtest.Kept(1, "買い物", 1, 1)
	k.Properties = json.RawMessage(wide)
	add(t, s, event.Batch{Events: []event.Kept{k}, Through: 1})
	h, err := s.Histories(t.Context(), "ws_1", []uint64{1}, []string{"買い物"})
	if err != nil || len(h[1]) != 1 || string(h[1][0].Properties) != wide {
		t.Errorf("came back as %+v, %v", h[1], err)
	}
	rows, err := s.Query(t.Context(), `SELECT json_extract_string(props, '$.text'), json_extract_string(props, '$.n'), json_extract_string(props, '$.gone'), contains(name, '物'), starts_with(name, '買い'), total
		FROM event WHERE ws = $1 AND name = $2`, []any{"ws_1", "買い物"})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "row", rows, [][]any{{`"1234567890123456789012" 絆`, "1.2345678901234568e+29", nil, int64(1), int64(1), 2.5}})
}

func TestArgumentsOfEverySizeArrive(t *testing.T) {
	s := eventstoretest.Click(t, eventstoretest.Address(t), click.Options{})
	var args []any
	want := 0
	for i := range 400 {
		text := strings.Repeat("絆'\\\t\x00?{x:Y}\n", 10) + fmt.Sprint(i)
		args, want = append(args, text), want+len(text)
	}
	rows, err := s.Query(t.Context(), `SELECT `+strings.TrimSuffix(strings.Repeat("length(?) + ", 400), "+ "), args)
	if err != nil || rows[0][0] != int64(want) {
		t.Fatalf("%v, %v; want %d", rows, err, want)
	}
	if _, err := s.Query(t.Context(), `SELECT ?`, nil); err == nil {
		t.Error("an argument that was not given")
	}
}

// What is erased is in no file of the server any more.
func TestStrippedPeopleLeaveFiguresAndNoBytes(t *testing.T) {
	s := eventstoretest.Click(t, eventstoretest.Address(t), click.Options{})
	// So unlike each other that compression leaves the first of each as it is.
	name := func(n uint64) string {
		sum := sha256.Sum256(fmt.Append(nil, n))
		return base64.RawURLEncoding.EncodeToString(sum[:18])
	}
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	var b event.Batch
	for i := range 2000 {
		who := uint64(i%50 + 1)
		b.Events = append(b.Events, event.Kept{Event: event.Event{
			Workspace: "ws_1", MessageID: fmt.Sprint("m-", i, "-of-", name(who)), Type: event.Track, Name: "Order Completed", Origin: event.Server, UserID: name(who),
			Time: at.Add(time.Duration(i) * time.Second), Received: at, Properties: json.RawMessage(fmt.Sprintf(`{"total":%d,"order_id":"o-%s-%d"}`, i, name(who), i)),
		}, Person: who, Identifiers: []event.Identifier{{Kind: "user_id", Value: name(who)}}, Position: event.Position{Seq: 1, Index: i}})
	}
	for who := uint64(1); who <= 50; who++ {
		b.People = append(b.People, event.Mirror{Workspace: "ws_1", Num: who, ID: fmt.Sprint("per_", who), Traits: json.RawMessage(`{"name":"` + name(who) + `"}`), Channels: json.RawMessage("{}"), FirstSeen: at, LastSeen: at})
	}
	b.Through = 1
	add(t, s, b)
	// 7 was merged into 8, and 7's rows are still there, withdrawn.
	add(t, s, event.Batch{Redirects: []event.Redirect{{Workspace: "ws_1", Loser: 7, Winner: 8}}, Gone: []event.RemovedPerson{{Workspace: "ws_1", Num: 7}}, Through: 2})
	traces, err := s.Traces(t.Context(), "ws_1", []uint64{8, 7}, at)
	if err != nil || len(traces.Subjects) != 2 || len(traces.Identifiers) != 2 || len(traces.Orders) != 80 || traces.Events != 80 {
		t.Fatalf("%d subjects, %d identifiers, %d orders, %d events, %v", len(traces.Subjects), len(traces.Identifiers), len(traces.Orders), traces.Events, err)
	}
	sums := func() string {
		rows, err := s.Query(t.Context(), `SELECT count(*), sum(total), count(DISTINCT name) FROM event WHERE ws = 'ws_1'`, nil)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(rows[0]...)
	}
	before := sums()
	for i, want := range []int64{80, 0} {
		if n, err := s.Strip(t.Context(), "ws_1", []uint64{8, 7}); n != want || err != nil {
			t.Fatalf("round %d: stripped %d, %v", i, n, err)
		}
	}
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := sums(); after != before {
		t.Errorf("figures were %s, are %s", before, after)
	}
	if all, err := s.Everyone(t.Context(), "ws_1"); err != nil || all.GetCardinality() != 48 {
		t.Errorf("%d people, %v", all.GetCardinality(), err)
	}
	if err := s.Drop(t.Context(), "ws_1", []uint64{9}); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, s, 9); got != nil {
		t.Errorf("dropped, but there: %v", got)
	}
	searchDisk(t, name(10), name(7), name(8))
}

// searchDisk looks through the server's files, where they are on this machine.
func searchDisk(t *testing.T, there string, gone ...string) {
	t.Helper()
	dir := os.Getenv("KIZUNA_TEST_CLICKHOUSE_DATA")
	if dir == "" {
		t.Log("the files were not searched: KIZUNA_TEST_CLICKHOUSE_DATA does not say where they are")
		return
	}
	found := false
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // files come and go
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		found = found || bytes.Contains(raw, []byte(there))
		for _, text := range gone {
			if bytes.Contains(raw, []byte(text)) {
				t.Errorf("%s still holds %s", path, text)
			}
		}
		return nil
	}); err != nil || !found {
		t.Errorf("the search would not find somebody who is there: %v", err)
	}
}

// Events of one engine are taken over by the other, with merges, and read the same.
func TestEventsMoveBetweenEngines(t *testing.T) {
	from := eventstoretest.Duck(t)
	to := eventstoretest.Click(t, eventstoretest.Address(t), click.Options{})
	var b event.Batch
	for i := range 9000 {
		k := eventtest.Kept(uint64(i%7), "A", i, uint64(i/3+1))
		k.MessageID, k.Position.Index = fmt.Sprint("m", i), i%3
		b.Events = append(b.Events, k)
	}
	b.Through = 3000
	b.Redirects = []event.Redirect{{Workspace: "ws_1", Loser: 1, Winner: 2}, {Workspace: "ws_1", Loser: 3, Winner: 1}}
	if err := from.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	merged, err := from.Redirects(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	add(t, to, event.Batch{Redirects: merged})
	if err := from.Each(t.Context(), 0, func(events []event.Kept, through uint64) error {
		return to.Append(t.Context(), event.Batch{Events: events, Through: through})
	}); err != nil {
		t.Fatal(err)
	}
	read := func(s interface {
		Each(ctx context.Context, after uint64, do func([]event.Kept, uint64) error) error
	},
	) (out []event.Kept) {
		if err := s.Each(t.Context(), 0, func(events []event.Kept, _ uint64) error {
			out = append(out, events...)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return out
	}
	same(t, "events", read(to), read(from))
	again, err := to.Redirects(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, "redirects", again, merged)
}
