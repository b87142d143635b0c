package story_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/test/harness"
)

// Every process of an installation is restarted in its place, one after the other, while callers knock at both that take events.
func TestARestartOfEveryProcessRefusesNobody(t *testing.T) {
	long(t)
	p := startParty(t)
	ends := []func() (int64, []error){knock(p.front.URL, "front"), knock(p.spare.URL, "spare")}
	for _, s := range []*harness.Server{p.front, p.work, p.spare, p.work, p.front} {
		before, ready := stored(p.front), strings.Count(s.Log(), "Kizuna is ready")
		if err := syscall.Kill(s.PID(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		s.Eventually(time.Minute, "it is ready again", func() bool { return strings.Count(s.Log(), "Kizuna is ready") > ready })
		s.Eventually(time.Minute, "events are worked on", func() bool { return stored(p.front) > max(before, 0) })
	}
	total := int64(0)
	for _, end := range ends {
		taken, refused := end()
		if len(refused) > 0 {
			t.Errorf("%d of %d callers were refused, the first with: %v", len(refused), taken, refused[0])
		}
		total += taken
	}
	p.front.Eventually(time.Minute, fmt.Sprintf("all %d events are stored once", total), func() bool { return stored(p.front) == total })
}

// What is kept in memory of a workspace's settings follows what another process has changed. soon is well below what would be noticed by chance, when
// something is forgotten after a time.
func TestWhatIsChangedAtOneProcessHoldsAtAll(t *testing.T) {
	long(t)
	const soon = 15 * time.Second
	p := startParty(t)
	n := 0
	// tell sends an event to the process that takes them and returns its message id.
	tell := func(e harness.Event) string {
		t.Helper()
		n++
		e["messageId"] = fmt.Sprint("told-", n)
		if !p.front.Send(e) {
			t.Fatal("the event was not taken")
		}
		return fmt.Sprint("told-", n)
	}
	// kept waits until an event has gone through and returns what became of it.
	kept := func(id string) (out string) {
		t.Helper()
		p.front.Eventually(time.Minute, "the event is kept", func() bool {
			status, raw, err := p.front.Raw("GET", "/api/v1/events/"+id, nil, "Bearer "+harness.APIKey)
			out = string(raw)
			return err == nil && status == http.StatusOK
		})
		return out
	}
	people := func(identifier string) int {
		t.Helper()
		var found struct{ Items []struct{ ID string } }
		p.front.Must("GET", "/people?identifier="+url.QueryEscape(identifier), nil, &found)
		return len(found.Items)
	}
	try := func(key string) int {
		t.Helper()
		req, err := http.NewRequest(http.MethodPost, p.front.URL+"/v1/track", strings.NewReader(`{"event":"Tried","userId":"tried"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth(key, "")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0
		}
		resp.Body.Close()
		return resp.StatusCode
	}

	t.Run("write keys", func(t *testing.T) {
		var source struct {
			ID  string
			Key string `json:"write_key"`
		}
		p.spare.Must("POST", "/sources", map[string]any{"name": "Shop", "kind": "server"}, &source)
		p.front.Eventually(soon, "a new key works", func() bool { return try(source.Key) == http.StatusOK })
		p.spare.Must("DELETE", "/sources/"+source.ID, nil, nil)
		p.front.Eventually(soon, "a withdrawn one does not", func() bool { return try(source.Key) == http.StatusUnauthorized })
	})
	t.Run("rules of intake", func(t *testing.T) {
		paid := func() string {
			t.Helper()
			return kept(tell(harness.Event{"type": "track", "event": "Paid", "userId": "payer", "properties": map[string]any{"card": "4111"}}))
		}
		if !strings.Contains(paid(), "4111") {
			t.Fatal("the field is left out before anybody has said so")
		}
		p.spare.Must("PUT", "/privacy-rules", `{"fields":[{"path":"properties.card","action":"drop"}],"consent":[],"unasked":true}`, nil)
		p.front.Eventually(soon, "the field is left out", func() bool { return !strings.Contains(paid(), "4111") })
	})
	t.Run("region", func(t *testing.T) {
		// While somebody is refused, intake has to know the region.
		p.spare.Must("POST", "/refusals", map[string]any{"identifiers": []map[string]string{{"kind": "email", "value": "nobody@example.com"}}}, nil)
		p.front.Eventually(soon, "an address is refused", func() bool {
			n++
			who := fmt.Sprint("nobody-", n)
			tell(harness.Event{"type": "identify", "anonymousId": who, "traits": map[string]any{"email": "nobody@example.com"}})
			kept(tell(harness.Event{"type": "track", "event": "After", "userId": "after"})) // what came before has gone through, too
			return people("anonymous_id:"+who) == 0
		})
		p.spare.Must("PATCH", "/workspace", map[string]any{"default_region": "JP"}, nil)
		p.front.Eventually(soon, "a number without country code is one of the region", func() bool {
			kept(tell(harness.Event{"type": "identify", "userId": fmt.Sprint("caller-", n), "traits": map[string]any{"phone": fmt.Sprintf("090-1234-%04d", n)}}))
			return people(fmt.Sprintf("phone:+81901234%04d", n-1)) == 1
		})
		p.spare.Must("POST", "/refusals", map[string]any{"identifiers": []map[string]string{{"kind": "phone", "value": "090-9999-0000"}}}, nil)
		p.front.Eventually(soon, "and refused as such", func() bool {
			n++
			who := fmt.Sprint("refused-", n)
			tell(harness.Event{"type": "identify", "anonymousId": who, "traits": map[string]any{"phone": "090-9999-0000"}})
			kept(tell(harness.Event{"type": "track", "event": "After", "userId": "after"}))
			return people("anonymous_id:"+who) == 0
		})
	})
	t.Run("what identifies a person", func(t *testing.T) {
		// same reports whether two devices that name the same address are one person.
		same := func() bool {
			t.Helper()
			n++
			k := n
			for i := range 2 {
				kept(tell(harness.Event{"type": "identify", "anonymousId": fmt.Sprintf("device-%d-%d", k, i), "traits": map[string]any{"email": fmt.Sprintf("two%d@example.com", k)}}))
			}
			var ids [2]string
			for i := range ids {
				var found struct{ Items []struct{ ID string } }
				p.front.Must("GET", "/people?identifier="+url.QueryEscape(fmt.Sprintf("anonymous_id:device-%d-%d", k, i)), nil, &found)
				if len(found.Items) != 1 {
					t.Fatalf("device %d is %d people", i, len(found.Items))
				}
				ids[i] = found.Items[0].ID
			}
			return ids[0] == ids[1]
		}
		if !same() {
			t.Fatal("two devices with one address are two people at first")
		}
		var scheme struct {
			Kinds []map[string]any
		}
		p.spare.Must("GET", "/identity-scheme", nil, &scheme)
		for _, k := range scheme.Kinds {
			if k["name"] == "email" {
				k["joins"] = false
			}
		}
		var job struct{ ID, State string }
		done := func(path string) {
			t.Helper()
			p.spare.Eventually(time.Minute, "the job is done", func() bool {
				var raw json.RawMessage
				p.spare.Do("GET", path, nil, &raw)
				return strings.Contains(string(raw), `"state":"done"`)
			})
		}
		p.spare.Must("POST", "/identity-scheme/simulations", map[string]any{"kinds": scheme.Kinds}, &job)
		done("/identity-scheme/simulations/" + job.ID)
		p.spare.Must("PUT", "/identity-scheme", map[string]any{"kinds": scheme.Kinds, "simulation": job.ID}, &job)
		done("/jobs/" + job.ID)
		p.front.Eventually(soon, "an address joins nobody any more", func() bool { return !same() })
	})
}
