package sqldb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const createMigrations = `CREATE TABLE IF NOT EXISTS schema_migration (
	name TEXT NOT NULL PRIMARY KEY, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)`

// migration is one file.
type migration struct {
	name     string // file name without .sql
	text     string
	checksum string
}

// Migrate applies the *.sql files at the root of fsys that have not been applied yet, in the order of their names, in one transaction.
// Several processes may start at once: one migrates and the others wait for it. A non-empty SQLite database is copied first. It fails if an
// applied file has changed or vanished, if a new one sorts before an applied one, or while Copy fills the database.
func (db *DB) Migrate(ctx context.Context, fsys fs.FS) error {
	all, err := readMigrations(fsys)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := db.migrate(ctx, all); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func (db *DB) migrate(ctx context.Context, all []migration) error {
	if _, begun, err := db.ledger(ctx); err != nil {
		return err
	} else if begun {
		return errors.New("records are being moved into this database and not all have arrived: run kizuna migrate-engine again until it says that it is done")
	}
	if _, err := db.Exec(ctx, db.expand(createMigrations)); err != nil && !concurrentCreate(err) {
		return err
	}
	applied, err := db.applied(ctx)
	if err != nil {
		return err
	}
	todo, err := pending(all, applied)
	if err != nil || len(todo) == 0 {
		return err
	}
	if len(applied) > 0 {
		if _, err := db.engine.backup(ctx, todo[0].name); err != nil {
			return err
		}
	}
	return db.run(ctx, true, func(ctx context.Context) error {
		applied, err := db.applied(ctx) // again, now that no other process can be migrating
		if err != nil {
			return err
		}
		todo, err := pending(all, applied)
		if err != nil {
			return err
		}
		return db.applyMigrations(ctx, todo)
	})
}

// applyMigrations runs migrations and notes them, in the transaction of ctx.
func (db *DB) applyMigrations(ctx context.Context, todo []migration) error {
	tx := db.tx(ctx)
	for _, m := range todo {
		if err := tx.leave(tx.session.script(ctx, db.expand(m.text))); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		if _, err := db.Exec(ctx, `INSERT INTO schema_migration (name, checksum, applied_at) VALUES ($1, $2, $3)`, m.name, m.checksum, time.Now()); err != nil {
			return err
		}
	}
	return nil
}

// concurrentCreate reports the race of two CREATE TABLE IF NOT EXISTS, which PostgreSQL reports as a duplicate
// in one of its own catalogues, or as an object that exists, by how far the other has come.
func concurrentCreate(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return IsUnique(err) || ok && (e.Code == "42710" || e.Code == "42P07")
}

func (db *DB) applied(ctx context.Context) ([]migration, error) {
	return Collect(ctx, db, func(r Row) (m migration, err error) {
		err = r.Scan(&m.name, &m.checksum)
		return m, err
	}, `SELECT name, checksum FROM schema_migration ORDER BY name`)
}

// pending returns what is left to apply, after checking that the applied ones are a prefix of all.
func pending(all, applied []migration) ([]migration, error) {
	for i, a := range applied {
		switch {
		case i >= len(all) || !slices.ContainsFunc(all, func(m migration) bool { return m.name == a.name }):
			return nil, fmt.Errorf("this database has had %s applied, which this version does not know: start the newer version again, or go back to a backup", a.name)
		case all[i].name != a.name:
			return nil, fmt.Errorf("%s sorts before %s, which has been applied: give the new migration the next number", all[i].name, a.name)
		case all[i].checksum != a.checksum:
			return nil, fmt.Errorf("%s was changed after it had been applied: restore the file and write a new migration", a.name)
		}
	}
	return all[len(applied):], nil
}

func readMigrations(fsys fs.FS) ([]migration, error) {
	names, err := fs.Glob(fsys, "*.sql") // sorted
	if err != nil {
		return nil, err
	}
	var out []migration
	for _, name := range names {
		raw, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		text := strings.ReplaceAll(string(raw), "\r\n", "\n") // a checkout may have translated line ends
		sum := sha256.Sum256([]byte(text))
		out = append(out, migration{strings.TrimSuffix(name, ".sql"), text, hex.EncodeToString(sum[:])})
	}
	return out, nil
}

var textColumn = regexp.MustCompile(`\b(\w+)\s+TEXT\b`)

// expand turns the portable text into the engine's. On PostgreSQL text columns get the collation that compares bytes, as SQLite does.
func (db *DB) expand(text string) string {
	if db.dialect == SQLite {
		return strings.NewReplacer("{json}", "TEXT", "{blob}", "BLOB", "{clustered}", " WITHOUT ROWID").Replace(text)
	}
	text = textColumn.ReplaceAllStringFunc(text, func(m string) string {
		if word, _, _ := strings.Cut(m, " "); word == "AS" { // CAST(x AS TEXT)
			return m
		}
		return m + ` COLLATE "C"`
	})
	return strings.NewReplacer("{json}", "JSONB", "{blob}", "BYTEA", "{clustered}", "").Replace(text)
}
