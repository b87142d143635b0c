package event

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Timeline is what Search and Sift read of a Store.
type Timeline interface {
	Timeline(ctx context.Context, ws string, person uint64, types []Type, p page.Request) (page.Of[Kept], error)
}

// searchReach is how many events one page of a search looks at: some tenths of a second. Only machines have longer histories.
const searchReach = 10_000

// Search returns a person's events in which a text stands, newest first: in their name, or in a value of their properties or of the page they happened on. Case
// and the width of characters make no difference; what is kept encrypted is not looked at. A page looks at searchReach events at the most, so that it may hold
// fewer than asked for, even none, and still be followed by another.
func Search(ctx context.Context, s Timeline, ws string, person uint64, types []Type, text string, p page.Request) (page.Of[Kept], error) {
	text = folded(text)
	return sift(ctx, s, ws, person, types, func(k Kept) bool { return mentions(k, text) }, page.MaxLimit, p)
}

// Sift returns a person's events that fit, newest first, of a history most of which fits; of pages the same holds as of those of Search.
func Sift(ctx context.Context, s Timeline, ws string, person uint64, types []Type, fits func(Kept) bool, p page.Request) (page.Of[Kept], error) {
	return sift(ctx, s, ws, person, types, fits, min(2*p.Size(), page.MaxLimit), p)
}

// sift reads so many events at once.
func sift(ctx context.Context, s Timeline, ws string, person uint64, types []Type, fits func(Kept) bool, atOnce int, p page.Request) (page.Of[Kept], error) {
	out := page.Of[Kept]{Next: p.Cursor}
	for looked := 0; looked < searchReach; {
		found, err := s.Timeline(ctx, ws, person, types, page.Request{Limit: atOnce, Cursor: out.Next})
		if err != nil {
			return page.Of[Kept]{}, err
		}
		for i, k := range found.Items {
			if !fits(k) {
				continue
			}
			if out.Items = append(out.Items, k); len(out.Items) == p.Size() && (i+1 < len(found.Items) || found.Next != "") {
				out.Next = TimelineCursor(k)
				return out, nil
			}
		}
		looked += len(found.Items)
		if out.Next = found.Next; out.Next == "" {
			break
		}
	}
	return out, nil
}

// TimelineCursor is the cursor of a timeline that goes on after an event.
func TimelineCursor(k Kept) string {
	return page.Encode(k.Time.UnixMicro(), k.Position.Seq, k.Position.Index)
}

func folded(s string) string { return norm.NFKC.String(strings.ToLower(strings.TrimSpace(s))) }

func mentions(k Kept, text string) bool {
	if strings.Contains(folded(k.Name), text) {
		return true
	}
	var context struct {
		Page json.RawMessage `json:"page"`
	}
	if len(k.Context) > 0 {
		_ = json.Unmarshal(k.Context, &context) // what cannot be read says nothing
	}
	return says(Readable(k.Properties), text) || says(Readable(context.Page), text)
}

// says reports whether a text or number anywhere in the JSON value has the text in it.
func says(raw json.RawMessage, text string) bool {
	if len(raw) == 0 {
		return false
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	return d.Decode(&v) == nil && valueSays(v, text)
}

func valueSays(v any, text string) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(folded(v), text)
	case json.Number:
		return strings.Contains(v.String(), text)
	case []any:
		for _, e := range v {
			if valueSays(e, text) {
				return true
			}
		}
	case map[string]any:
		for _, e := range v {
			if valueSays(e, text) {
				return true
			}
		}
	}
	return false
}
