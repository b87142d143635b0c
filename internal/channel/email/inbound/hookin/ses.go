package hookin

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
)

// envelope is what SNS posts.
type envelope struct {
	Type             string
	MessageID        string `json:"MessageId"`
	TopicArn         string
	Subject          *string
	Message          string
	Timestamp        string
	Token            string
	SubscribeURL     string
	SignatureVersion string
	Signature        string
	SigningCertURL   string
}

// signed is the text that SNS signs: names and values of some fields, each on a line of its own.
func (e envelope) signed() string {
	var b strings.Builder
	add := func(name, value string) { b.WriteString(name + "\n" + value + "\n") }
	add("Message", e.Message)
	add("MessageId", e.MessageID)
	if e.Type == "Notification" {
		if e.Subject != nil {
			add("Subject", *e.Subject)
		}
	} else {
		add("SubscribeURL", e.SubscribeURL)
	}
	add("Timestamp", e.Timestamp)
	if e.Type != "Notification" {
		add("Token", e.Token)
	}
	add("TopicArn", e.TopicArn)
	add("Type", e.Type)
	return b.String()
}

// snsHost is where SNS itself lives. Anything looser would let a bucket of somebody's sign.
var snsHost = regexp.MustCompile(`^sns\.[a-z0-9-]{3,40}\.amazonaws\.com(\.cn)?$`)

func fromSNS(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.Scheme == "https" && snsHost.MatchString(u.Host) && u.User == nil
}

// certs keeps the certificates of SNS by their addresses; there are few, and they change about once a year.
type certs struct {
	get  func(ctx context.Context, url string) ([]byte, error)
	mu   sync.Mutex
	keys map[string]*rsa.PublicKey
}

const maxCerts = 100

func newCerts(get func(ctx context.Context, url string) ([]byte, error)) *certs {
	return &certs{get: get, keys: map[string]*rsa.PublicKey{}}
}

func (c *certs) key(ctx context.Context, address string) (*rsa.PublicKey, error) {
	if !fromSNS(address) || !strings.HasSuffix(address, ".pem") {
		return nil, errForged
	}
	c.mu.Lock()
	k := c.keys[address]
	c.mu.Unlock()
	if k != nil {
		return k, nil
	}
	raw, err := c.get(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("fetch the certificate of SNS: %w", err)
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, errForged
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, errForged
	}
	k, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, errForged
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.keys) >= maxCerts {
		clear(c.keys)
	}
	c.keys[address] = k
	return k, nil
}

func (h *handler) genuine(ctx context.Context, e envelope) error {
	sig, err := base64.StdEncoding.DecodeString(e.Signature)
	if err != nil || e.Signature == "" {
		return errForged
	}
	key, err := h.certs.key(ctx, e.SigningCertURL)
	if err != nil {
		return err
	}
	text := []byte(e.signed())
	switch e.SignatureVersion {
	case "1":
		sum := sha1.Sum(text) // Amazon's choice for version 1; a topic can be set to version 2
		err = rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], sig)
	case "2":
		sum := sha256.Sum256(text)
		err = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig)
	default:
		return errForged
	}
	if err != nil {
		return errForged
	}
	return nil
}

// ses takes an SNS message: the question whether we want the topic's messages, or one of them. Everybody's topics are signed by the same key, so the
// topic must be the account's.
func (h *handler) ses(ctx context.Context, in outbox.Inbound, body []byte) ([]channel.Returned, error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, err
	}
	if err := h.genuine(ctx, e); err != nil {
		return nil, err
	}
	if in.Topic != "" && e.TopicArn != in.Topic {
		return nil, errForged
	}
	switch e.Type {
	case "SubscriptionConfirmation":
		if !fromSNS(e.SubscribeURL) {
			return nil, errForged
		}
		if _, err := h.Get(ctx, e.SubscribeURL); err != nil {
			return nil, fmt.Errorf("confirm the subscription: %w", err)
		}
		return nil, h.KeepTopic(ctx, in.Workspace, in.Account, e.TopicArn)
	case "Notification":
		if in.Topic == "" { // of a topic that has never asked
			return nil, errForged
		}
		return sesNews(e.Message)
	}
	return nil, nil
}

// sesNews reads what SES says inside an SNS message; of text that is none, such as the test that SES sends first, it makes one piece of nothing.
func sesNews(text string) ([]channel.Returned, error) {
	type recipient struct {
		DiagnosticCode string `json:"diagnosticCode"`
		Status         string `json:"status"`
	}
	var m struct {
		NotificationType string `json:"notificationType"`
		EventType        string `json:"eventType"`
		Bounce           struct {
			Type       string      `json:"bounceType"`
			SubType    string      `json:"bounceSubType"`
			Recipients []recipient `json:"bouncedRecipients"`
			Timestamp  time.Time   `json:"timestamp"`
		} `json:"bounce"`
		Complaint struct {
			Feedback  string    `json:"complaintFeedbackType"`
			UserAgent string    `json:"userAgent"`
			Timestamp time.Time `json:"timestamp"`
		} `json:"complaint"`
		Delivery struct {
			Timestamp time.Time `json:"timestamp"`
			Response  string    `json:"smtpResponse"`
		} `json:"delivery"`
		Mail struct {
			Source string              `json:"source"`
			Tags   map[string][]string `json:"tags"`
		} `json:"mail"`
	}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return []channel.Returned{{}}, nil
	}
	n := channel.Returned{References: found(append(m.Mail.Tags[mark], m.Mail.Source, text)...)}
	kind := m.NotificationType
	if kind == "" {
		kind = m.EventType
	}
	switch kind {
	case "Delivery":
		n.News, n.At, n.Detail = channel.NewsDelivered, m.Delivery.Timestamp, short(m.Delivery.Response)
	case "DeliveryDelay":
		n.News = channel.NewsDelayed
	case "Complaint":
		n.News, n.At, n.Feedback, n.Detail = channel.NewsComplained, m.Complaint.Timestamp, short(m.Complaint.Feedback), short(m.Complaint.UserAgent)
		if n.Feedback == "" {
			n.Feedback = "abuse"
		}
	case "Bounce":
		n.News, n.At = channel.NewsBounced, m.Bounce.Timestamp
		if len(m.Bounce.Recipients) > 0 {
			r := m.Bounce.Recipients[0]
			_, words, ok := strings.Cut(r.DiagnosticCode, ";")
			if !ok {
				words = r.DiagnosticCode
			}
			n.Detail = short(words)
			if n.Code = channel.CodeOf(n.Detail); n.Code == "" {
				n.Code = short(r.Status)
			}
		}
		n.Class = sesClass(m.Bounce.Type, m.Bounce.SubType, n)
	}
	return []channel.Returned{n}, nil
}

func sesClass(kind, sub string, n channel.Returned) channel.Class {
	switch sub {
	case "MailboxFull":
		return channel.Full
	case "MessageTooLarge", "ContentRejected", "AttachmentRejected":
		return channel.Block
	case "NoEmail", "Suppressed", "OnAccountSuppressionList":
		return channel.Hard
	}
	c := channel.Classify(n.Code, n.Detail)
	switch kind {
	case "Permanent":
		if c == channel.Block || c == channel.Full {
			return c
		}
		return channel.Hard
	case "Transient":
		if c == channel.Hard || c == channel.Other {
			return channel.Soft
		}
	}
	return c
}
