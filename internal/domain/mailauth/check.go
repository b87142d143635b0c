package mailauth

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// patience is how long one check may take, and how long one question.
const patience = 20 * time.Second

// look asks the DNS about everything. published has the keys whose record is there and right.
func (s *Service) look(ctx context.Context, d Domain, routes []Route) (r Report, published map[string]bool) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r.At = s.c.Clock.Now()
	keyItems, published := s.lookDKIM(ctx, d)
	spfItems, envelopes := s.lookSPF(ctx, d, routes)
	r.Items = append(r.Items, spfItems...)
	r.Items = append(r.Items, keyItems...)
	r.Items = append(r.Items, s.lookDMARC(ctx, d, keyItems, spfItems, envelopes), s.lookMX(ctx, d.Name, s.takesMail(routes), false))
	seen := map[string]bool{"": true, d.Name: true}
	for _, route := range routes {
		if !seen[route.Returns] {
			seen[route.Returns] = true
			r.Items = append(r.Items, s.lookMX(ctx, route.Returns, s.c.Inbox, true))
		}
	}
	r.Items = append(r.Items, s.lookReverse(ctx, routes)...)
	rank := []Status{OK, Unknown, Warn, Fail}
	r.Status = OK
	for _, i := range r.Items {
		if slices.Index(rank, i.Status) > slices.Index(rank, r.Status) {
			r.Status = i.Status
		}
	}
	return r, published
}

func (s *Service) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return []netip.Addr{a.Unmap()}, nil
	}
	found, err := s.c.Resolver.LookupNetIP(ctx, "ip", strings.TrimSuffix(host, ".")+".")
	for i := range found {
		found[i] = found[i].Unmap()
	}
	return found, err
}

// private reports addresses that no receiver ever sees.
func private(a netip.Addr) bool { return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() }

func (s *Service) lookSPF(ctx context.Context, d Domain, routes []Route) (items []Item, envelopes []string) {
	by := map[string][]string{} // envelope domain -> hosts
	for _, r := range routes {
		envelope := r.Envelope
		if envelope == "" {
			envelope = d.Name
		}
		if !slices.Contains(by[envelope], r.Host) {
			by[envelope] = append(by[envelope], r.Host)
		}
		if !slices.Contains(envelopes, envelope) {
			envelopes = append(envelopes, envelope)
		}
	}
	if len(envelopes) == 0 {
		envelopes = []string{d.Name}
	}
	for _, envelope := range envelopes {
		items = append(items, s.lookSPFOf(ctx, envelope, by[envelope]))
	}
	return items, envelopes
}

func (s *Service) lookSPFOf(ctx context.Context, domain string, hosts []string) Item {
	item := Item{Kind: "spf", About: domain, Status: OK, Code: "spf.ok", Data: map[string]string{}}
	texts, err := s.c.Resolver.LookupTXT(ctx, domain+".")
	if err != nil && !absent(err) {
		return item.not(Unknown, "spf.unreachable")
	}
	item.Found = spfRecords(texts)
	if len(item.Found) > 1 {
		return item.not(Fail, "spf.several")
	}
	record := "v=spf1 ~all"
	e := &spf{}
	if len(item.Found) == 1 {
		record = item.Found[0]
		e = s.evaluate(ctx, domain, record)
		item.Data["lookups"], item.Data["limit"] = strconv.Itoa(e.lookups), strconv.Itoa(maxSPFLookups)
	}
	missing, named, unknown := s.uncovered(ctx, e, hosts)
	if len(missing) > 0 {
		item.Record = &Record{"TXT", domain, withMechanism(record, missing)}
		item.Data["host"] = strings.Join(named, ", ")
	}
	switch {
	case len(item.Found) == 0:
		if item.Record == nil {
			item.Record = &Record{"TXT", domain, "v=spf1 mx ~all"}
		}
		return item.not(Fail, "spf.missing")
	case e.problem != "":
		return item.not(Fail, "spf."+e.problem)
	case e.unsure || unknown:
		return item.not(Unknown, "spf.unreachable")
	case len(missing) > 0:
		return item.not(Fail, "spf.host_missing")
	case e.policy == "+":
		return item.not(Warn, "spf.allows_everybody")
	case e.policy == "" || e.policy == "?":
		return item.not(Warn, "spf.no_policy")
	case e.uses["ptr"]:
		return item.not(Warn, "spf.uses_ptr")
	}
	return item
}

func (i Item) not(s Status, code string) Item {
	i.Status, i.Code = s, code
	return i
}

// uncovered returns the mechanisms that are missing so that the hosts may send, and the hosts.
func (s *Service) uncovered(ctx context.Context, e *spf, hosts []string) (mechanisms, named []string, unknown bool) {
	for _, host := range hosts {
		if p, ok := relayOf(host); ok {
			if !e.included[p.include] {
				mechanisms, named = append(mechanisms, "include:"+p.include), append(named, host)
			}
			continue
		}
		addrs, err := s.addresses(ctx, host)
		if err != nil && !absent(err) {
			unknown = true
		}
		for _, a := range addrs {
			if private(a) || e.covers(a) {
				continue
			}
			kind := "ip4:"
			if a.Is6() {
				kind = "ip6:"
			}
			mechanisms = append(mechanisms, kind+a.String())
			if !slices.Contains(named, host) {
				named = append(named, host)
			}
		}
	}
	return mechanisms, named, unknown
}

