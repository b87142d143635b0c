package sqlstore_test

import (
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestTheLastBackupIsRemembered(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := sqlstore.NewBackups(db)
		is := func(when string, want sqlstore.Backup) {
			t.Helper()
			if got, err := s.Last(t.Context()); err != nil || got != want {
				t.Errorf("%s: %+v, %v; want %+v", when, got, err, want)
			}
		}
		is("at first", sqlstore.Backup{})
		at := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
		first, second := sqlstore.Backup{at, "one", "/backups/a"}, sqlstore.Backup{at.AddDate(0, 0, -1), "two", "/backups/b"}
		for when, b := range map[string]sqlstore.Backup{"one": first, "the same again": first, "one by a clock that goes back": second} {
			if err := s.Note(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			is(when, b)
		}
		if err := s.Forget(t.Context()); err != nil {
			t.Fatal(err)
		}
		is("forgotten", sqlstore.Backup{})
	})
}
