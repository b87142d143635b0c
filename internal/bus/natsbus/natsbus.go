package natsbus

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Defaults of Options.
const (
	DefaultMaxAge   = 8 * 24 * time.Hour // a day more than events are deduplicated for
	DefaultMaxBytes = 32 << 30
)

const (
	streamName = "LOG" // of the log inside the process
	subject    = "log"

	maxPayload = 8 << 20          // of one record; records aim at 256 KB
	patience   = 30 * time.Second // with the server, for one request without a deadline of its own
)

// Options of a Log.
type Options struct {
	Dir      string        // folder of the server inside the process; made if missing
	Cluster  Cluster       // servers outside of the process, which take the place of Dir
	MaxAge   time.Duration // retention; 0 means DefaultMaxAge
	MaxBytes int64         // size from which appends are refused; 0 means DefaultMaxBytes, negative no bound
	First    uint64        // position of the first record of a log that is made; 0 means 1. A log that exists keeps its positions
	Patience time.Duration // how long Start waits for servers outside of the process; 0 means half a minute
	Logger   *slog.Logger  // nil discards
}

// Log implements bus.Log and bus.Trimmer. It is a lifecycle.Service and cannot be started again after Stop.
type Log struct {
	opt Options
	log *slog.Logger

	name, subject string // of the stream

	life   sync.Mutex // held by Start and Stop
	lock   *os.File   // claims the folder
	srv    *server.Server
	nc     *nats.Conn
	js     jetstream.JetStream
	stream jetstream.Stream

	ready  atomic.Bool
	full   atomic.Bool   // the disk did not take a record; see DiskFull
	last   atomic.Uint64 // newest position known
	closed chan struct{}

	mu       sync.Mutex
	appended chan struct{} // closed and replaced by every append
}

var (
	_ bus.Log     = (*Log)(nil)
	_ bus.Trimmer = (*Log)(nil)
)

