package httpapi

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kizuna-cx/kizuna/internal/domain/quota"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Problem is an error as clients see it (RFC 9457). Code is stable; the detail names the remedy in English.
type Problem struct {
	Type   string   `json:"type" doc:"always about:blank; code says which problem it is"`
	Title  string   `json:"title" doc:"the status in words"`
	Status int      `json:"status"`
	Code   string   `json:"code" doc:"stable, dotted, e.g. segment.rule.too_deep"`
	Detail string   `json:"detail" doc:"what is wrong and how to mend it"`
	Args   []string `json:"args,omitempty" doc:"what the detail names, in its order: for those who word the code in another language"`
	Field  string   `json:"field,omitempty" doc:"the first offending field"`
	Errors []Fault  `json:"errors,omitempty" doc:"every fault found, if there is more than one or it concerns a field"`

	retry int // seconds after which to try again; 0: what is usual for the status
}

// Fault is one thing that is wrong with the input.
type Fault struct {
	Location string   `json:"location,omitempty"`
	Code     string   `json:"code,omitempty"`
	Message  string   `json:"message"`
	Args     []string `json:"args,omitempty" doc:"what the message names, in its order: for those who word the code in another language"`
}

func (p *Problem) Error() string { return p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

const problemType = "application/problem+json"

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return problemType }

// retryAfter is how long to wait before the same call may succeed, in seconds: the sign-in limiter lets one more attempt
// through after at most half a minute; what is unavailable is usually back within seconds.
var retryAfter = map[int]string{http.StatusTooManyRequests: "30", http.StatusServiceUnavailable: "5"}

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if after, ok := retryAfter[p.Status]; ok {
		if p.retry > 0 {
			after = strconv.Itoa(p.retry)
		}
		h.Set("Retry-After", after)
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="kizuna"`)
	}
	return h
}

// plain makes a Problem that concerns no field.
func plain(status int, code, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

// write answers with the problem where no route has matched.
func (p *Problem) write(w http.ResponseWriter) {
	h := w.Header()
	maps.Copy(h, p.GetHeaders())
	h.Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a client that is gone needs no answer
}

var statusOf = map[errs.Kind]int{
	errs.KindInternal:        http.StatusInternalServerError,
	errs.KindInvalid:         http.StatusUnprocessableEntity,
	errs.KindNotFound:        http.StatusNotFound,
	errs.KindConflict:        http.StatusConflict,
	errs.KindForbidden:       http.StatusForbidden,
	errs.KindUnauthenticated: http.StatusUnauthorized,
	errs.KindRateLimited:     http.StatusTooManyRequests,
	errs.KindUnavailable:     http.StatusServiceUnavailable,
}

// problem makes the client's view of an error. Internal errors keep their words to the log.
func problem(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	faults := errs.All(err)
	if len(faults) == 0 || faults[0].Kind == errs.KindInternal {
		return plain(http.StatusInternalServerError, "internal", "something went wrong on our side; it is in the server's log")
	}
	first := faults[0]
	status := statusOf[first.Kind]
	p := plain(status, first.Code, first.Msg)
	p.Field, p.Args = first.Field, first.Args
	if e, ok := errors.AsType[*quota.Exceeded](err); ok {
		p.retry = e.Seconds()
	}
	if len(faults) > 1 || first.Field != "" {
		for _, f := range faults {
			p.Errors = append(p.Errors, faultOf(f))
		}
	}
	return p
}

func faultOf(e *errs.Error) Fault {
	return Fault{Location: e.Field, Code: e.Code, Message: e.Msg, Args: e.Args}
}

// renamed gives the fields of an error the names that they have in the API.
func renamed(err error, name func(field string) string) error {
	for _, e := range errs.All(err) {
		if n := name(e.Field); n != e.Field {
			e.Field = n
		}
	}
	return err
}

// frameworkCodes name what huma refuses for other reasons than its values.
var frameworkCodes = map[int]string{
	http.StatusBadRequest:            "request.malformed",
	http.StatusNotAcceptable:         "request.not_acceptable",
	http.StatusRequestTimeout:        "request.timeout",
	http.StatusRequestEntityTooLarge: "request.too_large",
}

// fromFramework turns what huma finds wrong with a request into a Problem.
func fromFramework(status int, msg string, found ...error) huma.StatusError {
	code, ok := frameworkCodes[status]
	if !ok {
		code = "request.invalid"
	}
	p := plain(status, code, msg)
	for _, err := range found {
		if err == nil {
			continue
		}
		location, message := "", err.Error()
		if d, ok := err.(huma.ErrorDetailer); ok {
			detail := d.ErrorDetail()
			location, message = detail.Location, detail.Message
		}
		p.Errors = append(p.Errors, fault(status, code, location, message))
	}
	if len(p.Errors) > 0 {
		p.Field = p.Errors[0].Location
		p.Detail = msg + ": " + p.Errors[0].Message
	}
	return p
}

// field is the name of an input without where it came in.
func field(location string) string {
	for _, place := range []string{"body", "query", "path", "header"} {
		if rest, ok := strings.CutPrefix(location, place+"."); ok {
			return rest
		}
	}
	return location
}
