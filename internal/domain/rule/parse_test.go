package rule_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// example is the rule of the contract, every kind of leaf included.
const example = `{"version": 1, "all": [
  {"event": {"name": "Order Completed", "agg": "count", "op": "gte", "value": 2,
             "filter": [{"path": "total", "op": "gt", "value": 50}], "window": {"within": {"n": 90, "unit": "day"}}}},
  {"event": {"name": "Order Completed", "agg": "sum", "path": "total", "op": "gt", "value": 200,
             "window": {"absolute": {"from": "1998-01-01T00:00:00Z", "to": "1998-07-01T00:00:00Z"}}}},
  {"any": [{"trait": {"path": "country", "op": "eq", "value": "JP"}}, {"device": {"path": "os", "op": "eq", "value": "iOS"}}]},
  {"not": {"segment": {"id": "seg_1"}}}
]}`

// valid are rules that Parse takes.
var valid = []string{
	example,
	`{"all":[]}`, `{"any":[]}`, `{"everyone":{}}`, `{"version":1,"everyone":{}}`, `{"not":{"any":[{"everyone":{}}]}}`,
	`{"event":{"name":"A"}}`, `{"event":{"type":"page"}}`, `{"event":{"name":"A","type":"track","window":"ever"}}`,
	`{"event":{"name":"A","op":"exists"}}`, `{"event":{"name":"A","op":"not_exists","value":null}}`, `{"event":{"name":"A","op":"exists","value":true}}`,
	`{"event":{"name":"A","agg":"last","path":"plan.name","op":"in","value":["a",1,true]}}`,
	`{"event":{"name":"A","agg":"distinct","path":"sku","op":"between","value":[1,5]}}`,
	`{"event":{"name":"A","window":{"between":{"from_ago":{"n":2,"unit":"week"},"to_ago":{"n":0,"unit":"minute"}}}}}`,
	`{"event":{"name":"A","window":{"absolute":{"from":"2026-01-31"}}}}`,
	`{"event":{"name":"A","filter":[]}}`,
	`{"trait":{"path":"a","op":"contains","value":5}}`, `{"trait":{"path":"a","op":"starts_with","value":""}}`,
	`{"trait":{"path":"renews_at","op":"between","value":[{"ago":{"n":0,"unit":"day"}},{"ahead":{"n":7,"unit":"day"}}]}}`,
	`{"order":{}}`, `{"order":{"agg":"aov","op":"gte","value":10.5,"status":"any"}}`, `{"order":{"agg":"days_since_last","op":"gt","value":30}}`,
	`{"order":{"op":"eq","value":0,"filter":[{"path":"currency","op":"neq","value":"JPY"}],"window":{"within":{"n":1,"unit":"month"}}}}`,
	`{"device":{"path":"app_version","op":"gte","value":"3.2"}}`, `{"device":{"path":"os","op":"in","value":["iOS"],"window":{"within":{"n":1,"unit":"year"}}}}`,
	`{"device":{"path":"last_seen","op":"lt","value":{"ago":{"n":30,"unit":"day"}}}}`, `{"device":{"path":"last_seen","op":"gte","value":"2026-01-31T09:00:00+09:00"}}`,
	`{"device":{"path":"last_seen","op":"not_exists"}}`,
	`{"channel":{"kind":"email","reachable":false}}`, `{"channel":{"kind":"email","subscribed":"tpc_1"}}`, `{"channel":{"kind":"email","subscribed":"tpc_1","value":false}}`,
	`{"engagement":{"action":"opened"}}`,
	`{"engagement":{"action":"clicked","source":{"kind":"journey","id":"jrn_1","node":"n"},"topic":"t","channel":"email","agg":"distinct","op":"lt","value":3,"window":"ever"}}`,
	`{"engagement":{"action":"opened","machine":true}}`, `{"engagement":{"action":"sent","machine":false}}`,
	`{"event":{"name":"A","window":{"before":{"n":30,"unit":"day"}}}}`, `{"order":{"window":{"since":{"type":"page","which":"first","within":{"n":7,"unit":"day"}}}}}`,
	`{"event":{"name":"A","window":{"since":{"name":"B","filter":[{"path":"a","op":"eq","value":{"trait":"b.c"}}]}}}}`,
	`{"occurrence":{"which":"first","name":"A"}}`, `{"occurrence":{"which":"last","type":"page","filter":[],"has":[{"path":"a","op":"exists"}],"window":{"within":{"n":1,"unit":"day"}}}}`,
	`{"sequence":{"steps":[{"name":"A"},{"name":"B"}]}}`,
	`{"sequence":{"steps":[{"name":"A"},{"type":"page","within":{"n":1,"unit":"hour"},"without":{"name":"C"}},{"name":"B","absent":true,"within":{"n":7,"unit":"day"}}],"by":"product_id","window":"ever"}}`,
	`{"anniversary":{"path":"birthday","zone":"Asia/Tokyo"}}`, `{"anniversary":{"path":"birthday","from":-3,"to":7,"zone":"UTC","own_zone":true,"leap_day":"march"}}`,
	`{"anniversary":{"event":{"name":"Order Completed","which":"last"},"zone":"UTC"}}`,
	`{"trait":{"path":"used","op":"gte","value":{"trait":"plan_limit"}}}`, `{"event":{"name":"A","op":"gt","value":{"trait":"limit"}}}`,
	`{"event":{"name":"A","agg":"last","path":"city","op":"neq","value":{"trait":"address.city"}}}`, `{"order":{"agg":"sum","op":"gte","value":{"trait":"target"}}}`,
	`{"segment":{"id":"seg_1","in":false}}`, `{"list":{"id":"lst_1"}}`, `{"bucket":{"salt":"s","from":0,"to":100}}`,
}

