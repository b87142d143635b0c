package event

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Preferences are what somebody has agreed to, by category, as consent banners say it. A category that is not named was not agreed to.
type Preferences map[string]bool

// PreferencesOf reads context.consent.categoryPreferences of an event; nil if it carries none. An empty object is a no to everything.
func PreferencesOf(context json.RawMessage) Preferences {
	if !bytes.Contains(context, []byte("consent")) { // as most events
		return nil
	}
	var c struct {
		Consent *struct {
			Categories Preferences `json:"categoryPreferences"`
		} `json:"consent"`
	}
	if json.Unmarshal(context, &c) != nil || c.Consent == nil {
		return nil
	}
	if c.Consent.Categories == nil {
		return Preferences{}
	}
	return c.Consent.Categories
}

// Lacks returns which of the categories were not agreed to; nil preferences say nothing and lack nothing.
func (p Preferences) Lacks(categories []string) []string {
	if p == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(categories), func(c string) bool { return p[c] })
}
