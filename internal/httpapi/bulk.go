package httpapi

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/sheet"
)

// act is something that can be done to many things of a list at once, as a job: the operation on one thing, asked once for each in the name of whoever began it. So
// each has the permission checked, its own rules and its own entry in the audit log, as if it had been done by hand.
type act struct {
	name string // of the kind of job
	need staff.Permission
	list string   // where the things are listed
	key  []string // members of an item of the list that make its id
	one  string   // where one thing is read, with {id}; empty: nowhere
	do   string   // METHOD /path of the operation, with {id} and {with}
	body string   // member of the operation's body that holds what the act was given; empty: the operation has none
	gone bool     // the act takes the thing away
	self bool     // the things are members, and the act is for others only: a filter does not find whoever does it
	used bool     // of templates: the act goes on although something uses one, so it is told before what does
	// is reports whether a thing is already as the act would make it; nil: it never is.
	is func(thing map[string]any, with string) bool
	// was is what the act that takes this one back has to be given.
	was  func(thing map[string]any) string
	back string // act that takes it back; empty: none
}

var byID = []string{"id"}

// status makes the test of acts that lead to one of some statuses.
func status(wanted ...string) func(map[string]any, string) bool {
	return func(thing map[string]any, _ string) bool { return slices.Contains(wanted, text(thing["status"])) }
}

