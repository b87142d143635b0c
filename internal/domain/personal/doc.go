// Package personal keeps what a person of staff has arranged for themselves: saved views of lists, dismissed hints, the key that
// sends. Each is a small JSON value under a key.
//
// Owns: keys, sizes, how many there may be. Does not own: what a value means; that is the console's.
//
// Invariants: a setting belongs to one owner in one workspace and nobody else reads it. Writing replaces the whole value.
package personal
