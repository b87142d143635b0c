package consent

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// Normalise brings an address into the form that is hashed: the same mailbox written differently must match. The local part of
// a mail address is compared without case although the standard would allow otherwise: no known provider tells them apart,
// and writing to a person who refused is the worse mistake.
func Normalise(channel, address string) string {
	address = strings.ToLower(strings.TrimSpace(address))
	if channel == "sms" || channel == "phone" {
		return strings.Map(func(r rune) rune {
			if r == '+' || r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, address)
	}
	return address
}

// Mask hides most of an address while leaving its owner able to recognise it.
func Mask(address string) string {
	local, domain, mail := strings.Cut(address, "@")
	if !mail {
		n := utf8.RuneCountInString(address)
		if n <= 4 {
			return "…"
		}
		r := []rune(address)
		return string(r[:2]) + "…" + string(r[n-2:])
	}
	host, tld, dotted := cutLast(domain, '.')
	masked := first(local) + "…@" + first(host) + "…"
	if dotted {
		masked += "." + tld
	}
	return masked
}

func first(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	if i := strings.LastIndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// Hasher makes keyed hashes; kit/secret's Box is one.
type Hasher interface {
	Hash(purpose, value string) []byte
}

// Hash names an address as the suppression list does, so that other lists can speak of it without keeping it.
func (s *Service) Hash(ws, channel, address string) string { return s.hash(ws, channel, address) }

// hash is what the suppression list keeps instead of the address. The workspace is part of it, so that two tenants cannot learn
// from each other's lists.
func (s *Service) hash(ws, channel, address string) string {
	sum := s.hasher.Hash("suppression", ws+"\x00"+channel+"\x00"+Normalise(channel, address))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
