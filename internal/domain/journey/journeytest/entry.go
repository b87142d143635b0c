package journeytest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// entryTests are those of what is to enter, of refusals and tasks.
var entryTests = map[string]func(t *testing.T, s journey.Store){
	"entries come back as they were written":          entriesRoundTrip,
	"an entry takes the place of the one in its slot": entriesReplace,
	"inactivity never moves backwards":                inactivityOnlyGrows,
	"queued entries are new":                          queueing,
	"appointments of one kind are dropped":            appointmentsDropped,
	"refusals page, latest first":                     refusals,
	"rounds of one person are told apart by key":      liveKeys,
	"a task moves only from where it was":             tasks,
	"versions are seized in the order of ids":         seizedByVersion,
	"who does not go on is counted and listed":        stuck,
}

func entry(journeyID, slot, person string, due time.Time) journey.Entry {
	return journey.Entry{
		Workspace: ws, Journey: journeyID, Slot: slot, Person: person, Kind: journey.ByDate, Key: "k-" + slot, Live: "l", Due: due, Received: epoch, Basis: "1990-05-17@UTC",
		Trigger: node.Trigger{MessageID: "k-" + slot, Name: journey.ByDate, Time: due, Properties: json.RawMessage(`{"date":"1990-05-17"}`)}, Attempts: 2, Error: "生日",
	}
}

func slots(all []journey.Entry) []string {
	out := make([]string, len(all))
	for n, e := range all {
		out[n] = e.Slot
	}
	return out
}

func entriesRoundTrip(t *testing.T, s journey.Store) {
	live, paused := sample("jrn_1"), sample("jrn_2")
	paused.Status = journey.Paused
	ok(t, s.Create(t.Context(), live))
	ok(t, s.Create(t.Context(), paused))
	a, b, c := entry("jrn_1", "a", "per_1", epoch.Add(time.Hour)), entry("jrn_1", "b", "per_2", epoch), entry("jrn_2", "a", "per_1", epoch)
	ok(t, s.PutEntries(t.Context(), []journey.Entry{a, b, c}))
	same(t, []journey.Place{{Workspace: ws, Journey: "jrn_1"}}, must[[]journey.Place](t)(s.EntryPlaces(t.Context(), epoch)))
	same(t, []journey.Place{}, must[[]journey.Place](t)(s.EntryPlaces(t.Context(), epoch.Add(-time.Second))))
	same(t, []journey.Entry{a, b}, must[[]journey.Entry](t)(s.Entries(t.Context(), ws, "jrn_1", []string{"b", "a", "x"})))
	same(t, []journey.Entry{b}, must[[]journey.Entry](t)(s.DueEntries(t.Context(), journey.Place{Workspace: ws, Journey: "jrn_1"}, epoch, 5)))
	same(t, []journey.Entry{b, a}, must[[]journey.Entry](t)(s.DueEntries(t.Context(), journey.Place{Workspace: ws, Journey: "jrn_1"}, epoch.Add(time.Hour), 5)))
	first := must[page.Of[journey.Entry]](t)(s.Queue(t.Context(), ws, "jrn_1", page.Request{Limit: 1}))
	same(t, []journey.Entry{b}, first.Items)
	same(t, []journey.Entry{a}, must[page.Of[journey.Entry]](t)(s.Queue(t.Context(), ws, "jrn_1", page.Request{Limit: 1, Cursor: first.Next})).Items)
	same(t, []journey.Entry{}, must[[]journey.Entry](t)(s.TakeEntries(t.Context(), "ws_2", "jrn_1", []string{"a", "b"})))
	same(t, []journey.Entry{b, a}, must[[]journey.Entry](t)(s.TakeEntries(t.Context(), ws, "jrn_1", []string{"a", "b"})))
	same(t, []journey.Entry{}, must[[]journey.Entry](t)(s.TakeEntries(t.Context(), ws, "jrn_1", []string{"a", "b"})))
	same(t, []journey.Entry{c}, must[[]journey.Entry](t)(s.TakeEntriesOf(t.Context(), ws, "per_1")))
}

