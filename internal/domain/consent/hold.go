package consent

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

// Ground says why a person is suppressed.
type Ground string

// The grounds.
const (
	GroundAsked     Ground = "asked"     // they said so themselves
	GroundComplaint Ground = "complaint" // they complained, by whatever way
	GroundLegal     Ground = "legal"     // a court, a lawyer, an authority
	GroundOther     Ground = "other"     // the note says what
)

// Hold suppresses a person, whatever addresses they have or get.
type Hold struct {
	ID        string
	PersonID  string
	Ground    Ground
	Note      string
	All       bool   // stops also what answers something they do: receipts, passwords
	Actor     string // id of who laid it
	ActorName string
	At        time.Time
	Until     time.Time // zero: until it is lifted
	// Marks are keyed hashes of the identifiers that the person had then: when they are taken apart later, it is told by these whose it is.
	Marks []string
}

// Stops reports whether the hold refuses a message that goes at a time.
func (h Hold) Stops(transactional bool, at time.Time) bool {
	return (h.All || !transactional) && (h.Until.IsZero() || h.Until.After(at))
}

// Identifiers tells by what people are known.
type Identifiers interface {
	// Identifiers returns the identifiers of each person, as kind and value in one text; unknown people are left out.
	Identifiers(ctx context.Context, ws string, personIDs []string) (map[string][]string, error)
}

const maxHold = 10 * 366 * 24 * time.Hour

// HoldPerson suppresses a person, in the place of what was said of them before. It joins the caller's transaction.
func (s *Service) HoldPerson(ctx context.Context, ws string, h Hold) (Hold, error) {
	now := s.clock.Now()
	h.Note = strings.TrimSpace(h.Note)
	switch {
	case h.PersonID == "":
		return h, errs.Invalid("consent.change.person_missing", "person_id", "say who it is about")
	case !slices.Contains([]Ground{GroundAsked, GroundComplaint, GroundLegal, GroundOther}, h.Ground):
		return h, errs.Invalid("consent.hold.ground", "reason", "use asked, complaint, legal or other")
	case h.Ground == GroundOther && h.Note == "":
		return h, errs.Invalid("consent.hold.note", "note", "say why")
	case !h.Until.IsZero() && !h.Until.After(now):
		return h, errs.Invalid("consent.hold.until", "until", "the end must lie ahead; leave it out if there is none")
	case h.Until.After(now.Add(maxHold)):
		return h, errs.Invalid("consent.hold.until", "until", "at most ten years; leave it out if there is no end")
	}
	h.ID, h.At, h.Note, h.Until = id.New("hld"), now, cut(h.Note, maxEvidence), clock.Trunc(h.Until)
	return h, s.tx.InTx(ctx, func(ctx context.Context) error {
		marks, err := s.marks(ctx, ws, h.PersonID)
		if err != nil {
			return err
		}
		h.Marks = marks[h.PersonID]
		if _, err := s.store.RemoveHolds(ctx, ws, h.PersonID); err != nil {
			return err
		}
		if err := s.store.PutHolds(ctx, ws, []Hold{h}); err != nil {
			return fmt.Errorf("write hold: %w", err)
		}
		evidence := string(h.Ground)
		if !h.Until.IsZero() {
			evidence += " until " + h.Until.Format(time.RFC3339)
		}
		if h.Note != "" {
			evidence += ": " + h.Note
		}
		props := map[string]string{"channel": "*", "reason": string(h.Ground), "source": "staff"}
		if !h.Until.IsZero() {
			props["until"] = h.Until.Format(time.RFC3339)
		}
		if err := s.noteHold(ctx, ws, h.PersonID, HeldBack, "staff:"+h.ActorName, evidence, event.Suppressed, props); err != nil {
			return err
		}
		return s.restricted(ctx, ws, []string{h.PersonID})
	})
}

// LiftHold lets a person be written to again; one who is not suppressed is not_found. It joins the caller's transaction.
func (s *Service) LiftHold(ctx context.Context, ws, personID, actor, why string) error {
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		n, err := s.store.RemoveHolds(ctx, ws, personID)
		if err != nil {
			return err
		}
		if n == 0 {
			return errs.NotFound("suppression", personID)
		}
		return s.noteHold(ctx, ws, personID, Lifted, "staff:"+actor, why, event.SuppressionLifted, map[string]string{"channel": "*", "source": "staff"})
	})
}

