package person

import (
	"context"
	"crypto/md5" //nolint:gosec // to recognise what others have hashed, not to protect anything
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// Advertising platforms and warehouses send addresses as the hash of their normal form. Such a hash is another spelling of the address: the two are
// one identifier, whichever came first. A hash that was salted or keyed is the spelling of nothing and only ever equals itself.

// algorithm is a way of hashing that is recognised, by the name it has in context.externalIds[].encoding.
type algorithm struct {
	name string
	size int // hexadecimal digits
	sum  func(string) string
}

var algorithms = []algorithm{
	{"sha256", 2 * sha256.Size, func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }},
	{"md5", 2 * md5.Size, func(s string) string { h := md5.Sum([]byte(s)); return hex.EncodeToString(h[:]) }}, //nolint:gosec // see above
}

// blockedHashes are the hashes of nothing, and of the values that clients send when they have none.
var blockedHashes = func() map[string]bool {
	out := map[string]bool{}
	for _, a := range algorithms {
		out[a.sum("")] = true
		for v := range blockedValues {
			out[a.sum(v)] = true
		}
	}
	return out
}()

// addressed reports whether values of the form are addresses, which may come hashed.
func (f Normaliser) addressed() bool { return f == Mail || f == Dial }

// spelling reads a value as a hash: "sha256:" and hexadecimal digits, or as many digits alone as the algorithm gives. encoding names the
// algorithm if the sender did.
func spelling(value, encoding string) (string, bool) {
	name, digits, named := strings.Cut(strings.ToLower(value), ":")
	if !named {
		name, digits = strings.ToLower(encoding), name
	}
	for _, a := range algorithms {
		if len(digits) != a.size || name != "" && name != a.name {
			continue
		}
		if _, err := hex.DecodeString(digits); err != nil || blocked(digits) || blockedHashes[digits] {
			return "", false
		}
		return a.name + ":" + digits, true
	}
	return "", false
}

// Hashed reports whether the value of an identifier is the hash of an address, which nobody can be reached at.
func Hashed(value string) bool {
	_, ok := spelling(value, "")
	return ok
}

// spellings returns the hashes that an address in normal form may come as: of the address and, of a telephone number, also without the plus
// sign, as some platforms ask for it.
func (k *kinds) spellings(id event.Identifier) []event.Identifier {
	i, ok := k.rank[id.Kind]
	if !ok || !k.list[i].Form.addressed() || Hashed(id.Value) {
		return nil
	}
	texts := []string{id.Value}
	if bare, ok := strings.CutPrefix(id.Value, "+"); ok && k.list[i].Form == Dial {
		texts = append(texts, bare)
	}
	var out []event.Identifier
	for _, t := range texts {
		for _, a := range algorithms {
			out = append(out, event.Identifier{Kind: id.Kind, Value: a.name + ":" + a.sum(t)})
		}
	}
	return out
}

// AllSpellings returns the identifiers and the hashes that those among them which are addresses may come as.
func (s *Service) AllSpellings(ctx context.Context, ws string, ids []event.Identifier) ([]event.Identifier, error) {
	kinds, err := s.kindsOf(ctx, ws)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(ids)
	for _, id := range ids {
		out = append(out, kinds.spellings(id)...)
	}
	return out, nil
}

// Spelling says that a hash is another way to write an address.
type Spelling struct {
	Hash event.Identifier
	Of   string // the address in normal form
}

// one returns the identifier that stands for all spellings of the same thing.
func (g *graph) one(id event.Identifier) event.Identifier {
	if of, ok := g.plain[id]; ok {
		return of
	}
	return id
}

