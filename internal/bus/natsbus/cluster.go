package natsbus

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Cluster names NATS servers outside of the process. The zero value means that there are none.
//
// The servers must sync before they acknowledge (sync_interval: always in their JetStream settings): a client can neither ask for that nor see it.
type Cluster struct {
	URL      string // nats:// or tls:// addresses of some or all servers, comma-separated; may carry user and password
	Stream   string // name of the stream; empty means DefaultStream. Installations that share servers have different ones
	Replicas int    // servers that hold each record before it counts as appended; 0 means 1

	CA          string // PEM file of who signs the servers' certificates; empty means whom the system trusts
	Cert, Key   string // PEM files by which this process proves itself; neither: it does not
	Credentials string // file of a user's JWT and seed, as nsc makes it; empty: none
}

// DefaultStream is the stream's name on servers outside of the process.
const DefaultStream = "KIZUNA"

const (
	// duplicates is how long a server recognises a record that was sent again because its acknowledgement got lost.
	duplicates = 2 * time.Minute
	// tryFor is how long one attempt to append waits; electing a new leader takes some seconds, so several are made.
	tryFor = 2 * time.Second
	// retryAfter is the pause between two attempts, and until a replica is asked again that lags.
	retryAfter = 20 * time.Millisecond
	// electing is how long the servers may be without a leader that knows the end of the log.
	electing = 5 * time.Second
	// headroom is what a message has besides the record: its headers.
	headroom = 1 << 10
)

func (c Cluster) names() (stream, subject string) {
	stream = c.Stream
	if stream == "" {
		stream = DefaultStream
	}
	return stream, strings.ToLower(stream) + ".log"
}

// outside reports whether the servers are not in this process, so that others append too and records have replicas.
func (l *Log) outside() bool { return l.opt.Cluster.URL != "" }

// news is where whoever appends tells the others how far the log goes now.
func (l *Log) news() string { return l.subject + ".end" }

// Look connects with servers outside of the process and says where the log there begins and ends, 0 and 0 if it is not there or never had a record. It makes nothing.
func Look(ctx context.Context, opt Options) (first, last uint64, err error) {
	l := New(opt)
	defer l.shut()
	ctx, cancel := context.WithTimeout(ctx, l.opt.Patience)
	defer cancel()
	if err := l.connect(ctx); err != nil {
		return 0, 0, err
	}
	err = l.retry(ctx, func() error {
		try, done := context.WithTimeout(ctx, electing)
		defer done()
		there, err := l.js.Stream(try, l.name)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return nil
		}
		if err == nil && there.CachedInfo().State.Msgs > 0 {
			first, last = there.CachedInfo().State.FirstSeq, there.CachedInfo().State.LastSeq
		}
		return err
	})
	if err != nil {
		return 0, 0, errs.Unavailable("bus.open", "the log's servers do not say whether they have a stream %s; do they have JetStream on?", l.name).With(err)
	}
	return first, last, nil
}

// dial connects with the servers, waiting for them if they have not come up yet, as happens when everything is started at once, and makes the log.
func (l *Log) dial(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, l.opt.Patience)
	defer cancel()
	if err := l.connect(ctx); err != nil {
		return err
	}
	replicas := max(l.opt.Cluster.Replicas, 1)
	if err := l.retry(ctx, func() error {
		try, done := context.WithTimeout(ctx, electing) // what is asked while there is no leader gets no answer
		defer done()
		return l.make(try, replicas)
	}); err != nil {
		return errs.Unavailable("bus.open", "the log's servers do not give a stream %s with %d replicas; do they have JetStream on, as many servers, and room?", l.name, replicas).With(err)
	}
	_, err := l.nc.Subscribe(l.news(), func(m *nats.Msg) {
		if seq, err := strconv.ParseUint(string(m.Data), 10, 64); err == nil {
			l.wake(seq)
		}
	})
	if err != nil {
		return unavailable(err)
	}
	return nil
}

// connect waits for the servers.
func (l *Log) connect(ctx context.Context) error {
	c := l.opt.Cluster
	options := []nats.Option{
		nats.Name("kizuna"), nats.MaxReconnects(-1), nats.ReconnectWait(200 * time.Millisecond), nats.ReconnectBufSize(-1),
		nats.PingInterval(2 * time.Second), nats.MaxPingsOutstanding(3),
		// A write to a machine that is gone waits once the buffers are full, and no ping is sent meanwhile: a minute, unless told otherwise.
		nats.FlusherTimeout(2 * time.Second), nats.ReconnectOnFlusherError(),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				l.log.Warn("connection to the log lost, trying its other servers", "err", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			l.log.Info("connected to the log again", "server", nc.ConnectedServerName())
			l.wake(0) // news may have been missed
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { l.log.Warn("connection to the log", "err", err) }),
	}
	if c.CA != "" {
		options = append(options, nats.RootCAs(c.CA))
	}
	if c.Cert != "" {
		options = append(options, nats.ClientCert(c.Cert, c.Key))
	}
	if c.Credentials != "" {
		options = append(options, nats.UserCredentials(c.Credentials))
	}
	if err := l.retry(ctx, func() (err error) {
		l.nc, err = nats.Connect(c.URL, options...)
		return err
	}); err != nil {
		return errs.Unavailable("bus.open", "no connection to the log's servers; are they up, and do address, certificate and user fit?").With(err)
	}
	if got := l.nc.MaxPayload(); got < smallest {
		return errs.Invalid("bus.payload", "", "the log's servers take messages of at most %d bytes; set their max_payload to %d or more", got, smallest)
	}
	var err error
	l.js, err = jetstream.New(l.nc, jetstream.WithDefaultTimeout(electing))
	return err
}

