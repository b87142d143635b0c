// Package bustest is the conformance suite of the bus.Log port, and a log in memory for tests of what uses one.
//
// Owns: the meaning of the port, as tests. Does not own: any implementation that a server runs on.
//
//	func TestMain(m *testing.M) { bustest.Main(m, harness) }   // only for durable logs
//	func TestLog(t *testing.T)  { bustest.Run(t, harness) }
//
// To add a log: give a Harness that opens it, and pass.
package bustest
