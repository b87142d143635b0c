// Package leaf holds the questions a rule can ask about a person, one file a kind.
//
// Owns: for each kind its JSON form and schema, its SQL over the event store, its answer in memory; the comparison
// operators, windows and paths they share. Does not own: the groups all, any and not, limits, audiences (rule).
//
//	JSON ─► Spec.Parse ─► Leaf ─┬─► Ask(dialect, now)   one parameterised select, or a set
//	                            └─► Eval(subject, now)  the same answer for one person, and until when it holds
//
// To add a kind: a file with its Spec, a line in catalog.go, a case in ruletest's generator. The oracle test of
// every event store then holds the two answers equal.
//
// # What the answers mean
//
// Values. A path names a member of an object ("address.city"); a number in it also an element of a list ("items.0").
// JSON null is absent. Values are compared with their type: 5 is not "5", and texts are compared byte by byte, so case
// counts. eq, in, gt, gte, lt, lte, between (both ends included), contains (part of a text, or element of a list)
// and starts_with never match an absent value or one of another type. neq, not_in and not_exists are exactly the
// opposite of eq, in and exists: they match what is absent.
//
// Time. Everything is in whole microseconds. A window "within 7 days" holds what is younger than exactly 7 days, "between
// 30 and 7 days ago" what is at least 7 and less than 30 days old, "absolute" is [from, to). A month is 30 days, a year 365.
//
// "before 30 days" holds what is at least that old, "since" an event what came after the first or the last such event of the person, for so
// long as its "within" says; of an event at the same moment the place in the log decides. Without such an event nothing is in it. Days and
// the time zones they need only matter to anniversaries.
//
// Traits as values. {"trait": "plan_limit"} stands for what the person has there. A list, an object or nothing there is like no value at all, so that only
// neq matches; otherwise types and texts are compared as always.
//
// Aggregates. count, distinct and sum of nothing are 0, so "count eq 0" finds those who never did it. avg, min, max, first
// and last of nothing are no value: only not_exists matches. sum, avg, min and max read numbers and pass over the
// rest; sum and avg are exact to a millionth, whatever the order of the events, and pass over numbers beyond ±10^12.
// distinct tells texts, numbers and booleans apart and passes over the rest. first and last are the value of the first and
// last event that fulfils the filters, also if that event has none.
//
// Orders. An order is a track event "Order Completed"; those with the same order_id are one order, as the latest of
// them that falls into the window and fulfils the filters says. "Order Refunded" events lower the order of their order_id, whenever they came; one without a total
// refunds all of it, and so does "Order Cancelled" whatever amount it names. Unless status asks otherwise, orders refunded in full do not count and sums are what is left. A
// refund that names no order lowers the sum if it falls into the window and the condition has no filter.
package leaf
