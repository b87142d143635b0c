package privacy

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Action is what becomes of a field.
type Action string

// The actions.
const (
	Drop Action = "drop" // it is not kept
	Hash Action = "hash" // a keyed hash is kept: equal values stay equal, and nobody can tell what they were
	Mask Action = "mask" // most of it is hidden, so that whoever knows it can recognise it
	// Encrypt keeps it encrypted: nobody can ask for it, and who may Open it can read it again.
	Encrypt Action = "encrypt"
)

// Field says what becomes of one field of events before anything is stored.
type Field struct {
	Path   string `json:"path"` // properties.card.number, traits.birth_date, context.ip; lists are gone through
	Action Action `json:"action"`
}

// Rules are what a workspace has decided about what intake keeps. The zero value keeps everything.
type Rules struct {
	Fields []Field `json:"fields"`
	// Consent are the categories that an event must carry a yes to in context.consent.categoryPreferences to be kept, for profiles, segments and reports.
	Consent []string `json:"consent"`
	// Send and Forward are the categories that a person must not have declined to be written to without having asked for it, and for
	// webhooks to tell of them.
	Send    []string `json:"send,omitempty"`
	Forward []string `json:"forward,omitempty"`
	// Unasked takes events that carry no preferences at all: their sender asks nobody.
	Unasked bool `json:"unasked"`
}

// Bounds of the rules.
const (
	maxFields     = 100
	maxCategories = 20
	maxFieldPath  = 200 // bytes
)

// Validate reports everything that is wrong with the rules.
func (r Rules) Validate() error {
	var all []error
	fail := func(err error) { all = append(all, err) }
	if len(r.Fields) > maxFields {
		fail(errs.Invalid("privacy.rules.fields", "fields", "at most %d fields", maxFields))
	}
	seen := map[string]bool{}
	for i, f := range r.Fields {
		at := fmt.Sprintf("fields[%d]", i)
		root, rest, _ := strings.Cut(f.Path, ".")
		switch {
		case len(f.Path) > maxFieldPath || !slices.Contains([]string{"properties", "traits", "context"}, root) || rest == "" || slices.Contains(strings.Split(rest, "."), ""):
			fail(errs.Invalid("privacy.rules.path", at+".path", "write a path such as properties.card.number, traits.birth_date or context.ip"))
		case seen[f.Path]:
			fail(errs.Invalid("privacy.rules.twice", at+".path", "%s stands here twice; say once what becomes of it", f.Path))
		}
		seen[f.Path] = true
		if !slices.Contains([]Action{Drop, Hash, Mask, Encrypt}, f.Action) {
			fail(errs.Invalid("privacy.rules.action", at+".action", "choose drop, hash, mask or encrypt"))
		}
	}
	for _, use := range []struct {
		field      string
		categories []string
	}{{"consent", r.Consent}, {"send", r.Send}, {"forward", r.Forward}} {
		if len(use.categories) > maxCategories {
			fail(errs.Invalid("privacy.rules.categories", use.field, "at most %d categories", maxCategories))
		}
		for i, c := range use.categories {
			if strings.TrimSpace(c) != c || c == "" || len(c) > maxFieldPath || slices.Contains(use.categories[:i], c) {
				fail(errs.Invalid("privacy.rules.category", fmt.Sprintf("%s[%d]", use.field, i), "name each category once, as your consent banner does"))
			}
		}
	}
	return errors.Join(all...)
}

// Rules returns what the workspace has decided.
func (s *Service) Rules(ctx context.Context, ws string) (Rules, error) {
	return s.c.Store.Rules(ctx, ws)
}

// SetRules replaces the rules. Once it is committed, and Refresh was called, they hold for what comes in, in other processes within seconds; what is stored stays as it is.
func (s *Service) SetRules(ctx context.Context, ws string, r Rules) error {
	if err := r.Validate(); err != nil {
		return err
	}
	if err := s.unasked(ctx, ws, r); err != nil {
		return err
	}
	return s.c.Store.PutRules(ctx, ws, r)
}

// Kept is what the workspace's rules leave of an event; false if it is not taken at all. It changes e.
func (s *Service) Kept(ws string, e *event.Event) bool {
	l := s.refused.now.Load()
	if l == nil {
		return true
	}
	r, ok := l.rules[ws]
	return !ok || s.Try(ws, r, e)
}