// refused are rules that Parse refuses: where, with which code, and what the message must say. structural ones break the schema too.
var refused = []struct {
	name, rule, field, code, says string
	structural                    bool
}{
	{"not JSON", `{"all":`, "rule", "rule.syntax", "not JSON", false},
	{"empty input", ``, "rule", "rule.syntax", "not JSON", false},
	{"two rules", `{"all":[]}{"all":[]}`, "rule", "rule.syntax", "something follows", false},
	{"a list", `[]`, "rule", "rule.type", "an object, not a list", true},
	{"nothing in it", `{}`, "rule", "rule.shape", "exactly one of", true},
	{"version alone", `{"version":1}`, "rule", "rule.shape", "exactly one of", true},
	{"two conditions in one object", `{"everyone":{},"all":[]}`, "rule", "rule.shape", "combine several with all or any", true},
	{"another version", `{"version":2,"all":[]}`, "rule.version", "rule.version", "use 1", true},
	{"version inside", `{"all":[{"version":1,"everyone":{}}]}`, "rule.all[0].version", "rule.unknown_key", "version", true},
	{"unknown leaf", `{"all":[{"evnt":{"name":"A"}}]}`, "rule.all[0].evnt", "rule.unknown_key", `did you mean "event"?`, true},
	{"key twice", `{"all":[],"all":[]}`, "rule.all", "rule.duplicate_key", "stands twice", false},
	{"all with an object", `{"all":{"everyone":{}}}`, "rule.all", "rule.type", "list of conditions", true},
	{"not with a list", `{"not":[]}`, "rule.not", "rule.type", "an object, not a list", true},
	{"unknown key in a leaf", `{"any":[{"event":{"name":"A","windw":"ever"}}]}`, "rule.any[0].event.windw", "rule.unknown_key", `did you mean "window"?`, true},
	{"unknown unit", `{"all":[{"everyone":{}},{"everyone":{}},{"event":{"name":"A","window":{"within":{"n":1,"unit":"days"}}}}]}`, "rule.all[2].event.window.within.unit", "rule.value", `did you mean "day"?`, true},
	{"n of nothing", `{"event":{"name":"A","window":{"within":{"n":0,"unit":"day"}}}}`, "rule.event.window.within.n", "rule.value", "outside", true},
	{"half a day", `{"event":{"name":"A","window":{"within":{"n":0.5,"unit":"day"}}}}`, "rule.event.window.within.n", "rule.value", "outside", true},
	{"one day and a half", `{"event":{"name":"A","window":{"within":{"n":1.5,"unit":"day"}}}}`, "rule.event.window.within.n", "rule.value", "smaller unit", true},
	{"a thousand years", `{"event":{"name":"A","window":{"within":{"n":1000,"unit":"year"}}}}`, "rule.event.window.within.n", "rule.value", "hundred years", false},
	{"since nothing", `{"event":{"name":"A","window":{"since":{}}}}`, "rule.event.window.since", "rule.missing", "Add name, type", true},
	{"since the middle one", `{"event":{"name":"A","window":{"since":{"name":"B","which":"second"}}}}`, "rule.event.window.since.which", "rule.value", "Allowed: first, last", true},
	{"a window inside since", `{"event":{"name":"A","window":{"since":{"name":"B","window":"ever"}}}}`, "rule.event.window.since.window", "rule.unknown_key", "name, type", true},
	{"occurrence of neither end", `{"occurrence":{"name":"A"}}`, "rule.occurrence.which", "rule.missing", "add it", true},
	{"a sequence of one", `{"sequence":{"steps":[{"name":"A"}]}}`, "rule.sequence.steps", "rule.value", "2 to 5 steps", true},
	{"a sequence of six", `{"sequence":{"steps":[{"name":"A"},{"name":"A"},{"name":"A"},{"name":"A"},{"name":"A"},{"name":"A"}]}}`, "rule.sequence.steps", "rule.value", "2 to 5 steps", true},
	{"a first step after nothing", `{"sequence":{"steps":[{"name":"A","within":{"n":1,"unit":"day"}},{"name":"B"}]}}`, "rule.sequence.steps[0].within", "rule.unknown_key", "name, type", true},
	{"a gap in the middle", `{"sequence":{"steps":[{"name":"A"},{"name":"B","absent":true},{"name":"C"}]}}`, "rule.sequence.steps[1].absent", "rule.value", "use without", false},
	{"absent without", `{"sequence":{"steps":[{"name":"A"},{"name":"B","absent":true,"without":{"name":"C"}}]}}`, "rule.sequence.steps[1].without", "rule.value", "leave it out", false},
	{"a step of nothing", `{"sequence":{"steps":[{"name":"A"},{}]}}`, "rule.sequence.steps[1]", "rule.missing", "Add name, type", true},
	{"an anniversary of two", `{"anniversary":{"path":"a","event":{"name":"A"},"zone":"UTC"}}`, "rule.anniversary", "rule.value", "exactly one", true},
	{"an anniversary of nothing", `{"anniversary":{"zone":"UTC"}}`, "rule.anniversary", "rule.value", "exactly one", true},
	{"an anniversary nowhere", `{"anniversary":{"path":"a"}}`, "rule.anniversary.zone", "rule.missing", "add it", true},
	{"a zone that is none", `{"anniversary":{"path":"a","zone":"Asia/Kyoto"}}`, "rule.anniversary.zone", "rule.value", "Asia/Tokyo", false},
	{"days the wrong way round", `{"anniversary":{"path":"a","from":7,"zone":"UTC"}}`, "rule.anniversary.to", "rule.value", "not be less", false},
	{"half a day ahead", `{"anniversary":{"path":"a","to":0.5,"zone":"UTC"}}`, "rule.anniversary.to", "rule.value", "whole number", true},
	{"most of the year", `{"anniversary":{"path":"a","from":-180,"to":180,"zone":"UTC"}}`, "rule.anniversary.to", "rule.value", "at most 180", false},
	{"years ahead", `{"anniversary":{"path":"a","to":400,"zone":"UTC"}}`, "rule.anniversary.to", "rule.value", "outside", true},
	{"a list of traits", `{"trait":{"path":"a","op":"in","value":[{"trait":"b"}]}}`, "rule.trait.value[0]", "rule.value", "takes no trait", true},
	{"a device like a trait", `{"device":{"path":"os","op":"eq","value":{"trait":"os"}}}`, "rule.device.value", "rule.type", "a text, a number", true},
	{"two windows", `{"event":{"name":"A","window":{"within":{"n":1,"unit":"day"},"absolute":{"from":"2026-01-01"}}}}`, "rule.event.window", "rule.window", "exactly one", true},
	{"a wrong word for a window", `{"event":{"name":"A","window":"always"}}`, "rule.event.window", "rule.window", `"ever"`, true},
	{"between the wrong way round", `{"event":{"name":"A","window":{"between":{"from_ago":{"n":1,"unit":"day"},"to_ago":{"n":2,"unit":"day"}}}}}`, "rule.event.window.between", "rule.window", "exchange", false},
	{"absolute the wrong way round", `{"event":{"name":"A","window":{"absolute":{"from":"2026-02-01","to":"2026-01-01"}}}}`, "rule.event.window.absolute", "rule.window", "before", false},
	{"absolute without ends", `{"event":{"name":"A","window":{"absolute":{}}}}`, "rule.event.window.absolute", "rule.window", "from, to or both", true},
	{"a time without zone", `{"event":{"name":"A","window":{"absolute":{"from":"2026-01-01T00:00:00"}}}}`, "rule.event.window.absolute.from", "rule.value", "2026-01-31T09:00:00Z", true},
	{"no such day", `{"event":{"name":"A","window":{"absolute":{"from":"2026-02-30"}}}}`, "rule.event.window.absolute.from", "rule.value", "not a time", false},
	{"event without name", `{"event":{"op":"gte","value":1}}`, "rule.event", "rule.missing", "Add name, type", true},
	{"empty name", `{"event":{"name":""}}`, "rule.event.name", "rule.value", "empty", true},
	{"sum without path", `{"event":{"name":"A","agg":"sum","op":"gt","value":1}}`, "rule.event.path", "rule.missing", "add it", true},
	{"count with path", `{"event":{"name":"A","path":"x"}}`, "rule.event.path", "rule.value", "use distinct", true},
	{"sum without op", `{"event":{"name":"A","agg":"sum","path":"x"}}`, "rule.event.op", "rule.missing", "add it", true},
	{"count of a text", `{"event":{"name":"A","op":"gt","value":"3"}}`, "rule.event.value", "rule.type", "number", true},
	{"op without value", `{"trait":{"path":"a","op":"gt"}}`, "rule.trait.value", "rule.missing", "add it", true},
	{"value without op", `{"event":{"name":"A","value":3}}`, "rule.event.op", "rule.missing", "add it", true},
	{"exists with a value", `{"trait":{"path":"a","op":"exists","value":false}}`, "rule.trait.value", "rule.value", "not_exists", true},
	{"null as value", `{"trait":{"path":"a","op":"eq","value":null}}`, "rule.trait.value", "rule.type", "not_exists", true},
	{"order of booleans", `{"trait":{"path":"a","op":"gt","value":true}}`, "rule.trait.value", "rule.type", "a number, a text or a moment", true},
	{"in without list", `{"trait":{"path":"a","op":"in","value":"x"}}`, "rule.trait.value", "rule.type", "list", true},
	{"in of nothing", `{"trait":{"path":"a","op":"in","value":[]}}`, "rule.trait.value", "rule.value", "empty", true},
	{"in of lists", `{"trait":{"path":"a","op":"in","value":[["x"]]}}`, "rule.trait.value[0]", "rule.type", "not a list", true},
	{"between with one bound", `{"trait":{"path":"a","op":"between","value":[1]}}`, "rule.trait.value", "rule.value", "[10, 20]", true},
	{"between of two types", `{"trait":{"path":"a","op":"between","value":[1,"2"]}}`, "rule.trait.value", "rule.value", "same type", false},
	{"unknown op", `{"trait":{"path":"a","op":"equals","value":1}}`, "rule.trait.op", "rule.value", `did you mean "eq"?`, true},
	{"path with an empty part", `{"trait":{"path":"a..b","op":"exists"}}`, "rule.trait.path", "rule.path", "a.b.c", true},
	{"path with a control character", `{"trait":{"path":"a\u0000b","op":"exists"}}`, "rule.trait.path", "rule.path", "control", false},
	{"path of a thousand parts", `{"trait":{"path":"` + strings.Repeat("a.", 50) + `a","op":"exists"}}`, "rule.trait.path", "rule.path", "too long", false},
	{"number beyond float64", `{"trait":{"path":"a","op":"gt","value":1e999}}`, "rule.trait.value", "rule.value", "too large", false},
	{"sum beyond its range", `{"order":{"agg":"sum","op":"gt","value":1e15}}`, "rule.order.value", "rule.value", "10^12", false},
	{"a moment in a filter", `{"event":{"name":"A","filter":[{"path":"a","op":"gt","value":{"ago":{"n":1,"unit":"day"}}}]}}`, "rule.event.filter[0].value", "rule.type", "a number or a text", true},
	{"unknown key in a filter", `{"event":{"name":"A","filter":[{"path":"a","op":"gt","val":1}]}}`, "rule.event.filter[0].val", "rule.unknown_key", `"value"`, true},
	{"filter as an object", `{"order":{"filter":{"path":"a","op":"exists"}}}`, "rule.order.filter", "rule.type", "list of filters", true},
	{"order aov without op", `{"order":{"agg":"aov"}}`, "rule.order.op", "rule.missing", "add it", true},
	{"device of a number", `{"device":{"path":"app_version","op":"gte","value":3.2}}`, "rule.device.value", "rule.type", "quotation marks", true},
	{"version that is none", `{"device":{"path":"app_version","op":"gte","value":"new"}}`, "rule.device.value", "rule.value", "17.1", false},
	{"unknown device path", `{"device":{"path":"os_name","op":"eq","value":"iOS"}}`, "rule.device.path", "rule.value", "Allowed: os", true},
	{"last_seen with a window", `{"device":{"path":"last_seen","op":"exists","window":"ever"}}`, "rule.device.window", "rule.value", "no window", true},
	{"last_seen equal", `{"device":{"path":"last_seen","op":"eq","value":"2026-01-01"}}`, "rule.device.op", "rule.value", "Allowed: gt", true},
	{"last_seen with a number", `{"device":{"path":"last_seen","op":"gt","value":5}}`, "rule.device.value", "rule.value", "compare last_seen", true},
	{"channel with both", `{"channel":{"kind":"email","reachable":true,"subscribed":"t"}}`, "rule.channel", "rule.value", "exactly one", true},
	{"channel with neither", `{"channel":{"kind":"email"}}`, "rule.channel", "rule.value", "exactly one", true},
	{"reachable with value", `{"channel":{"kind":"email","reachable":true,"value":true}}`, "rule.channel.value", "rule.value", "goes with subscribed", true},
	{"reachable as text", `{"channel":{"kind":"email","reachable":"yes"}}`, "rule.channel.reachable", "rule.type", "true or false", true},
	{"unknown action", `{"engagement":{"action":"open"}}`, "rule.engagement.action", "rule.value", `did you mean "opened"?`, true},
	{"machine that is no yes or no", `{"engagement":{"action":"opened","machine":"yes"}}`, "rule.engagement.machine", "rule.type", "true or false", true},
	{"machine for what none does", `{"engagement":{"action":"sent","machine":true}}`, "rule.engagement.machine", "rule.value", "leave machine out", false},
	{"source without anything", `{"engagement":{"action":"opened","source":{}}}`, "rule.engagement.source", "rule.missing", "kind, id or node", true},
	{"segment without id", `{"segment":{}}`, "rule.segment.id", "rule.missing", "add it", true},
	{"segment id as number", `{"segment":{"id":5}}`, "rule.segment.id", "rule.type", "a text, not a number", true},
	{"everyone with something", `{"everyone":{"in":true}}`, "rule.everyone.in", "rule.unknown_key", "in", true},
	{"empty bucket", `{"bucket":{"salt":"s","from":50,"to":50}}`, "rule.bucket", "rule.value", "below", false},
	{"bucket beyond a hundred", `{"bucket":{"salt":"s","from":50,"to":101}}`, "rule.bucket.to", "rule.value", "outside", true},
}

