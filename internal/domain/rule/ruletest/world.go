package ruletest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// base is the present of the random worlds; their events lie around it.
var base = time.Date(2026, 5, 1, 9, 30, 0, 0, time.UTC)

// world is a workspace full of random people.
type world struct {
	ws      string
	mirrors []event.Mirror
	events  map[uint64][]event.Kept
	sets    map[string]*roaring64.Bitmap
}

// grid are the distances from base that events and questions share, so that exact bounds are hit often.
var grid = []time.Duration{
	0, time.Minute, time.Hour, 2 * time.Hour, 23 * time.Hour, 24 * time.Hour, 25 * time.Hour, 48 * time.Hour, 3 * 24 * time.Hour, 7 * 24 * time.Hour,
	14 * 24 * time.Hour, 30 * 24 * time.Hour, 31 * 24 * time.Hour, 60 * 24 * time.Hour, 365 * 24 * time.Hour,
}

var nudges = []time.Duration{0, 0, 0, time.Microsecond, -time.Microsecond, time.Minute, time.Hour}

// Base is a moment around which the random events of Happening lie.
func Base() time.Time { return base }

// Later draws a wait after which windows of random rules often begin or end.
func Later(t *rapid.T) time.Duration {
	return max(time.Microsecond, oneOf(t, "wait", grid[1:])+oneOf(t, "nudge", nudges))
}

// Happening draws what somebody did, some time before now.
func Happening(t *rapid.T, now time.Time) event.Kept {
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	k := randomEvent(r)
	if r.IntN(3) == 0 {
		k = randomOrder(r)
	}
	k.Time = now.Add(-pickOne(r, grid)).Add(min(0, pickOne(r, nudges)))
	return k
}

// Looks draws the traits and channels of somebody.
func Looks(t *rapid.T) (traits, channels json.RawMessage) {
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
	return randomTraits(r), randomChannels(r)
}

func randomTraits(r *rand.Rand) json.RawMessage {
	raw := randomObject(r, traitKeys, 4)
	if r.IntN(3) == 0 {
		return raw
	}
	traits := event.Object(raw)
	traits["born"], traits["timezone"] = pickOne(r, dates), pickOne(r, append([]string{"Nowhere/Land", ""}, zones...))
	return encode(traits)
}

func pickOne[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func newWorld(ws string, seed uint64) *world {
	r := rand.New(rand.NewPCG(seed, 7))
	w := &world{ws: ws, events: map[uint64][]event.Kept{}, sets: map[string]*roaring64.Bitmap{}}
	seq := uint64(0)
	for num := uint64(1); num <= 40; num++ {
		m := event.Mirror{Workspace: ws, Num: num, ID: fmt.Sprintf("per_%d_%d", seed, num), Traits: randomTraits(r), FirstSeen: base, LastSeen: base}
		m.Channels = randomChannels(r)
		w.mirrors = append(w.mirrors, m)
		shopper := r.IntN(3) == 0
		for range r.IntN(14) {
			seq++
			k := randomEvent(r)
			if shopper {
				k = randomOrder(r)
			}
			k.Workspace, k.Person, k.MessageID = ws, num, fmt.Sprintf("m%d", seq)
			k.Position = event.Position{Seq: 1 + seq/3, Index: int(seq % 3)}
			w.events[num] = append(w.events[num], k)
		}
		slices.SortFunc(w.events[num], func(a, b event.Kept) int {
			if event.Less(a, b) {
				return -1
			}
			return 1
		})
	}
	for _, id := range setIDs[:2] {
		b := roaring64.New()
		for num := uint64(1); num <= 45; num++ { // some members are nobody
			if r.IntN(2) == 0 {
				b.Add(num)
			}
		}
		w.sets[id] = b
	}
	w.sets[setIDs[2]] = roaring64.New()
	return w
}

// addTo adds the world to a batch, as the pipeline would append it.
func (w *world) addTo(b *event.Batch) {
	b.People = append(b.People, w.mirrors...)
	for _, h := range w.events {
		b.Events = append(b.Events, h...)
	}
	// Someone who has events but no mirror row yet belongs to no audience.
	b.Events = append(b.Events, event.Kept{
		Event: event.Event{Workspace: w.ws, MessageID: "ghost", Type: event.Track, Name: eventNames[0], Time: base}, Person: 999, Position: event.Position{Seq: 1},
	})
	for _, k := range b.Events {
		b.Through = max(b.Through, k.Position.Seq)
	}
}

var (
	setIDs     = []string{"seg_1", "lst_1", "seg_empty"}
	eventNames = []string{"A", "B", event.OrderCompleted, event.OrderRefunded, event.OrderCancelled, "page", "Home"}
	messages   = []string{event.MessageSent, event.MessageOpened, event.MessageClicked, event.MessageReplied, event.MessageDelivered}
	zones      = []string{"UTC", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Kiritimati", "Australia/Lord_Howe"}
	dates      = []string{"1990-05-01", "1990-05-02", "1988-02-29", "1999-02-28", "2001-03-01", "--05-01", "--02-29", "--02-30", "--13-01", "1990-04-30T15:00:00Z", "1990-04-30T14:59:59.999999Z", "1992-02-29T12:00:00+09:00", "2026-05-01", "2040-01-01", "1989-12-31", "1991-01-01", "05-01", "1850-05-01T00:00:00Z", "1850-05-01"}
	traitKeys  = []string{"country", "n", "deep", "tags", "at", "flag", "uni é", "a/b~c"}
	propKeys   = []string{"total", "order_id", "category", "tags", "deep", "flag", "n", "items", "a/b~c", "revenue"}
	texts      = []string{"", "a", "b", "ab", "JP", "5", "é", "日本", "a\x00b", "o1", "o2", "2026-05-01", "2026-04-24T09:30:00Z", "2026-05-01T18:30:00.000001+09:00", "2026-02-30", "it's \"?\" %"}
	numbers    = []float64{0, 1, 2, 2.5, -1, 100, 0.1, 0.2, 0.3, 5, 1e13, -0.05, 1234567.891, 9007199254740993}
	versions   = []string{"17", "17.1", "17.10", "17.2", "3.2.0", "3.2", "v3", "17.1-beta", "0", "1.2.3.4.5.6.7.8.9"}
)

func randomValue(r *rand.Rand, depth int) any {
	switch n := r.IntN(12); {
	case n < 4:
		return pickOne(r, texts)
	case n < 8:
		return pickOne(r, numbers)
	case n == 8:
		return r.IntN(2) == 0
	case n == 9:
		return nil
	case n == 10 && depth > 0:
		list := make([]any, r.IntN(3))
		for i := range list {
			list[i] = randomValue(r, depth-1)
		}
		return list
	case depth > 0:
		return map[string]any{"a": randomValue(r, depth-1), "b": map[string]any{"c": randomValue(r, depth-1)}, "0": randomValue(r, 0)}
	}
	return "a"
}

func randomObject(r *rand.Rand, keys []string, most int) json.RawMessage {
	m := map[string]any{}
	for range r.IntN(most + 1) {
		m[pickOne(r, keys)] = randomValue(r, 2)
	}
	return encode(m)
}

func encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain values of ours
	}
	return b
}

