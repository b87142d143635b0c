// Package rule is the one rule language: a condition tree in JSON that decides segment membership, journey branches
// and whatever else asks whether a person is meant.
//
// Owns: the tree (groups, limits, version), its JSON Schema, audiences and evaluation in memory.
// Does not own: what a single condition means (rule/leaf), where events are kept (event), who remembers members (segment).
//
//	JSON ─► Parse ─► Rule ─┬─► Audience: one select a leaf, bitmaps combined       everyone, at a moment
//	                       └─► Eval: the same leaves over one person's history     one person, and until when it holds
//
// A tree is a group or a leaf: {"all": [...]}, {"any": [...]}, {"not": {...}}, or one of the leaves of rule/leaf. An
// empty all is everyone, an empty any nobody. The top may carry "version": 1, which is also meant if it is left out.
//
// Invariants: Audience and Eval agree on every person at every microsecond (ruletest proves it on random trees and
// histories); what a user wrote reaches SQL only as an argument.
package rule
