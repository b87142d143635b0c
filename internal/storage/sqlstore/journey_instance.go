package sqlstore

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

const instanceColumns = `id, workspace_id, journey_id, version, person_id, entry_key, status, node, arrived_at, entered_at, ended_at, due_at,
	seq, memory, why, reason, goal_at, goal, attempts, error, lease_owner, rev, live_key, control`

func scanInstance(r sqldb.Row) (i journey.Instance, err error) {
	var memory, goal, reason, failure string
	if err = r.Scan(&i.ID, &i.Workspace, &i.Journey, &i.Version, &i.Person, &i.EntryKey, (*string)(&i.Status), &i.Node, &i.Arrived, &i.Entered,
		&i.Ended, &i.Due, &i.Seq, &memory, &i.Why, &reason, &i.GoalAt, &goal, &i.Attempts, &failure, &i.Lease, &i.Rev, &i.Key, &i.Control); err != nil {
		return i, err
	}
	if goal != "" {
		i.Goal = new(node.Reached)
		if err := json.Unmarshal([]byte(goal), i.Goal); err != nil {
			return i, err
		}
	}
	i.Reason, i.Error = readReason(reason), readReason(failure)
	return i, json.Unmarshal([]byte(memory), &i.Memory)
}

// Reasons are kept as JSON. Rows of before that hold a sentence, which never begins with a brace.
func readReason(text string) (r node.Reason) {
	if !strings.HasPrefix(text, "{") || json.Unmarshal([]byte(text), &r) != nil {
		return node.ReasonOf(text)
	}
	return r
}

func writeReason(r node.Reason) (string, error) {
	if r.IsZero() {
		return "", nil
	}
	raw, err := json.Marshal(r)
	return string(raw), err
}

type instanceTexts struct {
	memory, goal, order, reason, failure string
	due                                  any
}

func encodeInstance(i journey.Instance) (out instanceTexts, err error) {
	m, err := json.Marshal(i.Memory)
	if err != nil {
		return out, err
	}
	out.memory = string(m)
	if i.Goal != nil {
		g, err := json.Marshal(i.Goal)
		if err != nil {
			return out, err
		}
		out.goal, out.order = string(g), i.Goal.Order
	}
	if !i.Due.IsZero() {
		out.due = i.Due
	}
	if out.reason, err = writeReason(i.Reason); err == nil {
		out.failure, err = writeReason(i.Error)
	}
	return out, err
}

// Enter adds instances.
func (s *Journey) Enter(ctx context.Context, instances []journey.Instance) (map[string]bool, error) {
	added := map[string]bool{}
	for _, i := range instances {
		x, err := encodeInstance(i)
		if err != nil {
			return nil, err
		}
		n, err := s.db.Exec(ctx, `INSERT INTO journey_instance (id, workspace_id, journey_id, version, person_id, entry_key, status, node, arrived_at,
			entered_at, ended_at, due_at, seq, memory, why, reason, goal_at, goal, attempts, error, lease_owner, lease_until, rev, live_key, control, goal_order)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, '', 0, 1, $21, $22, $23) ON CONFLICT DO NOTHING`,
			i.ID, i.Workspace, i.Journey, i.Version, i.Person, i.EntryKey, string(i.Status), i.Node, i.Arrived,
			i.Entered, i.Ended, x.due, i.Seq, x.memory, i.Why, x.reason, i.GoalAt, x.goal, i.Attempts, x.failure, i.Key, i.Control, x.order)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			added[i.ID] = true
		}
	}
	return added, nil
}

// Latest returns the present and last instances of people in journeys.
func (s *Journey) Latest(ctx context.Context, ws string, people, journeys []string) ([]journey.Instance, error) {
	inPeople, peopleArg := s.db.In(2, people)
	inJourneys, journeysArg := s.db.In(3, journeys)
	return sqldb.Collect(ctx, s.db, scanInstance, `SELECT `+instanceColumns+` FROM (
			SELECT i.*, ROW_NUMBER() OVER (PARTITION BY journey_id, person_id, live_key ORDER BY entered_at DESC, id DESC) AS place
			FROM journey_instance i WHERE workspace_id = $1 AND person_id `+inPeople+` AND journey_id `+inJourneys+`) AS ranked
		WHERE place = 1 OR status IN ('active', 'parked') ORDER BY id`, ws, peopleArg, journeysArg)
}