func randomChannels(r *rand.Rand) json.RawMessage {
	m := map[string]any{}
	for _, kind := range []string{"email", "sms"} {
		switch r.IntN(4) {
		case 0:
		case 1:
			m[kind] = map[string]any{"reachable": r.IntN(2) == 0}
		default:
			m[kind] = map[string]any{"reachable": r.IntN(2) == 0, "topics": map[string]any{"tpc_1": r.IntN(2) == 0, "tpc_2": r.IntN(2) == 0}}
		}
	}
	return encode(m)
}

func randomEvent(r *rand.Rand) event.Kept {
	k := event.Kept{Event: event.Event{Type: event.Track, Name: pickOne(r, eventNames), Origin: event.Server, Received: base}}
	k.Time = base.Add(-pickOne(r, grid)).Add(pickOne(r, nudges))
	props := map[string]any{}
	for range r.IntN(5) {
		props[pickOne(r, propKeys)] = randomValue(r, 2)
	}
	switch r.IntN(6) {
	case 0:
		k.Type = event.Page
		k.Name = pickOne(r, []string{"", "Home", "A"})
	case 1:
		k.Type = event.Screen
	case 2:
		k.Type, k.Name, k.Origin = event.Message, pickOne(r, messages), event.Internal
		for key, vals := range map[string][]string{
			"channel": {"email", "sms"}, "topic": {"tpc_1", "tpc_2"}, "source_kind": {"campaign", "journey"}, "source_id": {"cmp_1", "jrn_1"}, "node": {"n1", "n2"}, "message_id": {"msg_1", "msg_2", ""},
		} {
			if r.IntN(4) > 0 {
				props[key] = pickOne(r, vals)
			}
		}
		if r.IntN(4) > 0 {
			props["machine"] = pickOne(r, []any{true, true, false, "true", nil})
		}
	case 3:
		k.Type = event.Identify
	}
	if k.Type == event.Track && (k.Name == event.OrderCompleted || k.Name == event.OrderRefunded || k.Name == event.OrderCancelled) {
		if r.IntN(3) > 0 {
			props["order_id"] = pickOne(r, []any{"o1", "o2", 3.0, ""})
		}
		if r.IntN(4) > 0 {
			props["total"] = pickOne(r, numbers)
		}
	}
	k.Properties = encode(props)
	ctx := map[string]any{}
	if r.IntN(2) == 0 {
		ctx["os"] = map[string]any{"name": pickOne(r, []string{"iOS", "Android", "ios"}), "version": pickOne(r, versions)}
	}
	if r.IntN(2) == 0 {
		ctx["app"] = map[string]any{"version": pickOne(r, []any{"3.2", "3.10", 3.2, nil, "beta"})}
		ctx["locale"] = pickOne(r, []any{"ja-JP", "en-US", 5})
	}
	if r.IntN(3) == 0 {
		ctx["device"] = map[string]any{"type": pickOne(r, []string{"ios", "mobile"}), "model": pickOne(r, texts)}
	}
	k.Context = encode(ctx)
	return k
}

// randomOrder is an order, a refund or a cancellation with few ids and totals, so that they meet.
func randomOrder(r *rand.Rand) event.Kept {
	k := event.Kept{Event: event.Event{Type: event.Track, Name: pickOne(r, []string{event.OrderCompleted, event.OrderCompleted, event.OrderCompleted, event.OrderRefunded, event.OrderRefunded, event.OrderCancelled}), Origin: event.Server, Received: base}}
	k.Time = base.Add(-pickOne(r, grid)).Add(pickOne(r, nudges))
	props := map[string]any{}
	if r.IntN(6) > 0 {
		props["order_id"] = pickOne(r, []any{"o1", "o2", "o3", 3.0, ""})
	}
	if r.IntN(5) > 0 {
		props["total"] = pickOne(r, []float64{0, 1, 2, 2.5, 100, 1e13, -1})
	}
	k.Properties, k.Context = encode(props), encode(map[string]any{})
	return k
}
