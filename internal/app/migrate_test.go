package app

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/click"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/eventstoretest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// leave makes an installation in a folder, with two people and three events, and stops it.
func leave(t *testing.T) (folder string, was event.Stats) {
	t.Helper()
	folder = t.TempDir()
	a := begin(t, folder)
	a.send(t, `{"batch": [{"type": "track", "event": "Seen", "userId": "a", "messageId": "m1"}, {"type": "identify", "userId": "b", "messageId": "m2", "traits": {"plan": "gold"}}]}`)
	a.send(t, `{"batch": [{"type": "page", "userId": "b", "messageId": "m3"}]}`)
	was = a.stats(t)
	a.end(t)
	return folder, was
}

func into(t *testing.T, folder string) Config {
	t.Helper()
	c := Default()
	c.Data = folder
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAnInstallationMovesAndIsTheSame(t *testing.T) {
	from, was := leave(t)
	to := filepath.Join(t.TempDir(), "new")
	var out bytes.Buffer
	if err := migrate(t.Context(), from, into(t, to), false, IO{Out: &out, Err: io.Discard}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "both sides agree") {
		t.Error(out.String())
	}
	a := begin(t, to)
	defer a.end(t)
	if now := a.stats(t); now.People != was.People || now.Events != was.Events || was.People != 2 {
		t.Errorf("%+v, was %+v", now, was)
	}
	a.send(t, `{"batch": [{"type": "track", "event": "Seen", "userId": "a", "messageId": "m1"}, {"type": "track", "event": "Seen", "userId": "a", "messageId": "m4"}]}`)
	if now := a.stats(t); now.Events != was.Events+1 {
		t.Errorf("%d events, want %d: one came before the move", now.Events, was.Events+1)
	}
	if err := notMoving(from); err == nil {
		t.Error("the old installation starts")
	}
}

func TestEventsMoveToClickHouse(t *testing.T) {
	from, _ := leave(t)
	c := into(t, filepath.Join(t.TempDir(), "new"))
	c.EventsURL = eventstoretest.Address(t)
	var out bytes.Buffer
	if err := migrate(t.Context(), from, c, false, IO{Out: &out, Err: io.Discard}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "both sides agree") {
		t.Error(out.String())
	}
	if _, err := os.Stat(eventsPath(c.Data)); !os.IsNotExist(err) {
		t.Errorf("a file of events was made: %v", err)
	}
	if at, err := click.Look(t.Context(), c.EventsURL); at == 0 || err != nil {
		t.Errorf("the database is at record %d, %v", at, err)
	}
	other, _ := leave(t)
	second := into(t, filepath.Join(t.TempDir(), "second"))
	second.EventsURL = c.EventsURL
	if err := migrate(t.Context(), other, second, true, IO{Out: io.Discard, Err: io.Discard}); err == nil || !strings.Contains(err.Error(), "holds events already") {
		t.Errorf("two installations in one database: %v", err)
	}
}

func TestAMoveIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	from, _ := leave(t)
	full, other := t.TempDir(), filepath.Join(t.TempDir(), "other.db")
	if err := os.WriteFile(filepath.Join(full, "something"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sqldb.Open(t.Context(), "sqlite:"+other, sqldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), `CREATE TABLE theirs (n BIGINT)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	fresh := filepath.Join(t.TempDir(), "new")
	busy := into(t, fresh)
	busy.Database = "sqlite:" + other
	for name, c := range map[string]struct {
		from, want string
		to         Config
	}{
		"no installation":     {t.TempDir(), "holds no installation", into(t, fresh)},
		"the same folder":     {from, "the same folder", into(t, from)},
		"a folder in use":     {from, "holds something", into(t, full)},
		"a database in use":   {from, "KIZUNA_DATABASE_URL: copy: the database is not empty", busy},
		"a log that is large": {from, "KIZUNA_LOG_LIMIT_GB", func() Config { c := into(t, fresh); c.LogServers.LimitGB = -1; return c }()},
	} {
		err := migrate(t.Context(), c.from, c.to, false, IO{Out: io.Discard, Err: io.Discard})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if err := notMoving(from); err != nil {
		t.Error("a refused move has left a mark: ", err)
	}
	if _, err := os.Stat(fresh); err == nil {
		t.Error("a refused move has made the folder")
	}
}

func TestAMoveThatWasCutOffGoesOnOnlyToTheSamePlace(t *testing.T) {
	from, _ := leave(t)
	to := filepath.Join(t.TempDir(), "new")
	ctx, cut := context.WithCancel(t.Context())
	cut3 := &cutter{cut: cut, after: 3}
	if err := migrate(ctx, from, into(t, to), false, IO{Out: io.Discard, Err: cut3}); err == nil {
		t.Fatal("it was not cut off")
	}
	if err := notMoving(to); err == nil || !strings.Contains(err.Error(), "migrate-engine again") {
		t.Errorf("half an installation starts: %v", err)
	}
	if err := migrate(t.Context(), from, into(t, to+"2"), false, IO{Out: io.Discard, Err: io.Discard}); err == nil || !strings.Contains(err.Error(), "was begun") {
		t.Errorf("it goes on elsewhere: %v", err)
	}
	if err := migrate(t.Context(), from, into(t, to), false, IO{Out: io.Discard, Err: io.Discard}); err != nil {
		t.Error(err)
	}
	if err := notMoving(to); err != nil {
		t.Error(err)
	}
}

// cutter ends a context after some lines.
type cutter struct {
	cut   func()
	after int
}

func (c *cutter) Write(p []byte) (int, error) {
	if c.after -= bytes.Count(p, []byte("\n")); c.after <= 0 {
		c.cut()
	}
	return len(p), nil
}

func TestSidesThatDifferAreNamed(t *testing.T) {
	one, two := sqldb.Sum{}, sqldb.Sum{}
	one.Add([]byte("a"))
	two.Add([]byte("b"))
	p := func(table string) sqldb.Part { return sqldb.Part{Table: table, Workspace: "ws_1"} }
	err := agree("records", sqldb.Sums{p("same"): one, p("other"): one, p("lost"): one}, sqldb.Sums{p("same"): one, p("other"): two, p("new"): two})
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	for _, want := range []string{"of other in", "of lost in", "of new in"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "of same") {
		t.Error(err)
	}
}
