package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/secret"
	"github.com/kizuna-cx/kizuna/internal/kit/trace"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

// People is what the outbox asks about people; person.Service answers.
type People interface {
	ByIDs(ctx context.Context, ws string, ids []string) (map[string]person.Person, error)
	ByNums(ctx context.Context, ws string, nums []uint64) ([]person.Person, error)
}

// Content is what the outbox asks about what messages say; content.Service answers.
type Content interface {
	Get(ctx context.Context, ws, templateID string) (content.Template, error)
	// Render errs with KindInvalid or KindNotFound if the message cannot be made and could not be made next time.
	Render(ctx context.Context, ws, templateID string, version int, vars map[string]any, o content.RenderOptions) (content.Rendered, error)
}

// Config is what a Service needs.
type Config struct {
	Store    Store
	Accounts AccountStore
	Returns  ReturnStore
	Follows  FollowStore
	Tx       tx.Runner
	Emitter  event.Emitter
	Clock    clock.Clock
	People   People
	Consent  *consent.Service
	Content  Content
	Channels []channel.Spec
	Box      *secret.Box
	BaseURL  string // where this installation is reached by the people who get messages, "https://mail.example.com"
	Log      *slog.Logger
	// Zone is where people live whose zone is not known; nil: UTC.
	Zone func(ctx context.Context, ws string) (*time.Location, error)
	// Needs are the categories of consent that somebody must not have declined to get what is not transactional; nil: there are none.
	Needs func(ctx context.Context, ws string) ([]string, error)
	// Shared returns what every message of a source may name in its template beside its own values, nil if nothing; nil: nothing ever. It must
	// not change once a message of the source exists.
	Shared func(ctx context.Context, ws string, src Source) (map[string]any, error)
	// Known reports whether somebody has a mail address; nil: nobody has any.
	Known func(ctx context.Context, ws, address string) (bool, error)
	// Signers are the keys that sign mail from a domain; nil: nothing is signed.
	Signers func(ctx context.Context, ws, domain string) ([]channel.Signer, error)
	// Allowance is what the operator lets workspaces send; nil: as much as they like.
	Allowance Allowance
	// Paused reports whether a campaign or journey is paused, so that what it has asked for stays; nil: none ever is.
	Paused func(ctx context.Context, ws string, src Source) (bool, error)
	// Unwanted returns which of the messages, which have waited, have lost their sense for whoever asked for them, by id, and why; nil: none ever has.
	Unwanted func(ctx context.Context, ws string, messages []Message) (map[string]Evidence, error)
}

// Allowance is how many messages workspaces may send a day. A message counts when it goes for the first time.
type Allowance interface {
	// Left returns how many may still go today, when the next day begins, and the limit of a day: 0 if there is none.
	Left(ctx context.Context, ws string) (left int64, next time.Time, limit int64, err error)
	// Take counts messages in the transaction in which Left was asked.
	Take(ctx context.Context, ws string, n int64) error
	// Note counts messages where there is no limit, or, below zero, such that were counted and did not go.
	Note(ws string, n int64)
}

// Service is the outbox but for the sending itself, which is the Dispatcher's.
type Service struct {
	store     Store
	accounts  AccountStore
	returns   ReturnStore
	follows   FollowStore
	tx        tx.Runner
	emitter   event.Emitter
	clock     clock.Clock
	people    People
	consent   *consent.Service
	content   Content
	channels  []channel.Spec
	box       *secret.Box
	links     *Links
	log       *slog.Logger
	zone      func(ctx context.Context, ws string) (*time.Location, error)
	needs     func(ctx context.Context, ws string) ([]string, error)
	shared    func(ctx context.Context, ws string, src Source) (map[string]any, error)
	known     func(ctx context.Context, ws, address string) (bool, error)
	strangers senderLimits
	signers   func(ctx context.Context, ws, domain string) ([]channel.Signer, error)
	allowance Allowance
	paused    func(ctx context.Context, ws string, src Source) (bool, error)
	unwanted  func(ctx context.Context, ws string, messages []Message) (map[string]Evidence, error)
	hurry     chan struct{}
}

