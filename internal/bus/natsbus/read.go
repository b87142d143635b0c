package natsbus

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// maxFetch bounds the bytes of one Read; the record that reaches it is still included.
const maxFetch = 8 << 20

// directGet and the name of a stream are the API subject for reading it without a consumer, and directRequest is its body: records from a
// position on, as separate messages of which each names the one before it in the answer (0: it is the first), then one with status 204. See
// JSApiMsgGetRequest in nats-server.
const directGet = "$JS.API.DIRECT.GET."

type directRequest struct {
	Seq      uint64 `json:"seq"`
	Batch    int    `json:"batch"`
	MaxBytes int    `json:"max_bytes"`
}

// Read implements bus.Log. It may return fewer records than there are, to bound memory.
func (l *Log) Read(ctx context.Context, after uint64, maxRecords int, wait time.Duration) ([]bus.Record, error) {
	var timeout <-chan time.Time
	for {
		if !l.ready.Load() {
			return nil, errClosed()
		}
		l.mu.Lock()
		appended := l.appended
		l.mu.Unlock()

		if l.outside() && after >= l.last.Load() {
			if err := l.catchUp(ctx, after); err != nil {
				return nil, err
			}
		}
		last := l.last.Load()
		if after > last {
			return nil, errs.Conflict("bus.position.ahead", "the reader is at %d, the log ends at %d: the log's folder was emptied or restored without the stores beside it; restore it with them", after, last)
		}
		if after < last && maxRecords > 0 {
			recs, err := l.fetch(ctx, after+1, maxRecords)
			if err != nil || len(recs) > 0 {
				return recs, err
			}
			if again, err := l.replicaLags(ctx, after); err != nil || again {
				if err != nil {
					return nil, err
				}
				continue
			}
		}
		if wait <= 0 {
			return nil, ctx.Err()
		}
		if timeout == nil {
			timer := time.NewTimer(wait)
			defer timer.Stop()
			timeout = timer.C
		}
		select {
		case <-appended:
		case <-timeout:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-l.closed:
		}
	}
}

// fetch returns the records that are there, from position seq on.
func (l *Log) fetch(ctx context.Context, seq uint64, maxRecords int) ([]bus.Record, error) {
	body, err := json.Marshal(directRequest{Seq: seq, Batch: maxRecords, MaxBytes: maxFetch})
	if err != nil {
		return nil, fmt.Errorf("encode read request: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, l.fetchPatience())
	defer cancel()
	fail := func(err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return l.translate(err)
	}

	inbox := nats.NewInbox()
	sub, err := l.nc.SubscribeSync(inbox)
	if err != nil {
		return nil, fail(err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only on a closed connection
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return nil, fail(err)
	}
	if err := l.nc.PublishRequest(directGet+l.name, inbox, body); err != nil {
		return nil, fail(err)
	}
	var recs []bus.Record
	for {
		msg, err := sub.NextMsgWithContext(limited)
		if err != nil {
			return nil, fail(err)
		}
		switch status := msg.Header.Get("Status"); status {
		case "":
			rec, err := record(msg)
			if err != nil {
				return nil, fail(err)
			}
			last := uint64(0)
			if n := len(recs); n > 0 {
				last = recs[n-1].Seq
			}
			switch before, err := position(msg, "Nats-Last-Sequence"); {
			case err != nil:
				return nil, fail(err)
			case rec.Seq <= last:
				continue // it came twice
			case before == last:
				recs = append(recs, rec)
			case last == 0:
				return nil, fail(fmt.Errorf("read from %d: record %d came without what is before it", seq, rec.Seq))
			default: // one in between got lost on the way, or comes late: what is whole is enough
				return recs, nil
			}
		case "204", "404": // end of batch; nothing at or after seq
			if n := len(recs); n > 0 {
				l.reach(recs[n-1].Seq) // it can be read a moment before its Append has returned
			}
			return recs, nil
		default:
			return nil, fail(fmt.Errorf("read from %d: status %s %s", seq, status, msg.Header.Get("Description")))
		}
	}
}

func position(msg *nats.Msg, header string) (uint64, error) {
	seq, err := strconv.ParseUint(msg.Header.Get(header), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s of a record: %w", header, err)
	}
	return seq, nil
}

func record(msg *nats.Msg) (bus.Record, error) {
	seq, err := position(msg, "Nats-Sequence")
	if err != nil {
		return bus.Record{}, err
	}
	at, err := time.Parse(time.RFC3339Nano, msg.Header.Get("Nats-Time-Stamp"))
	if err != nil {
		return bus.Record{}, fmt.Errorf("time of record %d: %w", seq, err)
	}
	return bus.Record{Seq: seq, Time: at, Data: msg.Data}, nil
}
