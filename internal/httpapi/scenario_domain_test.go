package httpapi_test

import "testing"

func TestSendingDomainScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	play(t, w, b, []scenario{
		{do: "GET /sending/domains", status: 200, has: `"domain":"zanzibar.example" | "status":"unchecked" | "algorithm":"rsa" | "algorithm":"ed25519" | ._domainkey.zanzibar.example`, not: "private"},
		{do: "POST /sending/domains", body: `{"domain":"Zanzibar.Example."}`, status: 409, has: `"code":"mailauth.domain.exists"`},
		{do: "POST /sending/domains", body: `{"domain":"shop at example"}`, status: 422, has: `"field":"domain"`},
		{as: "analyst", do: "POST /sending/domains", body: `{"domain":"x.example"}`, status: 403},
		{do: "POST /sending/domains", body: `{"domain":"shop.example"}`, status: 201, has: `"sign":true | "status":"waiting"`, keep: "shop"},
		{do: "PUT /sending/domains/$shop", body: `{"sign":false}`, status: 200, has: `"sign":false`},
		{do: "POST /sending/domains/$shop/keys", body: `{"algorithm":"rsa"}`, status: 409, has: `"code":"mailauth.key.waiting"`},
		{do: "POST /sending/domains/$shop/keys", body: `{"algorithm":"dsa"}`, status: 422, has: `algorithm`},
		// There is no DNS here, which is not the domain's fault.
		{do: "POST /sending/domains/$shop/check", status: 200, has: `"status":"unknown" | "code":"dkim.unreachable" | "checked_at"`, not: `"status":"fail"`},
		{do: "DELETE /sending/domains/$shop/keys/none", status: 404, has: `"code":"key.not_found"`},
		{do: "DELETE /sending/domains/$domain/keys/$dkim_key", status: 200, has: `"algorithm":"ed25519"`, not: `"algorithm":"rsa"`},
		{do: "DELETE /sending/domains/$shop", status: 204},
		{do: "GET /sending/domains/$shop", status: 404, has: `"code":"domain.not_found"`},
	})
}

func TestPaceScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	account := `"kind":"email","name":"Zanzibar mail","from_address":"shop@zanzibar.example","config":{"host":"mail.zanzibar.example"}`
	play(t, w, b, []scenario{
		{do: "GET /sending/providers", status: 200, has: `"name":"gmail" | "per_minute":600 | "qq.com" | "docomo.ne.jp"`},
		{do: "PUT /accounts/$account", body: `{` + account + `,"provider_throttles":true,"throttles":[{"name":"corp","domains":["Corp.Example"],"per_minute":30,"connections":2}],"warm_up":{"start":"2026-03-01","first":50,"growth":2,"target":1000}}`, status: 200, has: `"provider_throttles":true | "domains":["corp.example"] | "growth":2`},
		{do: "GET /accounts/$account/pace", status: 200, has: `"name":"corp" | "used":0 | {"date":"2026-03-01","limit":50,"used":0} | {"date":"2026-03-05","limit":800,"used":0} | "today":0 | "waiting":{`},
		{do: "PUT /accounts/$account", body: `{` + account + `,"throttles":[{"name":"x","domains":["nowhere"]}]}`, status: 422, has: `"field":"throttles[0].domains[0]"`},
		{do: "PUT /accounts/$account", body: `{` + account + `,"warm_up":{"start":"2026-03-01","first":50,"growth":0.5,"target":1000}}`, status: 422, has: `"field":"warm_up.growth"`},
		{do: "PUT /accounts/$account", body: `{` + account + `}`, status: 200, not: "throttles"},
		{do: "GET /accounts/$account/pace", status: 200, has: `"throttles":[] | "warm_up":[]`},
		{do: "GET /accounts/none/pace", status: 404},
	})
}
