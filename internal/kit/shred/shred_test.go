package shred_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/shred"
)

// disk is a keeper in memory.
type disk map[string]shred.Node

func (d disk) keep(c shred.Change) error {
	for _, n := range c.Gone {
		delete(d, fmt.Sprint(n.Epoch, "/", n.Path))
	}
	for _, n := range c.New {
		d[fmt.Sprint(n.Epoch, "/", n.Path)] = n
	}
	return nil
}

func (d disk) nodes() (all []shred.Node, err error) {
	for _, n := range d {
		all = append(all, n)
	}
	return all, nil
}

func (d disk) ring() *shred.Ring {
	nodes, _ := d.nodes() // never fails
	return shred.New([]byte("salt"), nodes, d.nodes)
}

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func newRing(t testing.TB, d disk) *shred.Ring {
	t.Helper()
	r := d.ring()
	if err := r.Rotate(start, time.Hour, time.Hour, d.keep); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatWasSealedOpensAlsoAfterARestart(t *testing.T) {
	d := disk{}
	r := newRing(t, d)
	data := r.Seal(nil, "ada", []byte("one"))
	data = r.Seal(data, "bob", []byte("two"))
	if bytes.Contains(data, []byte("one")) {
		t.Fatal("sealed text is readable")
	}
	for name, r := range map[string]*shred.Ring{"same": r, "restarted": d.ring()} {
		a, rest, err := r.Open(data)
		if err != nil || string(a) != "one" {
			t.Fatalf("%s: %q, %v", name, a, err)
		}
		b, rest, err := r.Open(rest)
		if err != nil || string(b) != "two" || len(rest) != 0 {
			t.Fatalf("%s: %q, %d left, %v", name, b, len(rest), err)
		}
	}
}

func TestADestroyedSubjectCannotBeReadAndAllOthersCan(t *testing.T) {
	d := disk{}
	r := newRing(t, d)
	names := make([]string, 500)
	sealed := map[string][]byte{}
	for i := range names {
		names[i] = fmt.Sprint("person ", i)
		sealed[names[i]] = r.Seal(nil, names[i], []byte(names[i]))
	}
	gone := map[string]bool{}
	for i := 0; i < len(names); i += 7 {
		gone[names[i]] = true
		if n, err := r.Destroy([]string{names[i], names[i]}, d.keep); n != 1 || err != nil {
			t.Fatalf("destroyed %d keys, %v", n, err)
		}
	}
	for _, r := range []*shred.Ring{r, d.ring()} {
		for _, name := range names {
			plain, _, err := r.Open(sealed[name])
			switch {
			case gone[name] && !errors.Is(err, shred.ErrErased):
				t.Fatalf("%s is still readable: %q, %v", name, plain, err)
			case !gone[name] && (err != nil || string(plain) != name):
				t.Fatalf("%s was lost with another: %v", name, err)
			}
		}
	}
}

func TestADestroyedSubjectMayComeBack(t *testing.T) {
	d := disk{}
	r := newRing(t, d)
	before := r.Seal(nil, "ada", []byte("before"))
	for range 3 {
		// One each time: who dies before it is noted how many there were finds as many again.
		if n, err := r.Destroy([]string{"ada"}, d.keep); n != 1 || err != nil {
			t.Fatalf("destroyed %d keys, %v", n, err)
		}
		after := r.Seal(nil, "ada", []byte("after"))
		if plain, _, err := d.ring().Open(after); err != nil || string(plain) != "after" {
			t.Fatalf("what came after the erasure: %q, %v", plain, err)
		}
		if _, _, err := r.Open(before); !errors.Is(err, shred.ErrErased) {
			t.Fatalf("what came before: %v", err)
		}
		before = after
	}
}

func TestDestructionReachesEveryEpochAndOldEpochsAreForgotten(t *testing.T) {
	d := disk{}
	r := newRing(t, d)
	first := r.Seal(nil, "ada", []byte("x"))
	other := r.Seal(nil, "bob", []byte("y"))
	if err := r.Rotate(start.Add(2*time.Hour), time.Hour, 3*time.Hour, d.keep); err != nil {
		t.Fatal(err)
	}
	second := r.Seal(nil, "ada", []byte("x"))
	if n, err := r.Destroy([]string{"ada"}, d.keep); n != 2 || err != nil {
		t.Fatalf("destroyed %d keys, %v", n, err)
	}
	for _, frame := range [][]byte{first, second} {
		if _, _, err := r.Open(frame); !errors.Is(err, shred.ErrErased) {
			t.Fatalf("still readable: %v", err)
		}
	}
	if _, _, err := r.Open(other); err != nil {
		t.Fatalf("another subject of the old epoch: %v", err)
	}
	if err := r.Rotate(start.Add(6*time.Hour), 100*time.Hour, 3*time.Hour, d.keep); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.ring().Open(other); !errors.Is(err, shred.ErrErased) {
		t.Fatalf("a forgotten epoch is still readable: %v", err)
	}
	for _, n := range d {
		if n.Epoch != 2 {
			t.Fatalf("a node of epoch %d is kept", n.Epoch)
		}
	}
}

func TestAProcessReadsWhatAnotherSealsInItsNewEpoch(t *testing.T) {
	d := disk{}
	a := newRing(t, d)
	b := d.ring()
	if err := a.Rotate(start.Add(2*time.Hour), time.Hour, 100*time.Hour, d.keep); err != nil {
		t.Fatal(err)
	}
	frame := a.Seal(nil, "ada", []byte("x"))
	if plain, _, err := b.Open(frame); err != nil || string(plain) != "x" {
		t.Fatalf("%q, %v", plain, err)
	}
	alone := shred.New([]byte("salt"), nil, nil)
	if _, _, err := alone.Open(frame); err == nil || errors.Is(err, shred.ErrErased) {
		t.Fatalf("an epoch that nobody knows passes for erased: %v", err)
	}
	if _, err := a.Destroy([]string{"ada"}, d.keep); err != nil {
		t.Fatal(err)
	}
	if err := b.Refresh(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Open(frame); !errors.Is(err, shred.ErrErased) {
		t.Fatalf("the other process still reads: %v", err)
	}
}

func TestAKeeperThatFailsChangesNothing(t *testing.T) {
	d := disk{}
	r := newRing(t, d)
	frame := r.Seal(nil, "ada", []byte("x"))
	full := errors.New("disk full")
	if _, err := r.Destroy([]string{"ada"}, func(shred.Change) error { return full }); !errors.Is(err, full) {
		t.Fatal(err)
	}
	if _, _, err := r.Open(frame); err != nil {
		t.Fatalf("lost although the change was not kept: %v", err)
	}
}

func TestDamageIsToldFromErasure(t *testing.T) {
	r := newRing(t, disk{})
	frame := r.Seal(nil, "ada", []byte("some text"))
	for i := range frame {
		bad := bytes.Clone(frame)
		bad[i] ^= 0x40
		if plain, _, err := r.Open(bad); err == nil {
			t.Fatalf("byte %d changed and it opened: %q", i, plain)
		}
	}
	for n := range frame {
		if _, _, err := r.Open(frame[:n]); err == nil || errors.Is(err, shred.ErrErased) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	r := newRing(f, disk{})
	f.Add(r.Seal(nil, "ada", []byte("x")))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, rest, _ := r.Open(data)
		if len(rest) >= len(data) && len(data) > 0 {
			t.Fatal("no progress")
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	plain := bytes.Repeat([]byte("x"), 300)
	for name, people := range map[string]int{"known subject": 1, "new subjects": 1 << 40} {
		b.Run(name, func(b *testing.B) {
			r := newRing(b, disk{})
			var buf []byte
			i := 0
			for b.Loop() {
				buf = r.Seal(buf[:0], fmt.Sprint("person ", i%people), plain)
				i++
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	r := newRing(b, disk{})
	frame := r.Seal(nil, "ada", bytes.Repeat([]byte("x"), 300))
	for b.Loop() {
		if _, _, err := r.Open(frame); err != nil {
			b.Fatal(err)
		}
	}
}

// Who is erased again and again runs out of keys one day: that is said in time, nothing is lost, and the next epoch begins anew.
func TestTheLastKeyOfASubjectIsNotDestroyed(t *testing.T) {
	d := disk{}
	r := newRing(t, d)
	r.Limit(3)
	for i := range 2 {
		if n, err := r.Destroy([]string{"ada"}, d.keep); n != 1 || err != nil {
			t.Fatalf("destruction %d: %d, %v", i+1, n, err)
		}
	}
	last := r.Seal(nil, "ada", []byte("last"))
	bob := r.Seal(nil, "bob", []byte("bob"))
	if n, err := r.Destroy([]string{"ada", "bob"}, d.keep); n != 0 || !errors.Is(err, shred.ErrSpent) {
		t.Fatalf("the last key: %d, %v", n, err)
	}
	for text, data := range map[string][]byte{"last": last, "bob": bob, "more": r.Seal(nil, "ada", []byte("more"))} {
		if got, _, err := r.Open(data); err != nil || string(got) != text {
			t.Errorf("%q opens as %q, %v", text, got, err)
		}
	}
	if err := r.Rotate(start.Add(2*time.Hour), time.Hour, 24*time.Hour, d.keep); err != nil {
		t.Fatal(err)
	}
	if n, err := r.Destroy([]string{"ada"}, d.keep); n != 2 || err != nil {
		t.Errorf("in the next epoch: %d, %v", n, err)
	}
	if _, _, err := r.Open(last); !errors.Is(err, shred.ErrErased) {
		t.Errorf("what was sealed under the last key: %v", err)
	}
	if got, _, err := r.Open(r.Seal(nil, "ada", []byte("new"))); err != nil || string(got) != "new" {
		t.Errorf("afterwards: %q, %v", got, err)
	}
}
