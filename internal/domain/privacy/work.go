package privacy

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

const (
	lookEvery = 2 * time.Second  // for requests and refusals of other processes
	restAfter = 10 * time.Second // a step that failed
	// shortest is the shortest identifier that files are searched for: shorter ones are found in all of them.
	shortest = 4
)

func (s *Service) run(ctx context.Context) {
	for {
		wait := lookEvery
		if err := s.Refresh(ctx); err != nil && ctx.Err() == nil {
			s.c.Log.Error("refusals cannot be read, trying again", "err", err)
		}
		if err := s.Work(ctx); err != nil && ctx.Err() == nil {
			s.c.Log.Error("erasure does not go on, trying again", "err", err)
			wait = restAfter
		}
		if !s.pulse.WaitAtMost(ctx, wait) {
			return
		}
	}
}

// Work brings all unfinished requests as far as they go: first each to the point where only bytes are left, then the files are written anew once for
// all of them. It returns the first error; the others go on.
func (s *Service) Work(ctx context.Context) error {
	waiting, err := s.c.Store.Unfinished(ctx)
	if err != nil || len(waiting) == 0 {
		return err
	}
	var first error
	var ready []Request
	for _, r := range waiting {
		for r.Step < Swept && ctx.Err() == nil {
			next, err := s.step(ctx, r)
			if err != nil {
				first = cmp.Or(first, s.stumble(ctx, r, err))
				break
			}
			r = next
		}
		if r.Step >= Swept {
			ready = append(ready, r)
		}
	}
	if len(ready) == 0 || ctx.Err() != nil {
		return first
	}
	if err := s.rewrite(ctx, ready); err != nil {
		for _, r := range ready {
			first = cmp.Or(first, s.stumble(ctx, r, err))
		}
	}
	return first
}

// stumble notes why a request does not go on, beside what the step that failed has noted already.
func (s *Service) stumble(ctx context.Context, r Request, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	noted, werr := s.c.Store.Get(ctx, r.Workspace, r.ID)
	if werr == nil {
		noted.State, noted.Error, noted.UpdatedAt = Running, clip(err.Error()), s.c.Clock.Now()
		werr = s.c.Store.Update(ctx, noted)
	}
	if werr != nil {
		s.c.Log.Error("cannot note why an erasure does not go on", "request", r.ID, "err", werr)
	}
	return fmt.Errorf("erasure %s after step %d: %w", r.ID, r.Step, err)
}

func clip(s string) string {
	const most = 300
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}

// step does the step after r.Step.
func (s *Service) step(ctx context.Context, r Request) (Request, error) {
	r.State, r.Error = Running, ""
	var err error
	switch r.Step {
	case Asked:
		return s.find(ctx, r, Found)
	case Found:
		if err = s.settle(ctx, r); err == nil {
			// Events that were on their way may have brought more.
			return s.find(ctx, r, Settled)
		}
	case Settled:
		err = s.leave(ctx, &r)
	case Left:
		err = s.strip(ctx, &r)
	case Stripped:
		if err = s.quiet(ctx, r); err == nil {
			if err = s.strip(ctx, &r); err == nil {
				r.Person, r.plan = "", nil
			}
		}
	}
	if err != nil {
		return r, err
	}
	r.Step++
	r.UpdatedAt = s.c.Clock.Now()
	return r, s.c.Store.Update(ctx, r)
}

// find gathers what belongs to the person and has intake refuse their identifiers.
func (s *Service) find(ctx context.Context, r Request, then Step) (Request, error) {
	t := Traces{Ghost: id.New("per"), Before: s.c.Clock.Now().Add(-s.c.LogRetention - 24*time.Hour)}
	if len(r.plan) > 0 {
		before, err := s.open(r)
		if err != nil {
			return r, err
		}
		t = before
	}
	who, err := s.c.Records.Subject(ctx, r.Workspace, r.Person)
	if err != nil {
		return r, err
	}
	t.IDs = union(t.IDs, who.IDs)
	t.Nums = union(t.Nums, who.Nums)
	spelt, err := s.c.Spellings(ctx, r.Workspace, who.Identifiers)
	if err != nil {
		return r, err
	}
	t.Identifiers = unionIDs(t.Identifiers, spelt)
	if t, err = s.c.Events.Traces(ctx, r.Workspace, t); err != nil {
		return r, err
	}
	for _, p := range t.IDs {
		t.Keys = append(t.Keys, event.SubjectOf(r.Workspace, p, "", "", ""))
	}
	for _, i := range t.Identifiers {
		switch i.Kind {
		case "user_id":
			t.Keys = append(t.Keys, event.SubjectOf(r.Workspace, "", i.Value, "", ""))
		case "anonymous_id":
			t.Keys = append(t.Keys, event.SubjectOf(r.Workspace, "", "", i.Value, ""))
		}
	}
	t.Keys = union(nil, t.Keys)
	if err := s.seal(&r, t); err != nil {
		return r, err
	}
	r.Proofs = s.proofs(r.Workspace, t.Identifiers)
	now := s.c.Clock.Now()
	refused := make([]Refusal, len(r.Proofs))
	for i, p := range r.Proofs {
		refused[i] = Refusal{Hash: p.Hash, Kind: p.Kind, Request: r.ID, Hold: r.Mode == Forget, CreatedAt: now}
	}
	r.Step, r.UpdatedAt = then, now
	if err := s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.c.Store.PutRefusals(ctx, r.Workspace, refused); err != nil {
			return err
		}
		return s.c.Store.Update(ctx, r)
	}); err != nil {
		return r, err
	}
	return r, s.Refresh(ctx)
}

