package journey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/trace"
)

// ErrandStatus says how far an errand is.
type ErrandStatus string

// The statuses of errands.
const (
	Waiting  ErrandStatus = "waiting"  // to be done, or to be tried again
	Finished ErrandStatus = "finished" // done
	Failed   ErrandStatus = "failed"   // refused for good; the person hears of it
	Expired  ErrandStatus = "expired"  // could not be done in time; the person leaves by their own time-out
	Dropped  ErrandStatus = "dropped"  // the person had moved on before it was done
)

// Errand is something that a node asked for outside of the transaction: the intent is stored with the move, whoever carries it out holds a lease,
// and the outcome wakes the person. After a crash it is done again under the same key.
type Errand struct {
	Key       string // of instance, node and visit
	Workspace string
	Journey   string
	Version   int
	Instance  string
	Person    string
	Node      string
	Want      node.Errand
	Status    ErrandStatus
	Tries     int
	Due       time.Time // of the next try
	Lease     string
	Answer    *node.Answer // once finished or failed; the last one while waiting
	Excerpt   string       // of what the other server answered last
	CreatedAt time.Time
	EndedAt   time.Time // zero while waiting
}

// Caller makes requests to addresses that users gave.
type Caller interface {
	// Check says whether the address (scheme and host) may be called, as far as can be told without doing so.
	Check(address string) error
	// Call makes the request and returns the answer, of whatever status. An error of kind unavailable may pass, any other will not.
	Call(ctx context.Context, r CallRequest) (CallAnswer, error)
}

// CallRequest is a request ready to be made, with its secrets.
type CallRequest struct {
	Method, URL string
	Header      map[string]string
	Body        []byte
	Timeout     time.Duration
	MaxBody     int64
}

// CallAnswer is what the other server said.
type CallAnswer struct {
	Status     int
	Body       []byte
	Truncated  bool
	RetryAfter time.Duration // how long it wants to be left alone, 0 if it did not say
}

// Lists changes who is in a list.
type Lists interface {
	// Change puts a person in or takes them out; doing so again is harmless. It has a transaction of its own.
	Change(ctx context.Context, ws, list, person string, remove bool) error
}

const (
	errandLease   = 2 * time.Minute // longer than the longest request
	errandBatch   = 16              // claimed at a time from one journey
	errandRound   = 8               // of them, done side by side
	errandPlaces  = 32              // journeys served side by side; a slow server holds up its own journey alone
	firstTryAgain = 5 * time.Second
	lastTryAgain  = 10 * time.Minute
	maxRetryAfter = time.Hour
	maxRead       = 256 << 10 // bytes of an answer that are read
	maxAnswer     = 16 << 10  // bytes of JSON that are kept for the nodes that follow
	maxExcerpt    = 2 << 10
	keepErrands   = 30 * 24 * time.Hour // requests hold personal data, and nobody looks into old ones
)

// runErrands does errands until ctx ends.
func (s *Service) runErrands(ctx context.Context) {
	var (
		mu   sync.Mutex
		busy = map[Place]bool{}
		all  sync.WaitGroup
	)
	defer all.Wait()
	for {
		places, err := s.c.Store.ErrandsDue(ctx, s.c.Clock.Now())
		if err != nil && ctx.Err() == nil {
			s.c.Log.Error("errands of journeys could not be found", "error", err)
		}
		for _, p := range places {
			mu.Lock()
			free := !busy[p] && len(busy) < errandPlaces
			if free {
				busy[p] = true
			}
			mu.Unlock()
			if !free {
				continue
			}
			all.Go(func() {
				n, err := s.errandsOf(ctx, p)
				mu.Lock()
				delete(busy, p)
				mu.Unlock()
				switch {
				case err == nil && n > 0:
					s.errands.Wake() // there may be more
				case err != nil && ctx.Err() == nil:
					s.c.Log.Error("errands of a journey could not be done", "workspace", p.Workspace, "journey", p.Journey, "error", err)
				}
			})
		}
		if !s.errands.Wait(ctx) {
			return
		}
	}
}

