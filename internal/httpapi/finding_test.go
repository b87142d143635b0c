package httpapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestWhatIsWrongWithAValueHasACodeAndNamesTheRemedy(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	for _, c := range []struct{ do, body, want string }{
		{"POST /people/$aya/reveal", `{"field":"traits.ssn","reason":"a"}`, `reason request.too_short [3] write at least 3 characters`},
		{"POST /messages", `{"subject":"x"}`, `to request.missing [] this is needed; fill it in`},
		{"POST /messages", `{"to":{"person":"$aya"},"subjekt":"x"}`, `subjekt request.unknown [] there is no such field; take it out, or look for a misspelling`},
		{"POST /messages", `{"to":{"person":7},"subject":"x"}`, `to.person request.kind [] use a text here`},
		{"POST /messages", `{"to":{"person":"$aya"},"lane":"fast","subject":"x"}`, `lane request.choice [transactional, marketing] use one of transactional, marketing`},
		{"PUT /people/$aya/suppression", `{"reason":"asked","until":"soon"}`, `until request.time [] write a time like 2026-11-29T10:00:00Z`},
		{"POST /refusals", `{"identifiers":[]}`, `identifiers request.too_few [1] name at least 1`},
		{"GET /people?limitt=5&q=aya", ``, `limitt request.unknown_parameter [limit, cursor, q, status, set, reachable, seen_after, seen_before, order, identifier] there is no such parameter; use one of limit, cursor, q, status, set, reachable, seen_after, seen_before, order, identifier`},
		{"GET /campaigns/$aya?stauts=sent", ``, `stauts request.no_parameters [] there are no parameters here; take it out of the address`},
		{"GET /people?limit=0", ``, `limit request.too_small [1] use a number of at least 1`},
	} {
		do, body := strings.ReplaceAll(c.do, "$aya", b.ids["aya"]), strings.ReplaceAll(c.body, "$aya", b.ids["aya"])
		r := w.call(do, asked{key: b.key, body: body})
		var p struct {
			Errors []struct {
				Location, Code, Message string
				Args                    []string
			}
		}
		if err := json.Unmarshal(r.Body.Bytes(), &p); err != nil || r.Code != http.StatusUnprocessableEntity || len(p.Errors) == 0 {
			t.Errorf("%s %s: %d %s", c.do, c.body, r.Code, r.Body)
			continue
		}
		e := p.Errors[0]
		if got := e.Location + " " + e.Code + " [" + strings.Join(e.Args, "|") + "] " + e.Message; got != c.want {
			t.Errorf("%s %s:\n got %s\nwant %s", c.do, c.body, got, c.want)
		}
	}
}

func TestAListThatComesWholeIsItsOnePage(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	play(t, w, b, []scenario{
		{do: "GET /topics?limit=1&cursor=", status: 200, has: `"next_cursor":""`},
		{do: "GET /topics?status=archived", status: 422, has: `"code":"request.no_parameters" | "field":"status"`},
		{do: "GET /topics/$topic?limit=1", status: 422, has: `"code":"request.no_parameters" | "field":"limit"`},
		{do: "POST /uploads?name=people.csv", body: "email\n", status: 422, has: `"field":"name"`},
	})
}

func TestWhatIsSaidWhereNothingIsAskedIsRefused(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	play(t, w, b, []scenario{
		{do: "POST /campaigns", body: `{"name":"Later","audience":{"include":["$segment"]},"topic":"$topic","template":"$template"}`, status: 201, keep: "later"},
		{do: "POST /campaigns/$later/launch", body: `{"at":"2027-01-01T09:00:00Z"}`, status: 422, has: `"code":"request.no_body" | "field":"at"`},
		{do: "GET /campaigns/$later", status: 200, has: `"status":"draft"`},
		{do: "POST /campaigns/$later/launch", body: `{}`, status: 200},
	})
}
