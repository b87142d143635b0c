// Package segment knows at every moment who belongs to which group of people, and says so on the log
// when somebody enters or leaves.
//
// A segment is a rule and the people who fulfil it now. A list is a set of people that somebody
// uploaded. Both are sets: rules may name either, campaigns may address either.
//
// Owns: segments, lists, their members, the deadlines at which time alone changes a membership, the events
// "Segment Entered" and "Segment Left". Does not own: what a rule means (rule), who a person is (person),
// what follows from entering or leaving (campaign, journey).
//
//	events, merges ──► Touched ───────────┐
//	deadline queue ──► RunDue ────────────┼─► apply: evaluate the people, take the difference,
//	create, edit ────► RunEvaluations ────┤          one transaction {chunks, deadlines, events},
//	list uploads ────► AddToList ─────────┘          then the new view in memory
//
// Members live in memory as Roaring bitmaps over the people's numbers, in a view of the workspace that is
// never changed but replaced; readers take the view and need no lock. On disk a set is cut into chunks
// of 65,536 numbers, so that a change writes only the chunks it touches.
//
// Invariants:
//   - One writer per workspace. Every write advances the workspace's revision by one, and a writer whose view
//     is not of the latest revision starts over with a fresh one; so several processes may write.
//   - Memory follows the transaction, never the other way round: what was not committed was never seen.
//   - A membership changes only by evaluating the person against the rule in memory. A full evaluation asks the event
//     store merely whom to look at. So whatever happens during a full evaluation cannot be lost.
//   - Segments are evaluated after the segments they name; cycles are refused.
//   - An entering or leaving is emitted in the transaction that makes it true, under a message id made of
//     segment, person and the version of the set.
//   - The writer's lock is taken before a transaction begins, never inside one. PeopleMerged, which is called
//     inside a transaction, therefore only leaves a note that the next Touched carries out.
package segment
