package journey

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/domain/task"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/secret"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

// Outbox takes requests for messages.
type Outbox interface {
	// Enqueue stores a decision for every request, in their order, and joins the caller's transaction.
	Enqueue(ctx context.Context, reqs []outbox.Request) ([]outbox.Decision, error)
	// Withdraw refuses what still waits of messages that are not wanted any more, and joins the caller's transaction.
	Withdraw(ctx context.Context, ws string, all []outbox.Withdrawal) error
	// SourcePaused keeps what waits of the source from going until SourceResumed; both join the caller's transaction.
	SourcePaused(ctx context.Context, ws string, src outbox.Source) error
	SourceResumed(ctx context.Context, ws string, src outbox.Source) error
}

// People knows who is behind a person number.
type People interface {
	// IDs returns person ids by the number asked for, following merges. Unknown numbers are left out.
	IDs(ctx context.Context, ws string, nums []uint64) (map[uint64]string, error)
}

// Subjects shows people as rules see them.
type Subjects interface {
	// Subjects returns the people by the id asked for, with a history that includes all events with one of the names (all
	// events if all is set). Unknown people are left out.
	Subjects(ctx context.Context, ws string, people []string, names []string, all bool) (map[string]*rule.Subject, error)
}

// Tasks makes tasks for staff.
type Tasks interface {
	// Create makes a task, once for its key, and joins the caller's transaction.
	Create(ctx context.Context, ws, key string, d task.Draft, from task.Origin) (task.Task, error)
}

// Traits writes traits.
type Traits interface {
	// ChangeTraits sets traits, nil removing one, and adds to others. It joins the caller's transaction; the same cause never writes twice.
	ChangeTraits(ctx context.Context, ws, person string, traits map[string]any, increment map[string]float64, cause string) error
}

// Checker knows what journeys may refer to. Each method returns nil, or an error of kind not_found or conflict if the
// thing is missing or cannot be used.
type Checker interface {
	CheckTemplate(ctx context.Context, ws, id string) error
	// CheckVariables reports what a template writes out and nobody has; now: of those who are known today.
	CheckVariables(ctx context.Context, ws, template string, now bool) error
	CheckTopic(ctx context.Context, ws, id string) error
	CheckSet(ctx context.Context, ws, id string) error // a segment or list; an archived segment knows nobody new and is a conflict
	CheckList(ctx context.Context, ws, id string) error
	CheckField(ctx context.Context, ws, field string) error // that a rule looks at
	CheckChannel(ctx context.Context, ws, kind string) error
	CheckMember(ctx context.Context, ws, user string) error // of staff
	// PersonVariables lists what texts may name of a person, as liquid.Template.Check knows it: person.id, person.plan ... or person.*.
	PersonVariables(ctx context.Context, ws string) ([]string, error)
}

// Config is what a Service needs. All fields but the last two are required.
type Config struct {
	Store    Store
	Tx       tx.Runner
	Clock    clock.Clock
	Log      *slog.Logger
	Emitter  event.Emitter
	Outbox   Outbox
	People   People
	Subjects Subjects
	Traits   Traits
	Checker  Checker
	Audience Audience
	Policies Policies // for simulations; nil: nothing is forbidden
	Caller   Caller
	Lists    Lists
	Figures  Figures
	Tasks    Tasks
	Box      *secret.Box                                                  // keeps the secrets that webhooks send
	Zone     func(ctx context.Context, ws string) (*time.Location, error) // where people live whose zone is not known; nil: UTC
	// Places returns where people's clocks are, as far as that is known; nil: what their traits say.
	Places func(ctx context.Context, ws string, personIDs []string) (map[string]*time.Location, error)
	Lease  time.Duration // how long a worker may hold people; one minute if zero
	Batch  int           // how many people of a journey a worker takes at once; 256 if zero
}

// Service leads people through journeys. It is safe for concurrent use.
type Service struct {
	c     Config
	pulse lifecycle.Pulse
	loop  lifecycle.Loop

	errands lifecycle.Pulse // wakes the loop that does errands
	runner  lifecycle.Loop

	mu    sync.Mutex
	index *index
	plans map[planKey]*Plan
	sims  simulations

	looked map[string]time.Time // at the figures of undecided tests
}

