package story_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/test/harness"
)

// get returns status and body of an address.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

// TestOperatorsSeeTheProcessAndNobodyElseDoes sends events, reads the metrics as Prometheus does, and holds the dashboard and the
// alerts that we ship against them.
func TestOperatorsSeeTheProcessAndNobodyElseDoes(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	admin := "http://" + ln.Addr().String()
	ln.Close()
	s := harness.Start(t, "KIZUNA_ADMIN_LISTEN="+strings.TrimPrefix(admin, "http://"))

	if status, body := get(t, s.URL+"/readyz"); status != http.StatusOK || !strings.Contains(body, `"ready":true`) {
		t.Errorf("readyz: %d %s", status, body)
	}
	for _, path := range []string{"/metrics", "/debug/pprof/"} {
		if _, body := get(t, s.URL+path); strings.Contains(body, "go_goroutines") || strings.Contains(body, "heap profile") {
			t.Errorf("%s is served to everybody", path)
		}
	}

	const n = 25
	var events []harness.Event
	for i := range n {
		events = append(events, harness.Event{"type": "track", "event": "Watered A Plant", "userId": fmt.Sprintf("u%d", i), "messageId": fmt.Sprintf("m%d", i)})
	}
	if !s.Send(events...) {
		t.Fatal("the events were not taken")
	}
	want := fmt.Sprintf(`kizuna_events_total{name="",type="track"} %d`, n)
	var text string
	s.Eventually(2*time.Minute, want, func() bool {
		_, text = get(t, admin+"/metrics")
		return strings.Contains(text, want+"\n")
	})
	if !strings.Contains(text, `kizuna_http_requests_total{area="intake",code="200"} 1`) || !strings.Contains(text, "kizuna_pipeline_stuck 0") {
		t.Error(grep(text, "kizuna_"))
	}
	const none = "\nkizuna_backup_timestamp_seconds 0\n"
	if !strings.Contains(text, none) {
		t.Error("before any backup: ", grep(text, "kizuna_backup"))
	}
	if out, err := s.Command("backup", "--data", s.Dir, t.TempDir()); err != nil {
		t.Fatalf("backup: %v\n%s", err, out)
	}
	if _, text := get(t, admin+"/metrics"); strings.Contains(text, none) {
		t.Error("a backup was made: ", grep(text, "kizuna_backup"))
	}

	used := regexp.MustCompile(`\b(kizuna|go|process)_[a-z_]+`)
	for _, file := range []string{"alerts.yml", "grafana.json"} {
		raw, err := os.ReadFile(filepath.Join("../../deploy/monitoring", file))
		if err != nil {
			t.Fatal(err)
		}
		names := used.FindAllString(string(raw), -1)
		if len(names) < 8 {
			t.Fatalf("only %d metrics are used in %s; is the test still looking at the right place?", len(names), file)
		}
		for _, name := range names {
			if !strings.Contains(text, "\n"+name+"{") && !strings.Contains(text, "\n"+name+" ") {
				t.Errorf("%s uses %s, which is not among the metrics", file, name)
			}
		}
	}
}

func grep(text, part string) string {
	var out strings.Builder
	for l := range strings.Lines(text) {
		if strings.Contains(l, part) && !strings.HasPrefix(l, "#") {
			out.WriteString(l)
		}
	}
	return out.String()
}
