package consent

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

// Watcher learns that less is allowed than before, inside the transaction that says so. The outbox takes messages back that are
// about to go.
type Watcher interface {
	// ConsentRestricted names the people concerned; nil means that anyone may be.
	ConsentRestricted(ctx context.Context, ws string, personIDs []string) error
}

// People finds out whom an event belongs to.
type People interface {
	// PersonIDs returns the ids of the people with these numbers; unknown ones are left out.
	PersonIDs(ctx context.Context, ws string, nums []uint64) (map[uint64]string, error)
}

// Config is what a Service needs.
type Config struct {
	Store   Store
	Tx      tx.Runner
	Emitter event.Emitter
	Hasher  Hasher
	People  People      // used by ApplyEvents alone
	Known   Identifiers // nil: it is not known by what people are known, and a part of someone keeps all that suppressed them
	// Everybody has segments and all that depends on people look again at everybody soon after the transaction that it joins; nil: nobody depends on
	// what people have agreed to.
	Everybody func(ctx context.Context, ws string) error
	// Confirmation refuses a template as a topic's confirmation mail; nil: any will do.
	Confirmation func(ctx context.Context, ws, template string) error
	Clock        clock.Clock
}

// Service holds the rules of consent.
type Service struct {
	store    Store
	tx       tx.Runner
	emitter  event.Emitter
	hasher   Hasher
	people   People
	known    Identifiers
	all      func(ctx context.Context, ws string) error
	letter   func(ctx context.Context, ws, template string) error
	clock    clock.Clock
	watchers []Watcher
	asker    Asker
}

// New returns a Service.
func New(c Config) *Service {
	return &Service{store: c.Store, tx: c.Tx, emitter: c.Emitter, hasher: c.Hasher, people: c.People, known: c.Known, all: c.Everybody, letter: c.Confirmation, clock: c.Clock}
}

// Watch adds a watcher; not to be called once the service is in use.
func (s *Service) Watch(w Watcher) { s.watchers = append(s.watchers, w) }

func (s *Service) restricted(ctx context.Context, ws string, people []string) error {
	for _, w := range s.watchers {
		if err := w.ConsentRestricted(ctx, ws, people); err != nil {
			return fmt.Errorf("tell of restricted consent: %w", err)
		}
	}
	return nil
}

// everybody has everybody looked at again.
func (s *Service) everybody(ctx context.Context, ws string) error {
	if s.all == nil {
		return nil
	}
	if err := s.all(ctx, ws); err != nil {
		return fmt.Errorf("have everybody looked at again: %w", err)
	}
	return nil
}

// Change records statements, joins the caller's transaction, and emits an event for each that makes a difference. Statements with a
// cause that was recorded before change nothing.
func (s *Service) Change(ctx context.Context, ws string, changes ...Change) error {
	if len(changes) == 0 {
		return nil
	}
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		topics, err := s.store.Topics(ctx, ws)
		if err != nil {
			return err
		}
		known := make(map[string]Topic, len(topics)+1)
		known[AllTopics] = Topic{ID: AllTopics}
		for _, t := range topics {
			known[t.ID] = t
		}
		for _, c := range changes {
			if err := c.validate(known); err != nil {
				return err
			}
		}
		return s.record(ctx, ws, known, changes)
	})
}

func (c Change) validate(known map[string]Topic) error {
	switch {
	case c.PersonID == "":
		return errs.Invalid("consent.change.person_missing", "person_id", "say who it is about")
	case known[c.Topic].ID == "":
		return errs.NotFound("topic", c.Topic)
	case c.Channel == "":
		return errs.Invalid("consent.change.channel_missing", "channel", "name the channel, e.g. email")
	case c.Status != Subscribed && c.Status != Unsubscribed:
		return errs.Invalid("consent.change.status_unknown", "status", "use subscribed or unsubscribed")
	case c.Source == "":
		return errs.Invalid("consent.change.source_missing", "source", "say where the person agreed or refused; consent without a source proves nothing")
	}
	return nil
}

// Subscribe records a yes to one topic.
func (s *Service) Subscribe(ctx context.Context, ws string, c Change) error {
	c.Status = Subscribed
	return s.Change(ctx, ws, c)
}

// Unsubscribe records a no to one topic, or to AllTopics.
func (s *Service) Unsubscribe(ctx context.Context, ws string, c Change) error {
	c.Status = Unsubscribed
	return s.Change(ctx, ws, c)
}

