// Package standing says how people stand with the brand: the stage of their relation, how recently, often and much they buy (RFM),
// whether they write or watch, how much personal service they get, and where and when they answer.
//
// Owns: the Scheme by which a workspace judges (data, editable), what is known of each person for it, the thresholds and their date.
// Does not own: orders and events (event), segments of it (rule: the answers are the trait "standing", like any other).
//
//	events ─► React ─┐
//	a date passes ───┼─► judge(person's history, scheme, now) ─► row ─┬─► trait "standing" ─► segments, journeys, content
//	once a day ──────┘                                                └─► event "Lifecycle Stage Changed" {from, to, at}
//
// Invariants:
//   - A judgement follows from history, scheme, thresholds and the moment alone, so judging again changes nothing.
//   - Every stage knows when time alone ends it (Row.Next), or when an event comes to count that a clock ahead of ours has dated, and the person is judged then; nobody is
//     scanned for it.
//   - Row, trait and event are written in one transaction, and only when something has changed.
//   - What is told later is dated later (Row.Told), whatever the clock says; of merged people the row is the one that was told last, since the trait says that; of
//     two told at one moment neither is sure to be, so the next judgement is told in any case.
//   - Equal values get equal scores: scores come from thresholds, never from ranks.
package standing
