package click

import (
	"context"
	"fmt"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// eachRecords is how many records of the log Each hands out at once if each has one event, and eachEvents how many events at the least if there are so many.
const (
	eachRecords = 2048
	eachEvents  = 5000
)

// Each hands out the events of all workspaces that came with records after the position, in the order of the log, whole records at a time: what another store
// takes by Append. through is the last record that they are of.
func (s *Store) Each(ctx context.Context, after uint64, do func(events []event.Kept, through uint64) error) error {
	for {
		st := s.seen.Load()
		next := `seq > ? AND ` + st.alive()
		var through, n uint64
		rows, err := s.rows(ctx, `SELECT max(seq), toUInt64(sum(n)) FROM (SELECT seq, n, sum(n) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING) AS upto FROM
			(SELECT seq, count() AS n FROM event_raw WHERE `+next+` AND seq <= (SELECT min(seq) FROM event_raw WHERE `+next+`) + ? GROUP BY seq) AS records) AS running WHERE upto - n < ?`,
			after, after, eachRecords, eachEvents)
		if err != nil {
			return err
		}
		for rows.Next() {
			if err := rows.Scan(&through, &n); err != nil {
				return fmt.Errorf("event store: %w", err)
			}
		}
		if err := rows.Close(); err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		events, err := s.records(ctx, st, after, through)
		if err == nil && uint64(len(events)) != n {
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

func (s *Store) records(ctx context.Context, st *state, after, through uint64) ([]event.Kept, error) {
	rows, err := s.rows(ctx, `SELECT `+keptColumns+`, toString(ws) FROM event_raw WHERE `+st.alive()+` AND seq > ? AND seq <= ? ORDER BY seq, idx`, after, through)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []event.Kept
	for rows.Next() {
		var ws string
		k, err := kept(rows, "", true, &ws)
		if err != nil {
			return nil, err
		}
		k.Workspace = ws
		out = append(out, k)
	}
	return out, rows.Err()
}

// Redirects returns who was merged into whom, for another store that is to know the same.
func (s *Store) Redirects(ctx context.Context) (out []event.Redirect, err error) {
	err = s.each(ctx, `SELECT toString(ws), loser, argMax(winner, commit) FROM redirect WHERE `+s.seen.Load().committed()+` GROUP BY ws, loser ORDER BY 1, 2`, nil, func(scan func(...any) error) error {
		var r event.Redirect
		err := scan(&r.Workspace, &r.Loser, &r.Winner)
		out = append(out, r)
		return err
	})
	return out, err
}