func (s *Journey) seize(ctx context.Context, where string, args ...any) ([]journey.Instance, error) {
	out, err := sqldb.Collect(ctx, s.db, scanInstance, `UPDATE journey_instance SET lease_owner = '', lease_until = 0, rev = rev + 1
		WHERE status IN ('active', 'parked') AND `+where+` RETURNING `+instanceColumns, args...)
	slices.SortFunc(out, func(a, b journey.Instance) int { return cmp.Compare(a.ID, b.ID) })
	return out, err
}

// Seize takes instances away from their leases.
func (s *Journey) Seize(ctx context.Context, ws string, ids []string) ([]journey.Instance, error) {
	in, arg := s.db.In(2, ids)
	return s.seize(ctx, `workspace_id = $1 AND id `+in, ws, arg)
}

// SeizeInside takes up to limit instances inside a journey away from their leases.
func (s *Journey) SeizeInside(ctx context.Context, p journey.Place, limit int) ([]journey.Instance, error) {
	return s.seize(ctx, `id IN (SELECT id FROM journey_instance WHERE workspace_id = $1 AND journey_id = $2 AND status IN ('active', 'parked') LIMIT $3)`,
		p.Workspace, p.Journey, limit)
}

// SeizeVersions takes up to limit instances inside versions away from their leases.
func (s *Journey) SeizeVersions(ctx context.Context, p journey.Place, versions []int, after string, limit int) ([]journey.Instance, error) {
	wanted := make([]int64, len(versions))
	for n, v := range versions {
		wanted[n] = int64(v)
	}
	in, arg := s.db.InInts(3, wanted)
	return s.seize(ctx, `id IN (SELECT id FROM journey_instance WHERE workspace_id = $1 AND journey_id = $2 AND status IN ('active', 'parked') AND NOT control
		AND version `+in+` AND id > $4 ORDER BY id LIMIT $5)`, p.Workspace, p.Journey, arg, after, limit)
}

// Trouble counts what keeps people from going on.
func (s *Journey) Trouble(ctx context.Context, ws, id string, before, since time.Time) (t journey.Trouble, err error) {
	return sqldb.One(ctx, s.db, func(r sqldb.Row) (t journey.Trouble, err error) {
		err = r.Scan(&t.Parked, &t.Trying, &t.Overdue, &t.Paused, &t.Entries, &t.Tasks, &t.Endless)
		return t, err
	}, `SELECT
			(SELECT COUNT(*) FROM journey_instance i WHERE i.workspace_id = $1 AND ($2 = '' OR i.journey_id = $2) AND i.status = 'parked'),
			(SELECT COUNT(*) FROM journey_instance i WHERE i.workspace_id = $1 AND ($2 = '' OR i.journey_id = $2) AND i.status = 'active' AND i.attempts > 0),
			(SELECT COUNT(*) FROM journey j JOIN journey_instance i ON i.journey_id = j.id WHERE j.workspace_id = $1 AND ($2 = '' OR j.id = $2)
				AND j.status IN ('live', 'stopped') AND i.status = 'active' AND i.attempts = 0 AND i.due_at <= $3),
			(SELECT COALESCE(CAST(SUM(c.n) AS BIGINT), 0) FROM journey j JOIN journey_count c ON c.journey_id = j.id WHERE j.workspace_id = $1 AND ($2 = '' OR j.id = $2)
				AND j.status = 'paused' AND c.node = '' AND c.what = 'inside'),
			(SELECT COUNT(*) FROM journey_entry e WHERE e.workspace_id = $1 AND ($2 = '' OR e.journey_id = $2) AND e.attempts > 0),
			(SELECT COUNT(*) FROM journey_task t WHERE t.workspace_id = $1 AND ($2 = '' OR t.journey_id = $2) AND t.status = 'running' AND t.attempts > 0),
			(SELECT COUNT(*) FROM journey j JOIN journey_refusal f ON f.workspace_id = j.workspace_id AND f.journey_id = j.id
				WHERE j.workspace_id = $1 AND ($2 = '' OR j.id = $2) AND f.at > $4 AND f.reason = $5)`, ws, id, before, since, journey.NotEndless)
}

