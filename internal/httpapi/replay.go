package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/replay"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// ReplayRange is a time range.
type ReplayRange struct {
	From time.Time   `json:"from" doc:"what happened at that moment counts"`
	To   time.Time   `json:"to" doc:"what happened at that moment does not"`
	Part replay.Part `json:"part,omitempty" enum:"mirror,segments,standing,journeys" doc:"what is worked out anew; without: everything. The mirror of people is with each"`
}

// ReplaySize is what a replay would work out.
type ReplaySize struct {
	People int64 `json:"people"`
	Events int64 `json:"events"`
}

func (a *api) replayRoutes() {
	s := a.c.Replay
	route(a, http.MethodPost, "/replays/check", "replay-check", "How many people and events a time range has", staff.SettingsWrite, func(ctx context.Context, in *in[ReplayRange]) (*body[ReplaySize], error) {
		people, events, err := s.Size(ctx, workspaceOf(ctx), replay.Range(in.Body))
		return answer(ReplaySize{people, events}), err
	})
	route(a, http.MethodPost, "/replays", "replay-begin", "Work out anew, as a job, what follows from the events of a time range: mirrored people, segments, standing. Nothing is sent a second time", staff.SettingsWrite, func(ctx context.Context, in *in[ReplayRange]) (*body[Job], error) {
		w, err := s.Wanted(replay.Range(in.Body))
		if err != nil {
			return nil, err
		}
		return a.begin(ctx, "begin", "replay", w)
	}, accepted)
}
