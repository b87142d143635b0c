package node

import (
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/rule/leaf"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// ABTest parts people at random until enough have come by to tell which way does best, and then sends everybody that way; of equals the first, which is
// where what one has belongs. Those who are on another way by
// then finish on it.
var ABTest = Spec{
	Kind: "ab_test", Title: "A/B test", Outputs: ways,
	Config: func() any { return &ABTestConfig{} },
	New: func(config any) (Node, error) {
		c := *config.(*ABTestConfig)
		if c.Name == "" {
			return nil, errs.Invalid("journey.ab_test.name", "name", "give the test a name; its decision is kept under it, so a new name is a new test")
		}
		if c.Ways < 2 || c.Ways > len(ways) {
			return nil, errs.Invalid("journey.ab_test.ways", "ways", "a test has 2 to %d ways", len(ways))
		}
		if c.Metric != MetricGoal && c.Metric != MetricClicked {
			return nil, errs.Invalid("journey.ab_test.metric", "metric", "a test is decided by goal or clicked")
		}
		if c.People < minTested {
			return nil, errs.Invalid("journey.ab_test.people", "people", "at least %d people must have gone each way before it can be decided; with fewer, chance decides", minTested)
		}
		if c.People > maxTested {
			return nil, errs.Invalid("journey.ab_test.people_many", "people", "more than %d people each way are hardly ever reached, so the test would never be decided; choose fewer", maxTested)
		}
		if err := c.Wait.Check("wait"); err != nil {
			return nil, err
		}
		return abTest{c}, nil
	},
}

// ABTestConfig configures ABTest.
type ABTestConfig struct {
	Name   string `json:"name" maxLength:"100" doc:"Name of the test, unique in the journey"`
	Ways   int    `json:"ways" minimum:"2" maximum:"5" doc:"How many ways there are: a, b ..."`
	Metric string `json:"metric" enum:"goal,clicked" doc:"What counts: the journey's goal, or a click in a message that only this way sends"`
	People int64  `json:"people" minimum:"50" maximum:"1000000" doc:"How many must have gone each way; more people see smaller differences"`
	Wait   Span   `json:"wait" doc:"How long ago, so that there was time for the result to come"`
}

// What tests are decided by.
const (
	MetricGoal    = "goal"
	MetricClicked = "clicked"
)

// minTested is how many people a way needs for the normal approximation behind the decision not to be misleading.
const minTested = 50

// maxTested is how many people a way may need at most: with a million, differences of a tenth of a point are found.
const maxTested = 1_000_000

// Test is what a node compares. The decision is made once, when People have gone each way Wait ago; that moment does not depend on how they did, so looking
// at the figures before does no harm.
type Test struct {
	Name   string
	Metric string
	Ways   []string // outputs
	People int64
	Wait   time.Duration
}

// Tests is a node that compares its ways.
type Tests interface{ Test() Test }

type abTest struct{ c ABTestConfig }

func (n abTest) Test() Test {
	return Test{Name: n.c.Name, Metric: n.c.Metric, Ways: ways[:n.c.Ways], People: n.c.People, Wait: n.c.Wait.Duration()}
}

// Outputs implements Leaves.
func (n abTest) Outputs() []string { return ways[:n.c.Ways] }

func (abTest) Needs() Needs        { return Needs{Subject: true} }
func (abTest) Listens() []*Matcher { return nil }

func (n abTest) Step(_ State, in Input, _ time.Time) Result {
	if w := in.Winners[n.c.Name]; slices.Contains(n.Outputs(), w) { // a later version may have fewer ways
		return Result{Output: w, Reason: Because("test_decided", "way", w)}
	}
	share := leaf.Share(n.c.Name, in.Subject.ID)
	return Result{Output: ways[min(int(share*float64(n.c.Ways)/100), n.c.Ways-1)], Reason: Because("drew", "share", share)}
}
