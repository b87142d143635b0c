package story_test

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/eventstoretest"
	"github.com/kizuna-cx/kizuna/test/harness"
)

// TestTheLoopOnClickHouse keeps events in ClickHouse: two lives come in with merges, a segment counts them, screens show them, the server dies and goes on, a
// backup of it is restored into another database, and one of the two is forgotten.
func TestTheLoopOnClickHouse(t *testing.T) {
	long(t)
	s := harness.Start(t, "KIZUNA_EVENTS_URL="+eventstoretest.Address(t))
	gone, stays := marked{"zanzibar7f3a91gone"}, marked{"bukavuq2d84c6stays"}
	var seg struct{ ID string }
	s.Must("POST", "/segments", `{"name":"Buyers","rule":{"all":[{"event":{"name":"Order Completed","agg":"sum","path":"total","op":"gte","value":40}},{"trait":{"path":"first_name","op":"contains","value":"oë"}}]}}`, &seg)
	ids := map[string]string{}
	for i, m := range []marked{gone, stays} {
		if !s.Send(m.events("+4930123456" + string(rune('0'+i)) + "0")...) {
			t.Fatal("events not taken")
		}
		s.Eventually(time.Minute, "the person is known", func() bool {
			ids[m.name] = who(s, m.user())
			return ids[m.name] != ""
		})
	}
	size := func(s *harness.Server, want int) {
		s.Eventually(time.Minute, "the segment has its members", func() bool {
			var now struct{ Size int }
			s.Do("GET", "/segments/"+seg.ID, nil, &now)
			return now.Size == want
		})
	}
	size(s, 2)
	life := func(s *harness.Server, m marked) string {
		var list struct {
			Items []struct {
				MessageID string `json:"message_id"`
				Type      string
			}
		}
		s.Must("GET", "/people/"+ids[m.name]+"/events?limit=100", nil, &list)
		var told []string
		for _, e := range list.Items {
			if e.Type == "track" || e.Type == "page" {
				told = append(told, strings.TrimSuffix(e.MessageID, "-"+m.name))
			}
		}
		return strings.Join(told, " ")
	}
	for _, m := range []marked{gone, stays} {
		if got := life(s, m); got != "r1 s1 c1 o1 p1" {
			t.Errorf("%s did %q", m.name, got)
		}
	}
	s.Kill()
	s.Launch()
	if !s.Send(harness.Event{"type": "track", "event": "Looked", "userId": stays.user(), "messageId": "l1-" + stays.name}, harness.Event{"type": "track", "event": "Looked", "userId": stays.user(), "messageId": "o1-" + stays.name}) {
		t.Fatal("events not taken")
	}
	s.Eventually(time.Minute, "what came after the kill is there, and what came twice once", func() bool { return life(s, stays) == "l1 r1 s1 c1 o1 p1" })
	before := figures(s)

	to := t.TempDir()
	if out, err := s.Command("backup", "--data", s.Dir, to); err != nil {
		t.Fatalf("backup: %v\n%s", err, out)
	}
	made, err := os.ReadDir(to)
	if err != nil || len(made) != 1 {
		t.Fatalf("backups: %v, %v", made, err)
	}
	restored := harness.Prepare(t, "KIZUNA_EVENTS_URL="+eventstoretest.Address(t))
	restored.Dir += "/new"
	if out, err := restored.Command("restore", "--data", restored.Dir, "--key", s.Dir+"/master.key", to+"/"+made[0].Name()); err != nil {
		t.Fatalf("restore: %v\n%s", err, out)
	}
	if _, err := os.Stat(restored.Dir + "/events.duckdb"); !os.IsNotExist(err) {
		t.Errorf("the file of the backup is still there: %v", err)
	}
	out, err := restored.Command("doctor", "--data", restored.Dir, "--listen", strings.TrimPrefix(restored.URL, "http://"))
	if err != nil || !strings.Contains(out, "ClickHouse at") {
		t.Errorf("doctor: %v\n%s", err, out)
	}
	restored.Launch()
	size(restored, 2)
	if got := life(restored, stays); got != "l1 r1 s1 c1 o1 p1" {
		t.Errorf("after the restore the other person did %q", got)
	}
	restored.Eventually(time.Minute, "the figures are as they were", func() bool { return figures(restored) == before })
	restored.Stop()

	var ask struct{ ID string }
	s.Must("POST", "/people/"+ids[gone.name]+"/erasure", map[string]any{"mode": "refuse"}, &ask)
	s.Eventually(2*time.Minute, "the erasure is done", func() bool {
		var receipt struct{ State string }
		s.Do("GET", "/erasures/"+ask.ID, nil, &receipt)
		return receipt.State == "done"
	})
	if code := s.Do("GET", "/people/"+ids[gone.name], nil, nil); code != http.StatusNotFound {
		t.Errorf("the person answers %d", code)
	}
	if after := figures(s); after != before {
		t.Errorf("figures were %s, are %s", before, after)
	}
	size(s, 1)
}
