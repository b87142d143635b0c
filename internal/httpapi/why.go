package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Why says why a person got something or not.
type Why struct {
	Outcome  string       `json:"outcome" enum:"sent,bounced,waits,refused,left_out,ended,not_yet" doc:"sent: at least one message left and did not bounce; bounced, waits, refused: the latest one; left_out: not in the audience, or never came in; ended: in the audience, but the campaign came to its end without asking; not_yet: nothing was asked for so far"`
	Messages []WhyMessage `json:"messages" doc:"that were asked for, refused ones included, newest first; of a series they are in its runs"`
	Rounds   []Round      `json:"rounds" doc:"through the journey, newest first; at most 100"`
	Runs     []WhyRun     `json:"runs" doc:"of the series, latest first"`
	Next     string       `json:"next,omitempty" doc:"cursor of the next messages, or of a series the next runs"`
	Standing *WhyStanding `json:"standing,omitempty" doc:"of a campaign: how the person stands to it now"`
	Recorded *WhyRecorded `json:"recorded,omitempty" doc:"of a campaign whose audience was fixed: what was true then"`
	Series   *WhySeries   `json:"series,omitempty"`
}

// WhyMessage is a message with its way through the gate.
type WhyMessage struct {
	Message
	Gate []GateStep `json:"gate" doc:"the gate's questions, in their order"`
}

// GateStep is one question of the gate.
type GateStep struct {
	Step    string         `json:"step" enum:"content,person,address,consent,control,caps,quiet,sending"`
	Outcome string         `json:"outcome" enum:"passed,failed,waits,not_asked"`
	Reason  string         `json:"reason,omitempty" doc:"why it failed or waits; stable code"`
	Data    map[string]any `json:"data,omitempty" doc:"what the reason rests on"`
	At      *time.Time     `json:"at,omitempty" doc:"of one that waits: when the message goes at the earliest"`
}

// WhyStanding is how a person stands to a campaign now.
type WhyStanding struct {
	Status    string     `json:"status" enum:"draft,review,scheduled,preparing,sending,paused,sent,cancelled,failed" doc:"of the campaign"`
	Scheduled *time.Time `json:"scheduled_at,omitempty" doc:"of the campaign"`
	Included  []string   `json:"included" doc:"ids of the segments and lists of its audience that they are in"`
	Excluded  []string   `json:"excluded" doc:"ids of those that keep them out"`
	At        *time.Time `json:"at,omitempty" doc:"when a message would go"`
	Gate      []GateStep `json:"gate" doc:"how a message would go through the gate; empty if they are not in the audience"`
}

// WhyRecorded is what was true when a campaign's audience was fixed.
type WhyRecorded struct {
	At   time.Time  `json:"at" doc:"when the audience was fixed"`
	In   bool       `json:"in" doc:"whether the person was in it: what was written down, whoever is in its sets today"`
	Due  *time.Time `json:"due_at,omitempty" doc:"when the person's turn comes, if it has not yet"`
	Sets []WhySet   `json:"sets" doc:"of the audience, as far as the log tells who was in them; lists keep no record"`
}

// WhySet is whether a person was in a set of a campaign's audience when that was fixed.
type WhySet struct {
	Set     string     `json:"set"`
	Keeps   bool       `json:"excludes" doc:"it keeps out instead of bringing in"`
	In      bool       `json:"in"`
	Since   *time.Time `json:"since,omitempty" doc:"when it had become so"`
	Changed *time.Time `json:"changed,omitempty" doc:"when it became otherwise"`
}

// WhySeries is where a series stands.
type WhySeries struct {
	Status string     `json:"status" enum:"draft,review,live,paused,ended"`
	NextAt *time.Time `json:"next_at,omitempty"`
}

// WhyRun is a run of a series and what came of it for the person.
type WhyRun struct {
	SeriesRun
	Outcome string      `json:"outcome" enum:"sent,bounced,waits,refused,left_out,ended,not_yet,no_run" doc:"as of a campaign; no_run: the run made none"`
	Message *WhyMessage `json:"message,omitempty" doc:"the latest one"`
}

func (a *api) whyRoutes() {
	route(a, http.MethodGet, "/people/{id}/why", "person-why", "Why a person got something, or not: each question of the gate with its answer", staff.PeopleRead, func(ctx context.Context, in *whyAsked) (*body[Why], error) {
		if err := in.check(); err != nil {
			return nil, err
		}
		need := staff.PeopleRead
		switch {
		case in.Campaign != "" || in.Series != "":
			need = staff.CampaignsRead
		case in.Journey != "":
			need = staff.JourneysRead
		}
		if err := caller(ctx).Require(need); err != nil {
			return nil, err
		}
		p, err := a.c.People.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		out, err := a.why(ctx, *in, p)
		if err != nil {
			return nil, err
		}
		return answer(out), a.saw(ctx, p.ID)
	})
}

