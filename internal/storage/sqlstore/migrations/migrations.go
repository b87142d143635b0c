// Package migrations is the schema of the record store: one SQL file per noun, applied in the order of their names by sqldb.
//
// Owns: the tables. Does not own: the statements on them (sqlstore). It is a package of its own so that tests of one noun get a
// database without compiling every other noun.
//
//	NNNN_noun.sql ── embed ──► sqldb.Migrate ──► SQLite | PostgreSQL
//
// Invariants: once released, a file never changes; both engines end up with the same tables (TestSchemasAgree in sqlstore).
// Types and tokens are listed in the documentation of sqldb.
package migrations

import "embed"

// Files are the migrations.
//
//go:embed *.sql
var Files embed.FS
