// Package retention lets a workspace say how long events of each kind are kept, and lets the older ones go.
//
// Owns: the policy, what it may not say, the job that removes events with its receipt, what is gone for good. Does not own: where events are kept (Events), what
// follows for segments (Segments), jobs (job).
//
//	policy ─► Look: what would go, which segments ask further back ─► job ─► events go, some at a time ─► file written anew
//	                                                                   │                                   │
//	                                                                   └ every day, if there is something  ├ segments that asked further back are evaluated again
//	                                                                                                       └ receipt; gone: from then on screens say what nobody knows any more
//
// Invariants: what proves consent, and what a person is worked out from, stays as long as the person; orders and invoices stay for LedgerDays at least. A removal that
// dies goes on, and its receipt says each event once. What is gone stays noted when the policy is changed.
//
// The reasons are in docs/decisions/0033-retention.md.
package retention
