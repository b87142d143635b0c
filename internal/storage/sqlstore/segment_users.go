package sqlstore

import (
	"context"

	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// maxUsers is how many users of a set or template are told.
const maxUsers = 200

// SetUsers returns the campaigns, series, journeys, personas and journey maps that name the set, and the content that names it or that a campaign sends
// to it, those that need it and the latest first. Ids are unique texts, so that looking for the quoted id in the JSON finds just those that name it.
func (s *Segment) SetUsers(ctx context.Context, ws, set string) ([]segment.User, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (u segment.User, err error) {
		return u, r.Scan(&u.Noun, &u.ID, &u.Name, &u.Status, &u.Needs)
	}, `SELECT noun, id, name, status, needs FROM (
		SELECT 'campaign' AS noun, id, name, status, status NOT IN ('sent', 'cancelled') AND archived_at = 0 AS needs, updated_at FROM campaign
			WHERE workspace_id = $1 AND (include LIKE $2 ESCAPE '\' OR exclude LIKE $2 ESCAPE '\')
		UNION ALL SELECT 'series', id, name, status, status <> 'ended', updated_at FROM campaign_series WHERE workspace_id = $1 AND draft LIKE $2 ESCAPE '\'
		UNION ALL SELECT 'journey', id, name, status, status <> 'archived', updated_at FROM journey WHERE workspace_id = $1 AND (draft LIKE $2 ESCAPE '\' OR EXISTS
			(SELECT 1 FROM journey_version v WHERE v.journey_id = journey.id AND v.version = journey.published AND v.graph LIKE $2 ESCAPE '\'))
		UNION ALL SELECT 'persona', id, name, '', TRUE, updated_at FROM persona WHERE workspace_id = $1 AND segment_id = $4
		UNION ALL SELECT 'journey_map', id, name, '', TRUE, updated_at FROM journey_map WHERE workspace_id = $1 AND segment_id = $4
		UNION ALL SELECT 'template', t.id, v.name, t.status, v.document LIKE $2 ESCAPE '\', t.updated_at FROM template t
			JOIN template_version v ON v.workspace_id = t.workspace_id AND v.template_id = t.id AND v.version = t.version
			WHERE t.workspace_id = $1 AND t.status = 'active' AND (v.document LIKE $2 ESCAPE '\' OR EXISTS
			(SELECT 1 FROM campaign c WHERE c.workspace_id = t.workspace_id AND c.template = t.id AND c.include LIKE $2 ESCAPE '\'))
		) AS users ORDER BY needs DESC, updated_at DESC, id LIMIT $3`, ws, `%"`+escapeLike.Replace(set)+`"%`, maxUsers, set)
}
