package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Campaign implements campaign.Store.
type Campaign struct{ db *sqldb.DB }

// NewCampaign returns the store of campaigns on db.
func NewCampaign(db *sqldb.DB) *Campaign { return &Campaign{db} }

var _ campaign.Store = (*Campaign)(nil)

const campaignColumns = `id, workspace_id, name, include, exclude, topic, template, channel, goal, status, scheduled_at, started_at, finished_at,
	audience, handled, queued, refused, plan, paused_from, attempts, retry_at, error, rev, created_at, updated_at, requested_by, approved_by, result, archived_at`

func scanCampaign(r sqldb.Row) (c campaign.Campaign, err error) {
	var include, exclude, goal, refused, plan, result string
	p := &c.Progress
	if err = r.Scan(&c.ID, &c.Workspace, &c.Name, &include, &exclude, &c.Topic, &c.Template, &c.Channel, &goal, (*string)(&c.Status), &c.ScheduledAt,
		&c.StartedAt, &c.FinishedAt, &p.Audience, &p.Handled, &p.Queued, &refused, &plan, (*string)(&c.PausedFrom), &c.Attempts, &c.RetryAt,
		(*string)(&c.Error), &c.Rev, &c.CreatedAt, &c.UpdatedAt, &c.RequestedBy, &c.ApprovedBy, &result, &c.ArchivedAt); err != nil {
		return c, err
	}
	return c, errors.Join(json.Unmarshal([]byte(include), &c.Audience.Include), json.Unmarshal([]byte(exclude), &c.Audience.Exclude),
		json.Unmarshal([]byte(goal), &c.Goal), json.Unmarshal([]byte(refused), &p.Refused),
		json.Unmarshal([]byte(plan), &c.Plan), json.Unmarshal([]byte(result), &c.Result))
}

func campaignValues(c campaign.Campaign) ([]any, error) {
	var texts [6]string
	for i, v := range []any{c.Audience.Include, c.Audience.Exclude, c.Goal, c.Progress.Refused, c.Plan, c.Result} {
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		texts[i] = string(raw)
	}
	p := c.Progress
	return []any{
		c.ID, c.Workspace, c.Name, texts[0], texts[1], c.Topic, c.Template, c.Channel, texts[2], string(c.Status), c.ScheduledAt, c.StartedAt, c.FinishedAt,
		p.Audience, p.Handled, p.Queued, texts[3], texts[4], string(c.PausedFrom), c.Attempts, c.RetryAt, string(c.Error), c.Rev, c.CreatedAt, c.UpdatedAt,
		c.RequestedBy, c.ApprovedBy, texts[5], c.ArchivedAt,
	}, nil
}

