// Package archtest holds the picture in ARCHITECTURE.md as an executable test.
package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
)

const module = "github.com/kizuna-cx/kizuna/"

// layers maps path prefixes below internal/ to a layer; the longest prefix wins.
var layers = map[string]string{
	"kit":                     "kit",
	"bus":                     "port",
	"channel":                 "port",
	"realtime":                "port",
	"bus/natsbus":             "adapter",
	"channel/email":           "adapter",
	"storage/sqldb":           "sqldb",
	"storage/sqlstore":        "adapter",
	"storage/folder":          "adapter",
	"storage/bucket":          "adapter",
	"storage/eventstore":      "adapter",
	"domain":                  "domain",
	"collect":                 "edge",
	"tracking":                "edge",
	"httpapi":                 "edge",
	"console":                 "edge",
	"pipeline":                "edge",
	"feed":                    "edge",
	"syndication":             "edge",
	"linkcheck":               "edge",
	"telemetry":               "edge",
	"demo":                    "edge",
	"app":                     "app",
	"archtest":                "test",
	"bus/bustest":             "test",
	"channel/channeltest":     "test",
	"storage/sqldb/sqldbtest": "test",
}

// mayImport says which layers a layer may import.
var mayImport = map[string][]string{
	"kit":     {},
	"port":    {"kit"},
	"domain":  {"kit", "port", "domain"},
	"sqldb":   {"kit"},
	"adapter": {"kit", "port", "domain", "sqldb"},
	"edge":    {"kit", "port", "domain"},
	"app":     {"kit", "port", "domain", "sqldb", "adapter", "edge"},
}

// levels orders the nouns: a noun imports lower levels only. The sideways pairs that are allowed are listed in sideways.
var levels = map[string]int{
	"workspace": 0, "staff": 0, "event": 0, "person": 0, "consent": 0, "content": 0, "rule": 0, "mailauth": 0, "personal": 0, "draft": 0, "version": 0, "quota": 0,
	"segment": 1, "persona": 1, "outbox": 1, "invoice": 1, "task": 1, "standing": 1, "job": 1,
	"campaign": 2, "journey": 2, "journeymap": 2, "report": 2, "importer": 2, "hook": 2, "privacy": 2, "sample": 2, "scheme": 2, "retention": 2, "replay": 2, "roster": 2,
}

var sideways = map[string][]string{
	"person":  {"event"},
	"rule":    {"event"},
	"consent": {"event"},
	"report":  {"campaign", "journey"},
}

// forbiddenInDomain are packages that tie business rules to a technique.
var forbiddenInDomain = []string{"net/http", "database/sql", "os", "log", "github.com/danielgtaylor/huma", "github.com/nats-io", "github.com/jackc/pgx", "github.com/duckdb", "github.com/mattn/go-sqlite3"}

const (
	maxLines  = 800
	maxChain  = 12
	maxFanOut = 12 // internal imports of one package outside app and httpapi
)

type pkg struct {
	path    string // below internal/, or cmd/...
	imports map[string]bool
	doc     bool
}

// load parses every non-test Go file of the module.
func load(t *testing.T) (map[string]*pkg, []*source) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	pkgs := map[string]*pkg{}
	var files []*source
	for _, top := range []string{"cmd", "internal", "test", "bench"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if os.IsNotExist(err) {
				return nil
			}
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules") {
				return fs.SkipDir
			}
			if d.IsDir() || !strings.HasSuffix(path, ".go") {
				return nil
			}
			fset := token.NewFileSet()
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			file, err := parser.ParseFile(fset, path, text, parser.ParseComments)
			if err != nil {
				return err
			}
			rel, _ := filepath.Rel(root, path)
			files = append(files, &source{path: rel, lines: strings.Count(string(text), "\n"), file: file, fset: fset, test: strings.HasSuffix(path, "_test.go")})
			if strings.HasSuffix(path, "_test.go") {
				return nil
			}
			dir := filepath.ToSlash(filepath.Dir(rel))
			p := pkgs[dir]
			if p == nil {
				p = &pkg{path: dir, imports: map[string]bool{}}
				pkgs[dir] = p
			}
			p.doc = p.doc || file.Doc != nil
			for _, i := range file.Imports {
				p.imports[strings.Trim(i.Path.Value, `"`)] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(pkgs) < 10 {
		t.Fatalf("found only %d packages; is the test still looking at the right place?", len(pkgs))
	}
	return pkgs, files
}

type source struct {
	path  string
	lines int
	file  *ast.File
	fset  *token.FileSet
	test  bool
}

func layer(dir string) string {
	rest, ok := strings.CutPrefix(dir, "internal/")
	if !ok {
		return ""
	}
	if strings.HasSuffix(rest, "test") && rest != "archtest" {
		return "test" // conformance suites and builders of test data
	}
	best := ""
	for prefix := range layers {
		if (rest == prefix || strings.HasPrefix(rest, prefix+"/")) && len(prefix) > len(best) {
			best = prefix
		}
	}
	return layers[best]
}

func noun(dir string) string {
	rest, ok := strings.CutPrefix(dir, "internal/domain/")
	if !ok {
		return ""
	}
	n, _, _ := strings.Cut(rest, "/")
	return n
}