// acts lists what can be done to many.
var acts = []act{
	{name: "segment_archive", need: staff.SegmentsWrite, list: "/segments", key: byID, one: "/segments/{id}", do: "DELETE /segments/{id}", is: status("archived"), back: "segment_restore"},
	{name: "segment_restore", need: staff.SegmentsWrite, list: "/segments", key: byID, one: "/segments/{id}", do: "POST /segments/{id}/unarchive", is: status("active"), back: "segment_archive"},
	{name: "template_archive", need: staff.ContentWrite, list: "/templates", key: byID, one: "/templates/{id}", used: true, do: "DELETE /templates/{id}", is: status("archived"), back: "template_restore"},
	{name: "template_restore", need: staff.ContentWrite, list: "/templates", key: byID, one: "/templates/{id}", do: "POST /templates/{id}/restore", is: status("active"), back: "template_archive"},
	{name: "snippet_archive", need: staff.ContentWrite, list: "/snippets", key: []string{"key"}, one: "/snippets/{id}", do: "DELETE /snippets/{id}", is: status("archived"), back: "snippet_restore"},
	{name: "snippet_restore", need: staff.ContentWrite, list: "/snippets", key: []string{"key"}, one: "/snippets/{id}", do: "POST /snippets/{id}/restore", is: status("active"), back: "snippet_archive"},
	{name: "campaign_archive", need: staff.CampaignsWrite, list: "/campaigns", key: byID, one: "/campaigns/{id}", do: "POST /campaigns/{id}/archive", is: archived(true), back: "campaign_restore"},
	{name: "campaign_restore", need: staff.CampaignsWrite, list: "/campaigns", key: byID, one: "/campaigns/{id}", do: "POST /campaigns/{id}/restore", is: archived(false), back: "campaign_archive"},
	{name: "campaign_pause", need: staff.CampaignsSend, list: "/campaigns", key: byID, one: "/campaigns/{id}", do: "POST /campaigns/{id}/pause", is: status("paused"), back: "campaign_resume"},
	{name: "campaign_resume", need: staff.CampaignsSend, list: "/campaigns", key: byID, one: "/campaigns/{id}", do: "POST /campaigns/{id}/resume", is: status("scheduled", "preparing", "sending"), back: "campaign_pause"},
	{name: "journey_archive", need: staff.JourneysPublish, list: "/journeys", key: byID, one: "/journeys/{id}", do: "POST /journeys/{id}/archive", is: status("archived"), back: "journey_restore"},
	{name: "journey_restore", need: staff.JourneysPublish, list: "/journeys", key: byID, one: "/journeys/{id}", do: "POST /journeys/{id}/restore", is: status("draft", "live", "paused", "stopped"), back: "journey_archive"},
	{name: "journey_pause", need: staff.JourneysPublish, list: "/journeys", key: byID, one: "/journeys/{id}", do: "POST /journeys/{id}/pause", is: status("paused"), back: "journey_resume"},
	{name: "journey_resume", need: staff.JourneysPublish, list: "/journeys", key: byID, one: "/journeys/{id}", do: "POST /journeys/{id}/resume", is: status("live"), back: "journey_pause"},
	{name: "task_complete", need: staff.PeopleWrite, list: "/tasks", key: byID, one: "/tasks/{id}", do: "POST /tasks/{id}/complete", body: "outcome", is: status("done"), back: "task_reopen"},
	{name: "task_reopen", need: staff.PeopleWrite, list: "/tasks", key: byID, one: "/tasks/{id}", do: "POST /tasks/{id}/reopen", is: status("open")},
	{
		name: "task_assign", need: staff.PeopleWrite, list: "/tasks", key: byID, one: "/tasks/{id}", do: "POST /tasks/{id}/assign", body: "assignee", back: "task_assign",
		is:  func(thing map[string]any, with string) bool { return text(thing["assignee"]) == with },
		was: func(thing map[string]any) string { return text(thing["assignee"]) },
	},
	{
		name: "series_activate", need: staff.CampaignsSend, list: "/series", key: byID, one: "/series/{id}", do: "POST /series/{id}/activate", is: status("live", "review"),
		was: func(thing map[string]any) string { return text(thing["status"]) }, back: "series_unstart",
	},
	// What was a draft is one again, unless it has run meanwhile.
	{name: "series_unstart", need: staff.CampaignsSend, list: "/series", key: byID, one: "/series/{id}", do: "POST /series/{id}/pause?to={with}", is: status("draft", "paused")},
	{name: "series_pause", need: staff.CampaignsSend, list: "/series", key: byID, one: "/series/{id}", do: "POST /series/{id}/pause", is: status("paused"), back: "series_activate"},
	{name: "series_end", need: staff.CampaignsSend, list: "/series", key: byID, one: "/series/{id}", do: "POST /series/{id}/end", is: status("ended")},
	{name: "series_delete", need: staff.CampaignsWrite, list: "/series", key: byID, one: "/series/{id}", do: "DELETE /series/{id}", gone: true},
	{name: "journey_map_delete", need: staff.SegmentsWrite, list: "/journey-maps", key: byID, one: "/journey-maps/{id}", do: "DELETE /journey-maps/{id}", gone: true},
	{name: "persona_delete", need: staff.SegmentsWrite, list: "/personas", key: byID, one: "/personas/{id}", do: "DELETE /personas/{id}", gone: true},
	{name: "key_revoke", need: staff.KeysWrite, list: "/keys", key: byID, one: "/keys/{id}", do: "DELETE /keys/{id}", is: func(thing map[string]any, _ string) bool { return thing["revoked_at"] != nil }},
	{
		name: "member_role", need: staff.StaffWrite, list: "/staff", key: byID, one: "/staff/{id}", do: "PUT /staff/{id}/role", body: "role", back: "member_role", self: true,
		is:  func(thing map[string]any, with string) bool { return text(thing["role"]) == with },
		was: func(thing map[string]any) string { return text(thing["role"]) },
	},
	{name: "member_remove", need: staff.StaffWrite, list: "/staff", key: byID, one: "/staff/{id}", do: "DELETE /staff/{id}", gone: true, self: true},
	{name: "webhook_on", need: staff.SettingsWrite, list: "/webhooks", key: byID, one: "/webhooks/{id}", do: "POST /webhooks/{id}/on", is: status("on"), back: "webhook_off"},
	{name: "webhook_off", need: staff.SettingsWrite, list: "/webhooks", key: byID, one: "/webhooks/{id}", do: "POST /webhooks/{id}/off", is: status("off", "disabled"), back: "webhook_on"},
	{name: "webhook_delete", need: staff.SettingsWrite, list: "/webhooks", key: byID, one: "/webhooks/{id}", do: "DELETE /webhooks/{id}", gone: true},
	{name: "suppression_lift", need: staff.ConsentWrite, list: "/suppressions", key: []string{"channel", "hash"}, do: "DELETE /suppressions/{id}?why={with}"},
}

// archived makes the test of acts that put away and bring back what has a status beside.
func archived(wanted bool) func(map[string]any, string) bool {
	return func(thing map[string]any, _ string) bool { return (thing["archived_at"] != nil) == wanted }
}

