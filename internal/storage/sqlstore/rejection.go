package sqlstore

import (
	"context"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Rejection keeps what intake refused. It implements collect.Rejections.
type Rejection struct{ db *sqldb.DB }

// NewRejection returns the store of rejections.
func NewRejection(db *sqldb.DB) *Rejection { return &Rejection{db} }

const rejectionColumns = `workspace_id, id, source, time, idx, message_id, type, name, code, reason`

func scanRejection(r sqldb.Row) (x event.Rejection, err error) {
	err = r.Scan(&x.Workspace, &x.ID, &x.Source, &x.Time, &x.Index, &x.MessageID, &x.Type, &x.Name, &x.Code, &x.Reason)
	return x, err
}

// Reject adds rejections, all or none. One that is there already is left as it is.
func (s *Rejection) Reject(ctx context.Context, rs []event.Rejection) error {
	rows := make([][]any, len(rs))
	for i, x := range rs {
		rows[i] = []any{x.Workspace, x.ID, x.Source, x.Time, x.Index, x.MessageID, x.Type, x.Name, x.Code, x.Reason}
	}
	_, err := s.db.Bulk(ctx, `INSERT INTO rejection (`+rejectionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (workspace_id, id) DO NOTHING`, rows)
	return err
}

// List returns the rejections of a workspace, newest first. source may be empty for those of all sources.
func (s *Rejection) List(ctx context.Context, ws, source string, p page.Request) (page.Of[event.Rejection], error) {
	var before string
	if _, err := page.Decode(p.Cursor, &before); err != nil {
		return page.Of[event.Rejection]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanRejection, `SELECT `+rejectionColumns+` FROM rejection
		WHERE workspace_id = $1 AND ($2 = '' OR id < $2) AND ($3 = '' OR source = $3) ORDER BY id DESC LIMIT $4`, ws, before, source, p.Size()+1)
	if err != nil {
		return page.Of[event.Rejection]{}, err
	}
	return page.Cut(items, p.Size(), func(x event.Rejection) string { return page.Encode(x.ID) }), nil
}

// Purge removes the rejections of all workspaces that are older than a time, and of each workspace all but the newest
// keep. It returns how many went.
func (s *Rejection) Purge(ctx context.Context, before time.Time, keep int) (int64, error) {
	n, err := s.db.Exec(ctx, `DELETE FROM rejection WHERE time < $1`, before)
	if err != nil {
		return 0, err
	}
	over, err := sqldb.Collect(ctx, s.db, sqldb.Value[string],
		`SELECT workspace_id FROM rejection GROUP BY workspace_id HAVING count(*) > $1 ORDER BY workspace_id`, keep)
	if err != nil {
		return n, err
	}
	for _, ws := range over {
		more, err := s.db.Exec(ctx, `DELETE FROM rejection WHERE workspace_id = $1 AND id <=
			(SELECT id FROM rejection WHERE workspace_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)`, ws, keep)
		if err != nil {
			return n, err
		}
		n += more
	}
	return n, nil
}