// New returns a Service and makes it watch consent.
func New(c Config) *Service {
	s := &Service{
		store: c.Store, accounts: c.Accounts, tx: c.Tx, emitter: c.Emitter, clock: c.Clock, people: c.People,
		consent: c.Consent, content: c.Content, channels: c.Channels, box: c.Box, links: NewLinks(c.BaseURL, c.Box), log: c.Log, zone: c.Zone, needs: c.Needs, shared: c.Shared, signers: c.Signers, allowance: c.Allowance,
		returns: c.Returns, follows: c.Follows, known: c.Known, paused: c.Paused, unwanted: c.Unwanted,
		hurry: make(chan struct{}, 1),
	}
	if s.known == nil {
		s.known = func(context.Context, string, string) (bool, error) { return false, nil }
	}
	c.Consent.Watch(s)
	c.Consent.AskWith(s)
	return s
}

// Hurry makes the Dispatcher of this process look at the queue at once, for those who wait at a screen for a message that was just asked for. It is called after the transaction
// of Enqueue; without it, and in another process, the message is found at the next poll.
func (s *Service) Hurry() {
	select {
	case s.hurry <- struct{}{}:
	default:
	}
}

// Enqueue decides on each request, in order, and queues what may go. It joins the caller's transaction and stores every decision;
// a key that was used before gives the earlier decision. It errs only if the store does, or if a request is
// malformed (no workspace, person, channel, template or key).
func (s *Service) Enqueue(ctx context.Context, reqs []Request) (out []Decision, err error) {
	err = s.tx.InTx(ctx, func(ctx context.Context) error {
		asked, err := s.Weigh(ctx, reqs)
		if err != nil {
			return err
		}
		out, err = s.Keep(ctx, asked)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Weighed are requests that were decided on and are not stored yet.
type Weighed struct {
	Requests []Request
	parts    []part
}

// part is what was decided for one workspace.
type part struct {
	ws      string
	indexes []int // of the requests
	used    map[string]Message
	fresh   []*Message
	bodies  map[string]*Body
	byKey   map[string]*Message
}

// Weigh is the first half of Enqueue: it decides, and stores nothing. Outside a transaction it keeps nobody from writing while it reads. What changes before Keep
// does no harm: every message meets the gate again before it goes.
func (s *Service) Weigh(ctx context.Context, reqs []Request) (*Weighed, error) {
	a := &Weighed{Requests: reqs}
	at := map[string]int{}
	for i, r := range reqs {
		if err := r.validate(); err != nil {
			return nil, err
		}
		n, ok := at[r.Workspace]
		if !ok {
			n = len(a.parts)
			at[r.Workspace] = n
			a.parts = append(a.parts, part{ws: r.Workspace})
		}
		a.parts[n].indexes = append(a.parts[n].indexes, i)
	}
	for i := range a.parts {
		if err := s.weigh(ctx, &a.parts[i], reqs); err != nil {
			return nil, fmt.Errorf("enqueue: %w", err)
		}
	}
	return a, nil
}

// Keep is the second half: it stores what Weigh has decided, and joins the caller's transaction. It may be called again if that is repeated. Keys that were
// used since give the earlier decision.
func (s *Service) Keep(ctx context.Context, a *Weighed) ([]Decision, error) {
	out := make([]Decision, len(a.Requests))
	err := s.tx.InTx(ctx, func(ctx context.Context) error {
		for i := range a.parts {
			if err := s.keep(ctx, &a.parts[i], a.Requests, out); err != nil {
				return fmt.Errorf("enqueue: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (r Request) validate() error {
	for _, f := range []struct{ name, value string }{
		{"workspace", r.Workspace}, {"person_id", r.PersonID}, {"channel", r.Channel}, {"key", r.Key}, {"source", r.Source.Kind},
	} {
		if f.value == "" {
			return errs.Invalid("outbox.request."+f.name+"_missing", f.name, "a message needs a %s", strings.ReplaceAll(f.name, "_", " "))
		}
	}
	if r.Template == "" && r.Body == nil {
		return errs.Invalid("outbox.request.template_missing", "template", "a message needs a template or words of its own")
	}
	if r.Body != nil {
		if err := r.Body.Validate(r.Template == ""); err != nil {
			return err
		}
	}
	if r.Address != "" && !validAddress(r.Channel, r.Address) {
		return errs.Invalid("outbox.request.address_invalid", "address", "%q is no address for %s", r.Address, r.Channel)
	}
	if id.Key(r.Key) != r.Key {
		return errs.Invalid("outbox.request.key_invalid", "key", "an idempotency key is a short text without control characters")
	}
	return nil
}

func (s *Service) weigh(ctx context.Context, p *part, reqs []Request) (err error) {
	keys := make([]string, len(p.indexes))
	for n, i := range p.indexes {
		keys[n] = reqs[i].Key
	}
	ctx, span := trace.Start(ctx, "outbox")
	span.Text("kizuna.workspace", p.ws)
	span.Count("kizuna.messages", len(keys))
	defer func() { span.Done(err) }()
	if p.used, err = s.store.ByKeys(ctx, p.ws, keys); err != nil {
		return err
	}
	now := s.clock.Now()
	p.fresh = make([]*Message, 0, len(p.indexes))
	var holdouts []float64
	p.bodies = map[string]*Body{}
	p.byKey = make(map[string]*Message, len(p.indexes))
	for _, i := range p.indexes {
		r := &reqs[i]
		if _, ok := p.used[r.Key]; ok || p.byKey[r.Key] != nil {
			continue
		}
		m := r.message(now)
		m.Trace, m.Hops = trace.Of(ctx, m.PersonID), event.HopsOf(ctx, m.PersonID)
		if r.Body != nil {
			p.bodies[m.ID] = r.Body
		}
		p.byKey[r.Key] = m
		p.fresh, holdouts = append(p.fresh, m), append(holdouts, r.Holdout)
	}
	if len(p.fresh) == 0 {
		return nil
	}
	verdicts, err := s.decide(ctx, p.ws, p.fresh, holdouts, now)
	if err != nil {
		return err
	}
	for i, m := range p.fresh {
		if v := verdicts[i]; v.refused() {
			m.State, m.Reason, m.Data, m.EndedAt = Refused, v.reason, v.data, now
		}
	}
	return nil
}

func (s *Service) keep(ctx context.Context, p *part, reqs []Request, out []Decision) error {
	used := maps.Clone(p.used)
	if len(p.fresh) > 0 {
		var err error
		if used, err = s.insert(ctx, p.ws, p.fresh, used); err != nil {
			return err
		}
		if err := s.keepBodies(ctx, p.ws, p.fresh, used, p.bodies); err != nil {
			return err
		}
	}
	for _, i := range p.indexes {
		key := reqs[i].Key
		if m, ok := used[key]; ok {
			out[i] = decision(m, true)
			continue
		}
		out[i] = decision(*p.byKey[key], false)
		used[key] = *p.byKey[key] // again in the same call: a duplicate
	}
	return nil
}

// insert stores fresh messages and tells of the refused ones. It returns used plus what another transaction was faster with.
func (s *Service) insert(ctx context.Context, ws string, fresh []*Message, used map[string]Message) (map[string]Message, error) {
	rows := make([]Message, len(fresh))
	goals := map[string]bool{}
	for i, m := range fresh {
		rows[i] = *m
		if m.Goal.Event != "" {
			goals[m.Goal.Event] = true
		}
	}
	n, err := s.store.Insert(ctx, ws, rows)
	if err != nil {
		return nil, err
	}
	if n != int64(len(rows)) {
		keys := make([]string, len(rows))
		for i, m := range rows {
			keys[i] = m.Key
		}
		stored, err := s.store.ByKeys(ctx, ws, keys)
		if err != nil {
			return nil, err
		}
		for _, m := range rows {
			if other, ok := stored[m.Key]; ok && other.ID != m.ID {
				used[m.Key] = other
			}
		}
	}
	if err := s.noteGoals(ctx, ws, goals); err != nil {
		return nil, err
	}
	var events []event.Event
	for _, m := range rows {
		if _, other := used[m.Key]; !other && m.State == Refused {
			events = append(events, told(m, event.MessageRefused, "refused", m.CreatedAt, m.CreatedAt, map[string]any{"reason": m.Reason, "data": m.Data}))
		}
	}
	return used, s.emit(ctx, events)
}

// keepBodies stores what belongs to messages that will go.
func (s *Service) keepBodies(ctx context.Context, ws string, fresh []*Message, used map[string]Message, bodies map[string]*Body) error {
	for _, m := range fresh {
		if _, other := used[m.Key]; other || m.State == Refused || bodies[m.ID] == nil {
			continue
		}
		sealed, err := s.sealBody(bodies[m.ID])
		if err != nil {
			return err
		}
		if err := s.store.PutBody(ctx, ws, m.ID, sealed); err != nil {
			return fmt.Errorf("store body: %w", err)
		}
	}
	return nil
}

// noteGoals writes goal events that are new; the usual case is that all are known.
func (s *Service) noteGoals(ctx context.Context, ws string, events map[string]bool) error {
	known, err := s.store.Goals(ctx, ws)
	if err != nil {
		return err
	}
	for _, k := range known {
		delete(events, k)
	}
	if len(events) == 0 {
		return nil
	}
	fresh := make([]string, 0, len(events))
	for e := range events {
		fresh = append(fresh, e)
	}
	slices.Sort(fresh)
	return s.store.NoteGoals(ctx, ws, fresh)
}

func (s *Service) emit(ctx context.Context, events []event.Event) error {
	if len(events) == 0 {
		return nil
	}
	if err := s.emitter.Emit(ctx, events...); err != nil {
		return fmt.Errorf("emit message events: %w", err)
	}
	return nil
}

func (r *Request) message(now time.Time) *Message {
	m := &Message{
		ID: id.New("msg"), Workspace: r.Workspace, PersonID: r.PersonID, Channel: r.Channel, Topic: r.Topic, Template: r.Template,
		Source: r.Source, Key: r.Key, Vars: r.Vars, Transactional: r.Transactional, Goal: r.Goal.Filled(),
		TemplateVersion: r.Version, Priority: r.Priority, Body: r.Body != nil, Address: r.Address, Given: r.Address != "", Print: r.Print,
		State: Queued, CreatedAt: now, NotBefore: now, DueAt: now,
	}
	if r.NotBefore.After(now) {
		m.NotBefore = clock.Trunc(r.NotBefore)
		m.DueAt = m.NotBefore
	}
	return m
}

func decision(m Message, duplicate bool) Decision {
	d := Decision{MessageID: m.ID, Allowed: m.State != Refused, Duplicate: duplicate, Print: m.Print, Data: m.Data, DueAt: m.DueAt}
	switch {
	case !d.Allowed:
		d.Reason = m.Reason
	case m.State == Queued:
		d.Waits = m.Reason
	}
	return d
}

// told makes an event about a message. suffix and the message id make its own id, so that repeating it is harmless.
func told(m Message, name, suffix string, at, now time.Time, extra map[string]any) event.Event {
	props := map[string]any{
		"message_id": m.ID, "channel": m.Channel, "topic": m.Topic, "template": m.Template,
		"source_kind": m.Source.Kind, "source_id": m.Source.ID, "node": m.Source.Node,
	}
	if m.Source.Version != 0 {
		props["source_version"] = m.Source.Version
	}
	for k, v := range extra {
		props[k] = v
	}
	raw, _ := json.Marshal(props) // strings and numbers always marshal
	hops := m.Hops
	switch name {
	case event.MessageOpened, event.MessageClicked, event.MessageReplied, event.MessageConverted, event.MessageUnsubscribed, event.MessageComplained:
		if extra["machine"] != true {
			hops = 0 // what a person does is a new beginning
		}
	}
	return event.Event{
		Workspace: m.Workspace, MessageID: "msg:" + m.ID + ":" + suffix, Type: event.Message, Name: name, PersonID: m.PersonID,
		Time: at, Received: now, Origin: event.Internal, Properties: raw, Trace: m.Trace, Hops: hops,
	}
}

// heard tells the trace of a message that something came back of it, and lets the event go on from there.
func heard(ctx context.Context, e *event.Event) {
	ctx, span := trace.Continue(ctx, "answer", e.Trace, trace.Internal)
	if !span.Traced() {
		return
	}
	span.Text("kizuna.workspace", e.Workspace)
	span.Text("kizuna.event", e.Name)
	e.Trace = trace.Of(ctx, e.PersonID)
	span.End()
}

// ConsentRestricted takes back what is claimed but not in flight, so that it meets the gate again; see consent.Watcher.
func (s *Service) ConsentRestricted(ctx context.Context, ws string, personIDs []string) error {
	return s.store.Recall(ctx, ws, personIDs)
}

// PeopleMerged gives the loser's messages to the winner; see person.MergeObserver.
func (s *Service) PeopleMerged(ctx context.Context, ws string, loser, winner person.Ref) error {
	return s.store.Repoint(ctx, ws, loser.ID, winner.ID)
}

// CancelSource cancels what a campaign, journey or (with Node set) one of its nodes has not sent yet, and returns how
// many messages that were. Messages in flight cannot be taken back.
func (s *Service) CancelSource(ctx context.Context, ws string, src Source) (int64, error) {
	return s.store.Cancel(ctx, ws, src, s.clock.Now())
}

// Cancel takes back one message that has not left. One that was cancelled before stays as it is; any other end is a conflict.
func (s *Service) Cancel(ctx context.Context, ws, messageID string) (Message, error) {
	var out Message
	err := s.tx.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.store.CancelOne(ctx, ws, messageID, s.clock.Now()); err != nil {
			return err
		}
		var err error
		if out, err = s.store.Message(ctx, ws, messageID); err != nil {
			return err
		}
		if out.State != Cancelled {
			return errs.Conflict("message.not_waiting", "this message is %s; only one that waits can be cancelled", out.Shown())
		}
		return nil
	})
	return out, err
}

// ByKey returns the message that was asked for with an idempotency key, or not_found.
func (s *Service) ByKey(ctx context.Context, ws, key string) (Message, error) {
	found, err := s.store.ByKeys(ctx, ws, []string{key})
	if err != nil {
		return Message{}, err
	}
	m, ok := found[key]
	if !ok {
		return Message{}, errs.NotFound("message", key)
	}
	return m, nil
}

// StopSending stops all sending of a workspace until ResumeSending: nothing that is not in flight goes out after it has returned.
func (s *Service) StopSending(ctx context.Context, ws string) error {
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.store.SetStopped(ctx, ws, true, s.clock.Now()); err != nil {
			return err
		}
		return s.store.Recall(ctx, ws, nil)
	})
}

// ResumeSending lets a stopped workspace send again, with what waits.
func (s *Service) ResumeSending(ctx context.Context, ws string) error {
	return s.store.SetStopped(ctx, ws, false, s.clock.Now())
}

// ResumeAfresh lets a stopped workspace send again and cancels all that waits, whoever asked for it: after a restore nobody knows which of it was sent.
func (s *Service) ResumeAfresh(ctx context.Context, ws string) (cancelled int64, err error) {
	err = s.tx.InTx(ctx, func(ctx context.Context) error {
		now := s.clock.Now()
		if cancelled, err = s.store.CancelWaiting(ctx, ws, now); err != nil {
			return err
		}
		return s.store.SetStopped(ctx, ws, false, now)
	})
	return cancelled, err
}

// WaitingBySource counts what waits by who asked for it, most first.
func (s *Service) WaitingBySource(ctx context.Context, ws string) ([]Waiting, error) {
	return s.store.WaitingBySource(ctx, ws)
}

// SendingStopped returns since when a workspace's sending is stopped, zero if it is not.
func (s *Service) SendingStopped(ctx context.Context, ws string) (time.Time, error) {
	return s.store.Stopped(ctx, ws)
}
