package block

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/domain/content/liquid"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// checker collects what is wrong.
type checker struct {
	all    []error
	blocks int
}

func (d Document) check() []error {
	var c checker
	c.fields("", "document", reflect.ValueOf(d))
	if len(d.Sections) == 0 {
		c.add("empty", "sections", "", "put a section with a block into the mail")
	}
	if len(d.Sections) > maxSections {
		c.add("too_many", "sections", "", "%d sections; at most %d fit here", len(d.Sections), maxSections)
	}
	for i, s := range d.Sections {
		at := fmt.Sprintf("sections[%d]", i)
		c.fields(at, "section "+s.ID, reflect.ValueOf(s))
		c.fields(at+".style", "section "+s.ID, reflect.ValueOf(s.Style))
		if n := len(s.Columns); n == 0 || n > maxColumns {
			c.add("columns", at+".columns", "section "+s.ID, "a section has 1 to %d columns, not %d", maxColumns, n)
		}
		sum := 0
		for j, col := range s.Columns {
			at := fmt.Sprintf("%s.columns[%d]", at, j)
			c.fields(at, "section "+s.ID, reflect.ValueOf(col))
			sum += col.Width
			c.count(len(col.Blocks))
			for k, b := range col.Blocks {
				c.block(fmt.Sprintf("%s.blocks[%d]", at, k), b)
			}
		}
		if sum > 100 {
			c.add("widths", at+".columns", "section "+s.ID, "the columns together are %d %% wide; at most 100", sum)
		}
	}
	return c.all
}

func (c *checker) count(n int) {
	was := c.blocks
	if c.blocks += n; was <= maxBlocks && c.blocks > maxBlocks {
		c.add("too_many", "sections", "", "more than %d blocks; split the mail", maxBlocks)
	}
}

func (c *checker) add(code, field, who, format string, args ...any) {
	msg := fmt.Sprintf(format, args...)
	if who != "" {
		msg = who + ": " + msg
	}
	c.all = append(c.all, errs.Invalid("content.block."+code, field, "%s", msg))
}

// who names a block for people.
func (b Block) who() string { return b.Type + " " + b.ID }

func (c *checker) block(at string, b Block) {
	who := b.who()
	c.fields(at, who, reflect.ValueOf(head{b.ID, b.Type, b.If, b.Style}))
	c.fields(at+".style", who, reflect.ValueOf(b.Style))
	c.fields(at, who, reflect.ValueOf(b.body).Elem())
	switch x := b.body.(type) {
	case *image:
		if x.Alt == "" && !x.Decorative {
			c.add("alt_missing", at+".alt", who, "say what the picture shows, or mark it as decorative")
		}
	case *products:
		if (x.Each == "") == (len(x.Items) == 0) {
			c.add("products", at+".each", who, "name a list in each, or write a fixed list in items")
		}
		if len(x.Items) > 20 {
			c.add("too_many", at+".items", who, "%d products; at most 20 fit here", len(x.Items))
		}
		for i, p := range x.Items {
			c.fields(fmt.Sprintf("%s.items[%d]", at, i), who, reflect.ValueOf(p))
		}
	case *social:
		if len(x.Links) > 20 {
			c.add("too_many", at+".links", who, "%d links; at most 20 fit here", len(x.Links))
		}
		for i, p := range x.Links {
			c.fields(fmt.Sprintf("%s.links[%d]", at, i), who, reflect.ValueOf(p))
		}
	}
}

// fields checks a struct by the tags of its fields.
func (c *checker) fields(at, who string, v reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		field := strings.Trim(at+"."+name, ".")
		switch f.Type.Kind() {
		case reflect.Int:
			n := v.Field(i).Int()
			least, most := limit(f, "min"), limit(f, "max")
			if n != 0 && (least != 0 && n < least || most != 0 && n > most) || n < 0 {
				c.add("range", field, who, "%d is not within %d to %d", n, least, most)
			}
		case reflect.String:
			c.text(field, who, f, v.Field(i).String())
		}
	}
}

func limit(f reflect.StructField, key string) int64 {
	n, _ := strconv.ParseInt(f.Tag.Get(key), 10, 64) // no tag: 0
	return n
}

var (
	pathForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$`)
	keyForm  = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]{0,98}[a-z0-9])?$`)
)

