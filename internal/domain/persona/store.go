package persona

import (
	"context"

	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Store keeps personas. Every method takes part in the transaction of its context.
type Store interface {
	// Create adds a persona; errs.Conflict "persona.name.taken" if the workspace has one of that name, whatever the letter case.
	Create(ctx context.Context, p Persona) error
	// Get returns a persona or errs.NotFound.
	Get(ctx context.Context, ws, id string) (Persona, error)
	// Update replaces the draft of the persona whose Rev is p.Rev and raises Rev by one; errs.Conflict "persona.changed" if Rev has moved on or there
	// is none, "persona.name.taken" as for Create.
	Update(ctx context.Context, p Persona) error
	// Delete removes a persona and reports whether there was one. Journey maps that named it name none.
	Delete(ctx context.Context, ws, id string) (bool, error)
	// List returns personas whose name or role contains text (whatever the letter case; empty: all), by name.
	List(ctx context.Context, ws, text string, p page.Request) (page.Of[Persona], error)
	// Count returns how many personas a workspace has.
	Count(ctx context.Context, ws string) (int, error)
}
