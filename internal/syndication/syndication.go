// Package syndication reads RSS, Atom and JSON feeds for campaigns.
//
// Owns: fetching through the guard with the publisher's validators (ETag, Last-Modified), what an entry is in plain text.
// Does not own: which entries are new, when to read (campaign).
//
// Invariants: nothing of a feed is taken for HTML: titles and summaries come out as text, links and images only with http or https. An
// entry has a key even where its publisher gave none.
package syndication

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/mmcdole/gofeed"
	"golang.org/x/net/html"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/guard"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

// Web makes requests to addresses that users give; *guard.Guard does.
type Web interface {
	Do(ctx context.Context, q guard.Request) (guard.Response, error)
}

// Reader implements campaign.Feeds.
type Reader struct{ web Web }

// New returns a Reader.
func New(web Web) *Reader { return &Reader{web} }

var _ campaign.Feeds = (*Reader)(nil)

const (
	maxFeed    = 4 << 20 // bytes
	maxEntries = 200     // newest
	maxTitle   = 300     // characters
	maxSummary = 1000
	maxURL     = 2000 // bytes
)

// Read implements campaign.Feeds.
func (r *Reader) Read(ctx context.Context, address string, since campaign.FeedState) (campaign.FeedAnswer, error) {
	header := map[string]string{"Accept": "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1", "User-Agent": "Kizuna"}
	if since.ETag != "" {
		header["If-None-Match"] = since.ETag
	}
	if since.Modified != "" {
		header["If-Modified-Since"] = since.Modified
	}
	got, err := r.web.Do(ctx, guard.Request{URL: address, Header: header, MaxBody: maxFeed})
	if err != nil {
		return campaign.FeedAnswer{}, err
	}
	switch {
	case got.Status == http.StatusNotModified:
		return campaign.FeedAnswer{Unchanged: true}, nil
	case got.Status == http.StatusNotFound || got.Status == http.StatusGone:
		return campaign.FeedAnswer{}, errs.Invalid("feed.gone", "feed.url", "there is no feed at %s any more (status %d); correct the address", address, got.Status)
	case got.Status != http.StatusOK:
		return campaign.FeedAnswer{}, errs.Unavailable("feed.status", "the server of the feed answers with status %d", got.Status)
	case got.Truncated:
		return campaign.FeedAnswer{}, errs.Invalid("feed.size", "feed.url", "the feed is larger than %d MB", maxFeed>>20)
	}
	feed, err := gofeed.NewParser().Parse(bytes.NewReader(got.Body))
	if err != nil {
		return campaign.FeedAnswer{}, errs.Invalid("feed.format", "feed.url", "what %s answers is no RSS, Atom or JSON feed", address).With(err)
	}
	base, _ := url.Parse(got.URL)
	out := campaign.FeedAnswer{
		Title: text(feed.Title, maxTitle), Link: link(base, feed.Link), ETag: validator(got.Header.Get("ETag")), Modified: validator(got.Header.Get("Last-Modified")),
	}
	seen := map[string]bool{}
	for _, e := range feed.Items {
		x := entry(base, e)
		if seen[x.Key] {
			continue
		}
		seen[x.Key] = true
		out.Items = append(out.Items, x)
	}
	slices.SortStableFunc(out.Items, func(a, b campaign.Item) int { return b.Published.Compare(a.Published) }) // without dates the publisher's order stays
	out.Items = out.Items[:min(len(out.Items), maxEntries)]
	return out, nil
}

func entry(base *url.URL, e *gofeed.Item) campaign.Item {
	x := campaign.Item{Title: text(e.Title, maxTitle), Link: link(base, e.Link), Summary: text(cmp.Or(e.Description, e.Content), maxSummary)}
	if len(e.Authors) > 0 && e.Authors[0] != nil {
		x.Author = text(e.Authors[0].Name, maxTitle)
	}
	if e.Image != nil {
		x.Image = link(base, e.Image.URL)
	}
	for _, f := range e.Enclosures {
		if x.Image == "" && strings.HasPrefix(f.Type, "image/") {
			x.Image = link(base, f.URL)
		}
	}
	for _, at := range []*time.Time{e.PublishedParsed, e.UpdatedParsed} {
		if at != nil && x.Published.IsZero() {
			x.Published = at.UTC().Truncate(time.Microsecond)
		}
	}
	if key := cmp.Or(e.GUID, e.Link); key != "" {
		x.Key = id.Key(key)
	} else {
		sum := sha256.Sum256([]byte(x.Title + "\x00" + x.Summary))
		x.Key = "sha256:" + hex.EncodeToString(sum[:16])
	}
	return x
}

// validator is what a publisher said of its state, if it is fit to be said back.
func validator(s string) string {
	if len(s) > 200 || strings.ContainsFunc(s, unicode.IsControl) {
		return ""
	}
	return s
}

// link is an absolute web address, empty if it is none.
func link(base *url.URL, raw string) string {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || raw == "" {
		return ""
	}
	if base != nil {
		u = base.ResolveReference(u)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(u.String()) > maxURL {
		return ""
	}
	return u.String()
}

// text is what a reader would see of a piece of HTML, on one line.
func text(raw string, most int) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(raw))
	hidden := 0
	for {
		t := z.Next()
		if t == html.ErrorToken {
			if err := z.Err(); err != io.EOF {
				return ""
			}
			break
		}
		name, _ := z.TagName()
		quiet := slices.Contains([]string{"script", "style", "head", "title"}, string(name))
		switch {
		case t == html.StartTagToken && quiet:
			hidden++
		case t == html.EndTagToken && quiet && hidden > 0:
			hidden--
		case t == html.TextToken && hidden == 0:
			b.WriteString(string(z.Text()))
		default:
			b.WriteByte(' ')
		}
	}
	words := strings.Fields(html.UnescapeString(b.String()))
	runes := []rune(strings.Join(words, " "))
	if len(runes) > most {
		return strings.TrimSpace(string(runes[:most-1])) + "…"
	}
	return string(runes)
}
