package journey

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/trace"
)

// Entry is somebody who is to enter a journey: at a set time (an appointment), or as soon as there is a place.
type Entry struct {
	Workspace string
	Journey   string
	Slot      string // there is one entry for each; an appointment has one for each person
	Person    string
	Kind      string // ByEvent, ByDate ...
	Key       string // becomes Instance.EntryKey
	Live      string // becomes Instance.Key
	Due       time.Time
	Received  time.Time // when the reason to enter reached us
	Trigger   node.Trigger
	Basis     string // what an appointment was made from; another basis makes it anew
	Attempts  int    // failed tries to let the person in
	Error     string // what the last one said
}

// Refusal is somebody who was not let in, and why.
type Refusal struct {
	Workspace string
	Journey   string
	Key       string // entry key
	Person    string
	Kind      string
	Reason    string // code: one of the Not constants
	At        time.Time
}

// Why somebody is not let in.
const (
	NotAgain     = "once"         // has been through, and the journey takes nobody twice
	NotYet       = "too_soon"     // the time that must lie between two rounds has not passed
	NotTwice     = "inside"       // is inside already
	NotInTime    = "too_old"      // the reason to enter is older than the journey allows
	NotWithRoom  = "full"         // as many are inside as may be
	NotToday     = "day_full"     // as many have entered today as may
	NotInSet     = "left_segment" // has left the segment of the schedule meanwhile
	NotDuplicate = "duplicate"    // this very entry has been used
	NotSettled   = "unsettled"    // of whole sets: not all members are known yet
	NotEndless   = "hops"         // too many journeys have led the person on, one after the other at once
	NotRunning   = "status"       // the journey is not live: those who wait for a place wait until it goes on, and are refused when it is put away
)

func (c Caps) check() error {
	for field, n := range map[string]int64{"caps.inside": c.Inside, "caps.daily": c.Daily} {
		if n < 0 {
			return errs.Invalid("journey.caps", field, "a bound is a number of people from 1, or 0 for none")
		}
	}
	if c.Surplus != "" && c.Surplus != SurplusWait && c.Surplus != SurplusRefuse {
		return errs.Invalid("journey.caps.surplus", "caps.surplus", "those who do not fit wait or are refused; choose wait or refuse")
	}
	return nil
}

func (c Caps) bound() bool { return c.Inside > 0 || c.Daily > 0 }

func (c Caps) waits() bool { return c.Surplus != SurplusRefuse }

// EventEntry makes the entry of somebody whom an event brings in.
func (p *Plan) EventEntry(j Journey, person string, e event.Kept) Entry {
	return Entry{
		Workspace: j.Workspace, Journey: j.ID, Slot: e.MessageID, Person: person, Kind: ByEvent, Key: e.MessageID, Live: p.reEntry.liveKey(e.Properties),
		Due: happened(e), Received: arrived(e),
		Trigger: node.Trigger{MessageID: e.MessageID, Name: e.Name, Time: e.Time, Position: e.Position, Properties: keepable(e), Trace: e.Trace, Hops: e.Hops},
	}
}

// room is how many more people a journey takes.
type room struct {
	inside, today int64
	day           string
}

func (s *Service) room(ctx context.Context, l live, now time.Time) (room, error) {
	r := room{inside: math.MaxInt64, today: math.MaxInt64}
	if !l.plan.caps.bound() {
		return r, nil
	}
	home, err := s.home(ctx, l.journey.Workspace)
	if err != nil {
		return r, err
	}
	r.day = now.In(home).Format(time.DateOnly)
	counts, err := s.c.Store.Counts(ctx, l.journey.Workspace, l.journey.ID)
	if err != nil {
		return r, err
	}
	var inside, today int64
	for _, c := range counts {
		switch {
		case c.Node != "":
		case c.What == Inside:
			inside += c.N
		case c.What == Day+":"+r.day:
			today += c.N
		}
	}
	if c := l.plan.caps; c.Inside > 0 {
		r.inside = c.Inside - inside
	}
	if c := l.plan.caps; c.Daily > 0 {
		r.today = c.Daily - today
	}
	return r, nil
}

