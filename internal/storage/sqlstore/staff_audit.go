package sqlstore

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

const auditColumns = `id, workspace_id, at, actor_kind, actor_id, actor_name, action, noun, noun_id, detail, ip`

func scanAudit(r sqldb.Row) (e staff.AuditEntry, err error) {
	err = r.Scan(&e.ID, &e.Workspace, &e.At, &e.ActorKind, &e.ActorID, &e.ActorName, &e.Action, &e.Noun, &e.NounID, &e.Detail, &e.IP)
	return e, err
}

// AppendAudit implements staff.Store.
func (s *Staff) AppendAudit(ctx context.Context, ws string, e staff.AuditEntry) error {
	_, err := s.db.Exec(ctx, `INSERT INTO audit_log (`+auditColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		e.ID, ws, e.At, string(e.ActorKind), e.ActorID, e.ActorName, e.Action, e.Noun, e.NounID, e.Detail, e.IP)
	return err
}

// AuditLog implements staff.Store.
func (s *Staff) AuditLog(ctx context.Context, ws string, f staff.AuditFilter, p page.Request) (page.Of[staff.AuditEntry], error) {
	at, id := int64(math.MaxInt64), ""
	if _, err := page.Decode(p.Cursor, &at, &id); err != nil {
		return page.Of[staff.AuditEntry]{}, err
	}
	args := []any{ws, at, id}
	where := []string{"workspace_id = $1", "(at, id) < ($2, $3)"}
	add := func(condition string, v any) {
		args = append(args, v)
		where = append(where, fmt.Sprintf(condition, len(args)))
	}
	for _, c := range []struct{ condition, value string }{
		{"actor_id = $%d", f.ActorID},
		{"action = $%d", f.Action},
		{"noun = $%d", f.Noun},
		{"noun_id = $%d", f.NounID},
	} {
		if c.value != "" {
			add(c.condition, c.value)
		}
	}
	if !f.From.IsZero() {
		add("at >= $%d", f.From)
	}
	if !f.To.IsZero() {
		add("at < $%d", f.To)
	}
	args = append(args, p.Size()+1)
	items, err := sqldb.Collect(ctx, s.db, scanAudit, fmt.Sprintf(`SELECT %s FROM audit_log WHERE %s ORDER BY at DESC, id DESC LIMIT $%d`,
		auditColumns, strings.Join(where, " AND "), len(args)), args...)
	if err != nil {
		return page.Of[staff.AuditEntry]{}, err
	}
	return page.Cut(items, p.Size(), func(e staff.AuditEntry) string { return page.Encode(e.At.UnixMicro(), e.ID) }), nil
}
