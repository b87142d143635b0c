package syndication_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/guard"
	"github.com/kizuna-cx/kizuna/internal/syndication"
)

// page answers every request alike and keeps what was asked.
type page struct {
	guard.Response
	asked guard.Request
}

func (p *page) Do(_ context.Context, q guard.Request) (guard.Response, error) {
	p.asked = q
	if p.Header == nil {
		p.Header = http.Header{}
	}
	p.URL = q.URL
	return p.Response, nil
}

const rss = `<?xml version="1.0"?><rss version="2.0"><channel><title>Shop &amp; news</title><link>/home</link>
<item><title>&lt;b&gt;Old&lt;/b&gt; tea</title><link>/tea</link><guid>g-1</guid><pubDate>Sun, 01 Mar 2026 09:00:00 GMT</pubDate>
 <description>&lt;p&gt;Green&lt;script&gt;alert(1)&lt;/script&gt; &amp;amp; black&lt;/p&gt;&lt;p&gt;絆&lt;/p&gt;</description></item>
<item><title>New tea</title><link>javascript:alert(1)</link><pubDate>Mon, 02 Mar 2026 09:00:00 GMT</pubDate><enclosure url="https://img.example/a.png" type="image/png" length="1"/></item>
<item><title>New tea</title><link>javascript:alert(1)</link><pubDate>Mon, 02 Mar 2026 09:00:00 GMT</pubDate></item>
</channel></rss>`

func TestAFeedComesOutAsPlainTextNewestFirst(t *testing.T) {
	p := &page{Response: guard.Response{Status: 200, Body: []byte(rss), Header: http.Header{"Etag": {`"v1"`}, "Last-Modified": {"Mon, 02 Mar 2026 09:00:00 GMT"}}}}
	got, err := syndication.New(p).Read(t.Context(), "https://shop.example/rss", campaign.FeedState{ETag: `"v0"`, Modified: "then"})
	if err != nil {
		t.Fatal(err)
	}
	want := campaign.FeedAnswer{Title: "Shop & news", Link: "https://shop.example/home", ETag: `"v1"`, Modified: "Mon, 02 Mar 2026 09:00:00 GMT", Items: []campaign.Item{
		{Key: "javascript:alert(1)", Title: "New tea", Image: "https://img.example/a.png", Published: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)},
		{Key: "g-1", Title: "Old tea", Link: "https://shop.example/tea", Summary: "Green & black 絆", Published: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if h := p.asked.Header; h["If-None-Match"] != `"v0"` || h["If-Modified-Since"] != "then" || p.asked.MaxBody == 0 {
		t.Errorf("asked %+v", p.asked)
	}
}

func TestAtomIsReadAndLongTextsAreCut(t *testing.T) {
	body := `<feed xmlns="http://www.w3.org/2005/Atom"><title>A</title><entry><id>urn:1</id><title>` + strings.Repeat("長", 400) + `</title><link href="https://a.example/1"/>
		<updated>2026-03-01T09:00:00Z</updated><author><name>Ann</name></author><content type="html">Hello</content></entry></feed>`
	got, err := syndication.New(&page{Response: guard.Response{Status: 200, Body: []byte(body)}}).Read(t.Context(), "https://a.example/atom", campaign.FeedState{})
	if err != nil || len(got.Items) != 1 {
		t.Fatal(got, err)
	}
	if i := got.Items[0]; i.Key != "urn:1" || i.Author != "Ann" || i.Summary != "Hello" || len([]rune(i.Title)) != 300 || i.Link != "https://a.example/1" {
		t.Errorf("%+v", i)
	}
}

func TestAnswersThatAreNoFeed(t *testing.T) {
	for name, c := range map[string]struct {
		r    guard.Response
		kind errs.Kind
	}{
		"gone": {guard.Response{Status: 410}, errs.KindInvalid}, "broken": {guard.Response{Status: 503}, errs.KindUnavailable}, "page": {guard.Response{Status: 200, Body: []byte("<html>")}, errs.KindInvalid},
		"large": {guard.Response{Status: 200, Body: []byte(rss), Truncated: true}, errs.KindInvalid},
	} {
		if _, err := syndication.New(&page{Response: c.r}).Read(t.Context(), "https://a.example/", campaign.FeedState{}); !errs.Is(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	got, err := syndication.New(&page{Response: guard.Response{Status: 304}}).Read(t.Context(), "https://a.example/", campaign.FeedState{ETag: "x"})
	if err != nil || !got.Unchanged {
		t.Error(got, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(rss)
	f.Add(`{"version":"https://jsonfeed.org/version/1","title":"t","items":[{"id":"1"}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		got, err := syndication.New(&page{Response: guard.Response{Status: 200, Body: []byte(body)}}).Read(t.Context(), "https://a.example/", campaign.FeedState{})
		if err != nil {
			return
		}
		for _, i := range got.Items {
			if i.Key == "" || i.Link != "" && !strings.HasPrefix(i.Link, "http") {
				t.Errorf("%+v", i)
			}
		}
	})
}
