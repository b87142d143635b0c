package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"

	"github.com/kizuna-cx/kizuna/internal/demo"
	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/persona"
	"github.com/kizuna-cx/kizuna/internal/domain/privacy"
	"github.com/kizuna-cx/kizuna/internal/domain/sample"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/domain/workspace"
	"github.com/kizuna-cx/kizuna/internal/feed"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/shared"
)

// letGo lets people go whom one source alone has brought.
type letGo struct {
	events  shared.Keeper
	people  *person.Service
	privacy *privacy.Service
	still   *quiet
	loose   bool // also those whom mails were sent to, or of whom staff have said something
}

// Brought implements sample.People and importer.Origins.
func (l letGo) Brought(ctx context.Context, ws, source string) (people, own int64, err error) {
	if l.loose {
		return l.events.Told(ctx, ws, source)
	}
	return l.events.Brought(ctx, ws, source)
}

// Own implements sample.People and importer.Origins.
func (l letGo) Own(ctx context.Context, ws, source string) ([]string, error) {
	nums, err := l.events.Own(ctx, ws, source, l.loose)
	if err != nil {
		return nil, err
	}
	ids, err := l.people.IDs(ctx, ws, nums)
	return slices.Sorted(maps.Values(ids)), err
}

// Remove implements sample.People and importer.Origins.
func (l letGo) Remove(ctx context.Context, ws string, people []string, progress func(done int) error) error {
	return l.privacy.Remove(ctx, ws, people, progress)
}

// Drop implements sample.People.
func (l letGo) Drop(ctx context.Context, ws, source string) error {
	return l.events.DropSource(ctx, ws, source)
}

// Quiet implements sample.People.
func (l letGo) Quiet(ctx context.Context) error { return l.still.wait(ctx) }

// ender takes sample things out of use.
type ender struct {
	*application
	forget func() // what the intake remembers of write keys
}

// End implements sample.Ender.
func (e ender) End(ctx context.Context, ws string, t sample.Thing) error {
	var err error
	switch t.Noun {
	case sample.Source:
		_, err = e.workspaces.UpdateSource(ctx, ws, t.ID, t.Name, true)
		e.forget()
	case sample.Journey:
		_, err = e.journeys.End(ctx, ws, t.ID, true)
	case sample.Campaign:
		_, err = e.campaigns.Cancel(ctx, ws, t.ID)
	case sample.Account:
		err = e.messages.DeleteAccount(ctx, ws, t.ID)
	case sample.Site:
		err = e.leaveSite(ctx, ws, t.ID)
	}
	if errs.Is(err, errs.KindNotFound) || errs.Is(err, errs.KindConflict) { // gone, or over already
		return nil
	}
	return err
}

func (e ender) leaveSite(ctx context.Context, ws, address string) error {
	w, err := e.workspaces.Get(ctx, ws)
	if err != nil || w.Settings.SiteURL != address {
		return err
	}
	w.Settings.SiteURL = ""
	_, err = e.workspaces.Update(ctx, w)
	return err
}

// sampler makes the sample business in a workspace.
type sampler struct {
	*application
	intake http.Handler
}

const (
	sampleSource    = "Aoba Tea (sample)"
	sampleCustomers = 400
)

// sampleKey returns the write key of the source that the sample's events come through, and makes the source if there is none and make is true; else the key is empty.
func (s sampler) sampleKey(ctx context.Context, ws string, make bool) (key string, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		key = ""
		l, err := s.sample.Look(ctx, ws)
		if err != nil {
			return err
		}
		var src workspace.Source
		switch {
		case len(l.Source) > 0:
			src, err = s.workspaces.Source(ctx, ws, l.Source[0])
		case make:
			if src, err = s.workspaces.CreateSource(ctx, ws, workspace.Source{Name: sampleSource, Kind: workspace.Server}); err == nil {
				err = s.sample.Own(ctx, ws, sample.Thing{Noun: sample.Source, ID: src.ID})
			}
		}
		key = src.WriteKey
		return err
	})
	return key, err
}

// Things implements sample.Filler. Nobody of the sample is subscribed to anything, and no journey is live: nothing is sent to addresses that do not exist.
func (s sampler) Things(ctx context.Context, ws, locale string) error {
	if _, err := s.sampleKey(ctx, ws, true); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	if _, err := s.sampleSegments(ctx, ws); err != nil {
		return fmt.Errorf("segments: %w", err)
	}
	if err := s.samplePersona(ctx, ws, locale); err != nil {
		return fmt.Errorf("persona: %w", err)
	}
	if _, err := s.journeysOf(ctx, ws, locale, "abandoned_cart", "win_back"); err != nil {
		return fmt.Errorf("journeys: %w", err)
	}
	letter, err := s.sampleLetter(ctx, ws, locale, s.shop(nil))
	if err != nil {
		return fmt.Errorf("letter: %w", err)
	}
	return s.sampleCampaign(ctx, ws, letter)
}

// Events implements sample.Filler.
func (s sampler) Events(ctx context.Context, ws, _ string, progress func(share float64) error) error {
	key, err := s.sampleKey(ctx, ws, true)
	if err != nil {
		return err
	}
	history := demo.History(sampleCustomers, s.clock.Now(), s.shop(nil))
	total := history.(interface{ Len() int }).Len()
	var failed error
	p, err := feed.Run(ctx, history, feed.Options{
		Server: "http://intake", WriteKey: key, Client: &http.Client{Transport: within{s.intake}},
		Progress: func(p feed.Progress) {
			if failed == nil {
				failed = progress(float64(p.Rows) / float64(max(total, 1)))
			}
		},
	})
	if err == nil {
		err = failed
	}
	if err == nil && p.Rejected > 0 {
		err = fmt.Errorf("the intake refused %d of %d sample events", p.Rejected, p.Rows)
	}
	return err
}

