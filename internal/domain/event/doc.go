// Package event is the vocabulary of the one log: what an event is, which names the product itself
// writes, and the port to the store that keeps them.
//
// Owns: the Event envelope, its encoding in log records, the event names, what a rejection records, the Store and Emitter ports.
// Does not own: intake and validation (collect), who an event belongs to (person), what follows from it (segment,
// journey, outbox).
//
//	collect ─► log ─► person.Apply ─► Store.Append ─► segments, journeys, outbox
//	                                                        └── Emitter ─► log
//
// Invariants: an Event never changes once it is on the log; a Kept event differs from another delivery of
// itself in nothing but Person; (workspace, message id) is stored at most once.
package event
