package block

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Version is the version of the document's form.
const Version = 1

// Document is a mail as it was built.
type Document struct {
	Version  int       `json:"version" need:"true" doc:"1"`
	Header   string    `json:"header,omitempty" enum:"logo,none" doc:"what stands above the letter; the brand's logo if left out"`
	Footer   string    `json:"footer,omitempty" enum:"full,short" doc:"short leaves out notes, links and social profiles; address and way out always stay"`
	Width    int       `json:"width,omitempty" min:"320" max:"800" doc:"of the letter in pixels; 600 if left out"`
	Sections []Section `json:"sections"`
}

// Section is a band of the letter. Its columns stand beside each other on wide screens and below each other on phones.
type Section struct {
	ID      string   `json:"id,omitempty" doc:"given when the document is saved"`
	If      string   `json:"if,omitempty" is:"cond" max:"1000" doc:"Liquid condition; the section is there only if it holds"`
	Style   Style    `json:"style,omitzero"`
	Columns []Column `json:"columns"`
}

// Column is a stack of blocks.
type Column struct {
	Width  int     `json:"width,omitempty" min:"0" max:"100" doc:"percent; what is left is shared by columns without one"`
	VAlign string  `json:"valign,omitempty" enum:"top,middle,bottom"`
	Blocks []Block `json:"blocks"`
}

// Style is made of the brand's tokens, so that a new brand restyles every mail.
type Style struct {
	Background string `json:"background,omitempty" enum:"none,page,surface,subtle,accent" doc:"colour of the brand behind it"`
	Color      string `json:"color,omitempty" enum:"text,muted,accent,on_accent"`
	Align      string `json:"align,omitempty" enum:"start,center,end"`
	Size       string `json:"size,omitempty" enum:"s,m,l,xl" doc:"of text"`
	Padding    string `json:"padding,omitempty" enum:"none,s,m,l" doc:"around it"`
	Gap        string `json:"gap,omitempty" enum:"none,s,m,l" doc:"below it"`
	Border     bool   `json:"border,omitempty" doc:"a thin line around it"`
	Rounded    bool   `json:"rounded,omitempty" doc:"the brand's corners"`
}

// Block is one piece of content. Its fields are those of its kind.
type Block struct {
	ID    string
	Type  string
	If    string
	Style Style
	body  body
}

// head is what every kind of block has.
type head struct {
	ID    string `json:"id,omitempty" doc:"given when the document is saved"`
	Type  string `json:"type" need:"true"`
	If    string `json:"if,omitempty" is:"cond" max:"1000" doc:"Liquid condition; the block is there only if it holds"`
	Style Style  `json:"style,omitzero"`
}

// body is the fields of one kind.
type body interface {
	write(w *writer, b Block)
}

// UnmarshalJSON reads a block by its type. Fields that the type does not have are errors.
func (b *Block) UnmarshalJSON(raw []byte) error {
	var h head
	if err := json.Unmarshal(raw, &h); err != nil {
		return shapeError("", err)
	}
	*b = Block{ID: h.ID, Type: h.Type, If: h.If, Style: h.Style}
	if h.Type == "" {
		return errs.Invalid("content.block.type_missing", "type", "say what kind of block this is: %s", strings.Join(names(), ", "))
	}
	kind, ok := byType(h.Type)
	if !ok {
		return errs.Invalid("content.block.type_unknown", "type", "there is no block %q; there are %s", h.Type, strings.Join(names(), ", "))
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return shapeError("", err)
	}
	var style Style
	if err := strict(fields["style"], &style); err != nil {
		return shapeError("style", err)
	}
	for _, k := range []string{"id", "type", "if", "style"} {
		delete(fields, k)
	}
	rest, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	b.body = kind.New()
	return shapeError("", strict(rest, b.body))
}

// MarshalJSON writes the common fields and those of the type.
func (b Block) MarshalJSON() ([]byte, error) {
	h, err := json.Marshal(head{b.ID, b.Type, b.If, b.Style})
	if err != nil || b.body == nil {
		return h, err
	}
	own, err := json.Marshal(b.body)
	if err != nil || string(own) == "{}" {
		return h, err
	}
	return append(append(h[:len(h)-1], ','), own[1:]...), nil
}

