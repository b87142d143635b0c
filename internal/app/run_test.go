package app

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A client that never finishes its request used up the time in which the services should have stopped.
func TestDrainCutsOffRequestsThatDoNotEnd(t *testing.T) {
	inside := make(chan struct{})
	front := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(inside)
		<-r.Context().Done()
	}))
	defer front.Close()
	answered := make(chan error, 1)
	go func() {
		r, err := http.Get(front.URL)
		if err == nil {
			err = r.Body.Close()
		}
		answered <- err
	}()
	<-inside
	stop, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := drain(stop, front.Config, &traffic{}, 10*time.Millisecond); err != nil {
		t.Fatalf("drain: %v", err)
	}
	if stop.Err() != nil {
		t.Error("nothing of the time is left for the services")
	}
	if err := <-answered; err == nil {
		t.Error("the request was answered, though it never ended")
	}
}
