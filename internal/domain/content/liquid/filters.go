package liquid

import (
	"cmp"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// filterFunc computes a filter. It must not change its input. Problems go to s.complain, limits through s.room or
// s.cost; nil is the answer to what cannot be computed.
type filterFunc func(s *state, in any, args []any) any

// maxArgs is the largest number of arguments that any filter takes.
const maxArgs = 3

type filterSpec struct {
	fn       filterFunc
	min, max int // arguments
	// prepare looks at the arguments once, while parsing; what it returns is s.filter.data. msg refuses them.
	prepare func(args []expr) (data any, msg string)
}

func (f filterSpec) takes() string {
	switch {
	case f.max == 0:
		return "no arguments"
	case f.min == f.max && f.min == 1:
		return "1 argument"
	case f.min == f.max:
		return fmt.Sprintf("%d arguments", f.min)
	}
	return fmt.Sprintf("%d to %d arguments", f.min, f.max)
}

// filters lists every filter.
var filters = map[string]filterSpec{
	"default": {fn: filterDefault, min: 1, max: 1},

	"upcase":        {fn: textFilter(strings.ToUpper)},
	"downcase":      {fn: textFilter(strings.ToLower)},
	"capitalize":    {fn: textFilter(capitalize)},
	"strip":         {fn: textFilter(strings.TrimSpace)},
	"lstrip":        {fn: textFilter(func(t string) string { return strings.TrimLeftFunc(t, unicode.IsSpace) })},
	"rstrip":        {fn: textFilter(func(t string) string { return strings.TrimRightFunc(t, unicode.IsSpace) })},
	"strip_html":    {fn: textFilter(plain)},
	"url_encode":    {fn: textFilter(url.QueryEscape)},
	"truncate":      {fn: filterTruncate, max: 2},
	"append":        {fn: filterAppend, min: 1, max: 1},
	"prepend":       {fn: filterPrepend, min: 1, max: 1},
	"replace":       {fn: filterReplace, min: 2, max: 2},
	"remove":        {fn: filterReplace, min: 1, max: 1},
	"escape":        {fn: filterEscape},
	"raw":           {fn: filterRaw},
	"newline_to_br": {fn: filterBreaks},
	"slice":         {fn: filterSlice, min: 1, max: 2},

	"split":   {fn: filterSplit, min: 1, max: 1},
	"join":    {fn: filterJoin, max: 1},
	"first":   {fn: func(s *state, in any, _ []any) any { return s.element(in, 0) }},
	"last":    {fn: func(s *state, in any, _ []any) any { return s.element(in, -1) }},
	"size":    {fn: filterSize},
	"sort":    {fn: filterSort, max: 1},
	"reverse": {fn: filterReverse},
	"uniq":    {fn: filterUniq},
	"map":     {fn: filterMap, min: 1, max: 1},
	"where":   {fn: filterWhere, min: 1, max: 2},
	"compact": {fn: filterCompact, max: 1},
	"concat":  {fn: filterConcat, min: 1, max: 1},
	"sum":     {fn: filterSum, max: 1},

	"plus":       {fn: arithmetic('+'), min: 1, max: 1},
	"minus":      {fn: arithmetic('-'), min: 1, max: 1},
	"times":      {fn: arithmetic('*'), min: 1, max: 1},
	"divided_by": {fn: arithmetic('/'), min: 1, max: 1},
	"modulo":     {fn: arithmetic('%'), min: 1, max: 1},
	"round":      {fn: filterRound, max: 1},
	"ceil":       {fn: filterWhole(math.Ceil)},
	"floor":      {fn: filterWhole(math.Floor)},
	"abs":        {fn: filterAbs},
	"at_least":   {fn: filterBound(1), min: 1, max: 1},
	"at_most":    {fn: filterBound(-1), min: 1, max: 1},

	"number":      {fn: filterNumber, max: 1},
	"money":       {fn: filterMoney, max: 1},
	"money_minor": {fn: filterMoneyMinor, max: 1},
	"date":        {fn: filterDate, min: 1, max: 2, prepare: prepareDate},
	"name":        {fn: filterName, max: 1, prepare: prepareName},
}

// filterNames is a function because the table's functions lead back to the parser.
var filterNames = sync.OnceValue(func() []string {
	var out []string
	for n := range filters {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
})

// textFilter lifts a function on text; absent values stay absent. The result of f is at most six times as long as
// its input.
func textFilter(f func(string) string) filterFunc {
	return func(s *state, in any, _ []any) any {
		if in == nil {
			return nil
		}
		t := s.str(in)
		if !s.room(len(t)) {
			return nil
		}
		if t = f(t); !s.room(len(t)) {
			return nil
		}
		return t
	}
}

func filterDefault(_ *state, in any, args []any) any {
	if !truthy(in) || isEmpty(in) {
		return args[0]
	}
	return in
}

func capitalize(t string) string {
	n := nextGrapheme(t)
	return strings.ToUpper(t[:n]) + strings.ToLower(t[n:])
}

// filterTruncate counts user-perceived characters; the ellipsis counts, too.
func filterTruncate(s *state, in any, args []any) any {
	if in == nil {
		return nil
	}
	t, n, tail := s.str(in), 50, "..."
	if len(args) > 0 {
		var ok bool
		if n, ok = toInt(args[0]); !ok {
			s.complain("not_a_number", "truncate needs a number of characters")
			return t
		}
	}
	if len(args) > 1 {
		tail = s.str(args[1])
	}
	if !s.room(len(t)) || !s.room(len(tail)) {
		return nil
	}
	if len(t) <= n || graphemes(t) <= n {
		return t
	}
	return strings.TrimRightFunc(cut(t, max(0, n-graphemes(tail))), unicode.IsSpace) + tail
}

func filterAppend(s *state, in any, args []any) any { return s.concat(s.str(in), s.str(args[0])) }

func filterPrepend(s *state, in any, args []any) any { return s.concat(s.str(args[0]), s.str(in)) }

func (s *state) concat(a, b string) any {
	if !s.room(len(a) + len(b)) {
		return nil
	}
	return a + b
}

// filterReplace also is remove, which has no second argument.
func filterReplace(s *state, in any, args []any) any {
	if in == nil {
		return nil
	}
	t, old, repl := s.str(in), s.str(args[0]), ""
	if len(args) > 1 {
		repl = s.str(args[1])
	}
	if old == "" || !s.room(len(t)) {
		return t
	}
	if grow := len(repl) - len(old); grow > 0 && !s.room(len(t)+strings.Count(t, old)*grow) {
		return nil
	}
	return strings.ReplaceAll(t, old, repl)
}

// filterEscape escapes for HTML, once; in text there is nothing to escape.
func filterEscape(s *state, in any, _ []any) any {
	if t, ok := in.(Trusted); ok || in == nil {
		if in == nil {
			return nil
		}
		return t
	}
	t := s.str(in)
	if s.t.mode != HTML || !s.room(6*len(t)) {
		return t
	}
	return Trusted(escapeMask(nil, t, special))
}

// filterRaw says that the author wants no escaping. Only Trusted values are not escaped, with or without it: what a
// customer typed can never become markup.
func filterRaw(s *state, in any, _ []any) any {
	if isText(in) {
		if _, ok := in.(Trusted); !ok && s.t.mode == HTML && strings.ContainsAny(textOf(in), "<>&\"'") {
			s.complain("untrusted", "raw has no effect on this value: it does not come from a trusted source, so it was escaped")
		}
	}
	return in
}

func filterBreaks(s *state, in any, _ []any) any {
	if in == nil || s.t.mode != HTML {
		return in
	}
	e, ok := filterEscape(s, in, nil).(Trusted)
	if !ok || !s.room(7*len(e)) {
		return nil
	}
	return Trusted(strings.ReplaceAll(strings.ReplaceAll(string(e), "\r\n", "\n"), "\n", "<br>\n"))
}

func filterSplit(s *state, in any, args []any) any {
	if in == nil {
		return list{}
	}
	t, sep := s.str(in), s.str(args[0])
	if t == "" || !s.room(len(t)) {
		return list{}
	}
	if sep == "" {
		var out list
		for t != "" {
			if s.cost(64) != nil {
				return nil
			}
			n := nextGrapheme(t)
			out = append(out, t[:n])
			t = t[n:]
		}
		return out
	}
	if s.cost(64*strings.Count(t, sep)) != nil {
		return nil
	}
	parts := strings.Split(t, sep)
	for len(parts) > 0 && parts[len(parts)-1] == "" { // as Liquid does
		parts = parts[:len(parts)-1]
	}
	return canon(parts)
}

func filterJoin(s *state, in any, args []any) any {
	if in == nil {
		return nil
	}
	sep := " "
	if len(args) > 0 {
		sep = s.str(args[0])
	}
	if isText(canon(in)) {
		return in
	}
	t, ok := s.flat(canon(in), sep)
	if !ok {
		s.complain("not_a_list", "join needs a list of plain values; use map to pick one field first")
		return nil
	}
	return t
}

// listOf returns the input as a list, and books its cost; a single value is a list of one.
func (s *state) listOf(in any) list {
	if in == nil {
		return nil
	}
	l, ok := s.items(in)
	if !ok {
		return list{in}
	}
	if s.cost(256*len(l)) != nil {
		return nil
	}
	return l
}

func (s *state) element(in any, i int) any {
	if t := canon(in); isText(t) {
		return t
	}
	return at(s.listOf(in), i)
}

func filterSize(s *state, in any, _ []any) any {
	switch v := canon(in).(type) {
	case string:
		if s.cost(len(v)) != nil {
			return nil
		}
		return int64(graphemes(v))
	case Trusted:
		return filterSize(s, string(v), nil)
	case list:
		return int64(len(v))
	case map[string]any:
		return int64(len(v))
	}
	return int64(0)
}

// filterSort orders numbers before text and puts what has no order last; equal members keep their order.
func filterSort(s *state, in any, args []any) any {
	l := slices.Clone(s.listOf(in))
	if s.cost(1024*len(l)) != nil {
		return nil
	}
	key := func(v any) any { return v }
	if len(args) > 0 {
		k := s.str(args[0])
		key = func(v any) any { return member(v, k) }
	}
	rank := func(v any) int {
		switch canon(v).(type) {
		case int64, float64:
			return 0
		case string, Trusted:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(l, func(a, b any) int {
		a, b = key(a), key(b)
		if c := cmp.Compare(rank(a), rank(b)); c != 0 {
			return c
		}
		c, _ := order(a, b)
		return c
	})
	return l
}

func filterReverse(s *state, in any, _ []any) any {
	l := slices.Clone(s.listOf(in))
	slices.Reverse(l)
	return l
}

func filterUniq(s *state, in any, _ []any) any {
	l := s.listOf(in)
	out := make(list, 0, len(l))
	for _, x := range l {
		if s.cost(16*len(out)) != nil {
			return nil
		}
		if !slices.ContainsFunc(out, func(y any) bool { return equal(x, y) }) {
			out = append(out, x)
		}
	}
	return out
}

func filterMap(s *state, in any, args []any) any {
	key := s.str(args[0])
	l := s.listOf(in)
	out := make(list, len(l))
	for i := range l {
		out[i] = member(l[i], key)
	}
	return out
}

func filterWhere(s *state, in any, args []any) any {
	key := s.str(args[0])
	var out list
	for _, x := range s.listOf(in) {
		v := member(x, key)
		if len(args) == 1 && truthy(v) || len(args) == 2 && equal(v, args[1]) {
			out = append(out, x)
		}
	}
	return out
}

// filterCompact leaves out members that are absent, or whose field is.
func filterCompact(s *state, in any, args []any) any {
	out := list{}
	for _, x := range s.listOf(in) {
		v := x
		if len(args) > 0 {
			v = member(x, s.str(args[0]))
		}
		if canon(v) != nil {
			out = append(out, x)
		}
	}
	return out
}

func filterConcat(s *state, in any, args []any) any {
	return slices.Concat(s.listOf(in), s.listOf(args[0]))
}

// filterSlice cuts a piece out of a text, in user-perceived characters, or out of a list. A negative start counts from the end.
func filterSlice(s *state, in any, args []any) any {
	start, ok := toInt(args[0])
	length := 1
	if len(args) > 1 && ok {
		length, ok = toInt(args[1])
	}
	if in == nil || !ok {
		if in != nil {
			s.complain("not_a_number", "slice needs a start and a length in numbers")
		}
		return nil
	}
	span := func(n int) (from, to int) {
		if start < 0 {
			start += n
		}
		if start < 0 || start >= n || length <= 0 {
			return 0, 0
		}
		return start, start + min(length, n-start)
	}
	if t := canon(in); isText(t) {
		text := s.str(t)
		if !s.room(len(text)) {
			return nil
		}
		from, to := span(graphemes(text))
		return strings.TrimPrefix(cut(text, to), cut(text, from))
	}
	l := s.listOf(in)
	from, to := span(len(l))
	return slices.Clone(l[from:to])
}
