// Package job runs long work that somebody has started and wants to watch: an import, an export, the removal of old events.
//
// Owns: who started what, how far it is, how it ended; that one worker at a time does it, that it goes on where it was after a restart or a kill,
// that it can be cancelled, and the files that it reads and makes. Does not own: the work (a Kind), who may start it (its route), its words (the console).
//
//	route ─► Begin ─► queued ─► worker with a lease ─► Kind.Do ─► Save(mark, progress) ... ─► done | failed | cancelled
//	                                 ▲                    │
//	                                 └── lease ran out, restart: Do again, from the last mark
//
// Invariants:
//   - A job is made once for a key.
//   - Only the worker that holds the lease can save. A Save in the transaction of a piece of work makes both one: the piece is done exactly once.
//   - Once a cancellation was answered, no Save succeeds any more.
//   - A job that was begun several times without a Save in between ends as failed instead of beginning for ever.
//   - An error that cannot pass (errs kinds invalid, not_found, conflict, forbidden) ends the job; others are tried again with growing pauses.
//
// To add a kind: write a function that returns a Kind {Name, Need, Do} and list it in internal/app/jobs.go; start it from its own route with Service.Begin, whose
// params are what Do reads with Run.Params. Do works in pieces: after each, or in the transaction of each, it calls Run.Save with a mark from which it could
// go on (Run.Mark reads it at the beginning), and returns the Outcome: figures, and files written with Run.Append. Words in the three catalogues of
// the console: jobs.kind_<name> and, for figures of its own, jobs.figure_<figure>. Progress on screen, cancelling, history, downloads and restarts come with it.
package job
