package sqlstore

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/standing"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Standing implements standing.Store.
type Standing struct{ db *sqldb.DB }

// NewStanding returns the store of judgements on db.
func NewStanding(db *sqldb.DB) *Standing { return &Standing{db} }

var _ standing.Store = (*Standing)(nil)

const standingColumns = `workspace_id, person_id, stage, since_at, r, f, m, label, part, service, override, channel, hour, orders, last_order_at, gap, currency, spent, next_at, told_at`

func scanStanding(r sqldb.Row) (s standing.Row, err error) {
	var gap int64
	err = r.Scan(&s.Workspace, &s.Person, (*string)(&s.Stage), &s.Since, &s.Scores.R, &s.Scores.F, &s.Scores.M, &s.Label, (*string)(&s.Part), (*string)(&s.Service),
		(*string)(&s.Override), &s.Channel, &s.Hour, &s.Orders, &s.LastOrder, &gap, &s.Currency, &s.Spent, &s.Next, &s.Told)
	s.Gap = time.Duration(gap) * time.Microsecond
	return s, err
}

// State returns the scheme and the round.
func (s *Standing) State(ctx context.Context, ws string) (standing.State, error) {
	st, err := sqldb.One(ctx, s.db, func(r sqldb.Row) (st standing.State, err error) {
		var scheme, thresholds, round string
		if err := r.Scan(&scheme, &st.Rev, &thresholds, &round); err != nil {
			return st, err
		}
		st.Scheme, st.Chosen = standing.DefaultScheme(), scheme != ""
		if st.Chosen {
			st.Scheme = standing.Scheme{}
			err = json.Unmarshal([]byte(scheme), &st.Scheme)
		}
		return st, errors.Join(err, json.Unmarshal([]byte(thresholds), &st.Thresholds), json.Unmarshal([]byte(round), &st.Round))
	}, `SELECT scheme, rev, thresholds, round FROM standing_scheme WHERE workspace_id = $1`, ws)
	if errors.Is(err, sqldb.ErrNoRows) {
		return standing.State{Scheme: standing.DefaultScheme()}, nil
	}
	return st, err
}

// PutScheme replaces the scheme.
func (s *Standing) PutScheme(ctx context.Context, ws string, scheme standing.Scheme, rev int64, due time.Time) error {
	raw, err := json.Marshal(scheme)
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		st, err := s.State(ctx, ws)
		if err != nil {
			return err
		}
		if st.Rev != rev {
			return errs.Conflict("standing.changed", "the scheme has changed meanwhile; load it again and repeat the change")
		}
		round, err := json.Marshal(standing.Round{Due: due, Ended: st.Round.Ended, Fewer: st.Round.Fewer})
		if err != nil {
			return err
		}
		_, err = s.db.Exec(ctx, `INSERT INTO standing_scheme (workspace_id, scheme, rev, thresholds, round) VALUES ($1, $2, $3, '{}', $4)
			ON CONFLICT (workspace_id) DO UPDATE SET scheme = excluded.scheme, rev = excluded.rev, round = excluded.round`, ws, string(raw), rev+1, string(round))
		return err
	})
}

// PutRound notes how far the round is.
func (s *Standing) PutRound(ctx context.Context, ws string, r standing.Round, t standing.Thresholds) error {
	round, err := json.Marshal(r)
	if err != nil {
		return err
	}
	thresholds, err := json.Marshal(t)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `INSERT INTO standing_scheme (workspace_id, scheme, rev, thresholds, round) VALUES ($1, '', 0, $2, $3)
		ON CONFLICT (workspace_id) DO UPDATE SET thresholds = excluded.thresholds, round = excluded.round`, ws, string(thresholds), string(round))
	return err
}

// Rows returns judgements by person.
func (s *Standing) Rows(ctx context.Context, ws string, people []string) (map[string]standing.Row, error) {
	clause, arg := s.db.In(2, people)
	rows, err := sqldb.Collect(ctx, s.db, scanStanding, `SELECT `+standingColumns+` FROM standing WHERE workspace_id = $1 AND person_id `+clause, ws, arg)
	out := make(map[string]standing.Row, len(rows))
	for _, r := range rows {
		out[r.Person] = r
	}
	return out, err
}