// spell finds out which of the identifiers are spellings of each other or of what is stored. Hashes known to be of an address stand for it from
// here on. Where an address turns up whose hash was there before, the hash's node takes its name; if that is more than one node,
// a task is left to work their history out as that of one. The first hash of a workspace only makes it begin to keep spellings.
func (l *loader) spell(ctx context.Context, ids []event.Identifier) error {
	if l.replay {
		return nil // a replay is told
	}
	if !l.askedHashing {
		var err error
		if l.hashing, err = l.store.Hashing(ctx, l.ws); err != nil {
			return err
		}
		l.askedHashing = true
	}
	if !l.hashing {
		l.beginHashing = l.beginHashing || slices.ContainsFunc(ids, func(id event.Identifier) bool { return Hashed(id.Value) && l.kinds.addressed(id.Kind) })
		return nil
	}
	var hashes, candidates []event.Identifier
	of := map[event.Identifier]event.Identifier{} // hash -> address among ids
	for _, id := range ids {
		if Hashed(id.Value) && l.kinds.addressed(id.Kind) {
			hashes = append(hashes, id)
		}
		for _, h := range l.kinds.spellings(id) {
			of[h] = id
			candidates = append(candidates, h)
		}
	}
	if len(hashes)+len(candidates) == 0 {
		return nil
	}
	known, err := l.store.Spellings(ctx, l.ws, hashes)
	if err != nil {
		return err
	}
	for _, s := range known {
		l.plain[s.Hash] = event.Identifier{Kind: s.Hash.Kind, Value: s.Of}
	}
	if len(candidates) == 0 {
		return nil
	}
	addresses := make([]event.Identifier, 0, len(ids))
	for _, id := range of {
		addresses = append(addresses, id)
	}
	rows, err := l.store.Links(ctx, l.ws, append(slices.Clone(candidates), addresses...))
	if err != nil {
		return err
	}
	stored := map[event.Identifier]bool{}
	found := map[event.Identifier][]Link{} // address -> rows of its hashes
	for _, r := range rows {
		if address, ok := of[r.Identifier]; ok {
			found[address] = append(found[address], r)
		} else {
			stored[r.Identifier] = true
		}
	}
	for h, address := range of {
		l.plain[h] = address
	}
	for address, rows := range found {
		if len(rows) == 1 && !stored[address] {
			l.renamed[address] = rows[0].Identifier
			continue
		}
		seeds := []event.Identifier{address}
		for _, r := range rows {
			seeds = append(seeds, r.Identifier)
		}
		l.tasks = append(l.tasks, seeds)
	}
	return nil
}

func (k *kinds) addressed(kind string) bool {
	i, ok := k.rank[kind]
	return ok && k.list[i].Form.addressed()
}

// written returns every spelling under which something about the identifiers may be stored.
func (g *graph) written(ids []event.Identifier) []event.Identifier {
	if len(g.plain) == 0 && !g.hashing {
		return ids
	}
	out := slices.Clone(ids)
	for _, id := range ids {
		of := g.one(id)
		if of != id {
			out = append(out, of)
		}
		out = append(out, g.kinds.spellings(of)...)
	}
	return out
}

// hashBatch is how many identifiers are looked at in one transaction while spellings are gathered for the first time.
const hashBatch = 2000

// HashBuild is how far a workspace has got with gathering the spellings of what it knew when its first hash came.
type HashBuild struct {
	Workspace string
	After     event.Identifier // the last one that was looked at; empty: begin
}

// gather takes a step in gathering spellings and reports whether there is more to do. What turns out to be the hash of something known is left
// to a task.
func (s *Service) gather(ctx context.Context) (more bool, err error) {
	builds, err := s.Store.HashBuilds(ctx, 1)
	if err != nil || len(builds) == 0 {
		return false, err
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	return true, s.Tx.InTx(ctx, func(ctx context.Context) error {
		ws := builds[0].Workspace
		if err := s.Store.Lock(ctx, ws); err != nil {
			return err
		}
		rows, err := s.Store.LinksAfter(ctx, ws, builds[0].After, hashBatch)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return s.Store.SetHashBuild(ctx, builds[0], true)
		}
		k, err := s.kindsOf(ctx, ws)
		if err != nil {
			return err
		}
		var spellings []Spelling
		var hashes []event.Identifier
		of := map[event.Identifier]event.Identifier{}
		for i := range rows {
			for _, h := range k.spellings(rows[i].Identifier) {
				spellings = append(spellings, Spelling{Hash: h, Of: rows[i].Value})
				hashes = append(hashes, h)
				of[h] = rows[i].Identifier
			}
		}
		if err := s.Store.AddSpellings(ctx, ws, spellings); err != nil {
			return err
		}
		met, err := s.Store.Links(ctx, ws, hashes)
		if err != nil {
			return err
		}
		for i := range met {
			if err := s.addTask(ctx, ws, []event.Identifier{of[met[i].Identifier], met[i].Identifier}); err != nil {
				return err
			}
		}
		last := HashBuild{Workspace: ws, After: rows[len(rows)-1].Identifier}
		return s.Store.SetHashBuild(ctx, last, len(rows) < hashBatch)
	})
}
