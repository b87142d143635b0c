package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// scenario is one request and what must be said about it.
type scenario struct {
	as     string // "" for the key with all rights, a role for a key with the role's rights, "nobody"
	do     string // METHOD /path, with $ids
	body   string
	status int
	has    string // parts of the answer separated by " | "
	not    string // the same, that must not be in it
	keep   string // name under which the made thing's id goes on
}

// play asks one after the other.
func play(t *testing.T, w *world, b *business, all []scenario) {
	t.Helper()
	keys := map[string]string{"": b.key, "nobody": ""}
	for _, r := range staff.Roles() {
		keys[string(r)] = w.key(b.ws, r.Permissions()...)
	}
	for _, s := range all {
		key, ok := keys[s.as]
		if !ok {
			t.Fatalf("%q is nobody we know", s.as)
		}
		r := w.call(b.expand(w, s.do), asked{key: key, body: b.expand(w, s.body)})
		name := s.as + " " + s.do + " " + s.body
		if r.Code != s.status {
			t.Errorf("%s: %d %s, want %d", name, r.Code, r.Body, s.status)
			continue
		}
		if s.status >= 400 {
			problemOf(t, r)
		} else if ct := r.Header().Get("Content-Type"); s.status != http.StatusNoContent && ct != "application/json" && !strings.Contains(s.do, "/files/") {
			t.Errorf("%s: content type %q", name, ct)
		}
		got := r.Body.String()
		for _, part := range pieces(s.has) {
			if part = b.expand(w, part); !strings.Contains(got, part) {
				t.Errorf("%s: %s lacks %s", name, got, part)
			}
		}
		for _, part := range pieces(s.not) {
			if part = b.expand(w, part); strings.Contains(got, part) {
				t.Errorf("%s: %s holds %s", name, got, part)
			}
		}
		if s.status == http.StatusNoContent && got != "" {
			t.Errorf("%s: 204 with a body: %s", name, got)
		}
		if s.keep != "" {
			b.ids[s.keep] = idOf(t, r)
		}
	}
}

func pieces(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, " | ")
}

func TestWorkspaceScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	play(t, w, b, []scenario{
		{do: "GET /workspace", status: 200, has: `"name":"Zanzibar Trading" | "timezone":"UTC" | "currency":"USD"`},
		{as: "viewer", do: "GET /workspace", status: 200},
		{do: "PATCH /workspace", body: `{"timezone":"Asia/Tokyo","sender_email":"hi@zanzibar.example"}`, status: 200, has: `"timezone":"Asia/Tokyo" | "sender_email":"hi@zanzibar.example" | "name":"Zanzibar Trading"`},
		{do: "PATCH /workspace", body: `{"timezone":"Mars/Base"}`, status: 422, has: `"code":"workspace.timezone.unknown" | "field":"timezone"`},
		{do: "PATCH /workspace", body: `{"sender_email":"nonsense"}`, status: 422, has: `"field":"sender_email"`},
		{do: "PATCH /workspace", body: `{"timezone":"x","currency":"y"}`, status: 422, has: `"location":"timezone" | "location":"currency"`},
		{do: "GET /workspace", status: 200, has: `"timezone":"Asia/Tokyo"`},
		{as: "marketer", do: "PATCH /workspace", body: `{"name":"x"}`, status: 403, has: "settings.write"},
		{as: "viewer", do: "GET /plan", status: 200, has: `"cadence":{"least":0,"most":0,"person":0}`},
		{as: "marketer", do: "PUT /plan/cadence", body: `{"least":1,"most":3,"person":4}`, status: 200, has: `{"least":1,"most":3,"person":4}`},
		{as: "viewer", do: "GET /plan", status: 200, has: `"cadence":{"least":1,"most":3,"person":4}`},
		{as: "viewer", do: "PUT /plan/cadence", body: `{"least":1,"most":3,"person":4}`, status: 403, has: "campaigns.write"},
		{do: "PUT /plan/cadence", body: `{"least":3,"most":2,"person":0}`, status: 422, has: `"code":"workspace.cadence.order" | "field":"most"`},
		{do: "PUT /plan/cadence", body: `{"least":-1,"most":0,"person":0}`, status: 422, has: `"field":"least"`},

		{do: "GET /sources", status: 200, has: `"write_key":"wk_`},
		{as: "marketer", do: "GET /sources", status: 403, not: "wk_"},
		{do: "POST /sources", body: `{"name":"shop","kind":"server"}`, status: 201, has: `"kind":"server" | "disabled":false | "write_key":"wk_`, keep: "shop"},
		{do: "POST /sources", body: `{"name":"","kind":"server"}`, status: 422, has: `"field":"name"`},
		{do: "POST /sources", body: `{"name":"x","kind":"toaster"}`, status: 422, has: `"field":"kind"`},
		{do: "POST /sources", body: `{"name":"x","kind":"server","write_key":"mine"}`, status: 422, has: `"field":"write_key"`},
		{do: "PUT /sources/$shop", body: `{"name":"shop 2","disabled":true}`, status: 200, has: `"disabled":true | "name":"shop 2"`},
		{do: "PUT /sources/none", body: `{"name":"x","disabled":true}`, status: 404, has: "source.not_found"},
		{do: "DELETE /sources/$shop", status: 204},
		{do: "DELETE /sources/$shop", status: 404},

		{do: "GET /rejections", status: 200, has: `"code":"event.name.missing" | "message_id":"Zanzibar-1" | "index":0`},
		{do: "GET /rejections?source=$source", status: 200, has: "Zanzibar-1"},
		{do: "GET /rejections?source=other", status: 200, has: `"items":[]`},

		{do: "GET /events", status: 200, has: `"person":"$aya"`, not: "properties"},
		{do: "GET /events?type=message&limit=500", status: 200, has: "$arrived"},
		{do: "GET /events?type=page", status: 200, not: "$arrived"},
		{do: "GET /events?source=other", status: 200, has: `"items":[]`},
		{do: "GET /events/$arrived", status: 200, has: `"person":"$aya" | "type":"message" | "properties":{`},
		{do: "GET /events/none", status: 404, has: "event.not_found"},

		{do: "GET /keys", status: 200, has: `"name":"Zanzibar key"`, not: `"secret"`},
		{do: "POST /keys", body: `{"name":"reader","scopes":["people.read","reports.read"]}`, status: 201, has: `"secret":"kz_ | "hint":"kz_`, keep: "reader"},
		{do: "POST /keys", body: `{"name":"reader","scopes":[]}`, status: 422, has: `"field":"scopes"`},
		{do: "POST /keys", body: `{"name":"reader","scopes":["people.eat"]}`, status: 422, has: `"code":"staff.key.scopes.unknown"`},
		{do: "POST /keys", body: `{"name":"late","scopes":["people.read"],"expires_at":"2020-01-01T00:00:00Z"}`, status: 422, has: `"field":"expires_at"`},
		{as: "admin", do: "POST /keys", body: `{"name":"more","scopes":["owners.write"]}`, status: 403, has: "staff.key.scopes.beyond"},
		{as: "marketer", do: "POST /keys", body: `{"name":"x","scopes":["people.read"]}`, status: 403},
		{do: "DELETE /keys/$reader", status: 200, has: `"revoked_at"`},
		{do: "DELETE /keys/none", status: 404},

		{do: "GET /staff", status: 200, has: `"role":"viewer" | owner@zanzibar.example`, not: "hash"},
		{as: "analyst", do: "GET /staff", status: 403},
		{do: "POST /staff", body: `{"email":"carl@zanzibar.example","role":"agent"}`, status: 201, has: `"role":"agent" | "token":"`},
		{do: "POST /staff", body: `{"email":"carl@zanzibar.example","role":"agent"}`, status: 409},
		{do: "POST /staff", body: `{"email":"nonsense","role":"agent"}`, status: 422, has: `"field":"email"`},
		{do: "POST /staff", body: `{"email":"x@zanzibar.example","role":"king"}`, status: 422, has: `"field":"role"`},
		{as: "admin", do: "POST /staff", body: `{"email":"x@zanzibar.example","role":"owner"}`, status: 403, has: "staff.role.beyond"},
		{do: "PUT /staff/$owner/role", body: `{"role":"viewer"}`, status: 409, has: "staff.owner.last"},
		{do: "DELETE /staff/$owner", status: 409},
		{do: "PUT /staff/none/role", body: `{"role":"viewer"}`, status: 404},
		{do: "POST /staff/$member/reset", status: 200, has: `"token":"`},
		{as: "admin", do: "POST /staff/$owner/reset", status: 403},
		{do: "DELETE /staff/$member", status: 204},
		{do: "DELETE /staff/$member", status: 404},
		{as: "admin", do: "GET /audit?action=staff.add", status: 200, has: `"action":"staff.add" | "role"`},
		{do: "GET /audit?action=none", status: 200, has: `"items":[]`},
		{do: "GET /audit?from=yesterday", status: 422, has: `"field":"from"`},
		{as: "marketer", do: "GET /audit", status: 403},
	})
}

func TestPeopleScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	play(t, w, b, []scenario{
		{do: "GET /people", status: 200, has: `"name":"Zanzibar aya" | aya.zanzibar@example.com | "next_cursor":""`},
		{do: "GET /people?limit=1", status: 200, not: `"next_cursor":""`},
		{do: "GET /people?q=AYA", status: 200, has: "aya.zanzibar", not: "ben.zanzibar"},
		{do: "GET /people?q=nobody", status: 200, has: `"items":[]`},
		{do: "GET /people?q=%25", status: 200, has: `"items":[]`},
		{do: "GET /people?status=identified&q=zanzibar", status: 200, has: "aya.zanzibar | ben.zanzibar"},
		{do: "GET /people?status=anonymous&q=zanzibar", status: 200, has: `"items":[]`},
		{do: "GET /people?status=lost", status: 422, has: `"field":"status"`},
		{do: "GET /people?set=$list", status: 200, has: "aya.zanzibar | ben.zanzibar", not: "cem.zanzibar"},
		{do: "GET /people?set=$list&limit=1", status: 200, not: `"next_cursor":""`},
		{do: "GET /people?set=$segment&q=aya", status: 200, has: "aya.zanzibar", not: "ben.zanzibar"},
		{do: "GET /people?set=seg_none", status: 404},
		{do: "GET /people?reachable=email&q=zanzibar", status: 200, has: "aya.zanzibar"},
		{do: "GET /people?reachable=sms", status: 200, has: `"items":[]`},
		{do: "GET /people?seen_before=2001-01-01T00:00:00Z", status: 200, has: `"items":[]`},
		{do: "GET /people?seen_after=2001-01-01T00:00:00Z&q=aya", status: 200, has: "aya.zanzibar"},
		{do: "GET /people?order=recent&q=zanzibar", status: 200, has: "aya.zanzibar"},
		{do: "GET /people?order=silent&set=$list&limit=1", status: 200, not: `"next_cursor":""`},
		{do: "GET /people?order=loudest", status: 422, has: `"field":"order"`},
		{do: "GET /people?seen_after=yesterday", status: 422, has: `"field":"seen_after"`},

		{as: "viewer", do: "GET /people/count?set=$list", status: 200, has: `"count":2`},
		{do: "GET /people/count?q=zanzibar&status=anonymous", status: 200, has: `"count":0`},
		{do: "GET /people/count?set=seg_none", status: 404},
		{do: "GET /people?identifier=user_id:ben", status: 200, has: "ben.zanzibar", not: "aya.zanzibar"},
		{do: "GET /people?identifier=nonsense", status: 422, has: `"code":"person.identifier.invalid" | "field":"identifier"`},
		{do: "GET /people?identifier=shoe_size:44", status: 422, has: `"code":"person.identifier.kind"`},
		{do: "GET /people?identifier=user_id:null", status: 200, has: `"items":[]`},
		{as: "viewer", do: "GET /people/$aya", status: 200, has: `"id":"$aya" | "country":"JP" | "kind":"user_id" | "first_seen"`},
		{do: "GET /people/per_none", status: 404, has: `"code":"person.not_found"`},
		{do: "GET /people/$aya/events?type=track", status: 200, has: `"name":"Zanzibar Viewed" | "product":"Zanzibar spice"`, not: `"type":"identify"`},
		{do: "GET /people/$aya/events?q=ZANZIBAR%20spice", status: 200, has: `"product":"Zanzibar spice"`, not: `"type":"identify"`},
		{do: "GET /people/$aya/events?q=nothing%20of%20the%20kind", status: 200, has: `"items":[]`},
		{do: "GET /people/$aya/events?type=dance", status: 422, has: `"field":"type"`},
		{do: "GET /people/per_none/events", status: 404},
		{do: "GET /people/$aya/portrait", status: 200, has: `aya.zanzibar@example.com | Zanzibar`},
		{do: "GET /people/per_none/portrait", status: 404},
		{do: "GET /people/$aya/identity", status: 200, has: `"kind":"created" | "message_id":"id-aya"`},
		{do: "GET /people/per_none/identity", status: 404},
		{do: "GET /people/$aya/segments", status: 200, has: `{"id":"$segment","name":"Zanzibar buyers","kind":"segment"} | {"id":"$list","name":"Zanzibar list","kind":"list"}`, not: "$archived_segment"},
		{do: "GET /people/$cem/segments", status: 200, not: "$list"},
		{do: "GET /people/$cem/subscriptions", status: 200, has: `"status":"unsubscribed" | Zanzibar letter`},
		{do: "GET /people/$aya/messages", status: 200, has: `"state":"sent" | "subject":"Hello Zanzibar aya" | "converted_at"`},
		{do: "GET /people/$cem/messages", status: 200, has: `"state":"refused" | "reason":"unsubscribed" | "topic_name":"`},
		{do: "GET /people/$aya/journeys", status: 200, has: `"journey_id":"$journey" | "node":"w" | "due_at"`},

		{do: "POST /people", body: `{"identifiers":[{"kind":"user_id","value":"dan"},{"kind":"email","value":"Dan@Example.com"}],"traits":{"first_name":"Dan"}}`, status: 201, has: `"status":"identified" | dan@example.com | "first_name":"Dan"`, keep: "dan"},
		{do: "GET /people/$dan", status: 200, has: `"value":"dan"`},
		{do: "POST /people", body: `{"identifiers":[{"kind":"user_id","value":"dan"}]}`, status: 409, has: `"code":"person.identifier.taken"`, not: "$dan"},
		{do: "POST /people", body: `{"identifiers":[{"kind":"shoe_size","value":"44"}]}`, status: 422, has: `"field":"identifiers[0]"`},
		{do: "POST /people", body: `{"identifiers":[{"kind":"email"}]}`, status: 422, has: `"field":"identifiers[0]`},
		{do: "POST /people", body: `{}`, status: 201, has: `"status":"anonymous"`},
		{as: "analyst", do: "POST /people", body: `{}`, status: 403},
		{as: "agent", do: "PATCH /people/$aya/traits", body: `{"traits":{"plan":"pro","country":null},"idempotency_key":"k1"}`, status: 204},
		{do: "PATCH /people/$aya/traits", body: `{"traits":{},"idempotency_key":"k2"}`, status: 422, has: `"field":"traits"`},
		{do: "PATCH /people/$aya/traits", body: `{"traits":{"a":1}}`, status: 422, has: "idempotency_key"},
		{do: "PATCH /people/$aya/traits", body: `{"traits":{"email":"nobody"},"idempotency_key":"k3"}`, status: 422, has: `"code":"person.traits.unfit" | "field":"traits.email"`},
		{do: "PATCH /people/per_none/traits", body: `{"traits":{"a":1},"idempotency_key":"k"}`, status: 404},
		{as: "viewer", do: "PATCH /people/$aya/traits", body: `{"traits":{"a":1},"idempotency_key":"k"}`, status: 403},

		{do: "POST /people/$ben/subscriptions", body: `{"topic":"$topic","channel":"email","status":"maybe"}`, status: 422, has: `"field":"status"`},
		{do: "POST /people/$ben/subscriptions", body: `{"topic":"tpc_none","channel":"email","status":"subscribed"}`, status: 404},
		{as: "viewer", do: "POST /people/$ben/subscriptions", body: `{"topic":"$topic","channel":"email","status":"subscribed"}`, status: 403},
		{as: "agent", do: "POST /people/$ben/subscriptions", body: `{"topic":"$topic","channel":"email","status":"subscribed","evidence":"on the phone"}`, status: 204},
		{do: "GET /people/$ben/subscriptions", status: 200, has: `"status":"subscribed" | "source":"api" | on the phone`},
		{do: "POST /topics", body: `{"name":"Mute","opt_in":"double","confirmation_template":"tpl_none"}`, status: 422, has: `"field":"confirmation_template" | confirmation_gone`},
		{do: "POST /topics", body: `{"name":"Mute","opt_in":"double","confirmation_template":"$template"}`, status: 422, has: `"field":"confirmation_template" | confirmation_link`},
		{do: "POST /topics", body: `{"name":"Zanzibar offers","opt_in":"double"}`, status: 201, has: `"opt_in":"double" | "text_version":1`, keep: "double"},
		{as: "agent", do: "POST /people/$ben/subscriptions", body: `{"topic":"$double","channel":"email","status":"subscribed","ip":"203.0.113.77"}`, status: 204},
		{do: "GET /suppressions?address=ZANZIBAR@example.com", status: 200, has: `"reason":"manual" | "channel":"email"`},
		{do: "GET /suppressions?address=nobody@example.com", status: 200, has: `"items":[]`},
		{do: "GET /people/$ben/subscriptions", status: 200, has: `"status":"pending" | "ip":"203.0.113.0" | "text_version":1`},
		{as: "agent", do: "PUT /people/$ben/preferences", body: `{"paused_until":"2026-03-20T00:00:00Z","frequency":"weekly","evidence":"on the phone"}`, status: 200, has: `"paused_until":"2026-03-20T00:00:00Z" | "frequency":"weekly"`},
		{as: "viewer", do: "GET /people/$ben/preferences", status: 200, has: `"frequency":"weekly" | "status":"pending" | "status":"subscribed" | "link":"http`},
		{do: "PUT /people/$ben/preferences", body: `{"paused_until":"2036-03-20T00:00:00Z","frequency":"all"}`, status: 422, has: `"field":"paused_until"`},
		{do: "PUT /people/$ben/preferences", body: `{"frequency":"all"}`, status: 200, not: "paused_until"},
		{do: "POST /people/$ben/subscriptions/resend", body: `{"topic":"$double","channel":"email"}`, status: 429, has: "consent.confirm.too_often"},
		{do: "POST /people/$ben/subscriptions/resend", body: `{"topic":"$topic","channel":"email"}`, status: 409, has: "consent.confirm.not_pending"},
		{as: "viewer", do: "PUT /people/$ben/preferences", body: `{"frequency":"all"}`, status: 403},

		{do: "GET /stats", status: 200, has: `"people":5 | "events":`},
		{as: "agent", do: "GET /stats", status: 403},
		{do: "GET /event-names", status: 200, has: `"name":"Zanzibar Viewed","count":3`},
		{do: "GET /event-names?limit=1", status: 200, has: `"name":"Order Completed"`, not: "Viewed"},
	})
	w.settle()
	play(t, w, b, []scenario{
		{do: "GET /people/$aya", status: 200, has: `"plan":"pro"`, not: `"country"`},
		{do: "GET /people/$aya/events?type=identify", status: 200, has: `traits:api:`},
	})
}

func TestSegmentAndListScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	const rule = `{"trait":{"path":"country","op":"eq","value":"JP"}}`
	play(t, w, b, []scenario{
		{do: "GET /segments", status: 200, has: `"name":"Zanzibar buyers" | "size":3`, not: "Zanzibar old"},
		{do: "GET /segments?status=archived", status: 200, has: "Zanzibar old", not: "Zanzibar buyers"},
		{do: "GET /segments?status=lost", status: 422, has: `"field":"status"`},
		{do: "GET /segments/$segment", status: 200, has: `"size":3 | "state":"ready"`},
		{do: "GET /segments/none", status: 404, has: `"code":"segment.not_found"`},
		{do: "POST /segments", body: `{"name":"Japan","rule":` + rule + `}`, status: 201, has: `"rule":{"trait" | "rule_version":1`, keep: "japan"},
		{do: "POST /segments", body: `{"name":"Japan","rule":` + rule + `}`, status: 409, has: "segment.name.taken"},
		{do: "POST /segments", body: `{"name":"","rule":` + rule + `}`, status: 422, has: `"field":"name"`},
		{do: "POST /segments", body: `{"name":"x"}`, status: 422, has: "rule"},
		{do: "POST /segments", body: `{"name":"x","rule":{}}`, status: 422, has: `"code":"rule`},
		{do: "POST /segments", body: `{"name":"x","rule":{"all":[{"trait":{"path":"a","op":"resembles","value":1}}]}}`, status: 422, has: `"field":"rule.all[0].trait.op"`},
		{do: "POST /segments", body: `{"name":"x","rule":{"event":{"name":"Order Completed","op":"gte","value":1,"window":{"within":{"n":0,"unit":"day"}}}}}`, status: 422, has: "rule.event.window"},
		{do: "POST /segments", body: `{"name":"x","rule":{"segment":{"id":"seg_none"}}}`, status: 422, has: "segment.rule.unknown_set"},
		{do: "POST /segments", body: `{"name":"x","rule":` + strings.Repeat(`{"not":`, 60) + rule + strings.Repeat("}", 60) + `}`, status: 422, has: `"code":"rule`},
		{as: "analyst", do: "POST /segments/preview", body: `{"rule":` + rule + `}`, status: 200, has: `"count":3 | "path":"trait" | Zanzibar aya | "reach":[{"channel":"email","count":`},
		{do: "POST /segments/preview", body: `{"rule":{"trait":{"path":"a"}}}`, status: 422, has: `"field":"rule.trait`},
		{as: "agent", do: "POST /segments", body: `{"name":"x","rule":` + rule + `}`, status: 403},
		{do: "PATCH /segments/$japan", body: `{"description":"who lives there"}`, status: 200, has: `"description":"who lives there" | "name":"Japan" | "rule_version":1`},
		{do: "PATCH /segments/$japan", body: `{"rule":{"segment":{"id":"$japan"}}}`, status: 422, has: "segment.rule.cycle"},
		{do: "PATCH /segments/$japan", body: `{"rule":{"list":{"id":"$list"}}}`, status: 200, has: `"rule_version":2`},
		{do: "GET /segments/$japan", status: 200, has: `"revision":3`},
		{do: "PATCH /segments/$japan", body: `{"description":"mine","revision":2}`, status: 409, has: `segment.changed | "args":["test k_`},
		{do: "GET /segments/$japan", status: 200, has: `"description":"who lives there" | "revision":3`},
		{do: "PATCH /segments/$japan", body: `{"description":"who lives there","revision":3}`, status: 200, has: `"revision":3`},
		{do: "PATCH /segments/none", body: `{"name":"x"}`, status: 404},
		{do: "DELETE /lists/$list", status: 409, has: "Japan"},
		{do: "GET /segments/$segment/members", status: 200, has: "aya.zanzibar | ben.zanzibar | cem.zanzibar"},
		{do: "GET /segments/none/members", status: 404},
		{do: "GET /segments/$segment/history", status: 200, has: `"entered":true | "cause":"edit" | "name":"Zanzibar aya"`},
		{do: "GET /segments/$segment/growth?days=3", status: 200, has: `"entered":3 | "left":0 | "size":3`},
		{do: "GET /segments/$segment/growth?days=0", status: 422, has: `"field":"days"`},
		{do: "GET /segments/none/growth", status: 404},
		{as: "analyst", do: "GET /segments/$segment/overlap?with=$list", status: 200, has: `"size":3 | "other":2 | "both":2`},
		{do: "GET /segments/$segment/overlap?with=seg_none", status: 404},
		{do: "GET /segments/$segment/overlap", status: 422, has: `"field":"with"`},
		{do: "GET /segments/$segment/users", status: 200, has: `"noun":"campaign" | "name":"Zanzibar sale" | "noun":"series" | "name":"Zanzibar weekly" | "status":" | "noun":"template"`},
		{as: "analyst", do: "GET /templates/$template/users", status: 200, has: `"noun":"campaign" | "name":"Zanzibar plan" | "noun":"series" | "noun":"journey" | "status":"`},
		{do: "GET /templates/none/users", status: 404},
		{do: "GET /campaigns?q=zanzibar%20s", status: 200, has: "Zanzibar sale"},
		{do: "GET /campaigns?q=nothing%20of%20that", status: 200, has: `"items":[]`},
		{do: "GET /journeys?q=nothing%20of%20that", status: 200, has: `"items":[]`},
		{do: "GET /segments/$list/users", status: 200, has: `"noun":"segment" | "name":"Japan"`},
		{do: "GET /segments/none/users", status: 404},
		{do: "POST /segments/preview", body: `{"rule":` + rule + `,"segment_id":"$segment"}`, status: 200, has: `"entering":0 | "leaving":0`},
		{do: "POST /segments/preview", body: `{"rule":` + rule + `}`, status: 200, not: "entering"},
		{do: "POST /segments/preview", body: `{"rule":` + rule + `,"segment_id":"none"}`, status: 404},
		{do: "GET /seen-fields", status: 200, has: `{"path":"country","kind":"text","count":3} | first_name`},
		{do: "GET /seen-fields?event=Order%20Completed", status: 200, has: `{"path":"total","kind":"number","count":4}`, not: "country"},
		{do: "GET /seen-values?path=country", status: 200, has: `{"value":"JP","kind":"text","count":3}`},
		{do: "GET /seen-values", status: 422, has: `"field":"path"`},
		{do: "DELETE /segments/$japan", status: 200, has: `"status":"archived"`},
		{do: "DELETE /segments/none", status: 404},
		{do: "POST /segments/$japan/unarchive", status: 200, has: `"status":"active"`},
		{do: "DELETE /segments/$japan?leave=true", status: 200},
		{as: "viewer", do: "GET /rule-schema", status: 200, has: `json-schema.org | starts_with`},

		{do: "GET /lists", status: 200, has: `"name":"Zanzibar list" | "size":2`},
		{do: "POST /lists", body: `{"name":"Zanzibar list"}`, status: 409},
		{do: "POST /lists", body: `{"name":" "}`, status: 422, has: `"field":"name"`},
		{do: "GET /lists/$list/members", status: 200, has: "aya.zanzibar | ben.zanzibar", not: "cem.zanzibar"},
		{do: "POST /lists/$list/members", body: `{"rows":["$cem","user_id:aya","email:nobody@example.com","per_none"]}`, status: 200, has: `"added":1 | "already":1 | "unknown":2 | {"row":"$cem","outcome":"added","person_id":"$cem"}`},
		{do: "POST /lists/$list/members", body: `{"rows":["aya"]}`, status: 422, has: `row 1 | "code":"list.row.invalid"`},
		{do: "POST /lists/$list/members", body: `{"rows":[]}`, status: 422, has: `"field":"rows"`},
		{do: "POST /lists/none/members", body: `{"rows":["$cem"]}`, status: 404},
		{do: "POST /lists/$list/remove", body: `{"rows":["user_id:cem","user_id:cem"]}`, status: 200, has: `"removed":1`},
		{do: "PATCH /lists/$list", body: `{"name":"Zanzibar guests"}`, status: 200, has: `"name":"Zanzibar guests" | "size":2`},
		{do: "GET /lists/$list", status: 200, has: "Zanzibar guests"},
		{as: "viewer", do: "PATCH /lists/$list", body: `{"name":"x"}`, status: 403},
		{do: "DELETE /lists/$list", status: 204},
		{do: "GET /lists/$list", status: 404, has: "list.not_found"},
	})
	counter := w.key(b.ws, staff.SegmentsRead)
	r := w.call("POST /segments/preview", asked{key: counter, body: `{"rule":` + rule + `}`})
	if r.Code != http.StatusOK || !strings.Contains(r.Body.String(), `"count":3,"sample":[]`) {
		t.Errorf("who may count but not see people: %d %s", r.Code, r.Body)
	}
}

