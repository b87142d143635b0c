package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// SaveSought implements person.Store.
func (s *Person) SaveSought(ctx context.Context, ws string, rows []person.Sought) error {
	args := make([][]any, len(rows))
	for i, x := range rows {
		args[i] = []any{ws, x.Num, x.Identified, x.Text, x.Identifiers}
	}
	_, err := s.db.Bulk(ctx, `INSERT INTO person_sought (workspace_id, num, identified, text, identifiers) VALUES ($1, $2, $3, $4, coalesce(CAST($5 AS TEXT), ''))
		ON CONFLICT (workspace_id, num) DO UPDATE SET identified = excluded.identified, text = excluded.text,
			identifiers = coalesce(CAST($5 AS TEXT), person_sought.identifiers)`, args)
	return err
}

var escapeLike = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// contains is a pattern for LIKE over lower case.
func contains(text string) string { return "%" + escapeLike.Replace(strings.ToLower(text)) + "%" }

// finding is a query for people while it is written.
type finding struct {
	db   *sqldb.DB
	args []any
}

// arg binds a value and returns its placeholder.
func (f *finding) arg(v any) string {
	f.args = append(f.args, v)
	return fmt.Sprintf("$%d", len(f.args))
}

// sought is the condition on person_sought; empty if the query asks for nothing that stands there.
func (f *finding) sought(q person.Query) string {
	var out string
	if q.Text != "" {
		p := f.arg("%" + escapeLike.Replace(q.Text) + "%")
		out = ` AND (text LIKE ` + p + ` ESCAPE '\' OR identifiers LIKE ` + p + ` ESCAPE '\')`
	}
	switch q.Status {
	case person.Identified:
		out += ` AND identified`
	case person.Known, person.Anonymous:
		clause, arg := f.db.In(len(f.args)+1, q.Strong)
		f.arg(arg)
		not := ""
		if q.Status == person.Anonymous {
			not = "NOT "
		}
		out += ` AND NOT identified AND ` + not + `EXISTS (SELECT 1 FROM person_identifier i WHERE i.workspace_id = $1 AND i.person = s.num AND i.kind ` + clause + `)`
	}
	return out
}

// seen is the condition on when somebody was last seen.
func (f *finding) seen(q person.Query) (out string) {
	if q.SeenFrom != 0 {
		out += " AND last_seen >= " + f.arg(q.SeenFrom)
	}
	if q.SeenTo != 0 {
		out += " AND last_seen < " + f.arg(q.SeenTo)
	}
	return out
}

// among is the condition on the numbers.
func (f *finding) among(q person.Query) string {
	if q.Nums == nil {
		return ""
	}
	clause, arg := f.db.InInts(len(f.args)+1, signed(q.Nums))
	f.arg(arg)
	return " AND num " + clause
}

// Count implements person.Store.
func (s *Person) Count(ctx context.Context, ws string, q person.Query) (int64, error) {
	f := &finding{db: s.db, args: []any{ws}}
	sought, seen, among := f.sought(q), f.seen(q), f.among(q)
	found := `SELECT num FROM person_sought s WHERE workspace_id = $1` + sought + among
	if sought == "" {
		found = `SELECT num FROM person WHERE workspace_id = $1 AND redirect = 0` + seen + among
	} else if seen != "" {
		found += ` AND EXISTS (SELECT 1 FROM person p WHERE p.workspace_id = $1 AND p.num = s.num` + seen + `)`
	}
	n, err := sqldb.One(ctx, s.db, sqldb.Value[int64], `SELECT count(*) FROM (`+found+`) x`, f.args...)
	if errors.Is(err, sqldb.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// Find implements person.Store. The numbers of a page are found in what is narrow (person_sought, the index by last seen) before the people are read.
func (s *Person) Find(ctx context.Context, ws string, q person.Query, after person.Place, limit int) ([]person.Record, error) {
	f := &finding{db: s.db, args: []any{ws, limit}}
	sought, seen, among := f.sought(q), f.seen(q), f.among(q)
	order, beyond := "num DESC", ""
	switch q.Order {
	case person.Recent, person.Silent:
		sign := " < "
		if order = "last_seen DESC, num DESC"; q.Order == person.Silent {
			order, sign = "last_seen, num", " > "
		}
		if after != (person.Place{}) {
			beyond = " AND (last_seen, num)" + sign + "(" + f.arg(after.Seen) + ", " + f.arg(after.Num) + ")"
		}
	default:
		if after != (person.Place{}) {
			beyond = " AND num < " + f.arg(after.Num)
		}
	}
	nums := `SELECT num FROM person WHERE workspace_id = $1 AND redirect = 0` + seen + among + beyond
	switch {
	case sought != "" && q.Order == person.Newest:
		nums = `SELECT num FROM person_sought s WHERE workspace_id = $1` + sought + among + beyond
		if seen != "" {
			nums += ` AND EXISTS (SELECT 1 FROM person p WHERE p.workspace_id = $1 AND p.num = s.num` + seen + `)`
		}
	case sought != "":
		// The sign keeps SQLite from looking every match up in person: it is to walk the index by last seen.
		nums += ` AND +num IN (SELECT num FROM person_sought s WHERE workspace_id = $1` + sought + `)`
	}
	return sqldb.Collect(ctx, s.db, scanPerson, `SELECT `+personColumns+` FROM person WHERE workspace_id = $1 AND num IN (`+nums+` ORDER BY `+order+` LIMIT $2)
		ORDER BY `+order, f.args...)
}
