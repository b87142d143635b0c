package deploy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// schema is what Kubernetes takes: the part of the OpenAPI description that it publishes (api/openapi-spec/v3 of its release 1.34.2, with the values of enumerations of
// pkg/generated/openapi) that the kinds of our manifests are made of, without descriptions and status.
type schema struct {
	Kinds map[string]string // "apps/v1 Deployment" to the name of its type
	Types map[string]*shape
}

type shape struct {
	Ref        string `json:"$ref"`
	Type       string
	Enum       []string
	Required   []string
	Properties map[string]*shape
	Items      *shape
	Additional *shape `json:"additionalProperties"`
	OneOf      []*shape
}

func kubernetes(t *testing.T) schema {
	t.Helper()
	raw, err := os.ReadFile("testdata/kubernetes-1.34.json")
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// faults lists what a cluster that validates strictly would refuse a document for.
func (s schema) faults(doc node) []string {
	kind := text(doc, "apiVersion") + " " + text(doc, "kind")
	name, ok := s.Kinds[kind]
	if !ok {
		return []string{fmt.Sprintf("%s: there is no such kind in the part of the schema that is kept here", kind)}
	}
	return s.check(text(doc, "kind"), s.Types[name], doc)
}

func (s schema) check(path string, is *shape, v any) (out []string) {
	if is.Ref != "" {
		is = s.Types[is.Ref]
	}
	wrong := func(want string) []string { return []string{fmt.Sprintf("%s: %v is no %s", path, v, want)} }
	if len(is.OneOf) > 0 {
		if !slices.ContainsFunc(is.OneOf, func(o *shape) bool { return len(s.check(path, o, v)) == 0 }) {
			return wrong(is.OneOf[0].Type + " or " + is.OneOf[1].Type)
		}
		return nil
	}
	switch is.Type {
	case "object":
		m, ok := v.(node)
		if !ok {
			return wrong("object")
		}
		for _, k := range is.Required {
			if m[k] == nil {
				out = append(out, path+"."+k+" is missing")
			}
		}
		for _, k := range slices.Sorted(maps.Keys(m)) {
			of := is.Properties[k]
			if of == nil {
				of = is.Additional
			}
			if of == nil {
				out = append(out, path+"."+k+": there is no such field")
			} else {
				out = append(out, s.check(path+"."+k, of, m[k])...)
			}
		}
	case "array":
		l, ok := v.([]any)
		if !ok {
			return wrong("list")
		}
		for i, e := range l {
			out = append(out, s.check(fmt.Sprintf("%s[%d]", path, i), is.Items, e)...)
		}
	case "string":
		text, ok := v.(string)
		if !ok || len(is.Enum) > 0 && !slices.Contains(is.Enum, text) {
			return wrong("string " + strings.Join(is.Enum, ", "))
		}
	case "boolean":
		if _, ok := v.(bool); !ok {
			return wrong("boolean")
		}
	case "integer":
		if _, ok := v.(int); !ok {
			return wrong("integer")
		}
	case "number":
		switch v.(type) {
		case int, float64:
		default:
			return wrong("number")
		}
	default:
		return []string{path + ": the schema does not say what it is"}
	}
	return out
}

func TestKubernetesTakesEveryFieldOfTheManifests(t *testing.T) {
	s := kubernetes(t)
	files, err := filepath.Glob(root + "kubernetes/*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("manifests are %v, %v", files, err)
	}
	for _, file := range files {
		for _, doc := range read(t, "kubernetes/"+filepath.Base(file)) {
			for _, fault := range s.faults(doc) {
				t.Errorf("%s, %s: %s", filepath.Base(file), text(doc, "metadata", "name"), fault)
			}
		}
	}
}

func TestAFieldThatKubernetesDoesNotTakeIsFound(t *testing.T) {
	s := kubernetes(t)
	pod := func(d node) node { return at(d, "spec", "template", "spec").(node) }
	container := func(d node) node { return list(pod(d), "containers")[0].(node) }
	for want, spoil := range map[string]func(d node){
		"": func(node) {},
		"Deployment.spec.template.spec.terminationGracePeriod: there is no such field":                                    func(d node) { pod(d)["terminationGracePeriod"] = 30 },
		"Deployment.spec.template.spec.containers[0].readinessProbe.httpget: there is no such field":                      func(d node) { container(d)["readinessProbe"].(node)["httpget"] = node{} },
		"Deployment.spec.replicas: 2 is no integer":                                                                       func(d node) { d["spec"].(node)["replicas"] = "2" },
		"Deployment.spec.selector is missing":                                                                             func(d node) { delete(d["spec"].(node), "selector") },
		"Deployment.spec.template.spec.containers[0].imagePullPolicy: Sometimes is no string Always, IfNotPresent, Never": func(d node) { container(d)["imagePullPolicy"] = "Sometimes" },
		"Deployment.spec.template.spec.containers[0].env[0].value: 1 is no string ":                                       func(d node) { container(d)["env"] = []any{node{"name": "A", "value": 1}} },
		"Deployment.spec.strategy.rollingUpdate.maxSurge: true is no integer or string":                                   func(d node) { at(d, "spec", "strategy", "rollingUpdate").(node)["maxSurge"] = true },
		"extensions/v1beta1 Deployment: there is no such kind in the part of the schema that is kept here":                func(d node) { d["apiVersion"] = "extensions/v1beta1" },
	} {
		docs := read(t, "kubernetes/kizuna.yaml")
		d := docs[slices.IndexFunc(docs, func(d node) bool { return text(d, "kind") == "Deployment" })]
		spoil(d)
		if got := strings.Join(s.faults(d), "; "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
