package standing

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

// Trait is the trait that holds how somebody stands: an object with stage, since, label, r, f, m, service, participation, channel and hour.
// Conditions reach its members as standing.stage and so on.
const Trait = "standing"

// StageChanged is the event of a transition; properties from, to, at.
const StageChanged = "Lifecycle Stage Changed"

// People is what judging asks of people. It is a *person.Service.
type People interface {
	ByNums(ctx context.Context, ws string, nums []uint64) ([]person.Person, error)
	ByIDs(ctx context.Context, ws string, ids []string) (map[string]person.Person, error)
	List(ctx context.Context, ws string, p page.Request) (page.Of[person.Person], error)
	TraitsEvent(ws, id string, traits map[string]any, cause string) (event.Event, error)
}

// Histories is what judging asks of the event store.
type Histories interface {
	Histories(ctx context.Context, ws string, people []uint64, names []string) (map[uint64][]event.Kept, error)
}

// Config is what a Service needs.
type Config struct {
	Store      Store
	Tx         tx.Runner
	Emitter    event.Emitter
	People     People
	Events     Histories
	Clock      clock.Clock
	Log        *slog.Logger
	Zone       func(ctx context.Context, ws string) (*time.Location, error) // of the workspace
	Workspaces func(ctx context.Context) ([]string, error)
}

// Service judges. Start and Stop run the loop that looks at people whose time has come and makes the daily round.
type Service struct {
	lifecycle.Loop
	c      Config
	pulse  lifecycle.Pulse
	mended atomic.Int64
}

// New returns a Service that is not running yet.
func New(c Config) *Service {
	s := &Service{c: c, pulse: lifecycle.NewPulse(poll)}
	s.Run = s.run
	return s
}

// Mended returns how many people the rounds of this process have found astray.
func (s *Service) Mended() int64 { return s.mended.Load() }

// State returns the scheme, the thresholds and how far the round is.
func (s *Service) State(ctx context.Context, ws string) (State, error) {
	return s.c.Store.State(ctx, ws)
}

// Counts counts how people stand.
func (s *Service) Counts(ctx context.Context, ws string) (Counts, error) {
	return s.c.Store.Counts(ctx, ws)
}

// SetScheme replaces the scheme that had revision rev, and has everybody judged by it.
func (s *Service) SetScheme(ctx context.Context, ws string, scheme Scheme, rev int64) (State, error) {
	if err := scheme.Validate(); err != nil {
		return State{}, err
	}
	if err := s.c.Store.PutScheme(ctx, ws, scheme, rev, s.c.Clock.Now()); err != nil {
		return State{}, err
	}
	s.pulse.Wake()
	return s.c.Store.State(ctx, ws)
}

// Restart makes a round due now; one that is under way begins again.
func (s *Service) Restart(ctx context.Context, ws string) error {
	return s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		st, err := s.c.Store.State(ctx, ws)
		if err != nil {
			return err
		}
		return s.restart(ctx, ws, st, st.Round.Fewer)
	})
}

// EventsRemoved makes a round due now if judgements read one of the kinds of which older events than so were removed. For a removal of the day the next round is early enough: then only
// those are judged at once whose latest order went, since the round would take them for people who were astray.
func (s *Service) EventsRemoved(ctx context.Context, ws string, went []event.Term, daily bool) error {
	st, err := s.c.Store.State(ctx, ws)
	if err != nil {
		return err
	}
	names := st.Scheme.names()
	var orders time.Time
	for _, t := range went {
		switch {
		case !slices.Contains(names, t.Name):
		case !daily || t.Name == event.OrderRefunded || t.Name == event.OrderCancelled: // without which an order counts again
			return s.c.Tx.InTx(ctx, func(ctx context.Context) error {
				st, err := s.c.Store.State(ctx, ws)
				if err != nil {
					return err
				}
				return s.restart(ctx, ws, st, true)
			})
		case t.Name == event.OrderCompleted:
			orders = t.Since
		}
	}
	if orders.IsZero() {
		return nil
	}
	return s.ordersRemoved(ctx, ws, orders)
}

