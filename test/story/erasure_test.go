package story_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/test/harness"
)

// marked is somebody whose every value can be told from everything else on a disk.
type marked struct{ name string }

func (m marked) user() string      { return "cust-" + m.name }
func (m marked) email() string     { return m.name + "@people.example" }
func (m marked) first() string     { return "Zoë-" + m.name }
func (m marked) line() string      { return "line-" + m.name }
func (m marked) anonymous() string { return "anon-" + m.name }
func (m marked) order() string     { return "order-" + m.name }
func (m marked) note() string      { return "note-of-" + m.name }

// forms are the bytes in which the name may stand in a file: as it is, and in base64 with each of the three ways in which its letters may fall.
func (m marked) forms() (out [][]byte) {
	out = append(out, []byte(m.name), []byte(strings.ToUpper(m.name)))
	for shift := range 3 {
		text := append(bytes.Repeat([]byte("x"), shift), m.name...)
		coded := base64.StdEncoding.EncodeToString(text)
		out = append(out, []byte(coded[(shift*8+5)/6+1:len(coded)-4])) // what depends on the neighbours is left out
	}
	return out
}

// events tells a life: unknown at first, then with an account and addresses, on two devices, with orders and a merge.
func (m marked) events(phone string) []harness.Event {
	return []harness.Event{
		{"type": "page", "name": "Home", "anonymousId": m.anonymous(), "messageId": "p1-" + m.name, "context": map[string]any{"page": map[string]any{"url": "https://shop.example/?who=" + m.name}}},
		{"type": "identify", "userId": m.user(), "anonymousId": m.anonymous(), "messageId": "i1-" + m.name, "traits": map[string]any{"email": m.email(), "phone": phone, "first_name": m.first(), "note": m.note()}},
		{"type": "track", "event": "Order Completed", "userId": m.user(), "messageId": "o1-" + m.name, "properties": map[string]any{"order_id": m.order(), "total": 40, "currency": "EUR", "gift": m.note()}},
		{"type": "identify", "anonymousId": "second-" + m.anonymous(), "messageId": "i2-" + m.name, "context": map[string]any{"traits": map[string]any{"email": "old." + m.email()}, "externalIds": []any{map[string]any{"type": "line_user_id", "id": m.line(), "collection": "users", "encoding": "none"}}}},
		{"type": "track", "event": "Chatted", "messageId": "c1-" + m.name, "userId": m.user(), "context": map[string]any{"externalIds": []any{map[string]any{"type": "line_user_id", "id": m.line(), "collection": "users", "encoding": "none"}}}},
		{"type": "track", "event": "Subscribed", "userId": m.user(), "messageId": "s1-" + m.name, "properties": map[string]any{"topic": "News", "channel": "email"}},
		{"type": "track", "event": "Order Refunded", "userId": m.user(), "messageId": "r1-" + m.name, "properties": map[string]any{"order_id": m.order(), "total": 5, "currency": "EUR"}},
	}
}

// TestAnErasedPersonIsInNoByteOnDisk sends two people through everything that keeps something, erases one while the server is killed again and
// again, and searches all bytes.
func TestAnErasedPersonIsInNoByteOnDisk(t *testing.T) {
	for _, kind := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		for _, mode := range []string{"refuse", "forget"} {
			t.Run(string(kind)+" "+mode, func(t *testing.T) {
				long(t)
				erased(t, kind, mode)
			})
		}
	}
}

