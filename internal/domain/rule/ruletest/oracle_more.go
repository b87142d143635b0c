package ruletest

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/rule/leaf"
)

func (o *oracle) columns(i int) event.Promoted { return event.Promote(&o.Events[i].Event) }

func (o *oracle) engagement(b map[string]any) bool {
	action := b["action"].(string)
	name := map[string]string{
		"sent": event.MessageSent, "delivered": event.MessageDelivered, "opened": event.MessageOpened, "clicked": event.MessageClicked, "bounced": event.MessageBounced,
		"converted": event.MessageConverted, "unsubscribed": event.MessageUnsubscribed, "complained": event.MessageComplained, "replied": event.MessageReplied,
	}[action]
	var found []any
	for _, i := range o.during(b["window"], o.about(map[string]any{"name": name, "type": "message"})) {
		c := o.columns(i)
		source, _ := b["source"].(map[string]any)
		fits := true
		for want, have := range map[any]string{b["topic"]: c.Topic, b["channel"]: c.Channel} {
			fits = fits && (want == nil || want == have)
		}
		for key, have := range map[string]string{"kind": c.SourceKind, "id": c.SourceID, "node": c.Node} {
			fits = fits && (source[key] == nil || source[key] == have)
		}
		if human := action == "opened" || action == "clicked" || action == "replied"; human && b["machine"] != true && o.props(i)["machine"] == true {
			fits = false
		}
		if !fits {
			continue
		}
		if text(b, "agg", "count") == "distinct" {
			if c.OutboxID != "" {
				found = append(found, c.OutboxID)
			}
		} else {
			found = append(found, true)
		}
	}
	return o.figure(text(b, "agg", "count"), b, found)
}

// sold is an order as its latest event says.
type sold struct {
	total int64
	at    int64
}

func (o *oracle) order(b map[string]any) bool {
	status, agg := text(b, "status", "completed"), text(b, "agg", "count")
	total := func(i int) (int64, bool) {
		c := o.columns(i)
		if !c.HasTotal {
			return 0, false
		}
		if m, ok := millionths(c.Total); ok {
			return m.Int64(), true
		}
		return 0, true
	}
	orders := map[string]sold{}
	for _, i := range o.during(b["window"], o.about(map[string]any{"name": event.OrderCompleted, "type": "track", "filter": b["filter"]})) {
		key := "event " + o.Events[i].MessageID
		if id := o.columns(i).OrderID; id != "" {
			key = "order " + id
		}
		t, _ := total(i)
		orders[key] = sold{t, o.time(i)}
	}
	cancels := o.about(map[string]any{"name": event.OrderCancelled, "type": "track"})
	refunds := append(o.about(map[string]any{"name": event.OrderRefunded, "type": "track"}), cancels...)
	back, whole := map[string]*big.Int{}, map[string]bool{}
	for _, i := range refunds {
		id := o.columns(i).OrderID
		if id == "" {
			continue
		}
		key := "order " + id
		if back[key] == nil {
			back[key] = new(big.Int)
		}
		t, given := total(i)
		back[key].Add(back[key], big.NewInt(t))
		whole[key] = whole[key] || !given || slices.Contains(cancels, i)
	}
	sum, n, last := new(big.Int), int64(0), int64(0)
	for key, s := range orders {
		left := big.NewInt(s.total)
		full := whole[key] || back[key] != nil && back[key].Cmp(left) >= 0
		if status == "completed" && full || status == "refunded" && !full {
			continue
		}
		if status == "completed" && back[key] != nil {
			left.Sub(left, back[key])
		}
		if n == 0 || s.at > last {
			last = s.at
		}
		n++
		sum.Add(sum, left)
	}
	if list, _ := b["filter"].([]any); status == "completed" && len(list) == 0 {
		for _, i := range o.during(b["window"], refunds) {
			if o.columns(i).OrderID == "" {
				t, _ := total(i)
				sum.Sub(sum, big.NewInt(t))
			}
		}
	}
	switch agg {
	case "sum", "aov":
		return o.amount(agg == "aov", b, sum, n)
	case "days_since_last":
		if n == 0 {
			return b["op"] == "not_exists"
		}
		days := max(o.now-last, 0) / (24 * time.Hour).Microseconds()
		return o.compare(b, float64(days))
	}
	return o.figure("count", b, make([]any, n))
}

func (o *oracle) device(b map[string]any) bool {
	path, op := b["path"].(string), text(b, "op", "")
	if path == "last_seen" {
		var last any
		for i := range o.Events {
			if t := o.Events[i].Type; t == event.Track || t == event.Page || t == event.Screen {
				last = o.Events[i].Time.Format(time.RFC3339Nano)
			}
		}
		want := b["value"]
		absolute := func(v any) any {
			if s, ok := v.(string); ok {
				t, _ := leaf.ParseTime(s)
				return momentAt(t)
			}
			return o.mark(v)
		}
		if list, ok := want.([]any); ok {
			want = []any{absolute(list[0]), absolute(list[1])}
		} else {
			want = absolute(want)
		}
		return o.compare(map[string]any{"op": op, "value": want}, last)
	}
	opposite := map[string]string{"neq": "eq", "not_in": "in", "not_exists": "exists"}[op]
	plain := op
	if opposite != "" {
		plain = opposite
	}
	found := false
	for _, i := range o.during(b["window"], all(len(o.Events))) {
		e := &o.Events[i]
		if !slices.Contains([]event.Type{event.Track, event.Page, event.Screen, event.Identify, event.Group, event.Alias}, e.Type) {
			continue
		}
		c := o.columns(i)
		have := map[string]string{
			"os": c.OS, "os_version": c.OSVersion, "type": c.DeviceType, "model": c.DeviceModel, "platform": c.Platform, "app_version": c.AppVersion,
			"locale": c.Locale, "timezone": c.Timezone, "country": c.Country,
		}[path]
		if have == "" {
			continue
		}
		if ordered := slices.Contains([]string{"gt", "gte", "lt", "lte", "between"}, plain); ordered && strings.HasSuffix(path, "_version") {
			found = found || byVersion(plain, have, b["value"])
		} else {
			found = found || o.compare(map[string]any{"op": plain, "value": b["value"]}, have)
		}
	}
	return found == (opposite == "")
}