// ordersRemoved makes those due whose latest order was before a moment.
func (s *Service) ordersRemoved(ctx context.Context, ws string, before time.Time) error {
	defer s.pulse.Wake()
	now := s.c.Clock.Now()
	for after := ""; ; {
		rows, err := s.c.Store.After(ctx, ws, after, batch)
		if err != nil || len(rows) == 0 {
			return err
		}
		after = rows[len(rows)-1].Person
		rows = slices.DeleteFunc(rows, func(r Row) bool { return r.LastOrder.IsZero() || !r.LastOrder.Before(before) })
		if err := s.c.Tx.InTx(ctx, func(ctx context.Context) error {
			for _, r := range rows {
				if err := s.c.Store.Soon(ctx, ws, r.Person, now); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
}

func (s *Service) restart(ctx context.Context, ws string, st State, fewer bool) error {
	defer s.pulse.Wake()
	return s.c.Store.PutRound(ctx, ws, Round{Due: s.c.Clock.Now(), Ended: st.Round.Ended, Fewer: fewer}, st.Thresholds)
}

// Of returns how somebody stands, judged at this moment.
func (s *Service) Of(ctx context.Context, ws, personID string) (Row, error) {
	found, err := s.c.People.ByIDs(ctx, ws, []string{personID})
	if err != nil {
		return Row{}, err
	}
	p, ok := found[personID]
	if !ok {
		return Row{}, errs.NotFound("person", personID)
	}
	rows, err := s.judged(ctx, ws, []person.Person{p})
	if err != nil {
		return Row{}, err
	}
	return rows[0].now, nil
}

// SetService gives somebody a level of service by hand; empty takes that back.
func (s *Service) SetService(ctx context.Context, ws, personID string, level Level) (Row, error) {
	switch level {
	case "", HighTouch, LowTouch, TechTouch:
	default:
		return Row{}, errs.Invalid("standing.service", "service", "give high, low, tech, or nothing to let the scheme decide")
	}
	var out Row
	err := s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		found, err := s.c.People.ByIDs(ctx, ws, []string{personID})
		if err != nil {
			return err
		}
		p, ok := found[personID]
		if !ok {
			return errs.NotFound("person", personID)
		}
		changes, err := s.judgedBy(ctx, ws, []person.Person{p}, func(r *Row) { r.Override = level })
		if err != nil {
			return err
		}
		out = changes[0].now
		return s.write(ctx, changes, false)
	})
	return out, err
}

// change is a judgement and the one before it.
type change struct {
	before, now Row
	again       bool // it is told, whether it differs or not
}

func (s *Service) judged(ctx context.Context, ws string, people []person.Person) ([]change, error) {
	return s.judgedBy(ctx, ws, people, func(*Row) {})
}

// judgedBy judges people by their histories; set may change what staff decides.
func (s *Service) judgedBy(ctx context.Context, ws string, people []person.Person, set func(*Row)) ([]change, error) {
	st, err := s.c.Store.State(ctx, ws)
	if err != nil {
		return nil, err
	}
	home, err := s.c.Zone(ctx, ws)
	if err != nil {
		return nil, err
	}
	nums, ids := make([]uint64, len(people)), make([]string, len(people))
	for i, p := range people {
		nums[i], ids[i] = p.Num, p.ID
	}
	histories, err := s.c.Events.Histories(ctx, ws, nums, st.Scheme.names())
	if err != nil {
		return nil, err
	}
	before, err := s.c.Store.Rows(ctx, ws, ids)
	if err != nil {
		return nil, err
	}
	now := s.c.Clock.Now()
	out := make([]change, len(people))
	for i, p := range people {
		r := judge(gather(p, histories[p.Num], st.Scheme, p.Location(home), now), st.Scheme, st.Thresholds, now)
		r.Workspace, r.Person, r.Override, r.Told = ws, p.ID, before[p.ID].Override, before[p.ID].Told
		set(&r)
		r.score(st.Scheme, st.Thresholds, now)
		if before[p.ID].Stage == r.Stage {
			r.Since = before[p.ID].Since // time moves the computed beginning of some stages, not the stage
		}
		out[i] = change{before: before[p.ID], now: r}
	}
	return out, nil
}

// causeOf begins what names a change of standing: the message id of its event, and behind that of its trait.
const causeOf = "standing:"

// Retold reports whether an event says no more than what the trait is now. A change of stage has an event of its own beside it, and the other figures move
// with whatever the person did.
func Retold(e event.Event) bool {
	return e.Type == event.Identify && strings.HasPrefix(e.MessageID, person.TraitsOf+causeOf)
}

// write keeps judgements, and says what has changed to everybody who asks for the trait or waits for the event. It joins the transaction of
// ctx. In a round a first judgement is no change of stage: it finds where people have long been. Of whom nobody knows anything, nothing
// is told either.
func (s *Service) write(ctx context.Context, changes []change, round bool) error {
	now := s.c.Clock.Now()
	rows := make([]Row, 0, len(changes))
	var events []event.Event
	for i := range changes {
		c := changes[i]
		if c.before == c.now && !c.again {
			continue
		}
		first := c.before.Stage == ""
		if shape(c.before) == shape(c.now) && !c.again || first && c.now.Stage == Anonymous {
			rows = append(rows, c.now)
			continue
		}
		// Of two values of a trait the later one stays, and clocks go back.
		if c.now.Told = now; !now.After(c.before.Told) {
			c.now.Told = c.before.Told.Add(time.Microsecond)
		}
		rows = append(rows, c.now)
		cause := fmt.Sprintf(causeOf+"%s:%d", c.now.Person, c.now.Told.UnixMicro())
		e, err := s.c.People.TraitsEvent(c.now.Workspace, c.now.Person, map[string]any{Trait: shape(c.now).object()}, cause)
		if err != nil {
			return err
		}
		e.Time, e.Received = c.now.Told, c.now.Told
		events = append(events, e)
		from := cmp.Or(c.before.Stage, Anonymous)
		if from == c.now.Stage || first && round {
			continue
		}
		props, err := json.Marshal(map[string]any{"from": from, "to": c.now.Stage, "at": c.now.Since})
		if err != nil {
			return err
		}
		events = append(events, event.Event{
			Workspace: c.now.Workspace, MessageID: cause, Type: event.Standing, Name: StageChanged, PersonID: c.now.Person, Time: c.now.Told, Properties: props,
		})
	}
	if len(rows) == 0 {
		return nil
	}
	if len(events) > 0 {
		if err := s.c.Emitter.Emit(ctx, events...); err != nil {
			return err
		}
	}
	return s.c.Store.Put(ctx, rows)
}

// told is what others hear of a row.
type told struct {
	Stage   Stage
	Since   time.Time
	Label   string
	Scores  Scores
	Service Level
	Part    Participation
	Channel string
	Hour    int
}

func shape(r Row) told {
	return told{r.Stage, r.Since, r.Label, r.Scores, r.Service, r.Part, r.Channel, r.Hour}
}

// Fields are what the trait may hold.
var Fields = []string{"stage", "since", "label", "r", "f", "m", "service", "participation", "channel", "hour"}

func (t told) object() map[string]any {
	out := map[string]any{"stage": t.Stage, "service": t.Service}
	if !t.Since.IsZero() {
		out["since"] = t.Since.UTC().Format(time.RFC3339)
	}
	if t.Label != "" {
		out["label"], out["r"], out["f"], out["m"] = t.Label, t.Scores.R, t.Scores.F, t.Scores.M
	}
	if t.Part != "" {
		out["participation"] = t.Part
	}
	if t.Channel != "" {
		out["channel"] = t.Channel
	}
	if t.Hour >= 0 {
		out["hour"] = t.Hour
	}
	return out
}

// Batch is what React looks at.
type Batch struct {
	Events  []event.Kept
	Touched []person.Ref      // the people of the events; without events, identities were worked out anew and they have got or lost events by it
	Told    []person.Sighting // those of the touched who are who they were: they have been asked about before
	People  []person.Person   // of the touched, whom the caller has read already
}

// React judges those of a batch whose standing may have changed by what they did. Calling it again with the same changes nothing.
func (s *Service) React(ctx context.Context, b Batch) error {
	if len(b.Events) == 0 {
		return s.reactToReplay(ctx, b)
	}
	before := make(map[person.Ref]bool, len(b.Told))
	for _, p := range b.Told {
		before[p.Ref] = true
	}
	byWorkspace := map[string][]event.Kept{}
	for _, e := range b.Events {
		if e.Type.Behaviour() || names(e.Type) && (e.Origin != event.Internal || !strings.HasPrefix(e.MessageID, person.TraitsOf)) {
			byWorkspace[e.Workspace] = append(byWorkspace[e.Workspace], e)
		}
	}
	for _, ws := range slices.Sorted(maps.Keys(byWorkspace)) {
		if err := s.reactTo(ctx, ws, byWorkspace[ws], b, before); err != nil {
			return err
		}
	}
	return nil
}

// names reports whether events of the type may make somebody known.
func names(t event.Type) bool { return t == event.Identify || t == event.Alias || t == event.Group }

func (s *Service) reactToReplay(ctx context.Context, b Batch) error {
	byWorkspace := map[string][]uint64{}
	for _, ref := range b.Touched {
		byWorkspace[ref.Workspace] = append(byWorkspace[ref.Workspace], ref.Num)
	}
	for _, ws := range slices.Sorted(maps.Keys(byWorkspace)) {
		people, err := s.people(ctx, ws, byWorkspace[ws], b)
		if err != nil {
			return err
		}
		if _, err := s.settle(ctx, ws, people, nil); err != nil {
			return err
		}
	}
	return nil
}

// people returns people by number, and reads those whom the batch does not bring.
func (s *Service) people(ctx context.Context, ws string, nums []uint64, b Batch) (out []person.Person, err error) {
	missing := make(map[uint64]bool, len(nums))
	for _, n := range nums {
		missing[n] = true
	}
	for _, p := range b.People {
		if p.Workspace == ws && missing[p.Num] {
			delete(missing, p.Num)
			out = append(out, p)
		}
	}
	if len(missing) == 0 {
		return out, nil
	}
	rest, err := s.c.People.ByNums(ctx, ws, slices.Sorted(maps.Keys(missing)))
	return append(out, rest...), err
}

// reactTo judges who did something that is judged, who was never judged, and who may have become known.
func (s *Service) reactTo(ctx context.Context, ws string, events []event.Kept, b Batch, before map[person.Ref]bool) error {
	st, err := s.c.Store.State(ctx, ws)
	if err != nil {
		return err
	}
	asked := map[string]bool{}
	for _, n := range st.Scheme.names() {
		asked[n] = true
	}
	judged, named := map[uint64]bool{}, map[uint64]bool{}
	for _, e := range events {
		if names(e.Type) {
			named[e.Person] = true
		} else {
			judged[e.Person] = judged[e.Person] || e.Type == event.Track && asked[e.Name]
		}
	}
	var here []person.Ref
	var ids []string
	for _, ref := range b.Touched {
		_, active := judged[ref.Num]
		if ref.Workspace == ws && (judged[ref.Num] || named[ref.Num] || active && !before[ref]) {
			here, ids = append(here, ref), append(ids, ref.ID)
		}
	}
	if len(here) == 0 {
		return nil
	}
	rows, err := s.c.Store.Rows(ctx, ws, ids)
	if err != nil {
		return err
	}
	var nums []uint64
	for _, ref := range here {
		row, known := rows[ref.ID]
		if judged[ref.Num] || !known || named[ref.Num] && row.Stage == Anonymous {
			nums = append(nums, ref.Num)
		}
	}
	if len(nums) == 0 {
		return nil
	}
	people, err := s.people(ctx, ws, nums, b)
	if err != nil {
		return err
	}
	_, err = s.settle(ctx, ws, people, nil)
	return err
}

// settle judges people and keeps what has changed. A round also looks for those who were astray, and returns them.
func (s *Service) settle(ctx context.Context, ws string, people []person.Person, round *Round) (astray []string, err error) {
	if len(people) == 0 {
		return nil, nil
	}
	err = s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		astray = nil
		changes, err := s.judged(ctx, ws, people)
		if err != nil {
			return err
		}
		for i := range changes {
			if round == nil {
				break
			}
			wrong, err := s.astray(&changes[i], people[i], round.Fewer)
			if err != nil {
				return err
			}
			if wrong {
				astray = append(astray, people[i].ID)
			}
		}
		return s.write(ctx, changes, round != nil)
	})
	return astray, err
}