// whyAsked names exactly one thing.
type whyAsked struct {
	PageAt
	Campaign     string `query:"campaign" maxLength:"60" doc:"id; name one of campaign, series, journey, template, key, message and confirmation"`
	Series       string `query:"series" maxLength:"60"`
	Journey      string `query:"journey" maxLength:"60"`
	Template     string `query:"template" maxLength:"60" doc:"what was sent by the API with it"`
	Key          string `query:"key" maxLength:"200" doc:"idempotency key of a message that was sent by the API"`
	Message      string `query:"message" maxLength:"60"`
	Confirmation bool   `query:"confirmation" doc:"mails that ask to confirm a subscription"`
}

func (q whyAsked) check() error {
	given := 0
	for _, v := range []string{q.Campaign, q.Series, q.Journey, q.Template, q.Key, q.Message} {
		if v != "" {
			given++
		}
	}
	if q.Confirmation {
		given++
	}
	if given != 1 {
		return errs.Invalid("why.source", "campaign", "name one of campaign, series, journey, template, key, message and confirmation")
	}
	return nil
}

func (a *api) why(ctx context.Context, q whyAsked, p person.Person) (Why, error) {
	ws := workspaceOf(ctx)
	out := Why{Messages: []WhyMessage{}, Rounds: []Round{}, Runs: []WhyRun{}}
	switch {
	case q.Message != "":
		m, err := a.c.Outbox.Message(ctx, ws, q.Message)
		if err != nil {
			return out, err
		}
		return a.whyOne(ctx, m, p, "message", q.Message)
	case q.Key != "":
		m, err := a.c.Outbox.ByKey(ctx, ws, apiKeys+q.Key)
		if err != nil {
			return out, err
		}
		return a.whyOne(ctx, m, p, "message", q.Key)
	case q.Series != "":
		return a.whySeries(ctx, q, p)
	case q.Campaign != "":
		c, err := a.c.Campaigns.Get(ctx, ws, q.Campaign)
		if err != nil {
			return out, err
		}
		if err := a.whyMessages(ctx, q, p, outbox.PersonFilter{Kind: "campaign", IDs: []string{c.ID}}, &out); err != nil {
			return out, err
		}
		return out, a.whyCampaign(ctx, c, p, &out)
	case q.Journey != "":
		if _, err := a.c.Journeys.Get(ctx, ws, q.Journey); err != nil {
			return out, err
		}
		if err := a.whyRounds(ctx, q.Journey, p, &out); err != nil {
			return out, err
		}
		err := a.whyMessages(ctx, q, p, outbox.PersonFilter{Kind: "journey", IDs: []string{q.Journey}}, &out)
		if out.Outcome == "not_yet" && len(out.Rounds) == 0 {
			out.Outcome = "left_out"
		}
		return out, err
	case q.Template != "":
		if _, err := a.c.Content.Get(ctx, ws, q.Template); err != nil {
			return out, err
		}
		return out, a.whyMessages(ctx, q, p, outbox.PersonFilter{Kind: "api", Template: q.Template}, &out)
	}
	return out, a.whyMessages(ctx, q, p, outbox.PersonFilter{Kind: "system", IDs: []string{"confirmation"}}, &out)
}

// whyOne answers for one message, which must be the person's.
func (a *api) whyOne(ctx context.Context, m outbox.Message, p person.Person, noun, id string) (Why, error) {
	out := Why{Rounds: []Round{}, Runs: []WhyRun{}}
	theirs, err := a.c.People.ByIDs(ctx, workspaceOf(ctx), []string{m.PersonID})
	if err != nil {
		return out, err
	}
	if theirs[m.PersonID].ID != p.ID {
		return out, errs.NotFound(noun, id)
	}
	shown, err := a.gated(ctx, p, []outbox.Message{m})
	if err != nil {
		return out, err
	}
	out.Messages, out.Outcome = shown, outcomeOf(m)
	return out, nil
}

// whyMessages adds a page of the messages and what came of all of them.
func (a *api) whyMessages(ctx context.Context, q whyAsked, p person.Person, f outbox.PersonFilter, out *Why) error {
	ws := workspaceOf(ctx)
	found, err := a.c.Outbox.PersonMessages(ctx, ws, p.ID, f, q.request())
	if err != nil {
		return err
	}
	out.Next = found.Next
	if out.Messages, err = a.gated(ctx, p, found.Items); err != nil {
		return err
	}
	latest, err := a.cameOf(ctx, p, f)
	if out.Outcome = "not_yet"; latest != nil {
		out.Outcome = outcomeOf(*latest)
	}
	return err
}

