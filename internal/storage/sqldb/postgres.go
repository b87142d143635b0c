package sqldb

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	defaultPostgresConns = 16
	oldestPostgres       = 15
	// pipeline is how many statements Bulk sends before it reads the answers.
	pipeline = 1000
)

type postgresEngine struct{ pool *pgxpool.Pool }

func openPostgres(ctx context.Context, url string) (*postgresEngine, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if !strings.Contains(url, "pool_max_conns") {
		cfg.MaxConns = defaultPostgresConns
	}
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = 10 * time.Second
	}
	params := cfg.ConnConfig.RuntimeParams
	for k, v := range map[string]string{
		"application_name": "kizuna",
		"timezone":         "UTC",
		// A transaction whose process has gone silent must not hold its rows for ever.
		"idle_in_transaction_session_timeout": "60000",
	} {
		if _, set := params[k]; !set {
			params[k] = v
		}
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open database: %w", classify(err))
	}
	return &postgresEngine{pool}, nil
}

func (e *postgresEngine) exec(ctx context.Context, st *statement, args []any) (int64, error) {
	tag, err := e.pool.Exec(ctx, st.text, args...)
	return tag.RowsAffected(), err
}

func (e *postgresEngine) query(ctx context.Context, st *statement, args []any) (rows, error) {
	return e.pool.Query(ctx, st.text, args...)
}

func (e *postgresEngine) bulk(context.Context, *statement, [][]any) ([]int64, error) {
	panic("bulk runs in a session")
}

func (e *postgresEngine) ping(ctx context.Context) error { return e.pool.Ping(ctx) }

func (e *postgresEngine) check(ctx context.Context) ([]string, error) {
	var version int
	var encoding string
	if err := e.pool.QueryRow(ctx, `SELECT CAST(current_setting('server_version_num') AS INTEGER), current_setting('server_encoding')`).Scan(&version, &encoding); err != nil {
		return nil, err
	}
	faults := []string{}
	if version < oldestPostgres*10_000 {
		faults = append(faults, fmt.Sprintf("the server is PostgreSQL %d; version %d or newer is needed", version/10_000, oldestPostgres))
	}
	if encoding != "UTF8" {
		faults = append(faults, fmt.Sprintf("the database's encoding is %s; make it anew with ENCODING 'UTF8'", encoding))
	}
	return faults, nil
}

func (e *postgresEngine) scrub(ctx context.Context, tables []string) error {
	for _, t := range tables {
		if _, err := e.pool.Exec(ctx, "VACUUM (FULL, ANALYZE) "+pgx.Identifier{t}.Sanitize()); err != nil {
			return fmt.Errorf("rewrite %s: %w", t, err)
		}
	}
	return nil
}

func (e *postgresEngine) copies() string { return "" }

func (e *postgresEngine) close() error {
	e.pool.Close()
	return nil
}

// backup does nothing: a server's backups are its operator's, and every migration is one transaction.
func (e *postgresEngine) backup(context.Context, string) (string, error) { return "", nil }

func (e *postgresEngine) begin(ctx context.Context, migration bool) (session, error) {
	level := pgx.Serializable
	if migration {
		level = pgx.ReadCommitted // the snapshot must come after the lock
	}
	tx, err := e.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: level})
	if err != nil {
		return nil, err
	}
	if migration {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended('kizuna/migrate/' || current_schema(), 0))"); err != nil {
			_ = tx.Rollback(context.WithoutCancel(ctx))
			return nil, err
		}
	}
	return postgresSession{tx}, nil
}

func (e *postgresEngine) snapshot(ctx context.Context) (snapshot, error) {
	tx, err := e.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, err
	}
	// The first query fixes what the transaction sees.
	for _, text := range []string{
		"SET LOCAL idle_in_transaction_session_timeout = 0",
		"SET LOCAL synchronize_seqscans = off", // a table that nobody changes is read in the same order each time
		"SELECT count(*) FROM pg_class",
	} {
		if _, err := tx.Exec(ctx, text); err != nil {
			_ = tx.Rollback(context.WithoutCancel(ctx))
			return nil, err
		}
	}
	return postgresSnapshot{tx}, nil
}

// postgresSnapshot is a reading transaction.
type postgresSnapshot struct{ tx pgx.Tx }

func (s postgresSnapshot) query(ctx context.Context, text string) (rows, error) {
	return s.tx.Query(ctx, text)
}

func (s postgresSnapshot) tables(ctx context.Context) ([]dumpTable, error) {
	return gatherTables(ctx, s, `SELECT CAST(t.relname AS TEXT), CAST(c.attname AS TEXT), format_type(c.atttypid, NULL) FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid
		WHERE t.relkind = 'r' AND t.relnamespace = CAST(current_schema() AS regnamespace) AND t.relname <> 'schema_migration' AND c.attnum > 0 AND NOT c.attisdropped
		ORDER BY t.oid, c.attnum`)
}

func (s postgresSnapshot) close() { _ = s.tx.Rollback(context.Background()) }

type postgresSession struct{ tx pgx.Tx }

func (s postgresSession) exec(ctx context.Context, st *statement, args []any) (int64, error) {
	tag, err := s.tx.Exec(ctx, st.text, args...)
	return tag.RowsAffected(), err
}

func (s postgresSession) query(ctx context.Context, st *statement, args []any) (rows, error) {
	return s.tx.Query(ctx, st.text, args...)
}

func (s postgresSession) bulk(ctx context.Context, st *statement, argRows [][]any) ([]int64, error) {
	each := make([]int64, 0, len(argRows))
	for len(argRows) > 0 {
		part := argRows[:min(len(argRows), pipeline)]
		argRows = argRows[len(part):]
		var b pgx.Batch
		for _, args := range part {
			b.Queue(st.text, args...).Exec(func(tag pgconn.CommandTag) error {
				each = append(each, tag.RowsAffected())
				return nil
			})
		}
		if err := s.tx.SendBatch(ctx, &b).Close(); err != nil {
			return each, err
		}
	}
	return each, nil
}

func (s postgresSession) script(ctx context.Context, text string) error {
	_, err := s.tx.Conn().PgConn().Exec(ctx, text).ReadAll()
	return err
}

func (s postgresSession) commit(ctx context.Context) error   { return s.tx.Commit(ctx) }
func (s postgresSession) rollback(ctx context.Context) error { return s.tx.Rollback(ctx) }
