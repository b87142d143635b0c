package privacy

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// list is the refusals in memory, by workspace and hash, and the rules by workspace.
type list struct {
	version int64
	of      map[string]map[string]bool
	rules   map[string]Rules
}

// refusals is the list that intake asks. Its zero value refuses nothing.
type refusals struct {
	now     atomic.Pointer[list]
	reading sync.Mutex
}

// Any reports whether the workspace refuses anybody at all; while it does not, intake has nothing to look at.
func (s *Service) Any(ws string) bool {
	l := s.refused.now.Load()
	return l != nil && len(l.of[ws]) > 0
}

// Refuses reports whether intake must not take an event with these identifiers. Those that name a person decide alone, if there are any: a device
// that two people use must not silence the other one.
func (s *Service) Refuses(ws string, ids []event.Identifier) bool {
	l := s.refused.now.Load()
	if l == nil || len(l.of[ws]) == 0 || len(ids) == 0 {
		return false
	}
	strong := slices.ContainsFunc(ids, func(id event.Identifier) bool { return s.c.Strong(ws, id.Kind) })
	return slices.ContainsFunc(ids, func(id event.Identifier) bool {
		return s.c.Strong(ws, id.Kind) == strong && l.of[ws][s.hash(ws, id)]
	})
}

// hash is the keyed hash of an identifier.
func (s *Service) hash(ws string, id event.Identifier) string {
	return base64.RawURLEncoding.EncodeToString(s.c.Box.Hash("privacy", ws+"\x00"+id.String())[:18])
}

func (s *Service) proofs(ws string, ids []event.Identifier) []Proof {
	out := make([]Proof, len(ids))
	for i, id := range ids {
		out[i] = Proof{Kind: id.Kind, Hash: s.hash(ws, id)}
	}
	return out
}

// RefuseIdentifiers keeps identifiers out, once it is committed and Refresh was called, without erasing anything. Doing it again changes nothing.
func (s *Service) RefuseIdentifiers(ctx context.Context, ws string, ids []event.Identifier) error {
	if len(ids) == 0 {
		return errs.Invalid("privacy.identifiers.missing", "identifiers", "name at least one identifier to refuse")
	}
	for i, id := range ids {
		if _, err := s.c.Normalise(ctx, ws, id); err != nil {
			if e := errs.All(err); len(e) > 0 {
				e[0].Field = fmt.Sprintf("identifiers[%d]", i)
			}
			return err
		}
	}
	clean, err := s.clean(ctx, ws, ids)
	if err != nil {
		return err
	}
	var rs []Refusal
	for _, p := range s.proofs(ws, clean) {
		rs = append(rs, Refusal{Hash: p.Hash, Kind: p.Kind, CreatedAt: s.c.Clock.Now()})
	}
	return s.c.Store.PutRefusals(ctx, ws, rs)
}

// Admit takes identifiers again. One that is not refused is errs.NotFound.
func (s *Service) Admit(ctx context.Context, ws string, id event.Identifier) error {
	clean, err := s.clean(ctx, ws, []event.Identifier{id})
	if err != nil {
		return err
	}
	hashes := make([]string, len(clean))
	for i, c := range clean {
		hashes[i] = s.hash(ws, c)
	}
	return s.admit(ctx, ws, id.Kind, hashes)
}

// AdmitHash takes one identifier again, for somebody who has the hash from the list.
func (s *Service) AdmitHash(ctx context.Context, ws, hash string) error {
	return s.admit(ctx, ws, hash, []string{hash})
}

func (s *Service) admit(ctx context.Context, ws, name string, hashes []string) error {
	n, err := s.c.Store.DropRefusals(ctx, ws, hashes, false)
	if err == nil && n == 0 {
		err = errs.NotFound("refusal", name)
	}
	return err
}

// clean returns the identifiers in normal form with the other forms they may come in.
func (s *Service) clean(ctx context.Context, ws string, ids []event.Identifier) ([]event.Identifier, error) {
	out := make([]event.Identifier, len(ids))
	for i, id := range ids {
		var err error
		if out[i], err = s.c.Normalise(ctx, ws, id); err != nil {
			return nil, err
		}
	}
	return s.c.Spellings(ctx, ws, out)
}

// Refusals lists what is refused, latest first. The list cannot be searched by parts of identifiers, since it holds none.
func (s *Service) Refusals(ctx context.Context, ws string, p page.Request) (page.Of[Refusal], error) {
	return s.c.Store.Refusals(ctx, ws, p)
}

// Answer is what is known about an identifier.
type Answer struct {
	Refused  bool
	Erasures []Request // that reached it, latest first
}

// Check tells what is known about an identifier: whether it is refused, and which erasures reached it.
func (s *Service) Check(ctx context.Context, ws string, id event.Identifier) (Answer, error) {
	norm, err := s.c.Normalise(ctx, ws, id)
	if err != nil {
		return Answer{}, err
	}
	found, err := s.c.Store.List(ctx, ws, s.hash(ws, norm), page.Request{Limit: page.MaxLimit})
	if err != nil {
		return Answer{}, err
	}
	if err := s.Refresh(ctx); err != nil {
		return Answer{}, err
	}
	l := s.refused.now.Load()
	return Answer{Refused: l.of[ws][s.hash(ws, norm)], Erasures: found.Items}, nil
}

// Refresh reads refusals and rules if they have changed. Who changes them calls it once the change is committed; every process does so every two seconds.
func (s *Service) Refresh(ctx context.Context) error {
	s.refused.reading.Lock()
	defer s.refused.reading.Unlock() // or a slower reader would put back what it read before
	v, err := s.c.Store.Version(ctx)
	if err != nil {
		return err
	}
	if l := s.refused.now.Load(); l != nil && l.version == v {
		return nil
	}
	all, err := s.c.Store.AllRefusals(ctx)
	if err != nil {
		return err
	}
	rules, err := s.c.Store.AllRules(ctx)
	if err != nil {
		return err
	}
	l := &list{version: v, rules: rules, of: map[string]map[string]bool{}}
	for ws, hashes := range all {
		l.of[ws] = make(map[string]bool, len(hashes))
		for _, h := range hashes {
			l.of[ws][h] = true
		}
	}
	s.refused.now.Store(l)
	return nil
}