// Tell sends something to the other processes that have this log open, and to this one. Nothing of it is kept: who is not connected at the moment misses it. On
// a log inside the process nobody else is there and nothing happens.
func (l *Log) Tell(topic string, data []byte) error {
	if !l.outside() || !l.ready.Load() {
		return nil
	}
	return l.nc.Publish(l.subject+"."+topic, data)
}

// Told calls do for what is told under the topic from now on, in order; call it after Start. It is for hints: what must not be missed belongs into a store.
func (l *Log) Told(topic string, do func(data []byte)) error {
	if !l.outside() {
		return nil
	}
	_, err := l.nc.Subscribe(l.subject+"."+topic, func(m *nats.Msg) { do(m.Data) })
	return err
}

// smallest is the message size that the servers must take: a record of the Writer, and one event of the largest size allowed.
const smallest = 1 << 20

// largest is the size that a record may have.
func (l *Log) largest() int {
	if !l.outside() {
		return maxPayload
	}
	return min(maxPayload, int(l.nc.MaxPayload())-headroom)
}

func (l *Log) fetchPatience() time.Duration {
	if l.outside() {
		return electing // the replica that was to answer may be gone; another will
	}
	return patience
}

// retry does something until it succeeds or ctx ends, and then returns why it failed last.
func (l *Log) retry(ctx context.Context, do func() error) error {
	for {
		err := do()
		if err == nil {
			return nil
		}
		if l.pause(ctx) != nil {
			return err
		}
	}
}

func (l *Log) pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-l.closed:
		return errClosed()
	case <-time.After(retryAfter):
		return nil
	}
}

// publishOutside appends a record and tries again while the servers elect a leader. An attempt of which nothing was heard may have succeeded; the record's
// id lets the servers recognise the next one, and they answer with the position of the first.
func (l *Log) publishOutside(ctx context.Context, msg *nats.Msg) (ack *jetstream.PubAck, err error) {
	ctx, cancel := context.WithTimeout(ctx, duplicates/2)
	defer cancel()
	id := rand.Text()
	for {
		try, done := context.WithTimeout(ctx, tryFor)
		ack, err = l.js.PublishMsg(try, msg, jetstream.WithMsgID(id), jetstream.WithRetryAttempts(0))
		done()
		if err == nil {
			// Who misses it finds the record when it looks next, at the latest after its wait.
			_ = l.nc.Publish(l.news(), strconv.AppendUint(nil, ack.Sequence, 10))
			return ack, nil
		}
		if api, ok := errors.AsType[*jetstream.APIError](err); ok && api.ErrorCode == codeStoreFailed {
			return nil, err
		}
		if l.pause(ctx) != nil {
			return nil, err
		}
	}
}

// Reached reports an error unless enough of the servers that hold the log are there, as far as this process sees, for it to take records. That the log answers
// does not say so: a server that was cut off from the others goes on telling what it knew.
func (l *Log) Reached(ctx context.Context) error {
	if !l.ready.Load() {
		return errClosed()
	}
	info, err := l.stream.Info(ctx)
	if err != nil {
		return unavailable(err)
	}
	if info.Cluster == nil {
		return nil
	}
	if info.Cluster.Leader == "" {
		return unavailable(errors.New("no server leads it now"))
	}
	there := 1 // who leads, and answers
	for _, r := range info.Cluster.Replicas {
		// 0 is one of which nothing was heard yet, or just now.
		if !r.Offline && r.Active < electing && (r.Active > 0 || r.Current) {
			there++
		}
	}
	if all := len(info.Cluster.Replicas) + 1; there*2 <= all {
		return unavailable(fmt.Errorf("%d of %d servers hold it now", there, all))
	}
	return nil
}

// refresh asks the leader where the log ends.
func (l *Log) refresh(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, electing)
	defer cancel()
	st, err := l.state(limited)
	if err == nil {
		l.reach(st.LastSeq)
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return unavailable(err)
	}
	return err
}

// catchUp learns where the log ends, for a reader that has read all that was known. A leader that was just elected may not know the newest records for a
// moment, so a reader seems to be ahead only if it stays so.
func (l *Log) catchUp(ctx context.Context, after uint64) error {
	deadline := time.Now().Add(electing)
	for {
		if err := l.refresh(ctx); err != nil {
			return err
		}
		if after <= l.last.Load() || time.Now().After(deadline) {
			return nil
		}
		if err := l.pause(ctx); err != nil {
			return err
		}
	}
}

// replicaLags reports, after a read that found nothing, whether there is something: any replica answers reads, also one that does not have the newest
// records yet. It returns after a pause then.
func (l *Log) replicaLags(ctx context.Context, after uint64) (bool, error) {
	if !l.outside() {
		return false, nil
	}
	st, err := l.state(ctx)
	if err != nil || st.Msgs == 0 || st.LastSeq <= after {
		return false, err
	}
	return true, l.pause(ctx)
}
