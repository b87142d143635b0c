// Package errs is the one error vocabulary of the product.
//
// An error has one of eight kinds, a stable dotted code that clients may switch on
// ("person.identifier.blocked"), the field it concerns if any, and a message in plain
// English that names the remedy. Only httpapi translates kinds into status codes; the
// console translates codes into the reader's language.
package errs

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what the caller can do about an error.
type Kind uint8

// The kinds. The zero value is Internal, so that a forgotten kind never looks like the caller's fault.
const (
	KindInternal Kind = iota
	KindInvalid
	KindNotFound
	KindConflict
	KindForbidden
	KindUnauthenticated
	KindRateLimited
	KindUnavailable
)

var kindNames = [...]string{"internal", "invalid", "not_found", "conflict", "forbidden", "unauthenticated", "rate_limited", "unavailable"}

func (k Kind) String() string { return kindNames[k] }

// Error is an error of a known kind.
type Error struct {
	Kind  Kind
	Code  string   // stable and dotted, e.g. "segment.rule.too_deep"
	Field string   // path of the offending input, e.g. "rule.all[2].event.window"; empty if none
	Msg   string   // what is wrong and how to mend it
	Args  []string // what Msg names, in its order, so that other languages can name it too
	Err   error    // cause, not shown to users
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Field != "" {
		b.WriteString(e.Field)
		b.WriteString(": ")
	}
	b.WriteString(e.Msg)
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Invalid reports input that the caller must change.
func Invalid(code, field, format string, args ...any) *Error {
	return &Error{Kind: KindInvalid, Code: code, Field: field, Msg: fmt.Sprintf(format, args...), Args: words(args)}
}

// NotFound reports that the noun with this id does not exist in the workspace.
func NotFound(noun, id string) *Error {
	return &Error{Kind: KindNotFound, Code: noun + ".not_found", Msg: fmt.Sprintf("no %s %q here", noun, id), Args: []string{id}}
}

// Conflict reports that the current state forbids the change.
func Conflict(code, format string, args ...any) *Error {
	return &Error{Kind: KindConflict, Code: code, Msg: fmt.Sprintf(format, args...), Args: words(args)}
}

// Forbidden reports that the actor is known but lacks the permission.
func Forbidden(code, format string, args ...any) *Error {
	return &Error{Kind: KindForbidden, Code: code, Msg: fmt.Sprintf(format, args...), Args: words(args)}
}

// Unauthenticated reports that the actor is unknown.
func Unauthenticated(code, format string, args ...any) *Error {
	return &Error{Kind: KindUnauthenticated, Code: code, Msg: fmt.Sprintf(format, args...), Args: words(args)}
}

// RateLimited reports that the caller should slow down.
func RateLimited(code, format string, args ...any) *Error {
	return &Error{Kind: KindRateLimited, Code: code, Msg: fmt.Sprintf(format, args...), Args: words(args)}
}

// Unavailable reports a temporary condition: the same call may succeed later.
func Unavailable(code, format string, args ...any) *Error {
	return &Error{Kind: KindUnavailable, Code: code, Msg: fmt.Sprintf(format, args...), Args: words(args)}
}

func words(args []any) []string {
	if len(args) == 0 {
		return nil
	}
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = fmt.Sprint(a)
	}
	return out
}

// With returns a copy of e that carries the cause.
func (e *Error) With(cause error) *Error {
	c := *e
	c.Err = cause
	return &c
}

// KindOf returns the kind of the first *Error in the chain (of a join: of its first member), KindInternal if none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindInternal
}

// Is reports whether err is of the kind.
func Is(err error, k Kind) bool { return err != nil && KindOf(err) == k }

// All flattens a chain or join into its *Error members, in order; validation returns several.
func All(err error) []*Error {
	switch e := err.(type) {
	case nil:
		return nil
	case *Error:
		return []*Error{e}
	case interface{ Unwrap() []error }:
		var out []*Error
		for _, m := range e.Unwrap() {
			out = append(out, All(m)...)
		}
		return out
	case interface{ Unwrap() error }:
		return All(e.Unwrap())
	}
	return nil
}