// Stuck lists people who do not go on.
func (s *Journey) Stuck(ctx context.Context, ws, id string, before time.Time, p page.Request) (page.Of[journey.Instance], error) {
	at, after := int64(-1), ""
	if _, err := page.Decode(p.Cursor, &at, &after); err != nil {
		return page.Of[journey.Instance]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanInstance, `SELECT `+instanceColumns+` FROM journey_instance i
		WHERE i.workspace_id = $1 AND ($2 = '' OR i.journey_id = $2) AND (i.status = 'parked' OR i.status = 'active' AND (i.attempts > 0 OR i.due_at <= $3
				AND EXISTS (SELECT 1 FROM journey j WHERE j.id = i.journey_id AND j.status IN ('live', 'stopped'))))
			AND (COALESCE(i.due_at, 0), i.id) > (CAST($4 AS BIGINT), $5) ORDER BY COALESCE(i.due_at, 0), i.id LIMIT $6`, ws, id, before, at, after, p.Size()+1)
	return page.Cut(items, p.Size(), func(i journey.Instance) string {
		due := int64(0)
		if !i.Due.IsZero() {
			due = i.Due.UnixMicro()
		}
		return page.Encode(due, i.ID)
	}), err
}

// SeizeOf takes all instances of a person away from their leases.
func (s *Journey) SeizeOf(ctx context.Context, ws, person string) ([]journey.Instance, error) {
	return s.seize(ctx, `workspace_id = $1 AND person_id = $2`, ws, person)
}

// Due returns the journeys in which someone is due.
func (s *Journey) Due(ctx context.Context, now time.Time) ([]journey.Place, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (p journey.Place, err error) {
		err = r.Scan(&p.Workspace, &p.Journey)
		return p, err
	}, `SELECT j.workspace_id, j.id FROM journey j WHERE j.status IN ('live', 'stopped') AND EXISTS (
			SELECT 1 FROM journey_instance i WHERE i.journey_id = j.id AND i.status = 'active' AND i.due_at <= $1 AND i.lease_until <= $1)
		ORDER BY j.id`, now)
}

// NextDue returns when the first person is due.
func (s *Journey) NextDue(ctx context.Context, now time.Time) (time.Time, error) {
	us, err := sqldb.One(ctx, s.db, sqldb.Value[int64], `SELECT COALESCE(CAST(MIN(due) AS BIGINT), 0) FROM (
		SELECT (SELECT i.due_at FROM journey_instance i WHERE i.journey_id = j.id AND i.status = 'active' AND i.due_at IS NOT NULL AND i.lease_until <= $1
			ORDER BY i.due_at LIMIT 1) AS due FROM journey j WHERE j.status IN ('live', 'stopped')) AS first`, now)
	if err != nil || us == 0 {
		return time.Time{}, err
	}
	return time.UnixMicro(us).UTC(), nil
}

// Claim leases due instances.
func (s *Journey) Claim(ctx context.Context, p journey.Place, now, until time.Time, lease string, limit int) ([]journey.Instance, error) {
	out, err := sqldb.Collect(ctx, s.db, scanInstance, `UPDATE journey_instance SET lease_owner = $3, lease_until = $4
		WHERE id IN (SELECT id FROM journey_instance
			WHERE workspace_id = $1 AND journey_id = $2 AND status = 'active' AND due_at <= $5 AND lease_until <= $5
			ORDER BY due_at, id LIMIT $6`+s.db.SkipLocked()+`)
		RETURNING `+instanceColumns, p.Workspace, p.Journey, lease, until, now, limit)
	slices.SortFunc(out, func(a, b journey.Instance) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID)) })
	return out, err
}

// Hold returns the instances that the lease still holds.
func (s *Journey) Hold(ctx context.Context, lease string, ids []string) ([]journey.Instance, error) {
	in, arg := s.db.In(2, ids)
	return sqldb.Collect(ctx, s.db, scanInstance, `UPDATE journey_instance SET rev = rev + 1
		WHERE lease_owner = $1 AND status = 'active' AND id `+in+` RETURNING `+instanceColumns, lease, arg)
}

