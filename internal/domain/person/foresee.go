package person

import (
	"context"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// Former returns what brings identifiers of a workspace into their normal form, or says that a value can name nobody. It reads the workspace's settings once, so
// it is for many values at a time.
func (s *Service) Former(ctx context.Context, ws string) (func(event.Identifier) (event.Identifier, bool), error) {
	k, err := s.kindsOf(ctx, ws)
	if err != nil {
		return nil, err
	}
	region, err := s.region(ctx, ws)
	if err != nil {
		return nil, err
	}
	return func(id event.Identifier) (event.Identifier, bool) {
		i, ok := k.byName[id.Kind]
		if !ok {
			return id, false
		}
		v, ok := normalise(k.list[i].Form, id.Value, region)
		return event.Identifier{Kind: k.list[i].Name, Value: v}, ok
	}, nil
}

// Kinds returns the kinds of identifiers of a workspace, in the order of priority.
func (s *Service) Kinds(ctx context.Context, ws string) ([]Kind, error) {
	k, err := s.kindsOf(ctx, ws)
	if err != nil {
		return nil, err
	}
	return k.list, nil
}

// Owner is who holds an identifier.
type Owner struct {
	Num    uint64
	ID     string
	UserID string // empty: not identified
}

// Owners returns who holds the identifiers now, which must be in normal form; those that nobody holds, or that link nothing any more, are left out.
func (s *Service) Owners(ctx context.Context, ws string, ids []event.Identifier) (map[event.Identifier]Owner, error) {
	links, err := s.Store.Links(ctx, ws, ids)
	if err != nil {
		return nil, err
	}
	nums := make([]uint64, 0, len(links))
	for _, l := range links {
		if l.Person != 0 && l.Shared == 0 {
			nums = append(nums, l.Person)
		}
	}
	found, err := s.Store.People(ctx, ws, nums)
	if err != nil {
		return nil, err
	}
	owners := make(map[uint64]Owner, len(found))
	for _, r := range found {
		owners[r.Num] = Owner{Num: r.Num, ID: r.ID, UserID: r.UserID}
	}
	out := make(map[event.Identifier]Owner, len(links))
	for _, l := range links {
		if o, ok := owners[l.Person]; ok && l.Shared == 0 {
			out[l.Identifier] = o
		}
	}
	return out, nil
}
