package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

func scanLook(r sqldb.Row) (l content.Look, err error) {
	var body string
	if err = r.Scan(&l.Revision, &body, &l.SavedAt); err != nil {
		return l, err
	}
	if err := json.Unmarshal([]byte(body), &l.Brand); err != nil {
		return l, fmt.Errorf("revision %d of the brand: %w", l.Revision, err)
	}
	return l, nil
}

// AddLook adds the revision that follows the latest.
func (s *Content) AddLook(ctx context.Context, ws string, l content.Look) error {
	body, err := json.Marshal(l.Brand)
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		last, err := sqldb.One(ctx, s.db, sqldb.Value[int], `SELECT COALESCE(MAX(revision), 0) FROM brand_revision WHERE workspace_id = $1`, ws)
		if err != nil {
			return err
		}
		if last != l.Revision-1 {
			return errs.Conflict("content.brand.stale", "revision %d was saved meanwhile; load it and make your changes again", last)
		}
		_, err = s.db.Exec(ctx, `INSERT INTO brand_revision (workspace_id, revision, body, saved_at) VALUES ($1, $2, $3, $4)`, ws, l.Revision, string(body), l.SavedAt)
		return err
	})
}

// Look returns a revision, 0 the latest.
func (s *Content) Look(ctx context.Context, ws string, revision int) (content.Look, error) {
	l, err := sqldb.One(ctx, s.db, scanLook, `SELECT revision, body, saved_at FROM brand_revision WHERE workspace_id = $1 AND ($2 = 0 OR revision = $2) ORDER BY revision DESC LIMIT 1`, ws, revision)
	if errors.Is(err, sqldb.ErrNoRows) {
		return l, errs.NotFound("brand", strconv.Itoa(revision))
	}
	return l, err
}

// Looks lists revisions, latest first.
func (s *Content) Looks(ctx context.Context, ws string, p page.Request) (page.Of[content.Look], error) {
	var before int64 = 1 << 53
	if _, err := page.Decode(p.Cursor, &before); err != nil {
		return page.Of[content.Look]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanLook, `SELECT revision, body, saved_at FROM brand_revision WHERE workspace_id = $1 AND revision < $2 ORDER BY revision DESC LIMIT $3`, ws, before, p.Size()+1)
	if err != nil {
		return page.Of[content.Look]{}, err
	}
	return page.Cut(items, p.Size(), func(l content.Look) string { return page.Encode(l.Revision) }), nil
}

const (
	snippetColumns  = `n.snippet_key, n.status, n.created_at, v.version, v.name, v.description, v.locale, v.blocks, v.translations`
	snippetTables   = ` FROM snippet n JOIN snippet_version v ON v.workspace_id = n.workspace_id AND v.snippet_key = n.snippet_key `
	currentSnippet  = `SELECT ` + snippetColumns + `, n.updated_at` + snippetTables + `AND v.version = n.version WHERE n.workspace_id = $1 `
	snippetVersions = `SELECT ` + snippetColumns + `, v.saved_at` + snippetTables + `WHERE n.workspace_id = $1 AND n.snippet_key = $2 `
)

func scanSnippet(r sqldb.Row) (n content.Snippet, err error) {
	var blocks, translations string
	if err = r.Scan(&n.Key, (*string)(&n.Status), &n.CreatedAt, &n.Version, &n.Name, &n.Description, &n.Locale, &blocks, &translations, &n.UpdatedAt); err != nil {
		return n, err
	}
	n.Blocks = json.RawMessage(blocks)
	if err := json.Unmarshal([]byte(translations), &n.Translations); err != nil {
		return n, fmt.Errorf("translations of snippet %s: %w", n.Key, err)
	}
	if len(n.Translations) == 0 {
		n.Translations = nil
	}
	return n, nil
}

func foldSnippet(n content.Snippet) string { return strings.ToLower(n.Key + " " + n.Name) }

