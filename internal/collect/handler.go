package collect

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/trace"
)

// DefaultMaxBodies bounds the bytes of bodies that are read and answered at the same time.
const DefaultMaxBodies = 128 << 20

// Appender puts items on the log; Append returns once they are on disk. It is a *bus.Writer.
type Appender interface {
	Append(ctx context.Context, items [][]byte) error
}

// Screen knows whose events must not be taken, and what is kept of the others. It is asked for every event and must not wait.
type Screen interface {
	Refuses(ctx context.Context, e *event.Event) bool
	// Kept changes the event into what the workspace keeps of it; false if it keeps nothing.
	Kept(e *event.Event) bool
}

// Quota is what workspaces may send. Its errors are errs.KindRateLimited; those with Seconds say when to try again.
type Quota interface {
	// Intake returns why no events of the workspace are taken in now, before anybody reads what they are.
	Intake(ws string) error
	// TakeEvents counts events that are about to go on the log, or returns why none may.
	TakeEvents(ws string, n int) error
	// GiveBack takes back events that did not get there.
	GiveBack(ws string, n int)
}

// Config is what a Handler needs.
type Config struct {
	Sources    Sources
	Log        Appender
	Vault      event.Vault // seals what goes on the log; nil: nothing
	Screen     Screen      // knows whose events are not taken; nil: everybody's are
	Rejections Rejections  // nil: rejections are answered, not recorded
	Clock      clock.Clock
	Logger     *slog.Logger

	Quota          Quota          // nil: everybody may send as much as they like
	MaxBodies      int64          // bytes of bodies in hand at once; 0 means DefaultMaxBodies
	TrustedProxies []netip.Prefix // whose X-Forwarded-For and X-Forwarded-Proto are believed
	PublicURL      string         // where browsers reach this server; empty: where they asked for the settings
	FullIP         bool           // keep whole addresses; otherwise they are shortened
}

// Handler is the intake. It serves the paths of Paths and is a lifecycle.Service: started, it records rejections.
type Handler struct {
	c        Config
	keys     *keyring
	recorder *recorder
	bodies   atomic.Int64 // bytes in hand
	pool     sync.Pool    // *work
	figures  struct{ accepted, rejected, refused, screened atomic.Int64 }
}

// Figures are counts since the start.
type Figures struct {
	Accepted   int64 // events on the log
	Rejected   int64 // events refused one by one
	Screened   int64 // events of people who are kept out, answered as if they had been taken
	Refused    int64 // requests answered 429 or 503
	Unrecorded int64 // rejections that were answered and not recorded, for lack of room
}

// New returns a Handler.
func New(c Config) *Handler {
	if c.MaxBodies <= 0 {
		c.MaxBodies = DefaultMaxBodies
	}
	h := &Handler{
		c:        c,
		keys:     newKeyring(c.Sources, c.Clock),
		recorder: newRecorder(c.Rejections, c.Logger),
	}
	h.pool.New = func() any { return new(work) }
	return h
}

// Start begins to record rejections.
func (h *Handler) Start(ctx context.Context) error { return h.recorder.Start(ctx) }

// Stop records what is left to record.
func (h *Handler) Stop(ctx context.Context) error { return h.recorder.Stop(ctx) }

// Forget drops what is remembered about write keys, so that a change of one works at once.
func (h *Handler) Forget() { h.keys.forget() }

// Figures returns the counts.
func (h *Handler) Figures() Figures {
	return Figures{
		Accepted:   h.figures.accepted.Load(),
		Rejected:   h.figures.rejected.Load(),
		Screened:   h.figures.screened.Load(),
		Refused:    h.figures.refused.Load(),
		Unrecorded: h.recorder.dropped.Load(),
	}
}

// Paths are the prefixes that belong to intake, for mounting it beside other handlers.
func Paths() []string {
	return []string{"/v1/", "/beacon/", "/pixel/", "/cluster-info"}
}

// call is what a path asks for.
type call struct {
	kind  event.Type // of a single call
	batch bool
}

var calls = map[string]call{
	"/v1/identify": {kind: event.Identify}, "/v1/i": {kind: event.Identify},
	"/v1/track": {kind: event.Track}, "/v1/t": {kind: event.Track},
	"/v1/page": {kind: event.Page}, "/v1/p": {kind: event.Page},
	"/v1/screen": {kind: event.Screen}, "/v1/s": {kind: event.Screen},
	"/v1/group": {kind: event.Group}, "/v1/g": {kind: event.Group},
	"/v1/alias": {kind: event.Alias}, "/v1/a": {kind: event.Alias},
	"/v1/batch": {batch: true}, "/v1/b": {batch: true}, "/v1/import": {batch: true},
	"/beacon/v1/batch": {batch: true},
}

