package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

const seriesColumns = `workspace_id, id, name, draft, status, requested_by, approved_by, active_since, next_at, next_shown, retry_at, attempts, error, seen, runs, rev, created_at, updated_at`

// seriesDraft is what people fill in, as it is kept.
type seriesDraft struct {
	Audience campaign.Audience      `json:"audience"`
	Topic    string                 `json:"topic"`
	Template string                 `json:"template"`
	Channel  string                 `json:"channel"`
	Message  campaign.SeriesMessage `json:"message"`
	Schedule campaign.Schedule      `json:"schedule"`
	Feed     *campaign.Feed         `json:"feed"`
	Until    time.Time              `json:"until,omitzero"`
}

func scanSeries(r sqldb.Row) (s campaign.Series, err error) {
	var draft, shown, seen string
	if err = r.Scan(&s.Workspace, &s.ID, &s.Name, &draft, (*string)(&s.Status), &s.RequestedBy, &s.ApprovedBy, &s.ActiveSince, &s.NextAt, &shown, &s.RetryAt, &s.Attempts,
		(*string)(&s.Error), &seen, &s.Runs, &s.Rev, &s.CreatedAt, &s.UpdatedAt); err != nil {
		return s, err
	}
	var d seriesDraft
	err = errors.Join(json.Unmarshal([]byte(draft), &d), json.Unmarshal([]byte(seen), &s.Seen), s.NextShown.UnmarshalText([]byte(shown)))
	s.Audience, s.Topic, s.Template, s.Channel, s.Message, s.Schedule, s.Feed, s.Until = d.Audience, d.Topic, d.Template, d.Channel, d.Message, d.Schedule, d.Feed, d.Until
	return s, err
}

func seriesValues(s campaign.Series) ([]any, error) {
	draft, err := json.Marshal(seriesDraft{s.Audience, s.Topic, s.Template, s.Channel, s.Message, s.Schedule, s.Feed, s.Until})
	if err != nil {
		return nil, err
	}
	seen, err := json.Marshal(s.Seen)
	return []any{
		s.Workspace, s.ID, s.Name, string(draft), string(s.Status), s.RequestedBy, s.ApprovedBy, s.ActiveSince, s.NextAt, s.NextShown.String(), s.RetryAt, s.Attempts, string(s.Error), string(seen),
		s.Runs, s.Rev, s.CreatedAt, s.UpdatedAt,
	}, err
}

// CreateSeries adds a series.
func (s *Campaign) CreateSeries(ctx context.Context, x campaign.Series) error {
	args, err := seriesValues(x)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `INSERT INTO campaign_series (`+seriesColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`, args...)
	return err
}

// GetSeries returns a series.
func (s *Campaign) GetSeries(ctx context.Context, ws, id string) (campaign.Series, error) {
	x, err := sqldb.One(ctx, s.db, scanSeries, `SELECT `+seriesColumns+` FROM campaign_series WHERE workspace_id = $1 AND id = $2`, ws, id)
	if errors.Is(err, sqldb.ErrNoRows) {
		return x, errs.NotFound("series", id)
	}
	return x, err
}

// ListSeries returns series that fit a filter.
func (s *Campaign) ListSeries(ctx context.Context, ws string, f campaign.SeriesFilter, p page.Request) (page.Of[campaign.Series], error) {
	after := "~" // after every id
	if _, err := page.Decode(p.Cursor, &after); err != nil {
		return page.Of[campaign.Series]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanSeries, `SELECT `+seriesColumns+` FROM campaign_series
		WHERE workspace_id = $1 AND id < $2 AND lower(name) LIKE $4 ESCAPE '\' AND ($5 = '' OR status = $5) ORDER BY id DESC LIMIT $3`,
		ws, after, p.Size()+1, contains(f.Text), string(f.Status))
	return page.Cut(items, p.Size(), func(x campaign.Series) string { return page.Encode(x.ID) }), err
}

// UpdateSeries replaces a series.
func (s *Campaign) UpdateSeries(ctx context.Context, x campaign.Series) error {
	args, err := seriesValues(x)
	if err != nil {
		return err
	}
	n, err := s.db.Exec(ctx, `UPDATE campaign_series SET name = $3, draft = $4, status = $5, requested_by = $6, approved_by = $7, active_since = $8, next_at = $9, next_shown = $10,
		retry_at = $11, attempts = $12, error = $13, seen = $14, runs = $15, rev = rev + 1, created_at = $17, updated_at = $18
		WHERE workspace_id = $1 AND id = $2 AND rev = $16`, args...)
	if err == nil && n == 0 {
		if _, err := s.GetSeries(ctx, x.Workspace, x.ID); err != nil {
			return err
		}
		return errs.Conflict("series.changed", "this series has changed meanwhile; load it again and repeat the change")
	}
	return err
}