func TestIdentifiersAreTakenOffAPerson(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	play(t, w, b, []scenario{
		{as: "viewer", do: "POST /people/$aya/unbind", body: `{"identifiers":[{"kind":"email","value":"aya.zanzibar@example.com"}],"idempotency_key":"u"}`, status: 403},
		{do: "POST /people/$aya/unbind", body: `{"identifiers":[],"idempotency_key":"u"}`, status: 422, has: `"field":"identifiers"`},
		{do: "POST /people/$aya/unbind", body: `{"identifiers":[{"kind":"user_id","value":"aya"}],"idempotency_key":"u"}`, status: 422, has: `"field":"identifiers[0]" | person.unbind.user`},
		{do: "POST /people/none/unbind", body: `{"identifiers":[{"kind":"user_id","value":"aya"}],"idempotency_key":"u"}`, status: 404},
		{as: "agent", do: "POST /people/$aya/unbind", body: `{"identifiers":[{"kind":"email","value":"Aya.Zanzibar@example.com"}],"note":"left the firm","idempotency_key":"u"}`, status: 200, has: `"value":"aya.zanzibar@example.com"`},
	})
	w.settle()
	play(t, w, b, []scenario{
		{as: "viewer", do: "GET /people?identifier=email:aya.zanzibar@example.com", status: 200, has: `"items":[]`},
		{as: "viewer", do: "GET /people/$aya/identity", status: 200, has: `"kind":"unbound"`},
		{as: "viewer", do: "GET /people/$aya/events?type=identity", status: 200, has: `"name":"Identifier Unbound" | left the firm`},
	})
}

