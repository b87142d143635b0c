// Package person is ONE_ID: who an event belongs to, and what is known about that person.
//
// Owns: identifier kinds and their normal form, the resolution of events to people, merges and their log, the fold of
// events into traits, counters and first touches, the search for people, the portrait, suggestions of who may be one.
// Does not own: intake (collect), the event history (event.Store), consent (consent), segments (segment).
//
//	records of the log ─► Apply ─────► Kept events, redirects, touched people ─► event store, segments, journeys
//	                        │ late event in a contested component
//	                        ▼
//	                      task ─► RunTasks (reads History) ─► moves, redirects, touched people
//
// Identity has one definition: it is what one gets by handling the events in the order of their time, ties broken by
// message id. Apply handles them in the order of arrival, which gives the same result as long as a connected group of
// identifiers holds at most one user id, or its events arrive in order. For the rest Apply leaves a task, and RunTasks
// handles all events of that group again, in order, from nothing (replay.go).
//
// Invariants:
//   - A message id is folded once per workspace; a repeated batch gives the same Kept and changes nothing.
//   - An identifier has at most one owner at any moment. A user id never changes hands.
//   - Two people with different user ids are never merged by machine, except by an alias sent with a server key in a
//     workspace that allows it.
//   - An address and the hashes it may come as are one identifier (hashed.go), whichever came first.
//   - An unbinding takes identifiers off whoever has them at its time, and says nothing of the time before.
//   - A merge is a redirect: the loser's id and number lead to the winner for ever, events are not rewritten.
//   - Folding is commutative and associative: traits are last-writer-wins by (time, message id), first touches are minima,
//     counters are sums,
//     and what is added to a trait (addition.go) counts from the value that was set last before it, exactly for the last few additions.
//
// What depends on the order of processing, by design: the limits per kind, the caps on merges and identifiers, and the bounds on
// the number and size of traits. Each refusal is in the identity log.
//
// To add an identifier kind: add a Kind to DefaultScheme.
package person
