package mailauth_test

import (
	"bytes"
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/miekg/dns"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/channel/email"
	"github.com/kizuna-cx/kizuna/internal/channel/email/smtptest"
	"github.com/kizuna-cx/kizuna/internal/domain/mailauth"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/secret"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

const ws = "ws_1"

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// zone is a DNS server that answers from a list of zone file lines.
type zone struct {
	mu      sync.Mutex
	records []dns.RR
	broken  map[string]bool // names that get SERVFAIL
	addr    string
}

func serveDNS(t *testing.T) *zone {
	t.Helper()
	z := &zone{broken: map[string]bool{}}
	pc, l := bothPorts(t)
	z.addr = pc.LocalAddr().String()
	for _, s := range []*dns.Server{{PacketConn: pc, Handler: z}, {Listener: l, Handler: z}} {
		up := make(chan struct{})
		s.NotifyStartedFunc = func() { close(up) }
		go func() { _ = s.ActivateAndServe() }() // ends with Shutdown
		<-up
		t.Cleanup(func() { _ = s.Shutdown() })
	}
	return z
}

// bothPorts listens for packets and for connections on one port: long keys are asked for again over TCP. A port that is free for the one may
// be taken for the other, so it tries some.
func bothPorts(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	for try := 0; ; try++ {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", pc.LocalAddr().String())
		if err == nil {
			return pc, l
		}
		_ = pc.Close()
		if try == 50 {
			t.Fatal(err)
		}
	}
}

func (z *zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	z.mu.Lock()
	defer z.mu.Unlock()
	m := new(dns.Msg)
	m.SetReply(q)
	m.RecursionAvailable = true // else an empty answer reads as "ask somebody else"
	name, known := strings.ToLower(q.Question[0].Name), false
	if z.broken[name] {
		m.Rcode = dns.RcodeServerFailure
		_ = w.WriteMsg(m)
		return
	}
	for _, r := range z.records {
		if strings.EqualFold(r.Header().Name, name) {
			known = true
			if r.Header().Rrtype == q.Question[0].Qtype {
				m.Answer = append(m.Answer, r)
			}
		}
	}
	if !known {
		m.Rcode = dns.RcodeNameError
	}
	if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
		m.Truncate(512)
	}
	_ = w.WriteMsg(m)
}

// set replaces all records.
func (z *zone) set(t *testing.T, lines ...string) {
	t.Helper()
	z.mu.Lock()
	defer z.mu.Unlock()
	z.records = nil
	for _, l := range lines {
		r, err := dns.NewRR(l)
		if err != nil {
			t.Fatalf("%q: %v", l, err)
		}
		z.records = append(z.records, r)
	}
}

func (z *zone) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, z.addr)
	}}
}

type fixture struct {
	*mailauth.Service
	t      *testing.T
	zone   *zone
	clock  *clock.Fixed
	routes []mailauth.Route
}