// Create adds a campaign.
func (s *Campaign) Create(ctx context.Context, c campaign.Campaign) error {
	args, err := campaignValues(c)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `INSERT INTO campaign (`+campaignColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)`, args...)
	return err
}

// Get returns a campaign.
func (s *Campaign) Get(ctx context.Context, ws, id string) (campaign.Campaign, error) {
	c, err := sqldb.One(ctx, s.db, scanCampaign, `SELECT `+campaignColumns+` FROM campaign WHERE workspace_id = $1 AND id = $2`, ws, id)
	if errors.Is(err, sqldb.ErrNoRows) {
		return c, errs.NotFound("campaign", id)
	}
	return c, err
}

// List returns campaigns, latest made first.
func (s *Campaign) List(ctx context.Context, ws string, f campaign.Filter, p page.Request) (page.Of[campaign.Campaign], error) {
	after := "~" // after every id
	if _, err := page.Decode(p.Cursor, &after); err != nil {
		return page.Of[campaign.Campaign]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanCampaign, `SELECT `+campaignColumns+` FROM campaign
		WHERE workspace_id = $1 AND id < $2 AND lower(name) LIKE $4 ESCAPE '\' AND ($5 = '' OR status = $5) AND ($6 = '' OR ($6 = 'yes') = (archived_at > 0))
		ORDER BY id DESC LIMIT $3`, ws, after, p.Size()+1, contains(f.Text), string(f.Status), string(f.Archived))
	return page.Cut(items, p.Size(), func(c campaign.Campaign) string { return page.Encode(c.ID) }), err
}

// Update replaces a campaign.
func (s *Campaign) Update(ctx context.Context, c campaign.Campaign) error {
	args, err := campaignValues(c)
	if err != nil {
		return err
	}
	n, err := s.db.Exec(ctx, `UPDATE campaign SET name = $3, include = $4, exclude = $5, topic = $6, template = $7, channel = $8, goal = $9, status = $10,
		scheduled_at = $11, started_at = $12, finished_at = $13, audience = $14, handled = $15, queued = $16, refused = $17, plan = $18,
		paused_from = $19, attempts = $20, retry_at = $21, error = $22, rev = rev + 1, created_at = $24, updated_at = $25,
		requested_by = $26, approved_by = $27, result = $28, archived_at = $29
		WHERE id = $1 AND workspace_id = $2 AND rev = $23`, args...)
	if err == nil && n == 0 {
		if _, err := s.Get(ctx, c.Workspace, c.ID); err != nil {
			return err
		}
		return errs.Conflict("campaign.changed", "this campaign has changed meanwhile; load it again and repeat the change")
	}
	return err
}

// Delete removes a campaign.
func (s *Campaign) Delete(ctx context.Context, ws, id string) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if err := s.clearWaves(ctx, ws, id); err != nil {
			return err
		}
		n, err := s.db.Exec(ctx, `DELETE FROM campaign WHERE workspace_id = $1 AND id = $2`, ws, id)
		if err == nil && n == 0 {
			return errs.NotFound("campaign", id)
		}
		return err
	})
}

func (s *Campaign) clearWaves(ctx context.Context, ws, id string) error {
	if _, err := s.db.Exec(ctx, `DELETE FROM campaign_wave_people WHERE workspace_id = $1 AND campaign_id = $2`, ws, id); err != nil {
		return err
	}
	_, err := s.db.Exec(ctx, `DELETE FROM campaign_wave WHERE workspace_id = $1 AND campaign_id = $2`, ws, id)
	return err
}

// Working returns the campaigns that a worker must look at.
func (s *Campaign) Working(ctx context.Context, now time.Time) ([]campaign.Campaign, error) {
	return sqldb.Collect(ctx, s.db, scanCampaign, `SELECT `+campaignColumns+` FROM campaign
		WHERE status IN ('scheduled', 'preparing', 'sending') AND retry_at <= $1 AND (status <> 'scheduled' OR scheduled_at <= $1) ORDER BY id`, now)
}

// chunkBits is how many low bits of a person number share one row of the audience.
const chunkBits = 16

// SaveWaves fixes the audience.
func (s *Campaign) SaveWaves(ctx context.Context, ws, id string, waves []campaign.Wave, people []*roaring64.Bitmap) error {
	var rows, chunks [][]any
	for i, w := range waves {
		rows = append(rows, []any{ws, id, i, w.DueAt, w.Template, w.Node, w.Size, w.Handled, int64(w.Position)})
		parts, err := chunked(people[i])
		if err != nil {
			return err
		}
		for _, p := range parts {
			chunks = append(chunks, []any{ws, id, i, p.number, p.people})
		}
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if err := s.clearWaves(ctx, ws, id); err != nil {
			return err
		}
		if _, err := s.db.Bulk(ctx, `INSERT INTO campaign_wave (workspace_id, campaign_id, seq, due_at, template, node, size, handled, position)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, rows); err != nil {
			return err
		}
		_, err := s.db.Bulk(ctx, `INSERT INTO campaign_wave_people (workspace_id, campaign_id, wave, chunk, people) VALUES ($1, $2, $3, $4, $5)`, chunks)
		return err
	})
}

