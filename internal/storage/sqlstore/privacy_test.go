package sqlstore_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/privacy"
	"github.com/kizuna-cx/kizuna/internal/domain/privacy/privacytest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestPrivacyStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		privacytest.Run(t, func(t *testing.T) privacy.Store {
			clearTables(t, db, "privacy_request", "privacy_proof", "privacy_refusal", "privacy_version", "privacy_rules")
			return sqlstore.NewPrivacy(db)
		})
	})
}

// A new table must say how erasure reaches it, or that it says nothing of a customer: see reach, elsewhere and impersonal in privacy_reach.go.
func TestEveryTableSaysHowErasureReachesIt(t *testing.T) {
	known := sqlstore.Reached()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		query := `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
		if db.Dialect() == sqldb.Postgres {
			query = `SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`
		}
		tables, err := sqldb.Collect(t.Context(), db, sqldb.Value[string], query)
		if err != nil {
			t.Fatal(err)
		}
		there := map[string]bool{}
		for _, name := range tables {
			there[name] = true
			if known[name] == "" {
				t.Errorf("%s: add it to reach, elsewhere or impersonal in privacy_reach.go", name)
			}
		}
		for name := range known {
			if !there[name] {
				t.Errorf("%s: there is no such table any more", name)
			}
		}
	})
}

// Every table with a column that names a person is asked with that column, or said to be reached in another way.
func TestTablesThatNamePeopleAreErased(t *testing.T) {
	known := sqlstore.Reached()
	db := sqldbtest.Open(t, sqldb.SQLite) // the migrations, and so the tables, are the same on both engines
	named, err := sqldb.Collect(t.Context(), db, sqldb.Value[string], `SELECT DISTINCT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
			WHERE m.type = 'table' AND (c.name IN ('person_id', 'person_num', 'person', 'address', 'email', 'phone'))`)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range named {
		if how := known[table]; !strings.HasPrefix(how, "erased") && table != "account_inbound" && table != "staff_user" {
			t.Errorf("%s has a column about people and is %q", table, how)
		}
	}
}

func TestErasingTakesAPersonOffEveryTableAndLeavesTheOthers(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		clearTables(t, db, "person", "person_sought", "person_identifier", "message", "hook_delivery", "rejection", "personal_setting", "draft", "thing_version", "event_seen", "person_decision", "consent_state", "suppression", "message_body")
		exec := func(sql string, args ...any) {
			t.Helper()
			if _, err := db.Exec(t.Context(), sql, args...); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		}
		for _, who := range []struct {
			num, redirect int
			name          string
		}{{1, 0, "ada"}, {2, 1, "ada-before"}, {3, 0, "bob"}} {
			exec(`INSERT INTO person (workspace_id, num, id, user_id, redirect, first_seen, last_seen, created, updated, touch, touch_msg, merges, links, best, contested, traits, facts)
				VALUES ('ws_1', $1, $2, $3, $4, 0, 0, 0, 0, 0, '', 0, 0, 0, FALSE, '{}', '{}')`, who.num, "per_"+who.name, "user-"+who.name, who.redirect)
			exec(`INSERT INTO person_sought (workspace_id, num, identified, text, identifiers) VALUES ('ws_1', $1, TRUE, $2, $2)`, who.num, "user-"+who.name)
			owner := who.num
			if who.redirect > 0 {
				owner = who.redirect
			}
			exec(`INSERT INTO person_identifier (workspace_id, kind, value, person, first_seen, last_seen, last_msg, shared, shared_msg, contested, source, spans, users)
				VALUES ('ws_1', 'user_id', $1, $2, 0, 0, '', 0, '', FALSE, '', '', '')`, "user-"+who.name, owner)
			exec(`INSERT INTO event_seen (workspace_id, message_id, seq, idx, person_num, day) VALUES ('ws_1', $1, 1, 1, $2, 1)`, "m-"+who.name, who.num)
			exec(`INSERT INTO person_decision (workspace_id, person, at, id, times, body) VALUES ('ws_1', $1, 1, 'd', 1, $2)`, who.num, fmt.Sprintf(`{"i":[{"kind":"user_id","value":"user-%s"}]}`, who.name))
			exec(`INSERT INTO rejection (workspace_id, id, source, time, idx, message_id, type, name, code, reason) VALUES ('ws_1', $1, '', 1, 0, $2, '', '', '', '')`, "rej-"+who.name, "Mail for USER-"+strings.ToUpper(who.name))
			exec(`INSERT INTO personal_setting (workspace_id, owner_id, name, value, updated_at) VALUES ('ws_1', $1, 'recent', $2, 0)`, "usr_"+who.name, fmt.Sprintf(`["per_%s"]`, who.name))
			exec(`INSERT INTO draft (workspace_id, owner_id, kind, thing, base, document, created_at, updated_at) VALUES ('ws_1', 'usr', 'segment', $1, 1, $2, 0, 0)`, "seg-of-"+strings.ReplaceAll(who.name, "ada", "a"), fmt.Sprintf(`{"name":"all but user-%s"}`, who.name))
			exec(`INSERT INTO thing_version (workspace_id, kind, thing, number, document, saved_by, saved_at) VALUES ('ws_1', 'segment', 'seg', $1, $2, '', 0)`, who.num, fmt.Sprintf(`{"name":"all but user-%s"}`, who.name))
			exec(`INSERT INTO consent_state (workspace_id, person_id, topic_id, channel, status, source, said_at) VALUES ('ws_1', $1, 't', 'email', 'subscribed', '', 0)`, "per_"+who.name)
		}
		for _, name := range []string{"ada", "bob"} {
			m := outbox.Message{ID: "msg_" + name, PersonID: "per_" + name, Key: "key-" + name, Address: "user-" + name, Trace: "trace of user-" + name, State: outbox.Sent}
			if n, err := sqlstore.NewOutbox(db).Insert(t.Context(), "ws_1", []outbox.Message{m}); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		// A device of bob's remembers that ada used it.
		exec(`INSERT INTO person_identifier (workspace_id, kind, value, person, first_seen, last_seen, last_msg, shared, shared_msg, contested, source, spans, users)
			VALUES ('ws_1', 'device_id', 'd1', 3, 0, 0, '', 0, '', FALSE, '', '', '[["user-ada",1],["user-bob",2]]')`)
		s := sqlstore.NewReach(db, func(_, _, address string) string { return "hash of " + address })
		who, err := s.Subject(t.Context(), "ws_1", "per_ada-before")
		if err != nil || fmt.Sprint(who.IDs) != "[per_ada per_ada-before]" || len(who.Identifiers) != 2 {
			t.Fatalf("%+v %v", who, err)
		}
		if other, err := s.Subject(t.Context(), "ws_2", "per_ada"); err != nil || len(other.IDs) != 0 {
			t.Fatalf("another workspace knows %+v, %v", other, err)
		}
		traces := privacy.Traces{Subject: who, Ghost: "per_ghost"}
		traces.Others = append(traces.Others, who.Identifiers[0])
		traces.Others[0].Kind, traces.Others[0].Value = "device_id", "d1"
		for round := range 2 {
			counts, err := s.Erase(t.Context(), "ws_1", traces)
			if err != nil {
				t.Fatal(err)
			}
			var n int64
			for _, c := range counts {
				n += c.N
			}
			if round == 0 && n < 16 || round == 1 && n != 0 {
				t.Errorf("round %d reached %d rows: %+v", round, n, counts)
			}
		}
		for _, table := range []string{"person", "person_sought", "person_identifier", "event_seen", "person_decision", "rejection", "personal_setting", "draft", "thing_version", "consent_state", "message"} {
			rows, err := sqldb.Collect(t.Context(), db, sqldb.Value[string], everything(db, table))
			if err != nil {
				t.Fatal(err)
			}
			all := strings.ToLower(strings.Join(rows, "\n"))
			if strings.Contains(all, "user-ada") || strings.Contains(all, "per_ada") {
				t.Errorf("%s still knows ada: %s", table, all)
			}
			if !strings.Contains(all, "bob") && table != "event_seen" {
				t.Errorf("%s has lost bob: %s", table, all)
			}
		}
		if err := db.Scrub(t.Context(), []string{"person"}); err != nil {
			t.Error(err)
		}
	})
}

// everything is a query that gives each row of a table as text.
func everything(db *sqldb.DB, table string) string {
	if db.Dialect() == sqldb.Postgres {
		return `SELECT CAST(x AS TEXT) FROM ` + table + ` x`
	}
	columns := map[string]string{
		"person": "id || user_id", "person_sought": "text || identifiers", "person_identifier": "value || users", "event_seen": "message_id", "person_decision": "body", "rejection": "id || message_id",
		"personal_setting": "owner_id || value", "draft": "document", "thing_version": "document", "consent_state": "person_id", "message": "person_id || idem_key || address || trace",
	}
	return `SELECT ` + columns[table] + ` FROM ` + table
}
