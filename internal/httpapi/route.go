package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// public marks a route that needs no caller.
const public = staff.Permission("")

// signedIn marks a route that every caller may use.
const signedIn = staff.Permission("*")

// route registers one operation. need is the permission that the caller must have.
func route[I, O any](a *api, method, path, id, summary string, need staff.Permission, do func(ctx context.Context, in *I) (*O, error), options ...func(*huma.Operation)) {
	op := huma.Operation{
		OperationID: id, Method: method, Path: "/api/v1" + path, Summary: summary, Description: "Open to everybody.",
		Errors: []int{http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusServiceUnavailable},
	}
	if strings.Contains(path, "{") {
		op.Errors = append(op.Errors, http.StatusNotFound)
	}
	if method != http.MethodGet {
		op.Errors = append(op.Errors, http.StatusConflict, http.StatusForbidden)
	}
	if _, ok := reflect.TypeFor[I]().FieldByName("Body"); ok {
		op.Errors = append(op.Errors, http.StatusBadRequest, http.StatusRequestEntityTooLarge)
	}
	if need != public {
		op.Security = []map[string][]string{{"key": {}}, {"session": {}}}
		op.Errors = append(op.Errors, http.StatusUnauthorized, http.StatusForbidden)
		op.Middlewares = huma.Middlewares{a.guard(need)}
		op.Description = "Open to every caller."
		if need != signedIn {
			op.Description = "Needs the permission `" + string(need) + "`."
		}
	}
	if method != http.MethodGet && !reads(reflect.TypeFor[I]()) {
		op.Middlewares = append(op.Middlewares, a.takesNoBody)
	}
	op.Middlewares = append(op.Middlewares, a.knowsQuery(isList(reflect.TypeFor[O]())))
	for _, o := range options {
		o(&op)
	}
	slices.Sort(op.Errors)
	op.Errors = slices.Compact(op.Errors)
	a.names.operation = id
	times := holdsTimes(reflect.TypeFor[I](), map[reflect.Type]bool{})
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		if times {
			if err := checkTimes(reflect.ValueOf(in), ""); err != nil {
				return nil, a.fail(ctx, id, err)
			}
		}
		ctx, changes := collecting(ctx)
		out, err := do(ctx, in)
		if err != nil {
			return nil, a.fail(ctx, id, err)
		}
		a.publish(ctx, *changes)
		return out, nil
	})
}

// knowsQuery refuses requests whose query has a parameter that the route does not know: a filter that is misspelt would let everything through. A list that
// comes whole is its one page for those who page through all lists alike.
func (a *api) knowsQuery(list bool) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		url := ctx.URL()
		var known []string
		for _, p := range ctx.Operation().Parameters {
			if p.In == "query" {
				known = append(known, p.Name)
			}
		}
		var faults []error
		for _, name := range slices.Sorted(maps.Keys(url.Query())) {
			switch {
			case slices.Contains(known, name), list && (name == "limit" || name == "cursor"):
			case len(known) == 0:
				faults = append(faults, errs.Invalid("request.no_parameters", name, "there are no parameters here; take it out of the address"))
			default:
				faults = append(faults, errs.Invalid("request.unknown_parameter", name, "there is no such parameter; use one of %s", strings.Join(known, ", ")))
			}
		}
		if len(faults) > 0 {
			a.refuse(ctx, errors.Join(faults...))
			return
		}
		next(ctx)
	}
}

// takesNoBody refuses a body that says something where a route takes none: what it asks for, such as a time, would be passed over. An empty object says nothing.
func (a *api) takesNoBody(ctx huma.Context, next func(huma.Context)) {
	said := json.NewDecoder(ctx.BodyReader())
	if open, err := said.Token(); err == nil && open == json.Delim('{') {
		first, _ := said.Token()
		if name, ok := first.(string); ok {
			a.refuse(ctx, errs.Invalid("request.no_body", name, "nothing can be said here; leave the body empty, or look for the address that takes it"))
			return
		}
	}
	next(ctx)
}

// reads says whether a request has a body, declared or read by its own hand.
func reads(request reflect.Type) bool {
	_, declared := request.FieldByName("Body")
	_, raw := request.FieldByName("RawBody")
	return declared || raw || reflect.PointerTo(request).Implements(reflect.TypeFor[huma.Resolver]())
}

// isList says whether an answer is a List.
func isList(answer reflect.Type) bool {
	body, ok := answer.FieldByName("Body")
	if !ok || body.Type.Kind() != reflect.Struct {
		return false
	}
	_, ok = body.Type.FieldByName("NextCursor")
	return ok
}

// created makes a route answer 201.
func created(op *huma.Operation) { op.DefaultStatus = http.StatusCreated }

// noContent makes a route answer 204.
func noContent(op *huma.Operation) { op.DefaultStatus = http.StatusNoContent }

// bodyLimit raises the size of the request body, and with it the time that it may take.
func bodyLimit(bytes int64) func(*huma.Operation) {
	return func(op *huma.Operation) { op.MaxBodyBytes, op.BodyReadTimeout = bytes, 30*time.Second }
}

// fail translates an error and logs what only we should read.
func (a *api) fail(ctx context.Context, op string, err error) *Problem {
	p := problem(err)
	if p.Status >= http.StatusInternalServerError && ctx.Err() == nil {
		a.c.Log.Error("api call failed", "operation", op, "err", err)
	}
	return p
}

// Paging is the query of every list.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"items a page"`
	Cursor string `query:"cursor" doc:"next_cursor of the page before"`
}

func (p Paging) request() page.Request { return page.Request{Limit: p.Limit, Cursor: p.Cursor} }

// List is a page of T.
type List[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor" doc:"empty on the last page"`
}

// body wraps an answer for huma.
type body[T any] struct{ Body T }

func answer[T any](v T) *body[T] { return &body[T]{Body: v} }

// list makes a page of shapes from a page of domain values.
func list[D, S any](p page.Of[D], shape func(D) S) *body[List[S]] {
	out := List[S]{Items: make([]S, len(p.Items)), NextCursor: p.Next}
	for i, d := range p.Items {
		out.Items[i] = shape(d)
	}
	return answer(out)
}

// IDPath is the path of one thing. It is exported because huma reads embedded fields of exported types only.
type IDPath struct {
	ID string `path:"id"`
}

// in is a request with a body.
type in[T any] struct{ Body T }

// inAt is a request with a body on one thing.
type inAt[T any] struct {
	IDPath
	Body T
}

// PageAt is a list below one thing.
type PageAt struct {
	IDPath
	Paging
}

type nothing struct{}

// moment returns nil for the zero time, so that it is left out.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