func (r room) left() int64 { return max(0, min(r.inside, r.today)) }

// lack names why there is no place; empty if there is.
func (r room) lack() string {
	switch {
	case r.inside <= 0:
		return NotWithRoom
	case r.today <= 0:
		return NotToday
	}
	return ""
}

// homes knows where people's clocks are.
type homes struct {
	places map[string]*time.Location
	home   *time.Location
}

func (h homes) of(person string) *time.Location { return cmp.Or(h.places[person], h.home) }

func (s *Service) homes(ctx context.Context, ws string, people []string) (out homes, err error) {
	if out.home, err = s.home(ctx, ws); err != nil || s.c.Places == nil {
		return out, err
	}
	if out.places, err = s.c.Places(ctx, ws, people); err != nil {
		return out, fmt.Errorf("load people's zones: %w", err)
	}
	return out, nil
}

func (s *Service) home(ctx context.Context, ws string) (*time.Location, error) {
	if s.c.Zone == nil {
		return time.UTC, nil
	}
	home, err := s.c.Zone(ctx, ws)
	if err != nil {
		return nil, fmt.Errorf("load zone: %w", err)
	}
	return home, nil
}

// Outcome says what became of an entry.
type Outcome struct {
	Instance string // the round, if the person was let in
	Waiting  bool   // there is no place at the moment, or the time has not come
	Reason   string // code why the person waits or was not let in
}

// admit lets people in, as far as the journey takes them, and returns what became of each. It must be called inside a transaction in
// which the entries were taken; those who have to wait are put back.
func (s *Service) admit(ctx context.Context, l live, entries []Entry, facts facts, now time.Time) ([]Outcome, error) {
	j := l.journey
	rounds, err := s.c.Store.Latest(ctx, j.Workspace, peopleOf(entries), []string{j.ID})
	if err != nil {
		return nil, err
	}
	tracks := map[trackKey]*track{}
	at := func(person, live string) *track {
		k := trackKey{person, j.ID, live}
		if tracks[k] == nil {
			tracks[k] = &track{}
		}
		return tracks[k]
	}
	for n := range rounds {
		at(rounds[n].Person, rounds[n].Key).note(&rounds[n])
	}
	r, err := s.room(ctx, l, now)
	if err != nil {
		return nil, err
	}
	var (
		out    = make([]Outcome, len(entries))
		walks  []Walk
		back   []Entry
		turned []refused
	)
	for n, e := range entries {
		t := at(e.Person, e.Live)
		again, ok := facts.due(l.plan, e, now)
		if again != nil {
			back = append(back, *again)
		}
		if !ok {
			continue // the appointment was for something that is no longer so
		}
		reason := l.plan.refuses(t, e, now)
		if reason == "" && e.Kind == BySchedule && !facts.inSet(e.Person, l.plan.trigger.set) {
			reason = NotInSet
		}
		if reason == "" {
			if lack := r.lack(); lack != "" {
				if out[n] = (Outcome{Reason: lack}); l.plan.caps.waits() {
					out[n].Waiting = true
					e.Slot = e.Key // an appointment's slot is for the next one
					back = append(back, e)
					continue
				}
				reason = lack
			}
		}
		if reason != "" {
			out[n].Reason = reason
			turned = append(turned, refused{e, reason})
			continue
		}
		e.Trigger.Trace = cmp.Or(e.Trigger.Trace, trace.Of(ctx, e.Person))
		w := l.plan.Enter(id.New("ins"), j.Published, e, now)
		w.fresh = true
		if r.day != "" {
			w.tally("", Day+":"+r.day, 1)
		}
		r.inside, r.today = r.inside-1, r.today-1
		l.plan.run(&w, node.Input{}, now, true)
		walks = append(walks, w)
		out[n].Instance = w.Instance.ID
		i := w.Instance
		t.note(&i)
	}
	added, err := s.written(ctx, walks)
	if err != nil {
		return nil, err
	}
	for n := range out {
		if out[n].Instance != "" && !added[out[n].Instance] {
			out[n] = Outcome{Reason: NotDuplicate}
		}
	}
	if err := s.c.Store.PutEntries(ctx, back); err != nil {
		return nil, err
	}
	return out, s.turnAway(ctx, j, turned...)
}