// SubscribeMany records a yes of many people, as an import brings them; the changes' Status is set. Whoever imports vouches for the
// proof: nobody is asked to confirm.
func (s *Service) SubscribeMany(ctx context.Context, ws string, changes []Change) error {
	changes = slices.Clone(changes)
	for i := range changes {
		changes[i].Status, changes[i].Confirmed = Subscribed, true
	}
	return s.Change(ctx, ws, changes...)
}

// Sources and evidence come from outside; more than this proves nothing more.
const (
	maxSource   = 200
	maxEvidence = 2000
	maxIP       = 64
)

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

type stateKey struct{ person, topic, channel string }

// record writes history and states of valid changes, and emits what differs.
func (s *Service) record(ctx context.Context, ws string, topics map[string]Topic, changes []Change) error {
	now := s.clock.Now()
	records := make([]Record, 0, len(changes))
	people := make([]string, 0, len(changes))
	for _, c := range changes {
		if c.At.IsZero() || c.At.After(now) {
			c.At = now
		}
		c.At = clock.Trunc(c.At)
		c.Source, c.Evidence, c.IP = cut(c.Source, maxSource), cut(c.Evidence, maxEvidence), cut(c.IP, maxIP)
		if c.TextVersion == 0 {
			c.TextVersion = topics[c.Topic].TextVersion
		}
		if c.Status == Subscribed && topics[c.Topic].OptIn == Double && !c.Confirmed {
			c.Status = Pending
		}
		r := Record{Change: c, Recorded: now}
		if c.Cause == "" {
			r.ID = id.New("cns")
		} else {
			r.ID = id.Key(strings.Join([]string{c.Cause, c.Topic, c.Channel}, "/"))
		}
		records = append(records, r)
		people = append(people, c.PersonID)
	}
	added, err := s.store.AddRecords(ctx, ws, records)
	if err != nil {
		return fmt.Errorf("record consent: %w", err)
	}
	if len(added) == 0 {
		return nil
	}
	slices.Sort(people)
	before, err := s.store.States(ctx, ws, slices.Compact(people))
	if err != nil {
		return fmt.Errorf("read consent: %w", err)
	}
	current := make(map[stateKey]State, len(before))
	for _, st := range before {
		current[stateKey{st.PersonID, st.Topic, st.Channel}] = st
	}
	var states []State
	var events []event.Event
	var refused []string
	var asks []Record
	for _, r := range records {
		if !added[r.ID] {
			continue
		}
		delete(added, r.ID) // a cause named twice in one call counts once
		key := stateKey{r.PersonID, r.Topic, r.Channel}
		old, had := current[key]
		st := State{PersonID: r.PersonID, Topic: r.Topic, Channel: r.Channel, Status: r.Status, Source: r.Source, At: r.At}
		if had && !st.newer(old) || st.Status == Pending && old.Status == Subscribed { // who has confirmed need not do it again
			continue
		}
		if r.Yields && r.Status == Subscribed && (old.Status == Unsubscribed || current[stateKey{r.PersonID, AllTopics, r.Channel}].Status == Unsubscribed) {
			continue
		}
		if st.Status == Pending {
			asks = append(asks, r)
		}
		current[key] = st
		states = append(states, st)
		if !had || old.Status != st.Status {
			events = append(events, changed(ws, r, now))
			if st.Status == Unsubscribed {
				refused = append(refused, r.PersonID)
			}
		}
	}
	if err := s.store.PutStates(ctx, ws, states); err != nil {
		return fmt.Errorf("write consent: %w", err)
	}
	if len(refused) > 0 {
		if err := s.restricted(ctx, ws, refused); err != nil {
			return err
		}
	}
	if err := s.emit(ctx, events); err != nil {
		return err
	}
	return s.askToConfirm(ctx, ws, topics, asks)
}

func (s *Service) emit(ctx context.Context, events []event.Event) error {
	if len(events) == 0 {
		return nil
	}
	if err := s.emitter.Emit(ctx, events...); err != nil {
		return fmt.Errorf("emit consent events: %w", err)
	}
	return nil
}

func changed(ws string, r Record, now time.Time) event.Event {
	name := event.TopicSubscribed
	switch r.Status {
	case Unsubscribed:
		name = event.TopicUnsubscribed
	case Pending:
		name = event.TopicPending
	}
	return internal(ws, "consent:"+r.ID, name, r.PersonID, r.At, now, map[string]string{
		"topic": r.Topic, "channel": r.Channel, "source": r.Source,
	})
}

