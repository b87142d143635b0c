package sqlstore

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/workspace"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore/migrations"
)

// columns of all tables, in the order of their making: table -> column -> declared type.
func columnsOf(t *testing.T, db *sqldb.DB) (tables []string, columns map[string]map[string]string) {
	t.Helper()
	columns = map[string]map[string]string{}
	if _, err := sqldb.Collect(t.Context(), db, func(r sqldb.Row) (int, error) {
		var table, column, declared string
		if err := r.Scan(&table, &column, &declared); err != nil {
			return 0, err
		}
		if columns[table] == nil {
			tables, columns[table] = append(tables, table), map[string]string{}
		}
		columns[table][column] = declared
		return 0, nil
	}, `SELECT m.name, c.name, c.type FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.rowid, c.cid`); err != nil {
		t.Fatal(err)
	}
	return tables, columns
}

// atPlaces are columns that sound like places in the log and are none.
var atPlaces = map[string]string{
	"log_position.seq":       "the log's own readers",
	"journey_instance.seq":   "steps of a round",
	"journey_step.seq":       "steps of a round",
	"campaign_wave.seq":      "number of the wave",
	"campaign_wave.position": "number of a person",
	"journey_task.position":  "id of a person or an entry",
	"rejection.idx":          "inside a request",
}

// Whatever a table is that is added, something says what becomes of it when its workspace moves, and of columns with places in the log.
func TestEveryTableIsAccountedForWhenAWorkspaceMoves(t *testing.T) {
	db := sqldbtest.Open(t, sqldb.SQLite)
	tables, columns := columnsOf(t, db)
	for _, table := range tables {
		_, has := columns[table]["workspace_id"]
		named := staysBehind[table] != "" || installations[table] != "" || foundOtherwise[table] != ""
		if table != "schema_migration" && !has && !named {
			t.Errorf("the table %s has no workspace_id: say in installations or foundOtherwise what becomes of it when a workspace moves", table)
		}
		for column, declared := range columns[table] {
			if name := table + "." + column; strings.EqualFold(declared, "BIGINT") && (strings.HasSuffix(column, "seq") || strings.HasSuffix(column, "position") || column == "idx") &&
				!slices.Contains(positions, name) && atPlaces[name] == "" {
				t.Errorf("%s looks like a place in the log: name it in positions, or in atPlaces if it is none", name)
			}
		}
	}
	for _, table := range slices.Concat(slices.Collect(maps.Keys(staysBehind)), slices.Collect(maps.Keys(installations)), slices.Collect(maps.Keys(foundOtherwise))) {
		if columns[table] == nil {
			t.Errorf("there is no table %s", table)
		}
	}
	for _, name := range positions {
		table, column, _ := strings.Cut(name, ".")
		if columns[table][column] == "" {
			t.Errorf("there is no column %s", name)
		}
	}
}

const memory = `{"trigger":{"id":"m","name":"Seen","at":{"Seq":77,"Index":3},"props":{"by":"usr_known"}},"visits":{"a":1}}`

// fillEvery puts a row of the workspace into every table. tag keeps what is unique apart.
func fillEvery(t *testing.T, db *sqldb.DB, ws, tag string, users []string, tables []string, columns map[string]map[string]string) {
	t.Helper()
	special := map[string]any{
		"workspace.id": ws, "workspace.settings": "{}", "journey_instance.memory": memory, "journey_entry.cause": `{"id":"m","at":{"Seq":5,"Index":1}}`,
		"message.state": "claimed", "message.owner": tag + "snd.1", "message_owner.owner": tag + "snd", "message.idem_key": tag + "key",
	}
	for n, table := range tables {
		if table == "schema_migration" || table == "log_position" || table == "log_key" || table == "lease" || table == "privacy_version" || table == "workspace_move" || table == "backup" {
			continue
		}
		rows := 1
		if strings.HasPrefix(table, "staff_") && (table == "staff_user" || columns[table]["user_id"] != "") {
			rows = len(users)
		}
		for r := range rows {
			var names, holes []string
			var args []any
			for _, column := range slices.Sorted(maps.Keys(columns[table])) {
				var v any
				switch declared := strings.ToUpper(columns[table][column]); {
				case column == "workspace_id":
					v = ws
				case special[table+"."+column] != nil:
					v = special[table+"."+column]
				case table == "staff_user" && column == "id", strings.HasPrefix(table, "staff_") && column == "user_id", column == "owner_id", table == "audit_log" && column == "actor_id":
					v = users[r]
				case table == "staff_user" && column == "email":
					v = users[r] + "@example.com"
					if strings.HasPrefix(users[r], "usr_known") {
						v = "known@example.com"
					}
				case declared == "TEXT":
					v = tag + table + column + string(rune('a'+r))
				case declared == "BLOB":
					v = []byte(tag + table + column + string(rune('a'+r)))
				case declared == "BOOLEAN":
					v = r%2 == 0
				default:
					v = int64(n + r + 1)
				}
				names, args = append(names, `"`+column+`"`), append(args, v)
				holes = append(holes, "$"+string(rune('0'+len(args)/10))+string(rune('0'+len(args)%10)))
			}
			for i := range holes {
				holes[i] = "$" + strings.TrimPrefix(holes[i][1:], "0")
			}
			if _, err := db.Exec(t.Context(), `INSERT INTO "`+table+`" (`+strings.Join(names, ", ")+`) VALUES (`+strings.Join(holes, ", ")+`)`, args...); err != nil {
				t.Fatalf("%s: %v", table, err)
			}
		}
	}
}

