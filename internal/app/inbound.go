package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/channel/email/inbound/hookin"
	"github.com/kizuna-cx/kizuna/internal/channel/email/inbound/imapin"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/guard"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
)

// comeback puts what comes back on the log. When take returns without error it is on disk.
type comeback struct {
	messages *outbox.Service
	log      publisher
}

func (c comeback) take(ctx context.Context, from outbox.Scope, news ...channel.Returned) error {
	events, taken, err := c.messages.Returned(ctx, from, news...)
	if err != nil {
		return err
	}
	if len(events) > 0 {
		if err := c.log.Publish(ctx, events...); err != nil {
			return err
		}
	}
	return c.messages.CountReturned(ctx, from, taken)
}

// hooks serves what mail providers post.
func (a *application) hooks(messages *outbox.Service, back comeback) http.Handler {
	return hookin.New(hookin.Config{
		Hook: messages.Hook, KeepTopic: messages.KeepTopic, Take: back.take, Log: part(a.log, "inbound"),
		Get: func(ctx context.Context, url string) ([]byte, error) {
			r, err := a.guard.Do(ctx, guard.Request{URL: url})
			if err == nil && r.Status != http.StatusOK {
				err = fmt.Errorf("%s answered %d", url, r.Status)
			}
			return r.Body, err
		},
	})
}

// mailboxes fetches what comes back to mailboxes elsewhere.
func (a *application) mailboxes(messages *outbox.Service, back comeback) lifecycle.Service {
	return imapin.New(imapin.Options{Mailboxes: messages, Take: back.take, Dial: a.guard.DialContext, Now: a.clock.Now, Log: part(a.log, "inbound")})
}

// certificate reads the files of the certificate, nil if none are named.
func (in Inbound) certificate() (*tls.Config, error) {
	if in.Cert == "" {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(in.Cert, in.Key)
	if err != nil {
		return nil, fmt.Errorf("KIZUNA_INBOUND_CERT and KIZUNA_INBOUND_KEY: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, nil
}