func entriesReplace(t *testing.T, s journey.Store) {
	a := entry("jrn_1", "a", "per_1", epoch.Add(time.Hour))
	ok(t, s.PutEntries(t.Context(), []journey.Entry{a}))
	a.Due, a.Basis, a.Key, a.Attempts, a.Error = epoch, "x", "other", 0, ""
	ok(t, s.PutEntries(t.Context(), []journey.Entry{a}))
	same(t, []journey.Entry{a}, must[[]journey.Entry](t)(s.Entries(t.Context(), ws, "jrn_1", []string{"a"})))
	ok(t, s.DropEntries(t.Context(), ws, "jrn_1", []string{"a", "b"}))
	same(t, []journey.Entry{}, must[[]journey.Entry](t)(s.Entries(t.Context(), ws, "jrn_1", []string{"a"})))
}

func inactivityOnlyGrows(t *testing.T, s journey.Store) {
	late, early := entry("jrn_1", "a", "per_1", epoch.Add(time.Hour)), entry("jrn_1", "a", "per_1", epoch)
	late.Kind, early.Kind = journey.ByInactive, journey.ByInactive
	for _, e := range []journey.Entry{early, late, early} {
		ok(t, s.PutEntries(t.Context(), []journey.Entry{e}))
	}
	same(t, []journey.Entry{late}, must[[]journey.Entry](t)(s.Entries(t.Context(), ws, "jrn_1", []string{"a"})))
}

func queueing(t *testing.T, s journey.Store) {
	a := entry("jrn_1", "a", "per_1", epoch)
	ok(t, s.QueueEntries(t.Context(), []journey.Entry{a}))
	later := a
	later.Due = epoch.Add(time.Hour)
	ok(t, s.QueueEntries(t.Context(), []journey.Entry{later}))
	same(t, []journey.Entry{a}, must[[]journey.Entry](t)(s.Entries(t.Context(), ws, "jrn_1", []string{"a"})))
	r := entry("jrn_1", "r", "per_1", epoch)
	must[[]journey.Refusal](t)(s.AddRefusals(t.Context(), []journey.Refusal{{Workspace: ws, Journey: "jrn_1", Key: r.Key, Person: "per_1", Kind: r.Kind, Reason: journey.NotToday, At: epoch}}))
	i := instance("ins_1", "jrn_1", "per_2", epoch)
	enter(t, s, i)
	u := entry("jrn_1", "u", "per_2", epoch)
	u.Key = i.EntryKey
	ok(t, s.QueueEntries(t.Context(), []journey.Entry{r, u}))
	same(t, []journey.Entry{}, must[[]journey.Entry](t)(s.Entries(t.Context(), ws, "jrn_1", []string{"r", "u"})))
	same(t, "ins_1", must[journey.Instance](t)(s.RoundOf(t.Context(), ws, "jrn_1", i.EntryKey)).ID)
	_, err := s.RoundOf(t.Context(), "ws_2", "jrn_1", i.EntryKey)
	isKind(t, err, errs.KindNotFound)
	same(t, journey.NotToday, must[journey.Refusal](t)(s.RefusalOf(t.Context(), ws, "jrn_1", r.Key)).Reason)
	_, err = s.RefusalOf(t.Context(), "ws_2", "jrn_1", r.Key)
	isKind(t, err, errs.KindNotFound)
}

func appointmentsDropped(t *testing.T, s journey.Store) {
	a, b, c := entry("jrn_1", "a", "per_1", epoch), entry("jrn_1", "b", "per_1", epoch.Add(time.Hour)), entry("jrn_1", "c", "per_1", epoch.Add(time.Hour))
	c.Kind = journey.ByEvent
	ok(t, s.PutEntries(t.Context(), []journey.Entry{a, b, c}))
	ok(t, s.DropAppointments(t.Context(), ws, "jrn_1", []string{journey.ByDate, journey.ByInactive}, epoch))
	same(t, []string{"a", "c"}, slots(must[[]journey.Entry](t)(s.Entries(t.Context(), ws, "jrn_1", []string{"a", "b", "c"}))))
}

