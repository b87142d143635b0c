package hook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	secretPrefix = "whsec_" // of Standard Webhooks
	secretBytes  = 32
	purpose      = "hook/secret"
)

// Box seals secrets; *secret.Box is one.
type Box interface {
	Seal(purpose string, plain []byte) []byte
	Open(purpose string, sealed []byte) ([]byte, error)
}

func newSecret() string {
	b := make([]byte, secretBytes)
	_, _ = rand.Read(b) // never fails
	return secretPrefix + base64.StdEncoding.EncodeToString(b)
}

// sign returns the signature of one secret: "v1," and the HMAC-SHA-256 of id, time in Unix seconds and body, joined by dots.
func sign(secret, id string, at time.Time, body string) (string, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	if err != nil {
		return "", fmt.Errorf("webhook secret: %w", err)
	}
	m := hmac.New(sha256.New, key)
	fmt.Fprintf(m, "%s.%d.%s", id, at.Unix(), body)
	return "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil)), nil
}

// header returns the headers of a request at a moment. While a secret is being replaced both sign.
func (s *Service) header(e Endpoint, d Delivery, at time.Time) (map[string]string, error) {
	sealed := [][]byte{e.Secret}
	if len(e.OldSecret) > 0 && at.Before(e.OldUntil) {
		sealed = append(sealed, e.OldSecret)
	}
	var signatures []string
	for _, one := range sealed {
		plain, err := s.c.Box.Open(purpose, one)
		if err != nil {
			return nil, fmt.Errorf("secret of webhook %s: %w", e.ID, err)
		}
		signature, err := sign(string(plain), d.ID, at, d.Body)
		if err != nil {
			return nil, err
		}
		signatures = append(signatures, signature)
	}
	return map[string]string{
		"Content-Type": "application/json", "User-Agent": "Kizuna-Webhooks/1",
		"webhook-id": d.ID, "webhook-timestamp": strconv.FormatInt(at.Unix(), 10), "webhook-signature": strings.Join(signatures, " "),
	}, nil
}
