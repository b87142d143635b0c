package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/httpapi"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// many makes drafts of campaigns, the last but one with an id of its own.
func many(w *world, b *business, n int) {
	for i := range n {
		b.make(w, fmt.Sprintf("draft_%d", i), "POST /campaigns", b.expand(w, fmt.Sprintf(`{"name":"=Many %d","audience":{"include":["$segment"]},"topic":"$topic","template":"$template"}`, i)))
	}
}

func TestBulkActs(t *testing.T) {
	for _, engine := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			w := newWorldOn(t, engine)
			b := w.business()
			many(w, b, 30)
			b.make(w, "used", "POST /segments", `{"name":"Inner","rule":{"trait":{"path":"plan","op":"eq","value":"x"}}}`)
			b.make(w, "user_of", "POST /segments", b.expand(w, `{"name":"Outer","rule":{"segment":{"id":"$used"}}}`))
			w.evaluate()
			play(t, w, b, []scenario{
				{as: "viewer", do: "POST /bulk-acts", body: `{"act":"campaign_archive","ids":["x"]}`, status: 403, has: "campaigns.write"},
				{as: "nobody", do: "POST /bulk-acts", body: `{"act":"campaign_archive"}`, status: 401},
				{do: "POST /bulk-acts", body: `{"act":"campaign_explode"}`, status: 422, has: "bulk.act_unknown | \"field\":\"act\""},
				{do: "POST /bulk-acts", body: `{"act":"campaign_archive","query":{"status":"odd"}}`, status: 422, has: "status"},
				{do: "POST /bulk-acts/count", body: `{"act":"campaign_archive","query":{"q":"many","archived":"no"}}`, status: 200, has: `"count":30`},
				{as: "marketer", do: "POST /bulk-acts", body: `{"act":"campaign_archive","query":{"q":"many","archived":"no"},"expected_count":30,"title":"All","idempotency_key":"k"}`, status: 202, has: `"kind":"campaign_archive" | "state":"queued"`, keep: "bulk"},
				{as: "marketer", do: "POST /bulk-acts", body: `{"act":"campaign_archive","query":{"q":"many","archived":"no"},"expected_count":30,"title":"All","idempotency_key":"k"}`, status: 202, has: `"id":"$bulk"`},
				{do: "POST /bulk-acts", body: `{"act":"campaign_archive","query":{"q":"many","archived":"no"},"expected_count":29}`, status: 202, keep: "stale"},
				{do: "POST /bulk-acts", body: `{"act":"segment_archive","ids":["$used","$segment","$archived_segment","seg_none"]}`, status: 202, keep: "mixed"},
			})
			w.work()
			play(t, w, b, []scenario{
				{do: "GET /bulk-acts/$bulk", status: 200, has: `"state":"done" | "changed":30 | "not_done":0 | "refused":[] | "undo":true`},
				{do: "GET /campaigns?archived=no&q=many", status: 200, has: `"items":[]`},
				{do: "GET /campaigns?archived=yes&q=many&limit=1", status: 200, has: `"archived_at":`},
				{do: "PUT /campaigns/$draft_0", body: `{"name":"x","audience":{"include":[]}}`, status: 409, has: "campaign.archived"},
				{do: "POST /campaigns/$draft_0/launch", status: 409, has: "campaign.archived"},
				{do: "GET /audit?action=campaign.archive&noun_id=$draft_7", status: 200, has: `"action":"campaign.archive"`},
				{do: "GET /jobs/$bulk/files/results", status: 200, has: "id,name,outcome | $draft_29,'=Many 29,changed"},
				{do: "GET /jobs/$stale", status: 200, has: `"state":"failed" | bulk.count_changed`},
				{do: "GET /bulk-acts/$mixed", status: 200, has: `"state":"done" | "unchanged":1 | "name":"Inner" | segment.in_use | segment.not_found | "id":"seg_none"`},
				{do: "POST /bulk-acts/$bulk/undo", status: 202, has: `"kind":"campaign_restore"`, keep: "undo"},
				{do: "POST /bulk-acts/$bulk/undo", status: 202, has: `"id":"$undo"`},
				{do: "POST /bulk-acts/$mixed/undo", status: 202, keep: "undo_mixed"},
				{as: "viewer", do: "POST /bulk-acts/$bulk/undo", status: 404},
			})
			w.work()
			play(t, w, b, []scenario{
				{do: "GET /jobs/$undo", status: 200, has: `"state":"done" | "changed":30`},
				{do: "POST /bulk-acts/count", body: `{"act":"campaign_archive","query":{"q":"many","archived":"no"}}`, status: 200, has: `"count":30`},
				{do: "GET /segments?status=archived", status: 200, has: "$archived_segment"}, // it was there before
			})
		})
	}
}

