package console

import (
	"go/ast"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// refusal is a place in the code that makes an error of package errs.
type refusal struct {
	code string
	args int // how many things its message names
}

// computed are the codes that are put together when the product runs, with what can come of them.
var computed = map[string][]string{
	`"journey.missing." + kind`: {
		"journey.missing.template", "journey.missing.topic", "journey.missing.segment", "journey.missing.journey",
		"journey.missing.list", "journey.missing.secret",
	},
	`"journey.template." + e.Code`: {
		"journey.template.liquid.syntax", "journey.template.liquid.filter.arguments", "journey.template.liquid.filter.unknown",
		"journey.template.liquid.html.branch", "journey.template.liquid.html.position", "journey.template.liquid.limit.depth",
		"journey.template.liquid.limit.source", "journey.template.liquid.tag.unknown",
	},
	`"journey." + kind + ".list"`: {"journey.add_to_list.list", "journey.remove_from_list.list"},
	`"quota." + string(k)`:        {"quota.events_per_second", "quota.events_per_day", "quota.requests_per_second"},
	`"staff.password." + code`:    {"staff.password.length", "staff.password.weak"},
	`"workspace." + code`: {
		"workspace.name.length", "workspace.timezone.unknown", "workspace.currency.unknown", "workspace.default_region.unknown", "workspace.locale.unknown",
		"workspace.settings.public_url.invalid", "workspace.settings.site_url.invalid", "workspace.settings.sender_email.invalid",
		"workspace.settings.reply_to.invalid", "workspace.settings.sender_name.invalid", "workspace.settings.postal_address.length",
	},
	`code`:       {"journey.switch.from", "journey.set_trait.from"}, // of checkPath, which is told the code
	`unreadable`: {"journey.graph", "journey.node.config"},          // of node.Strict
}

// refusals finds where a package makes errors.
func refusals(t *testing.T, dir string) (out []refusal) {
	t.Helper()
	for _, f := range source(t, dir) {
		ast.Inspect(f, func(n ast.Node) bool {
			c, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			fun, ok := c.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if p, ok := fun.X.(*ast.Ident); !ok || p.Name != "errs" {
				return true
			}
			before := 2 // code and format
			switch fun.Sel.Name {
			case "Invalid":
				before = 3
			case "Conflict", "Forbidden", "Unauthenticated", "RateLimited", "Unavailable":
			case "NotFound":
				if noun, ok := text(c.Args[0]); ok {
					out = append(out, refusal{noun + ".not_found", 1})
				}
				return true
			default:
				return true
			}
			if code, ok := text(c.Args[0]); ok {
				out = append(out, refusal{code, len(c.Args) - before})
				return true
			}
			made := computed[expression(c.Args[0])]
			if len(made) == 0 {
				t.Errorf("%s: nobody says what the code %s can be; list it in computed", dir, expression(c.Args[0]))
			}
			for _, code := range made {
				out = append(out, refusal{code, len(c.Args) - before})
			}
			return true
		})
	}
	return out
}

func expression(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Value
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return expression(e.X) + "." + e.Sel.Name
	case *ast.BinaryExpr:
		return expression(e.X) + " " + e.Op.String() + " " + expression(e.Y)
	}
	return "?"
}

var numbered = regexp.MustCompile(`\{(\d+)\}`)

// What staff can be refused for while they work with people, journeys, imports and settings is worded in each language, and the words name only what the refusal brings along ({0} is the first
// thing that the English message names).
func TestEveryRefusalHasItsWords(t *testing.T) {
	var all []refusal
	for _, dir := range []string{
		"domain/journey", "domain/journey/node", "domain/rule", "domain/rule/leaf", "domain/task", "domain/privacy", "kit/guard",
		"storage/sqlstore/journey*.go", "storage/sqlstore/task.go",
		"domain/person", "domain/personal", "domain/staff", "domain/workspace", "domain/importer", "domain/job", "domain/hook", "domain/invoice",
		"storage/sqlstore/staff.go", "storage/sqlstore/invoice.go", "kit/page",
	} {
		found := refusals(t, dir)
		if len(found) == 0 {
			t.Errorf("%s: only %d refusals found: the search does not fit the code any more", dir, len(found))
		}
		all = append(all, found...)
	}
	// What the connected nouns say of a draft that names them (world.Check... in package app).
	all = append(all, refusal{"template.archived", 1}, refusal{"topic.archived", 1}, refusal{"template.site_missing", 1}, refusal{"template.unfilled", 4},
		refusal{"template.not_found", 1}, refusal{"topic.not_found", 1})
	for _, language := range []string{"en", "zh-Hans", "ja"} {
		words, said := catalogue(t, language), map[string]bool{}
		for _, r := range all {
			text, ok := words["error."+r.code]
			if !ok && strings.HasSuffix(r.code, ".not_found") {
				text, ok = words["error.not_found"] // as api/problem.ts has it
			}
			if !ok {
				if !said[r.code] {
					t.Errorf("%s lacks error.%s (of %d)", language, r.code, r.args)
				}
				said[r.code] = true
				continue
			}
			for _, place := range numbered.FindAllStringSubmatch(text, -1) {
				if n, _ := strconv.Atoi(place[1]); n >= r.args {
					t.Errorf("%s: error.%s names %s, and one place that refuses so names only %d things: %s", language, r.code, place[0], r.args, strings.TrimSpace(text))
				}
			}
		}
	}
}
