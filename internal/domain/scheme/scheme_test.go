package scheme_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/person/persontest"
	"github.com/kizuna-cx/kizuna/internal/domain/scheme"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// world is people of whom two share an address each, jobs about them and somebody who may begin those.
type world struct {
	*persontest.World
	t    *testing.T
	db   *sqldb.DB
	by   staff.Principal
	jobs *job.Service
	scheme.Service

	queued []event.Identifier // after which people were left to be worked out, in turn
	die    context.CancelFunc // ends the process in the middle of the second such step
}

// pairs are so many that they are left to be worked out in more than one step, which takes 500 identifiers in their order.
const pairs = 260

func newWorld(t *testing.T, db *sqldb.DB) *world {
	w := &world{t: t, db: db, by: staff.Principal{Workspace: persontest.WS, ID: "usr_1", Name: "Ann", Permissions: []staff.Permission{staff.SettingsWrite}}}
	w.World = persontest.NewWorld(t, sqlstore.NewPerson(db), db, nil)
	var all []event.Event
	for i := range pairs {
		for j, browser := range []string{"a", "b"} {
			all = append(all, event.Event{
				MessageID: fmt.Sprintf("m%03d%s", i, browser), Type: event.Identify, Time: persontest.At(2*i + j), AnonymousID: fmt.Sprintf("%03d%s", i, browser),
				Properties: persontest.Object(map[string]any{"email": fmt.Sprintf("e%03d@example.com", i)}),
			})
		}
	}
	w.Deliver(all...)
	w.restart()
	return w
}

