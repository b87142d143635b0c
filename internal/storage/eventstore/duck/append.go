package duck

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore"
)

// Append implements event.Store. An Append that has begun is finished even if ctx ends.
func (s *Store) Append(ctx context.Context, b event.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case b.Through == 0 && len(b.Events) > 0:
		return errors.New("event store: events without a position in the log")
	case b.Through != 0 && b.Through <= s.through.Load():
		return nil
	}
	if s.w == nil {
		return errors.New("event store: closed")
	}
	stored := func(k event.Kept) bool { return k.Position.Seq <= s.through.Load() }
	if slices.ContainsFunc(b.Events, stored) {
		b.Events = slices.DeleteFunc(slices.Clone(b.Events), stored)
	}
	ctx = context.WithoutCancel(ctx)
	defer s.alone(ctx, len(b.Events))()
	if _, err := s.w.ExecContext(ctx, "BEGIN"); err != nil {
		return fmt.Errorf("event store: begin: %w", err)
	}
	open, err := s.apply(ctx, b)
	if err != nil {
		_, undo := s.w.ExecContext(ctx, "ROLLBACK")
		return errors.Join(fmt.Errorf("event store: append through %d: %w", b.Through, err), undo)
	}
	if _, err := s.w.ExecContext(ctx, "COMMIT"); err != nil {
		// Whether it took effect is for the file to say.
		_, _ = s.w.ExecContext(ctx, "ROLLBACK") // fails if the transaction is over, which is as well
		return errors.Join(fmt.Errorf("event store: commit through %d: %w", b.Through, err), s.reload(ctx))
	}
	if open != nil {
		s.open.Store(newRedirects(open))
		s.merged = true
	}
	if b.Through != 0 {
		s.through.Store(b.Through)
	}
	s.all.changed(b)
	s.answers.changed(b)
	s.trimAfterCheckpoint()
	return nil
}

const vector = 2048 // rows that DuckDB works on at once

// alone lets DuckDB use one thread until the returned function is called. What writes is the work of one thread, and with more of them the others wait for it
// in loops that cost a quarter of the whole again. Who is asking meanwhile keeps theirs: taking a thread away would wait for what it does. To end threads
// and begin them again costs more than that for a batch which fills no vector of DuckDB's.
func (s *Store) alone(ctx context.Context, events int) (done func()) {
	if events < vector || s.opt.Threads == 1 || !s.life.TryLock() {
		return func() {}
	}
	defer s.life.Unlock()
	if _, err := s.w.ExecContext(ctx, "SET threads = 1"); err != nil {
		return func() {} // slower, that is all
	}
	return func() {
		_, _ = s.w.ExecContext(ctx, fmt.Sprintf("SET threads = %d", s.opt.Threads)) // which it was before
	}
}

// trimAfterCheckpoint gives memory back once a commit has emptied the write-ahead log into the file. What such a checkpoint needed for a moment the
// C library would keep, in pieces: with 600,000 events 600 MB, of which DuckDB used 40.
func (s *Store) trimAfterCheckpoint() {
	var size int64
	if i, err := os.Stat(s.file + ".wal"); err == nil {
		size = i.Size()
	}
	if size < s.wal {
		ReleaseMemory()
	}
	s.wal = size
}

