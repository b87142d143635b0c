package staff

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

var cheap = HashParams{Memory: 64, Time: 1, Threads: 1}

func TestHashesAreSaltedAndChecked(t *testing.T) {
	h := newHasher(cheap)
	a, err := h.hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	b, err := h.hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if a == b || strings.Contains(a, "horse") || !strings.HasPrefix(a, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Errorf("hashes %s and %s", a, b)
	}
	for _, c := range []struct {
		stored, password string
		ok, stale        bool
	}{
		{a, "correct horse", true, false},
		{a, "correct horse ", false, false},
		{a, "", false, false},
		{"", "", false, false},
		{"", "anything", false, false},
		// Made by the reference implementation: echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1 -l 32 (RFC 9106, version 19).
		{"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password", true, true},
	} {
		ok, stale, err := h.check(t.Context(), c.stored, c.password)
		if err != nil || ok != c.ok || stale != c.stale {
			t.Errorf("check(%q, %q) = %v, %v, %v, want %v, %v", c.stored, c.password, ok, stale, err, c.ok, c.stale)
		}
	}
}

func TestBrokenHashesAreAnErrorThatHidesThem(t *testing.T) {
	h := newHasher(cheap)
	good := h.make("x")
	for _, s := range []string{
		"plain text", "$2a$10$bcrypt", "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		strings.Replace(good, "v=19", "v=18", 1), strings.Replace(good, "t=1", "t=0", 1), strings.Replace(good, "p=1", "p=0", 1),
		strings.Replace(good, "m=64", "m=4294967295", 1), good[:len(good)-40], strings.Replace(good, "$v", "$!$v", 1),
	} {
		ok, _, err := h.check(t.Context(), s, "x")
		if ok || err == nil || strings.Contains(err.Error(), s) {
			t.Errorf("%s: %v, %v", s, ok, err)
		}
	}
}

func TestHashingWaitsForASlotOnlyAsLongAsItsContext(t *testing.T) {
	h := newHasher(cheap)
	for range cap(h.slots) {
		h.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.hash(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("hash: %v", err)
	}
	if _, _, err := h.check(ctx, "", "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("check: %v", err)
	}
}

func TestPasswordsThatAnybodyWouldTryAreRefused(t *testing.T) {
	for _, p := range []string{
		"", "short", "123456789", "1234567890", "aaaaaaaaaaaa", "ababababababab", "Password123", "password!!!!", "ann@example.com", "annsmith2026", "Administrator1",
		strings.Repeat("long ", 60),
	} {
		if err := validPassword("password", p, map[bool]string{true: "annsmith@example.com", false: "ann@example.com"}[strings.HasPrefix(p, "annsmith")]); !errs.Is(err, errs.KindInvalid) {
			t.Errorf("%q was accepted", p)
		}
	}
	for _, p := range []string{"correct horse battery", "密码要长一点才好用啊", "password of my grandmother", "xK9#mQ2$vL"} {
		if err := validPassword("password", p, "ann@example.com"); err != nil {
			t.Errorf("%q: %v", p, err)
		}
	}
}

func TestEmailsAreNormalised(t *testing.T) {
	for in, want := range map[string]string{
		" Ann@Example.COM ": "ann@example.com", "ü@example.com": "ü@example.com",
		"Ann <ann@example.com>": "", "ann": "", "": "", "a@b@c": "", "a b@example.com": "", strings.Repeat("x", 250) + "@example.com": "",
	} {
		got, err := normalizeEmail(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q became %q, %v", in, got, err)
		}
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add(newHasher(cheap).make("x"))
	f.Add("$argon2id$v=19$m=64,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, s string) {
		p, _, key, err := parsePHC(s)
		if err == nil && (p.Time < 1 || p.Threads < 1 || len(key) < 16) {
			t.Errorf("%q was accepted as %+v", s, p)
		}
	})
}