// DeleteSeries removes a series.
func (s *Campaign) DeleteSeries(ctx context.Context, ws, id string) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		for _, table := range []string{"campaign_run", "campaign_item"} {
			if _, err := s.db.Exec(ctx, `DELETE FROM `+table+` WHERE workspace_id = $1 AND series_id = $2`, ws, id); err != nil {
				return err
			}
		}
		n, err := s.db.Exec(ctx, `DELETE FROM campaign_series WHERE workspace_id = $1 AND id = $2`, ws, id)
		if err == nil && n == 0 {
			return errs.NotFound("series", id)
		}
		return err
	})
}

// DueSeries returns series that must run.
func (s *Campaign) DueSeries(ctx context.Context, now time.Time) ([]campaign.Series, error) {
	return sqldb.Collect(ctx, s.db, scanSeries, `SELECT `+seriesColumns+` FROM campaign_series WHERE status = 'live' AND next_at <= $1 AND retry_at <= $1 ORDER BY next_at, id`, now)
}

// AddRun adds a run.
func (s *Campaign) AddRun(ctx context.Context, ws string, r campaign.Run) error {
	vars, err := json.Marshal(r.Vars)
	if err != nil {
		return err
	}
	items, err := json.Marshal(r.Items)
	if err != nil {
		return err
	}
	n, err := s.db.Exec(ctx, `INSERT INTO campaign_run (workspace_id, series_id, planned_at, state, reason, detail, campaign_id, vars, items, ran_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (workspace_id, series_id, planned_at) DO NOTHING`,
		ws, r.Series, r.Planned, r.State, r.Reason, string(r.Detail), r.Campaign, string(vars), string(items), r.At)
	if err == nil && n == 0 {
		return errs.Conflict("series.ran", "this run has been made already")
	}
	return err
}

// Runs lists runs.
func (s *Campaign) Runs(ctx context.Context, ws, series string, p page.Request) (page.Of[campaign.Run], error) {
	before := int64(1) << 62
	if _, err := page.Decode(p.Cursor, &before); err != nil {
		return page.Of[campaign.Run]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (x campaign.Run, err error) {
		var items string
		if err = r.Scan(&x.Series, &x.Planned, &x.State, &x.Reason, (*string)(&x.Detail), &x.Campaign, &items, &x.At); err != nil {
			return x, err
		}
		return x, json.Unmarshal([]byte(items), &x.Items)
	}, `SELECT series_id, planned_at, state, reason, detail, campaign_id, items, ran_at FROM campaign_run
		WHERE workspace_id = $1 AND series_id = $2 AND planned_at < $3 ORDER BY planned_at DESC LIMIT $4`, ws, series, before, p.Size()+1)
	return page.Cut(items, p.Size(), func(r campaign.Run) string { return page.Encode(r.Planned.UnixMicro()) }), err
}

// RunVars returns what a campaign adds to its messages.
func (s *Campaign) RunVars(ctx context.Context, ws, id string) (map[string]any, error) {
	raw, err := sqldb.One(ctx, s.db, sqldb.Value[string], `SELECT vars FROM campaign_run WHERE workspace_id = $1 AND campaign_id = $2 AND campaign_id <> ''`, ws, id)
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out map[string]any
	return out, json.Unmarshal([]byte(raw), &out)
}

// SeenItems returns which items have been seen.
func (s *Campaign) SeenItems(ctx context.Context, ws, series string, keys []string) (map[string]bool, error) {
	in, arg := s.db.In(3, keys)
	found, err := sqldb.Collect(ctx, s.db, sqldb.Value[string], `SELECT item_key FROM campaign_item WHERE workspace_id = $1 AND series_id = $2 AND item_key `+in, ws, series, arg)
	out := make(map[string]bool, len(found))
	for _, k := range found {
		out[k] = true
	}
	return out, err
}

// SeeItems notes items as seen.
func (s *Campaign) SeeItems(ctx context.Context, ws, series string, keys []string, at time.Time) error {
	rows := make([][]any, len(keys))
	for i, k := range keys {
		rows[i] = []any{ws, series, k, at}
	}
	_, err := s.db.Bulk(ctx, `INSERT INTO campaign_item (workspace_id, series_id, item_key, seen_at) VALUES ($1, $2, $3, $4) ON CONFLICT (workspace_id, series_id, item_key) DO NOTHING`, rows)
	return err
}
