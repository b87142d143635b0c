package rule

import (
	"encoding/json"

	"github.com/kizuna-cx/kizuna/internal/domain/rule/leaf"
)

// Schema returns the JSON Schema (draft 2020-12) of rules. What it cannot say (depth, number of conditions, bounds in the
// right order) only Parse checks.
func Schema() []byte {
	defs := leaf.Shared()
	list := leaf.Schema{"type": "array", "items": leaf.Schema{"$ref": "#/$defs/node"}}
	node := map[string]leaf.Schema{"all": list, "any": list, "not": {"$ref": "#/$defs/node"}}
	for _, s := range leaf.Catalog() {
		body := s.Schema()
		body["title"] = s.Title
		defs["leaf."+s.Kind] = body
		node[s.Kind] = leaf.Schema{"$ref": "#/$defs/leaf." + s.Kind}
	}
	defs["node"] = leaf.Schema{
		"type": "object", "properties": node, "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
	}
	top := map[string]leaf.Schema{"version": {"const": Version}}
	for k, v := range node {
		top[k] = v
	}
	b, err := json.MarshalIndent(leaf.Schema{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"$id":     "https://kizuna-cx.github.io/schema/rule.json",
		"title":   "Rule",
		"type":    "object", "properties": top, "additionalProperties": false,
		"minProperties": 1,
		"if":            leaf.Schema{"required": []string{"version"}},
		"then":          leaf.Schema{"minProperties": 2, "maxProperties": 2},
		"else":          leaf.Schema{"maxProperties": 1},
		"$defs":         defs,
	}, "", "  ")
	if err != nil {
		panic(err) // texts and numbers of ours
	}
	return append(b, '\n')
}
