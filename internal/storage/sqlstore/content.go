package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Content implements content.Store.
type Content struct{ db *sqldb.DB }

// NewContent returns the store of templates on db.
func NewContent(db *sqldb.DB) *Content { return &Content{db} }

var _ content.Store = (*Content)(nil)

const (
	templateColumns = `t.id, t.product_key, t.channel, t.status, t.created_at, v.version, v.name, v.subject, v.preheader, v.html, v.body_text, v.from_name, v.reply_to, v.value_proposition,
		v.kind, v.locale, v.document, v.translations, v.purpose, v.brand_rev, v.snippets`
	templateTables = ` FROM template t JOIN template_version v ON v.workspace_id = t.workspace_id AND v.template_id = t.id `
	selectCurrent  = `SELECT ` + templateColumns + `, t.updated_at` + templateTables + `AND v.version = t.version WHERE t.workspace_id = $1 `
	selectVersions = `SELECT ` + templateColumns + `, v.saved_at` + templateTables + `WHERE t.workspace_id = $1 AND t.id = $2 `
)

func scanTemplate(r sqldb.Row) (t content.Template, err error) {
	var document, translations, purpose, snippets string
	if err = r.Scan(&t.ID, &t.Key, &t.Channel, (*string)(&t.Status), &t.CreatedAt, &t.Version, &t.Name, &t.Subject, &t.Preheader, &t.HTML, &t.Text,
		&t.FromName, &t.ReplyTo, &t.ValueProposition, &t.Kind, &t.Locale, &document, &translations, &purpose, &t.Pins.Brand, &snippets, &t.UpdatedAt); err != nil {
		return t, err
	}
	if document != "" {
		t.Document = json.RawMessage(document)
	}
	if err := json.Unmarshal([]byte(translations), &t.Translations); err != nil {
		return t, fmt.Errorf("translations of %s: %w", t.ID, err)
	}
	if len(t.Translations) == 0 {
		t.Translations = nil
	}
	if err := json.Unmarshal([]byte(purpose), &t.Purpose); err != nil {
		return t, fmt.Errorf("purpose of %s: %w", t.ID, err)
	}
	if err := json.Unmarshal([]byte(snippets), &t.Pins.Snippets); err != nil {
		return t, fmt.Errorf("snippets of %s: %w", t.ID, err)
	}
	if len(t.Pins.Snippets) == 0 {
		t.Pins.Snippets = nil
	}
	return t, nil
}

// Insert adds a template with its first version.
func (s *Content) Insert(ctx context.Context, ws string, t content.Template) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		_, err := s.db.Exec(ctx, `INSERT INTO template (workspace_id, id, product_key, channel, status, version, name_fold, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			ws, t.ID, t.Key, t.Channel, string(t.Status), t.Version, strings.ToLower(t.Name), t.CreatedAt, t.UpdatedAt)
		if sqldb.IsUnique(err) {
			return errs.Conflict("content.template.exists", "there is such a template already").With(err)
		}
		if err != nil {
			return err
		}
		return s.insertVersion(ctx, ws, t)
	})
}

func (s *Content) insertVersion(ctx context.Context, ws string, t content.Template) error {
	translations, err := json.Marshal(append([]content.Translation{}, t.Translations...))
	if err != nil {
		return err
	}
	purpose, err := json.Marshal(t.Purpose)
	if err != nil {
		return err
	}
	pins := t.Pins.Snippets
	if pins == nil {
		pins = map[string]int{}
	}
	snippets, err := json.Marshal(pins)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `INSERT INTO template_version (workspace_id, template_id, version, name, subject, preheader, html, body_text, from_name, reply_to, value_proposition, saved_at,
			kind, locale, document, translations, purpose, brand_rev, snippets)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
		ws, t.ID, t.Version, t.Name, t.Subject, t.Preheader, t.HTML, t.Text, t.FromName, t.ReplyTo, t.ValueProposition, t.UpdatedAt,
		t.Kind, t.Locale, string(t.Document), string(translations), string(purpose), t.Pins.Brand, string(snippets))
	if err != nil {
		return err
	}
	return s.useSnippets(ctx, ws, t)
}

