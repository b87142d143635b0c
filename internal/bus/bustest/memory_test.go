package bustest_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/bus/bustest"
)

func TestMemoryConforms(t *testing.T) {
	bustest.Run(t, bustest.Harness{Open: func(_ string, maxBytes int64) (bustest.Log, func() error, error) {
		m := bustest.NewMemory(maxBytes)
		return m, m.Close, nil
	}})
}
