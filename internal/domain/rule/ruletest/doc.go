// Package ruletest holds the two evaluators of rules equal: for random trees over random people and histories, the
// audience an event store computes is exactly the people whom Eval matches, and Eval's Next is never late.
//
// Owns: the generators, the comparison, and a slow oracle that answers from the words of the definition. Does not own: event stores; each driver's test calls Run with its own.
// To cover a new leaf kind, add it to tree.go; to cover new data, to world.go.
//
//	driver_test ─► Run(t, store) ─► rule.Audience ══ rule.Eval
package ruletest