func TestParseTakesValidRulesAndKeepsTheirText(t *testing.T) {
	for _, raw := range valid {
		r, err := rule.Parse([]byte(raw))
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		again, err := rule.Parse(r.JSON())
		if err != nil {
			t.Errorf("%s: its own JSON is refused: %v", raw, err)
			continue
		}
		if d := cmp.Diff(string(r.JSON()), string(again.JSON())); d != "" {
			t.Errorf("JSON changes when parsed again: %s", d)
		}
	}
}

func TestParseRefusesBadRulesAndSaysWhereAndWhatToDo(t *testing.T) {
	for _, c := range refused {
		t.Run(c.name, func(t *testing.T) {
			_, err := rule.Parse([]byte(c.rule))
			all := errs.All(err)
			if len(all) != 1 {
				t.Fatalf("got %v, want one error", err)
			}
			e := all[0]
			if e.Kind != errs.KindInvalid || e.Field != c.field || e.Code != c.code || !strings.Contains(e.Msg, c.says) {
				t.Errorf("got kind %s, field %q, code %q, message %q; want invalid, %q, %q, ...%q...", e.Kind, e.Field, e.Code, e.Msg, c.field, c.code, c.says)
			}
		})
	}
}

func TestParseHoldsItsLimits(t *testing.T) {
	nested := func(n int) string {
		return strings.Repeat(`{"not":`, n-1) + `{"everyone":{}}` + strings.Repeat(`}`, n-1)
	}
	wide := func(n int) string {
		return `{"all":[` + strings.TrimSuffix(strings.Repeat(`{"everyone":{}},`, n-1), ",") + `]}`
	}
	values := func(n int) string {
		return `{"trait":{"path":"a","op":"in","value":[` + strings.TrimSuffix(strings.Repeat(`1,`, n), ",") + `]}}`
	}
	filters := func(n int) string {
		return `{"event":{"name":"A","filter":[` + strings.TrimSuffix(strings.Repeat(`{"path":"a","op":"exists"},`, n), ",") + `]}}`
	}
	blank := func(n int) string { return `{"all":[]}` + strings.Repeat(" ", n-10) }
	for _, c := range []struct {
		name string
		make func(int) string
		most int
		code string
	}{
		{"depth", nested, rule.MaxDepth, "rule.too_deep"},
		{"conditions", wide, rule.MaxNodes, "rule.too_many_nodes"},
		{"values", values, 500, "rule.value"},
		{"filters", filters, 10, "rule.too_many_filters"},
		{"bytes", blank, rule.MaxBytes, "rule.too_large"},
	} {
		if _, err := rule.Parse([]byte(c.make(c.most))); err != nil {
			t.Errorf("%s: %d are refused: %v", c.name, c.most, err)
		}
		_, err := rule.Parse([]byte(c.make(c.most + 1)))
		if all := errs.All(err); len(all) != 1 || all[0].Code != c.code {
			t.Errorf("%s: %d give %v, want %s", c.name, c.most+1, err, c.code)
		}
	}
	if _, err := rule.Parse([]byte(strings.Repeat("[", 60_000))); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("60,000 brackets: %v, want invalid", err)
	}
}

