package click

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"

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
	if err := s.settle(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("event store: settle what came before: %w", err)
	}
	through := s.seen.Load().through
	switch {
	case b.Through == 0 && len(b.Events) > 0:
		return errors.New("event store: events without a position in the log")
	case b.Through != 0 && b.Through <= through:
		return nil
	}
	stored := func(k event.Kept) bool { return k.Position.Seq <= through }
	if slices.ContainsFunc(b.Events, stored) {
		b.Events = slices.DeleteFunc(slices.Clone(b.Events), stored)
	}
	err := s.commit(ctx, b.Through, func(ctx context.Context, c *change) error { return s.apply(ctx, c, b) })
	if err != nil {
		return fmt.Errorf("event store: append through %d: %w", b.Through, err)
	}
	return nil
}

// change is a commit in the making.
type change struct {
	*state         // as it will be
	number  uint64 // of the commit
	before  string // the rows that were alive before it
	added   int    // people and rows withdrawn with it
	pending [][]any
}

// withdraw leaves rows out from this commit on.
func (c *change) withdraw(w eventstore.Who) {
	c.people[w] = true
	c.added++
	c.pending = append(c.pending, []any{w.WS, w.Num, uint64(0), int32(0), uint64(0), c.number})
}

func (c *change) withdrawRow(p place) {
	c.rows[p] = true
	c.added++
	c.pending = append(c.pending, []any{"", uint64(0), p.seq, p.idx, p.commit, c.number})
}

var errClosed = errors.New("event store: closed, or opened to read alone")

// commit does what do writes, all of it or nothing, and has the log in it up to through then, 0 if that stays as it is. The caller holds the lock.
func (s *Store) commit(ctx context.Context, through uint64, do func(context.Context, *change) error) error {
	if s.closed {
		return errClosed
	}
	ctx = context.WithoutCancel(ctx)
	if err := s.settle(ctx); err != nil {
		return err
	}
	now := s.seen.Load()
	s.last++
	next := *now
	next.people, next.rows = maps.Clone(now.people), maps.Clone(now.rows)
	next.commit, next.through = s.last, max(through, now.through)
	c := &change{state: &next, number: s.last, before: now.alive()}
	if err := do(ctx, c); err != nil {
		return err
	}
	if err := s.insert(ctx, "withdrawn", len(c.pending), func(i int) []any { return c.pending[i] }); err != nil {
		return err
	}
	if err := s.mark(ctx, next.commit, next.through); err != nil {
		return err
	}
	s.seen.Store(c.state)
	if len(next.people)+len(next.rows) >= s.deleteAt {
		return s.delete(ctx)
	}
	return nil
}

// settle finds out whether an attempt that failed was committed after all, and removes what was not. Whatever depends on how far the store has come is asked
// after it: a commit whose answer was lost is one. The caller holds the lock.
func (s *Store) settle(ctx context.Context) error {
	now := *s.seen.Load()
	if s.closed || s.last <= max(now.commit, s.turn) {
		return nil
	}
	if err := s.conn.Exec(ctx, `KILL QUERY WHERE query_id LIKE '`+s.writes("%")+`' SYNC`); err != nil {
		return err
	}
	var commit, through uint64
	if err := s.conn.QueryRow(ctx, `SELECT max(commit), argMax(through, commit) FROM mark WHERE turn = `+strconv.FormatUint(s.turn>>turnBits, 10)).Scan(&commit, &through); err != nil {
		return err
	}
	if commit > now.commit {
		now.commit, now.through = commit, through
	}
	if err := s.forget(ctx, fmt.Sprintf("commit > %d", now.commit)); err != nil {
		return err
	}
	return s.reload(ctx, &now)
}

