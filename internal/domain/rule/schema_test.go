package rule_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/domain/rule/ruletest"
)

var update = flag.Bool("update", false, "rewrite golden files")

func TestSchemaIsTheCommittedOne(t *testing.T) { golden(t, "schema.json", rule.Schema()) }

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(rule.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("rule.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("rule.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSchemaAgreesWithParse(t *testing.T) {
	s := schema(t)
	check := func(raw string) error {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(raw)))
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		return s.Validate(doc)
	}
	for _, raw := range valid {
		if err := check(raw); err != nil {
			t.Errorf("%s is valid but breaks the schema: %v", raw, err)
		}
	}
	for _, c := range refused {
		if c.structural && check(c.rule) == nil {
			t.Errorf("%s: %s is refused but fits the schema", c.name, c.rule)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		raw, err := json.Marshal(ruletest.Tree(rt))
		if err != nil {
			rt.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			rt.Fatal(err)
		}
		if err := s.Validate(doc); err != nil {
			rt.Fatalf("%s is valid but breaks the schema: %v", raw, err)
		}
	})
}
