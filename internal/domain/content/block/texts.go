package block

import (
	"fmt"
	"reflect"
	"strings"
)

// Text is one thing that an author wrote into a block.
type Text struct {
	Block string // id; in a snippet "key/id"
	Type  string // of the block
	Field string // where in the document
	Is    string // line, text, rich, url, cond, path or html
	Value string
	Item  bool // the variable item is known here
}

// Link is an address with what it says.
type Link struct {
	Text
	Label string
}

// Texts calls yield with everything that an author wrote, the snippets' texts where they stand.
func (d Document) Texts(snippets map[string]Fragment, yield func(Text)) {
	for i, s := range d.Sections {
		if s.If != "" {
			yield(Text{Block: s.ID, Type: "section", Field: fmt.Sprintf("sections[%d].if", i), Is: "cond", Value: s.If})
		}
	}
	for at, b := range d.Blocks {
		b.texts(at, b.ID, snippets, 0, yield)
	}
}

func (b Block) texts(at, id string, snippets map[string]Fragment, depth int, yield func(Text)) {
	if b.If != "" {
		yield(Text{Block: id, Type: b.Type, Field: at + ".if", Is: "cond", Value: b.If})
	}
	if s, ok := b.body.(*snippet); ok {
		if depth < maxDepth {
			for _, x := range snippets[s.Snippet] {
				x.texts(at, s.Snippet+"/"+x.ID, snippets, depth+1, yield)
			}
		}
		return
	}
	b.walk(at, id, reflect.ValueOf(b.body).Elem(), yield)
}

func (b Block) walk(at, id string, v reflect.Value, yield func(Text)) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Type.Kind() == reflect.String && f.Tag.Get("is") != "" && v.Field(i).String() != "":
			is := f.Tag.Get("is")
			item := (b.Type == "products" || b.Type == "list") && name != "each" && name != "empty"
			yield(Text{Block: id, Type: b.Type, Field: at + "." + name, Is: is, Value: v.Field(i).String(), Item: item})
		case f.Type.Kind() == reflect.Slice:
			for k := range v.Field(i).Len() {
				b.walk(fmt.Sprintf("%s.%s[%d]", at, name, k), id, v.Field(i).Index(k), yield)
			}
		}
	}
}

// Links returns the addresses that an author wrote and what stands on them, those of pictures not included.
func (d Document) Links(snippets map[string]Fragment) []Link {
	var out []Link
	label := map[string]string{} // of a block, so far
	d.Texts(snippets, func(t Text) {
		switch {
		case t.Is == "url" && !strings.HasSuffix(t.Field, "src") && !strings.HasSuffix(t.Field, "image"):
			out = append(out, Link{t, label[t.Block]})
		case t.Is == "rich":
			r, _ := inline(t.Value)
			for i, x := range r.runs {
				if x.op != '<' || x.tag != "a" {
					continue
				}
				says := ""
				for _, y := range r.runs[i+1:] {
					if y.op == '>' && y.tag == "a" {
						break
					}
					says += y.text
				}
				link := t
				link.Value = r.show(x.text, same)
				out = append(out, Link{link, r.show(says, same)})
			}
		case t.Is == "line":
			label[t.Block] = t.Value
		}
	})
	return out
}

// Headings returns the levels of the headings with the ids of their blocks, in order.
func (d Document) Headings() (levels []int, ids []string) {
	for _, b := range d.Blocks {
		if h, ok := b.body.(*heading); ok {
			levels, ids = append(levels, max(h.Level, 1)), append(ids, b.ID)
		}
	}
	return levels, ids
}
