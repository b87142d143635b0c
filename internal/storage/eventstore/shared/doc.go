// Package shared lets several processes use the event store of one of them. The one that keeps it answers by itself and serves the others, which ask it over
// HTTP and do not notice the difference: Store passes the same suites on both sides.
//
//	api process ──Store──► POST /events ──Handler──► worker process ──Keeper──► duck
//
// Owns: how questions and answers travel, who is asked, patience while the keeper is exchanged. Does not own: who keeps the store (app holds the lease), how it
// answers (duck).
//
// Invariants: a question is asked again only if it may be (all of them may: reads, and writes that change nothing when repeated). Whoever has no key gets no
// answer. The address is for a private network: what goes over it is everything about everybody, unencrypted.
package shared
