package click

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// names are the functions of the SQL for every store (event.Store) that are called otherwise here. contains becomes a comparison, which binds more tightly
// than NOT, AND and OR.
var names = map[string]string{
	"starts_with": "startsWith", "contains": "0 < position", "arg_min": "argMin", "arg_max": "argMax", "json_extract_string": "JSON_VALUE",
}

// inlineAbove is how many bytes of arguments go beside a statement, in the URL; what is more goes into it, texts as hexadecimal digits.
const inlineAbove = 32 << 10

// translate makes a statement for every store one of ClickHouse's, with named parameters.
func translate(query string, args []any) (string, map[string]string, error) {
	t := translation{args: args, params: map[string]string{}}
	for i := 0; i < len(query); {
		c := query[i]
		switch {
		case c == '\'':
			end := quoted(query, i)
			t.out.WriteString(query[i:end])
			i = end
		case c == '?':
			t.next++
			if err := t.arg(t.next); err != nil {
				return "", nil, err
			}
			i++
		case c == '$' && i+1 < len(query) && digit(query[i+1]):
			end := i + 1
			for end < len(query) && digit(query[end]) {
				end++
			}
			n, _ := strconv.Atoi(query[i+1 : end])
			if err := t.arg(n); err != nil {
				return "", nil, err
			}
			i = end
		case letter(c):
			end := i
			for end < len(query) && (letter(query[end]) || digit(query[end])) {
				end++
			}
			word := query[i:end]
			if other, ok := names[strings.ToLower(word)]; ok && end < len(query) && query[end] == '(' {
				word = other
			}
			t.out.WriteString(word)
			i = end
		default:
			t.out.WriteByte(c)
			i++
		}
	}
	return t.out.String(), t.params, nil
}

func digit(c byte) bool  { return c >= '0' && c <= '9' }
func letter(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// quoted is the end of the text that begins at i.
func quoted(query string, i int) int {
	for i++; i < len(query); i++ {
		switch query[i] {
		case '\\':
			i++
		case '\'':
			return i + 1
		}
	}
	return len(query)
}

type translation struct {
	out    strings.Builder
	args   []any
	next   int
	params map[string]string
	size   int
}

// arg writes the n-th argument.
func (t *translation) arg(n int) error {
	if n < 1 || n > len(t.args) {
		return fmt.Errorf("event store: the statement asks for argument %d of %d", n, len(t.args))
	}
	switch v := t.args[n-1].(type) {
	case []uint64:
		t.out.WriteString(numbers(v, "UInt64", func(n uint64) string { return strconv.FormatUint(n, 10) }))
	case []int64:
		t.out.WriteString(numbers(v, "Int64", func(n int64) string { return strconv.FormatInt(n, 10) }))
	case []string:
		parts := make([]string, len(v))
		for i, s := range v {
			parts[i] = t.text(fmt.Sprintf("p%d_%d", n, i), s)
		}
		t.out.WriteString("CAST([" + strings.Join(parts, ", ") + "], 'Array(String)')")
	case string:
		t.out.WriteString(t.text("p"+strconv.Itoa(n), v))
	case bool:
		t.out.WriteString(strconv.FormatBool(v))
	case int:
		t.out.WriteString(whole(int64(v)))
	case int64:
		t.out.WriteString(whole(v))
	case uint64:
		t.out.WriteString("toUInt64(" + strconv.FormatUint(v, 10) + ")")
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("event store: argument %d is no number: %v", n, v)
		}
		t.out.WriteString("toFloat64(" + strconv.FormatFloat(v, 'g', -1, 64) + ")")
	default:
		return fmt.Errorf("event store: argument %d is a %T", n, v)
	}
	return nil
}

func whole(n int64) string {
	if n == math.MinInt64 {
		return "(-9223372036854775807 - 1)"
	}
	return "toInt64(" + strconv.FormatInt(n, 10) + ")"
}

func numbers[T any](list []T, kind string, text func(T) string) string {
	var b strings.Builder
	b.WriteString("CAST([")
	for i, n := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(text(n))
	}
	b.WriteString("], 'Array(" + kind + ")')")
	return b.String()
}

// text writes a text: as a parameter, or in hexadecimal digits where it would be too long for that. A text of a user is never part of the SQL.
func (t *translation) text(name, s string) string {
	escaped := escaper.Replace(s)
	if _, again := t.params[name]; !again {
		if t.size += len(name) + len(escaped); t.size > inlineAbove {
			return fmt.Sprintf("unhex('%x')", s)
		}
		t.params[name] = escaped
	}
	return "{" + name + ":String}"
}

// escaper writes a parameter's text as the server reads it, like a field of TSV.
var escaper = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)