// PeopleMerged implements person.MergeObserver by ids: the winner is judged anew, with what staff decided for either.
func (s *Service) PeopleMerged(ctx context.Context, ws, loser, winner string) error {
	rows, err := s.c.Store.Rows(ctx, ws, []string{loser, winner})
	if err != nil {
		return err
	}
	l, before := rows[loser], rows[winner]
	w := before
	if w.Person == "" {
		w = Row{Workspace: ws, Person: winner, Hour: -1}
	}
	override := cmp.Or(w.Override, l.Override)
	switch c := l.Told.Compare(w.Told); {
	case c > 0:
		// The merged person's trait says what was told of the loser, so that is what a judgement may differ from.
		w = l
		w.Person = winner
	case c == 0 && !l.Told.IsZero():
		// Those who are judged in one batch are told of at one moment, and which of the two the trait says is up to the names of the events. No judgement is without
		// a service, so the next one is told in any case.
		w.Service = ""
	}
	w.Override = override
	if w != before && (w.Override != "" || !w.Told.IsZero()) {
		if err := s.c.Store.Put(ctx, []Row{w}); err != nil {
			return err
		}
	}
	if err := s.c.Store.Remove(ctx, ws, loser); err != nil {
		return err
	}
	return s.c.Store.Soon(ctx, ws, winner, s.c.Clock.Now())
}

// PersonSplit has both judged anew.
func (s *Service) PersonSplit(ctx context.Context, ws, from, made string) error {
	for _, p := range []string{from, made} {
		if err := s.c.Store.Soon(ctx, ws, p, s.c.Clock.Now()); err != nil {
			return err
		}
	}
	return nil
}
