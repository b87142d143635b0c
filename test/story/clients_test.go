package story_test

import (
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/test/harness"
)

const (
	clientCount = 8
	clientUsers = 14
)

// clients send events all the time, as SDKs do: what was not answered is sent again.
type clients struct {
	mu    sync.Mutex
	acked map[string]string // message id -> user
	sent  map[string]bool

	stop atomic.Bool
	all  sync.WaitGroup
}

// startClients sends to a server, which may be killed and launched meanwhile, until end; to several as behind a balancer, so that what one did not answer goes
// to another.
func startClients(s ...*harness.Server) *clients {
	c := &clients{acked: map[string]string{}, sent: map[string]bool{}}
	for i := range clientCount {
		c.all.Go(func() { c.send(s, i) })
	}
	return c
}

func (c *clients) send(servers []*harness.Server, client int) {
	for n := 0; !c.stop.Load(); n++ {
		var batch []harness.Event
		for k := range 1 + n%7 {
			batch = append(batch, harness.Event{
				"type": "track", "event": "Beat", "userId": fmt.Sprintf("u%d", (client+k)%clientUsers),
				"messageId": fmt.Sprintf("m-%d-%d-%d", client, n, k), "properties": map[string]any{"n": n},
			})
		}
		c.mu.Lock()
		for _, e := range batch {
			c.sent[e["messageId"].(string)] = true
		}
		c.mu.Unlock()
		for try := 0; try < 40 && !c.stop.Load(); try++ {
			if servers[(client+n+try)%len(servers)].Send(batch...) {
				c.mu.Lock()
				for _, e := range batch {
					c.acked[e["messageId"].(string)] = e["userId"].(string)
				}
				c.mu.Unlock()
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// end waits until the last has stopped.
func (c *clients) end() {
	c.stop.Store(true)
	c.all.Wait()
}

// acknowledged returns what the server has promised to keep so far.
func (c *clients) acknowledged() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.acked)
}

// stored waits until the promised events are stored and nothing more arrives, and returns what is: each event once, of the user who had
// it, and none that was never sent.
func (c *clients) stored(t *testing.T, s *harness.Server, promised map[string]string) map[string]string {
	t.Helper()
	before, since := 0, time.Now()
	s.Eventually(time.Minute, "all acknowledged events are stored", func() bool {
		var st stats
		s.Do("GET", "/stats", nil, &st)
		if st.Events != before {
			before, since = st.Events, time.Now()
		}
		return st.Events >= len(promised) && time.Since(since) > 2*time.Second
	})
	stored := map[string]string{}
	for u := range clientUsers {
		user := "u" + strconv.Itoa(u)
		for cursor := ""; ; {
			var page struct {
				Items []struct {
					MessageID string `json:"message_id"`
					Name      string
				}
				NextCursor string `json:"next_cursor"`
			}
			s.Must("GET", "/people/"+personOf(t, s, user)+"/events?limit=500&cursor="+url.QueryEscape(cursor), nil, &page)
			for _, e := range page.Items {
				if e.Name != "Beat" {
					continue // what the product says of itself
				}
				if stored[e.MessageID] != "" {
					t.Fatalf("%s is stored twice", e.MessageID)
				}
				if !c.sent[e.MessageID] {
					t.Fatalf("%s was never sent", e.MessageID)
				}
				stored[e.MessageID] = user
			}
			if cursor = page.NextCursor; cursor == "" {
				break
			}
		}
	}
	for id, user := range promised {
		if stored[id] != user {
			t.Errorf("acknowledged event %s of %s is stored for %q", id, user, stored[id])
		}
	}
	var st stats
	s.Must("GET", "/stats", nil, &st)
	if st.Events != len(stored) {
		t.Errorf("statistics count %d events, %d are stored", st.Events, len(stored))
	}
	return stored
}

// personOf returns the one person with the user id.
func personOf(t *testing.T, s *harness.Server, user string) string {
	t.Helper()
	var found struct{ Items []struct{ ID string } }
	s.Must("GET", "/people?identifier="+url.QueryEscape("user_id:"+user), nil, &found)
	if len(found.Items) != 1 {
		t.Fatalf("%s is %d people", user, len(found.Items))
	}
	return found.Items[0].ID
}
