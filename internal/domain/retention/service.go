package retention

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/domain/rule/leaf"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Job is the kind of job that removes events.
const Job = "retention"

// Config is what a Service needs.
type Config struct {
	Store    Store
	Events   Events
	Segments Segments
	Standing Standings
	Clock    clock.Clock
	// Begin makes a job.
	Begin func(ctx context.Context, ws string, w job.Wanted) (job.Job, error)
	// Chunk is how many events are removed at once; 100,000 if zero: appends wait for about a second.
	Chunk int
}

// Service keeps policies and has events removed.
type Service struct {
	c      Config
	looked map[string]string // the day on which a workspace was looked at last; used by Daily alone
}

// New returns a Service.
func New(c Config) *Service {
	if c.Chunk == 0 {
		c.Chunk = 100_000
	}
	return &Service{c, map[string]string{}}
}

// Policy returns the workspace's policy.
func (s *Service) Policy(ctx context.Context, ws string) (Policy, error) {
	return s.c.Store.Policy(ctx, ws)
}

// SetPolicy replaces the policy; events go with the next removal.
func (s *Service) SetPolicy(ctx context.Context, ws string, p Policy) error {
	if err := p.Validate(); err != nil {
		return err
	}
	return s.c.Store.PutPolicy(ctx, ws, p)
}

// Receipts returns what removals have done, the last one first.
func (s *Service) Receipts(ctx context.Context, ws string, p page.Request) (page.Of[Receipt], error) {
	return s.c.Store.Receipts(ctx, ws, p)
}

// Kept is a kind of event and how long it is kept.
type Kept struct {
	event.Age
	Days    int
	Lasting string // why it is kept as long as the person: event.Kind.Lasting
	Ledger  bool
	Gone    time.Time // what happened before was removed; zero: nothing was
	Removed int64
}

// Kinds returns the kinds of events there are, were or are named by the policy, the most frequent first, with how long each is kept.
func (s *Service) Kinds(ctx context.Context, ws string) ([]Kept, error) {
	p, err := s.c.Store.Policy(ctx, ws)
	if err != nil {
		return nil, err
	}
	ages, err := s.c.Events.Ages(ctx, ws)
	if err != nil {
		return nil, err
	}
	gone, err := s.c.Store.Gone(ctx, ws)
	if err != nil {
		return nil, err
	}
	of := map[event.Kind]Gone{}
	add := func(k event.Kind) {
		if !slices.ContainsFunc(ages, func(a event.Age) bool { return a.Kind == k }) {
			ages = append(ages, event.Age{Kind: k})
		}
	}
	for _, g := range gone {
		of[g.Kind] = g
		add(g.Kind)
	}
	for _, r := range p.Rules {
		add(r.Kind)
	}
	out := make([]Kept, len(ages))
	for i, a := range ages {
		out[i] = Kept{Age: a, Days: p.DaysOf(a.Kind), Lasting: a.Lasting(), Ledger: a.Ledger(), Gone: of[a.Kind].Before, Removed: of[a.Kind].Count}
	}
	return out, nil
}

// Gone returns what was removed, by type and name.
func (s *Service) Gone(ctx context.Context, ws string) ([]Gone, error) {
	return s.c.Store.Gone(ctx, ws)
}

// Foreseen is what a policy would do.
type Foreseen struct {
	Lines  []Gone  // what would go now
	Askers []Asker // segments that ask further back than events are kept, by name
}

// Look says what a policy, which need not be in force, would do.
func (s *Service) Look(ctx context.Context, ws string, p Policy) (Foreseen, error) {
	if err := p.Validate(); err != nil {
		return Foreseen{}, err
	}
	now := s.c.Clock.Now()
	lines, ages, err := s.plan(ctx, ws, p, now)
	if err != nil {
		return Foreseen{}, err
	}
	askers, err := s.askers(ctx, ws, p, kinds(p, ages, nil), nil, now)
	return Foreseen{lines, askers}, err
}

func (s *Service) plan(ctx context.Context, ws string, p Policy, now time.Time) ([]Gone, []event.Age, error) {
	ages, err := s.c.Events.Ages(ctx, ws)
	if err != nil {
		return nil, nil, err
	}
	terms := p.terms(ages, now)
	old, err := s.c.Events.TooOld(ctx, ws, terms)
	if err != nil {
		return nil, nil, err
	}
	out := make([]Gone, len(old))
	for i, a := range old {
		at := slices.IndexFunc(terms, func(t event.Term) bool { return t.Kind == a.Kind })
		out[i] = Gone{a.Kind, terms[at].Since, a.Count}
	}
	return out, ages, nil
}

// Limits says which of the events that a rule asks for are not known as far back as it asks.
func (s *Service) Limits(ctx context.Context, ws string, r *rule.Rule) ([]Limit, error) {
	p, err := s.c.Store.Policy(ctx, ws)
	if err != nil {
		return nil, err
	}
	gone, err := s.c.Store.Gone(ctx, ws)
	if err != nil || p.Days == 0 && len(p.Rules) == 0 && len(gone) == 0 {
		return nil, err
	}
	ages, err := s.c.Events.Ages(ctx, ws)
	if err != nil {
		return nil, err
	}
	return limits(p, kinds(p, ages, gone), gone, r.Looks(), s.c.Clock.Now()), nil
}

// kinds are those that a workspace has, had or has a rule for.
func kinds(p Policy, ages []event.Age, gone []Gone) []event.Kind {
	all := map[event.Kind]bool{}
	for _, a := range ages {
		all[a.Kind] = true
	}
	for _, g := range gone {
		all[g.Kind] = true
	}
	for _, r := range p.Rules {
		if r.Name != "" || r.Kind == event.KindOf(&event.Event{Type: r.Type, Name: "x"}) {
			all[r.Kind] = true
		}
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b event.Kind) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name))
	})
}

func limits(p Policy, kinds []event.Kind, gone []Gone, looks []leaf.Look, now time.Time) []Limit {
	var out []Limit
	for _, k := range kinds {
		l := Limit{Kind: k, Days: p.DaysOf(k)}
		if l.Days > 0 {
			l.Before = now.AddDate(0, 0, -l.Days)
		}
		if i := slices.IndexFunc(gone, func(g Gone) bool { return g.Kind == k }); i >= 0 && gone[i].Before.After(l.Before) {
			l.Before = gone[i].Before
		}
		// A window as long as the term is fine: both end at the same moment.
		if !l.Before.IsZero() && slices.ContainsFunc(looks, func(x leaf.Look) bool { return x.Of(k) && x.Since(now).Before(l.Before) }) {
			out = append(out, l)
		}
	}
	return out
}

func (s *Service) askers(ctx context.Context, ws string, p Policy, kinds []event.Kind, gone []Gone, now time.Time) ([]Asker, error) {
	segments, err := s.c.Segments.Rules(ctx, ws)
	if err != nil {
		return nil, err
	}
	var out []Asker
	for _, g := range segments {
		if found := limits(p, kinds, gone, g.Rule.Looks(), now); len(found) > 0 {
			out = append(out, Asker{g.ID, g.Name, found})
		}
	}
	return out, nil
}