func actOf(name string) (act, bool) {
	i := slices.IndexFunc(acts, func(x act) bool { return x.name == name })
	if i < 0 {
		return act{}, false
	}
	return acts[i], true
}

const (
	mostAtOnce  = 50_000 // things of one bulk act
	pieceOfBulk = 25     // things between two saves
	mostTold    = 50     // refusals that are told with the job; all of them are in its file
)

// The files of a bulk act.
const (
	bulkTargets = "targets" // what it was asked for, a line of JSON each; not handed out
	bulkResults = "results" // what became of each, as a table
)

var bulkHead = []string{"id", "name", "outcome", "code", "message", "before"}

// bulkParams says what is done to which things: those of ids, those that a list shows with a filter, or those that another bulk act has changed.
type bulkParams struct {
	IDs      []string          `json:"ids,omitempty"`
	Query    map[string]string `json:"query,omitempty"`
	Expected int64             `json:"expected,omitempty"`
	With     string            `json:"with,omitempty"`
	Of       string            `json:"of,omitempty"`
}

// target is one thing to do it to.
type target struct {
	ID   string `json:"id"`
	With string `json:"with,omitempty"`
}

// bulkMark is how far a bulk act is.
type bulkMark struct {
	Targets int64 `json:"targets"` // bytes of what it was asked for; 0: not looked up yet
	Total   int64 `json:"total"`
	Seen    int64 `json:"seen"`
	Begun   []was `json:"begun,omitempty"` // behind them, what has been begun and may be done or not
	Bytes   int64 `json:"bytes"`           // of the results

	Done      int64         `json:"done"`
	Unchanged int64         `json:"unchanged"`
	Refused   int64         `json:"refused"`
	Told      []BulkRefusal `json:"told,omitempty"`
}

// was is how a thing was before it was begun with.
type was struct {
	Name    string `json:"name,omitempty"`
	Already bool   `json:"already,omitempty"` // as the act would make it
	With    string `json:"with,omitempty"`    // what the act that takes it back has to be given
	gone    bool   // it is not there
}

// markOf returns how far the job of a bulk act is.
func markOf(j job.Job) (m bulkMark, err error) {
	if len(j.Mark) > 0 {
		err = json.Unmarshal(j.Mark, &m)
	}
	return m, err
}

func (m bulkMark) progress() job.Progress {
	return job.Progress{Done: m.Seen, Total: m.Total, Figures: map[string]int64{"changed": m.Done, "unchanged": m.Unchanged, "not_done": m.Refused}}
}

// BulkRefusal is a thing to which it could not be done.
type BulkRefusal struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Args    []string `json:"args,omitempty" doc:"what the message names, in its order: for those who word the code in another language"`
}

