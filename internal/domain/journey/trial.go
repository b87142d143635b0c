package journey

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/compare"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Decision is how an A/B test of a journey ended. It is made once and never changes; a test under another name is another test.
type Decision struct {
	Workspace string    `json:"-"`
	Journey   string    `json:"-"`
	Test      string    `json:"-"` // name
	Node      string    `json:"node"`
	Winner    string    `json:"winner"` // output
	Ways      []Way     `json:"ways"`   // as they were
	Chance    float64   `json:"chance"` // probability of a lead like this if the two best were equally good, corrected for the number of comparisons
	Certain   bool      `json:"certain"`
	DecidedAt time.Time `json:"-"`
}

// Way is one way of a test.
type Way struct {
	Output string `json:"output"`
	People int64  `json:"people"` // who can be judged: gone this way long enough ago, or the message delivered
	Hits   int64  `json:"hits"`   // of them, those with the metric
}

// Passed is how many people have left a node by an output.
type Passed struct {
	Output        string
	People, Goals int64
}

// Figures knows what became of messages.
type Figures interface {
	// CountsByNode returns the figures of a source by node.
	CountsByNode(ctx context.Context, ws string, src outbox.Source) (map[string]outbox.Counts, error)
}

// trial is a test of a plan.
type trial struct {
	node.Test
	node     string
	messages map[string][]string // way -> nodes whose messages go to nobody who went another way
}

// lookAgain is how long an undecided test rests before its figures are asked for again.
const lookAgain = time.Minute

// addTrials finds the tests of a graph whose nodes can be read and whose ways are connected.
func (p *Plan) addTrials(fail func(error)) {
	names := map[string]bool{}
	for _, id := range p.order {
		t, ok := p.nodes[id].node.(node.Tests)
		if !ok {
			continue
		}
		tr := trial{Test: t.Test(), node: id, messages: map[string][]string{}}
		if names[tr.Name] {
			fail(errs.Invalid("journey.ab_test.twice", at(id, "config.name"), "another test of this journey has the name %q; rename one", tr.Name))
		}
		names[tr.Name] = true
		reached := map[string]map[string]bool{}
		for _, way := range tr.Ways {
			reached[way] = map[string]bool{}
			if to := p.nodes[id].next[way]; to != "" {
				reached[way] = p.from(to, func(*step) bool { return true })
			}
		}
		for _, way := range tr.Ways {
			for _, other := range p.order {
				alone := p.nodes[other].kind == node.SendMessage.Kind && reached[way][other] &&
					!slices.ContainsFunc(tr.Ways, func(w string) bool { return w != way && reached[w][other] })
				if alone {
					tr.messages[way] = append(tr.messages[way], other)
				}
			}
			if tr.Metric == node.MetricClicked && len(tr.messages[way]) == 0 {
				fail(errs.Invalid("journey.ab_test.clicks", at(id, "config.metric"), "way %s sends no message that the other ways do not send too, so clicks cannot tell them apart; decide by goal or add one", way))
			}
		}
		if tr.Metric == node.MetricGoal && p.goal == nil && !slices.ContainsFunc(p.order, func(id string) bool { return p.nodes[id].kind == node.GoalNode.Kind }) {
			fail(errs.Invalid("journey.ab_test.goal", at(id, "config.metric"), "the journey has no goal to decide by; give it one or decide by clicked"))
		}
		p.trials = append(p.trials, tr)
	}
}

// decided finds tests that were decided among other ways: nobody would go the new ones, or the winner is none of them.
func (p *Plan) decided(made []Decision) (bad []error) {
	for _, t := range p.trials {
		n := slices.IndexFunc(made, func(d Decision) bool { return d.Test == t.Name })
		if n < 0 || slices.EqualFunc(made[n].Ways, t.Ways, func(w Way, output string) bool { return w.Output == output }) {
			continue
		}
		bad = append(bad, errs.Invalid("journey.ab_test.decided", at(t.node, "config.name"), "the test %q was decided among other ways; give it another name to test these", t.Name))
	}
	return bad
}