// Each act leads where it says, and the act that takes it back leads back; what was that way before stays so.
func TestEveryActCanBeTakenBack(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	other := w.user(b.ws, "bob@zanzibar.example", staff.Agent).User.ID
	b.make(w, "to_do", "POST /tasks", b.expand(w, `{"title":"Call","assignee":"$member"}`))
	b.make(w, "spare_segment", "POST /segments", `{"name":"Zanzibar spare","rule":{"trait":{"path":"country","op":"eq","value":"JP"}}}`)
	b.make(w, "draft_series", "POST /series", b.expand(w, `{"name":"Weekly to be","audience":{"include":["$segment"]},"topic":"$topic","template":"$template","schedule":{"every":"day","at":"09:00"}}`))
	ids := map[string]string{
		"series_activate": "$draft_series",
		"segment_archive": "$spare_segment", "template_archive": "$spare_template", "snippet_archive": "spice_hours", "campaign_archive": "$draft_campaign",
		"journey_archive": "$draft_journey", "journey_pause": "$api_journey", "task_complete": "$to_do", "task_assign": "$to_do", "webhook_off": "$webhook",
	}
	for name, id := range ids {
		state := func() string {
			noun, _, _ := strings.Cut(name, "_")
			var thing struct {
				Status, Assignee string
				ArchivedAt       *string `json:"archived_at"`
			}
			w.ok(b.key, b.expand(w, "GET /"+strings.TrimSuffix(noun, "s")+"s/"+id), "", &thing)
			return fmt.Sprint(thing.Status, thing.Assignee, thing.ArchivedAt != nil)
		}
		before := state()
		var begun, undone httpapi.Job
		w.ok(b.key, "POST /bulk-acts", b.expand(w, fmt.Sprintf(`{"act":%q,"ids":[%q],"with":%q}`, name, id, other)), &begun)
		w.work()
		var told httpapi.BulkAct
		w.ok(b.key, "GET /bulk-acts/"+begun.ID, "", &told)
		if told.Job.Figures["changed"] != 1 || state() == before {
			t.Errorf("%s: %+v, %s", name, told, state())
		}
		w.ok(b.key, "POST /bulk-acts/"+begun.ID+"/undo", "", &undone)
		w.work()
		w.ok(b.key, "GET /jobs/"+undone.ID, "", &undone)
		if got := state(); got != before || undone.State != "done" {
			t.Errorf("%s: %s after it was taken back, not %s (%+v)", name, got, before, undone)
		}
	}
	play(t, w, b, []scenario{{do: "POST /bulk-acts", body: `{"act":"suppression_lift","query":{},"with":"asked by \"phone\""}`, status: 202, keep: "lift"}})
	w.work()
	play(t, w, b, []scenario{
		{do: "GET /suppressions", status: 200, has: `"items":[]`},
		{do: "POST /bulk-acts/$lift/undo", status: 409, has: "bulk.no_undo"},
		{do: "GET /audit?action=suppression.remove", status: 200, has: `asked by \"phone\"`},
	})
}

