package outbox

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// sentProps are the properties by which a message that the log knows is known to records that do not: they were set back to a moment before it was sent.
type sentProps struct {
	MessageID     string `json:"message_id"`
	Channel       string `json:"channel"`
	Topic         string `json:"topic"`
	Template      string `json:"template"`
	Kind          string `json:"source_kind"`
	Source        string `json:"source_id"`
	Version       int    `json:"source_version"`
	Node          string `json:"node"`
	Subject       string `json:"subject"`
	Key           string `json:"key"`
	Transactional bool   `json:"transactional"`
}

func (p sentProps) message(e event.Kept, person string) Message {
	return Message{
		ID: p.MessageID, Workspace: e.Workspace, PersonID: person, Channel: p.Channel, Topic: p.Topic, Template: p.Template,
		Source: Source{Kind: p.Kind, ID: p.Source, Version: p.Version, Node: p.Node}, Key: p.Key, Transactional: p.Transactional, Goal: Goal{}.Filled(),
		Subject: p.Subject, CreatedAt: e.Time, NotBefore: e.Time, DueAt: e.Time, SentAt: e.Time,
	}
}

// keepSent lets nothing go a second time that the log says was sent. Records know that before the log does, unless they were set back to an earlier moment: then what
// waits in them, or is asked for once more under the same key, is the message that was sent.
func (s *Service) keepSent(ctx context.Context, events []event.Kept) error {
	told := map[string]map[string]event.Kept{} // by workspace and message
	for _, e := range events {
		if e.Type != event.Message || e.Name != event.MessageSent {
			continue
		}
		var p receiptProps
		if json.Unmarshal(e.Properties, &p) != nil || p.MessageID == "" {
			continue // Receipts tells of it
		}
		if told[e.Workspace] == nil {
			told[e.Workspace] = map[string]event.Kept{}
		}
		told[e.Workspace][p.MessageID] = e
	}
	for _, ws := range slices.Sorted(maps.Keys(told)) {
		unsent, err := s.store.Unsent(ctx, ws, slices.Sorted(maps.Keys(told[ws])))
		if err != nil {
			return err
		}
		if len(unsent) == 0 {
			continue
		}
		nums := make([]uint64, len(unsent))
		for i, id := range unsent {
			nums[i] = told[ws][id].Person
		}
		people, err := s.idsOf(ctx, ws, nums)
		if err != nil {
			return err
		}
		var messages []Message
		for _, id := range unsent {
			e := told[ws][id]
			if people[e.Person] == "" {
				continue // forgotten meanwhile, and what was sent to them with them
			}
			var p sentProps
			if err := json.Unmarshal(e.Properties, &p); err != nil {
				return err
			}
			messages = append(messages, p.message(e, people[e.Person]))
		}
		if len(messages) == 0 {
			continue
		}
		s.log.Info("messages that the log says were sent are taken for sent", "workspace", ws, "messages", len(messages))
		if err := s.store.KeepSent(ctx, ws, messages); err != nil {
			return err
		}
	}
	return nil
}
