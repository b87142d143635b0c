package consent

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// said is what one person stated, by topic and channel.
type said map[stateKey]State

func (s said) at(topic, channel string) *State {
	if st, ok := s[stateKey{topic: topic, channel: channel}]; ok {
		return &st
	}
	return nil
}

func (s said) declined(topic, channel string) bool {
	_, declined := allowed(Topic{}, s.at(topic, channel), s.at(AllTopics, channel))
	return declined
}

// Merged returns what would stand of two people's statements if they became one.
func Merged(one, two []State) []State {
	sides := [2]said{{}, {}}
	for i, states := range [][]State{one, two} {
		for _, st := range states {
			sides[i][stateKey{topic: st.Topic, channel: st.Channel}] = st
		}
	}
	var out []State
	for _, st := range strictest(sides[0], sides[1]) {
		out = append(out, st)
	}
	slices.SortFunc(out, func(a, b State) int { return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Channel, b.Channel)) })
	return out
}

// PeopleMerged makes one person's statements of two, taking the most restrictive: a no of either stands against a yes of the
// other, even a later one, since it is not known which of the two knew of the other. It joins the caller's transaction.
func (s *Service) PeopleMerged(ctx context.Context, ws, loser, winner string) error {
	states, err := s.store.States(ctx, ws, []string{loser, winner})
	if err != nil {
		return fmt.Errorf("read consent: %w", err)
	}
	if err := s.store.TakeOver(ctx, ws, loser, winner); err != nil {
		return fmt.Errorf("take over consent: %w", err)
	}
	if err := s.mergeHolds(ctx, ws, loser, winner); err != nil {
		return fmt.Errorf("take over suppressions: %w", err)
	}
	lost, own := said{}, said{}
	for _, st := range states {
		key := stateKey{topic: st.Topic, channel: st.Channel}
		if st.PersonID == winner {
			own[key] = st
		} else {
			lost[key] = st
		}
	}
	if err := s.mergeSettings(ctx, ws, loser, winner); err != nil {
		return err
	}
	if len(states) == 0 {
		return nil
	}
	merged := strictest(lost, own)
	now := s.clock.Now()
	var put []State
	var events []event.Event
	for key, st := range merged {
		st.PersonID = winner
		put = append(put, st)
		if old := own.at(key.topic, key.channel); st.Status == Unsubscribed && (old == nil || old.Status != Unsubscribed) {
			events = append(events, internal(ws, fmt.Sprintf("consent:merge:%s:%s:%s:%s", loser, winner, st.Topic, st.Channel), event.TopicUnsubscribed, winner, now, now,
				map[string]string{"topic": st.Topic, "channel": st.Channel, "source": "merge"}))
		}
	}
	if err := s.store.PutStates(ctx, ws, put); err != nil {
		return fmt.Errorf("write consent: %w", err)
	}
	if len(events) > 0 {
		if err := s.restricted(ctx, ws, []string{loser, winner}); err != nil {
			return err
		}
	}
	return s.emit(ctx, events)
}

// mergeSettings keeps the longer pause and the stricter limit of two people.
func (s *Service) mergeSettings(ctx context.Context, ws, loser, winner string) error {
	both, err := s.store.Settings(ctx, ws, []string{loser, winner})
	if err != nil || len(both) == 0 {
		return err
	}
	out := Settings{PausedUntil: both[winner].PausedUntil, Weekly: both[loser].Weekly || both[winner].Weekly}
	if both[loser].PausedUntil.After(out.PausedUntil) {
		out.PausedUntil = both[loser].PausedUntil
	}
	if err := s.store.PutSettings(ctx, ws, loser, Settings{}); err != nil {
		return err
	}
	if err := s.store.PutSettings(ctx, ws, winner, out); err != nil {
		return err
	}
	if out == both[winner] {
		return nil
	}
	return s.restricted(ctx, ws, []string{loser, winner})
}

// PersonSplit takes the refusals of someone over to a person made of a part of them: it is not known which of the two said no, so both did.
// A yes is not taken over. It joins the caller's transaction.
func (s *Service) PersonSplit(ctx context.Context, ws, from, made string) error {
	states, err := s.store.States(ctx, ws, []string{from})
	if err != nil {
		return fmt.Errorf("read consent: %w", err)
	}
	if err := s.splitHolds(ctx, ws, from, made); err != nil {
		return fmt.Errorf("divide suppressions: %w", err)
	}
	var put []State
	for _, st := range states {
		if st.Status == Unsubscribed {
			st.PersonID, st.Source = made, "split"
			put = append(put, st)
		}
	}
	if err := s.store.PutStates(ctx, ws, put); err != nil {
		return fmt.Errorf("write consent: %w", err)
	}
	settings, err := s.store.Settings(ctx, ws, []string{from})
	if err != nil || settings[from] == (Settings{}) {
		return err
	}
	return s.store.PutSettings(ctx, ws, made, settings[from])
}

// strictest joins two people's statements so that nothing is allowed that either has declined, and nothing else is lost.
func strictest(a, b said) said {
	out := said{}
	for _, side := range []said{a, b} {
		for key, st := range side {
			was, had := out[key]
			switch {
			case !had:
				out[key] = st
			case was.Status == st.Status:
				if st.At.After(was.At) {
					out[key] = st
				}
			case st.Status == Pending: // says nothing yet
			case was.Status == Pending:
				out[key] = st
			default:
				if st.Status == Subscribed {
					was, st = st, was
				}
				// The no to one topic outlives the yes it overrules. The no to everything keeps its time: moved forward it would
				// also undo what its own speaker agreed to afterwards.
				if key.topic != AllTopics && was.At.After(st.At) {
					st.At = was.At
				}
				out[key] = st
			}
		}
	}
	for key, st := range out {
		if key.topic == AllTopics || !a.declined(key.topic, key.channel) && !b.declined(key.topic, key.channel) || out.declined(key.topic, key.channel) {
			continue
		}
		st.Status, st.Source = Unsubscribed, "merge" // one side said no to everything, the other yes to this
		out[key] = st
	}
	return out
}
