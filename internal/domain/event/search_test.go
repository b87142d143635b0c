package event_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// told is a timeline whose cursor is that of the event before.
type told []event.Kept

func (l told) Timeline(_ context.Context, _ string, _ uint64, _ []event.Type, p page.Request) (page.Of[event.Kept], error) {
	from := 0
	if p.Cursor != "" {
		from = slices.IndexFunc(l, func(k event.Kept) bool { return event.TimelineCursor(k) == p.Cursor }) + 1
	}
	return page.Cut(l[from:min(len(l), from+p.Size()+1)], p.Size(), event.TimelineCursor), nil
}

func kept(n int, name, props, context string) event.Kept {
	return event.Kept{
		Event:    event.Event{MessageID: strconv.Itoa(n), Type: event.Track, Name: name, Time: time.UnixMicro(int64(1_000_000 - n)), Properties: json.RawMessage(props), Context: json.RawMessage(context)},
		Position: event.Position{Seq: uint64(1_000_000 - n)},
	}
}

func search(t *testing.T, l told, text string, p page.Request) (ids []string, next string) {
	t.Helper()
	found, err := event.Search(t.Context(), l, "ws", 1, nil, text, p)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range found.Items {
		ids = append(ids, k.MessageID)
	}
	return ids, found.Next
}

func TestSearchFindsWhatWasSaidWhereverItStands(t *testing.T) {
	l := told{
		kept(1, "Product Viewed", `{"title":"宇治の煎茶","tags":["ＧＲＥＥＮ tea",{"size":250}]}`, ``),
		kept(2, "", `{}`, `{"page":{"title":"抹茶スターターキット","url":"https://a.example/Matcha"},"ip":"10.0.0.250"}`),
		kept(3, "Paid", fmt.Sprintf(`{"card":%q,"title":"none"}`, event.SealedMark+"Matcha"), `{"page":[]}`),
		kept(4, "Broken", `"matcha`, `{`),
	}
	for text, want := range map[string][]string{
		"煎茶": {"1"}, "green TEA": {"1"}, "ｇｒｅｅｎ": {"1"}, "viewed": {"1"}, " matcha ": {"2"}, "抹茶": {"2"}, "250": {"1"}, "ｽﾀｰﾀｰ": {"2"}, "title": nil, "broken": {"4"}, "紅茶": nil,
	} {
		got, next := search(t, l, text, page.Request{})
		if diff := cmp.Diff(want, got); diff != "" || next != "" {
			t.Errorf("%s (-want +got), next %q:\n%s", text, next, diff)
		}
	}
}

func TestSearchGoesOnWhereItStopped(t *testing.T) {
	var l told
	var want []string
	for n := range 25_000 {
		name := "Seen"
		if n%400 == 7 && (n < 3_000 || n > 22_000) {
			name = "Bought"
			want = append(want, strconv.Itoa(n))
		}
		l = append(l, kept(n, name, `{}`, ``))
	}
	var got []string
	var sizes []int
	next := ""
	for {
		ids, after := search(t, l, "bought", page.Request{Limit: 4, Cursor: next})
		got, sizes = append(got, ids...), append(sizes, len(ids))
		if next = after; next == "" {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	if !slices.Equal(sizes, []int{4, 4, 0, 3, 4, 1}) {
		t.Errorf("pages of %v", sizes) // the third and the fourth have looked as far as one page looks
	}
}

func TestSiftLeavesOutWhatDoesNotFitWithoutGaps(t *testing.T) {
	var l told
	var want []string
	for n := range 25 {
		name := "Seen"
		if n%3 == 1 || n > 10 && n < 19 { // longer than what is read at once
			name = "Noise"
		} else {
			want = append(want, strconv.Itoa(n))
		}
		l = append(l, kept(n, name, `{}`, ``))
	}
	var got []string
	next := ""
	for {
		found, err := event.Sift(t.Context(), l, "ws", 1, nil, func(k event.Kept) bool { return k.Name != "Noise" }, page.Request{Limit: 3, Cursor: next})
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range found.Items {
			got = append(got, k.MessageID)
		}
		if next = found.Next; next == "" {
			break
		}
		if len(found.Items) != 3 {
			t.Errorf("a page of %d that another follows", len(found.Items))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
}
