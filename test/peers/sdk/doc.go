// Package sdk tests the intake with the clients that people really use: Segment's and RudderStack's SDKs for Node, Go and
// browsers, each in its own runtime, against a real port and a real log in a folder.
//
// Owns: the pins of the clients (package.json, package-lock.json), one small program for each that makes the six calls.
// Does not own: the wire contract (collect has its own tests).
//
//	SDK ──HTTP──► intake ──► writer ──► log (NATS JetStream) ──► what the test reads
//
// "npm ci" in this folder installs the Node clients; tests of those that are missing skip and say so. The browser client
// also needs Chromium, found as KIZUNA_TEST_CHROMIUM or on the path. KIZUNA_TEST_REQUIRE_PEERS=1 makes a missing peer
// a failure, for CI.
//
// package.json overrides one package, msgpackr-extract: it is an optional part of a part of RudderStack's client that
// nothing here uses, and it brings a binary for each platform, not all of which every registry has.
//
// To add a client: pin it, write its program with the calls of calls.json, and give it a test.
package sdk
