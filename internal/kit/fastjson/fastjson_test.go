package fastjson_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/kit/fastjson"
)

// check holds what the package promises: what it reads, encoding/json reads, and to the same.
func check(t interface{ Fatalf(string, ...any) }, doc string) (plain bool) {
	got, ok := fastjson.Value(doc)
	var want any
	err := json.Unmarshal([]byte(doc), &want)
	if ok && (err != nil || !reflect.DeepEqual(got, want)) {
		t.Fatalf("%q gives %#v, encoding/json says %#v, %v", doc, got, want, err)
	}
	r := fastjson.Of(doc)
	raw := r.Raw()
	done := r.Done()
	switch { // a number that no float64 holds is JSON, but no value
	case ok && !done, done && !json.Valid([]byte(doc)), done && raw != strings.Trim(doc, " \n\t\r"):
		t.Fatalf("Raw of %q is %q, %v; Value says %v", doc, raw, done, ok)
	}
	return ok
}

func TestWhatIsPlainReadsAsEncodingJSONReadsIt(t *testing.T) {
	for _, doc := range []string{
		`{}`, `[]`, `null`, `true`, `false`, `""`, `0`, `-0`, `1.5e-3`, `12345678901234567890`, ` {"a" : [1, {"b":null}], "a":"ü"} `, `"絆"`,
	} {
		if !check(t, doc) {
			t.Errorf("%s is plain", doc)
		}
	}
	for _, doc := range []string{
		``, ` `, `{`, `{"a"}`, `{"a":}`, `{"a":1,}`, `[1,]`, `[1`, `01`, `1.`, `.5`, `1e`, `+1`, `-`, `nul`, `tru`, `1e999`, "\"\xff\"", "\"a\nb\"", `"\u0041"`, `{} {}`, `{a:1}`,
		strings.Repeat("[", 100) + strings.Repeat("]", 100),
	} {
		if check(t, doc) {
			t.Errorf("%q is not plain", doc)
		}
	}
}

func TestNoDocumentIsReadOtherwise(t *testing.T) {
	pieces := []string{"{", "}", "[", "]", ":", ",", `"a"`, `"b"`, `"\n"`, "1", "-2.5", "1e5", "0", "true", "false", "null", " ", `"`, "é", "\xff"}
	rapid.Check(t, func(rt *rapid.T) {
		check(rt, strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 12).Draw(rt, "pieces"), ""))
	})
	rapid.Check(t, func(rt *rapid.T) {
		raw, err := json.Marshal(value(rt, 3))
		if err != nil {
			rt.Fatalf("%v", err)
		}
		check(rt, string(raw))
	})
}

func value(rt *rapid.T, depth int) any {
	switch kind := rapid.IntRange(0, 6).Draw(rt, "kind"); {
	case kind == 0:
		return rapid.String().Draw(rt, "text")
	case kind == 1:
		return rapid.Float64().Draw(rt, "number")
	case kind == 2:
		return rapid.Bool().Draw(rt, "bool")
	case kind == 3 || depth == 0:
		return nil
	case kind == 4:
		return rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) any { return value(rt, depth-1) }), 0, 3).Draw(rt, "array")
	}
	return rapid.MapOfN(rapid.StringMatching(`[a-z]{1,4}`), rapid.Custom(func(rt *rapid.T) any { return value(rt, depth-1) }), 0, 3).Draw(rt, "object")
}
