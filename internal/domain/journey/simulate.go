package journey

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/rule/leaf"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

// Simulation is a journey rehearsed with everybody's history: what it would have done in the last days. It is kept in memory, by the process that
// was asked, until others push it out.
type Simulation struct {
	ID        string
	Workspace string
	Journey   string
	Version   int // 0: the draft
	Status    string
	Error     node.Reason
	From, To  time.Time
	People    int64 // to look at: everybody, or the sample
	Everybody int64
	Looked    int64 // of them, those done

	Entered   int64            // rounds
	Persons   int64            // people with at least one
	Messages  int64            // that the gate would have let through
	Receivers int64            // people with at least one
	Goals     int64            // reached after entering; they happened without the journey
	Inside    int64            // not yet at the end
	Held      int64            // kept out to compare
	Ended     map[string]int64 // by why
	Refused   map[string]int64 // messages, by reason
	Turned    map[string]int64 // not let in, by reason
	Endless   int64            // people whose rehearsal was given up because they moved without end
	Days      map[string]int64 // entries by day of the workspace
	Nodes     []SimulatedNode
	About     []string // codes of what is only approximated

	order   map[string]int
	cancel  context.CancelFunc
	started time.Time
	ended   chan struct{}
}

// SimulatedNode is how one node would have gone.
type SimulatedNode struct {
	Node, Kind, Title string
	In, Messages      int64
	People            int64 // who would have got a message here
	Out               map[string]int64
	Ended             map[string]int64
	Refused           map[string]int64
}

// The statuses of simulations.
const (
	SimulationRunning   = "running"
	SimulationDone      = "done"
	SimulationCancelled = "cancelled"
	SimulationFailed    = "failed"
)

// What a simulation only approximates; the screen says it in words.
const (
	AboutTraits   = "traits_of_today"     // traits, segments and lists are those of today, not of the day
	AboutConsent  = "consent_of_today"    // so are addresses and consent
	AboutCaps     = "caps_own_messages"   // caps count the messages of the simulation alone
	AboutQuiet    = "quiet_hours_delay"   // a message held back by quiet hours counts as sent
	AboutPlaces   = "no_caps_on_entry"    // the journey's own caps are not applied
	AboutAnswers  = "no_answers"          // nothing outside is asked: webhooks, tasks and other journeys do nothing
	AboutReaction = "people_did_not_read" // nobody opened, clicked or bought because of what they would have got
	AboutSample   = "sample"              // not everybody was looked at
)

const (
	maxSimulatedDays = 365
	keptSimulations  = 50
	simulationBatch  = 200
)

// simulations holds those of one process.
type simulations struct {
	mu   sync.Mutex
	byID map[string]*Simulation
	turn chan struct{} // one runs at a time
}

// Policies tells what the gate allows.
type Policies interface {
	Policy(ctx context.Context, ws string) (outbox.Policy, error)
}

// Simulate begins to rehearse a version (0: the draft) with the last days of everybody, or of a sample of that many people, drawn by a stable hash. Stop ends it.
func (s *Service) Simulate(ctx context.Context, ws, journey string, version, days, sample int) (Simulation, error) {
	if days < 1 || days > maxSimulatedDays {
		return Simulation{}, errs.Invalid("journey.simulation.days", "days", "between 1 and %d days", maxSimulatedDays)
	}
	if sample < 0 {
		return Simulation{}, errs.Invalid("journey.simulation.sample", "sample", "a number of people, or 0 for everybody")
	}
	j, g, p, err := s.rehearsed(ctx, ws, journey, version)
	if err != nil {
		return Simulation{}, err
	}
	if k := p.trigger.kind; k == ByAPI || k == ByManual {
		return Simulation{}, errs.Conflict("journey.simulation.trigger", "nothing in the past says whom programs or staff would have let in; try the journey with one person instead")
	}
	now := s.c.Clock.Now()
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	sim := &Simulation{
		ID: id.New("jsm"), Workspace: ws, Journey: journey, Version: version, Status: SimulationRunning, From: now.AddDate(0, 0, -days), To: now,
		Ended: map[string]int64{}, Refused: map[string]int64{}, Turned: map[string]int64{}, Days: map[string]int64{}, order: map[string]int{}, cancel: cancel, started: now, ended: make(chan struct{}),
		About: []string{AboutTraits, AboutConsent, AboutCaps, AboutQuiet, AboutAnswers, AboutReaction},
	}
	if p.caps.bound() {
		sim.About = append(sim.About, AboutPlaces)
	}
	for _, n := range g.Nodes {
		sim.order[n.ID] = len(sim.Nodes)
		sim.Nodes = append(sim.Nodes, SimulatedNode{Node: n.ID, Kind: n.Kind, Title: n.Title, Out: map[string]int64{}, Ended: map[string]int64{}, Refused: map[string]int64{}})
	}
	s.sims.mu.Lock()
	for _, other := range s.sims.byID {
		if other.Workspace == ws && other.Status == SimulationRunning {
			s.sims.mu.Unlock()
			cancel()
			return Simulation{}, errs.Conflict("journey.simulation.running", "another simulation is running; wait for it or cancel it")
		}
	}
	s.sims.keep(sim)
	out := sim.copy()
	s.sims.mu.Unlock()
	go s.simulate(run, sim, j, p, sample)
	return out, nil
}

