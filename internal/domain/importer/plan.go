package importer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Target says what a column tells.
type Target string

// The targets.
const (
	ToIdentifier   Target = "identifier"   // who it is; Key is a kind of identifier
	ToTrait        Target = "trait"        // what they are like; Key is the trait
	ToEvent        Target = "event"        // what they did: its name
	ToTime         Target = "time"         // when that was; for people, since when the row is true
	ToProperty     Target = "property"     // of what they did; Key is the property
	ToSubscription Target = "subscription" // whether they agreed to be written to; Key is the id of a topic
)

// Targets lists the targets.
func Targets() []Target {
	return []Target{ToIdentifier, ToTrait, ToEvent, ToTime, ToProperty, ToSubscription}
}

// Column says what one column of the file tells. Columns that no plan names are left out.
type Column struct {
	Name string `json:"name"`
	To   Target `json:"to"`
	Key  string `json:"key,omitempty"`
	Type Type   `json:"type,omitempty"` // text if empty; of a time: how it is written
}

// Plan says what the rows of a file tell. A row with identifiers and traits describes a person; one with an event tells what they did; both may be.
type Plan struct {
	Columns  []Column `json:"columns"`
	Event    string   `json:"event,omitempty"`    // the name of what happened, if no column has it
	Currency string   `json:"currency,omitempty"` // of amounts, if no column has it: ISO 4217
	Zone     string   `json:"zone,omitempty"`     // IANA name; of times that carry none; UTC if empty
	Basis    Basis    `json:"basis,omitzero"`     // on which subscriptions rest
}

// Basis says where people agreed, which whoever imports vouches for.
type Basis struct {
	Source   string `json:"source,omitempty"`   // "web form of the old shop"
	Evidence string `json:"evidence,omitempty"` // where the proof is kept
}

// events reports whether the rows tell what people did.
func (p Plan) events() bool {
	return p.Event != "" || slices.ContainsFunc(p.Columns, func(c Column) bool { return c.To == ToEvent })
}

const (
	maxKey   = 100
	maxBasis = 200
)

// Validate reports what is wrong with a plan. kinds are the identifiers of the workspace, topics the ids of its topics.
func (p Plan) Validate(kinds, topics []string) error {
	seen := map[string]bool{}
	has := map[Target]bool{}
	for i, c := range p.Columns {
		field := fmt.Sprintf("plan.columns[%d]", i)
		what := string(c.To) + " " + c.Key
		switch {
		case !slices.Contains(Targets(), c.To):
			return errs.Invalid("import.plan.target", field+".to", "a column tells an identifier, a trait, an event, a time, a property or a subscription")
		case (c.To == ToIdentifier || c.To == ToSubscription) && c.Key == "", (c.To == ToTrait || c.To == ToProperty) && strings.Trim(c.Key, ". ") == "":
			return errs.Invalid("import.plan.key_missing", field+".key", "say which %s the column %q tells", c.To, c.Name)
		case utf8.RuneCountInString(c.Key) > maxKey || strings.Contains(c.Key, "..") || strings.HasPrefix(c.Key, ".") || strings.HasSuffix(c.Key, "."):
			return errs.Invalid("import.plan.key", field+".key", "use at most %d characters, parts joined by single points", maxKey)
		case c.To == ToIdentifier && !slices.Contains(kinds, c.Key):
			return errs.Invalid("import.plan.kind", field+".key", "there is no kind of identifier %q; use %s", c.Key, strings.Join(kinds, ", "))
		case c.To == ToSubscription && !slices.Contains(topics, c.Key):
			return errs.Invalid("import.plan.topic", field+".key", "there is no topic %q", c.Key)
		case c.Type != "" && !slices.Contains(Types(), c.Type):
			return errs.Invalid("import.plan.type", field+".type", "there is no type %q", c.Type)
		case seen[what]:
			return errs.Invalid("import.plan.twice", field, "two columns tell the same: %s", strings.TrimSpace(what))
		}
		seen[what], has[c.To] = true, true
	}
	switch {
	case !has[ToIdentifier]:
		return errs.Invalid("import.plan.no_identifier", "plan.columns", "say which column tells who it is: a customer number, a mail address")
	case p.events() && !has[ToTime]:
		return errs.Invalid("import.plan.no_time", "plan.columns", "say which column tells when it happened; without it, everything would have happened today and journeys would start")
	case has[ToProperty] && !p.events():
		return errs.Invalid("import.plan.no_event", "plan.event", "say what happened, such as Order Completed")
	case has[ToEvent] && p.Event != "":
		return errs.Invalid("import.plan.event_twice", "plan.event", "a column tells what happened already")
	case utf8.RuneCountInString(p.Event) > maxKey:
		return errs.Invalid("import.plan.event", "plan.event", "use at most %d characters", maxKey)
	case p.Currency != "" && len(p.Currency) != 3:
		return errs.Invalid("import.plan.currency", "plan.currency", "write three letters, such as JPY")
	case p.Zone != "" && clock.Zone(p.Zone) == nil:
		return errs.Invalid("import.plan.zone", "plan.zone", "there is no time zone %q; write a name such as Asia/Tokyo", p.Zone)
	case has[ToSubscription] && strings.TrimSpace(p.Basis.Source) == "":
		return errs.Invalid("import.plan.basis", "plan.basis.source", "say where these people agreed to be written to; consent without a source proves nothing")
	case utf8.RuneCountInString(p.Basis.Source) > maxBasis || utf8.RuneCountInString(p.Basis.Evidence) > 10*maxBasis:
		return errs.Invalid("import.plan.basis_long", "plan.basis", "use at most %d characters for the source and %d for the evidence", maxBasis, 10*maxBasis)
	}
	return nil
}

