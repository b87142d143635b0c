// Package shred encrypts each thing under a key of its subject, so that everything ever said about one subject can be made unreadable
// at once and wherever copies of it lie, by destroying a few bytes.
//
// There is no table of keys. All keys of an epoch follow from one seed, through a tree of hashes with sixteen children a node, twelve
// levels deep; which leaf belongs to a subject follows from a keyed hash of its name. So whoever holds the seed can seal for a subject
// that was never seen before without asking or telling anybody. To destroy a leaf's key the seed is replaced by its brothers along the way
// (180 nodes): from them every other key still follows, and this one no longer does, for anybody. This is the puncturable pseudo-random function of
// Goldreich, Goldwasser and Micali (1986) as Boneh and Waters (2013) use it.
//
//	seed ─┬─ 0 ─┬─ 0 ...
//	      ├─ 1  ├─ 1 ◄── punctured: 0, 2 ... f of its parent are kept, and the brothers of its parent, of its grandparent ...
//	      :     :
//	      └─ f  └─ f
//
// Owns: the tree, the frame around what is sealed. Does not own: where nodes are kept and that they are gone from there once replaced.
//
// Invariants:
//   - A key that was punctured cannot be had again from the nodes that are left, as long as SHA-256 has no preimages.
//   - A subject may be sealed for again after its key was punctured: its generation counts up, and the next leaf is another one.
//   - Two subjects share a leaf with a probability of 2^-48 a pair; puncturing the one then loses the other.
package shred