// winners returns the decided tests of the plan, name -> output, after deciding those that can be.
func (s *Service) winners(ctx context.Context, p *Plan, at Place) (map[string]string, error) {
	if len(p.trials) == 0 {
		return nil, nil
	}
	made, err := s.c.Store.Decisions(ctx, at.Workspace, at.Journey)
	if err != nil {
		return nil, fmt.Errorf("load decisions: %w", err)
	}
	out := map[string]string{}
	for _, d := range made {
		out[d.Test] = d.Winner
	}
	now := s.c.Clock.Now()
	for _, t := range p.trials {
		key := at.Workspace + "/" + at.Journey + "/" + t.Name
		s.mu.Lock()
		rest := now.Before(s.looked[key].Add(lookAgain))
		s.mu.Unlock()
		if out[t.Name] != "" || rest {
			continue
		}
		ways, ready, err := s.judge(ctx, t, at, now)
		if err != nil {
			return nil, err
		}
		if ready {
			d, err := s.decide(ctx, t, at, ways, now)
			if err != nil {
				return nil, err
			}
			out[t.Name] = d.Winner
		}
		s.mu.Lock()
		s.looked[key] = now
		s.mu.Unlock()
	}
	return out, nil
}

// judge returns how the ways do, and whether the test can be decided.
func (s *Service) judge(ctx context.Context, t trial, at Place, now time.Time) (ways []Way, ready bool, err error) {
	passed, err := s.c.Store.Passed(ctx, at.Workspace, at.Journey, t.node, now.Add(-t.Wait))
	if err != nil {
		return nil, false, err
	}
	var counts map[string]outbox.Counts
	if t.Metric == node.MetricClicked {
		if counts, err = s.c.Figures.CountsByNode(ctx, at.Workspace, source(at.Journey)); err != nil {
			return nil, false, err
		}
	}
	ready = true
	for _, output := range t.Ways {
		w := Way{Output: output}
		n := slices.IndexFunc(passed, func(p Passed) bool { return p.Output == output })
		if n >= 0 {
			w.People, w.Hits = passed[n].People, passed[n].Goals
		}
		ready = ready && w.People >= t.People
		if t.Metric == node.MetricClicked {
			w.People, w.Hits = 0, 0
			for _, id := range t.messages[output] {
				w.People += counts[id].Delivered
				w.Hits += counts[id].Clicked
			}
			ready = ready && w.People >= t.People
		}
		ways = append(ways, w)
	}
	return ways, ready, nil
}

// decide keeps the decision; if another worker was first, its decision stands.
func (s *Service) decide(ctx context.Context, t trial, at Place, ways []Way, now time.Time) (Decision, error) {
	counts := make([]compare.Count, len(ways))
	for n, w := range ways {
		counts[n] = compare.Count{People: w.People, Hits: w.Hits}
	}
	best, second := compare.Lead(counts)
	d := Decision{
		Workspace: at.Workspace, Journey: at.Journey, Test: t.Name, Node: t.node, Winner: ways[best].Output, Ways: ways,
		Chance: compare.Chance(counts, best, second), DecidedAt: now,
	}
	d.Certain = d.Chance < compare.Significance
	var stands Decision
	err := s.c.Tx.InTx(ctx, func(ctx context.Context) (err error) {
		stands, err = s.c.Store.Decide(ctx, d)
		return err
	})
	if err == nil {
		s.c.Log.Info("a test of a journey is decided", "workspace", at.Workspace, "journey", at.Journey, "test", t.Name, "winner", stands.Winner, "certain", stands.Certain)
	}
	return stands, err
}

// TrialStats is how a test goes.
type TrialStats struct {
	Test       node.Test
	Node       string
	Ways       []Way     // now
	Detectable float64   // smallest difference in shares that the test finds four times of five, from the share of all ways together so far
	Decision   *Decision // nil while it runs
}

// Trials returns the A/B tests of the published version; none before the first publishing.
func (s *Service) Trials(ctx context.Context, ws, id string) ([]TrialStats, error) {
	j, err := s.c.Store.Get(ctx, ws, id)
	if err != nil {
		return nil, err
	}
	if j.Published == 0 {
		return []TrialStats{}, nil
	}
	p, err := s.plan(ctx, planKey{ws, id, j.Published})
	if err != nil {
		return nil, err
	}
	made, err := s.c.Store.Decisions(ctx, ws, id)
	if err != nil {
		return nil, err
	}
	out := []TrialStats{}
	for _, t := range p.trials {
		ways, _, err := s.judge(ctx, t, Place{ws, id}, s.c.Clock.Now())
		if err != nil {
			return nil, err
		}
		st := TrialStats{Test: t.Test, Node: t.node, Ways: ways}
		var all compare.Count
		for _, w := range ways {
			all.People += w.People
			all.Hits += w.Hits
		}
		st.Detectable = compare.Detectable(all.Share(), t.People)
		if n := slices.IndexFunc(made, func(d Decision) bool { return d.Test == t.Name }); n >= 0 {
			st.Decision = &made[n]
		}
		out = append(out, st)
	}
	return out, nil
}
