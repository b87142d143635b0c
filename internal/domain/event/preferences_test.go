package event

import (
	"encoding/json"
	"fmt"
	"testing"
)

func TestWhatIsNotNamedWasNotAgreedToAndSilenceSaysNothing(t *testing.T) {
	for context, want := range map[string]string{
		``:                 "[]",
		`{"page":{}}`:      "[]",
		`{"consent":null}`: "[]",
		`{"consent":"no"}`: "[]",
		`{"consent":{}}`:   "[a b]",
		`{"consent":{"categoryPreferences":{"a":true}}}`:           "[b]",
		`{"consent":{"categoryPreferences":{"a":true,"b":false}}}`: "[b]",
		`{"consent":{"categoryPreferences":{"a":true,"b":true}}}`:  "[]",
	} {
		if got := fmt.Sprint(PreferencesOf(json.RawMessage(context)).Lacks([]string{"a", "b"})); got != want {
			t.Errorf("%s: %s, want %s", context, got, want)
		}
	}
}
