package ruletest

import (
	"slices"
	"time"

	"pgregory.net/rapid"
)

type object = map[string]any

func oneOf[T any](t *rapid.T, name string, from []T) T { return rapid.SampledFrom(from).Draw(t, name) }

func maybe(t *rapid.T, name string) bool { return rapid.Bool().Draw(t, name) }

// Sets are the segments and lists that rules may name.
type Sets struct {
	Segments, Lists []string
}

// Tree draws a random valid rule over the sets of the worlds here.
func Tree(t *rapid.T) map[string]any { return TreeOf(t, Sets{setIDs, setIDs}, 3) }

// TreeOf draws a random valid rule, as a JSON decoder would return it, at most depth groups deep.
func TreeOf(t *rapid.T, sets Sets, depth int) map[string]any { return plain(sets.tree(t, depth)) }

func (sets Sets) tree(t *rapid.T, depth int) object {
	kinds := []string{"leaf", "leaf", "leaf", "all", "any", "not"}
	if depth == 0 {
		kinds = kinds[:1]
	}
	switch kind := oneOf(t, "node", kinds); kind {
	case "all", "any":
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "children") {
			list = append(list, sets.tree(t, depth-1))
		}
		return object{kind: list}
	case "not":
		return object{"not": sets.tree(t, depth-1)}
	}
	return sets.leaf(t)
}

func (sets Sets) leaf(t *rapid.T) object {
	kinds := []string{"trait", "trait", "event", "event", "event", "occurrence", "occurrence", "sequence", "sequence", "anniversary", "anniversary", "order", "order", "device", "channel", "engagement", "bucket", "everyone"}
	if len(sets.Segments) > 0 {
		kinds = append(kinds, "segment")
	}
	if len(sets.Lists) > 0 {
		kinds = append(kinds, "list")
	}
	kind := oneOf(t, "kind", kinds)
	l := object{}
	switch kind {
	case "trait":
		l["path"] = oneOf(t, "path", append([]string{"deep.a", "deep.b.c", "deep.0", "tags.0", "tags.1", "none"}, traitKeys...))
		condition(t, l, true)
	case "occurrence":
		occurrenceLeaf(t, l)
	case "sequence":
		sequenceLeaf(t, l)
	case "anniversary":
		anniversaryLeaf(t, l)
	case "event":
		eventLeaf(t, l)
	case "order":
		orderLeaf(t, l)
	case "device":
		deviceLeaf(t, l)
	case "channel":
		l["kind"] = oneOf(t, "channel", []string{"email", "sms", "fax"})
		if maybe(t, "reachable") {
			l["reachable"] = maybe(t, "yes")
		} else {
			l["subscribed"] = oneOf(t, "topic", []string{"tpc_1", "tpc_2", "tpc_3"})
			if maybe(t, "value") {
				l["value"] = maybe(t, "yes")
			}
		}
	case "engagement":
		l["action"] = oneOf(t, "action", []string{"sent", "opened", "opened", "clicked", "clicked", "replied", "delivered", "bounced"})
		if a := l["action"]; a == "opened" || a == "clicked" || a == "replied" {
			if maybe(t, "told who") {
				l["machine"] = maybe(t, "machine")
			}
		}
		if maybe(t, "source") {
			l["source"] = object{"kind": oneOf(t, "source", []string{"campaign", "journey"})}
		} else if maybe(t, "node") {
			l["source"] = object{"id": "cmp_1", "node": "n1"}
		}
		if maybe(t, "topic") {
			l["topic"] = "tpc_1"
		}
		if maybe(t, "channel") {
			l["channel"] = "email"
		}
		if maybe(t, "agg") {
			l["agg"] = oneOf(t, "agg", []string{"count", "distinct"})
		}
		figure(t, l, []float64{0, 1, 2})
		window(t, l)
	case "segment", "list":
		l["id"] = oneOf(t, "set", map[string][]string{"segment": sets.Segments, "list": sets.Lists}[kind])
		if maybe(t, "in") {
			l["in"] = maybe(t, "yes")
		}
	case "bucket":
		l["salt"] = oneOf(t, "salt", []string{"x", "é:"})
		l["from"] = float64(rapid.IntRange(0, 50).Draw(t, "from"))
		l["to"] = 50.5 + float64(rapid.IntRange(0, 49).Draw(t, "to"))
	}
	return object{kind: l}
}

