package content

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/content/liquid"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

// Vocabulary knows which variables messages of a workspace can use, as paths: "person.first_name", "event.*".
type Vocabulary interface {
	Known(ctx context.Context, ws string) ([]string, error)
}

// DefaultKnown are the variables that messages have: all of them, or those of journeys (event, answers), of series that send a feed, and of mails
// that ask to confirm a subscription.
var DefaultKnown = []string{
	"person.*", "event.*", "answers.*", "vars.*", "topic.id", "topic.name", "message.id", "message.channel", "workspace.name", "workspace.site", "mail.locale", "mail.transactional",
	"feed.title", "feed.link", "feed.items[].title", "feed.items[].link", "feed.items[].summary", "feed.items[].author", "feed.items[].image", "feed.items[].published",
	"unsubscribe_url", "preferences_url", "confirm_url", "topic_name", "topic_description",
}

// Config is what a Service needs.
type Config struct {
	Store      Store
	Tx         tx.Runner
	Clock      clock.Clock
	Vocabulary Vocabulary                                           // nil: DefaultKnown
	Sender     func(ctx context.Context, ws string) (Sender, error) // what the first brand begins with, and the site; nil: nothing
	Links      LinkChecker                                          // nil: links are not asked over the network
	CacheSize  int                                                  // compiled versions kept in memory; 0 means 256
}

// Service holds the rules of templates.
type Service struct {
	store      Store
	tx         tx.Runner
	clock      clock.Clock
	vocabulary Vocabulary
	sender     func(ctx context.Context, ws string) (Sender, error)
	links      LinkChecker
	cache      *cache
}

// New returns a Service.
func New(c Config) *Service {
	return &Service{store: c.Store, tx: c.Tx, clock: c.Clock, vocabulary: c.Vocabulary, sender: c.Sender, links: c.Links, cache: newCache(cmp.Or(c.CacheSize, 256))}
}

// Create saves a draft as a new template.
func (s *Service) Create(ctx context.Context, ws string, d Draft) (Template, error) {
	return s.create(ctx, ws, "", d)
}

func (s *Service) create(ctx context.Context, ws, key string, d Draft) (Template, error) {
	d = d.normal()
	pins, err := s.ready(ctx, ws, d)
	if err != nil {
		return Template{}, err
	}
	now := s.clock.Now()
	t := Template{ID: id.New("tpl"), Key: key, Version: 1, Status: Active, Draft: d, Pins: pins, CreatedAt: now, UpdatedAt: now}
	if err := s.store.Insert(ctx, ws, t); err != nil {
		return Template{}, fmt.Errorf("add template: %w", err)
	}
	return t, nil
}

// Ensure returns the template with the key; if there is none, the draft becomes it. One that is there is left as its
// owner has made it.
func (s *Service) Ensure(ctx context.Context, ws, key string, d Draft) (Template, error) {
	t, err := s.store.ByKey(ctx, ws, key)
	if !errs.Is(err, errs.KindNotFound) {
		return t, err
	}
	t, err = s.create(ctx, ws, key, d)
	if errs.Is(err, errs.KindConflict) { // another process made it just now
		return s.store.ByKey(ctx, ws, key)
	}
	return t, err
}

// Update saves a draft as the next version. base is the version that its author had before them: if the template has moved on
// since, the update is a conflict; 0 overwrites whatever is there. A draft that changes nothing makes no version.
func (s *Service) Update(ctx context.Context, ws, templateID string, d Draft, base int) (Template, error) {
	d = d.normal()
	var out Template
	err := s.tx.InTx(ctx, func(ctx context.Context) error {
		t, err := s.store.Get(ctx, ws, templateID)
		if err != nil {
			return err
		}
		if base != 0 && base != t.Version {
			return errs.Conflict("content.template.stale", "somebody saved version %d since you opened version %d; load it and make your changes again", t.Version, base)
		}
		if t.Channel != d.Channel {
			return errs.Invalid("content.template.channel", "channel", "a template cannot move to another channel; make a new one")
		}
		pins, err := s.ready(ctx, ws, d)
		if err != nil {
			return err
		}
		if t.Draft.same(d) && t.Pins.same(pins) {
			out = t
			return nil
		}
		t.Pins = pins
		t.Draft, t.Version, t.UpdatedAt = d, t.Version+1, s.clock.Now()
		out = t
		return s.store.AddVersion(ctx, ws, t)
	})
	return out, err
}

