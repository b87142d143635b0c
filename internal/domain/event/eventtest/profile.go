package eventtest

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

func profile(t *testing.T, s Store) {
	person := func(num uint64, traits string) event.Mirror {
		m := mirror(num, traits)
		m.Channels = json.RawMessage(fmt.Sprintf(`{"email":{"reachable":%t},"sms":{"reachable":false}}`, num != 2))
		return m
	}
	other := person(9, `{"plan":"gold"}`)
	other.Workspace = "ws_2"
	var crowd []event.Mirror
	for i := range uint64(50) { // two of fifty have the same
		m := person(100+i, fmt.Sprintf(`{"town":"t%d"}`, max(i, 1)))
		m.Workspace = "ws_3"
		crowd = append(crowd, m)
	}
	letter := func(num uint64, name, props string, seq uint64) event.Kept {
		k := Kept(num, name, 10, seq)
		k.Type, k.Properties = event.Message, json.RawMessage(props)
		return k
	}
	view := Kept(3, "", 20, 5)
	view.Type, view.Properties = event.Page, json.RawMessage(`{"path":"/tea"}`)
	again := Kept(2, "", 20, 6)
	again.Type, again.Properties = event.Page, view.Properties
	foreign := Kept(9, "Order", 1, 12)
	foreign.Workspace = "ws_2"
	appendBatch(t, s, event.Batch{
		People: append(crowd,
			person(1, `{"age":30,"plan":"gold","email":"a@b.example","vip":true,"address":{"city":"京都"},"visits":1}`),
			person(2, `{"birthday":"1986-03-02","plan":"gold","email":"b@b.example","vip":true,"address":{"city":"京都"},"visits":3}`), // 39 on the day asked for
			person(3, `{"birthday":"1976-03-01T00:00:00Z","plan":"free","email":"c@b.example","vip":"yes","address":{"city":"東京"},"visits":5}`),
			person(1<<40, `{"age":"forty","plan":"free"}`),
			other,
		),
		Events: []event.Kept{
			Kept(1, "Order", 1, 1), Kept(1, "Order", 2, 2), Kept(2, "Order", 3, 3), Kept(3, "Once", 3, 4), view, again,
			Kept(1, "Order", -9000, 7), Kept(3, "Order", -9000, 13), letter(1, event.MessageOpened, `{"channel":"email"}`, 8), letter(1, event.MessageClicked, `{"channel":"email"}`, 9),
			letter(2, event.MessageOpened, `{"channel":"email","machine":true}`, 10), letter(3, event.MessageSent, `{"channel":"sms"}`, 11), foreign,
		},
		Through: 13,
	})
	q := event.ProfileQuery{People: roaring64.BitmapOf(1, 2, 3, 77), Today: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Since: epoch, Limit: 10, Skip: []string{"age", "birthday"}}
	got, err := s.Profile(t.Context(), "ws_1", q)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "three people", got, event.Profile{
		People: 3, Ages: event.Spread{N: 3, Low: 34.5, Median: 39, High: 44.5},
		Traits: []event.TraitProfile{
			{Path: "address.city", Kind: "text", Spread: event.Spread{N: 3}, Values: []event.ValueCount{{Value: "京都", Kind: "text", Count: 2}}},
			{Path: "plan", Kind: "text", Spread: event.Spread{N: 3}, Values: []event.ValueCount{{Value: "gold", Kind: "text", Count: 2}}},
			{Path: "vip", Kind: "boolean", Spread: event.Spread{N: 3}, Values: []event.ValueCount{{Value: "true", Kind: "boolean", Count: 2}}},
			{Path: "visits", Kind: "number", Spread: event.Spread{N: 3, Low: 2, Median: 3, High: 4}},
		},
		Doings:  []event.Doing{{Type: event.Page, Name: "/tea", People: 2, Count: 2}, {Type: event.Track, Name: "Order", People: 2, Count: 3}},
		Reached: map[string]int64{"email": 2}, Answered: map[string]int64{"email": 1},
	})
	q.People = nil
	q.Limit = 1
	if got, err = s.Profile(t.Context(), "ws_1", q); err != nil {
		t.Fatal(err)
	}
	same(t, "everyone, the most frequent alone", got, event.Profile{
		People: 4, Ages: event.Spread{N: 3, Low: 34.5, Median: 39, High: 44.5},
		Traits:  []event.TraitProfile{{Path: "plan", Kind: "text", Spread: event.Spread{N: 4}, Values: []event.ValueCount{{Value: "free", Kind: "text", Count: 2}, {Value: "gold", Kind: "text", Count: 2}}}},
		Doings:  []event.Doing{{Type: event.Page, Name: "/tea", People: 2, Count: 2}},
		Reached: map[string]int64{"email": 3}, Answered: map[string]int64{"email": 1},
	})
	q.Limit, q.Values = 10, 1
	if got, err = s.Profile(t.Context(), "ws_1", q); err != nil {
		t.Fatal(err)
	}
	same(t, "one value of each trait", got.Traits[0], event.TraitProfile{Path: "plan", Kind: "text", Spread: event.Spread{N: 4}, Values: []event.ValueCount{{Value: "free", Kind: "text", Count: 2}}})
	rare := event.ProfileQuery{Limit: 10, Since: epoch, Today: q.Today}
	for values, want := range map[int]int{0: 0, 10: 1} {
		rare.Values = values
		if got, err = s.Profile(t.Context(), "ws_3", rare); err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprintf("traits with a rare value, of %d values", values), len(got.Traits), want)
	}
	q.Limit, q.Values = 1, 0
	q.People = roaring64.New()
	if got, err = s.Profile(t.Context(), "ws_1", q); err != nil {
		t.Fatal(err)
	}
	same(t, "nobody", got, event.Profile{Reached: map[string]int64{}, Answered: map[string]int64{}})
	appendBatch(t, s, event.Batch{Redirects: []event.Redirect{{Workspace: "ws_1", Loser: 2, Winner: 1}}, Gone: []event.RemovedPerson{{Workspace: "ws_1", Num: 2}}, Through: 14})
	q.People = roaring64.BitmapOf(1, 3)
	q.Limit = 5
	if got, err = s.Profile(t.Context(), "ws_1", q); err != nil {
		t.Fatal(err)
	}
	same(t, "after a merge the winner did both", got.Doings, []event.Doing{{Type: event.Page, Name: "/tea", People: 2, Count: 2}})
}
