package content

import (
	"context"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Filter narrows a list; the zero value lists everything.
type Filter struct {
	Status Status
	Query  string // part of the name, letters in any case
}

// Store keeps templates. Every method takes part in the transaction of its context.
type Store interface {
	// Insert adds a template with its first version. A key that the workspace uses already is a conflict.
	Insert(ctx context.Context, ws string, t Template) error
	// AddVersion adds version t.Version, which must follow the current one: otherwise somebody else was faster, which is a
	// conflict. It keeps ID, Key, Status and CreatedAt of the template, and errs not_found if there is none.
	AddVersion(ctx context.Context, ws string, t Template) error
	// Get returns the current version, or not_found.
	Get(ctx context.Context, ws, id string) (Template, error)
	// ByKey returns the current version of the template with this key, or not_found. The empty key is never found.
	ByKey(ctx context.Context, ws, key string) (Template, error)
	// Version returns one version, or not_found.
	Version(ctx context.Context, ws, id string, version int) (Template, error)
	// Versions returns the versions of a template, latest first; none if there is no such template.
	Versions(ctx context.Context, ws, id string, p page.Request) (page.Of[Template], error)
	// List returns current versions, the template made last first.
	List(ctx context.Context, ws string, f Filter, p page.Request) (page.Of[Template], error)
	// SetStatus changes the status of a template, or errs not_found.
	SetStatus(ctx context.Context, ws, id string, status Status, at time.Time) error

	// AddLook adds revision l.Revision of the brand, which must follow the latest, the first being 1: otherwise conflict.
	AddLook(ctx context.Context, ws string, l Look) error
	// Look returns a revision of the brand, 0 the latest, or not_found.
	Look(ctx context.Context, ws string, revision int) (Look, error)
	// Looks returns the revisions of the brand, latest first.
	Looks(ctx context.Context, ws string, p page.Request) (page.Of[Look], error)

	// InsertSnippet adds a snippet with its first version. A key that the workspace uses already is a conflict.
	InsertSnippet(ctx context.Context, ws string, n Snippet) error
	// AddSnippetVersion adds version n.Version, which must follow the current one: otherwise conflict, or not_found.
	AddSnippetVersion(ctx context.Context, ws string, n Snippet) error
	// Snippet returns a version of a snippet, 0 the current one, or not_found.
	Snippet(ctx context.Context, ws, key string, version int) (Snippet, error)
	// SnippetVersions returns the versions of a snippet, latest first; none if there is no such snippet.
	SnippetVersions(ctx context.Context, ws, key string, p page.Request) (page.Of[Snippet], error)
	// Snippets returns current versions in the order of their keys.
	Snippets(ctx context.Context, ws string, f Filter, p page.Request) (page.Of[Snippet], error)
	// SetSnippetStatus changes the status of a snippet, or errs not_found.
	SetSnippetStatus(ctx context.Context, ws, key string, status Status, at time.Time) error
	// SnippetUsers returns the active templates whose current version is pinned to the snippet, in the order of their ids.
	SnippetUsers(ctx context.Context, ws, key string) ([]User, error)
}
