package shred

import (
	"cmp"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	depth    = 12 // hexadecimal digits of a leaf
	digits   = "0123456789abcdef"
	mark     = 0x01 // first byte of a frame; no JSON text begins with it
	nonceLen = 12
	tagLen   = 16
	headLen  = 4 + 2 + depth/2 // epoch, generation, leaf
	maxFrame = 16 << 20
	// maxCached bounds the keys kept ready for sealing, and as many for opening, about 150 bytes each. Ciphers made of them are ten times as large, and a key
	// becomes one in a tenth of the time that it takes to find it in the tree. The busiest subjects are found again soon after it is emptied.
	maxCached = 16384
	// generations is how many keys a subject can have in an epoch, one after the other.
	generations = 1 << 16
)

// ErrErased is returned for what was sealed under a key that has been destroyed.
var ErrErased = errors.New("its key was destroyed")

// ErrSpent is returned when the last key that a subject can have in the epoch would be destroyed: what comes after could not be sealed. The next epoch has new ones.
var ErrSpent = errors.New("this subject's keys were destroyed so often that none is left; try again when the next epoch has begun")

// Node is one node of a tree, to be kept secret and, once replaced, forgotten.
type Node struct {
	Epoch uint32
	Path  string // hexadecimal digits from the root; empty for the seed
	Seed  [32]byte
	Made  time.Time // when the epoch began
}

// Change is what a Ring asks to be kept. Gone and New belong in one transaction.
type Change struct {
	Gone []Node // Seed is empty
	New  []Node
}

// Keeper makes a change durable. When it returns nil the nodes that are gone must not be readable any more than it promises to those who ask for
// erasure.
type Keeper func(c Change) error

// Ring seals and opens. It is safe for concurrent use.
type Ring struct {
	salt   []byte
	most   int // generations
	reload func() ([]Node, error)

	mu     sync.RWMutex // guards what follows; held for writing while a change is kept
	epochs []*epoch     // oldest first; the last one seals
	cache  map[string]sealer
	opened map[[headLen]byte][32]byte
}

// renew takes the epochs after a change; the keys of what is gone go with it.
func (r *Ring) renew(epochs []*epoch) {
	r.epochs, r.cache, r.opened = epochs, map[string]sealer{}, map[[headLen]byte][32]byte{}
}

type epoch struct {
	n     uint32
	made  time.Time
	nodes map[string][32]byte
}

// sealer is the way to seal for one subject now.
type sealer struct {
	head [headLen]byte
	key  [32]byte
}

// New returns a ring of the nodes that were kept. The salt is a secret of the installation: without it a leaf does not tell whose it is. A ring
// without nodes needs Rotate before it can seal. reload reads the nodes again, for what other processes have changed; nil if there are none.
func New(salt []byte, nodes []Node, reload func() ([]Node, error)) *Ring {
	r := &Ring{salt: slices.Clone(salt), most: generations, reload: reload}
	r.take(nodes)
	return r
}

// Refresh reads the nodes again.
func (r *Ring) Refresh() error {
	if r.reload == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	nodes, err := r.reload()
	if err == nil {
		r.take(nodes)
	}
	return err
}

// take replaces what the ring knows; the caller holds mu.
func (r *Ring) take(nodes []Node) {
	r.renew(nil)
	for _, n := range nodes {
		e := r.epoch(n.Epoch)
		if e == nil {
			e = &epoch{n: n.Epoch, made: n.Made, nodes: map[string][32]byte{}}
			r.epochs = append(r.epochs, e)
		}
		e.nodes[n.Path] = n.Seed
	}
	slices.SortFunc(r.epochs, func(a, b *epoch) int { return cmp.Compare(a.n, b.n) })
}

func (r *Ring) epoch(n uint32) *epoch {
	for _, e := range r.epochs {
		if e.n == n {
			return e
		}
	}
	return nil
}

