package guard

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// notPublic are the networks inside the unicast space that are not the public internet: the special-purpose registries of
// IANA (RFC 6890 and its updates), the deprecated 6to4 relay anycast and tunnel ranges, and the one public address at
// which a cloud serves credentials to its guests.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),        // this network
	netip.MustParsePrefix("10.0.0.0/8"),       // private
	netip.MustParsePrefix("100.64.0.0/10"),    // carrier NAT; Alibaba's metadata service
	netip.MustParsePrefix("127.0.0.0/8"),      // loopback
	netip.MustParsePrefix("168.63.129.16/32"), // Azure's host service
	netip.MustParsePrefix("169.254.0.0/16"),   // link-local; metadata services
	netip.MustParsePrefix("172.16.0.0/12"),    // private
	netip.MustParsePrefix("192.0.0.0/24"),     // protocol assignments; Oracle's metadata service
	netip.MustParsePrefix("192.0.2.0/24"),     // documentation
	netip.MustParsePrefix("192.88.99.0/24"),   // 6to4 relays
	netip.MustParsePrefix("192.168.0.0/16"),   // private
	netip.MustParsePrefix("198.18.0.0/15"),    // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"),  // documentation
	netip.MustParsePrefix("203.0.113.0/24"),   // documentation
	netip.MustParsePrefix("224.0.0.0/3"),      // multicast, reserved, broadcast
	netip.MustParsePrefix("2001::/23"),        // protocol assignments: Teredo, ORCHID, benchmarks
	netip.MustParsePrefix("2001:db8::/32"),    // documentation
	netip.MustParsePrefix("2002::/16"),        // 6to4: an IPv4 address in disguise, long deprecated
	netip.MustParsePrefix("3fff::/20"),        // documentation
}

var (
	globalUnicast6 = netip.MustParsePrefix("2000::/3") // all that IANA has given out; everything else is special
	nat64          = netip.MustParsePrefix("64:ff9b::/96")
)

// Public reports whether the address belongs to a host on the public internet. An IPv4 address inside an IPv6 one
// (mapped, NAT64) is judged itself.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	if a.Is6() {
		if nat64.Contains(a) {
			b := a.As16()
			return Public(netip.AddrFrom4([4]byte(b[12:])))
		}
		if !globalUnicast6.Contains(a) {
			return false
		}
	}
	for _, p := range notPublic {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// allowed is one entry of Config.Allow.
type allowed struct {
	prefix netip.Prefix // if valid; else name
	name   string       // lower case
	below  bool         // and every name below it
	port   uint16       // 0: any
}

func parseAllowed(text string) (allowed, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	bad := fmt.Errorf("%q is not a target; want an address, a network like 10.2.0.0/16, a name or *.name, each with or without :port", text)
	var a allowed
	rest := text
	// A bare IPv6 address is full of colons; with a port it stands in brackets.
	if _, err := netip.ParseAddr(rest); err != nil {
		if _, err := netip.ParsePrefix(rest); err != nil {
			if i := strings.LastIndexByte(rest, ':'); i >= 0 && !strings.HasSuffix(rest, "]") {
				n, err := strconv.ParseUint(rest[i+1:], 10, 16)
				if err != nil || n == 0 {
					return allowed{}, bad
				}
				rest, a.port = rest[:i], uint16(n)
			}
		}
	}
	rest = strings.TrimSuffix(strings.TrimPrefix(rest, "["), "]")
	if addr, err := netip.ParseAddr(rest); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		a.prefix = netip.PrefixFrom(addr, addr.BitLen())
		return a, nil
	}
	if p, err := netip.ParsePrefix(rest); err == nil {
		a.prefix = p.Masked()
		return a, nil
	}
	a.name, a.below = strings.CutPrefix(rest, "*.")
	a.name = strings.TrimSuffix(a.name, ".")
	if a.name == "" || strings.ContainsAny(a.name, " */:[]@") {
		return allowed{}, bad
	}
	return a, nil
}

// named reports whether the operator has allowed this host, at this address if it is known, and port.
func (g *Guard) named(host string, addr netip.Addr, port uint16) bool {
	host = strings.TrimSuffix(host, ".")
	for _, a := range g.allow {
		switch {
		case a.port != 0 && a.port != port:
		case a.prefix.IsValid():
			if addr.IsValid() && a.prefix.Contains(addr.Unmap()) {
				return true
			}
		case !a.below && a.name == host, a.below && strings.HasSuffix(host, "."+a.name):
			return true
		}
	}
	return false
}

// namedPort reports whether a network is allowed on this port: a name may lie in it, which only looking it up will tell.
func (g *Guard) namedPort(port uint16) bool {
	for _, a := range g.allow {
		if a.prefix.IsValid() && (a.port == 0 || a.port == port) {
			return true
		}
	}
	return false
}
