package person

import (
	"context"
	"slices"
	"strings"
)

// movers are those who own or owned identifiers that change.
func (g *graph) movers() map[*subject]bool {
	out := map[*subject]bool{}
	for _, n := range g.nodes {
		if !n.dirty {
			continue
		}
		for _, sp := range n.spans {
			if who := sp.who.find(); who != nil {
				out[who] = true
			}
		}
	}
	return out
}

// saveSought stores what people are found by, once their identifiers are stored. Identifiers of those who are not whole stay as they are,
// unless they are to be read again.
func (s *Service) saveSought(ctx context.Context, ws string, people []*subject, again func(*subject) bool) error {
	var nums []uint64
	for _, x := range people {
		if again(x) {
			nums = append(nums, x.rec.Num)
		}
	}
	stored := map[uint64][]string{}
	if len(nums) > 0 {
		links, err := s.Store.LinksOf(ctx, ws, nums)
		if err != nil {
			return err
		}
		for _, l := range links {
			stored[l.Person] = append(stored[l.Person], l.Value)
		}
	}
	rows := make([]Sought, len(people))
	for i, x := range people {
		if err := x.st.loadTraits(); err != nil {
			return err
		}
		rows[i] = Sought{Num: x.rec.Num, Identified: x.identified(), Text: searchText(x.st.traits)}
		switch {
		case again(x):
			rows[i].Identifiers = lines(stored[x.rec.Num])
		case x.whole:
			var own []string
			for n := range x.nodes {
				if n.owner() == x {
					own = append(own, n.id.Value)
				}
			}
			rows[i].Identifiers = lines(own)
		}
	}
	return s.Store.SaveSought(ctx, ws, rows)
}

func lines(values []string) *string {
	slices.Sort(values)
	out := strings.ToLower(strings.Join(values, "\n"))
	return &out
}
