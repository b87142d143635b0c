package liquid

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Trusted is HTML that is known to be safe: in HTML mode it passes unescaped where text may stand. Values made by
// people outside the company must never be Trusted. Outside of HTML mode its tags are stripped.
type Trusted string

// list is a sequence without a name of its own.
type list = []any

// emptyValue and blankValue are the literals "empty" and "blank", which only comparisons understand.
type (
	emptyValue struct{}
	blankValue struct{}
	unsetValue struct{} // an assigned variable before its first assignment
)

// span is the literal (from..to).
type span struct{ from, to int }

// canon brings a value into one of: nil, bool, string, Trusted, int64, float64, time.Time, list, map[string]any, span,
// emptyValue, blankValue. Anything else (a channel, say) becomes nil.
func canon(v any) any {
	switch v := v.(type) {
	case nil, bool, string, Trusted, int64, float64, time.Time, list, map[string]any, span, emptyValue, blankValue:
		return v
	case int:
		return int64(v)
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, err := v.Float64()
		if err != nil {
			return string(v)
		}
		return f
	case []string:
		out := make(list, len(v))
		for i := range v {
			out[i] = v[i]
		}
		return out
	case []map[string]any:
		out := make(list, len(v))
		for i := range v {
			out[i] = v[i]
		}
		return out
	}
	return canonSlow(reflect.ValueOf(v))
}

func canonSlow(r reflect.Value) any {
	switch r.Kind() {
	case reflect.Bool:
		return r.Bool()
	case reflect.String:
		return r.String()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return r.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if u := r.Uint(); u <= math.MaxInt64 {
			return int64(u)
		}
		return float64(r.Uint())
	case reflect.Float32, reflect.Float64:
		return r.Float()
	case reflect.Slice, reflect.Array:
		out := make(list, r.Len())
		for i := range out {
			out[i] = r.Index(i).Interface()
		}
		return out
	case reflect.Map:
		if r.Type().Key().Kind() != reflect.String {
			return nil
		}
		out := make(map[string]any, r.Len())
		for it := r.MapRange(); it.Next(); {
			out[it.Key().String()] = it.Value().Interface()
		}
		return out
	case reflect.Pointer, reflect.Interface:
		if r.IsNil() {
			return nil
		}
		return canon(r.Elem().Interface())
	}
	return nil
}

// truthy follows Liquid: only nil and false are false.
func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	}
	return true
}

func isEmpty(v any) bool {
	switch v := canon(v).(type) {
	case string:
		return v == ""
	case Trusted:
		return v == ""
	case list:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

func isBlank(v any) bool {
	switch v := canon(v).(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return strings.TrimSpace(v) == ""
	case Trusted:
		return strings.TrimSpace(string(v)) == ""
	}
	return isEmpty(v)
}

// number reads v as a number; text counts if it looks like one.
func number(v any) (f float64, i int64, isInt, ok bool) {
	switch v := canon(v).(type) {
	case int64:
		return float64(v), v, true, true
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return v, int64(v), false, true
		}
		return v, 0, false, !math.IsNaN(v) && !math.IsInf(v, 0)
	case string:
		v = strings.TrimSpace(v)
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return float64(n), n, true, true
		}
		if len(v) > 0 && len(v) < 40 && strings.Trim(v, "+-.0123456789eE") == "" {
			n, err := strconv.ParseFloat(v, 64)
			return n, 0, false, err == nil && !math.IsInf(n, 0)
		}
	}
	return 0, 0, false, false
}

func toInt(v any) (int, bool) {
	f, i, isInt, ok := number(v)
	switch {
	case !ok:
		return 0, false
	case !isInt:
		if math.Abs(f) > 1<<53 {
			return 0, false
		}
		return int(f), true
	}
	return int(i), true
}

