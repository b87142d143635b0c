package httpapi_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

func TestContentAndConsentScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	play(t, w, b, []scenario{
		{do: "GET /templates", status: 200, has: `"name":"Zanzibar hello" | "version":1 | "channel":"email"`, not: "Zanzibar gone"},
		{do: "GET /templates?status=archived", status: 200, has: "Zanzibar gone", not: "Zanzibar hello"},
		{do: "GET /templates?q=spare", status: 200, has: "Zanzibar spare", not: "Zanzibar hello"},
		{do: "GET /templates/none", status: 404, has: `"code":"template.not_found"`},
		{do: "POST /templates", body: `{"name":"bad","subject":"{{ person.","html":"<p></p>"}`, status: 422, has: `"field":"subject"`},
		{do: "POST /templates", body: `{"name":"bad","subject":"s","html":"{% if x %}"}`, status: 422, has: `"field":"html" | line`},
		{do: "POST /templates", body: `{"name":"","subject":"s","html":"h"}`, status: 422, has: `"field":"name"`},
		{as: "analyst", do: "POST /templates", body: `{"name":"x","subject":"s","html":"h"}`, status: 403},
		{do: "PUT /templates/$template", body: `{"name":"Zanzibar hello","subject":"Second {{ person.first_name }}","html":"<p>2</p>","base":1}`, status: 200, has: `"version":2`},
		{do: "PUT /templates/$template", body: `{"name":"Zanzibar hello","subject":"Third","html":"<p>3</p>","base":1}`, status: 409},
		{do: "PUT /templates/$template", body: `{"name":"Zanzibar hello","subject":"Third","html":"<p>3</p>","base":0}`, status: 422, has: `"field":"base"`},
		{do: "GET /templates/$template/versions", status: 200, has: `"subject":"Hello {{ person.first_name }}" | "subject":"Second {{ person.first_name }}"`},
		{do: "GET /templates/none/versions", status: 404},
		{do: "DELETE /templates/$spare_template", status: 200, has: `"status":"archived"`},
		{do: "POST /templates/$spare_template/restore", status: 200, has: `"status":"active"`},

		{do: "POST /templates/preview", body: `{"draft":{"name":"x","subject":"{{ event.total | money: event.currency }}","html":"<p>x</p>"},"person":"$aya","event":"Order Completed"}`, status: 200, has: `"subject":"€`},
		{do: "POST /templates/preview", body: `{"draft":{"name":"x","subject":"{{ event.product }}","html":"<p>x</p>"},"person":"$aya","event":"Never Happened"}`, status: 422, has: `"field":"event"`},
		{do: "GET /block-schema", status: 200, has: `json-schema.org | block.products`},
		{do: "POST /templates", body: `{"name":"Zanzibar blocks","subject":"Hi {{ person.first_name }}","locale":"en","document":{"version":1,"sections":[{"columns":[{"blocks":[{"type":"heading","text":"Spring"},{"type":"button","label":"Look","url":"https://shop.example/"}]}]}]},"purpose":{"action":"look"},"translations":[{"locale":"ja","subject":"春です","document":{"version":1,"sections":[{"columns":[{"blocks":[{"type":"text","text":"春"}]}]}]}}]}`, status: 201, has: `"kind":"blocks" | "id":"b2" | "action":"look"`, keep: "blocks"},
		{do: "POST /templates/preview", body: `{"template":"$blocks","locale":"ja-JP"}`, status: 200, has: `"subject":"春です" | "locale":"ja" | "chain":["ja-JP","ja","en"] | lang=\"ja\"`},
		{do: "POST /templates/preview", body: `{"template":"$blocks","locale":"fr"}`, status: 200, has: `"locale":"en" | Spring | "chain":["fr","en"]`},
		{do: "POST /templates", body: `{"name":"bad","subject":"s","document":{"version":1,"sections":[{"columns":[{"blocks":[{"type":"button","label":"x","url":"javascript:x"}]}]}]}}`, status: 422, has: `document.sections[0].columns[0].blocks[0].url | button b2`},
		{do: "GET /templates/$blocks", status: 200, has: `"brand_revision":1`},
		{do: "PUT /snippets/spice_hours", body: `{"name":"Hours","blocks":[{"type":"text","text":"9 to 6"}],"base":1}`, status: 200, has: `"version":2`},
		{do: "PUT /snippets/spice_hours", body: `{"name":"Hours","blocks":[{"type":"text","text":"9 to 7"}],"base":1}`, status: 409, has: `content.snippet.stale`},
		{do: "PUT /snippets/spice_hours", body: `{"name":"Hours","blocks":[{"type":"snippet","snippet":"spice_hours"}],"base":2}`, status: 422, has: `content.snippet.cycle`},
		{do: "POST /snippets", body: `{"key":"box","name":"Box","blocks":[{"type":"snippet","snippet":"nobody"}]}`, status: 422, has: `content.snippet.unknown | nobody`},
		{do: "POST /snippets", body: `{"key":"box","name":"Box","blocks":[{"type":"snippet","snippet":"spice_hours"}]}`, status: 201},
		{do: "POST /snippets", body: `{"key":"box","name":"Box","blocks":[{"type":"divider"}]}`, status: 409, has: `content.snippet.exists`},
		{do: "POST /snippets", body: `{"key":"No Key","name":"Box","blocks":[{"type":"divider"}]}`, status: 422, has: `"field":"key"`},
		{do: "PUT /snippets/spice_hours", body: `{"name":"Hours","blocks":[{"type":"snippet","snippet":"box"}],"base":2}`, status: 422, has: `spice_hours > box > spice_hours`},
		{do: "POST /templates", body: `{"name":"With box","subject":"s","document":{"version":1,"sections":[{"columns":[{"blocks":[{"type":"snippet","snippet":"box"}]}]}]}}`, status: 201, keep: "boxed", has: `"snippets":{"box":1,"spice_hours":2}`},
		{do: "GET /snippets/spice_hours/users", status: 200, has: `"noun":"template" | With box | "noun":"snippet"`},
		{do: "DELETE /snippets/box", status: 409, has: `content.snippet.in_use`},
		{do: "PUT /snippets/spice_hours", body: `{"name":"Hours","blocks":[{"type":"text","text":"9 to 8"}],"base":2}`, status: 200},
		{do: "PUT /brand", body: strings.Replace(brandBody, `"base":0`, `"base":0`, 1), status: 409, has: `content.brand.stale`},
		{do: "PUT /brand", body: strings.NewReplacer(`"base":0`, `"base":1`, "#1d6b52", "#aaddcc").Replace(brandBody), status: 200, has: `"revision":2 | "ok":false | "code":"contrast"`},
		{do: "PUT /brand", body: strings.NewReplacer(`"base":0`, `"base":2`, "#1d6b52", "green").Replace(brandBody), status: 422, has: `"field":"light.accent"`},
		{do: "GET /brand/revisions", status: 200, has: `"revision":2 | "revision":1`},
		{do: "GET /templates/$boxed/outdated", status: 200, has: `"items":["brand","spice_hours"]`},
		{do: "POST /templates/preview", body: `{"template":"$boxed"}`, status: 200, has: `9 to 6`, not: `9 to 8`},
		{do: "POST /templates/$boxed/refresh", status: 200, has: `"version":2 | "brand_revision":2 | "spice_hours":3`},
		{do: "POST /templates/$boxed/refresh", status: 200, has: `"version":2`},
		{do: "POST /templates/preview", body: `{"template":"$boxed"}`, status: 200, has: `9 to 8`},
		{do: "POST /templates/preview", body: `{"template":"$boxed","version":1}`, status: 200, has: `9 to 6`},
		{do: "GET /templates/$boxed/changes?from=1", status: 200, has: `"path":"brand" | "path":"snippet.spice_hours" | "was":"2" | "now":"3"`},
		{do: "PUT /templates/$blocks", body: `{"name":"Zanzibar blocks","subject":"Hi","locale":"en","document":{"version":1,"sections":[{"id":"b1","columns":[{"blocks":[{"id":"b3","type":"button","label":"Look now","url":"https://shop.example/"},{"id":"new","type":"divider"}]}]}]},"base":1}`, status: 200, has: `"version":2`},
		{do: "GET /templates/$blocks/changes?from=1", status: 200, has: `"path":"main.b2","kind":"removed","block":"heading","was":"Spring" | "path":"main.b3.label","kind":"changed","block":"button","was":"Look","now":"Look now" | "path":"main.b3.place","kind":"moved" | "path":"main.new","kind":"added" | "path":"ja.b2","kind":"removed" | "path":"main.subject"`},
		{do: "GET /templates/$blocks/changes?from=9", status: 404},
		{do: "POST /templates/$blocks/revert", body: `{"version":1}`, status: 200, has: `"version":3 | 春です`},
		{do: "POST /templates/preview", body: `{"draft":{"name":"x","subject":"ACT NOW, THE BEST","document":{"version":1,"sections":[{"columns":[{"blocks":[{"id":"cta","type":"button","label":"click here","url":"https://staging.shop.co/"}]}]}]},"purpose":{"ask":"a review"}}}`, status: 200, has: `"block":"cta" | "code":"link_staging" | "code":"link_text" | "code":"shouting" | "code":"spam_word" | "code":"why_missing" | "code":"who_missing" | "code":"use_missing" | "bytes":`},
		{do: "GET /templates/languages", status: 200, has: `"main":"en","has":["en","ja"],"missing":[]`},
		{do: "POST /templates", body: `{"name":"bad","subject":"s","document":{"version":1},"html":"<p>x</p>"}`, status: 422, has: `two_bodies`},
		{do: "POST /templates", body: `{"name":"bad","subject":"s","html":"<p>x</p>","translations":[{"locale":"ja","subject":"","html":"x"}]}`, status: 422, has: `translations[0].subject | "field":"locale"`},
		{do: "POST /templates/preview", body: `{"template":"$template","person":"$aya"}`, status: 200, has: `"subject":"Second Zanzibar aya"`},
		{do: "POST /templates/preview", body: `{"template":"$template","version":1,"person":"$aya"}`, status: 200, has: `"subject":"Hello Zanzibar aya"`},
		{do: "POST /templates/preview", body: `{"draft":{"name":"d","subject":"{{ event.what }} <b>","html":"<p>{{ event.what }}</p>"},"vars":{"event":{"what":"<script>"}}}`, status: 200, has: `<p>&lt;script&gt;</p> | "missing":[]`},
		{do: "POST /templates/preview", body: `{"draft":{"name":"d","subject":"{{ person.nick }}","html":"<p></p>"}}`, status: 200, has: `person.nick`},
		{do: "POST /templates/preview", body: `{"template":"$template","person":"per_none"}`, status: 404},
		{do: "POST /templates/preview", body: `{"template":"none"}`, status: 404},
		{do: "POST /templates/links", body: `{"draft":{"name":"x","subject":"x","html":"<a href=\"https://shop.example/{{ person.email }}/dead\">Look</a> <a href=\"https://shop.example/a\">A</a>"},"person":"$aya"}`, status: 200, has: `/dead","label":"Look","code":"not_found","fault":true,"status":404 | https://shop.example/a","label":"A","fault":false`, not: `unsubscribe | {{`},
		{do: "POST /templates/links", body: `{"template":"none"}`, status: 404},
		{do: "POST /templates/links", body: `{"template":"$template","person":"per_none"}`, status: 404},
		{do: "POST /templates/preview", body: `{"draft":{"name":"d","subject":"{{","html":""}}`, status: 200, has: `"field":"subject" | "error":true`},

		{do: "GET /topics", status: 200, has: `"name":"Zanzibar news" | "opt_in":"implied"`},
		{do: "POST /topics", body: `{"name":"Offers"}`, status: 201, has: `"channels":["email"] | "opt_in":"explicit"`, keep: "offers"},
		{do: "POST /topics", body: `{"name":"","channels":["email"]}`, status: 422, has: `"field":"name"`},
		{do: "POST /topics", body: `{"name":"x","opt_in":"never"}`, status: 422, has: `"field":"opt_in"`},
		{do: "GET /topics/$offers", status: 200, has: `"name":"Offers"`},
		{do: "GET /topics/none", status: 404, has: `"code":"topic.not_found"`},
		{do: "PUT /topics/$offers", body: `{"name":"Deals","channels":["email"],"opt_in":"explicit","archived":true}`, status: 200, has: `"archived":true | Deals`},
		{do: "PUT /topics/none", body: `{"name":"Deals","channels":["email"],"opt_in":"explicit"}`, status: 404},
		{as: "marketer", do: "POST /topics", body: `{"name":"x"}`, status: 403},

		{do: "GET /suppressions", status: 200, has: `"reason":"manual" | "hint":"`, not: "zanzibar@example.com"},
		{do: "GET /suppressions?reason=complaint", status: 200, has: `"items":[]`},
		{do: "GET /suppressions?reason=mood", status: 422, has: `"field":"reason"`},
		{do: "POST /suppressions", body: `{"channel":"email","addresses":["a@example.com","A@Example.com","zanzibar@example.com"]}`, status: 200, has: `"added":1`},
		{do: "POST /suppressions", body: `{"channel":"email","addresses":["a@example.com","no mail"]}`, status: 422, has: `"field":"addresses" | "consent.suppress.address" | no mail`},
		{do: "POST /suppressions", body: `{"channel":"","addresses":["a@example.com"]}`, status: 422, has: `"field":"channel"`},
		{do: "POST /suppressions", body: `{"channel":"email","addresses":[]}`, status: 422, has: `"field":"addresses"`},
		{as: "viewer", do: "POST /suppressions", body: `{"channel":"email","addresses":["a@example.com"]}`, status: 403},
		{do: "DELETE /suppressions/email/$hash", status: 204},
		{do: "DELETE /suppressions/email/$hash", status: 404},
	})
}

func TestChannelAndMessageScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	play(t, w, b, []scenario{
		{as: "viewer", do: "GET /channels", status: 200, has: `"kind":"email" | "title":"Played mail" | "secrets":["password"] | "writeOnly":true | "minLength":1 | "required":["host"] | "additionalProperties":false | "x-order":["host","password"]`, not: `defs`},
		{do: "GET /accounts", status: 200, has: `"host":"mail.zanzibar.example" | "secrets_set":["password"] | "default":true`, not: "Zanzibar secret"},
		{do: "GET /accounts/$account", status: 200, has: `"name":"Zanzibar mail"`, not: "Zanzibar secret"},
		{do: "GET /accounts/none", status: 404, has: `"code":"account.not_found"`},
		{do: "POST /accounts", body: `{"kind":"pigeon","name":"x","from_address":"a@b.example","config":{}}`, status: 422, has: `"field":"kind"`},
		{do: "POST /accounts", body: `{"kind":"email","name":"","from_address":"a@b.example","config":{"host":"h"}}`, status: 422, has: `"field":"name"`},
		{do: "POST /accounts", body: `{"kind":"email","name":"x","from_address":"nonsense","config":{"host":"h"}}`, status: 422, has: `"field":"from_address"`},
		{do: "POST /accounts", body: `{"kind":"email","name":"x","from_address":"a@b.example","config":{"hots":"h"}}`, status: 422, has: `"field":"hots" | hots`},
		{do: "POST /accounts", body: `{"kind":"email","name":"x","from_address":"a@b.example","connections":101,"config":{"host":"h"}}`, status: 422, has: `"field":"connections"`},
		{do: "PUT /accounts/$account", body: `{"kind":"email","name":"Zanzibar post","from_address":"a@b.example","default":true,"config":{"host":"new.example"}}`, status: 200, has: `"secrets_set":["password"] | new.example`},
		{do: "PUT /accounts/$account", body: `{"kind":"email","name":"x","from_address":"a@b.example","config":{"host":"h"},"revision":1}`, status: 409, has: `"code":"outbox.account.changed" | has saved another version`},
		{do: "GET /accounts/$account", status: 200, has: `"name":"Zanzibar post" | "revision":17`},
		{do: "PUT /accounts/none", body: `{"kind":"email","name":"x","from_address":"a@b.example","config":{"host":"h"}}`, status: 404},
		{as: "marketer", do: "PUT /accounts/$account", body: `{"kind":"email","name":"x","from_address":"a@b.example","config":{"host":"h"}}`, status: 403},
		{do: "POST /accounts/$account/check", status: 204},
		{do: "POST /accounts/none/check", status: 404},

		{as: "viewer", do: "GET /messages/$message", status: 200, has: `"state":"sent" | "address":"aya.zanzibar@example.com" | "template_version":1 | "event":"Order Completed" | "revenue":{"minor":2550,"currency":"EUR"} | "kind":"campaign" | "id":"$campaign"`},
		{do: "GET /messages/none", status: 404, has: `"code":"message.not_found"`},
		{as: "marketer", do: "POST /messages/test", body: `{"template":"$template","to":"me@zanzibar.example","person":"$aya"}`, status: 200, has: `"result":"sent" | "code":"250 2.0.0"`},
		{do: "POST /messages/test", body: `{"template":"$template","to":"me@zanzibar.example","account":"$account","topic":"$topic","vars":{"event":{}}}`, status: 200},
		{as: "marketer", do: "POST /messages", body: `{"to":{"person":"$aya"},"template":"$template","data":{"a":1},"locale":"ja"}`, status: 202, has: `"state":"queued" | "duplicate":false | "state":"accepted"`, keep: "receipt"},
		{do: "GET /messages/$receipt", status: 200, has: `"transactional":true | "template_version":1 | "kind":"api"`},
		{do: "GET /messages/$receipt/status", status: 200, has: `"state":"queued" | "next_try_at"`, not: "Zanzibar"},
		{do: "POST /messages/$receipt/cancel", status: 200, has: `"state":"cancelled" | {"state":"cancelled","at"`},
		{do: "POST /messages/$receipt/cancel", status: 200, has: `"state":"cancelled"`},
		{do: "POST /messages/$message/cancel", status: 409, has: "message.not_waiting"},
		{do: "POST /messages", body: `{"to":{"address":"nobody.yet@example.com","name":"Zanzibar new"},"subject":"Your parcel","html":"<p>On its way: <a href=\"https://track.example/1\">look</a></p>","attachments":[{"name":"a.pdf","type":"application/pdf","content":"JVBERg=="}]}`, status: 202, has: `"state":"queued"`},
		{do: "GET /people?identifier=email:nobody.yet@example.com", status: 200, has: "Zanzibar new"},
		{do: "POST /messages", body: `{"to":{"address":"zanzibar@example.com"},"subject":"x","text":"x"}`, status: 202, has: `"state":"refused" | "reason":"suppressed" | "why":"manual" | {"state":"refused","at"`},
		{do: "POST /messages", body: `{"to":{"identifier":"user_id:cem"},"lane":"marketing","topic":"$topic","template":"$template"}`, status: 202, has: `"state":"refused" | "reason":"unsubscribed"`},
		{do: "POST /messages", body: `{"to":{"identifier":"user_id:cem"},"lane":"marketing","template":"$template"}`, status: 422, has: `"field":"topic"`},
		{do: "POST /messages", body: `{"to":{"address":"nope"},"subject":"x","text":"x"}`, status: 422, has: `"code":"message.to.address" | "field":"to.address"`},
		{do: "POST /messages", body: `{"to":{"address":"a@example.com"},"channel":"fax","subject":"x","text":"x"}`, status: 422, has: `"code":"outbox.account.kind_unknown" | "field":"channel"`},
		{do: "POST /messages", body: `{"to":{"person":"$aya"},"template":"$template","version":99}`, status: 422, has: `"code":"message.version" | "field":"version"`},
		{do: "POST /messages", body: `{"to":{"person":"$aya"},"subject":"x","text":"x","from_name":"a\r\nBcc: b"}`, status: 422, has: `"field":"from_name"`},
		{do: "POST /messages", body: `{"to":{"address":"a@example.com","name":"a\r\nb"},"subject":"x","text":"x"}`, status: 422, has: `"code":"message.to.name" | "field":"to.name"`},
		{do: "POST /messages", body: `{"to":{"person":"$aya"},"template":"$template","locale":"zz"}`, status: 422, has: `"code":"message.locale" | "field":"locale"`},
		{do: "POST /messages", body: `{"to":{"person":"$aya"},"template":"$template","reply_to":"nobody"}`, status: 422, has: `"field":"reply_to"`},
		{do: "POST /suppressions", body: `{"channel":"fax","addresses":["a@example.com"]}`, status: 422, has: `"code":"outbox.account.kind_unknown" | "field":"channel"`},
		{do: "POST /topics", body: `{"name":"By fax","channels":["fax"]}`, status: 422, has: `"code":"outbox.account.kind_unknown" | "field":"channels"`},
		{do: "PUT /topics/$topic", body: `{"name":"By fax","channels":["email","fax"],"opt_in":"explicit"}`, status: 422, has: `"code":"outbox.account.kind_unknown" | "field":"channels"`},
		{do: "POST /campaigns", body: `{"name":"By fax","channel":"fax","audience":{"include":["$segment"]}}`, status: 422, has: `"code":"outbox.account.kind_unknown" | "field":"channel"`},
		{do: "POST /campaigns", body: `{"name":"Long","audience":{"include":["$segment"]},"goal":{"window_seconds":9000000}}`, status: 422, has: `use a number of at most 7776000`},
		{do: "POST /messages", body: `{"to":{"identifier":"user_id:cem"},"template":"$template","goal":{"event":"Order Completed","filter":[{"path":"x"}]}}`, status: 422, has: `"field":"goal.filter"`},
		{do: "POST /messages", body: `{"to":{"identifier":"user_id:cem"},"template":"$template","goal":{"event":"Order Completed","value":"order..total"}}`, status: 422, has: `"code":"goal.value" | "field":"goal.value"`},
		{do: "POST /messages", body: `{"to":{"identifier":"user_id:cem"},"topic":"$topic","template":"$template"}`, status: 422, has: `"field":"topic"`},
		{do: "POST /messages", body: `{"to":{"identifier":"user_id:nobody"},"template":"$template"}`, status: 404, has: `"field":"to.identifier"`},
		{do: "POST /messages", body: `{"to":{"identifier":"user_id:cem","person":"$aya"},"template":"$template"}`, status: 422, has: `"field":"to"`},
		{do: "POST /messages", body: `{"to":{"address":"not an address"},"template":"$template"}`, status: 422},
		{do: "POST /messages", body: `{"to":{"person":"$aya"},"subject":"x"}`, status: 422, has: `"field":"html"`},
		{do: "POST /messages", body: `{"to":{"person":"$aya"},"template":"$template","text":"x"}`, status: 422, has: `"field":"template"`},
		{do: "POST /messages", body: `{"to":{"person":"$aya"},"subject":"x","html":"<p onclick=alert(1)>x</p>"}`, status: 422, has: `"code":"message.html.active" | "field":"html"`},
		{do: "POST /messages", body: `{"to":{"person":"$aya"},"subject":"x","text":"x","attachments":[{"name":"a.exe","content":"TVo="}]}`, status: 422, has: `attachments[0].name`},
		{do: "POST /messages", body: `{"to":{"person":"$aya"},"subject":"x","text":"x","attachments":[{"name":"a.pdf","content":"!!!"}]}`, status: 422},
		{do: "POST /messages", body: `{"to":{"person":"$aya"},"template":"$template","send_at":"2030-01-01T00:00:00Z"}`, status: 422, has: `"field":"send_at"`},
		{do: "POST /messages/batch", body: `{"messages":[{"key":"b1","to":{"person":"$aya"},"template":"$template"},{"key":"b2","to":{"person":"none"},"template":"$template"},{"key":"b1","to":{"person":"$aya"},"template":"$template"},{"key":"b1","to":{"person":"$ben"},"template":"$template"}]}`, status: 202, has: `"key":"b1" | person.not_found | "duplicate":true | message.key_reused`},
		{do: "GET /messages/status?key=b1", status: 200, has: `"key":"b1" | "state":"queued"`},
		{do: "GET /messages/status?key=none", status: 404},
		{as: "viewer", do: "POST /messages", body: `{"to":{"person":"$aya"},"template":"$template"}`, status: 403},
		{do: "POST /messages/test", body: `{"template":"$template","to":"nonsense"}`, status: 422, has: `"field":"to"`},
		{do: "POST /messages/test", body: `{"template":"$template","to":"zanzibar@example.com"}`, status: 409, has: "outbox.test.suppressed"},
		{do: "POST /messages/test", body: `{"template":"none","to":"me@zanzibar.example"}`, status: 404},
		{do: "POST /messages/test", body: `{"template":"$template","to":"me@zanzibar.example","person":"per_none"}`, status: 404},
		{as: "analyst", do: "POST /messages/test", body: `{"template":"$template","to":"me@zanzibar.example"}`, status: 403},

		{as: "viewer", do: "GET /sending", status: 200, has: `"stopped":false`, not: "stopped_since"},
		{as: "viewer", do: "GET /sending/policy", status: 200, has: `"quiet":[] | "caps":[] | "holdout":0`},
		{as: "marketer", do: "PUT /sending/policy", body: `{"quiet":[],"caps":[],"holdout":0}`, status: 403},
		{do: "PUT /sending/policy", body: `{"quiet":[{"from":"22:00","to":"7"}],"caps":[],"holdout":0}`, status: 422, has: `"field":"quiet[0].to" | write one such as 21:30`},
		{do: "PUT /sending/policy", body: `{"quiet":[{"from":"22:00","to":"22:00"}],"caps":[],"holdout":0}`, status: 422, has: `"field":"quiet[0].to"`},
		{do: "PUT /sending/policy", body: `{"quiet":[],"caps":[{"limit":0,"days":1}],"holdout":0}`, status: 422, has: "limit"},
		{do: "PUT /sending/policy", body: `{"quiet":[],"caps":[],"holdout":80}`, status: 422, has: "holdout"},
		{do: "PUT /sending/policy", body: `{"quiet":[{"channel":"email","from":"22:00","to":"07:00","days":[0,6],"then":"refuse"}],"caps":[{"limit":2,"days":7,"calendar":true,"retry_hours":12}],"holdout":0}`, status: 200, has: `"from":"22:00" | "then":"refuse" | "days":[0,6] | "retry_hours":12 | "holdout_salt":"hld_`},
		{do: "PUT /sending/policy", body: `{"quiet":[],"caps":[],"holdout":0}`, status: 200},
		{do: "GET /sending/policy", status: 200, has: `"revision":3`},
		{do: "PUT /sending/policy", body: `{"quiet":[],"caps":[{"limit":2,"days":7}],"holdout":0,"revision":3}`, status: 200, has: `"revision":4`},
		{do: "PUT /sending/policy", body: `{"quiet":[],"caps":[],"holdout":0,"revision":3}`, status: 409, has: `"code":"outbox.policy.changed" | has saved another version`},
		{do: "GET /sending/policy", status: 200, has: `"caps":[{"limit":2,"days":7}] | "revision":4`},
		{as: "viewer", do: "PUT /sending", body: `{"stopped":true}`, status: 403},
		{as: "marketer", do: "PUT /sending", body: `{"stopped":true}`, status: 200, has: `"stopped":true | "stopped_since":"2026-03-01T09:30:00Z"`},
		{do: "PUT /sending", body: `{"stopped":false}`, status: 200, has: `"stopped":false`},
		{do: "PUT /sending", body: `{"stopped":true,"waiting":"cancel"}`, status: 422, has: `"code":"sending.waiting" | "field":"waiting"`},
		{do: "PUT /sending", body: `{"stopped":false,"waiting":"later"}`, status: 422, has: `waiting`},
		{as: "viewer", do: "PUT /sending", body: `{"stopped":false,"waiting":"cancel"}`, status: 403},
		{as: "marketer", do: "PUT /sending", body: `{"stopped":false,"waiting":"cancel"}`, status: 200, has: `"stopped":false | "waiting":[]`},

		{do: "DELETE /accounts/$account", status: 204},
		{do: "DELETE /accounts/$account", status: 404},
		{do: "POST /messages/test", body: `{"template":"$template","to":"me@zanzibar.example"}`, status: 409, has: "outbox.test.no_account"},
	})
	got := w.wire.got[len(w.wire.got)-2]
	if got.To.Addr != "me@zanzibar.example" || got.Subject != "Hello Zanzibar aya" {
		t.Errorf("the trial that went out: %+v", got)
	}
	b.make(w, "account", "POST /accounts", `{"kind":"email","name":"broken","from_address":"a@b.example","config":{"host":"h"}}`)
	w.wire.checkErr = errors.New("535 no")
	r := w.call("POST /accounts/"+b.ids["account"]+"/check", asked{key: b.key})
	if p := problemOf(t, r); p.Status != 503 || p.Code != "outbox.account.check_failed" || r.Header().Get("Retry-After") == "" {
		t.Errorf("an account that does not work: %+v", p)
	}
}

func TestCampaignAndReportScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	const draft = `"audience":{"include":["$segment"],"exclude":["$list"]},"topic":"$topic","template":"$template"`
	play(t, w, b, []scenario{
		{do: "GET /campaigns", status: 200, has: `"name":"Zanzibar sale" | "name":"Zanzibar plan" | "status":"draft"`},
		{do: "GET /campaigns/$campaign", status: 200, has: `"status":"sent" | "progress":{"done":3,"total":3} | "launched_at"`},
		{do: "GET /campaigns/none", status: 404, has: `"code":"campaign.not_found"`},
		{do: "POST /campaigns", body: `{"name":"Half","audience":{"include":[]}}`, status: 201, has: `"status":"draft" | "include":[] | "channel":"email"`, keep: "half"},
		{do: "POST /campaigns", body: `{"name":"","audience":{"include":[]}}`, status: 422, has: `"field":"name"`},
		{do: "POST /campaigns", body: `{"name":"x","audience":{"include":[]},"goal":{"window_seconds":-1}}`, status: 422, has: `"field":"goal.window_seconds"`},
		{do: "POST /campaigns", body: `{"name":"x"}`, status: 422, has: "audience"},
		{do: "POST /campaigns/$half/launch", status: 422, has: `"code":"campaign.incomplete.topic" | "code":"campaign.incomplete.template" | "location":"template" | "location":"topic"`},
		{as: "analyst", do: "POST /campaigns", body: `{"name":"x","audience":{"include":[]}}`, status: 403},
		{do: "PUT /campaigns/$half", body: `{"name":"Whole",` + draft + `,"goal":{"event":"Order Completed","window_seconds":3600},"scheduled_at":"2026-03-02T09:00:00+09:00"}`, status: 200, has: `"window_seconds":3600 | "scheduled_at":"2026-03-02T00:00:00Z" | "exclude":["$list"]`},
		{do: "PUT /campaigns/$half", body: `{"name":"Mine",` + draft + `,"revision":1}`, status: 409, has: `campaign.changed | "args":["`},
		{do: "PUT /campaigns/$campaign", body: `{"name":"x",` + draft + `}`, status: 409},
		{do: "PUT /campaigns/none", body: `{"name":"x",` + draft + `}`, status: 404},
		{do: "GET /campaigns/$half/preflight", status: 200, has: `"blocking":[] | "included":3 | "excluded":2 | "audience":1 | {"reason":"unsubscribed","count":1} | "allowed":0 | "content":[{"template":"$template" | "code":"action_missing" | "purpose":{`},
		{do: "GET /campaigns/none/preflight", status: 404},
		{do: "POST /campaigns", body: `{"name":"Gone","audience":{"include":["seg_none"]},"topic":"$topic","template":"tpl_none"}`, status: 201, keep: "gone"},
		{do: "GET /campaigns/$gone/preflight", status: 200, has: `"blocking":[{"location":"audience.include","code":"campaign.missing.segment" | "args":["segment","seg_none"] | {"location":"template","code":"campaign.missing.template" | "args":["template","tpl_none"] | "audience":0`},
		{do: "DELETE /campaigns/$gone", status: 204},
		{do: "POST /templates", body: `{"name":"Gap","subject":"Hello","html":"<p>Zanzibar {{ vip }} {{ person.plan }}</p>"}`, status: 201, keep: "gap"},
		{do: "POST /campaigns", body: `{"name":"Gap","audience":{"include":["$segment"]},"topic":"$topic","template":"$gap"}`, status: 201, keep: "gappy"},
		{do: "POST /campaigns/$gappy/launch", status: 422, has: `"code":"template.unfilled" | "args":["Gap","vip","1","16"] | "location":"template"`},
		{do: "GET /campaigns/$gappy/preflight", status: 200, has: `"blocking":[{"location":"template","code":"template.unfilled"`},
		{do: "POST /series", body: `{"name":"Gap","audience":{"include":["$segment"]},"topic":"$topic","template":"$gap","schedule":{"every":"day","at":"09:00"}}`, status: 201, keep: "gaps"},
		{do: "POST /series/$gaps/activate", status: 422, has: `"code":"template.unfilled"`},
		{do: "POST /journeys", body: `{"name":"Gap","draft":{"trigger":{"api":{}},"nodes":[{"id":"s","kind":"send","config":{"template":"$gap","topic":"$topic"}}]}}`, status: 201, keep: "gapped"},
		{do: "POST /journeys/$gapped/publish", status: 422, has: `"code":"template.unfilled" | nodes[s].config.template`},
		{do: "PUT /templates/$gap", body: `{"base":1,"name":"Gap","subject":"Hello","html":"<p>Zanzibar {{ vip | default: 'you' }} {{ person.plan }}</p>"}`, status: 200},
		{do: "POST /campaigns/$gappy/launch", status: 200},
		{do: "POST /campaigns/$gappy/cancel", status: 200},
		{do: "DELETE /series/$gaps", status: 204},
		{do: "POST /journeys/$gapped/publish", status: 200},
		{as: "viewer", do: "POST /sending/dry-run", body: `{"campaign":"$half"}`, status: 200, has: `"audience":1 | "allowed":0 | {"reason":"unsubscribed","count":1}`},
		{as: "viewer", do: "POST /sending/dry-run", body: `{"include":["$list"],"topic":"$topic"}`, status: 200, has: `"audience":2 | "waits_by_reason":[] | "unsettled":[]`},
		{as: "viewer", do: "POST /sending/dry-run", body: `{"include":["$list"],"topic":"$topic","template":"$template","test":{"variants":["other"],"share":50,"metric":"opened","hours":4}}`, status: 200, has: `"variant":"B","people":0 | "detectable":1`},
		{do: "POST /sending/dry-run", body: `{"include":["$list"],"topic":"$topic","template":"$template","test":{"variants":[],"share":50,"metric":"opened","hours":4}}`, status: 422, has: `plan.test.variants`},
		{do: "POST /sending/dry-run", body: `{"include":["$list"]}`, status: 422, has: `"location":"topic"`},
		{do: "POST /sending/dry-run", body: `{"topic":"$topic"}`, status: 422, has: `"location":"audience.include"`},
		{do: "POST /sending/dry-run", body: `{"include":["none"],"topic":"$topic"}`, status: 404},
		{do: "POST /sending/dry-run", body: `{"include":["$list"],"topic":"$topic","local":"tomorrow"}`, status: 422, has: "plan.local"},
		{do: "POST /sending/dry-run/people?outcome=refused&reason=unsubscribed", body: `{"campaign":"$half"}`, status: 200, has: `"outcome":"refused" | "reason":"unsubscribed" | "topic_name":"Zanzibar`},
		{do: "POST /sending/dry-run/people?outcome=allowed", body: `{"campaign":"$half"}`, status: 200, has: `"items":[] | "next_cursor":""`},
		{do: "POST /sending/dry-run/people?limit=1", body: `{"include":["$list"],"topic":"$topic"}`, status: 200, has: `"next_cursor":"`, not: `"next_cursor":""`},
		{as: "agent", do: "POST /campaigns/$half/launch", status: 403},
		{as: "marketer", do: "POST /campaigns/$half/launch", status: 200, has: `"status":"scheduled"`},
		{do: "POST /campaigns/$half/launch", status: 200, has: `"status":"scheduled"`},
		{do: "DELETE /campaigns/$half", status: 409},
		{do: "POST /campaigns/$half/pause", status: 200, has: `"status":"paused"`},
		{do: "POST /campaigns/$half/resume", status: 200, has: `"status":"scheduled"`},
		{do: "POST /campaigns/$half/cancel", status: 200, has: `"status":"cancelled"`},
		{do: "POST /campaigns/$half/resume", status: 409},
		{do: "POST /campaigns/$campaign/pause", status: 409},
		{do: "POST /campaigns/none/cancel", status: 404},
		{do: "POST /campaigns", body: `{"name":"Plan",` + draft + `,"plan":{"local":"soon"}}`, status: 422, has: `"field":"plan.local"`},
		{do: "POST /campaigns", body: `{"name":"Plan",` + draft + `,"plan":{"per_minute":-1}}`, status: 422, has: "plan.per_minute"},
		{do: "POST /campaigns", body: `{"name":"Plan",` + draft + `,"plan":{"test":{"variants":[],"share":20,"metric":"clicked","hours":4}}}`, status: 422, has: `"field":"plan.test.variants"`},
		{do: "POST /campaigns", body: `{"name":"Plan",` + draft + `,"plan":{"local":"2026-12-24T09:00","per_minute":60}}`, status: 201, has: `"plan":{"local":"2026-12-24T09:00","per_minute":60}`, keep: "planned"},
		{do: "PATCH /workspace", body: `{"approve_campaigns":true}`, status: 200, has: `"approve_campaigns":true`},
		{as: "marketer", do: "POST /campaigns/$planned/launch", status: 200, has: `"status":"review" | "requested_by"`},
		{as: "marketer", do: "POST /campaigns/$planned/approve", status: 403, has: `"code":"campaign.approval.self"`},
		{as: "agent", do: "POST /campaigns/$planned/approve", status: 403},
		{do: "POST /campaigns/$planned/approve", status: 200, has: `"status":"scheduled" | "approved_by"`},
		{do: "GET /audit?noun=campaign&noun_id=$planned", status: 200, has: `campaign.approve | campaign.launch`},
		{do: "POST /campaigns/$planned/withdraw", status: 200, has: `"status":"draft"`, not: "approved_by"},
		{do: "POST /campaigns/$planned/approve", status: 409, has: `campaign.not_in_review`},
		{do: "PATCH /workspace", body: `{"approve_campaigns":false}`, status: 200},
		{do: "POST /campaigns/$campaign/copy", body: `{"name":"Again"}`, status: 201, has: `"status":"draft" | "name":"Again" | "template":"$template"`},
		{do: "POST /campaigns/$campaign/copy", body: `{"name":""}`, status: 422, has: `"field":"name"`},
		{do: "POST /campaigns/$campaign/resend", body: `{"name":"Once more","segment_name":"Not opened"}`, status: 201, has: `"status":"draft" | "include":["seg_`, keep: "resent"},
		{do: "GET /audit?noun=campaign&noun_id=$resent", status: 200, has: `campaign.resend`},
		{do: "GET /segments?q=Not+opened", status: 200, has: `"name":"Not opened" | "size":`},
		{do: "POST /campaigns/none/resend", body: `{"name":"x","segment_name":"y"}`, status: 404},
		{do: "DELETE /campaigns/$draft_campaign", status: 204},
		{do: "DELETE /campaigns/$draft_campaign", status: 404},

		{as: "viewer", do: "GET /campaigns/$campaign/report", status: 200, has: `"audience":3 | "refused":1 | {"reason":"unsubscribed","count":1} | "sent":2 | "delivered":2 | "converted":1 | "revenue":[{"minor":2550,"currency":"EUR"}] | "converted":{"n":2,"count":1,"share":0.5`},
		{as: "agent", do: "GET /campaigns/$campaign/report", status: 403},
		{do: "GET /campaigns/none/report", status: 404},
		{do: "GET /campaigns/$campaign/people", status: 200, has: "aya.zanzibar | ben.zanzibar | cem.zanzibar"},
		{do: "GET /campaigns/$campaign/people?metric=refused&reason=unsubscribed", status: 200, has: "cem.zanzibar", not: "aya.zanzibar"},
		{do: "GET /campaigns/$campaign/people?metric=converted", status: 200, has: `aya.zanzibar | "message_id":"$message"`, not: "ben.zanzibar"},
		{do: "GET /campaigns/$campaign/people?metric=happiness", status: 422, has: `"field":"metric"`},
		{do: "GET /campaigns/none/people", status: 404},
		{do: "GET /reports/overview", status: 200, has: `"people":3 | "orders":4 | {"minor":20850,"currency":"EUR"} | "date":"2026-03-01"`},
	})
}

func TestJourneyScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	play(t, w, b, []scenario{
		{as: "viewer", do: "GET /journey-nodes", status: 200, has: `"kind":"wait" | "kind":"branch" | "kind":"send" | "outputs":["next"] | "outputs":[] | "config_schema":{ | "enum":["minute","hour","day","week"] | defs/Span`, not: "WaitConfig"},
		{do: "GET /journeys", status: 200, has: `"name":"Zanzibar journey" | "status":"live" | "active":1`},
		{do: "GET /journeys/$journey", status: 200, has: `"published_version":1 | "revision":2 | "entered":1`},
		{do: "GET /journeys/none", status: 404, has: `"code":"journey.not_found"`},
		{do: "GET /journeys/$journey/versions", status: 200, has: `"version":1 | "title":"Zanzibar wait"`},
		{do: "GET /journeys/$draft_journey/versions", status: 200, has: `"items":[]`},
		{do: "GET /journeys/none/versions", status: 404},
		{do: "POST /journeys", body: `{"name":"Empty","draft":{"trigger":{},"nodes":[]}}`, status: 201, has: `"status":"draft" | "revision":1`, keep: "empty"},
		{do: "POST /journeys", body: `{"name":"","draft":{"trigger":{},"nodes":[]}}`, status: 422, has: `"field":"name"`},
		{do: "POST /journeys", body: `{"name":"x","draft":{"trigger":{},"nodes":[],"sparkle":true}}`, status: 422, has: `"code":"journey.graph" | sparkle`},
		{do: "POST /journeys", body: `{"name":"x","draft":[]}`, status: 422, has: `"field":"draft"`},
		{do: "POST /journeys/$empty/check", status: 422, has: `"code":"journey.`},
		{do: "POST /journeys/$empty/publish", status: 422},
		{do: "POST /journeys/$draft_journey/check", status: 204},
		{do: "PUT /journeys/$empty", body: `{"name":"Other","revision":1,"draft":{"trigger":{"event":{"name":"x"}},"nodes":[{"id":"s","kind":"send","config":{"template":"none","topic":"$topic"}}]}}`, status: 200, has: `"revision":2 | "name":"Other"`},
		{do: "PUT /journeys/$empty", body: `{"name":"Late","revision":1,"draft":{"trigger":{},"nodes":[]}}`, status: 409, has: "journey.changed"},
		{do: "POST /journeys/$empty/publish", status: 422, has: `"code":"journey.missing.template" | "field":"nodes[s].config.template"`},
		{do: "PUT /journeys/none", body: `{"name":"x","revision":0,"draft":{"trigger":{},"nodes":[]}}`, status: 404},
		{as: "agent", do: "PUT /journeys/$empty", body: `{"name":"x","revision":0,"draft":{"trigger":{},"nodes":[]}}`, status: 403},
		{as: "analyst", do: "POST /journeys/$draft_journey/publish", status: 403},

		{do: "GET /journey-rounds/$round", status: 200, has: `"status":"active" | "node":"w"`},
		{do: "GET /journey-rounds/none", status: 404},
		{do: "POST /journey-rounds/$round/retry", status: 200 + 4, has: ""},
		{as: "viewer", do: "GET /journeys/$journey/report", status: 200, has: `"entered":1 | "active":1 | "kind":"wait" | "waiting":1`},
		{do: "GET /journeys/$journey/people?metric=active", status: 200, has: `aya.zanzibar | "round_id":"$round" | "node":"w"`},
		{do: "GET /journeys/$journey/people?metric=waiting&node=w", status: 200, has: "aya.zanzibar"},
		{do: "GET /journeys/$journey/people?metric=joy", status: 422, has: `"field":"metric"`},
		{do: "GET /journeys/none/report", status: 404},

		{do: "POST /journeys/$journey/archive", status: 409},
		{do: "POST /journeys/$journey/pause", status: 200, has: `"status":"paused"`},
		{do: "POST /journeys/$draft_journey/pause", status: 409, has: "journey.not_live"},
		{do: "POST /journeys/$journey/resume", status: 200, has: `"status":"live"`},
		{do: "POST /journeys/$journey/stop", status: 200, has: `"status":"stopped"`},
		{do: "POST /journeys/$journey/archive", status: 409, has: "journey.inhabited"},
		{do: "POST /journeys/$journey/retry", status: 200, has: `"count":0`},
		{do: "POST /journeys/none/retry", status: 404},
		{do: "POST /journey-rounds/$round/remove", status: 204},
		{do: "POST /journey-rounds/$round/remove", status: 409, has: "journey.not_inside"},
		{do: "GET /journey-rounds/$round", status: 200, has: `"status":"exited" | "why":"removed"`},
		{do: "POST /journeys/$journey/archive", status: 200, has: `"status":"archived"`},
		{do: "GET /journeys", status: 200, not: `"id":"$journey"`},

		{do: "GET /journeys/$journey/diff?from=1&to=0", status: 200, has: `"items":[]`},
		{do: "GET /journeys/$journey/diff?from=9&to=0", status: 404},
		{do: "GET /journeys/$api_journey/faults", status: 200, has: `"items":[]`},
		{do: "GET /journeys/none/faults", status: 404},
		{as: "viewer", do: "GET /journeys/$api_journey/circle", status: 200, has: `"items":[]`},
		{do: "GET /journeys/none/circle", status: 404},
		{as: "analyst", do: "GET /journeys/$api_journey/faults", status: 200},
		{do: "POST /journeys/$journey/simulations", body: `{"days":0}`, status: 422},
		{do: "POST /journeys/$api_journey/simulations", body: `{"days":7}`, status: 409, has: "journey.simulation.trigger"},
		{do: "GET /journey-simulations/$simulation", status: 200, has: `"approximations":["traits_of_today" | "nodes":[{"node":"w"`},
		{do: "GET /journey-simulations/none", status: 404},
		{do: "POST /journeys/$journey/trial", body: `{"trigger":{"name":"Zanzibar Cart","properties":{"product":"x"}}}`, status: 200, has: `"trigger_matches":true | "status":"exited" | "node":"s" | "kind":"send"`},
		{do: "POST /journeys/$journey/trial", body: `{"trigger":{"name":"Zanzibar Cart","properties":{"product":"x"}}}`, status: 200, has: `"letters":[{"step": | "template_id":"$template" | "product":"x"`},
		{do: "POST /journeys/$journey/trial", body: `{"trigger":{"name":"Zanzibar Cart"},"answers":[{"node":"w","status":200}]}`, status: 422, has: `"field":"answers[0].node" | journey.trial.answer`},
		{do: "POST /templates/preview", body: `{"draft":{"name":"d","subject":"{{ person.nick }} {{ person.first_name }}","html":"<p>x</p>"},"person":"$aya","vars":{"person":{"nick":"Ace"}}}`, status: 200, has: `"subject":"Ace Zanzibar aya"`},
		{do: "POST /journeys/$journey/trial", body: `{"person_id":"nobody","trigger":{"name":"Zanzibar Cart"}}`, status: 404},
		{do: "GET /journey-trouble", status: 200, has: `"parked":0 | "overdue":0`},
		{do: "GET /journey-trouble/rounds", status: 200, has: `"items":[]`},
		{do: "PUT /journeys/$api_journey", body: `{"name":"Zanzibar orders","revision":0,"draft":{"trigger":{"api":{}},"nodes":[{"id":"v","kind":"wait","title":"Rest","config":{"for":{"n":2,"unit":"day"}}}]}}`, status: 200},
		{do: "GET /journeys/$api_journey/diff?from=1&to=0", status: 200, has: `"what":"node_added" | "what":"node_removed" | "title":"Rest"`},
		{do: "POST /journeys/$api_journey/entries", body: `{"person_id":"$aya","data":{"order":1},"idempotency_key":"k1"}`, status: 200, has: `"status":"entered" | "round_id":"ins_`},
		{do: "POST /journeys/$api_journey/entries", body: `{"identifier":{"kind":"user_id","value":"aya"},"idempotency_key":"k2"}`, status: 200, has: `"status":"refused" | "reason":"inside"`},
		{do: "POST /journeys/$api_journey/entries", body: `{"person_id":"$aya"}`, status: 422, has: "idempotency_key"},
		{do: "POST /journeys/$api_journey/entries", body: `{"person_id":"nobody","idempotency_key":"k3"}`, status: 404, has: `"field":"person_id"`},
		{do: "POST /journeys/$api_journey/entries", body: `{"person_id":"$ben","idempotency_key":"k1"}`, status: 409, has: "journey.entry.key_reused"},
		{do: "POST /journeys/$draft_journey/entries", body: `{"person_id":"$aya","idempotency_key":"k3"}`, status: 409, has: "journey.not_live"},
		{as: "analyst", do: "POST /journeys/$api_journey/entries", body: `{"person_id":"$aya","idempotency_key":"k1"}`, status: 403},
		{do: "GET /journeys/$api_journey/refusals", status: 200, has: `"person_id":"$aya" | "person":{"id":"$aya","name": | "reason":"inside"`},
		{do: "GET /journeys/$api_journey/refusals?reason=full", status: 200, has: `"items":[]`},
		{do: "POST /journeys/$api_journey/additions/preview", body: `{"set_id":"$segment"}`, status: 200, has: `"count":`},
		{do: "POST /journeys/$api_journey/trial", body: `{"trigger":{},"at":"9999-12-31T23:59:59-12:00"}`, status: 422, has: `"code":"request.time_range" | "field":"at"`},
		{do: "POST /tasks", body: `{"title":"Call","due_at":"9999-12-31T23:59:59-12:00"}`, status: 422, has: `"code":"request.time_range" | "field":"due_at"`},
		{do: "POST /journeys/$api_journey/additions/preview", body: `{}`, status: 422, has: `"code":"journey.group" | "field":"person_ids"`},
		{do: "POST /journeys/$api_journey/additions/preview", body: `{"set_id":"seg_none"}`, status: 404, has: `"field":"set_id"`},
		{do: "POST /journeys/$api_journey/additions/preview", body: `{"person_ids":["$aya","$aya"]}`, status: 200, has: `"count":1`},
		{do: "POST /journeys/$api_journey/additions", body: `{"person_ids":["$ben","$aya"],"confirmed_count":1}`, status: 409, has: "journey.group.grown"},
		{do: "POST /journeys/$api_journey/additions", body: `{"person_ids":["$ben","nobody"],"confirmed_count":2}`, status: 404, has: `"field":"person_ids[1]"`},
		{do: "POST /journeys/$api_journey/additions", body: `{"person_ids":["$cem"],"confirmed_count":1,"idempotency_key":"a"}`, status: 201, has: `"kind":"add" | "status":"running"`, keep: "added"},
		{do: "POST /journeys/$api_journey/additions", body: `{"person_ids":["$cem"],"confirmed_count":1,"idempotency_key":"a"}`, status: 201, has: `"id":"$added"`},
		{do: "POST /journeys/$api_journey/additions", body: `{"person_ids":["$ben"],"confirmed_count":1,"idempotency_key":"a"}`, status: 409, has: `"code":"journey.addition.key_reused"`},
		{do: "POST /journeys/$api_journey/additions", body: `{"set_id":"$segment","confirmed_count":9,"idempotency_key":"a"}`, status: 409, has: `"code":"journey.addition.key_reused"`},
		{do: "GET /journeys/$api_journey/tasks", status: 200, has: `"kind":"add" | "total":1`},
		{do: "POST /journey-tasks/$task/cancel", status: 200, has: `"status":"cancelled"`},
		{do: "POST /journey-tasks/$task/cancel", status: 409, has: "journey.task.over"},
		{do: "POST /journeys/$api_journey/publish", status: 200, has: `"published_version":2`},
		{do: "POST /journeys/$api_journey/migrations", body: `{"fate":"move"}`, status: 422, has: `"code":"journey.migration.unmapped" | "field":"nodes.w"`},
		{do: "POST /journeys/$api_journey/migrations", body: `{"fate":"move","nodes":{"w":"x"}}`, status: 422, has: "journey.migration.node"},
		{do: "POST /journeys/$api_journey/migrations", body: `{"fate":"move","nodes":{"w":"v"},"idempotency_key":"1"}`, status: 201, has: `"kind":"move" | "total":1`, keep: "moving"},
		{do: "POST /journeys/$api_journey/migrations", body: `{"fate":"move","nodes":{"w":"v"},"idempotency_key":"1"}`, status: 201, has: `"id":"$moving"`},
		{do: "POST /journeys/$api_journey/migrations", body: `{"fate":"exit","idempotency_key":"1"}`, status: 409, has: `"code":"journey.migration.key_reused"`},
		{do: "POST /journeys/$api_journey/migrations", body: `{"fate":"move","nodes":{"w":"v","ghost":"v"}}`, status: 422, has: `"code":"journey.migration.stray" | "field":"nodes.ghost"`},
		{do: "POST /journeys/$api_journey/migrations", body: `{"fate":"move","from":[9],"nodes":{"w":"v"}}`, status: 422, has: `"code":"journey.migration.version" | "field":"from"`},
		{do: "GET /journeys/$api_journey/stats", status: 200, has: `"entered":1 | "versions":[{"version":1,"inside":1}] | "turned_away":{"inside":1}`},
		{do: "GET /journeys/$api_journey/queue", status: 200, has: `"items":[]`},

		{do: "POST /journeys/ready", body: `{"locale":"ja"}`, status: 200, has: `"key":"abandoned_cart" | "key":"win_back" | カゴ落ち`},
		{do: "POST /journeys/ready", body: `{"locale":"fr"}`, status: 422, has: `"field":"locale"`},
		{as: "agent", do: "POST /journeys/ready", body: `{"locale":"en"}`, status: 403},
	})
	// A round to its end, with every step and its reason.
	b.make(w, "again", "POST /journeys", b.expand(w, `{"name":"Again","draft":`+graph+`}`))
	w.ok(b.key, "POST /journeys/"+b.ids["again"]+"/publish", "", nil)
	w.feed(track(b.ws, "cart-ben", "ben", marker+" Cart", `{}`, w.clock.Now()))
	w.walk()
	w.clock.Advance(time.Hour + time.Minute)
	w.walk()
	w.send(1)
	w.feed(track(b.ws, "order-ben2", "ben", event.OrderCompleted, `{"order_id":"Z-77","total":5,"currency":"EUR"}`, w.clock.Now()))
	var rounds struct{ Items []struct{ ID string } }
	w.ok(b.key, "GET /people/"+b.ids["ben"]+"/journeys", "", &rounds)
	b.ids["round"] = rounds.Items[0].ID
	play(t, w, b, []scenario{
		{do: "GET /journey-rounds/$round", status: 200, has: `"ended_at" | "kind":"wait" | "kind":"send" | "message_id":"msg_ | "kind":"exit"`},
		{do: "GET /journeys/$again/report", status: 200, has: `"entered":1 | "active":0 | "exited":1 | "sent":1 | "converted":1`},
		{do: "GET /journeys/$again/people?metric=sent&node=s", status: 200, has: "ben.zanzibar"},
	})
}

func TestInvoiceScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	const terms = `"person":"$aya","title":"Zanzibar plan","amount":123450,"currency":"EUR","due_on":"2026-03-31","url":"https://pay.example/7"`
	play(t, w, b, []scenario{
		{as: "viewer", do: "GET /invoices", status: 200, has: `"number":"Z-1" | "status":"open" | "outstanding":5000`},
		{as: "viewer", do: "PUT /invoices", body: `{"number":"Z-7",` + terms + `}`, status: 403},
		{as: "agent", do: "PUT /invoices", body: `{"number":"Z-7",` + terms + `}`, status: 200, has: `"status":"open" | "outstanding":123450 | "person":"$aya" | "reminders":[]`, keep: "seven"},
		{do: "PUT /invoices", body: `{"number":"Z-7",` + terms + `}`, status: 200, has: `"id":"$seven"`},
		{do: "PUT /invoices", body: `{"number":"","person":"$aya","amount":1,"currency":"EUR","due_on":"2026-03-31"}`, status: 422, has: `"field":"number"`},
		{do: "PUT /invoices", body: `{"number":"x","person":"$aya","amount":-1,"currency":"EUR","due_on":"2026-03-31"}`, status: 422, has: `"field":"amount"`},
		{do: "PUT /invoices", body: `{"number":"x","person":"$aya","amount":1,"currency":"euro","due_on":"2026-03-31"}`, status: 422, has: `"field":"currency"`},
		{do: "PUT /invoices", body: `{"number":"x","person":"$aya","amount":1,"currency":"EUR","due_on":"soon"}`, status: 422, has: `"field":"due_on"`},
		{do: "PUT /invoices", body: `{"number":"x","person":"per_none","amount":1,"currency":"EUR","due_on":"2026-03-31"}`, status: 404, has: "person.not_found"},
		{do: "GET /invoices?status=lost", status: 422, has: "status"},
		{do: "POST /invoices/$seven/payments", body: `{"key":"bank-1","amount":100000}`, status: 200, has: `"status":"open" | "outstanding":23450`},
		{do: "POST /invoices/$seven/payments", body: `{"key":"bank-1","amount":100000}`, status: 200, has: `"outstanding":23450`},
		{do: "POST /invoices/$seven/payments", body: `{"key":"","amount":1}`, status: 422, has: `"field":"key"`},
		{do: "POST /invoices/$seven/payments", body: `{"key":"bank-2","amount":23450}`, status: 200, has: `"status":"paid" | "outstanding":0 | "paid_at":"2026-03-01T09:30:00Z"`},
		{do: "POST /invoices/$seven/void", status: 409, has: `"code":"invoice.paid"`},
		{do: "GET /invoices/$seven", status: 200, has: `"payments":[{"key":"bank-1"`},
		{do: "GET /invoices?status=paid", status: 200, has: `"number":"Z-7"`, not: `"number":"Z-1"`},
		{do: "GET /invoices/totals", status: 200, has: `{"status":"open","currency":"JPY","count":1,"outstanding":5000} | {"status":"paid","currency":"EUR","count":1,"outstanding":0}`},
		{do: "POST /invoices/$invoice/void", status: 200, has: `"status":"void" | "outstanding":0`},
		{do: "POST /invoices/$invoice/payments", body: `{"key":"k","amount":1}`, status: 409, has: `"code":"invoice.void"`},
		{do: "GET /invoices/none", status: 404},
		{as: "viewer", do: "GET /invoice-plan", status: 200, has: `"days":[-3,1,8,15] | "at":"09:00"`},
		{as: "marketer", do: "PUT /invoice-plan", body: `{"days":[1],"at":"09:00"}`, status: 403},
		{do: "PUT /invoice-plan", body: `{"days":[3,1],"at":"09:00"}`, status: 422, has: `"field":"days"`},
		{do: "PUT /invoice-plan", body: `{"days":[1],"at":"9 o'clock"}`, status: 422, has: `"field":"at"`},
		{do: "PUT /invoice-plan", body: `{"days":[2,9],"at":"08:30"}`, status: 200, has: `"days":[2,9]`},
	})
	w.settle()
	var events struct{ Items []struct{ Name string } }
	w.ok(b.key, "GET /people/"+b.ids["aya"]+"/events?type=invoice", "", &events)
	var names []string
	for _, e := range events.Items {
		names = append(names, e.Name)
	}
	slices.Sort(names)
	if d := cmp.Diff([]string{"Invoice Issued", "Invoice Issued", "Invoice Paid", "Invoice Payment Received", "Invoice Payment Received", "Invoice Voided"}, names); d != "" {
		t.Errorf("the timeline:\n%s", d)
	}
}

func TestWhyScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	b.make(w, "none", "POST /segments", `{"name":"Nobody","rule":{"trait":{"path":"country","op":"eq","value":"XX"}}}`)
	w.evaluate()
	b.make(w, "elsewhere", "POST /campaigns", b.expand(w, `{"name":"Elsewhere","audience":{"include":["$none"]},"topic":"$topic","template":"$template"}`))
	b.make(w, "but", "POST /campaigns", b.expand(w, `{"name":"But","audience":{"include":["$segment"],"exclude":["$list"]},"topic":"$topic","template":"$template"}`))
	asked := `{"step":"content","outcome":"passed"} | {"step":"person","outcome":"passed"} | {"step":"address","outcome":"passed"}`
	play(t, w, b, []scenario{
		{do: "GET /people/$aya/why?campaign=$campaign", status: 200, has: `"outcome":"sent" | {"step":"sending","outcome":"passed"} | "included":["$segment"] | ` + asked},
		{do: "GET /people/$cem/why?campaign=$campaign", status: 200, has: `"outcome":"refused" | "reason":"unsubscribed" | "step":"consent","outcome":"failed","reason":"unsubscribed" | "recorded":{"at": | "in":true | {"step":"caps","outcome":"not_asked"} | ` + asked},
		{do: "GET /people/$cem/why?campaign=$draft_campaign", status: 200, has: `"outcome":"not_yet" | "messages":[] | "status":"draft" | "step":"consent","outcome":"failed","reason":"unsubscribed"`, not: `"recorded"`},
		{do: "GET /people/$cem/why?campaign=$elsewhere", status: 200, has: `"outcome":"left_out" | "included":[] | "gate":[]`},
		{do: "GET /people/$aya/why?campaign=$but", status: 200, has: `"outcome":"left_out" | "included":["$segment"] | "excluded":["$list"] | "gate":[]`},
		{do: "GET /people/$aya/why?journey=$journey", status: 200, has: `"rounds":[{"id":"$round"`, not: `standing`},
		{do: "GET /people/$cem/why?journey=$journey", status: 200, has: `"outcome":"left_out" | "rounds":[] | "messages":[]`},
		{do: "GET /people/$aya/why?message=$message", status: 200, has: `"outcome": | "messages":[{"id":"$message" | "gate":[{"step":"content"`},
		{do: "GET /people/$cem/why?message=$message", status: 404, has: "message"},
		{do: "GET /people/$aya/why?message=msg_none", status: 404},
		{do: "GET /people/$aya/why?key=none", status: 404},
		{do: "POST /messages/batch", body: `{"messages":[{"key":"why-1","to":{"person":"$aya"},"template":"$template"},{"key":"why-2","to":{"person":"$aya"},"template":"$template","send_at":"2026-03-09T09:00:00Z"}]}`, status: 202},
		{do: "GET /people/$aya/why?key=why-2", status: 200, has: `"outcome":"waits" | "step":"sending","outcome":"waits","reason":"scheduled","at":"2026-03-09T09:00:00Z"`},
		{do: "GET /people/$cem/why?key=why-2", status: 404},
		{do: "GET /people/$aya/why?template=$template&limit=1", status: 200, has: `"reason":"scheduled" | "next":"`},
		{do: "GET /people/$cem/why?template=$template", status: 200, has: `"outcome":"not_yet" | "messages":[]`},
		{do: "GET /people/$aya/why?template=tpl_none", status: 404},
		{do: "GET /people/$aya/why?confirmation=true", status: 200, has: `"outcome":"not_yet"`},
		{do: "GET /people/$aya/why?series=ser_none", status: 404},
		{do: "GET /people/$aya/why?series=$series", status: 200, has: `"outcome":"not_yet" | "runs":[] | "series":{"status":"`},
		{do: "GET /people/$aya/why?campaign=$campaign&confirmation=true", status: 422, has: "why.source"},
		{do: "GET /people/$cem/why", status: 422, has: "why.source"},
		{do: "GET /people/$cem/why?campaign=$campaign&journey=$journey", status: 422, has: "why.source"},
		{do: "GET /people/$cem/why?campaign=cmp_none", status: 404},
		{do: "GET /people/$cem/why?journey=jrn_none", status: 404},
		{as: "agent", do: "GET /people/per_none/why?campaign=$campaign", status: 404},
	})
}

func TestWhyIsOfOneWorkspaceAlone(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	key := w.tenant("Elsewhere").key
	var own struct{ ID string }
	w.ok(key, "POST /people", `{"identifiers":[{"kind":"user_id","value":"own"}]}`, &own)
	for _, q := range []string{"campaign=$campaign", "series=$series", "journey=$journey", "template=$template", "message=$message"} {
		r := w.call("GET /people/"+own.ID+"/why?"+b.expand(w, q), asked{key: key})
		if r.Code != http.StatusNotFound {
			t.Errorf("%s of another workspace: %d %s", q, r.Code, r.Body)
		}
	}
}