// about draws which events a condition is about.
func about(t *rapid.T, l object) {
	if maybe(t, "named") {
		l["name"] = oneOf(t, "name", append([]string{"screen", "Never", "A", "B"}, eventNames...))
	}
	if _, named := l["name"]; !named || maybe(t, "typed") {
		l["type"] = oneOf(t, "type", []string{"track", "track", "page", "screen", "identify", "message"})
	}
}

func occurrenceLeaf(t *rapid.T, l object) {
	about(t, l)
	l["which"] = oneOf(t, "which", []string{"first", "last"})
	filters(t, l, "filter")
	filters(t, l, "has")
	window(t, l)
}

func sequenceLeaf(t *rapid.T, l object) {
	steps := []any{}
	n := rapid.IntRange(2, 4).Draw(t, "steps")
	for i := range n {
		s := object{}
		about(t, s)
		if rapid.IntRange(0, 3).Draw(t, "filtered") == 0 {
			filters(t, s, "filter")
		}
		absent := i == n-1 && maybe(t, "absent")
		if absent {
			s["absent"] = true
		}
		if i > 0 && maybe(t, "within") {
			s["within"] = oneOf(t, "span", spans)
		}
		if i > 0 && !absent && maybe(t, "without") {
			w := object{}
			about(t, w)
			s["without"] = w
		}
		steps = append(steps, s)
	}
	l["steps"] = steps
	if rapid.IntRange(0, 3).Draw(t, "by") == 0 {
		l["by"] = oneOf(t, "path", []string{"order_id", "flag", "category"})
	}
	window(t, l)
}

func anniversaryLeaf(t *rapid.T, l object) {
	if maybe(t, "trait") {
		l["path"] = oneOf(t, "path", []string{"born", "born", "born", "at"})
	} else {
		e := object{}
		about(t, e)
		if maybe(t, "which") {
			e["which"] = oneOf(t, "which", []string{"first", "last"})
		}
		l["event"] = e
	}
	l["zone"] = oneOf(t, "zone", zones)
	if maybe(t, "own") {
		l["own_zone"] = maybe(t, "yes")
	}
	if maybe(t, "leap") {
		l["leap_day"] = oneOf(t, "leap day", []string{"february", "march"})
	}
	if maybe(t, "range") {
		from := rapid.IntRange(-300, 200).Draw(t, "from")
		if maybe(t, "near") {
			from = oneOf(t, "from", []int{-3, -1, 0, 1, 3, -63, -62, -61, -60}) // 28 February is 62 days before base, 1 March 61
		}
		l["from"] = from
		l["to"] = from + oneOf(t, "long", []int{0, 1, 7, 60, 164})
	}
}

func eventLeaf(t *rapid.T, l object) {
	about(t, l)
	path := func() {
		l["path"] = oneOf(t, "path", append([]string{"deep.a", "deep.b.c", "items.0", "items.0.a", "tags.1", "none"}, propKeys...))
	}
	switch agg := oneOf(t, "agg", []string{"", "count", "count", "sum", "avg", "min", "max", "distinct", "first", "last"}); agg {
	case "", "count":
		if agg != "" {
			l["agg"] = agg
		}
		figure(t, l, []float64{0, 1, 2, 2.5, 3})
	case "first", "last":
		l["agg"] = agg
		path()
		condition(t, l, false)
	default:
		l["agg"] = agg
		path()
		figure(t, l, append([]float64{0.6, 0.15}, numbers[:9]...))
	}
	filters(t, l, "filter")
	window(t, l)
}

