package hookin

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
)

// Headers of SendGrid's signed event webhook: ECDSA over SHA-256 of the timestamp and the body.
const (
	sendgridSignature = "X-Twilio-Email-Event-Webhook-Signature"
	sendgridTimestamp = "X-Twilio-Email-Event-Webhook-Timestamp"
)

func sendgridGenuine(key string, h http.Header, body []byte) bool {
	der, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		return false
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return false
	}
	public, ok := parsed.(*ecdsa.PublicKey)
	sig, err := base64.StdEncoding.DecodeString(h.Get(sendgridSignature))
	if !ok || err != nil || h.Get(sendgridTimestamp) == "" {
		return false
	}
	sum := sha256.New()
	sum.Write([]byte(h.Get(sendgridTimestamp)))
	sum.Write(body)
	return ecdsa.VerifyASN1(public, sum.Sum(nil), sig)
}

// sendgrid reads a batch of events. A batch that is handed in again makes the same news.
func sendgrid(key string, h http.Header, body []byte) ([]channel.Returned, error) {
	if !sendgridGenuine(key, h, body) {
		return nil, errForged
	}
	var events []struct {
		Event     string `json:"event"`
		Type      string `json:"type"`
		Status    string `json:"status"`
		Reason    string `json:"reason"`
		Response  string `json:"response"`
		Timestamp int64  `json:"timestamp"`
		Mark      any    `json:"kizuna"` // a caller may have set anything
	}
	if err := json.Unmarshal(body, &events); err != nil {
		return nil, err
	}
	out := make([]channel.Returned, len(events))
	for i, e := range events {
		name, _ := e.Mark.(string)
		n := channel.Returned{References: found(name), Detail: short(e.Reason)}
		if e.Timestamp > 0 {
			n.At = time.Unix(e.Timestamp, 0).UTC()
		}
		switch e.Event {
		case "delivered":
			n.News, n.Detail = channel.NewsDelivered, short(e.Response)
		case "deferred":
			n.News = channel.NewsDelayed
		case "spamreport":
			n.News, n.Feedback = channel.NewsComplained, "abuse"
		case "bounce":
			n.News, n.Code = channel.NewsBounced, strings.TrimSpace(channel.CodeOf(n.Detail))
			if n.Code == "" {
				n.Code = short(e.Status)
			}
			if n.Class = channel.Classify(n.Code, n.Detail); e.Type == "blocked" && n.Class != channel.Full {
				n.Class = channel.Block // SendGrid's word for what is not the address's fault
			}
		case "dropped": // not tried, for what was known before
			n.News, n.Class = channel.NewsBounced, channel.Other
			switch reason := strings.ToLower(e.Reason); {
			case strings.Contains(reason, "bounced address"), strings.Contains(reason, "invalid"):
				n.Class = channel.Hard
			case strings.Contains(reason, "spam"):
				n.News, n.Feedback = channel.NewsComplained, "abuse"
			}
		}
		out[i] = n
	}
	return out, nil
}
