package rule_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
)

var now = time.Date(2026, 5, 10, 12, 0, 0, 0, time.UTC)

// did makes an event some time before now.
func did(name string, ago time.Duration, props string) event.Kept {
	k := event.Kept{Event: event.Event{Type: event.Track, Name: name, Time: now.Add(-ago), MessageID: name + ago.String(), Properties: json.RawMessage(props), Origin: event.Server}}
	k.Position.Seq = uint64(now.Sub(k.Time) / time.Second)
	return k
}

const day = 24 * time.Hour

func shopper() *rule.Subject {
	seen := did("", 3*day, `{}`)
	seen.Type = event.Page
	seen.Context = json.RawMessage(`{"os":{"name":"iOS","version":"17.10"},"app":{"version":"3.10.1"}}`)
	opened := did(event.MessageOpened, 2*day, `{"channel":"email","topic":"news","source_kind":"campaign","source_id":"cmp_1","message_id":"msg_1"}`)
	opened.Type = event.Message
	again := opened
	again.MessageID = "again"
	byMachine := opened
	byMachine.MessageID, byMachine.Properties = "proxy", json.RawMessage(strings.Replace(string(opened.Properties), "{", `{"machine":true,`, 1))
	s := rule.SubjectFrom(event.Mirror{
		Num: 1, ID: "per_1",
		Traits:   json.RawMessage(`{"country":"JP","age":30,"zip":"30","vip":true,"nick":null,"tags":["a",5,true],"address":{"city":"Kyoto"},"renews_at":"2026-05-12T12:00:00Z","spent":160,"home":"shoes","born":"1990-05-12","leap":"1992-02-29","timezone":"Pacific/Kiritimati"}`),
		Channels: json.RawMessage(`{"email":{"reachable":true,"topics":{"news":true,"offers":false}},"sms":{"reachable":false}}`),
	}, []event.Kept{
		did(event.OrderCompleted, 40*day, `{"order_id":"o1","total":100,"category":"shoes"}`),
		did(event.OrderCompleted, 20*day, `{"order_id":"o2","total":50,"category":"hats"}`),
		did(event.OrderCompleted, 20*day-time.Hour, `{"order_id":"o2","total":60,"category":"hats"}`), // sent again, corrected
		did(event.OrderCompleted, 10*day, `{"order_id":"o3","total":30}`),
		did(event.OrderRefunded, 9*day, `{"order_id":"o3"}`),
		did(event.OrderRefunded, 8*day, `{"order_id":"o1","total":25}`),
		seen, opened, again, byMachine,
	}, func(set string) bool { return set == "seg_in" })
	return &s
}