// Nudge makes people due who wait for a rule.
func (s *Journey) Nudge(ctx context.Context, ws string, people []string, at journey.Asking, now time.Time) (int64, error) {
	inPeople, peopleArg := s.db.In(3, people)
	inJourneys, journeysArg := s.db.In(4, at.Journeys)
	inNodes, nodesArg := s.db.In(5, at.Nodes)
	return s.db.Exec(ctx, `UPDATE journey_instance SET lease_owner = '', lease_until = 0, rev = rev + 1,
			due_at = CASE WHEN node `+inNodes+` AND (due_at IS NULL OR due_at > $2) THEN $2 ELSE due_at END
		WHERE workspace_id = $1 AND person_id `+inPeople+` AND journey_id `+inJourneys+` AND status = 'active'
			AND (lease_owner <> '' OR node `+inNodes+` AND (due_at IS NULL OR due_at > $2))`, ws, now, peopleArg, journeysArg, nodesArg)
}

// Save writes instances.
func (s *Journey) Save(ctx context.Context, instances []journey.Instance) error {
	if len(instances) == 0 {
		return nil
	}
	rows := make([][]any, len(instances))
	for n, i := range instances {
		x, err := encodeInstance(i)
		if err != nil {
			return err
		}
		rows[n] = []any{i.Workspace, i.ID, string(i.Status), i.Node, i.Arrived, i.Ended, x.due, i.Seq, x.memory, i.Why, x.reason, i.GoalAt, x.goal, i.Attempts, x.failure, i.Version, x.order}
	}
	_, err := s.db.Bulk(ctx, `UPDATE journey_instance SET version = $16, status = $3, node = $4, arrived_at = $5, ended_at = $6, due_at = $7, seq = $8, memory = $9,
		why = $10, reason = $11, goal_at = $12, goal = $13, attempts = $14, error = $15, goal_order = $17, lease_owner = '', lease_until = 0, rev = rev + 1
		WHERE workspace_id = $1 AND id = $2`, rows)
	return err
}

// Repoint gives instances and steps to another person.
func (s *Journey) Repoint(ctx context.Context, ws, from, to string) error {
	if _, err := s.db.Exec(ctx, `UPDATE journey_instance SET person_id = $3, lease_owner = '', lease_until = 0, rev = rev + 1
		WHERE workspace_id = $1 AND person_id = $2`, ws, from, to); err != nil {
		return err
	}
	for _, table := range []string{"journey_step", "journey_refusal", "journey_errand"} {
		if _, err := s.db.Exec(ctx, `UPDATE `+table+` SET person_id = $3 WHERE workspace_id = $1 AND person_id = $2`, ws, from, to); err != nil {
			return err
		}
	}
	return nil
}

// Refunded returns goals whose order money was given back for.
func (s *Journey) Refunded(ctx context.Context, ws, id string) ([]journey.RefundedGoal, error) {
	type row struct {
		journey.RefundedGoal
		refund outbox.Refund
	}
	rows, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (x row, err error) {
		var goal, why string
		if err = r.Scan(&x.Instance, &x.Control, &why, &goal, &x.refund.Key, &x.refund.EventID, &x.refund.Minor, &x.refund.Currency, &x.refund.Whole, &x.refund.At); err != nil {
			return x, err
		}
		x.Late = why != "goal"
		return x, json.Unmarshal([]byte(goal), &x.Goal)
	}, `SELECT i.id, i.control, i.why, i.goal, r.credit_key, r.event_id, r.minor, r.currency, r.whole, r.refunded_at
		FROM order_refund r JOIN journey_instance i ON i.workspace_id = r.workspace_id AND i.goal_order = r.credit_key
		WHERE r.workspace_id = $1 AND i.journey_id = $2 AND i.goal_order <> '' ORDER BY i.id, r.event_id`, ws, id)
	if err != nil {
		return nil, err
	}
	var out []journey.RefundedGoal
	for _, x := range rows {
		if n := len(out); n == 0 || out[n-1].Instance != x.Instance {
			out = append(out, x.RefundedGoal)
		}
		last := &out[len(out)-1]
		last.Refunds = append(last.Refunds, x.refund)
	}
	return out, nil
}