// Get returns the current version of a template.
func (s *Service) Get(ctx context.Context, ws, templateID string) (Template, error) {
	return s.store.Get(ctx, ws, templateID)
}

// Version returns one version of a template.
func (s *Service) Version(ctx context.Context, ws, templateID string, version int) (Template, error) {
	return s.store.Version(ctx, ws, templateID, version)
}

// Versions lists the versions of a template, latest first.
func (s *Service) Versions(ctx context.Context, ws, templateID string, p page.Request) (page.Of[Template], error) {
	if _, err := s.store.Get(ctx, ws, templateID); err != nil {
		return page.Of[Template]{}, err
	}
	return s.store.Versions(ctx, ws, templateID, p)
}

// List lists templates, the one made last first.
func (s *Service) List(ctx context.Context, ws string, f Filter, p page.Request) (page.Of[Template], error) {
	return s.store.List(ctx, ws, f, p)
}

// Archive takes a template out of use. Messages that were made already still go out with it.
func (s *Service) Archive(ctx context.Context, ws, templateID string) (Template, error) {
	return s.setStatus(ctx, ws, templateID, Archived)
}

// Restore brings an archived template back.
func (s *Service) Restore(ctx context.Context, ws, templateID string) (Template, error) {
	return s.setStatus(ctx, ws, templateID, Active)
}

func (s *Service) setStatus(ctx context.Context, ws, templateID string, status Status) (Template, error) {
	var out Template
	err := s.tx.InTx(ctx, func(ctx context.Context) error {
		t, err := s.store.Get(ctx, ws, templateID)
		if err != nil {
			return err
		}
		if t.Status != status {
			t.Status, t.UpdatedAt = status, s.clock.Now()
			if err := s.store.SetStatus(ctx, ws, templateID, status, t.UpdatedAt); err != nil {
				return err
			}
		}
		out = t
		return nil
	})
	return out, err
}

// Render fills one version of a template. The same version, variables and options give the same result. Variables without a value
// are left empty and reported; an error means that this letter cannot be made, and would not be made next time, unless it
// comes from the store.
func (s *Service) Render(ctx context.Context, ws, templateID string, version int, vars map[string]any, o RenderOptions) (Rendered, error) {
	key := ws + "/" + templateID + "/" + strconv.Itoa(version)
	e, ok := s.cache.get(key)
	if !ok {
		t, err := s.store.Version(ctx, ws, templateID, version)
		if err != nil {
			return Rendered{}, fmt.Errorf("load template: %w", err)
		}
		k, err := s.kit(ctx, ws, t.Draft, t.Pins)
		if err != nil {
			return Rendered{}, err
		}
		e = &edition{draft: t.Draft, kit: k}
		s.cache.put(key, e)
	}
	c, err := e.forReader(o.Locale)
	if err != nil {
		return Rendered{}, err
	}
	if vars, err = s.withSite(ctx, ws, c, vars); err != nil {
		return Rendered{}, err
	}
	return c.render(vars, o)
}

// PreviewRequest names what to show: a draft, or a version of a template (0: the current one).
type PreviewRequest struct {
	Draft   *Draft
	ID      string
	Version int
	Vars    map[string]any
	Options RenderOptions
}

// Preview is how a letter would look, and what its author should know about it.
type Preview struct {
	Rendered
	Findings []Finding
	Locales  []string // of the template, the main one first
	Chain    []string // where a text for the reader was looked for, in this order
}