// pixels are the calls that an image in a page or a mail can make.
var pixels = map[string]event.Type{
	"/pixel/v1/track": event.Track, "/v1/pixel/track": event.Track,
	"/pixel/v1/page": event.Page, "/v1/pixel/page": event.Page,
	"/v1/pixel/identify": event.Identify, "/v1/pixel/screen": event.Screen, "/v1/pixel/group": event.Group, "/v1/pixel/alias": event.Alias,
}

const (
	settingsPrefix = "/v1/projects/"
	settingsSuffix = "/settings"
)

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimSuffix(r.URL.Path, "/")
	c, isCall := calls[path]
	kind, isPixel := pixels[path]
	isSettings := strings.HasPrefix(path, settingsPrefix) && strings.HasSuffix(path, settingsSuffix)
	method := http.MethodGet
	switch {
	case isCall || path == "/v1/m":
		method = http.MethodPost
	case isPixel || isSettings || path == "/cluster-info":
	default:
		h.fail(w, errs.NotFound("path", path))
		return
	}
	header := w.Header()
	// Anyone's page may send events: the write key is the only credential, and cookies are never looked at.
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Access-Control-Expose-Headers", "Retry-After, X-RateLimit-Reset")
	switch r.Method {
	case method:
	case http.MethodOptions:
		header.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
		header.Set("Access-Control-Allow-Headers", "authorization, content-type, content-encoding, x-retry-count, anonymousid, traceparent, tracestate")
		header.Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
		return
	default:
		header.Set("Allow", method+", OPTIONS")
		reply(w, http.StatusMethodNotAllowed, answer{Code: "method.wrong", Message: "use " + method + " here"})
		return
	}
	switch {
	case isCall:
		h.take(w, r, c)
	case isPixel:
		h.pixel(w, r, kind)
	case isSettings:
		h.settings(w, r, path[len(settingsPrefix):len(path)-len(settingsSuffix)])
	case path == "/cluster-info":
		reply(w, http.StatusOK, struct {
			Nodes int `json:"nodeCount"`
		}{1})
	default: // the browser SDK's figures about itself: taken and not kept
		reply(w, http.StatusOK, answer{Success: true})
	}
}

// take serves a POST with one event or a batch.
func (h *Handler) take(w http.ResponseWriter, r *http.Request, c call) {
	key := requestKey(r)
	var source Source
	if key != "" {
		var err error
		if source, err = h.admit(r.Context(), key); err != nil {
			h.fail(w, err)
			return
		}
	}
	limit := MaxEvent
	if c.batch {
		limit = MaxBatch
	}
	wk, body, release, err := h.body(w, r, limit)
	if err == nil {
		defer release()
		err = wk.env.parse(body, !c.batch)
	}
	if err == nil && key == "" {
		if source, err = h.admit(r.Context(), bodyKey(&wk.env)); err != nil {
			h.fail(w, err)
			return
		}
	}
	if err != nil {
		if key != "" {
			h.note(source, err)
		}
		h.fail(w, err)
		return
	}
	b := builder{
		env: &wk.env, source: source, received: h.c.Clock.Now(), kind: c.kind, fullIP: h.c.FullIP, scratch: wk.scratch,
	}
	b.ip = b.keptIP(clientIP(r, h.c.TrustedProxies))
	rejected, err := h.keep(r.Context(), &b)
	wk.scratch = b.scratch
	if err != nil {
		h.fail(w, err)
		return
	}
	reply(w, http.StatusOK, answer{Success: true, Rejected: rejected})
}

// admit finds the source of a key whose workspace may send more.
func (h *Handler) admit(ctx context.Context, key string) (Source, error) {
	source, err := h.keys.find(ctx, key)
	if err != nil {
		return Source{}, err
	}
	if h.c.Quota != nil {
		err = h.c.Quota.Intake(source.Workspace)
	}
	return source, err
}

// requestKey returns the write key outside the body: the user of HTTP Basic, with or without the colon after it, else
// the query parameter.
func requestKey(r *http.Request) string {
	if user, _, ok := r.BasicAuth(); ok && user != "" {
		return user
	}
	if user := basicWithoutColon(r.Header.Get("Authorization")); user != "" {
		return user
	}
	if strings.Contains(r.URL.RawQuery, "riteKey") {
		return r.URL.Query().Get("writeKey")
	}
	return ""
}

