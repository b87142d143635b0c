// Package privacy lets people be forgotten, and kept out from then on.
//
// Owns: requests for erasure with their steps and receipts, the refusals (keyed hashes of identifiers that intake does not take),
// the rules of what intake keeps of an event (rules.go) and what it keeps encrypted (sealed.go). Does not own: where
// personal data stands and how each store lets go of it (Records, Events, Log), who a person is (person).
//
//	Ask ─► found ─► settled ─► left ─► stripped ─► swept ─► rewritten ─► done: receipt
//	          │        │         │        │           │         └ files anew, once for all that wait
//	          │        │         │        │           └ what came while the rest was done
//	          │        │         │        └ records, events, keys of the log
//	          │        │         └ journeys, segments, messages that wait
//	          │        └ the pipeline has caught up, no mail is being handed over
//	          └ identifiers are refused from here on
//
// Invariants: each step may be done again, so that a process that dies goes on where it was. Until the end the request knows whom it is about, sealed;
// afterwards it knows keyed hashes alone. Nothing is destroyed before intake refuses what would bring it back and the pipeline is through.
//
// The reasons are in docs/decisions/0017-erasure.md, 0030-rules-of-intake.md and 0035-encrypted-fields.md.
package privacy
