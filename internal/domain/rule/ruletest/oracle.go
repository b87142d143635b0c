package ruletest

import (
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/domain/rule/leaf"
)

// Oracle says by the plain words of the definition whether a person fulfils a rule at a moment. It is slow, knows nothing of the evaluators, and
// reads the JSON itself: what it and they have in common is only how a text is read as a time and which columns an event has.
func Oracle(tree map[string]any, p *rule.Subject, now time.Time) bool {
	o := &oracle{Subject: p, now: now.UnixMicro()}
	return o.holds(tree)
}

type oracle struct {
	*rule.Subject
	now int64
}

func (o *oracle) holds(n map[string]any) bool {
	for kind, v := range n {
		switch b := v.(type) {
		case float64: // version
			continue
		case []any:
			for _, k := range b {
				if o.holds(k.(map[string]any)) != (kind == "all") {
					return kind == "any"
				}
			}
			return kind == "all"
		case map[string]any:
			if kind == "not" {
				return !o.holds(b)
			}
			return o.leaf(kind, b)
		}
	}
	panic(fmt.Sprintf("no condition in %v", n))
}

func text(b map[string]any, key, otherwise string) string {
	if s, ok := b[key].(string); ok {
		return s
	}
	return otherwise
}

func (o *oracle) leaf(kind string, b map[string]any) bool {
	switch kind {
	case "everyone":
		return true
	case "segment", "list":
		return o.In(b["id"].(string)) == (b["in"] != false)
	case "bucket":
		sum := md5.Sum([]byte(b["salt"].(string) + ":" + o.ID))
		share := float64(binary.BigEndian.Uint32(sum[:4])) / (1 << 32) * 100
		return share >= b["from"].(float64) && share < b["to"].(float64)
	case "channel":
		c := o.Channels[b["kind"].(string)]
		if topic, ok := b["subscribed"].(string); ok {
			return c.Topics[topic] == (b["value"] != false)
		}
		return c.Reachable == (b["reachable"] != false)
	case "trait":
		return o.compare(b, lookup(o.Traits, b["path"].(string)))
	case "event":
		var found []any
		for _, i := range o.during(b["window"], o.about(b)) {
			found = append(found, value(o.props(i), b))
		}
		return o.figure(text(b, "agg", "count"), b, found)
	case "engagement":
		return o.engagement(b)
	case "order":
		return o.order(b)
	case "device":
		return o.device(b)
	case "occurrence":
		all := o.about(b)
		if len(all) == 0 {
			return false
		}
		i := all[0]
		if b["which"] == "last" {
			i = all[len(all)-1]
		}
		return slices.Contains(o.during(b["window"], all), i) && o.filtered(b["has"], i)
	case "sequence":
		return o.sequence(b)
	case "anniversary":
		return o.anniversary(b)
	}
	panic("no such condition: " + kind)
}

func value(props, b map[string]any) any {
	if p, ok := b["path"].(string); ok {
		return lookup(props, p)
	}
	return true
}

// lookup finds the value at a dotted path.
func lookup(v any, path string) any {
	for _, part := range strings.Split(path, ".") {
		switch c := v.(type) {
		case map[string]any:
			v = c[part]
		case []any:
			v = nil
			for i := range c {
				if fmt.Sprint(i) == part {
					v = c[i]
				}
			}
		default:
			return nil
		}
	}
	return v
}

func (o *oracle) props(i int) map[string]any { return event.Object(o.Events[i].Properties) }

// about are the events, by their index, that b names, whenever they were.
func (o *oracle) about(b map[string]any) []int {
	var out []int
	for i := range o.Events {
		e := &o.Events[i]
		view := e.Type == event.Page || e.Type == event.Screen
		if name, ok := b["name"].(string); ok && e.Name != name && (!view || string(e.Type) != name) {
			continue
		}
		if typ, ok := b["type"].(string); ok && string(e.Type) != typ {
			continue
		}
		if o.filtered(b["filter"], i) {
			out = append(out, i)
		}
	}
	return out
}