func internal(ws, messageID, name, personID string, at, now time.Time, props map[string]string) event.Event {
	raw, _ := json.Marshal(props) // strings always marshal
	return event.Event{
		Workspace: ws, MessageID: messageID, Type: event.Consent, Name: name, PersonID: personID,
		Time: at, Received: now, Origin: event.Internal, Properties: raw,
	}
}

// History returns what a person said and when, latest first.
func (s *Service) History(ctx context.Context, ws, personID string, p page.Request) (page.Of[Record], error) {
	return s.store.Records(ctx, ws, personID, p)
}

// States tells, for each person and channel, what they allow. addresses holds each person's address per channel; a person
// without an address on a channel is not suppressed there. Every person asked for has an entry with every channel that
// a topic is sent on or an address was given for.
func (s *Service) States(ctx context.Context, ws string, personIDs []string, addresses map[string]map[string]string) (map[string]map[string]Channel, error) {
	topics, err := s.store.Topics(ctx, ws)
	if err != nil {
		return nil, fmt.Errorf("read topics: %w", err)
	}
	states, err := s.store.States(ctx, ws, personIDs)
	if err != nil {
		return nil, fmt.Errorf("read consent: %w", err)
	}
	said := make(map[stateKey]*State, len(states))
	for i := range states {
		said[stateKey{states[i].PersonID, states[i].Topic, states[i].Channel}] = &states[i]
	}
	suppressed, err := s.suppressed(ctx, ws, personIDs, addresses)
	if err != nil {
		return nil, err
	}
	settings, err := s.store.Settings(ctx, ws, personIDs)
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	var channels []string
	for _, t := range topics {
		if !t.Archived {
			channels = append(channels, t.Channels...)
		}
	}
	slices.Sort(channels)
	channels = slices.Compact(channels)

	out := make(map[string]map[string]Channel, len(personIDs))
	for _, pid := range personIDs {
		per := make(map[string]Channel, len(channels))
		for _, ch := range channels {
			c := Channel{Topics: make(map[string]bool, len(topics)), Settings: settings[pid]}
			all := said[stateKey{pid, AllTopics, ch}]
			for _, t := range topics {
				if !t.Sent(ch) {
					continue
				}
				own := said[stateKey{pid, t.ID, ch}]
				ok, declined := allowed(t, own, all)
				c.Topics[t.ID] = ok
				if own != nil && own.Status == Pending && !ok {
					if c.Pending == nil {
						c.Pending = map[string]time.Time{}
					}
					c.Pending[t.ID] = own.At
				}
				if declined {
					if c.Declined == nil {
						c.Declined = map[string]bool{}
					}
					c.Declined[t.ID] = true
				}
			}
			per[ch] = c
		}
		for ch, addr := range addresses[pid] {
			c := per[ch]
			if entry, ok := suppressed[ch+"\x00"+addr]; ok {
				c.Suppressed, c.Reason = true, entry.Reason
			}
			per[ch] = c
		}
		out[pid] = per
	}
	return out, nil
}

// suppressed returns the entries for the addresses, by channel, a zero byte and the address as given.
func (s *Service) suppressed(ctx context.Context, ws string, personIDs []string, addresses map[string]map[string]string) (map[string]Suppression, error) {
	byChannel := map[string]map[string][]string{} // channel -> hash -> addresses
	for _, pid := range personIDs {
		for ch, addr := range addresses[pid] {
			if byChannel[ch] == nil {
				byChannel[ch] = make(map[string][]string, len(personIDs))
			}
			h := s.hash(ws, ch, addr)
			byChannel[ch][h] = append(byChannel[ch][h], addr)
		}
	}
	out := map[string]Suppression{}
	for ch, byHash := range byChannel {
		hashes := make([]string, 0, len(byHash))
		for h := range byHash {
			hashes = append(hashes, h)
		}
		found, err := s.store.Suppressed(ctx, ws, ch, hashes)
		if err != nil {
			return nil, fmt.Errorf("read suppressions: %w", err)
		}
		for h, entry := range found {
			for _, addr := range byHash[h] {
				out[ch+"\x00"+addr] = entry
			}
		}
	}
	return out, nil
}
