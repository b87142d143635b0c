package mailauth

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Domain is a domain that mail is sent from.
type Domain struct {
	ID        string
	Workspace string
	Name      string // lower case, in ASCII
	Sign      bool   // active keys sign mail from this domain and those below it
	Keys      []Key  // the oldest first; the service fills them in
	Report    *Report
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Algorithm is what a key is for.
type Algorithm string

// The algorithms. Every receiver knows RSA (RFC 6376); Ed25519 (RFC 8463) is ten times cheaper to sign with, and verified by some.
const (
	RSA     Algorithm = "rsa"
	Ed25519 Algorithm = "ed25519"
)

// KeyStatus is where a key stands.
type KeyStatus string

// The statuses.
const (
	Waiting KeyStatus = "waiting" // not seen in the DNS yet
	Active  KeyStatus = "active"  // signs
	Retired KeyStatus = "retired" // replaced; its record must stay until mail signed with it has arrived, a week is plenty
)

// Key is a DKIM key. Its private half is not in here.
type Key struct {
	ID        string
	DomainID  string
	Selector  string
	Algorithm Algorithm
	Public    string // the p= of its record
	Status    KeyStatus
	CreatedAt time.Time
	ActiveAt  time.Time // zero until it signs
	RetiredAt time.Time
}

// SealedKey is a key as it is stored.
type SealedKey struct {
	Key
	Sealed []byte // PKCS #8, encrypted
}

// Record is a DNS record to publish.
type Record struct {
	Type  string `json:"type"`
	Name  string `json:"name"` // fully qualified, without the last dot
	Value string `json:"value"`
}

// Zone is the record as a line of a zone file; texts are cut into strings of 255 bytes as RFC 1035 wants.
func (r Record) Zone() string {
	value := r.Value
	if r.Type == "TXT" {
		var parts []string
		for v := r.Value; v != ""; {
			n := min(len(v), 255)
			parts = append(parts, `"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v[:n])+`"`)
			v = v[n:]
		}
		value = strings.Join(parts, " ")
	}
	return r.Name + ". 3600 IN " + r.Type + " " + value
}

// Record is what to publish so that the key counts.
func (k Key) Record(domain string) Record {
	return Record{"TXT", k.Selector + "._domainkey." + domain, "v=DKIM1; k=" + string(k.Algorithm) + "; p=" + k.Public}
}

// Status is how an item of a report stands.
type Status string

// The statuses, from good to bad.
const (
	OK      Status = "ok"
	Unknown Status = "unknown" // the DNS did not answer
	Warn    Status = "warn"    // mail arrives, but not as well as it could
	Fail    Status = "fail"    // mail from this domain is refused, or lands among spam
)

// Item is one thing that was looked at.
type Item struct {
	Kind   string            `json:"kind"`             // spf, dkim, dmarc, mx, ptr
	About  string            `json:"about,omitempty"`  // the selector, host or address it is about
	Status Status            `json:"status"`           //
	Code   string            `json:"code"`             // stable: "spf.host_missing"
	Data   map[string]string `json:"data,omitempty"`   // what the code's wording needs
	Found  []string          `json:"found,omitempty"`  // the records as they are
	Record *Record           `json:"record,omitempty"` // the record to publish instead, or beside what is there
}

// Report is what the DNS said.
type Report struct {
	At     time.Time `json:"at"`
	Status Status    `json:"status"` // the worst of the items
	Items  []Item    `json:"items"`
}

// Route is how mail from a domain goes out.
type Route struct {
	Host     string // the server it is handed to
	Envelope string // domain of the return path; empty: the domain itself
	Returns  string // domain whose mail must reach this installation, since bounces and answers go there; empty: none
}

// Resolver asks the DNS; *net.Resolver is one.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupAddr(ctx context.Context, addr string) ([]string, error)
}

// Store keeps domains and keys. Every method takes part in the transaction of its context.
type Store interface {
	// PutDomain adds or replaces a domain, Keys left out. The name is unique in the workspace: conflict.
	PutDomain(ctx context.Context, ws string, d Domain) error
	// Domain returns a domain, without its keys, or not_found.
	Domain(ctx context.Context, ws, id string) (Domain, error)
	// DomainsNamed returns those of the names that exist.
	DomainsNamed(ctx context.Context, ws string, names []string) ([]Domain, error)
	// Domains lists domains by name.
	Domains(ctx context.Context, ws string, p page.Request) (page.Of[Domain], error)
	// DeleteDomain removes a domain and its keys and reports whether there was one.
	DeleteDomain(ctx context.Context, ws, id string) (bool, error)
	// PutKey adds or replaces a key.
	PutKey(ctx context.Context, ws string, k SealedKey) error
	// Keys returns the keys of domains, the oldest first.
	Keys(ctx context.Context, ws string, domainIDs []string) ([]SealedKey, error)
	// DeleteKey removes a key and reports whether there was one.
	DeleteKey(ctx context.Context, ws, id string) (bool, error)
}

// cleanName brings a domain into the form it is stored in.
func cleanName(name string) (string, error) {
	bad := errs.Invalid("mailauth.domain.name_invalid", "domain", "%q is not a domain; write it like shop.example", name)
	name = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(name)), ".")
	ascii, err := idna.Lookup.ToASCII(name)
	if err != nil || len(ascii) > 200 || !strings.Contains(ascii, ".") || net.ParseIP(ascii) != nil {
		return "", bad
	}
	for label := range strings.SplitSeq(ascii, ".") {
		if label == "" || len(label) > 63 {
			return "", bad
		}
	}
	return ascii, nil
}

// absent reports that the DNS has no such record, in distinction to not answering.
func absent(err error) bool {
	var d *net.DNSError
	return errors.As(err, &d) && d.IsNotFound
}
