package collect

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// rewrite runs the scanner over a whole text.
func rewrite(in string) (out string, mended bool, err error) {
	var s scanner
	s.reset([]byte(in))
	if s.next() == 0 {
		return "", false, s.fail()
	}
	if err := s.value(maxDepth); err != nil {
		return "", false, err
	}
	if s.next() != 0 || s.pos < len(s.in) {
		return "", false, s.fail()
	}
	return string(s.out), s.mended, nil
}

func TestScannerWritesOneForm(t *testing.T) {
	for in, want := range map[string]string{
		" { \"a\" : [ 1 , true,\tfalse ,null ] }\r\n": `{"a":[1,true,false,null]}`,
		`{}`:                     `{}`,
		`[ ]`:                    `[]`,
		`"plain"`:                `"plain"`,
		`"\/\u002f\u0041"`:       `"//A"`,
		`"\u00e9 é"`:             `"é é"`,
		`"\n\u000a\u0009\u0001"`: `"\n\n\t\u0001"`,
		`"\u0022\u005c"`:         `"\"\\"`,
		`"\ud83d\ude00"`:         `"😀"`,
		`-0.5e+3`:                `-0.5e+3`,
		`12345678901234567890`:   `12345678901234567890`,
		`1E5`:                    `1E5`,
		`0`:                      `0`,
	} {
		got, mended, err := rewrite(in)
		if got != want || mended || err != nil {
			t.Errorf("%s -> %s, mended %v, %v; want %s", in, got, mended, err, want)
		}
	}
}

func TestScannerMendsWhatStoresReadDifferently(t *testing.T) {
	for in, want := range map[string]string{
		`"a\u0000b"`:                    "\"a\uFFFDb\"",
		"\"a\xffb\"":                    "\"a\uFFFDb\"",
		"\"\xed\xa0\xbd\"":              "\"\uFFFD\uFFFD\uFFFD\"",
		`"\ud83d"`:                      "\"\uFFFD\"",
		`"\ude00\ud83d"`:                "\"\uFFFD\uFFFD\"",
		`"\ud83d\u0041"`:                "\"\uFFFDA\"",
		`{"a":1,"a":2}`:                 `{"a":2}`,
		`{"a":1,"b":2,"\u0061":3}`:      `{"b":2,"a":3}`,
		`{"x":{"a":1,"b":[],"a":{}}}`:   `{"x":{"b":[],"a":{}}}`,
		`{"a":1,"b":2,"b":3,"c":4}`:     `{"a":1,"b":3,"c":4}`,
		`1e400`:                         `"1e400"`,
		`[-1e999]`:                      `["-1e999"]`,
		strings.Repeat("9", 400):        `"` + strings.Repeat("9", 100) + `"`,
		"0." + strings.Repeat("3", 200): `0.3333333333333333`,
	} {
		got, mended, err := rewrite(in)
		if got != want || !mended || err != nil {
			t.Errorf("%.60s -> %.60s, mended %v, %v; want %.60s", in, got, mended, err, want)
		}
	}
	if got, _, err := rewrite(`1e-400`); got != `0` || err != nil {
		t.Errorf("1e-400 -> %s, %v; want 0", got, err)
	}
}

func TestScannerDropsRepeatedKeysAmongMany(t *testing.T) {
	var in, want bytes.Buffer
	in.WriteByte('{')
	want.WriteByte('{')
	for i := range 100 {
		key, _ := json.Marshal(strings.Repeat("k", i+1))
		in.Write(key)
		in.WriteString(`:"first",`)
		want.Write(key)
		want.WriteString(`:"second",`)
	}
	for i := range 100 {
		key, _ := json.Marshal(strings.Repeat("k", i+1))
		in.Write(key)
		in.WriteString(`:"second",`)
	}
	in.Truncate(in.Len() - 1)
	want.Truncate(want.Len() - 1)
	in.WriteByte('}')
	want.WriteByte('}')
	if got, _, err := rewrite(in.String()); got != want.String() || err != nil {
		t.Errorf("got %.80s, %v", got, err)
	}
}

