package campaign

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func TestAFailureKeepsItsCodeAndWhatItNames(t *testing.T) {
	for _, c := range []struct {
		name      string
		kept      Failure
		code, msg string
		args      []string
	}{
		{"for people", failureOf(fmt.Errorf("prepare: %w", errs.NotFound("segment", "seg_1"))), "segment.not_found", `no segment "seg_1" here`, []string{"seg_1"}},
		{"for the log", failureOf(errors.New("dial tcp 10.0.0.1: refused")), "internal", "something went wrong; the log of the server says what", nil},
		{"from before there were codes", "it answers {503}", "", "it answers {503}", nil},
		{"none", "", "", "", nil},
	} {
		if code, args, msg := c.kept.Said(); code != c.code || msg != c.msg || !slices.Equal(args, c.args) {
			t.Errorf("%s: %q %q %q", c.name, code, args, msg)
		}
	}
}