// cameOf returns the latest message that was sent and did not bounce, else the latest one; nil if there is none.
func (a *api) cameOf(ctx context.Context, p person.Person, f outbox.PersonFilter) (*outbox.Message, error) {
	var latest *outbox.Message
	for q := (page.Request{Limit: page.MaxLimit}); ; {
		found, err := a.c.Outbox.PersonMessages(ctx, workspaceOf(ctx), p.ID, f, q)
		if err != nil {
			return nil, err
		}
		for i, m := range found.Items {
			if outcomeOf(m) == "sent" {
				return &found.Items[i], nil
			}
			if latest == nil {
				latest = &found.Items[i]
			}
		}
		if q.Cursor = found.Next; q.Cursor == "" {
			return latest, nil
		}
	}
}

func outcomeOf(m outbox.Message) string {
	switch {
	case m.State == outbox.Queued || m.State == outbox.Claimed:
		return "waits"
	case m.State == outbox.Bounced || !m.BouncedAt.IsZero():
		return "bounced"
	case !m.SentAt.IsZero():
		return "sent"
	}
	return "refused"
}

// gated shows messages with their ways through the gate.
func (a *api) gated(ctx context.Context, p person.Person, messages []outbox.Message) ([]WhyMessage, error) {
	waits, err := a.c.Outbox.Waits(ctx, workspaceOf(ctx), messages)
	if err != nil {
		return nil, err
	}
	out := make([]WhyMessage, len(messages))
	for i, m := range messages {
		gate := gateShape(m.Course(), m.Data, time.Time{})
		if w, ok := waits[m.ID]; ok {
			gate = gateShape(w.Course(m), w.Data, w.At)
		}
		out[i] = WhyMessage{messageShape(m, p), gate}
	}
	return out, nil
}

func gateShape(steps []outbox.CourseStep, data outbox.Evidence, at time.Time) []GateStep {
	out := make([]GateStep, len(steps))
	for i, s := range steps {
		out[i] = GateStep{Step: s.Name, Outcome: string(s.Outcome), Reason: s.Reason}
		if s.Reason != "" {
			out[i].Data = data
		}
		if s.Outcome == outbox.StepWaits {
			out[i].At = moment(at)
		}
	}
	return out
}

// whyCampaign adds how the person stands to a campaign, and how they stood when its audience was fixed.
func (a *api) whyCampaign(ctx context.Context, c campaign.Campaign, p person.Person, out *Why) error {
	ws := c.Workspace
	s, err := a.c.Campaigns.StandingOf(ctx, ws, c.ID, p.Num)
	if err != nil {
		return err
	}
	out.Standing = &WhyStanding{Status: string(c.Status), Scheduled: moment(c.ScheduledAt), Included: append([]string{}, s.Included...), Excluded: append([]string{}, s.Excluded...), Gate: []GateStep{}}
	if d := s.Answer; d != nil {
		out.Standing.Gate = gateShape(d.Course(false), d.Data, d.DueAt)
		if d.Allowed {
			out.Standing.At = moment(d.DueAt)
		}
	}
	in := len(s.Included) > 0 && len(s.Excluded) == 0
	then, err := a.recorded(ctx, c, p)
	if err != nil {
		return err
	}
	if out.Recorded = then; then != nil {
		in = then.In
	}
	if out.Outcome == "not_yet" {
		out.Outcome = asked(c, in)
	}
	return nil
}

// asked is the outcome of a campaign that has asked for no message to somebody who is, or was, in its audience.
func asked(c campaign.Campaign, in bool) string {
	switch {
	case !in:
		return "left_out"
	case c.Status == campaign.Sent || c.Status == campaign.Cancelled || c.Status == campaign.Failed:
		return "ended"
	}
	return "not_yet"
}