// rehearsed returns a version, or the draft, ready to be walked.
func (s *Service) rehearsed(ctx context.Context, ws, id string, version int) (Journey, Graph, *Plan, error) {
	j, err := s.c.Store.Get(ctx, ws, id)
	if err != nil {
		return j, Graph{}, nil, err
	}
	g := j.Draft
	if version != 0 {
		v, err := s.c.Store.Version(ctx, ws, id, version)
		if err != nil {
			return j, Graph{}, nil, err
		}
		g = v.Graph
	}
	p, err := Compile(g)
	return j, g, p, err
}

// keep adds a simulation and drops the oldest that have ended. The lock is held.
func (s *simulations) keep(sim *Simulation) {
	s.byID[sim.ID] = sim
	for len(s.byID) > keptSimulations {
		var oldest *Simulation
		for _, o := range s.byID {
			if o.Status != SimulationRunning && (oldest == nil || o.started.Before(oldest.started)) {
				oldest = o
			}
		}
		if oldest == nil {
			return
		}
		delete(s.byID, oldest.ID)
	}
}

func (sim *Simulation) copy() Simulation {
	out := *sim
	out.Ended, out.Refused, out.Turned, out.Days = maps.Clone(sim.Ended), maps.Clone(sim.Refused), maps.Clone(sim.Turned), maps.Clone(sim.Days)
	out.Nodes = slices.Clone(sim.Nodes)
	for n := range out.Nodes {
		o := &out.Nodes[n]
		o.Out, o.Ended, o.Refused = maps.Clone(o.Out), maps.Clone(o.Ended), maps.Clone(o.Refused)
	}
	return out
}

// Simulation returns a simulation as far as it has come.
func (s *Service) Simulation(_ context.Context, ws, id string) (Simulation, error) {
	s.sims.mu.Lock()
	defer s.sims.mu.Unlock()
	sim := s.sims.byID[id]
	if sim == nil || sim.Workspace != ws {
		return Simulation{}, errs.NotFound("journey_simulation", id)
	}
	return sim.copy(), nil
}

// SimulationEnded waits until a simulation has ended and returns it.
func (s *Service) SimulationEnded(ctx context.Context, ws, id string) (Simulation, error) {
	s.sims.mu.Lock()
	sim := s.sims.byID[id]
	s.sims.mu.Unlock()
	if sim == nil || sim.Workspace != ws {
		return Simulation{}, errs.NotFound("journey_simulation", id)
	}
	select {
	case <-sim.ended:
	case <-ctx.Done():
		return Simulation{}, ctx.Err()
	}
	return s.Simulation(ctx, ws, id)
}

// CancelSimulation ends a simulation; what it has counted stays.
func (s *Service) CancelSimulation(ctx context.Context, ws, id string) (Simulation, error) {
	s.sims.mu.Lock()
	if sim := s.sims.byID[id]; sim != nil && sim.Workspace == ws && sim.Status == SimulationRunning {
		sim.Status = SimulationCancelled
		sim.cancel()
	}
	s.sims.mu.Unlock()
	return s.Simulation(ctx, ws, id)
}

func (s *Service) simulate(ctx context.Context, sim *Simulation, j Journey, p *Plan, sample int) {
	defer close(sim.ended)
	defer sim.cancel()
	err := s.everybody(ctx, sim, j, p, sample)
	s.sims.mu.Lock()
	defer s.sims.mu.Unlock()
	switch {
	case sim.Status != SimulationRunning:
	case err != nil:
		sim.Status, sim.Error = SimulationFailed, failure(err)
		s.c.Log.Error("a simulation of a journey failed", "workspace", sim.Workspace, "journey", sim.Journey, "error", err)
	default:
		sim.Status = SimulationDone
	}
}

