package httpapi

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kizuna-cx/kizuna/internal/domain/report"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/money"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/sheet"
)

// ReportSpec is a report of the catalog.
type ReportSpec struct {
	Key        string         `json:"key"`
	Title      string         `json:"title"`
	Parameters []string       `json:"parameters" doc:"query parameters that it heeds; others are refused"`
	Columns    []ReportColumn `json:"columns"`
	Chart      ReportChart    `json:"chart"`
}

// ReportColumn is a column of a report.
type ReportColumn struct {
	Name   string `json:"name"`
	Kind   string `json:"kind" enum:"text,day,count,share,money" doc:"text and day are the label of a row; count is in counts, share in rates, money in money"`
	People bool   `json:"people" doc:"the people behind it can be asked for by this name"`
}

// ReportChart is how a report is best drawn.
type ReportChart struct {
	Kind string   `json:"kind" enum:"bar,line"`
	X    string   `json:"x"`
	Y    []string `json:"y" doc:"columns, the most telling first"`
}

// ReportRow is a row; previous is the same row in the period before.
type ReportRow struct {
	Key      string             `json:"key" doc:"names the row when asking for people"`
	Label    string             `json:"label" doc:"empty if what the key names is gone"`
	Counts   map[string]int64   `json:"counts"`
	Rates    map[string]Rate    `json:"rates"`
	Money    map[string][]Money `json:"money"`
	Previous *ReportRow         `json:"previous,omitempty"`
}

// ReportTable is a report.
type ReportTable struct {
	ReportSpec
	From         string      `json:"from" doc:"first day, in the workspace's zone"`
	To           string      `json:"to" doc:"last day"`
	PreviousFrom string      `json:"previous_from" doc:"as many days, a whole number of weeks earlier: a Monday is compared with a Monday"`
	PreviousTo   string      `json:"previous_to"`
	Zone         string      `json:"zone"`
	Rows         []ReportRow `json:"rows"`
	Total        ReportRow   `json:"total" doc:"of all rows, also those on other pages"`
	NextCursor   string      `json:"next_cursor" doc:"empty on the last page"`
	At           time.Time   `json:"at"`
}

// ReportParams are what a report may be asked with.
type ReportParams struct {
	From     string `query:"from" json:"from,omitempty" doc:"first day in the workspace's zone, such as 2026-03-01; thirty days if left out"`
	To       string `query:"to" json:"to,omitempty" doc:"last day; today if left out"`
	Channel  string `query:"channel" json:"channel,omitempty"`
	Topic    string `query:"topic" json:"topic,omitempty"`
	Campaign string `query:"campaign" json:"campaign,omitempty"`
	Journey  string `query:"journey" json:"journey,omitempty"`
	Node     string `query:"node" json:"node,omitempty"`
	Template string `query:"template" json:"template,omitempty"`
	Domain   string `query:"domain" json:"domain,omitempty"`
}

// ReportQuery asks for a report.
type ReportQuery struct {
	Key string `path:"key" doc:"of the catalog"`
	ReportParams
	Paging
}

// ReportPeopleQuery asks for the people behind a figure of a report.
type ReportPeopleQuery struct {
	ReportQuery
	Metric string `query:"metric" required:"true" doc:"column with people"`
	Reason string `query:"reason" doc:"narrows refused and failed"`
	Row    string `query:"row" doc:"key of a row"`
	All    bool   `query:"all" doc:"of all rows"`
}

func specShape(s report.Spec) ReportSpec {
	out := ReportSpec{Key: s.Key, Title: s.Title, Parameters: s.Params, Chart: ReportChart(s.Chart)}
	for _, c := range s.Columns {
		out.Columns = append(out.Columns, ReportColumn{c.Name, string(c.Kind), c.People})
	}
	return out
}

func rowShape(r report.Row) ReportRow {
	out := ReportRow{Key: r.Key, Label: r.Label, Counts: r.Counts, Rates: map[string]Rate{}, Money: map[string][]Money{}}
	for name, x := range r.Rates {
		out.Rates[name] = rateShape(x)
	}
	for name, m := range r.Money {
		out.Money[name] = moneys(m)
	}
	if r.Previous != nil {
		before := rowShape(*r.Previous)
		out.Previous = &before
	}
	return out
}

