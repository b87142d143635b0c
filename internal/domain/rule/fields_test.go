package rule

import (
	"strings"
	"testing"
)

func TestARuleTellsWhichFieldsItLooksAt(t *testing.T) {
	for raw, want := range map[string]string{
		`{"everyone":{}}`: "",
		`{"all":[{"trait":{"path":"address.city","op":"eq","value":"Bonn"}},{"not":{"trait":{"path":"a","op":"eq","value":{"trait":"b"}}}}]}`: "traits.a traits.address.city traits.b",
		`{"event":{"name":"Paid","agg":"sum","path":"total","op":"gt","value":1,"filter":[{"path":"card.kind","op":"exists"}]}}`:              "properties.card.kind properties.total",
		`{"event":{"type":"identify","filter":[{"path":"ssn","op":"eq","value":{"trait":"old_ssn"}}]}}`:                                       "traits.old_ssn traits.ssn",
		`{"sequence":{"steps":[{"name":"A"},{"name":"B","filter":[{"path":"x","op":"exists"}]}],"by":"order_id"}}`:                            "properties.order_id properties.x",
		`{"anniversary":{"path":"birth_date","from":0,"to":7,"zone":"Asia/Tokyo"}}`:                                                           "traits.birth_date",
		`{"occurrence":{"which":"first","name":"A","has":[{"path":"y","op":"exists"}]}}`:                                                      "properties.y",
	} {
		r, err := Parse([]byte(raw))
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		if got := strings.Join(r.Fields(), " "); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}
