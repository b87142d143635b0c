package story_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel/email/smtptest"
	"github.com/kizuna-cx/kizuna/test/harness"
)

// In this story couples share an address: two browsers each, a and b, which have both ordered. Staff decide that an address makes one person of two, and later
// that it does not, and the server is killed in the middle of either. a wants to be written to; of the bs every third refuses, every third agrees, and
// the others say nothing.
func TestSegmentsJourneysAndConsentFollowAnotherIdentityScheme(t *testing.T) {
	onEachEngine(t, anotherScheme)
}

// couples are so many that the scheme is applied in more than one step, which takes 500 identifiers.
const couples = 180

func refuses(n int) bool { return n%3 == 0 }
func agrees(n int) bool  { return n%3 == 1 }

type couple struct {
	s                     *harness.Server
	t                     *testing.T
	ordered, twice, mayBe string // segments
	journey               string
	sink                  *smtptest.Server
	ahead                 time.Duration // of the machine's clock, which is what a server begins with
}

func anotherScheme(t *testing.T, s *harness.Server) {
	c := &couple{s: s, t: t, sink: smtptest.Start(t)}
	mailAccount(t, s, c.sink.Addr())
	c.choose(false, map[string]int{"people": 0, "merged": 0, "split": 0})

	segment := func(name, rule string) string {
		var made struct{ ID string }
		s.Must("POST", "/segments", fmt.Sprintf(`{"name":%q,"rule":%s}`, name, rule), &made)
		return made.ID
	}
	c.ordered = segment("Ordered", `{"event":{"name":"Order Completed"}}`)
	c.twice = segment("Ordered more than once", `{"event":{"name":"Order Completed","agg":"count","op":"gte","value":2}}`)
	c.mayBe = segment("Can be mailed News", fmt.Sprintf(`{"all":[{"channel":{"kind":"email","reachable":true}},{"channel":{"kind":"email","subscribed":%q}}]}`, newsTopic(t, s)))
	c.journey = orderJourney(t, s, aDay, `"re_entry":{"mode":"always"},`)

	began := time.Now().Add(-time.Hour)
	for n := range couples {
		at := func(second int) string {
			return began.Add(time.Duration(10*n+second) * time.Second / 4).UTC().Format(time.RFC3339Nano)
		}
		var batch []harness.Event
		for i, browser := range []string{"a", "b"} {
			who := fmt.Sprintf("%03d%s", n, browser)
			batch = append(batch,
				harness.Event{"type": "identify", "anonymousId": who, "messageId": "i" + who, "timestamp": at(3 * i), "traits": map[string]any{"email": c.address(n)}},
				harness.Event{"type": "track", "event": "Order Completed", "anonymousId": who, "messageId": "o" + who, "timestamp": at(3*i + 1)})
			say := "Subscribed"
			if browser == "b" && refuses(n) {
				say = "Unsubscribed"
			}
			if browser == "a" || refuses(n) || agrees(n) {
				batch = append(batch, harness.Event{
					"type": "track", "event": say, "anonymousId": who, "messageId": "s" + who, "timestamp": at(3*i + 2),
					"properties": map[string]any{"topic": "News", "channel": "email"},
				})
			}
		}
		if !s.Send(batch...) {
			t.Fatal("events not taken")
		}
	}
	c.holds("two people each", 2*couples, 2*couples, 0, couples+couples/3, 2*couples)

	c.choose(true, map[string]int{"merged": couples, "split": 0})
	c.holds("one person each, who refuses if one of them has", couples, couples, couples, 2*couples/3, couples)
	c.arrive(1)

	for n := range couples { // they order once more, and become two while they wait for the mail
		if !s.Send(harness.Event{"type": "track", "event": "Order Completed", "anonymousId": fmt.Sprintf("%03db", n), "messageId": fmt.Sprintf("again%03d", n)}) {
			t.Fatal("an order was not taken")
		}
	}
	c.holds("all have ordered once more", couples, couples, couples, 2*couples/3, couples)
	c.choose(false, map[string]int{"merged": 0, "split": couples})
	// A yes is not divided: it stays with one of the two. A refusal is both's.
	c.holds("two people each again", 2*couples, 2*couples, couples, 2*couples/3, couples)
	c.arrive(2)

	var members struct{ Items []struct{ Email string } }
	for cursor := ""; ; {
		var page struct {
			Items      []struct{ Email string }
			NextCursor string `json:"next_cursor"`
		}
		s.Must("GET", "/segments/"+c.mayBe+"/members?limit=500&cursor="+cursor, nil, &page)
		members.Items = append(members.Items, page.Items...)
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	for n := range couples {
		if refuses(n) && slices.ContainsFunc(members.Items, func(m struct{ Email string }) bool { return m.Email == c.address(n) }) {
			t.Errorf("somebody at %s can be mailed, where one has refused", c.address(n))
		}
	}
}

func (c *couple) address(n int) string { return fmt.Sprintf("e%03d@people.example", n) }

// holds waits until there are so many people, who have ordered, have done so more than once, can be mailed, and are on the way in the journey.
func (c *couple) holds(what string, people, ordered, twice, mayBe, active int) {
	c.t.Helper()
	want := [5]int{people, ordered, twice, mayBe, active}
	var got [5]int
	defer func() { c.t.Logf("%s: %v", what, got) }()
	c.s.Eventually(3*time.Minute, what, func() bool {
		var st stats
		c.s.Must("GET", "/stats", nil, &st)
		got[0] = st.People
		for i, id := range []string{c.ordered, c.twice, c.mayBe} {
			var now struct{ Size int }
			c.s.Must("GET", "/segments/"+id, nil, &now)
			got[1+i] = now.Size
		}
		var report struct{ Active int }
		c.s.Must("GET", "/journeys/"+c.journey+"/report", nil, &report)
		got[4] = report.Active
		return got == want
	})
}

// arrive lets the day of the journey pass; afterwards every couple has so many mails of it, unless one of them has refused.
func (c *couple) arrive(mails int) {
	c.t.Helper()
	const wait = 25 * time.Hour
	c.s.Advance(wait)
	c.ahead += wait
	c.s.Eventually(3*time.Minute, "nobody is on the way in the journey", func() bool { return gone(c.s, c.journey) })
	got := map[string]int{}
	for _, m := range c.sink.Messages() {
		for _, to := range m.To {
			got[to]++
		}
	}
	for n := range couples {
		want := mails
		if refuses(n) {
			want = 0
		}
		if got[c.address(n)] != want {
			c.t.Errorf("%d mails to %s, want %d", got[c.address(n)], c.address(n), want)
		}
	}
}

// choose simulates the scheme with addresses that join people or do not, expects the figures, and applies it through two deaths of the server.
func (c *couple) choose(joins bool, expect map[string]int) {
	c.t.Helper()
	var now struct {
		Kinds []map[string]any
	}
	c.s.Must("GET", "/identity-scheme", nil, &now)
	for _, k := range now.Kinds {
		if k["name"] == "email" {
			k["joins"] = joins
		}
	}
	var job struct {
		ID, State string
		Figures   map[string]int
	}
	ended := func() bool {
		c.s.Do("GET", "/jobs/"+job.ID, nil, &job)
		return job.State == "done" || job.State == "failed"
	}
	simulate := func() map[string]int {
		c.s.Must("POST", "/identity-scheme/simulations", map[string]any{"kinds": now.Kinds}, &job)
		c.s.Eventually(2*time.Minute, "the simulation ends", ended)
		return maps.Clone(job.Figures)
	}
	figures := simulate()
	for name, n := range expect {
		if figures[name] != n {
			c.t.Errorf("the simulation says %v, want %s %d", figures, name, n)
		}
	}
	c.s.Must("PUT", "/identity-scheme", map[string]any{"kinds": now.Kinds, "simulation": job.ID}, &job)
	die := func() {
		c.s.Kill()
		c.s.Launch()
		c.ahead += time.Minute // the lease of the dead runs out
		c.s.Advance(c.ahead)
	}
	people := func() int {
		var st stats
		c.s.Must("GET", "/stats", nil, &st)
		return st.People
	}
	before := people()
	die()
	c.s.Eventually(2*time.Minute, "some are worked out anew", func() bool { return people() != before || ended() })
	die()
	c.t.Logf("killed with %d people of whom there were %d, the job is %s", people(), before, job.State)
	c.s.Eventually(3*time.Minute, "the scheme is applied", ended)
	if job.State != "done" {
		c.t.Fatalf("the scheme was not applied: %+v", job)
	}
	if again := simulate(); again["merged"]+again["split"] != 0 {
		c.t.Errorf("applied, and simulated once more: %v", again)
	}
}
