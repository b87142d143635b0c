// Package network leaves of an address what tells the place and not the household. Addresses of people are kept in this form alone.
package network

import "net/netip"

// How many leading bits are kept.
const (
	bits4 = 24
	bits6 = 48
)

// Of returns the network of an address, as its first address; the zero Addr of the zero Addr.
func Of(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	bits := bits6
	if a.Is4() {
		bits = bits4
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Addr{}
	}
	return p.Addr()
}

// OfText is Of for an address as text; empty if it is none.
func OfText(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	return Of(a).String()
}