// refused is an entry that lets nobody in.
type refused struct {
	Entry
	why string
}

// turnQueueAway refuses everybody who waits for a place, because there will be none.
func (s *Service) turnQueueAway(ctx context.Context, j Journey) error {
	for ever := s.c.Clock.Now().AddDate(100, 0, 0); ; {
		waiting, err := s.c.Store.DueEntries(ctx, Place{j.Workspace, j.ID}, ever, s.c.Batch)
		if err != nil || len(waiting) == 0 {
			return err
		}
		slots, turned := make([]string, len(waiting)), make([]refused, len(waiting))
		for n, e := range waiting {
			slots[n], turned[n] = e.Slot, refused{e, NotRunning}
		}
		if err := s.c.Store.DropEntries(ctx, j.Workspace, j.ID, slots); err != nil {
			return err
		}
		if err := s.turnAway(ctx, j, turned...); err != nil {
			return err
		}
	}
}

// turnAway notes who is not let into a journey. Those who were led on without end are told of as an event too: the journeys do something that nobody wanted.
func (s *Service) turnAway(ctx context.Context, j Journey, turned ...refused) error {
	if len(turned) == 0 {
		return nil
	}
	now := s.c.Clock.Now()
	notes, byKey := make([]Refusal, len(turned)), make(map[string]refused, len(turned))
	for n, e := range turned {
		notes[n] = Refusal{Workspace: j.Workspace, Journey: j.ID, Key: e.Key, Person: e.Person, Kind: e.Kind, Reason: e.why, At: now}
		byKey[e.Key] = e
	}
	notes, err := s.c.Store.AddRefusals(ctx, notes)
	if err != nil {
		return err
	}
	counts := map[Tally]int64{}
	var events []event.Event
	for _, r := range notes {
		counts[Tally{j.Workspace, j.ID, j.Published, "", Turned + ":" + r.Reason}]++
		trigger := byKey[r.Key].Trigger
		if r.Reason != NotEndless || trigger.Name == event.JourneyRefused { // the word of a refusal must not make the next
			continue
		}
		props, err := json.Marshal(map[string]any{"journey_id": j.ID, "version": j.Published, "source_kind": "journey", "source_id": j.ID, "why": r.Reason, "hops": maxHops})
		if err != nil {
			return err
		}
		events = append(events, event.Event{
			Workspace: j.Workspace, MessageID: "jrn:" + j.ID + ":refused:" + r.Key, Type: event.Journey, Name: event.JourneyRefused,
			PersonID: r.Person, Time: now, Received: now, Origin: event.Internal, Properties: props, Hops: trigger.Hops + 1,
		})
	}
	if err := s.c.Store.AddCounts(ctx, sum(counts)); err != nil || len(events) == 0 {
		return err
	}
	return s.c.Emitter.Emit(ctx, events...)
}

func peopleOf(entries []Entry) []string {
	ids := map[string]bool{}
	for _, e := range entries {
		ids[e.Person] = true
	}
	return slices.Sorted(maps.Keys(ids))
}

// facts are what is known of people at the moment at which they are to enter.
type facts struct {
	subjects map[string]*rule.Subject
	last     map[string]time.Time // when each was last active, for inactivity
	homes    homes
}

func (f facts) inSet(person, set string) bool {
	s := f.subjects[person]
	return s != nil && (s.In == nil || s.In(set))
}

