package staff

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"
)

// HashParams is the cost of argon2id (RFC 9106).
type HashParams struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8
}

// DefaultHash is the second choice of OWASP's password storage cheat sheet: 19 MiB, two passes.
var DefaultHash = HashParams{Memory: 19 * 1024, Time: 2, Threads: 1}

const (
	saltLength = 16
	hashLength = 32
)

// hasher makes and checks password hashes, a few at a time: each takes 19 MiB, and a burst of sign-ins must not take the machine.
type hasher struct {
	params HashParams
	slots  chan struct{}
	dummy  string // checked when there is no user, so that it takes as long
}

func newHasher(p HashParams) *hasher {
	h := &hasher{params: p, slots: make(chan struct{}, max(2, runtime.GOMAXPROCS(0)))}
	h.dummy = h.make(rand.Text())
	return h
}

// hash returns the PHC string of a password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	return h.make(password), nil
}

// check reports whether the password belongs to the hash, and whether the hash should be made anew at today's cost. An empty hash
// takes as long as any other and fits no password.
func (h *hasher) check(ctx context.Context, stored, password string) (ok, stale bool, err error) {
	if err := h.enter(ctx); err != nil {
		return false, false, err
	}
	defer h.leave()
	empty := stored == ""
	if empty {
		stored = h.dummy
	}
	p, salt, want, err := parsePHC(stored)
	if err != nil {
		return false, false, err
	}
	got := argon2.IDKey([]byte(password), salt, p.Time, p.Memory, p.Threads, uint32(len(want)))
	ok = subtle.ConstantTimeCompare(got, want) == 1 && !empty
	return ok, ok && (p != h.params || len(salt) != saltLength || len(want) != hashLength), nil
}

func (h *hasher) enter(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *hasher) leave() { <-h.slots }

func (h *hasher) make(password string) string {
	salt := make([]byte, saltLength)
	_, _ = rand.Read(salt) // never fails (crypto/rand since Go 1.24)
	key := argon2.IDKey([]byte(password), salt, h.params.Time, h.params.Memory, h.params.Threads, hashLength)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.params.Memory, h.params.Time, h.params.Threads,
		b64.EncodeToString(salt), b64.EncodeToString(key))
}

// parsePHC reads what make wrote. Its errors never repeat the hash.
func parsePHC(s string) (p HashParams, salt, key []byte, err error) {
	parts := strings.Split(s, "$")
	var version int
	bad := func(what string) error { return fmt.Errorf("stored password hash: %s", what) }
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return p, nil, nil, bad("not argon2id")
	}
	if n, err := fmt.Sscanf(parts[2], "v=%d", &version); n != 1 || err != nil || version != argon2.Version {
		return p, nil, nil, bad("unknown version")
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.Memory, &p.Time, &p.Threads); n != 3 || err != nil || p.Time < 1 || p.Threads < 1 || p.Memory > 1<<21 {
		return p, nil, nil, bad("bad parameters")
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return p, nil, nil, bad("bad salt")
	}
	if key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(key) < 16 {
		return p, nil, nil, bad("bad key")
	}
	return p, salt, key, nil
}
