// Package importer turns files into events: on the command line NDJSON in the Segment batch shape and delimited text with a column
// mapping, on screen files of people and of what they did, and files of addresses for the suppression list.
//
// Owns: how a file is laid out (Sniff) and what its columns tell (Plan), the guesses of both, what is kept of it for the next file, reading rows with their line numbers, the dry run, the
// message ids that make a repeated import harmless. Does not own: files and progress (job), what an event means and whose it is (the pipeline), HTTP.
//
//	command line   file ─► Reader ─► Row{line, event JSON} ─► POST /v1/batch ─► rejects: line + reason
//	on screen      upload ─► Look ─► Check (dry run) ─► job: table ─► Plan ─► Said ─► events ─► log ─► settled
//	                                                      └─ Fault ─► rejected.csv
//
// Invariants: the same row of the same file gets the same message id on every run, on the command line also after rows were
// appended, where equal rows stay distinct (the n-th copy has its own id); on screen as long as the plan is the same. A file is never held in memory. Nothing goes past the
// log: the rules of identity and consent are those of every event.
package importer
