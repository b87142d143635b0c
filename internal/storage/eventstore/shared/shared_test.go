package shared_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/event/eventtest"
	"github.com/kizuna-cx/kizuna/internal/domain/rule/ruletest"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/duck"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/shared"
)

// asking is the store of a process that keeps nothing and asks the one that does.
type asking struct {
	*shared.Store
	keeper *shared.Store
	server *httptest.Server
}

func (a *asking) Close() error {
	a.server.Close()
	return errors.Join(a.Store.Close(), a.keeper.Close())
}

const key = "of this installation"

func open(t *testing.T, dir string) eventtest.Store {
	t.Helper()
	d, err := duck.Open(t.Context(), filepath.Join(dir, "events.duckdb"), duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	keeper := shared.New(shared.Config{Key: key})
	keeper.Keep(d)
	server := httptest.NewServer(keeper.Handler())
	return &asking{
		Store:  shared.New(shared.Config{Key: key, Locate: func(context.Context) (string, error) { return server.URL, nil }}),
		keeper: keeper, server: server,
	}
}

func TestAProcessThatAsksKeepsTheContract(t *testing.T) { eventtest.Run(t, open) }

func TestAudienceOfAProcessThatAsksIsWhomEvalMatches(t *testing.T) {
	ruletest.Run(t, open(t, t.TempDir()))
}

func TestWhatIsTooOldGoesWhoeverAsks(t *testing.T) {
	s := open(t, t.TempDir()).(*asking)
	t.Cleanup(func() { _ = s.Close() })
	eventtest.Ages(t, s)
}

func TestTheProcessThatKeepsTheEventsAnswersItself(t *testing.T) {
	eventtest.Run(t, func(t *testing.T, dir string) eventtest.Store {
		d, err := duck.Open(t.Context(), filepath.Join(dir, "events.duckdb"), duck.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s := shared.New(shared.Config{})
		s.Keep(d)
		return s
	})
}

// The keeper goes away and another takes over: a question that is asked in between waits and gets its answer.
func TestAQuestionWaitsForTheNextKeeper(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir).(*asking)
	if err := first.Append(t.Context(), event.Batch{Events: []event.Kept{eventtest.Kept(7, "Look", 1, 3)}, Through: 3}); err != nil {
		t.Fatal(err)
	}
	at := make(chan string, 1) // the lease
	at <- first.server.URL
	asked := make(chan struct{}, 100)
	s := shared.New(shared.Config{Key: key, Locate: func(context.Context) (string, error) {
		asked <- struct{}{}
		url := <-at
		at <- url
		return url, nil
	}})
	if seq, err := s.Position(t.Context()); err != nil || seq != 3 {
		t.Fatalf("position %d, %v", seq, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	<-asked
	answered := make(chan error, 1)
	go func() {
		found, err := s.Histories(t.Context(), "ws_1", []uint64{7}, nil)
		if err == nil && len(found[7]) != 1 {
			err = errors.New("not the history")
		}
		answered <- err
	}()
	<-asked // it has found nobody under the old address
	second := open(t, dir).(*asking)
	defer second.Close()
	<-at
	at <- second.server.URL
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

func TestNobodyKeepsTheEvents(t *testing.T) {
	s := shared.New(shared.Config{Patience: time.Millisecond, Locate: func(context.Context) (string, error) { return "", nil }})
	if _, err := s.Everyone(t.Context(), "ws_1"); !errs.Is(err, errs.KindUnavailable) {
		t.Errorf("asked of nobody: %v", err)
	}
	if err := s.Still(t.Context(), func() error { return nil }); !errs.Is(err, errs.KindConflict) {
		t.Errorf("held what is elsewhere: %v", err)
	}
}

func TestWithoutTheKeyThereIsNoAnswer(t *testing.T) {
	keeper := open(t, t.TempDir()).(*asking)
	defer keeper.Close()
	for _, k := range []string{"", "another's"} {
		s := shared.New(shared.Config{Key: k, Locate: func(context.Context) (string, error) { return keeper.server.URL, nil }})
		if _, err := s.Everyone(t.Context(), "ws_1"); err == nil {
			t.Errorf("key %q: answered", k)
		}
	}
}
