package hook

import (
	"context"
	"encoding/json"
	"hash/fnv"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/trace"
)

const (
	batch    = 64 // deliveries taken at once
	parallel = 8  // requests at once to one endpoint
	// lease is when a taken delivery counts as lost: longer than a batch can take, which is batch / parallel requests of 15 seconds each.
	lease = 5 * time.Minute
	// giveUp is how long a delivery is tried.
	giveUp = 24 * time.Hour
	// failingLimit is after how long without a single success an endpoint is disabled.
	failingLimit = 3 * 24 * time.Hour
	// maxRest bounds how long a failing endpoint is left alone between two trials.
	maxRest   = 10 * time.Minute
	maxAnswer = 2000 // bytes of an answer that are kept
)

// backoff is the wait after each failed attempt; the last repeats. They add up to a little less than giveUp.
var backoff = []time.Duration{
	10 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 5 * time.Hour,
}

// wait returns the wait after n failed attempts, spread by a tenth so that what failed together does not come back together.
func wait(delivery string, n int) time.Duration {
	d := backoff[min(max(n, 1), len(backoff))-1]
	h := fnv.New32a()
	h.Write([]byte(delivery + strconv.Itoa(n)))
	return d + time.Duration(float64(d)*0.1*float64(h.Sum32()%1000)/1000)
}

// tried is a delivery with what its attempt said beyond its outcome.
type tried struct {
	Delivery
	after time.Duration // that the endpoint asked us to wait
	cut   bool          // by our own end, which says nothing of the endpoint
}

// Deliver makes the requests of one batch of an endpoint and returns how many. A failing endpoint gets one request, as a trial. Calling it
// beside the worker is harmless.
func (s *Service) Deliver(ctx context.Context, r Ref) (int, error) {
	e, err := s.c.Store.Get(ctx, r.Workspace, r.Endpoint)
	if err != nil || e.Status != On {
		return 0, ignoreGone(err)
	}
	now := s.c.Clock.Now()
	if now.Before(e.RestUntil) {
		return 0, nil
	}
	limit := batch
	if e.Failures > 0 {
		limit = 1
	}
	claimed, err := s.c.Store.Claim(ctx, r.Workspace, r.Endpoint, now, now.Add(lease), limit)
	if err != nil || len(claimed) == 0 {
		return 0, err
	}
	done := make([]tried, len(claimed))
	turn := make(chan struct{}, parallel)
	var wg sync.WaitGroup
	for i, d := range claimed {
		turn <- struct{}{}
		wg.Go(func() {
			defer func() { <-turn }()
			done[i] = s.attempt(ctx, e, d)
		})
	}
	wg.Wait()
	return len(claimed), s.record(context.WithoutCancel(ctx), r, done)
}

// attempt makes one request.
func (s *Service) attempt(ctx context.Context, e Endpoint, d Delivery) (t tried) {
	begin := s.c.Clock.Now()
	t = tried{Delivery: d}
	ctx, span := trace.Continue(ctx, "webhook", d.Trace, trace.Client)
	defer func() {
		span.Count("http.response.status_code", t.Status)
		if t.Error != "" {
			span.Fail(t.Error)
		}
		span.End()
	}()
	header, err := s.header(e, d, begin)
	var a Answer
	if err == nil {
		if span.Traced() {
			span.Text("kizuna.event", d.Kind)
			span.Count("kizuna.attempt", d.Attempts+1)
			header["traceparent"] = trace.Of(ctx, "") // the receiver's part is told in the same trace
		}
		a, err = s.c.Poster.Post(ctx, e.URL, header, d.Body)
	}
	took := s.c.Clock.Now().Sub(begin)
	switch {
	case err != nil && ctx.Err() != nil:
		t.cut = true
	case err != nil:
		t.Outcome = Outcome{Took: took}
		t.Error, t.Detail = "webhook.internal", "the request could not be made; the server's log says why"
		if known := errs.All(err); len(known) > 0 {
			t.Error, t.Detail = known[0].Code, known[0].Msg
		} else {
			s.c.Log.Error("webhook request could not be made", "endpoint", e.ID, "err", err)
		}
	default:
		t.Outcome = Outcome{Status: a.Status, Answer: excerpt(a.Body), Took: took}
		t.after = retryAfter(a.RetryAfter)
		switch {
		case a.URL != "" && a.URL != e.URL:
			// A client that follows turns the POST into a GET: whatever answers has not seen the event.
			t.Error, t.Detail = "webhook.redirected", "the endpoint redirects elsewhere; give the address that takes the request itself"
		case a.Status < 200 || a.Status > 299:
			t.Error, t.Detail = "webhook.status", "the endpoint answered "+strconv.Itoa(a.Status)+"; anything but 200 to 299 is a failure"
		}
	}
	return t
}