func refusals(t *testing.T, s journey.Store) {
	r := journey.Refusal{Workspace: ws, Journey: "jrn_1", Key: "k1", Person: "per_1", Kind: journey.ByEvent, Reason: journey.NotWithRoom, At: epoch}
	later, other := r, r
	later.Key, later.At = "k2", epoch.Add(time.Hour)
	other.Key, other.Reason = "k3", journey.NotAgain
	same(t, []journey.Refusal{r, later}, must[[]journey.Refusal](t)(s.AddRefusals(t.Context(), []journey.Refusal{r, later})))
	changed := r
	changed.Reason = journey.NotAgain
	same(t, []journey.Refusal{other}, must[[]journey.Refusal](t)(s.AddRefusals(t.Context(), []journey.Refusal{changed, other})))
	first := must[page.Of[journey.Refusal]](t)(s.Refusals(t.Context(), ws, "jrn_1", "", page.Request{Limit: 2}))
	same(t, []journey.Refusal{later, other}, first.Items)
	same(t, []journey.Refusal{r}, must[page.Of[journey.Refusal]](t)(s.Refusals(t.Context(), ws, "jrn_1", "", page.Request{Limit: 2, Cursor: first.Next})).Items)
	same(t, []journey.Refusal{later, r}, must[page.Of[journey.Refusal]](t)(s.Refusals(t.Context(), ws, "jrn_1", journey.NotWithRoom, page.Request{})).Items)
	same(t, []journey.Refusal{}, must[page.Of[journey.Refusal]](t)(s.Refusals(t.Context(), "ws_2", "jrn_1", "", page.Request{})).Items)
}

func liveKeys(t *testing.T, s journey.Store) {
	a, b, c := instance("ins_1", "jrn_1", "per_1", epoch), instance("ins_2", "jrn_1", "per_1", epoch), instance("ins_3", "jrn_1", "per_1", epoch)
	a.Key, b.Key, c.Key = "cart-a", "cart-b", "cart-a"
	same(t, map[string]bool{"ins_1": true, "ins_2": true}, enter(t, s, a, b, c))
	same(t, []journey.Instance{a, b}, must[[]journey.Instance](t)(s.Latest(t.Context(), ws, []string{"per_1"}, []string{"jrn_1"})))
}

func tasks(t *testing.T, s journey.Store) {
	a := journey.Task{
		ID: "jtk_1", Workspace: ws, Journey: "jrn_1", Kind: journey.TaskAdd, Status: journey.TaskRunning, Version: 2, Due: epoch, Cursor: "7", Total: 10, Done: 7,
		Data: json.RawMessage(`{"set":"seg_1"}`), Error: "x", Attempts: 1, Rev: 1, CreatedAt: epoch, UpdatedAt: epoch,
	}
	b := a
	b.ID, b.Due, b.Kind, b.CreatedAt = "jtk_2", epoch.Add(time.Hour), journey.TaskRun, epoch.Add(time.Hour)
	ok(t, s.AddTask(t.Context(), a))
	ok(t, s.AddTask(t.Context(), b))
	again := a
	again.Cursor = "other"
	ok(t, s.AddTask(t.Context(), again))
	same(t, []journey.Task{a}, must[[]journey.Task](t)(s.DueTasks(t.Context(), epoch, 5)))
	same(t, []journey.Task{b, a}, must[page.Of[journey.Task]](t)(s.Tasks(t.Context(), ws, "jrn_1", page.Request{})).Items)
	moved := a
	moved.Cursor, moved.Done, moved.Data, moved.UpdatedAt = "9", 9, json.RawMessage(`{"set":"seg_2"}`), epoch.Add(time.Minute)
	ok(t, s.SaveTask(t.Context(), moved))
	isKind(t, s.SaveTask(t.Context(), moved), errs.KindConflict)
	moved.Rev = 2
	same(t, moved, must[journey.Task](t)(s.Task(t.Context(), ws, "jtk_1")))
	_, err := s.Task(t.Context(), "ws_2", "jtk_1")
	isKind(t, err, errs.KindNotFound)
	ok(t, s.CancelTasks(t.Context(), ws, "jrn_1", []string{journey.TaskRun}, epoch.Add(time.Minute)))
	same(t, journey.TaskCancelled, must[journey.Task](t)(s.Task(t.Context(), ws, "jtk_2")).Status)
	same(t, journey.TaskRunning, must[journey.Task](t)(s.Task(t.Context(), ws, "jtk_1")).Status)
}

