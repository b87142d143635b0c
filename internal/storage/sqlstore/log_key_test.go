package sqlstore_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/secret"
	"github.com/kizuna-cx/kizuna/internal/kit/shred"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestKeysOfTheLogAreKeptAndDestroyed(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		clearTables(t, db, "log_key")
		box, err := secret.NewBox(bytes.Repeat([]byte{7}, 32))
		if err != nil {
			t.Fatal(err)
		}
		s := sqlstore.NewLogKey(db, box)
		ring := func() *shred.Ring {
			t.Helper()
			nodes, err := s.Nodes(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return shred.New([]byte("salt"), nodes, nil)
		}
		now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
		r := ring()
		if err := s.Turn(t.Context(), r, now, 48*time.Hour); err != nil {
			t.Fatal(err)
		}
		ada, bob := r.Seal(nil, "ada", []byte("a")), r.Seal(nil, "bob", []byte("b"))
		if n, err := r.Destroy([]string{"ada"}, func(c shred.Change) error { return s.Keep(t.Context(), c) }); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		r = ring() // as after a restart
		if _, _, err := r.Open(ada); !errors.Is(err, shred.ErrErased) {
			t.Errorf("ada: %v", err)
		}
		if plain, _, err := r.Open(bob); err != nil || string(plain) != "b" {
			t.Errorf("bob: %q %v", plain, err)
		}
		if err := s.Turn(t.Context(), r, now.AddDate(0, 0, 9), 48*time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := s.Turn(t.Context(), r, now.AddDate(0, 0, 13), 48*time.Hour); err != nil {
			t.Fatal(err)
		}
		if _, _, err := ring().Open(bob); !errors.Is(err, shred.ErrErased) {
			t.Errorf("of a tree that should be forgotten: %v", err)
		}
		other, err := secret.NewBox(bytes.Repeat([]byte{8}, 32))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sqlstore.NewLogKey(db, other).Nodes(t.Context()); err == nil {
			t.Error("another master key opens the keys")
		}
	})
}
