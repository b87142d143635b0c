package lifecycle_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
)

// A loop looks again at once while there is more, when it is woken, and after a failure no sooner than at its next beat or call.
func TestALoopFollowsItsPulse(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	defer end()
	p := lifecycle.NewPulse(time.Hour)
	looked := make(chan int)
	var failures int
	broken := errors.New("the store is away")
	done := make(chan struct{})
	go func() {
		defer close(done)
		n := 0
		p.Follow(ctx, func(context.Context) (bool, error) {
			n++
			looked <- n
			if n == 3 {
				return true, broken
			}
			return n < 3, nil
		}, func(err error) {
			if errors.Is(err, broken) {
				failures++
			}
		})
	}()
	for want := 1; want <= 3; want++ { // there is more, until the third fails
		if got := <-looked; got != want {
			t.Fatalf("look %d, want %d", got, want)
		}
	}
	p.Wake()
	p.Wake() // one with the first, unless the loop has looked in between
	if got := <-looked; got != 4 {
		t.Fatalf("look %d after waking, want 4", got)
	}
	go func() {
		for range looked { // a second look may follow from the second call
		}
	}()
	end()
	<-done
	close(looked)
	if failures != 1 {
		t.Errorf("%d failures were told", failures)
	}
}

func TestAPulseWaitsNoLongerThanItsBeat(t *testing.T) {
	p := lifecycle.NewPulse(time.Millisecond)
	if !p.WaitAtMost(t.Context(), time.Hour) {
		t.Error("the wait ended as if the context had")
	}
	ctx, end := context.WithCancel(t.Context())
	end()
	if lifecycle.NewPulse(time.Hour).Wait(ctx) {
		t.Error("a context that has ended says that it is time to look")
	}
}