// ValidKey tells whether a text can be the key of a snippet.
func ValidKey(key string) bool { return keyForm.MatchString(key) }

func (c *checker) text(field, who string, f reflect.StructField, v string) {
	if enum := f.Tag.Get("enum"); enum != "" {
		if all := strings.Split(enum, ","); v != "" && !slices.Contains(all, v) {
			c.add("choice", field, who, "%q is not one of %s", v, strings.Join(all, ", "))
		}
		return
	}
	if strings.TrimSpace(v) == "" {
		if f.Tag.Get("need") == "true" {
			c.add("missing", field, who, "this is needed")
		}
		return
	}
	if n, most := int64(utf8.RuneCountInString(v)), limit(f, "max"); most > 0 && n > most {
		c.add("too_long", field, who, "%d characters; at most %d fit here", n, most)
		return
	}
	if !utf8.ValidString(v) || strings.IndexFunc(v, private) >= 0 {
		c.add("encoding", field, who, "there are characters in it that are not text")
		return
	}
	switch f.Tag.Get("is") {
	case "line":
		if strings.ContainsAny(v, "\r\n") {
			c.add("one_line", field, who, "this must be one line")
		}
		c.liquid(field, who, v)
	case "text":
		c.liquid(field, who, v)
	case "rich":
		if c.liquid(field, who, v) {
			if _, problems := inline(v); len(problems) > 0 {
				c.add("markup", field, who, "%s", problems[0])
			}
		}
	case "html":
		c.liquid(field, who, v)
	case "url":
		if c.liquid(field, who, v) {
			if msg := badURL(v); msg != "" {
				c.add("url", field, who, "%s", msg)
			}
		}
	case "cond":
		if strings.Contains(v, "%}") || strings.Contains(v, "{%") || strings.Contains(v, "{{") {
			c.add("condition", field, who, "write the condition alone, such as person.vip == true")
			return
		}
		if _, err := liquid.Parse("{% if "+v+" %}{% endif %}", liquid.Text, liquid.Limits{}); err != nil {
			c.language(field, who, err)
		}
	case "path":
		if !pathForm.MatchString(v) {
			c.add("path", field, who, "%q is no variable; write it like event.products", v)
		}
	case "key":
		if !keyForm.MatchString(v) {
			c.add("key", field, who, "%q is no key of a snippet; keys are small letters, digits, - and _", v)
		}
	}
}

// liquid checks a field of its own: a tag cannot begin in one field and end in another.
func (c *checker) liquid(field, who, v string) bool {
	_, err := liquid.Parse(v, liquid.Text, liquid.Limits{})
	if err != nil {
		c.language(field, who, err)
	}
	return err == nil
}

func (c *checker) language(field, who string, err error) {
	var e *liquid.Error
	if !errors.As(err, &e) {
		c.add("liquid", field, who, "%v", err)
		return
	}
	c.all = append(c.all, errs.Invalid("content.block."+e.Code, field, "%s: line %d, column %d: %s", who, e.Line, e.Col, e.Msg).With(err))
}

// badURL says what is wrong with an address as far as that can be known before it is filled.
func badURL(v string) string {
	v = strings.TrimSpace(v)
	start := v
	if p, err := liquid.Pieces(v); err == nil && len(p) > 0 {
		start = v[:p[0].From]
		if p[0].From == 0 {
			return "" // the value decides; what it may be is checked when it is filled
		}
	}
	scheme, _, ok := strings.Cut(start, ":")
	if strings.HasPrefix(start, "#") {
		return ""
	}
	if !ok {
		return fmt.Sprintf("%q has no scheme; write it like https://example.com/", v)
	}
	switch strings.ToLower(scheme) {
	case "https", "http":
		if rest := start[len(scheme):]; len(start) == len(v) && (!strings.HasPrefix(rest, "://") || len(rest) < 4) {
			return fmt.Sprintf("%q has no host; write it like https://example.com/", v)
		}
		if strings.ContainsAny(start, " \t\n") {
			return fmt.Sprintf("%q has a space in it", v)
		}
		return ""
	case "mailto", "tel", "sms", "line", "weixin", "geo", "webcal", "cid":
		return ""
	}
	return fmt.Sprintf("a mail cannot link to %s:", scheme)
}
