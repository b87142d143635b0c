// Package report puts figures together: how each campaign, journey, topic, subject line and domain did, how the workspace is doing,
// what people planned and learned.
//
// Owns: the catalog of reports, rates with their uncertainty, the names of figures, periods, notes beside reports, saved reports.
// Does not own: counting (message rows, journey counts, campaign facts and the event store are counted where they are kept; nothing is counted
// twice), showing.
//
//	message rows ───┐
//	journey counts ─┼─► Make, Campaign, Journey, Summary  ─► figure ─► People: who is behind it
//	campaign facts ─┤
//	event store ────┘
//
// Invariants: reports are live, nothing is cached; every figure leads to the people behind it by the same name; a share is never given
// without the numbers it was made of and the interval it may lie in; a message belongs to the day it was meant to go, whatever
// happens to it later, so the figures of a past day change only as its messages are read, clicked or bounced.
//
// To add a report: a Spec in the list in catalog.go; the test writes and holds its golden file.
package report
