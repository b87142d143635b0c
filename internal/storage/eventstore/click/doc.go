// Package click keeps events in ClickHouse, for installations whose events are too many for one machine: the same event.Store as duck.
//
// Owns: the tables in one database, how a batch becomes visible at once, the SQL it reads. Does not own: the server, what an event means (event), which people an
// audience has (rule).
//
//	Append ──► rows that nobody sees yet (event_raw, redirect, withdrawn), mirrors (person_raw), then one row in mark: the commit
//	reads  ──► event = event_raw up to the commit that the reader knows, less what was withdrawn
//
// ClickHouse has no transactions, so each row bears the number of the commit it belongs to and readers leave out what is beyond the last one. A commit number
// is the number of the process's turn with the count of its commits behind it. Whoever takes a turn ends statements of the turn before, removes what was not
// committed and leaves such rows out if they still appear, so that a process that was thought dead cannot put anything between.
//
// person orders the events on disk and cannot be updated. An event that changes hands, by a merge or a move, is therefore written again and its old row
// withdrawn: left out by each query, with the list in the query itself, until enough have come together to be deleted.
//
// Invariants: one process writes (the one with the worker's lease). A mirror may be seen some milliseconds before the events of its batch; everything else of a
// batch is seen at once. What was stripped or dropped is rewritten on disk before the call returns, not only marked.
package click
