// Package sqlstore implements every domain Store once, in portable SQL over sqldb, for SQLite and PostgreSQL alike.
//
// Owns: the tables (migrations/, one file per noun) and the statements on them.
// Does not own: rules. A store method does what its contract in the domain package says and no more.
//
//	domain/person.Store ◄── sqlstore.Person ──► sqldb.DB ──► SQLite | PostgreSQL
//
// Invariants: every table carries workspace_id and every statement names it, except for the few that serve all workspaces (the log's positions, the
// relay of pending events, sign-in); every method takes part in the transaction of its context; times are BIGINT microseconds,
// text is bound as string, lists page by keyset.
//
// To add a noun: migrations/NNNN_noun.sql, noun.go with one exported type and NewNoun(db), and noun_test.go (package sqlstore_test) which runs
// the domain's conformance suite through sqldbtest.Each. TestSchemasAgree compares the two schemas.
package sqlstore
