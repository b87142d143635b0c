package report

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Params are what a report may be asked with. Each Spec names those it heeds; others must be empty.
type Params struct {
	From     string `json:"from,omitempty"` // day in the workspace's zone, such as 2026-03-01
	To       string `json:"to,omitempty"`   // included
	Channel  string `json:"channel,omitempty"`
	Topic    string `json:"topic,omitempty"`
	Campaign string `json:"campaign,omitempty"`
	Journey  string `json:"journey,omitempty"`
	Node     string `json:"node,omitempty"`
	Template string `json:"template,omitempty"`
	Domain   string `json:"domain,omitempty"`
}

// given returns the names of parameters that are set.
func (p Params) given() []string {
	var out []string
	v := reflect.ValueOf(p)
	for i := range v.NumField() {
		if !v.Field(i).IsZero() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			out = append(out, name)
		}
	}
	return out
}

// Spec is one report of the catalog.
type Spec struct {
	Key     string
	Title   string   // in English; screens have words of their own for the key
	Params  []string // parameters that it heeds, by their names in JSON
	Columns []Column
	Chart   Chart

	rows   func(ctx context.Context, s *Service, ws string, q question) ([]Row, error)
	total  func(ctx context.Context, s *Service, ws string, q question) (Row, error) // nil: the sum of the rows
	people func(ctx context.Context, s *Service, ws string, q question, row string, f Figure, p page.Request) (page.Of[Person], error)
}

// ColumnKind says what a column holds and how it is shown.
type ColumnKind string

// The kinds of columns.
const (
	Text      ColumnKind = "text"  // Row.Label
	DayColumn ColumnKind = "day"   // Row.Label, as 2026-03-31
	Count     ColumnKind = "count" // Row.Counts
	Share     ColumnKind = "share" // Row.Rates: with its n and interval
	Amount    ColumnKind = "money" // Row.Money: by currency
)

// Column is one column of a report.
type Column struct {
	Name   string
	Kind   ColumnKind
	People bool // Figure by which to ask for the people behind it
}

// Chart is how a report is best drawn.
type Chart struct {
	Kind string   // bar, line, interval
	X    string   // column
	Y    []string // columns, the most telling first
}

// Row is one row of a report. Previous is the same in the period before, nil where nothing was.
type Row struct {
	Key      string
	Label    string // empty: the key says it, or what it named is gone
	Counts   map[string]int64
	Rates    map[string]Rate
	Money    map[string]map[string]int64 // by column and currency, minor units
	Previous *Row
}

// Table is a report that was made.
type Table struct {
	Spec
	Params   Params
	Period   Period
	Previous Period
	Rows     []Row
	Total    Row
	At       time.Time
	Next     string // cursor of the next page of rows
}

// question is what a report is asked.
type question struct {
	Params
	scope  Scope
	period Period
	now    time.Time
}

func (q question) before() question {
	q.period = q.period.Previous()
	q.scope.From, q.scope.To = q.period.From, q.period.To
	return q
}

// find returns the report with a key.
func find(key string) (Spec, error) {
	for _, c := range catalog {
		if c.Key == key {
			return c, nil
		}
	}
	return Spec{}, errs.NotFound("report", key)
}

func (s *Service) question(ctx context.Context, ws string, spec Spec, p Params) (question, error) {
	for _, name := range p.given() {
		if !slices.Contains(spec.Params, name) {
			return question{}, errs.Invalid("report.parameter", name, "the report %q does not heed %q; leave it out", spec.Key, name)
		}
	}
	zone, err := s.c.Zone(ctx, ws)
	if err != nil {
		return question{}, err
	}
	now := s.c.Clock.Now()
	period, err := ParsePeriod(p.From, p.To, now, zone)
	if err != nil {
		return question{}, err
	}
	q := question{Params: p, period: period, now: now, scope: Scope{
		From: period.From, To: period.To, Channel: p.Channel, Topic: p.Topic, Node: p.Node, Template: p.Template, Domain: strings.ToLower(p.Domain),
	}}
	switch {
	case p.Campaign != "" && p.Journey != "":
		return question{}, errs.Invalid("report.two_sources", "journey", "a message comes from a campaign or from a journey; ask for one of them")
	case p.Campaign != "":
		q.scope.Kind, q.scope.Source = "campaign", p.Campaign
	case p.Journey != "":
		q.scope.Kind, q.scope.Source = "journey", p.Journey
	}
	return q, nil
}

// Check says whether a report could be asked with these parameters.
func (s *Service) Check(ctx context.Context, ws, key string, p Params) error {
	spec, err := find(key)
	if err != nil {
		return err
	}
	_, err = s.question(ctx, ws, spec, p)
	return err
}

