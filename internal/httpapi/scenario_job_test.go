package httpapi_test

import (
	"testing"
)

func TestJobScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	b.make(w, "list", "POST /uploads", "name,email\nBen,BEN.zanzibar@example.com\nX,=nonsense\nY,y@zanzibar.example\nY again,Y@zanzibar.example\n")
	play(t, w, b, []scenario{
		{do: "GET /jobs", status: 200, has: `"id":"$job" | "state":"done" | "figures":{"added":1,"rejected":1,"rows":2} | "title":"Zanzibar list.csv" | "key":"rejected"`},
		{do: "GET /jobs?active=true", status: 200, has: `"id":"$waiting_job" | "state":"queued"`, not: `"id":"$job"`},
		{as: "owner", do: "GET /jobs?mine=true", status: 200, has: `"items":[]`},
		{as: "viewer", do: "GET /jobs", status: 200, has: `"items":[]`},
		{as: "viewer", do: "GET /jobs/$job", status: 404, has: "job.not_found"},
		{as: "viewer", do: "POST /jobs/$waiting_job/cancel", status: 404},
		{as: "viewer", do: "GET /jobs/$job/files/rejected", status: 404},
		{as: "viewer", do: "POST /uploads", body: "x", status: 403, has: "import.write"},
		{do: "POST /uploads", body: "", status: 422, has: "job.file.empty"},
		{do: "GET /jobs/$job/files/rejected", status: 200, has: "line,value,reason | 3,nonsense,invalid"},
		{do: "GET /jobs/$job/files/other", status: 404},

		{as: "agent", do: "POST /suppressions/import/check", body: `{"channel":"email","upload":"$list","column":"mail"}`, status: 422, has: `"field":"column"`},
		{as: "agent", do: "POST /suppressions/import/check", body: `{"channel":"fax","upload":"$list"}`, status: 422, has: `"code":"outbox.account.kind_unknown" | "field":"channel"`},
		{as: "agent", do: "POST /suppressions/import", body: `{"channel":"fax","upload":"$list"}`, status: 422, has: `"code":"outbox.account.kind_unknown" | "field":"channel"`},
		{as: "agent", do: "POST /suppressions/import/check", body: `{"channel":"email","upload":"$list"}`, status: 200, has: `"rows":4 | "added":2 | "rejected":2 | "code":"invalid" | "code":"repeated"`},
		{do: "GET /suppressions?address=y@zanzibar.example", status: 200, has: `"items":[]`},
		{as: "agent", do: "POST /suppressions/import", body: `{"channel":"email","upload":"$list","detail":"old tool","name":"old.csv"}`, status: 202, has: `"state":"queued" | "title":"old.csv"`, keep: "file_job"},
		{as: "agent", do: "POST /suppressions/import", body: `{"channel":"email","upload":"$list","detail":"old tool","name":"old.csv"}`, status: 202, has: `"id":"$file_job"`},
		{do: "POST /suppressions/import", body: `{"channel":"email","upload":"upl_none","name":"none.csv"}`, status: 404, has: `"code":"job.upload.not_found" | "field":"upload"`},
		{as: "agent", do: "POST /jobs/$waiting_job/cancel", status: 200, has: `"state":"cancelled"`},
		{as: "agent", do: "POST /jobs/$job/cancel", status: 409, has: "job.over"},
	})
	w.work()
	w.settle()
	play(t, w, b, []scenario{
		{as: "agent", do: "GET /jobs/$file_job", status: 200, has: `"state":"done" | "figures":{"added":2,"rejected":2,"rows":4}`},
		{do: "GET /jobs/$file_job/files/rejected", status: 200, has: "3,'=nonsense,invalid | 5,Y@zanzibar.example,repeated"},
		{as: "agent", do: "POST /suppressions/import", body: `{"channel":"email","upload":"$list","detail":"old tool","name":"old.csv"}`, status: 202, has: `"id":"$file_job"`}, // its file is gone by now
		{do: "GET /suppressions?reason=import&address=y@zanzibar.example", status: 200, has: `old tool`},
		{do: "GET /suppressions?address=spare@zanzibar.example", status: 200, has: `"items":[]`}, // of the job that was cancelled
		{do: "GET /people/$ben/events", status: 200, has: `Suppressed`},                          // whose address it is
	})
}

func TestSuppressionOfAPersonScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	play(t, w, b, []scenario{
		{do: "GET /people/$ben/suppression", status: 200, has: `"person":[] | "addresses":[]`},
		{as: "viewer", do: "PUT /people/$ben/suppression", body: `{"reason":"asked"}`, status: 403},
		{do: "PUT /people/$ben/suppression", body: `{"reason":"other"}`, status: 422, has: `"field":"note"`},
		{do: "PUT /people/$ben/suppression", body: `{"reason":"asked","until":"2020-01-01T00:00:00Z"}`, status: 422, has: `"field":"until"`},
		{as: "agent", do: "PUT /people/$ben/suppression", body: `{"reason":"asked","note":"on the phone","until":"2027-01-01T00:00:00Z"}`, status: 200, has: `"reason":"asked" | "note":"on the phone" | "until":"2027-01-01T00:00:00Z"`},
		{do: "GET /people/$ben/subscriptions", status: 200, has: `"status":"suppressed" | on the phone`},
		{do: "POST /sending/dry-run", body: `{"include":["$list"],"topic":"$topic"}`, status: 200, has: `person_suppressed`},
		{do: "POST /messages", body: `{"to":{"person":"$ben"},"lane":"marketing","topic":"$topic","subject":"x","text":"x"}`, status: 202, has: "person_suppressed"},
		{as: "agent", do: "DELETE /people/$ben/suppression?why=asked+again", status: 204},
		{do: "DELETE /people/$ben/suppression", status: 404},
		{do: "GET /people/$ben/subscriptions", status: 200, has: `"status":"lifted" | asked again`},
		{do: "GET /people/$ben/suppression", status: 200, has: `"person":[]`},
		{do: "POST /suppressions", body: `{"channel":"email","addresses":["ben.zanzibar@example.com"],"reason":"import"}`, status: 200},
		{do: "GET /people/$ben/suppression", status: 200, has: `"reason":"import" | "channel":"email" | "hash"`},
	})
}
