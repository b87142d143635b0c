package person_test

import (
	"fmt"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

func TestWhatSomebodyAgreedToLastStandsWhateverTheOrder(t *testing.T) {
	w := world(t)
	says := func(id string, second int, preferences string) event.Event {
		e := identify(id, second, "u1", "", nil)
		e.Type, e.Name, e.Context = event.Track, "Seen", []byte(`{"consent":{"categoryPreferences":`+preferences+`}}`)
		return e
	}
	w.Deliver(identify("m1", 1, "u1", "", map[string]any{"a": 1}))
	same(t, "never asked", w.Who("user_id", "u1").Preferences() == nil, true)
	w.Deliver(says("m3", 3, `{"ads":false,"mail":true}`))
	w.Deliver(says("m2", 2, `{"ads":true,"mail":true}`)) // late
	same(t, "last", fmt.Sprint(w.Who("user_id", "u1").Preferences()), "map[ads:false mail:true]")
	w.Deliver(says("m4", 4, `{}`))
	same(t, "everything withdrawn", fmt.Sprint(w.Who("user_id", "u1").Preferences().Lacks([]string{"ads", "mail"})), "[ads mail]")
}