// EndHolds takes away at most limit holds, of all workspaces, whose end has come, and returns how many there were. Those who can be written to again by it are told of, so that
// what asks who can be reached looks at them again.
func (s *Service) EndHolds(ctx context.Context, limit int) (n int64, err error) {
	err = s.tx.InTx(ctx, func(ctx context.Context) error {
		ended, err := s.store.TakeEndedHolds(ctx, s.clock.Now(), limit)
		if err != nil {
			return fmt.Errorf("take ended holds: %w", err)
		}
		n = 0
		for ws, people := range ended {
			n += int64(len(people))
			left, err := s.Holds(ctx, ws, people)
			if err != nil {
				return err
			}
			for _, who := range people {
				if len(left[who]) > 0 {
					continue
				}
				if err := s.noteHold(ctx, ws, who, Lifted, "end", "", event.SuppressionLifted, map[string]string{"channel": "*", "source": "end"}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return n, err
}

// noteHold puts a line into a person's history and an event on their timeline.
func (s *Service) noteHold(ctx context.Context, ws, personID string, what Status, source, evidence, name string, props map[string]string) error {
	now := s.clock.Now()
	r := Record{ID: id.New("cns"), Recorded: now, Change: Change{PersonID: personID, Topic: AllTopics, Channel: "*", Status: what, Source: cut(source, maxSource), Evidence: cut(evidence, maxEvidence), At: now}}
	if _, err := s.store.AddRecords(ctx, ws, []Record{r}); err != nil {
		return fmt.Errorf("record consent: %w", err)
	}
	return s.emit(ctx, []event.Event{internal(ws, "consent:"+r.ID, name, personID, now, now, props)})
}

// Holds returns what suppresses the people, by person: of several that a merge has brought together the strictest first. What has ended is left out.
func (s *Service) Holds(ctx context.Context, ws string, personIDs []string) (map[string][]Hold, error) {
	found, err := s.store.Holds(ctx, ws, personIDs)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	now := s.clock.Now()
	out := map[string][]Hold{}
	for _, h := range found {
		if h.Stops(false, now) {
			out[h.PersonID] = append(out[h.PersonID], h)
		}
	}
	for _, all := range out {
		slices.SortStableFunc(all, func(a, b Hold) int {
			if a.All != b.All {
				return map[bool]int{true: -1, false: 1}[a.All]
			}
			return a.end().Compare(b.end()) * -1
		})
	}
	return out, nil
}

// end is the time from which the hold stops nothing; without one, after everything.
func (h Hold) end() time.Time {
	if h.Until.IsZero() {
		return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return h.Until
}

func (s *Service) marks(ctx context.Context, ws string, personIDs ...string) (map[string][]string, error) {
	if s.known == nil {
		return nil, nil
	}
	ids, err := s.known.Identifiers(ctx, ws, personIDs)
	if err != nil {
		return nil, fmt.Errorf("read identifiers: %w", err)
	}
	out := make(map[string][]string, len(ids))
	for who, list := range ids {
		for _, i := range list {
			sum := s.hasher.Hash("hold", ws+"\x00"+i)
			out[who] = append(out[who], base64.RawURLEncoding.EncodeToString(sum[:12]))
		}
		slices.Sort(out[who])
	}
	return out, nil
}

// mergeHolds gives the loser's holds to the winner: either side suppressed, both are.
func (s *Service) mergeHolds(ctx context.Context, ws, loser, winner string) error {
	lost, err := s.store.Holds(ctx, ws, []string{loser})
	if err != nil || len(lost) == 0 {
		return err
	}
	if _, err := s.store.RemoveHolds(ctx, ws, loser); err != nil {
		return err
	}
	for i := range lost {
		lost[i].PersonID = winner
	}
	if err := s.store.PutHolds(ctx, ws, lost); err != nil {
		return err
	}
	return s.restricted(ctx, ws, []string{loser, winner})
}

// splitHolds gives each of two people what was theirs: a hold goes with the identifiers that it was laid on. One that was laid on both, or of which it cannot be
// told, stays on both.
func (s *Service) splitHolds(ctx context.Context, ws, from, made string) error {
	held, err := s.store.Holds(ctx, ws, []string{from})
	if err != nil || len(held) == 0 {
		return err
	}
	marks, err := s.marks(ctx, ws, from, made)
	if err != nil {
		return err
	}
	touches := func(h Hold, who string) bool {
		return slices.ContainsFunc(marks[who], func(m string) bool { return slices.Contains(h.Marks, m) })
	}
	var put []Hold
	for _, h := range held {
		one, two := touches(h, from), touches(h, made)
		if one || !two {
			put = append(put, h)
		}
		if two || !one {
			h.ID, h.PersonID = id.Key("hold/"+h.ID+"/"+made), made
			put = append(put, h)
		}
	}
	if _, err := s.store.RemoveHolds(ctx, ws, from); err != nil {
		return err
	}
	return s.store.PutHolds(ctx, ws, put)
}