// InsertSnippet adds a snippet with its first version.
func (s *Content) InsertSnippet(ctx context.Context, ws string, n content.Snippet) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		_, err := s.db.Exec(ctx, `INSERT INTO snippet (workspace_id, snippet_key, status, version, name_fold, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			ws, n.Key, string(n.Status), n.Version, foldSnippet(n), n.CreatedAt, n.UpdatedAt)
		if sqldb.IsUnique(err) {
			return errs.Conflict("content.snippet.exists", "there is a snippet %q already", n.Key).With(err)
		}
		if err != nil {
			return err
		}
		return s.insertSnippetVersion(ctx, ws, n)
	})
}

func (s *Content) insertSnippetVersion(ctx context.Context, ws string, n content.Snippet) error {
	translations, err := json.Marshal(append([]content.SnippetText{}, n.Translations...))
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `INSERT INTO snippet_version (workspace_id, snippet_key, version, name, description, locale, blocks, translations, saved_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		ws, n.Key, n.Version, n.Name, n.Description, n.Locale, string(n.Blocks), string(translations), n.UpdatedAt)
	return err
}

// AddSnippetVersion adds the version that follows the current one.
func (s *Content) AddSnippetVersion(ctx context.Context, ws string, n content.Snippet) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		changed, err := s.db.Exec(ctx, `UPDATE snippet SET version = $3, name_fold = $4, updated_at = $5 WHERE workspace_id = $1 AND snippet_key = $2 AND version = $3 - 1`,
			ws, n.Key, n.Version, foldSnippet(n), n.UpdatedAt)
		if err != nil {
			return err
		}
		if changed == 0 {
			was, err := s.Snippet(ctx, ws, n.Key, 0)
			if err != nil {
				return err
			}
			return errs.Conflict("content.snippet.stale", "version %d was saved meanwhile; load it and make your changes again", was.Version)
		}
		return s.insertSnippetVersion(ctx, ws, n)
	})
}

// Snippet returns a version, 0 the current one.
func (s *Content) Snippet(ctx context.Context, ws, key string, version int) (n content.Snippet, err error) {
	if version == 0 {
		n, err = sqldb.One(ctx, s.db, scanSnippet, currentSnippet+`AND n.snippet_key = $2`, ws, key)
	} else {
		n, err = sqldb.One(ctx, s.db, scanSnippet, snippetVersions+`AND v.version = $3`, ws, key, version)
	}
	if errors.Is(err, sqldb.ErrNoRows) {
		return n, errs.NotFound("snippet", key)
	}
	return n, err
}

// SnippetVersions lists versions, latest first.
func (s *Content) SnippetVersions(ctx context.Context, ws, key string, p page.Request) (page.Of[content.Snippet], error) {
	var before int64 = 1 << 53
	if _, err := page.Decode(p.Cursor, &before); err != nil {
		return page.Of[content.Snippet]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanSnippet, snippetVersions+`AND v.version < $3 ORDER BY v.version DESC LIMIT $4`, ws, key, before, p.Size()+1)
	if err != nil {
		return page.Of[content.Snippet]{}, err
	}
	return page.Cut(items, p.Size(), func(n content.Snippet) string { return page.Encode(n.Version) }), nil
}

// Snippets lists current versions by key.
func (s *Content) Snippets(ctx context.Context, ws string, f content.Filter, p page.Request) (page.Of[content.Snippet], error) {
	after := ""
	if _, err := page.Decode(p.Cursor, &after); err != nil {
		return page.Of[content.Snippet]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanSnippet, currentSnippet+`AND n.snippet_key > $2 AND ($3 = '' OR n.status = $3) AND n.name_fold LIKE $4 ESCAPE '\' ORDER BY n.snippet_key LIMIT $5`,
		ws, after, string(f.Status), likeAny(f.Query), p.Size()+1)
	if err != nil {
		return page.Of[content.Snippet]{}, err
	}
	return page.Cut(items, p.Size(), func(n content.Snippet) string { return page.Encode(n.Key) }), nil
}