// apply writes the batch inside the open transaction. It returns the redirects that are open afterwards, nil if they did not change.
func (s *Store) apply(ctx context.Context, b event.Batch) (map[eventstore.Who]uint64, error) {
	m, err := s.merges(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("redirects: %w", err)
	}
	moved := map[string]uint64{}
	for _, v := range b.Moves {
		moved[v.Workspace+"\x00"+v.MessageID] = v.To
	}
	if err := s.insert(ctx, "event_raw", len(b.Events), func(i int, into []driver.Value) []driver.Value {
		k := b.Events[i]
		if to, ok := moved[k.Workspace+"\x00"+k.MessageID]; ok {
			k.Person = to
		}
		k.Person = m.Resolve(k.Workspace, k.Person)
		return row(into, &k)
	}); err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	if err := s.move(ctx, b.Moves, m); err != nil {
		return nil, fmt.Errorf("moves: %w", err)
	}
	open, err := s.redirect(ctx, m)
	if err != nil {
		return nil, fmt.Errorf("redirects: %w", err)
	}
	if err := s.people(ctx, b); err != nil {
		return nil, fmt.Errorf("people: %w", err)
	}
	if err := s.seen(ctx, b.Seen); err != nil {
		return nil, fmt.Errorf("people: %w", err)
	}
	if b.Through != 0 {
		_, err = s.w.ExecContext(ctx, `UPDATE log_position SET through = ?`, b.Through)
	}
	return open, err
}

// insert appends n rows to the table. It uses DuckDB's appender, which joins the transaction of its connection.
func (s *Store) insert(ctx context.Context, table string, n int, row func(i int, into []driver.Value) []driver.Value) error {
	if n == 0 {
		return nil
	}
	return s.w.Raw(func(dc any) error {
		a, err := duckdb.NewAppenderFromConn(dc.(driver.Conn), "", table)
		if err != nil {
			return err
		}
		var values []driver.Value
		for i := range n {
			values = row(i, values)
			if err := a.AppendRow(values...); err != nil {
				return errors.Join(err, a.Close())
			}
		}
		return a.Close()
	})
}

// move re-attributes stored events. Those of this very batch have been appended where they belong.
func (s *Store) move(ctx context.Context, moves []event.Move, m *eventstore.Merges) error {
	if len(moves) == 0 {
		return nil
	}
	// The last move of a message counts.
	last := map[string]int{}
	for i, v := range moves {
		last[v.Workspace+"\x00"+v.MessageID] = i
	}
	var ws, ids []string
	var to []uint64
	for i, v := range moves {
		if last[v.Workspace+"\x00"+v.MessageID] == i {
			ws, ids, to = append(ws, v.Workspace), append(ids, v.MessageID), append(to, m.Resolve(v.Workspace, v.To))
		}
	}
	_, err := s.w.ExecContext(ctx, `UPDATE event_raw SET person = m.person
		FROM (SELECT unnest(CAST(? AS VARCHAR[])) AS ws, unnest(CAST(? AS VARCHAR[])) AS message_id, unnest(CAST(? AS UBIGINT[])) AS person) m
		WHERE event_raw.ws = m.ws AND event_raw.message_id = m.message_id AND event_raw.person <> m.person`, lists(ws, ids, to)...)
	return err
}

// merges reads the rows of the redirect table that concern the batch and applies its redirects.
func (s *Store) merges(ctx context.Context, b event.Batch) (*eventstore.Merges, error) {
	m := eventstore.NewMerges()
	if !s.merged && len(b.Redirects) == 0 {
		return m, nil
	}
	return m, m.Read(b, func(ws, column string, nums []uint64) error { return s.read(ctx, m, ws, column, nums) })
}

func (s *Store) read(ctx context.Context, m *eventstore.Merges, ws, column string, nums []uint64) error {
	rows, err := s.w.QueryContext(ctx, `SELECT loser, winner, folded FROM redirect WHERE ws = ? AND `+column+
		` IN (SELECT unnest(CAST(? AS UBIGINT[])))`, lists(ws, nums)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		k := eventstore.Who{WS: ws}
		var r eventstore.Redirection
		if err := rows.Scan(&k.Num, &r.Winner, &r.Folded); err != nil {
			return err
		}
		m.Set(k, r)
	}
	return rows.Err()
}

