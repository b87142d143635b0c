package story_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/test/harness"
)

// A workspace moves out of a folder into an installation on PostgreSQL, NATS and a bucket that has a workspace of its own, and is killed at every stage of its way. A campaign is planned,
// somebody waits in a journey and a letter waits for its hour: the new installation sends each once, the old one none, and the other workspace is what it was. (A test of internal/app moves
// one into a folder, cut off at each line of progress.)
func TestAWorkspaceThatMovesSendsWhatWaitsOnce(t *testing.T) {
	long(t)
	sink := harness.StartSink(t)
	s := harness.Start(t)
	mailAccount(t, s, sink.Addr)
	expected := map[string]int{"jay@people.example": 1, "max@people.example": 1}
	batch := []harness.Event{}
	for _, who := range []string{"jay", "max", "ann", "bea", "cid"} {
		traits := map[string]any{"email": who + "@people.example"}
		if who != "jay" && who != "max" {
			traits["vip"], expected[who+"@people.example"] = true, 1
		}
		batch = append(batch, harness.Event{"type": "identify", "userId": who, "messageId": "i" + who, "traits": traits},
			harness.Event{"type": "track", "event": "Subscribed", "userId": who, "messageId": "s" + who, "properties": map[string]any{"topic": "News", "channel": "email"}})
	}
	orderJourney(t, s, anHour)
	if !s.Send(batch...) || !s.Send(harness.Event{"type": "track", "event": "Order Completed", "userId": "jay", "messageId": "order", "properties": map[string]any{"order_id": "o1", "total": 10}}) {
		t.Fatal("the events were not taken")
	}
	s.Eventually(time.Minute, "somebody waits in the journey", func() bool { return activeRounds(t, s) == 1 })
	var seg, tpl, cmp struct{ ID string }
	s.Must("POST", "/segments", `{"name":"VIP","rule":{"trait":{"path":"vip","op":"exists"}}}`, &seg)
	s.Eventually(time.Minute, "the segment is known", func() bool {
		var now struct{ Size int }
		s.Must("GET", "/segments/"+seg.ID, nil, &now)
		return now.Size == 3
	})
	s.Must("POST", "/templates", map[string]any{"name": "Letter", "channel": "email", "subject": "Hello", "html": `<p>Hello</p>`}, &tpl)
	later := time.Now().Add(90 * time.Minute).UTC().Format(time.RFC3339)
	s.Must("POST", "/campaigns", map[string]any{"name": "Letter", "channel": "email", "audience": map[string]any{"include": []string{seg.ID}}, "topic": newsTopic(t, s), "template": tpl.ID, "scheduled_at": later}, &cmp)
	s.Must("POST", "/campaigns/"+cmp.ID+"/launch", nil, nil)
	s.Must("POST", "/messages", map[string]any{"to": map[string]any{"identifier": "user_id:max"}, "subject": "Your order", "text": "Thank you", "send_at": later}, nil)
	var upload struct{ ID string }
	s.Must("POST", "/uploads", "email\nada@example.com\n", &upload)
	var here struct{ ID string }
	s.Must("GET", "/workspace", nil, &here)
	ws := here.ID

	const nativeKey, nativeWrite = "kz_test_native_0123456789abcdef01234567", "wk_native_0123456789abcdef"
	records, env := manyMachines(t, s)
	to := harness.Prepare(t, append(env, "KIZUNA_BOOTSTRAP_API_KEY="+nativeKey, "KIZUNA_BOOTSTRAP_WRITE_KEY="+nativeWrite)...)
	move := []string{"migrate-engine", "--from", s.Dir, "--data", to.Dir, "--workspace", ws}
	to.Begin() // making the tables takes its time on a busy server
	to.Eventually(3*time.Minute, "the other installation is ready", to.Ready)
	nativeSend := func(id string) {
		t.Helper()
		body := fmt.Sprintf(`{"type":"identify","userId":"native","messageId":%q,"traits":{"n":%q},"writeKey":%q}`, id, id, nativeWrite)
		to.Eventually(time.Minute, "the other workspace's event is taken", func() bool {
			code, _, err := to.Raw("POST", "/v1/identify", body, "")
			return err == nil && code == http.StatusOK
		})
	}
	nativeSend("n1")
	if out, err := s.Command(move...); err == nil || !strings.Contains(out, "stop it first") {
		t.Errorf("a running installation's workspace moves: %v\n%s", err, out)
	}
	s.Stop()
	if out, err := to.Command(move...); err == nil || !strings.Contains(out, "stop it first") {
		t.Errorf("a workspace moves into a running installation: %v\n%s", err, out)
	}
	to.Stop()
	if out, err := to.Command(append(move, "--dry-run")...); err != nil || !strings.Contains(out, "can move") {
		t.Fatalf("dry run: %v\n%s", err, out)
	}

	kills := 0
	var natives sqldb.Sums
	for n, at := range []struct {
		word  string
		times int
	}{{"taking in", 2}, {"events: ", 1}, {"comparing the events", 1}, {"records of", 2}, {"records of", 15}, {"comparing the records", 1}, {"taking the workspace", 1}} {
		if out, killed := moveUntil(t, to, move, at.word, at.times); killed {
			kills++
		} else if !strings.Contains(out, "has moved") {
			t.Fatalf("it ended at %v:\n%s", at, out)
		}
		if n == 1 { // what waited on the log has been taken in by now
			natives = workspaceRows(t, records, ws, false)
		}
	}
	t.Logf("killed %d times", kills)
	if kills == 0 {
		t.Error("it was never killed: the story proved nothing")
	}
	if out, err := s.Command("serve", "--data", s.Dir, "--listen", "127.0.0.1:0"); kills == 7 && (err == nil || !strings.Contains(out, "is moving out of")) {
		t.Errorf("the installation that it leaves starts: %v\n%s", err, out)
	}
	out, err := to.Command(move...)
	if err != nil || !strings.Contains(out, "has moved") {
		t.Fatalf("the last run: %v\n%s", err, out)
	}
	t.Log(out)
	for p, now := range workspaceRows(t, records, ws, false) {
		if was := natives[p]; now != was {
			t.Errorf("%s of another workspace: %+v, was %+v", p.Table, now, was)
		}
	}
	if len(natives) < 10 {
		t.Errorf("the other workspace has rows in %d tables only", len(natives))
	}
	if got := workspaceRows(t, records, ws, true); got[sqldb.Part{Table: "message", Workspace: ws}].Rows != 1 || got[sqldb.Part{Table: "journey_instance", Workspace: ws}].Rows != 1 {
		t.Errorf("the workspace has %v", got)
	}

	s.Launch()
	to.Launch()
	code, answer, err := s.Raw("POST", "/v1/track", fmt.Sprintf(`{"event":"Seen","userId":"jay","writeKey":%q}`, harness.WriteKey), "")
	if err != nil || code != http.StatusUnauthorized || !strings.Contains(string(answer), "has moved to http") {
		t.Errorf("the old server answers %d %s, %v", code, answer, err)
	}
	if sink.Total() > 0 {
		t.Errorf("%d mails went out before their time", sink.Total())
	}
	s.Advance(2 * time.Hour)
	to.Advance(2 * time.Hour)
	to.Eventually(2*time.Minute, "everything that waited is sent", func() bool { return sink.Total() >= len(expected) })
	if !to.Send(harness.Event{"type": "track", "event": "Order Completed", "userId": "jay", "messageId": "order"}, // came before the move
		harness.Event{"type": "track", "event": "Seen", "userId": "jay", "messageId": "after"}) {
		t.Error("the new installation does not take events with the old key")
	}
	to.Eventually(time.Minute, "the journey is over", func() bool { return activeRounds(t, to) == 0 })
	to.Eventually(time.Minute, "a new event is there", func() bool {
		all := arrived(t, to)
		return len(all) > 0 && all[len(all)-1] == "after"
	})
	all := arrived(t, to)
	if n := len(batch) + 2; len(all) != n { // and the order, and what came afterwards
		t.Errorf("%d events from outside, want %d: %v", len(all), n, all)
	}
	if got := sink.Copies(); !maps.Equal(got, expected) {
		t.Errorf("sent %v, want %v", got, expected)
	}
	nativeSend("n2")
}

// workspaceRows says what a record store has of a workspace, or of all others.
func workspaceRows(t *testing.T, url, ws string, its bool) sqldb.Sums {
	t.Helper()
	db, err := sqldb.Open(t.Context(), url, sqldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	all, err := db.Sums(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(all, func(p sqldb.Part, _ sqldb.Sum) bool { return p.Workspace == "" || (p.Workspace == ws) != its })
	return all
}
