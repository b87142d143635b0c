package report

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Note is what people write beside a report: what was planned, what came of it, and what they change. Each change is a revision of
// its own; none is lost.
type Note struct {
	Subject string `json:"-"` // "campaign:<id>", "journey:<id>" or "report:<id>" of a saved one
	Rev     int64  `json:"-"` // from 1; 0: nothing has been written
	Plan    string `json:"plan,omitempty"`
	Result  string `json:"result,omitempty"`
	Change  string `json:"change,omitempty"`
	// Target is the indicator that was chosen before the start; nil: none.
	Target *Target   `json:"target,omitempty"`
	Author string    `json:"-"`
	At     time.Time `json:"-"`
}

// Target is a figure of the report and what it should come to.
type Target struct {
	Figure string  `json:"figure"` // a share such as conversion_rate
	Value  float64 `json:"value"`  // between 0 and 1
	AtMost bool    `json:"at_most,omitempty"`
}

// Verdict says how a figure stands to its target.
type Verdict string

// The verdicts.
const (
	Reached Verdict = "reached"
	Missed  Verdict = "missed"
	Unclear Verdict = "unclear" // the interval of the share holds the target: too few to say
)

// Judged is a note and how its target stands now.
type Judged struct {
	Note
	Actual  *Rate // nil without a target
	Verdict Verdict
}

// judge compares a share with the target.
func (t Target) judge(r Rate) Verdict {
	low, high := r.Low >= t.Value, r.High < t.Value
	if t.AtMost {
		low, high = r.High <= t.Value, r.Low > t.Value
	}
	switch {
	case low:
		return Reached
	case high:
		return Missed
	}
	return Unclear
}

const maxNote = 10_000

func (n Note) validate() error {
	for _, f := range []struct{ field, text string }{{"plan", n.Plan}, {"result", n.Result}, {"change", n.Change}} {
		if utf8.RuneCountInString(f.text) > maxNote {
			return errs.Invalid("note.length", f.field, "write at most %d characters", maxNote)
		}
	}
	if t := n.Target; t != nil {
		if _, ok := targets[t.Figure]; !ok {
			return errs.Invalid("note.target.figure", "target.figure", "%q is no share of a report; choose one such as conversion_rate", t.Figure)
		}
		if !(t.Value >= 0 && t.Value <= 1) {
			return errs.Invalid("note.target.value", "target.value", "a share lies between 0 and 1; 5 %% is 0.05")
		}
	}
	return nil
}

// targets are the shares that may be a target.
var targets = map[string]func(MessageFigures) Rate{
	"delivery_rate":    func(f MessageFigures) Rate { return f.Delivery },
	"bounce_rate":      func(f MessageFigures) Rate { return f.Bounce },
	"open_rate":        func(f MessageFigures) Rate { return f.Open },
	"click_rate":       func(f MessageFigures) Rate { return f.Click },
	"click_to_open":    func(f MessageFigures) Rate { return f.ClickToOpen },
	"conversion_rate":  func(f MessageFigures) Rate { return f.Conversion },
	"unsubscribe_rate": func(f MessageFigures) Rate { return f.Unsubscribe },
	"complaint_rate":   func(f MessageFigures) Rate { return f.Complaint },
}

// rates returns the figures of a note's subject; errs.NotFound if there is no such thing.
func (s *Service) rates(ctx context.Context, ws, subject string) (func(figure string) Rate, error) {
	kind, id, _ := strings.Cut(subject, ":")
	var f MessageFigures
	switch kind {
	case "campaign":
		c, err := s.Campaign(ctx, ws, id)
		if err != nil {
			return nil, err
		}
		f = c.Messages
	case "journey":
		j, err := s.Journey(ctx, ws, id)
		if err != nil {
			return nil, err
		}
		f = j.Messages
	case "report":
		r, err := s.c.Store.Saved(ctx, ws, id)
		if err != nil {
			return nil, err
		}
		t, err := s.Make(ctx, ws, r.Report, r.Params, page.Request{Limit: 1})
		if err != nil {
			return nil, err
		}
		return func(figure string) Rate {
			if r, ok := t.Total.Rates[figure]; ok {
				return r
			}
			return NewRate(0, 0)
		}, nil
	default:
		return nil, errs.NotFound("report", subject)
	}
	return func(figure string) Rate { return targets[figure](f) }, nil
}

// Note returns the note of a subject, Rev 0 if nothing has been written.
func (s *Service) Note(ctx context.Context, ws, subject string) (Judged, error) {
	rate, err := s.rates(ctx, ws, subject)
	if err != nil {
		return Judged{}, err
	}
	found, err := s.c.Store.Notes(ctx, ws, subject, page.Request{Limit: 1})
	if err != nil {
		return Judged{}, err
	}
	out := Judged{Note: Note{Subject: subject}}
	if len(found.Items) > 0 {
		out.Note = found.Items[0]
	}
	if t := out.Target; t != nil {
		r := rate(t.Figure)
		out.Actual, out.Verdict = &r, t.judge(r)
	}
	return out, nil
}

// Notes lists all revisions of a subject's note, latest first.
func (s *Service) Notes(ctx context.Context, ws, subject string, p page.Request) (page.Of[Note], error) {
	if _, err := s.rates(ctx, ws, subject); err != nil {
		return page.Of[Note]{}, err
	}
	return s.c.Store.Notes(ctx, ws, subject, p)
}

// Write adds a revision. n.Rev is the one that the author saw, 0 for the first; errs.Conflict if somebody has written meanwhile.
func (s *Service) Write(ctx context.Context, ws string, n Note) (Judged, error) {
	if err := n.validate(); err != nil {
		return Judged{}, err
	}
	n.At = s.c.Clock.Now()
	err := s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		now, err := s.Note(ctx, ws, n.Subject)
		if err != nil {
			return err
		}
		if now.Rev != n.Rev {
			return errs.Conflict("note.changed", "somebody else has written here meanwhile; load the note again and repeat the change")
		}
		next := n
		next.Rev++
		return s.c.Store.AddNote(ctx, ws, next)
	})
	if err != nil {
		return Judged{}, err
	}
	return s.Note(ctx, ws, n.Subject)
}
