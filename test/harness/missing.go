package harness

import (
	"os"
	"testing"
)

// Missing skips a test that needs a program which is not here, with the reason; where KIZUNA_TEST_REQUIRE_PEERS says that everything is installed, as CI does, it fails.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("KIZUNA_TEST_REQUIRE_PEERS") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
