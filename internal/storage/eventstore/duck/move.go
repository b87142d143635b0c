package duck

import (
	"context"
	"fmt"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// eachRecords is how many records of the log Each hands out at once, and eachEvents how many events if they have many each.
const (
	eachRecords = 512
	eachEvents  = 5000
)

// Each hands out the events of all workspaces that came with records after the position, in the order of the log, whole records at a time: what another store
// takes by Append. through is the last record that they are of.
func (s *Store) Each(ctx context.Context, after uint64, do func(events []event.Kept, through uint64) error) error {
	for {
		var through uint64
		var n int64
		// Where the records begin that come next, and how many of them are enough. Events lie in the file about as they came, so little is read.
		rows, err := s.Query(ctx, `SELECT coalesce(max(seq), 0), coalesce(CAST(sum(n) AS BIGINT), 0) FROM (SELECT seq, n, sum(n) OVER (ORDER BY seq) AS before FROM
			(SELECT seq, count(*) AS n FROM event_raw WHERE seq > ? AND seq <= (SELECT min(seq) FROM event_raw WHERE seq > ?) + ? GROUP BY seq)) WHERE before - n < ?`,
			[]any{after, after, eachRecords, eachEvents})
		if err != nil {
			return err
		}
		through, n = rows[0][0].(uint64), rows[0][1].(int64)
		if n == 0 {
			return nil
		}
		events, err := s.records(ctx, after, through)
		if err == nil && int64(len(events)) != n {
			err = fmt.Errorf("event store: %d events of the records %d to %d, want %d", len(events), after+1, through, n)
		}
		if err != nil {
			return err
		}
		if err := do(events, through); err != nil {
			return err
		}
		after = through
	}
}

func (s *Store) records(ctx context.Context, after, through uint64) ([]event.Kept, error) {
	open := s.open.Load()
	rows, err := s.db.QueryContext(ctx, `SELECT `+keptColumns+`, ws FROM event_raw WHERE seq > ? AND seq <= ? ORDER BY seq, idx`, after, through)
	if err != nil {
		return nil, fmt.Errorf("event store: %w", err)
	}
	defer rows.Close()
	var out []event.Kept
	scan := newScanner("", keptColumns)
	var ws string
	scan.into = append(scan.into, &ws)
	for rows.Next() {
		k, err := scan.kept(rows)
		if err != nil {
			return nil, err
		}
		k.Workspace = ws
		k.Person = open.resolve(ws, k.Person)
		out = append(out, k)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("event store: %w", err)
	}
	return out, nil
}

// Redirects returns who was merged into whom, for another store that is to know the same.
func (s *Store) Redirects(ctx context.Context) ([]event.Redirect, error) {
	rows, err := s.Query(ctx, `SELECT ws, loser, winner FROM redirect ORDER BY ALL`, nil)
	if err != nil {
		return nil, err
	}
	out := make([]event.Redirect, len(rows))
	for i, r := range rows {
		out[i] = event.Redirect{Workspace: r[0].(string), Loser: r[1].(uint64), Winner: r[2].(uint64)}
	}
	return out, nil
}
