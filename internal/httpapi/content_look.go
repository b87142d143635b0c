package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/content/brand"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// BrandKit is one revision of how the workspace looks and speaks.
type BrandKit struct {
	Revision  int          `json:"revision" doc:"0: nothing has been saved yet, and this is what mails look like"`
	Brand     brand.Brand  `json:"brand"`
	Contrasts []brand.Pair `json:"contrasts" doc:"pairs of colours that meet in mails; ok is what WCAG 2.2 AA asks for"`
	Warnings  []BrandNote  `json:"warnings"`
	SavedAt   *time.Time   `json:"saved_at,omitempty"`
}

// BrandNote is something that the kit lacks.
type BrandNote struct {
	Code  string `json:"code" enum:"address_missing,name_missing,contrast,voice_missing"`
	Field string `json:"field"`
}

func brandShape(l content.Look) BrandKit {
	out := BrandKit{Revision: l.Revision, Brand: l.Brand, Contrasts: l.Contrasts(), Warnings: []BrandNote{}, SavedAt: moment(l.SavedAt)}
	if l.Footer.Address == "" {
		out.Warnings = append(out.Warnings, BrandNote{"address_missing", "footer.address"})
	}
	if l.Name == "" {
		out.Warnings = append(out.Warnings, BrandNote{"name_missing", "name"})
	}
	for _, p := range out.Contrasts {
		if !p.OK {
			out.Warnings = append(out.Warnings, BrandNote{"contrast", p.Scheme + "." + p.Foreground})
		}
	}
	if l.Voice.Character == "" {
		out.Warnings = append(out.Warnings, BrandNote{"voice_missing", "voice.character"})
	}
	return out
}

// SnippetBlocks is a list of blocks.
type SnippetBlocks json.RawMessage

// Schema describes the list to API clients.
func (SnippetBlocks) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}, Description: "blocks as in a mail document, see GET /block-schema"}
}

// MarshalJSON implements json.Marshaler.
func (b SnippetBlocks) MarshalJSON() ([]byte, error) { return json.RawMessage(b).MarshalJSON() }

// UnmarshalJSON implements json.Unmarshaler.
func (b *SnippetBlocks) UnmarshalJSON(raw []byte) error {
	return (*json.RawMessage)(b).UnmarshalJSON(raw)
}

// SnippetDraft is what an author writes.
type SnippetDraft struct {
	Name         string        `json:"name"`
	Description  string        `json:"description,omitempty"`
	Locale       string        `json:"locale,omitempty" doc:"language of blocks; left out: for every language"`
	Blocks       SnippetBlocks `json:"blocks"`
	Translations []SnippetText `json:"translations,omitempty"`
}

// SnippetText is a snippet in one language.
type SnippetText struct {
	Locale string        `json:"locale"`
	Blocks SnippetBlocks `json:"blocks"`
}

func (d SnippetDraft) draft() content.SnippetDraft {
	out := content.SnippetDraft{Name: d.Name, Description: d.Description, Locale: d.Locale, Blocks: json.RawMessage(d.Blocks)}
	for _, t := range d.Translations {
		out.Translations = append(out.Translations, content.SnippetText{Locale: t.Locale, Blocks: json.RawMessage(t.Blocks)})
	}
	return out
}

