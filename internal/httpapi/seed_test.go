package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// marker stands in every name, address and value of the seeded business: what another workspace is shown must not hold it.
const marker = "Zanzibar"

// business is a workspace in which something of every noun exists.
type business struct {
	tenant
	ids map[string]string // by name, for expand
}

const brandBody = `{"base":0,"brand":{"name":"Plain","radius":8,"logo":{},"footer":{"address":"1 Harbour Road"},"voice":{"character":"calm"},"fonts":{"body":"sans","heading":"serif"},
	"light":{"page":"#f3f4f1","surface":"#ffffff","subtle":"#f7f8f5","text":"#1f2421","muted":"#5d6660","accent":"#1d6b52","on_accent":"#ffffff","border":"#e0e4de"},
	"dark":{"page":"#121513","surface":"#1c211e","subtle":"#232925","text":"#eef1ed","muted":"#a7b0aa","accent":"#7fd1b0","on_accent":"#0b2119","border":"#343c37"}}}`

const graph = `{"trigger":{"event":{"name":"Zanzibar Cart"}},"nodes":[
	{"id":"w","kind":"wait","title":"Zanzibar wait","config":{"for":{"n":1,"unit":"hour"}},"next":{"next":"s"}},
	{"id":"s","kind":"send","config":{"template":"$template","topic":"$topic"},"next":{"next":"x"}},
	{"id":"x","kind":"exit"}]}`