// What takes things away, or cannot be taken back, is done to each, tells what is gone already, and has no way back.
func TestManyThingsGoForGood(t *testing.T) {
	for _, engine := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			w := newWorldOn(t, engine)
			b := w.business()
			w.user(b.ws, "leaves@zanzibar.example", staff.Viewer)
			for _, x := range []struct{ name, do, body string }{
				{"other_map", "POST /journey-maps", `{"name":"Other way","stages":[]}`},
				{"other_persona", "POST /personas", `{"name":"Other Otto"}`},
				{"other_hook", "POST /webhooks", `{"name":"Other","url":"https://other.example/in","kinds":["message.sent"]}`},
				{"other_series", "POST /series", b.expand(w, `{"name":"Other weekly","audience":{"include":["$segment"]},"topic":"$topic","template":"$template","schedule":{"every":"day","at":"09:00"}}`)},
				{"other_key", "POST /keys", `{"name":"Other key","scopes":["people.read"]}`},
			} {
				b.make(w, x.name, x.do, x.body)
			}
			var members struct{ Items []struct{ ID string } }
			w.ok(b.key, "GET /staff?q=LEAVES", "", &members)
			if len(members.Items) != 1 {
				t.Fatalf("members named so: %+v", members)
			}
			b.ids["leaver"] = members.Items[0].ID
			for _, x := range []struct{ act, query, id, gone, action string }{
				{"series_delete", `{"q":"other w","status":"draft"}`, "$other_series", "/series/$other_series", "series.delete"},
				{"journey_map_delete", `{"q":"OTHER"}`, "$other_map", "/journey-maps/$other_map", "journey_map.delete"},
				{"persona_delete", `{"q":"otto"}`, "$other_persona", "/personas/$other_persona", "persona.delete"},
				{"webhook_delete", `{"q":"other","status":"on"}`, "$other_hook", "/webhooks/$other_hook", "webhook.delete"},
				{"member_remove", `{"q":"leaves@","role":"viewer"}`, "$leaver", "/staff/$leaver", "staff.remove"},
			} {
				play(t, w, b, []scenario{
					{as: "viewer", do: "POST /bulk-acts", body: `{"act":"` + x.act + `","query":` + x.query + `}`, status: 403},
					{do: "POST /bulk-acts/count", body: `{"act":"` + x.act + `","query":` + x.query + `}`, status: 200, has: `"count":1`},
					{do: "POST /bulk-acts", body: `{"act":"` + x.act + `","query":` + x.query + `,"expected_count":1}`, status: 202, keep: "gone"},
				})
				w.work()
				play(t, w, b, []scenario{
					{do: "GET /bulk-acts/$gone", status: 200, has: `"state":"done" | "changed":1 | "undo":false`},
					{do: "GET " + x.gone, status: 404},
					{do: "GET /audit?noun_id=" + x.id, status: 200, has: `"action":"` + x.action + `"`},
					{do: "POST /bulk-acts/$gone/undo", status: 409, has: "bulk.no_undo"},
				})
			}
			// A key that was revoked stays so; a series that has ended too.
			play(t, w, b, []scenario{
				{do: "POST /bulk-acts/count", body: `{"act":"key_revoke","query":{"q":"other key","status":"active"}}`, status: 200, has: `"count":1`},
				{do: "POST /bulk-acts", body: `{"act":"key_revoke","ids":["$other_key","key_none"]}`, status: 202, keep: "revoked"},
				{do: "POST /bulk-acts", body: `{"act":"series_end","ids":["$series"]}`, status: 202, keep: "ended"},
			})
			w.work()
			play(t, w, b, []scenario{
				{do: "GET /bulk-acts/$revoked", status: 200, has: `"changed":1 | "not_done":1 | key.not_found`},
				{do: "GET /keys/$other_key", status: 200, has: `"revoked_at":`, not: `"secret"`},
				{do: "POST /bulk-acts/count", body: `{"act":"key_revoke","query":{"q":"other key","status":"active"}}`, status: 200, has: `"count":0`},
				{do: "GET /keys?status=revoked&q=OTHER", status: 200, has: "$other_key"},
				{do: "GET /series?status=ended", status: 200, has: "$series"},
				{do: "GET /audit?action=key.revoke&noun_id=$other_key", status: 200, has: `"action":"key.revoke"`},
			})
		})
	}
}

// Roles come back as they were, each its own; whoever may not be changed is named.
func TestRolesOfManyAreChangedAndComeBack(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	ids := make([]string, 0, 3)
	for _, x := range []struct {
		name string
		role staff.Role
	}{{"one", staff.Viewer}, {"two", staff.Analyst}, {"three", staff.Agent}} {
		w.user(b.ws, x.name+"@roles.example", x.role)
	}
	roles := func() string {
		var found struct{ Items []struct{ ID, Role string } }
		w.ok(b.key, "GET /staff?q=@roles.example", "", &found)
		ids = ids[:0]
		out := ""
		for _, m := range found.Items {
			ids, out = append(ids, m.ID), out+" "+m.Role
		}
		return out
	}
	before := roles()
	list, err := json.Marshal(ids)
	w.must(err)
	var begun, undone httpapi.Job
	w.ok(b.key, "POST /bulk-acts", fmt.Sprintf(`{"act":"member_role","ids":%s,"with":"analyst"}`, list), &begun)
	w.work()
	var told httpapi.BulkAct
	w.ok(b.key, "GET /bulk-acts/"+begun.ID, "", &told)
	if got := roles(); got != " analyst analyst analyst" || told.Job.Figures["changed"] != 2 || told.Job.Figures["unchanged"] != 1 {
		t.Fatalf("%s, %+v", got, told)
	}
	w.ok(b.key, "POST /bulk-acts/"+begun.ID+"/undo", "", &undone)
	w.work()
	if got := roles(); got != before {
		t.Errorf("roles are%s, were%s", got, before)
	}
	// Of all that fit, whoever asks is left out.
	w.user(b.ws, "boss@roles.example", staff.Admin)
	boss := w.signIn("boss@roles.example")
	for _, act := range []string{"member_role", "member_remove"} {
		r := w.call("POST /bulk-acts/count", asked{browser: boss, body: fmt.Sprintf(`{"act":%q,"query":{"q":"@roles.example"}}`, act)})
		if !strings.Contains(r.Body.String(), `"count":3`) {
			t.Errorf("%s of four: %s", act, r.Body)
		}
	}
}