func equal(a, b any) bool {
	a, b = canon(a), canon(b)
	switch b.(type) {
	case emptyValue:
		return isEmpty(a)
	case blankValue:
		return isBlank(a)
	}
	switch x := a.(type) {
	case emptyValue:
		return isEmpty(b)
	case blankValue:
		return isBlank(b)
	case nil:
		return b == nil
	case bool:
		y, ok := b.(bool)
		return ok && x == y
	case string:
		return x == textOf(b) && isText(b)
	case Trusted:
		return isText(b) && string(x) == textOf(b)
	case int64:
		switch y := b.(type) {
		case int64:
			return x == y
		case float64:
			return float64(x) == y
		}
	case float64:
		switch y := b.(type) {
		case int64:
			return x == float64(y)
		case float64:
			return x == y
		}
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Equal(y)
	case list:
		y, ok := b.(list)
		return ok && len(x) == len(y) && slices.EqualFunc(x, y, shallowEqual)
	}
	return false
}

// shallowEqual compares members of lists; lists and maps inside are never equal, which keeps the cost of a
// comparison linear.
func shallowEqual(a, b any) bool {
	if _, deep := canon(a).(list); deep {
		return false
	}
	return equal(a, b)
}

func isText(v any) bool {
	switch v.(type) {
	case string, Trusted:
		return true
	}
	return false
}

func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case Trusted:
		return string(v)
	}
	return ""
}

// order compares two values of the same kind; ok is false if they have no order.
func order(a, b any) (c int, ok bool) {
	a, b = canon(a), canon(b)
	if isText(a) && isText(b) {
		return strings.Compare(textOf(a), textOf(b)), true
	}
	if x, isTime := a.(time.Time); isTime {
		y, isTime := b.(time.Time)
		return x.Compare(y), isTime
	}
	if isText(a) || isText(b) {
		return 0, false
	}
	x, xi, xInt, ok1 := number(a)
	y, yi, yInt, ok2 := number(b)
	switch {
	case !ok1 || !ok2:
		return 0, false
	case xInt && yInt:
		return compareOrdered(xi, yi), true
	}
	return compareOrdered(x, y), true
}

func compareOrdered[T int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// items returns the members of a list, a map (as [key, value] pairs in key order) or a range.
func (s *state) items(v any) (list, bool) {
	switch v := canon(v).(type) {
	case list:
		return v, true
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		out := make(list, len(keys))
		for i, k := range keys {
			out[i] = list{k, v[k]}
		}
		s.cost(256 * len(keys))
		return out, true
	case span:
		n := max(0, v.to-v.from+1)
		if s.cost(256*n) != nil {
			return nil, true
		}
		out := make(list, n)
		for i := range out {
			out[i] = int64(v.from + i)
		}
		return out, true
	}
	return nil, false
}

// member looks up one step of a path.
func member(v any, key string) any {
	switch m := v.(type) {
	case map[string]any:
		if x, ok := m[key]; ok {
			return x
		}
		if key == "size" {
			return int64(len(m))
		}
		return nil
	case map[string]string:
		if x, ok := m[key]; ok {
			return x
		}
		return nil
	}
	switch m := canon(v).(type) {
	case map[string]any:
		if x, ok := m[key]; ok {
			return x
		}
	case list:
		switch key {
		case "size":
			return int64(len(m))
		case "first":
			return at(m, 0)
		case "last":
			return at(m, -1)
		}
	case string:
		if key == "size" {
			return int64(graphemes(m))
		}
	case Trusted:
		if key == "size" {
			return int64(graphemes(string(m)))
		}
	}
	return nil
}

// at returns an element of a list; negative indexes count from the end.
func at(l list, i int) any {
	if i < 0 {
		i += len(l)
	}
	if i < 0 || i >= len(l) {
		return nil
	}
	return l[i]
}

// index looks up v[key].
func index(v, key any) any {
	if t := canon(key); isText(t) {
		return member(v, textOf(t))
	}
	l, ok := canon(v).(list)
	if !ok {
		return nil
	}
	i, ok := toInt(key)
	if !ok {
		return nil
	}
	return at(l, i)
}

// appendNumber writes a float the way people do: no exponent, no noise in the last digits.
func appendNumber(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return dst
	case f == 0:
		return append(dst, '0')
	case f == math.Trunc(f) && math.Abs(f) < 1<<53:
		return strconv.AppendInt(dst, int64(f), 10)
	}
	if math.Abs(f) < 1<<53 {
		if r, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 15, 64), 64); err == nil {
			f = r
		}
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64)
}