func (s *Service) lookDKIM(ctx context.Context, d Domain) (items []Item, published map[string]bool) {
	published = map[string]bool{}
	for _, k := range d.Keys {
		want := k.Record(d.Name)
		item := Item{Kind: "dkim", About: k.Selector, Status: OK, Code: "dkim.ok", Data: map[string]string{"algorithm": string(k.Algorithm)}}
		texts, err := s.c.Resolver.LookupTXT(ctx, want.Name+".")
		item.Found = texts
		bad := Fail
		if k.Status != Active { // nothing is signed with it: nothing breaks
			bad = Warn
		}
		got := map[string]string{}
		if len(texts) == 1 {
			got = tags(texts[0])
		}
		kind := got["k"]
		if kind == "" {
			kind = string(RSA)
		}
		switch {
		case err != nil && !absent(err):
			item = item.not(Unknown, "dkim.unreachable")
		case len(texts) == 0 && k.Status == Retired:
			item = item.not(OK, "dkim.retired")
		case len(texts) == 0:
			item = item.not(bad, "dkim.missing")
		case len(texts) > 1:
			item = item.not(bad, "dkim.several")
		case got["p"] == "" && strings.Contains(texts[0], "p="):
			item = item.not(bad, "dkim.revoked")
		case got["p"] != k.Public || kind != string(k.Algorithm) || got["v"] != "" && got["v"] != "DKIM1":
			item = item.not(bad, "dkim.differs")
		default:
			published[k.ID] = true
			if strings.Contains(got["t"], "y") {
				item = item.not(Warn, "dkim.testing")
			}
		}
		if item.Code != "dkim.ok" && item.Code != "dkim.retired" && item.Code != "dkim.unreachable" {
			item.Record = &want
		}
		items = append(items, item)
	}
	if len(items) == 0 {
		items = append(items, Item{Kind: "dkim", Status: Fail, Code: "dkim.no_key"})
	}
	return items, published
}

// lookDMARC looks for the policy (RFC 7489) and whether SPF or DKIM would pass it for this domain.
func (s *Service) lookDMARC(ctx context.Context, d Domain, keys, spfs []Item, envelopes []string) Item {
	item := Item{Kind: "dmarc", About: d.Name, Status: OK, Code: "dmarc.ok", Data: map[string]string{}}
	first := Record{"TXT", "_dmarc." + d.Name, "v=DMARC1; p=none; rua=mailto:postmaster@" + organisation(d.Name)}
	var found []string
	at := d.Name
	for _, at = range slices.Compact([]string{d.Name, organisation(d.Name)}) {
		texts, err := s.c.Resolver.LookupTXT(ctx, "_dmarc."+at+".")
		if err != nil && !absent(err) {
			return item.not(Unknown, "dmarc.unreachable")
		}
		for _, t := range texts {
			if strings.HasPrefix(strings.ToUpper(strings.ReplaceAll(t, " ", "")), "V=DMARC1") {
				found = append(found, t)
			}
		}
		if len(found) > 0 {
			break
		}
	}
	item.Found = found
	switch {
	case len(found) == 0:
		item.Record = &first
		return item.not(Fail, "dmarc.missing")
	case len(found) > 1:
		return item.not(Fail, "dmarc.several")
	}
	got := tags(found[0])
	policy := strings.ToLower(got["p"])
	if at != d.Name && got["sp"] != "" {
		policy = strings.ToLower(got["sp"])
	}
	if !slices.Contains([]string{"none", "quarantine", "reject"}, policy) {
		item.Record = &first
		return item.not(Fail, "dmarc.syntax")
	}
	// Mail is signed with d= this domain, which aligns in either mode.
	dkim := d.Sign && slices.ContainsFunc(keys, func(i Item) bool { return i.Status == OK && i.Code == "dkim.ok" })
	spf := len(envelopes) > 0
	for i, e := range envelopes {
		same := e == d.Name || !strings.EqualFold(got["aspf"], "s") && organisation(e) == organisation(d.Name)
		spf = spf && same && (spfs[i].Status == OK || spfs[i].Status == Warn)
	}
	item.Data["policy"] = policy
	item.Data["dkim_aligned"], item.Data["spf_aligned"] = strconv.FormatBool(dkim), strconv.FormatBool(spf)
	item.Data["reports"] = got["rua"]
	switch {
	case !dkim && !spf:
		return item.not(Fail, "dmarc.not_aligned")
	case policy == "none":
		item.Record = &Record{"TXT", "_dmarc." + at, strings.Replace(found[0], "p="+got["p"], "p=quarantine", 1)}
		return item.not(Warn, "dmarc.policy_none")
	case !dkim: // forwarded mail fails SPF
		return item.not(Warn, "dmarc.spf_only")
	}
	return item
}

