package lifecycle_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
)

func TestEveryPeriodUntilTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		begin := time.Now()
		var rounds []time.Duration
		lifecycle.Every(ctx, time.Minute, func(context.Context) {
			rounds = append(rounds, time.Since(begin))
			switch len(rounds) {
			case 2:
				time.Sleep(150 * time.Second) // two periods pass, and are not made up for but once
			case 4:
				end()
			}
		})
		want := []time.Duration{time.Minute, 2 * time.Minute, 270 * time.Second, 5 * time.Minute}
		if len(rounds) != len(want) {
			t.Fatalf("rounds at %v, want %v", rounds, want)
		}
		for i := range want {
			if rounds[i] != want[i] {
				t.Fatalf("rounds at %v, want %v", rounds, want)
			}
		}
	})
}

func TestSleepEndsWithItsTimeOrItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		if err := lifecycle.Sleep(t.Context(), time.Hour); err != nil || time.Since(begin) != time.Hour {
			t.Errorf("slept for %v, %v", time.Since(begin), err)
		}
		ctx, end := context.WithTimeout(t.Context(), time.Minute)
		defer end()
		begin = time.Now()
		if err := lifecycle.Sleep(ctx, time.Hour); err == nil || time.Since(begin) != time.Minute {
			t.Errorf("slept for %v beyond the end, %v", time.Since(begin), err)
		}
	})
}