func TestScannerRefusesWhatIsNotJSON(t *testing.T) {
	for _, in := range []string{
		``, ` `, `{`, `}`, `[1,]`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `{'a':1}`, `"`, `"\x"`, `"\u12"`, `"\u12g4"`, "\"\n\"", "\"\x00\"", `01`, `-`, `1.`, `.5`,
		`1e`, `+1`, `NaN`, `Infinity`, `tru`, `nul`, `truex`, `1 2`, `{} {}`, "\ufeff{}", "\x00", `[1 2]`, `{"a":1 "b":2}`, `"\ud83d\u"`,
	} {
		got, _, err := rewrite(in)
		if _, isSyntax := errors.AsType[*syntaxError](err); !isSyntax {
			t.Errorf("%q -> %q, %v; want a syntax error", in, got, err)
		}
		if json.Valid([]byte(in)) {
			t.Errorf("encoding/json accepts %q", in)
		}
	}
}

func TestScannerStopsAtTheDepthLimit(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`[`, n) + strings.Repeat(`]`, n) }
	if _, _, err := rewrite(deep(maxDepth)); err != nil {
		t.Errorf("%d levels: %v", maxDepth, err)
	}
	if _, _, err := rewrite(deep(maxDepth + 1)); !errors.Is(err, errDeep) {
		t.Errorf("%d levels: %v", maxDepth+1, err)
	}
	if _, _, err := rewrite(strings.Repeat(`{"a":`, maxDepth) + `1` + strings.Repeat(`}`, maxDepth)); err != nil {
		t.Errorf("%d objects: %v", maxDepth, err)
	}
}

// reference is what encoding/json reads, with the scanner's mending applied.
func reference(in []byte) any {
	d := json.NewDecoder(bytes.NewReader(in))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		panic(err)
	}
	return mend(v)
}

func mend(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "\x00", "\uFFFD")
	case json.Number:
		f, err := v.Float64()
		if err != nil || math.IsInf(f, 0) {
			return v.String()[:min(len(v), longNumber)]
		}
		return f
	case []any:
		for i := range v {
			v[i] = mend(v[i])
		}
	case map[string]any:
		// Mending can make two keys equal; which of them is last is lost in a map, so such objects are not compared.
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[strings.ReplaceAll(k, "\x00", "\uFFFD")] = mend(x)
		}
		if len(out) != len(v) {
			return "keys collide"
		}
		return out
	}
	return v
}

// The scanner accepts what encoding/json accepts, and what it writes means the same, is valid, and is written again
// as it is.
func FuzzScanner(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,2.5e-3,{"b":"\ud83d\ude00\u0000"}],"a":null}`, "\"\xff\"", `1e400`, `[[[[]]]]`, ` {"\u0061":1,"a":2} `, `"\ud83d"`, `{"":{"":""}}`,
		`-0`, `[true,false,null]`, "{\"a\xff\":1,\"a\xfe\":2}", `0.` + strings.Repeat("1", 200),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out, _, err := rewrite(string(in))
		if errors.Is(err, errDeep) {
			return
		}
		if valid := json.Valid(in); valid != (err == nil) {
			t.Fatalf("%q: error %v, encoding/json says valid: %v", in, err, valid)
		}
		if err != nil {
			return
		}
		if !json.Valid([]byte(out)) || !utf8.ValidString(out) || strings.Contains(out, "\\u0000") && !strings.Contains(out, "\\\\u0000") {
			t.Fatalf("%q -> %q is not clean", in, out)
		}
		var got any
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatalf("%q -> %q: %v", in, out, err)
		}
		if want := reference(in); !strings.Contains(string(in), "\xff") && !bytes.Contains(mustJSON(want), []byte("keys collide")) && !reflect.DeepEqual(got, want) {
			t.Fatalf("%q -> %q means %v, want %v", in, out, got, want)
		}
		again, mended, err := rewrite(out)
		if again != out || mended || err != nil {
			t.Fatalf("%q -> %q -> %q, mended %v, %v", in, out, again, mended, err)
		}
		if out[0] == '{' {
			n := 0
			eachMember([]byte(out), func(key, value, both []byte) {
				n++
				if !json.Valid(key) || !json.Valid(value) || len(both) != len(key)+1+len(value) {
					t.Fatalf("%q: member %q %q", out, key, value)
				}
			})
			if m, ok := got.(map[string]any); !ok || len(m) != n {
				t.Fatalf("%q: %d members", out, n)
			}
		}
	})
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
