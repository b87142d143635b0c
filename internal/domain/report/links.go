package report

import (
	"context"
	"fmt"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// links is the report of what was clicked: the heat of a mail. Unlike messages, clicks are counted when they happen.
var links = Spec{
	Key: "links", Title: "Clicks by link", Params: []string{"from", "to", "channel", "topic", "campaign", "journey", "node", "template"},
	Columns: linkColumns,
	Chart:   Chart{Kind: "bar", X: "label", Y: []string{"clicks", "people"}},
	rows: func(ctx context.Context, s *Service, ws string, q question) ([]Row, error) {
		return s.countClicks(ctx, ws, q, `COALESCE(url, '')`)
	},
	// Whoever followed two links is one person.
	total: func(ctx context.Context, s *Service, ws string, q question) (Row, error) {
		rows, err := s.countClicks(ctx, ws, q, `''`)
		if err != nil || len(rows) == 0 {
			return total(Spec{Columns: linkColumns}, nil), err
		}
		return rows[0], nil
	},
	// A row a person, a row a click, or a row a message, as the figure counts.
	people: func(ctx context.Context, s *Service, ws string, q question, row string, f Figure, p page.Request) (page.Of[Person], error) {
		where, args := q.clicks(ws)
		if row != everyRow {
			where, args = where+` AND url = ?`, append(args, row)
		}
		const click = `SELECT person AS who, time AS moment, message_id AS id, 0 AS amount, '' AS code, 'clicked' AS what, outbox_id AS message`
		switch f.Name {
		case "clicks":
			return s.happenings(ctx, ws, click+where+` AND NOT `+byMachine, args, p)
		case "machine_clicks":
			return s.happenings(ctx, ws, click+where+` AND `+byMachine, args, p)
		case "messages":
			return s.happenings(ctx, ws, `SELECT ANY_VALUE(person) AS who, MIN(time) AS moment, outbox_id AS id, 0 AS amount, '' AS code, 'clicked' AS what, outbox_id AS message`+
				where+` AND outbox_id IS NOT NULL AND NOT `+byMachine+` GROUP BY outbox_id`, args, p)
		}
		return s.numbers(ctx, ws, `SELECT person, MIN(time), ARG_MIN(outbox_id, time), ARG_MIN(node, time)`+where+` AND NOT `+byMachine+` AND person > ?
			GROUP BY person ORDER BY person`, args, "clicked", p)
	},
}

var linkColumns = []Column{
	{Name: "label", Kind: Text}, {Name: "clicks", Kind: Count, People: true}, {Name: "people", Kind: Count, People: true}, {Name: "messages", Kind: Count, People: true}, {Name: "machine_clicks", Kind: Count, People: true},
}

const maxLinks = 10_000 // of one report: links made for each reader would be as many as readers

// countClicks counts the clicks of the question by an expression.
func (s *Service) countClicks(ctx context.Context, ws string, q question, by string) ([]Row, error) {
	where, args := q.clicks(ws)
	rows, err := s.c.Events.Query(ctx, `SELECT `+by+`, COUNT(*) FILTER (WHERE NOT `+byMachine+`), COUNT(DISTINCT person) FILTER (WHERE NOT `+byMachine+`),
		COUNT(DISTINCT outbox_id) FILTER (WHERE NOT `+byMachine+`), COUNT(*) FILTER (WHERE `+byMachine+`)`+where+` GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT `+fmt.Sprint(maxLinks), args)
	if err != nil {
		return nil, fmt.Errorf("count clicks: %w", err)
	}
	out := make([]Row, len(rows))
	for i, r := range rows {
		url, _ := r[0].(string)
		out[i] = Row{Key: url, Label: url, Counts: map[string]int64{}}
		for n, name := range []string{"clicks", "people", "messages", "machine_clicks"} {
			if out[i].Counts[name], err = integer(r[n+1]); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// byMachine holds for opens and clicks of scanners and proxies and for automatic answers. An event that says nothing of machines was a person's.
const byMachine = `COALESCE(json_extract_string(props, '$.machine') = 'true', FALSE)`

// clicks is the part of a query that chooses the clicks of the question.
func (q question) clicks(ws string) (where string, args []any) {
	where = ` FROM event WHERE ws = ? AND type = 'message' AND name = ? AND time >= ? AND time < ?`
	args = []any{ws, event.MessageClicked, q.scope.From.UnixMicro(), q.scope.To.UnixMicro()}
	for _, f := range []struct{ column, value string }{
		{"channel", q.scope.Channel},
		{"topic", q.scope.Topic},
		{"source_kind", q.scope.Kind},
		{"source_id", q.scope.Source},
		{"node", q.scope.Node},
		{"json_extract_string(props, '$.template')", q.scope.Template},
	} {
		if f.value != "" {
			where, args = where+` AND `+f.column+` = ?`, append(args, f.value)
		}
	}
	return where, args
}

// numbered makes a page of people from rows of the event store: number, time, message, node.
func (s *Service) numbered(ctx context.Context, ws string, rows [][]any, state string, p page.Request) (page.Of[Person], error) {
	out := page.Of[Person]{}
	var nums []uint64
	for i, r := range rows {
		n, err := integer(r[0])
		if err != nil {
			return out, err
		}
		if i == p.Size() {
			out.Next = page.Encode(nums[len(nums)-1])
			break
		}
		nums = append(nums, uint64(n))
	}
	ids, err := s.c.People.IDs(ctx, ws, nums)
	if err != nil {
		return out, err
	}
	out.Items = make([]Person, 0, len(nums))
	for i, n := range nums {
		at, err := integer(rows[i][1])
		if err != nil {
			return out, err
		}
		message, _ := rows[i][2].(string)
		node, _ := rows[i][3].(string)
		out.Items = append(out.Items, Person{PersonID: ids[n], At: time.UnixMicro(at).UTC(), State: state, Message: message, Node: node})
	}
	return out, nil
}
