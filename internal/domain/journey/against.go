package journey

import (
	"context"
	"fmt"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Arm is how the people did who were led, or who were kept out to compare. Each counts once, however many rounds they had.
type Arm struct {
	People  int64
	Reached int64           // the goal, within its window
	Money   map[string]Sums // of these goals by currency, refunds taken off
}

// Sums are what a mean and its spread are made of.
type Sums struct {
	Sum     int64   // minor units
	Squares float64 // of each person's sum
}

// Comparison holds those who entered against those whom the journey's own holdout kept out.
type Comparison struct {
	Led, Kept Arm
	Until     time.Time // when the last window of the goal closes; before that the figures may still grow
}

// Entered is who entered versions of a journey and what they brought.
type Entered struct {
	Led, Kept int64     // people, each once
	Last      time.Time // when the last of them entered; zero if nobody did
	Goals     []Brought // by person
}

// Brought is a goal that somebody reached.
type Brought struct {
	Instance, Person string
	Control          bool
	Goal             node.Reached
}

// Compared is somebody whom a Comparison counts.
type Compared struct {
	Person string
	At     time.Time // when they entered, or would have; the last time
}

// watched returns the versions that keep people out, and the longest time in which the goal counts.
func (s *Service) watched(ctx context.Context, ws, id string) (versions []int, window time.Duration, err error) {
	all, err := s.Versions(ctx, ws, id)
	for _, v := range all {
		if v.Graph.Holdout == nil || v.Graph.Holdout.Percent <= 0 || v.Graph.Goal == nil || v.Graph.Goal.Window == nil {
			continue
		}
		versions = append(versions, v.Number)
		window = max(window, v.Graph.Goal.Window.Duration())
	}
	return versions, window, err
}

// AgainstPeople lists who Against counts as led or as kept, by id; with reached those alone who reached the goal.
func (s *Service) AgainstPeople(ctx context.Context, ws, id string, kept, reached bool, p page.Request) (page.Of[Compared], error) {
	versions, _, err := s.watched(ctx, ws, id)
	if err != nil || len(versions) == 0 {
		return page.Of[Compared]{}, err
	}
	return s.c.Store.EnteredPeople(ctx, ws, id, versions, kept, reached, p)
}

// Against compares within the versions that keep people out: only there were both watched for equally long. A journey without a holdout has
// nobody kept, and an empty comparison.
func (s *Service) Against(ctx context.Context, ws, id string) (Comparison, error) {
	out := Comparison{Led: Arm{Money: map[string]Sums{}}, Kept: Arm{Money: map[string]Sums{}}}
	versions, window, err := s.watched(ctx, ws, id)
	if err != nil || len(versions) == 0 {
		return out, err
	}
	found, err := s.c.Store.Entered(ctx, ws, id, versions)
	if err != nil {
		return out, fmt.Errorf("compare journey %s with its control group: %w", id, err)
	}
	refunds, err := s.c.Store.Refunded(ctx, ws, id)
	if err != nil {
		return out, err
	}
	back := make(map[string]int64, len(refunds))
	for _, r := range refunds {
		back[r.Instance] = outbox.Refunded(r.Goal.Minor, r.Goal.Currency, r.Refunds)
	}
	out.Led.People, out.Kept.People = found.Led, found.Kept
	if !found.Last.IsZero() {
		out.Until = found.Last.Add(window)
	}
	for n := 0; n < len(found.Goals); {
		first := found.Goals[n]
		sums := map[string]int64{}
		for ; n < len(found.Goals) && found.Goals[n].Person == first.Person && found.Goals[n].Control == first.Control; n++ {
			if g := found.Goals[n]; g.Goal.Currency != "" {
				sums[g.Goal.Currency] += g.Goal.Minor - back[g.Instance]
			}
		}
		arm := &out.Led
		if first.Control {
			arm = &out.Kept
		}
		arm.Reached++
		for currency, sum := range sums {
			m := arm.Money[currency]
			arm.Money[currency] = Sums{m.Sum + sum, m.Squares + float64(sum)*float64(sum)}
		}
	}
	return out, nil
}
