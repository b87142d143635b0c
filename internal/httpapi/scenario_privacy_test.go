package httpapi_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

func TestPrivacyScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	play(t, w, b, []scenario{
		{as: "viewer", do: "POST /people/$aya/erasure", body: `{"mode":"forget"}`, status: 403},
		{as: "viewer", do: "GET /erasures", status: 403},
		{do: "POST /people/$aya/erasure", body: `{"mode":"vanish"}`, status: 422, has: `"field":"mode"`},
		{do: "POST /people/per_none/erasure", body: `{"mode":"forget"}`, status: 404, has: `"code":"person.not_found"`},
		{do: "POST /people/$aya/erasure", body: `{"mode":"forget"}`, status: 202, has: `"state":"waiting" | "mode":"forget" | "steps":6 | "step":0 | "reached":[] | "person_id":"$aya"`, keep: "asked"},
		{do: "POST /people/$aya/erasure", body: `{"mode":"refuse"}`, status: 202, has: `"id":"$asked" | "mode":"forget"`},
		{do: "GET /erasures/$asked", status: 200, has: `"person_id":"$aya" | "by":{"kind":"key"`},
		{do: "GET /erasures", status: 200, has: `"id":"$asked" | "id":"$erasure"`},
		{do: "GET /erasures/none", status: 404, has: `"code":"erasure.not_found"`},
		{do: "POST /refusals", body: `{"identifiers":[{"kind":"email","value":"a@b.example"},{"kind":"email","value":"no address"}]}`, status: 422, has: `person.identifier.value | "field":"identifiers[1]"`},
		{do: "POST /refusals", body: `{"identifiers":[{"kind":"nonsense","value":"x"}]}`, status: 422, has: `person.identifier.kind | "field":"identifiers[0]"`},
		{do: "POST /refusals", body: `{"identifiers":[{"kind":"email","value":"Quiet@Example.com"}]}`, status: 204},
		{do: "GET /refusals", status: 200, has: `"kind":"email" | "held":false`, not: "quiet@"},
		{do: "POST /privacy-check", body: `{"identifier":{"kind":"email","value":"nobody@example.com"}}`, status: 200, has: `"refused":false | "erasures":[]`},
		{do: "POST /refusals/admit", body: `{"identifier":{"kind":"email","value":"quiet@example.com"}}`, status: 204},
		{do: "POST /refusals/admit", body: `{"identifier":{"kind":"email","value":"quiet@example.com"}}`, status: 404, has: `"code":"refusal.not_found"`},
		{as: "viewer", do: "PUT /privacy-rules", body: `{"fields":[],"consent":[],"unasked":true}`, status: 403},
		{do: "PUT /privacy-rules", body: `{"fields":[{"path":"ssn","action":"drop"}],"consent":[],"unasked":true}`, status: 422, has: `"code":"privacy.rules.path" | "field":"fields[0].path"`},
		{do: "POST /privacy-rules/try", body: `{"rules":{"fields":[{"path":"ssn","action":"drop"}],"consent":[],"unasked":true},"event":{"type":"track"}}`, status: 422, has: `"field":"rules.fields[0].path"`},
		{
			do: "POST /privacy-rules/try", body: `{"rules":{"fields":[{"path":"traits.ssn","action":"drop"},{"path":"context.ip","action":"mask"}],"consent":["ads"],"unasked":true},"event":{"type":"identify","properties":{"ssn":"1-2","plan":"pro"},"context":{"ip":"10.1.2.3"}}}`,
			status: 200, has: `"taken":true | "plan":"pro" | "ip":"10…`, not: "1-2",
		},
		{do: "POST /privacy-rules/try", body: `{"rules":{"fields":[],"consent":["ads"],"unasked":true},"event":{"type":"track","context":{"consent":{"categoryPreferences":{"ads":false}}}}}`, status: 200, has: `"taken":false`},
		{do: "GET /privacy-rules", status: 200, has: `"fields":[] | "consent":[]`},
		{do: "PUT /privacy-rules", body: `{"fields":[{"path":"traits.ssn","action":"hash"}],"consent":["ads"],"unasked":false}`, status: 200, has: `"unasked":false`},
		{do: "GET /privacy-rules", status: 200, has: `{"path":"traits.ssn","action":"hash"} | "consent":["ads"]`},
		{do: "PUT /privacy-rules", body: `{"fields":[],"consent":[],"send":["mail","mail"],"unasked":true}`, status: 422, has: `"code":"privacy.rules.category" | "field":"send[1]"`},
		{do: "PUT /privacy-rules", body: `{"fields":[],"consent":[],"send":["mail"],"forward":["sharing"],"unasked":true}`, status: 200, has: `"forward":["sharing"]`},
		{do: "GET /privacy-rules", status: 200, has: `"send":["mail"],"forward":["sharing"]`},
	})
}

func TestEverythingAboutAPersonIsGivenOut(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	w.settle()
	w.user(b.ws, "vic@example.com", staff.Viewer)
	if r := w.call("GET /people/"+b.ids["aya"]+"/export", asked{browser: w.signIn("vic@example.com")}); r.Code != http.StatusForbidden {
		t.Errorf("a viewer gets %d", r.Code)
	}
	r := w.call("GET /people/"+b.ids["aya"]+"/export", asked{key: b.key})
	if r.Code != http.StatusOK || r.Header().Get("Content-Type") != "application/zip" || !strings.Contains(r.Header().Get("Content-Disposition"), b.ids["aya"]+".zip") {
		t.Fatal(r.Code, r.Header())
	}
	archive, err := zip.NewReader(bytes.NewReader(r.Body.Bytes()), int64(r.Body.Len()))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range archive.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(raw)
	}
	for table, has := range map[string]string{
		"person": b.ids["aya"], "identifiers": "aya", "traits": "plan", "events": "Zanzibar", "messages": "Zanzibar", "consents": "", "segments": b.ids["segment"],
		"journeys": b.ids["journey"], "invoices": b.ids["invoice"], "tasks": "Zanzibar call", "identity": "created", "access": "person.view",
	} {
		var rows []map[string]any
		if err := json.Unmarshal([]byte(files[table+".json"]), &rows); err != nil {
			t.Errorf("%s.json: %v", table, err)
		}
		lines, err := csv.NewReader(strings.NewReader(files[table+".csv"])).ReadAll()
		if err != nil {
			t.Errorf("%s.csv: %v", table, err)
		}
		if len(lines) != len(rows)+1 && len(rows) > 0 {
			t.Errorf("%s: %d objects and %d lines", table, len(rows), len(lines)-1)
		}
		for _, kind := range []string{".json", ".csv"} {
			if !strings.Contains(files[table+kind], has) || has != "" && len(rows) == 0 {
				t.Errorf("%s lacks %q: %s", table+kind, has, files[table+kind])
			}
		}
	}
	for name, text := range files {
		if strings.Contains(text, "user_id:ben") || strings.Contains(text, `"ben"`) {
			t.Errorf("%s tells of somebody else", name)
		}
	}
	if got := w.audited(b.key, "&action=person.export&noun_id="+b.ids["aya"]); len(got) != 1 {
		t.Errorf("the export is in the audit log %d times", len(got))
	}
}