// business makes a workspace with people who did things, a segment, a list, a template, a topic, an account, a campaign that was sent, a journey
// with somebody inside, members, keys, sources, suppressions and a refused event. All but the people is made through the API.
func (w *world) business() *business {
	w.t.Helper()
	b := &business{tenant: w.tenant(marker + " Trading"), ids: map[string]string{}}
	at := start.Add(-48 * time.Hour)
	for i, user := range []string{"aya", "ben", "cem"} {
		w.feed(
			identify(b.ws, "id-"+user, user, fmt.Sprintf(`{"email":"%s.%s@example.com","first_name":"%s %s","country":"JP","plan":"%s"}`, user, "zanzibar", marker, user, marker), at),
			track(b.ws, "view-"+user, user, marker+" Viewed", `{"product":"Zanzibar spice"}`, at.Add(time.Minute)),
			track(b.ws, "order-"+user, user, event.OrderCompleted, fmt.Sprintf(`{"order_id":"Z-%d","total":%d,"currency":"EUR"}`, i, 60+i), at.Add(time.Hour)),
		)
		var found struct{ Items []struct{ ID string } }
		w.ok(b.key, "GET /people?identifier=user_id:"+user, "", &found)
		b.ids[user] = found.Items[0].ID
	}
	b.make(w, "webhook", "POST /webhooks", `{"name":"Zanzibar ERP","url":"https://zanzibar.example/in","kinds":["message.sent","order.completed"]}`)
	b.make(w, "topic", "POST /topics", `{"name":"Zanzibar news","channels":["email"],"opt_in":"implied"}`)
	b.make(w, "template", "POST /templates", `{"name":"Zanzibar hello","subject":"Hello {{ person.first_name }}","html":"<p>Zanzibar {{ person.plan }}</p>"}`)
	b.make(w, "spare_template", "POST /templates", `{"name":"Zanzibar spare","subject":"Zanzibar","html":"<p>Zanzibar</p>"}`)
	b.make(w, "archived_template", "POST /templates", `{"name":"Zanzibar gone","subject":"Zanzibar","html":"<p>Zanzibar</p>"}`)
	w.ok(b.key, "DELETE /templates/"+b.ids["archived_template"], "", nil)
	w.ok(b.key, "POST /snippets", `{"key":"spice_hours","name":"Zanzibar hours","blocks":[{"type":"text","text":"Zanzibar 9 to 5"}]}`, nil)
	w.ok(b.key, "PUT /brand", strings.Replace(brandBody, "Plain", marker, 1), nil)
	b.make(w, "account", "POST /accounts", `{"kind":"email","name":"Zanzibar mail","from_address":"shop@zanzibar.example","config":{"host":"mail.zanzibar.example","password":"Zanzibar secret"}}`)
	b.make(w, "domain", "POST /sending/domains", `{"domain":"zanzibar.example"}`)
	var domain struct{ Keys []struct{ ID string } }
	w.ok(b.key, "GET /sending/domains/"+b.ids["domain"], "", &domain)
	b.ids["dkim_key"] = domain.Keys[0].ID
	w.ok(b.key, "PUT /accounts/"+b.ids["account"]+"/inbound", `{"address":"back@in.zanzibar.example","replies":true,"provider":"postmark"}`, nil)
	b.make(w, "segment", "POST /segments", `{"name":"Zanzibar buyers","rule":{"event":{"name":"Order Completed","op":"gte","value":1}}}`)
	b.make(w, "archived_segment", "POST /segments", `{"name":"Zanzibar old","rule":{"trait":{"path":"country","op":"eq","value":"DE"}}}`)
	w.evaluate()
	w.ok(b.key, "DELETE /segments/"+b.ids["archived_segment"], "", nil)
	b.make(w, "persona", "POST /personas", b.expand(w, `{"name":"Zanzibar Zoe","segment_id":"$segment"}`))
	b.make(w, "map", "POST /journey-maps", b.expand(w, `{"name":"Zanzibar way","persona_id":"$persona","stages":[{"id":"a","name":"Zanzibar sees","mood":0,"touchpoints":[{"id":"t","signals":[{"name":"Zanzibar Viewed"}]}]},
		{"id":"b","name":"Buys","mood":1,"touchpoints":[{"id":"u","signals":[{"name":"Order Completed"}]}]}]}`))
	b.make(w, "list", "POST /lists", `{"name":"Zanzibar list"}`)
	w.ok(b.key, "POST /lists/"+b.ids["list"]+"/members", b.expand(w, `{"rows":["$aya","user_id:ben"]}`), nil)
	w.ok(b.key, "POST /people/"+b.ids["cem"]+"/subscriptions", b.expand(w, `{"topic":"$topic","channel":"email","status":"unsubscribed","evidence":"Zanzibar letter"}`), nil)
	w.ok(b.key, "POST /suppressions", `{"channel":"email","addresses":["zanzibar@example.com"],"detail":"Zanzibar"}`, nil)
	var suppressed struct{ Items []struct{ Hash string } }
	w.ok(b.key, "GET /suppressions", "", &suppressed)
	b.ids["hash"] = suppressed.Items[0].Hash
	w.settle()

	b.make(w, "journey", "POST /journeys", b.expand(w, `{"name":"Zanzibar journey","draft":`+graph+`}`))
	b.make(w, "draft_journey", "POST /journeys", b.expand(w, `{"name":"Zanzibar draft","draft":`+graph+`}`))
	w.ok(b.key, "POST /journeys/"+b.ids["journey"]+"/publish", "", nil)
	w.feed(track(b.ws, "cart-aya", "aya", marker+" Cart", `{"product":"Zanzibar"}`, start))
	w.walk()
	var rounds struct{ Items []struct{ ID string } }
	w.ok(b.key, "GET /people/"+b.ids["aya"]+"/journeys", "", &rounds)
	b.ids["round"] = rounds.Items[0].ID

	b.make(w, "campaign", "POST /campaigns", b.expand(w, `{"name":"Zanzibar sale","audience":{"include":["$segment"]},"topic":"$topic","template":"$template"}`))
	b.make(w, "draft_campaign", "POST /campaigns", b.expand(w, `{"name":"Zanzibar plan","audience":{"include":["$segment"]},"topic":"$topic","template":"$template"}`))
	w.ok(b.key, "POST /campaigns/"+b.ids["campaign"]+"/launch", "", nil)
	w.walk()
	w.send(2) // cem has unsubscribed
	w.walk()
	w.clock.Advance(time.Hour / 2)
	w.feed(track(b.ws, "order-after", "aya", event.OrderCompleted, `{"order_id":"Z-9","total":25.5,"currency":"EUR"}`, w.clock.Now()))
	var messages struct{ Items []struct{ ID string } }
	w.ok(b.key, "GET /people/"+b.ids["aya"]+"/messages", "", &messages)
	b.ids["message"] = messages.Items[0].ID

	var arrived struct {
		Items []struct {
			ID string `json:"message_id"`
		}
	}
	w.ok(b.key, "GET /people/"+b.ids["aya"]+"/events?type=message", "", &arrived)
	b.ids["arrived"] = arrived.Items[0].ID

	var deliveries struct{ Items []struct{ ID string } }
	w.ok(b.key, "GET /webhooks/"+b.ids["webhook"]+"/deliveries", "", &deliveries)
	b.ids["delivery"] = deliveries.Items[0].ID

	var apart struct{ ID string }
	w.ok(b.key, "POST /people/"+b.ids["aya"]+"/separate", b.expand(w, `{"other":"$ben","note":"Zanzibar twins"}`), &apart)
	b.ids["apart"] = apart.ID
	var erasure struct{ ID string }
	w.ok(b.key, "POST /people/"+b.ids["ben"]+"/erasure", `{"mode":"refuse"}`, &erasure)
	b.ids["erasure"] = erasure.ID
	w.ok(b.key, "POST /refusals", `{"identifiers":[{"kind":"email","value":"refused@zanzibar.example"}]}`, nil)
	var refusals struct{ Items []struct{ Hash string } }
	w.ok(b.key, "GET /refusals", "", &refusals)
	b.ids["refusal"] = refusals.Items[0].Hash
	b.ids["suggestion"], b.ids["spare_suggestion"] = w.suggest(b, "aya", "cem"), w.suggest(b, "ben", "cem")
	var owed struct{ ID string }
	w.ok(b.key, "PUT /invoices", b.expand(w, `{"number":"Z-1","person":"$aya","title":"Zanzibar plan","amount":5000,"currency":"JPY","due_on":"2026-12-31"}`), &owed)
	b.ids["invoice"] = owed.ID
	w.settle()

	b.make(w, "series", "POST /series", b.expand(w, `{"name":"Zanzibar weekly","audience":{"include":["$segment"]},"topic":"$topic","template":"$template","schedule":{"every":"day","at":"09:00"}}`))
	b.make(w, "saved_report", "POST /saved-reports", `{"name":"Zanzibar weekly","report":"topics"}`)
	w.ok(b.key, "PUT /campaigns/"+b.ids["campaign"]+"/note", `{"base":0,"plan":"Zanzibar plan","target":{"figure":"conversion_rate","value":0.05}}`, nil)
	var waiting struct{ ID string }
	r := w.call("POST /messages", asked{key: b.key, header: map[string]string{"Idempotency-Key": "parcel-1"}, body: b.expand(w, `{"to":{"person":"$aya"},"subject":"Zanzibar parcel","text":"Zanzibar","send_at":"2026-04-01T09:00:00Z"}`)})
	w.must(json.Unmarshal(r.Body.Bytes(), &waiting))
	b.ids["waiting"] = waiting.ID
	w.must(sqlstore.NewOutbox(w.db).AddBounces(w.t.Context(), b.ws, []outbox.Bounce{{
		MessageID: b.ids["message"], PersonID: b.ids["aya"], Channel: "email", Class: "full", Code: "552 5.2.2", Detail: "Zanzibar mailbox full", Hash: "h", Hint: "a…", At: w.clock.Now(),
	}}))

	b.make(w, "todo", "POST /tasks", b.expand(w, `{"title":"Zanzibar call","person_id":"$aya"}`))
	b.make(w, "spare_todo", "POST /tasks", b.expand(w, `{"title":"Zanzibar spare","person_id":"$aya"}`))
	w.settle()
	b.make(w, "secret", "POST /journey-secrets", `{"name":"Zanzibar CRM","value":"Zanzibar token"}`)
	b.make(w, "source", "POST /sources", `{"name":"Zanzibar site","kind":"browser"}`)
	b.make(w, "key", "POST /keys", `{"name":"Zanzibar key","scopes":["people.read"]}`)
	b.ids["owner"] = w.user(b.ws, "owner@zanzibar.example", staff.Owner).User.ID
	b.ids["member"] = w.user(b.ws, "viewer@zanzibar.example", staff.Viewer).User.ID
	w.must(w.rejections.Reject(w.t.Context(), []event.Rejection{{ID: "rej_1", Workspace: b.ws, Source: b.ids["source"], Time: start, MessageID: "Zanzibar-1", Type: "track", Code: "event.name.missing", Reason: "Zanzibar"}}))
	b.make(w, "api_journey", "POST /journeys", b.expand(w, `{"name":"Zanzibar orders","draft":{"trigger":{"api":{}},"nodes":[{"id":"w","kind":"wait","config":{"for":{"n":1,"unit":"day"}}}]}}`))
	w.ok(b.key, "POST /journeys/"+b.ids["api_journey"]+"/publish", "", nil)
	b.make(w, "simulation", "POST /journeys/"+b.ids["journey"]+"/simulations", `{"version":1,"days":7}`)
	b.make(w, "upload", "POST /uploads", "email\njob@zanzibar.example\nnonsense\n")
	b.make(w, "spare_upload", "POST /uploads", "email\nspare@zanzibar.example\n")
	var begun struct{ ID string }
	w.ok(b.key, "POST /suppressions/import", b.expand(w, `{"upload":"$upload","channel":"email","name":"Zanzibar list.csv"}`), &begun)
	b.ids["job"] = begun.ID
	b.make(w, "mapping", "POST /import-mappings", `{"name":"Zanzibar shop","columns":["email"],"plan":{"columns":[{"name":"email","to":"identifier","key":"email"}]}}`)
	b.make(w, "people_upload", "POST /uploads", "user,city\ncem,Zanzibar City\n")
	w.ok(b.key, "POST /imports", b.expand(w, `{"upload":"$people_upload","name":"Zanzibar people.csv","layout":{"form":"delimited","encoding":"utf-8","delimiter":"comma","header":true},"plan":{"columns":[{"name":"user","to":"identifier","key":"user_id"},{"name":"city","to":"trait","key":"city"}]}}`), &begun)
	b.ids["people_job"] = begun.ID
	w.ok(b.key, "POST /identity-scheme/simulations", fewKinds, &begun)
	b.ids["kinds"] = begun.ID
	w.ok(b.key, "POST /lists/"+b.ids["list"]+"/changes", `{"who":{"q":"user-nobody"},"remove":true}`, &begun)
	b.ids["list_job"] = begun.ID
	w.work()
	w.ok(b.key, "POST /suppressions/import", b.expand(w, `{"upload":"$spare_upload","channel":"email","name":"Zanzibar waits.csv"}`), &begun)
	b.ids["waiting_job"] = begun.ID
	b.make(w, "task", "POST /journeys/"+b.ids["api_journey"]+"/additions", b.expand(w, `{"person_ids":["$cem"],"confirmed_count":1}`))
	return b
}

func (b *business) expand(w *world, text string) string { return expand(w.t, text, b.ids) }

// make creates something through the API and remembers its id.
func (b *business) make(w *world, name, what, body string) {
	w.t.Helper()
	r := w.call(what, asked{key: b.key, body: body})
	if r.Code != http.StatusCreated {
		w.t.Fatalf("%s: %d %s", what, r.Code, r.Body)
	}
	b.ids[name] = idOf(w.t, r)
}

// suggest notes that two people may be one, as a refused merge does, and returns the id of the suggestion.
func (w *world) suggest(b *business, one, two string) string {
	w.t.Helper()
	found, err := w.people.ByIDs(w.t.Context(), b.ws, []string{b.ids[one], b.ids[two]})
	w.must(err)
	row := person.SuggestionRow{
		ID: id.New("sug"), One: found[b.ids[one]].Num, Two: found[b.ids[two]].Num, Status: person.Open, Score: 100, First: 1, Last: 1,
		Evidence: `[{"r":"conflict","k":"email","v":"family@zanzibar.example","n":2,"f":1,"l":1}]`,
	}
	w.must(sqlstore.NewPerson(w.db).SaveSuggestions(w.t.Context(), b.ws, []person.SuggestionRow{row}))
	return row.ID
}
