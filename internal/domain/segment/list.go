package segment

import (
	"context"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// listBatch is how many rows of an upload are looked up and written at once.
const listBatch = 500

// CreateList makes an empty list. Errors: invalid name, name taken.
func (s *Service) CreateList(ctx context.Context, ws, name, description string) (List, error) {
	name, description, err := checkTexts("list", name, description)
	if err != nil {
		return List{}, err
	}
	now := s.c.Clock.Now()
	l := List{ID: id.New("lst"), Name: name, Description: description, CreatedAt: now, UpdatedAt: now}
	err = s.change(ctx, ws, func(w *workspace, v *view) (*view, error) {
		err := s.commit(ctx, w, v, func(ctx context.Context) error { return s.c.Store.CreateList(ctx, ws, l) })
		if err != nil {
			return nil, err
		}
		return v.withList(l, false), nil
	})
	if err != nil {
		return List{}, err
	}
	return l, nil
}

// UpdateList renames a list; nil leaves a text as it is.
func (s *Service) UpdateList(ctx context.Context, ws, id string, name, description *string) (List, error) {
	var l List
	err := s.change(ctx, ws, func(w *workspace, v *view) (*view, error) {
		var err error
		if l, err = s.c.Store.List(ctx, ws, id); err != nil {
			return nil, err
		}
		if name != nil {
			l.Name = *name
		}
		if description != nil {
			l.Description = *description
		}
		if l.Name, l.Description, err = checkTexts("list", l.Name, l.Description); err != nil {
			return nil, err
		}
		l.UpdatedAt = s.c.Clock.Now()
		err = s.commit(ctx, w, v, func(ctx context.Context) error { return s.c.Store.UpdateList(ctx, ws, l) })
		if err != nil {
			return nil, err
		}
		return v.withList(l, false), nil
	})
	if err != nil {
		return List{}, err
	}
	return l, nil
}

// DeleteList removes a list. A conflict names what still needs it: active segments, and campaigns, journeys, personas and so on that have not ended.
func (s *Service) DeleteList(ctx context.Context, ws, id string) error {
	return s.change(ctx, ws, func(w *workspace, v *view) (*view, error) {
		users, err := s.needing(ctx, ws, v, id)
		if err != nil {
			return nil, err
		}
		if len(users) > 0 {
			return nil, errs.Conflict("list.in_use", "this list is still used by %s. Take it out there, or end or archive them first", strings.Join(users, ", "))
		}
		err = s.commit(ctx, w, v, func(ctx context.Context) error { return s.c.Store.DeleteList(ctx, ws, id) })
		if err != nil {
			return nil, err
		}
		return v.withList(List{ID: id}, true), nil
	})
}

// needing returns the names of what would go wrong without the set: active segments, then what else is in use.
func (s *Service) needing(ctx context.Context, ws string, v *view, set string) ([]string, error) {
	names := v.users(set)
	others, err := s.c.Store.SetUsers(ctx, ws, set)
	for _, u := range others {
		if u.Needs {
			names = append(names, u.Name)
		}
	}
	return names, err
}

// GetList returns a list, or not found.
func (s *Service) GetList(ctx context.Context, ws, id string) (List, error) {
	return s.c.Store.List(ctx, ws, id)
}

// Lists lists lists, newest first.
func (s *Service) Lists(ctx context.Context, ws string, f Filter, p page.Request) (page.Of[List], error) {
	return s.c.Store.Lists(ctx, ws, f, p)
}

// AddToList makes people members and says for each row what came of it: Added, Already or Unknown. Segments that name the list
// follow at once, with cause ByManual. Large uploads are written in parts; repeating one that broke off is harmless.
func (s *Service) AddToList(ctx context.Context, ws, id string, entries []Entry) ([]Row, error) {
	return s.upload(ctx, ws, id, entries, func(member bool) (Outcome, bool) {
		if member {
			return Already, false
		}
		return Added, true
	}, func(d *delta, nums *roaring64.Bitmap) { d.add.Or(nums) })
}

// RemoveFromList ends memberships: Removed, Absent or Unknown for each row.
func (s *Service) RemoveFromList(ctx context.Context, ws, id string, entries []Entry) ([]Row, error) {
	return s.upload(ctx, ws, id, entries, func(member bool) (Outcome, bool) {
		if member {
			return Removed, true
		}
		return Absent, false
	}, func(d *delta, nums *roaring64.Bitmap) { d.remove.Or(nums) })
}

func (s *Service) upload(ctx context.Context, ws, id string, entries []Entry, decide func(member bool) (Outcome, bool), record func(*delta, *roaring64.Bitmap)) ([]Row, error) {
	if _, err := s.c.Store.List(ctx, ws, id); err != nil {
		return nil, err
	}
	rows := make([]Row, 0, len(entries))
	for batch := range slices.Chunk(entries, listBatch) {
		var part []Row
		err := s.change(ctx, ws, func(w *workspace, v *view) (*view, error) {
			list := v.sets[id]
			if list == nil || !list.List {
				return nil, errs.NotFound("list", id)
			}
			// The lock is held while people are looked up, so that no merge is carried out between finding somebody and
			// writing them down.
			nums, found, err := s.find(ctx, ws, batch)
			if err != nil {
				return nil, err
			}
			part = part[:0]
			changed := roaring64.New()
			for i, e := range batch {
				row := Row{Entry: e, Outcome: Unknown, ResultID: found[i]}
				if found[i] != "" {
					var change bool
					// Whoever stands twice in the upload is changed by the first row.
					row.Outcome, change = decide(list.bits.Contains(nums[i]) != changed.Contains(nums[i]))
					if change {
						changed.Add(nums[i])
					}
				}
				part = append(part, row)
			}
			if changed.IsEmpty() {
				return nil, nil
			}
			given := deltas{}
			record(given.of(id), changed)
			return s.apply(ctx, w, v, pass{people: changed.ToArray(), scope: v.affected(id), root: noPair, why: always(ByManual), given: given})
		})
		if err != nil {
			return nil, err
		}
		rows = append(rows, part...)
	}
	return rows, nil
}

// find looks people up and returns number and public id for each entry, an empty id for unknown ones.
func (s *Service) find(ctx context.Context, ws string, entries []Entry) (nums []uint64, ids []string, err error) {
	nums, ids = make([]uint64, len(entries)), make([]string, len(entries))
	var asked []string
	for _, e := range entries {
		if e.PersonID != "" {
			asked = append(asked, e.PersonID)
		}
	}
	byID, err := s.c.People.ByIDs(ctx, ws, asked)
	if err != nil {
		return nil, nil, err
	}
	for i, e := range entries {
		p, known := byID[e.PersonID]
		if e.PersonID == "" {
			p, err = s.c.People.ByIdentifier(ctx, ws, e.Identifier)
			known = err == nil
			if err != nil && !errs.Is(err, errs.KindNotFound) && !errs.Is(err, errs.KindInvalid) {
				return nil, nil, err
			}
		}
		if known {
			nums[i], ids[i] = p.Num, p.ID
		}
	}
	return nums, ids, nil
}
