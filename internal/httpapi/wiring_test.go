package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/privacy"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/domain/workspace"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// parts answers what nouns ask about each other.
type parts struct {
	workspaces *workspace.Service
	people     *person.Service
	consent    *consent.Service
	content    *content.Service
	segments   *segment.Service
	privacy    *privacy.Service
	events     event.Store
}

func (p *parts) IDs(ctx context.Context, ws string, nums []uint64) (map[uint64]string, error) {
	found, err := p.people.ByNums(ctx, ws, nums)
	ids := map[uint64]string{}
	for _, f := range found {
		ids[f.Num] = f.ID
	}
	return ids, err
}

func (p *parts) PersonIDs(ctx context.Context, ws string, nums []uint64) (map[uint64]string, error) {
	return p.IDs(ctx, ws, nums)
}

// mirror makes the event store's rows of people.
func (p *parts) mirror(ctx context.Context, refs []person.Ref) ([]event.Mirror, error) {
	var out []event.Mirror
	for _, r := range refs {
		found, err := p.people.ByNums(ctx, r.Workspace, []uint64{r.Num})
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			m, err := p.row(ctx, f)
			if err != nil {
				return nil, err
			}
			out = append(out, m)
		}
	}
	return out, nil
}

func (p *parts) row(ctx context.Context, f person.Person) (event.Mirror, error) {
	states, err := p.consent.States(ctx, f.Workspace, []string{f.ID}, map[string]map[string]string{f.ID: {content.Email: f.Email()}})
	if err != nil {
		return event.Mirror{}, err
	}
	channels := map[string]rule.Channel{}
	for kind, c := range states[f.ID] {
		channels[kind] = rule.Channel{Reachable: f.Email() != "" && !c.Suppressed, Topics: c.Topics}
	}
	traits, err1 := json.Marshal(f.Values())
	ch, err2 := json.Marshal(channels)
	return event.Mirror{Workspace: f.Workspace, Num: f.Num, ID: f.ID, Traits: traits, Channels: ch, FirstSeen: f.FirstSeen, LastSeen: f.LastSeen}, errors.Join(err1, err2)
}

func (p *parts) Subjects(ctx context.Context, ws string, ids, names []string, all bool) (map[string]*rule.Subject, error) {
	found, err := p.people.ByIDs(ctx, ws, ids)
	if err != nil {
		return nil, err
	}
	if all {
		names = nil
	}
	out := map[string]*rule.Subject{}
	for asked, f := range found {
		m, err := p.row(ctx, f)
		if err != nil {
			return nil, err
		}
		history, err := p.events.Histories(ctx, ws, []uint64{f.Num}, names)
		if err != nil {
			return nil, err
		}
		in, err := p.segments.Membership(ctx, ws, f.Num)
		if err != nil {
			return nil, err
		}
		s := rule.SubjectFrom(m, history[f.Num], in)
		out[asked] = &s
	}
	return out, nil
}

func (p *parts) CheckTemplate(ctx context.Context, ws, id string) error {
	_, err := p.content.Get(ctx, ws, id)
	return err
}

func (p *parts) CheckVariables(ctx context.Context, ws, id string, now bool) error {
	if !now {
		return p.content.CheckVariables(ctx, ws, id, nil)
	}
	return p.content.CheckVariables(ctx, ws, id, p.segments.AnybodyHas)
}

func (p *parts) TemplateVersion(ctx context.Context, ws, id string) (int, error) {
	t, err := p.content.Get(ctx, ws, id)
	return t.Version, err
}

func (p *parts) CheckTopic(ctx context.Context, ws, id string) error {
	_, err := p.consent.Topic(ctx, ws, id)
	return err
}

func (p *parts) CheckPerson(ctx context.Context, ws, id string) (string, error) {
	found, err := p.people.ByIDs(ctx, ws, []string{id})
	if err == nil && found[id].ID == "" {
		return "", errs.NotFound("person", id)
	}
	return found[id].ID, err
}

func (p *parts) NeedsApproval(ctx context.Context, ws string) (bool, error) {
	w, err := p.workspaces.Get(ctx, ws)
	return w.Settings.ApproveCampaigns, err
}