func TestASuggestionIsDecidedOnce(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	play(t, w, b, []scenario{
		{as: "viewer", do: "GET /people-suggestions", status: 200, has: `"reason":"conflict" | "value":"family@zanzibar.example" | "times":2`},
		{as: "viewer", do: "GET /people-suggestions/$suggestion", status: 200, has: `"effect":{ | "identifiers":4 | "journeys":[`},
		{as: "viewer", do: "POST /people-suggestions/$suggestion/accept", body: `{}`, status: 403},
		{do: "GET /people-suggestions/none", status: 404, has: "suggestion.not_found"},
		{do: "GET /people-suggestions?status=odd", status: 422},
		{as: "agent", do: "POST /people-suggestions/$suggestion/refuse", body: `{"note":"twins"}`, status: 200, has: `"status":"refused" | "note":"twins"`},
		{as: "agent", do: "POST /people-suggestions/$suggestion/refuse", body: `{"note":"again"}`, status: 200, has: `"note":"twins"`},
		{as: "agent", do: "POST /people-suggestions/$suggestion/accept", body: `{}`, status: 409, has: "person.suggestion.decided"},
		{as: "agent", do: "POST /people-suggestions/$spare_suggestion/accept", body: `{"note":"told us"}`, status: 200, has: `"status":"joined"`},
		{as: "agent", do: "POST /people-suggestions/$spare_suggestion/accept", body: `{}`, status: 200, has: `"note":"told us"`},
		{do: "GET /people-suggestions", status: 200, has: `"items":[]`},
		{do: "GET /people/$aya/apart", status: 200, has: "twins"},
	})
	w.settle()
	var ben, cem struct{ ID string }
	w.ok(b.key, "GET /people/"+b.ids["ben"], "", &ben)
	w.ok(b.key, "GET /people/"+b.ids["cem"], "", &cem)
	if ben.ID != cem.ID {
		t.Error("an accepted suggestion joined nobody")
	}
	acts := w.audited(b.key, "&noun=suggestion")
	if len(acts) != 2 {
		t.Errorf("%d entries in the audit log, want one each: %+v", len(acts), acts)
	}
}