// chunk is one row of a wave's people.
type chunk struct {
	number int64
	people []byte
}

// chunked cuts a bitmap into rows.
func chunked(people *roaring64.Bitmap) ([]chunk, error) {
	var out []chunk
	part, number := roaring64.New(), uint64(0)
	flush := func() error {
		if part.IsEmpty() {
			return nil
		}
		raw, err := part.MarshalBinary()
		out = append(out, chunk{int64(number), raw})
		return err
	}
	for it := people.Iterator(); it.HasNext(); {
		n := it.Next()
		if n>>chunkBits != number {
			if err := flush(); err != nil {
				return nil, err
			}
			part, number = roaring64.New(), n>>chunkBits
		}
		part.Add(n)
	}
	return out, flush()
}

// Waves returns the waves.
func (s *Campaign) Waves(ctx context.Context, ws, id string) ([]campaign.Wave, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (w campaign.Wave, err error) {
		var position int64
		err = r.Scan(&w.Seq, &w.DueAt, &w.Template, &w.Node, &w.Size, &w.Handled, &position)
		w.Position = uint64(position)
		return w, err
	}, `SELECT seq, due_at, template, node, size, handled, position FROM campaign_wave WHERE workspace_id = $1 AND campaign_id = $2 ORDER BY seq`, ws, id)
}

// UpdateWave writes what changes of a wave.
func (s *Campaign) UpdateWave(ctx context.Context, ws, id string, w campaign.Wave) error {
	n, err := s.db.Exec(ctx, `UPDATE campaign_wave SET due_at = $4, template = $5, handled = $6, position = $7 WHERE workspace_id = $1 AND campaign_id = $2 AND seq = $3`,
		ws, id, w.Seq, w.DueAt, w.Template, w.Handled, int64(w.Position))
	if err == nil && n == 0 {
		return errs.NotFound("campaign", id)
	}
	return err
}

// WavesOf returns the waves that hold one of the numbers.
func (s *Campaign) WavesOf(ctx context.Context, ws, id string, nums []uint64) ([]int, error) {
	if len(nums) == 0 {
		return nil, nil
	}
	parts := make([]int64, len(nums))
	for i, n := range nums {
		parts[i] = int64(n >> chunkBits)
	}
	clause, arg := s.db.InInts(3, parts)
	type row struct {
		wave   int
		people []byte
	}
	rows, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (x row, err error) {
		err = r.Scan(&x.wave, &x.people)
		return x, err
	}, `SELECT wave, people FROM campaign_wave_people WHERE workspace_id = $1 AND campaign_id = $2 AND chunk `+clause+` ORDER BY wave`, ws, id, arg)
	if err != nil {
		return nil, err
	}
	var out []int
	for _, r := range rows {
		part := roaring64.New()
		if err := part.UnmarshalBinary(r.people); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(nums, part.Contains) && !slices.Contains(out, r.wave) {
			out = append(out, r.wave)
		}
	}
	return out, nil
}

// People returns people of a wave after a number.
func (s *Campaign) People(ctx context.Context, ws, id string, wave int, after uint64, limit int) ([]uint64, error) {
	var out []uint64
	from := int64((after + 1) >> chunkBits)
	for len(out) < limit {
		rows, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (c chunk, err error) {
			err = r.Scan(&c.number, &c.people)
			return c, err
		}, `SELECT chunk, people FROM campaign_wave_people WHERE workspace_id = $1 AND campaign_id = $2 AND wave = $3 AND chunk >= $4 ORDER BY chunk LIMIT 8`, ws, id, wave, from)
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			break
		}
		for _, r := range rows {
			part := roaring64.New()
			if err := part.UnmarshalBinary(r.people); err != nil {
				return nil, err
			}
			it := part.Iterator()
			for it.AdvanceIfNeeded(after + 1); it.HasNext() && len(out) < limit; {
				out = append(out, it.Next())
			}
			from = r.number + 1
		}
	}
	return out, nil
}