func strict(raw []byte, v any) error {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// shapeError says in our words what is wrong with JSON.
func shapeError(field string, err error) error {
	if err == nil {
		return nil
	}
	join := func(f string) string { return strings.Trim(field+"."+f, ".") }
	var mine *errs.Error
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &mine):
		return err
	case errors.As(err, &kind):
		return errs.Invalid("content.block.type", join(kind.Field), "this is a %s, and a %s belongs here", kind.Value, kind.Type)
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		name = strings.Trim(name, `"`)
		return errs.Invalid("content.block.field_unknown", join(name), "there is no field %q here", name)
	}
	return errs.Invalid("content.block.json", field, "this is not valid JSON: %v", err)
}

// Limits of a document.
const (
	MaxBytes    = 512 << 10
	maxSections = 100
	maxColumns  = 4
	maxBlocks   = 300
)

// Parse reads a document, gives names to blocks without one and checks it. The error joins everything wrong with it; the field of
// each names the place, as in "sections[0].columns[1].blocks[2].url", and the message the block.
func Parse(raw []byte) (Document, error) {
	if len(raw) > MaxBytes {
		return Document{}, errs.Invalid("content.block.too_long", "", "%d bytes; at most %d fit here", len(raw), MaxBytes)
	}
	var top struct {
		Version  *int            `json:"version"`
		Header   string          `json:"header"`
		Footer   string          `json:"footer"`
		Width    int             `json:"width"`
		Sections json.RawMessage `json:"sections"`
	}
	if err := one(raw, &top); err != nil {
		return Document{}, shapeError("", err)
	}
	if top.Version == nil || *top.Version != Version {
		return Document{}, errs.Invalid("content.block.version", "version", "write \"version\": %d; other forms are not known here", Version)
	}
	d := Document{Version: Version, Header: top.Header, Footer: top.Footer, Width: top.Width}
	var all []error
	d.Sections, all = parseSections(top.Sections)
	if len(all) > 0 {
		return Document{}, errors.Join(all...)
	}
	d.name()
	if all := d.check(); len(all) > 0 {
		return d, errors.Join(all...)
	}
	return d, nil
}

// one reads exactly one JSON value.
func one(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("there is something after the document")
	}
	return nil
}

// parseSections reads section by section and block by block, so that each error names its place.
func parseSections(raw json.RawMessage) (out []Section, all []error) {
	var sections []json.RawMessage
	if err := strict(raw, &sections); err != nil {
		return nil, []error{shapeError("sections", err)}
	}
	for i, rs := range sections {
		at := fmt.Sprintf("sections[%d]", i)
		var s struct {
			ID      string            `json:"id"`
			If      string            `json:"if"`
			Style   Style             `json:"style"`
			Columns []json.RawMessage `json:"columns"`
		}
		if err := strict(rs, &s); err != nil {
			all = append(all, under(at, shapeError("", err))...)
			continue
		}
		section := Section{ID: s.ID, If: s.If, Style: s.Style}
		for j, rc := range s.Columns {
			at := fmt.Sprintf("%s.columns[%d]", at, j)
			var c struct {
				Width  int               `json:"width"`
				VAlign string            `json:"valign"`
				Blocks []json.RawMessage `json:"blocks"`
			}
			if err := strict(rc, &c); err != nil {
				all = append(all, under(at, shapeError("", err))...)
				continue
			}
			column := Column{Width: c.Width, VAlign: c.VAlign}
			blocks, bad := parseBlocks(at+".blocks", c.Blocks)
			all = append(all, bad...)
			column.Blocks = blocks
			section.Columns = append(section.Columns, column)
		}
		out = append(out, section)
	}
	return out, all
}