func orderLeaf(t *rapid.T, l object) {
	agg := oneOf(t, "agg", []string{"", "count", "sum", "aov", "days_since_last"})
	if agg != "" {
		l["agg"] = agg
	}
	if maybe(t, "status") {
		l["status"] = oneOf(t, "status", []string{"completed", "refunded", "any"})
	}
	if maybe(t, "filtered") {
		filters(t, l, "filter")
	}
	if agg == "days_since_last" {
		figure(t, l, []float64{0, 1, 1.5, 7, 30, 365, -1})
		if _, ok := l["op"]; !ok {
			l["op"], l["value"] = "gte", 7.0
		}
	} else {
		figure(t, l, []float64{0, 1, 2, 100, 2.5, -1, 0.3})
	}
	window(t, l)
}

func deviceLeaf(t *rapid.T, l object) {
	path := oneOf(t, "path", []string{"os", "os_version", "os_version", "type", "model", "platform", "app_version", "locale", "last_seen", "last_seen"})
	l["path"] = path
	if path == "last_seen" {
		op := oneOf(t, "op", []string{"gt", "gte", "lt", "lte", "between", "exists", "not_exists"})
		l["op"] = op
		switch op {
		case "exists", "not_exists":
		case "between":
			l["value"] = []any{moment(t), moment(t)}
		default:
			if maybe(t, "absolute") {
				l["value"] = at(t)
			} else {
				l["value"] = moment(t)
			}
		}
		return
	}
	op := oneOf(t, "op", []string{"eq", "neq", "gt", "gte", "lt", "lte", "in", "not_in", "contains", "starts_with", "exists", "not_exists", "between"})
	l["op"] = op
	word := func() any {
		switch path {
		case "os_version", "app_version":
			return oneOf(t, "version", []string{"17", "17.1", "17.2", "3.2", "3.10", "3.2.0", "17.1-beta"})
		}
		return oneOf(t, "word", []string{"iOS", "Android", "ios", "web", "server", "ja-JP", "a", "mobile"})
	}
	operand(t, l, op, word)
	window(t, l)
}

// operand sets a value that suits op.
func operand(t *rapid.T, l object, op string, one func() any) {
	switch op {
	case "exists", "not_exists":
	case "in", "not_in":
		list := []any{}
		for range rapid.IntRange(1, 3).Draw(t, "values") {
			list = append(list, one())
		}
		l["value"] = list
	case "between":
		l["value"] = []any{one(), one()}
	default:
		l["value"] = one()
	}
}

// condition draws op and value for a value of any type.
func condition(t *rapid.T, l object, moments bool) {
	op := oneOf(t, "op", []string{"eq", "neq", "gt", "gte", "lt", "lte", "in", "not_in", "contains", "starts_with", "exists", "not_exists", "between"})
	l["op"] = op
	if compareTrait(t, l, op, "contains", "starts_with") {
		return
	}
	kinds := []string{"text", "number", "boolean"}
	switch op {
	case "starts_with":
		kinds = kinds[:1]
	case "gt", "gte", "lt", "lte", "between":
		kinds = kinds[:2]
		if moments {
			kinds = append(kinds, "moment")
		}
	}
	kind := oneOf(t, "type", kinds)
	operand(t, l, op, func() any {
		if op == "in" || op == "not_in" {
			kind = oneOf(t, "type", kinds)
		}
		switch kind {
		case "text":
			return oneOf(t, "text", texts)
		case "number":
			return oneOf(t, "number", numbers)
		case "moment":
			return moment(t)
		}
		return maybe(t, "boolean")
	})
}

// figure draws op and value for a number; a count may go without.
func figure(t *rapid.T, l object, values []float64) {
	if agg, ok := l["agg"]; (!ok || agg == "count") && rapid.IntRange(0, 4).Draw(t, "bare") == 0 {
		return
	}
	op := oneOf(t, "op", []string{"eq", "neq", "gt", "gte", "lt", "lte", "in", "not_in", "exists", "not_exists", "between"})
	l["op"] = op
	if compareTrait(t, l, op) {
		return
	}
	operand(t, l, op, func() any { return oneOf(t, "number", values) })
}

