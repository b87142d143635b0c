package content

import (
	"context"
	"slices"

	"github.com/kizuna-cx/kizuna/internal/domain/content/liquid"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// CheckConfirmation refuses a template as the mail that asks to confirm a subscription if there is none such, or if one of its languages has no link to
// confirm by: whoever got that could never subscribe, and nobody would notice.
func (s *Service) CheckConfirmation(ctx context.Context, ws, templateID string) error {
	const field = "confirmation_template"
	t, err := s.store.Get(ctx, ws, templateID)
	switch {
	case errs.Is(err, errs.KindNotFound), err == nil && t.Status == Archived:
		return errs.Invalid("consent.topic.confirmation_gone", field, "this content does not exist or is archived; choose another, or none for the product's own words")
	case err != nil:
		return err
	}
	k, err := s.kit(ctx, ws, t.Draft, t.Pins)
	if err != nil {
		return err
	}
	all, err := compileAll(t.Draft, k)
	if err != nil {
		return err
	}
	for _, c := range all {
		seen := c.html // of which the text is made
		if seen == nil {
			seen = c.text
		}
		if !slices.ContainsFunc(fieldUses(seen), func(u liquid.Use) bool { return u.Path == "confirm_url" || u.Path == "vars.confirm_url" }) {
			return errs.Invalid("consent.topic.confirmation_link", field, "%q has no link to confirm by in %s; put {{ confirm_url }} into a button", t.Name, c.text0.Locale)
		}
	}
	return nil
}
