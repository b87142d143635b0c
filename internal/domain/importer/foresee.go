package importer

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
)

// Limits of a dry run.
const (
	foreseeRows  = 250_000 // rows that are read
	foreseeChunk = 1000
	shownRows    = 10 // that are shown as they would become
	shownFaults  = 50
)

// Foreseen is what would become of a file, judged by what is known now.
type Foreseen struct {
	Rows     int64
	Complete bool // false: the file has more rows than were read
	Accepted int64
	Rejected int64
	Created  int64 // people who would be new
	Known    int64 // people who are known
	Apart    int64 // rows whose identifiers belong to people with different user ids: they stay two
	Events   int64 // things that people did
	Yes, No  int64 // subscriptions
	Oldest   time.Time
	Newest   time.Time
	Reasons  map[string]int64 // rejected rows by code
	Faults   []FaultyRow      // the first
	First    []ForeseenRow
}

// FaultyRow is a row that cannot be taken.
type FaultyRow struct {
	Line int
	Fault
}

// ForeseenRow is a row as it would become.
type ForeseenRow struct {
	Line int
	Said
	Person string // id of who it would go to; empty: somebody new
	Apart  bool
	Fault  *Fault
}

// Check says what a file would do. Nothing is written.
func (p People) Check(ctx context.Context, ws string, params PeopleParams, now time.Time) (Foreseen, error) {
	t, reading, in, _, err := p.open(ctx, ws, params, now)
	if err != nil {
		return Foreseen{}, err
	}
	defer in.Close()
	out := Foreseen{Reasons: map[string]int64{}}
	groups := newGroups()
	var chunk []ForeseenRow
	for out.Rows < foreseeRows && !out.Complete {
		said, fault, _, err := reading.next(t)
		switch {
		case errors.Is(err, io.EOF):
			out.Complete = true
		case err != nil:
			return Foreseen{}, err
		default:
			out.Rows++
			row := ForeseenRow{Line: t.at, Said: said, Fault: fault}
			if fault != nil {
				out.Rejected++
				out.Reasons[fault.Code]++
				if len(out.Faults) < shownFaults {
					out.Faults = append(out.Faults, FaultyRow{t.at, *fault})
				}
			} else {
				out.Accepted++
				out.count(said)
			}
			chunk = append(chunk, row)
		}
		if len(chunk) == foreseeChunk || out.Complete || out.Rows == foreseeRows {
			if err := p.recognise(ctx, ws, chunk, groups, &out); err != nil {
				return Foreseen{}, err
			}
			chunk = chunk[:0]
		}
	}
	out.Created, out.Known = groups.count()
	return out, nil
}

func (f *Foreseen) count(s Said) {
	if s.Event != "" {
		f.Events++
	}
	for _, yes := range s.Subscriptions {
		if yes {
			f.Yes++
		} else {
			f.No++
		}
	}
	if !s.Time.IsZero() {
		if f.Oldest.IsZero() || s.Time.Before(f.Oldest) {
			f.Oldest = s.Time
		}
		if s.Time.After(f.Newest) {
			f.Newest = s.Time
		}
	}
}

// recognise finds out whom the rows of a chunk are about.
func (p People) recognise(ctx context.Context, ws string, chunk []ForeseenRow, g *groups, out *Foreseen) error {
	var ids []event.Identifier
	for _, row := range chunk {
		ids = append(ids, row.Identifiers...)
	}
	owners, err := p.Known.Owners(ctx, ws, ids)
	if err != nil {
		return err
	}
	for _, row := range chunk {
		if row.Fault == nil {
			row.Person, row.Apart = g.add(row.Identifiers, owners)
			if row.Apart {
				out.Apart++
			}
		}
		if len(out.First) < shownRows {
			out.First = append(out.First, row)
		}
	}
	return nil
}

// groups are the people of a file: identifiers that stood in one row belong together, unless that would give somebody two user ids.
type groups struct {
	at     map[event.Identifier]int
	owner  map[uint64]int
	parent []int
	user   []string
	known  []string // id of the person, empty if nobody is known
}

func newGroups() *groups {
	return &groups{at: map[event.Identifier]int{}, owner: map[uint64]int{}}
}

func (g *groups) find(i int) int {
	for g.parent[i] != i {
		g.parent[i] = g.parent[g.parent[i]]
		i = g.parent[i]
	}
	return i
}

func (g *groups) make(user, known string) int {
	i := len(g.parent)
	g.parent, g.user, g.known = append(g.parent, i), append(g.user, user), append(g.known, known)
	return i
}

// of returns the group of an identifier.
func (g *groups) of(id event.Identifier, owners map[event.Identifier]person.Owner) int {
	if i, ok := g.at[id]; ok {
		return g.find(i)
	}
	o, known := owners[id]
	user := o.UserID
	if id.Kind == person.KindUser {
		user = id.Value
	}
	i, ok := g.owner[o.Num]
	if !known || !ok {
		i = g.make(user, o.ID)
		if known {
			g.owner[o.Num] = i
		}
	}
	g.at[id] = i
	return g.find(i)
}

// add takes the identifiers of a row, strongest first, and returns who they lead to and whether they lead to two who stay apart.
func (g *groups) add(ids []event.Identifier, owners map[event.Identifier]person.Owner) (who string, apart bool) {
	if i := slices.IndexFunc(ids, func(id event.Identifier) bool { return id.Kind == person.KindUser }); i > 0 {
		ids = append([]event.Identifier{ids[i]}, slices.Delete(slices.Clone(ids), i, i+1)...)
	}
	a := g.of(ids[0], owners)
	for _, id := range ids[1:] {
		b := g.of(id, owners)
		switch {
		case a == b:
		case g.user[a] != "" && g.user[b] != "" && g.user[a] != g.user[b]:
			apart = true
		default:
			g.parent[b] = a
			if g.user[a] == "" {
				g.user[a] = g.user[b]
			}
			if g.known[a] == "" {
				g.known[a] = g.known[b]
			}
		}
	}
	return g.known[a], apart
}

// count returns how many people are new and how many are known.
func (g *groups) count() (created, known int64) {
	for i := range g.parent {
		switch {
		case g.find(i) != i:
		case g.known[i] != "":
			known++
		default:
			created++
		}
	}
	return created, known
}
