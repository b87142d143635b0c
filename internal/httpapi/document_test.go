package httpapi_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/httpapi"
)

var update = flag.Bool("update", false, "write golden files anew")

// operation is what tests read of one operation of the document.
type operation struct {
	Method, Path string // Path without /api/v1
	OperationID  string `json:"operationId"`
	Summary      string
	Description  string
	Security     []map[string][]string
	Parameters   []struct{ Name, In string }
	RequestBody  *struct{ Content map[string]any } `json:"requestBody"`
	Responses    map[string]struct{ Content map[string]any }
}

func (o operation) String() string { return o.Method + " " + o.Path }

func (o operation) public() bool { return len(o.Security) == 0 }

var needs = regexp.MustCompile("Needs the permission `([a-z.]+)`")

// permission is what the operation's description says it needs, "" if every caller may use it.
func (o operation) permission(t *testing.T) staff.Permission {
	t.Helper()
	m := needs.FindStringSubmatch(o.Description)
	if m == nil {
		return ""
	}
	if !slices.Contains(staff.Permissions(), staff.Permission(m[1])) {
		t.Fatalf("%s needs the permission %q, which does not exist", o, m[1])
	}
	return staff.Permission(m[1])
}

// operations lists everything in the document.
func operations(t *testing.T) []operation {
	t.Helper()
	raw, err := httpapi.Document()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]operation
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("the document is OpenAPI %s", doc.OpenAPI)
	}
	var out []operation
	for path, methods := range doc.Paths {
		for method, op := range methods {
			rest, ok := strings.CutPrefix(path, "/api/v1")
			if !ok {
				t.Errorf("%s is not below /api/v1", path)
			}
			op.Method, op.Path = strings.ToUpper(method), rest
			out = append(out, op)
		}
	}
	slices.SortFunc(out, func(a, b operation) int { return strings.Compare(a.Path+a.Method, b.Path+b.Method) })
	if len(out) < 80 {
		t.Fatalf("only %d operations; is the test still reading the document?", len(out))
	}
	return out
}

func TestDocumentIsTheCommittedOne(t *testing.T) {
	golden := filepath.Join("..", "..", "api", "openapi.json")
	got, err := httpapi.Document()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("the API has changed; if that is meant, run go test ./internal/httpapi -run Document -update and commit api/openapi.json:\n%s", cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")))
	}
	again, err := httpapi.Document()
	if err != nil || string(again) != string(got) {
		t.Errorf("two documents of the same API differ (%v)", err)
	}
}

func TestEveryOperationIsDescribedAlike(t *testing.T) {
	nounVerb := regexp.MustCompile(`^[a-z]+(-[a-z]+)+$`)
	seen := map[string]bool{}
	for _, op := range operations(t) {
		if op.Summary == "" || strings.HasSuffix(op.Summary, ".") {
			t.Errorf("%s: the summary %q is empty or ends with a full stop", op, op.Summary)
		}
		if !nounVerb.MatchString(op.OperationID) || seen[op.OperationID] {
			t.Errorf("%s: the operation id %q is not noun-verb, or not unique", op, op.OperationID)
		}
		seen[op.OperationID] = true
		switch {
		case op.public() && op.Description != "Open to everybody.",
			!op.public() && op.permission(t) == "" && op.Description != "Open to every caller.":
			t.Errorf("%s: the description %q does not say who may use it", op, op.Description)
		}
		want := []string{"422", "429", "500", "503"}
		if !op.public() {
			want = append(want, "401", "403")
		}
		if strings.Contains(op.Path, "{") {
			want = append(want, "404")
		}
		if op.RequestBody != nil {
			want = append(want, "400", "413")
		}
		for _, status := range want {
			if _, ok := op.Responses[status]; !ok {
				t.Errorf("%s: the answer %s is not described", op, status)
			}
		}
		successes := 0
		for status, answer := range op.Responses {
			if status[0] == '2' {
				successes++
				continue
			}
			if _, ok := answer.Content["application/problem+json"]; !ok || len(answer.Content) != 1 {
				t.Errorf("%s: the answer %s is %v, not application/problem+json", op, status, answer.Content)
			}
		}
		if successes != 1 {
			t.Errorf("%s: %d answers of success", op, successes)
		}
		if op.Method == "GET" && op.RequestBody != nil {
			t.Errorf("%s: a GET with a body", op)
		}
		for _, p := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(op.Path, -1) {
			if !slices.ContainsFunc(op.Parameters, func(x struct{ Name, In string }) bool { return x.In == "path" && x.Name == p[1] }) {
				t.Errorf("%s: the path parameter %s is not described", op, p[1])
			}
		}
	}
}

// Lists are paged alike, so that a client writes the loop once.
func TestListsTakeLimitAndCursor(t *testing.T) {
	whole := map[string]string{ // lists that are short by nature
		"GET /event-names": "top n", "GET /report-catalog": "of the installation", "GET /channels": "of the installation", "GET /journey-nodes": "of the installation", "GET /sessions": "of one user", "GET /personal-settings": "of one user, at most two hundred",
		"GET /journeys/{id}/versions": "of one journey", "GET /journeys/{id}/tests": "of one journey", "GET /journeys/{id}/circle": "of one journey", "GET /journeys/{id}/faults": "of one journey", "GET /journeys/{id}/diff": "of two versions", "GET /people/{id}/segments": "of one person",
		"GET /webhook-kinds": "of the installation", "GET /webhooks": "at most fifty", "GET /topics": "a handful", "GET /accounts": "a handful",
		"GET /seen-fields": "top n", "GET /seen-values": "top n", "GET /segments/{id}/growth": "a number of days", "GET /segments/{id}/users": "at most two hundred of a kind", "GET /templates/{id}/users": "at most two hundred",
	}
	for _, op := range operations(t) {
		raw, err := json.Marshal(op.Responses["200"])
		if err != nil {
			t.Fatal(err)
		}
		_, short := whole[op.String()]
		isList := op.Method == "GET" && strings.Contains(string(raw), "/List")
		paged := slices.ContainsFunc(op.Parameters, func(x struct{ Name, In string }) bool { return x.Name == "cursor" })
		if isList && !paged && !short {
			t.Errorf("%s answers a list without a cursor", op)
		}
		if paged && short {
			t.Errorf("%s takes a cursor and does not heed it", op)
		}
	}
}
