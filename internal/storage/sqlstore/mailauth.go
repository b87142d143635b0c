package sqlstore

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/kizuna-cx/kizuna/internal/domain/mailauth"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// MailAuth implements mailauth.Store.
type MailAuth struct{ db *sqldb.DB }

// NewMailAuth returns the store of sending domains and their keys on db.
func NewMailAuth(db *sqldb.DB) *MailAuth { return &MailAuth{db} }

var _ mailauth.Store = (*MailAuth)(nil)

const domainColumns = `id, workspace_id, name, sign, report, created_at, updated_at`

func scanDomain(r sqldb.Row) (d mailauth.Domain, err error) {
	var report string
	if err = r.Scan(&d.ID, &d.Workspace, &d.Name, &d.Sign, &report, &d.CreatedAt, &d.UpdatedAt); err != nil || report == "" {
		return d, err
	}
	d.Report = &mailauth.Report{}
	return d, json.Unmarshal([]byte(report), d.Report)
}

// PutDomain adds or replaces a domain.
func (s *MailAuth) PutDomain(ctx context.Context, ws string, d mailauth.Domain) error {
	report := ""
	if d.Report != nil {
		raw, err := json.Marshal(d.Report)
		if err != nil {
			return err
		}
		report = string(raw)
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		others, err := sqldb.Collect(ctx, s.db, sqldb.Value[string], `SELECT id FROM sending_domain WHERE workspace_id = $1 AND name = $2 AND id <> $3`, ws, d.Name, d.ID)
		if err != nil {
			return err
		}
		if len(others) > 0 {
			return errs.Conflict("mailauth.domain.exists", "%s is already a sending domain of this workspace", d.Name)
		}
		_, err = s.db.Exec(ctx, `INSERT INTO sending_domain (`+domainColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (workspace_id, id) DO UPDATE SET name = excluded.name, sign = excluded.sign, report = excluded.report, updated_at = excluded.updated_at`,
			d.ID, ws, d.Name, d.Sign, report, d.CreatedAt, d.UpdatedAt)
		return err
	})
}

// Domain returns one domain.
func (s *MailAuth) Domain(ctx context.Context, ws, id string) (mailauth.Domain, error) {
	d, err := sqldb.One(ctx, s.db, scanDomain, `SELECT `+domainColumns+` FROM sending_domain WHERE workspace_id = $1 AND id = $2`, ws, id)
	if errors.Is(err, sqldb.ErrNoRows) {
		return d, errs.NotFound("domain", id)
	}
	return d, err
}

// DomainsNamed returns domains by name.
func (s *MailAuth) DomainsNamed(ctx context.Context, ws string, names []string) ([]mailauth.Domain, error) {
	in, arg := s.db.In(2, names)
	return sqldb.Collect(ctx, s.db, scanDomain, `SELECT `+domainColumns+` FROM sending_domain WHERE workspace_id = $1 AND name `+in+` ORDER BY name`, ws, arg)
}

// Domains lists domains by name.
func (s *MailAuth) Domains(ctx context.Context, ws string, p page.Request) (page.Of[mailauth.Domain], error) {
	after := ""
	if _, err := page.Decode(p.Cursor, &after); err != nil {
		return page.Of[mailauth.Domain]{}, err
	}
	found, err := sqldb.Collect(ctx, s.db, scanDomain, `SELECT `+domainColumns+` FROM sending_domain WHERE workspace_id = $1 AND name > $2 ORDER BY name LIMIT $3`, ws, after, p.Size()+1)
	if err != nil {
		return page.Of[mailauth.Domain]{}, err
	}
	return page.Cut(found, p.Size(), func(d mailauth.Domain) string { return page.Encode(d.Name) }), nil
}

// DeleteDomain removes a domain and its keys.
func (s *MailAuth) DeleteDomain(ctx context.Context, ws, id string) (found bool, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Exec(ctx, `DELETE FROM dkim_key WHERE workspace_id = $1 AND domain_id = $2`, ws, id); err != nil {
			return err
		}
		n, err := s.db.Exec(ctx, `DELETE FROM sending_domain WHERE workspace_id = $1 AND id = $2`, ws, id)
		found = n > 0
		return err
	})
	return found, err
}

const dkimColumns = `id, domain_id, selector, algorithm, public_key, private_key, status, created_at, active_at, retired_at`

// PutKey adds or replaces a key.
func (s *MailAuth) PutKey(ctx context.Context, ws string, k mailauth.SealedKey) error {
	_, err := s.db.Exec(ctx, `INSERT INTO dkim_key (workspace_id, `+dkimColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (workspace_id, id) DO UPDATE SET status = excluded.status, active_at = excluded.active_at, retired_at = excluded.retired_at`,
		ws, k.ID, k.DomainID, k.Selector, string(k.Algorithm), k.Public, k.Sealed, string(k.Status), k.CreatedAt, k.ActiveAt, k.RetiredAt)
	return err
}

// Keys returns the keys of domains.
func (s *MailAuth) Keys(ctx context.Context, ws string, domainIDs []string) ([]mailauth.SealedKey, error) {
	in, arg := s.db.In(2, domainIDs)
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (k mailauth.SealedKey, err error) {
		err = r.Scan(&k.ID, &k.DomainID, &k.Selector, (*string)(&k.Algorithm), &k.Public, &k.Sealed, (*string)(&k.Status), &k.CreatedAt, &k.ActiveAt, &k.RetiredAt)
		return k, err
	}, `SELECT `+dkimColumns+` FROM dkim_key WHERE workspace_id = $1 AND domain_id `+in+` ORDER BY created_at, id`, ws, arg)
}

// DeleteKey removes a key.
func (s *MailAuth) DeleteKey(ctx context.Context, ws, id string) (bool, error) {
	n, err := s.db.Exec(ctx, `DELETE FROM dkim_key WHERE workspace_id = $1 AND id = $2`, ws, id)
	return n > 0, err
}