// Before mails are put away it is told which of them something sends.
func TestWhatUsesManyIsToldBeforehand(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	play(t, w, b, []scenario{
		{as: "nobody", do: "POST /bulk-acts/uses", body: `{"act":"template_archive"}`, status: 401},
		{do: "POST /bulk-acts/uses", body: `{"act":"template_archive","ids":["$template","$spare_template"]}`, status: 200, has: `"used":1 | "id":"$template" | "noun":"series" | Zanzibar weekly`, not: `"id":"$spare_template"`},
		{do: "POST /bulk-acts/uses", body: `{"act":"template_archive","query":{"q":"spare"}}`, status: 200, has: `"used":0 | "items":[]`},
		{do: "POST /bulk-acts/uses", body: `{"act":"segment_archive","ids":["$segment"]}`, status: 200, has: `"used":0`}, // which is refused while something uses it
	})
}

func TestManyOfAnotherWorkspaceStayAsTheyAre(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	other := w.tenant("Other")
	var begun, file httpapi.Job
	w.ok(other.key, "POST /bulk-acts", b.expand(w, `{"act":"campaign_archive","ids":["$draft_campaign"]}`), &begun)
	w.ok(other.key, "POST /exports", `{"list":"campaigns","columns":[{"title":"name","field":"name"}]}`, &file)
	w.work()
	var told httpapi.BulkAct
	w.ok(other.key, "GET /bulk-acts/"+begun.ID, "", &told)
	if len(told.Refused) != 1 || told.Refused[0].Code != "campaign.not_found" || told.Job.Figures["changed"] != 0 {
		t.Errorf("another workspace's campaign: %+v", told)
	}
	if r := w.call("GET /jobs/"+file.ID+"/files/table", asked{key: other.key}); r.Code != 200 || strings.Contains(r.Body.String(), marker) {
		t.Errorf("file of another workspace: %d %s", r.Code, r.Body)
	}
	play(t, w, b, []scenario{
		{do: "GET /campaigns/$draft_campaign", status: 200, not: "archived_at"},
		{do: "GET /bulk-acts/" + begun.ID, status: 404},
	})
}

// Whoever has lost the right meanwhile, or a key that was revoked, does nothing more.
func TestABulkActEndsWithTheRightToIt(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	many(w, b, 3)
	w.user(b.ws, "once@zanzibar.example", staff.Marketer)
	who := w.signIn("once@zanzibar.example")
	ask := asked{browser: who, body: `{"act":"campaign_archive","query":{"q":"many"}}`}
	r := w.call("POST /bulk-acts", ask)
	var begun httpapi.Job
	w.must(json.Unmarshal(r.Body.Bytes(), &begun))
	var members struct {
		Items []struct{ ID, Email string }
	}
	w.ok(b.key, "GET /staff", "", &members)
	for _, m := range members.Items {
		if m.Email == "once@zanzibar.example" {
			w.ok(b.key, "DELETE /staff/"+m.ID, "", nil)
		}
	}
	w.work()
	play(t, w, b, []scenario{
		{do: "GET /jobs/" + begun.ID, status: 200, has: `"state":"failed" | staff.actor.gone`},
		{do: "POST /bulk-acts/count", body: `{"act":"campaign_archive","query":{"q":"many","archived":"no"}}`, status: 200, has: `"count":3`},
	})
}