func setup(t *testing.T) *fixture {
	t.Helper()
	box, err := secret.NewBox(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	db := sqldbtest.Open(t, sqldb.SQLite)
	f := &fixture{t: t, zone: serveDNS(t), clock: clock.NewFixed(start), routes: []mailauth.Route{{Host: "mail.shop.example"}}}
	f.Service = mailauth.New(mailauth.Config{
		Store: sqlstore.NewMailAuth(db), Tx: db, Clock: f.clock, Box: box, Resolver: f.zone.resolver(), Inbox: "kizuna.shop.example",
		Routes: func(context.Context, string, string) ([]mailauth.Route, error) { return f.routes, nil },
	})
	return f
}

func (f *fixture) create(name string) mailauth.Domain {
	f.t.Helper()
	d, err := f.Create(f.t.Context(), ws, name)
	if err != nil {
		f.t.Fatal(err)
	}
	return d
}

func (f *fixture) check(id string) mailauth.Domain {
	f.t.Helper()
	d, err := f.Check(f.t.Context(), ws, id)
	if err != nil {
		f.t.Fatal(err)
	}
	return d
}

func item(t *testing.T, d mailauth.Domain, kind string) mailauth.Item {
	t.Helper()
	for _, i := range d.Report.Items {
		if i.Kind == kind {
			return i
		}
	}
	t.Fatalf("nothing is said about %s: %+v", kind, d.Report)
	return mailauth.Item{}
}

// healthy are the records of a domain with nothing to mend.
func healthy(d mailauth.Domain) []string {
	out := []string{
		`shop.example. 60 IN TXT "v=spf1 ip4:203.0.113.7 -all"`,
		`shop.example. 60 IN MX 10 mail.shop.example.`,
		`mail.shop.example. 60 IN A 203.0.113.7`,
		`7.113.0.203.in-addr.arpa. 60 IN PTR mail.shop.example.`,
		`_dmarc.shop.example. 60 IN TXT "v=DMARC1; p=reject; rua=mailto:d@shop.example"`,
	}
	for _, k := range d.Keys {
		out = append(out, k.Record(d.Name).Zone())
	}
	return out
}

func TestWhatTheCheckTellsToPublishMakesTheNextCheckGreen(t *testing.T) {
	f := setup(t)
	d := f.create("Shop.Example.")
	f.zone.set(t, `shop.example. 60 IN MX 10 mail.shop.example.`, `mail.shop.example. 60 IN A 203.0.113.7`)
	d = f.check(d.ID)
	if d.Report.Status != mailauth.Fail {
		t.Fatalf("an empty zone is %+v", d.Report)
	}
	lines := []string{`shop.example. 60 IN MX 10 mail.shop.example.`, `mail.shop.example. 60 IN A 203.0.113.7`}
	for _, i := range d.Report.Items {
		if i.Status != mailauth.OK && i.Record == nil {
			t.Errorf("%s says nothing to publish", i.Code)
		}
		if i.Record != nil {
			lines = append(lines, i.Record.Zone())
		}
	}
	if got := item(t, d, "spf").Record.Value; got != "v=spf1 ip4:203.0.113.7 ~all" {
		t.Errorf("SPF record %q", got)
	}
	f.zone.set(t, lines...)
	d = f.check(d.ID)
	for _, i := range d.Report.Items {
		// A policy of none is where DMARC has to begin.
		if i.Status != mailauth.OK && i.Code != "dmarc.policy_none" {
			t.Errorf("after publishing all of it: %+v", i)
		}
	}
	if got := item(t, d, "dmarc").Record.Value; got != "v=DMARC1; p=quarantine; rua=mailto:postmaster@shop.example" {
		t.Errorf("next DMARC record %q", got)
	}
	for _, k := range d.Keys {
		if k.Status != mailauth.Active {
			t.Errorf("the published key %s is %s", k.Selector, k.Status)
		}
	}
}

func TestEachTroubleHasItsCode(t *testing.T) {
	f := setup(t)
	d := f.create("shop.example")
	replace := func(old, new string) func([]string) []string {
		return func(all []string) []string {
			var out []string
			for _, l := range all {
				if strings.HasPrefix(l, old) {
					l = new
				}
				if l != "" {
					out = append(out, l)
				}
			}
			return out
		}
	}
	const spf, dmarc, mx, ptr = `shop.example. 60 IN TXT`, `_dmarc.`, `shop.example. 60 IN MX`, `7.113`
	add := func(lines ...string) func([]string) []string {
		return func(all []string) []string { return append(all, lines...) }
	}
	loop := `shop.example. 60 IN TXT "v=spf1 include:shop.example ip4:203.0.113.7 -all"`
	for _, c := range []struct {
		name, kind string
		change     func([]string) []string
		code       string
		status     mailauth.Status
		record     string
	}{
		{"fine", "spf", add(), "spf.ok", mailauth.OK, ""},
		{"no SPF", "spf", replace(spf, ""), "spf.missing", mailauth.Fail, "v=spf1 ip4:203.0.113.7 ~all"},
		{"host not in SPF", "spf", replace(spf, spf+` "v=spf1 include:_spf.other.example -all"`), "spf.include_broken", mailauth.Fail, "v=spf1 include:_spf.other.example ip4:203.0.113.7 -all"},
		{"host missing", "spf", replace(spf, spf+` "v=spf1 mx:other.example ip4:198.51.100.0/24 ~all"`), "spf.host_missing", mailauth.Fail, "v=spf1 mx:other.example ip4:198.51.100.0/24 ip4:203.0.113.7 ~all"},
		{"by network", "spf", replace(spf, spf+` "v=spf1 ip4:203.0.113.0/24 -all"`), "spf.ok", mailauth.OK, ""},
		{"by mx", "spf", replace(spf, spf+` "v=spf1 mx -all"`), "spf.ok", mailauth.OK, ""},
		{"by redirect", "spf", func(all []string) []string {
			return append(replace(spf, spf+` "v=spf1 redirect=_r.shop.example"`)(all), `_r.shop.example. 60 IN TXT "v=spf1 a:mail.shop.example -all"`)
		}, "spf.ok", mailauth.OK, ""},
		{"two SPF", "spf", add(`shop.example. 60 IN TXT "v=spf1 -all"`), "spf.several", mailauth.Fail, ""},
		{"SPF in a circle", "spf", replace(spf, loop), "spf.too_many_lookups", mailauth.Fail, ""},
		{"everybody", "spf", replace(spf, spf+` "v=spf1 ip4:203.0.113.7 +all"`), "spf.allows_everybody", mailauth.Warn, ""},
		{"nonsense", "spf", replace(spf, spf+` "v=spf1 ip4:203.0.113.7 ip5:1 -all"`), "spf.syntax", mailauth.Fail, ""},
		{"no DMARC", "dmarc", replace(dmarc, ""), "dmarc.missing", mailauth.Fail, "v=DMARC1; p=none; rua=mailto:postmaster@shop.example"},
		{"DMARC fine", "dmarc", add(), "dmarc.ok", mailauth.OK, ""},
		{"DMARC without policy", "dmarc", replace(dmarc, dmarc+`shop.example. 60 IN TXT "v=DMARC1"`), "dmarc.syntax", mailauth.Fail, "v=DMARC1; p=none; rua=mailto:postmaster@shop.example"},
		{"no MX", "mx", replace(mx, ""), "mx.missing", mailauth.Fail, "10 mail.shop.example."},
		{"null MX", "mx", replace(mx, mx+` 0 .`), "mx.takes_no_mail", mailauth.Fail, "10 mail.shop.example."},
		{"MX to nowhere", "mx", replace(mx, mx+` 10 gone.example.`), "mx.host_unknown", mailauth.Fail, "10 mail.shop.example."},
		{"no name", "ptr", replace(ptr, ""), "ptr.missing", mailauth.Fail, "mail.shop.example."},
		{"another's name", "ptr", replace(ptr, `7.113.0.203.in-addr.arpa. 60 IN PTR dyn-7.isp.example.`), "ptr.does_not_lead_back", mailauth.Fail, "mail.shop.example."},
		{"name fine", "ptr", add(), "ptr.ok", mailauth.OK, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.zone.set(t, c.change(healthy(d))...)
			i := item(t, f.check(d.ID), c.kind)
			got := ""
			if i.Record != nil {
				got = i.Record.Value
			}
			if i.Code != c.code || i.Status != c.status || got != c.record {
				t.Errorf("%s %s, record %q; want %s %s %q (%+v)", i.Status, i.Code, got, c.status, c.code, c.record, i)
			}
		})
	}
	t.Run("a DNS that does not answer is no verdict", func(t *testing.T) {
		f.zone.set(t, healthy(d)...)
		f.zone.broken["shop.example."] = true
		defer delete(f.zone.broken, "shop.example.")
		r := f.check(d.ID)
		for _, kind := range []string{"spf", "mx"} {
			if i := item(t, r, kind); i.Status != mailauth.Unknown {
				t.Errorf("%s is %+v", kind, i)
			}
		}
	})
	t.Run("a relay of a provider needs the provider's include", func(t *testing.T) {
		f.routes = []mailauth.Route{{Host: "email-smtp.eu-west-1.amazonaws.com"}}
		f.zone.set(t, healthy(d)...)
		i := item(t, f.check(d.ID), "spf")
		if i.Code != "spf.host_missing" || i.Record.Value != "v=spf1 ip4:203.0.113.7 include:amazonses.com -all" {
			t.Errorf("%+v", i)
		}
		if p := item(t, f.check(d.ID), "ptr"); p.Code != "ptr.provider" {
			t.Errorf("%+v", p)
		}
	})
	t.Run("where bounces and answers go must lead here", func(t *testing.T) {
		f.routes = []mailauth.Route{{Host: "smtp.sendgrid.net", Returns: "in.shop.example"}}
		look := func(record string) string {
			f.zone.set(t, append(healthy(d), record, `kizuna.shop.example. 60 IN A 203.0.113.8`)...)
			for _, i := range f.check(d.ID).Report.Items {
				if i.Kind == "mx" && i.About == "in.shop.example" {
					if i.Record != nil {
						return i.Code + " " + i.Record.Zone()
					}
					return i.Code
				}
			}
			return "nothing is said"
		}
		for record, want := range map[string]string{
			`other.example. 60 IN MX 10 x.example.`:             "mx.missing in.shop.example. 3600 IN MX 10 kizuna.shop.example.",
			`in.shop.example. 60 IN MX 10 mail.shop.example.`:   "mx.elsewhere in.shop.example. 3600 IN MX 10 kizuna.shop.example.",
			`in.shop.example. 60 IN MX 10 KIZUNA.shop.example.`: "mx.ok",
			`in.shop.example. 60 IN A 203.0.113.8`:              "mx.address_only in.shop.example. 3600 IN MX 10 kizuna.shop.example.",
		} {
			if got := look(record); got != want {
				t.Errorf("%s: %s, want %s", record, got, want)
			}
		}
		f.routes = []mailauth.Route{{Host: "smtp.sendgrid.net"}}
		f.zone.set(t)
		if i := item(t, f.check(d.ID), "mx"); i.Record == nil || i.Record.Value != "10 kizuna.shop.example." {
			t.Errorf("of a provider's relay: %+v", i)
		}
	})
	t.Run("a return path elsewhere leaves alignment to DKIM", func(t *testing.T) {
		f.routes = []mailauth.Route{{Host: "mail.shop.example", Envelope: "bounces.example"}}
		f.zone.set(t, append(healthy(d), `bounces.example. 60 IN TXT "v=spf1 ip4:203.0.113.7 -all"`)...)
		i := item(t, f.check(d.ID), "dmarc")
		if i.Code != "dmarc.ok" || i.Data["dkim_aligned"] != "true" || i.Data["spf_aligned"] != "false" {
			t.Errorf("%+v", i)
		}
	})
}

