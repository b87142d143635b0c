package httpapi_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// TestEdge25And28And30_AMergeReachesEveryNoun tells how two people with everything the product knows of become one: edge cases 25 (a merge during an
// open journey), 28 (with somebody who must not be written to) and 30 (they said different things) of identity.
func TestEdge25And28And30_AMergeReachesEveryNoun(t *testing.T) {
	for _, engine := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) { mergeReachesEveryNoun(newWorldOn(t, engine)) })
	}
}

type items struct {
	Items []struct {
		ID, Status, State string
		JourneyID         string `json:"journey_id"`
		PersonID          string `json:"person_id"`
	}
}

func mergeReachesEveryNoun(w *world) {
	t := w.t
	b := &business{tenant: w.tenant("Merge"), ids: map[string]string{}}
	at := start.Add(-24 * time.Hour)
	browse := event.Event{Workspace: b.ws, MessageID: "a1", Type: event.Identify, AnonymousID: "phone", Time: at, Received: at, Origin: event.Browser, Properties: json.RawMessage(`{"email":"aya@old.example","plan":"gold","city":"Kyoto"}`)}
	w.feed(browse, identify(b.ws, "b1", "u1", `{"email":"aya@new.example","plan":"gold","name":"Aya"}`, at.Add(time.Minute)))
	for name, identifier := range map[string]string{"lost": "anonymous_id:phone", "kept": "user_id:u1"} {
		var found items
		w.ok(b.key, "GET /people?identifier="+identifier, "", &found)
		b.ids[name] = found.Items[0].ID
	}

	// Both are in everything.
	b.make(w, "account", "POST /accounts", `{"kind":"email","name":"m","from_address":"shop@example.com","config":{"host":"mail.example","password":"p"}}`)
	b.make(w, "news", "POST /topics", `{"name":"Our news","channels":["email"],"opt_in":"implied"}`)
	b.make(w, "offers", "POST /topics", `{"name":"Our offers","channels":["email"],"opt_in":"implied"}`)
	b.make(w, "template", "POST /templates", `{"name":"t","subject":"Hello","html":"<p>Hello</p>"}`)
	b.make(w, "segment", "POST /segments", `{"name":"Gold","rule":{"trait":{"path":"plan","op":"eq","value":"gold"}}}`)
	w.evaluate()
	b.make(w, "list", "POST /lists", `{"name":"l"}`)
	w.ok(b.key, "POST /lists/"+b.ids["list"]+"/members", b.expand(w, `{"rows":["$lost","$kept"]}`), nil)
	graph := b.expand(w, `{"trigger":{"event":{"name":"Cart"}},"nodes":[
		{"id":"w","kind":"wait","config":{"for":{"n":1,"unit":"hour"}},"next":{"next":"s"}},
		{"id":"s","kind":"send","config":{"template":"$template","topic":"$news"},"next":{"next":"x"}},
		{"id":"x","kind":"exit"}]}`)
	b.make(w, "journey", "POST /journeys", `{"name":"Cart","draft":`+graph+`}`)
	w.ok(b.key, "POST /journeys/"+b.ids["journey"]+"/publish", "", nil)
	cart := func(msg, user, anon string) event.Event {
		e := track(b.ws, msg, user, "Cart", `{}`, w.clock.Now())
		e.UserID, e.AnonymousID = user, anon
		return e
	}
	w.feed(cart("c1", "u1", ""), cart("c2", "", "phone"))
	w.walk()
	for _, name := range []string{"lost", "kept"} {
		w.ok(b.key, "PUT /invoices", b.expand(w, fmt.Sprintf(`{"number":"I-%s","person":"$%s","amount":100,"currency":"EUR","due_on":"2026-12-31"}`, name, name)), nil)
		b.make(w, "task_"+name, "POST /tasks", b.expand(w, fmt.Sprintf(`{"title":"call %s","person_id":"$%s"}`, name, name)))
	}
	// They said different things, and one address bounced for good.
	w.ok(b.key, "POST /people/"+b.ids["lost"]+"/subscriptions", b.expand(w, `{"topic":"$offers","channel":"email","status":"unsubscribed"}`), nil)
	w.ok(b.key, "POST /people/"+b.ids["kept"]+"/subscriptions", b.expand(w, `{"topic":"$offers","channel":"email","status":"subscribed"}`), nil)
	w.ok(b.key, "POST /people/"+b.ids["kept"]+"/subscriptions", b.expand(w, `{"topic":"$news","channel":"email","status":"subscribed"}`), nil)
	w.ok(b.key, "POST /suppressions", `{"channel":"email","addresses":["aya@old.example"]}`, nil)
	w.settle()

	// She signs in on the telephone.
	w.clock.Advance(time.Minute)
	w.feed(cart("sign-in", "u1", "phone"))
	w.walk()
	b.ids["one"] = b.ids["kept"]

	get := func(path string) items {
		t.Helper()
		var out items
		w.ok(b.key, "GET "+b.expand(w, path), "", &out)
		return out
	}
	var people items
	w.ok(b.key, "GET /people", "", &people)
	if len(people.Items) != 1 || people.Items[0].ID != b.ids["kept"] {
		t.Fatalf("people: %+v", people)
	}
	var old struct{ ID string }
	w.ok(b.key, "GET /people/"+b.ids["lost"], "", &old)
	if old.ID != b.ids["kept"] {
		t.Errorf("the old id leads to %s", old.ID)
	}

	// Journeys: one way goes on, and one message goes out.
	inside := 0
	for _, r := range get("/people/$one/journeys").Items {
		if r.Status == "active" {
			inside++
		}
	}
	if inside != 1 {
		t.Errorf("%d ways through the journey go on, want 1", inside)
	}
	w.clock.Advance(2 * time.Hour)
	w.walk()
	w.send(1)
	w.clock.Advance(24 * time.Hour)
	w.walk()
	sent := 0
	for _, m := range get("/people/$one/messages").Items {
		if m.State == "sent" {
			sent++
		}
	}
	if sent != 1 {
		t.Errorf("%d messages were sent, want 1: %+v", sent, get("/people/$one/messages"))
	}
	if n := len(w.wire.got); n != 1 || w.wire.got[0].To.Addr != "aya@new.example" {
		t.Errorf("%d messages went out: %+v", n, w.wire.got)
	}

	// Segments and lists: one member, and the loser leaves without a trace that journeys would follow.
	for _, path := range []string{"/segments/$segment/members", "/lists/$list/members"} {
		if got := get(path); len(got.Items) != 1 {
			t.Errorf("%s: %+v", path, got)
		}
	}
	r := w.call("GET /people/"+b.ids["one"]+"/events?limit=200", asked{key: b.key})
	if strings.Contains(r.Body.String(), event.SegmentLeft) {
		t.Errorf("the merge made somebody leave a segment: %s", r.Body)
	}

	// Consent: the no stands against the yes, what only one said stays, and who is suppressed stays so.
	_, states, err := w.consent.Preferences(t.Context(), b.ws, b.ids["one"])
	w.must(err)
	said := map[string]string{}
	for _, s := range states {
		said[s.Topic] = string(s.Status)
	}
	if said[b.ids["offers"]] != "unsubscribed" || said[b.ids["news"]] != "subscribed" {
		t.Errorf("consent: %v", said)
	}
	where := map[string]map[string]string{b.ids["one"]: {"email": "aya@old.example"}}
	reached, err := w.consent.States(t.Context(), b.ws, []string{b.ids["one"]}, where)
	w.must(err)
	if !reached[b.ids["one"]]["email"].Suppressed {
		t.Errorf("the suppressed address may be written to again: %+v", reached)
	}

	// Invoices and tasks are the winner's.
	if got := get("/invoices?person=$one"); len(got.Items) != 2 {
		t.Errorf("invoices: %+v", got)
	}
	mine := 0
	for _, x := range get("/tasks?status=open").Items {
		if x.PersonID == b.ids["one"] {
			mine++
		}
	}
	if mine != 2 {
		t.Errorf("%d tasks are about the one person, want 2: %+v", mine, get("/tasks?status=open"))
	}
	// The identity log says why.
	if r := w.call("GET /people/"+b.ids["one"]+"/identity", asked{key: b.key}).Body.String(); !strings.Contains(r, `"kind":"merged"`) || !strings.Contains(r, b.ids["lost"]) {
		t.Errorf("identity log: %s", r)
	}
}
