package folder_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/folder"
)

var _ job.Files = (*folder.Folder)(nil)

func TestFilesAreWholeAndStayInTheirWorkspace(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	f, err := folder.Open(filepath.Join(dir, "files"))
	must(t, err)
	t.Cleanup(func() { must(t, f.Close()) })
	read := func(ws, owner, name string) (string, error) {
		in, size, err := f.Open(ctx, ws, owner, name)
		if err != nil {
			return "", err
		}
		defer in.Close()
		raw, err := io.ReadAll(in)
		if int64(len(raw)) != size {
			t.Errorf("%d bytes read, %d told", len(raw), size)
		}
		return string(raw), err
	}
	n, err := f.Put(ctx, "w", "o", "a", strings.NewReader("hello"), 5)
	must(t, err)
	if got, err := read("w", "o", "a"); got != "hello" || n != 5 || err != nil {
		t.Fatalf("%q %d %v", got, n, err)
	}
	if _, err := f.Put(ctx, "w", "o", "a", strings.NewReader("hello!"), 5); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("a file beyond the limit: %v", err)
	}
	if _, err := f.Put(ctx, "w", "o", "a", io.MultiReader(strings.NewReader("hel"), iotest.ErrReader(errors.New("cut off"))), 5); err == nil {
		t.Error("half a file was taken")
	}
	if got, _ := read("w", "o", "a"); got != "hello" {
		t.Errorf("a put that failed has left %q", got)
	}
	for _, at := range [][3]string{{"v", "o", "a"}, {"w", "o", "b"}, {"w", "..", "a"}, {"w", "o", "../o/a"}, {"", "w", "o"}, {".", "w", "o"}, {"w", "o", ".draft-a"}} {
		if _, err := read(at[0], at[1], at[2]); !errs.Is(err, errs.KindNotFound) {
			t.Errorf("%v: %v", at, err)
		}
	}
	must(t, f.Append(ctx, "w", "j", "r", 0, []byte("one\n")))
	must(t, f.Append(ctx, "w", "j", "r", 4, []byte("two\n")))
	must(t, f.Append(ctx, "w", "j", "r", 4, []byte("2\n"))) // done again
	if got, err := read("w", "j", "r"); got != "one\n2\n" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	if used, err := f.Used(ctx, "w"); used != 11 || err != nil {
		t.Errorf("%d bytes used, %v", used, err)
	}
	if used, err := f.Used(ctx, "nobody"); used != 0 || err != nil {
		t.Errorf("%d bytes used by nobody, %v", used, err)
	}
	old := time.Now().Add(-time.Hour)
	for _, p := range []string{"o", "o/a"} {
		must(t, os.Chtimes(filepath.Join(dir, "files", "w", p), old, old))
	}
	if n, err := f.Sweep(ctx, time.Now().Add(-time.Minute)); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	if _, err := read("w", "o", "a"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("swept and there: %v", err)
	}
	must(t, f.Remove(ctx, "w", "j"))
	must(t, f.Remove(ctx, "w", "j"))
	if used, err := f.Used(ctx, "w"); used != 0 || err != nil {
		t.Errorf("%d bytes used after all was removed, %v", used, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