// Entered returns who entered versions and what they brought.
func (s *Journey) Entered(ctx context.Context, ws, id string, versions []int) (out journey.Entered, err error) {
	wanted := make([]int64, len(versions))
	for n, v := range versions {
		wanted[n] = int64(v)
	}
	in, arg := s.db.InInts(3, wanted)
	type arm struct {
		control bool
		people  int64
		last    time.Time
	}
	arms, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (a arm, err error) {
		return a, r.Scan(&a.control, &a.people, &a.last)
	}, `SELECT control, COUNT(DISTINCT person_id), MAX(entered_at) FROM journey_instance WHERE workspace_id = $1 AND journey_id = $2 AND version `+in+` GROUP BY control`, ws, id, arg)
	if err != nil {
		return out, err
	}
	for _, a := range arms {
		if a.control {
			out.Kept = a.people
		} else {
			out.Led = a.people
		}
		if a.last.After(out.Last) {
			out.Last = a.last
		}
	}
	out.Goals, err = sqldb.Collect(ctx, s.db, func(r sqldb.Row) (b journey.Brought, err error) {
		var goal string
		if err = r.Scan(&b.Instance, &b.Person, &b.Control, &goal); err != nil {
			return b, err
		}
		return b, json.Unmarshal([]byte(goal), &b.Goal)
	}, `SELECT id, person_id, control, goal FROM journey_instance WHERE workspace_id = $1 AND journey_id = $2 AND version `+in+` AND goal <> '' ORDER BY person_id, control, id`, ws, id, arg)
	return out, err
}

// EnteredPeople lists who entered versions.
func (s *Journey) EnteredPeople(ctx context.Context, ws, id string, versions []int, kept, reached bool, p page.Request) (page.Of[journey.Compared], error) {
	last := ""
	if _, err := page.Decode(p.Cursor, &last); err != nil {
		return page.Of[journey.Compared]{}, err
	}
	wanted := make([]int64, len(versions))
	for n, v := range versions {
		wanted[n] = int64(v)
	}
	in, arg := s.db.InInts(3, wanted)
	which := ` AND NOT control`
	if kept {
		which = ` AND control`
	}
	if reached {
		which += ` AND goal <> ''`
	}
	items, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (c journey.Compared, err error) {
		return c, r.Scan(&c.Person, &c.At)
	}, `SELECT person_id, MAX(entered_at) FROM journey_instance WHERE workspace_id = $1 AND journey_id = $2 AND version `+in+which+`
		AND person_id > $4 GROUP BY person_id ORDER BY person_id LIMIT $5`, ws, id, arg, last, p.Size()+1)
	return page.Cut(items, p.Size(), func(c journey.Compared) string { return page.Encode(c.Person) }), err
}

// Parked returns how many are parked.
func (s *Journey) Parked(ctx context.Context, ws string) (int64, error) {
	return sqldb.One(ctx, s.db, sqldb.Value[int64], `SELECT COUNT(*) FROM journey_instance WHERE workspace_id = $1 AND status = 'parked'`, ws)
}

// ParkedIn returns parked instances of a journey.
func (s *Journey) ParkedIn(ctx context.Context, ws, id string, limit int) ([]journey.Instance, error) {
	return sqldb.Collect(ctx, s.db, scanInstance, `SELECT `+instanceColumns+` FROM journey_instance
		WHERE workspace_id = $1 AND journey_id = $2 AND status = 'parked' ORDER BY id LIMIT $3`, ws, id, limit)
}

// Instance returns one instance.
func (s *Journey) Instance(ctx context.Context, ws, id string) (journey.Instance, error) {
	i, err := sqldb.One(ctx, s.db, scanInstance, `SELECT `+instanceColumns+` FROM journey_instance WHERE workspace_id = $1 AND id = $2`, ws, id)
	if errors.Is(err, sqldb.ErrNoRows) {
		return i, errs.NotFound("journey_instance", id)
	}
	return i, err
}

