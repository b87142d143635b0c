package report

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Arm names a group of people that is compared.
type Arm string

// The arms. Somebody belongs to one from the moment for which a message was asked for them, whatever becomes of it afterwards: who drops out because a message
// waited, met a cap or was not wanted any more has their like in the control group, who cannot drop out.
const (
	Treated       Arm = "treated"   // a message was meant for them
	HeldSource    Arm = "source"    // control group of the campaign or journey
	HeldWorkspace Arm = "workspace" // control group of everything
)

// ArmCounts are the figures of an arm. People are counted once, however many messages they were meant to get, and each order once.
type ArmCounts struct {
	People    int64
	Reached   int64           // did what was hoped for within the window of a message meant for them, which opens when it was meant to go
	Delivered int64           // got one of the messages: it was sent, and did not bounce
	Money     map[string]Sums // by currency, refunds taken off
	Until     time.Time       // when the last window ends; before that the figures may still grow
}

// Sums are what a mean and its spread are made of.
type Sums struct {
	Sum     int64   // minor units
	Squares float64 // of each person's sum
}

// Judgement says what a difference means.
type Judgement string

// The judgements.
const (
	Higher       Judgement = "higher"
	Lower        Judgement = "lower"
	NoDifference Judgement = "no_difference" // that could be told: the interval holds zero
	TooFew       Judgement = "too_few"       // to say anything
	NoControl    Judgement = "no_control"    // nobody was held back to compare with
)

// Effect compares those for whom messages were meant with those who were held back: what the messages brought about, beside what would have
// happened anyway.
type Effect struct {
	Treated   ArmCounts
	Control   ArmCounts
	ControlOf Arm // HeldSource or HeldWorkspace
	Rates     struct{ Treated, Control Rate }
	Lift      Difference            // of the shares who did it
	Revenue   map[string]Difference // of the mean revenue of a person, in minor units, by currency
	Judgement Judgement             // of the shares
	Running   bool                  // some windows are still open
	Messages  bool                  // the arms are those of messages, so Treated.Delivered says how many got one; else those of a journey's rounds
}

// Difference is treated less control with its 95 % interval.
type Difference struct {
	Value     float64
	Low, High float64
	Relative  float64 // of the control's; 0 if that is 0
	Judgement Judgement
}

const (
	// minArm and minReached are what an arm, and both together, must have before anything is said. Below, single people decide.
	minArm     = 100
	minReached = 10
)

// ShareDifference compares two shares by Newcombe's method 10, made of the Wilson intervals of both: R. G. Newcombe, "Interval estimation for
// the difference between independent proportions", Statistics in Medicine 17 (1998), 873-890.
func ShareDifference(a, b Rate) Difference {
	d := Difference{Value: a.Share - b.Share, Low: -1, High: 1}
	if a.Of > 0 && b.Of > 0 {
		d.Low = d.Value - math.Hypot(a.Share-a.Low, b.High-b.Share)
		d.High = d.Value + math.Hypot(a.High-a.Share, b.Share-b.Low)
	}
	if b.Share > 0 {
		d.Relative = d.Value / b.Share
	}
	d.Judgement = d.judge(a.Of, b.Of, a.N+b.N)
	return d
}

func (d Difference) judge(people, control, reached int64) Judgement {
	switch {
	case control == 0:
		return NoControl
	case people < minArm || control < minArm || reached < minReached:
		return TooFew
	case d.Low > 0:
		return Higher
	case d.High < 0:
		return Lower
	}
	return NoDifference
}