// restart is another process on the same stores.
func (w *world) restart() {
	w.jobs = job.New(job.Config{Store: sqlstore.NewJob(w.db), Tx: w.db, Clock: w.Clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	w.Service = scheme.Service{People: people{w.World.Service, w}, Jobs: w.jobs, Pause: time.Millisecond}
	w.jobs.Register(w.Kinds()...)
}

// people works out who everybody is whenever it is asked how many wait for it, and can die.
type people struct {
	*person.Service
	w *world
}

func (p people) Waiting(ctx context.Context, ws string) (int, error) {
	if ctx.Err() == nil {
		p.w.Settle()
	}
	return p.Service.Waiting(ctx, ws)
}

func (p people) QueueScheme(ctx context.Context, ws string, after event.Identifier, limit int) (event.Identifier, int64, bool, error) {
	p.w.queued = append(p.w.queued, after)
	last, n, done, err := p.Service.QueueScheme(ctx, ws, after, limit)
	if p.w.die != nil && len(p.w.queued) == 2 {
		p.w.die() // everything is written, nothing is committed
		return last, n, done, ctx.Err()
	}
	return last, n, done, err
}

// do begins a job and works on it.
func (w *world) do(ctx context.Context, wanted job.Wanted, err error) job.Job {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	wanted.By = w.by
	j, err := w.jobs.Begin(w.t.Context(), persontest.WS, wanted)
	if err != nil {
		w.t.Fatal(err)
	}
	w.work(ctx)
	return w.job(j.ID)
}

func (w *world) work(ctx context.Context) {
	w.t.Helper()
	for more := true; more; {
		var err error
		if more, err = w.jobs.Work(ctx); err != nil && ctx.Err() == nil {
			w.t.Fatal(err)
		}
		more = more && ctx.Err() == nil
	}
}

func (w *world) job(id string) job.Job {
	w.t.Helper()
	j, err := w.jobs.Get(w.t.Context(), w.by, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

// bound is the default scheme with addresses that join nobody.
func bound() person.Scheme {
	s := person.DefaultScheme()
	i := slices.IndexFunc(s.Kinds, func(k person.Kind) bool { return k.Name == person.KindEmail })
	s.Kinds[i].Bind = true
	return s
}

// parted counts the pairs who are two people, and checks that what each did is theirs.
func (w *world) parted() (n int) {
	w.t.Helper()
	for i := range pairs {
		a, b := w.Who("anonymous_id", fmt.Sprintf("%03da", i)), w.Who("anonymous_id", fmt.Sprintf("%03db", i))
		if a.ID != b.ID {
			n++
		}
		for browser, p := range map[string]person.Person{"a": a, "b": b} {
			if m := fmt.Sprintf("m%03d%s", i, browser); w.Owner(m) != p.Num {
				w.t.Fatalf("%s is %d's and not %d's", m, w.Owner(m), p.Num)
			}
		}
	}
	return n
}

func TestASchemeThatIsAppliedGoesOnWhereItWasKilled(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		wanted, err := w.Simulate(t.Context(), persontest.WS, bound())
		trial := w.do(t.Context(), wanted, err)
		if trial.State != job.Done || trial.Progress.Figures["people"] != pairs || trial.Progress.Figures["split"] != pairs {
			t.Fatalf("simulated: %+v", trial)
		}
		if n := w.parted(); n != 0 || len(w.queued) != 0 {
			t.Fatalf("a simulation has parted %d and left %d to be worked out", n, len(w.queued))
		}

		ctx, kill := context.WithCancel(t.Context())
		defer kill()
		w.die = kill
		wanted, err = w.Apply(t.Context(), w.by, bound(), trial.ID)
		applied := w.do(ctx, wanted, err)
		if n := w.parted(); applied.State == job.Done || n == 0 || n == pairs {
			t.Fatalf("killed in the middle: %s, %d of %d parted", applied.State, n, pairs)
		}
		// Meanwhile somebody new comes: the scheme stands already.
		w.Deliver(event.Event{
			MessageID: "new", Type: event.Identify, Time: persontest.At(9999), AnonymousID: "259c",
			Properties: persontest.Object(map[string]any{"email": "e259@example.com"}),
		})

		w.die = nil
		w.restart()
		w.Clock.Advance(time.Hour) // the lease of the dead process runs out
		w.work(t.Context())
		if applied = w.job(applied.ID); applied.State != job.Done || applied.Progress.Figures["people"] < pairs {
			t.Fatalf("taken up again: %+v", applied)
		}
		if n := w.parted(); n != pairs {
			t.Fatalf("%d of %d parted", n, pairs)
		}
		if w.Who("anonymous_id", "259c").ID == w.Who("anonymous_id", "259b").ID {
			t.Fatal("somebody who came in between was read by the old scheme")
		}
		if w.queued[0] != (event.Identifier{}) || len(w.queued) < 3 || w.queued[2] != w.queued[1] {
			t.Fatalf("it began after %v", w.queued)
		}
		if again := w.do(t.Context(), wanted, nil); again.ID != applied.ID {
			t.Fatalf("the same application made another job: %s", again.ID)
		}
	})
}

func TestOnlyWhatWasSimulatedIsApplied(t *testing.T) {
	w := newWorld(t, sqldbtest.Open(t, sqldb.SQLite))
	wanted, err := w.Simulate(t.Context(), persontest.WS, bound())
	if err != nil {
		t.Fatal(err)
	}
	wanted.By = w.by
	waiting, err := w.jobs.Begin(t.Context(), persontest.WS, wanted)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(name string, draft person.Scheme, of string, kind errs.Kind, code string) {
		t.Helper()
		_, err := w.Apply(t.Context(), w.by, draft, of)
		if all := errs.All(err); !errs.Is(err, kind) || code != "" && (len(all) != 1 || all[0].Code != code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	refused("nothing", bound(), "job_none", errs.KindNotFound, "")
	refused("not simulated yet", bound(), waiting.ID, errs.KindConflict, "identity.scheme.not_simulated")
	w.work(t.Context())
	refused("another one", person.DefaultScheme(), waiting.ID, errs.KindConflict, "identity.scheme.not_simulated")
	stranger := w.by
	stranger.Workspace = "ws_other"
	if _, err := w.Apply(t.Context(), stranger, bound(), waiting.ID); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("of another workspace: %v", err)
	}

	report, err := w.Report(t.Context(), w.by, waiting.ID)
	splits := slices.DeleteFunc(slices.Clone(report.Examples), func(e person.Example) bool { return e.What != person.ExampleSplit || e.Reason != person.ReasonBinds })
	if err != nil || report.Version != 0 || len(report.Kinds) != len(bound().Kinds) || len(splits) != 20 {
		t.Fatalf("report of %d kinds after version %d with %d splits among %d examples, %v", len(report.Kinds), report.Version, len(splits), len(report.Examples), err)
	}

	applied, err := w.Apply(t.Context(), w.by, bound(), waiting.ID)
	refused("simulated against a scheme that has gone", bound(), waiting.ID, errs.KindConflict, "identity.scheme.changed")
	if _, err := w.Report(t.Context(), w.by, w.do(t.Context(), applied, err).ID); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("an application has the report of a simulation: %v", err)
	}
	bad := bound()
	bad.Kinds = bad.Kinds[1:]
	if _, err := w.Simulate(t.Context(), persontest.WS, bad); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("a scheme that cannot be was simulated: %v", err)
	}
}
