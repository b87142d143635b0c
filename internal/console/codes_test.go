package console

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// source parses the files of a package below internal, or those that a pattern names; tests are left out.
func source(t *testing.T, dir string) []*ast.File {
	t.Helper()
	if !strings.HasSuffix(dir, ".go") {
		dir += "/*.go"
	}
	names, err := filepath.Glob(filepath.Join("..", dir))
	if err != nil {
		t.Fatal(err)
	}
	var out []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

// constants returns the values of a package's text constants that have the type, or whose name begins with the prefix.
func constants(t *testing.T, dir, typ, prefix string) (out []string) {
	t.Helper()
	for _, f := range source(t, dir) {
		ast.Inspect(f, func(n ast.Node) bool {
			s, ok := n.(*ast.ValueSpec)
			if !ok || len(s.Values) != 1 {
				return true
			}
			named, _ := s.Type.(*ast.Ident)
			if !(typ != "" && named != nil && named.Name == typ || prefix != "" && strings.HasPrefix(s.Names[0].Name, prefix)) {
				return true
			}
			if v, ok := text(s.Values[0]); ok {
				out = append(out, v)
			}
			return true
		})
	}
	return out
}

// literals returns the text literals of a package that the pattern fits as a whole.
func literals(t *testing.T, dir, pattern string) (out []string) {
	t.Helper()
	fits := regexp.MustCompile("^(?:" + pattern + ")$")
	for _, f := range source(t, dir) {
		ast.Inspect(f, func(n ast.Node) bool {
			if e, ok := n.(ast.Expr); ok {
				if v, ok := text(e); ok && fits.MatchString(v) {
					out = append(out, v)
				}
			}
			return true
		})
	}
	return out
}

// arguments returns the texts that functions of these names are called with first.
func arguments(t *testing.T, dir string, names ...string) (out []string) {
	t.Helper()
	for _, f := range source(t, dir) {
		ast.Inspect(f, func(n ast.Node) bool {
			c, ok := n.(*ast.CallExpr)
			if !ok || len(c.Args) == 0 {
				return true
			}
			name := ""
			switch f := c.Fun.(type) {
			case *ast.Ident:
				name = f.Name
			case *ast.SelectorExpr:
				name = f.Sel.Name
			}
			if v, ok := text(c.Args[0]); ok && slices.Contains(names, name) {
				out = append(out, v)
			}
			return true
		})
	}
	return out
}

// faults returns the codes of the errors that a package makes, but those of which only the beginning is written out.
func faults(t *testing.T, dir string) []string {
	t.Helper()
	return slices.DeleteFunc(arguments(t, dir, "Invalid", "Conflict", "Forbidden", "RateLimited", "Unavailable"), func(code string) bool { return strings.HasSuffix(code, ".") })
}

// added returns the codes that helpers of a file put together, with what they put before them.
func added(t *testing.T, file, prefix string) []string {
	t.Helper()
	out := arguments(t, file, "add", "bad")
	for i := range out {
		out[i] = prefix + out[i]
	}
	return out
}

// fields returns what the structs whose name has the suffix are called in JSON, and what their enumerations may be as "field.value". Values
// in capitals (GET, POST) are names of other people's and shown as they are.
func fields(t *testing.T, dir, suffix string) (out []string) {
	t.Helper()
	for _, f := range source(t, dir) {
		ast.Inspect(f, func(n ast.Node) bool {
			typ, ok := n.(*ast.TypeSpec)
			if !ok || !strings.HasSuffix(typ.Name.Name, suffix) {
				return true
			}
			s, ok := typ.Type.(*ast.StructType)
			if !ok {
				return true
			}
			for _, field := range s.Fields.List {
				if field.Tag == nil {
					continue
				}
				raw, _ := strconv.Unquote(field.Tag.Value)
				name, _, _ := strings.Cut(reflect.StructTag(raw).Get("json"), ",")
				out = append(out, name)
				for _, v := range strings.FieldsFunc(reflect.StructTag(raw).Get("enum"), func(r rune) bool { return r == ',' }) {
					if v == strings.ToLower(v) {
						out = append(out, name+"."+v)
					}
				}
			}
			return true
		})
	}
	return out
}

// named returns the texts that fields of this name have in composite literals.
func named(t *testing.T, dir, field string) (out []string) {
	t.Helper()
	for _, f := range source(t, dir) {
		ast.Inspect(f, func(n ast.Node) bool {
			if kv, ok := n.(*ast.KeyValueExpr); ok {
				if key, ok := kv.Key.(*ast.Ident); ok && key.Name == field {
					if v, ok := text(kv.Value); ok {
						out = append(out, v)
					}
				}
			}
			return true
		})
	}
	return out
}

func text(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	v, err := strconv.Unquote(l.Value)
	return v, err == nil
}

// enum returns what a property of the API may be.
func enum(t *testing.T, schema, property string) []string {
	t.Helper()
	raw, err := os.ReadFile("../../api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct{ Enum []string }
			}
		}
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Components.Schemas[schema].Properties[property].Enum
}