func bodyKey(e *envelope) string {
	spans := []span{e.writeKey}
	for i := range min(len(e.events), 1) {
		spans = append(spans, e.events[i].fields[fWriteKey].span)
	}
	for _, sp := range spans {
		if v := e.bytes(sp); len(v) > 2 && v[0] == '"' {
			return unquote(v)
		}
	}
	return ""
}

// keep puts the good events of an envelope on the log, records the others and returns those.
func (h *Handler) keep(ctx context.Context, b *builder) ([]rejectedEvent, error) {
	b.start()
	var bad []event.Rejection
	events := b.env.events
	buf := make([]byte, 0, len(b.env.s.out)+256*len(events))
	ends := make([]int, 0, len(events))
	var line []byte
	traced := trace.Of(ctx, "")
	for i := range events {
		e, why := b.event(i)
		e.Trace = traced
		if why == nil && len(buf) > maxExpanded {
			why = refuse("event.too_many_bytes", "", "does not fit: the batch has grown beyond %d bytes with its context in every event; send smaller batches", maxExpanded)
		}
		if why != nil {
			bad = append(bad, b.rejection(i, &e, why))
			continue
		}
		if h.c.Screen != nil && (h.c.Screen.Refuses(ctx, &e) || !h.c.Screen.Kept(&e)) {
			// The sender is not told: whether somebody was erased here, or what they agreed to, is nobody's business.
			h.figures.screened.Add(1)
			continue
		}
		if h.c.Vault == nil {
			buf = event.AppendLine(buf, &e)
		} else {
			line = event.AppendLine(line[:0], &e)
			buf = event.AppendSealed(buf, &e, line, h.c.Vault)
		}
		ends = append(ends, len(buf))
	}
	for i := range min(b.env.overflow, MaxBatchEvents) {
		bad = append(bad, b.rejection(len(events)+i, &event.Event{}, refuse("event.too_many", "", "is beyond the %d that a batch may have; send it in another", MaxBatchEvents)))
	}
	items := make([][]byte, len(ends))
	from := 0
	for i, end := range ends {
		items[i] = buf[from:end:end]
		from = end
	}
	if h.c.Quota != nil && len(items) > 0 {
		if err := h.c.Quota.TakeEvents(b.source.Workspace, len(items)); err != nil {
			return nil, err
		}
	}
	if err := h.append(ctx, b, items, len(bad)); err != nil {
		if h.c.Quota != nil {
			h.c.Quota.GiveBack(b.source.Workspace, len(items))
		}
		if ctx.Err() != nil {
			err = errs.Unavailable("request.aborted", "the request ended before its events were on disk; send it again").With(err)
		}
		return nil, err
	}
	h.figures.accepted.Add(int64(len(items)))
	h.figures.rejected.Add(int64(len(bad)))
	h.recorder.add(bad)
	return listed(bad), nil
}

// append puts items on the log.
func (h *Handler) append(ctx context.Context, b *builder, items [][]byte, rejected int) error {
	ctx, span := trace.Start(ctx, "log")
	span.Text("kizuna.workspace", b.source.Workspace)
	span.Text("kizuna.call", cmp.Or(string(b.kind), "batch"))
	span.Count("kizuna.events", len(items))
	span.Count("kizuna.rejected", rejected)
	err := h.c.Log.Append(ctx, items)
	span.Done(err)
	return err
}

func (b *builder) rejection(i int, e *event.Event, why *reject) event.Rejection {
	r := event.Rejection{
		ID: id.New("rej"), Workspace: b.source.Workspace, Source: b.source.ID, Time: b.received,
		Index: i, MessageID: e.MessageID, Type: string(e.Type), Name: e.Name, Code: why.code, Reason: why.Error(),
	}
	if i >= len(b.env.events) {
		return r
	}
	raw := &b.env.events[i]
	for f, into := range map[field]*string{fMessageID: &r.MessageID, fType: &r.Type, fEvent: &r.Name} {
		if v := b.raw(raw, f); len(v) > 2 && v[0] == '"' && *into == "" {
			*into = clip(unquote(v))
		}
	}
	return r
}

// note records that a whole request was refused.
func (h *Handler) note(source Source, err error) {
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || e.Kind != errs.KindInvalid {
		return
	}
	h.recorder.add([]event.Rejection{{
		ID: id.New("rej"), Workspace: source.Workspace, Source: source.ID, Time: h.c.Clock.Now(), Index: -1, Code: e.Code, Reason: e.Msg,
	}})
}
