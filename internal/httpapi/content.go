package httpapi

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/content/block"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// TemplateDraft is what an author writes; subject, preheader, html and text are Liquid.
type TemplateDraft struct {
	Name             string `json:"name"`
	Channel          string `json:"channel,omitempty" doc:"email if left out"`
	Subject          string `json:"subject"`
	Preheader        string `json:"preheader,omitempty"`
	HTML             string `json:"html,omitempty"`
	Text             string `json:"text,omitempty" doc:"made from html if left out"`
	FromName         string `json:"from_name,omitempty"`
	ReplyTo          string `json:"reply_to,omitempty"`
	ValueProposition string `json:"value_proposition,omitempty" doc:"why would the reader open this; for the team"`

	Kind         string          `json:"kind,omitempty" doc:"code (html and text) or blocks (document); what the body is if left out"`
	Locale       string          `json:"locale,omitempty" doc:"language of subject, preheader and body, the main one"`
	Document     MailDocument    `json:"document,omitempty"`
	Translations []Translation   `json:"translations,omitempty" doc:"the same in other languages; a reader gets the nearest, else the main text"`
	Purpose      content.Purpose `json:"purpose,omitzero"`
}

// Translation is the words of a template in one language.
type Translation struct {
	Locale    string       `json:"locale"`
	Subject   string       `json:"subject"`
	Preheader string       `json:"preheader,omitempty"`
	HTML      string       `json:"html,omitempty"`
	Text      string       `json:"text,omitempty"`
	Document  MailDocument `json:"document,omitempty"`
}

// MailDocument is a mail made of blocks.
type MailDocument json.RawMessage

// Schema describes a document to API clients; GET /block-schema says all of it.
func (MailDocument) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: "object", Description: "mail made of sections, columns and blocks; GET /block-schema describes it", AdditionalProperties: true}
}

// MarshalJSON writes the document as it is.
func (d MailDocument) MarshalJSON() ([]byte, error) { return json.RawMessage(d).MarshalJSON() }

// UnmarshalJSON reads any JSON.
func (d *MailDocument) UnmarshalJSON(b []byte) error { return (*json.RawMessage)(d).UnmarshalJSON(b) }

func (d TemplateDraft) draft() content.Draft {
	var translations []content.Translation
	for _, t := range d.Translations {
		translations = append(translations, content.Translation{Locale: t.Locale, Subject: t.Subject, Preheader: t.Preheader, HTML: t.HTML, Text: t.Text, Document: json.RawMessage(t.Document)})
	}
	return content.Draft{
		Kind: d.Kind, Locale: d.Locale, Document: json.RawMessage(d.Document), Translations: translations, Purpose: d.Purpose,
		Name: d.Name, Channel: d.Channel, Subject: d.Subject, Preheader: d.Preheader, HTML: d.HTML, Text: d.Text,
		FromName: d.FromName, ReplyTo: d.ReplyTo, ValueProposition: d.ValueProposition,
	}
}

// Template is one version of a template.
type Template struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
	Status  string `json:"status" enum:"active,archived"`
	TemplateDraft
	Brand     int            `json:"brand_revision" doc:"that it was made with; 0 for templates of code"`
	Snippets  map[string]int `json:"snippets,omitempty" doc:"versions that it was made with, by key"`
	CreatedAt time.Time      `json:"created_at"`
	UpdatedAt time.Time      `json:"updated_at"`
}

func templateShape(t content.Template) Template {
	d := t.Draft
	var translations []Translation
	for _, t := range d.Translations {
		translations = append(translations, Translation{t.Locale, t.Subject, t.Preheader, t.HTML, t.Text, MailDocument(t.Document)})
	}
	return Template{
		ID: t.ID, Version: t.Version, Status: string(t.Status), Brand: t.Pins.Brand, Snippets: t.Pins.Snippets, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
		TemplateDraft: TemplateDraft{
			Name: d.Name, Channel: d.Channel, Subject: d.Subject, Preheader: d.Preheader, HTML: d.HTML, Text: d.Text, FromName: d.FromName, ReplyTo: d.ReplyTo,
			ValueProposition: d.ValueProposition, Kind: d.Kind, Locale: d.Locale, Document: MailDocument(d.Document), Translations: translations, Purpose: d.Purpose,
		},
	}
}

