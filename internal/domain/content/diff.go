package content

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Change is one thing in which two versions differ.
type Change struct {
	Path  string `json:"path" doc:"field, or language.block.field, such as ja.b3.text; main is the main text"`
	Kind  string `json:"kind" enum:"added,removed,changed,moved"`
	Block string `json:"block,omitempty" doc:"kind of the block concerned"`
	Was   string `json:"was,omitempty" doc:"shortened"`
	Now   string `json:"now,omitempty" doc:"shortened"`
}

// Compare says how b differs from a, in the order of the paths.
func Compare(a, b Template) []Change {
	was, now := flatten(a), flatten(b)
	gone, came := map[string]bool{}, map[string]bool{}
	out := []Change{}
	for _, id := range slices.Sorted(maps.Keys(was.blocks)) {
		if _, ok := now.blocks[id]; !ok {
			gone[id] = true
			out = append(out, Change{Path: id, Kind: "removed", Block: was.blocks[id], Was: shorten(was.fields[id+".text"] + was.fields[id+".label"] + was.fields[id+".alt"])})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(now.blocks)) {
		if _, ok := was.blocks[id]; !ok {
			came[id] = true
			out = append(out, Change{Path: id, Kind: "added", Block: now.blocks[id], Now: shorten(now.fields[id+".text"] + now.fields[id+".label"] + now.fields[id+".alt"])})
		}
	}
	paths := maps.Clone(was.fields)
	maps.Copy(paths, now.fields)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		id := path[:max(0, strings.LastIndexByte(path, '.'))]
		for id != "" && was.blocks[id] == "" && now.blocks[id] == "" {
			id = id[:max(0, strings.LastIndexByte(id, '.'))]
		}
		x, before := was.fields[path]
		y, after := now.fields[path]
		if gone[id] || came[id] || x == y {
			continue
		}
		c := Change{Path: path, Kind: "changed", Block: now.blocks[id], Was: shorten(x), Now: shorten(y)}
		switch {
		case strings.HasSuffix(path, ".place"):
			c.Kind = "moved"
		case !before || x == "":
			c.Kind = "added"
		case !after || y == "":
			c.Kind = "removed"
		}
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return out
}

type flat struct {
	fields map[string]string // by path
	blocks map[string]string // kind of each block and section, by path
}

func flatten(t Template) flat {
	f := flat{map[string]string{}, map[string]string{}}
	d := t.Draft
	for k, v := range map[string]string{
		"name": d.Name, "kind": d.Kind, "locale": d.Locale, "from_name": d.FromName, "reply_to": d.ReplyTo, "value_proposition": d.ValueProposition,
		"purpose.read": d.Purpose.Read, "purpose.click": d.Purpose.Click, "purpose.action": d.Purpose.Action, "purpose.ask": d.Purpose.Ask,
		"purpose.why": d.Purpose.Why, "purpose.who": d.Purpose.Who, "purpose.use": d.Purpose.Use,
	} {
		f.fields[k] = v
	}
	if t.Pins.Brand > 0 {
		f.fields["brand"] = strconv.Itoa(t.Pins.Brand)
	}
	for key, v := range t.Pins.Snippets {
		f.fields["snippet."+key] = strconv.Itoa(v)
	}
	for i, text := range d.translations() {
		at := "main"
		if i > 0 {
			at = text.Locale
		}
		for k, v := range map[string]string{"subject": text.Subject, "preheader": text.Preheader, "html": text.HTML, "text": text.Text} {
			if v != "" {
				f.fields[at+"."+k] = v
			}
		}
		f.document(at, text.Document)
	}
	return f
}

// document takes a document apart by the names of its blocks.
func (f flat) document(at string, raw json.RawMessage) {
	var d struct {
		Header   string
		Footer   string
		Width    int
		Sections []struct {
			ID      string
			If      string
			Style   map[string]any
			Columns []struct {
				Width  int
				VAlign string
				Blocks []map[string]any
			}
		}
	}
	if json.Unmarshal(raw, &d) != nil {
		return // of kind code
	}
	f.put(at+".header", d.Header)
	f.put(at+".footer", d.Footer)
	f.put(at+".width", d.Width)
	for i, s := range d.Sections {
		sid := at + "." + s.ID
		f.blocks[sid] = "section"
		f.put(sid+".if", s.If)
		f.put(sid+".style", s.Style)
		f.fields[sid+".place"] = strconv.Itoa(i + 1)
		for j, c := range s.Columns {
			f.put(fmt.Sprintf("%s.columns[%d].width", sid, j), c.Width)
			f.put(fmt.Sprintf("%s.columns[%d].valign", sid, j), c.VAlign)
			for k, b := range c.Blocks {
				id, _ := b["id"].(string)
				kind, _ := b["type"].(string)
				bid := at + "." + id
				f.blocks[bid] = kind
				f.fields[bid+".place"] = fmt.Sprintf("%s, %d, %d", s.ID, j+1, k+1)
				for key, v := range b {
					if key != "id" {
						f.put(bid+"."+key, v)
					}
				}
			}
		}
	}
}

func (f flat) put(path string, v any) {
	switch x := v.(type) {
	case string:
		if x != "" {
			f.fields[path] = x
		}
	case int:
		if x != 0 {
			f.fields[path] = strconv.Itoa(x)
		}
	case map[string]any:
		for k, y := range x {
			f.put(path+"."+k, y)
		}
	case nil:
	default:
		if raw, err := json.Marshal(x); err == nil {
			f.fields[path] = string(raw)
		}
	}
}

const shortened = 200 // characters

func shorten(s string) string {
	if utf8.RuneCountInString(s) <= shortened {
		return s
	}
	return string([]rune(s)[:shortened]) + "…"
}