func (s *Service) everybody(ctx context.Context, sim *Simulation, j Journey, p *Plan, sample int) error {
	select {
	case s.sims.turn <- struct{}{}:
		defer func() { <-s.sims.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	ws := sim.Workspace
	home, err := s.home(ctx, ws)
	if err != nil {
		return err
	}
	var policy outbox.Policy
	if s.c.Policies != nil {
		if policy, err = s.c.Policies.Policy(ctx, ws); err != nil {
			return err
		}
	}
	all, err := s.c.Audience.Numbers(ctx, ws, "")
	if err != nil {
		return err
	}
	nums := all.ToArray()
	everybody := int64(len(nums))
	if sample > 0 && sample < len(nums) {
		share := func(n uint64) float64 { return leaf.Share("sample", fmt.Sprint(n)) }
		slices.SortFunc(nums, func(a, b uint64) int { return cmp.Compare(share(a), share(b)) })
		nums = nums[:sample]
	}
	s.sims.mu.Lock()
	sim.Everybody, sim.People = everybody, int64(len(nums))
	if len(nums) < int(everybody) {
		sim.About = append(sim.About, AboutSample)
	}
	s.sims.mu.Unlock()
	names, whole := p.needs()
	for some := range slices.Chunk(nums, simulationBatch) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		ids, err := s.c.People.IDs(ctx, ws, some)
		if err != nil {
			return err
		}
		people := slices.Collect(maps.Values(ids))
		subjects, err := s.c.Subjects.Subjects(ctx, ws, people, names, whole)
		if err != nil {
			return err
		}
		homes, err := s.homes(ctx, ws, people)
		if err != nil {
			return err
		}
		for _, n := range some {
			subject := subjects[ids[n]]
			if subject == nil {
				continue
			}
			r := &rehearsal{plan: p, journey: j, policy: policy, subject: subject, zone: zoneOf(subject, homes), home: home, from: sim.From, to: sim.To}
			r.inSet = p.trigger.set != "" && (facts{subjects: subjects}).inSet(ids[n], p.trigger.set)
			sum := newSummary()
			r.note = sum.note
			ok := r.run()
			s.sims.mu.Lock()
			sim.add(sum, r, ok, home)
			s.sims.mu.Unlock()
		}
		s.sims.mu.Lock()
		sim.Looked += int64(len(some))
		s.sims.mu.Unlock()
	}
	return nil
}

// summary is what one person's rehearsal came to.
type summary struct {
	counts  map[Tally]int64
	entered []time.Time
	held    int64
	got     map[string]bool // nodes at which they would have got a message
}

func newSummary() *summary { return &summary{counts: map[Tally]int64{}, got: map[string]bool{}} }

func (s *summary) note(w Walk, now time.Time) {
	for _, t := range w.Tallies {
		s.counts[Tally{Node: t.Node, What: t.What}] += t.N
		if t.What == Queued {
			s.got[t.Node] = true
		}
	}
	if w.fresh && w.Instance.Control {
		s.held++
	} else if w.fresh {
		s.entered = append(s.entered, now)
	}
}

func (sim *Simulation) add(s *summary, r *rehearsal, ok bool, home *time.Location) {
	if !ok {
		sim.Endless++
	}
	sim.Held += s.held
	sim.Entered += int64(len(s.entered))
	if len(s.entered) > 0 {
		sim.Persons++
	}
	for _, at := range s.entered {
		sim.Days[at.In(home).Format(time.DateOnly)]++
	}
	for reason, n := range r.turned {
		sim.Turned[reason] += n
	}
	if len(s.got) > 0 {
		sim.Receivers++
	}
	for t, n := range s.counts {
		what, detail, _ := strings.Cut(t.What, ":")
		if t.Node == "" {
			switch what {
			case Inside:
				sim.Inside += n
			case Goals:
				sim.Goals += n
			case Ended:
				sim.Ended[detail] += n
			}
			continue
		}
		place, known := sim.order[t.Node]
		if !known {
			continue
		}
		at := &sim.Nodes[place]
		switch what {
		case In:
			at.In += n
		case Queued:
			at.Messages += n
			sim.Messages += n
		case Refused:
			at.Refused[detail] += n
			sim.Refused[detail] += n
		case Out:
			at.Out[detail] += n
		case Ended:
			at.Ended[detail] += n
		}
	}
	for node := range s.got {
		if place, known := sim.order[node]; known {
			sim.Nodes[place].People++
		}
	}
}