// SetSnippetStatus changes the status.
func (s *Content) SetSnippetStatus(ctx context.Context, ws, key string, status content.Status, at time.Time) error {
	n, err := s.db.Exec(ctx, `UPDATE snippet SET status = $3, updated_at = $4 WHERE workspace_id = $1 AND snippet_key = $2`, ws, key, string(status), at)
	if err == nil && n == 0 {
		return errs.NotFound("snippet", key)
	}
	return err
}

// SnippetUsers lists active templates whose current version has the snippet.
func (s *Content) SnippetUsers(ctx context.Context, ws, key string) ([]content.User, error) {
	return sqldb.Collect(ctx, s.db, func(r sqldb.Row) (u content.User, err error) {
		u.Noun = "template"
		return u, r.Scan(&u.ID, &u.Name)
	}, `SELECT t.id, v.name FROM template_snippet u
		JOIN template t ON t.workspace_id = u.workspace_id AND t.id = u.template_id
		JOIN template_version v ON v.workspace_id = t.workspace_id AND v.template_id = t.id AND v.version = t.version
		WHERE u.workspace_id = $1 AND u.snippet_key = $2 AND t.status = 'active' ORDER BY t.id`, ws, key)
}

// useSnippets notes what the current version of a template has in it.
func (s *Content) useSnippets(ctx context.Context, ws string, t content.Template) error {
	if _, err := s.db.Exec(ctx, `DELETE FROM template_snippet WHERE workspace_id = $1 AND template_id = $2`, ws, t.ID); err != nil {
		return err
	}
	for key := range t.Pins.Snippets {
		if _, err := s.db.Exec(ctx, `INSERT INTO template_snippet (workspace_id, snippet_key, template_id) VALUES ($1, $2, $3)`, ws, key, t.ID); err != nil {
			return err
		}
	}
	return nil
}

// TemplateUsers returns what will send templates, by template: campaigns and series that have not ended, journeys that are not archived, as they are published and as
// they are drafted, and topics whose mail of confirmation it is; latest first, at most two hundred of each. Ids are unique texts, so that looking for the quoted id in
// the JSON finds just those that name it.
func (s *Content) TemplateUsers(ctx context.Context, ws string, ids []string) (map[string][]content.User, error) {
	in, arg := s.db.In(2, ids)
	names := func(column string) string { return `replace(` + column + `, '"' || t.id || '"', '') <> ` + column }
	of := ` FROM template t JOIN `
	chosen := ` WHERE t.workspace_id = $1 AND t.id ` + in
	type use struct {
		template string
		content.User
	}
	found, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (u use, err error) {
		return u, r.Scan(&u.template, &u.Noun, &u.ID, &u.Name, &u.Status)
	}, `SELECT template, noun, id, name, status FROM (
		SELECT t.id AS template, 'campaign' AS noun, x.id, x.name, x.status, x.updated_at`+of+`campaign x
			ON x.workspace_id = $1 AND x.status NOT IN ('sent', 'cancelled') AND (x.template = t.id OR `+names("x.plan")+`)`+chosen+`
		UNION ALL SELECT t.id, 'series', x.id, x.name, x.status, x.updated_at`+of+`campaign_series x
			ON x.workspace_id = $1 AND x.status <> 'ended' AND `+names("x.draft")+chosen+`
		UNION ALL SELECT t.id, 'journey', x.id, x.name, x.status, x.updated_at`+of+`journey x
			ON x.workspace_id = $1 AND x.status <> 'archived' AND (`+names("x.draft")+` OR EXISTS
			(SELECT 1 FROM journey_version v WHERE v.journey_id = x.id AND v.version = x.published AND `+names("v.graph")+`))`+chosen+`
		UNION ALL SELECT t.id, 'topic', x.id, x.name, '', x.created_at`+of+`topic x ON x.workspace_id = $1 AND x.confirmation = t.id`+chosen+`
		) AS users ORDER BY updated_at DESC, id`, ws, arg)
	out := map[string][]content.User{}
	for _, u := range found {
		if len(out[u.template]) < maxUsers {
			out[u.template] = append(out[u.template], u.User)
		}
	}
	return out, err
}