// TemplatePreview is a filled template and what its author should know.
type TemplatePreview struct {
	Subject   string            `json:"subject"`
	Preheader string            `json:"preheader"`
	HTML      string            `json:"html"`
	Text      string            `json:"text"`
	Missing   []string          `json:"missing" doc:"variables without a value"`
	Findings  []content.Finding `json:"findings"`
	Locale    string            `json:"locale" doc:"language of the text that was chosen; empty if the template does not say"`
	Locales   []string          `json:"locales" doc:"languages of the template, the main one first"`
	Chain     []string          `json:"chain" doc:"where a text for the reader was looked for, in this order"`
	Bytes     int               `json:"bytes" doc:"size of the rendered HTML; Gmail hides what is beyond 102 KB"`
}

func (a *api) contentRoutes() {
	c := a.c.Content
	write := func(ctx context.Context, action string, do func(ctx context.Context) (content.Template, error)) (*body[Template], error) {
		t, err := changed(ctx, a, action, "template", func(t content.Template) string { return t.ID }, do)
		return answer(templateShape(t)), err
	}
	type filter struct {
		Paging
		Q      string `query:"q" maxLength:"200"`
		Status string `query:"status" enum:"active,archived" default:"active"`
	}
	route(a, http.MethodGet, "/templates", "template-list", "Templates", staff.ContentRead, func(ctx context.Context, in *filter) (*body[List[Template]], error) {
		found, err := c.List(ctx, workspaceOf(ctx), content.Filter{Status: content.Status(in.Status), Query: in.Q}, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, templateShape), nil
	})
	route(a, http.MethodPost, "/templates", "template-create", "Make a template", staff.ContentWrite, func(ctx context.Context, in *in[TemplateDraft]) (*body[Template], error) {
		return write(ctx, "create", func(ctx context.Context) (content.Template, error) {
			return c.Create(ctx, workspaceOf(ctx), in.Body.draft())
		})
	}, created, bodyLimit(2<<20))
	route(a, http.MethodGet, "/templates/{id}", "template-get", "The current version of a template", staff.ContentRead, func(ctx context.Context, in *IDPath) (*body[Template], error) {
		t, err := c.Get(ctx, workspaceOf(ctx), in.ID)
		return answer(templateShape(t)), err
	})
	route(a, http.MethodGet, "/templates/{id}/versions", "template-versions", "All versions, newest first", staff.ContentRead, func(ctx context.Context, in *PageAt) (*body[List[Template]], error) {
		found, err := c.Versions(ctx, workspaceOf(ctx), in.ID, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, templateShape), nil
	})
	type edit struct {
		TemplateDraft
		Base int `json:"base" minimum:"1" doc:"version that the edit began with; another one in between is a conflict"`
	}
	route(a, http.MethodPut, "/templates/{id}", "template-update", "Write a new version; messages that are under way keep theirs", staff.ContentWrite, func(ctx context.Context, in *inAt[edit]) (*body[Template], error) {
		out, err := write(ctx, "update", func(ctx context.Context) (content.Template, error) {
			return c.Update(ctx, workspaceOf(ctx), in.ID, in.Body.draft(), in.Body.Base)
		})
		return out, a.overtaken(ctx, err, "content.template.stale", "template", in.ID)
	}, bodyLimit(2<<20))
	a.versionRoutes(write)
	route(a, http.MethodDelete, "/templates/{id}", "template-archive", "Archive a template", staff.ContentWrite, func(ctx context.Context, in *IDPath) (*body[Template], error) {
		return write(ctx, "archive", func(ctx context.Context) (content.Template, error) { return c.Archive(ctx, workspaceOf(ctx), in.ID) })
	})
	route(a, http.MethodPost, "/templates/{id}/restore", "template-restore", "Take a template from the archive", staff.ContentWrite, func(ctx context.Context, in *IDPath) (*body[Template], error) {
		return write(ctx, "restore", func(ctx context.Context) (content.Template, error) { return c.Restore(ctx, workspaceOf(ctx), in.ID) })
	})
	schema := json.RawMessage(block.Schema())
	route(a, http.MethodGet, "/block-schema", "block-schema", "JSON Schema of mail documents, for editors", staff.ContentRead, func(context.Context, *nothing) (*body[json.RawMessage], error) {
		return answer(schema), nil
	})
	route(a, http.MethodPost, "/templates/preview", "template-preview", "Fill a template or a draft", staff.ContentRead, func(ctx context.Context, in *in[Preview]) (*body[TemplatePreview], error) {
		ws := workspaceOf(ctx)
		r, err := a.previewOf(ctx, in.Body)
		if err != nil {
			return nil, err
		}
		p, err := c.Preview(ctx, ws, r)
		if err != nil {
			return nil, err
		}
		out := TemplatePreview{
			Subject: p.Subject, Preheader: p.Preheader, HTML: p.HTML, Text: p.Text, Missing: append([]string{}, p.Missing...), Findings: append([]content.Finding{}, p.Findings...),
			Locale: p.Locale, Locales: append([]string{}, p.Locales...), Chain: append([]string{}, p.Chain...), Bytes: len(p.HTML),
		}
		return answer(out), nil
	}, bodyLimit(2<<20))
	route(a, http.MethodPost, "/templates/links", "template-links", "Ask the links of a template or a draft over the network what answers at their end", staff.ContentRead, func(ctx context.Context, in *in[Preview]) (*body[LinkReport], error) {
		r, err := a.previewOf(ctx, in.Body)
		if err != nil {
			return nil, err
		}
		found, leftOut, err := c.CheckLinks(ctx, workspaceOf(ctx), r)
		if err != nil {
			return nil, err
		}
		out := LinkReport{Links: make([]LinkVerdict, len(found)), LeftOut: leftOut}
		for i, v := range found {
			out.Links[i] = LinkVerdict{URL: v.URL, Label: v.Label, Code: v.Code, Fault: v.Fault(), Status: v.Status, Location: v.Location}
		}
		return answer(out), nil
	}, bodyLimit(2<<20))
}