// MeanDifference compares two means of people by Welch's method: B. L. Welch, "The generalization of 'Student's' problem when several
// different population variances are involved", Biometrika 34 (1947), 28-35. Those who brought nothing count with zero. The quantile is that of
// Student's t, from the normal one by the series in Abramowitz and Stegun, 26.7.5.
func MeanDifference(n int64, a Sums, m int64, b Sums, reached int64) Difference {
	var d Difference
	d.Judgement = d.judge(n, m, reached)
	if n < 2 || m < 2 {
		return d
	}
	x, y := float64(a.Sum)/float64(n), float64(b.Sum)/float64(m)
	u, v := spread(n, a)/float64(n), spread(m, b)/float64(m)
	d.Value = x - y
	if y != 0 {
		d.Relative = d.Value / y
	}
	half := 0.0
	if u+v > 0 {
		df := (u + v) * (u + v) / (u*u/float64(n-1) + v*v/float64(m-1))
		half = student(df) * math.Sqrt(u+v)
	}
	d.Low, d.High = d.Value-half, d.Value+half
	d.Judgement = d.judge(n, m, reached)
	return d
}

// spread is the variance of a person's sum.
func spread(n int64, s Sums) float64 {
	mean := float64(s.Sum) / float64(n)
	return math.Max(0, (s.Squares-float64(n)*mean*mean)/float64(n-1))
}

func student(df float64) float64 {
	z := z95
	return z + (math.Pow(z, 3)+z)/(4*df) + (5*math.Pow(z, 5)+16*math.Pow(z, 3)+3*z)/(96*df*df) + (3*math.Pow(z, 7)+19*math.Pow(z, 5)+17*math.Pow(z, 3)-15*z)/(384*df*df*df)
}

// Effect compares within a scope. The control group of the source is used where there is one, else that of the workspace.
func (s *Service) effect(ctx context.Context, ws string, sc Scope) (Effect, error) {
	arms, err := s.c.Store.Arms(ctx, ws, sc)
	if err != nil {
		return Effect{}, err
	}
	out := s.compared(arms, sc.Source != "")
	out.Messages = true
	return out, nil
}

// compared judges arms. Of one source its own control group is taken where there is one.
func (s *Service) compared(arms map[Arm]ArmCounts, source bool) Effect {
	out := Effect{Treated: arms[Treated], Control: arms[HeldSource], ControlOf: HeldSource, Revenue: map[string]Difference{}}
	if out.Control.People == 0 || !source { // between campaigns only those are alike who get none of them
		out.Control, out.ControlOf = arms[HeldWorkspace], HeldWorkspace
	}
	t, c := out.Treated, out.Control
	out.Rates.Treated, out.Rates.Control = NewRate(t.Reached, t.People), NewRate(c.Reached, c.People)
	out.Lift = ShareDifference(out.Rates.Treated, out.Rates.Control)
	out.Judgement = out.Lift.Judgement
	for currency := range t.Money {
		out.Revenue[currency] = Difference{}
	}
	for currency := range c.Money {
		out.Revenue[currency] = Difference{}
	}
	for currency := range out.Revenue {
		out.Revenue[currency] = MeanDifference(t.People, t.Money[currency], c.People, c.Money[currency], t.Reached+c.Reached)
	}
	now := s.c.Clock.Now()
	out.Running = slices.ContainsFunc([]ArmCounts{t, c}, func(a ArmCounts) bool { return a.Until.After(now) })
	return out
}

// EffectPeople is which people of an effect are asked for.
type EffectPeople struct {
	Control   bool // those held back; else those for whom messages were meant
	Reached   bool // of them those who did what was hoped for
	Delivered bool // of them those who got one; a journey's own comparison does not know
}

// armPeople lists the people of an arm of effect.
func (s *Service) armPeople(ctx context.Context, ws string, sc Scope, who EffectPeople, p page.Request) (page.Of[Person], error) {
	arm := Treated
	if who.Control {
		e, err := s.effect(ctx, ws, sc) // which of the groups it compares with
		if err != nil {
			return page.Of[Person]{}, err
		}
		arm = e.ControlOf
	}
	found, err := s.c.Store.ArmPeople(ctx, ws, sc, arm, who, p)
	out := page.Of[Person]{Items: make([]Person, len(found.Items)), Next: found.Next}
	for i, x := range found.Items {
		out.Items[i] = Person{PersonID: x.PersonID, At: x.Latest, Times: x.Messages}
	}
	return out, err
}

