package app

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/mailauth"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
)

// mailRoutes tells by which servers mail from a domain, or one below it, goes out.
func mailRoutes(accounts func(ctx context.Context, ws string) ([]outbox.Account, error)) func(ctx context.Context, ws, domain string) ([]mailauth.Route, error) {
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
			out = append(out, mailauth.Route{Host: c.Host, Envelope: envelope})
		}
		return out, nil
	}
}
