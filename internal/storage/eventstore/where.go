package eventstore

import (
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Where collects conditions and their arguments in the same order.
type Where struct {
	Parts []string
	Args  []any
}

// Add adds a condition.
func (w *Where) Add(part string, args ...any) {
	w.Parts, w.Args = append(w.Parts, part), append(w.Args, args...)
}

// In adds that the column holds one of the texts or numbers, of which there must be one at least.
func In[T any](w *Where, column string, values []T) {
	args := make([]any, len(values))
	for i, v := range values {
		if t, ok := any(v).(event.Type); ok {
			args[i] = string(t)
			continue
		}
		args[i] = v
	}
	w.Add(column+" IN (?"+strings.Repeat(", ?", len(values)-1)+")", args...)
}

func (w *Where) String() string { return strings.Join(w.Parts, " AND ") }

// Timeline narrows to what comes after the cursor of event.Store.Timeline, of the wanted types.
func (w *Where) Timeline(types []event.Type, cursor string) error {
	if len(types) > 0 {
		In(w, "type", types)
	}
	var at int64
	var seq uint64
	var idx int
	after, err := page.Decode(cursor, &at, &seq, &idx)
	if after {
		w.Add("time <= ?", at) // lets engines skip what is newer
		w.Add("(time < ? OR seq < ? OR seq = ? AND idx < ?)", at, seq, seq, idx)
	}
	return err
}

// CutTimeline makes a page of one event more than it holds.
func CutTimeline(items []event.Kept, size int) page.Of[event.Kept] {
	return page.Cut(items, size, event.TimelineCursor)
}

// Arrivals narrows to what comes after the cursor of event.Store.Arrivals and matches.
func (w *Where) Arrivals(ws string, f event.ArrivalFilter, cursor string) error {
	w.Add("ws = ?", ws)
	for _, c := range [][2]string{{"source", f.Source}, {"name", f.Name}, {"type", string(f.Type)}, {"message_id", f.MessageID}} {
		if c[1] != "" {
			w.Add(c[0]+" = ?", c[1])
		}
	}
	if !f.From.IsZero() {
		w.Add("time >= ?", f.From.UnixMicro())
	}
	if !f.To.IsZero() {
		w.Add("time < ?", f.To.UnixMicro())
	}
	var seq uint64
	var idx int
	after, err := page.Decode(cursor, &seq, &idx)
	if after {
		w.Add("seq <= ?", seq) // lets the engine skip the newer part
		w.Add("(seq < ? OR idx < ?)", seq, idx)
	}
	return err
}

// CutArrivals makes a page of one event more than it holds.
func CutArrivals(items []event.Kept, size int) page.Of[event.Kept] {
	return page.Cut(items, size, func(k event.Kept) string { return page.Encode(k.Position.Seq, k.Position.Index) })
}

// Named narrows to events with one of the names; page and screen events also match by their type.
func (w *Where) Named(names []string) {
	var types []string
	for _, n := range names {
		if n == string(event.Page) || n == string(event.Screen) {
			types = append(types, n)
		}
	}
	n := Where{}
	In(&n, "name", names)
	if len(types) > 0 {
		In(&n, "type", types)
	}
	w.Add("("+strings.Join(n.Parts, " OR ")+")", n.Args...)
}

// Signal narrows to the events that a signal names.
func (w *Where) Signal(s event.Signal) {
	for _, c := range []struct{ column, value string }{{"type", string(s.Type)}, {"name", s.Name}, {"channel", s.Channel}, {"source_id", s.Source}} {
		if c.value != "" {
			w.Add(c.column+" = ?", c.value)
		}
	}
	if path, open := strings.CutSuffix(s.Path, "*"); open {
		w.Add("path IS NOT NULL AND starts_with(path, ?)", path)
	} else if path != "" {
		w.Add("path = ?", path)
	}
	if len(w.Parts) == 0 {
		w.Add("true")
	}
}