// CampaignEffectPeople lists people whom CampaignEffect counts, by id.
func (s *Service) CampaignEffectPeople(ctx context.Context, ws, id string, who EffectPeople, p page.Request) (page.Of[Person], error) {
	if _, err := s.c.Campaigns.Get(ctx, ws, id); err != nil {
		return page.Of[Person]{}, err
	}
	return s.armPeople(ctx, ws, Scope{Kind: "campaign", Source: id}, who, p)
}

// JourneyEffectPeople lists people whom JourneyEffect counts, by id.
func (s *Service) JourneyEffectPeople(ctx context.Context, ws, id string, who EffectPeople, p page.Request) (page.Of[Person], error) {
	if _, err := s.c.Journeys.Get(ctx, ws, id); err != nil {
		return page.Of[Person]{}, err
	}
	own, err := s.c.Journeys.Against(ctx, ws, id)
	if err != nil {
		return page.Of[Person]{}, err
	}
	if own.Kept.People == 0 {
		return s.armPeople(ctx, ws, Scope{Kind: "journey", Source: id}, who, p)
	}
	found, err := s.c.Journeys.AgainstPeople(ctx, ws, id, who.Control, who.Reached, p)
	out := page.Of[Person]{Items: make([]Person, len(found.Items)), Next: found.Next}
	for i, x := range found.Items {
		out.Items[i] = Person{PersonID: x.Person, At: x.At}
	}
	return out, err
}

// WorkspaceEffectPeople lists people whom WorkspaceEffect counts, by id.
func (s *Service) WorkspaceEffectPeople(ctx context.Context, ws, from, to string, of Scope, who EffectPeople, p page.Request) (page.Of[Person], error) {
	of, err := s.within(ctx, ws, from, to, of)
	if err != nil {
		return page.Of[Person]{}, err
	}
	return s.armPeople(ctx, ws, of, who, p)
}

// CampaignEffect says what a campaign brought about.
func (s *Service) CampaignEffect(ctx context.Context, ws, id string) (Effect, error) {
	if _, err := s.c.Campaigns.Get(ctx, ws, id); err != nil {
		return Effect{}, err
	}
	return s.effect(ctx, ws, Scope{Kind: "campaign", Source: id})
}

// JourneyEffect says what a journey brought about: against those whom its own holdout kept out of it, by the journey's goal, where there is one; else by what
// its messages were to bring about, against the workspace's control group.
func (s *Service) JourneyEffect(ctx context.Context, ws, id string) (Effect, error) {
	if _, err := s.c.Journeys.Get(ctx, ws, id); err != nil {
		return Effect{}, err
	}
	own, err := s.c.Journeys.Against(ctx, ws, id)
	if err != nil {
		return Effect{}, err
	}
	if own.Kept.People == 0 {
		return s.effect(ctx, ws, Scope{Kind: "journey", Source: id})
	}
	counts := func(a journey.Arm) ArmCounts {
		out := ArmCounts{People: a.People, Reached: a.Reached, Money: map[string]Sums{}, Until: own.Until}
		for currency, m := range a.Money {
			out.Money[currency] = Sums(m)
		}
		return out
	}
	return s.compared(map[Arm]ArmCounts{Treated: counts(own.Led), HeldSource: counts(own.Kept)}, true), nil
}

// WorkspaceEffect says what the messages of a period brought about, all of them or those of a channel, topic, template or domain, against the people whom the
// workspace writes to never and who would have got these.
func (s *Service) WorkspaceEffect(ctx context.Context, ws, from, to string, of Scope) (Effect, error) {
	of, err := s.within(ctx, ws, from, to, of)
	if err != nil {
		return Effect{}, err
	}
	return s.effect(ctx, ws, of)
}

// within adds a period, as ParsePeriod reads it, to a scope.
func (s *Service) within(ctx context.Context, ws, from, to string, of Scope) (Scope, error) {
	zone, err := s.c.Zone(ctx, ws)
	if err != nil {
		return Scope{}, err
	}
	p, err := ParsePeriod(from, to, s.c.Clock.Now(), zone)
	of.From, of.To = p.From, p.To
	return of, err
}
