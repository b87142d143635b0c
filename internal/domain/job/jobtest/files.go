package jobtest

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Files is a store of files that can also let go of people.
type Files interface {
	job.Files
	Holding(ctx context.Context, ws string, values []string) ([]string, error)
	Drop(ctx context.Context, ws string, names []string) error
}

// RunFiles checks a store against the contract of job.Files. open returns an empty one.
func RunFiles(t *testing.T, open func(t *testing.T) Files) {
	for name, body := range map[string]func(*testing.T, suite){
		"files are whole and stay in their workspace":        whole,
		"a file grows, and is cut where it is written again": grows,
		"a file can be read from anywhere":                   seeks,
		"what was put can be added to and put again":         mixed,
		"removed is removed, and swept is what is old":       removed,
		"files that hold a value are forgotten":              forgotten,
	} {
		t.Run(name, func(t *testing.T) { body(t, suite{t, open(t)}) })
	}
}

type suite struct {
	t *testing.T
	Files
}

func (s suite) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s suite) read(ws, owner, name string) (string, error) {
	in, size, err := s.Open(s.t.Context(), ws, owner, name)
	if err != nil {
		return "", err
	}
	defer in.Close()
	raw, err := io.ReadAll(in)
	if int64(len(raw)) != size {
		s.t.Errorf("%d bytes read, %d told", len(raw), size)
	}
	return string(raw), err
}

func (s suite) holds(name, want string) {
	s.t.Helper()
	if got, err := s.read("w", "o", name); got != want || err != nil {
		s.t.Errorf("%s holds %.40q (%d bytes), %v; want %.40q (%d)", name, got, len(got), err, want, len(want))
	}
}

func whole(t *testing.T, s suite) {
	ctx := t.Context()
	n, err := s.Put(ctx, "w", "o", "a", strings.NewReader("hello"), 5)
	s.must(err)
	if n != 5 {
		t.Errorf("%d bytes put", n)
	}
	s.holds("a", "hello")
	if _, err := s.Put(ctx, "w", "o", "a", strings.NewReader("hello!"), 5); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("a file beyond the limit: %v", err)
	}
	if _, err := s.Put(ctx, "w", "o", "a", io.MultiReader(strings.NewReader("hel"), iotest.ErrReader(errors.New("cut off"))), 5); err == nil {
		t.Error("half a file was taken")
	}
	s.holds("a", "hello")
	_, err = s.Put(ctx, "w", "o", "empty", strings.NewReader(""), 5)
	s.must(err)
	s.holds("empty", "")
	large := strings.Repeat("0123456789abcdef", 2<<20) // beyond one part of an upload
	if n, err := s.Put(ctx, "w", "o", "large", strings.NewReader(large), 1<<30); n != int64(len(large)) || err != nil {
		t.Errorf("%d bytes put, %v", n, err)
	}
	s.holds("large", large)
	for _, at := range [][3]string{{"v", "o", "a"}, {"w", "o", "b"}, {"w", "..", "a"}, {"w", "o", "../o/a"}, {"", "w", "o"}, {".", "w", "o"}, {"w", "o", ".draft-a"}, {"w", "o", "a/0"}} {
		if _, err := s.read(at[0], at[1], at[2]); !errs.Is(err, errs.KindNotFound) {
			t.Errorf("%v: %v", at, err)
		}
	}
}

func grows(t *testing.T, s suite) {
	add := func(at int64, text string) {
		t.Helper()
		s.must(s.Append(t.Context(), "w", "o", "r", at, []byte(text)))
	}
	add(0, "one\n")
	add(4, "two\n")
	add(4, "2\n") // done again
	s.holds("r", "one\n2\n")
	add(6, "three\n")
	add(12, "four\n")
	add(2, "!") // within what came in one piece
	s.holds("r", "on!")
	add(3, "")
	s.holds("r", "on!")
	add(0, "new")
	s.holds("r", "new")
	if used, err := s.Used(t.Context(), "w"); used != 3 || err != nil {
		t.Errorf("%d bytes used, %v", used, err)
	}
	if used, err := s.Used(t.Context(), "nobody"); used != 0 || err != nil {
		t.Errorf("%d bytes used by nobody, %v", used, err)
	}
}

