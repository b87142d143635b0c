package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

func TestWhatIsNotSavedIsTheWritersAloneAndOthersSeeThatThereIsSomething(t *testing.T) {
	w := newWorld(t)
	a, b := w.tenant("A"), w.tenant("B")
	for _, email := range []string{"ann@example.com", "ben@example.com"} {
		w.user(a.ws, email, staff.Marketer)
	}
	w.user(a.ws, "vic@example.com", staff.Viewer)
	w.user(b.ws, "eve@example.com", staff.Owner)
	ann, ben, vic, eve := w.signIn("ann@example.com"), w.signIn("ben@example.com"), w.signIn("vic@example.com"), w.signIn("eve@example.com")
	const at = "/drafts/segment/seg_1"
	hers := `{"base":3,"document":{"name":"日本"}}`
	if r := w.call("PUT "+at, asked{browser: ann, body: hers}); r.Code != http.StatusOK || !strings.Contains(r.Body.String(), `"base":3,"document":{"name":"日本"}`) {
		t.Fatalf("put: %d %s", r.Code, r.Body)
	}
	elsewhere := w.signIn("ann@example.com") // another browser
	if r := w.call("GET "+at, asked{browser: elsewhere}); !strings.Contains(r.Body.String(), `"document":{"name":"日本"}`) {
		t.Errorf("ann reads in another browser %s", r.Body)
	}
	r := w.call("GET "+at, asked{browser: ben})
	if text := r.Body.String(); strings.Contains(text, "日本") || strings.Contains(text, `"draft"`) || !strings.Contains(text, `"since":"`+w.clock.Now().Format(time.RFC3339)) {
		t.Errorf("ben reads %s", text)
	}
	if r := w.call("GET "+at, asked{browser: eve}); strings.TrimSpace(r.Body.String()) != `{"others":[]}` {
		t.Errorf("eve of another business reads %s", r.Body)
	}
	if r := w.call("GET "+at, asked{browser: vic}); r.Code != http.StatusForbidden {
		t.Errorf("vic, who may only look, reads %d %s", r.Code, r.Body)
	}
	for _, who := range []browser{ben, eve} {
		if r := w.call("DELETE "+at, asked{browser: who}); r.Code != http.StatusNoContent {
			t.Errorf("delete: %d %s", r.Code, r.Body)
		}
	}
	if r := w.call("GET "+at, asked{browser: ann}); !strings.Contains(r.Body.String(), "日本") {
		t.Errorf("others have deleted ann's: %s", r.Body)
	}
	if r := w.call("DELETE "+at, asked{browser: ann}); r.Code != http.StatusNoContent {
		t.Errorf("delete: %d %s", r.Code, r.Body)
	}
	if r := w.call("GET "+at, asked{browser: ben}); strings.TrimSpace(r.Body.String()) != `{"others":[]}` {
		t.Errorf("ben reads after ann has saved %s", r.Body)
	}
	if r := w.call("PUT /drafts/journey/jrn_1", asked{browser: ann, body: hers}); r.Code != http.StatusUnprocessableEntity {
		t.Errorf("of a kind that saves itself: %d %s", r.Code, r.Body)
	}
}