func tableShape(t report.Table) ReportTable {
	day := func(at time.Time) string { return at.In(t.Period.Zone).Format(time.DateOnly) }
	last := func(p report.Period) string { return day(p.To.Add(-time.Microsecond)) }
	out := ReportTable{
		ReportSpec: specShape(t.Spec), From: day(t.Period.From), To: last(t.Period), PreviousFrom: day(t.Previous.From), PreviousTo: last(t.Previous),
		Zone: t.Period.Zone.String(), Rows: make([]ReportRow, len(t.Rows)), Total: rowShape(t.Total), NextCursor: t.Next, At: t.At,
	}
	for i, r := range t.Rows {
		out.Rows[i] = rowShape(r)
	}
	return out
}

func (a *api) reportTableRoutes() {
	r := a.c.Reports
	route(a, http.MethodGet, "/report-catalog", "report-catalog", "Every report: its parameters, columns and how it is best drawn", staff.ReportsRead, func(context.Context, *nothing) (*body[List[ReportSpec]], error) {
		out := List[ReportSpec]{}
		for _, s := range report.Catalog() {
			out.Items = append(out.Items, specShape(s))
		}
		return answer(out), nil
	})
	route(a, http.MethodGet, "/reports/{key}", "report-make", "A report, live, and beside each figure that of the period before", staff.ReportsRead, func(ctx context.Context, in *ReportQuery) (*body[ReportTable], error) {
		t, err := r.Make(ctx, workspaceOf(ctx), in.Key, report.Params(in.ReportParams), in.request())
		if err != nil {
			return nil, err
		}
		return answer(tableShape(t)), nil
	})
	people := func(ctx context.Context, in *ReportPeopleQuery) (page.Of[report.Person], error) {
		found, err := r.People(ctx, workspaceOf(ctx), in.Key, report.Params(in.ReportParams), in.Row, in.All, report.Figure{Name: in.Metric, Detail: in.Reason}, in.request())
		return found, inMetric(err)
	}
	route(a, http.MethodGet, "/reports/{key}/people", "report-people", "The people behind a figure of a report", staff.PeopleRead, func(ctx context.Context, in *ReportPeopleQuery) (*body[List[PersonBehind]], error) {
		found, err := people(ctx, in)
		if err != nil {
			return nil, err
		}
		return a.behind(ctx, found)
	})
	type table struct {
		Key string `path:"key" doc:"of the catalog"`
		ReportParams
		BOM bool `query:"bom" doc:"begin with a byte order mark, by which Excel recognises UTF-8"`
	}
	route(a, http.MethodGet, "/reports/{key}/csv", "report-csv", "A report as a CSV file", staff.ReportsRead, func(ctx context.Context, in *table) (*huma.StreamResponse, error) {
		ws, at := workspaceOf(ctx), page.Request{Limit: page.MaxLimit}
		first, err := r.Make(ctx, ws, in.Key, report.Params(in.ReportParams), at)
		if err != nil {
			return nil, err
		}
		currencies := map[string][]string{}
		for name, m := range first.Total.Money {
			currencies[name] = slices.Sorted(maps.Keys(m))
		}
		return csvFile(in.Key, in.BOM, func(w *csv.Writer) error {
			if err := w.Write(tableHead(first.Columns, currencies)); err != nil {
				return err
			}
			for t := first; ; {
				for _, row := range t.Rows {
					if err := w.Write(tableLine(t.Columns, currencies, row)); err != nil {
						return err
					}
				}
				if at.Cursor = t.Next; at.Cursor == "" {
					return nil
				}
				if t, err = r.Make(ctx, ws, in.Key, report.Params(in.ReportParams), at); err != nil {
					return err
				}
			}
		}), nil
	}, csvAnswer)
	type exported struct {
		Key string `path:"key" doc:"of the catalog"`
		ReportParams
		Metric string `query:"metric" required:"true" doc:"column with people"`
		Reason string `query:"reason" doc:"narrows refused and failed"`
		Row    string `query:"row" doc:"key of a row"`
		All    bool   `query:"all" doc:"of all rows"`
		BOM    bool   `query:"bom" doc:"begin with a byte order mark, by which Excel recognises UTF-8"`
	}
	route(a, http.MethodGet, "/reports/{key}/people/csv", "report-people-csv", "The people behind a figure of a report as a CSV file", staff.Export, func(ctx context.Context, in *exported) (*huma.StreamResponse, error) {
		q := &ReportPeopleQuery{ReportQuery: ReportQuery{Key: in.Key, ReportParams: in.ReportParams, Paging: Paging{Limit: page.MaxLimit}}, Metric: in.Metric, Reason: in.Reason, Row: in.Row, All: in.All}
		found, err := people(ctx, q)
		if err != nil {
			return nil, err
		}
		if err := a.audit(ctx, "export", "report", in.Key); err != nil {
			return nil, err
		}
		return csvFile(in.Key+"-people", in.BOM, func(w *csv.Writer) error {
			if err := w.Write([]string{"person_id", "name", "email", "at", "state", "reason", "detail", "message_id", "node", "amount", "currency"}); err != nil {
				return err
			}
			for {
				shown, err := a.behind(ctx, found)
				if err != nil {
					return err
				}
				for _, p := range shown.Body.Items {
					at, amount, currency := "", "", ""
					if p.At != nil {
						at = p.At.Format(time.RFC3339)
					}
					if p.Amount != nil {
						amount, currency = major(p.Amount.Minor, p.Amount.Currency), p.Amount.Currency
					}
					if err := w.Write([]string{p.Person.ID, sheet.Safe(p.Person.Name), sheet.Safe(p.Person.Email), at, p.State, p.Reason, sheet.Safe(p.Detail), p.MessageID, sheet.Safe(p.Node), amount, currency}); err != nil {
						return err
					}
				}
				w.Flush()
				if q.Cursor = found.Next; q.Cursor == "" {
					return w.Error()
				}
				if found, err = people(ctx, q); err != nil {
					return err
				}
			}
		}), nil
	}, csvAnswer)
}

