package campaign

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/compare"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Test sends variants to a part of the audience and the one that does best to the rest.
//
// It is decided once, Hours after the last message of the test has left, and not before: looking at running figures and stopping when they
// please finds winners where there are none. How small a difference the test can see follows from the size of its arms and is told beforehand.
type Test struct {
	Variants []string `json:"variants"` // templates beside Campaign.Template, which is variant A
	Share    int      `json:"share"`    // percent of the audience that takes part, all variants together
	Metric   string   `json:"metric"`   // "opened", "clicked" or "converted", of delivered
	Hours    int      `json:"hours"`    // from the last message of the test to the decision
}

// Arm is one variant of a test, before it or after it.
type Arm struct {
	Variant    string  `json:"variant"` // "A", "B" ...
	Template   string  `json:"template"`
	People     int64   `json:"people"`     // before: who will get it; after: to whom it was delivered
	Hits       int64   `json:"hits"`       // of them, those with the metric
	Detectable float64 `json:"detectable"` // before: the smallest difference in shares that is found four times of five
}

// Result is how a test ended.
type Result struct {
	Winner    string    `json:"winner"`   // variant
	Template  string    `json:"template"` // of the winner
	DecidedAt time.Time `json:"decided_at"`
	Arms      []Arm     `json:"arms"`
	Chance    float64   `json:"chance"`  // probability of a lead like this over the runner-up if both were equally good, corrected for the number of comparisons
	Certain   bool      `json:"certain"` // Chance is below 5 %; otherwise the leader goes out all the same, and the report says so
}

const (
	maxVariants  = 4 // beside A
	maxTestHours = 14 * 24
	minArm       = 100 // people an arm should have
)

// usual are shares of delivered mails that a sender may expect, for telling how small a difference a test will see.
var usual = map[string]float64{"opened": 0.25, "clicked": 0.03, "converted": 0.01}

func (t *Test) validate(c Campaign) error {
	if len(t.Variants) == 0 || len(t.Variants) > maxVariants {
		return errs.Invalid("campaign.test.variants", "plan.test.variants", "choose one to %d templates to try beside the first", maxVariants)
	}
	seen := []string{c.Template}
	for i, v := range t.Variants {
		if v == "" || slices.Contains(seen, v) {
			return errs.Invalid("campaign.test.variants", fmt.Sprintf("plan.test.variants[%d]", i), "each variant needs a template of its own")
		}
		seen = append(seen, v)
	}
	if t.Share < 1 || t.Share > 100 {
		return errs.Invalid("campaign.test.share", "plan.test.share", "between 1 and 100 percent of the audience take part in the test")
	}
	if usual[t.Metric] == 0 {
		return errs.Invalid("campaign.test.metric", "plan.test.metric", "a test is decided by opened, clicked or converted")
	}
	if t.Hours < 1 || t.Hours > maxTestHours {
		return errs.Invalid("campaign.test.hours", "plan.test.hours", "wait between 1 and %d hours before deciding", maxTestHours)
	}
	return nil
}

func variant(i int) string { return string(rune('A' + i)) }

func (t *Test) templates(c Campaign) []string { return append([]string{c.Template}, t.Variants...) }

// arms says how an audience will be divided, and what the test can see.
func (t *Test) arms(audience int64) []Arm {
	n := len(t.Variants) + 1
	each := audience * int64(t.Share) / 100 / int64(n)
	out := make([]Arm, n)
	for i := range out {
		out[i] = Arm{Variant: variant(i), People: each, Detectable: compare.Detectable(usual[t.Metric], each)}
	}
	return out
}

// waves deals the audience out at random: who gets which variant has nothing to do with who came first.
func (t *Test) waves(c Campaign, now time.Time, audience *roaring64.Bitmap) (waves []Wave, people []*roaring64.Bitmap) {
	all := audience.ToArray()
	rng := rand.New(rand.NewPCG(uint64(now.UnixMicro()), uint64(len(all))))
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	templates := t.templates(c)
	each := len(all) * t.Share / 100 / len(templates)
	for i, template := range templates {
		waves, people = append(waves, Wave{DueAt: now, Template: template, Node: variant(i)}), append(people, roaring64.BitmapOf(all[i*each:(i+1)*each]...))
	}
	return append(waves, Wave{}), append(people, roaring64.BitmapOf(all[each*len(templates):]...))
}

// test waits until the test is out, then for its hours, then decides and gives the rest the winner's template.
func (s *Service) test(ctx context.Context, c Campaign, rest Wave) (bool, error) {
	now := s.c.Clock.Now()
	if rest.DueAt.IsZero() {
		waiting, err := s.c.Outbox.Waiting(ctx, c.Workspace, c.Source())
		if err != nil || waiting > 0 {
			return false, err
		}
		rest.DueAt = now.Add(time.Duration(c.Plan.Test.Hours) * time.Hour)
		return true, s.c.Tx.InTx(ctx, func(ctx context.Context) error {
			c := c
			if err := s.c.Store.UpdateWave(ctx, c.Workspace, c.ID, rest); err != nil {
				return err
			}
			c.RetryAt = rest.DueAt
			return s.update(ctx, c)
		})
	}
	if rest.DueAt.After(now) { // resumed in between
		c.RetryAt = rest.DueAt
		return true, s.update(ctx, c)
	}
	counts, err := s.c.Outbox.CountsByNode(ctx, c.Workspace, c.Source())
	if err != nil {
		return false, fmt.Errorf("figures of the test: %w", err)
	}
	result := decide(c.Plan.Test, c.Plan.Test.templates(c), counts)
	result.DecidedAt = now
	return true, s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		c, rest := c, rest
		c.Result, rest.Template = &result, result.Template
		if err := s.c.Store.UpdateWave(ctx, c.Workspace, c.ID, rest); err != nil {
			return err
		}
		return s.update(ctx, c)
	})
}

// decide returns the variant with the highest share; the first of equals.
func decide(t *Test, templates []string, counts map[string]outbox.Counts) Result {
	out := Result{}
	ways := make([]compare.Count, len(templates))
	for i, template := range templates {
		n := counts[variant(i)]
		ways[i] = compare.Count{People: n.Delivered, Hits: map[string]int64{"opened": n.Opened, "clicked": n.Clicked, "converted": n.Converted}[t.Metric]}
		out.Arms = append(out.Arms, Arm{Variant: variant(i), Template: template, People: ways[i].People, Hits: ways[i].Hits})
	}
	best, second := compare.Lead(ways)
	out.Winner, out.Template = out.Arms[best].Variant, out.Arms[best].Template
	out.Chance = compare.Chance(ways, best, second)
	out.Certain = out.Chance < compare.Significance
	return out
}