func (o *oracle) filtered(filters any, i int) bool {
	list, _ := filters.([]any)
	for _, f := range list {
		f := f.(map[string]any)
		if !o.compare(f, lookup(o.props(i), f["path"].(string))) {
			return false
		}
	}
	return true
}

func long(v any) int64 {
	unit := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour, "month": 30 * 24 * time.Hour, "year": 365 * 24 * time.Hour}
	s := v.(map[string]any)
	return int64(s["n"].(float64)) * unit[s["unit"].(string)].Microseconds()
}

func (o *oracle) time(i int) int64 { return o.Events[i].Time.UnixMicro() }

// during keeps the events of a window.
func (o *oracle) during(window any, of []int) []int {
	w, _ := window.(map[string]any)
	var out []int
	for _, i := range of {
		age := o.now - o.time(i)
		in := true
		if v, ok := w["within"]; ok {
			in = age >= 0 && age < long(v)
		}
		if v, ok := w["before"]; ok {
			in = age >= long(v)
		}
		if v, ok := w["between"].(map[string]any); ok {
			in = age >= long(v["to_ago"]) && age < long(v["from_ago"])
		}
		if v, ok := w["absolute"].(map[string]any); ok {
			if from, ok := v["from"].(string); ok {
				t, _ := leaf.ParseTime(from)
				in = in && o.time(i) >= t
			}
			if to, ok := v["to"].(string); ok {
				t, _ := leaf.ParseTime(to)
				in = in && o.time(i) < t
			}
		}
		if v, ok := w["since"].(map[string]any); ok {
			starts := o.about(v)
			in = len(starts) > 0
			if in {
				start := starts[len(starts)-1]
				if v["which"] == "first" {
					start = starts[0]
				}
				in = i > start
				if d, ok := v["within"]; ok {
					in = in && o.time(i)-o.time(start) < long(d)
				}
			}
		}
		if in {
			out = append(out, i)
		}
	}
	return out
}

// compare says how a value stands to what the rule compares it with.
func (o *oracle) compare(b map[string]any, have any) bool {
	op := text(b, "op", "")
	if opposite := map[string]string{"neq": "eq", "not_in": "in", "not_exists": "exists"}[op]; opposite != "" {
		return !o.compare(map[string]any{"op": opposite, "value": b["value"]}, have)
	}
	want := o.mark(b["value"])
	switch op {
	case "exists":
		return have != nil
	case "eq":
		return alike(have, want)
	case "in":
		return slices.ContainsFunc(want.([]any), func(w any) bool { return alike(have, w) })
	case "contains":
		if s, ok := have.(string); ok {
			w, ok := want.(string)
			return ok && strings.Contains(s, w)
		}
		list, _ := have.([]any)
		return slices.ContainsFunc(list, func(e any) bool { return alike(e, want) })
	case "starts_with":
		s, ok := have.(string)
		w, too := want.(string)
		return ok && too && strings.HasPrefix(s, w)
	case "between":
		ends := want.([]any)
		low, ok := stands(have, o.mark(ends[0]))
		high, too := stands(have, o.mark(ends[1]))
		return ok && too && low >= 0 && high <= 0
	}
	s, ok := stands(have, want)
	return ok && holdsOrder(op, s)
}

func holdsOrder(op string, s int) bool {
	switch op {
	case "gt":
		return s > 0
	case "gte":
		return s >= 0
	case "lt":
		return s < 0
	case "lte":
		return s <= 0
	}
	return s == 0
}

// moment is a time that a rule compares with.
type momentAt int64

// mark puts traits and moments in the place of what the rule writes for them.
func (o *oracle) mark(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	if path, ok := m["trait"].(string); ok {
		switch t := lookup(o.Traits, path).(type) {
		case string, float64, bool:
			return t
		}
		return nothing{}
	}
	if ago, ok := m["ago"]; ok {
		return momentAt(o.now - long(ago))
	}
	return momentAt(o.now + long(m["ahead"]))
}