// recorded returns what was true when the campaign's audience was fixed, nil if it is not.
func (a *api) recorded(ctx context.Context, c campaign.Campaign, p person.Person) (*WhyRecorded, error) {
	if c.StartedAt.IsZero() {
		return nil, nil
	}
	nums, err := a.c.People.Nums(ctx, c.Workspace, p.Num)
	if err != nil {
		return nil, err
	}
	r, err := a.c.Campaigns.RecordedOf(ctx, c, nums)
	if err != nil {
		return nil, err
	}
	was, err := a.c.Segments.PresenceAt(ctx, c.Workspace, nums, r.At)
	if err != nil {
		return nil, err
	}
	out := &WhyRecorded{At: r.At, In: r.In, Due: moment(r.DueAt), Sets: []WhySet{}}
	add := func(sets []string, excludes bool) {
		for _, set := range sets {
			if p, ok := was[set]; ok {
				out.Sets = append(out.Sets, WhySet{set, excludes, p.In, moment(p.Since), moment(p.Changed)})
			}
		}
	}
	add(c.Audience.Include, false)
	add(c.Audience.Exclude, true)
	return out, nil
}

// mostRounds is how many rounds an answer holds: whoever wants more has the list of the person.
const mostRounds = 100

func (a *api) whyRounds(ctx context.Context, id string, p person.Person, out *Why) error {
	rounds := each(roundShape, func(ctx context.Context, q page.Request) (page.Of[journey.Instance], error) {
		return a.c.Journeys.OfPerson(ctx, p.Workspace, p.ID, q)
	})
	return rounds(ctx, func(row any) error {
		if r := row.(Round); r.Journey == id && len(out.Rounds) < mostRounds {
			out.Rounds = append(out.Rounds, r)
		}
		return nil
	})
}

// whySeries answers for a series: a page of its runs, and what came of all of them.
func (a *api) whySeries(ctx context.Context, q whyAsked, p person.Person) (Why, error) {
	ws := workspaceOf(ctx)
	out := Why{Messages: []WhyMessage{}, Rounds: []Round{}, Runs: []WhyRun{}}
	s, err := a.c.Campaigns.GetSeries(ctx, ws, q.Series)
	if err != nil {
		return out, err
	}
	out.Series = &WhySeries{string(s.Status), moment(s.NextAt)}
	found, err := a.c.Campaigns.SeriesRuns(ctx, ws, s.ID, q.request())
	if err != nil {
		return out, err
	}
	out.Next = found.Next
	nums, err := a.c.People.Nums(ctx, ws, p.Num)
	if err != nil {
		return out, err
	}
	for _, r := range found.Items {
		run, err := a.whyRun(ctx, r, p, nums)
		if err != nil {
			return out, err
		}
		out.Runs = append(out.Runs, run)
	}
	out.Outcome, err = a.seriesOutcome(ctx, s, p, out.Runs)
	return out, err
}

func (a *api) whyRun(ctx context.Context, r campaign.Run, p person.Person, nums []uint64) (WhyRun, error) {
	ws := p.Workspace
	run := WhyRun{SeriesRun: runShape(r), Outcome: "no_run"}
	if r.Campaign == "" {
		return run, nil
	}
	latest, err := a.cameOf(ctx, p, outbox.PersonFilter{Kind: "campaign", IDs: []string{r.Campaign}})
	if err != nil {
		return run, err
	}
	if latest != nil {
		shown, err := a.gated(ctx, p, []outbox.Message{*latest})
		if err != nil {
			return run, err
		}
		run.Message, run.Outcome = &shown[0], outcomeOf(*latest)
		return run, nil
	}
	c, err := a.c.Campaigns.Get(ctx, ws, r.Campaign)
	if err != nil {
		return run, err
	}
	then, err := a.c.Campaigns.RecordedOf(ctx, c, nums)
	run.Outcome = asked(c, then.In || then.At.IsZero())
	return run, err
}

// seriesOutcome is what came of all runs: sent, if any was; else what came of the latest that made a campaign.
func (a *api) seriesOutcome(ctx context.Context, s campaign.Series, p person.Person, shown []WhyRun) (string, error) {
	latest := ""
	for _, r := range shown {
		if r.Outcome != "no_run" && latest == "" {
			latest = r.Outcome
		}
	}
	for q := (page.Request{Limit: page.MaxLimit}); ; {
		found, err := a.c.Campaigns.SeriesRuns(ctx, s.Workspace, s.ID, q)
		if err != nil {
			return "", err
		}
		ids := []string{}
		for _, r := range found.Items {
			if r.Campaign != "" {
				ids = append(ids, r.Campaign)
			}
		}
		m, err := a.cameOf(ctx, p, outbox.PersonFilter{Kind: "campaign", IDs: ids})
		if err != nil {
			return "", err
		}
		switch {
		case m != nil && outcomeOf(*m) == "sent":
			return "sent", nil
		case m != nil && latest == "":
			latest = outcomeOf(*m)
		}
		if q.Cursor = found.Next; q.Cursor == "" {
			break
		}
	}
	if latest == "" {
		latest = "not_yet"
	}
	return latest, nil
}
