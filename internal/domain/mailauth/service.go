package mailauth

import (
	"context"
	"crypto/x509"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/secret"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

// Config is what a Service needs.
type Config struct {
	Store    Store
	Tx       tx.Runner
	Clock    clock.Clock
	Box      *secret.Box
	Resolver Resolver
	// Inbox is the name of this installation's own server for mail that comes back; empty: it has none.
	Inbox string
	// Routes says by which servers mail from the domain goes out; nil: nothing is known.
	Routes func(ctx context.Context, ws, domain string) ([]Route, error)
}

// Service keeps sending domains.
type Service struct {
	c Config

	mu     sync.Mutex
	loaded map[string]signers // by workspace and domain
}

type signers struct {
	list  []channel.Signer
	until time.Time
}

const (
	keyPurpose = "dkim" // of the encryption
	// remembered is how long keys are used without looking; another process may have rotated them.
	remembered = 15 * time.Second
	maxLoaded  = 1000
	maxKeys    = 8 // of a domain
)

// New returns a Service.
func New(c Config) *Service { return &Service{c: c, loaded: map[string]signers{}} }

// Create adds a domain with a waiting key of each algorithm.
func (s *Service) Create(ctx context.Context, ws, name string) (Domain, error) {
	name, err := cleanName(name)
	if err != nil {
		return Domain{}, err
	}
	now := s.c.Clock.Now()
	d := Domain{ID: id.New("dom"), Workspace: ws, Name: name, Sign: true, CreatedAt: now, UpdatedAt: now}
	var keys []SealedKey
	for _, a := range []Algorithm{RSA, Ed25519} {
		k, err := s.newKey(d, a)
		if err != nil {
			return Domain{}, err
		}
		keys = append(keys, k)
		d.Keys = append(d.Keys, k.Key)
	}
	err = s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.c.Store.PutDomain(ctx, ws, d); err != nil {
			return err
		}
		for _, k := range keys {
			if err := s.c.Store.PutKey(ctx, ws, k); err != nil {
				return err
			}
		}
		return nil
	})
	s.forget()
	return d, err
}

func (s *Service) newKey(d Domain, a Algorithm) (SealedKey, error) {
	k, signer, err := makeKey(d, a, s.c.Clock.Now())
	if err != nil {
		return SealedKey{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return SealedKey{}, fmt.Errorf("store a key: %w", err)
	}
	return SealedKey{k, s.c.Box.Seal(keyPurpose, der)}, nil
}

// Domain returns a domain with its keys.
func (s *Service) Domain(ctx context.Context, ws, id string) (Domain, error) {
	d, err := s.c.Store.Domain(ctx, ws, id)
	if err != nil {
		return Domain{}, err
	}
	all := []Domain{d}
	err = s.fill(ctx, ws, all)
	return all[0], err
}

// Domains lists domains with their keys, by name.
func (s *Service) Domains(ctx context.Context, ws string, p page.Request) (page.Of[Domain], error) {
	out, err := s.c.Store.Domains(ctx, ws, p)
	if err != nil {
		return out, err
	}
	return out, s.fill(ctx, ws, out.Items)
}

func (s *Service) fill(ctx context.Context, ws string, domains []Domain) error {
	if len(domains) == 0 {
		return nil
	}
	at := map[string]*Domain{}
	var ids []string
	for i := range domains {
		at[domains[i].ID] = &domains[i]
		ids = append(ids, domains[i].ID)
	}
	keys, err := s.c.Store.Keys(ctx, ws, ids)
	if err != nil {
		return err
	}
	for _, k := range keys {
		at[k.DomainID].Keys = append(at[k.DomainID].Keys, k.Key)
	}
	return nil
}

// SetSigning turns signing on or off.
func (s *Service) SetSigning(ctx context.Context, ws, id string, sign bool) (Domain, error) {
	return s.update(ctx, ws, id, func(_ context.Context, d *Domain) error { d.Sign = sign; return nil })
}

func (s *Service) update(ctx context.Context, ws, id string, change func(ctx context.Context, d *Domain) error) (out Domain, err error) {
	err = s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		d, err := s.Domain(ctx, ws, id)
		if err != nil {
			return err
		}
		if err := change(ctx, &d); err != nil {
			return err
		}
		d.UpdatedAt = s.c.Clock.Now()
		out = d
		return s.c.Store.PutDomain(ctx, ws, d)
	})
	s.forget()
	return out, err
}

// Delete removes a domain and its keys.
func (s *Service) Delete(ctx context.Context, ws, id string) error {
	found, err := s.c.Store.DeleteDomain(ctx, ws, id)
	if err == nil && !found {
		return errs.NotFound("domain", id)
	}
	s.forget()
	return err
}

// AddKey makes a key that takes over once a check has found it published.
func (s *Service) AddKey(ctx context.Context, ws, id string, a Algorithm) (Domain, error) {
	if a != RSA && a != Ed25519 {
		return Domain{}, errs.Invalid("mailauth.key.algorithm_unknown", "algorithm", "use %s or %s", RSA, Ed25519)
	}
	d, err := s.c.Store.Domain(ctx, ws, id)
	if err != nil {
		return Domain{}, err
	}
	k, err := s.newKey(d, a) // takes a tenth of a second: not inside the transaction
	if err != nil {
		return Domain{}, err
	}
	return s.update(ctx, ws, id, func(ctx context.Context, d *Domain) error {
		if len(d.Keys) >= maxKeys {
			return errs.Conflict("mailauth.key.too_many", "this domain has %d keys; remove the retired ones first", len(d.Keys))
		}
		for _, o := range d.Keys {
			if o.Algorithm == a && o.Status == Waiting {
				return errs.Conflict("mailauth.key.waiting", "the key %s still waits to be published; publish it or remove it first", o.Selector)
			}
		}
		d.Keys = append(d.Keys, k.Key)
		return s.c.Store.PutKey(ctx, ws, k)
	})
}

