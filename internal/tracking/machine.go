package tracking

import (
	_ "embed"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

//go:embed machines.txt
var machinesText string

// machines is the list of who is no person.
type machines struct {
	agents, proxies []string
	nets            []netip.Prefix
}

// known is the list that comes with the product.
var known = func() machines {
	m, err := readMachines(machinesText)
	if err != nil {
		panic(err) // a test reads it first
	}
	return m
}()

func readMachines(text string) (m machines, err error) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		kind, value, _ := strings.Cut(line, " ")
		switch kind {
		case "agent":
			m.agents = append(m.agents, value)
		case "proxy":
			m.proxies = append(m.proxies, value)
		case "net":
			p, err := netip.ParsePrefix(value)
			if err != nil {
				return m, fmt.Errorf("%q: %w", line, err)
			}
			m.nets = append(m.nets, p)
		default:
			return m, fmt.Errorf("%q: want agent, proxy or net", line)
		}
	}
	return m, nil
}

// verdict says who a request comes from.
type verdict struct {
	machine bool
	proxy   bool // an image proxy: a person's only if the mail has been there for a while
}

// judge tells whether the request is no person's. It is a guess from what the client says of itself and from where it comes; figures keep both apart. A
// client that says no more than which program it is gets the benefit of the doubt: people read mail with odd things. What says nothing at all is no
// reader's click for certain only where pictures are loaded ahead by a proxy.
func (m machines) judge(r *http.Request, name, ip string) verdict {
	if r.Method == http.MethodHead {
		return verdict{machine: true} // browsers ask for pages, scanners for whether there is one
	}
	for _, header := range []string{"Sec-Purpose", "Purpose", "X-Moz", "X-Purpose"} {
		if v := strings.ToLower(r.Header.Get(header)); strings.Contains(v, "prefetch") || v == "preview" {
			return verdict{machine: true}
		}
	}
	if a, err := netip.ParseAddr(ip); err == nil {
		for _, n := range m.nets {
			if n.Contains(a.Unmap().WithZone("")) {
				return verdict{machine: true}
			}
		}
	}
	agent := strings.ToLower(strings.TrimSpace(r.UserAgent()))
	if name == event.MessageOpened {
		if agent == "" || agent == "mozilla/5.0" { // the latter is all that Apple's mail privacy proxy says
			return verdict{machine: true}
		}
		for _, p := range m.proxies {
			if strings.Contains(agent, p) {
				return verdict{proxy: true}
			}
		}
	}
	for _, s := range m.agents {
		if strings.Contains(agent, s) {
			return verdict{machine: true}
		}
	}
	return verdict{}
}
