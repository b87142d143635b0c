package roster

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/sheet"
)

const (
	table      = "table" // key of the file that an export makes
	piece      = 1 << 20 // bytes that are written and noted at once
	maxColumns = 100     // traits with a column of their own; all of them stand in the last column as well
)

// PeopleParams says of whom a file is made, and for what.
type PeopleParams struct {
	Who Filter `json:"who"`
	BOM bool   `json:"bom,omitempty"` // begin with a byte order mark, by which spreadsheets recognise UTF-8
}

// EventsParams says of which events a file is made.
type EventsParams struct {
	Filter event.ArrivalFilter `json:"filter"`
	BOM    bool                `json:"bom,omitempty"`
}

// mark is how far a file is.
type mark struct {
	Cursor  string   `json:"cursor"`
	Bytes   int64    `json:"bytes"`
	Rows    int64    `json:"rows"`
	Total   int64    `json:"total"` // rows there will be, as counted at the beginning; 0: not known
	Columns []string `json:"columns,omitempty"`
}

// write makes a file of pages of T. next appends a page's rows to w and returns the cursor behind it.
func (s Service) write(ctx context.Context, r *job.Run, m mark, bom bool, name string, head []string, next func(ctx context.Context, cursor string, w *csv.Writer) (string, int, error)) (job.Outcome, error) {
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	w.UseCRLF = true // RFC 4180
	if m.Bytes == 0 {
		if bom {
			text.WriteString("\ufeff")
		}
		_ = w.Write(head) // a buffer takes everything
	}
	for end := false; !end; {
		cursor, rows, err := next(ctx, m.Cursor, w)
		if err != nil {
			return job.Outcome{}, err
		}
		m.Rows += int64(rows)
		m.Cursor, end = cursor, cursor == ""
		if w.Flush(); text.Len() < piece && !end {
			continue
		}
		if m.Bytes+int64(text.Len()) > job.MaxFile {
			return job.Outcome{}, errs.Invalid("export.too_large", "", "the file would be larger than %d MB; narrow what is exported, for example by time, and make several", job.MaxFile>>20)
		}
		if err := r.Append(ctx, table, m.Bytes, text.Bytes()); err != nil {
			return job.Outcome{}, err
		}
		m.Bytes += int64(text.Len())
		text.Reset()
		if err := r.Save(ctx, m, job.Progress{Done: min(m.Rows, m.Total), Total: m.Total, Figures: map[string]int64{"rows": m.Rows}}); err != nil {
			return job.Outcome{}, err
		}
	}
	return job.Outcome{
		Figures: map[string]int64{"rows": m.Rows},
		Files:   []job.File{{Key: table, Name: name + "-" + r.Job().CreatedAt.Format(time.DateOnly) + ".csv", Type: "text/csv; charset=utf-8", Size: m.Bytes}},
	}, nil
}

// Table makes a file of rows that somebody else reads: next appends those of a page to w and returns the cursor behind it, empty at the end.
func (s Service) Table(ctx context.Context, r *job.Run, name string, bom bool, head []string, next func(ctx context.Context, cursor string, w *csv.Writer) (string, int, error)) (job.Outcome, error) {
	var m mark
	if _, err := s.begin(ctx, r, &struct{}{}, &m); err != nil {
		return job.Outcome{}, err
	}
	return s.write(ctx, r, m, bom, name, head, next)
}

// begin reads what a file was asked for and how far it is.
func (s Service) begin(ctx context.Context, r *job.Run, params any, m *mark) (fresh bool, err error) {
	if err := r.Params(params); err != nil {
		return false, err
	}
	had, err := r.Mark(m)
	if err == nil && !had {
		err = s.Jobs.Room(ctx, r.Job().Workspace)
	}
	return !had, err
}

