package outbox

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/money"
)

// Goal is what the message is meant to bring about; the zero value counts orders within seven days.
type Goal struct {
	Event  string            `json:"event,omitempty"`
	Window time.Duration     `json:"window,omitempty"`
	Filter []json.RawMessage `json:"filter,omitempty"` // conditions over the event's properties, as in rules; all must hold
	None   bool              `json:"none,omitempty"`   // the message is for nothing that is counted; all else is empty
	Value  string            `json:"value,omitempty"`  // property that holds what the event is worth, such as order.total; empty: the total of orders, nothing of other events
}

// DefaultGoal is what a message is for unless its sender says otherwise.
var DefaultGoal = Goal{Event: event.OrderCompleted, Window: 7 * 24 * time.Hour}

const (
	// MaxGoalWindow bounds how long after a message something may still count as its effect.
	MaxGoalWindow = 90 * 24 * time.Hour

	maxGoalFilters = 20
	maxGoalText    = 200
)

// IsZero reports whether nothing was chosen.
func (g Goal) IsZero() bool {
	return !g.None && g.Event == "" && g.Window == 0 && len(g.Filter) == 0 && g.Value == ""
}

// Filled returns the goal with defaults in place of what was not chosen; a message for nothing stays so.
func (g Goal) Filled() Goal {
	if g.None {
		return Goal{None: true}
	}
	if g.Event == "" {
		g.Event = DefaultGoal.Event
	}
	if g.Window <= 0 {
		g.Window = DefaultGoal.Window
	}
	g.Window = min(g.Window, MaxGoalWindow)
	return g
}

// Validate checks what people wrote. The fields of its errors begin with goal.
func (g Goal) Validate() error {
	switch {
	case g.None:
		return nil
	case utf8.RuneCountInString(g.Event) > maxGoalText || utf8.RuneCountInString(g.Value) > maxGoalText:
		return errs.Invalid("goal.length", "goal.event", "at most %d characters", maxGoalText)
	case !NamesValue(g.Value):
		return errs.Invalid("goal.value", "goal.value", "%q names no property; write one such as total or order.total", g.Value)
	case g.Window < 0 || g.Window > MaxGoalWindow:
		return errs.Invalid("goal.window", "goal.window", "the window of the goal lies between 0 (seven days) and %d days", int(MaxGoalWindow/(24*time.Hour)))
	case len(g.Filter) > maxGoalFilters:
		return errs.Invalid("goal.filter", "goal.filter", "at most %d conditions", maxGoalFilters)
	}
	if _, err := g.Filled().rule(); err != nil {
		var msg string
		if all := errs.All(err); len(all) > 0 {
			msg = all[0].Msg
		}
		return errs.Invalid("goal.filter", "goal.filter", "the conditions of the goal cannot be read: %s", msg)
	}
	return nil
}

// NamesValue reports whether a path leads to a property of an event; the empty one stands for the usual.
func NamesValue(path string) bool {
	return path == "" || !slices.ContainsFunc(strings.Split(path, "."), func(part string) bool { return strings.TrimSpace(part) == "" })
}

// Fields returns what the goal looks at, as rules of intake name it (rule.Rule.Fields). A filter that cannot be read looks at nothing.
func (g Goal) Fields() []string {
	var fields []string
	if r, err := g.Filled().rule(); err == nil && r != nil {
		fields = r.Fields()
	}
	if value := "properties." + g.Value; g.Value != "" && !slices.Contains(fields, value) {
		fields = append(fields, value)
	}
	return fields
}

// rule makes the filter a rule, nil if there is none: "there is one such event", to be asked of a history that holds only the event.
func (g Goal) rule() (*rule.Rule, error) {
	if len(g.Filter) == 0 {
		return nil, nil
	}
	raw, err := json.Marshal(map[string]any{"event": map[string]any{"name": g.Event, "agg": "count", "op": "gte", "value": 1, "filter": g.Filter, "window": "ever"}})
	if err != nil {
		return nil, errs.Invalid("goal.filter", "goal.filter", "the conditions are not valid JSON: %v", err)
	}
	return rule.Parse(raw)
}

// aims recognises goal events; compiled filters are kept while one batch is looked at.
type aims struct{ rules map[string]*rule.Rule }

// hits reports whether the event is what the goal waits for, its window aside. A filter that cannot be read any more matches nothing.
func (a *aims) hits(g Goal, e event.Kept) bool {
	if g.Event == "" || g.Event != e.Name {
		return false
	}
	if len(g.Filter) == 0 {
		return true
	}
	key := g.Event + "\x00" + string(slices.Concat(rawBytes(g.Filter)...))
	r, ok := a.rules[key]
	if !ok {
		r, _ = g.rule()
		if a.rules == nil {
			a.rules = map[string]*rule.Rule{}
		}
		a.rules[key] = r
	}
	if r == nil {
		return false
	}
	s := rule.Subject{Num: e.Person, Events: []event.Kept{e}}
	return r.Eval(&s, e.Time.Add(time.Second)).Match // windows end at the moment of asking; just after the event is late enough to see it
}

func rawBytes(list []json.RawMessage) [][]byte {
	out := make([][]byte, len(list))
	for i, r := range list {
		out[i] = r
	}
	return out
}

// Worth returns what a goal event brought; no currency if it brought nothing that is counted.
func (g Goal) Worth(e event.Kept) (minor int64, currency string) {
	if g.Value == "" {
		if e.Name == event.OrderCompleted {
			if minor, currency, ok := money.OfProperties(e.Properties); ok {
				return minor, currency
			}
		}
		return 0, ""
	}
	var at any = event.Object(e.Properties)
	code, _ := at.(map[string]any)["currency"].(string)
	for part := range strings.SplitSeq(g.Value, ".") {
		m, _ := at.(map[string]any)
		at = m[part]
	}
	major, ok := at.(float64)
	if text, isText := at.(string); isText {
		f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		major, ok = f, err == nil
	}
	if !ok {
		return 0, ""
	}
	currency = money.Currency(code)
	if minor, ok = money.Minor(major, currency); !ok {
		return 0, ""
	}
	return minor, currency
}

// Refund is money that was given back for an order.
type Refund struct {
	Key      string // of the order's conversion
	EventID  string
	Minor    int64
	Currency string
	Whole    bool // all of it: the refund named no amount, or the order was cancelled
	At       time.Time
}

// Refunded returns how much of an order was given back: never more than it brought, and nothing in another currency.
func Refunded(minor int64, currency string, refunds []Refund) int64 {
	var sum int64
	for _, r := range refunds {
		switch {
		case r.Whole:
			return max(minor, 0)
		case r.Currency == currency || r.Currency == money.Unknown:
			sum = min(sum+max(r.Minor, 0), max(minor, 0))
		}
	}
	return sum
}

func refund(e event.Kept) (Refund, bool) {
	if e.Name != event.OrderRefunded && e.Name != event.OrderCancelled {
		return Refund{}, false
	}
	key := OrderKey(e)
	if key == "" {
		return Refund{}, false
	}
	r := Refund{Key: key, EventID: e.MessageID, At: e.Time}
	var ok bool
	if r.Minor, r.Currency, ok = money.OfProperties(e.Properties); !ok || e.Name == event.OrderCancelled {
		r.Minor, r.Whole, r.Currency = 0, true, money.Unknown
	}
	return r, true
}