// BulkAct is a bulk act and what has come of it so far.
type BulkAct struct {
	Job     Job           `json:"job"`
	Refused []BulkRefusal `json:"refused" doc:"the first to which it could not be done, with the reason; all of them are in the job's file"`
	Undo    bool          `json:"undo" doc:"it can be taken back"`
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// answered is what an operation has answered to a call from within.
type answered struct {
	header http.Header
	status int
	bytes.Buffer
}

func (w *answered) Header() http.Header { return w.header }
func (w *answered) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// problem returns what the answer says is wrong, or nil.
func (w *answered) problem() *Problem {
	if w.status < 400 {
		return nil
	}
	p := plain(w.status, "internal", "something went wrong on our side; it is in the server's log")
	_ = json.Unmarshal(w.Bytes(), p) // what is not JSON says no more than its status
	return p
}

// ask calls an operation from within, in the name of somebody who has been recognised before.
func (a *api) ask(ctx context.Context, by staff.Principal, method, path string, body any) (*answered, error) {
	var sent io.Reader = http.NoBody
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		sent = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(context.WithValue(ctx, actingKey{}, by), method, "/api/v1"+path, sent)
	if err != nil {
		return nil, err
	}
	w := &answered{header: http.Header{}}
	a.inner.ServeHTTP(w, r)
	return w, nil
}

// actingKey is under which a call from within names who it is made for. Nothing from outside can put it there.
type actingKey struct{}

// acting returns who a call from within is made for.
func acting(ctx context.Context) (staff.Principal, bool) {
	p, ok := ctx.Value(actingKey{}).(staff.Principal)
	return p, ok
}

// kindOf is the kind of error that a status stands for.
func kindOf(status int) errs.Kind {
	for k, s := range statusOf {
		if s == status {
			return k
		}
	}
	return errs.KindInvalid
}

// pageOf reads a page of a list as somebody sees it.
func (a *api) pageOf(ctx context.Context, by staff.Principal, path string, query map[string]string, cursor string) (found List[map[string]any], err error) {
	q := url.Values{}
	for k, v := range query {
		if v != "" {
			q.Set(k, v)
		}
	}
	q.Set("limit", strconv.Itoa(page.MaxLimit))
	q.Set("cursor", cursor)
	w, err := a.ask(ctx, by, http.MethodGet, path+"?"+q.Encode(), nil)
	if err != nil {
		return found, err
	}
	if err := ctx.Err(); err != nil {
		return found, err
	}
	if p := w.problem(); p != nil {
		return found, &errs.Error{Kind: kindOf(p.Status), Code: p.Code, Field: p.Field, Msg: p.Detail, Args: p.Args}
	}
	from := json.NewDecoder(&w.Buffer)
	from.UseNumber() // amounts must not lose digits
	return found, from.Decode(&found)
}

func (x act) idOf(item map[string]any) string {
	parts := make([]string, len(x.key))
	for i, k := range x.key {
		parts[i] = text(item[k])
	}
	return strings.Join(parts, "/")
}

// pathOf fills in an id, which may have several parts.
func pathOf(path, id, with string) string {
	parts := strings.Split(id, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.NewReplacer("{id}", strings.Join(parts, "/"), "{with}", url.QueryEscape(with)).Replace(path)
}

// fitting returns the ids of what a list shows with a filter.
func (a *api) fitting(ctx context.Context, by staff.Principal, x act, query map[string]string) ([]target, error) {
	var out []target
	for cursor := ""; ; {
		found, err := a.pageOf(ctx, by, x.list, query, cursor)
		if err != nil {
			return nil, err
		}
		for _, item := range found.Items {
			if one := x.idOf(item); !x.self || one != by.ID {
				out = append(out, target{ID: one})
			}
		}
		if len(out) > mostAtOnce {
			return nil, errs.Invalid("bulk.too_many", "query", "more than %d fit; narrow the filter and do it in parts", mostAtOnce)
		}
		if cursor = found.NextCursor; cursor == "" {
			return out, nil
		}
	}
}

// bulkKinds returns the jobs.
func (a *api) bulkKinds() []job.Kind {
	kinds := []job.Kind{{Name: listExport, Need: staff.Export, Do: a.exportList}}
	for _, x := range acts {
		kinds = append(kinds, job.Kind{Name: x.name, Need: x.need, Do: func(ctx context.Context, r *job.Run) (job.Outcome, error) { return a.doBulk(ctx, r, x) }})
	}
	return kinds
}

// asked finds out what a bulk act is to be done to.
func (a *api) asked(ctx context.Context, by staff.Principal, ws string, x act, p bulkParams) ([]target, error) {
	if p.Of != "" {
		return a.doneBy(ctx, ws, p.Of)
	}
	if len(p.IDs) > 0 {
		out := make([]target, len(p.IDs))
		for i, id := range p.IDs {
			out[i] = target{id, p.With}
		}
		return out, nil
	}
	out, err := a.fitting(ctx, by, x, p.Query)
	if err == nil && p.Expected > 0 && int64(len(out)) != p.Expected {
		return nil, errs.Conflict("bulk.count_changed", "%d fit the filter now, not %d; nothing was done, look at the list again", len(out), p.Expected)
	}
	for i := range out {
		out[i].With = p.With
	}
	return out, err
}

// doBulk notes what it is about to do and how that was, does it, and notes what became of it, some things at a time. If it breaks off in between, what had been
// begun is done again, which changes nothing that is done.
func (a *api) doBulk(ctx context.Context, r *job.Run, x act) (job.Outcome, error) {
	var p bulkParams
	var m bulkMark
	ws := r.Job().Workspace
	if err := r.Params(&p); err != nil {
		return job.Outcome{}, err
	}
	had, err := r.Mark(&m)
	if err != nil {
		return job.Outcome{}, err
	}
	by, err := a.c.Staff.Acting(ctx, ws, r.Job().Actor)
	if err != nil {
		return job.Outcome{}, err
	}
	if !had {
		found, err := a.asked(ctx, by, ws, x, p)
		if err != nil {
			return job.Outcome{}, err
		}
		var lines bytes.Buffer
		out := json.NewEncoder(&lines)
		for _, t := range found {
			_ = out.Encode(t) // a buffer takes everything
		}
		if err := r.Append(ctx, bulkTargets, 0, lines.Bytes()); err != nil {
			return job.Outcome{}, err
		}
		m.Targets, m.Total = int64(lines.Len()), int64(len(found))
	}
	targets, err := a.bulkTargets(ctx, ws, r.Job().ID, m.Targets)
	if err != nil {
		return job.Outcome{}, err
	}
	for m.Seen < m.Total {
		piece := targets[m.Seen:min(m.Seen+pieceOfBulk, m.Total)]
		again := len(m.Begun) > 0
		if !again {
			for _, t := range piece {
				before, err := a.look(ctx, by, x, t)
				if err != nil {
					return job.Outcome{}, err
				}
				m.Begun = append(m.Begun, before)
			}
			if err := r.Save(ctx, m, m.progress()); err != nil {
				return job.Outcome{}, err
			}
		}
		var rows bytes.Buffer
		w := csv.NewWriter(&rows)
		w.UseCRLF = true // RFC 4180
		if m.Bytes == 0 {
			rows.WriteString("\ufeff")
			_ = w.Write(bulkHead)
		}
		for i, t := range piece {
			if err := ctx.Err(); err != nil {
				return job.Outcome{}, err
			}
			if err := a.doOne(context.WithoutCancel(ctx), by, x, t, m.Begun[i], again, &m, w); err != nil {
				return job.Outcome{}, err
			}
		}
		w.Flush()
		if err := r.Append(ctx, bulkResults, m.Bytes, rows.Bytes()); err != nil {
			return job.Outcome{}, err
		}
		m.Bytes += int64(rows.Len())
		m.Seen += int64(len(piece))
		m.Begun = nil
		if err := r.Save(ctx, m, m.progress()); err != nil {
			return job.Outcome{}, err
		}
	}
	out := job.Outcome{Figures: m.progress().Figures}
	if m.Bytes > 0 {
		out.Files = []job.File{{Key: bulkResults, Name: "results.csv", Type: "text/csv; charset=utf-8", Size: m.Bytes}}
	}
	return out, nil
}

// look returns how a thing is. What cannot be read tells nothing: the operation will say why.
func (a *api) look(ctx context.Context, by staff.Principal, x act, t target) (was, error) {
	if x.one == "" {
		return was{}, nil
	}
	w, err := a.ask(ctx, by, http.MethodGet, pathOf(x.one, t.ID, ""), nil)
	if err != nil || w.problem() != nil {
		return was{gone: err == nil && w.status == http.StatusNotFound}, err
	}
	var thing map[string]any
	if err := json.Unmarshal(w.Bytes(), &thing); err != nil {
		return was{}, err
	}
	now := was{Name: cmp.Or(text(thing["name"]), text(thing["title"])), Already: x.is != nil && x.is(thing, t.With)}
	if x.was != nil {
		now.With = x.was(thing)
	}
	return now, nil
}

// doOne does it to one thing and writes what became of it. again: it may have been done already, just before a break.
func (a *api) doOne(ctx context.Context, by staff.Principal, x act, t target, before was, again bool, m *bulkMark, out *csv.Writer) error {
	done := before.Already
	if again && !done {
		now, err := a.look(ctx, by, x, t)
		if err != nil {
			return err
		}
		done = now.Already || x.gone && now.gone
	}
	var refused *Problem
	if !done {
		method, path, _ := strings.Cut(x.do, " ")
		var body any
		if x.body != "" {
			body = map[string]string{x.body: t.With}
		}
		w, err := a.ask(ctx, by, method, pathOf(path, t.ID, t.With), body)
		if err != nil {
			return err
		}
		refused = w.problem()
	}
	outcome := "changed"
	var code, message string
	switch {
	case refused != nil:
		outcome, code, message = "refused", refused.Code, refused.Detail
		m.Refused++
		if len(m.Told) < mostTold {
			m.Told = append(m.Told, BulkRefusal{t.ID, before.Name, code, message, refused.Args})
		}
	case before.Already:
		outcome = "unchanged"
		m.Unchanged++
	default:
		m.Done++
	}
	return out.Write([]string{t.ID, sheet.Safe(before.Name), outcome, code, sheet.Safe(message), before.With})
}

// BulkUse is a thing that something uses.
type BulkUse struct {
	ID    string         `json:"id"`
	Name  string         `json:"name"`
	Users []content.User `json:"users" doc:"at most two hundred"`
}

// BulkUses says what uses the things that an act would be done to.
type BulkUses struct {
	Used  int64     `json:"used" doc:"things that something uses"`
	Items []BulkUse `json:"items" doc:"the first of them"`
}

// uses finds out what uses things before something is done to them.
func (a *api) uses(ctx context.Context, by staff.Principal, x act, things []target) (BulkUses, error) {
	out := BulkUses{Items: []BulkUse{}}
	if !x.used {
		return out, nil
	}
	if err := by.Require(staff.ContentRead); err != nil {
		return out, err
	}
	ids := make([]string, len(things))
	for i, t := range things {
		ids[i] = t.ID
	}
	users, err := a.c.Senders.TemplateUsers(ctx, workspaceOf(ctx), ids)
	if err != nil {
		return out, err
	}
	for _, t := range things {
		if len(users[t.ID]) == 0 {
			continue
		}
		if out.Used++; len(out.Items) < mostTold {
			thing, err := a.look(ctx, by, x, t)
			if err != nil {
				return out, err
			}
			out.Items = append(out.Items, BulkUse{t.ID, thing.Name, users[t.ID]})
		}
	}
	return out, nil
}

// bulkTargets reads what a bulk act was asked for.
func (a *api) bulkTargets(ctx context.Context, ws, id string, size int64) ([]target, error) {
	file, _, err := a.c.Jobs.Made(ctx, ws, id, bulkTargets)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var out []target
	for lines := bufio.NewScanner(io.LimitReader(file, size)); lines.Scan(); {
		var t target
		if err := json.Unmarshal(lines.Bytes(), &t); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// doneBy waits for the end of a bulk act and returns what it has changed: also what it may have, when it broke off.
func (a *api) doneBy(ctx context.Context, ws, id string) ([]target, error) {
	j, err := a.c.Jobs.Ended(ctx, ws, id)
	if err != nil {
		return nil, err
	}
	m, err := markOf(j)
	if err != nil {
		return nil, err
	}
	var out []target
	if m.Bytes > 0 {
		file, _, err := a.c.Jobs.Made(ctx, ws, id, bulkResults)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		rows, err := csv.NewReader(io.LimitReader(file, m.Bytes)).ReadAll()
		if err != nil {
			return nil, err
		}
		for _, row := range rows[1:] {
			if row[2] == "changed" {
				out = append(out, target{row[0], row[5]})
			}
		}
	}
	if len(m.Begun) > 0 {
		begun, err := a.bulkTargets(ctx, ws, id, m.Targets)
		if err != nil {
			return nil, err
		}
		for i, before := range m.Begun {
			if !before.Already {
				out = append(out, target{begun[m.Seen+int64(i)].ID, before.With})
			}
		}
	}
	return out, nil
}

func (a *api) bulkRoutes() {
	type chosen struct {
		Act   string            `json:"act" doc:"what is done, e.g. segment_archive"`
		Query map[string]string `json:"query,omitempty" doc:"filter of the list, as its query: everything that fits"`
	}
	type picked struct {
		Act   string            `json:"act" doc:"what is done, e.g. template_archive"`
		Query map[string]string `json:"query,omitempty" doc:"filter of the list, as its query: everything that fits"`
		IDs   []string          `json:"ids,omitempty" maxItems:"5000" doc:"the things, instead of a filter"`
	}
	type wanted struct {
		Asked
		Act      string            `json:"act" doc:"what is done, e.g. segment_archive"`
		Query    map[string]string `json:"query,omitempty" doc:"filter of the list, as its query: everything that fits"`
		IDs      []string          `json:"ids,omitempty" maxItems:"5000" doc:"the things, instead of a filter; of suppressions channel/hash, of snippets the key"`
		Expected int64             `json:"expected_count,omitempty" minimum:"0" doc:"how many fit the filter as far as the caller knows; if it is another number nothing is done"`
		With     string            `json:"with,omitempty" maxLength:"500" doc:"what the act needs: of task_assign the assignee, of member_role the role, of suppression_lift the reason"`
	}
	type count struct {
		Count int64 `json:"count"`
	}
	// known checks that the caller may do it at all.
	known := func(ctx context.Context, name string) (act, error) {
		x, ok := actOf(name)
		if !ok {
			return x, errs.Invalid("bulk.act_unknown", "act", "nothing like %q can be done to many at once", name)
		}
		return x, caller(ctx).Require(x.need)
	}
	route(a, http.MethodPost, "/bulk-acts/count", "bulk-act-count", "How many things an act would be done to", signedIn, func(ctx context.Context, in *in[chosen]) (*body[count], error) {
		x, err := known(ctx, in.Body.Act)
		if err != nil {
			return nil, err
		}
		found, err := a.fitting(ctx, caller(ctx), x, in.Body.Query)
		return answer(count{int64(len(found))}), err
	})
	route(a, http.MethodPost, "/bulk-acts/uses", "bulk-act-uses", "What uses the things that an act would be done to, of acts that go on all the same", signedIn, func(ctx context.Context, in *in[picked]) (*body[BulkUses], error) {
		x, err := known(ctx, in.Body.Act)
		if err != nil {
			return nil, err
		}
		things, err := a.asked(ctx, caller(ctx), workspaceOf(ctx), x, bulkParams{IDs: in.Body.IDs, Query: in.Body.Query})
		if err != nil {
			return nil, err
		}
		out, err := a.uses(ctx, caller(ctx), x, things)
		return answer(out), err
	}, bodyLimit(1<<20))
	route(a, http.MethodPost, "/bulk-acts", "bulk-act-begin", "Do something to many things at once, as a job; each is asked, checked and noted in the audit log as if it were the only one", signedIn, func(ctx context.Context, in *in[wanted]) (*body[Job], error) {
		b := in.Body
		x, err := known(ctx, b.Act)
		if err != nil {
			return nil, err
		}
		if len(b.IDs) == 0 {
			// The filter is read before a job is begun with it.
			if _, err := a.pageOf(ctx, caller(ctx), x.list, b.Query, ""); err != nil {
				return nil, err
			}
		}
		slices.Sort(b.IDs)
		return a.begin(ctx, "begin", "bulk_act", b.wanted(x.name, b.Title, bulkParams{IDs: slices.Compact(b.IDs), Query: b.Query, Expected: b.Expected, With: b.With}))
	}, accepted, bodyLimit(1<<20))
	// mine returns a job that is a bulk act.
	mine := func(ctx context.Context, id string) (job.Job, act, error) {
		j, err := a.c.Jobs.Get(ctx, caller(ctx), id)
		if err != nil {
			return j, act{}, err
		}
		x, ok := actOf(j.Kind)
		if !ok {
			return j, x, errs.NotFound("bulk act", id)
		}
		return j, x, nil
	}
	route(a, http.MethodGet, "/bulk-acts/{id}", "bulk-act-get", "How a bulk act goes, and to what it could not be done", signedIn, func(ctx context.Context, in *IDPath) (*body[BulkAct], error) {
		j, x, err := mine(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		m, err := markOf(j)
		if err != nil {
			return nil, err
		}
		return answer(BulkAct{Job: jobShape(j), Refused: append([]BulkRefusal{}, m.Told...), Undo: x.back != ""}), nil
	})
	route(a, http.MethodPost, "/bulk-acts/{id}/undo", "bulk-act-undo", "Take back what a bulk act has changed; one that still runs is ended first", signedIn, func(ctx context.Context, in *IDPath) (*body[Job], error) {
		j, x, err := mine(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		if x.back == "" {
			return nil, errs.Conflict("bulk.no_undo", "this cannot be taken back")
		}
		if !j.State.Over() {
			if _, err := a.c.Jobs.Cancel(ctx, caller(ctx), j.ID); err != nil && !errs.Is(err, errs.KindConflict) { // it has just ended
				return nil, err
			}
		}
		return a.begin(ctx, "undo", "bulk_act", job.Wanted{Kind: x.back, Key: "undo:" + j.ID, Title: j.Title, Params: bulkParams{Of: j.ID}})
	}, accepted)
}