// due reports whether an appointment still holds, and the one to be kept instead of it or after it.
func (f facts) due(p *Plan, e Entry, now time.Time) (again *Entry, ok bool) {
	switch {
	case e.Slot == e.Key: // no appointment, or one that is over and waits for a place
		return nil, true
	case e.Kind == ByDate:
		s := f.subjects[e.Person]
		if s == nil {
			return nil, false
		}
		text, zone := p.trigger.dateOf(s, f.homes.of(e.Person))
		next := p.byDate(e.Workspace, e.Journey, s, f.homes.of(e.Person), now)
		return next, basis(text, zone) == e.Basis
	case e.Kind == ByInactive:
		last, known := f.last[e.Person]
		if !known {
			return nil, true
		}
		if actual := p.byInactivity(e.Workspace, e.Journey, e.Person, last); actual.Due.After(now) {
			return &actual, false
		}
	}
	return nil, true
}

// enter lets those in whose time has come and returns how many entries were handled.
func (s *Service) admitDue(ctx context.Context) (int, error) {
	now := s.c.Clock.Now()
	places, err := s.c.Store.EntryPlaces(ctx, now)
	if err != nil || len(places) == 0 {
		return 0, err
	}
	idx, err := s.current(ctx)
	if err != nil {
		return 0, err
	}
	handled := 0
	for _, p := range places {
		l, ok := idx.live(p)
		if !ok {
			continue
		}
		n, err := s.admitPlace(ctx, l, now)
		if err != nil {
			return handled, fmt.Errorf("let people into journey %s: %w", p.Journey, err)
		}
		handled += n
	}
	return handled, nil
}

func (s *Service) admitPlace(ctx context.Context, l live, now time.Time) (int, error) {
	p := Place{l.journey.Workspace, l.journey.ID}
	limit := int64(s.c.Batch)
	if l.plan.caps.bound() && l.plan.caps.waits() {
		r, err := s.room(ctx, l, now)
		if err != nil {
			return 0, err
		}
		if limit = min(limit, r.left()); limit == 0 {
			return s.expire(ctx, l, now)
		}
	}
	due, err := s.c.Store.DueEntries(ctx, p, now, int(limit))
	if err != nil || len(due) == 0 {
		return 0, err
	}
	err = s.admitBatch(ctx, l, due)
	if err == nil || ctx.Err() != nil {
		return len(due), errors.Join(err, ctx.Err())
	}
	if len(due) == 1 || errs.Is(err, errs.KindUnavailable) {
		return 0, s.putBack(ctx, due, err)
	}
	for _, e := range due { // one that cannot be let in must not hold up the others
		if err := s.admitBatch(ctx, l, []Entry{e}); err != nil {
			if err := s.putBack(ctx, []Entry{e}, err); err != nil {
				return 0, err
			}
		}
	}
	return len(due), nil
}

// expire refuses people who have waited for a place for longer than the journey allows.
func (s *Service) expire(ctx context.Context, l live, now time.Time) (int, error) {
	if l.plan.maxAge == 0 {
		return 0, nil
	}
	old, err := s.c.Store.DueEntries(ctx, Place{l.journey.Workspace, l.journey.ID}, now.Add(-l.plan.maxAge-time.Microsecond), s.c.Batch)
	if err != nil || len(old) == 0 {
		return 0, err
	}
	return len(old), s.admitBatch(ctx, l, old)
}

func (s *Service) admitBatch(ctx context.Context, l live, due []Entry) (err error) {
	traces := map[string]string{}
	for _, e := range due {
		traces[e.Person] = e.Trigger.Trace
	}
	ctx, span := trace.For(ctx, "journey entry", traces)
	defer func() { span.Done(err) }()
	f, err := s.facts(ctx, l, due)
	if err != nil {
		return err
	}
	slots := make([]string, len(due))
	for n, e := range due {
		slots[n] = e.Slot
	}
	return s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		now := s.c.Clock.Now()
		taken, err := s.c.Store.TakeEntries(ctx, l.journey.Workspace, l.journey.ID, slots)
		if err != nil {
			return err
		}
		var later []Entry
		taken = slices.DeleteFunc(taken, func(e Entry) bool {
			if e.Due.After(now) { // put off since it was found
				later = append(later, e)
				return true
			}
			return false
		})
		if err := s.c.Store.PutEntries(ctx, later); err != nil {
			return err
		}
		_, err = s.admit(ctx, l, taken, f, now)
		return err
	})
}