func erased(t *testing.T, kind sqldb.Dialect, mode string) {
	env := append(database(t, kind), "KIZUNA_ALLOW_TARGETS=127.0.0.1")
	s := harness.Start(t, env...)
	sink := harness.StartSink(t)
	mailAccount(t, s, sink.Addr)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(hook.Close)
	gone, stays := marked{"zanzibar7f3a91gone"}, marked{"bukavuq2d84c6stays"}

	var list, seg, journey, tpl struct{ ID string }
	s.Must("POST", "/webhooks", map[string]any{"name": "CRM", "url": hook.URL, "kinds": []string{"message.sent", "segment.entered", "order.completed"}}, nil)
	s.Must("POST", "/lists", `{"name":"Friends"}`, &list)
	s.Must("POST", "/segments", `{"name":"Buyers","rule":{"event":{"name":"Order Completed"}}}`, &seg)
	s.Must("POST", "/journeys", map[string]any{"name": "After an order", "draft": map[string]any{"trigger": map[string]any{"event": map[string]any{"name": "Order Completed"}}, "nodes": []any{
		map[string]any{"id": "w", "kind": "wait", "config": map[string]any{"for": map[string]any{"n": 30, "unit": "day"}}},
	}}}, &journey)
	if code := s.Do("POST", "/journeys/"+journey.ID+"/publish", nil, nil); code != http.StatusOK {
		t.Fatalf("the journey is not published: %d", code)
	}
	s.Must("POST", "/templates", map[string]any{"name": "Letter", "channel": "email", "subject": "Hello {{ person.first_name }}", "html": "<html><body><p>Dear {{ person.first_name }}</p></body></html>"}, &tpl)

	ids := map[string]string{}
	for i, m := range []marked{gone, stays} {
		if !s.Send(m.events(fmt.Sprintf("+49301234560%d", i))...) {
			t.Fatal("events not taken")
		}
		s.Eventually(time.Minute, "the person is known", func() bool {
			ids[m.name] = who(s, m.user())
			return ids[m.name] != ""
		})
		// A line of a file that intake refuses, as an import brings it.
		if code, _, _ := s.Raw("POST", "/v1/batch", `{"writeKey":"`+harness.WriteKey+`","batch":[{"type":"track","messageId":"bad `+m.email()+`","userId":"x"}]}`, ""); code != http.StatusOK {
			t.Fatal(code)
		}
		s.Must("POST", "/lists/"+list.ID+"/members", map[string]any{"rows": []string{ids[m.name]}}, nil)
		s.Must("POST", "/tasks", map[string]any{"title": "Call " + m.first(), "note": m.note(), "person_id": ids[m.name]}, nil)
		s.Must("PUT", "/invoices", map[string]any{"number": "inv-" + m.name, "person": ids[m.name], "title": m.note(), "amount": 100, "currency": "EUR", "due_on": "2031-01-01"}, nil)
		s.Must("PUT", fmt.Sprintf("/personal-settings/recent.n%d", i), map[string]any{"value": []string{ids[m.name], m.email()}}, nil)
		s.Must("POST", "/messages", map[string]any{"to": map[string]any{"person": ids[m.name]}, "template": tpl.ID}, nil)
		s.Must("POST", "/messages", map[string]any{"to": map[string]any{"person": ids[m.name]}, "subject": "Order " + m.order(), "text": "Thank you, " + m.first(), "send_at": time.Now().Add(48 * time.Hour).UTC().Format(time.RFC3339)}, nil)
		s.Must("GET", "/people/"+ids[m.name], nil, nil)
	}
	s.Eventually(time.Minute, "both got their mail", func() bool { return sink.Total() >= 2 })
	for _, m := range []marked{gone, stays} {
		s.Must("POST", "/suppressions", map[string]any{"channel": "email", "addresses": []string{"old." + m.email()}}, nil)
	}
	s.Eventually(time.Minute, "the segment has both", func() bool {
		var now struct{ Size int }
		s.Must("GET", "/segments/"+seg.ID, nil, &now)
		return now.Size == 2
	})
	before := figures(s)

	s.Stop()
	for _, file := range filesWith(t, s.Dir, gone) {
		if strings.Contains(file, string(filepath.Separator)+"log"+string(filepath.Separator)) {
			t.Errorf("%s: the log holds events that anybody can read", file)
		}
	}
	if kind == sqldb.SQLite && len(filesWith(t, s.Dir, gone)) < 2 || len(filesWith(t, s.Dir, gone)) == 0 {
		t.Fatalf("the search would not find somebody who is there: %v", filesWith(t, s.Dir, gone))
	}
	s.Launch()

	var ask struct{ ID, State string }
	s.Must("POST", "/people/"+ids[gone.name]+"/erasure", map[string]any{"mode": mode}, &ask)
	var again struct{ ID string }
	if s.Do("POST", "/people/"+ids[gone.name]+"/erasure", map[string]any{"mode": mode}, &again) == http.StatusAccepted && again.ID != ask.ID {
		t.Error("a second request was made for the same person")
	}
	for n := range 6 { // at whatever it is doing
		time.Sleep(time.Duration(n*n) * 15 * time.Millisecond)
		s.Kill()
		s.Launch()
	}
	type made struct {
		State, Error string
		Person       string `json:"person_id"`
		Reached      []struct {
			Store, What, How string
			N                int
		}
		Proofs []struct{ Kind, Hash string }
	}
	var receipt made
	s.Eventually(2*time.Minute, "the erasure is done", func() bool {
		receipt = made{}
		s.Do("GET", "/erasures/"+ask.ID, nil, &receipt)
		return receipt.State == "done"
	})
	reached := map[string]int{}
	for _, c := range receipt.Reached {
		reached[c.Store+" "+c.What] += c.N
	}
	for what, least := range map[string]int{
		"records person": 1, "records person_identifier": 5, "records message": 2, "records hook_delivery": 1, "records task": 1, "records invoice": 1, "records rejection": 1, "records personal_setting": 1,
		"events events": 7, "log keys": 3, "records journey_instance": 1,
	} {
		if reached[what] < least {
			t.Errorf("%s: %d reached, want %d at least; all: %v", what, reached[what], least, reached)
		}
	}
	if receipt.Person != "" {
		t.Error("the receipt names the person")
	}
	if code := s.Do("GET", "/people/"+ids[gone.name], nil, nil); code != http.StatusNotFound {
		t.Errorf("the person answers %d", code)
	}
	if after := figures(s); after != before {
		t.Errorf("figures were %s, are %s", before, after)
	}
	var known struct {
		Refused  bool
		Erasures []struct{ ID string }
	}
	s.Must("POST", "/privacy-check", map[string]any{"identifier": map[string]string{"kind": "email", "value": strings.ToUpper(gone.email())}}, &known)
	if len(known.Erasures) != 1 || known.Erasures[0].ID != ask.ID || known.Refused != (mode == "refuse") {
		t.Errorf("the address is known as %+v", known)
	}

	// They come back, with a new visit and in an old file.
	if !s.Send(harness.Event{"type": "track", "event": "Returned", "userId": gone.user(), "messageId": "back-1"}, harness.Event{"type": "identify", "userId": stays.user(), "messageId": "other", "traits": map[string]any{"seen": true}}) {
		t.Fatal("events not taken")
	}
	s.Eventually(time.Minute, "the other one's event has arrived", func() bool {
		var p struct{ Traits map[string]any }
		s.Must("GET", "/people/"+ids[stays.name], nil, &p)
		return p.Traits["seen"] == true
	})
	back := who(s, gone.user())
	switch {
	case mode == "refuse" && back != "":
		t.Error("somebody who is refused was made anew")
	case mode == "forget" && (back == "" || back == ids[gone.name]):
		t.Errorf("somebody who came back is %q", back)
	}
	if mode == "forget" { // their new life is another matter; it must not hide the old one from the search
		var second struct{ ID string }
		s.Must("POST", "/people/"+back+"/erasure", map[string]any{"mode": "refuse"}, &second)
		s.Eventually(2*time.Minute, "the second erasure is done", func() bool {
			s.Do("GET", "/erasures/"+second.ID, nil, &receipt)
			return receipt.State == "done"
		})
	}

	s.Stop()
	if left := filesWith(t, s.Dir, gone); len(left) > 0 {
		t.Errorf("still found in %v", left)
	}
	if len(filesWith(t, s.Dir, stays)) == 0 {
		t.Error("the other person is gone, too, or the search finds nobody")
	}
	if kind == sqldb.Postgres {
		rows := dump(t, env[0][len("KIZUNA_DATABASE_URL="):])
		for _, form := range gone.forms() {
			for line := range bytes.Lines(rows) {
				if bytes.Contains(line, form) {
					t.Errorf("the database holds %q: %.300s", form, line)
				}
			}
		}
		if !bytes.Contains(rows, []byte(stays.name)) {
			t.Error("the dump does not hold the other person")
		}
	}
	s.Launch() // everything still works
	if got := personOf(t, s, stays.user()); got != ids[stays.name] {
		t.Errorf("after a restart the other person is %q", got)
	}
}