// redirect writes the changed rows of the redirect table, and folds it when it has grown.
func (s *Store) redirect(ctx context.Context, m *eventstore.Merges) (map[eventstore.Who]uint64, error) {
	if len(m.Changed) == 0 {
		return nil, nil
	}
	changed := make([]eventstore.Who, 0, len(m.Changed))
	byWS := map[string][]uint64{}
	for k := range m.Changed {
		changed = append(changed, k)
		byWS[k.WS] = append(byWS[k.WS], k.Num)
	}
	for ws, nums := range byWS {
		if _, err := s.w.ExecContext(ctx, `DELETE FROM redirect WHERE ws = ? AND loser IN (SELECT unnest(CAST(? AS UBIGINT[])))`, lists(ws, nums)...); err != nil {
			return nil, err
		}
	}
	if err := s.insert(ctx, "redirect", len(changed), func(i int, into []driver.Value) []driver.Value {
		r := m.Rows[changed[i]]
		return append(into[:0], changed[i].WS, changed[i].Num, r.Winner, r.Folded)
	}); err != nil {
		return nil, err
	}
	open := maps.Clone(s.open.Load().winner)
	for _, k := range changed {
		if r := m.Rows[k]; !r.Folded {
			open[k] = r.Winner
		}
	}
	if len(open) < s.foldAt {
		return open, nil
	}
	if _, err := s.w.ExecContext(ctx, `UPDATE event_raw SET person = r.winner FROM redirect r
		WHERE NOT r.folded AND r.ws = event_raw.ws AND r.loser = event_raw.person`); err != nil {
		return nil, err
	}
	_, err := s.w.ExecContext(ctx, `UPDATE redirect SET folded = true WHERE NOT folded`)
	return map[eventstore.Who]uint64{}, err
}

// seen moves the last events of people on.
func (s *Store) seen(ctx context.Context, people []event.Sighting) error {
	nums, last := map[string][]uint64{}, map[string][]int64{}
	for _, p := range people {
		nums[p.Workspace], last[p.Workspace] = append(nums[p.Workspace], p.Num), append(last[p.Workspace], p.LastSeen.UnixMicro())
	}
	for ws := range nums {
		if _, err := s.w.ExecContext(ctx, `UPDATE person SET last_seen = m.last FROM (SELECT unnest(CAST(? AS UBIGINT[])) AS num, unnest(CAST(? AS BIGINT[])) AS last) m
			WHERE person.ws = ? AND person.num = m.num AND person.last_seen <> m.last`, lists(nums[ws], last[ws], ws)...); err != nil {
			return err
		}
	}
	return nil
}

// people replaces the mirror rows of b.People and drops those of b.Gone.
func (s *Store) people(ctx context.Context, b event.Batch) error {
	last := map[eventstore.Who]int{}
	byWS := map[string][]uint64{}
	for i, p := range b.People {
		k := eventstore.Who{WS: p.Workspace, Num: p.Num}
		if _, again := last[k]; !again {
			byWS[p.Workspace] = append(byWS[p.Workspace], p.Num)
		}
		last[k] = i
	}
	for _, g := range b.Gone {
		byWS[g.Workspace] = append(byWS[g.Workspace], g.Num)
		delete(last, eventstore.Who{WS: g.Workspace, Num: g.Num})
	}
	for ws, nums := range byWS {
		if _, err := s.w.ExecContext(ctx, `DELETE FROM person WHERE ws = ? AND num IN (SELECT unnest(CAST(? AS UBIGINT[])))`, lists(ws, nums)...); err != nil {
			return err
		}
	}
	keep := make([]int, 0, len(last))
	for _, i := range last {
		keep = append(keep, i)
	}
	slices.Sort(keep)
	return s.insert(ctx, "person", len(keep), func(i int, into []driver.Value) []driver.Value {
		p := b.People[keep[i]]
		return append(into[:0], p.Workspace, p.Num, p.ID, string(event.Clean(p.Traits)), string(event.Clean(p.Channels)),
			p.FirstSeen.UnixMicro(), p.LastSeen.UnixMicro())
	})
}