// Snippet is one version of a snippet.
type Snippet struct {
	Key     string `json:"key" doc:"what documents call it"`
	Version int    `json:"version"`
	Status  string `json:"status" enum:"active,archived"`
	SnippetDraft
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

func snippetShape(n content.Snippet) Snippet {
	out := Snippet{
		Key: n.Key, Version: n.Version, Status: string(n.Status), CreatedAt: n.CreatedAt, UpdatedAt: n.UpdatedAt,
		SnippetDraft: SnippetDraft{Name: n.Name, Description: n.Description, Locale: n.Locale, Blocks: SnippetBlocks(n.Blocks)},
	}
	for _, t := range n.Translations {
		out.Translations = append(out.Translations, SnippetText{t.Locale, SnippetBlocks(t.Blocks)})
	}
	return out
}

// KeyPath is the path of a snippet. It is exported because huma reads embedded fields of exported types only.
type KeyPath struct {
	Key string `path:"key"`
}

type keyed[T any] struct {
	KeyPath
	Body T
}

// KeyPage is a list below a snippet.
type KeyPage struct {
	KeyPath
	Paging
}

func (a *api) brandRoutes() {
	c := a.c.Content
	route(a, http.MethodGet, "/brand", "brand-get", "How the workspace looks and speaks", staff.ContentRead, func(ctx context.Context, _ *nothing) (*body[BrandKit], error) {
		l, err := c.Look(ctx, workspaceOf(ctx))
		return answer(brandShape(l)), err
	})
	type edit struct {
		Brand brand.Brand `json:"brand"`
		Base  int         `json:"base" minimum:"0" doc:"revision that the edit began with; another one in between is a conflict"`
	}
	route(a, http.MethodPut, "/brand", "brand-update", "Write a new revision; mails keep theirs until they are saved or refreshed", staff.ContentWrite, func(ctx context.Context, in *in[edit]) (*body[BrandKit], error) {
		l, err := changed(ctx, a, "update", "brand", func(content.Look) string { return workspaceOf(ctx) }, func(ctx context.Context) (content.Look, error) {
			return c.SetLook(ctx, workspaceOf(ctx), in.Body.Brand, in.Body.Base)
		})
		return answer(brandShape(l)), a.overtaken(ctx, err, "content.brand.stale", "brand", workspaceOf(ctx))
	})
	route(a, http.MethodGet, "/brand/revisions", "brand-revisions", "All revisions, newest first", staff.ContentRead, func(ctx context.Context, in *Paging) (*body[List[BrandKit]], error) {
		found, err := c.Looks(ctx, workspaceOf(ctx), in.request())
		if err != nil {
			return nil, err
		}
		return list(found, brandShape), nil
	})
}

func (a *api) snippetRoutes() {
	c := a.c.Content
	write := func(ctx context.Context, action string, do func(ctx context.Context) (content.Snippet, error)) (*body[Snippet], error) {
		n, err := changed(ctx, a, action, "snippet", func(n content.Snippet) string { return n.Key }, do)
		return answer(snippetShape(n)), err
	}
	type filter struct {
		Paging
		Q      string `query:"q" maxLength:"200"`
		Status string `query:"status" enum:"active,archived" default:"active"`
	}
	route(a, http.MethodGet, "/snippets", "snippet-list", "Snippets", staff.ContentRead, func(ctx context.Context, in *filter) (*body[List[Snippet]], error) {
		found, err := c.Snippets(ctx, workspaceOf(ctx), content.Filter{Status: content.Status(in.Status), Query: in.Q}, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, snippetShape), nil
	})
	type made struct {
		Key string `json:"key" doc:"what documents call it: small letters, digits, - and _; it never changes"`
		SnippetDraft
	}
	route(a, http.MethodPost, "/snippets", "snippet-create", "Make a snippet", staff.ContentWrite, func(ctx context.Context, in *in[made]) (*body[Snippet], error) {
		return write(ctx, "create", func(ctx context.Context) (content.Snippet, error) {
			return c.CreateSnippet(ctx, workspaceOf(ctx), in.Body.Key, in.Body.draft())
		})
	}, created, bodyLimit(2<<20))
	route(a, http.MethodGet, "/snippets/{key}", "snippet-get", "The current version of a snippet", staff.ContentRead, func(ctx context.Context, in *KeyPath) (*body[Snippet], error) {
		n, err := c.Snippet(ctx, workspaceOf(ctx), in.Key, 0)
		return answer(snippetShape(n)), err
	})
	type edit struct {
		SnippetDraft
		Base int `json:"base" minimum:"1" doc:"version that the edit began with; another one in between is a conflict"`
	}
	route(a, http.MethodPut, "/snippets/{key}", "snippet-update", "Write a new version; mails keep theirs until they are saved or refreshed", staff.ContentWrite, func(ctx context.Context, in *keyed[edit]) (*body[Snippet], error) {
		out, err := write(ctx, "update", func(ctx context.Context) (content.Snippet, error) {
			return c.UpdateSnippet(ctx, workspaceOf(ctx), in.Key, in.Body.draft(), in.Body.Base)
		})
		return out, a.overtaken(ctx, err, "content.snippet.stale", "snippet", in.Key)
	}, bodyLimit(2<<20))
	route(a, http.MethodGet, "/snippets/{key}/versions", "snippet-versions", "All versions, newest first", staff.ContentRead, func(ctx context.Context, in *KeyPage) (*body[List[Snippet]], error) {
		found, err := c.SnippetVersions(ctx, workspaceOf(ctx), in.Key, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, snippetShape), nil
	})
	type users struct {
		Items []content.User `json:"items"`
	}
	route(a, http.MethodGet, "/snippets/{key}/users", "snippet-users", "What has the snippet in it", staff.ContentRead, func(ctx context.Context, in *KeyPath) (*body[users], error) {
		found, err := c.SnippetUsers(ctx, workspaceOf(ctx), in.Key)
		return answer(users{append([]content.User{}, found...)}), err
	})
	route(a, http.MethodDelete, "/snippets/{key}", "snippet-archive", "Archive a snippet that nothing uses", staff.ContentWrite, func(ctx context.Context, in *KeyPath) (*body[Snippet], error) {
		return write(ctx, "archive", func(ctx context.Context) (content.Snippet, error) {
			return c.ArchiveSnippet(ctx, workspaceOf(ctx), in.Key)
		})
	})
	route(a, http.MethodPost, "/snippets/{key}/restore", "snippet-restore", "Take a snippet from the archive", staff.ContentWrite, func(ctx context.Context, in *KeyPath) (*body[Snippet], error) {
		return write(ctx, "restore", func(ctx context.Context) (content.Snippet, error) {
			return c.RestoreSnippet(ctx, workspaceOf(ctx), in.Key)
		})
	})
}

// Senders finds what will send templates, by template: campaigns and series that have not ended, journeys, topics. At most two hundred of each, latest first.
type Senders interface {
	TemplateUsers(ctx context.Context, ws string, ids []string) (map[string][]content.User, error)
}

// TemplateLanguages says which languages a template speaks.
type TemplateLanguages struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	content.Coverage
}