// Errands does a batch of what is due now, of each journey, and returns how many were handled. The loop that Start begins does the same;
// calling it beside the loop is harmless.
func (s *Service) Errands(ctx context.Context) (int, error) {
	places, err := s.c.Store.ErrandsDue(ctx, s.c.Clock.Now())
	if err != nil {
		return 0, err
	}
	handled := 0
	for _, p := range places {
		n, err := s.errandsOf(ctx, p)
		handled += n
		if err != nil {
			return handled, err
		}
	}
	return handled, nil
}

func (s *Service) errandsOf(ctx context.Context, p Place) (int, error) {
	now := s.c.Clock.Now()
	batch, err := s.c.Store.ClaimErrands(ctx, p, now, now.Add(errandLease), id.New("lease"), errandBatch)
	if err != nil {
		return 0, err
	}
	failures := make([]error, len(batch))
	slots := make(chan struct{}, errandRound)
	var all sync.WaitGroup
	for n, e := range batch {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			failures[n] = s.errand(ctx, e)
		})
	}
	all.Wait()
	return len(batch), errors.Join(failures...)
}

// errand does one errand and stores what came of it.
func (s *Service) errand(ctx context.Context, e Errand) error {
	i, err := s.c.Store.Instance(ctx, e.Workspace, e.Instance)
	if err != nil && !errs.Is(err, errs.KindNotFound) {
		return err
	}
	if err != nil || i.Status != Active || i.key() != e.Key {
		e.Status, e.EndedAt = Dropped, s.c.Clock.Now()
		return s.settle(ctx, e)
	}
	var wait time.Duration
	e.Tries++
	if e.Want.Call != nil {
		inTrace, span := trace.Continue(ctx, "journey request", i.Memory.Trigger.Trace, trace.Client)
		span.Count("kizuna.attempt", e.Tries)
		wait, err = s.call(inTrace, &e)
		span.Count("http.response.status_code", e.Answer.Status)
		span.Done(err)
	} else {
		err = s.c.Lists.Change(behind(ctx, []Walk{{Instance: i}}, s.c.Clock.Now()), e.Workspace, e.Want.List.List, i.Person, e.Want.List.Remove)
		e.Answer = &node.Answer{OK: err == nil}
	}
	if ctx.Err() != nil {
		return ctx.Err() // stopping: done again when the lease ends, under the same key
	}
	e.Answer.Tries = e.Tries
	now := s.c.Clock.Now()
	switch {
	case err == nil:
		e.Status, e.EndedAt = Finished, now
	case permanent(err):
		blame(e.Answer, err)
		e.Status, e.EndedAt = Failed, now
	default:
		blame(e.Answer, err)
		e.Due = now.Add(max(wait, min(lastTryAgain, firstTryAgain<<min(e.Tries-1, 10))))
		if e.Due.After(e.Want.Until) {
			e.Status, e.EndedAt = Expired, now
		}
	}
	return s.settle(ctx, e)
}

// blame notes what went wrong: in words for technicians, and as the code with what it names if the error is of package errs.
func blame(a *node.Answer, err error) {
	a.Error = err.Error()
	if e, ok := errors.AsType[*errs.Error](err); ok {
		a.Code, a.Args = e.Code, e.Args
	}
}

// settle stores the outcome and wakes the person, in one transaction. Whoever has lost the lease stores nothing: another worker does the errand.
func (s *Service) settle(ctx context.Context, e Errand) error {
	err := s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		held, err := s.c.Store.SaveErrand(ctx, e)
		if err != nil || !held || e.Status != Finished && e.Status != Failed {
			return err
		}
		found, err := s.c.Store.Seize(ctx, e.Workspace, []string{e.Instance})
		if err != nil {
			return err
		}
		found = slices.DeleteFunc(found, func(i Instance) bool { return i.Status != Active || i.key() != e.Key })
		for n := range found {
			found[n].Due = s.c.Clock.Now()
		}
		return s.c.Store.Save(ctx, found)
	})
	if err == nil {
		s.pulse.Wake()
	}
	return err
}

