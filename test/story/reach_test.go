package story_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/test/harness"
)

// Nobody does anything in this story but staff, and no time passes: segments that ask who can be written to follow what staff change all the same.
func TestSegmentsFollowWhoCanBeWrittenTo(t *testing.T) {
	for _, kind := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(kind), func(t *testing.T) { reach(t, harness.Start(t, database(t, kind)...)) })
	}
}

// soon is how long a segment may take to follow; it is far above what it takes, for machines that do much else.
const soon = time.Minute

func reach(t *testing.T, s *harness.Server) {
	news := newsTopic(t, s)
	var batch []harness.Event
	for _, name := range []string{"aya", "ben", "cho"} {
		batch = append(batch, harness.Event{"type": "identify", "userId": name, "messageId": "i" + name, "traits": map[string]any{"email": name + "@people.example"}})
	}
	batch = append(batch, harness.Event{"type": "track", "event": "Subscribed", "userId": "aya", "messageId": "saya", "properties": map[string]any{"topic": "News", "channel": "email"}})
	if !s.Send(batch...) {
		t.Fatal("events not taken")
	}
	segment := func(name, rule string) string {
		var made struct{ ID string }
		s.Must("POST", "/segments", fmt.Sprintf(`{"name":%q,"rule":%s}`, name, rule), &made)
		return made.ID
	}
	reachable := segment("Reachable", `{"channel":{"kind":"email","reachable":true}}`)
	mailed := segment("Can be mailed News", fmt.Sprintf(`{"all":[{"channel":{"kind":"email","reachable":true}},{"channel":{"kind":"email","subscribed":%q}}]}`, news))
	holds := func(what, segment string, want ...string) {
		t.Helper()
		began := time.Now()
		s.Eventually(soon, what, func() bool {
			var page struct {
				Items []struct{ Name, Email string }
			}
			s.Must("GET", "/segments/"+segment+"/members?limit=100", nil, &page)
			var got []string
			for _, p := range page.Items {
				got = append(got, p.Email[:3])
			}
			slices.Sort(got)
			return slices.Equal(got, want)
		})
		t.Logf("%s: after %s", what, time.Since(began).Round(10*time.Millisecond))
	}
	holds("all three are reachable", reachable, "aya", "ben", "cho")
	holds("one has agreed", mailed, "aya")

	s.Must("POST", "/suppressions", `{"channel":"email","addresses":["AYA@people.example"]}`, nil)
	holds("her address is suppressed", reachable, "ben", "cho")
	holds("so is the way to her for News", mailed)
	var entries struct{ Items []struct{ Hash string } }
	s.Must("GET", "/suppressions?address=aya@people.example", nil, &entries)
	s.Must("DELETE", "/suppressions/email/"+entries.Items[0].Hash, nil, nil)
	holds("her address is allowed again", reachable, "aya", "ben", "cho")
	holds("and News with it", mailed, "aya")

	var found struct{ Items []struct{ ID string } }
	s.Must("GET", "/people?q=ben@people.example", nil, &found)
	s.Must("PUT", "/people/"+found.Items[0].ID+"/suppression", `{"reason":"asked"}`, nil)
	holds("he is suppressed as a person", reachable, "aya", "cho")
	s.Must("DELETE", "/people/"+found.Items[0].ID+"/suppression?why=asked", nil, nil)
	holds("he is not any more", reachable, "aya", "ben", "cho")

	topic := func(optIn string, archived bool) {
		s.Must("PUT", "/topics/"+news, map[string]any{"name": "News", "channels": []string{"email"}, "opt_in": optIn, "archived": archived}, nil)
	}
	topic("implied", false)
	holds("silence is consent", mailed, "aya", "ben", "cho")
	topic("explicit", false)
	s.Kill() // whoever was not looked at yet is so after the restart
	s.Launch()
	holds("silence is none", mailed, "aya")
	topic("explicit", true)
	holds("the topic is archived", mailed)
}
