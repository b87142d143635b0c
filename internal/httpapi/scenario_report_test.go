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
		"/reports/nonsense": 404, "/reports/nonsense/csv": 404, "/reports/links?domain=a.example": 422, "/reports/campaigns/people?metric=open_rate&all=true": 422, "/reports/campaigns/people?metric=sent": 422,
	} {
		if r := w.call("GET "+path, asked{key: b.key}); r.Code != status {
			t.Errorf("%s: %d %s", path, r.Code, r.Body)
		} else {
			problemOf(t, r)
		}
	}
}

// behind are the people behind a figure, read in pages of two.
func (w *world) behind(key, path string) (all []httpapi.PersonBehind) {
	w.t.Helper()
	for cursor := ""; ; {
		var found httpapi.List[httpapi.PersonBehind]
		w.ok(key, "GET "+path+"&limit=2&cursor="+cursor, "", &found)
		all = append(all, found.Items...)
		if cursor = found.NextCursor; cursor == "" {
			return all
		}
	}
}

func amounts(rows []httpapi.PersonBehind) (n int64) {
	for _, r := range rows {
		if r.Amount != nil {
			n += r.Amount.Minor
		}
	}
	return n
}

func TestEveryFigureLeadsToExactlyWhomItCounts(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	now := w.clock.Now()
	w.feed(track(b.ws, "more-1", "aya", event.OrderCompleted, `{"order_id":"M-1","total":40,"currency":"EUR"}`, now))
	w.feed(track(b.ws, "more-2", "ben", event.OrderCompleted, `{"order_id":"M-2","total":15,"currency":"EUR"}`, now))
	w.feed(track(b.ws, "back-1", "aya", event.OrderRefunded, `{"order_id":"M-1","total":10,"currency":"EUR"}`, now))
	w.feed(track(b.ws, "back-2", "ben", event.OrderCancelled, `{"order_id":"M-2"}`, now))
	var s httpapi.Summary
	w.ok(b.key, "GET /reports/summary", "", &s)
	f := s.Now
	if f.Orders == 0 || f.New == 0 || f.Active == 0 || f.Reached == 0 || len(f.Earned) != 1 || len(f.Credited) != 1 {
		t.Fatalf("figures that lead nowhere prove nothing: %+v", f)
	}
	for metric, want := range map[string]int64{
		"asked": f.Asked, "reached": f.Reached, "opened": f.Opened, "clicked": f.Clicked, "active_people": f.Active, "new_people": f.New, "orders": f.Orders,
	} {
		rows := w.behind(b.key, "/reports/summary/people?metric="+metric)
		if int64(len(rows)) != want {
			t.Errorf("%s counts %d and leads to %d: %+v", metric, want, len(rows), rows)
		}
		for _, r := range rows {
			if r.Person.ID == "" {
				t.Errorf("%s leads to nobody: %+v", metric, r)
			}
		}
	}
	if got := amounts(w.behind(b.key, "/reports/summary/people?metric=earned")); got != f.Earned[0].Minor {
		t.Errorf("earned %d, and its people bring %d", f.Earned[0].Minor, got)
	}
	if got := amounts(w.behind(b.key, "/reports/summary/people?metric=credited")); got != f.Credited[0].Minor {
		t.Errorf("credited %d, and its people bring %d", f.Credited[0].Minor, got)
	}
	for _, r := range s.Revenue {
		rows := w.behind(b.key, "/reports/summary/people?metric=credited&kind="+r.Kind+"&source="+r.ID)
		if int64(len(rows)) != r.Orders || amounts(rows) != sum(r.Net) {
			t.Errorf("%s: %d orders of %d lead to %+v", r.Name, r.Orders, sum(r.Net), rows)
		}
	}
	var table httpapi.ReportTable
	w.ok(b.key, "GET /reports/scenarios", "", &table)
	for _, key := range []string{"campaigns", "scenarios", "trend", "subjects"} {
		var table httpapi.ReportTable
		w.ok(b.key, "GET /reports/"+key, "", &table)
		if got := amounts(w.behind(b.key, "/reports/"+key+"/people?metric=revenue&all=true")); got != sum(table.Total.Money["revenue"]) {
			t.Errorf("%s: revenue of %d leads to %d", key, sum(table.Total.Money["revenue"]), got)
		}
	}

	var o struct {
		Orders int64
		Days   []struct {
			Date                                                  string
			Sent, Refused, Opened, Clicked, Orders, Goals, Events int64
			Active                                                int64 `json:"active_people"`
			Entered                                               int64 `json:"journeys_entered"`
		}
	}
	w.ok(b.key, "GET /reports/overview", "", &o)
	if rows := w.behind(b.key, "/reports/overview/people?metric=orders"); int64(len(rows)) != o.Orders || o.Orders == 0 {
		t.Errorf("%d orders of all time lead to %d", o.Orders, len(rows))
	}
	all := map[string]int64{}
	for _, d := range o.Days[len(o.Days)-3:] {
		for metric, want := range map[string]int64{"sent": d.Sent, "refused": d.Refused, "opened": d.Opened, "clicked": d.Clicked, "events": d.Events, "orders": d.Orders, "active_people": d.Active, "journeys_entered": d.Entered} {
			all[metric] += want
			if rows := w.behind(b.key, "/reports/overview/people?metric="+metric+"&day="+d.Date); int64(len(rows)) != want {
				t.Errorf("%s of %s counts %d and leads to %d", metric, d.Date, want, len(rows))
			}
		}
	}
	if rows := w.behind(b.key, "/reports/overview/people?metric=sent"); int64(len(rows)) != all["sent"] || all["sent"] == 0 {
		t.Errorf("%d sent in thirty days lead to %d", all["sent"], len(rows))
	}

	for path, status := range map[string]int{
		"/reports/links/people?metric=clicks&all=true": 200, "/reports/links/people?metric=people&all=true": 200, "/reports/links/people?metric=clicks&all=true&reason=x": 422, "/campaigns/none/effect/people": 404, "/reports/effect/people?arm=left": 422,
		"/reports/summary/people?metric=happiness": 422, "/reports/summary/people?metric=orders&from=x": 422, "/reports/overview/people?metric=sent&day=x": 422,
		"/reports/summary/people?metric=orders&cursor=x": 422, "/plan/people?metric=conflict&a=none&b=none": 404, "/plan/people?metric=mood": 422,
	} {
		if r := w.call("GET "+path, asked{key: b.key}); r.Code != status {
			t.Errorf("%s: %d %s", path, r.Code, r.Body)
		}
	}
}

