// Package linkcheck asks the links of a mail what answers at their end.
//
// Owns: how a link is asked (HEAD, and GET where that tells nothing), how many at a time, for how long an answer is believed, the code of what is wrong.
// Does not own: which links (content), which addresses may be asked (guard).
//
// Invariants: every request goes through the guard, redirects included; nothing of an answer but its status and its address is kept; the caller's
// context ends everything.
package linkcheck

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/guard"
)

// Web makes requests to addresses that users give; *guard.Guard does.
type Web interface {
	Do(ctx context.Context, q guard.Request) (guard.Response, error)
}

const (
	atOnce   = 6                // links asked at a time, of one mail
	patience = 8 * time.Second  // for one request, redirects included
	fresh    = 10 * time.Minute // a good answer is believed so long
	freshBad = 30 * time.Second // a bad one is soon mended
	maxKept  = 5000             // answers remembered
	maxBody  = 1 << 10          // bytes read of a page; nothing is done with them
)

// Checker implements content.LinkChecker. It is safe for concurrent use.
type Checker struct {
	web Web
	now func() time.Time

	mu   sync.Mutex
	kept map[string]answer
}

type answer struct {
	verdict content.LinkVerdict
	until   time.Time
}

// New returns a Checker.
func New(web Web, now func() time.Time) *Checker {
	return &Checker{web: web, now: now, kept: map[string]answer{}}
}

var _ content.LinkChecker = (*Checker)(nil)

// CheckLinks implements content.LinkChecker.
func (c *Checker) CheckLinks(ctx context.Context, urls []string) ([]content.LinkVerdict, error) {
	out := make([]content.LinkVerdict, len(urls))
	places := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, u := range urls {
		if v, ok := c.known(u); ok {
			out[i] = v
			continue
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		all.Go(func() {
			defer func() { <-places }()
			out[i] = c.ask(ctx, u)
			if ctx.Err() == nil { // else it says nothing of the link
				c.keep(u, out[i])
			}
		})
	}
	all.Wait()
	return out, ctx.Err()
}

func (c *Checker) known(u string) (content.LinkVerdict, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.kept[u]
	return a.verdict, ok && c.now().Before(a.until)
}

func (c *Checker) keep(u string, v content.LinkVerdict) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept) >= maxKept {
		clear(c.kept)
	}
	until := c.now().Add(fresh)
	if v.Code != "" {
		until = c.now().Add(freshBad)
	}
	c.kept[u] = answer{v, until}
}

// ask asks for the head, and for the page if the head tells of trouble: many servers answer one and not the other.
func (c *Checker) ask(ctx context.Context, u string) content.LinkVerdict {
	v := c.request(ctx, http.MethodHead, u)
	if v.Status == 0 && v.Code != "unreachable" || v.Status != 0 && v.Status < 400 || ctx.Err() != nil {
		return v
	}
	return c.request(ctx, http.MethodGet, u)
}

func (c *Checker) request(ctx context.Context, method, u string) content.LinkVerdict {
	v := content.LinkVerdict{URL: u}
	r, err := c.web.Do(ctx, guard.Request{
		Method: method, URL: u, Timeout: patience, MaxBody: maxBody, Header: map[string]string{"User-Agent": "Kizuna link check", "Accept": "text/html,*/*;q=0.5"},
	})
	if err != nil {
		v.Code = codeOf(err)
		return v
	}
	v.Status = r.Status
	switch {
	case r.Status == http.StatusNotFound || r.Status == http.StatusGone:
		v.Code = "not_found"
	case r.Status == http.StatusUnauthorized || r.Status == http.StatusForbidden || r.Status == http.StatusTooManyRequests:
		v.Code = "guarded"
	case r.Status >= 500:
		v.Code = "server_error"
	case r.Status >= 400 || r.Status >= 300 && r.Status != http.StatusNotModified:
		v.Code = "refused"
	}
	if hostOf(r.URL) != hostOf(u) {
		v.Location = r.URL
		if v.Code == "" {
			v.Code = "redirected"
		}
	}
	return v
}

// hostOf is the site of a URL: with and without www. is the same.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	return strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
}

var codes = map[string]string{
	"url.not_public": "blocked", "url.unknown_host": "unknown_host", "url.timeout": "timeout", "url.redirects": "redirects", "url.downgrade": "downgrade",
	"url.port": "port", "url.credentials": "credentials", "url.malformed": "malformed",
}

func codeOf(err error) string {
	e, ok := errors.AsType[*errs.Error](err)
	if !ok {
		return "unreachable"
	}
	if e.Code == "url.tls" {
		if bad, ok := errors.AsType[x509.CertificateInvalidError](err); ok && bad.Reason == x509.Expired {
			return "certificate_expired"
		}
		return "certificate"
	}
	if code := codes[e.Code]; code != "" {
		return code
	}
	return "unreachable"
}
