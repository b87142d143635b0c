// Package node holds the kinds of step a journey is made of, one file each, and the list of them.
//
// A kind is a Spec: a name, a configuration struct, the outputs a person can leave by, and New, which turns a
// configuration into a Node. A Node is immutable, and its Step is a pure function of what it is given: it
// reads no clock, no store and no random number, and what it wants done comes back as data (Effect).
//
//	State (where, since when) ─┐
//	Input (person, event)      ├─► Step ─► Result (leave by an output | stay until | end) + effects
//	now                       ─┘
//
// Owns: the kinds, their configuration and validation, matching of events.
// Does not own: the graph and walking it, storing anything, carrying out effects (journey).
//
// Invariants: the same State, Input and now give the same Result, so a step can be repeated after a crash; a
// Step that stays gives a Due or belongs to a Node that Listens, so nobody is forgotten.
//
// To add a kind: write <kind>.go with its Spec, list it in catalog.go, and call journeytest.RunNode in its test.
package node
