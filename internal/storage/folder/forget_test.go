package folder_test

import (
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/storage/folder"
)

func TestFilesThatHoldAValueAreForgotten(t *testing.T) {
	f, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const megabyte = 1 << 20
	for name, text := range map[string]string{
		"begin": "Ada@Example.com,x", "none": "bob@example.com", "across": strings.Repeat("x", megabyte-5) + "ada@EXAMPLE.com" + strings.Repeat("y", megabyte),
		"end": strings.Repeat("x", 2*megabyte) + "ada@example.com",
	} {
		if err := f.Append(t.Context(), "ws_1", "job_"+name, name+".csv", 0, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Append(t.Context(), "ws_2", "job_1", "other.csv", 0, []byte("ada@example.com")); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int64{3, 0} {
		if n, err := f.Forget(t.Context(), "ws_1", []string{"ada@example.com", "user-ada"}); n != want || err != nil {
			t.Fatalf("round %d: %d files, %v", i, n, err)
		}
	}
	for ws, file := range map[string][2]string{"ws_1": {"job_none", "none.csv"}, "ws_2": {"job_1", "other.csv"}} {
		in, _, err := f.Open(t.Context(), ws, file[0], file[1])
		if err != nil {
			t.Fatalf("%s has lost %v: %v", ws, file, err)
		}
		_ = in.Close()
	}
	if n, err := f.Forget(t.Context(), "ws_none", []string{"ada@example.com"}); n != 0 || err != nil {
		t.Errorf("a workspace without files: %d, %v", n, err)
	}
}
