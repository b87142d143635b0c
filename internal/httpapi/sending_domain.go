package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/mailauth"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// SendingDomain is a domain that mail is sent from.
type SendingDomain struct {
	ID        string       `json:"id"`
	Domain    string       `json:"domain" doc:"in ASCII, as the DNS has it"`
	Sign      bool         `json:"sign" doc:"active keys sign mail from this domain and those below it"`
	Status    string       `json:"status" enum:"unchecked,ok,unknown,warn,fail" doc:"the worst of the items; unknown: the DNS did not answer"`
	CheckedAt *time.Time   `json:"checked_at,omitempty"`
	Items     []DomainItem `json:"items" doc:"what the last check found"`
	Keys      []DKIMKey    `json:"keys" doc:"the oldest first"`
	CreatedAt time.Time    `json:"created_at"`
}

// DomainItem is one thing that was looked at.
type DomainItem struct {
	Kind   string            `json:"kind" enum:"spf,dkim,dmarc,mx,ptr"`
	About  string            `json:"about,omitempty" doc:"the domain, selector, host or address it is about"`
	Status string            `json:"status" enum:"ok,unknown,warn,fail"`
	Code   string            `json:"code" doc:"stable, e.g. spf.host_missing"`
	Data   map[string]string `json:"data,omitempty" doc:"what the code's wording needs"`
	Found  []string          `json:"found,omitempty" doc:"the records as they are"`
	Record *DNSRecord        `json:"record,omitempty" doc:"what to publish in place of what was found"`
}

// DNSRecord is a record to publish.
type DNSRecord struct {
	Type  string `json:"type" enum:"TXT,MX,PTR"`
	Name  string `json:"name" doc:"fully qualified"`
	Value string `json:"value"`
	Zone  string `json:"zone" doc:"the same as a line of a zone file"`
}

// DKIMKey is a key that signs mail. It begins to once a check has found its record.
type DKIMKey struct {
	ID        string     `json:"id"`
	Selector  string     `json:"selector"`
	Algorithm string     `json:"algorithm" enum:"rsa,ed25519"`
	Status    string     `json:"status" enum:"waiting,active,retired" doc:"waiting: not published yet; retired: replaced, its record should stay for a week"`
	Record    DNSRecord  `json:"record"`
	CreatedAt time.Time  `json:"created_at"`
	ActiveAt  *time.Time `json:"active_at,omitempty"`
	RetiredAt *time.Time `json:"retired_at,omitempty"`
}

func recordShape(r mailauth.Record) DNSRecord { return DNSRecord{r.Type, r.Name, r.Value, r.Zone()} }

func domainShape(d mailauth.Domain) SendingDomain {
	out := SendingDomain{ID: d.ID, Domain: d.Name, Sign: d.Sign, Status: "unchecked", Items: []DomainItem{}, Keys: []DKIMKey{}, CreatedAt: d.CreatedAt}
	for _, k := range d.Keys {
		out.Keys = append(out.Keys, DKIMKey{
			ID: k.ID, Selector: k.Selector, Algorithm: string(k.Algorithm), Status: string(k.Status), Record: recordShape(k.Record(d.Name)),
			CreatedAt: k.CreatedAt, ActiveAt: moment(k.ActiveAt), RetiredAt: moment(k.RetiredAt),
		})
	}
	if d.Report == nil {
		return out
	}
	out.Status, out.CheckedAt = string(d.Report.Status), moment(d.Report.At)
	for _, i := range d.Report.Items {
		one := DomainItem{Kind: i.Kind, About: i.About, Status: string(i.Status), Code: i.Code, Data: i.Data, Found: i.Found}
		if i.Record != nil {
			r := recordShape(*i.Record)
			one.Record = &r
		}
		out.Items = append(out.Items, one)
	}
	return out
}

