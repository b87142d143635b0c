package machines

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/test/harness"
)

// within marks the process of a test that runs in a network of its own.
const within = "KIZUNA_TEST_WITHIN"

// Apart tells a test in a network that nobody else is on, and reports that it did: the caller has nothing left to do. It reports false in that network, and where
// there can be none; then New says why. Whatever comes and goes on this machine's own network would be noticed by others: Chromium, for one, gives up what it is loading.
func Apart(t *testing.T) bool {
	t.Helper()
	if os.Getenv(within) != "" || exec.Command("unshare", "--net", "true").Run() != nil {
		return false
	}
	cmd := exec.Command("unshare", "--net", "--kill-child", "--fork", "sh", "-c", `ip link set lo up && exec "$@"`, "sh", os.Args[0], "-test.run", "^"+regexp.QuoteMeta(t.Name())+"$", "-test.v", "-test.timeout", "10m")
	cmd.Env = append(os.Environ(), within+"=1", "KIZUNA_TEST_BINARY="+harness.Binary(t))
	out, err := cmd.CombinedOutput()
	_, said, skipped := strings.Cut(string(out), "--- SKIP: "+t.Name())
	switch {
	case err != nil:
		t.Errorf("in a network of its own: %v\n%s", err, out)
	case skipped:
		t.Skip(strings.Join(strings.Fields(said), " "))
	default:
		t.Logf("in a network of its own:\n%s", out)
	}
	return true
}
