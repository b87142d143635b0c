package person_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/person/persontest"
)

func kept(n int, kind event.Type, name string, when time.Time, props, ctx map[string]any) event.Kept {
	k := event.Kept{
		Event: event.Event{
			Workspace: persontest.WS, MessageID: fmt.Sprintf("m%d", n), Type: kind, Name: name, Time: when, Origin: event.Browser,
			Properties: persontest.Object(props), Context: persontest.Object(ctx),
		},
		Person: 1, Position: event.Position{Seq: uint64(n)},
	}
	if kind == event.Message {
		k.Origin = event.Internal
	}
	return k
}

func TestPortraitOfNobodyInventsNothing(t *testing.T) {
	if diff := cmp.Diff(person.Portrait{}, person.NewPortrait(person.Person{}, nil, nil, at(0))); diff != "" {
		t.Fatal(diff)
	}
}

func TestPortraitSumsWithEvidence(t *testing.T) {
	tokyo := map[string]any{"timezone": "Asia/Tokyo", "locale": "ja-JP", "location": map[string]any{"country": "JP", "city": "Osaka"}, "os": map[string]any{"name": "iOS"}, "device": map[string]any{"type": "ios", "model": "iPhone 15"}}
	page := map[string]any{"page": map[string]any{"path": "/shoes/red"}, "os": map[string]any{"name": "macOS"}}
	shoes := []any{
		map[string]any{"name": "Runner", "category": "shoes", "quantity": 2}, map[string]any{"product_id": "sock-1", "category": "socks"},
	}
	day := func(d int) time.Time { return time.Date(2026, 3, d, 1, 0, 0, 0, time.UTC) } // 10:00 in Tokyo
	history := []event.Kept{
		kept(1, event.Page, "Home", day(1), nil, page),
		kept(2, event.Track, "Product Viewed", day(1).Add(5*time.Minute), map[string]any{"category": "shoes"}, tokyo),
		kept(3, event.Track, event.OrderCompleted, day(2), map[string]any{"order_id": "o1", "total": 50.5, "currency": "EUR", "products": shoes}, tokyo),
		kept(4, event.Track, event.OrderCompleted, day(2).Add(time.Minute), map[string]any{"order_id": "o1", "total": 50.5, "currency": "EUR"}, tokyo), // told twice
		kept(5, event.Track, event.OrderCompleted, day(3), map[string]any{"order_id": "o2", "total": 20, "currency": "EUR", "products": shoes[:1]}, tokyo),
		kept(6, event.Track, event.OrderRefunded, day(4), map[string]any{"order_id": "o2", "total": 20, "currency": "EUR"}, tokyo),
		kept(12, event.Track, event.OrderCompleted, day(4), map[string]any{"order_id": "o3", "total": 30, "currency": "EUR"}, tokyo),
		kept(13, event.Track, event.OrderRefunded, day(4), map[string]any{"order_id": "o3", "total": 5, "currency": "EUR"}, tokyo),
		kept(14, event.Track, event.OrderCancelled, day(4), map[string]any{"order_id": "o3"}, tokyo),
		kept(15, event.Track, event.OrderRefunded, day(4), map[string]any{"order_id": "o3", "total": 30, "currency": "EUR"}, tokyo), // as shops tell it
		kept(7, event.Track, event.OrderCompleted, day(5), map[string]any{"total": 900, "currency": "JPY"}, tokyo),
		kept(8, event.Message, event.MessageSent, day(6), map[string]any{"channel": "email", "message_id": "msg_1"}, nil),
		kept(9, event.Message, event.MessageOpened, day(6), map[string]any{"channel": "email", "message_id": "msg_1", "machine": true}, nil),
		kept(10, event.Message, event.MessageSent, day(6), map[string]any{"channel": "line", "message_id": "msg_2"}, nil),
		kept(11, event.Message, event.MessageClicked, day(6), map[string]any{"channel": "line", "message_id": "msg_2"}, nil),
	}
	p := person.Person{
		Traits:      map[string]person.Trait{"first_name": {Value: "Ada"}, "country": {Value: "DE", Time: day(1)}},
		Identifiers: []person.Identifier{{Kind: "email", Value: "ada@example.com", LastSeen: day(2)}},
	}
	got := person.NewPortrait(p, history, map[string]person.Reach{"email": {Reachable: true}, "line": {Reachable: true}}, day(11))

	same(t, "name", got.Basic.Name.Value, "Ada")
	same(t, "email", got.Basic.Email.Value+" "+got.Basic.Email.Evidence.Rule, "ada@example.com identifier")
	same(t, "country", got.Basic.Country.Value+" "+got.Basic.Country.Evidence.Rule, "DE trait")
	same(t, "city", fmt.Sprint(got.Basic.City.Value, got.Basic.City.Evidence.Events), "Osaka10")
	same(t, "language", got.Basic.Language.Value, "ja-JP")
	same(t, "phone", got.Basic.Phone, (*person.Figure[string])(nil))
	same(t, "days", got.Basic.DaysRelated.Value, 10)
	same(t, "visits", got.Basic.Visits.Value, 5)
	same(t, "first seen", got.Basic.FirstSeen.Value, day(1))

	same(t, "orders", fmt.Sprint(got.Assets.Orders.Value, got.Assets.Orders.Evidence.Events), "4 4")
	same(t, "refunds", got.Assets.Refunds.Value, 4)
	same(t, "last order", got.Assets.LastOrder.Value, day(5))
	var values []person.Value
	for _, v := range got.Assets.Value {
		values = append(values, v.Value)
	}
	if diff := cmp.Diff([]person.Value{
		{Currency: "EUR", Orders: 3, Ordered: 10050, Refunded: 5000, Net: 5050, Average: 3350},
		{Currency: "JPY", Orders: 1, Ordered: 900, Net: 900, Average: 900},
	}, values); diff != "" {
		t.Fatal(diff)
	}
	same(t, "evidence of EUR", got.Assets.Value[0].Evidence.Events, 6)
	same(t, "top product", fmt.Sprint(got.Assets.Products[0].Value), fmt.Sprint(person.Share{Value: "Runner", Count: 4, Share: 0.8}))
	same(t, "top category", got.Assets.Categories[0].Value.Value, "shoes")

	same(t, "channel", got.Preferences.Channel.Value, "line")
	same(t, "mail", fmt.Sprint(got.Preferences.Channels[1].Value), fmt.Sprint(person.Engagement{Channel: "email", Reachable: true, Sent: 1}))
	same(t, "interest", got.Preferences.Interests[0].Value.Value, "shoes")
	same(t, "zone", got.Preferences.Timezone.Value, "Asia/Tokyo")
	same(t, "peak", got.Preferences.Hours.Value.Peak, 10)
	same(t, "device", got.Preferences.Devices[0].Value.Value, "ios · iPhone 15")
	same(t, "evidence", fmt.Sprint(got.Preferences.Hours.Evidence.Events, got.Preferences.Hours.Evidence.Names), "11 [Order Completed Order Refunded Order Cancelled Product Viewed page]")
}

