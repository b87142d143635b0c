// Package journeytest is what every kind of node and every journey.Store must pass.
//
// Owns: RunNode (conformance of a node kind), Run (conformance of a store).
// Does not own: tests of what a particular kind does; they stand beside it.
package journeytest
