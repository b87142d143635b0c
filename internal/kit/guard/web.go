package guard

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Request is one HTTP request to a URL that a user gave.
type Request struct {
	Method  string // GET if empty
	URL     string
	Header  map[string]string
	Body    []byte
	Timeout time.Duration // for everything, redirects and body included; DefaultTimeout if zero
	MaxBody int64         // bytes of the answer (decompressed) that are read; DefaultMaxBody if zero
}

// Response is the answer.
type Response struct {
	Status    int
	Header    http.Header
	Body      []byte
	Truncated bool   // the answer had more than MaxBody bytes
	URL       string // that answered, after redirects
}

// The defaults of a Request, and what no answer may exceed.
const (
	DefaultTimeout = 15 * time.Second
	DefaultMaxBody = 1 << 20
	maxRedirects   = 5
	maxHeaderBytes = 64 << 10
	perHost        = 32 // connections to one host at a time: one customer's endpoint must not take them all
)

type web struct{ client *http.Client }

func newWeb(g *Guard) web {
	t := &http.Transport{
		Proxy:       nil,
		DialContext: g.dialWeb,
		// HTTP/2 is not offered by itself where there is an own dialer.
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  time.Minute,
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        30 * time.Second,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    4,
		MaxConnsPerHost:        perHost,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
	return web{&http.Client{Transport: checked{g, t}, CheckRedirect: redirect}}
}

// dialWeb is DialContext for a port that check has let through; a name that is allowed by its network alone must lie in it.
func (g *Guard) dialWeb(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := split(address)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(g.ports, port) && !g.named(host, netip.Addr{}, port) {
		addrs, err := g.resolve(ctx, network, host, port)
		if err != nil {
			return nil, err
		}
		addrs = slices.DeleteFunc(addrs, func(a netip.Addr) bool { return !g.named(host, a, port) })
		if len(addrs) == 0 {
			return nil, errs.Invalid("url.port", "url", "port %d of %s is not allowed; use one of %s, or let the operator of this server add it to KIZUNA_ALLOW_TARGETS", port, host, list(g.ports))
		}
		address = netip.AddrPortFrom(addrs[0], port).String()
	}
	return g.DialContext(ctx, network, address)
}

// checked sends a request, first or redirected, only to a URL that passes.
type checked struct {
	g    *Guard
	next *http.Transport
}

func (c checked) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := c.g.check(r.URL); err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	return c.next.RoundTrip(r)
}

// CloseIdleConnections is what the client's method of this name calls.
func (c checked) CloseIdleConnections() { c.next.CloseIdleConnections() }

// harmless are the request headers that a redirect may carry to another host; any other may be a secret.
var harmless = []string{"Accept", "Accept-Language", "Content-Type", "User-Agent", "Idempotency-Key"}

func redirect(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return errs.Invalid("url.redirects", "url", "the server redirected more than %d times; give the address it ends at", maxRedirects)
	}
	if via[len(via)-1].URL.Scheme == "https" && r.URL.Scheme != "https" {
		return errs.Invalid("url.downgrade", "url", "the server redirects from https to http; give an address that stays on https")
	}
	elsewhere := func(v *http.Request) bool { return authority(v.URL) != authority(r.URL) }
	if slices.ContainsFunc(via, elsewhere) {
		for name := range r.Header {
			if !slices.Contains(harmless, name) {
				r.Header.Del(name)
			}
		}
	}
	return nil
}

// Client returns an HTTP client that goes through the guard, for libraries that want one. It has neither time nor size
// limit of its own; Do has.
func (g *Guard) Client() *http.Client { return g.web.client }

// Do sends the request and reads the answer, of whatever status. The error is of kind invalid if the same request can never
// pass (codes url.not_public, url.port, url.malformed, url.credentials, url.redirects, url.downgrade), and unavailable
// if it may later (url.unknown_host, url.lookup, url.unreachable, url.timeout, url.tls, url.broken). After url.timeout
// and url.broken the server may have acted on the request.
func (g *Guard) Do(ctx context.Context, q Request) (Response, error) {
	if q.Timeout <= 0 {
		q.Timeout = DefaultTimeout
	}
	if q.MaxBody <= 0 {
		q.MaxBody = DefaultMaxBody
	}
	ctx, cancel := context.WithTimeout(ctx, q.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, q.Method, q.URL, bytes.NewReader(q.Body))
	if err != nil {
		return Response{}, errs.Invalid("url.malformed", "url", "this request cannot be made; check method and URL").With(err)
	}
	for name, value := range q.Header {
		if http.CanonicalHeaderKey(name) == "Host" {
			r.Host = value
			continue
		}
		r.Header.Set(name, value)
	}
	resp, err := g.web.client.Do(r)
	if err != nil {
		return Response{}, q.explain(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, q.MaxBody+1))
	if err != nil {
		return Response{}, q.explain(err)
	}
	out := Response{Status: resp.StatusCode, Header: resp.Header, Body: body, URL: resp.Request.URL.String()}
	if int64(len(body)) > q.MaxBody {
		out.Body, out.Truncated = body[:q.MaxBody], true
	}
	return out, nil
}

// explain turns what went wrong into words. The cause is kept without the URL, which may hold a secret.
func (q Request) explain(err error) error {
	if e, ok := errors.AsType[*errs.Error](err); ok {
		return e
	}
	host := "the server"
	if u, bad := url.Parse(q.URL); bad == nil {
		host = u.Host
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return errs.Unavailable("url.timeout", "%s did not answer within %s", host, q.Timeout).With(err)
	}
	if errors.Is(err, context.Canceled) {
		return errs.Unavailable("url.broken", "the request to %s was given up", host).With(err)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return errs.Unavailable("url.tls", "the certificate of %s is not valid; renew it or correct the host name", host).With(err)
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return errs.Unavailable("url.tls", "%s does not speak TLS on this port; use http:// or another port", host).With(err)
	}
	return errs.Unavailable("url.broken", "the connection to %s broke before the answer was complete", host).With(err)
}
