// Package report puts figures together: how a campaign and each node of a journey did, how the workspace is doing.
//
// Owns: the reports, rates with their uncertainty, the names of figures.
// Does not own: counting (outbox, journey, campaign and the event store count; nothing is counted twice), showing.
//
//	outbox counts ──┐
//	journey counts ─┼─► Campaign, Journey, Overview ─► figure ─► People: who is behind it
//	campaign facts ─┤
//	event store ────┘
//
// Invariants: reports are live, nothing is cached; every figure of a campaign or journey report leads to the people behind
// it by the same name; a share is never given without the numbers it was made of and the interval it may lie in.
package report