// Make makes a report and, beside each figure, that of the period before. Rows come in pages; the total is of all rows.
func (s *Service) Make(ctx context.Context, ws, key string, p Params, at page.Request) (Table, error) {
	spec, err := find(key)
	if err != nil {
		return Table{}, err
	}
	q, err := s.question(ctx, ws, spec, p)
	if err != nil {
		return Table{}, err
	}
	rows, err := spec.rows(ctx, s, ws, q)
	if err != nil {
		return Table{}, err
	}
	past, err := spec.rows(ctx, s, ws, q.before())
	if err != nil {
		return Table{}, err
	}
	out := Table{Spec: spec, Params: p, Period: q.period, Previous: q.period.Previous(), At: q.now}
	before := total(spec, past)
	out.Total = total(spec, rows)
	if spec.total != nil {
		if out.Total, err = spec.total(ctx, s, ws, q); err != nil {
			return Table{}, err
		}
		if before, err = spec.total(ctx, s, ws, q.before()); err != nil {
			return Table{}, err
		}
	}
	out.Total.Previous = &before
	if spec.Chart.Kind == "line" { // days: the first with the first
		for i := range rows {
			if i < len(past) {
				rows[i].Previous = &past[i]
			}
		}
	} else {
		byKey := make(map[string]*Row, len(past))
		for i := range past {
			byKey[past[i].Key] = &past[i]
		}
		for i := range rows {
			rows[i].Previous = byKey[rows[i].Key]
		}
		by := spec.Chart.Y[0]
		slices.SortFunc(rows, func(a, b Row) int { return cmp.Or(cmp.Compare(b.Counts[by], a.Counts[by]), cmp.Compare(a.Key, b.Key)) })
	}
	out.Rows, out.Next, err = cut(rows, at)
	return out, err
}

// cut takes a page of rows. Its cursor is the place of the first row: figures move while somebody reads, so no figure could serve.
func cut(rows []Row, at page.Request) ([]Row, string, error) {
	from := 0
	if _, err := page.Decode(at.Cursor, &from); err != nil {
		return nil, "", err
	}
	from = min(max(from, 0), len(rows))
	to := min(from+at.Size(), len(rows))
	next := ""
	if to < len(rows) {
		next = page.Encode(to)
	}
	return rows[from:to], next, nil
}

// People lists the people behind a figure of a report: of the row with the key, or with all set of the whole.
func (s *Service) People(ctx context.Context, ws, key string, p Params, row string, all bool, f Figure, at page.Request) (page.Of[Person], error) {
	spec, err := find(key)
	if err != nil {
		return page.Of[Person]{}, err
	}
	q, err := s.question(ctx, ws, spec, p)
	if err != nil {
		return page.Of[Person]{}, err
	}
	if !slices.ContainsFunc(spec.Columns, func(c Column) bool { return c.People && c.Name == f.Name }) {
		return page.Of[Person]{}, errs.Invalid("report.figure", "figure", "the report %q has no figure %q with people behind it", key, f.Name)
	}
	if f.Detail != "" && !f.metric().Valid() {
		return page.Of[Person]{}, errs.Invalid("report.figure", "figure", "the figure %q has no reasons to tell apart", f.Name)
	}
	if !all {
		if row == "" && spec.Key != "topics" && spec.Key != "domains" {
			return page.Of[Person]{}, errs.Invalid("report.row", "row", "name the key of a row")
		}
	}
	return spec.people(ctx, s, ws, q, rowOrAll(row, all), f, at)
}

// everyRow stands for all rows where one may be named; no key looks like it.
const everyRow = "\x00"

func rowOrAll(row string, all bool) string {
	if all {
		return everyRow
	}
	return row
}

// messageRow shows the figures of messages as a row.
func messageRow(key string, c outbox.Counts) Row {
	f := figures(c)
	return Row{
		Key: key,
		Counts: map[string]int64{
			"audience": c.Audience, "refused": c.Refused, "queued": c.Queued, "sent": c.Sent, "delivered": c.Delivered, "bounced": c.Bounced,
			"hard_bounced": c.HardBounced, "soft_bounced": c.Bounced - c.HardBounced, "failed": c.Failed, "complained": c.Complained,
			"unsubscribed": c.Unsubscribed, "opened": c.Opened, "machine_opened": c.MachineOpened, "clicked": c.Clicked, "converted": c.Converted,
		},
		Rates: map[string]Rate{
			"delivery_rate": f.Delivery, "bounce_rate": f.Bounce, "complaint_rate": f.Complaint, "unsubscribe_rate": f.Unsubscribe,
			"open_rate": f.Open, "click_rate": f.Click, "click_to_open": f.ClickToOpen, "conversion_rate": f.Conversion,
		},
		Money: map[string]map[string]int64{"revenue": c.Revenue},
	}
}
