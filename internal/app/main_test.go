package app

import (
	"bytes"
	"flag"
	"io"
	"slices"
	"strings"
	"testing"
)

// "kizuna import FILE --write-key KEY" was refused because flag stops at the first argument that is no flag.
func TestFlagsMayStandAfterTheFile(t *testing.T) {
	for _, c := range []struct {
		args []string
		key  string
		rest []string
	}{
		{[]string{"--key", "k", "file"}, "k", []string{"file"}},
		{[]string{"file", "--key", "k"}, "k", []string{"file"}},
		{[]string{"a", "--key=k", "b"}, "k", []string{"a", "b"}},
		{[]string{"--key", "k", "--", "--odd", "-name"}, "k", []string{"--odd", "-name"}},
		{[]string{"file", "--", "--key", "k"}, "", []string{"file", "--key", "k"}},
		{[]string{"file", "-"}, "", []string{"file", "-"}},
		{nil, "", nil},
	} {
		fs := flag.NewFlagSet("x", flag.ContinueOnError)
		fs.SetOutput(io.Discard)
		key := fs.String("key", "", "")
		if err := parse(fs, c.args); err != nil || *key != c.key || !slices.Equal(fs.Args(), c.rest) {
			t.Errorf("%q: key %q, rest %q, %v", c.args, *key, fs.Args(), err)
		}
	}
	fs := flag.NewFlagSet("x", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	if err := parse(fs, []string{"file", "--unknown"}); err == nil {
		t.Error("an unknown flag after the file is taken")
	}
}

// "kizuna serve extra" started a server in the default folder, "kizuna replay ... 2026-03-02" replayed up to now.
func TestArgumentsThatACommandDoesNotTakeAreRefused(t *testing.T) {
	for _, c := range commands() {
		if c.args != "" {
			continue
		}
		var out, errs bytes.Buffer
		if code := Main(t.Context(), []string{c.name, "extra"}, IO{In: strings.NewReader(""), Out: &out, Err: &errs}); code != 2 || !strings.HasPrefix(errs.String(), `kizuna `+c.name+`: "extra": `) {
			t.Errorf("%s: %d, %q", c.name, code, errs.String())
		}
	}
}

func TestTheDoctorsVerdictCountsWhatIsToBeLookedAt(t *testing.T) {
	d := doctor{quiet: true}
	d.check("a", nil, "", "")
	d.warn("b", "", "", "")
	if got := d.verdict(); got != "all is well" {
		t.Error(got)
	}
	d.warn("c", "late", "hurry", "")
	if got := d.verdict(); got != "nothing is wrong; to look at: 1" {
		t.Error(got)
	}
}