// record writes what came of a batch, and what it says about the endpoint, in one transaction.
func (s *Service) record(ctx context.Context, r Ref, done []tried) error {
	return s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		e, err := s.c.Store.Get(ctx, r.Workspace, r.Endpoint)
		if err != nil {
			return ignoreGone(err) // deleted meanwhile, with its deliveries
		}
		now := s.c.Clock.Now()
		successes, failures, gone, last := 0, 0, false, ""
		for _, t := range done {
			d := t.Delivery
			if t.cut {
				d.DueAt = now
				if err := s.c.Store.Finish(ctx, r.Workspace, d); err != nil {
					return err
				}
				continue
			}
			d.Attempts++
			d.EndedAt = now
			if d.Error == "" {
				d.State = Delivered
				successes++
			} else {
				failures, last, gone = failures+1, d.Error, gone || d.Status == 410
				d.DueAt = now.Add(max(wait(d.ID, d.Attempts), t.after))
				if d.DueAt.After(d.QueuedAt.Add(giveUp)) {
					d.State = Parked
				}
			}
			if err := s.c.Store.Finish(ctx, r.Workspace, d); err != nil {
				return err
			}
		}
		if successes+failures == 0 || e.Status != On {
			return nil
		}
		e.judge(now, successes > 0, gone, last)
		switch {
		case e.Status == Disabled:
			_, err = s.c.Store.Park(ctx, r.Workspace, e.ID, "webhook.disabled", forever)
		case e.Failures > 0:
			// A failing endpoint is tried with one delivery at a time; the others grow old all the same.
			_, err = s.c.Store.Park(ctx, r.Workspace, e.ID, last, now.Add(-giveUp))
		}
		if err != nil {
			return err
		}
		return s.c.Store.Put(ctx, r.Workspace, e)
	})
}

// judge learns from a batch: whether any request succeeded, whether the endpoint said that it is gone, and the last failure.
func (e *Endpoint) judge(now time.Time, success, gone bool, last string) {
	if success && !gone {
		e.Health = Health{SucceededAt: now}
		return
	}
	if e.FailingSince.IsZero() {
		e.FailingSince = now
	}
	e.Failures++
	e.LastError = last
	e.RestUntil = now.Add(min(wait(e.ID, e.Failures), maxRest))
	switch {
	case gone:
		e.Status, e.Reason = Disabled, ReasonGone
	case now.Sub(e.FailingSince) >= failingLimit:
		e.Status, e.Reason = Disabled, ReasonFailing
	}
}

// Ping sends a trial at once and returns what came of it. It is kept like any delivery but not repeated, and says nothing about the health of
// the endpoint.
func (s *Service) Ping(ctx context.Context, ws, endpoint string) (Delivery, error) {
	e, err := s.c.Store.Get(ctx, ws, endpoint)
	if err != nil {
		return Delivery{}, err
	}
	now := s.c.Clock.Now()
	d := Delivery{ID: id.At("whd", now), Endpoint: e.ID, Kind: Ping, State: Parked, QueuedAt: now, DueAt: now, CreatedAt: now}
	d.Event = d.ID
	body, err := json.Marshal(envelope{Ping, now, map[string]string{"endpoint_id": e.ID, "name": e.Name}})
	if err != nil {
		return d, err
	}
	d.Body = string(body)
	d = s.attempt(ctx, e, d).Delivery
	d.Attempts, d.EndedAt = 1, s.c.Clock.Now()
	if d.Error == "" {
		d.State = Delivered
	}
	_, err = s.c.Store.Add(ctx, ws, []Delivery{d})
	return d, err
}

// retryAfter reads the header of this name in its form of seconds, up to the longest wait of our own.
func retryAfter(text string) time.Duration {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 0 {
		return 0
	}
	return min(time.Duration(min(n, 1<<20))*time.Second, backoff[len(backoff)-1])
}

// excerpt is the beginning of an answer as text that every store takes.
func excerpt(body []byte) string {
	body = body[:min(len(body), maxAnswer)]
	for n := 0; n < utf8.UTFMax && len(body) > 0 && !utf8.Valid(body); n++ {
		body = body[:len(body)-1] // the cut may have gone through a character
	}
	text := strings.ToValidUTF8(string(body), "\uFFFD")
	return strings.ReplaceAll(text, "\x00", "\uFFFD")
}

func ignoreGone(err error) error {
	if errs.Is(err, errs.KindNotFound) {
		return nil
	}
	return err
}
