package importer

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Mapping says how the columns of a row become the fields of an event.
type Mapping struct {
	fields []field
}

// field fills one path of the event, from a column or with a constant.
type field struct {
	path    []string // e.g. properties, total
	column  string   // empty for a constant
	value   any      // the constant
	convert func(string) (any, error)
}

// The event's own fields; everything else hangs below traits, properties or context.
var topLevel = []string{"type", "event", "name", "userId", "anonymousId", "previousId", "groupId", "messageId", "timestamp"}

var nested = []string{"traits", "properties", "context"}

// ParseMapping reads "field=column" and "field=column:type" entries (columns) and "field=value" entries (constants).
// Fields are the event's own (userId, event, timestamp ...) or paths such as properties.total and traits.address.city.
// Types are string (default), number, bool and time; time takes an optional layout in Go's or strftime's notation
// ("time:20060102", "time:%Y%m%d") and reads values without a zone in loc.
func ParseMapping(columns, constants []string, loc *time.Location) (*Mapping, error) {
	m := &Mapping{}
	for _, entry := range columns {
		target, rest, ok := strings.Cut(entry, "=")
		if !ok || rest == "" {
			return nil, errs.Invalid("import.mapping.invalid", entry, "write field=column or field=column:type, e.g. properties.total=amount:number")
		}
		column, kind, _ := strings.Cut(rest, ":")
		path, err := parsePath(target)
		if err != nil {
			return nil, err
		}
		if kind == "" && target == "timestamp" {
			kind = "time"
		}
		convert, err := converter(kind, loc)
		if err != nil {
			return nil, err
		}
		m.fields = append(m.fields, field{path: path, column: column, convert: convert})
	}
	for _, entry := range constants {
		target, value, ok := strings.Cut(entry, "=")
		if !ok {
			return nil, errs.Invalid("import.mapping.invalid", entry, "write field=value, e.g. event=Order Completed")
		}
		path, err := parsePath(target)
		if err != nil {
			return nil, err
		}
		m.fields = append(m.fields, field{path: path, value: value})
	}
	return m, m.validate()
}

func (m *Mapping) validate() error {
	seen := map[string]bool{}
	for _, f := range m.fields {
		path := strings.Join(f.path, ".")
		if seen[path] {
			return errs.Invalid("import.mapping.duplicate", path, "%s is filled twice; drop one", path)
		}
		seen[path] = true
	}
	if !seen["type"] {
		m.fields = append(m.fields, field{path: []string{"type"}, value: "track"})
	}
	if !seen["userId"] && !seen["anonymousId"] {
		return errs.Invalid("import.mapping.no_person", "userId", "say whose events these are: map userId or anonymousId to a column")
	}
	return nil
}

func parsePath(target string) ([]string, error) {
	if slices.Contains(topLevel, target) {
		return []string{target}, nil
	}
	path := strings.Split(target, ".")
	if len(path) < 2 || !slices.Contains(nested, path[0]) || slices.Contains(path, "") {
		return nil, errs.Invalid("import.mapping.field", target, "unknown field %q; use %s, or a path below %s", target, strings.Join(topLevel, ", "), strings.Join(nested, ", "))
	}
	return path, nil
}

func converter(kind string, loc *time.Location) (func(string) (any, error), error) {
	name, layout, _ := strings.Cut(kind, ":")
	switch name {
	case "", "string":
		return func(s string) (any, error) { return s, nil }, nil
	case "number":
		return func(s string) (any, error) {
			f, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", ""), 64)
			if err != nil {
				return nil, errs.Invalid("import.value.number", "", "%q is not a number", s)
			}
			return f, nil
		}, nil
	case "bool":
		return func(s string) (any, error) {
			b, err := strconv.ParseBool(strings.ToLower(s))
			if err != nil {
				return nil, errs.Invalid("import.value.bool", "", "%q is neither true nor false", s)
			}
			return b, nil
		}, nil
	case "time":
		layouts := []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02"}
		if layout != "" {
			layouts = []string{fromStrftime(layout)}
		}
		return func(s string) (any, error) {
			for _, l := range layouts {
				if t, err := time.ParseInLocation(l, s, loc); err == nil {
					return t.UTC().Format(time.RFC3339Nano), nil
				}
			}
			return nil, errs.Invalid("import.value.time", "", "%q is not a time of the form %s", s, strings.Join(layouts, " or "))
		}, nil
	}
	return nil, errs.Invalid("import.mapping.type", kind, "unknown type %q; use string, number, bool, time or time:LAYOUT", name)
}

var strftime = strings.NewReplacer("%Y", "2006", "%m", "01", "%d", "02", "%H", "15", "%M", "04", "%S", "05", "%y", "06", "%z", "-0700", "%%", "%")

func fromStrftime(layout string) string { return strftime.Replace(layout) }

func (m *Mapping) columns() []string {
	var names []string
	for _, f := range m.fields {
		if f.column != "" {
			names = append(names, f.column)
		}
	}
	return names
}

// apply makes an event of one row. Empty cells leave their field out.
func (m *Mapping) apply(cell func(column string) string) (map[string]any, error) {
	event := make(map[string]any, 8)
	for _, f := range m.fields {
		value := f.value
		if f.column != "" {
			text := strings.TrimSpace(cell(f.column))
			if text == "" {
				continue
			}
			v, err := f.convert(text)
			if err != nil {
				if e, ok := err.(*errs.Error); ok {
					e.Field = f.column
				}
				return nil, err
			}
			value = v
		}
		at := event
		for _, step := range f.path[:len(f.path)-1] {
			next, ok := at[step].(map[string]any)
			if !ok {
				next = make(map[string]any)
				at[step] = next
			}
			at = next
		}
		at[f.path[len(f.path)-1]] = value
	}
	return event, nil
}
