package consent

import (
	"context"
	"fmt"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Suppress puts addresses on the suppression list, joining the caller's transaction, and returns how many were not on it before.
// Repeating it changes nothing.
func (s *Service) Suppress(ctx context.Context, ws string, wanted ...Suppress) (added int, err error) {
	now := s.clock.Now()
	entries := make([]Suppression, 0, len(wanted))
	seen := make(map[string]bool, len(wanted))
	var events []event.Event
	people := []string{}
	for _, w := range wanted {
		switch {
		case w.Channel == "":
			return 0, errs.Invalid("consent.suppress.channel_missing", "channel", "name the channel, e.g. email")
		case Normalise(w.Channel, w.Address) == "":
			return 0, errs.Invalid("consent.suppress.address_missing", "address", "give the address that must not be written to")
		case !w.Reason.Valid():
			return 0, errs.Invalid("consent.suppress.reason_unknown", "reason", "use hard_bounce, soft_bounces, complaint, manual, unsubscribed_all, list_unsubscribe, erased or import")
		}
		h := s.hash(ws, w.Channel, w.Address)
		if seen[w.Channel+h] {
			continue
		}
		seen[w.Channel+h] = true
		entries = append(entries, Suppression{
			Channel: w.Channel, Hash: h, Hint: Mask(Normalise(w.Channel, w.Address)), Reason: w.Reason, Detail: w.Detail, At: now, PersonID: w.PersonID,
		})
		if w.PersonID == "" {
			people = nil // anyone may have this address
			continue
		}
		if people != nil {
			people = append(people, w.PersonID)
		}
		// The address itself stays out of the event: events are kept for good, addresses may have to be erased.
		events = append(events, internal(ws, fmt.Sprintf("suppressed:%s:%s:%s:%d", w.Channel, h, w.PersonID, now.UnixMicro()), event.Suppressed, w.PersonID, now, now,
			map[string]string{"channel": w.Channel, "reason": string(w.Reason), "source": string(w.Reason)}))
	}
	err = s.tx.InTx(ctx, func(ctx context.Context) error {
		var err error
		if added, err = s.store.PutSuppressions(ctx, ws, entries); err != nil {
			return fmt.Errorf("write suppressions: %w", err)
		}
		if added == 0 {
			return nil
		}
		if err := s.restricted(ctx, ws, people); err != nil {
			return err
		}
		return s.emit(ctx, events)
	})
	return added, err
}

// Unsuppress takes an address off the list; an address that is not on it is not_found.
func (s *Service) Unsuppress(ctx context.Context, ws, channel, address string) error {
	return s.UnsuppressHash(ctx, ws, channel, s.hash(ws, channel, address))
}

// UnsuppressHash takes an entry off the list by its hash, as the listing shows it.
func (s *Service) UnsuppressHash(ctx context.Context, ws, channel, hash string) error {
	now := s.clock.Now()
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		e, found, err := s.store.RemoveSuppression(ctx, ws, channel, hash)
		if err != nil {
			return err
		}
		if !found {
			return errs.NotFound("suppression", hash)
		}
		if e.PersonID == "" {
			return nil
		}
		held, err := s.holds(ctx, ws, e)
		if err != nil {
			return err
		}
		if !held { // nobody knows whose it is now, since the list holds no address
			if err := s.everybody(ctx, ws); err != nil {
				return err
			}
		}
		return s.emit(ctx, []event.Event{internal(ws, fmt.Sprintf("lifted:%s:%s:%d", channel, hash, now.UnixMicro()), event.SuppressionLifted, e.PersonID, now, now,
			map[string]string{"channel": channel, "reason": string(e.Reason), "source": "staff"})})
	})
}

// holds reports whether the address of an entry is still that of the person it was tied to; where identifiers are not known, that is believed.
func (s *Service) holds(ctx context.Context, ws string, e Suppression) (bool, error) {
	if s.known == nil {
		return true, nil
	}
	found, err := s.known.Identifiers(ctx, ws, []string{e.PersonID})
	if err != nil {
		return false, fmt.Errorf("read identifiers: %w", err)
	}
	for _, id := range found[e.PersonID] {
		kind, value, _ := strings.Cut(id, ":")
		if addressed[kind] == e.Channel && s.hash(ws, e.Channel, value) == e.Hash {
			return true, nil
		}
	}
	return false, nil
}

// IsSuppressed tells whether one address is on the list, and why.
func (s *Service) IsSuppressed(ctx context.Context, ws, channel, address string) (Reason, bool, error) {
	h := s.hash(ws, channel, address)
	found, err := s.store.Suppressed(ctx, ws, channel, []string{h})
	entry, ok := found[h]
	return entry.Reason, ok, err
}

// SuppressedAmong returns the entries of those addresses that are on the list, by address as given.
func (s *Service) SuppressedAmong(ctx context.Context, ws, channel string, addresses []string) (map[string]Suppression, error) {
	byHash := make(map[string][]string, len(addresses))
	hashes := make([]string, 0, len(addresses))
	for _, a := range addresses {
		h := s.hash(ws, channel, a)
		if byHash[h] == nil {
			hashes = append(hashes, h)
		}
		byHash[h] = append(byHash[h], a)
	}
	found, err := s.store.Suppressed(ctx, ws, channel, hashes)
	out := make(map[string]Suppression, len(found))
	for h, entry := range found {
		for _, a := range byHash[h] {
			out[a] = entry
		}
	}
	return out, err
}

// Suppressions lists entries, latest first. With an address it looks for that one: the list cannot be searched by parts of addresses, since
// it holds none. Without a channel the address is looked for as mail.
func (s *Service) Suppressions(ctx context.Context, ws string, f SuppressionFilter, address string, p page.Request) (page.Of[Suppression], error) {
	if address != "" {
		if f.Channel == "" {
			f.Channel = "email"
		}
		f.Hash = s.hash(ws, f.Channel, address)
	}
	return s.store.Suppressions(ctx, ws, f, p)
}