func TestKeysRotateWhenTheNewOneIsPublished(t *testing.T) {
	f := setup(t)
	ctx := t.Context()
	d := f.create("shop.example")
	if s, err := f.Signers(ctx, ws, "shop.example"); err != nil || len(s) != 0 {
		t.Fatalf("unpublished keys sign: %v %v", s, err)
	}
	f.zone.set(t, healthy(d)...)
	d = f.check(d.ID)
	selectors := func(domain string) (out []string) {
		s, err := f.Signers(ctx, ws, domain)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range s {
			if k.Domain != "shop.example" {
				t.Errorf("signs for %s", k.Domain)
			}
			out = append(out, k.Selector)
		}
		return out
	}
	if got := selectors("news.shop.example"); len(got) != 2 {
		t.Fatalf("mail from a domain below is signed by %v", got)
	}
	if got, err := f.Signers(ctx, ws, "other.example"); err != nil || len(got) != 0 {
		t.Fatalf("mail from elsewhere is signed by %v (%v)", got, err)
	}
	old := d.Keys[0]
	d, err := f.AddKey(ctx, ws, d.ID, old.Algorithm)
	if err != nil {
		t.Fatal(err)
	}
	fresh := d.Keys[2]
	if _, err := f.AddKey(ctx, ws, d.ID, old.Algorithm); !errs.Is(err, errs.KindConflict) {
		t.Errorf("a second waiting key: %v", err)
	}
	if got := selectors("shop.example"); len(got) != 2 || got[0] != old.Selector {
		t.Errorf("before the new key is published %v sign", got)
	}
	if _, err := f.DeleteKey(ctx, ws, d.ID, old.ID); !errs.Is(err, errs.KindConflict) {
		t.Errorf("removing a key that signs: %v", err)
	}
	f.zone.set(t, healthy(d)...)
	d = f.check(d.ID)
	if got := selectors("shop.example"); len(got) != 2 || !strings.Contains(strings.Join(got, " "), fresh.Selector) || strings.Contains(strings.Join(got, " "), old.Selector) {
		t.Errorf("after it is published %v sign", got)
	}
	if d.Report.Status != mailauth.OK {
		t.Errorf("both records are published: %+v", d.Report)
	}
	if d, err = f.DeleteKey(ctx, ws, d.ID, old.ID); err != nil || len(d.Keys) != 2 {
		t.Errorf("removing the retired key: %v, %d left", err, len(d.Keys))
	}
	if _, err := f.SetSigning(ctx, ws, d.ID, false); err != nil {
		t.Fatal(err)
	}
	if got := selectors("shop.example"); len(got) != 0 {
		t.Errorf("signing is off and %v sign", got)
	}
}

