package journey

import (
	"context"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Stats is how a journey goes, over all its versions. Every figure is a running sum kept in the transaction of the move itself (refunds are taken off as it is
// read), and the people behind each can be asked for with Service.Behind.
type Stats struct {
	Entered int64            // rounds begun
	Inside  int64            // people inside now, parked ones included
	Parked  int64            // of them, those who cannot go on until someone mends something
	Goals   int64            // rounds that reached the goal
	Ended   map[string]int64 // rounds ended, by why: goal, end, exit_node, exit_rule, merged, stopped, removed, other_journey, gone
	Revenue map[string]int64 // amounts of the goal events less what was given back for their orders, in minor units, by currency
	Turned  map[string]int64 // people not let in, by reason
	// With a holdout: what compares to Control are Goals and LateGoals together, of those who entered, and Revenue and LateRevenue.
	LateGoals   int64            // reached within the goal's window after the journey had ended for the person
	LateRevenue map[string]int64 // of them
	Control     Control
	Versions    map[int]int64 // people inside now, by version
	Nodes       []NodeStats   // those of the latest version in its order, then others that people have seen
}

// Control is how those go who are kept out to compare.
type Control struct {
	Entered int64
	Watched int64 // now
	Goals   int64
	Revenue map[string]int64
}

// NodeStats is how one node goes.
type NodeStats struct {
	Node    string
	Kind    string // empty if no version has the node any more
	Title   string
	In      int64 // arrivals
	Now     int64 // people here now, parked ones included
	Parked  int64
	Out     map[string]int64 // left by an output
	Ended   map[string]int64 // rounds that ended here, by why
	Queued  int64            // messages that the gate let through
	Refused map[string]int64 // messages refused, by reason
}

// Stats counts a journey.
func (s *Service) Stats(ctx context.Context, ws, id string) (Stats, error) {
	if _, err := s.c.Store.Get(ctx, ws, id); err != nil {
		return Stats{}, err
	}
	versions, err := s.c.Store.Versions(ctx, ws, id)
	if err != nil {
		return Stats{}, err
	}
	counts, err := s.c.Store.Counts(ctx, ws, id)
	if err != nil {
		return Stats{}, err
	}
	out := Stats{
		Ended: map[string]int64{}, Revenue: map[string]int64{}, Turned: map[string]int64{}, LateRevenue: map[string]int64{}, Versions: map[int]int64{},
		Control: Control{Revenue: map[string]int64{}},
	}
	place := map[string]int{}
	at := func(node string) *NodeStats {
		n, ok := place[node]
		if !ok {
			n = len(out.Nodes)
			place[node] = n
			out.Nodes = append(out.Nodes, NodeStats{Node: node, Out: map[string]int64{}, Ended: map[string]int64{}, Refused: map[string]int64{}})
		}
		return &out.Nodes[n]
	}
	for _, v := range versions {
		for _, n := range v.Graph.Nodes {
			if st := at(n.ID); st.Kind == "" {
				st.Kind, st.Title = n.Kind, n.Title
			}
		}
	}
	for _, c := range counts {
		what, detail, _ := strings.Cut(c.What, ":")
		if c.Node == "" {
			out.add(what, detail, c.N)
			if what == Inside && c.N != 0 {
				out.Versions[c.Version] += c.N
			}
		} else {
			at(c.Node).add(what, detail, c.N)
		}
	}
	if err := s.takeOff(ctx, ws, id, &out); err != nil {
		return Stats{}, err
	}
	for i := range out.Nodes {
		n := &out.Nodes[i]
		n.Now = n.In - total(n.Out) - total(n.Ended)
		out.Parked += n.Parked
	}
	return out, nil
}

// takeOff takes what was given back off the revenue, by the same rule as reports of messages. It is looked up rather than counted along: refunds
// are few, and come before or after their order.
func (s *Service) takeOff(ctx context.Context, ws, id string, out *Stats) error {
	if len(out.Revenue)+len(out.LateRevenue)+len(out.Control.Revenue) == 0 {
		return nil
	}
	found, err := s.c.Store.Refunded(ctx, ws, id)
	if err != nil {
		return err
	}
	for _, g := range found {
		sum := out.Revenue
		switch {
		case g.Control:
			sum = out.Control.Revenue
		case g.Late:
			sum = out.LateRevenue
		}
		sum[g.Goal.Currency] -= outbox.Refunded(g.Goal.Minor, g.Goal.Currency, g.Refunds)
	}
	return nil
}

func (s *Stats) add(what, detail string, n int64) {
	switch what {
	case In:
		s.Entered += n
	case Inside:
		s.Inside += n
	case Goals:
		s.Goals += n
	case Ended:
		s.Ended[detail] += n
	case Revenue:
		s.Revenue[detail] += n
	case Turned:
		s.Turned[detail] += n
	case LateGoals:
		s.LateGoals += n
	case LateRevenue:
		s.LateRevenue[detail] += n
	case ControlIn:
		s.Control.Entered += n
	case ControlNow:
		s.Control.Watched += n
	case ControlGoals:
		s.Control.Goals += n
	case ControlRevenue:
		s.Control.Revenue[detail] += n
	}
}

func (n *NodeStats) add(what, detail string, by int64) {
	switch what {
	case In:
		n.In += by
	case Failing:
		n.Parked += by
	case Out:
		n.Out[detail] += by
	case Ended:
		n.Ended[detail] += by
	case Queued:
		n.Queued += by
	case Refused:
		n.Refused[detail] += by
	}
}

func total(m map[string]int64) int64 {
	var sum int64
	for _, n := range m {
		sum += n
	}
	return sum
}

// Behind returns the people behind a figure of Stats, last entered first.
func (s *Service) Behind(ctx context.Context, ws, id string, b Behind, p page.Request) (page.Of[Visit], error) {
	if _, err := s.c.Store.Get(ctx, ws, id); err != nil {
		return page.Of[Visit]{}, err
	}
	return s.c.Store.Behind(ctx, ws, id, b, p)
}

// ByKey returns the ready-made journey with the key, or errs.NotFound.
func (s *Service) ByKey(ctx context.Context, ws, key string) (Journey, error) {
	return s.c.Store.ByKey(ctx, ws, key)
}

// Parked returns how many people of the workspace are parked, for the overview and the health page.
func (s *Service) Parked(ctx context.Context, ws string) (int64, error) {
	return s.c.Store.Parked(ctx, ws)
}

// OfPerson returns a person's rounds through all journeys, last entered first.
func (s *Service) OfPerson(ctx context.Context, ws, person string, p page.Request) (page.Of[Instance], error) {
	return s.c.Store.OfPerson(ctx, ws, person, p)
}

// Path returns one round and every step of it, in order, with the reasons.
func (s *Service) Path(ctx context.Context, ws, instance string) (Instance, []Step, error) {
	i, err := s.c.Store.Instance(ctx, ws, instance)
	if err != nil {
		return Instance{}, nil, err
	}
	steps, err := s.c.Store.Steps(ctx, ws, instance)
	return i, steps, err
}