// After returns judgements in the order of people's ids.
func (s *Standing) After(ctx context.Context, ws, person string, limit int) ([]standing.Row, error) {
	return sqldb.Collect(ctx, s.db, scanStanding, `SELECT `+standingColumns+` FROM standing WHERE workspace_id = $1 AND person_id > $2 ORDER BY person_id LIMIT $3`, ws, person, limit)
}

// Put adds or replaces judgements.
func (s *Standing) Put(ctx context.Context, rows []standing.Row) error {
	args := make([][]any, len(rows))
	for i, r := range rows {
		args[i] = []any{
			r.Workspace, r.Person, string(r.Stage), r.Since, r.Scores.R, r.Scores.F, r.Scores.M, r.Label, string(r.Part), string(r.Service), string(r.Override), r.Channel,
			r.Hour, r.Orders, r.LastOrder, r.Gap.Microseconds(), r.Currency, r.Spent, r.Next, r.Told,
		}
	}
	_, err := s.db.Bulk(ctx, `INSERT INTO standing (`+standingColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
		ON CONFLICT (workspace_id, person_id) DO UPDATE SET stage = excluded.stage, since_at = excluded.since_at, r = excluded.r, f = excluded.f, m = excluded.m,
			label = excluded.label, part = excluded.part, service = excluded.service, override = excluded.override, channel = excluded.channel, hour = excluded.hour,
			orders = excluded.orders, last_order_at = excluded.last_order_at, gap = excluded.gap, currency = excluded.currency, spent = excluded.spent, next_at = excluded.next_at, told_at = excluded.told_at`, args)
	return err
}

// Remove forgets somebody.
func (s *Standing) Remove(ctx context.Context, ws, person string) error {
	_, err := s.db.Exec(ctx, `DELETE FROM standing WHERE workspace_id = $1 AND person_id = $2`, ws, person)
	return err
}

// Soon makes somebody due.
func (s *Standing) Soon(ctx context.Context, ws, person string, at time.Time) error {
	_, err := s.db.Exec(ctx, `INSERT INTO standing (`+standingColumns+`) VALUES ($1, $2, '', 0, 0, 0, 0, '', '', '', '', '', -1, 0, 0, 0, '', 0, $3, 0)
		ON CONFLICT (workspace_id, person_id) DO UPDATE SET next_at = excluded.next_at`, ws, person, at)
	return err
}

// Due returns people whose time has come.
func (s *Standing) Due(ctx context.Context, now time.Time, limit int) ([]standing.Ref, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (ref standing.Ref, err error) {
		err = r.Scan(&ref.Workspace, &ref.Person)
		return ref, err
	}, `SELECT workspace_id, person_id FROM standing WHERE next_at > 0 AND next_at <= $1 ORDER BY next_at, workspace_id, person_id LIMIT $2`, now, limit)
}

// Counts counts judgements.
func (s *Standing) Counts(ctx context.Context, ws string) (out standing.Counts, err error) {
	type group struct {
		keys [4]string
		r, f int
		n    int64
	}
	groups, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (g group, err error) {
		err = r.Scan(&g.keys[0], &g.keys[1], &g.keys[2], &g.keys[3], &g.r, &g.f, &g.n)
		return g, err
	}, `SELECT stage, label, part, service, r, f, COUNT(*) FROM standing WHERE workspace_id = $1 AND stage <> '' GROUP BY stage, label, part, service, r, f`, ws)
	if err != nil {
		return out, err
	}
	out.Grid = map[[2]int]int64{}
	sums := [4]map[string]int64{{}, {}, {}, {}}
	for _, g := range groups {
		for i, k := range g.keys {
			if k != "" {
				sums[i][k] += g.n
			}
		}
		if g.r > 0 {
			out.Grid[[2]int{g.r, g.f}] += g.n
		}
	}
	for i, into := range []*[]standing.Count{&out.Stages, &out.Labels, &out.Parts, &out.Services} {
		for k, n := range sums[i] {
			*into = append(*into, standing.Count{Key: k, N: n})
		}
		slices.SortFunc(*into, func(a, b standing.Count) int { return cmp.Compare(a.Key, b.Key) })
	}
	return out, nil
}
