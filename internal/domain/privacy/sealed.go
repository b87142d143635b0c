package privacy

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// sealPurpose binds a value to its workspace: in another one it opens for nobody.
func sealPurpose(ws string) string { return "privacy-field/" + ws }

// encrypt makes a decoded JSON value a text that Open makes the value of again. The same value becomes another text each time.
func (s *Service) encrypt(ws string, v any) any {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return event.SealedMark + base64.RawURLEncoding.EncodeToString(s.c.Box.Seal(sealPurpose(ws), raw))
}

// Open returns the value that was encrypted for the workspace. A text that this installation did not make for it is errs.KindConflict.
func (s *Service) Open(ws, sealed string) (any, error) {
	unreadable := errs.Conflict("privacy.field.unreadable", "this value was not encrypted here, so it cannot be read; a restored copy needs the master key that it was written with")
	code, ok := strings.CutPrefix(sealed, event.SealedMark)
	if !ok {
		return nil, unreadable
	}
	text, err := base64.RawURLEncoding.DecodeString(code)
	if err != nil {
		return nil, unreadable
	}
	raw, err := s.c.Box.Open(sealPurpose(ws), text)
	if err != nil {
		return nil, unreadable
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, unreadable
	}
	return v, nil
}

// encrypts reports whether the rules keep a field encrypted, whole or as a part of what is. Indexes of lists in the field do not matter, as fields of rules go through lists.
func (r Rules) encrypts(field string) bool {
	parts := slices.DeleteFunc(strings.Split(field, "."), func(p string) bool {
		_, err := strconv.Atoi(p)
		return err == nil
	})
	field = strings.Join(parts, ".")
	return slices.ContainsFunc(r.Fields, func(f Field) bool {
		return f.Action == Encrypt && (f.Path == field || strings.HasPrefix(field, f.Path+"."))
	})
}

// Askable refuses conditions about fields ("traits.ssn", "properties.card.number") that the workspace keeps encrypted: they would hold for nobody.
func (s *Service) Askable(ctx context.Context, ws string, fields ...string) error {
	if len(fields) == 0 {
		return nil
	}
	r, err := s.Rules(ctx, ws)
	if err != nil {
		return err
	}
	for _, f := range fields {
		if r.encrypts(f) {
			return errs.Invalid("rule.encrypted", "rule", "%s is kept encrypted, so no condition can ask about it; take the condition out, or choose another way to keep the field under Settings, Privacy", f)
		}
	}
	return nil
}

// unasked refuses to encrypt what segments ask about.
func (s *Service) unasked(ctx context.Context, ws string, r Rules) error {
	if s.c.Askers == nil || !slices.ContainsFunc(r.Fields, func(f Field) bool { return f.Action == Encrypt }) {
		return nil
	}
	names, err := s.c.Askers(ctx, ws, func(fields []string) bool { return slices.ContainsFunc(fields, r.encrypts) })
	if err != nil || len(names) == 0 {
		return err
	}
	return errs.Conflict("privacy.rules.asked", "segments ask about a field that would be encrypted: %s. Change or archive them first", strings.Join(names, ", "))
}