func TestEvalMeansWhatItSays(t *testing.T) {
	for raw, want := range map[string]bool{
		`{"all":[]}`: true, `{"any":[]}`: false, `{"everyone":{}}`: true, `{"not":{"everyone":{}}}`: false,

		`{"trait":{"path":"country","op":"eq","value":"JP"}}`:                                                                 true,
		`{"trait":{"path":"country","op":"eq","value":"jp"}}`:                                                                 false, // case counts
		`{"trait":{"path":"zip","op":"gt","value":5}}`:                                                                        false, // a text is not a number
		`{"trait":{"path":"zip","op":"neq","value":30}}`:                                                                      true,
		`{"trait":{"path":"nick","op":"exists"}}`:                                                                             false, // null is absent
		`{"trait":{"path":"nick","op":"neq","value":"x"}}`:                                                                    true,
		`{"trait":{"path":"none","op":"not_in","value":["x"]}}`:                                                               true,
		`{"trait":{"path":"none","op":"lt","value":1}}`:                                                                       false,
		`{"trait":{"path":"address.city","op":"starts_with","value":"Ky"}}`:                                                   true,
		`{"trait":{"path":"tags","op":"contains","value":5}}`:                                                                 true,
		`{"trait":{"path":"tags","op":"contains","value":"5"}}`:                                                               false,
		`{"trait":{"path":"tags.0","op":"eq","value":"a"}}`:                                                                   true,
		`{"trait":{"path":"country","op":"contains","value":"J"}}`:                                                            true,
		`{"trait":{"path":"age","op":"between","value":[30,40]}}`:                                                             true,
		`{"trait":{"path":"vip","op":"in","value":[true]}}`:                                                                   true,
		`{"trait":{"path":"renews_at","op":"between","value":[{"ago":{"n":0,"unit":"day"}},{"ahead":{"n":2,"unit":"day"}}]}}`: true,
		`{"trait":{"path":"renews_at","op":"lt","value":{"ahead":{"n":2,"unit":"day"}}}}`:                                     false,

		`{"event":{"name":"Never","op":"eq","value":0}}`:                                                                    true,
		`{"event":{"name":"Never","op":"lt","value":1}}`:                                                                    true,
		`{"event":{"name":"Never","agg":"sum","path":"x","op":"lte","value":0}}`:                                            true,
		`{"event":{"name":"Never","agg":"max","path":"x","op":"neq","value":5}}`:                                            false,
		`{"event":{"name":"Never","agg":"max","path":"x","op":"not_exists"}}`:                                               true,
		`{"event":{"name":"Order Completed","op":"eq","value":4}}`:                                                          true,
		`{"event":{"name":"page"}}`:                                                                                         true,
		`{"event":{"name":"Order Completed","type":"page"}}`:                                                                false,
		`{"event":{"name":"Order Completed","agg":"distinct","path":"order_id","op":"eq","value":3}}`:                       true,
		`{"event":{"name":"Order Completed","agg":"avg","path":"total","op":"eq","value":60}}`:                              true,
		`{"event":{"name":"Order Completed","agg":"first","path":"category","op":"eq","value":"shoes"}}`:                    true,
		`{"event":{"name":"Order Completed","agg":"last","path":"category","op":"not_exists"}}`:                             true, // the last one has none
		`{"event":{"name":"Order Completed","agg":"last","path":"category","op":"neq","value":"shoes"}}`:                    false,
		`{"event":{"name":"Order Completed","filter":[{"path":"category","op":"neq","value":"hats"}],"op":"eq","value":2}}`: true,
		// Exactly 40 days ago is not within 40 days any more; between starts there.
		`{"event":{"name":"Order Completed","window":{"within":{"n":40,"unit":"day"}},"op":"eq","value":3}}`:                                              true,
		`{"event":{"name":"Order Completed","window":{"between":{"from_ago":{"n":41,"unit":"day"},"to_ago":{"n":40,"unit":"day"}}},"op":"eq","value":1}}`: true,
		`{"event":{"name":"Order Completed","window":{"absolute":{"from":"2026-03-31T12:00:00Z","to":"2026-04-20T12:00:00Z"}},"op":"eq","value":1}}`:      true,
		`{"event":{"name":"Order Completed","window":{"absolute":{"from":"2026-03-31T21:00:00+09:00","to":"2026-04-20T12:00:01Z"}},"op":"eq","value":2}}`: true,

		`{"order":{"op":"eq","value":2}}`:                                                                       true, // o3 was refunded in full, o2 counts once
		`{"order":{"agg":"sum","op":"eq","value":135}}`:                                                         true, // 100 - 25 + 60
		`{"order":{"agg":"aov","op":"eq","value":67.5}}`:                                                        true,
		`{"order":{"agg":"sum","status":"any","op":"eq","value":190}}`:                                          true,
		`{"order":{"status":"refunded","op":"eq","value":1}}`:                                                   true,
		`{"order":{"agg":"days_since_last","op":"eq","value":19}}`:                                              true,
		`{"order":{"agg":"sum","op":"eq","value":75,"filter":[{"path":"category","op":"eq","value":"shoes"}]}}`: true,
		`{"order":{"agg":"sum","op":"eq","value":60,"window":{"within":{"n":30,"unit":"day"}}}}`:                true,

		`{"device":{"path":"os","op":"eq","value":"iOS"}}`:                                          true,
		`{"device":{"path":"os","op":"neq","value":"iOS"}}`:                                         false,
		`{"device":{"path":"model","op":"not_exists"}}`:                                             true,
		`{"device":{"path":"os_version","op":"gt","value":"17.9"}}`:                                 true,
		`{"device":{"path":"app_version","op":"between","value":["3.2","3.10.1"]}}`:                 true,
		`{"device":{"path":"platform","op":"eq","value":"ios"}}`:                                    true,
		`{"device":{"path":"os","op":"eq","value":"iOS","window":{"within":{"n":2,"unit":"day"}}}}`: false,
		`{"device":{"path":"last_seen","op":"lt","value":{"ago":{"n":2,"unit":"day"}}}}`:            true,
		`{"device":{"path":"last_seen","op":"lt","value":{"ago":{"n":3,"unit":"day"}}}}`:            false,

		`{"channel":{"kind":"email","reachable":true}}`:                true,
		`{"channel":{"kind":"fax","reachable":false}}`:                 true,
		`{"channel":{"kind":"email","subscribed":"news"}}`:             true,
		`{"channel":{"kind":"email","subscribed":"offers"}}`:           false,
		`{"channel":{"kind":"sms","subscribed":"news","value":false}}`: true,

		`{"engagement":{"action":"opened","op":"eq","value":2}}`:                    true,
		`{"engagement":{"action":"opened","agg":"distinct","op":"eq","value":1}}`:   true,
		`{"engagement":{"action":"opened","source":{"id":"cmp_1"},"topic":"news"}}`: true,
		`{"engagement":{"action":"opened","source":{"id":"cmp_2"}}}`:                false,
		`{"engagement":{"action":"opened","op":"eq","value":3,"machine":true}}`:     true,
		`{"engagement":{"action":"opened","op":"eq","value":2,"machine":false}}`:    true,
		`{"engagement":{"action":"clicked","op":"eq","value":0}}`:                   true,
		`{"engagement":{"action":"opened","channel":"sms"}}`:                        false,

		// The orders were 40, 20 and 10 days ago, o2 an hour later once more; the refunds 9 and 8 days ago; the opening of a mail 2 days ago.
		`{"event":{"name":"Order Completed","window":{"before":{"n":40,"unit":"day"}},"op":"eq","value":1}}`:                                                                       true,
		`{"event":{"name":"Order Refunded","window":{"since":{"name":"Order Completed"}},"op":"eq","value":2}}`:                                                                    true,
		`{"event":{"name":"Order Completed","window":{"since":{"name":"Order Completed","which":"first"}},"op":"eq","value":3}}`:                                                   true,
		`{"event":{"name":"Order Completed","window":{"since":{"name":"Order Refunded"}},"op":"eq","value":0}}`:                                                                    true,
		`{"event":{"name":"Order Refunded","window":{"since":{"name":"Never"}}}}`:                                                                                                  false,
		`{"event":{"name":"Order Refunded","window":{"since":{"name":"Order Completed","within":{"n":2,"unit":"day"}}},"op":"eq","value":1}}`:                                      true, // the second exactly 2 days after
		`{"order":{"agg":"sum","op":"eq","value":60,"window":{"since":{"name":"Order Completed","which":"first"}}}}`:                                                               true, // o3 came back
		`{"engagement":{"action":"opened","window":{"since":{"name":"Order Completed"}},"op":"eq","value":2}}`:                                                                     true,
		`{"device":{"path":"os","op":"eq","value":"iOS","window":{"since":{"name":"Order Refunded"}}}}`:                                                                            true,
		`{"occurrence":{"which":"first","name":"Order Completed","window":{"within":{"n":30,"unit":"day"}}}}`:                                                                      false,
		`{"occurrence":{"which":"first","name":"Order Completed","filter":[{"path":"category","op":"eq","value":"hats"}],"window":{"within":{"n":30,"unit":"day"}}}}`:              true,
		`{"occurrence":{"which":"last","name":"Order Completed","window":{"before":{"n":10,"unit":"day"}}}}`:                                                                       true,
		`{"occurrence":{"which":"first","name":"Order Completed","has":[{"path":"category","op":"eq","value":{"trait":"home"}}]}}`:                                                 true,
		`{"occurrence":{"which":"last","name":"Order Completed","has":[{"path":"category","op":"exists"}]}}`:                                                                       false,
		`{"occurrence":{"which":"last","name":"Never"}}`:                                                                                                                           false,
		`{"sequence":{"steps":[{"name":"Order Completed"},{"name":"Order Refunded","within":{"n":1,"unit":"day"}}]}}`:                                                              false, // exactly a day after is not within a day
		`{"sequence":{"steps":[{"name":"Order Completed"},{"name":"Order Refunded","within":{"n":25,"unit":"hour"}}]}}`:                                                            true,
		`{"sequence":{"steps":[{"name":"Order Refunded"},{"name":"Order Completed"}]}}`:                                                                                            false,
		`{"sequence":{"steps":[{"name":"Order Completed"},{"name":"Order Refunded"}],"by":"order_id"}}`:                                                                            true,
		`{"sequence":{"steps":[{"name":"Order Completed"},{"name":"Order Refunded","within":{"n":2,"unit":"day"}}],"by":"order_id"}}`:                                              true,
		`{"sequence":{"steps":[{"name":"Order Completed"},{"name":"Order Refunded","within":{"n":20,"unit":"hour"}}],"by":"order_id"}}`:                                            false,
		`{"sequence":{"steps":[{"name":"Order Completed","filter":[{"path":"order_id","op":"eq","value":"o1"}]},{"name":"Order Refunded","without":{"name":"Order Completed"}}]}}`: false,
		`{"sequence":{"steps":[{"name":"Order Completed"},{"name":"Order Completed","absent":true,"within":{"n":15,"unit":"day"}}],"window":{"before":{"n":30,"unit":"day"}}}}`:    true,
		`{"sequence":{"steps":[{"name":"Order Completed"},{"name":"Order Completed","absent":true,"within":{"n":21,"unit":"day"}}]}}`:                                              false, // too early to know of the last one
		`{"sequence":{"steps":[{"name":"Order Completed"},{"name":"Order Completed","absent":true}]}}`:                                                                             true,
		`{"sequence":{"steps":[{"name":"Order Completed"},{"name":"Order Completed"},{"name":"Order Completed"},{"name":"Order Completed"},{"name":"Order Completed"}]}}`:          false,
		`{"sequence":{"steps":[{"name":"Order Completed"},{"name":"Order Completed"},{"name":"Order Completed"},{"name":"Order Completed"}]}}`:                                     true,
		`{"anniversary":{"path":"born","zone":"UTC"}}`:                                                                                                                             false, // it is the 10th
		`{"anniversary":{"path":"born","from":2,"to":2,"zone":"UTC"}}`:                                                                                                             true,
		`{"anniversary":{"path":"born","to":1,"zone":"UTC"}}`:                                                                                                                      false,
		`{"anniversary":{"path":"born","to":1,"zone":"UTC","own_zone":true}}`:                                                                                                      true, // on Kiritimati it is the 11th
		`{"anniversary":{"path":"leap","from":-71,"to":-71,"zone":"UTC"}}`:                                                                                                         true, // 28 February
		`{"anniversary":{"path":"leap","from":-71,"to":-71,"zone":"UTC","leap_day":"march"}}`:                                                                                      false,
		`{"anniversary":{"path":"leap","from":-70,"to":-70,"zone":"UTC","leap_day":"march"}}`:                                                                                      true,
		`{"anniversary":{"path":"none","from":-90,"to":90,"zone":"UTC"}}`:                                                                                                          false,
		`{"anniversary":{"event":{"name":"Order Completed"},"from":-90,"to":90,"zone":"UTC"}}`:                                                                                     false, // a year has to pass
		`{"trait":{"path":"spent","op":"gt","value":{"trait":"age"}}}`:                                                                                                             true,
		`{"trait":{"path":"zip","op":"eq","value":{"trait":"age"}}}`:                                                                                                               false, // a text is not a number
		`{"trait":{"path":"spent","op":"neq","value":{"trait":"none"}}}`:                                                                                                           true,
		`{"trait":{"path":"spent","op":"lt","value":{"trait":"none"}}}`:                                                                                                            false,
		`{"trait":{"path":"tags","op":"contains","value":{"trait":"vip"}}}`:                                                                                                        true,
		`{"event":{"name":"Order Completed","agg":"first","path":"category","op":"eq","value":{"trait":"home"}}}`:                                                                  true,
		`{"order":{"agg":"sum","status":"any","op":"gte","value":{"trait":"spent"}}}`:                                                                                              true,
		`{"order":{"op":"lt","value":{"trait":"none"}}}`:                                                                                                                           false,
		`{"event":{"name":"Never","op":"lt","value":{"trait":"spent"}}}`:                                                                                                           true,

		`{"segment":{"id":"seg_in"}}`: true, `{"segment":{"id":"seg_in","in":false}}`: false, `{"list":{"id":"lst_out","in":false}}`: true,
		`{"bucket":{"salt":"s","from":0,"to":100}}`: true,
	} {
		if got := parse(t, raw).Eval(shopper(), now).Match; got != want {
			t.Errorf("%s: %v, want %v", raw, got, want)
		}
	}
}

