package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// Following the cursors gives every item once and in the order of one large page.
func TestCursorsPartitionEveryList(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	for i := range 7 {
		user, at := fmt.Sprintf("p%d", i), start.Add(time.Duration(i%3)*time.Minute) // equal times are where paging goes wrong
		visit := event.Event{Workspace: b.ws, MessageID: "visit" + user, Type: event.Page, AnonymousID: "browser" + user, Time: at, Received: at, Origin: event.Browser}
		w.feed(visit)
		known := identify(b.ws, "known"+user, "aya", `{}`, at)
		known.AnonymousID = visit.AnonymousID
		w.feed(
			known,
			identify(b.ws, "extra-i"+user, user, fmt.Sprintf(`{"email":"%s@zanzibar.example"}`, user), at),
			track(b.ws, "extra-o"+user, user, event.OrderCompleted, `{"total":9,"currency":"EUR"}`, at),
			track(b.ws, "extra-e"+user, "aya", "Zanzibar Again", `{}`, at),
		)
		for _, made := range []string{
			`/segments {"name":"S%d","rule":{"trait":{"path":"a","op":"exists"}}}`, `/lists {"name":"L%d"}`, `/templates {"name":"T%d","subject":"s","html":"<p>h</p>"}`,
			`/journeys {"name":"J%d","draft":{"trigger":{},"nodes":[]}}`, `/campaigns {"name":"C%d","audience":{"include":[]}}`, `/sources {"name":"S%d","kind":"server"}`,
			`/import-mappings {"name":"M%d","columns":["email"],"plan":{"columns":[{"name":"email","to":"identifier","key":"email"}]}}`, `/keys {"name":"K%d","scopes":["people.read"]}`, `/staff {"email":"m%d@zanzibar.example","role":"viewer"}`, `/suppressions {"channel":"email","addresses":["s%d@zanzibar.example"]}`,
		} {
			path, body, _ := strings.Cut(fmt.Sprintf(made, i), " ")
			w.ok(b.key, "POST "+path, body, nil)
		}
		w.ok(b.key, "POST /lists/"+b.ids["list"]+"/members", fmt.Sprintf(`{"rows":["user_id:p%d"]}`, i), nil)
		w.ok(b.key, "POST /people/"+b.ids["aya"]+"/subscriptions", b.expand(w, fmt.Sprintf(`{"topic":"$topic","channel":"email","status":%q}`, []string{"unsubscribed", "subscribed"}[i%2])), nil)
		w.ok(b.key, "PUT /invoices", b.expand(w, fmt.Sprintf(`{"number":"P%d","person":"$aya","amount":1,"currency":"EUR","due_on":"2026-12-31"}`, i)), nil)
		bounce := fmt.Sprintf(`{"message_id":%q,"class":%q,"detail":"Zanzibar"}`, b.ids["message"], []string{"a", "b", "c", "d", "e", "f", "g"}[i])
		w.must(w.outbox.Receipts(t.Context(), []event.Kept{{Event: event.Event{Workspace: b.ws, MessageID: bounce, Type: event.Message, Name: event.MessageBounced, Time: at, Origin: event.Internal, Properties: []byte(bounce)}}}))
		w.must(w.rejections.Reject(t.Context(), []event.Rejection{{ID: fmt.Sprint("rej_2", i), Workspace: b.ws, Source: "s", Time: start, Code: "x", Reason: "y"}}))
		c := fmt.Sprintf(`{"name":"Again %d","audience":{"include":["$list"]},"topic":"$topic","template":"$template"}`, i)
		b.make(w, "again", "POST /campaigns", b.expand(w, c))
		w.ok(b.key, "POST /campaigns/"+b.ids["again"]+"/launch", "", nil)
		w.walk()
	}
	for range 4 {
		w.suggest(b, "aya", "cem")
	}
	for _, n := range []int{1, 2, 3} {
		var other struct{ ID string }
		w.ok(b.key, "POST /people", fmt.Sprintf(`{"identifiers":[{"kind":"user_id","value":"apart%d"}]}`, n), &other)
		w.ok(b.key, "POST /people/"+b.ids["aya"]+"/separate", fmt.Sprintf(`{"other":%q}`, other.ID), nil)
	}
	for i := range 7 {
		up := fmt.Sprint("upload_", i)
		b.make(w, up, "POST /uploads", "email\nnobody@b.example\n")
		w.ok(b.key, "POST /suppressions/import", b.expand(w, `{"upload":"$`+up+`","channel":"email"}`), nil)
	}
	for range 4 {
		w.ok(b.key, "POST /retention/removal", "", nil)
	}
	w.work()
	w.evaluate()
	w.settle()
	for path, least := range map[string]int{
		"/people": 10, "/people-suggestions": 6, "/people/$aya/apart": 4, "/people?q=zanzibar": 10, "/people/$aya/events": 10, "/people/$aya/events?type=track": 8, "/people/$aya/events?q=zanzibar": 8, "/people/$aya/messages": 7, "/people/$aya/identity": 8,
		"/people/$aya/subscriptions": 7, "/people/$aya/journeys": 1, "/segments": 8, "/segments/$segment/members": 10, "/segments/$segment/history": 10, "/lists": 8, "/lists/$list/members": 9,
		"/templates": 9, "/campaigns": 15, "/invoices": 8, "/invoices?person=$aya": 8, "/campaigns/$again/people": 9, "/campaigns/$again/people?metric=queued": 8, "/journeys": 9, "/journeys/$journey/people?metric=entered": 1, "/journeys/$api_journey/tasks": 1,
		"/sources": 8, "/import-mappings": 8, "/keys": 9, "/staff": 9, "/suppressions": 8, "/rejections": 8, "/events": 10, "/events?type=track": 8, "/jobs": 9, "/retention/receipts": 4, "/bounces": 8, "/audit?noun=campaign": 20, "/webhooks/$webhook/deliveries": 10,
	} {
		path = b.expand(w, path)
		join := "?"
		if strings.Contains(path, "?") {
			join = "&"
		}
		type page struct {
			Items      []json.RawMessage
			NextCursor string `json:"next_cursor"`
		}
		var whole page
		w.ok(b.key, "GET "+path+join+"limit=500", "", &whole)
		if len(whole.Items) < least || whole.NextCursor != "" {
			t.Errorf("%s: %d items, cursor %q; want at least %d on one page", path, len(whole.Items), whole.NextCursor, least)
		}
		for _, limit := range []int{1, 3} {
			var got []string
			cursor := ""
			for range len(whole.Items) + 1 {
				var p page
				w.ok(b.key, fmt.Sprintf("GET %s%slimit=%d&cursor=%s", path, join, limit, cursor), "", &p)
				if len(p.Items) > limit || p.Items == nil || p.NextCursor != "" && len(p.Items) < limit {
					t.Errorf("%s: %d items on a page of %d, cursor %q", path, len(p.Items), limit, p.NextCursor)
				}
				for _, i := range p.Items {
					got = append(got, string(i))
				}
				if cursor = p.NextCursor; cursor == "" {
					break
				}
			}
			want := make([]string, len(whole.Items))
			for i, x := range whole.Items {
				want[i] = string(x)
			}
			if d := cmp.Diff(want, got); d != "" || cursor != "" {
				t.Errorf("%s in pages of %d is not the list (cursor left: %q):\n%s", path, limit, cursor, d)
			}
		}
		for query, status := range map[string]int{"cursor=made-up": 422, "cursor=WyJhIiwiYiIsImMiLCJkIiwiZSJd": 422, "limit=0": 422, "limit=501": 422, "limit=x": 422} {
			r := w.call("GET "+path+join+query, asked{key: b.key})
			if p := problemOf(t, r); r.Code != status || p.Field != query[:strings.Index(query, "=")] {
				t.Errorf("%s with %s: %d %+v", path, query, r.Code, p)
			}
		}
	}
	if r := w.call("GET /people?cursor="+strings.Repeat("A", 5000), asked{key: b.key}); r.Code != http.StatusUnprocessableEntity {
		t.Errorf("a long cursor: %d", r.Code)
	}
}