// facts loads what the entries depend on.
func (s *Service) facts(ctx context.Context, l live, entries []Entry) (f facts, err error) {
	ws := l.journey.Workspace
	if f.homes, err = s.homes(ctx, ws, peopleOf(entries)); err != nil {
		return f, err
	}
	byKind := map[string][]Entry{}
	for _, e := range entries {
		byKind[e.Kind] = append(byKind[e.Kind], e)
	}
	if asked := slices.Concat(byKind[ByDate], byKind[BySchedule]); len(asked) > 0 {
		if f.subjects, err = s.c.Subjects.Subjects(ctx, ws, peopleOf(asked), nil, false); err != nil {
			return f, fmt.Errorf("load people: %w", err)
		}
	}
	if asked := byKind[ByInactive]; len(asked) > 0 {
		if f.last, err = s.c.Audience.LastEvents(ctx, ws, peopleOf(asked), l.plan.trigger.idleNames); err != nil {
			return f, fmt.Errorf("load activity: %w", err)
		}
	}
	return f, nil
}

// putBack notes a failed try: again later, and shown among those who wait.
func (s *Service) putBack(ctx context.Context, entries []Entry, cause error) error {
	now := s.c.Clock.Now()
	for n := range entries {
		e := &entries[n]
		e.Attempts++
		e.Error = cause.Error()
		e.Due = now.Add(min(lastBackoff, firstBackoff<<min(e.Attempts-1, 10)))
		s.c.Log.Warn("a person is let into a journey later", "workspace", e.Workspace, "journey", e.Journey, "attempt", e.Attempts, "error", cause)
	}
	return s.c.Store.PutEntries(ctx, entries)
}

// refuses says why a person is not let in, whatever room there is; empty if nothing stands against it.
func (p *Plan) refuses(t *track, e Entry, now time.Time) string {
	if why := p.unfit(t, e, now); why != "" || e.Trigger.Hops <= maxHops {
		return why
	}
	return NotEndless
}

// unfit is refuses for entries that no journeys are behind.
func (p *Plan) unfit(t *track, e Entry, now time.Time) string {
	timed := e.Kind != ByAPI && e.Kind != ByManual
	switch {
	case timed && p.maxAge > 0 && now.Sub(e.reason()) > p.maxAge:
		return NotInTime
	case t.inside != nil:
		return NotTwice
	case t.last == nil:
		return ""
	// An event that reached us while the person was inside does not let them in later either. So a batch that is redone
	// after the round has ended gives the same answer as the first time.
	case t.last.EntryKey == e.Key, e.Kind == ByEvent && !e.Received.After(t.last.Ended):
		return NotDuplicate
	}
	switch p.reEntry.Mode {
	case Always:
		return ""
	case After:
		if now.Before(t.last.Entered.Add(p.reEntry.After.Duration())) {
			return NotYet
		}
		return ""
	}
	return NotAgain
}

// reason is when what lets the person in took place.
func (e Entry) reason() time.Time {
	if e.Kind == ByEvent {
		return e.Due
	}
	return e.Trigger.Time
}

func (t *track) note(i *Instance) {
	if t.last == nil || t.last.Entered.Before(i.Entered) || t.last.Entered.Equal(i.Entered) && t.last.ID < i.ID {
		t.last = i
	}
	if i.Inside() {
		t.inside = i
	}
}

func basis(parts ...any) string {
	var out string
	for n, p := range parts {
		if n > 0 {
			out += "@"
		}
		switch p := p.(type) {
		case string:
			out += p
		case time.Time:
			out += strconv.FormatInt(p.UnixMicro(), 10)
		case *time.Location:
			out += p.String()
		}
	}
	return out
}
