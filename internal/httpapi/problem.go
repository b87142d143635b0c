package httpapi

import (
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Problem is an error as clients see it (RFC 9457). Code is stable; the detail names the remedy in English.
type Problem struct {
	Type   string  `json:"type" doc:"always about:blank; code says which problem it is"`
	Title  string  `json:"title" doc:"the status in words"`
	Status int     `json:"status"`
	Code   string  `json:"code" doc:"stable, dotted, e.g. segment.rule.too_deep"`
	Detail string  `json:"detail" doc:"what is wrong and how to mend it"`
	Field  string  `json:"field,omitempty" doc:"the first offending field"`
	Errors []Fault `json:"errors,omitempty" doc:"every fault found, if there is more than one or it concerns a field"`
}

// Fault is one thing that is wrong with the input.
type Fault struct {
	Location string `json:"location,omitempty"`
	Code     string `json:"code,omitempty"`
	Message  string `json:"message"`
}

func (p *Problem) Error() string { return p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

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
		return &Problem{Type: "about:blank", Title: http.StatusText(http.StatusInternalServerError), Status: http.StatusInternalServerError, Code: "internal", Detail: "something went wrong on our side; it is in the server's log"}
	}
	first := faults[0]
	status := statusOf[first.Kind]
	p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: first.Code, Detail: first.Msg, Field: first.Field}
	if len(faults) > 1 || first.Field != "" {
		for _, f := range faults {
			p.Errors = append(p.Errors, Fault{Location: f.Field, Code: f.Code, Message: f.Msg})
		}
	}
	return p
}

// fromFramework turns what huma finds wrong with a request into a Problem.
func fromFramework(status int, msg string, found ...error) huma.StatusError {
	p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: "request.invalid", Detail: msg}
	for _, err := range found {
		if err == nil {
			continue
		}
		f := Fault{Message: err.Error()}
		if d, ok := err.(huma.ErrorDetailer); ok {
			detail := d.ErrorDetail()
			f.Location, f.Message = strings.TrimPrefix(detail.Location, "body."), detail.Message
		}
		p.Errors = append(p.Errors, f)
	}
	if len(p.Errors) > 0 {
		p.Field = p.Errors[0].Location
		p.Detail = msg + ": " + p.Errors[0].Message
	}
	if status == http.StatusNotFound {
		p.Code = "route.not_found"
	}
	return p
}