// New returns a log that opens its folder on Start.
func New(opt Options) *Log {
	if opt.MaxAge <= 0 {
		opt.MaxAge = DefaultMaxAge
	}
	if opt.MaxBytes == 0 {
		opt.MaxBytes = DefaultMaxBytes
	}
	if opt.Patience == 0 {
		opt.Patience = patience
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	l := &Log{opt: opt, log: opt.Logger, name: streamName, subject: subject, closed: make(chan struct{}), appended: make(chan struct{})}
	if opt.Cluster.URL != "" {
		l.name, l.subject = opt.Cluster.names()
	}
	return l
}

// Start opens the folder. After a kill it reads back what the stream holds, about a second per gigabyte.
func (l *Log) Start(ctx context.Context) error {
	l.life.Lock()
	defer l.life.Unlock()
	switch {
	case l.ready.Load():
		return nil
	case l.nc != nil: // stopped
		return errClosed()
	}
	open := l.open
	if l.outside() {
		open = l.dial
	}
	if err := open(ctx); err != nil {
		l.shut()
		return err
	}
	l.ready.Store(true)
	return nil
}

func (l *Log) open(ctx context.Context) error {
	if err := os.MkdirAll(l.opt.Dir, 0o700); err != nil {
		return errs.Unavailable("bus.open", "the folder %s cannot be made", l.opt.Dir).With(err)
	}
	var err error
	if l.lock, err = lock(l.opt.Dir); err != nil {
		return err
	}
	srv, err := server.NewServer(&server.Options{
		ServerName:             "kizuna",
		DontListen:             true,
		NoSigs:                 true,
		NoLog:                  true,
		JetStream:              true,
		DisableJetStreamBanner: true,
		StoreDir:               l.opt.Dir,
		SyncAlways:             true,
		MaxPayload:             maxPayload,
		JetStreamMaxMemory:     16 << 20,
		JetStreamMaxStore:      math.MaxInt64, // the stream has its own bound; the disk is the other one
	})
	if err != nil {
		return errs.Unavailable("bus.open", "the log in %s cannot be opened", l.opt.Dir).With(err)
	}
	l.srv = srv
	srv.SetLoggerV2(serverLog{l.log, &l.full}, false, false, false)
	srv.Start()
	if !srv.JetStreamEnabled() || !srv.ReadyForConnections(patience) {
		return errs.Unavailable("bus.open", "the log in %s did not come up; see the messages before this one (is the folder writable, the disk full?)", l.opt.Dir)
	}
	l.nc, err = nats.Connect("", nats.InProcessServer(srv), nats.Name("kizuna"), nats.MaxReconnects(-1))
	if err != nil {
		return errs.Unavailable("bus.open", "no connection to the log in %s", l.opt.Dir).With(err)
	}
	l.js, err = jetstream.New(l.nc, jetstream.WithDefaultTimeout(patience))
	if err != nil {
		return errs.Unavailable("bus.open", "no connection to the log in %s", l.opt.Dir).With(err)
	}
	if err := l.make(ctx, 1); err != nil {
		return errs.Unavailable("bus.open", "the log in %s refuses its settings", l.opt.Dir).With(err)
	}
	return nil
}

// make makes the stream or gives it the settings of the options.
func (l *Log) make(ctx context.Context, replicas int) error {
	config := jetstream.StreamConfig{
		Name:        l.name,
		Description: "all events, in the order they were accepted",
		Subjects:    []string{l.subject},
		Storage:     jetstream.FileStorage,
		Replicas:    replicas,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		MaxAge:      l.opt.MaxAge,
		MaxBytes:    max(l.opt.MaxBytes, -1),
		AllowDirect: true,
		Duplicates:  min(duplicates, l.opt.MaxAge), // may not exceed MaxAge
	}
	there, err := l.js.Stream(ctx, l.name)
	switch {
	case err == nil:
		config.FirstSeq = there.CachedInfo().Config.FirstSeq
	case errors.Is(err, jetstream.ErrStreamNotFound):
		config.FirstSeq = l.opt.First
	default:
		return err // whether it is there decides at which position it begins
	}
	if l.stream, err = l.js.CreateOrUpdateStream(ctx, config); err != nil {
		return err
	}
	info, err := l.stream.Info(ctx)
	if err != nil {
		return err
	}
	l.last.Store(info.State.LastSeq)
	return nil
}

// Stop closes the folder. Waiting reads return at once with errs.KindUnavailable.
func (l *Log) Stop(context.Context) error {
	l.life.Lock()
	defer l.life.Unlock()
	if l.ready.Swap(false) {
		close(l.closed)
	}
	l.shut()
	return nil
}

// shut takes down what is up; the caller holds life.
func (l *Log) shut() {
	if l.nc != nil {
		l.nc.Close()
	}
	if l.srv != nil {
		l.srv.Shutdown()
		l.srv.WaitForShutdown()
	}
	if l.lock != nil {
		_ = l.lock.Close() // nothing was written to it
		l.lock = nil
	}
}

// Append implements bus.Log.
func (l *Log) Append(ctx context.Context, data []byte) (uint64, error) {
	if !l.ready.Load() {
		return 0, errClosed()
	}
	if l.full.Load() {
		return 0, errFull()
	}
	if limit := l.largest(); len(data) > limit {
		return 0, errs.Invalid("bus.record.too_large", "", "a record may have %d bytes, this one has %d", limit, len(data))
	}
	publish := l.publishHere
	if l.outside() {
		publish = l.publishOutside
	}
	ack, err := publish(ctx, &nats.Msg{Subject: l.subject, Data: data})
	if err != nil {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		return 0, l.translate(err)
	}
	l.wake(ack.Sequence)
	return ack.Sequence, nil
}

// DiskFull reports whether the disk of the server inside the process was full. That server does not answer who appends then and takes nothing more,
// whatever room there is again, until it is started anew; Append says so at once.
func (l *Log) DiskFull() bool { return l.full.Load() }

func (l *Log) publishHere(ctx context.Context, msg *nats.Msg) (*jetstream.PubAck, error) {
	return l.js.PublishMsg(ctx, msg)
}

// wake lets waiting reads look again.
func (l *Log) wake(seq uint64) {
	l.reach(seq)
	l.mu.Lock()
	waiting := l.appended
	l.appended = make(chan struct{})
	l.mu.Unlock()
	close(waiting)
}

// reach notes that the record exists.
func (l *Log) reach(seq uint64) {
	for {
		last := l.last.Load()
		if seq <= last || l.last.CompareAndSwap(last, seq) {
			return
		}
	}
}

// Bounds implements bus.Log.
func (l *Log) Bounds(ctx context.Context) (first, last uint64, err error) {
	st, err := l.state(ctx)
	if err != nil || st.LastSeq == 0 {
		return 0, 0, err
	}
	return st.FirstSeq, st.LastSeq, nil
}

// Size implements bus.Trimmer.
func (l *Log) Size(ctx context.Context) (used, limit int64, err error) {
	st, err := l.state(ctx)
	if err != nil {
		return 0, 0, err
	}
	return int64(st.Bytes), max(l.opt.MaxBytes, 0), nil
}

func (l *Log) state(ctx context.Context) (jetstream.StreamState, error) {
	if !l.ready.Load() {
		return jetstream.StreamState{}, errClosed()
	}
	info, err := l.stream.Info(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return jetstream.StreamState{}, ctx.Err()
		}
		return jetstream.StreamState{}, l.translate(err)
	}
	return info.State, nil
}

// Trim implements bus.Trimmer.
func (l *Log) Trim(ctx context.Context, before uint64) error {
	if !l.ready.Load() {
		return errClosed()
	}
	if l.outside() { // others append too
		if err := l.refresh(ctx); err != nil {
			return err
		}
	}
	// A purge up to a sequence beyond the end would move the end; a purge up to 0 would empty the stream.
	before = min(before, l.last.Load()+1)
	if before <= 1 {
		return nil
	}
	if err := l.stream.Purge(ctx, jetstream.WithPurgeSequence(before)); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return l.translate(err)
	}
	return nil
}

// codeStoreFailed is what the server answers when a record does not fit the bound, or the disk does not take it.
const codeStoreFailed jetstream.ErrorCode = 10077

func (l *Log) translate(err error) error {
	if api, ok := errors.AsType[*jetstream.APIError](err); ok && api.ErrorCode == codeStoreFailed {
		return errFull().With(err)
	}
	if !l.ready.Load() {
		return errClosed().With(err)
	}
	return unavailable(err)
}

func errFull() *errs.Error {
	return errs.Unavailable("bus.full", "the log is full or the disk is; free some space, raise its limit, or see why its readers lag")
}

func unavailable(err error) error {
	return errs.Unavailable("bus.unavailable", "the log does not answer; try again in a moment").With(err)
}

func errClosed() *errs.Error {
	return errs.Unavailable("bus.closed", "the log is closed; try again once the server is up")
}
