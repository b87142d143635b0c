package sqldb

import (
	"regexp"
	"strings"
	"testing"
)

func TestPlaceholdersAreFoundOutsideQuotesAndComments(t *testing.T) {
	for in, want := range map[string]struct {
		text   string
		params int
	}{
		`SELECT $1, $2`:                        {`SELECT ?1, ?2`, 2},
		`SELECT $2 + $10`:                      {`SELECT ?2 + ?10`, 10},
		`SELECT '$1', "$2", 'it''s $3', $4`:    {`SELECT '$1', "$2", 'it''s $3', ?4`, 4},
		"SELECT 1 -- $1 isn't one\n, $1":       {"SELECT 1 -- $1 isn't one\n, ?1", 1},
		"SELECT /* $2 'x */ $1":                {"SELECT /* $2 'x */ ?1", 1},
		`SELECT '{"a":"$"}', $`:                {`SELECT '{"a":"$"}', $`, 0},
		`SELECT 'never closed $1`:              {`SELECT 'never closed $1`, 0},
		`SELECT x->>'$.a' FROM t WHERE y = $1`: {`SELECT x->>'$.a' FROM t WHERE y = ?1`, 1},
	} {
		st, err := parse(in, true)
		if err != nil || st.text != want.text || st.params != want.params {
			t.Errorf("%s became %+v, %v", in, st, err)
		}
		if st, err := parse(in, false); err != nil || st.text != in || st.params != want.params {
			t.Errorf("%s became %+v, %v for PostgreSQL", in, st, err)
		}
	}
	for _, in := range []string{`SELECT ?`, `SELECT $0`, `SELECT $65536`, `SELECT $99999999999999999999`} {
		if _, err := parse(in, true); err == nil {
			t.Errorf("%s was accepted", in)
		}
	}
}

func TestOnlyReadingStatementsGoToReaders(t *testing.T) {
	for in, want := range map[string]bool{
		`SELECT 1`: true, "\n\t select\n1": true, `SELECT(1)`: true, `VALUES (1)`: true, "-- why\nSELECT 1": true,
		`WITH a AS (SELECT 1) SELECT * FROM a`: true, `EXPLAIN QUERY PLAN SELECT 1`: true,
		`INSERT INTO t VALUES (1) RETURNING id`: false, `UPDATE t SET a = 1 RETURNING a`: false, `DELETE FROM t`: false,
		`WITH a AS (SELECT 1) UPDATE t SET a = 1`: false, `PRAGMA synchronous`: false, ``: false, `SELECTED`: false,
	} {
		if got := onlyReads(in); got != want {
			t.Errorf("%q reads only: %v, want %v", in, got, want)
		}
	}
}

func TestMigrationTextIsTranslated(t *testing.T) {
	const in = "CREATE TABLE a (b TEXT NOT NULL, c {json}, d {blob}, e  TEXT){clustered};\nINSERT INTO a (b) VALUES (CAST(1 AS TEXT), 'a text');"
	if got := (&DB{dialect: SQLite}).expand(in); got != strings.NewReplacer("{json}", "TEXT", "{blob}", "BLOB", "{clustered}", " WITHOUT ROWID").Replace(in) {
		t.Error(got)
	}
	const want = "CREATE TABLE a (b TEXT COLLATE \"C\" NOT NULL, c JSONB, d BYTEA, e  TEXT COLLATE \"C\");\nINSERT INTO a (b) VALUES (CAST(1 AS TEXT), 'a text');"
	if got := (&DB{dialect: Postgres}).expand(in); got != want {
		t.Error(got)
	}
}

var dollar = regexp.MustCompile(`\$[0-9]`)

func FuzzParse(f *testing.F) {
	f.Add(`SELECT '$1', "$2" -- $3` + "\n/* $4 */ FROM t WHERE a = $5")
	f.Add(`'`)
	f.Fuzz(func(t *testing.T, in string) {
		st, err := parse(in, true)
		if err != nil {
			return
		}
		if len(st.text) != len(in) {
			t.Errorf("%q became %q", in, st.text)
		}
		if !strings.ContainsAny(in, `'"-/`) && dollar.MatchString(st.text) {
			t.Errorf("%q became %q", in, st.text)
		}
	})
}
