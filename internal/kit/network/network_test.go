package network_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/kit/network"
)

func TestAnAddressKeepsItsNetworkAlone(t *testing.T) {
	for in, want := range map[string]string{
		"203.0.113.77": "203.0.113.0", "::ffff:203.0.113.77": "203.0.113.0", "2001:db8:1:2:3::4": "2001:db8:1::", "fe80::1%eth0": "fe80::", "nonsense": "", "": "",
	} {
		if got := network.OfText(in); got != want {
			t.Errorf("OfText(%q) = %q, want %q", in, got, want)
		}
	}
}
