package httpapi_test

import (
	"testing"
)

const (
	peopleLayout = `"layout":{"form":"delimited","encoding":"utf-8","delimiter":"semicolon","header":true}`
	peoplePlan   = `"plan":{"source":"shop form","columns":[{"name":"Member No","to":"identifier","key":"user_id"},{"name":"Mail","to":"identifier","key":"email"},
		{"name":"Age","to":"trait","key":"age","type":"number"},{"name":"News","to":"subscription","key":"$topic"}]}`
	ordersPlan = `"plan":{"event":"Order Completed","currency":"JPY","zone":"Asia/Tokyo","columns":[{"name":"email","to":"identifier","key":"email"},{"name":"date","to":"time","type":"time"},
		{"name":"amount","to":"property","key":"total","type":"number"}]}`
)

func TestImportScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	var begun struct{ ID string }
	b.make(w, "file", "POST /uploads", "Member No;Mail;Age;News\nu-1;one@zanzibar.example;41;yes\nu-2;not an address;5;\nu-3;three@zanzibar.example;old;no\nben;ben.zanzibar@example.com;33;yes\n;cem.zanzibar@example.com;20;ja\nu-5;\"=cmd;x@y.z\n")
	b.make(w, "orders", "POST /uploads", "email,date,amount\none@zanzibar.example,2026-01-05,\"1,200\"\none@zanzibar.example,2026-01-05,\"1,200\"\nnobody@zanzibar.example,2026-01-06,80\nlate@zanzibar.example,2099-01-06,80\n")
	b.make(w, "lines", "POST /uploads", `{"userId":"j-1","traits":{"email":"j@zanzibar.example","address":{"city":"京都"}}}`+"\nnot json\n")
	play(t, w, b, []scenario{
		{as: "viewer", do: "POST /imports/look", body: `{"upload":"$file"}`, status: 403, has: "import.write"},
		{as: "viewer", do: "POST /imports", body: `{"upload":"$file",` + peopleLayout + `,` + peoplePlan + `}`, status: 403},
		{do: "POST /imports/look", body: `{"upload":"upl_none"}`, status: 404, has: "job.upload.not_found"},
		{do: "POST /imports/look", body: `{"upload":"$file"}`, status: 200, has: `"delimiter":"semicolon" | "encoding":"utf-8" | "header":true | "name":"Mail" | "samples":["one@zanzibar.example" | {"name":"Mail","to":"identifier","key":"email"} | {"name":"Member No","to":"identifier","key":"user_id"} | "line_user_id"`},
		{do: "POST /imports/look", body: `{"upload":"$lines"}`, status: 200, has: `"form":"lines" | {"name":"traits.address.city","to":"trait","key":"address.city" | {"name":"userId","to":"identifier","key":"user_id"`},
		{do: "POST /imports/check", body: `{"upload":"$file",` + peopleLayout + `,"plan":{"columns":[{"name":"Age","to":"trait","key":"age"}]}}`, status: 422, has: "import.plan.no_identifier"},
		{do: "POST /imports/check", body: `{"upload":"$file",` + peopleLayout + `,"plan":{"columns":[{"name":"Member No","to":"identifier","key":"user_id"},{"name":"News","to":"subscription","key":"$topic"}]}}`, status: 422, has: `import.plan.basis | "field":"plan.basis.source"`},
		{do: "POST /imports/check", body: `{"upload":"$file",` + peopleLayout + `,"plan":{"columns":[{"name":"Nobody","to":"identifier","key":"user_id"}]}}`, status: 422, has: "import.plan.column"},
		{
			do: "POST /imports/check", body: `{"upload":"$file",` + peopleLayout + `,` + peoplePlan + `}`, status: 200,
			has: `"rows":6 | "accepted":2 | "rejected":4 | "created":1 | "known":1 | "complete":true | "identifier":1 | "value_number":1 | "subscription":1 | "columns":1 | "line":3 | "value":"not an address" | "person":"$ben" | "yes":2`,
		},
		{do: "GET /people?identifier=user_id:u-1", status: 200, has: `"items":[]`}, // nothing was written
		{
			do: "POST /imports/check", body: `{"upload":"$orders","layout":{"form":"delimited","encoding":"utf-8","delimiter":"comma","header":true},` + ordersPlan + `}`, status: 200,
			has: `"rows":4 | "events":3 | "created":2 | "future":1 | "total":1200 | "time":"2026-01-04T15:00:00Z"`,
		},
		{as: "viewer", do: "POST /import-mappings", body: `{"name":"m","columns":["email"],` + ordersPlan + `}`, status: 403, has: "import.write"},
		{do: "POST /import-mappings", body: `{"name":" ","columns":["email","date","amount"],` + ordersPlan + `}`, status: 422, has: `import.mapping.name | "field":"name"`},
		{do: "POST /import-mappings", body: `{"name":"Till","columns":["email","date"],` + ordersPlan + `}`, status: 422, has: "import.plan.column | amount"},
		{do: "POST /import-mappings", body: `{"name":"Till","columns":["email"],"plan":{"columns":[]}}`, status: 422, has: "import.plan.no_identifier"},
		{do: "POST /import-mappings", body: `{"name":"Till","columns":["amount","date","email"],` + ordersPlan + `}`, status: 201, has: `"name":"Till" | "revision":1 | "currency":"JPY"`, keep: "till"},
		{do: "POST /import-mappings", body: `{"name":"TILL","columns":["email","date","amount"],` + ordersPlan + `}`, status: 409, has: "import.mapping.name_taken"},
		{do: "POST /imports/look", body: `{"upload":"$orders"}`, status: 200, has: `"saved":[{"id":"$till" | "columns":["amount","date","email"]`}, // in another order
		{do: "POST /imports/look", body: `{"upload":"$file"}`, status: 200, has: `"saved":[]`},
		{do: "PUT /import-mappings/$till", body: `{"name":"Tills","revision":1,` + ordersPlan + `}`, status: 200, has: `"name":"Tills" | "revision":2`},
		{do: "PUT /import-mappings/$till", body: `{"name":"Mine","revision":1,` + ordersPlan + `}`, status: 409, has: "import.mapping.changed"},
		{do: "GET /import-mappings/$till", status: 200, has: `"name":"Tills"`},
		{do: "DELETE /import-mappings/$till", status: 204},
		{do: "DELETE /import-mappings/$till", status: 404},
		{do: "POST /imports/look", body: `{"upload":"$orders"}`, status: 200, has: `"saved":[]`},
		{do: "POST /imports", body: `{"upload":"$file","name":"Zanzibar people.csv","locale":"ja",` + peopleLayout + `,` + peoplePlan + `}`, status: 202, has: `"state":"queued" | "kind":"people_import"`, keep: "people_job"},
		{do: "POST /imports", body: `{"upload":"$file",` + peopleLayout + `,` + peoplePlan + `}`, status: 202, has: `"id":"$people_job"`},
		{do: "POST /imports", body: `{"upload":"$orders","layout":{"form":"delimited","encoding":"utf-8","delimiter":"comma","header":true},` + ordersPlan + `}`, status: 202, keep: "orders_job"},
		{do: "POST /imports", body: `{"upload":"$lines","layout":{"form":"lines","encoding":"utf-8","header":true},"plan":{"columns":[{"name":"userId","to":"identifier","key":"user_id"},{"name":"traits.address.city","to":"trait","key":"address.city"}]}}`, status: 202, keep: "lines_job"},
		{do: "POST /imports", body: `{"upload":"upl_none",` + peopleLayout + `,` + peoplePlan + `}`, status: 404, has: `"code":"job.upload.not_found" | "field":"upload"`},
		{do: "POST /jobs/$waiting_job/cancel", status: 200},
	})
	// A file that says of two people with customer numbers of their own that they share an address.
	b.make(w, "twice", "POST /uploads", "id,mail\naya,shared@zanzibar.example\nben,shared@zanzibar.example\n")
	w.ok(b.key, "POST /imports", b.expand(w, `{"upload":"$twice","layout":{"form":"delimited","encoding":"utf-8","delimiter":"comma","header":true},"plan":{"columns":[{"name":"id","to":"identifier","key":"user_id"},{"name":"mail","to":"identifier","key":"email"}]}}`), &begun)
	b.ids["twice_job"] = begun.ID
	w.work()
	w.settle()
	var found struct{ Items []struct{ ID string } }
	w.ok(b.key, "GET /people?identifier=user_id:u-1", "", &found)
	b.ids["one"] = found.Items[0].ID
	play(t, w, b, []scenario{
		{do: "GET /jobs/$people_job", status: 200, has: `"state":"done" | "accepted":2 | "rejected":4 | "rows":6 | "created":1 | "known":1 | "key":"rejected"`},
		{do: "GET /jobs/$people_job/files/rejected", status: 200, has: "行,取り込めなかった理由,Member No,Mail,Age,News | 3,Mail：「not an address」では顧客を識別できません,u-2,not an address,5, | Age：「old」は数値ではありません | '=cmd"},
		{do: "GET /jobs/$orders_job", status: 200, has: `"state":"done" | "accepted":3 | "rejected":1`},
		{do: "GET /jobs/$people_job", status: 200, has: `"refused":0`},
		{do: "GET /jobs/$twice_job", status: 200, has: `"state":"done" | "refused":1`},
		{do: "GET /people-suggestions?source=$twice_job", status: 200, has: `"reason":"conflict" | shared@zanzibar.example | "$aya" | "$ben"`},
		{do: "GET /people-suggestions?source=$people_job", status: 200, has: `"items":[]`},
		{do: "GET /people?identifier=user_id:u-1", status: 200, has: `one@zanzibar.example | "age":41 | "orders":2 | "revenue.JPY":2400`},
		{do: "GET /people/$one/subscriptions", status: 200, has: `"status":"subscribed" | shop form`},
		{do: "GET /people?identifier=user_id:u-2", status: 200, has: `"items":[]`},
		{do: "GET /people?identifier=user_id:j-1", status: 200, has: `京都`},
	})
}
