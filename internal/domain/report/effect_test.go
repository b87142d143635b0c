package report_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/report"
)

func TestDifferencesOfSharesAreThoseOfNewcombe(t *testing.T) {
	// R. G. Newcombe, Statistics in Medicine 17 (1998), table II, method 10.
	for _, c := range []struct {
		n, of, m, from int64
		low, high      float64
	}{
		{56, 70, 48, 80, 0.0524, 0.3339},
		{9, 10, 3, 10, 0.1705, 0.8090},
		{6, 7, 2, 7, 0.0582, 0.8062},
		{5, 56, 0, 29, -0.0381, 0.1926},
		{0, 10, 0, 20, -0.1611, 0.2775},
		{10, 10, 0, 20, 0.6791, 1},
	} {
		d := report.ShareDifference(report.NewRate(c.n, c.of), report.NewRate(c.m, c.from))
		if math.Abs(d.Low-c.low) > 5e-5 || math.Abs(d.High-c.high) > 5e-5 {
			t.Errorf("%d/%d - %d/%d: [%.4f, %.4f], want [%.4f, %.4f]", c.n, c.of, c.m, c.from, d.Low, d.High, c.low, c.high)
		}
	}
}

func TestNothingIsSaidOfTooFew(t *testing.T) {
	for _, c := range []struct {
		n, of, m, from int64
		want           report.Judgement
	}{
		{90, 99, 1, 1000, report.TooFew},
		{90, 1000, 1, 99, report.TooFew},
		{9, 1000, 0, 1000, report.TooFew},
		{5, 10, 0, 0, report.NoControl},
		{100, 1000, 50, 1000, report.Higher},
		{50, 1000, 100, 1000, report.Lower},
		{50, 1000, 52, 1000, report.NoDifference},
	} {
		if d := report.ShareDifference(report.NewRate(c.n, c.of), report.NewRate(c.m, c.from)); d.Judgement != c.want {
			t.Errorf("%+v: %+v", c, d)
		}
	}
}

// An interval of 95 % misses the truth once in twenty times. Revenue as it is: most people bring nothing, few bring much.
func TestIntervalsOfMeansHoldTheTruthAsOftenAsTheySay(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const rounds = 4000
	draw := func(n int, share float64) report.Sums {
		var s report.Sums
		for range n {
			if rng.Float64() < share {
				v := 1000 + rng.Int64N(8000)
				s.Sum, s.Squares = s.Sum+v, s.Squares+float64(v)*float64(v)
			}
		}
		return s
	}
	mean := 1000 + 7999.0/2
	truth := 0.10*mean - 0.08*mean
	held := 0
	for range rounds {
		d := report.MeanDifference(400, draw(400, 0.10), 250, draw(250, 0.08), 60)
		if d.Low <= truth && truth <= d.High {
			held++
		}
	}
	if share := float64(held) / rounds; share < 0.935 || share > 0.965 {
		t.Errorf("the interval holds the truth %.3f of the time", share)
	}
	// The example of Student's sleep data: R's t.test gives t on 17.776 degrees of freedom, [-3.3654832, 0.2054832].
	a, b := report.Sums{Sum: 75}, report.Sums{Sum: 233} // in tenths of an hour
	a.Squares, b.Squares = 7*7+16*16+2*2+12*12+1+34*34+37*37+8*8+0+20*20, 19*19+8*8+11*11+1+1+44*44+55*55+16*16+46*46+34*34
	d := report.MeanDifference(10, a, 10, b, 0)
	if math.Abs(d.Low/10+3.3654832) > 2e-3 || math.Abs(d.High/10-0.2054832) > 2e-3 || d.Judgement != report.TooFew {
		t.Errorf("[%.4f, %.4f] %s", d.Low/10, d.High/10, d.Judgement)
	}
}

// Where a journey keeps people out itself, nothing of theirs is among the messages: its own rounds tell.
func TestAJourneyIsJudgedAgainstThoseItKeptOut(t *testing.T) {
	arm := func(people, reached, each int64) journey.Arm {
		return journey.Arm{People: people, Reached: reached, Money: map[string]journey.Sums{"JPY": {Sum: reached * each, Squares: float64(reached * each * each)}}}
	}
	f := &fakes{against: journey.Comparison{Led: arm(1000, 100, 3000), Kept: arm(500, 20, 3000), Until: now.Add(time.Hour)}}
	e, err := service(f, nil).JourneyEffect(t.Context(), "ws_1", "jrn_1")
	if err != nil || e.Judgement != report.Higher || e.ControlOf != report.HeldSource || e.Rates.Treated.Share != 0.1 || e.Rates.Control.Share != 0.04 || !e.Running {
		t.Errorf("%+v, %v", e, err)
	}
	if d := e.Revenue["JPY"]; d.Value != 180 || d.Judgement != report.Higher || e.Treated.Money["JPY"].Sum != 300_000 {
		t.Errorf("%+v", d)
	}
}