func (a *api) sendingDomainRoutes() {
	s := a.c.MailAuth
	const noun = "sending_domain"
	domainID := func(d mailauth.Domain) string { return d.ID }
	one := func(d mailauth.Domain, err error) (*body[SendingDomain], error) { return answer(domainShape(d)), err }
	// Making keys and asking the DNS take their time, so they are not inside the transaction of the audit entry.
	after := func(ctx context.Context, action string, d mailauth.Domain, err error) (*body[SendingDomain], error) {
		if err == nil {
			err = a.audit(ctx, action, noun, d.ID)
		}
		return one(d, err)
	}
	route(a, http.MethodGet, "/sending/domains", "sending-domain-list", "Domains that mail is sent from, each with its keys and what the DNS said", staff.SettingsRead, func(ctx context.Context, in *Paging) (*body[List[SendingDomain]], error) {
		found, err := s.Domains(ctx, workspaceOf(ctx), in.request())
		if err != nil {
			return nil, err
		}
		return list(found, domainShape), nil
	})
	type draft struct {
		Domain string `json:"domain" minLength:"1" maxLength:"255" example:"shop.example"`
	}
	route(a, http.MethodPost, "/sending/domains", "sending-domain-create", "Add a domain; an RSA and an Ed25519 key are made for it", staff.SettingsWrite, func(ctx context.Context, in *in[draft]) (*body[SendingDomain], error) {
		d, err := s.Create(ctx, workspaceOf(ctx), in.Body.Domain)
		return after(ctx, "create", d, err)
	}, created)
	route(a, http.MethodGet, "/sending/domains/{id}", "sending-domain-get", "One domain", staff.SettingsRead, func(ctx context.Context, in *IDPath) (*body[SendingDomain], error) {
		return one(s.Domain(ctx, workspaceOf(ctx), in.ID))
	})
	type change struct {
		Sign bool `json:"sign"`
	}
	route(a, http.MethodPut, "/sending/domains/{id}", "sending-domain-update", "Turn signing on or off", staff.SettingsWrite, func(ctx context.Context, in *inAt[change]) (*body[SendingDomain], error) {
		return one(changed(ctx, a, "update", noun, domainID, func(ctx context.Context) (mailauth.Domain, error) {
			return s.SetSigning(ctx, workspaceOf(ctx), in.ID, in.Body.Sign)
		}))
	})
	route(a, http.MethodDelete, "/sending/domains/{id}", "sending-domain-delete", "Remove a domain and its keys; its mail is signed no more", staff.SettingsWrite, func(ctx context.Context, in *IDPath) (*nothing, error) {
		return nil, a.change(ctx, "delete", noun, in.ID, func(ctx context.Context) error { return s.Delete(ctx, workspaceOf(ctx), in.ID) })
	}, noContent)
	route(a, http.MethodPost, "/sending/domains/{id}/check", "sending-domain-check", "Ask the DNS for SPF, DKIM, DMARC, MX and reverse names; keys that are found published begin to sign", staff.SettingsWrite, func(ctx context.Context, in *IDPath) (*body[SendingDomain], error) {
		d, err := s.Check(ctx, workspaceOf(ctx), in.ID)
		return after(ctx, "check", d, err)
	})
	type key struct {
		Algorithm string `json:"algorithm" enum:"rsa,ed25519"`
	}
	route(a, http.MethodPost, "/sending/domains/{id}/keys", "sending-domain-add-key", "Make a key that takes over once a check has found it published", staff.SettingsWrite, func(ctx context.Context, in *inAt[key]) (*body[SendingDomain], error) {
		d, err := s.AddKey(ctx, workspaceOf(ctx), in.ID, mailauth.Algorithm(in.Body.Algorithm))
		return after(ctx, "add_key", d, err)
	})
	route(a, http.MethodDelete, "/sending/domains/{id}/keys/{key}", "sending-domain-remove-key", "Remove a key that does not sign", staff.SettingsWrite, func(ctx context.Context, in *struct {
		IDPath
		Key string `path:"key"`
	},
	) (*body[SendingDomain], error) {
		return one(changed(ctx, a, "remove_key", noun, domainID, func(ctx context.Context) (mailauth.Domain, error) {
			return s.DeleteKey(ctx, workspaceOf(ctx), in.ID, in.Key)
		}))
	})
}
