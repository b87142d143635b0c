package click_test

import (
	"fmt"
	"hash/fnv"
	"os"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/event/eventtest"
	"github.com/kizuna-cx/kizuna/internal/domain/rule/ruletest"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/click"
)

// server names a ClickHouse server, e.g. test/peers/clickhouse. Its databases called kizuna_test_... are ours.
func server(t testing.TB) string {
	t.Helper()
	url := os.Getenv("KIZUNA_TEST_CLICKHOUSE")
	if url == "" {
		t.Skip("no ClickHouse: KIZUNA_TEST_CLICKHOUSE names none (CONTRIBUTING.md says how to start one)")
	}
	return url
}

func opener(o click.Options) eventtest.Open {
	return func(t *testing.T, dir string) eventtest.Store {
		t.Helper()
		s, err := click.Open(t.Context(), address(t, dir), o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// address is a database for each folder.
func address(t testing.TB, dir string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(dir))
	return fmt.Sprintf("%s/kizuna_test_%d_%x", server(t), os.Getpid(), h.Sum64())
}

func TestStoreKeepsItsContract(t *testing.T) { eventtest.Run(t, opener(click.Options{})) }

func TestStoreKeepsItsContractWhenRowsAreDeletedAtOnce(t *testing.T) {
	eventtest.Run(t, opener(click.Options{DeleteAt: 1}))
}

func TestAudienceIsWhomEvalMatches(t *testing.T) {
	ruletest.Run(t, opener(click.Options{})(t, t.TempDir()))
}
