package event

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// SealedMark begins a text that stands for a value which is kept encrypted. What follows is base64url.
const SealedMark = "encrypted:"

// Sealed reports whether a decoded JSON value stands for one that is kept encrypted.
func Sealed(v any) bool {
	s, ok := v.(string)
	return ok && strings.HasPrefix(s, SealedMark)
}

// Unseal returns a decoded JSON value in which open has replaced what is encrypted: what it declines is left out of objects and is nil elsewhere.
// open gets the place as a path below at, with the indexes of lists ("traits.cards.0.number"). Values that hold nothing encrypted come back as they are; v itself does not change.
func Unseal(v any, at string, open func(path, sealed string) (any, bool)) any {
	out, _ := unseal(v, at, open)
	return out
}

func unseal(v any, at string, open func(path, sealed string) (any, bool)) (any, bool) {
	switch v := v.(type) {
	case string:
		if Sealed(v) {
			return open(at, v)
		}
	case []any:
		out := v
		for i, x := range v {
			if y, _ := unseal(x, at+"."+strconv.Itoa(i), open); holds(x) {
				if &out[0] == &v[0] {
					out = slices.Clone(v)
				}
				out[i] = y
			}
		}
		return out, true
	case map[string]any:
		if !holds(v) {
			return v, true
		}
		out := make(map[string]any, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if y, keep := unseal(v[k], at+"."+k, open); keep {
				out[k] = y
			}
		}
		return out, true
	}
	return v, true
}

// holds reports whether something encrypted stands in a value.
func holds(v any) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, holds)
	case map[string]any:
		for _, x := range v {
			if holds(x) {
				return true
			}
		}
		return false
	}
	return Sealed(v)
}

// UnsealJSON is Unseal of a JSON text. One that holds nothing encrypted stays byte for byte.
func UnsealJSON(raw json.RawMessage, at string, open func(path, sealed string) (any, bool)) json.RawMessage {
	if !bytes.Contains(raw, []byte(SealedMark)) {
		return raw
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || !holds(v) {
		return raw
	}
	out, err := json.Marshal(Unseal(v, at, open))
	if err != nil {
		return raw
	}
	return out
}

// Readable is what may be read of a JSON object by everybody: without what is encrypted.
func Readable(raw json.RawMessage) json.RawMessage {
	return UnsealJSON(raw, "", func(string, string) (any, bool) { return nil, false })
}