func union[T cmp.Ordered](a, b []T) []T {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}

func unionIDs(a, b []event.Identifier) []event.Identifier {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y event.Identifier) int { return strings.Compare(x.String(), y.String()) })
	return slices.Compact(all)
}

// settle waits until what was under way has arrived and no mail is being handed over.
func (s *Service) settle(ctx context.Context, r Request) error {
	if err := s.c.Quiet(ctx); err != nil {
		return err
	}
	return s.idle(ctx, r)
}

func (s *Service) idle(ctx context.Context, r Request) error {
	t, err := s.open(r)
	if err != nil {
		return err
	}
	n, err := s.c.Records.Busy(ctx, r.Workspace, append(slices.Clone(t.IDs), t.Ghost)) // the ghost: handed over when its row was stripped
	if err == nil && n > 0 {
		err = fmt.Errorf("%d messages to the person are being handed over", n)
	}
	return err
}

func (s *Service) quiet(ctx context.Context, r Request) error {
	if err := s.idle(ctx, r); err != nil {
		return err
	}
	return s.c.Quiet(ctx)
}

func (s *Service) leave(ctx context.Context, r *Request) error {
	t, err := s.open(*r)
	if err != nil {
		return err
	}
	for _, l := range s.c.Leavers {
		if err := l.Leave(ctx, r.Workspace, t.Subject, r.Mode); err != nil {
			return err
		}
	}
	return s.quiet(ctx, *r)
}

// strip lets all stores go of the person. The counts of rows and files become part of the request together with the rows, and before the files go, so that they are right
// whenever the process dies.
func (s *Service) strip(ctx context.Context, r *Request) error {
	t, err := s.open(*r)
	if err != nil {
		return err
	}
	values := slices.Clone(t.IDs)
	for _, i := range t.Identifiers {
		if len(i.Value) >= shortest {
			values = append(values, i.Value)
		}
	}
	files, err := s.c.Files.Holding(ctx, r.Workspace, values)
	if err != nil {
		return err
	}
	known := len(t.Files)
	t.Files = union(t.Files, files)
	if err := s.seal(r, t); err != nil {
		return err
	}
	before := add(r.Counts, Count{Store: "files", What: "files", How: "deleted", N: int64(len(t.Files) - known)})
	if err := s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		r.Counts = before
		counts, err := s.c.Records.Erase(ctx, r.Workspace, t)
		if err != nil {
			return err
		}
		r.Counts = add(r.Counts, counts...)
		return s.c.Store.Update(ctx, *r)
	}); err != nil {
		return err
	}
	if err := s.c.Files.Drop(ctx, r.Workspace, t.Files); err != nil {
		return err
	}
	n, err := s.c.Events.Strip(ctx, r.Workspace, t.Nums)
	if err != nil {
		return err
	}
	if r.Step == Left {
		n = max(n, t.Events) // of a process that died when the store had let go of them, nobody heard how many they were
	}
	r.Counts = add(r.Counts, Count{Store: "events", What: "events", How: "stripped", N: n})
	keys, err := s.c.Keys.Destroy(ctx, t.Keys)
	if err != nil {
		return err
	}
	if r.Step == Left { // the second time it is their successors, which nearly always have sealed nothing
		r.Counts = add(r.Counts, Count{Store: "log", What: "keys", How: "destroyed", N: int64(keys)})
	}
	return nil
}

// add sums counts by what they are of.
func add(counts []Count, more ...Count) []Count {
	out := slices.Clone(counts)
	for _, c := range more {
		if c.N == 0 {
			continue
		}
		i := slices.IndexFunc(out, func(o Count) bool { return o.Store == c.Store && o.What == c.What && o.How == c.How })
		if i < 0 {
			out = append(out, c)
		} else {
			out[i].N += c.N
		}
	}
	return out
}

// rewrite makes the bytes of everything that was deleted go, and ends the requests.
func (s *Service) rewrite(ctx context.Context, ready []Request) error {
	caveats, err := s.c.Records.Scrub(ctx)
	if err != nil {
		return err
	}
	if err := s.c.Events.Scrub(ctx); err != nil {
		return err
	}
	for _, r := range ready {
		now := s.c.Clock.Now()
		r.State, r.Step, r.Error, r.UpdatedAt, r.FinishedAt = Done, Rewritten, "", now, now
		r.Caveats = append(slices.Clone(caveats), Backups, HandedOver)
		hashes := make([]string, len(r.Proofs))
		for i, p := range r.Proofs {
			hashes[i] = p.Hash
		}
		if err := s.c.Tx.InTx(ctx, func(ctx context.Context) error {
			if r.Mode == Forget {
				if _, err := s.c.Store.DropRefusals(ctx, r.Workspace, hashes, true); err != nil {
					return err
				}
			}
			return s.c.Store.Update(ctx, r)
		}); err != nil {
			return err
		}
	}
	return s.Refresh(ctx)
}