func seizedByVersion(t *testing.T, s journey.Store) {
	a, b, c, d := instance("ins_1", "jrn_1", "per_1", epoch), instance("ins_2", "jrn_1", "per_2", epoch), instance("ins_3", "jrn_1", "per_3", epoch), instance("ins_4", "jrn_1", "per_4", epoch)
	b.Version, c.Control, d.Status = 2, true, journey.Done
	e, f := instance("ins_5", "jrn_1", "per_5", epoch), instance("ins_6", "jrn_1", "per_6", epoch)
	f.Version = 3
	enter(t, s, a, b, c, d, e, f)
	place := journey.Place{Workspace: ws, Journey: "jrn_1"}
	same(t, []string{"ins_1", "ins_2"}, ids(must[[]journey.Instance](t)(s.SeizeVersions(t.Context(), place, []int{1, 2}, "", 2))))
	same(t, []string{"ins_5"}, ids(must[[]journey.Instance](t)(s.SeizeVersions(t.Context(), place, []int{1, 2}, "ins_2", 2))))
	got := must[journey.Instance](t)(s.Instance(t.Context(), ws, "ins_3"))
	same(t, c, got)
	got.Version = 2
	ok(t, s.Save(t.Context(), []journey.Instance{got}))
	same(t, 2, must[journey.Instance](t)(s.Instance(t.Context(), ws, "ins_3")).Version)
}

func stuck(t *testing.T, s journey.Store) {
	live, paused := sample("jrn_1"), sample("jrn_2")
	paused.Status = journey.Paused
	ok(t, s.Create(t.Context(), live))
	ok(t, s.Create(t.Context(), paused))
	late, parked, trying, fine, still := instance("ins_1", "jrn_1", "per_1", epoch), instance("ins_2", "jrn_1", "per_2", time.Time{}), instance("ins_3", "jrn_1", "per_3", epoch.Add(time.Hour)),
		instance("ins_4", "jrn_1", "per_4", epoch.Add(time.Hour)), instance("ins_5", "jrn_2", "per_5", epoch)
	parked.Status, parked.Error, trying.Attempts = journey.Parked, node.Because("x"), 1
	same(t, time.Time{}, must[time.Time](t)(s.NextDue(t.Context(), epoch)))
	enter(t, s, late, parked, trying, fine, still)
	same(t, epoch, must[time.Time](t)(s.NextDue(t.Context(), epoch)))
	must[[]journey.Instance](t)(s.Claim(t.Context(), journey.Place{Workspace: ws, Journey: "jrn_1"}, epoch, epoch.Add(time.Minute), "lease", 1))
	same(t, epoch.Add(time.Hour), must[time.Time](t)(s.NextDue(t.Context(), epoch)))
	ok(t, s.AddCounts(t.Context(), []journey.Count{{Tally: journey.Tally{Workspace: ws, Journey: "jrn_2", Version: 1, What: journey.Inside}, N: 1}}))
	failing := entry("jrn_1", "a", "per_9", epoch)
	ok(t, s.PutEntries(t.Context(), []journey.Entry{failing}))
	endless := journey.Refusal{Workspace: ws, Journey: "jrn_1", Key: "e", Person: "per_1", Kind: journey.ByEvent, Reason: journey.NotEndless, At: epoch.Add(time.Second)}
	old, other := endless, endless
	old.Key, old.At, other.Key, other.Reason = "o", epoch, "f", journey.NotAgain
	must[[]journey.Refusal](t)(s.AddRefusals(t.Context(), []journey.Refusal{endless, old, other}))
	same(t, journey.Trouble{Parked: 1, Trying: 1, Overdue: 1, Entries: 1, Paused: 1, Endless: 1}, must[journey.Trouble](t)(s.Trouble(t.Context(), ws, "", epoch, epoch)))
	same(t, journey.Trouble{Paused: 1}, must[journey.Trouble](t)(s.Trouble(t.Context(), ws, "jrn_2", epoch, epoch)))
	same(t, journey.Trouble{}, must[journey.Trouble](t)(s.Trouble(t.Context(), "ws_2", "", epoch, epoch)))
	first := must[page.Of[journey.Instance]](t)(s.Stuck(t.Context(), ws, "", epoch, page.Request{Limit: 2}))
	same(t, []string{"ins_2", "ins_1"}, ids(first.Items))
	same(t, []string{"ins_3"}, ids(must[page.Of[journey.Instance]](t)(s.Stuck(t.Context(), ws, "", epoch, page.Request{Limit: 2, Cursor: first.Next})).Items))
	same(t, []string{}, ids(must[page.Of[journey.Instance]](t)(s.Stuck(t.Context(), ws, "jrn_2", epoch, page.Request{})).Items))
}
