package story_test

import (
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/test/harness"
)

func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("a long story; run without -short")
	}
}

func TestKillDuringImportLosesAndDoublesNothing(t *testing.T) {
	long(t)
	path := cdnow(t)
	s := harness.Start(t)
	dir := t.TempDir()
	run := func() *exec.Cmd {
		return exec.Command(harness.Binary(t), "import", "--server", s.URL, "--write-key", harness.WriteKey, "--format", "csv", "--delimiter", "whitespace",
			"--map", "userId=customer_id", "--map", "timestamp=date:time:%Y%m%d", "--map", "properties.total=dollar_value:number",
			"--set", "event=Order Completed", "--state", filepath.Join(dir, "state"), "--rejects", filepath.Join(dir, "rejects"), path)
	}
	events := func() int {
		var st stats
		s.Do("GET", "/stats", nil, &st)
		return st.Events
	}
	// The importer is killed once, the server again and again while the importer goes on.
	first := run()
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	s.Eventually(time.Minute, "the import has begun", func() bool { return events() > 2000 })
	_ = first.Process.Kill()
	_ = first.Wait() // killed on purpose

	second := run()
	var out strings.Builder
	second.Stdout, second.Stderr = &out, &out
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	for kill := 1; kill <= 5; kill++ {
		before := events()
		s.Eventually(time.Minute, "more events arrive", func() bool { n := events(); return n > before+3000 || n >= 69659 })
		s.Kill()
		s.Launch()
	}
	if err := second.Wait(); err != nil {
		t.Fatalf("import: %v\n%s", err, out.String())
	}
	want := stats{People: 23570, Events: 69659}
	s.Eventually(2*time.Minute, "the figures of the file", func() bool {
		var st stats
		s.Do("GET", "/stats", nil, &st)
		return st == want
	})
}

func TestKillDuringCollectKeepsEveryAcknowledgedEventOnce(t *testing.T) {
	long(t)
	s := harness.Start(t)
	const clients, users = 8, 14
	var mu sync.Mutex
	acked := map[string]string{} // message id -> user
	sent := map[string]bool{}
	var stop atomic.Bool
	var wg sync.WaitGroup
	for c := range clients {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for n := 0; !stop.Load(); n++ {
				var batch []harness.Event
				for k := range 1 + n%7 {
					batch = append(batch, harness.Event{
						"type": "track", "event": "Beat", "userId": fmt.Sprintf("u%d", (c+k)%users),
						"messageId": fmt.Sprintf("m-%d-%d-%d", c, n, k), "properties": map[string]any{"n": n},
					})
				}
				mu.Lock()
				for _, e := range batch {
					sent[e["messageId"].(string)] = true
				}
				mu.Unlock()
				// A client that got no answer sends the same again, as the SDKs do.
				for try := 0; try < 40 && !stop.Load(); try++ {
					if s.Send(batch...) {
						mu.Lock()
						for _, e := range batch {
							acked[e["messageId"].(string)] = e["userId"].(string)
						}
						mu.Unlock()
						break
					}
					time.Sleep(50 * time.Millisecond)
				}
			}
		}()
	}
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(acked) }
	for range 6 {
		before := count()
		s.Eventually(time.Minute, "clients get answers", func() bool { return count() > before+400 })
		s.Kill()
		s.Launch()
	}
	stop.Store(true)
	wg.Wait()

	// What was sent and never answered may be stored too, so wait until nothing more arrives.
	before, since := 0, time.Now()
	s.Eventually(time.Minute, "all acknowledged events are stored", func() bool {
		var st stats
		s.Do("GET", "/stats", nil, &st)
		if st.Events != before {
			before, since = st.Events, time.Now()
		}
		return st.Events >= len(acked) && time.Since(since) > 2*time.Second
	})
	stored := map[string]string{}
	for u := range users {
		user := "u" + strconv.Itoa(u)
		var found struct{ Items []struct{ ID string } }
		s.Must("GET", "/people?identifier="+url.QueryEscape("user_id:"+user), nil, &found)
		if len(found.Items) != 1 {
			t.Fatalf("%s is %d people", user, len(found.Items))
		}
		for cursor := ""; ; {
			var page struct {
				Items []struct {
					MessageID string `json:"message_id"`
				}
				NextCursor string `json:"next_cursor"`
			}
			s.Must("GET", "/people/"+found.Items[0].ID+"/events?limit=500&cursor="+url.QueryEscape(cursor), nil, &page)
			for _, e := range page.Items {
				if stored[e.MessageID] != "" {
					t.Fatalf("%s is stored twice", e.MessageID)
				}
				if !sent[e.MessageID] {
					t.Fatalf("%s was never sent", e.MessageID)
				}
				stored[e.MessageID] = user
			}
			if cursor = page.NextCursor; cursor == "" {
				break
			}
		}
	}
	for id, user := range acked {
		if stored[id] != user {
			t.Errorf("acknowledged event %s of %s is stored for %q", id, user, stored[id])
		}
	}
	var st stats
	s.Must("GET", "/stats", nil, &st)
	if st.Events != len(stored) {
		t.Errorf("statistics count %d events, %d are stored", st.Events, len(stored))
	}
	t.Logf("%d acknowledged, %d stored, 6 kills", len(acked), len(stored))
}