// Rotate begins a new epoch if there is none or the last one began more than every ago, and forgets the epochs whose successor began more than
// keep ago: what they have sealed must be gone by then.
func (r *Ring) Rotate(now time.Time, every, keep time.Duration, k Keeper) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var c Change
	left := slices.Clone(r.epochs)
	for len(left) > 1 && now.Sub(left[1].made) > keep {
		for path := range left[0].nodes {
			c.Gone = append(c.Gone, Node{Epoch: left[0].n, Path: path})
		}
		left = left[1:]
	}
	if len(left) == 0 || now.Sub(left[len(left)-1].made) > every {
		e := &epoch{n: 1, made: now, nodes: map[string][32]byte{}}
		if len(left) > 0 {
			e.n = left[len(left)-1].n + 1
		}
		var seed [32]byte
		_, _ = rand.Read(seed[:])
		e.nodes[""] = seed
		c.New = append(c.New, Node{Epoch: e.n, Seed: seed, Made: now})
		left = append(left, e)
	}
	if len(c.Gone)+len(c.New) == 0 {
		return nil
	}
	if err := k(c); err != nil {
		return err
	}
	r.renew(left)
	return nil
}

// Destroy destroys the keys of the subjects in all epochs, and returns how many keys that were. It is complete or, after ErrSpent or an error of the
// keeper, not done at all. Doing it again destroys the keys of what was sealed since.
func (r *Ring) Destroy(subjects []string, k Keeper) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var c Change
	changed := make([]*epoch, len(r.epochs))
	n := 0
	for i, old := range r.epochs {
		e := &epoch{n: old.n, made: old.made, nodes: make(map[string][32]byte, len(old.nodes)+len(subjects)*depth*len(digits))}
		for p, s := range old.nodes {
			e.nodes[p] = s
		}
		for _, s := range slices.Compact(slices.Sorted(slices.Values(subjects))) {
			g, path, _, ok := r.live(e, s)
			if i == len(r.epochs)-1 && int(g) == r.most-1 {
				return 0, ErrSpent
			}
			if ok {
				e.puncture(path)
				n++
			}
		}
		for p := range old.nodes {
			if _, still := e.nodes[p]; !still {
				c.Gone = append(c.Gone, Node{Epoch: e.n, Path: p})
			}
		}
		for p, s := range e.nodes {
			if _, before := old.nodes[p]; !before {
				c.New = append(c.New, Node{Epoch: e.n, Path: p, Seed: s, Made: e.made})
			}
		}
		changed[i] = e
	}
	if n == 0 {
		return 0, nil
	}
	if err := k(c); err != nil {
		return 0, err
	}
	r.renew(changed)
	return n, nil
}

// live returns the first generation of the subject whose key is not destroyed: the only one that can have sealed anything since the last
// puncture.
func (r *Ring) live(e *epoch, subject string) (generation uint16, path string, key [32]byte, ok bool) {
	for g := range r.most {
		path := r.leaf(e.n, uint16(g), subject)
		if key, ok := e.key(path); ok {
			return uint16(g), path, key, true
		}
	}
	return 0, "", [32]byte{}, false
}

// leaf names the leaf of a subject.
func (r *Ring) leaf(epoch uint32, generation uint16, subject string) string {
	h := sha256.New()
	var n [6]byte
	binary.BigEndian.PutUint32(n[:4], epoch)
	binary.BigEndian.PutUint16(n[4:], generation)
	h.Write(r.salt)
	h.Write(n[:])
	h.Write([]byte(subject))
	var sum [sha256.Size]byte
	return fmt.Sprintf("%x", h.Sum(sum[:0])[:depth/2])
}

func child(seed [32]byte, digit byte) [32]byte {
	var in [33]byte
	copy(in[:], seed[:])
	in[32] = digit
	return sha256.Sum256(in[:])
}

// key derives the key of a leaf; ok is false if it is destroyed.
func (e *epoch) key(path string) (key [32]byte, ok bool) {
	for l := range depth + 1 {
		if seed, found := e.nodes[path[:l]]; found {
			for i := l; i < depth; i++ {
				seed = child(seed, path[i])
			}
			return seed, true
		}
	}
	return key, false
}

// puncture replaces the node above the leaf by the brothers along the way.
func (e *epoch) puncture(path string) {
	for l := range depth + 1 {
		seed, found := e.nodes[path[:l]]
		if !found {
			continue
		}
		delete(e.nodes, path[:l])
		for i := l; i < depth; i++ {
			for _, d := range []byte(digits) {
				if d != path[i] {
					e.nodes[path[:i]+string(d)] = child(seed, d)
				}
			}
			seed = child(seed, path[i])
		}
		return
	}
}

