// Package eventtest is the conformance suite of event.Store: what every driver must do, said once.
//
// Owns: the promises of the port as tests. Does not own: what only one engine can promise (crash tests, speed), which
// its own package tests. Invariant: nothing here knows an engine; SQL is limited to what event.Store documents.
//
//	driver_test ─► Run(t, open) ─► event.Store
package eventtest