// versionRoutes are about what a template was and what has changed around it.
func (a *api) versionRoutes(write func(ctx context.Context, action string, do func(ctx context.Context) (content.Template, error)) (*body[Template], error)) {
	c := a.c.Content
	type span struct {
		IDPath
		From int `query:"from" minimum:"1" required:"true" doc:"version"`
		To   int `query:"to" minimum:"0" default:"0" doc:"version; the current one if left out"`
	}
	type changes struct {
		From  int              `json:"from"`
		To    int              `json:"to"`
		Items []content.Change `json:"items"`
	}
	route(a, http.MethodGet, "/templates/{id}/changes", "template-changes", "What differs between two versions", staff.ContentRead, func(ctx context.Context, in *span) (*body[changes], error) {
		ws := workspaceOf(ctx)
		now, err := c.Get(ctx, ws, in.ID)
		if err != nil {
			return nil, err
		}
		was, err := c.Version(ctx, ws, in.ID, in.From)
		if err != nil {
			return nil, err
		}
		if in.To != 0 {
			if now, err = c.Version(ctx, ws, in.ID, in.To); err != nil {
				return nil, err
			}
		}
		return answer(changes{was.Version, now.Version, content.Compare(was, now)}), nil
	})
	type outdated struct {
		Items []string `json:"items" doc:"brand, or keys of snippets, with a newer revision than the template was made with; POST refresh takes them up"`
	}
	type users struct {
		Items []content.User `json:"items"`
	}
	route(a, http.MethodGet, "/templates/{id}/users", "template-users", "What will send a template: campaigns and series that have not ended, journeys, topics that ask for confirmation with it", staff.ContentRead, func(ctx context.Context, in *IDPath) (*body[users], error) {
		ws := workspaceOf(ctx)
		if _, err := c.Get(ctx, ws, in.ID); err != nil {
			return nil, err
		}
		found, err := a.c.Senders.TemplateUsers(ctx, ws, []string{in.ID})
		return answer(users{append([]content.User{}, found[in.ID]...)}), err
	})
	route(a, http.MethodGet, "/templates/{id}/outdated", "template-outdated", "What has changed around a template since it was saved", staff.ContentRead, func(ctx context.Context, in *IDPath) (*body[outdated], error) {
		t, err := c.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		found, err := c.Outdated(ctx, workspaceOf(ctx), t)
		return answer(outdated{found}), err
	})
	route(a, http.MethodPost, "/templates/{id}/refresh", "template-refresh", "Save a template as it is with today's brand and snippets", staff.ContentWrite, func(ctx context.Context, in *IDPath) (*body[Template], error) {
		return write(ctx, "refresh", func(ctx context.Context) (content.Template, error) { return c.Refresh(ctx, workspaceOf(ctx), in.ID) })
	})
	type revert struct {
		Version int `json:"version" minimum:"1"`
	}
	route(a, http.MethodPost, "/templates/{id}/revert", "template-revert", "Save the words of an earlier version as the newest", staff.ContentWrite, func(ctx context.Context, in *inAt[revert]) (*body[Template], error) {
		return write(ctx, "revert", func(ctx context.Context) (content.Template, error) {
			return c.Revert(ctx, workspaceOf(ctx), in.ID, in.Body.Version)
		})
	})
	route(a, http.MethodGet, "/templates/languages", "template-languages", "Which languages templates speak, and which of the brand's they lack", staff.ContentRead, func(ctx context.Context, in *Paging) (*body[List[TemplateLanguages]], error) {
		ws := workspaceOf(ctx)
		l, err := c.Look(ctx, ws)
		if err != nil {
			return nil, err
		}
		found, err := c.List(ctx, ws, content.Filter{Status: content.Active}, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, func(t content.Template) TemplateLanguages {
			return TemplateLanguages{t.ID, t.Name, t.Cover(l.Locales)}
		}), nil
	})
}