func TestEverythingOfAWorkspaceMovesAndNothingOfOthers(t *testing.T) {
	tables, columns := columnsOf(t, sqldbtest.Open(t, sqldb.SQLite))
	for _, way := range []struct{ from, to sqldb.Dialect }{{sqldb.SQLite, sqldb.SQLite}, {sqldb.SQLite, sqldb.Postgres}} {
		t.Run(string(way.from)+" to "+string(way.to), func(t *testing.T) {
			from, to := sqldbtest.Empty(t, way.from), sqldbtest.Empty(t, way.to)
			for _, db := range []*sqldb.DB{from, to} {
				if err := db.Migrate(t.Context(), migrations.Files); err != nil {
					t.Fatal(err)
				}
			}
			fillEvery(t, from, "ws_moves", "a", []string{"usr_known", "usr_new"}, tables, columns)
			fillEvery(t, from, "ws_stays", "b", []string{"usr_other"}, tables, columns)
			fillEvery(t, to, "ws_native", "c", []string{"usr_known_there"}, tables, columns)
			if _, err := to.Exec(t.Context(), `UPDATE staff_key SET secret_hash = $1`, []byte("astaff_keysecret_hasha")); err != nil {
				t.Fatal(err)
			}
			before, staying := sums(t, to), sums(t, from)
			move, err := NewMove(t.Context(), from, to, "ws_moves")
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]string{"astaff_keynamea"}, move.Behind()); d != "" {
				t.Error(d)
			}
			if err := move.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := to.InTx(t.Context(), func(ctx context.Context) error {
				put, err := move.Copy(ctx, "mov_1", "Moves", time.Now(), func(sqldb.Copied) {})
				if err != nil {
					return err
				}
				got, err := move.Sums(ctx)
				if d := cmp.Diff(put, got); d != "" {
					t.Error(d)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			after := sums(t, to)
			for p, s := range before {
				if p.Workspace == "ws_native" && after[p] != s {
					t.Errorf("%s of another workspace has changed", p.Table)
				}
			}
			for _, table := range tables {
				if columns[table]["workspace_id"] == "" {
					continue
				}
				was, is := staying[sqldb.Part{Table: table, Workspace: "ws_moves"}].Rows, after[sqldb.Part{Table: table, Workspace: "ws_moves"}].Rows
				switch {
				case table == "workspace_move":
					was = 1
				case staysBehind[table] != "", installations[table] != "", table == "staff_key":
					was = 0
				}
				if was != is {
					t.Errorf("%s: %d rows there, want %d", table, is, was)
				}
			}
			one := func(query string) string {
				t.Helper()
				v, err := sqldb.One(t.Context(), to, sqldb.Value[string], query)
				if err != nil {
					t.Errorf("%s: %v", query, err)
				}
				return v
			}
			for query, want := range map[string]string{
				`SELECT CAST(seq + idx AS TEXT) FROM event_seen WHERE workspace_id = 'ws_moves'`:                      "0",
				`SELECT CAST(redirect_seq AS TEXT) FROM person WHERE workspace_id = 'ws_moves'`:                       "0",
				`SELECT min(user_id) FROM staff_member WHERE workspace_id = 'ws_moves'`:                               "usr_known_there",
				`SELECT max(user_id) FROM staff_member WHERE workspace_id = 'ws_moves'`:                               "usr_new",
				`SELECT owner_id FROM draft WHERE workspace_id = 'ws_moves'`:                                          "usr_known_there",
				`SELECT CAST(count(*) AS TEXT) FROM staff_user`:                                                       "2",
				`SELECT owner FROM message_owner WHERE owner LIKE 'a%'`:                                               "asnd",
				`SELECT memory FROM journey_instance WHERE workspace_id = 'ws_moves'`:                                 `{"trigger":{"at":{"Seq":0,"Index":0},"id":"m","name":"Seen","props":{"by":"usr_known_there"}},"visits":{"a":1}}`,
				`SELECT cause FROM journey_entry WHERE workspace_id = 'ws_moves'`:                                     `{"at":{"Seq":0,"Index":0},"id":"m"}`,
				`SELECT CAST(count(*) AS TEXT) FROM message_owner WHERE owner LIKE 'b%'`:                              "0",
				`SELECT CAST(count(*) AS TEXT) FROM workspace_move WHERE workspace_id = 'ws_moves' AND moved_to = ''`: "1",
				`SELECT CAST(count(*) AS TEXT) FROM workspace WHERE id = 'ws_moves'`:                                  "1",
			} {
				if got := one(query); got != want {
					t.Errorf("%s: %s, want %s", query, got, want)
				}
			}
			if err := move.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "is there already") {
				t.Errorf("it can come twice: %v", err)
			}
			if err := LeaveWorkspace(t.Context(), from, "mov_1", workspace.Moved{Workspace: "ws_moves", Name: "Moves", To: "https://there.example", At: time.Now()}); err != nil {
				t.Fatal(err)
			}
			left := sums(t, from)
			for p, s := range staying {
				switch p.Workspace {
				case "ws_moves":
					if left[p].Rows > 0 {
						t.Errorf("%d rows of %s are left", left[p].Rows, p.Table)
					}
				case "ws_stays":
					if left[p] != s {
						t.Errorf("%s of the workspace that stays has changed", p.Table)
					}
				}
			}
			moved, err := NewWorkspace(from).Moved(t.Context())
			if err != nil || len(moved) != 1 || moved[0].To != "https://there.example" || !slices.Equal(moved[0].Keys, []string{"asourcewrite_keya"}) {
				t.Errorf("%+v, %v", moved, err)
			}
		})
	}
}

func sums(t *testing.T, db *sqldb.DB) sqldb.Sums {
	t.Helper()
	s, err := db.Sums(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}
