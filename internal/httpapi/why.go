package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Why says why a person got something or not.
type Why struct {
	Outcome  string       `json:"outcome" enum:"sent,bounced,waits,refused,left_out,not_yet" doc:"sent: at least one message left and did not bounce; bounced, waits, refused: the latest one; left_out: not in the audience, or never came in; not_yet: nothing was asked for so far"`
	Messages []WhyMessage `json:"messages" doc:"that were asked for, refused ones included, newest first; at most 100"`
	Rounds   []Round      `json:"rounds" doc:"through the journey, newest first; at most 100"`
	Standing *WhyStanding `json:"standing,omitempty" doc:"of a campaign: how the person stands to it now"`
}

// WhyMessage is a message with its way through the gate.
type WhyMessage struct {
	Message
	Gate []GateStep `json:"gate" doc:"the gate's questions, in their order"`
}

// GateStep is one question of the gate.
type GateStep struct {
	Step    string `json:"step" enum:"content,person,address,consent,control,caps,quiet,sending"`
	Outcome string `json:"outcome" enum:"passed,failed,waits,not_asked"`
}

// WhyStanding is how a person stands to a campaign now.
type WhyStanding struct {
	Included []string       `json:"included" doc:"ids of the segments and lists of its audience that they are in"`
	Excluded []string       `json:"excluded" doc:"ids of those that keep them out"`
	Reason   string         `json:"reason,omitempty" doc:"why the gate would refuse or make wait; stable code"`
	Data     map[string]any `json:"data,omitempty" doc:"what the reason rests on"`
	At       *time.Time     `json:"at,omitempty" doc:"when it would go"`
	Gate     []GateStep     `json:"gate" doc:"how a message would go through the gate; empty if they are not in the audience"`
}

func gateShape(steps []outbox.CourseStep) []GateStep {
	out := make([]GateStep, len(steps))
	for i, s := range steps {
		out[i] = GateStep{s.Name, string(s.Outcome)}
	}
	return out
}

// mostWhy is how many messages and rounds an answer holds: whoever wants more has the lists of the person.
const mostWhy = 100

func (a *api) whyRoutes() {
	type asked struct {
		IDPath
		Campaign string `query:"campaign" maxLength:"60" doc:"id; either this or journey"`
		Journey  string `query:"journey" maxLength:"60"`
	}
	route(a, http.MethodGet, "/people/{id}/why", "person-why", "Why a person got something of a campaign or a journey, or not: each question of the gate with its answer", staff.PeopleRead, func(ctx context.Context, in *asked) (*body[Why], error) {
		ws := workspaceOf(ctx)
		if (in.Campaign == "") == (in.Journey == "") {
			return nil, errs.Invalid("why.source", "campaign", "name either a campaign or a journey")
		}
		need, source, kind := staff.CampaignsRead, in.Campaign, "campaign"
		if in.Journey != "" {
			need, source, kind = staff.JourneysRead, in.Journey, "journey"
		}
		if err := caller(ctx).Require(need); err != nil {
			return nil, err
		}
		p, err := a.c.People.Get(ctx, ws, in.ID)
		if err != nil {
			return nil, err
		}
		out := Why{Messages: []WhyMessage{}, Rounds: []Round{}}
		if kind == "campaign" {
			s, err := a.c.Campaigns.StandingOf(ctx, ws, source, p.Num)
			if err != nil {
				return nil, err
			}
			out.Standing = &WhyStanding{Included: append([]string{}, s.Included...), Excluded: append([]string{}, s.Excluded...), Gate: []GateStep{}}
			if d := s.Answer; d != nil {
				out.Standing.Reason, out.Standing.Data, out.Standing.Gate = d.Reason, d.Data, gateShape(d.Course(false))
				if d.Allowed {
					out.Standing.Reason, out.Standing.At = d.Waits, moment(d.DueAt)
				}
			}
		} else {
			if _, err := a.c.Journeys.Get(ctx, ws, source); err != nil {
				return nil, err
			}
			rounds := each(roundShape, func(ctx context.Context, q page.Request) (page.Of[journey.Instance], error) {
				return a.c.Journeys.OfPerson(ctx, ws, p.ID, q)
			})
			if err := rounds(ctx, func(row any) error {
				if r := row.(Round); r.Journey == source && len(out.Rounds) < mostWhy {
					out.Rounds = append(out.Rounds, r)
				}
				return nil
			}); err != nil {
				return nil, err
			}
		}
		messages := each(func(m outbox.Message) outbox.Message { return m }, func(ctx context.Context, q page.Request) (page.Of[outbox.Message], error) {
			return a.c.Outbox.PersonMessages(ctx, ws, p.ID, q)
		})
		if err := messages(ctx, func(row any) error {
			if m := row.(outbox.Message); m.Source.Kind == kind && m.Source.ID == source && len(out.Messages) < mostWhy {
				out.Messages = append(out.Messages, WhyMessage{messageShape(m, p), gateShape(m.Course())})
			}
			return nil
		}); err != nil {
			return nil, err
		}
		out.Outcome = out.outcome()
		return answer(out), a.saw(ctx, p.ID)
	})
}

func (w Why) outcome() string {
	for _, m := range w.Messages {
		if m.SentAt != nil && m.BouncedAt == nil {
			return "sent"
		}
	}
	if len(w.Messages) > 0 {
		switch m := w.Messages[0]; m.State {
		case string(outbox.Queued), string(outbox.Claimed), string(outbox.Sending):
			return "waits"
		case string(outbox.Bounced):
			return "bounced"
		}
		return "refused"
	}
	if s := w.Standing; s != nil && (len(s.Included) == 0 || len(s.Excluded) > 0) || s == nil && len(w.Rounds) == 0 {
		return "left_out"
	}
	return "not_yet"
}
