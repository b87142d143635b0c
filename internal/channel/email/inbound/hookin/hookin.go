// Package hookin takes what mail providers post about messages: Amazon SES by SNS, Postmark, SendGrid.
//
//	POST /in/{provider}/{key}: whose key? ─► genuine? ─► parse ─► Take ─► 200 once Take has it on disk
//
// Owns: the providers' formats and signatures. Does not own: whether a reference is ours, what follows (outbox).
//
// Invariants: nothing is believed that does not come to a workspace's own secret address and, where the provider signs, with its signature; anything
// but 2xx makes the provider try again, so a fault here loses nothing; news of a kind that is not known is counted and passed over.
package hookin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Path is where webhooks are served, followed by the provider and the key.
const Path = "/in/"

// Config is what a handler needs.
type Config struct {
	// Hook returns whose webhook has this key, or not_found.
	Hook func(ctx context.Context, key string) (outbox.Inbound, error)
	// KeepTopic remembers the SNS topic that has confirmed.
	KeepTopic func(ctx context.Context, ws, account, topic string) error
	// Take keeps what came; when it returns without error that is durable.
	Take func(ctx context.Context, from outbox.Scope, news ...channel.Returned) error
	// Get fetches a certificate or confirms a subscription, by the guarded way out.
	Get func(ctx context.Context, url string) ([]byte, error)
	Log *slog.Logger
}

// maxBody is more than any of the providers sends at once; SendGrid's batches end at 768 KB.
const maxBody = 2 << 20

// errForged says that a signature is missing or does not fit.
var errForged = errors.New("the signature does not fit")

// New returns the handler.
func New(c Config) http.Handler {
	h := &handler{Config: c, certs: newCerts(c.Get)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Path+"{provider}/{key}", h.post)
	return mux
}

type handler struct {
	Config
	certs *certs
}

func (h *handler) post(w http.ResponseWriter, r *http.Request) {
	in, err := h.Hook(r.Context(), r.PathValue("key"))
	switch {
	case errs.Is(err, errs.KindNotFound), err == nil && in.Provider != r.PathValue("provider"):
		http.Error(w, "there is no such webhook", http.StatusNotFound)
		return
	case err != nil:
		h.trouble(w, in, err)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "the body is too large or broke off", http.StatusRequestEntityTooLarge)
		return
	}
	var news []channel.Returned
	switch in.Provider {
	case outbox.ProviderSES:
		news, err = h.ses(r.Context(), in, body)
	case outbox.ProviderPostmark:
		news, err = postmark(body)
	case outbox.ProviderSendGrid:
		news, err = sendgrid(in.VerifyKey, r.Header, body)
	}
	var bad *json.SyntaxError
	var odd *json.UnmarshalTypeError
	switch {
	case errors.Is(err, errForged):
		h.Log.Warn("a webhook call was not genuine", "account", in.Account, "provider", in.Provider)
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	case errors.As(err, &bad) || errors.As(err, &odd) || errors.Is(err, io.ErrUnexpectedEOF):
		http.Error(w, "this is not what the provider sends", http.StatusBadRequest)
		return
	case err != nil:
		h.trouble(w, in, err)
		return
	}
	if err := h.Take(r.Context(), outbox.Scope{Workspace: in.Workspace, Account: in.Account}, news...); err != nil {
		h.trouble(w, in, err)
		return
	}
	w.WriteHeader(http.StatusOK)
}

func (h *handler) trouble(w http.ResponseWriter, in outbox.Inbound, err error) {
	h.Log.Error("a webhook call could not be taken; the provider will try again", "account", in.Account, "provider", in.Provider, "err", err)
	http.Error(w, "cannot take this now", http.StatusServiceUnavailable)
}

// mark names a reference to our message among properties that a provider hands back.
const mark = "kizuna"

// found returns the references in texts, in their order.
func found(texts ...string) []string {
	var out []string
	for _, t := range texts {
		out = append(out, channel.ReferencePattern.FindAllString(t, 5)...)
	}
	if len(out) > 20 {
		out = out[:20]
	}
	return out
}

const maxDetail = 1000

func short(s string) string {
	s = strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "")
	if len(s) > maxDetail {
		s = strings.ToValidUTF8(s[:maxDetail], "")
	}
	return s
}

// postmark reads one record, or a list of them.
func postmark(body []byte) ([]channel.Returned, error) {
	type record struct {
		RecordType  string
		Type        string
		Details     string
		Description string
		Metadata    map[string]string
		BouncedAt   time.Time
		DeliveredAt time.Time
	}
	var records []record
	if strings.HasPrefix(strings.TrimSpace(string(body)), "[") {
		if err := json.Unmarshal(body, &records); err != nil {
			return nil, err
		}
	} else {
		records = make([]record, 1)
		if err := json.Unmarshal(body, &records[0]); err != nil {
			return nil, err
		}
	}
	out := make([]channel.Returned, len(records))
	for i, r := range records {
		n := channel.Returned{References: found(r.Metadata[mark]), At: r.BouncedAt, Detail: short(r.Details)}
		if n.Detail == "" {
			n.Detail = short(r.Description)
		}
		switch r.RecordType {
		case "Delivery":
			n.News, n.At = channel.NewsDelivered, r.DeliveredAt
		case "SpamComplaint":
			n.News, n.Feedback = channel.NewsComplained, "abuse"
		case "Bounce":
			n.News, n.Code = channel.NewsBounced, channel.CodeOf(n.Detail)
			switch r.Type {
			case "HardBounce", "BadEmailAddress", "ManuallyDeactivated":
				n.Class = channel.Hard
			case "SoftBounce", "DnsError", "SMTPApiError":
				if n.Class = channel.Classify("4.0.0", n.Detail); n.Class != channel.Full {
					n.Class = channel.Soft
				}
			case "SpamNotification", "Blocked", "DMARCPolicy", "VirusNotification":
				n.Class = channel.Block
			case "SpamComplaint":
				n.News, n.Feedback = channel.NewsComplained, "abuse"
			case "Transient":
				n.News = channel.NewsDelayed
			case "AutoResponder", "Unsubscribe", "Subscribe", "AddressChange", "ChallengeVerification", "OpenRelayTest":
				n.News = ""
			default:
				n.Class = channel.Classify(n.Code, n.Detail)
			}
		}
		out[i] = n
	}
	return out, nil
}