// Seal appends plain to dst, sealed for the subject, as one frame.
func (r *Ring) Seal(dst []byte, subject string, plain []byte) []byte {
	r.mu.RLock()
	s, ok := r.cache[subject]
	r.mu.RUnlock()
	if !ok {
		s = r.sealer(subject)
	}
	dst = append(dst, mark)
	dst = binary.AppendUvarint(dst, uint64(headLen+nonceLen+len(plain)+tagLen))
	dst = append(dst, s.head[:]...)
	at := len(dst)
	dst = append(dst, make([]byte, nonceLen)...)
	_, _ = rand.Read(dst[at:])
	return newAEAD(s.key).Seal(dst, dst[at:at+nonceLen], plain, s.head[:])
}

func (r *Ring) sealer(subject string) sealer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.cache[subject]; ok {
		return s
	}
	e := r.epochs[len(r.epochs)-1]
	g, path, key, ok := r.live(e, subject)
	if !ok {
		panic("shred: a subject without a key: Destroy leaves the last one") // unless two subjects share all their leaves
	}
	s := sealer{key: key}
	binary.BigEndian.PutUint32(s.head[:4], e.n)
	binary.BigEndian.PutUint16(s.head[4:6], g)
	for i := range depth / 2 {
		s.head[6+i] = nibble(path[2*i])<<4 | nibble(path[2*i+1])
	}
	if len(r.cache) >= maxCached {
		clear(r.cache)
	}
	r.cache[strings.Clone(subject)] = s
	return s
}

func nibble(c byte) byte { return byte(strings.IndexByte(digits, c)) }

func newAEAD(key [32]byte) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the key is always 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead
}

// Framed reports whether data begins with a frame.
func (*Ring) Framed(data []byte) bool { return len(data) > 0 && data[0] == mark }

// Erased reports whether an error is ErrErased.
func (*Ring) Erased(err error) bool { return errors.Is(err, ErrErased) }

// Open reads the frame that data begins with and returns what follows it. It returns ErrErased, and the rest, if the key is destroyed; another
// error means that data is damaged, and rest is then nil unless the frame's end is known.
func (r *Ring) Open(data []byte) (plain, rest []byte, err error) {
	if !r.Framed(data) {
		return nil, nil, errors.New("no frame")
	}
	size, n := binary.Uvarint(data[1:])
	if n <= 0 || size < headLen+nonceLen+tagLen || size > maxFrame || size > uint64(len(data)-1-n) {
		return nil, nil, errors.New("a frame that is cut off")
	}
	body := data[1+n : 1+n+int(size)]
	rest = data[1+n+int(size):]
	head := body[:headLen]
	aead, err := r.opener([headLen]byte(head))
	if err != nil {
		return nil, rest, err
	}
	plain, err = aead.Open(nil, body[headLen:headLen+nonceLen], body[headLen+nonceLen:], head)
	if err != nil {
		return nil, rest, errors.New("a frame that was changed")
	}
	return plain, rest, nil
}

// opener returns the cipher of a frame, or ErrErased. An epoch younger than all known ones is another process's: it is read first.
func (r *Ring) opener(head [headLen]byte) (cipher.AEAD, error) {
	r.mu.RLock()
	key, ok := r.opened[head]
	r.mu.RUnlock()
	if ok {
		return newAEAD(key), nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n := binary.BigEndian.Uint32(head[:])
	unknown := func() bool { return len(r.epochs) == 0 || n > r.epochs[len(r.epochs)-1].n }
	if unknown() && r.reload != nil {
		nodes, err := r.reload()
		if err != nil {
			return nil, err
		}
		r.take(nodes)
	}
	if unknown() {
		return nil, fmt.Errorf("epoch %d is not known here", n)
	}
	e := r.epoch(n)
	if e == nil {
		return nil, ErrErased // forgotten as a whole
	}
	key, ok = e.key(fmt.Sprintf("%x", head[6:]))
	if !ok {
		return nil, ErrErased
	}
	if len(r.opened) >= maxCached {
		clear(r.opened)
	}
	r.opened[head] = key
	return newAEAD(key), nil
}
