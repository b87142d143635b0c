// Package id makes prefixed, time-sortable identifiers: "per_01J9Z...". The part after the
// prefix is a ULID (github.com/ulid/spec): 48 bits of milliseconds, 80 random bits, Crockford base32.
package id

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"
)

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

var gen struct {
	sync.Mutex
	lastMS uint64
	hi     uint16 // upper 16 random bits
	lo     uint64 // lower 64 random bits
}

// New returns a fresh identifier with the prefix and an underscore before the ULID. Identifiers made
// by one process sort in the order they were made, also within one millisecond.
func New(prefix string) string { return At(prefix, time.Now()) }

// At is New for a given moment; two calls with the same moment still differ.
func At(prefix string, t time.Time) string {
	ms := uint64(t.UnixMilli())
	gen.Lock()
	if ms <= gen.lastMS {
		ms = gen.lastMS
		gen.lo++
		if gen.lo == 0 {
			gen.hi++
		}
	} else {
		var r [10]byte
		_, _ = rand.Read(r[:]) // never fails (crypto/rand since Go 1.24)
		gen.lastMS, gen.hi, gen.lo = ms, binary.BigEndian.Uint16(r[:2])>>1, binary.BigEndian.Uint64(r[2:])
	}
	hi, lo := gen.hi, gen.lo
	gen.Unlock()

	out := make([]byte, len(prefix)+1+26)
	copy(out, prefix)
	out[len(prefix)] = '_'
	u := out[len(prefix)+1:]
	for i := 9; i >= 0; i-- {
		u[i] = alphabet[ms&31]
		ms >>= 5
	}
	for i := 25; i >= 10; i-- {
		u[i] = alphabet[lo&31]
		lo = lo>>5 | uint64(hi&31)<<59
		hi >>= 5
	}
	return string(out)
}