func TestPortraitChannelMustBeReachableAndAnswered(t *testing.T) {
	sent := kept(1, event.Message, event.MessageSent, at(0), map[string]any{"channel": "email", "message_id": "msg_1"}, nil)
	opened := kept(2, event.Message, event.MessageOpened, at(1), map[string]any{"channel": "email", "message_id": "msg_1"}, nil)
	for name, tc := range map[string]struct {
		history   []event.Kept
		reachable bool
		want      bool
	}{
		"answered and reachable": {[]event.Kept{sent, opened}, true, true},
		"never answered":         {[]event.Kept{sent}, true, false},
		"not reachable":          {[]event.Kept{sent, opened}, false, false},
	} {
		got := person.NewPortrait(person.Person{}, tc.history, map[string]person.Reach{"email": {Reachable: tc.reachable}}, at(9))
		same(t, name, got.Preferences.Channel != nil, tc.want)
	}
}

func TestPortraitHoursOfUnknownZoneAreUTC(t *testing.T) {
	got := person.NewPortrait(person.Person{}, []event.Kept{kept(1, event.Page, "", at(0), nil, nil)}, nil, at(9))
	same(t, "zone", got.Preferences.Hours.Value.Zone+" "+got.Preferences.Hours.Evidence.Rule, "UTC utc_hours")
	same(t, "timezone", got.Preferences.Timezone, (*person.Figure[string])(nil))
}

func TestAPathTellsWhatAPageIsAbout(t *testing.T) {
	for path, want := range map[string]string{
		"/shoes/red/12": "/shoes", "/shoes": "/shoes", "/category/green%20tea": "green tea", "/collections/teapots/products/12": "teapots", "/c/%E7%B7%91%E8%8C%B6/": "緑茶",
		"/products/42": "", "/category/": "", "/": "", "": "", "/c/%zz": "%zz",
	} {
		page := kept(1, event.Page, "", at(0), nil, map[string]any{"page": map[string]any{"path": path}})
		got := ""
		if found := person.NewPortrait(person.Person{}, []event.Kept{page}, nil, at(9)).Preferences.Interests; len(found) > 0 {
			got = found[0].Value.Value
		}
		same(t, path, got, want)
	}
}
