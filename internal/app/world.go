package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/collect"
	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/privacy"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/domain/workspace"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/guard"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/pipeline"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// world answers what nouns ask about each other through the interfaces that they declare.
type world struct {
	workspaces *workspace.Service
	people     *person.Service
	consent    *consent.Service
	content    *content.Service
	segments   *segment.Service
	privacy    *privacy.Service
	events     event.Store
	members    members
	words      *vocabulary
}

// members knows who belongs to the staff of a workspace.
type members interface {
	Member(ctx context.Context, ws, userID string) (staff.Member, error)
}

// IDs returns person ids by number; consent and journeys know people by id, the event store by number. Replays may merge somebody
// between the moment an event is attributed and the reactions to it, so the number of a loser must lead to the winner.
func (w *world) IDs(ctx context.Context, ws string, nums []uint64) (map[uint64]string, error) {
	return w.people.IDs(ctx, ws, nums)
}

// PersonIDs is IDs under the name that consent asks by.
func (w *world) PersonIDs(ctx context.Context, ws string, nums []uint64) (map[uint64]string, error) {
	return w.IDs(ctx, ws, nums)
}

// Identifiers implements consent.Identifiers.
func (w *world) Identifiers(ctx context.Context, ws string, ids []string) (map[string][]string, error) {
	found, err := w.people.ByIDs(ctx, ws, ids)
	out := make(map[string][]string, len(found))
	for asked, p := range found {
		for _, i := range p.Identifiers {
			out[asked] = append(out[asked], i.Kind+":"+i.Value)
		}
	}
	return out, err
}

// CheckPerson returns the id that a person has now.
func (w *world) CheckPerson(ctx context.Context, ws, id string) (string, error) {
	found, err := w.people.ByIDs(ctx, ws, []string{id})
	if err != nil {
		return "", err
	}
	p, ok := found[id]
	if !ok {
		return "", errs.NotFound("person", id)
	}
	return p.ID, nil
}

// Habits returns where people live and when they open and click; machines' opens say nothing of a person's hours.
func (w *world) Habits(ctx context.Context, ws string, nums []uint64, hours bool) (map[uint64]campaign.Habit, error) {
	home, err := w.workspaces.Get(ctx, ws)
	if err != nil {
		return nil, err
	}
	people, err := w.people.ByNums(ctx, ws, nums)
	if err != nil {
		return nil, err
	}
	var histories map[uint64][]event.Kept
	if hours {
		if histories, err = w.events.Histories(ctx, ws, nums, []string{event.MessageOpened, event.MessageClicked}); err != nil {
			return nil, err
		}
	}
	out := make(map[uint64]campaign.Habit, len(people))
	for _, p := range people {
		h := campaign.Habit{Zone: p.Location(home.Location())}
		for _, e := range histories[p.Num] {
			var by struct {
				Machine bool `json:"machine"`
			}
			if json.Unmarshal(e.Properties, &by) == nil && !by.Machine {
				h.Hours[e.Time.In(h.Zone).Hour()]++
			}
		}
		out[p.Num] = h
	}
	return out, nil
}

// zone is where people of the workspace live whose zone is not known.
func (w *world) zone(ctx context.Context, ws string) (*time.Location, error) {
	found, err := w.workspaces.Get(ctx, ws)
	return found.Location(), err
}

// places returns where people's clocks are, as far as that is known.
func (w *world) places(ctx context.Context, ws string, ids []string) (map[string]*time.Location, error) {
	people, err := w.people.ByIDs(ctx, ws, ids)
	out := make(map[string]*time.Location, len(people))
	for id, p := range people {
		if zone := p.Location(nil); zone != nil {
			out[id] = zone
		}
	}
	return out, err
}

// NeedsApproval says whether the workspace wants a second person to agree to campaigns.
func (w *world) NeedsApproval(ctx context.Context, ws string) (bool, error) {
	found, err := w.workspaces.Get(ctx, ws)
	return found.Settings.ApproveCampaigns, err
}

// addresses returns where each person is reached, per channel kind.
func addresses(people []person.Person) map[string]map[string]string {
	out := make(map[string]map[string]string, len(people))
	for _, p := range people {
		if mail := p.Email(); mail != "" {
			out[p.ID] = map[string]string{content.Email: mail}
		}
	}
	return out
}

