package httpapi

import (
	"fmt"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// SendingPolicy is what a workspace allows itself. Transactional messages are not touched by it.
type SendingPolicy struct {
	Quiet   []QuietHours `json:"quiet" maxItems:"20"`
	Caps    []Cap        `json:"caps" maxItems:"20"`
	Holdout float64      `json:"holdout" minimum:"0" maximum:"50" doc:"percent of all people who get nothing, always the same ones, so that the effect of everything together can be measured"`
	Reserve int          `json:"reserve_hours,omitempty" minimum:"0" maximum:"168" doc:"for how many hours ahead places under caps are kept for messages of higher priority that wait already; only for those that are due if left out"`
	Rev     int64        `json:"revision,omitempty" doc:"grows with each change. To write, the one that the editor saw: another one in between is a conflict, 0 overwrites whatever is there"`
	Salt    string       `json:"holdout_salt,omitempty" readOnly:"true" doc:"the rule {\"bucket\": {\"salt\": ..., \"from\": 0, \"to\": holdout}} is the segment of these people"`
}

// QuietHours is a time of day, where the person lives, in which nothing goes out.
type QuietHours struct {
	Channel string `json:"channel,omitempty" doc:"every channel if left out"`
	From    string `json:"from" example:"21:00"`
	To      string `json:"to" example:"08:00" doc:"not after from: on the next day"`
	Days    []int  `json:"days,omitempty" doc:"days on which it begins, 0 is Sunday; every day if left out"`
	Then    string `json:"then,omitempty" enum:"hold,refuse" default:"hold" doc:"hold: goes out when they end"`
}

// Cap limits how many messages a person gets.
type Cap struct {
	Channel  string `json:"channel,omitempty" doc:"all channels together if left out"`
	Topic    string `json:"topic,omitempty" doc:"all topics together if left out"`
	Limit    int    `json:"limit" minimum:"1"`
	Days     int    `json:"days" minimum:"1"`
	Calendar bool   `json:"calendar,omitempty" doc:"calendar days where the person lives, today included; otherwise days of 24 hours up to now"`
	Retry    int    `json:"retry_hours,omitempty" minimum:"0" doc:"how long a message may wait for its turn; it is refused at once if left out"`
}

func (p SendingPolicy) policy() (outbox.Policy, error) {
	out := outbox.Policy{Holdout: p.Holdout, Reserve: p.Reserve, Rev: p.Rev}
	for i, q := range p.Quiet {
		one := outbox.Quiet{Channel: q.Channel, Refuse: q.Then == "refuse"}
		for _, f := range []struct {
			name, text string
			to         *outbox.Clock
		}{{"from", q.From, &one.From}, {"to", q.To, &one.To}} {
			c, err := outbox.ParseClock(f.text)
			if err != nil {
				return out, errs.Invalid("outbox.policy.clock", fmt.Sprintf("quiet[%d].%s", i, f.name), "%v", err)
			}
			*f.to = c
		}
		for _, d := range q.Days {
			one.Days = append(one.Days, time.Weekday(d))
		}
		out.Quiet = append(out.Quiet, one)
	}
	for _, c := range p.Caps {
		out.Caps = append(out.Caps, outbox.Cap(c))
	}
	return out, nil
}

func policyShape(p outbox.Policy) SendingPolicy {
	out := SendingPolicy{Quiet: []QuietHours{}, Caps: []Cap{}, Holdout: p.Holdout, Reserve: p.Reserve, Rev: p.Rev, Salt: p.Salt}
	for _, q := range p.Quiet {
		one := QuietHours{Channel: q.Channel, From: q.From.String(), To: q.To.String(), Then: "hold"}
		if q.Refuse {
			one.Then = "refuse"
		}
		for _, d := range q.Days {
			one.Days = append(one.Days, int(d))
		}
		out.Quiet = append(out.Quiet, one)
	}
	for _, c := range p.Caps {
		out.Caps = append(out.Caps, Cap(c))
	}
	return out
}
