package collect

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// rejectedEvent is how the answer names a rejection.
type rejectedEvent struct {
	Index     int    `json:"index"`
	MessageID string `json:"message_id,omitempty"`
	Code      string `json:"code"`
	Reason    string `json:"reason"`
}

func listed(bad []event.Rejection) []rejectedEvent {
	var out []rejectedEvent
	for _, r := range bad {
		out = append(out, rejectedEvent{r.Index, r.MessageID, r.Code, r.Reason})
	}
	return out
}

// answer is the body of every answer but settings and pixels.
type answer struct {
	Success  bool            `json:"success"`
	Code     string          `json:"code,omitempty"`
	Message  string          `json:"message,omitempty"`
	Rejected []rejectedEvent `json:"rejected,omitempty"`
}

// retryAfter is what clients are told under back-pressure, in seconds.
const retryAfter = 2

// fail answers with an error. Only here do kinds become status codes.
func (h *Handler) fail(w http.ResponseWriter, err error) {
	status, a := http.StatusInternalServerError, answer{Code: "internal", Message: "the server failed; the error is in its log"}
	if e, ok := errors.AsType[*errs.Error](err); ok {
		a.Code, a.Message = e.Code, e.Msg
	}
	header := w.Header()
	switch errs.KindOf(err) {
	case errs.KindInvalid:
		status = http.StatusBadRequest
	case errs.KindUnauthenticated:
		status = http.StatusUnauthorized
	case errs.KindNotFound:
		status = http.StatusNotFound
	case errs.KindRateLimited:
		status = http.StatusTooManyRequests
		h.figures.refused.Add(1)
		if e, ok := errors.AsType[interface {
			error
			Seconds() int
		}](err); ok {
			header.Set("Retry-After", strconv.Itoa(e.Seconds()))
			header.Set("X-RateLimit-Reset", strconv.Itoa(e.Seconds()))
		}
	case errs.KindUnavailable:
		status = http.StatusServiceUnavailable
		h.figures.refused.Add(1)
		header.Set("Retry-After", strconv.Itoa(retryAfter))
	default:
		h.c.Logger.Error("intake failed", "err", err)
	}
	reply(w, status, a)
}

var success = []byte(`{"success":true}`)

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	out := success
	if a, ok := body.(answer); !ok || !a.Success || a.Rejected != nil {
		out, _ = json.Marshal(body) // strings, numbers and slices of them: cannot fail
	}
	w.WriteHeader(status)
	_, _ = w.Write(out) // the client may have left
}
