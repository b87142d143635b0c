// Package guard is the one way to reach an address that a user gave: the target of a webhook, a feed, a mail server.
//
// Without it anyone who may type a URL could make the server talk to its own network: the cloud's metadata service, a
// database on loopback, a router. A Guard looks a name up once, refuses every address that is not on the public internet,
// and connects to the very address it has checked, so that a name which answers differently a moment later (DNS
// rebinding) gains nothing. Redirects, and new connections at any time, go through the same check.
//
// Owns: which addresses and ports may be reached, time and size limits, the words for a refusal.
// Does not own: what is said there, retries, secrets.
//
// An operator who wants a target inside their own network names it (KIZUNA_ALLOW_TARGETS). Proxy settings of the
// environment are not read: a proxy would look the name up again, unchecked.
package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Resolver looks names up; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Config says what a Guard allows. The zero value is the strictest: public addresses only, the ports of the web.
type Config struct {
	// Allow names what may be reached although it is not public or the port is unusual: an address, a network
	// ("10.2.0.0/16"), a host name, or a name with all below it ("*.corp.example"); each may end in ":port", and then
	// stands for that port alone.
	Allow []string
	// Resolver looks names up; the system's if nil.
	Resolver Resolver
	// Ports are those a web request may use without being named in Allow; 80, 443, 8080 and 8443 if empty.
	Ports []uint16

	dial func(ctx context.Context, network, address string) (net.Conn, error) // tests watch which address is connected to
}

// Guard checks and dials. It is safe for concurrent use.
type Guard struct {
	allow    []allowed
	resolver Resolver
	ports    []uint16
	dial     func(ctx context.Context, network, address string) (net.Conn, error)
	web      web
}

// dialTimeout is for one address; a name may have several.
const dialTimeout = 5 * time.Second

// maxAddresses bounds how many addresses of one name are tried.
const maxAddresses = 4

// New returns a Guard, or an error that names the entry of Allow that cannot be read.
func New(c Config) (*Guard, error) {
	g := &Guard{resolver: c.Resolver, ports: c.Ports, dial: c.dial}
	if g.resolver == nil {
		g.resolver = net.DefaultResolver
	}
	if len(g.ports) == 0 {
		g.ports = []uint16{80, 443, 8080, 8443}
	}
	if g.dial == nil {
		g.dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
	}
	for _, text := range c.Allow {
		a, err := parseAllowed(text)
		if err != nil {
			return nil, err
		}
		g.allow = append(g.allow, a)
	}
	g.web = newWeb(g)
	return g, nil
}

// DialContext connects to host:port ("tcp" networks only) if the guard allows it: for clients of other protocols than HTTP.
// Any port of a public address may be dialled; the protocol knows which it needs. Errors are those of Do.
func (g *Guard) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := split(address)
	if err != nil {
		return nil, err
	}
	addrs, err := g.resolve(ctx, network, host, port)
	if err != nil {
		return nil, err
	}
	var last error
	for _, a := range addrs[:min(len(addrs), maxAddresses)] {
		conn, err := g.dial(ctx, network, netip.AddrPortFrom(a, port).String())
		if err == nil {
			return conn, nil
		}
		last = err
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errs.Unavailable("url.unreachable", "%s does not accept connections; check that the server is up and its firewall lets us in", net.JoinHostPort(host, strconv.Itoa(int(port)))).With(last)
}

// resolve returns the addresses of the host that may be connected to, at least one.
func (g *Guard) resolve(ctx context.Context, network, host string, port uint16) ([]netip.Addr, error) {
	var found []netip.Addr
	if a, err := netip.ParseAddr(host); err == nil {
		found = []netip.Addr{a}
	} else {
		want := "ip"
		switch network {
		case "tcp4":
			want = "ip4"
		case "tcp6":
			want = "ip6"
		}
		found, err = g.resolver.LookupNetIP(ctx, want, strings.TrimSuffix(host, "."))
		if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound || err == nil && len(found) == 0 {
			return nil, errs.Unavailable("url.unknown_host", "there is no server called %q; correct the name or wait until it is in DNS", host).With(err)
		}
		if err != nil {
			return nil, errs.Unavailable("url.lookup", "the name %q could not be looked up just now", host).With(err)
		}
	}
	var may []netip.Addr
	for _, a := range found {
		a = a.Unmap()
		if g.named(host, a, port) || Public(a) {
			may = append(may, a)
		}
	}
	if len(may) == 0 {
		return nil, refused(host, found[0])
	}
	return may, nil
}

func refused(host string, a netip.Addr) error {
	where := a.String()
	if where != host {
		where = fmt.Sprintf("%s (%s)", host, where)
	}
	return errs.Invalid("url.not_public", "url", "%s is not an address on the public internet; use a public address, or let the operator of this server add it to KIZUNA_ALLOW_TARGETS", where)
}

// Check says whether the URL could be requested, as far as can be told without looking its name up: for saying so when
// it is entered. Do checks again.
func (g *Guard) Check(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return errs.Invalid("url.malformed", "url", "this is not a URL; write it like https://example.com/path").With(err)
	}
	return g.check(u)
}

func (g *Guard) check(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "" {
		return errs.Invalid("url.malformed", "url", "give a full URL that begins with https:// or http://")
	}
	if u.User != nil {
		return errs.Invalid("url.credentials", "url", "a URL must not carry a user name or password; put them into a secret header")
	}
	host, port, err := split(authority(u))
	if err != nil {
		return err
	}
	a, literal := literalAddr(host)
	if !slices.Contains(g.ports, port) && !g.named(host, a, port) && !g.namedPort(port) {
		return errs.Invalid("url.port", "url", "port %d is not one of %s; use one of these, or let the operator of this server add %s to KIZUNA_ALLOW_TARGETS",
			port, list(g.ports), net.JoinHostPort(host, strconv.Itoa(int(port))))
	}
	if literal && !Public(a) && !g.named(host, a, port) {
		return refused(host, a)
	}
	return nil
}

func literalAddr(host string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(host)
	return a.Unmap(), err == nil
}

// authority is host:port of the URL, with the scheme's port if it has none.
func authority(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

func split(address string) (host string, port uint16, err error) {
	host, text, err := net.SplitHostPort(address)
	n, bad := strconv.ParseUint(text, 10, 16)
	if err != nil || bad != nil || n == 0 || host == "" {
		return "", 0, errs.Invalid("url.malformed", "url", "%q is not host:port", address)
	}
	return strings.ToLower(host), uint16(n), nil
}

func list(ports []uint16) string {
	var b []string
	for _, p := range ports {
		b = append(b, strconv.Itoa(int(p)))
	}
	return strings.Join(b, ", ")
}
