package standing

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Stage is where somebody is in the relation.
type Stage string

// The stages, in the order of a relation.
const (
	Anonymous Stage = "anonymous" // seen, and nobody knows who it is
	Lead      Stage = "lead"      // known, and has not bought
	Fresh     Stage = "new"       // bought for the first time lately
	Active    Stage = "active"
	WonBack   Stage = "won_back" // bought again after having been dormant or churned
	AtRisk    Stage = "at_risk"  // silent for longer than usual
	Dormant   Stage = "dormant"
	Churned   Stage = "churned"
)

// Stages lists them.
var Stages = []Stage{Anonymous, Lead, Fresh, Active, WonBack, AtRisk, Dormant, Churned}

// Participation is how a member takes part (R045).
type Participation string

// The tiers.
const (
	Author     Participation = "author"
	Occasional Participation = "occasional"
	Silent     Participation = "silent" // there, and neither writes nor reacts
)

// Level is how personally somebody is looked after (R044).
type Level string

// The levels.
const (
	HighTouch Level = "high"
	LowTouch  Level = "low"
	TechTouch Level = "tech"
)

// Scheme is how a workspace judges.
type Scheme struct {
	WindowDays int      `json:"window_days"`     // orders this old still count for F and M
	Fixed      *Fixed   `json:"fixed,omitempty"` // thresholds chosen by hand; nil: by the people's own quintiles, once a day
	Labels     []Label  `json:"labels"`          // first match wins; the last matches everybody
	Life       Life     `json:"lifecycle"`       // when one stage becomes another
	Part       Part     `json:"participation"`   // what counts as taking part
	High       []string `json:"high_touch"`      // labels whose people get high-touch service
	Low        []string `json:"low_touch"`       // and low-touch; everybody else is tech-touch
}

// Cuts are the four values between the five scores: a value above the n-th scores n+1 at least.
type Cuts [4]int64

// Fixed is a set of thresholds: days since the last order, orders, and net minor units by currency.
type Fixed struct {
	Days   Cuts            `json:"days"`
	Orders Cuts            `json:"orders"`
	Spent  map[string]Cuts `json:"spent"` // ISO 4217 code -> minor units
}

// Range is a span of scores, both ends included.
type Range struct {
	From int `json:"from"`
	To   int `json:"to"`
}

func (r Range) has(n int) bool { return r.From <= n && n <= r.To }

// Label is a name for a part of the R-F-M cube.
type Label struct {
	Key     string `json:"key"`            // one of the ten that are worded in every language, or the workspace's own
	Name    string `json:"name,omitempty"` // of one's own; empty: by Key
	Recency Range  `json:"r"`
	Freq    Range  `json:"f"`
	Money   Range  `json:"m"`
}

// Life is when stages end. Factors multiply the person's usual gap between orders (the median of their own, or of everybody's as long
// as they have fewer than three orders).
type Life struct {
	NewDays     int     `json:"new_days"`
	AtRisk      float64 `json:"at_risk"`
	Dormant     float64 `json:"dormant"`
	Churned     float64 `json:"churned"`
	ChurnedDays int     `json:"churned_days"` // at the latest
}

// Part is what counts as taking part.
type Part struct {
	Days    int      `json:"days"`    // looked back
	Write   []string `json:"write"`   // events of authors
	React   []string `json:"react"`   // events of those who join in
	Authors int      `json:"authors"` // so many of Write make an author
}

// DefaultScheme is what a workspace begins with. Label ranges differ from publication to publication (two releases of one well-known R
// package disagree), so they are data; the factors of the stages are those of the field's common practice.
func DefaultScheme() Scheme {
	any := Range{1, 5}
	return Scheme{
		WindowDays: 365,
		Labels: []Label{
			{Key: "champions", Recency: Range{4, 5}, Freq: Range{4, 5}, Money: Range{4, 5}},
			{Key: "cant_lose", Recency: Range{1, 2}, Freq: Range{4, 5}, Money: Range{4, 5}},
			{Key: "loyal", Recency: Range{3, 5}, Freq: Range{4, 5}, Money: any},
			{Key: "at_risk", Recency: Range{1, 2}, Freq: Range{3, 5}, Money: any},
			{Key: "potential_loyal", Recency: Range{4, 5}, Freq: Range{2, 3}, Money: any},
			{Key: "new", Recency: Range{5, 5}, Freq: Range{1, 1}, Money: any},
			{Key: "promising", Recency: Range{4, 4}, Freq: Range{1, 1}, Money: any},
			{Key: "need_attention", Recency: Range{3, 3}, Freq: Range{2, 3}, Money: any},
			{Key: "about_to_sleep", Recency: Range{2, 3}, Freq: Range{1, 2}, Money: any},
			{Key: "lost", Recency: any, Freq: any, Money: any},
		},
		Life: Life{NewDays: 30, AtRisk: 1.5, Dormant: 2.5, Churned: 4, ChurnedDays: 365},
		Part: Part{
			Days: 90, Authors: 3,
			Write: []string{"Review Submitted", "Post Created", "Idea Submitted", "Answer Posted"},
			React: []string{"Comment Posted", "Reaction Added", "Poll Answered", "Contest Entered"},
		},
		High: []string{"champions", "cant_lose", "loyal"},
		Low:  []string{"at_risk", "potential_loyal", "need_attention"},
	}
}

