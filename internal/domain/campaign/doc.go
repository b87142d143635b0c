// Package campaign sends one message to an audience, once.
//
// Owns: campaigns, the audience as it was when sending began, how far the walk through it has come.
// Does not own: who belongs to a segment (segment), whether a message may go and sending it (outbox), its figures (report).
//
//	draft ─► scheduled ─► preparing ─► sending ─► sent
//	                          │           │
//	                     audience      a chunk of it: asked of the outbox and
//	                     is fixed      the position moved, in one transaction
//
// Paused stands aside of scheduled, preparing and sending and goes back there; cancelled takes back what has not left; failed shows why
// and goes on from where it stopped when launched again.
//
// Invariants:
//   - The position and the requests for the people before it are written together: after a crash nobody is missed and
//     nobody is asked for twice (the idempotency key names campaign and person).
//   - Handled = Queued + the sum of Refused at every moment; Handled = Audience at the end.
//   - "sent" means that every message has reached its final state, never that it was handed to the queue.
//   - At most Config.Ahead messages wait in the outbox, so pausing stops the flow within moments.
package campaign
