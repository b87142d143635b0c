package natstest_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus/natsbus"
	"github.com/kizuna-cx/kizuna/internal/bus/natsbus/natstest"
)

// What the servers deliver gets lost, comes twice and comes late: acknowledgements, and records that are read. Each record is appended once, and whoever reads
// gets all of them, in order.
func TestDeliveriesThatGetLostComeTwiceOrLateChangeNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for what was lost; run without -short")
	}
	const writers, each = 12, 40
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	connect := func(share float64) (*natsbus.Log, *natstest.Proxy) {
		t.Helper()
		p, err := cluster.Between(0, share, seed)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		log := natsbus.New(natsbus.Options{Cluster: natsbus.Cluster{URL: p.URL(), Stream: "DELIVERIES", Replicas: natstest.Nodes}, MaxBytes: 64 << 20})
		if err := log.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = log.Stop(context.Background()) })
		return log, p
	}
	writer, acks := connect(0.02)
	reader, records := connect(0.02)

	var mu sync.Mutex
	at := map[uint64]string{} // as the writers were told
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				data := fmt.Sprintf("%d-%d", w, i)
				seq, err := writer.Append(t.Context(), []byte(data))
				if err != nil {
					t.Errorf("append %s: %v", data, err)
					return
				}
				mu.Lock()
				at[seq] = data
				mu.Unlock()
			}
		})
	}
	got := map[uint64]string{}
	after := uint64(0)
	for deadline := time.Now().Add(2 * time.Minute); len(got) < writers*each; {
		if time.Now().After(deadline) {
			t.Fatalf("after two minutes %d of %d records", len(got), writers*each)
		}
		recs, err := reader.Read(t.Context(), after, 50, time.Second)
		if err != nil {
			continue // as the pipeline does: again from where it was
		}
		for _, r := range recs {
			if r.Seq <= after {
				t.Fatalf("record %d comes after %d", r.Seq, after)
			}
			if r.Seq != after+1 {
				t.Fatalf("record %d comes after %d, and nothing was taken away", r.Seq, after)
			}
			got[r.Seq], after = string(r.Data), r.Seq
		}
	}
	all.Wait()
	if len(at) != writers*each {
		t.Errorf("%d positions for %d records", len(at), writers*each)
	}
	for seq, data := range at {
		if got[seq] != data {
			t.Errorf("record %d is %q, its writer was told that %q is there", seq, got[seq], data)
		}
	}
	for _, p := range []*natstest.Proxy{acks, records} {
		lost, twice, late := p.Done()
		t.Logf("%d deliveries lost, %d twice, %d late", lost, twice, late)
		if lost*twice*late == 0 {
			t.Error("not every fault was met: it proved less")
		}
	}
}

// A machine that is gone takes nothing any more and says nothing. Whoever has much to write to it goes to another one as soon as who has little.
func TestAServerThatFallsSilentUnderLoadIsLeftSoon(t *testing.T) {
	p, err := cluster.Between(0, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	log := natsbus.New(natsbus.Options{Cluster: natsbus.Cluster{URL: p.URL(), Stream: "SILENT", Replicas: natstest.Nodes}, MaxBytes: 64 << 20})
	if err := log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Stop(context.Background()) })
	if _, err := log.Append(t.Context(), []byte("x")); err != nil {
		t.Fatal(err)
	}
	p.Hang()
	long, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			_, err := log.Append(long, make([]byte, 256<<10))
			for err != nil && long.Err() == nil {
				_, err = log.Append(long, make([]byte, 16))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