// DeleteKey removes a key that does not sign.
func (s *Service) DeleteKey(ctx context.Context, ws, id, key string) (Domain, error) {
	return s.update(ctx, ws, id, func(ctx context.Context, d *Domain) error {
		for i, k := range d.Keys {
			if k.ID != key {
				continue
			}
			if k.Status == Active && d.Sign {
				return errs.Conflict("mailauth.key.active", "the key %s signs mail; add a key that replaces it, or turn signing off, before you remove it", k.Selector)
			}
			d.Keys = append(d.Keys[:i], d.Keys[i+1:]...)
			_, err := s.c.Store.DeleteKey(ctx, ws, key)
			return err
		}
		return errs.NotFound("key", key)
	})
}

// Look asks the DNS and changes nothing.
func (s *Service) Look(ctx context.Context, ws string, d Domain) (Report, error) {
	r, _, err := s.ask(ctx, ws, d)
	return r, err
}

func (s *Service) ask(ctx context.Context, ws string, d Domain) (r Report, published map[string]bool, err error) {
	var routes []Route
	if s.c.Routes != nil {
		if routes, err = s.c.Routes(ctx, ws, d.Name); err != nil {
			return r, nil, err
		}
	}
	r, published = s.look(ctx, d, routes)
	return r, published, nil
}

// Check asks the DNS, stores the report, and lets keys that it found take over.
func (s *Service) Check(ctx context.Context, ws, id string) (Domain, error) {
	d, err := s.Domain(ctx, ws, id)
	if err != nil {
		return Domain{}, err
	}
	report, published, err := s.ask(ctx, ws, d) // seconds at worst: not inside the transaction
	if err != nil {
		return Domain{}, err
	}
	return s.update(ctx, ws, id, func(ctx context.Context, d *Domain) error {
		d.Report = &report
		return s.activate(ctx, ws, d, published)
	})
}

// activate lets published waiting keys sign and retires those they replace.
func (s *Service) activate(ctx context.Context, ws string, d *Domain, published map[string]bool) error {
	stored, err := s.c.Store.Keys(ctx, ws, []string{d.ID})
	if err != nil {
		return err
	}
	now := s.c.Clock.Now()
	changed := map[string]bool{}
	for i := range stored {
		k := &stored[i]
		if k.Status != Waiting || !published[k.ID] {
			continue
		}
		for j := range stored {
			if o := &stored[j]; o.Algorithm == k.Algorithm && o.Status == Active {
				o.Status, o.RetiredAt, changed[o.ID] = Retired, now, true
			}
		}
		k.Status, k.ActiveAt, changed[k.ID] = Active, now, true
	}
	d.Keys = d.Keys[:0]
	for _, k := range stored {
		if changed[k.ID] {
			if err := s.c.Store.PutKey(ctx, ws, k); err != nil {
				return err
			}
		}
		d.Keys = append(d.Keys, k.Key)
	}
	return nil
}

// Signers returns the keys that sign mail from the domain: its own, or those of the nearest domain above it that is known here. The result
// is remembered for a while and must not be changed.
func (s *Service) Signers(ctx context.Context, ws, domain string) ([]channel.Signer, error) {
	key, now := ws+" "+domain, s.c.Clock.Now()
	s.mu.Lock()
	known, ok := s.loaded[key]
	s.mu.Unlock()
	if ok && now.Before(known.until) {
		return known.list, nil
	}
	list, err := s.load(ctx, ws, domain)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.loaded) >= maxLoaded {
		clear(s.loaded)
	}
	s.loaded[key] = signers{list, now.Add(remembered)}
	return list, nil
}

func (s *Service) load(ctx context.Context, ws, domain string) ([]channel.Signer, error) {
	name, err := cleanName(domain)
	if err != nil {
		return nil, nil // an address literal: nobody signs for it
	}
	found, err := s.c.Store.DomainsNamed(ctx, ws, lineage(name))
	if err != nil {
		return nil, err
	}
	var best Domain
	for _, d := range found {
		if len(d.Name) > len(best.Name) {
			best = d
		}
	}
	if !best.Sign {
		return nil, nil
	}
	keys, err := s.c.Store.Keys(ctx, ws, []string{best.ID})
	if err != nil {
		return nil, err
	}
	var out []channel.Signer
	for _, k := range keys {
		if k.Status != Active {
			continue
		}
		der, err := s.c.Box.Open(keyPurpose, k.Sealed)
		if err != nil {
			return nil, fmt.Errorf("DKIM key %s of %s: %w", k.Selector, best.Name, err)
		}
		private, err := parsePrivate(der)
		if err != nil {
			return nil, fmt.Errorf("DKIM key %s of %s: %w", k.Selector, best.Name, err)
		}
		out = append(out, channel.Signer{Domain: best.Name, Selector: k.Selector, Key: private})
	}
	return out, nil
}

func (s *Service) forget() {
	s.mu.Lock()
	clear(s.loaded)
	s.mu.Unlock()
}

// lineage returns the name and those above it down to the one that was registered.
func lineage(name string) []string {
	out := []string{name}
	top, err := publicsuffix.EffectiveTLDPlusOne(name)
	for err == nil && name != top {
		_, rest, ok := strings.Cut(name, ".")
		if !ok {
			break
		}
		name = rest
		out = append(out, name)
	}
	return out
}

// organisation is the domain that was registered, by which DMARC aligns (RFC 7489 3.2).
func organisation(name string) string {
	all := lineage(name)
	return all[len(all)-1]
}