// compareTrait now and then compares with a trait.
func compareTrait(t *rapid.T, l object, op string, also ...string) bool {
	if !slices.Contains(append([]string{"eq", "neq", "gt", "gte", "lt", "lte"}, also...), op) || rapid.IntRange(0, 3).Draw(t, "trait") > 0 {
		return false
	}
	l["value"] = object{"trait": oneOf(t, "of", append([]string{"deep.a", "tags.0", "n", "n"}, traitKeys...))}
	return true
}

func filters(t *rapid.T, l object, key string) {
	n := rapid.IntRange(0, 2).Draw(t, "filters")
	if n == 0 {
		return
	}
	list := []any{}
	for range n {
		f := object{"path": oneOf(t, "path", append([]string{"deep.a", "items.0", "tags.0.a"}, propKeys...))}
		condition(t, f, false)
		list = append(list, f)
	}
	l[key] = list
}

// spans are those of grid in rule units, so that windows end on events.
var spans = []object{
	{"n": 1, "unit": "minute"},
	{"n": 1, "unit": "hour"},
	{"n": 24, "unit": "hour"},
	{"n": 1, "unit": "day"},
	{"n": 2, "unit": "day"},
	{"n": 3, "unit": "day"},
	{"n": 1, "unit": "week"},
	{"n": 2, "unit": "week"},
	{"n": 1, "unit": "month"},
	{"n": 2, "unit": "month"},
	{"n": 1, "unit": "year"},
}

func moment(t *rapid.T) object {
	return object{oneOf(t, "side", []string{"ago", "ahead"}): oneOf(t, "span", append([]object{{"n": 0, "unit": "day"}}, spans...))}
}

func at(t *rapid.T) string {
	return base.Add(-oneOf(t, "at", grid)).Add(oneOf(t, "nudge", nudges)).Format(time.RFC3339Nano)
}

func window(t *rapid.T, l object) {
	switch oneOf(t, "window", []string{"", "ever", "within", "within", "between", "absolute", "before", "since", "since"}) {
	case "ever":
		l["window"] = "ever"
	case "within":
		l["window"] = object{"within": oneOf(t, "span", spans)}
	case "before":
		l["window"] = object{"before": oneOf(t, "span", spans)}
	case "since":
		s := object{}
		about(t, s)
		if rapid.IntRange(0, 3).Draw(t, "filtered") == 0 {
			filters(t, s, "filter")
		}
		if maybe(t, "which") {
			s["which"] = oneOf(t, "which", []string{"first", "last"})
		}
		if maybe(t, "within") {
			s["within"] = oneOf(t, "span", spans)
		}
		l["window"] = object{"since": s}
	case "between":
		i := rapid.IntRange(4, len(spans)-1).Draw(t, "from")
		l["window"] = object{"between": object{"from_ago": spans[i], "to_ago": oneOf(t, "to", append([]object{{"n": 0, "unit": "week"}}, spans[:3]...))}}
	case "absolute":
		w := object{}
		from := base.Add(-oneOf(t, "from", grid[3:]))
		switch rapid.IntRange(0, 2).Draw(t, "ends") {
		case 0:
			w["from"] = from.Format(time.RFC3339Nano)
		case 1:
			w["to"] = from.Format(time.RFC3339Nano)
		default:
			w["from"] = from.Format(time.RFC3339Nano)
			w["to"] = from.Add(oneOf(t, "long", grid[1:])).In(time.FixedZone("", 9*3600)).Format(time.RFC3339Nano)
		}
		l["window"] = object{"absolute": w}
	}
}

// instant draws a moment, often one at which a window of the grid begins or ends for some event.
func instant(t *rapid.T) time.Time {
	now := base.Add(oneOf(t, "later", grid) - oneOf(t, "earlier", grid)).Add(oneOf(t, "nudge", nudges))
	if maybe(t, "odd") {
		now = now.Add(time.Duration(rapid.IntRange(0, 999).Draw(t, "ns")))
	}
	return now
}

func show(v any) string { return string(encode(v)) }
