package consent

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// ApplyEvents takes consent from track events named "Subscribed" and "Unsubscribed" that came in from outside, as forms, shops and
// imports send them. Properties: topic (id or name; "all" or "*" for every topic), channel (default "email"),
// source, evidence. Without a topic, Unsubscribed means every topic, and Subscribed the workspace's only topic. An
// event that names no known topic says nothing and is passed over. Idempotent by message id.
//
// Whoever gets an address that was suppressed while nobody had it, as imports do, is told so on their timeline: from then on the entry is theirs.
func (s *Service) ApplyEvents(ctx context.Context, events []event.Kept) error {
	byWorkspace := map[string][]event.Kept{}
	for _, e := range events {
		if e.Type == event.Track && (e.Name == event.Subscribed || e.Name == event.Unsubscribed) {
			byWorkspace[e.Workspace] = append(byWorkspace[e.Workspace], e)
		}
	}
	if err := s.claim(ctx, events); err != nil {
		return fmt.Errorf("claim suppressed addresses: %w", err)
	}
	for ws, evs := range byWorkspace {
		if err := s.applyWorkspace(ctx, ws, evs); err != nil {
			return fmt.Errorf("consent from events: %w", err)
		}
	}
	return nil
}

// addressed are the kinds of identifiers that are addresses, with the channel that writes to them.
var addressed = map[string]string{"email": "email", "phone": "sms"}

// place is an address of a channel in a workspace.
type place struct{ ws, channel, hash string }

// claim ties entries of nobody to the first person whose event carries the address.
func (s *Service) claim(ctx context.Context, events []event.Kept) error {
	carried, hashes := map[place]event.Kept{}, map[[2]string][]string{}
	for _, e := range events {
		for _, id := range e.Identifiers {
			ch := addressed[id.Kind]
			if ch == "" || e.Person == 0 || id.Value == "" {
				continue
			}
			at := place{e.Workspace, ch, s.hash(e.Workspace, ch, id.Value)}
			if _, known := carried[at]; !known {
				carried[at] = e
				hashes[[2]string{at.ws, ch}] = append(hashes[[2]string{at.ws, ch}], at.hash)
			}
		}
	}
	for of, list := range hashes {
		ws, ch := of[0], of[1]
		found, err := s.store.Suppressed(ctx, ws, ch, list)
		if err != nil {
			return err
		}
		var nums []uint64
		for h, entry := range found {
			if entry.PersonID != "" || entry.Reason == Erased { // the erased are nobody's for good
				delete(found, h)
				continue
			}
			nums = append(nums, carried[place{ws, ch, h}].Person)
		}
		if len(nums) == 0 {
			continue
		}
		people, err := s.people.PersonIDs(ctx, ws, nums)
		if err != nil {
			return err
		}
		var entries []Suppression
		var told []event.Event
		for _, h := range slices.Sorted(maps.Keys(found)) {
			e, entry := carried[place{ws, ch, h}], found[h]
			if entry.PersonID = people[e.Person]; entry.PersonID == "" {
				continue
			}
			entries = append(entries, entry)
			told = append(told, internal(ws, fmt.Sprintf("suppressed:%s:%s:%s:claimed", ch, h, entry.PersonID), event.Suppressed, entry.PersonID, e.Time, s.clock.Now(),
				map[string]string{"channel": ch, "reason": string(entry.Reason), "source": string(entry.Reason)}))
		}
		err = s.tx.InTx(ctx, func(ctx context.Context) error {
			if _, err := s.store.PutSuppressions(ctx, ws, entries); err != nil {
				return err
			}
			return s.emit(ctx, told)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) applyWorkspace(ctx context.Context, ws string, events []event.Kept) error {
	nums := make([]uint64, len(events))
	for i, e := range events {
		nums[i] = e.Person
	}
	people, err := s.people.PersonIDs(ctx, ws, nums)
	if err != nil {
		return fmt.Errorf("find people: %w", err)
	}
	topics, err := s.store.Topics(ctx, ws)
	if err != nil {
		return err
	}
	var changes []Change
	for _, e := range events {
		pid := people[e.Person]
		if pid == "" {
			continue
		}
		if c, ok := statement(e, topics); ok {
			c.PersonID = pid
			changes = append(changes, c)
		}
	}
	return s.Change(ctx, ws, changes...)
}

// importSource begins the sources of events that a file has brought: the ids of jobs.
const importSource = "job_"

// channelKind is what a channel's kind looks like; whether there is such a channel does not matter to what a person said.
var channelKind = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// statement reads one event.
func statement(e event.Kept, topics []Topic) (Change, bool) {
	// Properties come from outside: a field of the wrong type is as good as missing.
	var props map[string]any
	_ = json.Unmarshal(e.Properties, &props)
	text := func(key string) string {
		v, _ := props[key].(string)
		return strings.TrimSpace(v)
	}
	c := Change{
		Channel: strings.ToLower(text("channel")), Status: Subscribed, At: e.Time, Cause: e.MessageID,
		Source: "event:" + string(e.Origin), Evidence: text("evidence"),
	}
	if e.Name == event.Unsubscribed {
		c.Status = Unsubscribed
	}
	if strings.HasPrefix(e.Source, importSource) {
		// Whoever imports vouches for the proof. A yes without a date may be older than a no that we know.
		dated, _ := props["dated"].(bool)
		c.Confirmed, c.Yields = true, !dated
	}
	if c.Channel == "" {
		c.Channel = "email"
	}
	if from := text("source"); from != "" {
		c.Source += ":" + from
	}
	if !channelKind.MatchString(c.Channel) {
		return Change{}, false
	}
	name := text("topic")
	switch {
	case name == AllTopics || strings.EqualFold(name, "all"):
		// "Yes to everything" is no informed consent; it only takes a former no to everything back.
		c.Topic = AllTopics
	case name == "" && c.Status == Unsubscribed:
		c.Topic = AllTopics
	case name == "":
		for _, t := range topics {
			if t.Archived {
				continue
			}
			if c.Topic != "" {
				return Change{}, false
			}
			c.Topic = t.ID
		}
	default:
		for _, t := range topics {
			if t.ID == name || strings.EqualFold(t.Name, name) {
				c.Topic = t.ID
			}
		}
	}
	return c, c.Topic != ""
}