// A phone app whose first call is identify has shown its device.
func TestIdentifyTellsTheDevice(t *testing.T) {
	identified := did("", time.Hour, `{}`)
	identified.Type = event.Identify
	identified.Context = json.RawMessage(`{"os":{"name":"iOS"}}`)
	s := rule.SubjectFrom(event.Mirror{Num: 1, ID: "per_1"}, []event.Kept{identified}, func(string) bool { return false })
	for raw, want := range map[string]bool{
		`{"device":{"path":"os","op":"eq","value":"iOS"}}`:     true,
		`{"device":{"path":"os","op":"not_exists"}}`:           false,
		`{"device":{"path":"last_seen","op":"exists"}}`:        false, // identify is nothing the person did
		`{"device":{"path":"os","op":"eq","value":"Android"}}`: false,
	} {
		r, err := rule.Parse([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Eval(&s, now).Match; got != want {
			t.Errorf("%s: %v, want %v", raw, got, want)
		}
	}
}

func TestNextIsTheMomentOfTheChange(t *testing.T) {
	for raw, want := range map[string]time.Time{
		`{"event":{"name":"Order Completed","window":{"within":{"n":30,"unit":"day"}}}}`:                                               now.Add(20 * day), // when o3, ten days old, drops out
		`{"event":{"name":"Order Completed","op":"gte","value":3,"window":{"within":{"n":30,"unit":"day"}}}}`:                          now.Add(10 * day), // the third to last
		`{"event":{"name":"Order Completed","window":{"between":{"from_ago":{"n":100,"unit":"day"},"to_ago":{"n":50,"unit":"day"}}}}}`: now.Add(10 * day),
		`{"event":{"name":"Order Completed"}}`:                                                                                        {},
		`{"order":{"agg":"days_since_last","op":"gt","value":30}}`:                                                                    now.Add(11*day + time.Hour),
		`{"order":{"agg":"days_since_last","op":"gt","value":5}}`:                                                                     {},
		`{"device":{"path":"last_seen","op":"lt","value":{"ago":{"n":7,"unit":"day"}}}}`:                                              now.Add(4*day + time.Microsecond),
		`{"trait":{"path":"renews_at","op":"lte","value":{"ago":{"n":1,"unit":"day"}}}}`:                                              now.Add(3 * day),
		`{"engagement":{"action":"opened","op":"eq","value":0,"window":{"within":{"n":3,"unit":"day"}}}}`:                             now.Add(day),
		`{"sequence":{"steps":[{"name":"Order Completed"},{"name":"Order Completed","absent":true,"within":{"n":21,"unit":"day"}}]}}`: now.Add(11 * day),
		`{"occurrence":{"which":"last","name":"Order Completed","window":{"within":{"n":30,"unit":"day"}}}}`:                          now.Add(20 * day),
		`{"anniversary":{"path":"born","zone":"UTC"}}`:                                                                                now.Add(36 * time.Hour),
		`{"anniversary":{"path":"born","zone":"UTC","own_zone":true}}`:                                                                now.Add(22 * time.Hour), // midnight on Kiritimati is 10:00 in UTC
		`{"anniversary":{"event":{"name":"Order Completed"},"zone":"Asia/Tokyo"}}`:                                                    time.Date(2027, 3, 30, 15, 0, 0, 0, time.UTC),
		// A false child that never changes keeps all from changing.
		`{"all":[{"trait":{"path":"country","op":"eq","value":"US"}},{"event":{"name":"Order Completed","window":{"within":{"n":30,"unit":"day"}}}}]}`: {},
		// Two true children keep any true until the later one gives way.
		`{"any":[{"event":{"name":"Order Completed","window":{"within":{"n":15,"unit":"day"}}}},{"event":{"name":"Order Completed","window":{"within":{"n":30,"unit":"day"}}}}]}`: now.Add(20 * day),
	} {
		if got := parse(t, raw).Eval(shopper(), now).Next; !got.Equal(want) {
			t.Errorf("%s: next change at %s, want %s", raw, got, want)
		}
	}
}

// BenchmarkEval decides ten rules for a person with a hundred events, decoding included.
func BenchmarkEval(b *testing.B) {
	r, err := rule.Parse([]byte(example))
	if err != nil {
		b.Fatal(err)
	}
	var events []event.Kept
	for i := range 100 {
		events = append(events, did([]string{event.OrderCompleted, "Product Viewed"}[i%2], time.Duration(100-i)*day, `{"order_id":"o1","total":60,"currency":"USD","products":[{"sku":"s1"}]}`))
	}
	for b.Loop() {
		s := rule.SubjectFrom(event.Mirror{Num: 1, ID: "per_1", Traits: json.RawMessage(`{"country":"JP"}`)}, events, nil)
		for range 10 {
			r.Eval(&s, now)
		}
	}
}

// A shop may tell of a cancellation, of the refund that follows it, or of both.
func TestACancelledOrderIsOneThatWasRefundedInFull(t *testing.T) {
	s := rule.SubjectFrom(event.Mirror{Num: 1, ID: "per_1"}, []event.Kept{
		did(event.OrderCompleted, 9*day, `{"order_id":"kept","total":30}`),
		did(event.OrderCompleted, 8*day, `{"order_id":"gone","total":500}`),
		did(event.OrderCancelled, 7*day, `{"order_id":"gone","total":1}`),
		did(event.OrderCompleted, 6*day, `{"order_id":"both","total":80}`),
		did(event.OrderCancelled, 5*day, `{"order_id":"both"}`),
		did(event.OrderRefunded, 4*day, `{"order_id":"both","total":80}`),
	}, func(string) bool { return false })
	for raw, want := range map[string]bool{
		`{"order":{"op":"eq","value":1}}`:                              true,
		`{"order":{"agg":"sum","op":"eq","value":30}}`:                 true,
		`{"order":{"status":"refunded","op":"eq","value":2}}`:          true,
		`{"order":{"status":"any","agg":"sum","op":"eq","value":610}}`: true,
	} {
		if got := parse(t, raw).Eval(&s, now).Match; got != want {
			t.Errorf("%s: %v", raw, got)
		}
	}
}
