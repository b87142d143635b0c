package outbox

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A reason that a message can be refused or wait for belongs to one question, so that no refusal is shown as passed.
func TestEveryReasonBelongsToOneQuestion(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "message.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := "" // the other tests, which make messages be refused or wait for real
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if name != "course_test.go" {
			elsewhere += string(raw)
		}
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 || !strings.HasPrefix(v.Names[0].Name, "Reason") {
			return true
		}
		value, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		found++
		if name := v.Names[0].Name; !regexp.MustCompile(`outbox\.`+name+`\b`).MatchString(elsewhere) && !strings.Contains(elsewhere, strconv.Quote(value)) {
			t.Errorf("no test of this package meets %s", name)
		}
		owners := 0
		for _, c := range course {
			if slices.Contains(c.reasons, value) {
				owners++
			}
		}
		if owners != 1 {
			t.Errorf("%s (%s) belongs to %d questions", v.Names[0].Name, value, owners)
		}
		return true
	})
	if found < 20 {
		t.Errorf("only %d reasons found", found)
	}
}

func TestTheCourseStopsWhereItWasSettled(t *testing.T) {
	say := func(steps []CourseStep) string {
		var out []string
		for _, s := range steps {
			out = append(out, s.Name+":"+string(s.Outcome))
		}
		return strings.Join(out, " ")
	}
	for want, got := range map[string][]CourseStep{
		"content:passed person:passed address:passed sending:waits":                                                                     Wait{Reason: ReasonStopped}.Course(Message{Transactional: true}),
		"content:passed person:passed address:passed consent:failed control:not_asked caps:not_asked quiet:not_asked sending:not_asked": Course(false, ReasonUnsubscribed, false, false),
		"content:passed person:passed address:passed consent:passed control:passed caps:passed quiet:waits sending:not_asked":           Course(false, ReasonQuietHours, true, false),
		"content:passed person:passed address:passed consent:passed control:passed caps:passed quiet:passed sending:passed":             Course(false, "", false, true),
		"content:passed person:passed address:failed sending:not_asked":                                                                 Course(true, ReasonSuppressed, false, false),
		"content:passed person:passed address:passed consent:passed control:passed caps:passed quiet:passed sending:failed":             Message{State: Bounced, SentAt: time.Unix(1, 0)}.Course(),
		"content:passed person:passed address:passed sending:failed":                                                                    Message{Transactional: true, Reason: ReasonRejected, State: Failed}.Course(),
	} {
		if say(got) != want {
			t.Errorf("got  %s\nwant %s", say(got), want)
		}
	}
}
