// Package script_test runs the stories in *.txtar through the real binary. Each file is one user story, written with the
// commands below and those of testscript (https://pkg.go.dev/github.com/rogpeppe/go-internal/testscript).
//
//	start                          starts a server on an empty folder; $URL, $LISTEN, $DATA, $API_KEY and $WRITE_KEY are set
//	kill, stop, launch             ends the server by SIGKILL or in good order; starts it again
//	kizuna ARGS                    runs another command of the binary
//	send FILE                      posts the NDJSON events of FILE as one batch; the answer must be 200
//	post PATH FILE [KEY]           posts FILE as it stands to PATH with the write key; the answer goes to stdout
//	api METHOD PATH [FILE]         one API call; the answer goes to stdout; ! api expects a refusal
//	save NAME PATH                 keeps a value of the last answer in $NAME; PATH is like items.0.id
//	check PATH VALUE               compares a value of the last answer
//	until URLPATH PATH VALUE       polls GET URLPATH until the value is there, at most 20 s
//	advance DURATION               moves the server's clock
//	mailserver, postfix            starts an SMTP server and makes it the workspace's mail account
//	mail ADDRESS                   waits for a mail to ADDRESS and prints it decoded
//	follow PATTERN                 requests the first link of the last mail that fits PATTERN
package script_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-message/mail"
	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kizuna-cx/kizuna/test/harness"
	"github.com/kizuna-cx/kizuna/test/peers/postfix/postfixtest"
)

var update = flag.Bool("update", false, "write the expected outputs anew")

func TestStories(t *testing.T) {
	run(t, testscript.Params{Dir: "."}, func(testing.TB) []string { return nil })
}

// TestStoriesOnPostgreSQL tells some of the stories with the records on PostgreSQL.
func TestStoriesOnPostgreSQL(t *testing.T) {
	server := os.Getenv("KIZUNA_TEST_POSTGRES")
	if server == "" {
		t.Skip("KIZUNA_TEST_POSTGRES names no PostgreSQL server")
	}
	run(t, testscript.Params{Files: []string{"doctor.txtar", "identity.txtar", "loop.txtar", "segments.txtar", "stop_sending.txtar"}}, func(t testing.TB) []string {
		return []string{"KIZUNA_DATABASE_URL=" + database(t, server)}
	})
}

