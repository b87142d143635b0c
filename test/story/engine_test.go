package story_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/test/harness"
)

// ClickHouse is killed again and again while callers send, in the middle of whatever it does, and comes back later. Meanwhile events are taken, screens are told that
// it is away, and segments that somebody makes wait for it. Afterwards each event is kept once, the figures are those of what was sent, and people are as a serial replay on
// the other engine makes them.
func TestClickHouseThatDiesUnderLoadLosesAndDoublesNothing(t *testing.T) {
	long(t)
	engine := harness.StartClickHouse(t)
	operators := harness.FreeAddress(t)
	s := harness.Start(t, "KIZUNA_EVENTS_URL="+engine.URL+"/kizuna", "KIZUNA_ADMIN_LISTEN="+operators)
	seed := faultSeed(t)
	rng := rand.New(rand.NewPCG(seed, 1))
	load := newFaultLoad(seed)
	load.size, load.who = 3, 40
	var stop atomic.Bool
	done := load.send(t, func(int) bool {
		time.Sleep(150 * time.Millisecond) // more would make one of too many people
		return !stop.Load()
	}, s)
	for kill := range 5 {
		before := stored(s)
		s.Eventually(time.Minute, "events are kept", func() bool { return stored(s) > before+50 })
		time.Sleep(time.Duration(rng.IntN(500)) * time.Millisecond)
		engine.Kill()
		want := load.acknowledged() + 20
		s.Eventually(time.Minute, "events are taken without the engine", func() bool { return load.acknowledged() >= want })
		if status, raw, err := s.Raw("GET", "/api/v1/events", nil, "Bearer "+harness.APIKey); status != http.StatusServiceUnavailable {
			t.Errorf("while the engine is away: %d, %v: %s", status, err, raw)
		}
		if kill == 0 {
			makeSegments(t, s)
			if _, text := get(t, "http://"+operators+"/metrics"); !strings.Contains(text, "\nkizuna_disk_free_bytes ") {
				t.Error("the disk may fill up unnoticed while the engine is away")
			}
			s.Eventually(time.Minute, "requests are led elsewhere while the engine is away", func() bool {
				status, _ := get(t, "http://"+operators+"/readyz")
				return status == http.StatusServiceUnavailable
			})
			if status, text := get(t, "http://"+operators+"/healthz"); status != http.StatusOK {
				t.Errorf("a supervisor restarts the process although the engine is away: %d %s", status, text)
			}
		}
		time.Sleep(time.Duration(rng.IntN(1000)) * time.Millisecond)
		engine.Start()
	}
	stop.Store(true)
	<-done
	order := arrivalOrder(t, s, load)
	t.Logf("%d events acknowledged, %d kept, 5 kills", len(load.acked), len(order))
	keptKinds(t, s, load)
	s.Eventually(time.Minute, "the segments are known that were made while the engine was away", func() bool {
		var list struct{ Items []struct{ State string } }
		s.Must("GET", "/segments", nil, &list)
		return !slices.ContainsFunc(list.Items, func(x struct{ State string }) bool { return x.State != "ready" })
	})
	likeASerialReplay(t, s, load, order, 0)
}

// keptKinds compares how many events of each kind are kept with how many were sent. The product itself identifies people as well, so these are not compared.
func keptKinds(t *testing.T, s *harness.Server, load *faultLoad) {
	t.Helper()
	want := map[string]int{}
	for id := range load.acked {
		e := load.made[id]
		name := e["event"]
		if name == nil {
			name = ""
		}
		want[fmt.Sprint(e["type"], " ", name)]++
	}
	var kept struct {
		Kinds []struct {
			Type, Name string
			Count      int
		}
	}
	s.Must("GET", "/retention", nil, &kept)
	got := map[string]int{}
	for _, k := range kept.Kinds {
		got[k.Type+" "+k.Name] = k.Count
	}
	delete(want, "identify ")
	maps.DeleteFunc(got, func(kind string, _ int) bool { return want[kind] == 0 }) // what the product says of itself
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("events of each kind (-sent +kept):\n%s", d)
	}
}
