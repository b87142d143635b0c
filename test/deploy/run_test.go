package deploy_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/test/harness"
	"github.com/kizuna-cx/kizuna/test/machines"
)

// What the Compose file describes comes up, node by node, and works: events that come to one node are known at another, what is uploaded at one is worked on by
// another, and monitoring finds each.
func TestTheComposeFileStartsThreeNodesThatWorkTogether(t *testing.T) {
	if testing.Short() {
		t.Skip("starts nine processes; run without -short")
	}
	if machines.Apart(t) {
		return
	}
	s := machines.Prepare(t, root+"compose.yml")
	for _, n := range s.Nodes {
		n.Launch()
	}
	front, all := s.Nodes[0], s.Nodes[1]
	for i, n := range s.Nodes {
		n.Eventually(time.Minute, fmt.Sprintf("node %d is ready", i+1), func() bool { return ready(n.URL + "/readyz") })
		n.Eventually(time.Minute, "monitoring finds it", func() bool { return ready(strings.Replace(n.URL, ":8480", ":8481", 1) + "/metrics") })
	}
	var segment struct{ ID string }
	front.Must("POST", "/segments", map[string]any{"name": "Buyers", "rule": map[string]any{"event": map[string]any{"name": "Order Completed"}}}, &segment)
	for i, n := range []*harness.Server{front, all} {
		if !n.Send(harness.Event{"type": "track", "event": "Order Completed", "userId": fmt.Sprint("u", i), "messageId": fmt.Sprint("m", i)}) {
			t.Errorf("node %d does not take events", i+1)
		}
	}
	for i, n := range []*harness.Server{front, all} {
		n.Eventually(time.Minute, fmt.Sprintf("node %d shows the buyers", i+1), func() bool {
			var got struct{ Size int }
			n.Do("GET", "/segments/"+segment.ID, nil, &got)
			return got.Size == 2
		})
		var events struct{ Items []any } // the worker is asked for
		n.Must("GET", "/events", nil, &events)
		if len(events.Items) == 0 {
			t.Errorf("node %d knows of no events", i+1)
		}
	}
	var upload struct{ ID string }
	front.Must("POST", "/uploads", "User ID,Email\nu7,seven@example.com\n", &upload)
	var look map[string]any
	front.Must("POST", "/imports/look", map[string]any{"upload": upload.ID}, &look)
	var job struct{ ID, State string }
	front.Must("POST", "/imports", map[string]any{"upload": upload.ID, "layout": look["layout"], "plan": look["plan"], "name": "people.csv"}, &job)
	all.Eventually(time.Minute, "the worker has done the job", func() bool {
		all.Do("GET", "/jobs/"+job.ID, nil, &job)
		return job.State == "done"
	})
}

func ready(url string) bool {
	resp, err := http.Get(url)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
