// Package duck keeps events in DuckDB inside the process: the event.Store of a single machine.
//
// Owns: the file, its tables, the one writing connection, the pool of reading ones.
// Does not own: what an event means (event), which people an audience has (rule), the log it can be rebuilt from.
//
//	Append ──► one transaction: event_raw (appender), moves (UPDATE), redirect, person (DELETE + INSERT), log_position
//	reads  ──► view event = event_raw with the redirects that are not folded yet
//	           every foldAt merges: UPDATE event_raw, and the redirects count as folded
//
// Invariants: no key and no index anywhere (DuckDB's indexes have a record of corruption after upserts), DDL only in a
// file that is new, followed by a checkpoint; the log position commits with what it covers, so a killed process
// finds all of a batch or nothing of it.
//
// Why redirects are folded now and then: at two million events an UPDATE for one batch of merges costs about 50 ms, the
// join with ten thousand redirects about 10 ms on every scan, and folding ten thousand at once about 90 ms. A short list
// of open redirects that is folded when it has grown is cheap on both sides.
package duck
