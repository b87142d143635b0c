// Package outbox is the one way out: every message to a customer, whoever asks for it, passes the same gate, waits in the same
// queue, is sent by the same workers and is reported on in the same figures.
//
// Owns: the gate, the queue, sending and its promises, message rows with their receipts, attribution of orders, channel accounts,
// signed links. Does not own: what a message says (content), who agreed to what (consent), protocols (channel), who asks for
// messages (campaign, journey).
//
//	Enqueue ─► gate ─► refused, with reason
//	             └──► queued ─► claimed ─► in flight ─► sent ──► opened, clicked, converted, unsubscribed (Receipts, Attribution)
//	                    ▲          │          │  └────► bounced (suppressed if permanent)
//	                    │          │          └───────► failed (too old, cannot be rendered, answer lost again)
//	                    └──────────┴── released, deferred with back-off, answer lost once
//
// # The promise
//
// Nobody is sent a message twice, with one exception that no sender can avoid: the connection or this process dies after the
// message was handed over and before the answer is known. Such a message is counted as uncertain, shown, and sent once more with the
// same Message-ID. It rests on two writes: before the step after which delivery cannot be ruled out, "in flight" is
// durable; before a worker sends its next message, the answer to the last one is durable. A committer gathers these writes
// of all workers into one transaction (commit.go), so the price is one fsync for many messages.
//
// A message that is claimed but not in flight has certainly not been sent. Whoever wants it back takes it back in the record store
// (a cancelled campaign, a stopped workspace, a person who unsubscribed a millisecond ago): the worker's write of
// "in flight" then finds nothing, and the message does not go. Likewise whatever waits, for a night to end, a cap, a domain or its day of a warm-up, can
// be held back while its campaign or journey is paused, and withdrawn from somebody who has left the journey (hold.go).
//
// # The clock and the caps
//
// What a workspace allows itself is its Policy (policy.go): quiet hours, caps, a holdout. A message is judged by it when it is asked for,
// which gives the asker an answer, and again when it is about to go, which binds: there it takes its slot under the caps, in the
// transaction that counts them. A message that must wait stays queued with a later DueAt; waiting is no attempt.
//
// # The pace
//
// An account may have throttles by recipients' domains and a warm-up (pace.go). Whatever goes is counted in the record store, by the minute and by
// the day, in the transaction that lets it go; what finds no room is given a place in a later minute or on a later day, and waits until then. A
// message that was counted and then taken back is counted again when it goes: the limit errs on the side of fewer. A domain that puts
// everything off is left alone for a while (rest.go).
//
// # Definitions
//
//   - delivered: accepted by the next server and not bounced since. Mail knows no better; channels with delivery
//     receipts also fill DeliveredAt.
//   - opened: a human open, or a click (it proves reading). Opens by proxies and scanners are kept apart.
//   - converted: the goal event happened after sending and inside the goal's window; the latest message that was clicked before
//     it gets the credit, else the latest message. One order is credited once.
//
// Refusals are written and told (event "Message Refused"); queued messages are not told, since the answer follows.
//
// Invariants: one row per idempotency key; a decision is never revised; rows move only forward in the graph above; several processes
// may send from the same store, a dead one's rows are taken over when its lease ends.
package outbox
