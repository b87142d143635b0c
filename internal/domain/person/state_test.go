package person

import (
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// What is read the quick way is what encoding/json reads.
func TestStoredStatesAreReadTheSameWayQuicklyAndSlowly(t *testing.T) {
	texts := rapid.SampledFrom([]string{"", "tea", "絆", `a"b`, "<b>", "x\ny"})
	values := rapid.SampledFrom([]json.RawMessage{nil, []byte(`"tea"`), []byte(`1.5`), []byte(`{"a":[1,null,true]}`), []byte(`"\u003cb"`)})
	quick := 0
	rapid.Check(t, func(rt *rapid.T) {
		traits := rapid.MapOfN(texts, rapid.Custom(func(rt *rapid.T) trait {
			return trait{V: values.Draw(rt, "v"), T: rapid.Int64().Draw(rt, "t"), M: texts.Draw(rt, "m"), S: texts.Draw(rt, "s"), D: rapid.Bool().Draw(rt, "d"), A: rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) addition {
				return addition{rapid.Float64Range(-9, 9).Draw(rt, "n"), rapid.Int64().Draw(rt, "at"), texts.Draw(rt, "by")}
			}), 0, 2).Draw(rt, "a")}
		}), 0, 4).Draw(rt, "traits")
		numbers := rapid.MapOfN(texts, rapid.Int64(), 0, 3)
		f := facts{
			Counters: numbers.Draw(rt, "counters"), Groups: numbers.Draw(rt, "groups"),
			First: rapid.MapOfN(texts, rapid.Custom(func(rt *rapid.T) touch {
				return touch{V: texts.Draw(rt, "v"), T: rapid.Int64().Draw(rt, "t"), M: texts.Draw(rt, "m")}
			}), 0, 3).Draw(rt, "first"),
			Zones: rapid.MapOfN(texts, rapid.Custom(func(rt *rapid.T) zone {
				return zone{N: rapid.Int64().Draw(rt, "n"), T: rapid.Int64().Draw(rt, "t")}
			}), 0, 3).Draw(rt, "zones"),
		}
		raw, err := json.Marshal(traits)
		if err != nil {
			rt.Fatal(err)
		}
		got, want := map[string]trait{}, map[string]trait{}
		if readTraits(string(raw), got) {
			quick++
			if err := json.Unmarshal(raw, &want); err != nil || !reflect.DeepEqual(got, want) {
				rt.Fatalf("%s is read as %v, want %v (%v)", raw, got, want, err)
			}
		}
		if raw, err = json.Marshal(f); err != nil {
			rt.Fatal(err)
		}
		var gotFacts, wantFacts facts
		if readFacts(string(raw), &gotFacts) {
			quick++
			if err := json.Unmarshal(raw, &wantFacts); err != nil || !reflect.DeepEqual(gotFacts, wantFacts) {
				rt.Fatalf("%s is read as %v, want %v (%v)", raw, gotFacts, wantFacts, err)
			}
		}
	})
	if quick == 0 {
		t.Error("nothing was read the quick way")
	}
}
