package block

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// Schema returns the JSON Schema (draft 2020-12) of documents. It says what tags can say; Liquid, markup and addresses only
// Parse checks.
func Schema() []byte {
	defs := map[string]any{}
	var kinds []any
	common := shape(reflect.TypeFor[head](), defs)
	for _, k := range Kinds() {
		own := shape(reflect.TypeOf(k.New()).Elem(), defs)
		props := map[string]any{}
		for n, p := range common["properties"].(map[string]any) {
			props[n] = p
		}
		for n, p := range own["properties"].(map[string]any) {
			props[n] = p
		}
		props["type"] = map[string]any{"const": k.Type}
		need, _ := own["required"].([]string)
		defs["block."+k.Type] = map[string]any{"type": "object", "title": k.Type, "description": k.Doc, "properties": props, "required": append([]string{"type"}, need...), "additionalProperties": false}
		kinds = append(kinds, map[string]any{"$ref": "#/$defs/block." + k.Type})
	}
	defs["block"] = map[string]any{"oneOf": kinds}
	top := shape(reflect.TypeFor[Document](), defs)
	top["properties"].(map[string]any)["version"] = map[string]any{"const": Version}
	top["$schema"], top["$id"], top["title"], top["$defs"] = "https://json-schema.org/draft/2020-12/schema", "https://kizuna-cx.github.io/schema/mail.json", "Mail document", defs
	out, err := json.MarshalIndent(top, "", "  ")
	if err != nil {
		panic(err) // texts and numbers of ours
	}
	return append(out, '\n')
}

func shape(t reflect.Type, defs map[string]any) map[string]any {
	props, need := map[string]any{}, []string{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		p := property(f.Type, defs)
		if d := f.Tag.Get("doc"); d != "" {
			p["description"] = d
		}
		if e := f.Tag.Get("enum"); e != "" {
			p["enum"] = strings.Split(e, ",")
		}
		if is := f.Tag.Get("is"); is != "" {
			p["x-is"] = is
		}
		for tag, words := range map[string][2]string{"min": {"minimum", "minLength"}, "max": {"maximum", "maxLength"}} {
			if n, err := strconv.Atoi(f.Tag.Get(tag)); err == nil {
				word := words[0]
				if f.Type.Kind() == reflect.String {
					word = words[1]
				}
				p[word] = n
			}
		}
		if f.Tag.Get("need") == "true" || name == "sections" || name == "columns" || name == "blocks" {
			need = append(need, name)
		}
		props[name] = p
	}
	return map[string]any{"type": "object", "properties": props, "required": need, "additionalProperties": false}
}

func property(t reflect.Type, defs map[string]any) map[string]any {
	switch t.Kind() {
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Int:
		return map[string]any{"type": "integer"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": property(t.Elem(), defs)}
	}
	name := strings.ToLower(t.Name())
	if t == reflect.TypeFor[Block]() {
		return map[string]any{"$ref": "#/$defs/block"}
	}
	if _, ok := defs[name]; !ok {
		defs[name] = true // stands for itself while its own fields are read
		defs[name] = shape(t, defs)
	}
	return map[string]any{"$ref": "#/$defs/" + name}
}
