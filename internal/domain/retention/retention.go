package retention

import (
	"errors"
	"fmt"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Bounds of a policy, in days.
const (
	// LedgerDays is the least for orders and invoices: ten years, as books must be kept in Germany (§ 147 AO) and Japan (法人税法施行規則 59 with a loss carried forward).
	LedgerDays = 3653
	// LeastDays leaves time for events that come late, and for the pipeline to have seen them.
	LeastDays = 7
	MostDays  = 36525
	maxTerms  = 500
)

// Rule is how long events of a kind are kept.
type Rule struct {
	event.Kind     // without a name: all of the type that no other rule names
	Days       int `json:"days"` // 0: as long as the workspace
}

// Policy is how long events are kept. The zero value keeps everything.
type Policy struct {
	Days  int    `json:"days"` // what no rule names; 0: as long as the workspace
	Rules []Rule `json:"rules"`
}

// limitable are the types that a policy may name.
var limitable = map[event.Type]bool{
	event.Track: true, event.Page: true, event.Screen: true, event.Message: true, event.Segment: true, event.Journey: true, event.Task: true, event.Standing: true, event.Invoice: true,
}

// Validate reports everything that is wrong with the policy.
func (p Policy) Validate() error {
	var all []error
	days := func(field string, n, least int) {
		if n != 0 && (n < least || n > MostDays) {
			all = append(all, errs.Invalid("retention.days", field, "write 0 for ever, or %d to %d days", least, MostDays))
		}
	}
	days("days", p.Days, LeastDays)
	if len(p.Rules) > maxTerms {
		all = append(all, errs.Invalid("retention.rules", "rules", "at most %d rules", maxTerms))
	}
	seen := map[event.Kind]bool{}
	for i, r := range p.Rules {
		at := fmt.Sprintf("rules[%d]", i)
		switch {
		case !limitable[r.Type]:
			all = append(all, errs.Invalid("retention.type", at+".type", "events of the type %q are kept as long as the person; choose another type", r.Type))
		case r.Kind != event.KindOf(&event.Event{Type: r.Type, Name: r.Name}):
			all = append(all, errs.Invalid("retention.name", at+".name", "pages and screens are kept by type; leave the name out"))
		case r.Lasting() != "":
			all = append(all, errs.Invalid("retention.lasting", at+".name", "%s proves what a person has agreed to and is kept as long as the person; remove the rule", r.Name))
		case seen[r.Kind]:
			all = append(all, errs.Invalid("retention.twice", at+".name", "there are two rules for this; leave one"))
		case r.Ledger():
			if r.Days != 0 && r.Days < LedgerDays {
				all = append(all, errs.Invalid("retention.ledger", at+".days", "orders and invoices are kept for %d days at least, or for ever (0)", LedgerDays))
			} else {
				days(at+".days", r.Days, LeastDays)
			}
		default:
			days(at+".days", r.Days, LeastDays)
		}
		seen[r.Kind] = true
	}
	return errors.Join(all...)
}

// DaysOf is how long events of a kind are kept, 0: as long as the person or the workspace.
func (p Policy) DaysOf(k event.Kind) int {
	if k.Lasting() != "" {
		return 0
	}
	days := p.Days
	for _, r := range p.Rules {
		switch {
		case r.Kind == k:
			return atLeast(r.Days, k)
		case r.Type == k.Type && r.Name == "":
			days = r.Days
		}
	}
	return atLeast(days, k)
}

// atLeast lifts what a rule for more kinds than one says to what the kind needs.
func atLeast(days int, k event.Kind) int {
	if days != 0 && k.Ledger() {
		return max(days, LedgerDays)
	}
	return days
}

// terms are those of the kinds that are not kept for ever.
func (p Policy) terms(kinds []event.Age, now time.Time) []event.Term {
	var out []event.Term
	for _, k := range kinds {
		if days := p.DaysOf(k.Kind); days > 0 {
			out = append(out, event.Term{Kind: k.Kind, Since: now.AddDate(0, 0, -days)})
		}
	}
	return out
}

// Gone says that events of a kind that happened before a moment were removed.
type Gone struct {
	event.Kind
	Before time.Time
	Count  int64
}

// Receipt is what a removal has done.
type Receipt struct {
	ID         string // of its job
	By         string // name of who asked; empty: the policy itself
	Lines      []Gone
	Rewritten  bool // the files were written anew, so that the bytes are gone as well
	Segments   int  // evaluated again
	StartedAt  time.Time
	FinishedAt time.Time
}

// Count is how many events went.
func (r Receipt) Count() int64 {
	var n int64
	for _, l := range r.Lines {
		n += l.Count
	}
	return n
}

// Asker is a segment that asks for events that are not kept as long as it asks back.
type Asker struct {
	ID, Name string
	Limits   []Limit
}

// Limit is how far back a kind of event can be known, where somebody asks further back.
type Limit struct {
	event.Kind
	Days   int       // that it is kept, 0: for ever
	Before time.Time // what happened before is not known, or will not be after the next removal
}