// OfPerson returns a person's instances.
func (s *Journey) OfPerson(ctx context.Context, ws, person string, p page.Request) (page.Of[journey.Instance], error) {
	at, id := latestTime, ""
	if _, err := page.Decode(p.Cursor, &at, &id); err != nil {
		return page.Of[journey.Instance]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanInstance, `SELECT `+instanceColumns+` FROM journey_instance
		WHERE workspace_id = $1 AND person_id = $2 AND (entered_at, id) < ($3, $4) ORDER BY entered_at DESC, id DESC LIMIT $5`,
		ws, person, at, id, p.Size()+1)
	return page.Cut(items, p.Size(), func(i journey.Instance) string { return page.Encode(i.Entered, i.ID) }), err
}

// Visits are read from two places: the log of steps for stays that have ended, the instance for the one going on.
const (
	pastVisit = `SELECT s.instance_id, s.seq, s.person_id, s.version, i.status, i.node, i.entered_at, s.arrived_at, s.left_at, s.output, s.reason, s.message_id, i.error
		FROM journey_step s JOIN journey_instance i ON i.id = s.instance_id
		WHERE s.workspace_id = $1 AND s.journey_id = $2 AND s.node = $3 AND (s.instance_id, s.seq) < ($4, $5)`
	presentVisit = `SELECT i.id, i.seq + 1, i.person_id, i.version, i.status, i.node, i.entered_at, i.arrived_at, i.ended_at, '', i.reason, '', i.error
		FROM journey_instance i
		WHERE i.workspace_id = $1 AND i.journey_id = $2 AND NOT i.control AND ($3 = '' OR i.node = $3) AND (i.id, i.seq + 1) < ($4, CAST($5 AS BIGINT))`
	insideNow = ` AND i.status IN ('active', 'parked')`
)

// Behind returns the people behind a count.
func (s *Journey) Behind(ctx context.Context, ws, id string, b journey.Behind, p page.Request) (page.Of[journey.Visit], error) {
	afterID, afterSeq := "~", int64(math.MaxInt64)
	if _, err := page.Decode(p.Cursor, &afterID, &afterSeq); err != nil {
		return page.Of[journey.Visit]{}, err
	}
	args := []any{ws, id, b.Node, afterID, afterSeq, p.Size() + 1}
	some := func(column string) string {
		args = append(args, b.Detail)
		return ` AND ` + column + ` <> '' AND ($7 = '' OR ` + column + ` = $7)`
	}
	var query string
	switch {
	case b.What == journey.In && b.Node == "":
		query = presentVisit
	case b.What == journey.In:
		query = pastVisit + ` AND (s.output <> '' OR s.why <> '') UNION ALL ` + presentVisit + insideNow // a stay that went on in another version is one
	case b.What == journey.Inside:
		query = presentVisit + insideNow
	case b.What == journey.Failing:
		query = presentVisit + ` AND i.status = 'parked'`
	case b.What == journey.Goals && b.Node == "":
		query = presentVisit + ` AND i.goal_at > 0`
	case b.What == journey.Ended && b.Node == "":
		query = presentVisit + some("i.why")
	case b.What == journey.Ended:
		query = pastVisit + some("s.why")
	case b.What == journey.Out && b.Node != "":
		query = pastVisit + some("s.output")
	case b.What == journey.Queued && b.Node != "":
		query = pastVisit + ` AND s.message_id <> '' AND s.refused = ''`
	case b.What == journey.Refused && b.Node != "":
		query = pastVisit + some("s.refused")
	default:
		return page.Of[journey.Visit]{}, errs.Invalid("journey.behind", "what", "there is no count %q here", b.What)
	}
	type row struct {
		journey.Visit
		seq int64
	}
	items, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (v row, err error) {
		var reason, failure string
		err = r.Scan(&v.Instance, &v.seq, &v.Person, &v.Version, (*string)(&v.Status), &v.Node, &v.Entered, &v.Arrived, &v.Left, &v.Output, &reason, &v.Message, &failure)
		v.Reason, v.Error = readReason(reason), readReason(failure)
		return v, err
	}, query+` ORDER BY 1 DESC, 2 DESC LIMIT $6`, args...)
	if err != nil {
		return page.Of[journey.Visit]{}, err
	}
	cut := page.Cut(items, p.Size(), func(v row) string { return page.Encode(v.Instance, v.seq) })
	out := page.Of[journey.Visit]{Items: make([]journey.Visit, len(cut.Items)), Next: cut.Next}
	for i, v := range cut.Items {
		out.Items[i] = v.Visit
	}
	return out, nil
}
