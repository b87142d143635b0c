package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/quota"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// usageDays is how many days are shown: a month.
const usageDays = 31

// Usage is what a workspace may use and what it has used.
type Usage struct {
	Limits   []UsageLimit `json:"limits" doc:"all there are; the operator of the installation sets them"`
	Days     []UsageDay   `json:"days" doc:"the last 31, today last"`
	ResetsAt time.Time    `json:"resets_at" doc:"when the counts of today begin anew"`
}

// UsageLimit is one limit.
type UsageLimit struct {
	Kind  string `json:"kind" enum:"events_per_second,events_per_day,requests_per_second,messages_per_day" doc:"those of a second are of each server process and, for requests, of people and keys each"`
	Limit int64  `json:"limit" doc:"0: none"`
	Used  *int64 `json:"used,omitempty" doc:"today; for limits of a day"`
}

// UsageDay is what was used on a day.
type UsageDay struct {
	Day             string `json:"day" format:"date" doc:"in UTC"`
	Events          int64  `json:"events" doc:"taken in"`
	Refused         int64  `json:"refused" doc:"calls of sources that were answered 429"`
	Requests        int64  `json:"requests" doc:"to the API"`
	RequestsRefused int64  `json:"requests_refused" doc:"answered 429"`
	Messages        int64  `json:"messages" doc:"handed over, each at its first attempt"`
}

func (a *api) quotaRoutes() {
	q := a.c.Quotas
	route(a, http.MethodGet, "/usage", "usage-get", "What the workspace may use, and what it has used", staff.SettingsRead, func(ctx context.Context, _ *nothing) (*body[Usage], error) {
		ws := workspaceOf(ctx)
		days, err := q.Days(ctx, ws, usageDays)
		if err != nil {
			return nil, err
		}
		today := days[len(days)-1]
		out := Usage{Limits: make([]UsageLimit, len(quota.Kinds)), Days: make([]UsageDay, len(days)), ResetsAt: (today.Day + 1).Start()}
		limits := q.Limits(ws)
		for i, k := range quota.Kinds {
			out.Limits[i] = UsageLimit{Kind: string(k), Limit: limits[k]}
			if used, daily := today.Of(k); daily {
				out.Limits[i].Used = &used
			}
		}
		for i, d := range days {
			out.Days[i] = UsageDay{d.Day.Start().Format(time.DateOnly), d.Events, d.Refused, d.Requests, d.RequestsRefused, d.Messages}
		}
		return answer(out), nil
	})
}
