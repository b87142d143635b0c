package httpapi_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/httpapi"
)

func TestReportsLeadFromFiguresToPeopleAndIntoASpreadsheet(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	w.ok(b.key, "PATCH /people/"+b.ids["aya"]+"/traits", `{"traits":{"first_name":"=cmd()","last_name":"Bond"},"idempotency_key":"f"}`, nil)
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
	if !strings.Contains(names, "'=cmd() Bond") || strings.Contains(" "+names, " =cmd") {
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

func TestTheEffectIsMeasuredAgainstThoseHeldBack(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	var e httpapi.Effect
	w.ok(b.key, "GET /campaigns/"+b.ids["campaign"]+"/effect", "", &e)
	if e.Judgement != "no_control" || e.TreatedRate.N != 2 || e.TreatedRate.Count != 1 || !e.Running || e.Until == nil {
		t.Errorf("nobody was held back: %+v", e)
	}
	// Half of an audience of twenty; whoever is in the control group buys as well, and one takes it back.
	var rows []string
	for i := range 20 {
		user := fmt.Sprint("shopper", i)
		w.feed(identify(b.ws, "i-"+user, user, fmt.Sprintf(`{"email":"%s@zanzibar.example"}`, user), w.clock.Now()))
		rows = append(rows, `"user_id:`+user+`"`)
	}
	b.make(w, "shoppers", "POST /lists", `{"name":"All shoppers"}`)
	w.ok(b.key, "POST /lists/"+b.ids["shoppers"]+"/members", `{"rows":[`+strings.Join(rows, ",")+`]}`, nil)
	b.make(w, "measured", "POST /campaigns", b.expand(w, `{"name":"Measured","audience":{"include":["$shoppers"]},"topic":"$topic","template":"$template","plan":{"holdout":50},"goal":{"window_seconds":86400}}`))
	w.ok(b.key, "POST /campaigns/"+b.ids["measured"]+"/launch", "", nil)
	w.walk()
	var r httpapi.CampaignReport
	w.ok(b.key, "GET /campaigns/"+b.ids["measured"]+"/report", "", &r)
	if r.Refused == 0 || r.Queued == 0 || r.Refused+r.Queued != 20 {
		t.Fatalf("held back %d of 20", r.Refused)
	}
	w.send(int(r.Queued))
	w.clock.Advance(time.Hour)
	for i := range 20 {
		w.feed(track(b.ws, fmt.Sprint("o-", i), fmt.Sprint("shopper", i), event.OrderCompleted, fmt.Sprintf(`{"order_id":"S-%d","total":10,"currency":"EUR"}`, i), w.clock.Now()))
	}
	w.feed(track(b.ws, "back", "shopper0", event.OrderRefunded, `{"order_id":"S-0","total":4,"currency":"EUR"}`, w.clock.Now()))
	w.ok(b.key, "GET /campaigns/"+b.ids["measured"]+"/effect", "", &e)
	if e.Control != "source" || e.Judgement != "too_few" || e.TreatedRate.N != r.Queued || e.ControlRate.N != r.Refused || e.TreatedRate.Share != 1 || e.ControlRate.Share != 1 ||
		len(e.RevenueLifts) != 1 || e.RevenueLifts[0].Treated+e.RevenueLifts[0].Control != 20*1000-400 {
		t.Errorf("%+v", e)
	}
	w.ok(b.key, "GET /campaigns/"+b.ids["measured"]+"/report", "", &r)
	if r.Converted != r.Sent || len(r.Revenue) != 1 || r.Revenue[0].Minor != r.Sent*1000-sum(r.Refunded) {
		t.Errorf("credited: %+v", r)
	}
	var s httpapi.Summary
	w.ok(b.key, "GET /reports/summary", "", &s)
	if s.Now.Asked != 23 || s.Now.Orders != 24 || s.Now.Active != 23 || len(s.Revenue) != 2 || s.Revenue[0].Name != "Measured" {
		t.Errorf("summary: %+v", s)
	}
}

func sum(m []httpapi.Money) (n int64) {
	for _, x := range m {
		n += x.Minor
	}
	return n
}

func TestThePlanShowsWhatGoesWhereItCollidesAndThePressure(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	draft := `{"name":"Twice","audience":{"include":["$segment"]},"topic":"$topic","template":"$template","scheduled_at":"%s"}`
	later := w.clock.Now().Add(24 * time.Hour).Truncate(time.Hour)
	var made struct{ ID string }
	for range 2 {
		w.ok(b.key, "POST /campaigns", b.expand(w, fmt.Sprintf(draft, later.Format(time.RFC3339))), &made)
		w.ok(b.key, "POST /campaigns/"+made.ID+"/launch", "", nil)
	}
	day := func(at time.Time) string { return at.Format(time.DateOnly) }
	var plan struct {
		Entries   []struct{ Campaign, Name, Date string }
		Conflicts []struct{ A, B, People int64 }
		Pressure  []struct{ People, Messages int64 }
	}
	w.ok(b.key, "GET /plan?from="+day(w.clock.Now().AddDate(0, 0, -6))+"&to="+day(later.AddDate(0, 0, 2)), "", &plan)
	both := 0
	for _, e := range plan.Entries {
		if e.Name == "Twice" {
			both++
		}
	}
	if both != 2 || len(plan.Conflicts) == 0 || plan.Conflicts[len(plan.Conflicts)-1].People == 0 {
		t.Errorf("two campaigns to the same people on one day do not collide: %+v", plan)
	}
	if len(plan.Pressure) == 0 || plan.Pressure[0].People == 0 || plan.Pressure[0].Messages < plan.Pressure[0].People {
		t.Errorf("the sent campaign puts no pressure on anybody: %+v", plan.Pressure)
	}
	for path, status := range map[string]int{"/plan?from=2026-01-01&to=2026-12-31": 422, "/plan?from=x": 422} {
		if r := w.call("GET "+path, asked{key: b.key}); r.Code != status {
			t.Errorf("%s: %d %s", path, r.Code, r.Body)
		}
	}
	var ahead struct{ Runs []struct{ Shown string } }
	w.ok(b.key, "POST /series/next-runs", `{"schedule":{"every":"month","day":31,"at":"09:00"}}`, &ahead)
	if len(ahead.Runs) != 5 || !strings.HasSuffix(ahead.Runs[0].Shown, "T09:00") {
		t.Errorf("runs ahead: %+v", ahead.Runs)
	}
	if r := w.call("POST /series/next-runs", asked{key: b.key, body: `{"schedule":{"every":"week","at":"09:00"}}`}); r.Code != 422 || !strings.Contains(r.Body.String(), "schedule.weekdays") {
		t.Errorf("a week without days: %d %s", r.Code, r.Body)
	}
}