func (s Service) exportPeople(ctx context.Context, r *job.Run) (job.Outcome, error) {
	var p PeopleParams
	var m mark
	ws := r.Job().Workspace
	fresh, err := s.begin(ctx, r, &p, &m)
	if err != nil {
		return job.Outcome{}, err
	}
	filter, err := s.Resolve(ctx, ws, p.Who)
	if err != nil {
		return job.Outcome{}, err
	}
	if fresh {
		if m.Total, err = s.People.CountFitting(ctx, ws, filter); err != nil {
			return job.Outcome{}, err
		}
		fields, err := s.Events.Fields(ctx, ws, "", maxColumns)
		if err != nil {
			return job.Outcome{}, err
		}
		for _, f := range fields {
			if f.Kind != "object" {
				m.Columns = append(m.Columns, f.Path)
			}
		}
		slices.Sort(m.Columns)
	}
	head := []string{"person_id", "status", "name", "email", "first_seen", "last_seen", "identifiers"}
	for _, c := range m.Columns {
		head = append(head, "traits."+c)
	}
	return s.write(ctx, r, m, p.BOM, "people", append(head, "traits"), func(ctx context.Context, cursor string, w *csv.Writer) (string, int, error) {
		found, err := s.People.Find(ctx, ws, filter, page.Request{Limit: page.MaxLimit, Cursor: cursor})
		if err != nil {
			return "", 0, err
		}
		for _, p := range found.Items {
			row, err := personRow(p, m.Columns)
			if err != nil {
				return "", 0, err
			}
			_ = w.Write(row)
		}
		return found.Next, len(found.Items), nil
	})
}

func personRow(p person.Person, columns []string) ([]string, error) {
	ids := []string{}
	for _, id := range p.Identifiers {
		ids = append(ids, id.Kind+":"+id.Value)
	}
	idList, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	values := p.Values()
	row := []string{p.ID, string(p.Status), sheet.Safe(p.Name()), sheet.Safe(p.Email()), stamp(p.FirstSeen), stamp(p.LastSeen), string(idList)}
	for _, c := range columns {
		text, err := Cell(at(values, c))
		if err != nil {
			return nil, err
		}
		row = append(row, text)
	}
	traits, err := json.Marshal(values)
	return append(row, string(traits)), err
}

// at returns the value at a path of one or two keys.
func at(values map[string]any, path string) any {
	if v, ok := values[path]; ok {
		return v
	}
	outer, inner, _ := strings.Cut(path, ".")
	in, _ := values[outer].(map[string]any)
	return in[inner]
}

// Cell is a value as a spreadsheet shows it: texts safe, lists and objects as JSON.
func Cell(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return sheet.Safe(v), nil
	}
	raw, err := json.Marshal(v)
	return string(raw), err
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

func (s Service) exportEvents(ctx context.Context, r *job.Run) (job.Outcome, error) {
	var p EventsParams
	var m mark
	ws := r.Job().Workspace
	if _, err := s.begin(ctx, r, &p, &m); err != nil {
		return job.Outcome{}, err
	}
	head := []string{"message_id", "type", "name", "person_id", "source", "time", "received_at", "properties", "context"}
	return s.write(ctx, r, m, p.BOM, "events", head, func(ctx context.Context, cursor string, w *csv.Writer) (string, int, error) {
		found, err := s.Events.Arrivals(ctx, ws, p.Filter, page.Request{Limit: page.MaxLimit, Cursor: cursor})
		if err != nil {
			return "", 0, err
		}
		nums := make([]uint64, len(found.Items))
		for i, k := range found.Items {
			nums[i] = k.Person
		}
		ids, err := s.People.IDs(ctx, ws, nums)
		if err != nil {
			return "", 0, err
		}
		for _, k := range found.Items {
			_ = w.Write([]string{
				sheet.Safe(k.MessageID), string(k.Type), sheet.Safe(k.Name), ids[k.Person], k.Source, stamp(k.Time), stamp(k.Received), string(event.Readable(k.Properties)), string(event.Readable(k.Context)),
			})
		}
		return found.Next, len(found.Items), nil
	})
}