// lookMX looks whether replies and returned mail find a way back.
// takesMail is the host that a domain's MX record would most likely name: the server of one's own that its mail goes out by, else this installation's.
func (s *Service) takesMail(routes []Route) string {
	for _, r := range routes {
		_, relay := relayOf(r.Host)
		if _, err := netip.ParseAddr(strings.Trim(r.Host, "[]")); err != nil && !relay && strings.Contains(r.Host, ".") {
			return r.Host
		}
	}
	return s.c.Inbox
}

// lookMX looks whether the domain takes mail. Host is what its record would name, if known; must says that it has to name that.
func (s *Service) lookMX(ctx context.Context, domain, host string, must bool) (item Item) {
	item = Item{Kind: "mx", About: domain, Status: OK, Code: "mx.ok"}
	if host = strings.TrimSuffix(host, "."); host != "" {
		defer func() {
			if item.Status == Fail || item.Status == Warn {
				item.Record = &Record{"MX", domain, "10 " + host + "."}
			}
		}()
	}
	found, err := s.c.Resolver.LookupMX(ctx, domain+".")
	if err != nil && !absent(err) {
		return item.not(Unknown, "mx.unreachable")
	}
	for _, m := range found {
		item.Found = append(item.Found, strconv.Itoa(int(m.Pref))+" "+strings.TrimSuffix(m.Host, "."))
	}
	switch {
	case len(found) == 0:
		if addrs, err := s.addresses(ctx, domain); err == nil && len(addrs) > 0 {
			return item.not(Warn, "mx.address_only")
		}
		return item.not(Fail, "mx.missing")
	case len(found) == 1 && strings.Trim(found[0].Host, ".") == "":
		return item.not(Fail, "mx.takes_no_mail") // RFC 7505
	case must && host != "" && !slices.ContainsFunc(found, func(m *net.MX) bool { return strings.EqualFold(strings.TrimSuffix(m.Host, "."), host) }):
		return item.not(Warn, "mx.elsewhere")
	}
	for _, m := range found {
		if addrs, err := s.addresses(ctx, m.Host); err == nil && len(addrs) > 0 {
			return item
		}
	}
	return item.not(Fail, "mx.host_unknown")
}

// lookReverse looks whether the sending hosts' addresses have names that lead back to them, as large receivers demand.
func (s *Service) lookReverse(ctx context.Context, routes []Route) (items []Item) {
	seen := map[string]bool{}
	for _, r := range routes {
		if seen[r.Host] {
			continue
		}
		seen[r.Host] = true
		item := Item{Kind: "ptr", About: r.Host, Status: OK, Code: "ptr.ok"}
		if p, ok := relayOf(r.Host); ok { // sends from addresses of its own
			item = item.not(OK, "ptr.provider")
			item.Data = map[string]string{"provider": p.include}
			items = append(items, item)
			continue
		}
		addrs, err := s.addresses(ctx, r.Host)
		switch {
		case err != nil && !absent(err):
			items = append(items, item.not(Unknown, "ptr.unreachable"))
		case len(addrs) == 0:
			items = append(items, item.not(Fail, "ptr.host_unknown"))
		}
		for _, a := range addrs {
			items = append(items, s.lookReverseOf(ctx, r.Host, a))
		}
	}
	return items
}

func (s *Service) lookReverseOf(ctx context.Context, host string, a netip.Addr) Item {
	item := Item{Kind: "ptr", About: a.String(), Status: OK, Code: "ptr.ok", Data: map[string]string{"host": host}}
	if private(a) {
		return item.not(Warn, "ptr.private")
	}
	names, err := s.c.Resolver.LookupAddr(ctx, a.String())
	if err != nil && !absent(err) {
		return item.not(Unknown, "ptr.unreachable")
	}
	want := Record{"PTR", reverseName(a), strings.TrimSuffix(host, ".") + "."}
	if len(names) == 0 {
		item.Record = &want
		return item.not(Fail, "ptr.missing")
	}
	for _, n := range names {
		n = strings.TrimSuffix(n, ".")
		item.Found = append(item.Found, n)
		if back, err := s.addresses(ctx, n); err == nil && slices.Contains(back, a) {
			return item
		}
	}
	item.Record = &want
	return item.not(Fail, "ptr.does_not_lead_back")
}

// reverseName is the name under which the DNS keeps an address's own name.
func reverseName(a netip.Addr) string {
	var b strings.Builder
	if a.Is4() {
		q := a.As4()
		for i := 3; i >= 0; i-- {
			b.WriteString(strconv.Itoa(int(q[i])) + ".")
		}
		return b.String() + "in-addr.arpa"
	}
	const hex = "0123456789abcdef"
	q := a.As16()
	for i := 15; i >= 0; i-- {
		b.Write([]byte{hex[q[i]&15], '.', hex[q[i]>>4], '.'})
	}
	return b.String() + "ip6.arpa"
}
