package folder_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/job/jobtest"
	"github.com/kizuna-cx/kizuna/internal/storage/folder"
)

func open(t *testing.T, dir string) *folder.Folder {
	t.Helper()
	f, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func TestAFolderKeepsFiles(t *testing.T) {
	jobtest.RunFiles(t, func(t *testing.T) jobtest.Files { return open(t, t.TempDir()) })
}

func TestOnlyWhatIsOldIsSwept(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	for _, owner := range []string{"old", "new"} {
		if err := f.Append(t.Context(), "w", owner, "a", 0, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	then := time.Now().Add(-time.Hour)
	for _, p := range []string{"old", "old/a"} {
		if err := os.Chtimes(filepath.Join(dir, "w", p), then, then); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := f.Sweep(t.Context(), time.Now().Add(-time.Minute)); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	if used, err := f.Used(t.Context(), "w"); used != 1 || err != nil {
		t.Errorf("%d bytes left, %v", used, err)
	}
}
