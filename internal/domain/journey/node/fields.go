package node

import (
	"errors"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Under prefixes the fields of validation errors with the field they stand in.
func Under(field string, err error) error {
	return refield(err, func(f string) string {
		if f == "" {
			return field
		}
		return field + "." + f
	})
}

// UnderRule moves errors of a rule, whose fields begin with "rule", to where the rule stands.
func UnderRule(field string, err error) error {
	return refield(err, func(f string) string { return field + strings.TrimPrefix(f, "rule") })
}

// filterError moves errors of the rule that wraps a filter to where the filter stands in the configuration.
func filterError(field string, err error) error {
	return refield(err, func(f string) string {
		if i := strings.Index(f, "filter"); i >= 0 {
			return field + "." + f[i:]
		}
		return field + ".filter"
	})
}

func refield(err error, name func(string) string) error {
	var out []error
	for _, e := range errs.All(err) {
		c := *e
		c.Field = name(c.Field)
		out = append(out, &c)
	}
	switch len(out) {
	case 0:
		return err
	case 1:
		return out[0]
	}
	return errors.Join(out...)
}