func TestRuleSaysWhatItReads(t *testing.T) {
	for _, c := range []struct {
		rule     string
		names    []string
		all      bool
		sets     []string
		windowed bool
	}{
		{example, nil, true, []string{"seg_1"}, true}, // device reads every event
		{`{"any":[{"event":{"name":"B"}},{"event":{"name":"A"}},{"not":{"event":{"name":"B"}}}]}`, []string{"A", "B"}, false, nil, false},
		{`{"event":{"type":"page"}}`, []string{"page"}, false, nil, false},
		{`{"event":{"type":"track"}}`, nil, true, nil, false},
		{`{"order":{}}`, []string{"Order Cancelled", "Order Completed", "Order Refunded"}, false, nil, false},
		{`{"order":{"agg":"days_since_last","op":"gt","value":5}}`, []string{"Order Cancelled", "Order Completed", "Order Refunded"}, false, nil, true},
		{`{"engagement":{"action":"opened","window":{"within":{"n":1,"unit":"day"}}}}`, []string{"Message Opened"}, false, nil, true},
		{`{"all":[{"list":{"id":"lst_1"}},{"segment":{"id":"seg_1"}},{"list":{"id":"lst_1"}}]}`, nil, false, []string{"lst_1", "seg_1"}, false},
		{`{"trait":{"path":"a","op":"gt","value":{"ago":{"n":1,"unit":"day"}}}}`, nil, false, nil, true},
		{`{"trait":{"path":"a","op":"gt","value":1}}`, nil, false, nil, false},
		{`{"event":{"name":"A","window":{"absolute":{"from":"2026-01-01"}}}}`, []string{"A"}, false, nil, false},
	} {
		r := parse(t, c.rule)
		names, all := r.EventNames()
		got := fmt.Sprint(names, all, r.Sets(), r.Windowed())
		if want := fmt.Sprint(c.names, c.all, c.sets, c.windowed); got != want {
			t.Errorf("%s reads %s, want %s", c.rule, got, want)
		}
	}
}

func parse(t *testing.T, raw string) *rule.Rule {
	t.Helper()
	r, err := rule.Parse([]byte(raw))
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return r
}

func FuzzParse(f *testing.F) {
	for _, raw := range valid {
		f.Add([]byte(raw))
	}
	for _, c := range refused {
		f.Add([]byte(c.rule))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := rule.Parse(raw)
		if err != nil {
			if !errs.Is(err, errs.KindInvalid) {
				t.Fatalf("refused as %s: %v", errs.KindOf(err), err)
			}
			return
		}
		if _, err := rule.Parse(r.JSON()); err != nil {
			t.Fatalf("its own JSON is refused: %v", err)
		}
		var s rule.Subject
		r.Eval(&s, now)
	})
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s is out of date, run go test -update (-want +got):\n%s", file, d)
	}
}