func seeks(t *testing.T, s suite) {
	for at, text := range []string{"ab", "cd", "ef"} {
		s.must(s.Append(t.Context(), "w", "o", "r", int64(2*at), []byte(text)))
	}
	in, _, err := s.Open(t.Context(), "w", "o", "r")
	s.must(err)
	defer in.Close()
	for _, c := range []struct {
		offset int64
		whence int
		want   string
	}{{3, io.SeekStart, "def"}, {-4, io.SeekEnd, "cdef"}, {0, io.SeekStart, "abcdef"}, {0, io.SeekEnd, ""}, {-5, io.SeekCurrent, "bcdef"}} {
		_, err := in.Seek(c.offset, c.whence)
		s.must(err)
		if got, err := io.ReadAll(in); string(got) != c.want || err != nil {
			t.Errorf("from %d (%d): %q, %v; want %q", c.offset, c.whence, got, err, c.want)
		}
	}
	if _, err := in.Seek(-1, io.SeekStart); err == nil {
		t.Error("sought before the beginning")
	}
}

func mixed(t *testing.T, s suite) {
	put := func(text string) {
		t.Helper()
		_, err := s.Put(t.Context(), "w", "o", "m", strings.NewReader(text), 100)
		s.must(err)
	}
	put("hello")
	s.must(s.Append(t.Context(), "w", "o", "m", 4, []byte("ish")))
	s.holds("m", "hellish")
	s.must(s.Append(t.Context(), "w", "o", "m", 7, []byte("!")))
	put("bye")
	s.holds("m", "bye")
	s.must(s.Append(t.Context(), "w", "o", "m", 3, []byte(".")))
	s.holds("m", "bye.")
}

func removed(t *testing.T, s suite) {
	ctx := t.Context()
	for _, owner := range []string{"o", "p"} {
		s.must(s.Append(ctx, "w", owner, "r", 0, []byte("one")))
		s.must(s.Append(ctx, "w", owner, "r", 3, []byte("two")))
		_, err := s.Put(ctx, "w", owner, "a", strings.NewReader("x"), 5)
		s.must(err)
	}
	s.must(s.Append(ctx, "v", "o", "r", 0, []byte("other")))
	for range 2 {
		s.must(s.Remove(ctx, "w", "o"))
	}
	if _, err := s.read("w", "o", "r"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("removed and there: %v", err)
	}
	if used, err := s.Used(ctx, "w"); used != 7 || err != nil {
		t.Errorf("%d bytes used after one owner was removed, %v", used, err)
	}
	if n, err := s.Sweep(ctx, time.Now().Add(-time.Hour)); n != 0 || err != nil {
		t.Errorf("swept %d that are new, %v", n, err)
	}
	if n, err := s.Sweep(ctx, time.Now().Add(time.Hour)); n != 2 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	for _, ws := range []string{"v", "w"} {
		if used, err := s.Used(ctx, ws); used != 0 || err != nil {
			t.Errorf("%d bytes used after all was swept, %v", used, err)
		}
	}
}

func forgotten(t *testing.T, s suite) {
	const megabyte = 1 << 20
	for name, text := range map[string]string{
		"begin": "Ada@Example.com,x", "none": "bob@example.com", "across": strings.Repeat("x", megabyte-5) + "ada@EXAMPLE.com" + strings.Repeat("y", megabyte),
		"end": strings.Repeat("x", 2*megabyte) + "ada@example.com",
	} {
		s.must(s.Append(t.Context(), "ws_1", "job_"+name, name+".csv", 0, []byte(text)))
	}
	// Written in two pieces, between which the value lies.
	s.must(s.Append(t.Context(), "ws_1", "job_two", "two.csv", 0, []byte("x,ada@exam")))
	s.must(s.Append(t.Context(), "ws_1", "job_two", "two.csv", 10, []byte("ple.com\n")))
	s.must(s.Append(t.Context(), "ws_2", "job_1", "other.csv", 0, []byte("ada@example.com")))
	ada := []string{"ada@example.com", "user-ada"}
	names, err := s.Holding(t.Context(), "ws_1", ada)
	s.must(err)
	slices.Sort(names)
	if want := []string{"job_across/across.csv", "job_begin/begin.csv", "job_end/end.csv", "job_two/two.csv"}; !slices.Equal(names, want) {
		t.Fatalf("%v hold her, want %v", names, want)
	}
	for range 2 { // the first may have died before it was noted
		s.must(s.Drop(t.Context(), "ws_1", names))
	}
	if names, err := s.Holding(t.Context(), "ws_1", ada); len(names) != 0 || err != nil {
		t.Fatalf("afterwards: %v, %v", names, err)
	}
	for ws, file := range map[string][2]string{"ws_1": {"job_none", "none.csv"}, "ws_2": {"job_1", "other.csv"}} {
		if _, err := s.read(ws, file[0], file[1]); err != nil {
			t.Errorf("%s has lost %v: %v", ws, file, err)
		}
	}
	if names, err := s.Holding(t.Context(), "ws_none", ada); len(names) != 0 || err != nil {
		t.Errorf("a workspace without files: %v, %v", names, err)
	}
}
