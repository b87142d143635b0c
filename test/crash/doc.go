// Package crash kills processes with SIGKILL while they work and looks at what is left.
//
// Owns: tests of promises that hold across a crash of more than one part. Does not own: the crash tests of a single part,
// which stand beside it (bustest for logs).
//
//	test ─► child process (this test binary again) ─► kill -9 ─► the next child on the same folder ─► ... ─► count
//
// To add a test: give the child another mode in TestMain.
package crash