func all(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func byVersion(op, have string, want any) bool {
	h := numbersOf(have)
	if h == nil {
		return false
	}
	if list, ok := want.([]any); ok {
		return slices.Compare(h, numbersOf(list[0].(string))) >= 0 && slices.Compare(h, numbersOf(list[1].(string))) <= 0
	}
	return holdsOrder(op, slices.Compare(h, numbersOf(want.(string))))
}

// numbersOf reads up to eight numbers separated by dots from the start of a text; missing ones are 0.
func numbersOf(s string) []int {
	var out []int
	for len(out) < 8 {
		n := 0
		for n < len(s) && n < 9 && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		if n == 0 {
			break
		}
		v, _ := strconv.Atoi(s[:n])
		out = append(out, v)
		if s = s[n:]; !strings.HasPrefix(s, ".") {
			break
		}
		s = s[1:]
	}
	if out == nil {
		return nil
	}
	return append(out, make([]int, 8-len(out))...)
}

// sequence tries every way to find the steps.
func (o *oracle) sequence(b map[string]any) bool {
	steps := b["steps"].([]any)
	last := steps[len(steps)-1].(map[string]any)
	absent := last["absent"] == true
	by, _ := b["by"].(string)
	keyed := func(i int) any {
		if by == "" {
			return true
		}
		switch v := lookup(o.props(i), by).(type) {
		case string, float64, bool:
			return v
		}
		return nil
	}
	timely := o.during(b["window"], all(len(o.Events)))
	// done reports whether the steps that are left can be found behind an event.
	var done func(step, before int, key any) bool
	done = func(step, before int, key any) bool {
		s := steps[step].(map[string]any)
		fits := o.about(s)
		within := func(i int) bool { return s["within"] == nil || o.time(i)-o.time(before) < long(s["within"]) }
		if absent && step == len(steps)-1 {
			for _, i := range fits {
				if i > before && keyed(i) == key && within(i) {
					return false
				}
			}
			return s["within"] == nil || o.now-o.time(before) >= long(s["within"])
		}
		for _, i := range fits {
			if i <= before || keyed(i) != key || !within(i) {
				continue
			}
			if w, ok := s["without"].(map[string]any); ok && slices.ContainsFunc(o.about(w), func(j int) bool { return before < j && j < i && keyed(j) == key }) {
				continue
			}
			if final := step == len(steps)-1 || absent && step == len(steps)-2; final && !slices.Contains(timely, i) {
				continue
			}
			if step == len(steps)-1 || done(step+1, i, key) {
				return true
			}
		}
		return false
	}
	for _, i := range o.about(steps[0].(map[string]any)) {
		key := keyed(i)
		if key == nil || absent && len(steps) == 2 && !slices.Contains(timely, i) {
			continue
		}
		if done(1, i, key) {
			return true
		}
	}
	return false
}

// anniversary looks at each day asked for whether the date returns on it.
func (o *oracle) anniversary(b map[string]any) bool {
	home, err := time.LoadLocation(b["zone"].(string))
	if err != nil {
		panic(err)
	}
	zone := home
	if name, ok := o.Traits["timezone"].(string); ok && b["own_zone"] == true && name != "" {
		if z, err := time.LoadLocation(name); err == nil {
			zone = z
		}
	}
	var year, day int
	var month time.Month
	limited := false
	if e, ok := b["event"].(map[string]any); ok {
		found := o.about(e)
		if len(found) == 0 {
			return false
		}
		i := found[0]
		if e["which"] == "last" {
			i = found[len(found)-1]
		}
		year, month, day = o.Events[i].Time.In(home).Date()
		limited = true
	} else {
		s, _ := lookup(o.Traits, b["path"].(string)).(string)
		yearless := strings.HasPrefix(s, "--")
		if yearless {
			s = "2000" + s[1:]
			if len(s) != len("2000-01-01") {
				return false
			}
		}
		t, ok := leaf.ParseTime(s)
		if !ok {
			return false
		}
		limited = len(s) > len("2000-01-01")
		if limited {
			year, month, day = time.UnixMicro(t).In(home).Date()
		} else {
			year, month, day = time.UnixMicro(t).UTC().Date()
		}
		if yearless {
			year = 0
		}
	}
	y, m, d := time.UnixMicro(o.now).In(zone).Date()
	from, _ := b["from"].(float64)
	to, _ := b["to"].(float64)
	for ahead := int(from); ahead <= int(to); ahead++ {
		on := time.Date(y, m, d+ahead, 0, 0, 0, 0, time.UTC)
		fits := on.Month() == month && on.Day() == day
		if month == time.February && day == 29 && time.Date(on.Year(), 3, 0, 0, 0, 0, 0, time.UTC).Day() == 28 {
			fits = on.Month() == time.February && on.Day() == 28
			if b["leap_day"] == "march" {
				fits = on.Month() == time.March && on.Day() == 1
			}
		}
		if fits && on.Year() > year && (!limited || on.Year()-year <= 150) {
			return true
		}
	}
	return false
}