// within is the way to a handler of this process.
type within struct{ http.Handler }

// RoundTrip implements http.RoundTripper.
func (w within) RoundTrip(r *http.Request) (*http.Response, error) {
	out := &answered{header: http.Header{}, status: http.StatusOK}
	w.ServeHTTP(out, r)
	return &http.Response{StatusCode: out.status, Header: out.header, Body: io.NopCloser(&out.body), Request: r}, nil
}

// answered holds what a handler has answered.
type answered struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answered) Header() http.Header         { return a.header }
func (a *answered) WriteHeader(status int)      { a.status = status }
func (a *answered) Write(p []byte) (int, error) { return a.body.Write(p) }

func (s sampler) shop(topics []string) demo.Shop {
	return demo.Shop{Topics: topics, Pictures: s.c.PublicURL + "/demo/pictures/"}
}

func (s sampler) journeysOf(ctx context.Context, ws, locale string, keys ...string) ([]journey.Journey, error) {
	return s.journeys.Install(ctx, ws, locale, s.kit, keys...)
}

// sampleSegments makes segments and returns the one that the letter goes to; empty if it was made before.
func (s sampler) sampleSegments(ctx context.Context, ws string) (audience string, err error) {
	for _, g := range []segment.Draft{
		{Name: "Here right now", Description: "did something in the last five minutes", Rule: json.RawMessage(`{"event":{"type":"page","op":"gte","value":1,"window":{"within":{"n":5,"unit":"minute"}}}}`)},
		{Name: "Cart left today", Description: "put something into the cart in the last day and did not order since", Rule: json.RawMessage(`{"all":[{"event":{"name":"Product Added","op":"gte","value":1,"window":{"within":{"n":1,"unit":"day"}}}},{"event":{"name":"Order Completed","op":"eq","value":0,"window":{"within":{"n":1,"unit":"day"}}}}]}`)},
		{Name: "Regulars", Description: "three orders or more in ninety days", Rule: json.RawMessage(`{"order":{"agg":"count","op":"gte","value":3,"window":{"within":{"n":90,"unit":"day"}}}}`)},
		{Name: "Green tea on the phone in Japan", Rule: json.RawMessage(`{"all":[{"trait":{"path":"country","op":"eq","value":"JP"}},{"event":{"name":"Product Viewed","op":"gte","value":2,"filter":[{"path":"category","op":"eq","value":"green tea"}]}},{"device":{"path":"type","op":"eq","value":"mobile"}}]}`)},
		{Name: "Customers we can write to", Description: "an address, and ordered at least once", Rule: json.RawMessage(`{"all":[{"channel":{"kind":"email","reachable":true}},{"order":{"agg":"count","op":"gte","value":1}}]}`)},
	} {
		made, err := s.segments.Create(ctx, ws, g)
		if err != nil && !errs.Is(err, errs.KindConflict) {
			return "", err
		}
		if err == nil {
			audience = made.ID
		}
	}
	return audience, nil
}

// samplePersona makes the sample's archetype, who stands for its regulars, and the map of their way.
func (s sampler) samplePersona(ctx context.Context, ws, locale string) error {
	found, err := s.segments.Segments(ctx, ws, segment.Filter{Status: segment.Active, Text: "Regulars"}, page.Request{Limit: 1})
	if err != nil || len(found.Items) == 0 {
		return err
	}
	var p persona.Persona
	p, err = s.personas.Create(ctx, ws, demo.Persona(locale, found.Items[0].ID))
	if errs.Is(err, errs.KindConflict) {
		return nil // made by an earlier start
	}
	if err != nil {
		return err
	}
	way, err := demo.Map(locale, p.ID)
	if err == nil {
		_, err = s.maps.Create(ctx, ws, way)
	}
	return err
}

func (s sampler) sampleLetter(ctx context.Context, ws, locale string, shop demo.Shop) (content.Template, error) {
	draft, err := demo.Letter(locale, shop)
	if err != nil {
		return content.Template{}, err
	}
	return s.content.Ensure(ctx, ws, "demo_letter", draft)
}

const sampleCampaignName = "Tea letter (sample)"

// sampleCampaign makes a draft that shows how the parts belong together.
func (s sampler) sampleCampaign(ctx context.Context, ws string, letter content.Template) error {
	found, err := s.segments.Segments(ctx, ws, segment.Filter{Status: segment.Active, Text: "Regulars"}, page.Request{Limit: 1})
	if err != nil || len(found.Items) == 0 {
		return err
	}
	topics, err := s.consent.Topics(ctx, ws)
	if err != nil || len(topics) == 0 {
		return err
	}
	all, err := s.campaigns.List(ctx, ws, campaign.Filter{}, page.Request{Limit: page.MaxLimit})
	if err != nil {
		return err
	}
	if slices.ContainsFunc(all.Items, func(c campaign.Campaign) bool { return c.Name == sampleCampaignName }) {
		return nil // made before the adding was cut off
	}
	_, err = s.campaigns.Create(ctx, ws, campaign.Campaign{
		Name: sampleCampaignName, Channel: content.Email, Topic: topics[0].ID, Template: letter.ID, Audience: campaign.Audience{Include: []string{found.Items[0].ID}},
	})
	return err
}
