package node

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/content/liquid"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Text is a text of a node's configuration that is filled in when the step is done.
type Text struct {
	Field    string // relative to the configuration
	Template *liquid.Template
}

// Worded is a node with texts that may name person.*, event.* and answers.*.
type Worded interface{ Texts() []Text }

// texts compiles what an author wrote and keeps it.
type texts struct {
	all  []Text
	fail func(error)
}

// parse compiles a field; nil for an empty one.
func (p *texts) parse(field, src string, mode liquid.Mode) *liquid.Template {
	if src == "" {
		return nil
	}
	t, err := liquid.Parse(src, mode, liquid.Limits{Source: maxCallTemplate, Output: maxCallBody, Steps: 20_000})
	if e, ok := errors.AsType[*liquid.Error](err); ok {
		p.fail(errs.Invalid("journey.template."+e.Code, field, "line %d, column %d: %s", e.Line, e.Col, e.Msg))
	} else if err != nil {
		p.fail(err)
	} else {
		p.all = append(p.all, Text{field, t})
	}
	return t
}

// oneName is a text that is one variable and nothing else.
var oneName = regexp.MustCompile(`^\s*\{\{\s*([A-Za-z_][\w-]*(?:\.[\w-]+)*)\s*\}\}\s*$`)

// filler makes a JSON value out of what is known.
type filler func(r *rendering) any

// rendering fills templates and remembers the first failure.
type rendering struct {
	vars map[string]any
	env  liquid.Env
	err  error
}

func (r *rendering) text(t *liquid.Template) string {
	if t == nil || r.err != nil {
		return ""
	}
	out, _, err := t.Render(r.vars, r.env)
	r.err = err
	return out
}

// filler compiles every text of a JSON value.
func (p *texts) filler(field string, v any) filler {
	switch v := v.(type) {
	case string:
		t := p.parse(field, v, liquid.Text)
		if m := oneName.FindStringSubmatch(v); m != nil {
			path := strings.Split(m[1], ".")
			return func(r *rendering) any { return walkTo(r.vars, path) }
		}
		return func(r *rendering) any { return r.text(t) }
	case []any:
		all := make([]filler, len(v))
		for i := range v {
			all[i] = p.filler(fmt.Sprintf("%s[%d]", field, i), v[i])
		}
		return func(r *rendering) any {
			out := make([]any, len(all))
			for i, f := range all {
				out[i] = f(r)
			}
			return out
		}
	case map[string]any:
		all := map[string]filler{}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			all[k] = p.filler(field+"."+k, v[k])
		}
		return func(r *rendering) any {
			out := make(map[string]any, len(all))
			for _, k := range slices.Sorted(maps.Keys(all)) {
				out[k] = all[k](r)
			}
			return out
		}
	}
	return func(*rendering) any { return v }
}

func walkTo(v any, path []string) any {
	for _, key := range path {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[key]
	}
	return v
}