// nothing is like nothing, not even like what is absent.
type nothing struct{}

func alike(have, want any) bool {
	switch w := want.(type) {
	case string:
		h, ok := have.(string)
		return ok && h == w
	case float64:
		h, ok := have.(float64)
		return ok && h == w
	case bool:
		h, ok := have.(bool)
		return ok && h == w
	}
	return false
}

// stands returns the order of two values, and whether they have one.
func stands(have, want any) (int, bool) {
	switch w := want.(type) {
	case string:
		h, ok := have.(string)
		return strings.Compare(h, w), ok
	case float64:
		h, ok := have.(float64)
		return big.NewFloat(h).Cmp(big.NewFloat(w)), ok
	case momentAt:
		s, _ := have.(string)
		t, ok := leaf.ParseTime(s)
		return big.NewInt(t).Cmp(big.NewInt(int64(w))), ok
	}
	return 0, false
}

// millionths of a number, if sums take it.
func millionths(f float64) (*big.Int, bool) {
	if math.Abs(f) > 1e12 {
		return nil, false
	}
	return big.NewInt(int64(math.Round(f * 1e6))), true
}

// figure condenses values and compares the outcome.
func (o *oracle) figure(agg string, b map[string]any, found []any) bool {
	if agg == "count" || agg == "distinct" {
		n := len(found)
		if agg == "distinct" {
			seen := map[string]bool{}
			for _, v := range found {
				switch v.(type) {
				case string, float64, bool:
					seen[fmt.Sprintf("%T %v", v, v)] = true
				}
			}
			n = len(seen)
		}
		if b["op"] == nil {
			return n >= 1
		}
		if op := b["op"]; op == "exists" || op == "not_exists" {
			return (n > 0) == (op == "exists")
		}
		return o.compare(b, float64(n))
	}
	if agg == "first" || agg == "last" {
		var v any
		if len(found) > 0 {
			v = found[0]
			if agg == "last" {
				v = found[len(found)-1]
			}
		}
		return v != nil && o.compare(b, v) || v == nil && b["op"] == "not_exists"
	}
	var numbers []float64
	for _, v := range found {
		if f, ok := v.(float64); ok {
			numbers = append(numbers, f)
		}
	}
	if agg == "min" || agg == "max" {
		if len(numbers) == 0 {
			return b["op"] == "not_exists"
		}
		if agg == "min" {
			return o.compare(b, slices.Min(numbers))
		}
		return o.compare(b, slices.Max(numbers))
	}
	sum, n := new(big.Int), int64(0)
	for _, f := range numbers {
		if m, ok := millionths(f); ok {
			sum.Add(sum, m)
			n++
		}
	}
	return o.amount(agg == "avg", b, sum, n)
}

// amount compares a sum, or the mean of n values.
func (o *oracle) amount(mean bool, b map[string]any, sum *big.Int, n int64) bool {
	op := text(b, "op", "")
	if op == "exists" || op == "not_exists" {
		return (n > 0) == (op == "exists")
	}
	if mean && n == 0 {
		return false
	}
	if !mean {
		n = 1
	}
	stand := func(v any) (int, bool) {
		f, ok := v.(float64)
		if !ok {
			return 0, false
		}
		m, ok := millionths(f)
		if !ok {
			return 0, false
		}
		return sum.Cmp(m.Mul(m, big.NewInt(n))), true
	}
	want := o.mark(b["value"])
	one := func(op string, v any) bool {
		s, ok := stand(v)
		return ok && holdsOrder(op, s)
	}
	switch op {
	case "neq":
		return !one("eq", want)
	case "in", "not_in":
		return slices.ContainsFunc(want.([]any), func(v any) bool { return one("eq", v) }) == (op == "in")
	case "between":
		return one("gte", want.([]any)[0]) && one("lte", want.([]any)[1])
	}
	return one(op, want)
}
