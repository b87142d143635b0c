package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// ChannelKind is a way to reach people that this installation knows; accounts are made of it.
type ChannelKind struct {
	Kind    string          `json:"kind"`
	Title   string          `json:"title"`
	Config  json.RawMessage `json:"config_schema" doc:"JSON Schema of an account's config; secrets are writeOnly, x-order is the order for forms"`
	Secrets []string        `json:"secrets" doc:"fields that go in and never come out"`
}

func (a *api) channelRoutes() {
	route(a, http.MethodGet, "/channels", "channel-list", "The channels of this installation and what their accounts are configured with", staff.SettingsRead, func(context.Context, *nothing) (*body[List[ChannelKind]], error) {
		out := List[ChannelKind]{Items: []ChannelKind{}}
		for _, c := range a.c.Outbox.Channels() {
			schema, secrets, err := configSchema(c.Config())
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, ChannelKind{Kind: c.Kind, Title: c.Title, Config: schema, Secrets: secrets})
		}
		return answer(out), nil
	})
}

// configSchema makes the JSON Schema of a configuration struct, complete in itself, and names its fields tagged
// `secret:"true"`. Forms are made from it; x-order is the order of their fields, which JSON objects do not keep.
func configSchema(config any) (schema json.RawMessage, secrets []string, err error) {
	t := reflect.TypeOf(config)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	shared := huma.NewMapRegistry("#/$defs/", huma.DefaultSchemaNamer)
	root := shared.Schema(t, false, t.Name())
	secrets, order := []string{}, []string{}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		order = append(order, name)
		if f.Tag.Get("secret") != "true" {
			continue
		}
		secrets = append(secrets, name)
		if p := root.Properties[name]; p != nil {
			p.WriteOnly, p.Format = true, "password"
		}
	}
	flat, err := json.Marshal(root)
	if err != nil {
		return nil, nil, fmt.Errorf("schema of %s: %w", t, err)
	}
	var out map[string]any
	if err := json.Unmarshal(flat, &out); err != nil {
		return nil, nil, fmt.Errorf("schema of %s: %w", t, err)
	}
	out["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	out["x-order"] = order
	defs := maps.Clone(shared.Map())
	delete(defs, huma.DefaultSchemaNamer(t, "")) // the root itself
	if len(defs) > 0 {
		out["$defs"] = defs
	}
	schema, err = json.Marshal(out)
	return schema, secrets, err
}
