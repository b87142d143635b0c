// Package draft keeps what a member of staff has written in an editor and not saved: saving goes live at once, so nothing is saved before they say so, and
// yet neither a crash nor another device loses it.
//
// Owns: how large a draft may be, how many a member may have, how long they stay. Does not own: what a document means; that is the editor's.
//
// Invariants: a draft belongs to one member in one workspace, and nobody else reads its document; colleagues see that there is one, whose and since when.
// Each member has at most one of each thing. It goes when it is saved or discarded, with the member, and after Days without a change.
package draft
