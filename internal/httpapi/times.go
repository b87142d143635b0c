package httpapi

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// A time in another zone may lie in the year 10000 of UTC, which JSON cannot say: what holds it could be written, and never be read again.

var aTime = reflect.TypeFor[time.Time]()

// holdsTimes reports whether values of a type may hold times.
func holdsTimes(t reflect.Type, seen map[reflect.Type]bool) bool {
	if t == aTime {
		return true
	}
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		return holdsTimes(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() && holdsTimes(f.Type, seen) {
				return true
			}
		}
	}
	return false
}

// checkTimes refuses the first time of a request that could not be answered.
func checkTimes(v reflect.Value, field string) error {
	switch {
	case v.Type() == aTime:
		if at := v.Interface().(time.Time); !at.IsZero() && (at.UTC().Year() < 1 || at.UTC().Year() > 9999) {
			return errs.Invalid("request.time_range", field, "choose a time between the years 1 and 9999")
		}
	case v.Kind() == reflect.Pointer:
		if !v.IsNil() {
			return checkTimes(v.Elem(), field)
		}
	case v.Kind() == reflect.Slice && holdsTimes(v.Type(), map[reflect.Type]bool{}):
		for i := range v.Len() {
			if err := checkTimes(v.Index(i), fmt.Sprintf("%s[%d]", field, i)); err != nil {
				return err
			}
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			name, _, _ := strings.Cut(cmp.Or(f.Tag.Get("json"), f.Tag.Get("query"), f.Tag.Get("path"), f.Tag.Get("header")), ",")
			if err := checkTimes(v.Field(i), strings.Trim(field+"."+name, ".")); err != nil {
				return err
			}
		}
	}
	return nil
}
