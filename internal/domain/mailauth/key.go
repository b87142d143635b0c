package mailauth

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

// rsaBits is what RFC 8301 asks signers for. Longer keys do not fit into one string of a TXT record and slow every mail down.
const rsaBits = 2048

// makeKey makes a key with a selector of its own.
func makeKey(domain Domain, algorithm Algorithm, now time.Time) (Key, crypto.Signer, error) {
	var signer crypto.Signer
	var public []byte
	var err error
	switch algorithm {
	case RSA:
		var k *rsa.PrivateKey
		if k, err = rsa.GenerateKey(rand.Reader, rsaBits); err != nil {
			return Key{}, nil, fmt.Errorf("make an RSA key: %w", err)
		}
		if public, err = x509.MarshalPKIXPublicKey(k.Public()); err != nil {
			return Key{}, nil, fmt.Errorf("make an RSA key: %w", err)
		}
		signer = k
	case Ed25519:
		var k ed25519.PrivateKey
		if _, k, err = ed25519.GenerateKey(rand.Reader); err != nil {
			return Key{}, nil, fmt.Errorf("make an Ed25519 key: %w", err)
		}
		signer, public = k, k.Public().(ed25519.PublicKey) // bare, RFC 8463 section 4
	default:
		return Key{}, nil, fmt.Errorf("no key is of the kind %q", algorithm)
	}
	unique := id.New("dkim")
	return Key{
		ID: unique, DomainID: domain.ID, Algorithm: algorithm, Status: Waiting, Public: base64.StdEncoding.EncodeToString(public), CreatedAt: now,
		// The month tells people how old a key is; the end of the id keeps selectors apart.
		Selector: strings.ToLower("kz" + now.Format("0601") + string(algorithm[0]) + unique[len(unique)-4:]),
	}, signer, nil
}

func parsePrivate(der []byte) (crypto.Signer, error) {
	k, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	s, ok := k.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a %T cannot sign", k)
	}
	return s, nil
}

// tags reads "a=b; c=d" (RFC 6376 3.2), names in lower case. White space inside values is taken out, as folding may have put it there.
func tags(text string) map[string]string {
	out := map[string]string{}
	for part := range strings.SplitSeq(text, ";") {
		name, value, ok := strings.Cut(part, "=")
		if ok {
			out[strings.ToLower(strings.TrimSpace(name))] = strings.Join(strings.Fields(value), "")
		}
	}
	return out
}
