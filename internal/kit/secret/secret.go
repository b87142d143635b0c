// Package secret encrypts what must not be read from disk and signs what travels through
// untrusted hands. Both derive from one 32-byte master key with HKDF (RFC 5869), a separate
// key for each purpose.
package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"sync"
)

// Box holds the master key.
type Box struct {
	master []byte
	macs   sync.Map // purpose -> *sync.Pool of HMACs with its key: there are few purposes, and each mail is signed several times
}

// ErrTampered is returned for ciphertexts and tokens that this key did not make.
var ErrTampered = errors.New("sealed with another key, or changed on the way")

// NewBox returns a box for a 32-byte master key.
func NewBox(master []byte) (*Box, error) {
	if len(master) != 32 {
		return nil, fmt.Errorf("master key has %d bytes, want 32", len(master))
	}
	return &Box{master: master}, nil
}

func (b *Box) key(purpose string) []byte {
	k, err := hkdf.Key(sha256.New, b.master, nil, "kizuna/"+purpose, 32)
	if err != nil {
		panic(err) // only for lengths beyond 255 hashes
	}
	return k
}

// Seal encrypts plain with AES-256-GCM; the purpose is bound to the result.
func (b *Box) Seal(purpose string, plain []byte) []byte {
	aead := b.aead(purpose)
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	_, _ = rand.Read(nonce)
	return aead.Seal(nonce, nonce, plain, nil)
}

// Open decrypts what Seal made for the same purpose, or returns ErrTampered.
func (b *Box) Open(purpose string, sealed []byte) ([]byte, error) {
	aead := b.aead(purpose)
	if len(sealed) < aead.NonceSize() {
		return nil, ErrTampered
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], nil)
	if err != nil {
		return nil, ErrTampered
	}
	return plain, nil
}

func (b *Box) aead(purpose string) cipher.AEAD {
	block, err := aes.NewCipher(b.key("seal/" + purpose))
	if err != nil {
		panic(err) // the key is always 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead
}

// Sign returns payload and a 128-bit HMAC-SHA-256 tag as one URL-safe token.
func (b *Box) Sign(purpose string, payload []byte) string {
	tag := b.tag(purpose, payload)
	return base64.RawURLEncoding.EncodeToString(append(tag, payload...))
}

// Verify returns the payload of a token made by Sign for the same purpose, or ErrTampered.
func (b *Box) Verify(purpose, token string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) < 16 {
		return nil, ErrTampered
	}
	if !hmac.Equal(raw[:16], b.tag(purpose, raw[16:])) {
		return nil, ErrTampered
	}
	return raw[16:], nil
}

// Hash returns a keyed hash of value, for lists that must match values without holding them.
func (b *Box) Hash(purpose, value string) []byte {
	return b.mac("hash/"+purpose, []byte(value), make([]byte, 0, sha256.Size))
}

func (b *Box) tag(purpose string, payload []byte) []byte {
	return b.mac("sign/"+purpose, payload, make([]byte, 0, sha256.Size+len(payload)))[:16]
}

// mac appends the HMAC-SHA-256 of the payload to out.
func (b *Box) mac(purpose string, payload, out []byte) []byte {
	found, ok := b.macs.Load(purpose)
	if !ok {
		key := b.key(purpose)
		found, _ = b.macs.LoadOrStore(purpose, &sync.Pool{New: func() any { return hmac.New(sha256.New, key) }})
	}
	pool := found.(*sync.Pool)
	m := pool.Get().(hash.Hash)
	m.Reset()
	m.Write(payload)
	out = m.Sum(out)
	pool.Put(m)
	return out
}
