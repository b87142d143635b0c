package app

import (
	"testing"
	"time"
)

func TestMessageIDsOutliveTheLog(t *testing.T) {
	for _, retention := range []time.Duration{24 * time.Hour, Default().LogRetention, 8*24*time.Hour + 1, 720 * time.Hour} {
		if kept := time.Duration(seenDays(retention)) * 24 * time.Hour; kept <= retention || kept < 7*24*time.Hour {
			t.Errorf("the log is kept %v, message ids %v: a record read again would count twice", retention, kept)
		}
	}
}