// Try is Kept with rules that need not be in force.
func (s *Service) Try(ws string, r Rules, e *event.Event) bool {
	if !r.agreed(e.Context) && !r.statement(e) {
		return false
	}
	s.treatFields(ws, r, e)
	return true
}

// Treat does to the fields of an event what the workspace's rules say, whatever it carries of consent: the product itself writes it.
func (s *Service) Treat(ws string, e *event.Event) {
	if l := s.refused.now.Load(); l != nil {
		s.treatFields(ws, l.rules[ws], e)
	}
}

func (s *Service) treatFields(ws string, r Rules, e *event.Event) {
	for _, f := range r.Fields {
		root, rest, _ := strings.Cut(f.Path, ".")
		path := strings.Split(rest, ".")
		of := e.Type == event.Identify || e.Type == event.Group // their properties are traits
		switch root {
		case "context":
			e.Context = s.treat(ws, e.Context, path, f.Action)
		case "traits":
			e.Context = s.treat(ws, e.Context, append([]string{"traits"}, path...), f.Action)
			if of {
				e.Properties = s.treat(ws, e.Properties, path, f.Action)
			}
		default:
			if !of {
				e.Properties = s.treat(ws, e.Properties, path, f.Action)
			}
		}
	}
}

// agreed reports whether the event carries what it must: a category that is not named was not agreed to.
func (r Rules) agreed(raw json.RawMessage) bool {
	if len(r.Consent) == 0 {
		return true
	}
	said := event.PreferencesOf(raw)
	if said == nil {
		return r.Unasked
	}
	return len(said.Lacks(r.Consent)) == 0
}

// statement makes an event that is not kept one that says nothing but what a known user has agreed to: who withdraws consent by the event that
// lacks it must not be written to as before. It reports false if there is nothing to remember, or nobody but a device to remember it of.
func (r Rules) statement(e *event.Event) bool {
	said := event.PreferencesOf(e.Context)
	if said == nil || e.UserID == "" || len(r.Send)+len(r.Forward) == 0 {
		return false
	}
	around, err := json.Marshal(map[string]any{"consent": map[string]any{"categoryPreferences": said}})
	if err != nil {
		return false
	}
	e.Type, e.Name, e.AnonymousID, e.PreviousID, e.GroupID = event.Identify, "", "", "", ""
	e.Properties, e.Context = json.RawMessage(`{}`), around
	return true
}

// treat applies an action to a field of a JSON object. What has no such field stays byte for byte.
func (s *Service) treat(ws string, raw json.RawMessage, path []string, a Action) json.RawMessage {
	for _, part := range path { // most events have no such field, and looking for a word is cheap
		if plain(part) && !bytes.Contains(raw, []byte(part)) {
			return raw
		}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // large numbers stay as they were sent
	var v any
	if d.Decode(&v) != nil || !s.within(ws, v, path, a) {
		return raw
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return raw
	}
	return bytes.TrimRight(out.Bytes(), "\n")
}

// plain reports whether a name is written in JSON as it is, whoever writes it.
func plain(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

func (s *Service) within(ws string, v any, path []string, a Action) (changed bool) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			changed = s.within(ws, x, path, a) || changed
		}
	case map[string]any:
		old, ok := v[path[0]]
		switch {
		case !ok:
			return false
		case len(path) > 1:
			return s.within(ws, old, path[1:], a)
		case a == Drop:
			delete(v, path[0])
		case old == nil:
			return false // a trait that is taken away
		default:
			v[path[0]] = s.veil(ws, old, a)
		}
		return true
	}
	return changed
}

// veil hides a value. Encrypted it is one text; else lists stay lists, and everything else becomes a text.
func (s *Service) veil(ws string, v any, a Action) any {
	if a == Encrypt {
		return s.encrypt(ws, v)
	}
	if list, ok := v.([]any); ok {
		out := make([]any, len(list))
		for i, x := range list {
			out[i] = s.veil(ws, x, a)
		}
		return out
	}
	text, ok := v.(string)
	if !ok {
		raw, err := json.Marshal(v)
		if err != nil {
			return nil
		}
		text = string(raw)
	}
	if a == Mask {
		return consent.Mask(text)
	}
	// The same value written differently should stay the same, as addresses are.
	return "hash:" + base64.RawURLEncoding.EncodeToString(s.c.Box.Hash("privacy-field", ws+"\x00"+strings.ToLower(strings.TrimSpace(text)))[:18])
}
