package report

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

var messageParams = []string{"from", "to", "channel", "topic", "campaign", "journey", "node", "template", "domain"}

func messageColumns(first Column) []Column {
	out := []Column{first}
	for _, name := range []string{
		"audience", "refused", "queued", "sent", "delivered", "bounced", "hard_bounced", "soft_bounced", "failed", "complained", "unsubscribed",
		"opened", "machine_opened", "clicked", "converted",
	} {
		out = append(out, Column{Name: name, Kind: Count, People: true})
	}
	for _, name := range []string{"delivery_rate", "bounce_rate", "complaint_rate", "unsubscribe_rate", "open_rate", "click_rate", "click_to_open", "conversion_rate"} {
		out = append(out, Column{Name: name, Kind: Share})
	}
	return append(out, Column{Name: "revenue", Kind: Amount, People: true})
}

// messagesBy is the report of messages by a dimension; kind narrows it to one kind of source.
func messagesBy(key, title string, by Dimension, kind string) Spec {
	return Spec{
		Key: key, Title: title, Params: messageParams, Columns: messageColumns(Column{Name: "label", Kind: Text}),
		Chart: Chart{Kind: "bar", X: "label", Y: []string{"sent", "delivered", "opened", "clicked", "converted"}},
		rows: func(ctx context.Context, s *Service, ws string, q question) ([]Row, error) {
			if err := q.only(kind); err != nil {
				return nil, err
			}
			groups, err := s.c.Store.Groups(ctx, ws, q.scope, by)
			if err != nil {
				return nil, err
			}
			out := make([]Row, 0, len(groups))
			for k, c := range groups {
				out = append(out, messageRow(k, c))
			}
			return out, s.label(ctx, ws, by, kind, out)
		},
		people: func(ctx context.Context, s *Service, ws string, q question, row string, f Figure, p page.Request) (page.Of[Person], error) {
			if err := q.only(kind); err != nil {
				return page.Of[Person]{}, err
			}
			if row != everyRow {
				q.narrow(by, row)
			}
			return s.behindScope(ctx, ws, q.scope, f, p)
		},
	}
}

// only narrows the question to a kind of source.
func (q *question) only(kind string) error {
	if kind == "" {
		return nil
	}
	if q.scope.Kind != "" && q.scope.Kind != kind {
		return errs.Invalid("report.other_source", q.scope.Kind, "this report is of each %s; leave the %s out", kind, q.scope.Kind)
	}
	q.scope.Kind = kind
	return nil
}

// narrow chooses the messages of one group. A group that the scope leaves out already has nobody.
func (q *question) narrow(by Dimension, key string) {
	set := func(field *string, value string) {
		if *field != "" && *field != value || value == "" {
			q.scope.Versions = []string{} // nobody
			return
		}
		*field = value
	}
	switch by {
	case ByChannel:
		set(&q.scope.Channel, key)
	case ByTopic:
		if key == "" {
			key = none
		}
		set(&q.scope.Topic, key)
	case BySource:
		set(&q.scope.Source, key)
	case ByNode:
		source, node, _ := strings.Cut(key, ":")
		set(&q.scope.Source, source)
		set(&q.scope.Node, node)
	case ByTemplate:
		set(&q.scope.Template, key)
	case ByDomain:
		if key == "" {
			key = none
		}
		set(&q.scope.Domain, key)
	}
}

// none chooses messages that have no topic or no domain; no id and no domain looks like it.
const none = Nothing

// Nothing as the Topic or Domain of a Scope chooses the messages that have none.
const Nothing = "-"

func (s *Service) behindScope(ctx context.Context, ws string, sc Scope, f Figure, p page.Request) (page.Of[Person], error) {
	if f.money() {
		return s.credited(ctx, ws, Credits{Scope: sc, Refunded: f.Name == FigureRefunded, Money: true}, p)
	}
	m := f.metric()
	if !m.Valid() {
		return page.Of[Person]{}, errs.Invalid("report.figure", "figure", "there is no figure %q; use the name of a column", m)
	}
	found, err := s.c.Store.Behind(ctx, ws, sc, m, p)
	return personsOf(found, f), err
}

