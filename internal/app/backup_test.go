package app

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// lastBackup is what the records of an installation say of its backups.
func lastBackup(t *testing.T, c Config) sqlstore.Backup {
	t.Helper()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	db, err := sqldb.Open(t.Context(), c.Database, sqldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	b, err := sqlstore.NewBackups(db).Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// succeed runs a command of the program, which must go well, and returns what it says.
func succeed(t *testing.T, args ...string) string {
	t.Helper()
	var out, progress bytes.Buffer
	if code := Main(t.Context(), args, IO{Out: &out, Err: &progress}); code != 0 {
		t.Fatalf("%s: %d\n%s", strings.Join(args, " "), code, &progress)
	}
	return out.String()
}

// What the records say of backups goes into the next one, and over to other engines: who is made of them has none all the same.
func TestABackupIsOfTheInstallationThatMadeIt(t *testing.T) {
	from, _ := leave(t)
	if b := lastBackup(t, into(t, from)); b != (sqlstore.Backup{}) {
		t.Errorf("before the first: %+v", b)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	var made string
	var last sqlstore.Backup
	for range 2 { // the second holds what is said of the first
		made, _, _ = strings.Cut(succeed(t, "backup", "--data", from, t.TempDir()), "\n")
		m, err := readManifest(made)
		if last = lastBackup(t, into(t, from)); err != nil || last != (sqlstore.Backup{Made: m.Made, Host: host, Folder: made}) {
			t.Errorf("%+v is told of %s, made %v; %v", last, made, m.Made, err)
		}
	}
	restored := filepath.Join(t.TempDir(), "restored")
	succeed(t, "restore", "--data", restored, "--key", filepath.Join(from, "master.key"), made)
	if b := lastBackup(t, into(t, restored)); b != (sqlstore.Backup{}) {
		t.Errorf("the restored one says %+v", b)
	}
	moved := into(t, filepath.Join(t.TempDir(), "moved"))
	if err := migrate(t.Context(), from, moved, false, IO{Out: io.Discard, Err: io.Discard}); err != nil {
		t.Fatal(err)
	}
	if b := lastBackup(t, moved); b != (sqlstore.Backup{}) {
		t.Errorf("the one that has moved says %+v", b)
	}
	if b := lastBackup(t, into(t, from)); b != last {
		t.Errorf("the old one says %+v, want %+v", b, last)
	}
}
