package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/domain/workspace"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/eventstoretest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// house is an installation in a folder.
type house struct {
	t *testing.T
	c Config
}

func makeHouse(t *testing.T, key string, change func(*Config)) house {
	t.Helper()
	c := Default()
	c.Data = t.TempDir()
	c.Bootstrap = Bootstrap{Email: key + "@example.com", Password: "correct horse battery", WriteKey: key}
	if change != nil {
		change(&c)
	}
	return house{t, c}
}

// in does something in the running installation, and stops it.
func (h house) in(do func(a *application)) {
	h.t.Helper()
	a := beginAs(h.t, h.c)
	defer a.end(h.t)
	do(a)
}

// settle takes in what waits on the log, as a move does.
func (h house) settle() {
	h.t.Helper()
	c := h.c
	if err := c.Validate(); err != nil {
		h.t.Fatal(err)
	}
	a, err := still(h.t.Context(), c)
	if err == nil {
		err = a.quit()
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// sums says what a stopped installation has of a workspace: events, people, and rows in each table.
func (h house) sums(ws string) sqldb.Sums {
	h.t.Helper()
	c := h.c
	if err := c.Validate(); err != nil {
		h.t.Fatal(err)
	}
	store, err := c.openEvents(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	defer store.Close()
	out, err := workspaceSums(h.t.Context(), store, ws)
	if err != nil {
		h.t.Fatal(err)
	}
	db, err := sqldb.Open(h.t.Context(), c.Database, sqldb.Options{})
	if err != nil {
		h.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Sums(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	for p, s := range rows {
		if p.Workspace == ws {
			out[p] = s
		}
	}
	return out
}

// second makes another workspace with a write key, a member and an API key, and sends events to it.
func (h house) second(name, key string) (ws string) {
	h.t.Helper()
	h.in(func(a *application) {
		w, err := a.workspaces.Create(h.t.Context(), workspace.Workspace{Name: name})
		if err != nil {
			h.t.Fatal(err)
		}
		ws = w.ID
		if _, err := a.workspaces.CreateSource(h.t.Context(), ws, workspace.Source{Name: "Server", Kind: workspace.Server, WriteKey: key}); err != nil {
			h.t.Fatal(err)
		}
		if _, _, err := a.staff.CreateKey(h.t.Context(), staff.System(ws), staff.NewKey{Name: "Key", Scopes: staff.Permissions(), Secret: "kz_" + strings.Repeat(key, 8)}); err != nil {
			h.t.Fatal(err)
		}
		for n := range 4 {
			a.sendTo(h.t, key, fmt.Sprintf(`{"batch": [{"type": "identify", "userId": "u%d", "messageId": "i%d", "traits": {"plan": "gold"}}, {"type": "track", "event": "Seen", "anonymousId": "anon%d", "messageId": "t%d"},
				{"type": "identify", "userId": "u0", "anonymousId": "anon%d", "messageId": "m%d"}]}`, n, n, n, n, n, n))
		}
	})
	return ws
}

// pair makes two installations whose events are in these ClickHouse databases, or in their folders, and a workspace in the first that is to move.
func pair(t *testing.T, fromEvents, toEvents string) (from, to house, ws string) {
	t.Helper()
	from = makeHouse(t, "wk_source_one", func(c *Config) { c.EventsURL = fromEvents })
	ws = from.second("Emigrant", "wk_source_two")
	from.in(func(a *application) {
		a.sendTo(t, "wk_source_one", `{"batch": [{"type": "track", "event": "Seen", "userId": "stays", "messageId": "s1"}]}`)
	})
	to = makeHouse(t, "wk_target_one", func(c *Config) { c.EventsURL = toEvents })
	if err := os.MkdirAll(to.c.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(filepath.Join(from.c.Data, "master.key"), filepath.Join(to.c.Data, "master.key")); err != nil {
		t.Fatal(err)
	}
	to.in(func(a *application) {
		a.sendTo(t, "wk_target_one", `{"batch": [{"type": "track", "event": "Seen", "userId": "native", "messageId": "n1"}]}`)
	})
	from.settle()
	to.settle()
	return from, to, ws
}

// only returns the first workspace, and makes the installation if need be.
func (h house) only() (ws string) {
	h.t.Helper()
	h.in(func(a *application) {
		all, err := a.workspaces.All(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		ws = all[0].ID
	})
	h.settle()
	return ws
}

// moveEntries is how much of a move is in the audit log: that it began, and that it is there.
const moveEntries = 2

func moveTo(ctx context.Context, from, to house, which string, out, progress io.Writer) error {
	c := to.c
	c.fromEvents = from.c.EventsURL
	if err := errors.Join(c.Validate(), c.validateFromEvents()); err != nil {
		return err
	}
	return migrateWorkspace(ctx, from.c.Data, which, c, false, IO{Out: out, Err: progress})
}

func TestAWorkspaceMovesIntoAnInstallationThatHasOthers(t *testing.T) {
	folder := func(testing.TB) string { return "" }
	for name, events := range map[string][2]func(testing.TB) string{
		"into a folder":     {folder, folder},
		"into a database":   {folder, eventstoretest.Address},
		"out of a database": {eventstoretest.Address, folder},
	} {
		t.Run(name, func(t *testing.T) {
			from, to, ws := pair(t, events[0](t), events[1](t))
			stays, native := from.only(), to.only()
			was, staying, natives := from.sums(ws), from.sums(stays), to.sums(native)
			c := to.c
			if err := c.Validate(); err != nil {
				t.Fatal(err)
			}
			if _, _, err := backUp(t.Context(), c, t.TempDir(), io.Discard); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			if err := moveTo(t.Context(), from, to, "Emigrant", &out, io.Discard); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(out.String(), "both sides agree") || !strings.Contains(out.String(), "has moved") {
				t.Error(out.String())
			}
			if b := lastBackup(t, to.c); b != (sqlstore.Backup{}) {
				t.Errorf("no backup holds it, and %+v is said to be the last", b)
			}
			// Each place in the old log is 0 in the new; everything else is the same.
			got := to.sums(ws)
			for p, s := range was {
				if p.Table == "event_seen" || p.Table == "person" || p.Table == "staff_member" {
					if got[p].Rows != s.Rows {
						t.Errorf("%s: %d rows, were %d", p.Table, got[p].Rows, s.Rows)
					}
					continue
				}
				if p.Table == "audit_log" {
					s.Rows += moveEntries
					if got[p].Rows != s.Rows {
						t.Errorf("%d audit entries, want %d", got[p].Rows, s.Rows)
					}
					continue
				}
				if got[p] != s && p.Table != "staff_session" {
					t.Errorf("%s: %+v, was %+v", p.Table, got[p], s)
				}
			}
			if d := agree("natives", natives, to.sums(native)); d != nil {
				t.Error(d)
			}
			if d := agree("those who stay", staying, from.sums(stays)); d != nil {
				t.Error(d)
			}
			for p, s := range from.sums(ws) {
				if p.Table != "workspace_move" {
					t.Errorf("%d of %s are left", s.Rows, p.Table)
				}
			}
			to.in(func(a *application) {
				before, err := a.events.Stats(t.Context(), ws)
				if err != nil {
					t.Fatal(err)
				}
				a.sendTo(t, "wk_source_two", `{"batch": [{"type": "track", "event": "Seen", "userId": "u0", "messageId": "t0"}, {"type": "track", "event": "Seen", "userId": "u0", "messageId": "new"}]}`)
				after, err := a.events.Stats(t.Context(), ws)
				if err != nil || after.Events != before.Events+1 || after.People != before.People {
					t.Errorf("%+v, was %+v: one event came before the move; %v", after, before, err)
				}
				log, err := a.staff.AuditLog(t.Context(), staff.System(ws), staff.AuditFilter{Noun: "workspace"}, page.Request{})
				if err != nil || len(log.Items) != moveEntries {
					t.Fatal(log.Items, err)
				}
				for i, action := range []string{"workspace.arrive", "workspace.leave"} {
					var told struct {
						From, To               string
						Records, Events, Files int64
					}
					e := log.Items[i]
					if err := json.Unmarshal(e.Detail, &told); err != nil {
						t.Fatal(err)
					}
					if e.Action != action || e.ActorID != "operator" || e.ActorName == "" || e.NounID != ws || told.From != from.c.Data || told.To == "" || i == 0 != (told.Records > 0 && told.Events > 0) {
						t.Errorf("the audit log says %+v %s", e, e.Detail)
					}
				}
				if first, _, err := a.stream.Bounds(t.Context()); err != nil || first < 2 {
					t.Errorf("the log begins at %d, %v: a store filled from it would lack what has come", first, err)
				}
			})
			from.in(func(a *application) {
				r := httptest.NewRequest(http.MethodPost, "/v1/track", strings.NewReader(`{"event": "Seen", "userId": "u0"}`))
				r.SetBasicAuth("wk_source_two", "")
				answer := httptest.NewRecorder()
				a.mux.ServeHTTP(answer, r)
				if answer.Code != http.StatusUnauthorized || !strings.Contains(answer.Body.String(), "has moved to http") {
					t.Error(answer.Code, answer.Body)
				}
				link := a.messages.Links().Unsubscribe(ws, "msg_1")
				answer = httptest.NewRecorder()
				a.mux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, strings.TrimPrefix(link, a.c.PublicURL), nil))
				if at := answer.Header().Get("Location"); answer.Code != http.StatusTemporaryRedirect || !strings.HasSuffix(link, strings.TrimPrefix(at, a.c.PublicURL)) {
					t.Errorf("%d to %q, want where %s is now", answer.Code, at, link)
				}
				a.sendTo(t, "wk_source_one", `{"batch": [{"type": "track", "event": "Seen", "userId": "stays", "messageId": "s2"}]}`)
			})
			out.Reset()
			if err := moveTo(t.Context(), from, to, ws, &out, io.Discard); err != nil || !strings.Contains(out.String(), "has moved to") {
				t.Errorf("once more: %v, %s", err, out.String())
			}
		})
	}
}

// A move that is cut off at each line that it tells ends in the same state, wherever the other installation has gone on meanwhile.
func TestAMoveOfAWorkspaceThatIsCutOffGoesOn(t *testing.T) {
	from, to, ws := pair(t, "", "")
	was := from.sums(ws)
	cuts := 0
	for after := 1; ; after++ {
		ctx, cut := context.WithCancel(t.Context())
		err := moveTo(ctx, from, to, ws, io.Discard, &cutter{cut: cut, after: after})
		cut()
		if err == nil {
			break
		}
		if cuts++; cuts > 200 {
			t.Fatal(err)
		}
		if after%4 > 0 {
			continue
		}
		to.in(func(a *application) {
			a.sendTo(t, "wk_target_one", fmt.Sprintf(`{"batch": [{"type": "track", "event": "Seen", "userId": "native", "messageId": "cut%d"}]}`, after))
		})
	}
	t.Logf("cut off %d times", cuts)
	if cuts < 5 {
		t.Error("it was cut off too seldom to prove anything")
	}
	got := to.sums(ws)
	for p, s := range was {
		if p.Table == "audit_log" {
			s.Rows += moveEntries
		}
		if got[p].Rows != s.Rows {
			t.Errorf("%s: %d, were %d", p.Table, got[p].Rows, s.Rows)
		}
	}
	if err := notLeaving(from.c.Data); err != nil {
		t.Error(err)
	}
	for p := range from.sums(ws) {
		if p.Table != "workspace_move" {
			t.Errorf("%s is left", p.Table)
		}
	}
}

func TestAMoveOfAWorkspaceIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	from, to, ws := pair(t, "", "")
	other := makeHouse(t, "wk_other_one", nil)
	other.only()
	same := makeHouse(t, "wk_source_two", nil)
	if err := replaceFile(filepath.Join(from.c.Data, "master.key"), filepath.Join(same.c.Data, "master.key")); err != nil {
		t.Fatal(err)
	}
	same.only()
	nowhere := makeHouse(t, "wk_nowhere", nil)
	if err := replaceFile(filepath.Join(from.c.Data, "master.key"), filepath.Join(nowhere.c.Data, "master.key")); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		to          house
		which, want string
	}{
		"another master key":        {other, ws, "another master key"},
		"a write key that is known": {same, ws, "one key leads to one workspace"},
		"no such workspace":         {to, "Nobody", `has none of this id or name; it has`},
		"no installation":           {nowhere, ws, "holds no installation"},
		"the same folder":           {from, ws, "the same folder"},
	} {
		if err := moveTo(t.Context(), from, c.to, c.which, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	to.in(func(*application) {
		if err := moveTo(t.Context(), from, to, ws, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "stop it first") {
			t.Errorf("into a running installation: %v", err)
		}
	})
	log := logPath(from.c.Data)
	if err := os.Rename(log, log+".away"); err != nil {
		t.Fatal(err)
	}
	if err := moveTo(t.Context(), from, to, ws, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "does not have the log") {
		t.Errorf("a log that is elsewhere: %v", err)
	}
	if err := os.Rename(log+".away", log); err != nil {
		t.Fatal(err)
	}
	// Events that are elsewhere would be left behind, and their workspace gone.
	events := eventsPath(from.c.Data)
	if err := os.Rename(events, events+".away"); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"no file of events", "one that somebody has begun anew"} {
		if err := moveTo(t.Context(), from, to, ws, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "name its database in KIZUNA_FROM_EVENTS_URL") {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := os.Stat(events); (err == nil) != (what != "no file of events") {
			t.Errorf("%s: %v", what, err)
		}
		store, err := from.c.openEvents(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	twice := to.c
	if err := twice.FromEnvironment(func(name string) (string, bool) {
		return "http://k:k@ClickHouse/kizuna/", name == "KIZUNA_FROM_EVENTS_URL" || name == "KIZUNA_EVENTS_URL"
	}); err != nil {
		t.Fatal(err)
	}
	if err := twice.validateFromEvents(); err == nil || !strings.Contains(err.Error(), "the same database") {
		t.Errorf("one database: %v", err)
	}
	if err := notLeaving(from.c.Data); err != nil {
		t.Error("a refused move has left a mark: ", err)
	}
}
