package mailauth

import (
	"context"
	"net/netip"
	"strings"
)

// Limits of RFC 7208 4.6.4.
const (
	maxSPFLookups = 10
	maxSPFVoids   = 2
)

// spf is an evaluated record.
type spf struct {
	lookups  int
	voids    int
	allowed  []netip.Prefix  // what a pass covers, includes flattened
	included map[string]bool // names of includes and redirects
	policy   string          // qualifier of the last all: "-", "~", "?", "+"; empty if there is none
	problem  string          // code of the first thing wrong
	unsure   bool            // the DNS did not answer somewhere
	uses     map[string]bool // "ptr", "exists"
}

func (e *spf) wrong(code string) {
	if e.problem == "" {
		e.problem = code
	}
}

// spfRecords returns the SPF records among texts.
func spfRecords(texts []string) (out []string) {
	for _, t := range texts {
		if l := strings.ToLower(t); l == "v=spf1" || strings.HasPrefix(l, "v=spf1 ") {
			out = append(out, t)
		}
	}
	return out
}

// evaluate walks through a record and all that it names.
func (s *Service) evaluate(ctx context.Context, domain, record string) *spf {
	e := &spf{included: map[string]bool{}, uses: map[string]bool{}}
	s.walkSPF(ctx, e, domain, record, 0)
	switch {
	case e.lookups > maxSPFLookups:
		e.problem = "too_many_lookups"
	case e.voids > maxSPFVoids:
		e.wrong("too_many_void_lookups")
	}
	return e
}

func (s *Service) walkSPF(ctx context.Context, e *spf, domain, record string, depth int) {
	redirect := ""
	for _, term := range strings.Fields(record)[1:] {
		if e.lookups > 3*maxSPFLookups || depth > maxSPFLookups { // a loop; it is beyond the limit anyhow
			return
		}
		if name, value, ok := strings.Cut(term, "="); ok && !strings.ContainsAny(name, ":/") {
			if strings.EqualFold(name, "redirect") {
				redirect = value
			}
			continue
		}
		qualifier := "+"
		if strings.ContainsRune("+-~?", rune(term[0])) {
			qualifier, term = term[:1], term[1:]
		}
		pass := qualifier == "+"
		name, value, _ := strings.Cut(term, ":")
		name, bits, _ := strings.Cut(name, "/")
		switch name = strings.ToLower(name); name {
		case "all":
			if depth == 0 {
				e.policy = qualifier
			}
		case "ip4", "ip6":
			if !strings.Contains(value, "/") {
				if a, err := netip.ParseAddr(value); err == nil {
					value = netip.PrefixFrom(a, a.BitLen()).String()
				}
			}
			p, err := netip.ParsePrefix(value)
			if err != nil {
				e.wrong("syntax")
			} else if pass {
				e.allowed = append(e.allowed, p)
			}
		case "a", "mx":
			if value == "" {
				value = domain
			} else if v, b, ok := strings.Cut(value, "/"); ok {
				value, bits = v, b
			}
			e.lookups++
			hosts := []string{value}
			if name == "mx" {
				hosts = hosts[:0]
				found, err := s.c.Resolver.LookupMX(ctx, value+".")
				e.note(err)
				for _, m := range found {
					hosts = append(hosts, strings.TrimSuffix(m.Host, "."))
				}
			}
			for _, h := range hosts {
				addrs, err := s.addresses(ctx, h)
				e.note(err)
				for _, a := range addrs {
					if pass {
						e.allowed = append(e.allowed, widen(a, bits))
					}
				}
			}
		case "include":
			e.lookups++
			s.followSPF(ctx, e, value, depth)
		case "exists", "ptr":
			e.lookups++
			e.uses[name] = true
		default:
			e.wrong("syntax")
		}
	}
	if redirect != "" {
		e.lookups++
		s.followSPF(ctx, e, redirect, depth-1) // its all counts as ours
	}
}

func (s *Service) followSPF(ctx context.Context, e *spf, name string, depth int) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if strings.Contains(name, "%") { // depends on the mail
		e.uses["macro"] = true
		return
	}
	e.included[name] = true
	texts, err := s.c.Resolver.LookupTXT(ctx, name+".")
	e.note(err)
	records := spfRecords(texts)
	if len(records) != 1 {
		if err == nil || absent(err) {
			e.wrong("include_broken")
		}
		return
	}
	s.walkSPF(ctx, e, name, records[0], depth+1)
}

func (e *spf) note(err error) {
	switch {
	case err == nil:
	case absent(err):
		e.voids++
	default:
		e.unsure = true
	}
}

func (e *spf) covers(a netip.Addr) bool {
	for _, p := range e.allowed {
		if p.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}

// widen applies "/24" or "/24//64" of a mechanism to an address.
func widen(a netip.Addr, bits string) netip.Prefix {
	v4, v6, _ := strings.Cut(bits, "//")
	use := v4
	if a.Is6() {
		use = v6
	}
	n := 0
	for _, c := range use {
		if c < '0' || c > '9' {
			n = 0
			break
		}
		n = min(n*10+int(c-'0'), 1000)
	}
	if use == "" || n > a.BitLen() {
		n = a.BitLen()
	}
	return netip.PrefixFrom(a, n).Masked()
}

// withMechanism puts mechanisms in front of the record's all, or at its end.
func withMechanism(record string, mechanisms []string) string {
	var out []string
	done := false
	for _, t := range strings.Fields(record) {
		l := strings.ToLower(strings.TrimLeft(t, "+-~?"))
		if !done && (l == "all" || strings.HasPrefix(l, "redirect=")) {
			out, done = append(out, mechanisms...), true
		}
		out = append(out, t)
	}
	if !done {
		out = append(out, mechanisms...)
	}
	return strings.Join(out, " ")
}