// column is a Column with its place in the file.
type column struct {
	Column
	at      int
	path    []string // of a trait or property
	zone    *time.Location
	moments moments
}

// reading turns rows into what they tell.
type reading struct {
	plan    Plan
	columns []column
	form    func(event.Identifier) (event.Identifier, bool) // the normal form, if the value can name somebody
	now     time.Time
}

// prepare lays a plan on the columns of a file.
func (p Plan) prepare(columns []string, form func(event.Identifier) (event.Identifier, bool), now time.Time) (*reading, error) {
	r := &reading{plan: p, form: form, now: now}
	zone := clock.Zone(p.Zone)
	if zone == nil {
		zone = time.UTC
	}
	for i, c := range p.Columns {
		at := slices.Index(columns, c.Name)
		if at < 0 {
			return nil, errs.Invalid("import.plan.column", fmt.Sprintf("plan.columns[%d].name", i), "the file has no column %q; it has %s", c.Name, strings.Join(columns, ", "))
		}
		if c.To == ToTime && c.Type == "" {
			c.Type = Time
		}
		r.columns = append(r.columns, column{Column: c, at: at, path: strings.Split(c.Key, "."), zone: zone})
	}
	return r, nil
}

// Said is what one row tells.
type Said struct {
	Identifiers   []event.Identifier // in normal form
	Traits        map[string]any
	Event         string
	Time          time.Time // zero: the row has none
	Properties    map[string]any
	Subscriptions map[string]bool // by topic
}

// Fault is why a row cannot be taken.
type Fault struct {
	Code   string // below import.row
	Column string // empty: the whole row
	Value  string // what stands there, cut
}

const maxShown = 80 // characters of a value that is shown

func (f *Fault) Error() string { return "import.row." + f.Code + " " + f.Column }

func cutText(s string) string {
	if r := []rune(s); len(r) > maxShown {
		return string(r[:maxShown]) + "…"
	}
	return s
}

// futureSlack is how far ahead of our clock a time may be, as at the intake.
const futureSlack = 5 * time.Minute