// who returns the id of the person with a user id, "" if there is none.
func who(s *harness.Server, user string) string {
	var found struct{ Items []struct{ ID string } }
	s.Must("GET", "/people?identifier=user_id:"+user, nil, &found)
	if len(found.Items) == 0 {
		return ""
	}
	return found.Items[0].ID
}

// figures are those that reports keep.
func figures(s *harness.Server) string {
	var o struct {
		Orders  int
		Revenue any
	}
	var st struct{ Events int }
	s.Must("GET", "/reports/overview", nil, &o)
	s.Must("GET", "/stats", nil, &st)
	return fmt.Sprint(o, st)
}

// filesWith returns the files below a folder that hold a person's name in any form.
func filesWith(t *testing.T, dir string, m marked) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, form := range m.forms() {
			if bytes.Contains(raw, form) {
				found = append(found, strings.TrimPrefix(path, dir))
				break
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// dump returns all rows of all tables as text.
func dump(t *testing.T, url string) []byte {
	t.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	rows, err := c.Query(ctx, `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, table := range tables {
		rows, err := c.Query(ctx, `SELECT CAST(x AS TEXT) FROM `+pgx.Identifier{table}.Sanitize()+` x`)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			out.WriteString(table + ": " + l)
			out.WriteByte('\n')
		}
	}
	return out.Bytes()
}
