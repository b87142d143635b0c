package person

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// SchemeRow is the scheme that a workspace has chosen, as it is stored.
type SchemeRow struct {
	Version int64  // 1 for the first; 0: none was chosen
	Kinds   string // JSON
	Changed int64
	By      string // who chose it
}

// chosen is a stored scheme made ready.
type chosen struct {
	version int64
	kinds   *kinds
}

// kindsOf returns the identifier kinds of a workspace. What was read is kept as long as the stored version is the same.
func (s *Service) kindsOf(ctx context.Context, ws string) (*kinds, error) {
	version, err := s.Store.SchemeVersion(ctx, ws)
	if err != nil || version == 0 {
		return s.kinds, err
	}
	if c, ok := s.known.Load(ws); ok && c.(*chosen).version == version {
		return c.(*chosen).kinds, nil
	}
	row, err := s.Store.Scheme(ctx, ws)
	if err != nil {
		return nil, err
	}
	var scheme Scheme
	if err := json.Unmarshal([]byte(row.Kinds), &scheme.Kinds); err != nil {
		return nil, fmt.Errorf("stored identifier scheme: %w", err)
	}
	k := newKinds(scheme)
	s.known.Store(ws, &chosen{row.Version, k})
	return k, nil
}

// SchemeOf returns the scheme of a workspace and how it came to be; of one that has chosen none it is the default, version 0.
func (s *Service) SchemeOf(ctx context.Context, ws string) (Scheme, SchemeRow, error) {
	row, err := s.Store.Scheme(ctx, ws)
	if err != nil {
		return Scheme{}, row, err
	}
	k, err := s.kindsOf(ctx, ws)
	if err != nil {
		return Scheme{}, row, err
	}
	return Scheme{Kinds: slices.Clone(k.list)}, row, nil
}

// CheckScheme reports what is wrong with a scheme that is to follow the one of today. What a kind names and how it is written cannot change, since
// its values are stored that way, and a kind of which somebody has a value cannot go: it can be made one that only binds.
func (s *Service) CheckScheme(ctx context.Context, ws string, next Scheme) error {
	if err := next.Validate(); err != nil {
		return err
	}
	k, err := s.kindsOf(ctx, ws)
	if err != nil {
		return err
	}
	for _, old := range k.list {
		i := slices.IndexFunc(next.Kinds, func(n Kind) bool { return n.Name == old.Name })
		if i < 0 {
			held, err := s.Store.LinksAfter(ctx, ws, event.Identifier{Kind: old.Name}, 1)
			if err != nil {
				return err
			}
			if len(held) > 0 && held[0].Kind == old.Name {
				return errs.Invalid("identity.kind.held", "kinds", "people have identifiers of the kind %s, so it cannot go; let it only bind instead", old.Name)
			}
			continue
		}
		if n := next.Kinds[i]; n.Form != old.Form || n.Strength != old.Strength {
			return errs.Invalid("identity.kind.fixed", fmt.Sprintf("kinds[%d]", i), "how values of %s are written and what they name cannot change; declare another kind", old.Name)
		}
	}
	return nil
}

// SetScheme makes a scheme that of the workspace from now on; version is that of the scheme it follows. Who everybody is by it has to be worked out
// afterwards, see QueueScheme.
func (s *Service) SetScheme(ctx context.Context, ws string, next Scheme, version int64, by string) (SchemeRow, error) {
	if err := s.CheckScheme(ctx, ws, next); err != nil {
		return SchemeRow{}, err
	}
	raw, err := json.Marshal(next.Kinds)
	if err != nil {
		return SchemeRow{}, fmt.Errorf("encode scheme: %w", err)
	}
	row := SchemeRow{Version: version + 1, Kinds: string(raw), Changed: s.Clock.Now().UnixMicro(), By: by}
	return row, s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.Lock(ctx, ws); err != nil {
			return err
		}
		now, err := s.Store.SchemeVersion(ctx, ws)
		if err != nil {
			return err
		}
		if now != version {
			return errs.Conflict("identity.scheme.changed", "somebody else has changed the kinds of identifiers meanwhile; load them again")
		}
		return s.Store.SaveScheme(ctx, ws, row)
	})
}

// QueueScheme leaves everybody who holds one of the next identifiers after one to be worked out again, at most limit identifiers, and returns the last of
// them. It joins the caller's transaction.
func (s *Service) QueueScheme(ctx context.Context, ws string, after event.Identifier, limit int) (last event.Identifier, people int64, done bool, err error) {
	links, err := s.Store.LinksAfter(ctx, ws, after, limit)
	if err != nil || len(links) == 0 {
		return after, 0, true, err
	}
	least, err := s.leastOf(ctx, ws, links)
	if err != nil {
		return after, 0, false, err
	}
	for _, l := range links {
		if l.Person == 0 || least[l.Person] != l.Identifier {
			continue
		}
		if err := s.addTask(ctx, ws, []event.Identifier{l.Identifier}); err != nil {
			return after, 0, false, err
		}
		people++
	}
	return links[len(links)-1].Identifier, people, len(links) < limit, nil
}

// leastOf returns the first identifier, in the order of LinksAfter, of each owner of the links.
func (s *Service) leastOf(ctx context.Context, ws string, links []Link) (map[uint64]event.Identifier, error) {
	var owners []uint64
	for _, l := range links {
		if l.Person != 0 {
			owners = append(owners, l.Person)
		}
	}
	slices.Sort(owners)
	all, err := s.Store.LinksOf(ctx, ws, slices.Compact(owners))
	if err != nil {
		return nil, err
	}
	least := map[uint64]event.Identifier{}
	for _, l := range all {
		if had, ok := least[l.Person]; !ok || before(l.Identifier, had) {
			least[l.Person] = l.Identifier
		}
	}
	return least, nil
}

func before(a, b event.Identifier) bool {
	return a.Kind < b.Kind || a.Kind == b.Kind && a.Value < b.Value
}

// Waiting returns how much of the work that QueueScheme leaves is not done yet, at most a few hundred.
func (s *Service) Waiting(ctx context.Context, ws string) (int, error) {
	tasks, err := s.Store.Tasks(ctx, maxTasks)
	n := 0
	for _, t := range tasks {
		if t.Workspace == ws {
			n++
		}
	}
	return n, err
}
