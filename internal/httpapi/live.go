package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/realtime"
)

const (
	heartbeat  = 25 * time.Second // below the minute after which proxies give up on silent connections
	liveStream = 10 * time.Minute // then the browser connects again, and is asked again who it is
)

// liveTopics says which permission a topic needs; topics that are not named need settings.read.
var liveTopics = map[string]staff.Permission{
	"event": staff.ReportsRead, "person": staff.PeopleRead, "segment": staff.SegmentsRead, "list": staff.SegmentsRead, "persona": staff.SegmentsRead, "journey_map": staff.SegmentsRead, "template": staff.ContentRead,
	"campaign": staff.CampaignsRead, "journey": staff.JourneysRead, "round": staff.JourneysRead, "message": staff.PeopleRead, "invoice": staff.PeopleRead,
	"job": signedIn, // an id says nothing; who may not see the job is told so when they read it
}

// LiveBatch is one message of the live stream.
type LiveBatch struct {
	Changes []LiveChange `json:"changes"`
	All     bool         `json:"all,omitempty" doc:"more has changed than can be told; read everything anew"`
}

// LiveChange says that the thing with the id has changed; without an id several things of the topic have.
type LiveChange struct {
	Topic string `json:"topic" doc:"the noun: person, segment, campaign, journey ...; event for anything that came in"`
	ID    string `json:"id,omitempty"`
}

type changesKey struct{}

// collecting gives a request a place to note what it changes; publish tells it once the request has gone well.
func collecting(ctx context.Context) (context.Context, *[]realtime.Change) {
	changes := &[]realtime.Change{}
	return context.WithValue(ctx, changesKey{}, changes), changes
}

func noteChange(ctx context.Context, topic, id string) {
	if changes, ok := ctx.Value(changesKey{}).(*[]realtime.Change); ok {
		*changes = append(*changes, realtime.Change{Topic: topic, ID: id})
	}
}

func (a *api) publish(ctx context.Context, changes []realtime.Change) {
	if a.c.Live != nil {
		a.c.Live.Publish(workspaceOf(ctx), changes...)
	}
}

func (a *api) liveRoutes() {
	type from struct {
		Last  string `query:"last" doc:"where the caller stands: live of the session, or the id of the last message when the connection is made anew by hand. What has changed since comes first"`
		Event string `header:"Last-Event-ID" doc:"the same, as browsers send it"`
	}
	route(a, http.MethodGet, "/live", "change-follow", "What changes, as server-sent events; each says what to read anew", signedIn, func(ctx context.Context, in *from) (*huma.StreamResponse, error) {
		if a.c.Live == nil {
			return nil, errs.Unavailable("live.off", "this server sends no live changes; read again from time to time")
		}
		mark := in.Event
		if mark == "" {
			mark = in.Last
		}
		hello := "retry: 2000\n"
		if mark == "" { // who came with one keeps it until there is a message: what came meanwhile is not told yet
			mark = a.c.Live.Mark(workspaceOf(ctx))
			hello += "id: " + mark + "\n"
		}
		listener, err := a.c.Live.Listen(workspaceOf(ctx), mark)
		if err != nil {
			return nil, err
		}
		who := caller(ctx)
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			defer listener.Close()
			hc.SetHeader("Content-Type", "text/event-stream")
			hc.SetHeader("X-Accel-Buffering", "no") // nginx would hold messages back
			stream(hc, listener, who, hello)
		}}, nil
	}, func(op *huma.Operation) {
		op.Responses = map[string]*huma.Response{"200": {
			Description: "An endless stream. Each message is a LiveBatch; comments keep the connection open. The stream ends after ten minutes: connect again.",
			Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[LiveBatch](), true, "LiveBatch")}},
		}}
	})
}

// stream writes batches until the browser is gone, the time is over or the server stops.
func stream(hc huma.Context, l *realtime.Listener, who staff.Principal, hello string) {
	ctx, cancel := context.WithTimeout(hc.Context(), liveStream)
	defer cancel()
	w := hc.BodyWriter()
	flush := func() {}
	if f, ok := w.(http.Flusher); ok {
		flush = f.Flush
	}
	if _, err := fmt.Fprintf(w, "%s\n", hello); err != nil {
		return
	}
	flush()
	for ctx.Err() == nil {
		b, err := wait(ctx, l)
		if err != nil {
			return
		}
		var text bytes.Buffer
		if b.Mark == "" {
			text.WriteString(": still here\n\n")
		} else {
			out := LiveBatch{Changes: []LiveChange{}, All: b.All}
			for _, c := range b.Changes {
				need, known := liveTopics[c.Topic]
				if !known {
					need = staff.SettingsRead
				}
				if need == signedIn || who.Can(need) {
					out.Changes = append(out.Changes, LiveChange(c))
				}
			}
			if len(out.Changes) == 0 && !out.All {
				continue
			}
			raw, err := json.Marshal(out)
			if err != nil {
				return
			}
			fmt.Fprintf(&text, "id: %s\ndata: %s\n\n", b.Mark, raw)
		}
		if _, err := w.Write(text.Bytes()); err != nil {
			return
		}
		flush()
	}
}

// wait returns the next batch, an empty one when it is time for a sign of life.
func wait(ctx context.Context, l *realtime.Listener) (realtime.Batch, error) {
	beat, cancel := context.WithTimeout(ctx, heartbeat)
	defer cancel()
	b, err := l.Next(beat)
	if err != nil && beat.Err() != nil && ctx.Err() == nil {
		return realtime.Batch{}, nil
	}
	return b, err
}