// The server answers with codes and the screens word them. A code without its text would be shown as it is, in English.
func TestEveryCodeOfTheServerHasItsText(t *testing.T) {
	en := catalogue(t, "en")
	for _, c := range []struct {
		prefix string
		codes  []string
		least  int // fewer found: the search does not fit the code any more
	}{
		{"reason", constants(t, "domain/outbox", "", "Reason"), 25},
		{"reason", constants(t, "domain/campaign", "", "Reason"), 5},
		{"suppression_reason", constants(t, "domain/consent", "Reason", ""), 7},
		{"permission", constants(t, "domain/staff", "Permission", ""), 20},
		{"privacy_what", named(t, "storage/sqlstore/privacy_reach.go", "table"), 45},
		{"privacy_what", named(t, "domain/privacy/work.go", "What"), 3},
		{"role", constants(t, "domain/staff", "Role", ""), 6},
		{"role_help", constants(t, "domain/staff", "Role", ""), 6},
		{"status", enum(t, "PreferenceOnItem", "status"), 6},
		{"dkim_status", enum(t, "DKIMKey", "status"), 3},
		{"status", enum(t, "SendingDomain", "status"), 5},
		{"status", enum(t, "DryRunPerson", "outcome"), 3},
		{"status", enum(t, "Subscription", "status"), 7},
		{"audit.actor", enum(t, "AuditActor", "kind"), 3},
		{"domain_check", literals(t, "domain/mailauth", `(spf|dkim|dmarc|mx|ptr)\.[a-z_]+`), 30},
		{"rejection", literals(t, "collect", `(event|body|pixel)\.[a-z_.]*[a-z]`), 20},
		{"bounce_class", enum(t, "Bounce", "class"), 6},
		{"bounce_remedy", enum(t, "Bounce", "remedy"), 6},
		{"inbound.outcome", constants(t, "domain/outbox", "Taken", ""), 4},
		{"opt_in", enum(t, "Topic", "opt_in"), 3},
		{"journey_reason", append(arguments(t, "domain/journey", "Because"), "said", "message_refused", "version_ended"), 20},
		{"journey_reason", append(arguments(t, "domain/journey/node", "Because", "because", "until"), "nothing_set", "value_is"), 35},
		{"job_state", enum(t, "Job", "state"), 5},
		{"step_field", fields(t, "domain/journey/node", "Config"), 40},
		{"hold_reason", enum(t, "Hold", "reason"), 4},
		{"suppression_fault", enum(t, "SuppressionFileRow", "code"), 4},
		{"error", faults(t, "domain/campaign"), 40},
		{"error", faults(t, "domain/consent"), 22},
		{"error", faults(t, "domain/mailauth"), 5},
		{"error", faults(t, "syndication"), 4},
		{"error", literals(t, "domain/outbox", `outbox\.(account|inbound|test)\.[a-z_]+`), 15},
		{"error", added(t, "domain/outbox/pace.go", "outbox.account."), 12},
		{"error", added(t, "domain/outbox/inbound.go", "outbox.inbound."), 14},
		{"error", added(t, "channel/email/config.go", "channel.email."), 12},
		{"finding.error", added(t, "domain/content/brand/brand.go", ""), 9},
		{"finding.error", added(t, "domain/content/snippet.go", ""), 7},
	} {
		if len(c.codes) < c.least {
			t.Errorf("%s: only %d codes found: %q", c.prefix, len(c.codes), c.codes)
		}
		slices.Sort(c.codes)
		for _, code := range slices.Compact(c.codes) {
			if en[c.prefix+"."+code] == "" {
				t.Errorf("the catalogues lack %s.%s", c.prefix, code)
			}
		}
	}
}