// Habits knows of everyone to live in Tokyo.
func (p *parts) Habits(_ context.Context, _ string, nums []uint64, _ bool) (map[uint64]campaign.Habit, error) {
	out := map[uint64]campaign.Habit{}
	for _, n := range nums {
		out[n] = campaign.Habit{Zone: time.FixedZone("JST", 9*60*60)}
	}
	return out, nil
}

func (p *parts) CheckList(ctx context.Context, ws, id string) error {
	_, err := p.segments.GetList(ctx, ws, id)
	return err
}

func (p *parts) Change(ctx context.Context, ws, list, who string, remove bool) error {
	change := p.segments.AddToList
	if remove {
		change = p.segments.RemoveFromList
	}
	_, err := change(ctx, ws, list, []segment.Entry{{PersonID: who}})
	return err
}

func (p *parts) Check(string) error { return nil }

// Call answers like a small CRM.
func (p *parts) Call(context.Context, journey.CallRequest) (journey.CallAnswer, error) {
	return journey.CallAnswer{Status: 200, Body: []byte(`{"tier":"gold"}`)}, nil
}

func (p *parts) CheckField(ctx context.Context, ws, field string) error {
	return p.privacy.Askable(ctx, ws, field)
}

func (p *parts) CheckChannel(_ context.Context, _, kind string) error {
	if kind != "email" {
		return errs.NotFound("channel", kind)
	}
	return nil
}

func (p *parts) PersonVariables(context.Context, string) ([]string, error) {
	return []string{"person.*"}, nil
}

func (p *parts) CheckMember(context.Context, string, string) error { return nil }

func (p *parts) CheckSet(ctx context.Context, ws, id string) error {
	_, err := p.segments.Members(ctx, ws, id)
	return err
}

func (p *parts) Numbers(ctx context.Context, ws, set string) (*roaring64.Bitmap, error) {
	if set == "" {
		return p.events.Everyone(ctx, ws)
	}
	return p.segments.Members(ctx, ws, set)
}

func (p *parts) Unsettled(ctx context.Context, ws string, sets []string) ([]string, error) {
	return p.segments.Unsettled(ctx, ws, sets)
}

func (p *parts) RestsOn(ctx context.Context, ws, set string) (fields, sets, events []string, err error) {
	return p.segments.RestsOn(ctx, ws, set)
}

func (p *parts) LastEvents(context.Context, string, []string, []string) (map[string]time.Time, error) {
	return nil, nil // the application's is tested there
}

// kit makes what ready-made journeys refer to.
type kit struct{ *parts }

func (k kit) EnsureTopic(ctx context.Context, ws, key string, t journey.ReadyTopic) (string, error) {
	made, err := k.consent.CreateTopic(ctx, ws, consent.Topic{Name: t.Name, Channels: []string{content.Email}, OptIn: consent.OptIn(t.OptIn)})
	if errs.Is(err, errs.KindConflict) {
		all, err := k.consent.Topics(ctx, ws)
		for _, known := range all {
			if known.Name == t.Name {
				return known.ID, err
			}
		}
	}
	return made.ID, err
}

func (k kit) EnsureTemplate(ctx context.Context, ws, key string, l journey.Letter) (string, error) {
	made, err := k.content.Ensure(ctx, ws, key, l.Draft())
	return made.ID, err
}

func (k kit) EnsureSegment(ctx context.Context, ws, _, name string, rule json.RawMessage) (string, error) {
	s, err := k.segments.Create(ctx, ws, segment.Draft{Name: name, Rule: rule})
	return s.ID, err
}

// names tells reports what ids stand for.
type names struct{ *parts }

func (n names) Topic(ctx context.Context, ws, id string) (string, error) {
	t, err := n.consent.Topic(ctx, ws, id)
	return t.Name, err
}

func (n names) Template(ctx context.Context, ws, id string) (string, error) {
	t, err := n.content.Get(ctx, ws, id)
	return t.Name, err
}

func (n names) Subject(ctx context.Context, ws, template string, version int) (string, error) {
	t, err := n.content.Version(ctx, ws, template, version)
	return t.Subject, err
}

func (p *parts) zone(ctx context.Context, ws string) (*time.Location, error) {
	found, err := p.workspaces.Get(ctx, ws)
	return found.Location(), err
}
