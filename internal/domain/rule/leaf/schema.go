package leaf

import "maps"

// Schema is a JSON Schema (draft 2020-12) or a part of one.
type Schema map[string]any

// object is the schema of an object with these members and no others.
func object(properties map[string]Schema, required ...string) Schema {
	s := Schema{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// with adds conditions that go across members.
func (s Schema) with(all ...Schema) Schema {
	s["allOf"] = all
	return s
}

func enum(words ...string) Schema { return Schema{"enum": words} }

func ref(name string) Schema { return Schema{"$ref": "#/$defs/" + name} }

func anyOf(s ...Schema) Schema { return Schema{"anyOf": s} }

func has(key string) Schema { return Schema{"required": []string{key}} }

func not(s Schema) Schema { return Schema{"not": s} }

var (
	textSchema    = Schema{"type": "string", "minLength": 1, "maxLength": maxText}
	pathSchema    = Schema{"type": "string", "pattern": `^[^.]+(\.[^.]+)*$`, "maxLength": maxPath}
	booleanSchema = Schema{"type": "boolean"}
	percentSchema = Schema{"type": "number", "minimum": 0, "maximum": 100}
)

// Shared are the definitions that leaf schemas refer to.
func Shared() map[string]Schema {
	scalar := Schema{"type": []string{"string", "number", "boolean"}}
	moment := Schema{
		"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
		"properties": map[string]Schema{"ago": ref("age"), "ahead": ref("age")},
	}
	duration := func(least int) Schema {
		return object(map[string]Schema{"n": {"type": "integer", "minimum": least}, "unit": enum(unitNames...)}, "n", "unit")
	}
	time := Schema{"type": "string", "pattern": TimePattern}
	trait := object(map[string]Schema{"trait": pathSchema}, "trait")
	numbers := Schema{"type": "number"}
	return map[string]Schema{
		"span":          duration(1),
		"age":           duration(0),
		"window":        windowSchema(time),
		"traitOrValue":  anyOf(condition(allOps, scalar, Schema{"type": []string{"number", "string"}}), withTrait(trait, "contains", "starts_with")),
		"momentOrValue": anyOf(condition(allOps, scalar, anyOf(Schema{"type": []string{"number", "string"}}, moment)), withTrait(trait, "contains", "starts_with")),
		"figure":        anyOf(condition(numericOps, numbers, numbers), withTrait(trait)),
		"number":        condition(numericOps, numbers, numbers),
		"text":          condition(allOps, Schema{"type": "string"}, Schema{"type": "string"}),
		"moment":        condition(momentOps, Schema{"type": "string"}, anyOf(time, moment)),
		"filters": {"type": "array", "maxItems": maxFilters, "items": object(map[string]Schema{
			"path": pathSchema, "op": enum(allOps...), "value": {},
		}, "path", "op").with(ref("traitOrValue"))},
	}
}

// withTrait is a comparison with a trait of the person.
func withTrait(trait Schema, also ...string) Schema {
	ops := append([]string{"eq", "neq", "gt", "gte", "lt", "lte"}, also...)
	return Schema{"properties": map[string]Schema{"op": enum(ops...), "value": trait}, "required": []string{"op", "value"}}
}

// aboutSchema adds to the members those that say which events a condition is about.
func aboutSchema(more map[string]Schema, required ...string) Schema {
	all := map[string]Schema{"name": textSchema, "type": enum(eventTypes...), "filter": ref("filters")}
	maps.Copy(all, more)
	return object(all, required...).with(anyOf(has("name"), has("type")))
}

func windowSchema(time Schema) Schema {
	one := Schema{
		"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
		"properties": map[string]Schema{
			"within":  ref("span"),
			"before":  ref("span"),
			"since":   aboutSchema(map[string]Schema{"which": enum(ends...), "within": ref("span")}),
			"between": object(map[string]Schema{"from_ago": ref("span"), "to_ago": ref("age")}, "from_ago", "to_ago"),
			"absolute": {
				"type": "object", "minProperties": 1, "additionalProperties": false,
				"properties": map[string]Schema{"from": time, "to": time},
			},
		},
	}
	return anyOf(Schema{"const": "ever"}, one)
}

// condition says which values go with which op: same ones for equality, ordered ones for order.
func condition(ops []string, same, ordered Schema) Schema {
	known := map[string]bool{}
	for _, o := range ops {
		known[o] = true
	}
	var cases []Schema
	add := func(value Schema, required bool, words ...string) {
		var these []string
		for _, w := range words {
			if known[w] {
				these = append(these, w)
			}
		}
		if len(these) == 0 {
			return
		}
		c := Schema{"properties": map[string]Schema{"op": enum(these...), "value": value}, "required": []string{"op"}}
		if required {
			c["required"] = []string{"op", "value"}
		}
		cases = append(cases, c)
	}
	add(Schema{"enum": []any{nil, true}}, false, "exists", "not_exists")
	add(same, true, "eq", "neq", "contains")
	add(Schema{"type": "string"}, true, "starts_with")
	add(ordered, true, "gt", "gte", "lt", "lte")
	add(Schema{"type": "array", "minItems": 1, "maxItems": MaxValues, "items": same}, true, "in", "not_in")
	add(Schema{"type": "array", "minItems": 2, "maxItems": 2, "items": ordered}, true, "between")
	return anyOf(cases...)
}
