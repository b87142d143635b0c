// Package importer turns files of records into events: NDJSON in the Segment batch shape, and delimited
// text (CSV) with a column mapping.
//
// Owns: reading rows with their line numbers, the mapping, the message ids that make a repeated import
// harmless. Does not own: files, progress and HTTP (the command line does that), and what a valid event is: rows go
// through the same intake as any other client's events, which refuses them one by one.
//
//	file ─► Reader ─► Row{line, event JSON} ─► POST /v1/batch ─► rejects: line + reason
//
// Invariants: the same row of the same file gets the same message id on every run, also after rows were
// appended; equal rows stay distinct (the n-th copy has its own id).
package importer
