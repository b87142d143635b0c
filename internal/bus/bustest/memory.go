package bustest

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Memory is a bus.Log that forgets everything with the process. Fail and Hold make it misbehave.
type Memory struct {
	mu       sync.Mutex
	cond     chan struct{} // closed and replaced on every change
	first    uint64
	recs     []bus.Record
	bytes    int64
	maxBytes int64
	closed   bool
	fail     error
	hold     chan struct{}
}

var (
	_ bus.Log     = (*Memory)(nil)
	_ bus.Trimmer = (*Memory)(nil)
)

// NewMemory returns an empty log that takes up to maxBytes, 0 for no bound.
func NewMemory(maxBytes int64) *Memory {
	return &Memory{cond: make(chan struct{}), first: 1, maxBytes: maxBytes}
}

// Fail makes every Append return err; nil ends that.
func (m *Memory) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

// Hold makes every Append wait until the returned function is called.
func (m *Memory) Hold() (release func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	gate := make(chan struct{})
	m.hold = gate
	return sync.OnceFunc(func() {
		m.mu.Lock()
		m.hold = nil
		m.mu.Unlock()
		close(gate)
	})
}

// Close ends the log: waiting reads return.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.changed()
	return nil
}

func (m *Memory) changed() {
	close(m.cond)
	m.cond = make(chan struct{})
}

// Append implements bus.Log.
func (m *Memory) Append(ctx context.Context, data []byte) (uint64, error) {
	m.mu.Lock()
	gate := m.hold
	m.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
		return 0, errs.Unavailable("bus.closed", "the log is closed")
	case m.fail != nil:
		return 0, m.fail
	case m.maxBytes > 0 && m.bytes+int64(len(data)) > m.maxBytes:
		return 0, errs.Unavailable("bus.full", "the log is full")
	}
	seq := m.first + uint64(len(m.recs))
	m.recs = append(m.recs, bus.Record{Seq: seq, Time: time.Now(), Data: bytes.Clone(data)})
	m.bytes += int64(len(data))
	m.changed()
	return seq, nil
}

// Read implements bus.Log.
func (m *Memory) Read(ctx context.Context, after uint64, maxRecords int, wait time.Duration) ([]bus.Record, error) {
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	for {
		m.mu.Lock()
		changed, closed := m.cond, m.closed
		next := m.first + uint64(len(m.recs))
		var out []bus.Record
		if after+1 < next {
			from := max(after+1, m.first) - m.first
			out = append(out, m.recs[from:min(int(from)+maxRecords, len(m.recs))]...)
		}
		m.mu.Unlock()
		switch {
		case closed:
			return nil, errs.Unavailable("bus.closed", "the log is closed")
		case after+1 > next:
			return nil, errs.Conflict("bus.position.ahead", "the reader is at %d, the log ends at %d", after, next-1)
		case len(out) > 0:
			return out, nil
		case wait <= 0:
			return nil, ctx.Err()
		}
		select {
		case <-changed:
		case <-timeout.C:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Bounds implements bus.Log.
func (m *Memory) Bounds(context.Context) (first, last uint64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return 0, 0, errs.Unavailable("bus.closed", "the log is closed")
	}
	last = m.first + uint64(len(m.recs)) - 1
	if last == 0 {
		return 0, 0, nil
	}
	return m.first, last, nil
}

// Trim implements bus.Trimmer.
func (m *Memory) Trim(_ context.Context, before uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return errs.Unavailable("bus.closed", "the log is closed")
	}
	for len(m.recs) > 0 && m.first < before {
		m.bytes -= int64(len(m.recs[0].Data))
		m.recs = m.recs[1:]
		m.first++
	}
	return nil
}

// Size implements bus.Trimmer.
func (m *Memory) Size(context.Context) (used, limit int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes, m.maxBytes, nil
}
