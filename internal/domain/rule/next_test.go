package rule_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/rule/ruletest"
)

func TestAnswerHoldsUntilNext(t *testing.T) { ruletest.RunNext(t) }

func TestEvalIsWhatTheDefinitionSays(t *testing.T) { ruletest.RunOracle(t) }