// AddVersion adds the version that follows the current one.
func (s *Content) AddVersion(ctx context.Context, ws string, t content.Template) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		n, err := s.db.Exec(ctx, `UPDATE template SET version = $3, name_fold = $4, updated_at = $5 WHERE workspace_id = $1 AND id = $2 AND version = $3 - 1`,
			ws, t.ID, t.Version, strings.ToLower(t.Name), t.UpdatedAt)
		if err != nil {
			return err
		}
		if n == 0 {
			was, err := s.Get(ctx, ws, t.ID)
			if err != nil {
				return err
			}
			return errs.Conflict("content.template.stale", "version %d was saved meanwhile; load it and make your changes again", was.Version)
		}
		return s.insertVersion(ctx, ws, t)
	})
}

func oneTemplate(t content.Template, err error, id string) (content.Template, error) {
	if errors.Is(err, sqldb.ErrNoRows) {
		return t, errs.NotFound("template", id)
	}
	return t, err
}

// Get returns the current version.
func (s *Content) Get(ctx context.Context, ws, id string) (content.Template, error) {
	t, err := sqldb.One(ctx, s.db, scanTemplate, selectCurrent+`AND t.id = $2`, ws, id)
	return oneTemplate(t, err, id)
}

// ByKey returns the current version of the template with a key.
func (s *Content) ByKey(ctx context.Context, ws, key string) (content.Template, error) {
	t, err := sqldb.One(ctx, s.db, scanTemplate, selectCurrent+`AND t.product_key = $2 AND t.product_key <> ''`, ws, key)
	return oneTemplate(t, err, key)
}

// Version returns one version.
func (s *Content) Version(ctx context.Context, ws, id string, version int) (content.Template, error) {
	t, err := sqldb.One(ctx, s.db, scanTemplate, selectVersions+`AND v.version = $3`, ws, id, version)
	return oneTemplate(t, err, id)
}

// Versions lists the versions of a template, latest first.
func (s *Content) Versions(ctx context.Context, ws, id string, p page.Request) (page.Of[content.Template], error) {
	var before int64 = 1 << 53
	if _, err := page.Decode(p.Cursor, &before); err != nil {
		return page.Of[content.Template]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanTemplate, selectVersions+`AND v.version < $3 ORDER BY v.version DESC LIMIT $4`, ws, id, before, p.Size()+1)
	if err != nil {
		return page.Of[content.Template]{}, err
	}
	return page.Cut(items, p.Size(), func(t content.Template) string { return page.Encode(t.Version) }), nil
}

// List lists current versions, the template made last first.
func (s *Content) List(ctx context.Context, ws string, f content.Filter, p page.Request) (page.Of[content.Template], error) {
	at, id := int64(1)<<53, ""
	if _, err := page.Decode(p.Cursor, &at, &id); err != nil {
		return page.Of[content.Template]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanTemplate, selectCurrent+`AND (t.created_at, t.id) < ($2, $3) AND ($4 = '' OR t.status = $4) AND t.name_fold LIKE $5 ESCAPE '\'
		ORDER BY t.created_at DESC, t.id DESC LIMIT $6`, ws, at, id, string(f.Status), likeAny(f.Query), p.Size()+1)
	if err != nil {
		return page.Of[content.Template]{}, err
	}
	return page.Cut(items, p.Size(), func(t content.Template) string { return page.Encode(t.CreatedAt.UnixMicro(), t.ID) }), nil
}

// SetStatus changes the status of a template.
func (s *Content) SetStatus(ctx context.Context, ws, id string, status content.Status, at time.Time) error {
	n, err := s.db.Exec(ctx, `UPDATE template SET status = $3, updated_at = $4 WHERE workspace_id = $1 AND id = $2`, ws, id, string(status), at)
	if err == nil && n == 0 {
		return errs.NotFound("template", id)
	}
	return err
}