func TestOnePersonIsSplitAndJoinedByHand(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	play(t, w, b, []scenario{
		{as: "viewer", do: "POST /people/$aya/split", body: `{"identifiers":[{"kind":"email","value":"aya.zanzibar@example.com"}]}`, status: 403},
		{do: "POST /people/$aya/split", body: `{"identifiers":[]}`, status: 422, has: `"field":"identifiers"`},
		{do: "POST /people/$aya/split", body: `{"identifiers":[{"kind":"email","value":"nobody@example.com"}]}`, status: 422, has: `"field":"identifiers[0]"`},
		{do: "POST /people/$aya/split", body: `{"merge":"dec_none"}`, status: 404},
		{do: "POST /people/none/split", body: `{"merge":"dec_none"}`, status: 404, has: "person.not_found"},
		{as: "agent", do: "POST /people/$aya/split", body: `{"identifiers":[{"kind":"email","value":"aya.zanzibar@example.com"}],"note":"a shared mailbox"}`, status: 200, has: `"split":true | "note":"a shared mailbox" | "two":[{"kind":"email","value":"aya.zanzibar@example.com"}]`, keep: "split"},
	})
	w.settle()
	play(t, w, b, []scenario{
		{as: "viewer", do: "GET /people/$aya/apart", status: 200, has: "a shared mailbox | Zanzibar twins"},
		{as: "viewer", do: "GET /people/$aya/identity", status: 200, has: `"kind":"split" | "id":"dec_`},
		{as: "viewer", do: "GET /people/$aya/events?type=identity", status: 200, has: `"name":"Person Split" | "name":"People Kept Apart"`},
		{do: "POST /people/$aya/separate", body: `{"other":"$aya"}`, status: 422, has: `"field":"other"`},
		{do: "POST /people/$aya/separate", body: `{"other":"none"}`, status: 404},
		{do: "POST /people/$aya/join", body: `{"other":"$ben","idempotency_key":"j"}`, status: 409, has: "person.join.apart"},
		{do: "DELETE /people-apart/none", status: 404},
		{do: "DELETE /people-apart/$split", status: 204},
		{do: "DELETE /people-apart/$apart", status: 204},
		{as: "agent", do: "POST /people/$aya/join", body: `{"other":"$ben","idempotency_key":"j"}`, status: 204},
	})
	w.settle()
	var aya, ben struct{ ID string }
	w.ok(b.key, "GET /people/"+b.ids["aya"], "", &aya)
	w.ok(b.key, "GET /people/"+b.ids["ben"], "", &ben)
	if aya.ID != ben.ID {
		t.Errorf("joined by hand, they are still %s and %s", aya.ID, ben.ID)
	}
}

