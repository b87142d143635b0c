package consent

import (
	"context"
	"slices"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

// DefaultTopic is the name of the topic that a new workspace starts with.
const DefaultTopic = "News"

// EnsureDefaults gives a workspace without topics its first one: News, by mail, for those who said yes.
func (s *Service) EnsureDefaults(ctx context.Context, ws string) error {
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		topics, err := s.store.Topics(ctx, ws)
		if err != nil || len(topics) > 0 {
			return err
		}
		_, err = s.CreateTopic(ctx, ws, Topic{Name: DefaultTopic, Channels: []string{"email"}, OptIn: Explicit})
		return err
	})
}

// CreateTopic adds a topic; OptIn is Explicit unless stated otherwise. To one that is Implied everybody is subscribed from then on.
func (s *Service) CreateTopic(ctx context.Context, ws string, t Topic) (Topic, error) {
	if t.OptIn == "" {
		t.OptIn = Explicit
	}
	if err := t.Validate(); err != nil {
		return Topic{}, err
	}
	t.ID, t.Name = id.New("tpc"), strings.TrimSpace(t.Name)
	t.CreatedAt, t.TextVersion = s.clock.Now(), 1
	t.UpdatedAt = t.CreatedAt
	err := s.tx.InTx(ctx, func(ctx context.Context) error {
		topics, err := s.store.Topics(ctx, ws)
		if err != nil {
			return err
		}
		if len(topics) >= MaxTopics {
			return errs.Conflict("consent.topic.too_many", "a workspace has at most %d topics; archived ones can be renamed and used again", MaxTopics)
		}
		if err := s.checkConfirmation(ctx, ws, t, ""); err != nil {
			return err
		}
		if err := s.store.InsertTopic(ctx, ws, t); err != nil || t.OptIn != Implied || t.Archived {
			return err // nobody has agreed yet
		}
		return s.everybody(ctx, ws)
	})
	return t, err
}

// UpdateTopic replaces name, description, channels, opt-in and archived. Segments that ask who is subscribed follow within seconds, one step after the other if
// there are many people.
func (s *Service) UpdateTopic(ctx context.Context, ws string, t Topic) (Topic, error) {
	if err := t.Validate(); err != nil {
		return Topic{}, err
	}
	t.Name = strings.TrimSpace(t.Name)
	err := s.tx.InTx(ctx, func(ctx context.Context) error {
		old, err := s.store.Topic(ctx, ws, t.ID)
		if err != nil {
			return err
		}
		if err := s.checkConfirmation(ctx, ws, t, old.Confirmation); err != nil {
			return err
		}
		t.CreatedAt, t.UpdatedAt, t.TextVersion = old.CreatedAt, s.clock.Now(), old.TextVersion
		if t.Name != old.Name || t.Description != old.Description {
			t.TextVersion++
		}
		if err := s.store.UpdateTopic(ctx, ws, t); err != nil {
			return err
		}
		if t.Archived == old.Archived && t.OptIn == old.OptIn && slices.Equal(t.Channels, old.Channels) {
			return nil
		}
		if err := s.restricted(ctx, ws, nil); err != nil {
			return err
		}
		return s.everybody(ctx, ws)
	})
	return t, err
}

// checkConfirmation looks at a topic's confirmation mail if it is another than before.
func (s *Service) checkConfirmation(ctx context.Context, ws string, t Topic, before string) error {
	if s.letter == nil || t.Confirmation == "" || t.Confirmation == before {
		return nil
	}
	return s.letter(ctx, ws, t.Confirmation)
}

// Topic returns one topic or not_found.
func (s *Service) Topic(ctx context.Context, ws, id string) (Topic, error) {
	return s.store.Topic(ctx, ws, id)
}

// Topics returns all topics, archived ones included, in the order of their making.
func (s *Service) Topics(ctx context.Context, ws string) ([]Topic, error) {
	return s.store.Topics(ctx, ws)
}