// database makes a database on the server and returns its address; it goes away with the test.
func database(t testing.TB, server string) string {
	t.Helper()
	name := "story_" + strings.ToLower(rand.Text())
	do := func(sql string) {
		conn, err := pgx.Connect(context.Background(), server)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		if _, err := conn.Exec(context.Background(), sql); err != nil {
			t.Error(err)
		}
	}
	do("CREATE DATABASE " + name)
	t.Cleanup(func() { do("DROP DATABASE " + name + " WITH (FORCE)") })
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// run tells stories; environment is what their servers start with.
func run(t *testing.T, p testscript.Params, environment func(testing.TB) []string) {
	harness.Binary(t)
	testscript.Run(t, testscript.Params{
		Dir:           p.Dir,
		Files:         p.Files,
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			tb := env.T().(testing.TB)
			env.Values[key] = &story{t: tb, env: env, environment: environment(tb)}
			env.Setenv("API_KEY", harness.APIKey)
			env.Setenv("WRITE_KEY", harness.WriteKey)
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "postfix" {
				return postfixtest.Missing() == "", nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"start": func(ts *testscript.TestScript, _ bool, args []string) {
				s := of(ts)
				s.server = harness.Start(s.t, append(s.environment, args...)...)
				ts.Setenv("URL", s.server.URL)
				ts.Setenv("DATA", s.server.Dir)
				ts.Setenv("LISTEN", strings.TrimPrefix(s.server.URL, "http://"))
			},
			// Not kill and stop: testscript has commands of those names, which win over ours and leave the server alone.
			"crash":      func(ts *testscript.TestScript, _ bool, _ []string) { of(ts).server.Kill() },
			"shutdown":   func(ts *testscript.TestScript, _ bool, _ []string) { of(ts).server.Stop() },
			"launch":     func(ts *testscript.TestScript, _ bool, _ []string) { of(ts).server.Launch() },
			"kizuna":     kizuna,
			"send":       send,
			"post":       post,
			"api":        call,
			"save":       save,
			"check":      check,
			"until":      until,
			"advance":    advance,
			"mailserver": mailserver,
			"postfix":    startPostfix,
			"mail":       readMail,
			"follow":     follow,
		},
	})
}

type keyType struct{}

var key keyType

// story is what one script has going.
type story struct {
	t   testing.TB
	env *testscript.Env

	environment []string // of the server
	server      *harness.Server
	answer      any // of the last call
	sink        *harness.Sink
	box         *postfixtest.Postfix
	last        string // body of the last mail
}

func of(ts *testscript.TestScript) *story { return ts.Value(key).(*story) }

func args(ts *testscript.TestScript, got []string, least, most int) {
	if len(got) < least || len(got) > most {
		ts.Fatalf("wants %d to %d arguments, got %v", least, most, got)
	}
}

func kizuna(ts *testscript.TestScript, neg bool, a []string) {
	out, errOut, code := harness.Kizuna(of(ts).t, ts.MkAbs("."), of(ts).environment, a...)
	fmt.Fprint(ts.Stdout(), out)
	fmt.Fprint(ts.Stderr(), errOut)
	if (code != 0) != neg {
		ts.Fatalf("kizuna %v ended with %d\n%s%s", a, code, out, errOut)
	}
}

func send(ts *testscript.TestScript, _ bool, a []string) {
	args(ts, a, 1, 1)
	var events []harness.Event
	dec := json.NewDecoder(strings.NewReader(expand(ts, ts.ReadFile(a[0]))))
	for {
		var e harness.Event
		err := dec.Decode(&e)
		if errors.Is(err, io.EOF) {
			break
		}
		ts.Check(err)
		events = append(events, e)
	}
	if !of(ts).server.Send(events...) {
		ts.Fatalf("the intake did not take %s", a[0])
	}
}

func post(ts *testscript.TestScript, neg bool, a []string) {
	args(ts, a, 2, 3)
	s := of(ts)
	writeKey := harness.WriteKey
	if len(a) == 3 {
		writeKey = a[2]
	}
	req, err := http.NewRequest(http.MethodPost, s.server.URL+a[0], strings.NewReader(ts.ReadFile(a[1])))
	ts.Check(err)
	req.SetBasicAuth(writeKey, "")
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%d %s\n", resp.StatusCode, raw)
	if (resp.StatusCode >= 300) != neg {
		ts.Fatalf("%s answers %d %s", a[0], resp.StatusCode, raw)
	}
}

func expand(ts *testscript.TestScript, text string) string {
	return os.Expand(text, func(name string) string {
		if v := ts.Getenv(name); v != "" {
			return v
		}
		return "$" + name
	})
}

func call(ts *testscript.TestScript, neg bool, a []string) {
	args(ts, a, 2, 3)
	s := of(ts)
	var body any
	if len(a) == 3 {
		body = expand(ts, ts.ReadFile(a[2]))
	}
	status, raw, err := s.server.Raw(a[0], "/api/v1"+a[1], body, "Bearer "+harness.APIKey)
	ts.Check(err)
	s.answer = nil
	if len(raw) > 0 {
		ts.Check(json.Unmarshal(raw, &s.answer))
	}
	fmt.Fprintf(ts.Stdout(), "%s\n", raw)
	if (status >= 300) != neg {
		ts.Fatalf("%s %s answers %d %s", a[0], a[1], status, raw)
	}
}

// at walks a path like items.0.id through decoded JSON.
func at(v any, path string) (string, bool) {
	for step := range strings.SplitSeq(path, ".") {
		switch c := v.(type) {
		case map[string]any:
			v = c[step]
		case []any:
			if step == "len" {
				return strconv.Itoa(len(c)), true
			}
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(c) {
				return "", false
			}
			v = c[i]
		default:
			return "", false
		}
	}
	switch c := v.(type) {
	case nil:
		return "", false
	case string:
		return c, true
	}
	raw, err := json.Marshal(v)
	return string(raw), err == nil
}

func save(ts *testscript.TestScript, _ bool, a []string) {
	args(ts, a, 2, 2)
	v, ok := at(of(ts).answer, a[1])
	if !ok {
		ts.Fatalf("the last answer has no %s", a[1])
	}
	ts.Setenv(a[0], v)
}

func check(ts *testscript.TestScript, neg bool, a []string) {
	args(ts, a, 2, 2)
	v, _ := at(of(ts).answer, a[0])
	if (v == a[1]) == neg {
		ts.Fatalf("%s is %q, compared with %q", a[0], v, a[1])
	}
}

// patience is how long a machine that does much else besides may take.
const patience = 2 * time.Minute

func until(ts *testscript.TestScript, _ bool, a []string) {
	args(ts, a, 3, 3)
	s := of(ts)
	deadline := time.Now().Add(patience)
	for {
		status, raw, err := s.server.Raw("GET", "/api/v1"+a[0], nil, "Bearer "+harness.APIKey)
		ts.Check(err)
		s.answer = nil
		if status == http.StatusOK {
			ts.Check(json.Unmarshal(raw, &s.answer))
		}
		v, _ := at(s.answer, a[1])
		if v == a[2] {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s of %s is %q after %v, want %q: %d %s", a[1], a[0], v, patience, a[2], status, raw)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func advance(ts *testscript.TestScript, _ bool, a []string) {
	args(ts, a, 1, 1)
	d, err := time.ParseDuration(a[0])
	ts.Check(err)
	of(ts).server.Advance(d)
}

func account(ts *testscript.TestScript, addr string) {
	host, port, err := net.SplitHostPort(addr)
	ts.Check(err)
	n, err := strconv.Atoi(port)
	ts.Check(err)
	of(ts).server.Must("POST", "/accounts", map[string]any{
		"kind": "email", "name": "Mail", "from_name": "Aoba Tea", "from_address": "tea@shop.example", "default": true,
		"config": map[string]any{"host": host, "port": n, "security": "none"},
	}, nil)
}

func mailserver(ts *testscript.TestScript, _ bool, a []string) {
	args(ts, a, 0, 0)
	s := of(ts)
	s.sink = harness.StartSink(s.t)
	account(ts, s.sink.Addr)
}

func startPostfix(ts *testscript.TestScript, _ bool, a []string) {
	args(ts, a, 0, 0)
	s := of(ts)
	s.box = postfixtest.Start(s.t)
	account(ts, s.box.Addr)
}

// readMail waits for the next mail to the address.
func readMail(ts *testscript.TestScript, _ bool, a []string) {
	args(ts, a, 1, 1)
	s := of(ts)
	deadline := time.Now().Add(patience)
	for {
		if raw := s.newest(ts, a[0]); raw != "" {
			r, err := mail.CreateReader(strings.NewReader(raw))
			ts.Check(err)
			subject, err := r.Header.Subject()
			ts.Check(err)
			var out bytes.Buffer
			fmt.Fprintf(&out, "Subject: %s\nList-Unsubscribe: %s\nList-Unsubscribe-Post: %s\n", subject, r.Header.Get("List-Unsubscribe"), r.Header.Get("List-Unsubscribe-Post"))
			for {
				p, err := r.NextPart()
				if errors.Is(err, io.EOF) {
					break
				}
				ts.Check(err)
				body, err := io.ReadAll(p.Body)
				ts.Check(err)
				fmt.Fprintf(&out, "\n%s\n", body)
			}
			s.last = out.String()
			fmt.Fprint(ts.Stdout(), s.last)
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("no mail to %s after %v", a[0], patience)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// newest returns the newest mail to the address, from whichever server the story uses.
func (s *story) newest(ts *testscript.TestScript, to string) string {
	if s.sink != nil {
		return s.sink.Last(to)
	}
	files, err := filepath.Glob(filepath.Join(s.box.Maildir, "new", "*"))
	ts.Check(err)
	newest := ""
	for _, f := range files {
		raw, err := os.ReadFile(f)
		ts.Check(err)
		if strings.Contains(string(raw), to) {
			newest = string(raw)
		}
	}
	return newest
}

var link = regexp.MustCompile(`https?://[^\s"'<>]+`)

func follow(ts *testscript.TestScript, _ bool, a []string) {
	args(ts, a, 1, 2)
	s := of(ts)
	pattern, err := regexp.Compile(a[0])
	ts.Check(err)
	for _, l := range link.FindAllString(s.last, -1) {
		l = strings.ReplaceAll(l, "&amp;", "&")
		if !pattern.MatchString(l) {
			continue
		}
		client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		req, err := http.NewRequest(http.MethodGet, l, nil)
		if len(a) == 2 { // one-click: a[1] is the form body
			req, err = http.NewRequest(http.MethodPost, l, strings.NewReader(a[1]))
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		ts.Check(err)
		req.Header.Set("User-Agent", "Mozilla/5.0 (Macintosh) AppleWebKit/605 Safari/605")
		resp, err := client.Do(req)
		ts.Check(err)
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		ts.Check(err)
		fmt.Fprintf(ts.Stdout(), "%d %s\n%s\n", resp.StatusCode, resp.Header.Get("Location"), raw)
		if resp.StatusCode >= 400 {
			ts.Fatalf("%s answers %d", l, resp.StatusCode)
		}
		return
	}
	ts.Fatalf("no link like %s in the last mail", a[0])
}
