// Package journey leads people one by one through a graph of steps: wait, branch, send, set a trait, watch for a goal.
//
// Owns: journeys, their immutable versions, the people inside (instances), the log of every step with its
// reason, the counts per node, the ready-made journeys.
// Does not own: what a message may do (outbox), who fulfils a rule (rule, segment), the text of messages (content).
//
//	event ─► React ──► enrol / goal / exit ──┐
//	                                         ├─► one transaction: instance + step log + counts
//	due time ─► worker: claim ─► Plan.Run ───┘     + messages asked for + traits set + events emitted
//	                    (pure)
//
// Invariants:
//   - Walking is pure: Plan.Run gives the same path for the same instance, input and time. Whatever it wants done is
//     data, and it is done in the transaction that stores the move; a crash leaves both or neither.
//   - One event starts a journey at most once for a person (entry key), and a person is inside one journey at most once.
//   - Someone inside stays on the version they entered.
//   - Every person inside has a due time, or rests at a node that listens for an event, or is parked with a reason that
//     is shown; Retry sends the parked on. Nobody is stuck silently.
//   - An event older than the journey's MaxAge (24 hours unless set) starts nothing, so importing history mails nobody.
//
// Claims are leases: a worker that dies gives its people back when the lease ends, and a worker that was too slow finds
// at commit that it no longer holds them and drops its work.
//
// To add a kind of node see package node.
package journey