// New returns a Service; Start makes it move people.
func New(c Config) *Service {
	if c.Lease <= 0 {
		c.Lease = time.Minute
	}
	if c.Batch <= 0 {
		c.Batch = 256
	}
	s := &Service{
		c: c, pulse: lifecycle.NewPulse(poll), errands: lifecycle.NewPulse(poll), plans: map[planKey]*Plan{}, looked: map[string]time.Time{},
		sims: simulations{byID: map[string]*Simulation{}, turn: make(chan struct{}, 1)},
	}
	s.loop.Run, s.runner.Run = s.run, s.runErrands
	return s
}

// Start begins to move people who are due, and to do what they wait for.
func (s *Service) Start(ctx context.Context) error {
	return errors.Join(s.loop.Start(ctx), s.runner.Start(ctx))
}

// Stop ends it, after the batch in hand; requests on their way are given up and made again after the next start.
func (s *Service) Stop(ctx context.Context) error {
	s.sims.mu.Lock()
	for _, sim := range s.sims.byID {
		sim.cancel()
	}
	s.sims.mu.Unlock()
	return errors.Join(s.loop.Stop(ctx), s.runner.Stop(ctx))
}

// Create adds a draft. key may be empty; if not, it must be new in the workspace.
func (s *Service) Create(ctx context.Context, ws, key, name string, g Graph) (Journey, error) {
	now := s.c.Clock.Now()
	j := Journey{ID: id.New("jrn"), Workspace: ws, Key: key, Name: name, Status: Draft, Draft: g, Rev: 1, CreatedAt: now, UpdatedAt: now}
	if err := j.Validate(); err != nil {
		return Journey{}, err
	}
	return j, s.c.Store.Create(ctx, j)
}

// Get returns a journey.
func (s *Service) Get(ctx context.Context, ws, id string) (Journey, error) {
	return s.c.Store.Get(ctx, ws, id)
}

// List returns the journeys that match, latest made first.
func (s *Service) List(ctx context.Context, ws string, f Filter, p page.Request) (page.Of[Journey], error) {
	f.Text = strings.TrimSpace(f.Text)
	return s.c.Store.List(ctx, ws, f, p)
}

// Versions returns what was published, latest first.
func (s *Service) Versions(ctx context.Context, ws, id string) ([]Version, error) {
	if _, err := s.c.Store.Get(ctx, ws, id); err != nil {
		return nil, err
	}
	return s.c.Store.Versions(ctx, ws, id)
}

// Edit changes name and draft. rev is the Rev that the editor saw, 0 to overwrite whatever is there. People inside are not
// concerned until the draft is published, and then only those who enter afterwards.
func (s *Service) Edit(ctx context.Context, ws, id string, rev int64, name string, g Graph) (Journey, error) {
	return s.change(ctx, ws, id, func(_ context.Context, j *Journey) error {
		if rev != 0 && rev != j.Rev {
			return errs.Conflict("journey.changed", "someone else has changed this journey; load it again and repeat the change")
		}
		if j.Status == Archived {
			return archived(*j)
		}
		j.Name, j.Draft = name, g
		return j.Validate()
	})
}

// Check says whether the draft could be published; the error joins everything that is wrong, each with the node and field.
func (s *Service) Check(ctx context.Context, ws, id string) error {
	j, err := s.c.Store.Get(ctx, ws, id)
	if err != nil {
		return err
	}
	return s.publishable(ctx, ws, id, j.Draft)
}

// publishable is check and what may not begin anew, though what runs may go on with it.
func (s *Service) publishable(ctx context.Context, ws, id string, g Graph) error {
	p, err := Compile(g)
	if err != nil {
		return err
	}
	missing := s.check(ctx, ws, id, g)
	if missing != nil && !errs.Is(missing, errs.KindInvalid) {
		return missing
	}
	home, err := s.home(ctx, ws)
	if err != nil {
		return err
	}
	people, err := s.c.Checker.PersonVariables(ctx, ws)
	if err != nil {
		return err
	}
	made, err := s.c.Store.Decisions(ctx, ws, id)
	if err != nil {
		return fmt.Errorf("load decisions: %w", err)
	}
	gaps, err := s.gaps(ctx, ws, p)
	if err != nil {
		return err
	}
	return errors.Join(missing, errors.Join(gaps...), errors.Join(p.vet(g, s.c.Clock.Now(), home, people)...), errors.Join(p.decided(made)...))
}