func TestThePreviewOfARuleLeadsToWhomItCounts(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	w.feed(identify(b.ws, "i-dan", "dan", `{"country":"FR"}`, w.clock.Now()))
	w.settle()
	rule := `{"any":[{"trait":{"path":"country","op":"eq","value":"FR"}},{"not":{"event":{"name":"Order Completed","op":"gte","value":1}}},{"trait":{"path":"country","op":"eq","value":"JP"}}]}`
	var p struct {
		Count             int
		Entering, Leaving int
		Conditions        []struct {
			Path  string
			Count int
		}
		Reach []struct {
			Channel string
			Count   int
		}
	}
	w.ok(b.key, "POST /segments/preview", `{"segment_id":"`+b.ids["segment"]+`","rule":`+rule+`}`, &p)
	if p.Count < 4 || len(p.Conditions) < 4 || len(p.Reach) == 0 || p.Entering == 0 {
		t.Fatalf("%+v", p)
	}
	people := func(rest string) (n int) {
		t.Helper()
		for cursor := ""; ; {
			var found httpapi.List[httpapi.Person]
			w.ok(b.key, "POST /segments/preview/people", `{"rule":`+rule+`,"limit":2,"cursor":"`+cursor+`"`+rest+`}`, &found)
			n += len(found.Items)
			if cursor = found.NextCursor; cursor == "" {
				return n
			}
		}
	}
	if got := people(""); got != p.Count {
		t.Errorf("%d fit and %d are listed", p.Count, got)
	}
	for _, c := range p.Conditions {
		if got := people(`,"condition":"` + c.Path + `"`); got != c.Count {
			t.Errorf("%d fulfil %s and %d are listed", c.Count, c.Path, got)
		}
	}
	for _, c := range p.Reach {
		if got := people(`,"channel":"` + c.Channel + `"`); got != c.Count {
			t.Errorf("%d can be reached by %s and %d are listed", c.Count, c.Channel, got)
		}
	}
	for change, want := range map[string]int{"entering": p.Entering, "leaving": p.Leaving} {
		if got := people(`,"segment_id":"` + b.ids["segment"] + `","change":"` + change + `"`); got != want {
			t.Errorf("%s: %d and %d are listed", change, want, got)
		}
	}
	for rest, status := range map[string]int{`,"condition":"all[9]"`: 422, `,"change":"entering"`: 422, `,"segment_id":"none","change":"leaving"`: 404} {
		if r := w.call("POST /segments/preview/people", asked{key: b.key, body: `{"rule":` + rule + rest + `}`}); r.Code != status {
			t.Errorf("%s: %d %s", rest, r.Code, r.Body)
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
	w.effectLeads(b.key, "/campaigns/"+b.ids["campaign"]+"/effect", "?", e)
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
	w.effectLeads(b.key, "/campaigns/"+b.ids["measured"]+"/effect", "?", e)
	var all httpapi.Effect
	w.ok(b.key, "GET /reports/effect", "", &all)
	w.effectLeads(b.key, "/reports/effect", "?", all)
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

func TestTheEffectOfATopicOrADomainIsMeasuredAgainstWhomTheWorkspaceNeverWritesTo(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	w.ok(b.key, "PUT /sending/policy", `{"quiet":[],"caps":[],"holdout":50}`, nil)
	var rows []string
	for i := range 40 {
		user := fmt.Sprint("shopper", i)
		domain := []string{"zanzibar.example", "pemba.example"}[i%2]
		w.feed(identify(b.ws, "i-"+user, user, fmt.Sprintf(`{"email":"%s@%s"}`, user, domain), w.clock.Now()))
		rows = append(rows, `"user_id:`+user+`"`)
	}
	b.make(w, "shoppers", "POST /lists", `{"name":"All shoppers"}`)
	w.ok(b.key, "POST /lists/"+b.ids["shoppers"]+"/members", `{"rows":[`+strings.Join(rows, ",")+`]}`, nil)
	b.make(w, "wide", "POST /campaigns", b.expand(w, `{"name":"Wide","audience":{"include":["$shoppers"]},"topic":"$topic","template":"$template","goal":{"window_seconds":86400}}`))
	w.ok(b.key, "POST /campaigns/"+b.ids["wide"]+"/launch", "", nil)
	w.walk()
	var r httpapi.CampaignReport
	w.ok(b.key, "GET /campaigns/"+b.ids["wide"]+"/report", "", &r)
	if r.Refused == 0 || r.Queued == 0 || r.Refused+r.Queued != 40 {
		t.Fatalf("held back %d of 40", r.Refused)
	}
	w.send(int(r.Queued))
	w.clock.Advance(time.Hour)
	for i := range 40 {
		w.feed(track(b.ws, fmt.Sprint("o-", i), fmt.Sprint("shopper", i), event.OrderCompleted, fmt.Sprintf(`{"order_id":"S-%d","total":10,"currency":"EUR"}`, i), w.clock.Now()))
	}
	effect := func(query string) httpapi.Effect {
		var e httpapi.Effect
		w.ok(b.key, "GET /reports/effect?"+query, "", &e)
		w.effectLeads(b.key, "/reports/effect", "?"+query+"&", e)
		return e
	}
	topic := effect("topic=" + b.ids["topic"])
	if topic.Control != "workspace" || topic.ControlRate.N != r.Refused || topic.ControlRate.Count != r.Refused || topic.TreatedRate.N < r.Queued {
		t.Errorf("of the topic: %+v, of a campaign with %d sent and %d held back", topic, r.Queued, r.Refused)
	}
	one, other := effect("domain=zanzibar.example&template="+b.ids["template"]), effect("domain=Pemba.example")
	if one.ControlRate.N == 0 || other.ControlRate.N == 0 || one.ControlRate.N+other.ControlRate.N != r.Refused || one.TreatedRate.N+other.TreatedRate.N != r.Queued {
		t.Errorf("of two domains: %+v and %+v; want %d and %d together", one, other, r.Queued, r.Refused)
	}
	for _, nothing := range []string{"topic=top_none", "domain=nowhere.example", "channel=sms", "template=tpl_none"} {
		if e := effect(nothing); e.TreatedRate.N != 0 || e.ControlRate.N != 0 || e.Judgement != "no_control" {
			t.Errorf("of %s: %+v", nothing, e)
		}
	}
}

// effectLeads checks that each group of an effect leads to as many people as it counts, each once.
func (w *world) effectLeads(key, path, sep string, e httpapi.Effect) {
	w.t.Helper()
	figures := map[string]int64{
		"arm=treated": e.TreatedRate.N, "arm=treated&reached=true": e.TreatedRate.Count, "arm=control": e.ControlRate.N, "arm=control&reached=true": e.ControlRate.Count,
	}
	if e.Delivered != nil {
		figures["arm=treated&delivered=true"] = *e.Delivered
	}
	for figure, want := range figures {
		seen := map[string]bool{}
		rows := w.behind(key, path+"/people"+sep+figure)
		for _, r := range rows {
			seen[r.Person.ID] = true
		}
		if int64(len(rows)) != want || len(seen) != len(rows) {
			w.t.Errorf("%s: %s counts %d and leads to %d, %d of them different", path, figure, want, len(rows), len(seen))
		}
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
		Pressure  []struct {
			From, To         string
			People, Messages int64
			Spread           []struct{ Messages, People int64 }
		}
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
	for _, c := range plan.Conflicts {
		path := "/plan/people?metric=conflict&a=" + plan.Entries[c.A].Campaign + "&b=" + plan.Entries[c.B].Campaign
		if rows := w.behind(b.key, path); int64(len(rows)) != c.People || rows[0].Person.ID == "" {
			t.Errorf("%d are written to twice and %d are listed", c.People, len(rows))
		}
	}
	for _, x := range plan.Pressure {
		days := "/plan/people?metric=pressure&from=" + x.From + "&to=" + x.To
		if rows := w.behind(b.key, days); int64(len(rows)) != x.People {
			t.Errorf("%d got messages and %d are listed", x.People, len(rows))
		}
		for _, s := range x.Spread {
			if rows := w.behind(b.key, fmt.Sprintf("%s&least=%d&most=%d", days, s.Messages, s.Messages)); int64(len(rows)) != s.People || rows[0].Times != s.Messages {
				t.Errorf("%d got %d messages and %d are listed", s.People, s.Messages, len(rows))
			}
		}
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
