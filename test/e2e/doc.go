// Package e2e drives the console in a real browser against the real binary: `kizuna demo` on a free port, Chromium by
// playwright-core, both installed for web/console. It needs node, the packages of web/console (make web) and Chromium, found as
// KIZUNA_TEST_CHROMIUM or on the path; without them it is skipped with the reason, and KIZUNA_TEST_REQUIRE_PEERS=1 makes that a failure.
//
//	go test ./test/e2e                                           the stories
//	node test/e2e/run.mjs URL EMAIL PASSWORD [story ...]         some of them against a server that runs
package e2e