// gaps says what the templates of a plan write out and nobody will ever have. Whoever is inside a version that has such a gap goes on.
func (s *Service) gaps(ctx context.Context, ws string, p *Plan) (bad []error, _ error) {
	for _, r := range p.References().Templates {
		err := s.c.Checker.CheckVariables(ctx, ws, r.ID, false)
		switch {
		case errs.Is(err, errs.KindConflict):
			for _, e := range errs.All(err) {
				bad = append(bad, &errs.Error{Kind: errs.KindInvalid, Code: e.Code, Field: r.Field, Msg: e.Msg, Args: e.Args})
			}
		case err != nil && !errs.Is(err, errs.KindNotFound): // which check has told
			return nil, err
		}
	}
	return bad, nil
}

// Faults says what the version that people enter names and can no longer use: what was archived, deleted or forbidden since it was published.
// The error joins all of it, as Check does; nil: nothing, or there is no such version.
func (s *Service) Faults(ctx context.Context, ws, id string) error {
	j, err := s.c.Store.Get(ctx, ws, id)
	if err != nil || j.Published == 0 || j.Status != Live && j.Status != Paused {
		return err
	}
	v, err := s.c.Store.Version(ctx, ws, id, j.Published)
	if err != nil {
		return err
	}
	return s.check(ctx, ws, id, v.Graph)
}

func (s *Service) check(ctx context.Context, ws, id string, g Graph) error {
	p, err := Compile(g)
	if err != nil {
		return err
	}
	var bad []error
	ask := func(refs []Reference, kind string, check func(context.Context, string, string) error) error {
		for _, r := range refs {
			err := check(ctx, ws, r.ID)
			switch {
			case err == nil:
			case errs.Is(err, errs.KindNotFound):
				bad = append(bad, errs.Invalid("journey.missing."+kind, r.Field, "the %s %q does not exist; choose another", kind, r.ID))
			case errs.Is(err, errs.KindConflict), errs.Is(err, errs.KindInvalid):
				for _, e := range errs.All(err) { // each has a remedy of its own
					bad = append(bad, &errs.Error{Kind: errs.KindInvalid, Code: e.Code, Field: r.Field, Msg: e.Msg, Args: e.Args})
				}
			default:
				return err
			}
		}
		return nil
	}
	refs := p.References()
	known := func(ctx context.Context, ws, other string) error {
		if other == id {
			return errs.Invalid("journey.itself", "", "a journey cannot name itself here; choose another, or end it with an exit")
		}
		j, err := s.c.Store.Get(ctx, ws, other)
		if err == nil && j.Status == Archived {
			return errs.Conflict("journey.unusable", "the journey %q is archived; choose another", j.Name)
		}
		return err
	}
	if err := errors.Join(
		ask(refs.Templates, "template", s.c.Checker.CheckTemplate),
		ask(refs.Topics, "topic", s.c.Checker.CheckTopic),
		ask(refs.Sets, "segment", s.c.Checker.CheckSet),
		ask(refs.Fields, "field", s.c.Checker.CheckField),
		ask(refs.Journeys, "journey", known),
		ask(refs.Lists, "list", s.c.Checker.CheckList),
		ask(refs.Channels, "channel", s.c.Checker.CheckChannel),
		ask(refs.Members, "member", s.c.Checker.CheckMember),
		ask(refs.URLs, "address", func(_ context.Context, _, address string) error { return s.c.Caller.Check(address) }),
		ask(refs.Secrets, "secret", func(ctx context.Context, ws, id string) error {
			_, err := s.c.Store.Secret(ctx, ws, id)
			return err
		}),
	); err != nil {
		return err
	}
	return errors.Join(bad...)
}

