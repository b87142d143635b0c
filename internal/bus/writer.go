package bus

import (
	"context"
	"sync"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Defaults of WriterOptions. 256 KB records, four in flight, is where one disk stops getting faster.
const (
	DefaultMaxRecord     = 256 << 10
	DefaultInFlight      = 4
	DefaultMaxQueue      = 32 << 20
	DefaultAppendTimeout = 10 * time.Second
)

// WriterOptions bounds a Writer. Zero values mean the defaults.
type WriterOptions struct {
	MaxRecord     int           // bytes after which a record is closed; one item may be longer
	InFlight      int           // records written to the log at the same time
	MaxQueue      int           // bytes that may wait or be in flight before callers are turned away
	AppendTimeout time.Duration // patience with the log for one record
}

// Writer gathers the items of concurrent callers into shared records, because the log pays for each record and
// hardly for its bytes (group commit). While all its writes are in flight, the next record fills up; an idle Writer
// writes at once.
//
// It is a lifecycle.Service: Start it before Append, Stop writes what is queued.
type Writer struct {
	log Log
	opt WriterOptions

	mu      sync.Mutex
	wake    *sync.Cond
	queue   []*appendCall // waiting, oldest first
	held    int           // bytes waiting or in flight
	state   writerState
	ended   chan struct{} // closed when the last worker has returned
	abandon context.CancelFunc
}

type writerState uint8

const (
	writerNew writerState = iota
	writerRunning
	writerStopping
)

// appendCall is one call of Append.
type appendCall struct {
	items [][]byte
	size  int
	done  chan error // buffered: the worker never waits for the caller
}

// NewWriter returns a Writer on log.
func NewWriter(log Log, opt WriterOptions) *Writer {
	if opt.MaxRecord <= 0 {
		opt.MaxRecord = DefaultMaxRecord
	}
	if opt.InFlight <= 0 {
		opt.InFlight = DefaultInFlight
	}
	if opt.MaxQueue <= 0 {
		opt.MaxQueue = DefaultMaxQueue
	}
	if opt.AppendTimeout <= 0 {
		opt.AppendTimeout = DefaultAppendTimeout
	}
	w := &Writer{log: log, opt: opt}
	w.wake = sync.NewCond(&w.mu)
	return w
}

// Start launches the workers.
func (w *Writer) Start(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state != writerNew {
		return nil
	}
	w.state = writerRunning
	w.ended = make(chan struct{})
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w.abandon = cancel
	var workers sync.WaitGroup
	for range w.opt.InFlight {
		workers.Go(func() { w.work(base) })
	}
	ended := w.ended
	go func() {
		workers.Wait()
		close(ended)
	}()
	return nil
}

// Stop refuses new items and returns when the queued ones are written. If ctx ends first, they are given up and
// their callers told so.
func (w *Writer) Stop(ctx context.Context) error {
	w.mu.Lock()
	w.state = writerStopping
	ended, abandon := w.ended, w.abandon
	w.wake.Broadcast()
	w.mu.Unlock()
	if ended == nil {
		return nil
	}
	defer abandon()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		abandon()
		<-ended
		return ctx.Err()
	}
}

// Append returns once every item is on disk. The items are concatenated as they are, so each must end the way the
// reader expects (a newline, for JSON values). Items of one call keep their order, and share one record if they fit;
// if they need several and one fails, the earlier ones are stored although Append returns an error.
//
// The items belong to the Writer from here on: the caller must not change them, even after an error. Append returns
// an errs.KindUnavailable error if the queue is full (back-pressure: try again later), if the Writer is not running, or if
// the log does not answer; and ctx.Err() if ctx ends first, in which case the items may or may not be stored.
func (w *Writer) Append(ctx context.Context, items [][]byte) error {
	size := 0
	for _, it := range items {
		size += len(it)
	}
	if size == 0 {
		return nil
	}
	call := &appendCall{items: items, size: size, done: make(chan error, 1)}

	w.mu.Lock()
	switch {
	case w.state != writerRunning:
		w.mu.Unlock()
		return errs.Unavailable("bus.writer.stopped", "the log writer is not running; try again once the server is up")
	case w.held > 0 && w.held+size > w.opt.MaxQueue:
		w.mu.Unlock()
		return errs.Unavailable("bus.writer.full", "more events are waiting for the disk than may wait; try again in a moment")
	}
	w.held += size
	w.queue = append(w.queue, call)
	w.wake.Signal()
	w.mu.Unlock()

	select {
	case err := <-call.done:
		return err
	case <-ctx.Done():
		w.forget(call)
		return ctx.Err()
	}
}

// forget takes a call nobody waits for out of the queue, if no worker has it yet.
func (w *Writer) forget(call *appendCall) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, c := range w.queue {
		if c == call {
			w.queue = append(w.queue[:i], w.queue[i+1:]...)
			w.held -= call.size
			return
		}
	}
}

// work writes records until the Writer stops and the queue is empty.
func (w *Writer) work(ctx context.Context) {
	for {
		calls := w.take()
		if calls == nil {
			return
		}
		err := w.write(ctx, calls)
		size := 0
		for _, c := range calls {
			c.done <- err
			size += c.size
		}
		w.mu.Lock()
		w.held -= size
		w.mu.Unlock()
	}
}

// take waits for work and returns the calls of the next record, nil when there will be none.
func (w *Writer) take() []*appendCall {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) == 0 {
		if w.state == writerStopping {
			return nil
		}
		w.wake.Wait()
	}
	n, size := 1, w.queue[0].size
	for n < len(w.queue) && size+w.queue[n].size <= w.opt.MaxRecord {
		size += w.queue[n].size
		n++
	}
	calls := make([]*appendCall, n)
	copy(calls, w.queue)
	rest := copy(w.queue, w.queue[n:])
	clear(w.queue[rest:])
	w.queue = w.queue[:rest]
	return calls
}

// write appends the items of the calls, in as many records as they need: one, unless a single call is too long.
func (w *Writer) write(ctx context.Context, calls []*appendCall) error {
	total := 0
	for _, c := range calls {
		total += c.size
	}
	record := make([]byte, 0, min(total, w.opt.MaxRecord))
	for _, c := range calls {
		for _, it := range c.items {
			if len(record) > 0 && len(record)+len(it) > w.opt.MaxRecord {
				if err := w.append(ctx, record); err != nil {
					return err
				}
				record = make([]byte, 0, w.opt.MaxRecord)
			}
			record = append(record, it...)
		}
	}
	return w.append(ctx, record)
}

func (w *Writer) append(ctx context.Context, record []byte) error {
	ctx, cancel := context.WithTimeout(ctx, w.opt.AppendTimeout)
	defer cancel()
	_, err := w.log.Append(ctx, record)
	if err != nil && ctx.Err() != nil && errs.KindOf(err) != errs.KindUnavailable {
		return errs.Unavailable("bus.writer.timeout", "the log did not answer in time; try again in a moment").With(err)
	}
	return err
}