func TestImportsFollowTheLayers(t *testing.T) {
	pkgs, _ := load(t)
	for _, p := range pkgs {
		from := layer(p.path)
		if strings.HasPrefix(p.path, "internal/") && from == "" {
			t.Errorf("%s belongs to no layer: add it to the table in archtest and to ARCHITECTURE.md", p.path)
		}
		for imp := range p.imports {
			target, ours := strings.CutPrefix(imp, module)
			if !ours || from == "test" || !strings.HasPrefix(p.path, "internal/") {
				continue
			}
			to := layer(target)
			switch {
			case to == "test":
				t.Errorf("%s must not import %s: test packages are for tests", p.path, target)
			case from == "adapter" && to == "adapter" && !sameTree(p.path, target):
				t.Errorf("%s must not import %s: adapters do not know each other", p.path, target)
			case from == "edge" && to == "edge" && !sameTree(p.path, target) && !(p.path == "internal/demo" && target == "internal/feed"):
				t.Errorf("%s must not import %s: define the interface you need and let app connect them", p.path, target)
			case from != to && !slices.Contains(mayImport[from], to):
				t.Errorf("%s (%s) must not import %s (%s): define what you need as an interface where you need it, see ARCHITECTURE.md", p.path, from, target, to)
			}
		}
	}
}

func sameTree(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }

func TestNounsImportLowerLevelsOnly(t *testing.T) {
	pkgs, _ := load(t)
	for _, p := range pkgs {
		from := noun(p.path)
		if from == "" || layer(p.path) == "test" {
			continue
		}
		if _, known := levels[from]; !known {
			t.Errorf("noun %s has no level: add it to archtest", from)
		}
		for imp := range p.imports {
			to := noun(strings.TrimPrefix(imp, module))
			if to == "" || to == from || levels[to] < levels[from] || slices.Contains(sideways[from], to) {
				continue
			}
			t.Errorf("%s must not import %s: it is not below %s; make the reaction an event, or list the pair in archtest with a reason", p.path, to, from)
		}
	}
}

func TestDomainKnowsNoTechnique(t *testing.T) {
	pkgs, files := load(t)
	for _, p := range pkgs {
		if noun(p.path) == "" || layer(p.path) == "test" {
			continue
		}
		for imp := range p.imports {
			for _, bad := range forbiddenInDomain {
				if imp == bad || strings.HasPrefix(imp, bad+"/") && bad != "log" && bad != "os" {
					t.Errorf("%s must not import %s", p.path, imp)
				}
			}
		}
	}
	for _, f := range files {
		if f.test || noun(filepath.ToSlash(filepath.Dir(f.path))) == "" || layer(filepath.ToSlash(filepath.Dir(f.path))) == "test" {
			continue
		}
		ast.Inspect(f.file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" && (sel.Sel.Name == "Now" || sel.Sel.Name == "Since") {
					t.Errorf("%s: time.%s in the domain; take a clock.Clock", f.fset.Position(n.Pos()), sel.Sel.Name)
				}
			}
			return true
		})
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	pkgs, _ := load(t)
	for _, p := range pkgs {
		if !p.doc {
			t.Errorf("%s has no package comment", p.path)
		}
	}
}

func TestBudgets(t *testing.T) {
	pkgs, files := load(t)
	for _, f := range files {
		if !f.test && f.lines > maxLines {
			t.Errorf("%s has %d lines, at most %d: split it by what it is about", f.path, f.lines, maxLines)
		}
		for _, d := range f.file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has an init function: lists are explicit here", f.path)
			}
		}
	}
	for _, p := range pkgs {
		n := 0
		for imp := range p.imports {
			if strings.HasPrefix(imp, module) && !strings.Contains(imp, "/kit/") {
				n++
			}
		}
		if l := layer(p.path); n > maxFanOut && l != "app" && l != "test" && p.path != "internal/httpapi" && p.path != "internal/storage/sqlstore" {
			t.Errorf("%s imports %d packages of ours, at most %d", p.path, n, maxFanOut)
		}
	}
	depth := map[string]int{}
	var chain func(dir string) int
	chain = func(dir string) int {
		if d, ok := depth[dir]; ok {
			return d
		}
		depth[dir] = 0
		best := 0
		if p := pkgs[dir]; p != nil {
			for imp := range p.imports {
				if target, ours := strings.CutPrefix(imp, module); ours {
					best = max(best, chain(target)+1)
				}
			}
		}
		depth[dir] = best
		return best
	}
	dirs := make([]string, 0, len(pkgs))
	for d := range pkgs {
		dirs = append(dirs, d)
	}
	sort.Strings(dirs)
	for _, d := range dirs {
		if c := chain(d); c > maxChain {
			t.Errorf("%s starts an import chain of %d packages, at most %d", d, c, maxChain)
		}
	}
}

// ownServer are the files that ask a server of ours, at an address that the command line, another process of ours or the code gives.
var ownServer = []string{"internal/app/control.go", "internal/app/doctor.go", "internal/app/sample.go", "internal/demo/live.go", "internal/feed/feed.go", "internal/storage/eventstore/shared/store.go"}

// TestRequestsGoThroughTheGuard: whoever makes an HTTP client of their own reaches addresses that nobody has checked.
func TestRequestsGoThroughTheGuard(t *testing.T) {
	clients := []string{"Client", "DefaultClient", "Transport", "DefaultTransport", "Get", "Head", "Post", "PostForm"}
	_, files := load(t)
	for _, f := range files {
		path := filepath.ToSlash(f.path)
		if f.test || !strings.HasPrefix(path, "internal/") || strings.HasPrefix(path, "internal/kit/guard/") || slices.Contains(ownServer, path) || layer(filepath.ToSlash(filepath.Dir(path))) == "test" {
			continue
		}
		ast.Inspect(f.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "http" && x.Obj == nil && slices.Contains(clients, sel.Sel.Name) {
				t.Errorf("%s: http.%s reaches any address; take a *guard.Guard (kit/guard), or list the file if the address is our own", f.fset.Position(n.Pos()), sel.Sel.Name)
			}
			return true
		})
	}
}