// Publish makes an immutable version of the draft and lets people in. People inside an earlier version finish on it.
func (s *Service) Publish(ctx context.Context, ws, id string) (Journey, error) {
	return s.change(ctx, ws, id, func(ctx context.Context, j *Journey) error {
		if j.Status == Archived {
			return archived(*j)
		}
		if err := s.publishable(ctx, ws, id, j.Draft); err != nil {
			return err
		}
		p, err := Compile(j.Draft)
		if err != nil {
			return err
		}
		if j.Status == Paused {
			if err := s.c.Outbox.SourceResumed(ctx, ws, source(id)); err != nil {
				return err
			}
		}
		j.Published++
		j.Status, j.Draining = Live, false
		if err := s.open(ctx, *j, p); err != nil {
			return err
		}
		return s.c.Store.AddVersion(ctx, Version{Workspace: ws, Journey: id, Number: j.Published, Graph: j.Draft, CreatedAt: s.c.Clock.Now()})
	})
}

// Pause keeps everybody where they are and lets nobody in; messages that wait stay where they are as well. Who reaches the goal or an exit meanwhile leaves.
func (s *Service) Pause(ctx context.Context, ws, id string) (Journey, error) {
	return s.change(ctx, ws, id, func(ctx context.Context, j *Journey) error {
		switch j.Status {
		case Paused:
			return nil
		case Live:
			j.Status = Paused
			return s.c.Outbox.SourcePaused(ctx, ws, source(id))
		}
		return errs.Conflict("journey.not_live", "only a live journey can be paused; this one is %s", j.Status)
	})
}

// Resume lets people in and on again, on the published version. Waits that have passed meanwhile end at once.
func (s *Service) Resume(ctx context.Context, ws, id string) (Journey, error) {
	return s.change(ctx, ws, id, func(ctx context.Context, j *Journey) error {
		switch j.Status {
		case Live:
			return nil
		case Paused:
			j.Status = Live
			return s.c.Outbox.SourceResumed(ctx, ws, source(id))
		case Stopped:
			j.Status, j.Draining = Live, false
			p, err := s.plan(ctx, planKey{ws, id, j.Published})
			if err != nil {
				return err
			}
			return s.open(ctx, *j, p)
		}
		return errs.Conflict("journey.not_paused", "only a paused or stopped journey can be resumed; this one is %s", j.Status)
	})
}

// End stops the journey: nobody enters any more. Those inside finish, or leave now if exit is set.
func (s *Service) End(ctx context.Context, ws, id string, exit bool) (Journey, error) {
	return s.change(ctx, ws, id, func(ctx context.Context, j *Journey) error {
		if j.Status == Draft || j.Status == Archived {
			return errs.Conflict("journey.not_running", "only a published journey can be stopped; this one is %s", j.Status)
		}
		if j.Status == Paused {
			if err := s.c.Outbox.SourceResumed(ctx, ws, source(id)); err != nil {
				return err
			}
		}
		j.Status, j.Draining = Stopped, j.Draining || exit
		return s.close(ctx, *j, s.c.Clock.Now())
	})
}

// Restore takes a journey from the archive: a draft if it was never published, else stopped.
func (s *Service) Restore(ctx context.Context, ws, id string) (Journey, error) {
	return s.change(ctx, ws, id, func(_ context.Context, j *Journey) error {
		if j.Status != Archived {
			return nil
		}
		if j.Status = Stopped; j.Published == 0 {
			j.Status = Draft
		}
		return nil
	})
}

// Archive puts a journey away. It must be a draft, or stopped with nobody inside. Who still waits for a place is refused.
func (s *Service) Archive(ctx context.Context, ws, id string) (Journey, error) {
	return s.change(ctx, ws, id, func(ctx context.Context, j *Journey) error {
		switch j.Status {
		case Archived:
			return nil
		case Draft:
		case Stopped:
			inside, err := s.c.Store.Inhabited(ctx, ws, id)
			if err != nil {
				return err
			}
			if len(inside) > 0 {
				return errs.Conflict("journey.inhabited", "people are still inside; take them out or wait until they have finished")
			}
		default:
			return errs.Conflict("journey.running", "stop the journey first; it is %s", j.Status)
		}
		j.Status = Archived
		return s.turnQueueAway(ctx, *j)
	})
}