// label names the rows. What is gone has no name.
func (s *Service) label(ctx context.Context, ws string, by Dimension, kind string, rows []Row) error {
	name := func(key string) (string, error) { return key, nil }
	switch {
	case by == ByTopic:
		name = func(key string) (string, error) { return s.c.Names.Topic(ctx, ws, key) }
	case by == ByTemplate:
		name = func(key string) (string, error) { return s.c.Names.Template(ctx, ws, key) }
	case by == BySource && kind == "campaign":
		name = func(key string) (string, error) {
			c, err := s.c.Campaigns.Get(ctx, ws, key)
			return c.Name, err
		}
	case by == BySource && kind == "journey":
		name = func(key string) (string, error) {
			j, err := s.c.Journeys.Get(ctx, ws, key)
			return j.Name, err
		}
	case by == ByNode:
		titles := map[string]map[string]string{}
		name = func(key string) (string, error) {
			id, node, _ := strings.Cut(key, ":")
			if titles[id] == nil {
				titles[id] = map[string]string{}
				stats, err := s.c.Journeys.Stats(ctx, ws, id)
				if err != nil {
					return "", err
				}
				for _, n := range stats.Nodes {
					titles[id][n.Node] = n.Title
				}
			}
			return titles[id][node], nil
		}
	}
	for i := range rows {
		if rows[i].Key == "" {
			continue
		}
		label, err := name(rows[i].Key)
		if err != nil && !errs.Is(err, errs.KindNotFound) {
			return err
		}
		rows[i].Label = label
	}
	return nil
}

// scenarios is the report of the ready-made journeys, whose key says what each is for.
var scenarios = func() Spec {
	spec := messagesBy("scenarios", "Messages by scenario", BySource, "journey")
	rows, people := spec.rows, spec.people
	spec.Params = slices.DeleteFunc(slices.Clone(messageParams), func(p string) bool { return p == "campaign" })
	spec.rows = func(ctx context.Context, s *Service, ws string, q question) ([]Row, error) {
		all, err := rows(ctx, s, ws, q)
		if err != nil {
			return nil, err
		}
		var out []Row
		for _, r := range all {
			j, err := s.c.Journeys.Get(ctx, ws, r.Key)
			if errs.Is(err, errs.KindNotFound) || err == nil && j.Key == "" {
				continue
			}
			if err != nil {
				return nil, err
			}
			r.Key = j.Key // unique in the workspace
			out = append(out, r)
		}
		return out, nil
	}
	spec.people = func(ctx context.Context, s *Service, ws string, q question, row string, f Figure, p page.Request) (page.Of[Person], error) {
		if row == everyRow {
			all, err := rows(ctx, s, ws, q)
			if err != nil {
				return page.Of[Person]{}, err
			}
			q.scope.Sources = []string{}
			for _, r := range all {
				if j, err := s.c.Journeys.Get(ctx, ws, r.Key); err == nil && j.Key != "" {
					q.scope.Sources = append(q.scope.Sources, r.Key)
				} else if err != nil && !errs.Is(err, errs.KindNotFound) {
					return page.Of[Person]{}, err
				}
			}
			return people(ctx, s, ws, q, everyRow, f, p)
		}
		j, err := s.c.Journeys.ByKey(ctx, ws, row)
		if errs.Is(err, errs.KindNotFound) {
			return page.Of[Person]{Items: []Person{}}, nil
		}
		if err != nil {
			return page.Of[Person]{}, err
		}
		return people(ctx, s, ws, q, j.ID, f, p)
	}
	return spec
}()

// subjects is the report of subject lines as they were written: a line with a name in it is one line, not one for each person.
var subjects = Spec{
	Key: "subjects", Title: "Messages by subject line", Params: messageParams, Columns: messageColumns(Column{Name: "label", Kind: Text}),
	Chart: Chart{Kind: "bar", X: "label", Y: []string{"sent", "opened", "clicked", "converted"}},
	rows: func(ctx context.Context, s *Service, ws string, q question) ([]Row, error) {
		byLine, _, err := s.bySubject(ctx, ws, q.scope)
		out := make([]Row, 0, len(byLine))
		for line, c := range byLine {
			r := messageRow(line, c)
			r.Label = line
			out = append(out, r)
		}
		return out, err
	},
	people: func(ctx context.Context, s *Service, ws string, q question, row string, f Figure, p page.Request) (page.Of[Person], error) {
		if row != everyRow {
			_, versions, err := s.bySubject(ctx, ws, q.scope)
			if err != nil {
				return page.Of[Person]{}, err
			}
			if q.scope.Versions = versions[row]; q.scope.Versions == nil {
				q.scope.Versions = []string{}
			}
		}
		return s.behindScope(ctx, ws, q.scope, f, p)
	},
}