// sampleUnsubscribe is where the way out leads in previews.
const sampleUnsubscribe = "https://example.com/unsubscribe"

// Preview fills a draft or a saved version. A draft with errors gives its findings and no letter.
func (s *Service) Preview(ctx context.Context, ws string, r PreviewRequest) (Preview, error) {
	var d Draft
	var saved *Template
	switch {
	case r.Draft != nil:
		d = r.Draft.normal()
		d.Name = cmp.Or(d.Name, "?") // what has not been named yet can be looked at all the same
	case r.Version == 0:
		t, err := s.store.Get(ctx, ws, r.ID)
		if err != nil {
			return Preview{}, err
		}
		d, saved = t.Draft, &t
	default:
		t, err := s.store.Version(ctx, ws, r.ID, r.Version)
		if err != nil {
			return Preview{}, err
		}
		d, saved = t.Draft, &t
	}
	_, k, err := s.pin(ctx, ws, d, false)
	if saved != nil {
		k, err = s.kit(ctx, ws, d, saved.Pins)
	}
	if err != nil {
		return Preview{}, err
	}
	out := Preview{Locales: d.Locales(), Chain: d.Chain(r.Options.Locale)}
	if out.Findings, err = s.findings(ctx, ws, d, k); err != nil {
		return Preview{}, err
	}
	c, err := compile(d, d.choose(r.Options.Locale), k)
	if err != nil {
		return out, nil // the findings say why
	}
	o := r.Options
	o.UnsubscribeURL = cmp.Or(o.UnsubscribeURL, sampleUnsubscribe)
	if o.Now.IsZero() {
		o.Now = s.clock.Now()
	}
	vars, err := s.withSite(ctx, ws, c, r.Vars)
	if err != nil {
		return Preview{}, err
	}
	if _, given := vars["preferences_url"]; !given {
		vars = maps.Clone(vars)
		if vars == nil {
			vars = map[string]any{}
		}
		vars["preferences_url"] = o.UnsubscribeURL
	}
	out.Rendered, err = c.render(vars, o)
	if err != nil {
		out.Findings = append(out.Findings, findingsOf(err)...)
		return out, nil
	}
	for _, f := range out.Problems {
		if f.Code == "missing" && setBySending(f.Name, r.Vars) {
			continue
		}
		if f.Code == "missing" && slices.ContainsFunc(out.Findings, func(g Finding) bool { return g.Code == "unknown" && g.Name == f.Name }) {
			continue // nobody has it, so this person has not
		}
		out.Findings = append(out.Findings, f)
	}
	for _, f := range rendered(out.Rendered) {
		if !slices.ContainsFunc(out.Findings, func(g Finding) bool { return g.Code == f.Code && g.Name == f.Name }) {
			out.Findings = append(out.Findings, f)
		}
	}
	return out, nil
}

// setBySending reports whether a variable is one that only a message on its way has, and that a preview was not given.
func setBySending(name string, given map[string]any) bool {
	root, _, _ := strings.Cut(name, ".")
	_, has := given[root]
	return !has && slices.Contains([]string{"topic", "message", "answers", "vars", "feed", "confirm_url", "topic_name", "topic_description"}, root)
}

// Check returns what the author of a draft should know before anything is sent: errors, unknown variables, and what mail
// programs will do to it.
func (s *Service) Check(ctx context.Context, ws string, d Draft) ([]Finding, error) {
	d = d.normal()
	_, k, err := s.pin(ctx, ws, d, false)
	if err != nil {
		return nil, err
	}
	return s.findings(ctx, ws, d, k)
}

// findingsOf turns validation errors into findings.
func findingsOf(err error) []Finding {
	var out []Finding
	for _, e := range errs.All(err) {
		f := Finding{Field: e.Field, Code: e.Code, Message: e.Msg, Error: true}
		var l *liquid.Error
		if errors.As(e, &l) {
			f.Line, f.Col, f.Message = l.Line, l.Col, l.Msg
		}
		out = append(out, f)
	}
	return out
}
