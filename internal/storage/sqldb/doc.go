// Package sqldb is the seam between portable SQL and two engines: SQLite inside the process (mattn/go-sqlite3) and
// PostgreSQL (pgx). Stores write one statement text; sqldb carries it to either engine and makes both behave alike.
//
// Owns: connections, transactions with retry, prepared statements, bulk writes, error kinds, migrations.
// Does not own: any table (sqlstore) or any rule (domain).
//
//	           ┌─ writer: 1 connection, BEGIN IMMEDIATE ─┐
//	sqlstore ──┤                                         ├─ SQLite, WAL      (checkpoints from the background)
//	   │  DB   ├─ readers: a pool, query_only ───────────┘
//	   │       └─ pgxpool ──────────────────────────────── PostgreSQL
//	   └ the transaction rides in the context
//
// # Transactions
//
// Transactions are serialisable on both engines; InTx runs the function again after a serialisation failure, a deadlock or a busy
// database, so the function must have no effects outside. A statement that fails makes its transaction fail, on
// SQLite as on PostgreSQL: later statements are refused and the commit is replaced by a rollback. A nested InTx joins; if
// it fails after it has written something, the whole transaction fails. One transaction belongs to one goroutine.
//
// Reads outside a transaction see the last committed state and never wait for the writer. SQLite has one writer: keep
// transactions short, and inside InTx use the context that the function was given, because a write with the outer one waits for itself.
//
// # Values
//
// What may be bound: string, []byte, bool, integers, floats, time.Time, json.RawMessage, nil, named types of these kinds and
// pointers to them (nil pointer = NULL). What may be scanned into: *string, *[]byte, *bool, integers, floats, *time.Time,
// *json.RawMessage, and pointers to pointers of them or sql.Null* for columns that may be NULL.
//
//   - time.Time is stored in BIGINT columns as microseconds since 1970, UTC. The zero time is stored as 0 and read back as the zero time;
//     NULL reads as the zero time too. A nil *time.Time is NULL.
//   - []byte is for {blob} columns only; text and JSON are bound as string or json.RawMessage. (SQLite keeps what it
//     is given: bytes in a TEXT column do not equal the same text. sqldbtest fails a test that leaves such a value behind.)
//   - An empty {blob} is not NULL, but reads as a nil slice on SQLite: test its length.
//   - PostgreSQL cannot hold NUL in text and neither engine should hold broken UTF-8: in bound strings both become U+FFFD.
//   - PostgreSQL infers the type of each $n once; write CAST($1 AS BIGINT) where the context gives none.
//
// # Order and case
//
// Text compares by bytes on both engines (COLLATE "C"), so lower() folds ASCII only: fold other letters in Go. LIKE is case-sensitive on both.
// NULL sorts first on SQLite and last on PostgreSQL: say NULLS FIRST or NULLS LAST.
//
// # Migrations
//
// Plain SQL files applied in the order of their names, each once, all pending ones in one transaction, remembered with a checksum;
// there is no way back but the backup that SQLite databases get first. Tokens: {json} is TEXT or JSONB, {blob} is BLOB or BYTEA; {clustered}
// behind the closing parenthesis of a table keeps its rows in the order of the primary key on SQLite. Types are TEXT, BIGINT, BOOLEAN,
// DOUBLE PRECISION and the first two.
//
// To add an engine: implement engine and session, give it a URL scheme in Open, and run the suites with it.
package sqldb