func parseBlocks(at string, raw []json.RawMessage) (out []Block, all []error) {
	for k, rb := range raw {
		var b Block
		if err := b.UnmarshalJSON(rb); err != nil {
			all = append(all, under(fmt.Sprintf("%s[%d]", at, k), err)...)
			continue
		}
		out = append(out, b)
	}
	return out, all
}

// under moves errors to where the thing they are about stands.
func under(at string, err error) []error {
	var out []error
	for _, e := range errs.All(err) {
		c := *e
		c.Field = strings.Trim(at+"."+e.Field, ".")
		out = append(out, &c)
	}
	if len(out) == 0 && err != nil {
		out = append(out, errs.Invalid("content.block.json", at, "%v", err))
	}
	return out
}

// Encode writes the document in its one form.
func (d Document) Encode() []byte {
	if d.Sections == nil {
		d.Sections = []Section{}
	}
	raw, err := json.Marshal(d)
	if err != nil {
		panic(err) // made of texts and numbers
	}
	return raw
}

// name gives every section and block a name that is unique in the document.
func (d *Document) name() {
	taken := map[string]bool{}
	var without []*string
	see := func(id *string) {
		if *id == "" || taken[*id] {
			without = append(without, id)
			return
		}
		taken[*id] = true
	}
	for i := range d.Sections {
		s := &d.Sections[i]
		see(&s.ID)
		for j := range s.Columns {
			for k := range s.Columns[j].Blocks {
				see(&s.Columns[j].Blocks[k].ID)
			}
		}
	}
	nameAll(taken, without)
}

func nameAll(taken map[string]bool, without []*string) {
	n := 1
	for _, id := range without {
		for taken["b"+strconv.Itoa(n)] {
			n++
		}
		*id = "b" + strconv.Itoa(n)
		taken[*id] = true
	}
}

// Blocks calls yield with every block and where it stands.
func (d Document) Blocks(yield func(at string, b Block) bool) {
	for i, s := range d.Sections {
		for j, c := range s.Columns {
			for k, b := range c.Blocks {
				if !yield(fmt.Sprintf("sections[%d].columns[%d].blocks[%d]", i, j, k), b) {
					return
				}
			}
		}
	}
}

// Snippets returns the keys of the snippets that the document refers to, each once, in order.
func (d Document) Snippets() []string {
	var out []string
	for _, b := range d.Blocks {
		out = appendSnippet(out, b)
	}
	return out
}

func appendSnippet(out []string, b Block) []string {
	if s, ok := b.body.(*snippet); ok && !slices.Contains(out, s.Snippet) {
		return append(out, s.Snippet)
	}
	return out
}

// Fragment is what a snippet holds: blocks that are put where it is named.
type Fragment []Block

// ParseFragment reads the blocks of a snippet, a JSON list.
func ParseFragment(raw []byte) (Fragment, error) {
	if len(raw) > MaxBytes {
		return nil, errs.Invalid("content.block.too_long", "", "%d bytes; at most %d fit here", len(raw), MaxBytes)
	}
	var list []json.RawMessage
	if err := one(raw, &list); err != nil {
		return nil, shapeError("", err)
	}
	blocks, all := parseBlocks("blocks", list)
	if len(all) > 0 {
		return nil, errors.Join(all...)
	}
	taken := map[string]bool{}
	var without []*string
	for i := range blocks {
		if id := &blocks[i].ID; *id == "" || taken[*id] {
			without = append(without, id)
		} else {
			taken[*id] = true
		}
	}
	nameAll(taken, without)
	c := checker{}
	c.count(len(blocks))
	for i, b := range blocks {
		c.block(fmt.Sprintf("blocks[%d]", i), b)
	}
	return blocks, errors.Join(c.all...)
}

// Encode writes the fragment in its one form.
func (f Fragment) Encode() []byte {
	raw, err := json.Marshal(append([]Block{}, f...))
	if err != nil {
		panic(err) // made of texts and numbers
	}
	return raw
}

// Snippets returns the keys of the snippets that the fragment refers to.
func (f Fragment) Snippets() []string {
	var out []string
	for _, b := range f {
		out = appendSnippet(out, b)
	}
	return out
}
