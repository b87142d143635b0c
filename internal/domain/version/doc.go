// Package version keeps what things said before: each state that somebody saved of a segment, a campaign or a series, to be looked at and taken up again.
// Mails, snippets and the brand keep their own, since others refer to single versions of them.
//
// Owns: how many are kept. Does not own: what a document means; that is the thing's.
//
// Invariants: a version never changes. The newest Kept of each thing stay. They go with the thing.
package version
