package duck

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore"
)

// ways is the beginning of every statement about a flow: way holds a row for each station of each person, person_way the whole ways, on_next who came from
// a stage to the one after it and how long that took.
func ways(ws string, q event.FlowQuery) (string, []any) {
	cte, join, args := among(q.People, "event.person")
	var stages strings.Builder
	for i, all := range q.Stages {
		parts := make([]string, 0, len(all))
		for _, s := range all {
			var w eventstore.Where
			w.Signal(s)
			parts, args = append(parts, "("+w.String()+")"), append(args, w.Args...)
		}
		if len(parts) > 0 {
			fmt.Fprintf(&stages, " WHEN %s THEN %d", strings.Join(parts, " OR "), i)
		}
	}
	stage := "NULL"
	if stages.Len() > 0 {
		stage = "CASE" + stages.String() + " END"
	}
	planned := []string{"-1"}
	for from, all := range q.Ways {
		for _, to := range all {
			planned = append(planned, strconv.Itoa(from*len(q.Stages)+to))
		}
	}
	args = append(args, ws, q.From.UnixMicro(), q.To.UnixMicro())
	return `WITH ` + cte + `hit AS (SELECT person, time, seq, idx, CAST(` + stage + ` AS INTEGER) AS stage FROM event` + join + ` WHERE event.ws = ? AND time >= ? AND time < ?),
		turned AS (SELECT person, time, seq, idx, stage, lag(stage) OVER (PARTITION BY person ORDER BY time, seq, idx) AS before FROM hit WHERE stage IS NOT NULL),
		way AS MATERIALIZED (SELECT person, time, stage, before, row_number() OVER w AS step, lead(stage) OVER w AS next, lead(time) OVER w AS next_time
			FROM turned WHERE before IS DISTINCT FROM stage WINDOW w AS (PARTITION BY person ORDER BY time, seq, idx)),
		person_way AS MATERIALIZED (SELECT person, string_agg(CAST(stage AS VARCHAR), '>' ORDER BY step) FILTER (step <= ` + strconv.Itoa(q.Steps) + `) AS path, max(step) > ` + strconv.Itoa(q.Steps) + ` AS more,
			bool_or(CASE WHEN step = 1 THEN stage <> 0 ELSE before * ` + strconv.Itoa(len(q.Stages)) + ` + stage NOT IN (` + strings.Join(planned, ", ") + `) END) AS off FROM way GROUP BY person),
		first_at AS MATERIALIZED (SELECT person, stage, min(step) AS step, arg_min(time, step) AS time FROM way GROUP BY person, stage),
		on_next AS MATERIALIZED (SELECT f.person, f.stage, min(n.time) - any_value(f.time) AS took FROM first_at f
			JOIN way n ON n.person = f.person AND n.stage = f.stage + 1 AND n.step > f.step GROUP BY f.person, f.stage) `, args
}

const middle = `CAST(floor(quantile_cont(%s, 0.5)) AS BIGINT)`

// Flow implements event.Store. One statement, so that all figures are of the same moment.
func (s *Store) Flow(ctx context.Context, ws string, q event.FlowQuery) (event.Flow, error) {
	with, args := ways(ws, q)
	steps := strconv.Itoa(q.Steps)
	query := with + `, counted AS (SELECT path, more, off, count(*) AS n FROM person_way GROUP BY path, more, off),
		top AS (SELECT *, row_number() OVER (ORDER BY n DESC, path, more, off) AS rank FROM counted ORDER BY rank LIMIT ` + strconv.Itoa(max(q.Paths, 0)) + `)
		SELECT 0 AS kind, 0 AS a, 0 AS b, 0 AS c, '' AS path, count(*) AS n, count(*) FILTER (off) AS m FROM person_way
		UNION ALL SELECT 1, stage, 0, 0, '', count(*), 0 FROM first_at GROUP BY stage
		UNION ALL SELECT 2, stage, 0, 0, '', count(*), ` + fmt.Sprintf(middle, "took") + ` FROM on_next GROUP BY stage
		UNION ALL SELECT 3, stage, 0, 0, '', count(*), 0 FROM way WHERE next IS NULL GROUP BY stage
		UNION ALL SELECT 4, step, stage, coalesce(next, -1), '', count(*), coalesce(` + fmt.Sprintf(middle, "next_time - time") + `, 0) FROM way
			WHERE step < ` + steps + ` OR step = ` + steps + ` AND next IS NULL GROUP BY step, stage, next
		UNION ALL SELECT 5, rank, CAST(more AS INTEGER), CAST(off AS INTEGER), path, n, 0 FROM top
		ORDER BY kind, a, b, c`
	out := event.Flow{Stages: make([]event.FlowStage, len(q.Stages))}
	err := s.each(ctx, query, args, func(scan func(...any) error) error {
		var kind, a, b, c int
		var path string
		var n, m int64
		if err := scan(&kind, &a, &b, &c, &path, &n, &m); err != nil {
			return err
		}
		switch took := time.Duration(m) * time.Microsecond; kind {
		case 0:
			out.People, out.OffPlan, out.Other = n, m, n
		case 1:
			out.Stages[a].Reached = n
		case 2:
			out.Stages[a].Next, out.Stages[a].Median = n, took
		case 3:
			out.Stages[a].Ended = n
		case 4:
			out.Links = append(out.Links, event.FlowLink{Step: a, From: b, To: c, People: n, Median: took})
		default:
			p := event.FlowPath{More: b == 1, Off: c == 1, People: n}
			for text := range strings.SplitSeq(path, ">") {
				stage, err := strconv.Atoi(text)
				if err != nil {
					return err
				}
				p.Stages = append(p.Stages, stage)
			}
			out.Paths, out.Other = append(out.Paths, p), out.Other-n
		}
		return nil
	})
	if err != nil {
		return event.Flow{}, fmt.Errorf("event store: flow: %w", err)
	}
	return out, nil
}

// FlowPeople implements event.Store.
func (s *Store) FlowPeople(ctx context.Context, ws string, q event.FlowQuery, pick event.FlowPick) (*roaring64.Bitmap, error) {
	with, args := ways(ws, q)
	var who string
	switch pick.Figure {
	case event.FlowAll:
		who = `SELECT person FROM person_way`
	case event.FlowOff:
		who = `SELECT person FROM person_way WHERE off`
	case event.FlowReached:
		who, args = `SELECT person FROM first_at WHERE stage = ?`, append(args, pick.Stage)
	case event.FlowNext:
		who, args = `SELECT person FROM on_next WHERE stage = ?`, append(args, pick.Stage)
	case event.FlowDropped:
		who, args = `SELECT person FROM first_at f WHERE stage = ? AND NOT EXISTS (SELECT 1 FROM on_next n WHERE n.person = f.person AND n.stage = f.stage)`, append(args, pick.Stage)
	case event.FlowLinked:
		who, args = `SELECT person FROM way WHERE step = ? AND stage = ? AND coalesce(next, -1) = ?`, append(args, pick.Step, pick.Stage, pick.To)
	case event.FlowWent:
		parts := make([]string, len(pick.Path))
		for i, stage := range pick.Path {
			parts[i] = strconv.Itoa(stage)
		}
		who, args = `SELECT person FROM person_way WHERE path = ? AND more = ?`, append(args, strings.Join(parts, ">"), pick.More)
	default:
		return nil, fmt.Errorf("event store: flow: unknown figure %q", pick.Figure)
	}
	return s.Select(ctx, ws, with+who, args)
}