func TestAListIsDeletedOnceNothingNeedsItAnyMore(t *testing.T) {
	for _, engine := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			w := newWorldOn(t, engine)
			b := w.business()
			play(t, w, b, []scenario{
				{do: "POST /campaigns", body: `{"name":"Fair mail","audience":{"include":["$segment"],"exclude":["$list"]},"topic":"$topic","template":"$template"}`, status: 201, keep: "fair_mail"},
				{do: "POST /journeys", body: `{"name":"Fair way","draft":{"trigger":{"api":{}},"nodes":[{"id":"in","kind":"add_to_list","config":{"list":"$list"}}]}}`, status: 201, keep: "fair_way"},
				{do: "POST /personas", body: `{"name":"Fair guest","segment_id":"$list"}`, status: 201, keep: "fair_guest"},
				{do: "GET /segments/$list/users", status: 200, has: `"name":"Fair way","status":"draft","needs":true`},
				{do: "DELETE /lists/$list", status: 409, has: `"code":"list.in_use" | Fair mail | Fair way | Fair guest | Take it out there`},
				{do: "DELETE /personas/$fair_guest", status: 204},
				{do: "DELETE /campaigns/$fair_mail", status: 204},
				{do: "DELETE /lists/$list", status: 409, has: `"args":["Fair way"]`},
				{do: "POST /journeys/$fair_way/publish", status: 200},
				{do: "DELETE /lists/$list", status: 409, has: `"args":["Fair way"]`},
				{do: "POST /journeys/$fair_way/stop", body: `{}`, status: 200},
				{do: "POST /journeys/$fair_way/archive", status: 200},
				{do: "DELETE /lists/$list", status: 204},
			})
		})
	}
}

func TestASegmentIsArchivedOnceNothingNeedsItAnyMore(t *testing.T) {
	for _, engine := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			w := newWorldOn(t, engine)
			b := w.business()
			play(t, w, b, []scenario{
				{do: "POST /segments", body: `{"name":"Fair","rule":{"trait":{"path":"country","op":"eq","value":"JP"}}}`, status: 201, keep: "fair"},
				{do: "POST /segments", body: `{"name":"Fair inner","rule":{"segment":{"id":"$fair"}}}`, status: 201, keep: "inner"},
				{do: "POST /campaigns", body: `{"name":"Fair mail","audience":{"include":["$fair"]},"topic":"$topic","template":"$template"}`, status: 201, keep: "mail"},
				{do: "POST /series", body: `{"name":"Fair weekly","audience":{"include":["$fair"]},"topic":"$topic","template":"$template","schedule":{"every":"day","at":"09:00"}}`, status: 201, keep: "weekly"},
				{do: "POST /journeys", body: `{"name":"Fair way","draft":{"trigger":{"segment_entered":{"id":"$fair"}},"nodes":[{"id":"in","kind":"add_to_list","config":{"list":"$list"}}]}}`, status: 201, keep: "way"},
				{do: "POST /personas", body: `{"name":"Fair guest","segment_id":"$fair"}`, status: 201, keep: "guest"},
				{do: "POST /journey-maps", body: `{"name":"Fair map","segment_id":"$fair","stages":[{"id":"a","name":"Sees","mood":0,"touchpoints":[{"id":"t","signals":[{"name":"Zanzibar Viewed"}]}]}]}`, status: 201, keep: "chart"},
				{do: "DELETE /segments/$fair", status: 409, has: `"code":"segment.in_use" | Fair inner | Fair mail | Fair weekly | Fair way | Fair guest | Fair map | Take it out there`},
				{do: "GET /segments/$fair", status: 200, has: `"status":"active"`},
				{do: "DELETE /segments/$inner", status: 200},
				{do: "DELETE /personas/$guest", status: 204},
				{do: "DELETE /journey-maps/$chart", status: 204},
				{do: "POST /series/$weekly/activate", status: 200},
				{do: "POST /series/$weekly/end", status: 200},
				{do: "POST /journeys/$way/publish", status: 200},
				{do: "POST /journeys/$way/pause", status: 200},
				{do: "DELETE /segments/$fair?leave=true", status: 409, has: `Fair mail | Fair way`},
				{do: "POST /campaigns/$mail/archive", status: 200},
				{do: "DELETE /segments/$fair", status: 409, has: `"args":["Fair way"]`},
				{do: "POST /journeys/$way/stop", body: `{}`, status: 200},
				{do: "POST /journeys/$way/archive", status: 200},
				{do: "DELETE /segments/$fair", status: 200, has: `"status":"archived"`},
			})
		})
	}
}
