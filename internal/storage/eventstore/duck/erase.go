package duck

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// Traces returns what the events of these people lead to. Events that carry neither user nor anonymous id have subjects of their own; of those
// received before the time are left out, for the sake of their number.
func (s *Store) Traces(ctx context.Context, ws string, people []uint64, since time.Time) (t event.Traces, err error) {
	stored := s.open.Load().stored(ws, people)
	if len(stored) == 0 {
		return t, nil
	}
	const of = ` FROM event_raw WHERE ws = ? AND person IN (SELECT unnest(CAST(? AS UBIGINT[])))`
	rows, err := s.Query(ctx, `SELECT DISTINCT person_id, user_id, anonymous_id, ''`+of+` AND (person_id <> '' OR user_id <> '' OR anonymous_id <> '')
		UNION ALL SELECT '', '', '', message_id`+of+` AND person_id = '' AND user_id = '' AND anonymous_id = '' AND received >= ?`, []any{ws, stored, ws, stored, since.UnixMicro()})
	if err != nil {
		return t, err
	}
	for _, r := range rows {
		t.Subjects = append(t.Subjects, event.SubjectOf(ws, r[0].(string), r[1].(string), r[2].(string), r[3].(string)))
	}
	if rows, err = s.Query(ctx, `SELECT DISTINCT unnest(ids)`+of, []any{ws, stored}); err != nil {
		return t, err
	}
	for _, r := range rows {
		t.Identifiers = append(t.Identifiers, event.ParseIdentifier(r[0].(string)))
	}
	if rows, err = s.Query(ctx, `SELECT DISTINCT order_id`+of+` AND order_id IS NOT NULL`, []any{ws, stored}); err != nil {
		return t, err
	}
	for _, r := range rows {
		t.Orders = append(t.Orders, r[0].(string))
	}
	if rows, err = s.Query(ctx, `SELECT COUNT(*)`+of, []any{ws, stored}); err != nil {
		return t, err
	}
	t.Events = rows[0][0].(int64)
	return t, nil
}

// Strip makes the events of these people nobody's: they keep name, time, amount and origin, so that figures stay, and lose everything else. The
// people's mirror rows are deleted. It returns how many events that were; doing it again finds none.
func (s *Store) Strip(ctx context.Context, ws string, people []uint64) (n int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w == nil {
		return 0, errors.New("event store: closed")
	}
	defer s.all.forget()
	defer s.answers.forget()
	stored := slices.Concat(people, s.open.Load().stored(ws, people))
	ctx = context.WithoutCancel(ctx)
	if _, err := s.w.ExecContext(ctx, "BEGIN"); err != nil {
		return 0, fmt.Errorf("event store: strip: %w", err)
	}
	for _, q := range []string{
		`UPDATE event_raw SET person = 0, message_id = '', user_id = '', anonymous_id = '', previous_id = '', group_id = '', person_id = '', original = NULL, sent = NULL,
			flags = [], ids = [], props = '{}', context = '{}', order_id = NULL, url = NULL, path = NULL, os = NULL, os_version = NULL, device_type = NULL,
			device_model = NULL, app_version = NULL, locale = NULL, timezone = NULL, country = NULL, outbox_id = NULL
			WHERE ws = ? AND person IN (SELECT unnest(CAST(? AS UBIGINT[])))`,
		`DELETE FROM person WHERE ws = ? AND num IN (SELECT unnest(CAST(? AS UBIGINT[])))`,
	} {
		res, err := s.w.ExecContext(ctx, q, lists(ws, stored)...)
		if err == nil && n == 0 && strings.HasPrefix(q, "UPDATE") {
			n, err = res.RowsAffected()
		}
		if err != nil {
			_, undo := s.w.ExecContext(ctx, "ROLLBACK")
			return 0, errors.Join(fmt.Errorf("event store: strip: %w", err), undo)
		}
	}
	if _, err := s.w.ExecContext(ctx, "COMMIT"); err != nil {
		_, _ = s.w.ExecContext(ctx, "ROLLBACK") // fails if the transaction is over, which is as well
		return 0, fmt.Errorf("event store: strip: %w", err)
	}
	return n, nil
}

const nextSuffix = ".next"

// nextFiles are the ends of the names of the files that DuckDB makes for a new database.
var nextFiles = []string{"", ".wal", ".wal.checkpoint", ".wal.recovery"}

// nextPaths lists the files of a rewriting for SQL.
func (s *Store) nextPaths() string {
	quoted := make([]string, len(nextFiles))
	for i, end := range nextFiles {
		quoted[i] = quote(s.file + nextSuffix + end)
	}
	return strings.Join(quoted, ", ")
}

func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// Scrub writes the file anew, so that no bytes of deleted or changed rows are left in it: DuckDB gives space back without overwriting it. Appends wait
// until it is done, reads only while the files are exchanged. A process that dies on the way leaves the old file as it was.
func (s *Store) Scrub(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w == nil {
		return errors.New("event store: closed")
	}
	ctx = context.WithoutCancel(ctx)
	if err := s.copyNext(ctx); err != nil {
		return fmt.Errorf("event store: rewrite: %w", err)
	}
	s.life.Lock()
	defer s.life.Unlock()
	if err := s.shut(); err != nil {
		return errors.Join(fmt.Errorf("event store: rewrite: %w", err), s.attach(ctx))
	}
	// A write-ahead log of the old file must not meet the new one. There is none after a checkpoint and a clean end.
	_, err := os.Stat(s.file + ".wal")
	if !errors.Is(err, os.ErrNotExist) {
		err = errors.Join(fmt.Errorf("event store: rewrite: %s.wal is still there", s.file), err)
	} else {
		err = os.Rename(s.file+nextSuffix, s.file)
	}
	return errors.Join(err, s.attach(ctx))
}

// copyNext makes a copy of everything beside the file. Rows keep their order: what was stored together is read together.
func (s *Store) copyNext(ctx context.Context) error {
	_ = os.Remove(s.file + nextSuffix) // of an attempt that failed
	for _, q := range []string{
		"CHECKPOINT",
		"ATTACH " + quote(s.file+nextSuffix) + " AS next_file" + fileOptions,
		"SET preserve_insertion_order = true",
		"COPY FROM DATABASE " + database + " TO next_file",
		"CHECKPOINT next_file",
		"CHECKPOINT",
	} {
		if _, err := s.w.ExecContext(ctx, q); err != nil {
			_, _ = s.w.ExecContext(ctx, "SET preserve_insertion_order = false") // as start has it
			_, undo := s.w.ExecContext(ctx, "DETACH DATABASE IF EXISTS next_file")
			return errors.Join(fmt.Errorf("%s: %w", q, err), undo)
		}
	}
	_, err := s.w.ExecContext(ctx, "DETACH next_file")
	return err
}