// row reads one row.
func (r *reading) row(cells []string) (Said, *Fault) {
	s := Said{Event: r.plan.Event}
	refuse := func(code string, c *column) (Said, *Fault) {
		if c == nil {
			return Said{}, &Fault{Code: code}
		}
		return Said{}, &Fault{Code: code, Column: c.Name, Value: cutText(cells[c.at])}
	}
	for i := range r.columns {
		c := &r.columns[i]
		cell := strings.TrimSpace(cells[c.at])
		if cell == "" {
			continue
		}
		switch c.To {
		case ToIdentifier:
			id, ok := r.form(event.Identifier{Kind: c.Key, Value: cell})
			if !ok {
				return refuse("identifier", c)
			}
			s.Identifiers = append(s.Identifiers, id)
		case ToTrait, ToProperty:
			v, ok := c.value(cell)
			if !ok {
				return refuse("value_"+string(c.Type.plain()), c)
			}
			into := &s.Traits
			if c.To == ToProperty {
				into = &s.Properties
			}
			if *into == nil {
				*into = make(map[string]any, 8)
			}
			put(*into, c.path, v)
		case ToEvent:
			if utf8.RuneCountInString(cell) > maxKey {
				return refuse("event_long", c)
			}
			s.Event = cell
		case ToTime:
			at, ok := c.moments.read(cell, c.Type, c.zone)
			if !ok {
				return refuse("value_time", c)
			}
			if at.After(r.now.Add(futureSlack)) {
				return refuse("future", c)
			}
			s.Time = at
		case ToSubscription:
			yes, ok := readTruth(cell)
			if !ok {
				return refuse("subscription", c)
			}
			if s.Subscriptions == nil {
				s.Subscriptions = map[string]bool{}
			}
			s.Subscriptions[c.Key] = yes
		}
	}
	switch {
	case len(s.Identifiers) == 0:
		return refuse("no_identifier", nil)
	case s.Event != "" && s.Time.IsZero():
		return refuse("no_time", nil)
	case s.Event == "" && len(s.Properties) > 0:
		return refuse("no_event", nil)
	}
	if s.Event != "" && r.plan.Currency != "" {
		if s.Properties == nil {
			s.Properties = map[string]any{}
		}
		if s.Properties["currency"] == nil {
			s.Properties["currency"] = strings.ToUpper(r.plan.Currency)
		}
	}
	return s, nil
}

// plain is the type without the order of its parts.
func (t Type) plain() Type {
	if t == TimeDMY || t == TimeMDY {
		return Time
	}
	return t
}

// put sets a value at a path; what stands in its way gives way.
func put(object map[string]any, path []string, v any) {
	for _, step := range path[:len(path)-1] {
		next, ok := object[step].(map[string]any)
		if !ok {
			next = map[string]any{}
			object[step] = next
		}
		object = next
	}
	object[path[len(path)-1]] = v
}

// events makes the events of a row. id begins their message ids; at is the time of what has none.
func (s Said) events(ws, source, id string, plan Plan, at, now time.Time) ([]event.Event, error) {
	context := externals{}
	base := event.Event{Workspace: ws, Source: source, Origin: event.Server, Received: now, Time: at}
	if !s.Time.IsZero() {
		base.Time = s.Time
	}
	traits := s.Traits
	for _, i := range s.Identifiers {
		switch i.Kind {
		case person.KindUser:
			base.UserID = i.Value
		case person.KindAnonymous:
			base.AnonymousID = i.Value
		default:
			context.IDs = append(context.IDs, external{ID: i.Value, Type: i.Kind, Collection: "users", Encoding: "none"})
		}
		// An address is also something one can write to.
		if (i.Kind == person.KindEmail || i.Kind == person.KindPhone) && !person.Hashed(i.Value) && s.Event == "" {
			if traits == nil {
				traits = map[string]any{}
			}
			if traits[i.Kind] == nil {
				traits[i.Kind] = i.Value
			}
		}
	}
	context.Import = source
	raw, err := json.Marshal(context)
	if err != nil {
		return nil, err
	}
	base.Context = raw
	var out []event.Event
	add := func(suffix string, t event.Type, name string, props any) error {
		e := base
		e.MessageID, e.Type, e.Name = id+suffix, t, name
		if e.Properties, err = json.Marshal(props); err != nil {
			return err
		}
		out = append(out, e)
		return nil
	}
	if len(traits) > 0 || s.Event == "" {
		if traits == nil {
			traits = map[string]any{}
		}
		err = add("i", event.Identify, "", traits)
	}
	if err == nil && s.Event != "" {
		if s.Properties == nil {
			s.Properties = map[string]any{}
		}
		err = add("t", event.Track, s.Event, s.Properties)
	}
	n := 0
	for _, c := range plan.Columns {
		yes, said := s.Subscriptions[c.Key]
		if c.To != ToSubscription || !said || err != nil {
			continue
		}
		name := event.Unsubscribed
		if yes {
			name = event.Subscribed
		}
		err = add(fmt.Sprintf("s%d", n), event.Track, name, map[string]any{
			"topic": c.Key, "channel": "email", "source": plan.Basis.Source, "evidence": plan.Basis.Evidence, "dated": !s.Time.IsZero(),
		})
		n++
	}
	return out, err
}

type externals struct {
	IDs    []external `json:"externalIds,omitempty"`
	Import string     `json:"import"` // the job that brought it
}

type external struct {
	ID         string `json:"id"`
	Type       string `json:"type"`
	Collection string `json:"collection"`
	Encoding   string `json:"encoding"`
}