const (
	maxLabels = 30
	maxNames  = 50
	// fallbackGap is the usual gap between orders as long as nobody has bought twice.
	fallbackGap = 90 * day
	day         = 24 * time.Hour
)

// Validate reports the first mistake, with the field that holds it.
func (s Scheme) Validate() error {
	bad := func(field, msg string, args ...any) error {
		return errs.Invalid("standing.scheme", field, msg, args...)
	}
	switch {
	case s.WindowDays < 1 || s.WindowDays > 3650:
		return bad("window_days", "give 1 to 3650 days")
	case len(s.Labels) == 0 || len(s.Labels) > maxLabels:
		return bad("labels", "give 1 to %d labels", maxLabels)
	case s.Life.NewDays < 1 || s.Life.NewDays > 365:
		return bad("lifecycle.new_days", "give 1 to 365 days")
	case s.Life.AtRisk < 1:
		return bad("lifecycle.at_risk", "give a factor of 1 or more: below it people would be at risk before they usually buy")
	case s.Life.Dormant <= s.Life.AtRisk:
		return bad("lifecycle.dormant", "give a factor above that of at_risk (%g)", s.Life.AtRisk)
	case s.Life.Churned <= s.Life.Dormant || s.Life.Churned > 100:
		return bad("lifecycle.churned", "give a factor above that of dormant (%g), at most 100", s.Life.Dormant)
	case s.Life.ChurnedDays < s.Life.NewDays || s.Life.ChurnedDays > 3650:
		return bad("lifecycle.churned_days", "give %d (new_days) to 3650 days", s.Life.NewDays)
	case s.Part.Days < 1 || s.Part.Days > 365:
		return bad("participation.days", "give 1 to 365 days")
	case s.Part.Authors < 1 || s.Part.Authors > 1000:
		return bad("participation.authors", "give 1 to 1000 events")
	case len(s.Part.Write)+len(s.Part.React) > maxNames:
		return bad("participation.write", "name at most %d events in both lists together", maxNames)
	}
	keys := map[string]bool{}
	for i, l := range s.Labels {
		field := fmt.Sprintf("labels[%d]", i)
		if l.Key == "" || len(l.Key) > 50 || strings.Trim(l.Key, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			return bad(field+".key", "give a key of a to z, 0 to 9 and _, at most 50 characters")
		}
		if keys[l.Key] {
			return bad(field+".key", "%q stands there twice", l.Key)
		}
		keys[l.Key] = true
		for name, r := range map[string]Range{"r": l.Recency, "f": l.Freq, "m": l.Money} {
			if r.From < 1 || r.To > 5 || r.From > r.To {
				return bad(field+"."+name, "give a span within 1 to 5")
			}
		}
		if i := s.shadowed(i); i >= 0 {
			return bad(field, "nobody can get this label: labels before it take all its scores; move it up or change its spans")
		}
	}
	if last := s.Labels[len(s.Labels)-1]; last.Recency != (Range{1, 5}) || last.Freq != (Range{1, 5}) || last.Money != (Range{1, 5}) {
		return bad(fmt.Sprintf("labels[%d]", len(s.Labels)-1), "the last label must match everybody (1 to 5 in r, f and m), so that nobody is without one")
	}
	for field, list := range map[string][]string{"high_touch": s.High, "low_touch": s.Low} {
		for _, k := range list {
			if !keys[k] {
				return bad(field, "%q is no label", k)
			}
		}
	}
	if f := s.Fixed; f != nil {
		cuts := map[string]Cuts{"fixed.days": f.Days, "fixed.orders": f.Orders}
		for cur, c := range f.Spent {
			cuts["fixed.spent."+cur] = c
		}
		for field, c := range cuts {
			if !slices.IsSorted(c[:]) || c[0] < 0 {
				return bad(field, "give four values, none below zero, each at least as large as the one before")
			}
		}
	}
	return nil
}

// shadowed returns i if labels before the i-th take every score of it, else -1.
func (s Scheme) shadowed(i int) int {
	l := s.Labels[i]
	for r := l.Recency.From; r <= l.Recency.To; r++ {
		for f := l.Freq.From; f <= l.Freq.To; f++ {
			for m := l.Money.From; m <= l.Money.To; m++ {
				if s.label(r, f, m) == l.Key {
					return -1
				}
			}
		}
	}
	return i
}

// label returns the key of the first label that matches.
func (s Scheme) label(r, f, m int) string {
	for _, l := range s.Labels {
		if l.Recency.has(r) && l.Freq.has(f) && l.Money.has(m) {
			return l.Key
		}
	}
	return ""
}

// names lists the events that a judgement reads.
func (s Scheme) names() []string {
	return append(append(append([]string{}, judged...), s.Part.Write...), s.Part.React...)
}
