package node

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Strict reads JSON into a pointer to a struct. What the struct has no field for, or cannot hold, is an errs.Invalid with the code unreadable, whose Field is the place.
func Strict(raw json.RawMessage, into any, unreadable string) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	err := dec.Decode(into)
	if te, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		given, _, _ := strings.Cut(te.Value, " ")
		return errs.Invalid(unreadable, strings.ReplaceAll(te.Field, "Match.", ""), "use %s here, not %s", fitting(te.Type), said[given])
	}
	if err != nil {
		if field := stray(raw, reflect.TypeOf(into)); field != "" {
			return errs.Invalid(unreadable, field, "there is no such field; take it out, or look for a misspelling")
		}
		return errs.Invalid(unreadable, "", "this is no valid JSON: %v", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return errs.Invalid(unreadable, "", "there is something after the object; remove it")
	}
	return nil
}

// said are the types of JSON in words.
var said = map[string]string{"string": "a text", "number": "this number", "array": "a list", "object": "an object", "bool": "true or false"}

// fitting says what a type of Go holds.
func fitting(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Float64:
		return "a number"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	}
	return "an object"
}

// stray returns the place of the first field that a type has no room for, empty if there is none.
func stray(raw json.RawMessage, t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[json.RawMessage]():
		return ""
	case t.Kind() == reflect.Slice:
		var all []json.RawMessage
		if json.Unmarshal(raw, &all) != nil {
			return ""
		}
		for i, one := range all {
			if field := stray(one, t.Elem()); field != "" {
				return fmt.Sprintf("[%d].%s", i, field)
			}
		}
	case t.Kind() == reflect.Struct:
		var all map[string]json.RawMessage
		if json.Unmarshal(raw, &all) != nil {
			return ""
		}
		known := map[string]reflect.Type{}
		for _, f := range reflect.VisibleFields(t) {
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
				known[strings.ToLower(name)] = f.Type
			}
		}
		for _, name := range slices.Sorted(maps.Keys(all)) {
			of := known[strings.ToLower(name)]
			if of == nil {
				return name
			}
			if field := stray(all[name], of); field != "" {
				return strings.Replace(name+"."+field, ".[", "[", 1)
			}
		}
	}
	return ""
}