func archived(j Journey) error {
	return errs.Conflict("journey.archived", "the journey %q is archived and cannot be changed; restore it first, or copy it", j.Name)
}

// change loads a journey, lets fn change it and writes it, in one transaction.
func (s *Service) change(ctx context.Context, ws, id string, fn func(ctx context.Context, j *Journey) error) (Journey, error) {
	var out Journey
	err := s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		j, err := s.c.Store.Get(ctx, ws, id)
		if err != nil {
			return err
		}
		if err := fn(ctx, &j); err != nil {
			return err
		}
		j.UpdatedAt = s.c.Clock.Now()
		if err := s.c.Store.Update(ctx, j); err != nil {
			return err
		}
		j.Rev++
		out = j
		return nil
	})
	if err == nil {
		s.pulse.Wake()
	}
	return out, err
}

// Retry sends a parked person on, from the step that failed.
func (s *Service) Retry(ctx context.Context, ws, instance string) error {
	if _, err := s.c.Store.Instance(ctx, ws, instance); err != nil {
		return err
	}
	return s.retry(ctx, ws, []string{instance})
}

// RetryAll sends everybody on who is parked in the journey and returns how many.
func (s *Service) RetryAll(ctx context.Context, ws, journey string) (int, error) {
	total := 0
	for {
		parked, err := s.c.Store.ParkedIn(ctx, ws, journey, s.c.Batch)
		if err != nil || len(parked) == 0 {
			return total, err
		}
		ids := make([]string, len(parked))
		for i, p := range parked {
			ids[i] = p.ID
		}
		if err := s.retry(ctx, ws, ids); err != nil {
			return total, err
		}
		total += len(ids)
	}
}

func (s *Service) retry(ctx context.Context, ws string, ids []string) error {
	defer s.pulse.Wake()
	return s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		found, err := s.c.Store.Seize(ctx, ws, ids)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return errs.Conflict("journey.not_parked", "nobody is waiting here for another try")
		}
		var walks []Walk
		for _, i := range found {
			if i.Status != Parked {
				continue
			}
			w := Walk{Instance: i}
			w.Instance.Status, w.Instance.Due, w.Instance.Attempts = Active, s.c.Clock.Now(), 0
			w.tally(i.Node, Failing, -1)
			walks = append(walks, w)
		}
		return s.write(ctx, walks)
	})
}

// Remove takes one person out.
func (s *Service) Remove(ctx context.Context, ws, instance string) error {
	return s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		i, err := s.c.Store.Instance(ctx, ws, instance)
		if err != nil {
			return err
		}
		found, err := s.c.Store.Seize(ctx, ws, []string{instance})
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return errs.Conflict("journey.not_inside", "this person has left the journey already (%s)", i.Why)
		}
		return s.write(ctx, []Walk{s.takeOut(ctx, found[0], "removed", node.Because("removed"))})
	})
}

// takeOut is Plan.Take for an instance whose plan may be unreadable.
func (s *Service) takeOut(ctx context.Context, i Instance, why string, reason node.Reason) Walk {
	p, err := s.plan(ctx, planKey{i.Workspace, i.Journey, i.Version})
	if err != nil {
		p = nil // the step is then logged without its kind
	}
	return p.Take(i, why, reason, s.c.Clock.Now())
}

// Queue lists who is to enter the journey, soonest first: appointments, and people who wait for a place.
func (s *Service) Queue(ctx context.Context, ws, journey string, p page.Request) (page.Of[Entry], error) {
	if _, err := s.c.Store.Get(ctx, ws, journey); err != nil {
		return page.Of[Entry]{}, err
	}
	return s.c.Store.Queue(ctx, ws, journey, p)
}

// Refusals lists who was not let in, latest first; those with the reason, or all if it is empty.
func (s *Service) Refusals(ctx context.Context, ws, journey, reason string, p page.Request) (page.Of[Refusal], error) {
	if _, err := s.c.Store.Get(ctx, ws, journey); err != nil {
		return page.Of[Refusal]{}, err
	}
	return s.c.Store.Refusals(ctx, ws, journey, reason, p)
}
