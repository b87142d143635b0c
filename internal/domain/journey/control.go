package journey

import (
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/rule/leaf"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Holdout keeps a share of those who would enter out of the journey and watches whether they reach its goal all the same: the control, against
// which the effect of the journey is measured. Who belongs to it follows from the salt and the person's id alone, as in the rule "bucket".
type Holdout struct {
	Percent float64 `json:"percent" minimum:"0" maximum:"50"`
	Salt    string  `json:"salt,omitempty" maxLength:"100" doc:"journeys with one salt keep the same people out; the journey's id if left out"`
}

// What is tallied of the control at journey level: rounds begun, people watched now, goals, revenue by currency. Late goals are those of
// treated people who had left the journey before they reached its goal within the window: with Goals they make up what compares to the control.
const (
	ControlIn      = "control"
	ControlNow     = "control_inside"
	ControlGoals   = "control_goal"
	ControlRevenue = "control_revenue"
	LateGoals      = "late_goal"
	LateRevenue    = "late_revenue"
)

const maxHoldout = 50

func (p *Plan) addHoldout(g Graph, fail func(error)) {
	if g.Holdout == nil {
		return
	}
	p.holdout = *g.Holdout
	if !(p.holdout.Percent >= 0 && p.holdout.Percent <= maxHoldout) {
		fail(errs.Invalid("journey.holdout.percent", "holdout.percent", "between 0 and %d percent of the people", maxHoldout))
	}
	if p.holdout.Percent > 0 && (g.Goal == nil || g.Goal.Window == nil) {
		fail(errs.Invalid("journey.holdout.goal", "goal.window", "a holdout needs the journey's goal and its window: without them there is nothing to compare"))
	}
}

// holdsOut reports whether the person belongs to the control.
func (p *Plan) holdsOut(journey, person string) bool {
	salt := p.holdout.Salt
	if salt == "" {
		salt = journey
	}
	return p.holdout.Percent > 0 && leaf.Share(salt, person) < p.holdout.Percent
}

// control makes the walk of somebody who is watched instead of led.
func (p *Plan) control(i Instance) Walk {
	i.Control, i.Node, i.Due = true, "", i.Entered.Add(p.window)
	w := Walk{Instance: i}
	w.tally("", ControlIn, 1)
	w.tally("", ControlNow, 1)
	return w
}

// runControl ends the watch once the window of the goal has closed.
func (p *Plan) runControl(w *Walk, now time.Time) {
	due := w.Instance.Entered.Add(p.window)
	if now.Before(due) {
		w.rest(due)
		return
	}
	w.finish(Done, "control", node.Because("control"), nil, now)
}

// reaches reports whether the event is the journey's goal for a round, in time.
func (p *Plan) reaches(i Instance, e event.Kept) bool {
	return p.goal != nil && follows(e, i.Memory.Trigger) && p.goal.Match(e) && (p.window == 0 || !e.Time.After(i.Entered.Add(p.window)))
}

// HearLate notes the goal of a round that has ended without it, so that led and kept-out people are measured for equally long.
func (p *Plan) HearLate(i Instance, e event.Kept) (Walk, bool) {
	w := Walk{Instance: i}
	if p.holdout.Percent == 0 || i.Control || i.Inside() || i.Goal != nil || !p.reaches(i, e) {
		return w, false
	}
	by := node.ReachedBy(e, p.aimed.Value).GoalBy
	w.late = true
	w.Instance.GoalAt, w.Instance.Goal = by.Time, by
	w.tally("", LateGoals, 1)
	if by.Currency != "" {
		w.tally("", LateRevenue+":"+by.Currency, by.Minor)
	}
	return w, true
}

// finishControl is finish for somebody who was watched.
func (w *Walk) finishControl(by *node.Reached) {
	w.tally("", ControlNow, -1)
	if by == nil {
		return
	}
	w.Instance.GoalAt, w.Instance.Goal = by.Time, by
	w.tally("", ControlGoals, 1)
	if by.Currency != "" {
		w.tally("", ControlRevenue+":"+by.Currency, by.Minor)
	}
}
