package app

import (
	"context"
	"net/http"

	"github.com/kizuna-cx/kizuna/internal/domain/hook"
	"github.com/kizuna-cx/kizuna/internal/kit/guard"
)

// poster makes the requests of webhooks through the guard.
type poster struct{ *guard.Guard }

// webhookAnswer is how much of an answer is read; less is kept.
const webhookAnswer = 8 << 10

// Post makes one request.
func (p poster) Post(ctx context.Context, url string, header map[string]string, body string) (hook.Answer, error) {
	r, err := p.Do(ctx, guard.Request{Method: http.MethodPost, URL: url, Header: header, Body: []byte(body), MaxBody: webhookAnswer})
	return hook.Answer{Status: r.Status, Body: r.Body, URL: r.URL, RetryAfter: r.Header.Get("Retry-After")}, err
}
