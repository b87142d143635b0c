// Package page is cursor paging: a request asks for at most Limit items after Cursor, the answer
// carries the items and the cursor of the next page. Cursors are opaque to clients; inside they
// are the sort key of the last item, so that pages stay stable while rows are added.
package page

import (
	"encoding/base64"
	"encoding/json"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Limits of a page.
const (
	DefaultLimit = 50
	MaxLimit     = 500
)

// Request asks for a page. The zero value asks for the first page of DefaultLimit items.
type Request struct {
	Limit  int
	Cursor string
}

// Size returns the number of items to fetch: Limit bounded to [1, MaxLimit], DefaultLimit if unset.
func (r Request) Size() int {
	if r.Limit <= 0 {
		return DefaultLimit
	}
	return min(r.Limit, MaxLimit)
}

// Of is one page of T.
type Of[T any] struct {
	Items []T
	Next  string // empty on the last page
}

// Encode makes a cursor of a sort key.
func Encode(key ...any) string {
	b, err := json.Marshal(key)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// Decode reads a cursor made by Encode into the given pointers, one for each part of the key. An empty
// cursor leaves them as they are and reports false.
func Decode(cursor string, into ...any) (bool, error) {
	if cursor == "" {
		return false, nil
	}
	bad := errs.Invalid("page.cursor.invalid", "cursor", "this cursor was not made by this list; start again without one")
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return false, bad
	}
	var parts []json.RawMessage
	if json.Unmarshal(b, &parts) != nil || len(parts) != len(into) {
		return false, bad
	}
	for i := range parts {
		if json.Unmarshal(parts[i], into[i]) != nil {
			return false, bad
		}
	}
	return true, nil
}

// Cut makes a page of up to size+1 fetched items: the extra item only tells that there is more.
func Cut[T any](items []T, size int, key func(T) string) Of[T] {
	if len(items) <= size {
		return Of[T]{Items: items}
	}
	items = items[:size]
	return Of[T]{Items: items, Next: key(items[size-1])}
}
