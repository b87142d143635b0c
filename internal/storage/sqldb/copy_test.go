package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
)

var copySchema = fstest.MapFS{
	"0001_a.sql": {Data: []byte(`CREATE TABLE owner (id TEXT NOT NULL PRIMARY KEY, workspace_id TEXT NOT NULL);
		CREATE TABLE thing (owner_id TEXT NOT NULL REFERENCES owner (id), workspace_id TEXT NOT NULL, n BIGINT NOT NULL, ok BOOLEAN, part DOUBLE PRECISION, bytes {blob});
		CREATE TABLE plain (n BIGINT NOT NULL);
		INSERT INTO owner (id, workspace_id) VALUES ('seeded', 'w');`)},
}

// A copy that is cut off after every single piece ends with the same rows on the other side, each once.
func TestACopyGoesOnWhereItWasCutOff(t *testing.T) {
	for _, from := range kinds {
		for _, to := range kinds {
			t.Run(fmt.Sprintf("%s to %s", from, to), func(t *testing.T) {
				source, target := sqldbtest.Empty(t, from), sqldbtest.Empty(t, to)
				fillCopied(t, source)
				want, err := source.Sums(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				cuts, before := 0, int64(-1)
				for done := false; !done; {
					ctx, stop := context.WithCancel(t.Context())
					sums, err := source.Copy(ctx, target, "mov_1", copySchema, func(c sqldb.Copied) {
						if c.Table == "thing" && c.Done <= before {
							t.Errorf("piece %d of %s comes again after %d", c.Done, c.Table, before)
						}
						if c.Table == "thing" {
							before = c.Done
						}
						stop() // each piece is the last
					})
					stop()
					if done = err == nil; done {
						if d := cmp.Diff(want, sums); d != "" {
							t.Error(d)
						}
						continue
					}
					cuts++
					if err := target.Migrate(t.Context(), copySchema); err == nil || !strings.Contains(err.Error(), "migrate-engine") {
						t.Errorf("half of the records can be used: %v", err)
					}
					if _, err := source.Copy(t.Context(), target, "mov_2", copySchema, func(sqldb.Copied) {}); err == nil || !strings.Contains(err.Error(), "another move") {
						t.Errorf("another move goes on with it: %v", err)
					}
				}
				if cuts < 5 {
					t.Errorf("cut off %d times only", cuts)
				}
				if err := errors.Join(target.EndCopy(t.Context()), target.EndCopy(t.Context()), target.Migrate(t.Context(), copySchema)); err != nil {
					t.Error(err)
				}
				got, err := target.Sums(t.Context())
				if d := cmp.Diff(want, got); d != "" || err != nil {
					t.Error(d, err)
				}
				if want[sqldb.Part{Table: "thing", Workspace: "w1"}].Rows != 1200 || want[sqldb.Part{Table: "plain"}].Rows != 3 {
					t.Errorf("sums %v", want)
				}
				if _, err := source.Copy(t.Context(), target, "mov_1", copySchema, func(sqldb.Copied) {}); err == nil || !strings.Contains(err.Error(), "not empty") {
					t.Errorf("copied into a database that is used: %v", err)
				}
				if _, err := target.Exec(t.Context(), `UPDATE thing SET part = 0.25 WHERE n = 6`); err != nil {
					t.Fatal(err)
				}
				if got, err = target.Sums(t.Context()); err != nil || got[sqldb.Part{Table: "thing", Workspace: "w1"}] == want[sqldb.Part{Table: "thing", Workspace: "w1"}] {
					t.Errorf("a row that became another is not noticed: %v", err)
				}
			})
		}
	}
}

func fillCopied(t *testing.T, db *sqldb.DB) {
	t.Helper()
	if err := db.Migrate(t.Context(), copySchema); err != nil {
		t.Fatal(err)
	}
	var things [][]any
	for n := range 2400 {
		row := []any{"o1", fmt.Sprint("w", n%2), int64(n - 1), n%3 == 0, float64(n) / 7, []byte{0, 255, byte(n)}}
		switch n % 5 {
		case 1:
			row[3], row[4], row[5] = nil, nil, nil
		case 2:
			row[5] = []byte{}
		}
		things = append(things, row)
	}
	for _, step := range []error{
		only(db.Exec(t.Context(), `DELETE FROM owner`)),
		only(db.Exec(t.Context(), `INSERT INTO owner (id, workspace_id) VALUES ('o1', 'w0')`)),
		only(db.Exec(t.Context(), `INSERT INTO plain (n) VALUES (1), (1), (2)`)),
		only(db.Bulk(t.Context(), `INSERT INTO thing (owner_id, workspace_id, n, ok, part, bytes) VALUES ($1, $2, $3, $4, $5, $6)`, things)),
	} {
		if step != nil {
			t.Fatal(step)
		}
	}
}

func only(_ int64, err error) error { return err }
