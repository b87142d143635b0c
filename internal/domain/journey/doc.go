// Package journey leads people one by one through a graph of steps: wait, branch, send, set a trait, watch for a goal.
//
// Owns: journeys, their immutable versions, what brings people in (triggers, appointments, schedules, additions) and the queue for a
// place, the people inside (instances), the log of every step with its reason, the counts per node, the ready-made journeys.
// Does not own: what a message may do (outbox), who fulfils a rule (rule, segment), the text of messages (content).
//
//	event ─► React ──► enrol / goal / exit ──┐
//	                                         ├─► one transaction: instance + step log + counts
//	due time ─► worker: claim ─► Plan.Run ───┘     + messages asked for + traits set + events emitted
//	                    (pure)
//	date, silence ─► appointment ─┐
//	schedule, staff ─► task ──────┼─► entry ─► worker: admit (re-entry, caps) ─► enrol, or refuse with a reason
//	no place ─────────────────────┘
//
// What cannot be done in that transaction (calling a webhook, changing a list) is an errand: the intent is stored with the move, done outside
// under a lease, as often as it takes and always under the same key, and its outcome wakes the person.
//
// Invariants:
//   - Walking is pure: Plan.Run gives the same path for the same instance, input and time. Whatever it wants done is
//     data, and it is done in the transaction that stores the move; a crash leaves both or neither.
//   - One event or appointment starts a journey at most once for a person (entry key), and a person is inside one journey at most
//     once, or once for each value of the re-entry key.
//   - There is one appointment for each person and journey by date or inactivity. It is made anew when what it rests on changes, and looked
//     at again in the moment in which it is kept. Large work (tasks) moves in batches, each in one transaction with its cursor.
//   - Journeys that start each other come to an end: every event says how many led to it (event.Hops), and above maxHops Plan.refuses lets nobody in; Circle finds
//     such journeys before they run.
//   - Someone inside stays on the version they entered, unless staff move or end it for them (Migrate).
//   - Who is kept out by a holdout is an instance too (Control), without a node: only the goal is watched.
//   - Whoever leaves before the end of their way, or does what would have taken them out after it, gets nothing that still waits of the journey; what is
//     transactional goes. Of a paused journey nothing goes but what was in flight.
//   - Every person inside has a due time, or rests at a node that listens for an event, or is parked with a reason that
//     is shown; Retry sends the parked on. Nobody is stuck silently: Trouble also counts those who are due and are not moved.
//   - What is older than the journey's MaxAge (24 hours unless set) starts nothing, so importing history mails nobody, and after a long
//     standstill nobody is congratulated late.
//
// Claims are leases: a worker that dies gives its people back when the lease ends, and a worker that was too slow finds
// at commit that it no longer holds them and drops its work.
//
// To add a kind of node see package node.
package journey