// bySubject counts by subject line, and tells of each line the versions of templates that have it.
func (s *Service) bySubject(ctx context.Context, ws string, sc Scope) (map[string]outbox.Counts, map[string][]string, error) {
	groups, err := s.c.Store.Groups(ctx, ws, sc, ByVersion)
	if err != nil {
		return nil, nil, err
	}
	counts, versions := map[string]outbox.Counts{}, map[string][]string{}
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		template, n, _ := strings.Cut(key, ":")
		number, err := strconv.Atoi(n)
		if err != nil {
			return nil, nil, err
		}
		line, err := s.c.Names.Subject(ctx, ws, template, number)
		if err != nil && !errs.Is(err, errs.KindNotFound) {
			return nil, nil, err
		}
		c := counts[line]
		c.Add(groups[key])
		counts[line] = c
		versions[line] = append(versions[line], key)
	}
	return counts, versions, nil
}

// trend is the report of messages day by day in the workspace's zone.
var trend = Spec{
	Key: "trend", Title: "Messages day by day", Params: messageParams, Columns: messageColumns(Column{Name: "label", Kind: DayColumn}),
	Chart: Chart{Kind: "line", X: "label", Y: []string{"sent", "delivered", "opened", "clicked", "converted"}},
	rows: func(ctx context.Context, s *Service, ws string, q question) ([]Row, error) {
		groups, err := s.c.Store.Groups(ctx, ws, q.scope, ByQuarter)
		if err != nil {
			return nil, err
		}
		days := q.period.Days()
		counts := make([]outbox.Counts, len(days))
		for key, c := range groups {
			n, err := strconv.ParseInt(key, 10, 64)
			if err != nil {
				return nil, err
			}
			i, exact := slices.BinarySearchFunc(days, time.Unix(n*quarter, 0), time.Time.Compare)
			if !exact {
				i--
			}
			counts[i].Add(c)
		}
		out := make([]Row, len(days))
		for i, d := range days {
			date := d.In(q.period.Zone).Format(time.DateOnly)
			out[i] = messageRow(date, counts[i])
			out[i].Label = date
		}
		return out, nil
	},
	people: func(ctx context.Context, s *Service, ws string, q question, row string, f Figure, p page.Request) (page.Of[Person], error) {
		if row != everyRow {
			day, err := ParsePeriod(row, row, q.now, q.period.Zone)
			if err != nil || day.From.Before(q.period.From) || day.To.After(q.period.To) {
				return page.Of[Person]{}, errs.Invalid("report.row", "row", "%q is no day of the period", row)
			}
			q.scope.From, q.scope.To = day.From, day.To
		}
		return s.behindScope(ctx, ws, q.scope, f, p)
	},
}

// quarter is the length of the pieces that days are made of, in seconds: every zone's offset is a multiple of it since 1972 or so.
const quarter = 15 * 60

// total adds up the rows. A person or message is in one row only, except where a Spec says otherwise.
func total(spec Spec, rows []Row) Row {
	out := Row{Counts: map[string]int64{}, Rates: map[string]Rate{}, Money: map[string]map[string]int64{}}
	for _, c := range spec.Columns {
		if c.Kind == Count {
			out.Counts[c.Name] = 0
		}
	}
	for _, r := range rows {
		for k, n := range r.Counts {
			out.Counts[k] += n
		}
		for k, x := range r.Rates {
			sum := out.Rates[k]
			sum.N, sum.Of = sum.N+x.N, sum.Of+x.Of
			out.Rates[k] = sum
		}
		for k, by := range r.Money {
			if out.Money[k] == nil {
				out.Money[k] = map[string]int64{}
			}
			for currency, n := range by {
				out.Money[k][currency] += n
			}
		}
	}
	for _, c := range spec.Columns {
		if c.Kind == Share {
			out.Rates[c.Name] = NewRate(out.Rates[c.Name].N, out.Rates[c.Name].Of)
		}
	}
	return out
}