// insert adds n rows to a table.
func (s *Store) insert(ctx context.Context, table string, n int, row func(int) []any) error {
	if n == 0 {
		return nil
	}
	batch, err := s.conn.PrepareBatch(s.writing(ctx, nil, clickhouse.WithColumnNamesAndTypes(s.columns[table])), "INSERT INTO "+table)
	if err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	for i := range n {
		if err := batch.Append(row(i)...); err != nil {
			return fmt.Errorf("%s: %w", table, errors.Join(err, batch.Abort()))
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	return nil
}

// apply writes the batch.
func (s *Store) apply(ctx context.Context, c *change, b event.Batch) error {
	m := eventstore.NewMerges()
	if err := m.Read(b, func(ws, column string, nums []uint64) error { return s.redirects(ctx, m, ws, column, nums) }); err != nil {
		return fmt.Errorf("redirects: %w", err)
	}
	last := map[message]uint64{} // the last move of a message counts
	for _, v := range b.Moves {
		last[message{v.Workspace, v.MessageID}] = m.Resolve(v.Workspace, v.To)
	}
	if err := s.insert(ctx, "event_raw", len(b.Events), func(i int) []any {
		k := b.Events[i]
		k.Person = m.Resolve(k.Workspace, k.Person)
		if to, ok := last[message{k.Workspace, k.MessageID}]; ok {
			k.Person = to
		}
		return row(&k, c.number)
	}); err != nil {
		return err
	}
	if err := s.move(ctx, c, last); err != nil {
		return fmt.Errorf("moves: %w", err)
	}
	if err := s.merge(ctx, c, m); err != nil {
		return fmt.Errorf("merges: %w", err)
	}
	if err := s.people(ctx, c, b); err != nil {
		return err
	}
	return s.sighted(ctx, c, b.Seen)
}

// redirects reads stored redirects.
func (s *Store) redirects(ctx context.Context, m *eventstore.Merges, ws, column string, nums []uint64) error {
	rows, err := s.rows(ctx, `SELECT * FROM (SELECT loser, argMax(winner, commit) AS winner FROM redirect WHERE ws = ? AND `+s.seen.Load().committed()+` GROUP BY loser) AS r WHERE has(?, `+column+`)`,
		ws, nums)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		k := eventstore.Who{WS: ws}
		var r eventstore.Redirection
		if err := rows.Scan(&k.Num, &r.Winner); err != nil {
			return err
		}
		m.Set(k, r)
	}
	return rows.Err()
}

type message struct{ ws, id string }

// atOnce is how many messages one statement looks up.
const atOnce = 1000

// move writes stored events again under the person they are given to.
func (s *Store) move(ctx context.Context, c *change, to map[message]uint64) error {
	byWS := map[string][]string{}
	for k := range to {
		byWS[k.ws] = append(byWS[k.ws], k.id)
	}
	for ws, all := range byWS {
		for ids := range slices.Chunk(all, atOnce) {
			taken := map[uint64][]string{} // rows by who they go to
			rows, err := s.rows(ctx, `SELECT message_id, person, seq, idx, commit FROM event_raw WHERE ws = ? AND message_id IN ? AND `+c.before, ws, ids)
			if err != nil {
				return err
			}
			for rows.Next() {
				var id string
				var person uint64
				var p place
				if err := rows.Scan(&id, &person, &p.seq, &p.idx, &p.commit); err != nil {
					return errors.Join(err, rows.Close())
				}
				if taker := to[message{ws, id}]; taker != person {
					taken[taker] = append(taken[taker], fmt.Sprintf("(%d,%d,%d,%d)", person, p.seq, p.idx, p.commit))
					c.withdrawRow(p)
				}
			}
			if err := errors.Join(rows.Err(), rows.Close()); err != nil {
				return err
			}
			for taker, places := range taken {
				// The message ids let the index find the rows.
				if err := s.again(ctx, c, strconv.FormatUint(taker, 10), `ws = ? AND message_id IN ? AND (person, seq, idx, commit) IN (`+strings.Join(places, ",")+`)`, ws, ids); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// again writes rows that were alive before the commit once more, under the person that the expression gives.
func (s *Store) again(ctx context.Context, c *change, person, where string, args ...any) error {
	names := strings.Split(rawColumns, ",")
	for i, n := range names {
		names[i] = strings.TrimSpace(n)
	}
	exprs := slices.Clone(names)
	exprs[slices.Index(names, "person")], exprs[len(exprs)-1] = "toUInt64("+person+")", strconv.FormatUint(c.number, 10)
	return s.write(ctx, `INSERT INTO event_raw (`+rawColumns+`) SELECT `+strings.Join(exprs, ", ")+` FROM event_raw WHERE `+where+` AND `+c.before, args...)
}

// merge gives the events of the losers to the winners.
func (s *Store) merge(ctx context.Context, c *change, m *eventstore.Merges) error {
	byWS := map[string][]eventstore.Who{}
	changed := make([]eventstore.Who, 0, len(m.Changed))
	for k := range m.Changed {
		changed = append(changed, k)
		byWS[k.WS] = append(byWS[k.WS], k)
	}
	if err := s.insert(ctx, "redirect", len(changed), func(i int) []any {
		return []any{changed[i].WS, changed[i].Num, m.Rows[changed[i]].Winner, c.number}
	}); err != nil {
		return err
	}
	for ws, all := range byWS {
		var losers, winners []uint64
		for _, k := range all {
			losers, winners = append(losers, k.Num), append(winners, m.Rows[k].Winner)
		}
		// Rows that a move of this commit has taken away are withdrawn already and not alive in the state to be.
		moved := ""
		if len(c.rows) > 0 {
			moved = " AND " + c.onlyRows()
		}
		if err := s.again(ctx, c, "transform(person, "+list(losers)+", "+list(winners)+", person)", `ws = ? AND person IN (`+strings.Trim(list(losers), "[]")+`)`+moved, ws); err != nil {
			return err
		}
		for _, k := range all {
			if !c.people[k] {
				c.withdraw(k)
			}
		}
	}
	return nil
}

// onlyRows is the part of alive about single rows.
func (st *state) onlyRows() string {
	only := &state{commit: st.commit, rows: st.rows}
	return strings.TrimPrefix(only.alive(), only.committed()+" AND ")
}

func list(nums []uint64) string {
	text := make([]string, len(nums))
	for i, n := range nums {
		text[i] = strconv.FormatUint(n, 10)
	}
	return "[" + strings.Join(text, ",") + "]"
}

// people replaces the mirror rows of b.People and drops those of b.Gone.
func (s *Store) people(ctx context.Context, c *change, b event.Batch) error {
	last := map[eventstore.Who]event.Mirror{}
	for _, p := range b.People {
		last[eventstore.Who{WS: p.Workspace, Num: p.Num}] = p
	}
	rows := make([][]any, 0, len(last)+len(b.Gone))
	for _, g := range b.Gone {
		delete(last, eventstore.Who{WS: g.Workspace, Num: g.Num})
		rows = append(rows, []any{g.Workspace, g.Num, "", "{}", "{}", int64(0), int64(0), c.number, uint8(1)})
	}
	for _, p := range last {
		traits, _ := readable(event.Clean(p.Traits))
		channels, _ := readable(event.Clean(p.Channels))
		rows = append(rows, []any{p.Workspace, p.Num, p.ID, traits, channels, p.FirstSeen.UnixMicro(), p.LastSeen.UnixMicro(), c.number, uint8(0)})
	}
	return s.insert(ctx, "person_raw", len(rows), func(i int) []any { return rows[i] })
}

// sighted writes the rows of people again with a later time.
func (s *Store) sighted(ctx context.Context, c *change, people []event.Sighting) error {
	nums, last := map[string][]uint64{}, map[string][]uint64{}
	for _, p := range people {
		nums[p.Workspace], last[p.Workspace] = append(nums[p.Workspace], p.Num), append(last[p.Workspace], uint64(max(p.LastSeen.UnixMicro(), 0)))
	}
	for ws, of := range nums {
		if err := s.write(ctx, `INSERT INTO person_raw SELECT ws, num, id, traits, channels, first_seen, transform(num, `+list(of)+`, `+list(last[ws])+`, last_seen), `+
			strconv.FormatUint(c.number, 10)+`, 0 FROM person_raw FINAL WHERE ws = ? AND num IN ?`, ws, of); err != nil {
			return fmt.Errorf("people: %w", err)
		}
	}
	return nil
}

// delete removes withdrawn rows for good, so that queries need not leave them out any more. The caller holds the lock.
func (s *Store) delete(ctx context.Context) error {
	now := s.seen.Load()
	if dead := now.withdrawn(); dead != "" {
		if err := s.write(ctx, `DELETE FROM event_raw WHERE `+dead); err != nil {
			return err
		}
		if err := s.write(ctx, `DELETE FROM withdrawn WHERE commit <= ?`, now.commit); err != nil {
			return err
		}
	}
	next := *now
	next.people, next.rows = map[eventstore.Who]bool{}, map[place]bool{}
	s.seen.Store(&next)
	return nil
}

// withdrawn is the condition on rows that are withdrawn, empty if there are none.
func (st *state) withdrawn() string {
	if len(st.people)+len(st.rows) == 0 {
		return ""
	}
	return st.committed() + " AND NOT (" + (&state{commit: st.commit, people: st.people, rows: st.rows}).alive() + ")"
}
