package duck

import (
	"path/filepath"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/event/eventtest"
	"github.com/kizuna-cx/kizuna/internal/domain/rule/ruletest"
)

func opener(o Options) eventtest.Open {
	return func(t *testing.T, dir string) eventtest.Store {
		t.Helper()
		s, err := Open(t.Context(), filepath.Join(dir, "events.duckdb"), o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func TestStoreKeepsItsContract(t *testing.T) { eventtest.Run(t, opener(Options{})) }

func TestStoreKeepsItsContractWhenRedirectsAreFoldedAtOnce(t *testing.T) {
	eventtest.Run(t, opener(Options{FoldAt: 1}))
}

func TestAudienceIsWhomEvalMatches(t *testing.T) {
	ruletest.Run(t, opener(Options{})(t, t.TempDir()))
}

func TestWhatIsTooOldGoes(t *testing.T) {
	s := opener(Options{})(t, t.TempDir()).(*Store)
	t.Cleanup(func() { _ = s.Close() })
	eventtest.Ages(t, s)
}

func TestWhatBeganAtTheEndOfFebruaryReturns(t *testing.T) {
	ruletest.RunLeapDays(t, opener(Options{})(t, t.TempDir()))
}
