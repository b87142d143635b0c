package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

func TestPersonalSettingsAreTheCallersOwn(t *testing.T) {
	w := newWorld(t)
	b := w.tenant("A")
	w.user(b.ws, "ann@example.com", staff.Viewer)
	w.user(b.ws, "ben@example.com", staff.Owner)
	ann, ben := w.signIn("ann@example.com"), w.signIn("ben@example.com")
	views := `{"value":[{"name":"日本","state":{"q":"JP"}}]}`
	if r := w.call("PUT /personal-settings/views.people", asked{browser: ann, body: views}); r.Code != http.StatusOK || !strings.Contains(r.Body.String(), `"name":"日本"`) {
		t.Fatalf("put: %d %s", r.Code, r.Body)
	}
	if r := w.call("GET /personal-settings", asked{browser: ann}); !strings.Contains(r.Body.String(), `"key":"views.people","value":[{"name":"日本","state":{"q":"JP"}}]`) {
		t.Errorf("ann reads %s", r.Body)
	}
	if r := w.call("GET /personal-settings", asked{browser: ben}); !strings.Contains(r.Body.String(), `"items":[]`) {
		t.Errorf("ben reads %s", r.Body)
	}
	if r := w.call("DELETE /personal-settings/views.people", asked{browser: ben}); r.Code != http.StatusNoContent {
		t.Errorf("delete: %d %s", r.Code, r.Body)
	}
	if r := w.call("GET /personal-settings", asked{browser: ann}); !strings.Contains(r.Body.String(), "views.people") {
		t.Errorf("ben has deleted ann's: %s", r.Body)
	}
	if r := w.call("PUT /personal-settings/Views", asked{browser: ann, body: `{"value":1}`}); r.Code != http.StatusUnprocessableEntity || !strings.Contains(r.Body.String(), `"personal.key"`) {
		t.Errorf("a bad key: %d %s", r.Code, r.Body)
	}
}