// LinkReport is what answers at the end of a mail's links.
type LinkReport struct {
	Links   []LinkVerdict `json:"links"`
	LeftOut int           `json:"left_out,omitempty" doc:"links beyond the first hundred, which were not asked"`
}

// LinkVerdict is one of them.
type LinkVerdict struct {
	URL      string `json:"url"`
	Label    string `json:"label" doc:"the text that people click"`
	Code     string `json:"code,omitempty" enum:"not_found,server_error,refused,certificate,certificate_expired,unknown_host,unreachable,timeout,redirects,downgrade,blocked,port,credentials,malformed,redirected,guarded" doc:"what is wrong or worth a look; all is well if left out"`
	Fault    bool   `json:"fault" doc:"readers would end nowhere"`
	Status   int    `json:"status,omitempty" doc:"of HTTP; there was no answer if left out"`
	Location string `json:"location,omitempty" doc:"where it ends, if that is elsewhere"`
}

// Preview says what is looked at, and as whom.
type Preview struct {
	Template string         `json:"template,omitempty" doc:"id of a saved template"`
	Version  int            `json:"version,omitempty"`
	Draft    *TemplateDraft `json:"draft,omitempty" doc:"or something not saved yet"`
	Person   string         `json:"person,omitempty" doc:"as this person would see it"`
	Vars     map[string]any `json:"vars,omitempty" doc:"variables beside the person's, e.g. event; members of person stand in place of theirs"`
	Event    string         `json:"event,omitempty" doc:"name of an event: the person's latest of that name fills event, if vars does not"`
	Locale   string         `json:"locale,omitempty" doc:"as a reader of this language would get it; the person's if left out"`
}

// previewOf makes the content's request of it. Looking at a person is looking at a person: it needs the right and is noted.
func (a *api) previewOf(ctx context.Context, b Preview) (content.PreviewRequest, error) {
	ws := workspaceOf(ctx)
	r := content.PreviewRequest{ID: b.Template, Version: b.Version, Vars: map[string]any{}, Options: content.RenderOptions{Locale: b.Locale}}
	for k, v := range b.Vars {
		r.Vars[k] = v
	}
	if b.Draft != nil {
		d := b.Draft.draft()
		r.Draft = &d
	}
	if b.Person != "" {
		if err := caller(ctx).Require(staff.PeopleRead); err != nil {
			return r, err
		}
		p, err := a.c.People.Get(ctx, ws, b.Person)
		if err != nil {
			return r, err
		}
		if err := a.saw(ctx, p.ID); err != nil {
			return r, err
		}
		vars := outbox.PersonVars(p)
		if instead, ok := r.Vars["person"].(map[string]any); ok {
			maps.Copy(vars, instead)
		}
		r.Vars["person"] = vars
		if r.Options.Locale == "" {
			r.Options.Locale = p.Locale()
		}
		if zone := p.Location(nil); zone != nil {
			r.Options.Zone = zone
		}
		if _, given := r.Vars["event"]; b.Event != "" && !given {
			found, err := a.c.Events.Histories(ctx, ws, []uint64{p.Num}, []string{b.Event})
			if err != nil {
				return r, err
			}
			all := found[p.Num]
			if len(all) == 0 {
				return r, errs.Invalid("template.preview.event", "event", "this person has no event %q; choose another, or give vars", b.Event)
			}
			var properties map[string]any
			if err := json.Unmarshal(all[len(all)-1].Properties, &properties); err != nil {
				return r, err
			}
			r.Vars["event"] = properties
		}
	}
	return r, nil
}
