package httpapi_test

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/httpapi"
)

func TestReportsLeadFromFiguresToPeopleAndIntoASpreadsheet(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	w.ok(b.key, "PATCH /people/"+b.ids["aya"]+"/traits", `{"traits":{"first_name":"=cmd()","last_name":"絆"},"idempotency_key":"f"}`, nil)
	w.settle()
	var table httpapi.ReportTable
	w.ok(b.key, "GET /reports/campaigns", "", &table)
	if len(table.Rows) != 1 || table.Rows[0].Key != b.ids["campaign"] || table.Rows[0].Label != "Zanzibar sale" || table.Rows[0].Counts["sent"] != 2 || table.Rows[0].Counts["refused"] != 1 ||
		table.Rows[0].Counts["converted"] != 1 || len(table.Rows[0].Money["revenue"]) != 1 || table.Rows[0].Money["revenue"][0] != (httpapi.Money{Minor: 2550, Currency: "EUR"}) {
		t.Errorf("rows: %+v", table.Rows)
	}
	if table.To != "2026-03-01" || table.From != "2026-01-31" || table.PreviousTo != "2026-01-25" || table.Total.Previous == nil || table.Chart.Kind != "bar" {
		t.Errorf("period %s to %s, before it until %s", table.From, table.To, table.PreviousTo)
	}
	var people struct {
		Items []struct{ Person struct{ ID string } }
	}
	w.ok(b.key, "GET /reports/campaigns/people?metric=converted&row="+b.ids["campaign"], "", &people)
	if len(people.Items) != 1 || people.Items[0].Person.ID != b.ids["aya"] {
		t.Errorf("who bought: %+v", people)
	}

	r := w.call("GET /reports/campaigns/csv?bom=true", asked{key: b.key})
	text, marked := strings.CutPrefix(r.Body.String(), "\ufeff")
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || !marked || len(lines) != 2 || lines[1][0] != b.ids["campaign"] || lines[1][len(lines[1])-1] != "25.50" || lines[0][len(lines[0])-1] != "revenue_EUR" {
		t.Errorf("%v %q", err, r.Body)
	}
	if ct, as := r.Header().Get("Content-Type"), r.Header().Get("Content-Disposition"); ct != "text/csv; charset=utf-8" || as != `attachment; filename="campaigns.csv"` {
		t.Errorf("%s, %s", ct, as)
	}
	r = w.call("GET /reports/campaigns/people/csv?metric=sent&all=true", asked{key: b.key})
	lines, err = csv.NewReader(r.Body).ReadAll()
	if err != nil || len(lines) != 3 {
		t.Fatalf("%v %v", err, lines)
	}
	names := lines[1][1] + " " + lines[2][1]
	if !strings.Contains(names, "'=cmd() 絆") || strings.Contains(" "+names, " =cmd") {
		t.Errorf("a spreadsheet would run the name of somebody: %q", names)
	}
	if got := w.audited(b.key, "&action=report.export"); len(got) != 1 || got[0].NounID != "campaigns" {
		t.Errorf("the export is in the audit log as %+v", got)
	}
	for path, status := range map[string]int{
		"/reports/nonsense": 404, "/reports/nonsense/csv": 404, "/reports/links?domain=a.example": 422, "/reports/campaigns/people?metric=revenue&all=true": 422, "/reports/campaigns/people?metric=sent": 422,
	} {
		if r := w.call("GET "+path, asked{key: b.key}); r.Code != status {
			t.Errorf("%s: %d %s", path, r.Code, r.Body)
		} else {
			problemOf(t, r)
		}
	}
}

func TestANoteKeepsItsHistoryAndJudgesItsTarget(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	at := "/campaigns/" + b.ids["campaign"] + "/note"
	var n httpapi.Note
	w.ok(b.key, "GET "+at, "", &n)
	if n.Revision != 1 || n.Plan != "Zanzibar plan" || n.Actual == nil || n.Actual.Count != 1 || n.Actual.N != 2 || n.Verdict != "reached" { // one of two, and 5 % were hoped for
		t.Errorf("%+v %+v", n, n.Actual)
	}
	w.ok(b.key, "PUT "+at, `{"base":1,"plan":"Zanzibar plan","result":"too few","target":{"figure":"conversion_rate","value":0.5}}`, &n)
	if n.Revision != 2 || n.Verdict != "unclear" {
		t.Errorf("one of two against half: %+v", n)
	}
	if r := w.call("PUT "+at, asked{key: b.key, body: `{"base":1,"plan":"late"}`}); r.Code != http.StatusConflict {
		t.Errorf("a note written over: %d %s", r.Code, r.Body)
	}
	if r := w.call("PUT "+at, asked{key: b.key, body: `{"base":2,"target":{"figure":"happiness","value":0.5}}`}); r.Code != http.StatusUnprocessableEntity || !strings.HasSuffix(problemOf(t, r).Errors[0].Location, "target.figure") {
		t.Errorf("%d %s", r.Code, r.Body)
	}
	var history struct{ Items []httpapi.Note }
	w.ok(b.key, "GET "+at+"s", "", &history)
	if len(history.Items) != 2 || history.Items[1].Result != "" || history.Items[0].Result != "too few" || history.Items[1].Author == "" {
		t.Errorf("%+v", history)
	}
}

func TestOnlyItsOwnerChangesASavedReport(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	w.user(b.ws, "vic@example.com", staff.Viewer)
	vic := w.signIn("vic@example.com")
	path := "/saved-reports/" + b.ids["saved_report"]
	if r := w.call("GET "+path, asked{browser: vic}); r.Code != http.StatusOK {
		t.Errorf("the link does not work for a colleague: %d %s", r.Code, r.Body)
	}
	if r := w.call("PUT "+path, asked{browser: vic, body: `{"name":"mine","report":"topics"}`}); r.Code != http.StatusForbidden {
		t.Errorf("%d %s", r.Code, r.Body)
	}
	if r := w.call("POST /saved-reports", asked{browser: vic, body: `{"name":"x","report":"nonsense"}`}); r.Code != http.StatusUnprocessableEntity {
		t.Errorf("%d %s", r.Code, r.Body)
	}
}