func TestSignedMailVerifiesAndCoversTheUnsubscribeHeaders(t *testing.T) {
	f := setup(t)
	ctx := t.Context()
	d := f.create("shop.example")
	f.zone.set(t, healthy(d)...)
	f.check(d.ID)
	keys, err := f.Signers(ctx, ws, "shop.example")
	if err != nil || len(keys) != 2 {
		t.Fatal(keys, err)
	}
	server := smtptest.Start(t)
	sender, err := email.New(email.Config{Host: server.Host(), Port: server.Port(), Security: email.None}, email.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	o := sender.Send(ctx, channel.Message{
		ID: "msg_1", From: channel.Address{Name: "絆", Addr: "tea@shop.example"}, To: channel.Address{Addr: "a@b.example"}, Subject: "こんにちは", Date: start,
		HTML: "<p>.dots\n.\n..</p>", Text: "a  \n.\nb", Sign: keys,
		Headers: map[string]string{"List-Unsubscribe": "<https://m.example/u/x>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
	}, func() error { return nil })
	if o.Result != channel.Sent {
		t.Fatalf("%+v", o)
	}
	raw := server.Wait(t, 1)[0].Data
	verify := func(raw []byte) []*dkim.Verification {
		got, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
			return f.zone.resolver().LookupTXT(ctx, name)
		}})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	got := verify(raw)
	if len(got) != 2 {
		t.Fatalf("%d signatures", len(got))
	}
	for _, v := range got {
		if v.Err != nil || v.Domain != "shop.example" {
			t.Errorf("%s: %v", v.Domain, v.Err)
		}
		for _, h := range []string{"List-Unsubscribe", "List-Unsubscribe-Post"} {
			if !strings.Contains(strings.Join(v.HeaderKeys, " "), h) {
				t.Errorf("%s is not covered: %v", h, v.HeaderKeys)
			}
		}
	}
	for _, change := range [][2]string{{"/u/x", "/u/y"}, {"One-Click", "Two-Click"}, {"From: ", "From: <evil@x.example>\r\nFrom: "}} {
		for _, v := range verify(bytes.Replace(raw, []byte(change[0]), []byte(change[1]), 1)) {
			if v.Err == nil {
				t.Errorf("%q made %q is still signed", change[0], change[1])
			}
		}
	}
}

func TestNamesThatAreNoDomainsAreRefused(t *testing.T) {
	f := setup(t)
	for _, bad := range []string{"", "shop", "a b.example", "x..example", "203.0.113.7", "-.example", strings.Repeat("a", 64) + ".example", "user@shop.example"} {
		if _, err := f.Create(t.Context(), ws, bad); !errs.Is(err, errs.KindInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	d := f.create("絆.example")
	if d.Name != "xn--4wq.example" && !strings.HasPrefix(d.Name, "xn--") {
		t.Errorf("an international name is stored as %s", d.Name)
	}
	if _, err := f.Create(t.Context(), ws, "絆.example"); !errs.Is(err, errs.KindConflict) {
		t.Errorf("twice: %v", err)
	}
}