func TestListExports(t *testing.T) {
	for _, engine := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			w := newWorldOn(t, engine)
			b := w.business()
			many(w, b, 3)
			play(t, w, b, []scenario{
				{as: "viewer", do: "POST /exports", body: `{"list":"campaigns","columns":[{"title":"n","field":"name"}]}`, status: 403},
				{do: "POST /exports", body: `{"list":"secrets","columns":[{"title":"n","field":"name"}]}`, status: 422, has: "export.list_unknown"},
				{do: "POST /exports", body: `{"list":"campaigns","query":{"status":"odd"},"columns":[{"title":"n","field":"name"}]}`, status: 422, has: "status"},
				{do: "POST /exports", body: `{"list":"campaigns","columns":[]}`, status: 422, has: "columns"},
				{do: "POST /exports", body: `{"list":"campaigns","query":{"q":"many"},"bom":true,"columns":[{"title":"名前","field":"name"},{"title":"=done","field":"progress.done"},{"title":"none","field":"no.such"},{"title":"made","field":"launched_at,created_at"}]}`, status: 202, has: `"kind":"list_export"`, keep: "file"},
				{do: "POST /exports", body: `{"list":"audit","query":{"action":"campaign.create"},"columns":[{"title":"id","field":"noun_id"}]}`, status: 202, keep: "log"},
			})
			w.work()
			play(t, w, b, []scenario{
				{do: "GET /jobs/$file/files/table", status: 200, has: "\ufeff名前,'=done,none,made\r\n'=Many 2,0,,2026-03-01T09:30:00Z\r\n", not: marker},
				{do: "GET /jobs/$log/files/table", status: 200, has: "$draft_0 | $draft_2"},
			})
		})
	}
}

// Whoever had a task has it again, also of those that a cancelled act may have given away or not.
func TestTasksGoBackToWhomeverHadThem(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	const each = 40
	ids := map[string]string{}
	for _, who := range []string{"ann", "ben", "cem"} {
		ids[who] = w.user(b.ws, who+"@zanzibar.example", staff.Agent).User.ID
	}
	for i := range 2 * each {
		b.make(w, fmt.Sprint("call_", i), "POST /tasks", fmt.Sprintf(`{"title":"Call %d","assignee":%q}`, i, ids[[]string{"ann", "ben"}[i%2]]))
	}
	has := func(who string) int {
		var found struct{ Items []struct{ Assignee string } }
		w.ok(b.key, "GET /tasks?limit=200&assignee="+ids[who], "", &found)
		return len(found.Items)
	}
	var begun, undone httpapi.Job
	calls := make([]string, 2*each)
	for i := range calls {
		calls[i] = b.ids[fmt.Sprint("call_", i)]
	}
	list, err := json.Marshal(calls)
	w.must(err)
	w.ok(b.key, "POST /bulk-acts", fmt.Sprintf(`{"act":"task_assign","ids":%s,"with":%q}`, list, ids["cem"]), &begun)
	n := 0
	w.onJob = func(id string) {
		if id != begun.ID {
			return
		}
		if n++; n == 4 { // the second piece is noted, and done before anybody looks whether it may go on
			_, err := w.jobs.Cancel(context.Background(), staff.System(b.ws), id)
			w.must(err)
		}
	}
	w.work()
	w.onJob = nil
	if got := has("cem"); got < 25 || got >= 2*each {
		t.Fatalf("%d were given away before it was cancelled", got)
	}
	w.ok(b.key, "POST /bulk-acts/"+begun.ID+"/undo", "", &undone)
	w.work()
	if ann, ben, cem := has("ann"), has("ben"), has("cem"); ann != each || ben != each || cem != 0 {
		t.Errorf("ann has %d, ben %d, cem %d; want %d, %d, 0", ann, ben, cem, each, each)
	}
}

// A bulk act that is cancelled in the middle has done what it says, and what it says can be taken back.
func TestABulkActThatIsCancelledIsTakenBackWhole(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	many(w, b, 60)
	var begun httpapi.Job
	w.ok(b.key, "POST /bulk-acts", `{"act":"campaign_archive","query":{"q":"many"}}`, &begun)
	n := 0
	w.onJob = func(id string) {
		if id != begun.ID {
			return
		}
		if n++; n == 3 { // the first piece is done, the second has begun
			_, err := w.jobs.Cancel(context.Background(), staff.System(b.ws), id)
			w.must(err)
		}
	}
	w.work()
	w.onJob = nil
	var at struct{ Count int }
	w.ok(b.key, "POST /bulk-acts/count", `{"act":"campaign_archive","query":{"q":"many","archived":"yes"}}`, &at)
	if at.Count < 25 || at.Count >= 60 {
		t.Fatalf("%d were archived before it was cancelled", at.Count)
	}
	var undone httpapi.Job
	w.ok(b.key, "POST /bulk-acts/"+begun.ID+"/undo", "", &undone)
	w.work()
	w.ok(b.key, "POST /bulk-acts/count", `{"act":"campaign_archive","query":{"q":"many","archived":"yes"}}`, &at)
	if at.Count != 0 {
		t.Errorf("%d are still archived", at.Count)
	}
}
