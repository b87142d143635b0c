// Package sample is the sample business in a workspace: which things belong to it, and how it goes away in one action.
//
// Owns: the marks that tell sample things from the user's, what of it the user has built on, the order of its removal, the jobs that bring and remove it. Does not
// own: what the sample is (a Filler, see package demo), the things themselves, and how people are let go (privacy).
//
//	add ─► Filler: source, segments, persona, letter, events ─► marks
//	remove ─► source goes ─► journeys and campaigns end ─► what was on its way arrives ─► people go ─► things go ─► marks go
//
// Invariants:
//   - Marks are made at creation; nothing is told by its name. What somebody made through the API is never marked (the audit log knows).
//   - A sample thing that a thing of the user names stays, with all that it names itself, and is the user's from then on.
//   - A person of whom something came from another source stays; only what the sample said of them goes.
//   - Every step may be done again: a removal that was cut off goes on.
package sample
