package app

import (
	"context"
	"encoding/json"
	"net/netip"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/mailauth"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
)

// name is by which MX records name the server for mail that comes back; empty if there is none that the world could find.
func (in Inbound) name() string {
	if _, err := netip.ParseAddr(in.Domain); in.Listen == "" || err == nil || !strings.Contains(in.Domain, ".") {
		return ""
	}
	return in.Domain
}

// mailRoutes tells by which servers mail from a domain, or one below it, goes out, and where what comes of it returns.
func mailRoutes(accounts func(ctx context.Context, ws string) ([]outbox.Account, error), inbound func(ctx context.Context, ws, account string) (outbox.Inbound, error)) func(ctx context.Context, ws, domain string) ([]mailauth.Route, error) {
	return func(ctx context.Context, ws, domain string) ([]mailauth.Route, error) {
		all, err := accounts(ctx, ws)
		if err != nil {
			return nil, err
		}
		var out []mailauth.Route
		for _, a := range all {
			_, from, _ := strings.Cut(strings.ToLower(a.FromAddr), "@")
			if a.Kind != outbox.KindEmail || a.Status != outbox.AccountActive || from != domain && !strings.HasSuffix(from, "."+domain) {
				continue
			}
			var c struct {
				Host       string `json:"host"`
				ReturnPath string `json:"return_path"`
			}
			if err := json.Unmarshal(a.Config, &c); err != nil || c.Host == "" {
				continue
			}
			_, envelope, _ := strings.Cut(strings.ToLower(c.ReturnPath), "@")
			back, err := inbound(ctx, ws, a.ID)
			if err != nil {
				return nil, err
			}
			returns := ""
			if back.Mailbox.Host == "" { // otherwise it is fetched from a server elsewhere
				returns = strings.ToLower(back.Address[strings.LastIndexByte(back.Address, '@')+1:])
			}
			out = append(out, mailauth.Route{Host: c.Host, Envelope: envelope, Returns: returns})
		}
		return out, nil
	}
}