// mirror makes the event store's rows of people.
func (w *world) mirror(ctx context.Context, people []person.Person) (out []event.Mirror, err error) {
	byWorkspace := map[string][]person.Person{}
	for _, p := range people {
		byWorkspace[p.Workspace] = append(byWorkspace[p.Workspace], p)
	}
	for ws, all := range byWorkspace {
		rows, err := w.rows(ctx, ws, all)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// ids returns the ids of all workspaces.
func (w *world) ids(ctx context.Context) ([]string, error) {
	all, err := w.workspaces.All(ctx)
	out := make([]string, len(all))
	for i, ws := range all {
		out[i] = ws.ID
	}
	return out, err
}

// everyone hands out all people of all workspaces.
func (w *world) everyone(ctx context.Context, do func(ctx context.Context, people []person.Person) error) error {
	workspaces, err := w.workspaces.All(ctx)
	if err != nil {
		return err
	}
	for _, ws := range workspaces {
		next := page.Request{Limit: page.MaxLimit}
		for {
			found, err := w.people.List(ctx, ws.ID, next)
			if err != nil {
				return err
			}
			if err := do(ctx, found.Items); err != nil {
				return err
			}
			if next.Cursor = found.Next; next.Cursor == "" {
				break
			}
		}
	}
	return nil
}

// lookForDuplicates goes on searching for people who may be one, in all workspaces.
func (w *world) lookForDuplicates(ctx context.Context, limit int) (int64, error) {
	workspaces, err := w.workspaces.All(ctx)
	if err != nil {
		return 0, err
	}
	most := int64(0)
	for _, ws := range workspaces {
		n, err := w.people.LookForDuplicates(ctx, ws.ID, limit)
		if err != nil {
			return 0, err
		}
		most = max(most, n)
	}
	return most, nil
}

func (w *world) rows(ctx context.Context, ws string, people []person.Person) ([]event.Mirror, error) {
	ids := make([]string, len(people))
	for i, p := range people {
		ids[i] = p.ID
	}
	where := addresses(people)
	states, err := w.consent.States(ctx, ws, ids, where)
	if err != nil {
		return nil, err
	}
	held, err := w.consent.Holds(ctx, ws, ids)
	if err != nil {
		return nil, err
	}
	out := make([]event.Mirror, len(people))
	for i, p := range people {
		channels := map[string]rule.Channel{}
		for kind, c := range states[p.ID] {
			channels[kind] = rule.Channel{Reachable: where[p.ID][kind] != "" && !c.Suppressed && len(held[p.ID]) == 0, Topics: c.Topics}
		}
		traits, err := json.Marshal(p.Values())
		if err != nil {
			return nil, fmt.Errorf("traits of %s: %w", p.ID, err)
		}
		ch, err := json.Marshal(channels)
		if err != nil {
			return nil, fmt.Errorf("channels of %s: %w", p.ID, err)
		}
		out[i] = event.Mirror{Workspace: ws, Num: p.Num, ID: p.ID, Traits: traits, Channels: ch, FirstSeen: p.FirstSeen, LastSeen: p.LastSeen}
	}
	return out, nil
}

// Subjects shows people to the rules of journeys as they are now, with the history that the rules ask for.
func (w *world) Subjects(ctx context.Context, ws string, ids, names []string, all bool) (map[string]*rule.Subject, error) {
	found, err := w.people.ByIDs(ctx, ws, ids)
	if err != nil {
		return nil, err
	}
	byNum := make(map[uint64]person.Person, len(found))
	for _, p := range found {
		byNum[p.Num] = p
	}
	people, nums := make([]person.Person, 0, len(byNum)), make([]uint64, 0, len(byNum))
	for num, p := range byNum {
		people, nums = append(people, p), append(nums, num)
	}
	rows, err := w.rows(ctx, ws, people)
	if err != nil {
		return nil, err
	}
	var histories map[uint64][]event.Kept
	if all || len(names) > 0 {
		if all {
			names = nil
		}
		if histories, err = w.events.Histories(ctx, ws, nums, names); err != nil {
			return nil, err
		}
	}
	subjects := make(map[string]*rule.Subject, len(rows))
	for _, m := range rows {
		in, err := w.segments.Membership(ctx, ws, m.Num)
		if err != nil {
			return nil, err
		}
		s := rule.SubjectFrom(m, histories[m.Num], in)
		subjects[m.ID] = &s
	}
	out := make(map[string]*rule.Subject, len(ids))
	for asked, p := range found {
		out[asked] = subjects[p.ID]
	}
	return out, nil
}

// Numbers returns the members of a segment or list, or everybody.
func (w *world) Numbers(ctx context.Context, ws, set string) (*roaring64.Bitmap, error) {
	if set == "" {
		return w.events.Everyone(ctx, ws)
	}
	return w.segments.Members(ctx, ws, set)
}

// Unsettled names the segments whose members are not all known yet.
func (w *world) Unsettled(ctx context.Context, ws string, sets []string) ([]string, error) {
	return w.segments.Unsettled(ctx, ws, sets)
}

// RestsOn returns what it depends on who is in a set.
func (w *world) RestsOn(ctx context.Context, ws, set string) (fields, sets, events []string, err error) {
	return w.segments.RestsOn(ctx, ws, set)
}

// knowsAddress reports whether somebody has a mail address.
func (w *world) knowsAddress(ctx context.Context, ws, address string) (bool, error) {
	_, err := w.people.ByIdentifier(ctx, ws, event.Identifier{Kind: person.KindEmail, Value: address})
	if errs.Is(err, errs.KindNotFound) {
		return false, nil
	}
	return err == nil, err
}

// LastEvents returns when people last had one of the events, or any behaviour of their own. What a machine did with a message is nobody's activity.
func (w *world) LastEvents(ctx context.Context, ws string, ids, names []string) (map[string]time.Time, error) {
	found, err := w.people.ByIDs(ctx, ws, ids)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	var nums, kinds []any
	for _, p := range found {
		nums = append(nums, p.Num)
	}
	which := "type IN ('track', 'page', 'screen')"
	if len(names) > 0 {
		for _, n := range names {
			kinds = append(kinds, n)
		}
		in := strings.TrimSuffix(strings.Repeat("?, ", len(names)), ", ")
		which = "(name IN (" + in + ") OR (type IN ('page', 'screen') AND type IN (" + in + ")))"
		kinds = append(kinds, kinds...)
	}
	rows, err := w.events.Query(ctx, "SELECT person, MAX(time) FROM event WHERE ws = ? AND person IN ("+
		strings.TrimSuffix(strings.Repeat("?, ", len(nums)), ", ")+") AND "+which+
		" AND NOT (type = 'message' AND COALESCE(json_extract_string(props, '$.machine') = 'true', FALSE)) GROUP BY person", append(append([]any{ws}, nums...), kinds...))
	if err != nil {
		return nil, err
	}
	last := make(map[uint64]time.Time, len(rows))
	for _, r := range rows {
		last[r[0].(uint64)] = time.UnixMicro(r[1].(int64)).UTC()
	}
	out := make(map[string]time.Time, len(ids))
	for asked, p := range found {
		if at, ok := last[p.Num]; ok {
			out[asked] = at
		}
	}
	return out, nil
}

// ChangeTraits writes traits for a journey.
func (w *world) ChangeTraits(ctx context.Context, ws, id string, traits map[string]any, increment map[string]float64, cause string) error {
	return w.people.ChangeTraits(ctx, ws, id, traits, increment, cause)
}

// CheckTemplate reports a template that messages cannot be made of.
func (w *world) CheckTemplate(ctx context.Context, ws, id string) error {
	t, err := w.content.Get(ctx, ws, id)
	if err != nil {
		return err
	}
	if t.Status == content.Archived {
		return errs.Conflict("template.archived", "the template %q is archived", t.Name)
	}
	return w.content.CheckSite(ctx, ws, t)
}

// CheckVariables reports what a template writes out and nobody has. Now says that it goes to people who are known already: then a trait that none of them has
// is reported, too. Whoever enters a journey may bring it along.
func (w *world) CheckVariables(ctx context.Context, ws, id string, now bool) error {
	if !now {
		return w.content.CheckVariables(ctx, ws, id, nil)
	}
	return w.content.CheckVariables(ctx, ws, id, w.segments.AnybodyHas)
}

// TemplateVersion returns the current version of a template.
func (w *world) TemplateVersion(ctx context.Context, ws, id string) (int, error) {
	t, err := w.content.Get(ctx, ws, id)
	return t.Version, err
}

// CheckTopic reports a topic that nothing can be sent on.
func (w *world) CheckTopic(ctx context.Context, ws, id string) error {
	t, err := w.consent.Topic(ctx, ws, id)
	if err != nil {
		return err
	}
	if t.Archived {
		return errs.Conflict("topic.archived", "the topic %q is archived", t.Name)
	}
	return nil
}

// CheckList reports a list that does not exist.
func (w *world) CheckList(ctx context.Context, ws, id string) error {
	_, err := w.segments.GetList(ctx, ws, id)
	return err
}

// Change implements journey.Lists.
func (w *world) Change(ctx context.Context, ws, list, who string, remove bool) error {
	change := w.segments.AddToList
	if remove {
		change = w.segments.RemoveFromList
	}
	_, err := change(ctx, ws, list, []segment.Entry{{PersonID: who}})
	return err
}

// caller lets journeys call addresses that users gave.
type caller struct{ *guard.Guard }

// Call implements journey.Caller.
func (c caller) Call(ctx context.Context, r journey.CallRequest) (journey.CallAnswer, error) {
	a, err := c.Do(ctx, guard.Request{Method: r.Method, URL: r.URL, Header: r.Header, Body: r.Body, Timeout: r.Timeout, MaxBody: r.MaxBody})
	if err != nil {
		return journey.CallAnswer{}, err
	}
	out := journey.CallAnswer{Status: a.Status, Body: a.Body, Truncated: a.Truncated}
	// The other form of the header, a date, is left alone: our own back-off is as good a guess as a foreign clock.
	if seconds, err := strconv.Atoi(a.Header.Get("Retry-After")); err == nil && seconds > 0 {
		out.RetryAfter = time.Duration(min(seconds, 24*60*60)) * time.Second
	}
	return out, nil
}

// sendingNeeds returns the categories of consent that sending needs.
func (w *world) sendingNeeds(ctx context.Context, ws string) ([]string, error) {
	r, err := w.privacy.Rules(ctx, ws)
	return r.Send, err
}

// withheld tells of which events webhooks may not tell: what an event says of consent counts for it, else what its person said last.
func (w *world) withheld(ctx context.Context, ws string, events []event.Kept) (func(event.Kept) bool, error) {
	r, err := w.privacy.Rules(ctx, ws)
	if err != nil || len(r.Forward) == 0 {
		return func(event.Kept) bool { return false }, err
	}
	nums := make([]uint64, len(events))
	for i, k := range events {
		nums[i] = k.Person
	}
	ids, err := w.people.IDs(ctx, ws, nums)
	if err != nil {
		return nil, err
	}
	people, err := w.people.ByIDs(ctx, ws, slices.Collect(maps.Values(ids)))
	if err != nil {
		return nil, err
	}
	return func(k event.Kept) bool {
		said := event.PreferencesOf(k.Context)
		if said == nil {
			said = people[ids[k.Person]].Preferences()
		}
		return len(said.Lacks(r.Forward)) > 0
	}, nil
}

// CheckField refuses a field that may not be asked about.
func (w *world) CheckField(ctx context.Context, ws, field string) error {
	return w.privacy.Askable(ctx, ws, field)
}

// CheckSet reports a segment or list that does not exist, and a segment that is archived: who is in it is who was in it then.
func (w *world) CheckSet(ctx context.Context, ws, id string) error {
	if _, err := w.segments.Members(ctx, ws, id); err != nil {
		return err
	}
	found, err := w.segments.Get(ctx, ws, id)
	switch {
	case errs.Is(err, errs.KindNotFound): // a list
		return nil
	case err == nil && found.Status == segment.Archived:
		return errs.Conflict("segment.archived", "the segment %q is archived", found.Name)
	}
	return err
}

// CheckChannel reports a kind of channel that this installation does not have.
func (w *world) CheckChannel(_ context.Context, _, kind string) error {
	if !slices.ContainsFunc(channels(), func(c channel.Spec) bool { return c.Kind == kind }) {
		return errs.NotFound("channel", kind)
	}
	return nil
}

// CheckMember reports somebody who does not belong to the staff of the workspace.
func (w *world) CheckMember(ctx context.Context, ws, user string) error {
	_, err := w.members.Member(ctx, ws, user)
	return err
}

// PersonVariables lists what texts may name of a person.
func (w *world) PersonVariables(ctx context.Context, ws string) ([]string, error) {
	known, err := w.words.Known(ctx, ws)
	return slices.DeleteFunc(slices.Clone(known), func(k string) bool { return !strings.HasPrefix(k, "person.") }), err
}

// names tells reports what ids stand for.
type names struct{ *world }

// Topic implements report.Names.
func (n names) Topic(ctx context.Context, ws, id string) (string, error) {
	t, err := n.consent.Topic(ctx, ws, id)
	return t.Name, err
}

// Template implements report.Names.
func (n names) Template(ctx context.Context, ws, id string) (string, error) {
	t, err := n.content.Get(ctx, ws, id)
	return t.Name, err
}

// Subject implements report.Names.
func (n names) Subject(ctx context.Context, ws, template string, version int) (string, error) {
	t, err := n.content.Version(ctx, ws, template, version)
	return t.Subject, err
}

// kit makes what ready-made journeys refer to.
type kit struct{ *world }

// EnsureTopic returns the topic with the name, making it if there is none.
func (k kit) EnsureTopic(ctx context.Context, ws, _ string, ready journey.ReadyTopic) (string, error) {
	all, err := k.consent.Topics(ctx, ws)
	if err != nil {
		return "", err
	}
	for _, t := range all {
		if t.Name == ready.Name && !t.Archived {
			return t.ID, nil
		}
	}
	t, err := k.consent.CreateTopic(ctx, ws, consent.Topic{Name: ready.Name, Channels: []string{content.Email}, OptIn: consent.OptIn(ready.OptIn)})
	return t.ID, err
}

// EnsureTemplate returns the template with the key, making it if there is none.
func (k kit) EnsureTemplate(ctx context.Context, ws, key string, l journey.Letter) (string, error) {
	t, err := k.content.Ensure(ctx, ws, key, l.Draft())
	return t.ID, err
}

// EnsureSegment returns the segment with the name, making it if there is none.
func (k kit) EnsureSegment(ctx context.Context, ws, _, name string, raw json.RawMessage) (string, error) {
	found, err := k.segments.Segments(ctx, ws, segment.Filter{Status: segment.Active, Text: name}, page.Request{Limit: page.MaxLimit})
	if err != nil {
		return "", err
	}
	for _, s := range found.Items {
		if s.Name == name {
			return s.ID, nil
		}
	}
	s, err := k.segments.Create(ctx, ws, segment.Draft{Name: name, Rule: raw})
	return s.ID, err
}

// sources shows the intake the write keys of all workspaces.
type sources struct{ workspaces *workspace.Service }

// SourceByWriteKey implements collect.Sources.
func (s sources) SourceByWriteKey(ctx context.Context, key string) (collect.Source, error) {
	src, err := s.workspaces.SourceByWriteKey(ctx, key)
	if errs.Is(err, errs.KindUnauthenticated) {
		w, moved, err := s.workspaces.MovedKey(ctx, key)
		if err == nil && moved {
			err = errs.Unauthenticated("workspace.moved", "the workspace %q has moved to %s: send its events there, with the same write key", w.Name, w.To)
		}
		return collect.Source{}, cmp.Or(err, error(errs.NotFound("source", "with this write key")))
	}
	if err != nil {
		return collect.Source{}, err
	}
	return collect.Source{ID: src.ID, Workspace: src.Workspace, Browser: src.Kind == workspace.Browser}, nil
}

// pending shows the relay the internal events on their way to the log.
type pending struct{ *sqlstore.PendingEvent }

// Next implements pipeline.PendingStore.
func (p pending) Next(ctx context.Context, limit int) ([]pipeline.Pending, error) {
	found, err := p.PendingEvent.Next(ctx, limit)
	out := make([]pipeline.Pending, len(found))
	for i, f := range found {
		out[i] = pipeline.Pending(f)
	}
	return out, err
}

// byID tells nouns that know people by id alone of merges.
type byID struct {
	noun interface {
		PeopleMerged(ctx context.Context, ws, loser, winner string) error
	}
}

// PeopleMerged implements person.MergeObserver.
func (b byID) PeopleMerged(ctx context.Context, ws string, loser, winner person.Ref) error {
	return b.noun.PeopleMerged(ctx, ws, loser.ID, winner.ID)
}

// PersonSplit implements person.SplitObserver.
func (b byID) PersonSplit(ctx context.Context, ws string, from, made person.Ref) error {
	if noun, ok := b.noun.(interface {
		PersonSplit(ctx context.Context, ws, from, made string) error
	}); ok {
		return noun.PersonSplit(ctx, ws, from.ID, made.ID)
	}
	return nil
}

// publisher puts events on the log and returns once they are on disk.
type publisher struct {
	writer *bus.Writer
	vault  event.Vault
}

// Publish implements tracking.Log.
func (p publisher) Publish(ctx context.Context, events ...event.Event) error {
	items, err := event.EncodeSealed(events, p.vault)
	if err != nil {
		return err
	}
	return p.writer.Append(ctx, items)
}

// sender is what the first brand kit of a workspace begins with.
func (w *world) sender(ctx context.Context, ws string) (content.Sender, error) {
	found, err := w.workspaces.Get(ctx, ws)
	if err != nil {
		return content.Sender{}, err
	}
	name := found.Settings.SenderName
	if name == "" {
		name = found.Name
	}
	return content.Sender{Name: name, PostalAddress: found.Settings.PostalAddress, Locale: found.Locale, Site: found.Settings.SiteURL}, nil
}
