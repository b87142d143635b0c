package journeytest

import (
	std "cmp"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

const ws = "ws_1"

// Run tests a store. open returns an empty one for each test.
func Run(t *testing.T, open func(t *testing.T) journey.Store) {
	t.Helper()
	for name, test := range entryTests {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
	for name, test := range map[string]func(t *testing.T, s journey.Store){
		"journeys come back as they were written":        journeysRoundTrip,
		"an update needs the revision it was based on":   updatesCheckRev,
		"a name key exists once in a workspace":          keysAreUnique,
		"lists page, latest first, without archived":     listsPage,
		"versions never change":                          versionsAreImmutable,
		"the stamp moves with every change":              stampMoves,
		"instances come back as they were written":       instancesRoundTrip,
		"an entry key is used once":                      entryKeysAreUnique,
		"nobody is inside a journey twice":               nobodyTwice,
		"latest returns the present and the last round":  latestRounds,
		"claims give each due row to one worker":         claimsAreExclusive,
		"claims come back when the lease ends":           leasesEnd,
		"due leaves out paused journeys and event waits": dueJourneys,
		"seizing takes a row away from its lease":        seizing,
		"a nudge makes those due who wait at the nodes":  nudging,
		"merging gives rounds and steps to the winner":   repointing,
		"counts add up": countsAddUp,
		"the people behind every count can be listed": behindCounts,
		"errands are leased, answered and begun anew": errands,
		"tests are decided once":                      decisions,
		"secrets come back as they were written":      secrets,
		"parked people are found":                     parked,
		"who entered is counted once, with the goals": entered,
		"a workspace does not see another":            workspacesApart,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func isKind(t *testing.T, err error, k errs.Kind) {
	t.Helper()
	if !errs.Is(err, k) {
		t.Fatalf("error %v, want kind %v", err, k)
	}
}

func same(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
}

func sample(id string) journey.Journey {
	return journey.Journey{
		ID: id, Workspace: ws, Name: "購物車 " + id, Status: journey.Live, Published: 1, Rev: 1, CreatedAt: epoch, UpdatedAt: epoch,
		Draft: journey.Graph{
			Trigger: journey.Trigger{Match: node.Match{Event: &node.EventMatch{Name: "Product Added", Filter: []json.RawMessage{json.RawMessage(`{"path":"total","op":"gt","value":5}`)}}}},
			Nodes: []journey.Node{
				{ID: "a", Kind: "wait", Config: json.RawMessage(`{"for":{"n":1,"unit":"hour"}}`), Next: map[string]string{"next": "b"}},
				{ID: "b", Kind: "exit", X: 3, Y: 4},
			},
			ReEntry: journey.ReEntry{Mode: journey.After, After: &node.Span{N: 3, Unit: "day"}},
			Exit:    []journey.ExitRule{{Match: node.Match{SegmentLeft: &node.SetMatch{ID: "seg_1"}}, Reason: "left"}},
			Goal:    &journey.GoalRule{Event: node.EventMatch{Name: "Order Completed"}},
		},
	}
}

func instance(id, journeyID, person string, due time.Time) journey.Instance {
	return journey.Instance{
		ID: id, Workspace: ws, Journey: journeyID, Version: 1, Person: person, EntryKey: "m-" + id, Status: journey.Active, Node: "a",
		Arrived: epoch, Entered: epoch, Due: due, Rev: 1,
		Memory: journey.Memory{
			Trigger: node.Trigger{MessageID: "m-" + id, Name: "Product Added", Time: epoch, Properties: json.RawMessage(`{"product":"Lamp"}`), Trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
			Visits:  map[string]int{"a": 1},
		},
	}
}

func enter(t *testing.T, s journey.Store, all ...journey.Instance) map[string]bool {
	t.Helper()
	return must[map[string]bool](t)(s.Enter(t.Context(), all))
}

func journeysRoundTrip(t *testing.T, s journey.Store) {
	j := sample("jrn_1")
	j.Key, j.Draining = "cart", true
	ok(t, s.Create(t.Context(), j))
	same(t, j, must[journey.Journey](t)(s.Get(t.Context(), ws, "jrn_1")))
	same(t, j, must[journey.Journey](t)(s.ByKey(t.Context(), ws, "cart")))
	same(t, []journey.Journey{j}, must[[]journey.Journey](t)(s.Draining(t.Context())))
	_, err := s.Get(t.Context(), ws, "jrn_2")
	isKind(t, err, errs.KindNotFound)
	_, err = s.ByKey(t.Context(), ws, "other")
	isKind(t, err, errs.KindNotFound)
}

func updatesCheckRev(t *testing.T, s journey.Store) {
	j := sample("jrn_1")
	ok(t, s.Create(t.Context(), j))
	j.Name, j.Key, j.Status, j.Published, j.Draining, j.UpdatedAt = "new", "cart", journey.Paused, 2, true, epoch.Add(time.Hour)
	j.Draft.Nodes = nil
	ok(t, s.Update(t.Context(), j))
	isKind(t, s.Update(t.Context(), j), errs.KindConflict)
	j.Rev = 2
	same(t, j, must[journey.Journey](t)(s.Get(t.Context(), ws, "jrn_1")))
	isKind(t, s.Update(t.Context(), sample("jrn_9")), errs.KindNotFound)
}

func keysAreUnique(t *testing.T, s journey.Store) {
	a, b, c, d := sample("jrn_1"), sample("jrn_2"), sample("jrn_3"), sample("jrn_4")
	a.Key = "cart"
	ok(t, s.Create(t.Context(), a))
	ok(t, s.Create(t.Context(), b)) // any number without a key
	ok(t, s.Create(t.Context(), c))
	d.Key, d.Workspace = "cart", "ws_2"
	ok(t, s.Create(t.Context(), d))
}

func listsPage(t *testing.T, s journey.Store) {
	for i := range 5 {
		ok(t, s.Create(t.Context(), sample(fmt.Sprintf("jrn_%d", i))))
	}
	gone := sample("jrn_9")
	gone.Status = journey.Archived
	ok(t, s.Create(t.Context(), gone))
	var got []string
	req := page.Request{Limit: 2}
	for {
		p := must[page.Of[journey.Journey]](t)(s.List(t.Context(), ws, journey.Filter{}, req))
		for _, j := range p.Items {
			got = append(got, j.ID)
		}
		if p.Next == "" {
			break
		}
		req.Cursor = p.Next
	}
	same(t, []string{"jrn_4", "jrn_3", "jrn_2", "jrn_1", "jrn_0"}, got)
	spring := sample("jrn_7")
	spring.Name = "Spring 100% 春"
	ok(t, s.Create(t.Context(), spring))
	for text, want := range map[string]int{"SPRING": 1, "0% 春": 1, "%%": 0, "1_0": 0} {
		if found := must[page.Of[journey.Journey]](t)(s.List(t.Context(), ws, journey.Filter{Text: text}, page.Request{})); len(found.Items) != want {
			t.Errorf("%q finds %d journeys, not %d", text, len(found.Items), want)
		}
	}
	if found := must[page.Of[journey.Journey]](t)(s.List(t.Context(), ws, journey.Filter{Status: journey.Archived}, page.Request{})); len(found.Items) != 1 || found.Items[0].ID != gone.ID {
		t.Errorf("the archive holds %v", found.Items)
	}
	_, err := s.List(t.Context(), ws, journey.Filter{}, page.Request{Cursor: "?"})
	isKind(t, err, errs.KindInvalid)
}

func versionsAreImmutable(t *testing.T, s journey.Store) {
	v := journey.Version{Workspace: ws, Journey: "jrn_1", Number: 1, Graph: sample("jrn_1").Draft, CreatedAt: epoch}
	ok(t, s.AddVersion(t.Context(), v))
	w := v
	w.Graph.Nodes = nil
	isKind(t, s.AddVersion(t.Context(), w), errs.KindConflict)
	w.Number = 2
	ok(t, s.AddVersion(t.Context(), w))
	same(t, v, must[journey.Version](t)(s.Version(t.Context(), ws, "jrn_1", 1)))
	same(t, []journey.Version{w, v}, must[[]journey.Version](t)(s.Versions(t.Context(), ws, "jrn_1")))
	_, err := s.Version(t.Context(), ws, "jrn_1", 3)
	isKind(t, err, errs.KindNotFound)
}

func stampMoves(t *testing.T, s journey.Store) {
	stamp := func() int64 { return must[int64](t)(s.Stamp(t.Context())) }
	a := stamp()
	j := sample("jrn_1")
	ok(t, s.Create(t.Context(), j))
	b := stamp()
	ok(t, s.Update(t.Context(), j))
	c := stamp()
	if a == b || b == c || a == c {
		t.Errorf("stamps %d, %d, %d", a, b, c)
	}
}

func instancesRoundTrip(t *testing.T, s journey.Store) {
	i := instance("ins_1", "jrn_1", "per_1", epoch.Add(time.Hour))
	same(t, map[string]bool{"ins_1": true}, enter(t, s, i))
	same(t, i, must[journey.Instance](t)(s.Instance(t.Context(), ws, "ins_1")))

	i.Status, i.Node, i.Arrived, i.Ended, i.Due, i.Seq = journey.Done, "b", epoch.Add(time.Minute), epoch.Add(time.Hour), time.Time{}, 3
	i.Memory.Visits, i.Memory.Data = map[string]int{"a": 1, "b": 2}, json.RawMessage(`{"n":1}`)
	i.Why, i.Reason, i.GoalAt, i.Attempts, i.Error = "goal", node.Because("goal_reached", "event", "Order Completed"), epoch.Add(time.Minute), 2, node.Because("failed", "text", "broken")
	i.Goal = &node.Reached{MessageID: "o1", Name: "Order Completed", Time: epoch.Add(time.Minute), Minor: 4990, Currency: "EUR"}
	ok(t, s.Save(t.Context(), []journey.Instance{i}))
	i.Rev = 2
	same(t, i, must[journey.Instance](t)(s.Instance(t.Context(), ws, "ins_1")))
	_, err := s.Instance(t.Context(), ws, "ins_2")
	isKind(t, err, errs.KindNotFound)

	st := journey.Step{
		Workspace: ws, Journey: "jrn_1", Version: 1, Instance: "ins_1", Person: "per_1", Seq: 1, Node: "a", Kind: "send", Arrived: epoch,
		Left: epoch.Add(time.Hour), Output: "next", Reason: node.Because("message_refused", "reason", "no_address"), MessageID: "msg_1", Refused: "no_address",
	}
	st2 := st
	st2.Seq, st2.Why, st2.Output = 2, "goal", ""
	ok(t, s.AddSteps(t.Context(), []journey.Step{st, st2}))
	ok(t, s.AddSteps(t.Context(), nil))
	same(t, []journey.Step{st, st2}, must[[]journey.Step](t)(s.Steps(t.Context(), ws, "ins_1")))
}

func entryKeysAreUnique(t *testing.T, s journey.Store) {
	a, b, c := instance("ins_1", "jrn_1", "per_1", epoch), instance("ins_2", "jrn_1", "per_2", epoch), instance("ins_3", "jrn_2", "per_1", epoch)
	b.EntryKey, c.EntryKey = a.EntryKey, a.EntryKey
	same(t, map[string]bool{"ins_1": true, "ins_3": true}, enter(t, s, a, b, c)) // another journey may use the same event
}

func nobodyTwice(t *testing.T, s journey.Store) {
	a, b := instance("ins_1", "jrn_1", "per_1", epoch), instance("ins_2", "jrn_1", "per_1", epoch)
	same(t, map[string]bool{"ins_1": true}, enter(t, s, a, b))
	a.Status, a.Ended = journey.Done, epoch
	ok(t, s.Save(t.Context(), []journey.Instance{a}))
	same(t, map[string]bool{"ins_2": true}, enter(t, s, b))
}

func latestRounds(t *testing.T, s journey.Store) {
	add := func(id, j, person string, hours int, status journey.InstanceStatus) {
		i := instance(id, j, person, epoch)
		i.Entered, i.Status = epoch.Add(time.Duration(hours)*time.Hour), status
		enter(t, s, i)
	}
	add("ins_1", "jrn_1", "per_1", 1, journey.Done)
	add("ins_2", "jrn_1", "per_1", 5, journey.Exited)
	add("ins_3", "jrn_1", "per_1", 3, journey.Parked)
	add("ins_4", "jrn_2", "per_1", 1, journey.Active)
	add("ins_5", "jrn_3", "per_1", 1, journey.Active)
	add("ins_6", "jrn_1", "per_2", 1, journey.Active)
	var got []string
	for _, i := range must[[]journey.Instance](t)(s.Latest(t.Context(), ws, []string{"per_1", "per_3"}, []string{"jrn_1", "jrn_2"})) {
		got = append(got, i.ID)
	}
	same(t, []string{"ins_2", "ins_3", "ins_4"}, got)
}

func ids(all []journey.Instance) []string {
	out := []string{}
	for _, i := range all {
		out = append(out, i.ID)
	}
	return out
}

var place = journey.Place{Workspace: ws, Journey: "jrn_1"}

func claim(t *testing.T, s journey.Store, now time.Time, lease string, limit int) []journey.Instance {
	t.Helper()
	return must[[]journey.Instance](t)(s.Claim(t.Context(), place, now, now.Add(time.Minute), lease, limit))
}

func claimsAreExclusive(t *testing.T, s journey.Store) {
	enter(t, s, instance("ins_1", "jrn_1", "per_1", epoch.Add(2*time.Second)), instance("ins_2", "jrn_1", "per_2", epoch.Add(time.Second)),
		instance("ins_3", "jrn_1", "per_3", epoch.Add(time.Hour)), instance("ins_4", "jrn_2", "per_1", epoch), instance("ins_5", "jrn_1", "per_5", epoch.Add(3*time.Second)))
	now := epoch.Add(10 * time.Second)
	first := claim(t, s, now, "a", 2)
	same(t, []string{"ins_2", "ins_1"}, ids(first))
	same(t, []string{"ins_5"}, ids(claim(t, s, now, "b", 2)))
	same(t, []string{}, ids(claim(t, s, now, "c", 2)))
	held := must[[]journey.Instance](t)(s.Hold(t.Context(), "a", []string{"ins_1", "ins_2", "ins_5"}))
	if len(held) != 2 {
		t.Errorf("held %v", ids(held))
	}
}

func leasesEnd(t *testing.T, s journey.Store) {
	enter(t, s, instance("ins_1", "jrn_1", "per_1", epoch))
	claim(t, s, epoch, "a", 5)
	same(t, []string{}, ids(claim(t, s, epoch.Add(59*time.Second), "b", 5)))
	again := claim(t, s, epoch.Add(61*time.Second), "b", 5)
	same(t, []string{"ins_1"}, ids(again))
	same(t, []string{}, ids(must[[]journey.Instance](t)(s.Hold(t.Context(), "a", []string{"ins_1"}))))
	i := must[[]journey.Instance](t)(s.Hold(t.Context(), "b", []string{"ins_1"}))[0]
	ok(t, s.Save(t.Context(), []journey.Instance{i}))
	same(t, []string{}, ids(must[[]journey.Instance](t)(s.Hold(t.Context(), "b", []string{"ins_1"})))) // saving ends it
}

func dueJourneys(t *testing.T, s journey.Store) {
	for n, status := range []journey.Status{journey.Live, journey.Paused, journey.Stopped, journey.Live, journey.Live} {
		j := sample(fmt.Sprintf("jrn_%d", n+1))
		j.Status = status
		ok(t, s.Create(t.Context(), j))
		due := epoch
		if n == 3 {
			due = time.Time{} // only an event wakes this one
		}
		if n == 4 {
			due = epoch.Add(time.Hour)
		}
		enter(t, s, instance(fmt.Sprintf("ins_%d", n+1), j.ID, "per_1", due))
	}
	same(t, []journey.Place{{Workspace: ws, Journey: "jrn_1"}, {Workspace: ws, Journey: "jrn_3"}}, must[[]journey.Place](t)(s.Due(t.Context(), epoch)))
	claim(t, s, epoch, "a", 5)
	same(t, []journey.Place{{Workspace: ws, Journey: "jrn_3"}}, must[[]journey.Place](t)(s.Due(t.Context(), epoch)))
	running := must[[]journey.Journey](t)(s.Running(t.Context()))
	if len(running) != 5 {
		t.Errorf("%d running, want 5", len(running))
	}
}

func seizing(t *testing.T, s journey.Store) {
	enter(t, s, instance("ins_1", "jrn_1", "per_1", epoch), instance("ins_2", "jrn_2", "per_1", epoch), instance("ins_3", "jrn_1", "per_3", epoch))
	claim(t, s, epoch, "a", 5)
	got := must[[]journey.Instance](t)(s.Seize(t.Context(), ws, []string{"ins_1", "ins_9"}))
	if len(got) != 1 || got[0].Lease != "" || got[0].Rev < 2 {
		t.Errorf("%+v", got)
	}
	same(t, []string{"ins_3"}, ids(must[[]journey.Instance](t)(s.Hold(t.Context(), "a", []string{"ins_1", "ins_3"}))))
	same(t, []string{"ins_1", "ins_2"}, ids(must[[]journey.Instance](t)(s.SeizeOf(t.Context(), ws, "per_1"))))
	if got := must[[]journey.Instance](t)(s.SeizeInside(t.Context(), place, 1)); len(got) != 1 || got[0].Journey != "jrn_1" {
		t.Errorf("%+v", got)
	}
	done := got[0]
	done.Status, done.Ended = journey.Exited, epoch
	ok(t, s.Save(t.Context(), []journey.Instance{done}))
	same(t, []string{}, ids(must[[]journey.Instance](t)(s.Seize(t.Context(), ws, []string{"ins_1"}))))
}

func errands(t *testing.T, s journey.Store) {
	e := func(key, j, instance string, due time.Time) journey.Errand {
		return journey.Errand{
			Key: key, Workspace: ws, Journey: j, Version: 2, Instance: instance, Person: "per_1", Node: "n", Status: journey.Waiting, Due: due, CreatedAt: epoch,
			Want: node.Errand{Call: &node.Call{Method: "POST", URL: "https://x.example/", Headers: []node.Header{{Name: "A", Secret: "s"}}, Body: "{}", Timeout: 5}, Until: epoch.Add(time.Hour)},
		}
	}
	a, b, c := e("k1", "jrn_1", "ins_1", epoch.Add(time.Second)), e("k2", "jrn_1", "ins_1", epoch), e("k3", "jrn_2", "ins_2", epoch.Add(time.Hour))
	ok(t, s.AddErrands(t.Context(), []journey.Errand{a, b, c}))
	ok(t, s.AddErrands(t.Context(), []journey.Errand{a}))
	now := epoch.Add(time.Minute)
	same(t, []journey.Place{place}, must[[]journey.Place](t)(s.ErrandsDue(t.Context(), now)))
	got := must[[]journey.Errand](t)(s.ClaimErrands(t.Context(), place, now, now.Add(time.Minute), "l1", 5))
	a.Lease, b.Lease = "l1", "l1"
	same(t, []journey.Errand{b, a}, got)
	same(t, 0, len(must[[]journey.Errand](t)(s.ClaimErrands(t.Context(), place, now, now.Add(time.Minute), "l2", 5))))
	same(t, 0, len(must[[]journey.Place](t)(s.ErrandsDue(t.Context(), now))))

	a.Status, a.Tries, a.Answer, a.Excerpt, a.EndedAt = journey.Failed, 2, &node.Answer{Status: 404, Body: json.RawMessage(`{"a":1}`), Error: "none", Tries: 2}, "{...", now
	same(t, true, must[bool](t)(s.SaveErrand(t.Context(), a)))
	same(t, false, must[bool](t)(s.SaveErrand(t.Context(), a))) // the lease has ended
	b.Status, b.Lease = journey.Finished, "l9"
	same(t, false, must[bool](t)(s.SaveErrand(t.Context(), b)))
	b.Status, b.Lease = journey.Waiting, ""
	a.Lease = ""
	same(t, []journey.Errand{a}, must[[]journey.Errand](t)(s.ErrandsByKey(t.Context(), ws, []string{"k1", "k9"})))
	b.Lease = "l1"
	same(t, []journey.Errand{a, b}, must[[]journey.Errand](t)(s.ErrandsOf(t.Context(), ws, "ins_1", 10)))
	same(t, 0, len(must[[]journey.Errand](t)(s.ErrandsOf(t.Context(), "ws_2", "ins_1", 10))))
	same(t, 0, len(must[[]journey.Errand](t)(s.ErrandsByKey(t.Context(), "ws_2", []string{"k1"}))))

	ok(t, s.Repoint(t.Context(), ws, "per_1", "per_2"))
	again := e("k1", "jrn_1", "ins_1", now)
	ok(t, s.AddErrands(t.Context(), []journey.Errand{again})) // it failed, so it begins anew
	again.Person = "per_2"
	same(t, []journey.Errand{again}, must[[]journey.Errand](t)(s.ErrandsByKey(t.Context(), ws, []string{"k1"})))
	again = must[[]journey.Errand](t)(s.ClaimErrands(t.Context(), place, now, now.Add(time.Minute), "l3", 1))[0]
	again.Status, again.EndedAt = journey.Finished, now
	same(t, true, must[bool](t)(s.SaveErrand(t.Context(), again)))
	ok(t, s.AddErrands(t.Context(), []journey.Errand{e("k1", "jrn_1", "ins_1", now)})) // it is done, so it stays
	same(t, journey.Finished, must[[]journey.Errand](t)(s.ErrandsByKey(t.Context(), ws, []string{"k1"}))[0].Status)
	same(t, int64(0), must[int64](t)(s.PurgeErrands(t.Context(), now, 10)))
	same(t, int64(1), must[int64](t)(s.PurgeErrands(t.Context(), now.Add(time.Second), 10)))
}

func decisions(t *testing.T, s journey.Store) {
	d := journey.Decision{Workspace: ws, Journey: "jrn_1", Test: "t", Node: "n", Winner: "b", Ways: []journey.Way{{Output: "a", People: 50, Hits: 1}}, Chance: 0.01, Certain: true, DecidedAt: epoch}
	same(t, d, must[journey.Decision](t)(s.Decide(t.Context(), d)))
	later := d
	later.Winner, later.DecidedAt = "a", epoch.Add(time.Hour)
	same(t, d, must[journey.Decision](t)(s.Decide(t.Context(), later)))
	same(t, []journey.Decision{d}, must[[]journey.Decision](t)(s.Decisions(t.Context(), ws, "jrn_1")))
	same(t, 0, len(must[[]journey.Decision](t)(s.Decisions(t.Context(), "ws_2", "jrn_1"))))

	for n, output := range []string{"a", "a", "b", "b", ""} {
		i := instance(fmt.Sprintf("ins_%d", n), "jrn_1", fmt.Sprintf("per_%d", n), epoch)
		if n == 0 {
			i.Status, i.GoalAt = journey.Done, epoch
		}
		enter(t, s, i)
		st := journey.Step{Workspace: ws, Journey: "jrn_1", Version: 1, Instance: i.ID, Person: i.Person, Seq: 1, Node: "n", Kind: "ab_test", Arrived: epoch, Left: epoch.Add(time.Duration(n) * time.Minute), Output: output}
		again := st
		again.Seq = 2
		ok(t, s.AddSteps(t.Context(), []journey.Step{st, again}))
	}
	same(t, []journey.Passed{{Output: "a", People: 2, Goals: 1}, {Output: "b", People: 1}}, must[[]journey.Passed](t)(s.Passed(t.Context(), ws, "jrn_1", "n", epoch.Add(2*time.Minute))))
}

func secrets(t *testing.T, s journey.Store) {
	x := journey.Secret{ID: "jsec_1", Workspace: ws, Name: "鍵", Sealed: []byte{0, 1, 255}, CreatedAt: epoch, UpdatedAt: epoch}
	y := x
	y.ID = "jsec_2"
	ok(t, s.PutSecret(t.Context(), x))
	ok(t, s.PutSecret(t.Context(), y))
	x.Name, x.Sealed, x.UpdatedAt = "new", []byte{7}, epoch.Add(time.Hour)
	ok(t, s.PutSecret(t.Context(), x))
	same(t, x, must[journey.Secret](t)(s.Secret(t.Context(), ws, "jsec_1")))
	_, err := s.Secret(t.Context(), "ws_2", "jsec_1")
	isKind(t, err, errs.KindNotFound)
	first := must[page.Of[journey.Secret]](t)(s.Secrets(t.Context(), ws, page.Request{Limit: 1}))
	same(t, []journey.Secret{y}, first.Items)
	same(t, []journey.Secret{x}, must[page.Of[journey.Secret]](t)(s.Secrets(t.Context(), ws, page.Request{Limit: 1, Cursor: first.Next})).Items)
	ok(t, s.DeleteSecret(t.Context(), "ws_2", "jsec_1"))
	ok(t, s.DeleteSecret(t.Context(), ws, "jsec_2"))
	same(t, []journey.Secret{x}, must[page.Of[journey.Secret]](t)(s.Secrets(t.Context(), ws, page.Request{})).Items)
}

func nudging(t *testing.T, s journey.Store) {
	later := epoch.Add(time.Hour)
	at := func(id, j, person, node string, due time.Time) journey.Instance {
		i := instance(id, j, person, due)
		i.Node = node
		return i
	}
	enter(t, s, at("ins_1", "jrn_1", "per_1", "r", later), at("ins_2", "jrn_1", "per_2", "r", time.Time{}), at("ins_3", "jrn_1", "per_3", "other", later),
		at("ins_4", "jrn_2", "per_1", "r", later), at("ins_5", "jrn_1", "per_5", "r", later), at("ins_6", "jrn_1", "per_6", "other", epoch))
	claim(t, s, epoch, "a", 5) // ins_6 is being worked on
	n, err := s.Nudge(t.Context(), ws, []string{"per_1", "per_2", "per_3", "per_6"}, journey.Asking{Journeys: []string{"jrn_1"}, Nodes: []string{"r"}}, epoch)
	ok(t, err)
	same(t, int64(3), n)
	for id, due := range map[string]time.Time{"ins_1": epoch, "ins_2": epoch, "ins_3": later, "ins_4": later, "ins_5": later, "ins_6": epoch} {
		same(t, due, must[journey.Instance](t)(s.Instance(t.Context(), ws, id)).Due)
	}
	same(t, []string{}, ids(must[[]journey.Instance](t)(s.Hold(t.Context(), "a", []string{"ins_6"})))) // its worker drops what it knew
	n, err = s.Nudge(t.Context(), ws, []string{"per_1"}, journey.Asking{Journeys: []string{"jrn_1"}, Nodes: []string{"r"}}, epoch)
	ok(t, err)
	same(t, int64(0), n)
}

func repointing(t *testing.T, s journey.Store) {
	enter(t, s, instance("ins_1", "jrn_1", "per_1", epoch), instance("ins_2", "jrn_2", "per_2", epoch))
	claim(t, s, epoch, "a", 5)
	ok(t, s.AddSteps(t.Context(), []journey.Step{{Workspace: ws, Journey: "jrn_1", Version: 1, Instance: "ins_1", Person: "per_1", Seq: 1, Node: "a", Kind: "wait", Arrived: epoch, Left: epoch}}))
	ok(t, s.Repoint(t.Context(), ws, "per_1", "per_2"))
	p := must[page.Of[journey.Instance]](t)(s.OfPerson(t.Context(), ws, "per_2", page.Request{}))
	same(t, []string{"ins_2", "ins_1"}, ids(p.Items))
	same(t, "per_2", must[[]journey.Step](t)(s.Steps(t.Context(), ws, "ins_1"))[0].Person)
	same(t, []string{}, ids(must[[]journey.Instance](t)(s.Hold(t.Context(), "a", []string{"ins_1"})))) // whoever held it works for someone else
	none := must[page.Of[journey.Instance]](t)(s.OfPerson(t.Context(), ws, "per_1", page.Request{}))
	same(t, []string{}, ids(none.Items))
}

func countsAddUp(t *testing.T, s journey.Store) {
	c := func(version int, nodeID, what string, n int64) journey.Count {
		return journey.Count{Tally: journey.Tally{Workspace: ws, Journey: "jrn_1", Version: version, Node: nodeID, What: what}, N: n}
	}
	ok(t, s.AddCounts(t.Context(), nil))
	ok(t, s.AddCounts(t.Context(), []journey.Count{c(1, "", journey.Inside, 3), c(1, "a", journey.In, 3), c(2, "", journey.Inside, 1)}))
	ok(t, s.AddCounts(t.Context(), []journey.Count{c(1, "", journey.Inside, -2), c(1, "a", journey.In, 1), c(2, "", journey.Inside, -1)}))
	got := map[journey.Tally]int64{}
	for _, x := range must[[]journey.Count](t)(s.Counts(t.Context(), ws, "jrn_1")) {
		got[x.Tally] = x.N
	}
	same(t, map[journey.Tally]int64{c(1, "", journey.Inside, 0).Tally: 1, c(1, "a", journey.In, 0).Tally: 4, c(2, "", journey.Inside, 0).Tally: 0}, got)
	same(t, []int{1}, must[[]int](t)(s.Inhabited(t.Context(), ws, "jrn_1")))
}

func entered(t *testing.T, s journey.Store) {
	same(t, journey.Entered{Goals: []journey.Brought{}}, must[journey.Entered](t)(s.Entered(t.Context(), ws, "jrn_1", []int{1})))
	goal := &node.Reached{MessageID: "o1", Name: "Order Completed", Time: epoch, Minor: 4990, Currency: "EUR"}
	var all []journey.Instance
	for n, x := range []journey.Instance{
		{Person: "per_2", Status: journey.Done, Goal: goal},
		{Person: "per_2", Status: journey.Active, Entered: epoch.Add(time.Hour)}, // once more
		{Person: "per_1", Status: journey.Done, Control: true, Goal: goal},
		{Person: "per_3", Status: journey.Active, Control: true},
		{Person: "per_4", Status: journey.Active, Version: 2, Entered: epoch.Add(2 * time.Hour)},
		{Person: "per_5", Status: journey.Active, Journey: "jrn_2"},
		{Person: "per_6", Status: journey.Active, Workspace: "ws_2"},
	} {
		i := instance(fmt.Sprintf("ins_%d", n), std.Or(x.Journey, "jrn_1"), x.Person, time.Time{})
		i.Workspace, i.Version, i.Status, i.Control, i.Goal = std.Or(x.Workspace, ws), std.Or(x.Version, 1), x.Status, x.Control, x.Goal
		if !x.Entered.IsZero() {
			i.Entered = x.Entered
		}
		if i.Goal != nil {
			i.GoalAt, i.Ended = epoch, epoch
		}
		all = append(all, i)
	}
	enter(t, s, all...)
	want := journey.Entered{Led: 1, Kept: 2, Last: epoch.Add(time.Hour), Goals: []journey.Brought{
		{Instance: "ins_2", Person: "per_1", Control: true, Goal: *goal}, {Instance: "ins_0", Person: "per_2", Goal: *goal},
	}}
	same(t, want, must[journey.Entered](t)(s.Entered(t.Context(), ws, "jrn_1", []int{1})))
	want.Led, want.Last = 2, epoch.Add(2*time.Hour)
	same(t, want, must[journey.Entered](t)(s.Entered(t.Context(), ws, "jrn_1", []int{1, 2})))
}

func behindCounts(t *testing.T, s journey.Store) {
	step := func(in string, seq int, nodeID, output, why, msg, refused string) journey.Step {
		return journey.Step{
			Workspace: ws, Journey: "jrn_1", Version: 1, Instance: in, Person: "per" + in[3:], Seq: seq, Node: nodeID, Kind: "send", Arrived: epoch,
			Left: epoch.Add(time.Minute), Output: output, Why: why, Reason: node.Because("waited"), MessageID: msg, Refused: refused,
		}
	}
	for n, i := range []journey.Instance{ // 1 waits at b, 2 reached the goal at b, 3 is parked at a, 4 left at a
		{ID: "ins_1", Node: "b", Seq: 1, Status: journey.Active},
		{ID: "ins_2", Node: "b", Seq: 2, Status: journey.Done, Why: "goal", Reason: node.Because("goal_reached"), GoalAt: epoch, Ended: epoch},
		{ID: "ins_3", Node: "a", Status: journey.Parked, Error: node.Because("broken")},
		{ID: "ins_4", Node: "a", Seq: 1, Status: journey.Exited, Why: "exit_rule", Ended: epoch},
	} {
		full := instance(i.ID, "jrn_1", fmt.Sprintf("per_%d", n+1), time.Time{})
		full.Node, full.Seq, full.Status, full.Why, full.Reason, full.GoalAt, full.Ended, full.Error = i.Node, i.Seq, i.Status, i.Why, i.Reason, i.GoalAt, i.Ended, i.Error
		enter(t, s, full)
	}
	ok(t, s.AddSteps(t.Context(), []journey.Step{
		step("ins_1", 1, "a", "next", "", "msg_1", ""), step("ins_2", 1, "a", "next", "", "msg_2", "unsubscribed"),
		step("ins_2", 2, "b", "", "goal", "", ""), step("ins_4", 1, "a", "", "exit_rule", "", ""),
	}))
	for _, c := range []struct {
		b    journey.Behind
		want []string
	}{
		{journey.Behind{What: journey.In}, []string{"per_4", "per_3", "per_2", "per_1"}},
		{journey.Behind{What: journey.Inside}, []string{"per_3", "per_1"}},
		{journey.Behind{What: journey.Failing}, []string{"per_3"}},
		{journey.Behind{What: journey.Goals}, []string{"per_2"}},
		{journey.Behind{What: journey.Ended}, []string{"per_4", "per_2"}},
		{journey.Behind{What: journey.Ended, Detail: "goal"}, []string{"per_2"}},
		{journey.Behind{Node: "a", What: journey.In}, []string{"per_4", "per_3", "per_2", "per_1"}},
		{journey.Behind{Node: "b", What: journey.In}, []string{"per_2", "per_1"}},
		{journey.Behind{Node: "b", What: journey.Inside}, []string{"per_1"}},
		{journey.Behind{Node: "a", What: journey.Failing}, []string{"per_3"}},
		{journey.Behind{Node: "a", What: journey.Out}, []string{"per_2", "per_1"}},
		{journey.Behind{Node: "a", What: journey.Out, Detail: "yes"}, nil},
		{journey.Behind{Node: "a", What: journey.Ended}, []string{"per_4"}},
		{journey.Behind{Node: "a", What: journey.Queued}, []string{"per_1"}},
		{journey.Behind{Node: "a", What: journey.Refused, Detail: "unsubscribed"}, []string{"per_2"}},
	} {
		var got []string
		req := page.Request{Limit: 1}
		for range 10 {
			p, err := s.Behind(t.Context(), ws, "jrn_1", c.b, req)
			if err != nil {
				t.Fatalf("%+v: %v", c.b, err)
			}
			for _, v := range p.Items {
				got = append(got, v.Person)
			}
			if req.Cursor = p.Next; p.Next == "" {
				break
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v (-want +got)\n%s", c.b, diff)
		}
	}
	_, err := s.Behind(t.Context(), ws, "jrn_1", journey.Behind{What: "nonsense"}, page.Request{})
	isKind(t, err, errs.KindInvalid)
}

func parked(t *testing.T, s journey.Store) {
	for n := range 3 {
		i := instance(fmt.Sprintf("ins_%d", n), "jrn_1", fmt.Sprintf("per_%d", n), time.Time{})
		i.Status = journey.Parked
		enter(t, s, i)
	}
	enter(t, s, instance("ins_8", "jrn_1", "per_8", epoch))
	same(t, int64(3), must[int64](t)(s.Parked(t.Context(), ws)))
	same(t, []string{"ins_0", "ins_1"}, ids(must[[]journey.Instance](t)(s.ParkedIn(t.Context(), ws, "jrn_1", 2))))
}

func workspacesApart(t *testing.T, s journey.Store) {
	ok(t, s.Create(t.Context(), sample("jrn_1")))
	enter(t, s, instance("ins_1", "jrn_1", "per_1", epoch))
	_, err := s.Get(t.Context(), "ws_2", "jrn_1")
	isKind(t, err, errs.KindNotFound)
	_, err = s.Instance(t.Context(), "ws_2", "ins_1")
	isKind(t, err, errs.KindNotFound)
	other := sample("jrn_1")
	other.Workspace = "ws_2"
	isKind(t, s.Update(t.Context(), other), errs.KindNotFound)
	same(t, []string{}, ids(must[[]journey.Instance](t)(s.Seize(t.Context(), "ws_2", []string{"ins_1"}))))
	same(t, []string{}, ids(must[[]journey.Instance](t)(s.Latest(t.Context(), "ws_2", []string{"per_1"}, []string{"jrn_1"}))))
}
