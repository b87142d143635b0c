package journey

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Trial asks to rehearse a journey with one person, real or made up, and events that are made up.
type Trial struct {
	Version int    // 0: the draft
	Person  string // id; empty: somebody made up, who may be written to on every channel
	Traits  map[string]any
	At      time.Time    // when the person enters; zero: now
	Trigger TrialEvent   // what lets them in, whatever the trigger says
	Events  []TrialEvent // what they do afterwards
	Replies []TrialReply // of webhooks; one that is left out never answers
}

// TrialReply is what another server is imagined to say to a webhook.
type TrialReply struct {
	Node   string
	Status int             // of the HTTP answer; 0: it never answers
	Body   json.RawMessage // JSON, for the steps that follow; may be empty
}

// TrialEvent is something that is made up to happen: an event, or a change of traits.
type TrialEvent struct {
	After      time.Duration // after the entering
	Name       string
	Traits     map[string]any // instead of a name; a nil value removes the trait
	Properties json.RawMessage
}

// Trace is what a trial came to.
type Trace struct {
	Instance Instance // how it stands at the end
	Steps    []Step
	Matches  bool // the trigger would have let the event in
	Letters  []TrialLetter
	Until    time.Time // when the rehearsal ended
	Endless  bool
}

const (
	maxTrialEvents = 100
	trialLength    = 400 * 24 * time.Hour
	trialPerson    = "per_made_up"
)

// Try rehearses a journey with one person, jumping from one step to the next, for up to 400 days. Nothing is stored or sent.
func (s *Service) Try(ctx context.Context, ws, journey string, t Trial) (Trace, error) {
	if len(t.Events) > maxTrialEvents {
		return Trace{}, errs.Invalid("journey.trial.events", "events", "at most %d events", maxTrialEvents)
	}
	j, _, p, err := s.rehearsed(ctx, ws, journey, t.Version)
	if err != nil {
		return Trace{}, err
	}
	home, err := s.home(ctx, ws)
	if err != nil {
		return Trace{}, err
	}
	subject := &rule.Subject{ID: trialPerson, Traits: map[string]any{}, Channels: everyChannel(p)}
	zones := homes{home: home}
	if t.Person != "" {
		names, all := p.needs()
		found, err := s.c.Subjects.Subjects(ctx, ws, []string{t.Person}, names, all)
		if err != nil {
			return Trace{}, err
		}
		if subject = found[t.Person]; subject == nil {
			return Trace{}, errs.NotFound("person", t.Person)
		}
		if zones, err = s.homes(ctx, ws, []string{t.Person}); err != nil {
			return Trace{}, err
		}
	}
	today := maps.Clone(subject.Traits)
	for name, v := range t.Traits {
		if subject.Traits == nil {
			subject.Traits = map[string]any{}
		}
		subject.Traits[name] = v
	}
	at := t.At
	if at.IsZero() {
		at = s.c.Clock.Now()
	}
	for n, e := range t.Events {
		if (e.Name == "") == (len(e.Traits) == 0) {
			return Trace{}, errs.Invalid("journey.trial.event", fmt.Sprintf("events[%d].name", n), "say what happens: an event, or traits that change")
		}
	}
	replies := map[string]node.Answer{}
	for n, a := range t.Replies {
		field := fmt.Sprintf("answers[%d].", n)
		switch {
		case p.nodes[a.Node] == nil || p.nodes[a.Node].kind != node.Webhook.Kind:
			return Trace{}, errs.Invalid("journey.trial.answer", field+"node", "the journey has no webhook %q; name one of its webhooks", a.Node)
		case a.Status != 0 && (a.Status < 100 || a.Status > 599):
			return Trace{}, errs.Invalid("journey.trial.status", field+"status", "%d is no status of HTTP; give 100 to 599, or 0 for no answer", a.Status)
		case a.Status != 0:
			replies[a.Node] = node.Answer{OK: a.Status >= 200 && a.Status < 300, Status: a.Status, Body: a.Body, Tries: 1}
		}
	}
	made := func(n int, e TrialEvent) event.Kept {
		when := at.Add(e.After).UTC()
		if len(e.Traits) > 0 {
			raw, err := json.Marshal(e.Traits)
			if err != nil { // they came as JSON
				raw = json.RawMessage("{}")
			}
			return event.Kept{Person: subject.Num, Position: event.Position{Seq: ^uint64(0) >> 1, Index: n}, Event: event.Event{
				Workspace: ws, MessageID: fmt.Sprintf("trial_%d", n), Type: event.Identify, PersonID: subject.ID, Time: when, Received: when, Origin: event.Internal, Properties: raw,
			}}
		}
		return event.Kept{Person: subject.Num, Position: event.Position{Seq: ^uint64(0) >> 1, Index: n}, Event: event.Event{
			Workspace: ws, MessageID: fmt.Sprintf("trial_%d", n), Type: event.Track, Name: e.Name, PersonID: subject.ID, Time: when, Received: when, Origin: event.Internal, Properties: e.Properties,
		}}
	}
	first := made(0, t.Trigger)
	subject.Events = slices.DeleteFunc(slices.Clone(subject.Events), func(e event.Kept) bool { return e.Time.After(at) })
	subject.Events = append(subject.Events, first)
	slices.SortStableFunc(t.Events, func(a, b TrialEvent) int { return cmp.Compare(a.After, b.After) })
	for n, e := range t.Events {
		subject.Events = append(subject.Events, made(n+1, e))
	}
	var policy outbox.Policy
	if s.c.Policies != nil {
		if policy, err = s.c.Policies.Policy(ctx, ws); err != nil {
			return Trace{}, err
		}
	}
	out := Trace{Matches: p.trigger.match.Match(first), Until: at.Add(trialLength)}
	r := &rehearsal{plan: p, journey: j, policy: policy, subject: subject, zone: zoneOf(subject, zones), home: home, from: at, to: out.Until, once: true, replies: replies}
	r.note = func(w Walk, now time.Time) {
		out.Instance = w.Instance
		out.Steps = append(out.Steps, w.Steps...)
	}
	entry := p.EventEntry(j, subject.ID, first)
	entry.Kind, entry.Received = ByManual, at
	r.first = &entry
	out.Endless = !r.run()
	out.Letters = r.letters
	for _, l := range out.Letters {
		if t.Person == "" {
			break
		}
		for name, v := range today {
			if now, still := l.Traits[name]; !still {
				l.Traits[name] = nil
			} else if reflect.DeepEqual(now, v) {
				delete(l.Traits, name)
			}
		}
	}
	return out, nil
}

// everyChannel lets somebody made up be written to wherever the journey writes.
func everyChannel(p *Plan) map[string]rule.Channel {
	topics := map[string]bool{}
	for _, s := range p.nodes {
		for _, t := range s.needs.Topics {
			topics[t] = true
		}
	}
	out := map[string]rule.Channel{}
	for _, kind := range []string{"email", "sms", "push", "wechat", "line", "webpush", "inapp", "whatsapp"} {
		out[kind] = rule.Channel{Reachable: true, Topics: topics}
	}
	return out
}

func zoneOf(s *rule.Subject, h homes) *time.Location { return node.ZoneOf(s, h.of(s.ID)) }
