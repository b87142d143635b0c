// Package consent knows what a person has agreed to receive, and which addresses must never be written to.
//
// Owns: topics, each person's subscriptions per topic and channel with their whole history, the suppression list.
// Does not own: whether a message goes (outbox asks here and decides), the person's addresses (person).
//
//	page, form, import, event ─► Change ─► record (history) ─► state (latest by time) ─► outbox gate, rules
//	bounce, complaint, import ─► suppression (keyed hash of the address) ────────────────┘
//
// Invariants:
//   - Silence is not consent: a topic allows mail without a subscription only if it was made Implied on purpose.
//   - The latest statement by its own time wins, whatever the order of arrival; between two of the same moment the refusal wins.
//   - "No" to everything (AllTopics) outweighs every earlier "yes"; only a later "yes" to a topic lifts it for that topic.
//   - A merge of two people takes the most restrictive of both.
//   - The suppression list holds no address: it can be matched but not read.
//   - A change is recorded once per cause, however often it is repeated.
package consent