// temporary reports whether the other server may answer differently later.
func temporary(status int) bool {
	return status == 408 || status == 425 || status == 429 || status >= 500
}

// call makes the request of e and notes the answer.
func (s *Service) call(ctx context.Context, e *Errand) (wait time.Duration, err error) {
	c := e.Want.Call
	e.Answer, e.Excerpt = &node.Answer{}, ""
	r := CallRequest{
		Method: c.Method, URL: c.URL, Body: []byte(c.Body), Timeout: time.Duration(c.Timeout) * time.Second, MaxBody: maxRead,
		Header: map[string]string{"Idempotency-Key": e.Key, "User-Agent": "Kizuna"},
	}
	if t := trace.Of(ctx, ""); t != "" {
		r.Header["traceparent"] = t
	}
	for _, h := range c.Headers {
		value := h.Value
		if h.Secret != "" {
			secret, err := s.reveal(ctx, e.Workspace, h.Secret)
			if err != nil {
				return 0, err
			}
			value = h.Prefix + secret
		}
		r.Header[h.Name] = value
	}
	a, err := s.c.Caller.Call(ctx, r)
	if err != nil {
		return 0, err
	}
	e.Answer.Status, e.Answer.OK = a.Status, a.Status >= 200 && a.Status < 300
	e.Excerpt = string(a.Body[:min(len(a.Body), maxExcerpt)])
	if !a.Truncated && len(a.Body) <= maxAnswer && json.Valid(a.Body) {
		e.Answer.Body = slices.Clone(a.Body)
	}
	switch {
	case e.Answer.OK:
		return 0, nil
	case temporary(a.Status):
		return min(a.RetryAfter, maxRetryAfter), errs.Unavailable("journey.webhook.status", "the server answered %d", a.Status)
	}
	return 0, errs.Invalid("journey.webhook.status", "", "the server answered %d", a.Status)
}

// ask stores the errands that walks ask for.
func (s *Service) ask(ctx context.Context, walks []Walk) error {
	var all []Errand
	now := s.c.Clock.Now()
	for _, w := range walks {
		for _, e := range w.Effects {
			if e.Errand == nil {
				continue
			}
			i := w.Instance
			all = append(all, Errand{
				Key: e.Key, Workspace: i.Workspace, Journey: i.Journey, Version: i.Version, Instance: i.ID, Person: i.Person, Node: e.Node,
				Want: *e.Errand, Status: Waiting, Due: now, CreatedAt: now,
			})
		}
	}
	if len(all) == 0 {
		return nil
	}
	if err := s.c.Store.AddErrands(ctx, all); err != nil {
		return fmt.Errorf("store errands: %w", err)
	}
	s.errands.Wake()
	return nil
}

// answers returns what came of the errands that the instances wait for, by key.
func (s *Service) answers(ctx context.Context, p *Plan, held []Instance) (map[string]*node.Answer, error) {
	var keys []string
	for _, i := range held {
		if p.Needs(i).Asks && len(i.Memory.Data) > 0 {
			keys = append(keys, i.key())
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	found, err := s.c.Store.ErrandsByKey(ctx, held[0].Workspace, keys)
	if err != nil {
		return nil, err
	}
	out := map[string]*node.Answer{}
	for _, e := range found {
		if e.Status == Finished || e.Status == Failed {
			out[e.Key] = e.Answer
		}
	}
	return out, nil
}

// ErrandsOf returns what the nodes asked for on one person's way, in the order of asking; at most 200.
func (s *Service) ErrandsOf(ctx context.Context, ws, instance string) ([]Errand, error) {
	return s.c.Store.ErrandsOf(ctx, ws, instance, 200)
}

// PurgeErrands deletes up to limit errands, of all workspaces, that ended 30 days ago.
func (s *Service) PurgeErrands(ctx context.Context, limit int) (int64, error) {
	return s.c.Store.PurgeErrands(ctx, s.c.Clock.Now().Add(-keepErrands), limit)
}
