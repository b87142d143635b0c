package standing

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/person"
)

// quiet is how long after the last word of somebody all that follows from it has followed: a batch of events may be between two stores, and what was told on its way back.
const quiet = time.Hour

// astray reports whether somebody stands otherwise than can be, of whom nothing is under way: the trait says something else than was told, or the row knows of other orders than the
// history, though no events were removed. Every change judges those whom it concerns, so this is the work of a fault or of a hand inside the stores. The change is made one that is told in
// any case, from what the trait says.
func (s *Service) astray(c *change, p person.Person, fewer bool) (bool, error) {
	now := s.c.Clock.Now()
	due := !c.before.Next.IsZero() && !c.before.Next.After(now)
	if c.before.Told.IsZero() || due || now.Sub(p.UpdatedAt) < quiet || now.Sub(c.before.Told) < quiet {
		return false, nil
	}
	wrong := !fewer && !c.before.LastOrder.Equal(c.now.LastOrder)
	says := p.Traits[Trait]
	is, err := json.Marshal(says.Value)
	if err != nil {
		return false, err
	}
	want, err := json.Marshal(shape(c.before).object())
	if err != nil || bytes.Equal(is, want) {
		return wrong, err
	}
	// The workspace may have decided to leave fields of events out, or to encrypt them.
	e, err := s.c.People.TraitsEvent(c.now.Workspace, c.now.Person, map[string]any{Trait: shape(c.before).object()}, causeOf)
	if err != nil {
		return false, err
	}
	plain, err := json.Marshal(map[string]json.RawMessage{Trait: want})
	if err != nil || !bytes.Equal(e.Properties, plain) {
		return wrong, err
	}
	c.again = true
	if was, ok := says.Value.(map[string]any); ok {
		if stage, ok := was["stage"].(string); ok {
			c.before.Stage = Stage(stage)
		}
	}
	return true, nil
}
