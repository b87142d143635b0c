package story_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/test/harness"
)

// A file that was uploaded on screen is imported by the server itself, so killing it kills the import too.
func TestAKilledServerGoesOnWithTheImportOfAFileAndTakesItBack(t *testing.T) {
	long(t)
	file, err := os.ReadFile(cdnow(t))
	if err != nil {
		t.Fatal(err)
	}
	s := harness.Start(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/uploads", bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+harness.APIKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var upload struct{ ID string }
	if err := json.NewDecoder(resp.Body).Decode(&upload); err != nil || upload.ID == "" {
		t.Fatalf("upload: %s %v", resp.Status, err)
	}
	var look map[string]any
	s.Must("POST", "/imports/look", map[string]any{"upload": upload.ID}, &look)
	wanted := map[string]any{"upload": upload.ID, "layout": look["layout"], "plan": look["plan"], "name": "CDNOW_master.txt"}
	var check struct{ Rows, Accepted, Created, Events int }
	s.Must("POST", "/imports/check", map[string]any{"upload": upload.ID, "layout": look["layout"], "plan": look["plan"]}, &check)
	if check.Rows != 69659 || check.Accepted != 69659 || check.Created != 23570 || check.Events != 69659 {
		t.Fatalf("the dry run says %+v", check)
	}
	var j struct {
		ID, State string
		Figures   map[string]int
	}
	s.Must("POST", "/imports", wanted, &j)
	job := j.ID
	events := func() int {
		var st stats
		s.Do("GET", "/stats", nil, &st)
		return st.Events
	}
	for range 4 {
		before := events()
		s.Eventually(time.Minute, "more events arrive", func() bool { n := events(); return n > before+5000 || n >= 69659 })
		s.Kill()
		s.Launch()
		t.Logf("killed with %d events stored", events())
	}
	ended := func(id string) func() bool {
		return func() bool {
			s.Do("GET", "/jobs/"+id, nil, &j)
			return j.State == "done" || j.State == "failed"
		}
	}
	s.Eventually(4*time.Minute, "the import ends", ended(job))
	if j.State != "done" || j.Figures["accepted"] != 69659 || j.Figures["created"] != 23570 {
		t.Fatalf("the import ended as %+v", j)
	}
	var st stats
	s.Must("GET", "/stats", nil, &st)
	if want := (stats{People: 23570, Events: 69659}); st != want {
		t.Fatalf("%+v after the kills, want %+v", st, want)
	}
	t.Log("the import has ended with the figures of the file")
	began := time.Now()
	s.Must("POST", "/imports/"+job+"/undo", nil, &j)
	undo := j.ID
	s.Eventually(4*time.Minute, "the import is taken back", ended(undo))
	t.Logf("taken back in %.0f s", time.Since(began).Seconds())
	s.Must("GET", "/stats", nil, &st)
	if st.People != 0 || st.Events != 0 || j.Figures["people_removed"] != 23570 {
		t.Fatalf("%+v is left after taking the import back: %+v", st, j)
	}
}