// csvAnswer describes an answer that is a CSV file.
func csvAnswer(op *huma.Operation) {
	op.Responses = map[string]*huma.Response{"200": {
		Description: "OK", Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: "string"}}},
	}}
}

// csvFile streams a file. Once it has begun its status is sent, so an error can only cut it short; the connection is then broken, which
// every client sees as a failed download.
func csvFile(name string, bom bool, write func(w *csv.Writer) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", "text/csv; charset=utf-8")
		ctx.SetHeader("Content-Disposition", `attachment; filename="`+name+`.csv"`)
		out := ctx.BodyWriter()
		if bom {
			_, _ = io.WriteString(out, "\ufeff")
		}
		w := csv.NewWriter(out)
		w.UseCRLF = true // RFC 4180
		err := write(w)
		w.Flush()
		if err != nil && ctx.Context().Err() == nil {
			panic(http.ErrAbortHandler)
		}
	}}
}

func tableHead(columns []report.Column, currencies map[string][]string) []string {
	out := []string{"key"}
	for _, c := range columns {
		switch c.Kind {
		case report.Share:
			out = append(out, c.Name, c.Name+"_n", c.Name+"_low", c.Name+"_high")
		case report.Amount:
			for _, code := range currencies[c.Name] {
				out = append(out, c.Name+"_"+code)
			}
		default:
			out = append(out, c.Name)
		}
	}
	return out
}

func tableLine(columns []report.Column, currencies map[string][]string, r report.Row) []string {
	out := []string{sheet.Safe(r.Key)}
	share := func(f float64) string { return strconv.FormatFloat(f, 'f', 6, 64) }
	for _, c := range columns {
		switch c.Kind {
		case report.Count:
			out = append(out, strconv.FormatInt(r.Counts[c.Name], 10))
		case report.Share:
			x := r.Rates[c.Name]
			out = append(out, share(x.Share), strconv.FormatInt(x.Of, 10), share(x.Low), share(x.High))
		case report.Amount:
			for _, code := range currencies[c.Name] {
				out = append(out, major(r.Money[c.Name][code], code))
			}
		default:
			out = append(out, sheet.Safe(r.Label))
		}
	}
	return out
}

// major writes minor units as a decimal number of the currency.
func major(minor int64, currency string) string {
	digits := money.Exponent(currency)
	if digits == 0 {
		return strconv.FormatInt(minor, 10)
	}
	sign, n := "", minor
	if n < 0 {
		sign, n = "-", -n
	}
	unit := int64(1)
	for range digits {
		unit *= 10
	}
	return fmt.Sprintf("%s%d.%0*d", sign, n/unit, digits, n%unit)
}
