package event

import (
	"strconv"
	"strings"
)

// Promoted are the parts of an event that rules and reports use most. The event store keeps them in columns of
// their own and rules read them from here, so that both see the same. An empty string means absent.
type Promoted struct {
	Total    float64 // total, else revenue, else value: the first that is a number
	HasTotal bool

	Currency  string // currency
	OrderID   string // order_id; a number counts as its text
	ProductID string // product_id, else sku; a number counts as its text
	Category  string // category
	URL       string // url, else context.page.url
	Path      string // path, else context.page.path

	OS          string // context.os.name
	OSVersion   string // context.os.version; a number counts as its text
	DeviceType  string // context.device.type
	DeviceModel string // context.device.model
	Platform    string // see platform
	AppVersion  string // context.app.version; a number counts as its text
	Locale      string // context.locale
	Timezone    string // context.timezone
	Country     string // context.location.country

	// Of events the product writes: the properties of the same name; OutboxID is message_id.
	Channel, Topic, SourceKind, SourceID, Node, OutboxID string
}

// Promote reads the promoted parts of e. Values of another type than asked for count as absent.
func Promote(e *Event) Promoted {
	return PromoteObjects(e, Object(e.Properties), Object(e.Context))
}

// PromoteObjects is Promote for a caller who has decoded properties and context with Object already.
func PromoteObjects(e *Event, props, ctx map[string]any) Promoted {
	var p Promoted
	for _, k := range [...]string{"total", "revenue", "value"} {
		if f, ok := props[k].(float64); ok {
			p.Total, p.HasTotal = f, true
			break
		}
	}
	p.Currency = text(props["currency"])
	p.OrderID = textOrNumber(props["order_id"])
	p.ProductID = first(textOrNumber(props["product_id"]), textOrNumber(props["sku"]))
	p.Category = text(props["category"])
	pg := child(ctx, "page")
	p.URL = first(text(props["url"]), text(pg["url"]))
	p.Path = first(text(props["path"]), text(pg["path"]))

	os, device := child(ctx, "os"), child(ctx, "device")
	p.OS = text(os["name"])
	p.OSVersion = textOrNumber(os["version"])
	p.DeviceType = text(device["type"])
	p.DeviceModel = text(device["model"])
	p.AppVersion = textOrNumber(child(ctx, "app")["version"])
	p.Platform = platform(e, ctx, p.OS, p.DeviceType)
	p.Locale = text(ctx["locale"])
	p.Timezone = text(ctx["timezone"])
	p.Country = text(child(ctx, "location")["country"])

	if !e.Type.External() {
		p.Channel = text(props["channel"])
		p.Topic = text(props["topic"])
		p.SourceKind = text(props["source_kind"])
		p.SourceID = text(props["source_id"])
		p.Node = text(props["node"])
		p.OutboxID = text(props["message_id"])
	}
	return p
}

// platform names where the event was made: what context.platform says; else ios or android if the device type or,
// outside browsers, the operating system says so; else web or server by the key it came in with.
func platform(e *Event, ctx map[string]any, os, device string) string {
	if s := text(ctx["platform"]); s != "" {
		return strings.ToLower(s)
	}
	switch d := strings.ToLower(device); d {
	case "ios", "android":
		return d
	}
	_, hasPage := ctx["page"].(map[string]any)
	if !hasPage {
		switch strings.ToLower(os) {
		case "ios", "ipados":
			return "ios"
		case "android":
			return "android"
		}
	}
	switch {
	case hasPage || e.Origin == Browser:
		return "web"
	case e.Origin == Server:
		return "server"
	}
	return ""
}

func child(m map[string]any, key string) map[string]any {
	c, _ := m[key].(map[string]any)
	return c
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func textOrNumber(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// Named reports whether asking for events called name selects e: page and screen events answer to their type too.
func Named(e *Event, name string) bool {
	return e.Name == name || (e.Type == Page || e.Type == Screen) && string(e.Type) == name
}

// Strings returns the identifiers as "kind:value", as the event store keeps them.
func Strings(ids []Identifier) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.String()
	}
	return out
}

// String returns "kind:value".
func (i Identifier) String() string { return i.Kind + ":" + i.Value }

// ParseIdentifier reads what String wrote.
func ParseIdentifier(s string) Identifier {
	kind, value, _ := strings.Cut(s, ":")
	return Identifier{Kind: kind, Value: value}
}
