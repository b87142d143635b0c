package consent

import (
	"context"
	"fmt"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Asker sends the mails that ask people to confirm a subscription; the outbox is one.
type Asker interface {
	// AskToConfirm asks for one confirmation mail and joins the caller's transaction. The same request again sends no second one.
	AskToConfirm(ctx context.Context, ws string, topic Topic, r Record) error
}

// AskWith sets who sends confirmation mails; not to be called once the service is in use.
func (s *Service) AskWith(a Asker) { s.asker = a }

// Limits of confirmation mails for one person, topic and channel: a form must not become a way to fill somebody's mailbox.
const (
	maxAsks     = 3 // within asksWithin
	asksWithin  = 24 * time.Hour
	asksApart   = 5 * time.Minute
	asksLookAt  = 100 // entries of the history that are looked through
	confirmedBy = "double_opt_in"
)

// askToConfirm asks for the mails of requests that wait. Requests beyond the limits are recorded and not answered: whoever types other
// people's addresses into a form learns nothing.
func (s *Service) askToConfirm(ctx context.Context, ws string, topics map[string]Topic, asks []Record) error {
	for _, r := range asks {
		if s.asker == nil {
			return nil
		}
		ok, err := s.mayAsk(ctx, ws, r)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := s.asker.AskToConfirm(ctx, ws, topics[r.Topic], r); err != nil {
			return fmt.Errorf("ask to confirm a subscription: %w", err)
		}
	}
	return nil
}

// mayAsk looks at earlier requests, the one at hand left out.
func (s *Service) mayAsk(ctx context.Context, ws string, r Record) (bool, error) {
	seen, err := s.store.Records(ctx, ws, r.PersonID, page.Request{Limit: asksLookAt})
	if err != nil {
		return false, fmt.Errorf("read consent: %w", err)
	}
	n := 0
	for _, old := range seen.Items {
		if old.ID == r.ID || old.Topic != r.Topic || old.Channel != r.Channel || old.Status != Pending {
			continue
		}
		switch ago := r.Recorded.Sub(old.Recorded); {
		case ago < asksApart:
			return false, nil
		case ago < asksWithin:
			n++
		}
	}
	return n < maxAsks, nil
}

// Resend asks somebody again to confirm a subscription that waits. Too many or too fast is rate_limited.
func (s *Service) Resend(ctx context.Context, ws, personID, topic, channel, source string) error {
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		st, err := s.state(ctx, ws, personID, topic, channel)
		if err != nil {
			return err
		}
		if st.Status != Pending {
			return errs.Conflict("consent.confirm.not_pending", "no subscription of this person to this topic waits for confirmation")
		}
		now := s.clock.Now()
		ok, err := s.mayAsk(ctx, ws, Record{Change: Change{PersonID: personID, Topic: topic, Channel: channel}, Recorded: now})
		if err != nil {
			return err
		}
		if !ok {
			return errs.RateLimited("consent.confirm.too_often", "at most %d confirmation mails a day, five minutes apart; try again later", maxAsks)
		}
		return s.Change(ctx, ws, Change{PersonID: personID, Topic: topic, Channel: channel, Status: Subscribed, Source: source, Evidence: "resend"})
	})
}

func (s *Service) state(ctx context.Context, ws, personID, topic, channel string) (State, error) {
	all, err := s.store.States(ctx, ws, []string{personID})
	if err != nil {
		return State{}, fmt.Errorf("read consent: %w", err)
	}
	for _, st := range all {
		if st.Topic == topic && st.Channel == channel {
			return st, nil
		}
	}
	return State{}, nil
}

// Confirm is the answer to a confirmation mail that was asked for at a time. It is not_found if the request has expired or was taken back
// since; confirming twice is harmless.
func (s *Service) Confirm(ctx context.Context, ws string, c Change, asked time.Time) error {
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		st, err := s.state(ctx, ws, c.PersonID, c.Topic, c.Channel)
		if err != nil {
			return err
		}
		now := s.clock.Now()
		switch {
		case st.Status == Subscribed:
			return nil
		case st.Status != Pending || now.Sub(asked) > ConfirmWithin:
			return errs.NotFound("subscription that waits", c.Topic)
		}
		c.Status, c.Source, c.Confirmed, c.At = Subscribed, confirmedBy, true, now
		return s.Change(ctx, ws, c)
	})
}

// SetPreferences replaces a person's settings, joining the caller's transaction. c says where and how they said so; its topic, channel
// and status are not looked at.
func (s *Service) SetPreferences(ctx context.Context, ws, personID string, wanted Settings, c Change) error {
	now := s.clock.Now()
	if !wanted.PausedUntil.After(now) {
		wanted.PausedUntil = time.Time{}
	}
	if wanted.PausedUntil.After(now.Add(maxPause)) {
		return errs.Invalid("consent.pause.too_long", "paused_until", "at most a year; unsubscribe instead")
	}
	wanted.PausedUntil = clock.Trunc(wanted.PausedUntil)
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		found, err := s.store.Settings(ctx, ws, []string{personID})
		if err != nil {
			return fmt.Errorf("read settings: %w", err)
		}
		old := found[personID]
		var records []Record
		var events []event.Event
		note := func(what Status, until time.Time) {
			r := Record{Change: c, ID: id.New("cns"), Recorded: now}
			r.PersonID, r.Topic, r.Channel, r.Status, r.At = personID, AllTopics, "*", what, now
			if !until.IsZero() {
				r.Evidence = cut("until "+until.Format(time.RFC3339)+" "+r.Evidence, maxEvidence)
			}
			r.IP = cut(r.IP, maxIP)
			records = append(records, r)
			props := map[string]string{"change": string(what), "source": c.Source}
			if !until.IsZero() {
				props["until"] = until.Format(time.RFC3339)
			}
			events = append(events, internal(ws, "consent:"+r.ID, event.PreferencesChanged, personID, now, now, props))
		}
		switch {
		case wanted.PausedUntil.IsZero() && old.PausedUntil.After(now):
			note(Resumed, time.Time{})
		case !wanted.PausedUntil.IsZero() && !wanted.PausedUntil.Equal(old.PausedUntil):
			note(Paused, wanted.PausedUntil)
		}
		if wanted.Weekly != old.Weekly {
			note(map[bool]Status{true: Weekly, false: AllMail}[wanted.Weekly], time.Time{})
		}
		if len(records) == 0 {
			return nil
		}
		if _, err := s.store.AddRecords(ctx, ws, records); err != nil {
			return fmt.Errorf("record preferences: %w", err)
		}
		if err := s.store.PutSettings(ctx, ws, personID, wanted); err != nil {
			return fmt.Errorf("write settings: %w", err)
		}
		if err := s.restricted(ctx, ws, []string{personID}); err != nil {
			return err
		}
		return s.emit(ctx, events)
	})
}

// maxPause bounds a pause: what is meant for longer is an unsubscription.
const maxPause = 366 * 24 * time.Hour

// Preferences returns a person's settings and what they last said about each topic and channel.
func (s *Service) Preferences(ctx context.Context, ws, personID string) (Settings, []State, error) {
	found, err := s.store.Settings(ctx, ws, []string{personID})
	if err != nil {
		return Settings{}, nil, fmt.Errorf("read settings: %w", err)
	}
	states, err := s.store.States(ctx, ws, []string{personID})
	if err != nil {
		return Settings{}, nil, fmt.Errorf("read consent: %w", err)
	}
	return found[personID], states, nil
}
