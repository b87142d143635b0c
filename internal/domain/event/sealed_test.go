package event

import (
	"encoding/json"
	"fmt"
	"testing"
)

func TestWhatIsEncryptedIsLeftOutOfWhatEverybodyReads(t *testing.T) {
	for in, want := range map[string]string{
		`{ "a" : 1 }`:               `{ "a" : 1 }`, // byte for byte
		`{"a":"encrypted:x","b":2}`: `{"b":2}`,
		`{"a":["encrypted:x",1],"b":{"c":"encrypted:y","d":3}}`: `{"a":[null,1],"b":{"d":3}}`,
		`{"a":"not encrypted: x"}`:                              `{"a":"not encrypted: x"}`,
		`{"n":12345678901234567890,"a":"encrypted:x"}`:          `{"n":12345678901234567890}`,
		`not encrypted: JSON`:                                   `not encrypted: JSON`,
	} {
		if got := string(Readable(json.RawMessage(in))); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestPlacesOfWhatIsEncrypted(t *testing.T) {
	v := map[string]any{"b": []any{map[string]any{"c": "encrypted:1"}}, "a": "encrypted:2", "d": "e"}
	var places []string
	out := Unseal(v, "traits", func(path, sealed string) (any, bool) {
		places = append(places, path+"="+sealed)
		return "plain", true
	})
	if got := fmt.Sprint(places); got != "[traits.a=encrypted:2 traits.b.0.c=encrypted:1]" {
		t.Error(got)
	}
	if got := fmt.Sprint(out); got != "map[a:plain b:[map[c:plain]] d:e]" {
		t.Error(got)
	}
	if fmt.Sprint(v) != "map[a:encrypted:2 b:[map[c:encrypted:1]] d:e]" {
		t.Error("the value itself was changed")
	}
}
