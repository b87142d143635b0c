package campaign

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Failure is why a try failed, in the form in which it is kept: a text of before there were codes, or a code with what it names, so that each
// reader can be told in their own language. The empty one is none.
type Failure string

type failure struct {
	Code string   `json:"code"`
	Args []string `json:"args,omitempty"`
	Msg  string   `json:"msg"`
}

// failureOf keeps an error. Of what only the log should tell it has the code "internal" and no more.
func failureOf(err error) Failure {
	f := failure{Code: "internal", Msg: "something went wrong; the log of the server says what"}
	if e, ok := errors.AsType[*errs.Error](err); ok && e.Kind != errs.KindInternal {
		f = failure{e.Code, e.Args, strings.TrimSpace(e.Msg)}
	}
	raw, _ := json.Marshal(f) // of texts alone: it cannot fail
	return Failure(raw)
}

// Said returns the stable code, what the message names in its order, and the message in English. A text of old has no code.
func (f Failure) Said() (code string, args []string, msg string) {
	var kept failure
	if strings.HasPrefix(string(f), "{") && json.Unmarshal([]byte(f), &kept) == nil {
		return kept.Code, kept.Args, kept.Msg
	}
	return "", nil, string(f)
}
