package content

import (
	"context"
	"fmt"
	"maps"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// sitePath is how letters name the site of the business. It is a setting, so it is known when a letter is made and not when it is written.
const sitePath = "workspace.site"

// SiteMissing is the code of a template that leads to a site nobody has named.
const SiteMissing = "template.site_missing"

// withSite adds the site to the variables of a letter that names it and was not given one.
func (s *Service) withSite(ctx context.Context, ws string, c *compiled, vars map[string]any) (map[string]any, error) {
	if _, given := vars["workspace"]; given || !c.site || s.sender == nil {
		return vars, nil
	}
	from, err := s.sender(ctx, ws)
	if err != nil {
		return nil, fmt.Errorf("load the site of the workspace: %w", err)
	}
	vars = maps.Clone(vars)
	if vars == nil {
		vars = map[string]any{}
	}
	vars["workspace"] = map[string]any{"site": from.Site, "name": from.Name}
	return vars, nil
}

// CheckSite refuses a template that leads to the workspace's site while nobody has said which that is: its readers would end nowhere.
func (s *Service) CheckSite(ctx context.Context, ws string, t Template) error {
	if s.sender == nil {
		return nil
	}
	k, err := s.kit(ctx, ws, t.Draft, t.Pins)
	if err != nil {
		return err
	}
	for _, text := range t.translations() {
		c, err := compile(t.Draft, text, k)
		if err != nil {
			return err
		}
		if !c.site {
			continue
		}
		from, err := s.sender(ctx, ws)
		if err == nil && from.Site == "" {
			err = errs.Conflict(SiteMissing, "%q leads to your site, and its address is not set; enter it in the settings of the workspace", t.Name)
		}
		return err
	}
	return nil
}
