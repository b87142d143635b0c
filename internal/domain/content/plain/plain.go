package plain

import (
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/kizuna-cx/kizuna/internal/domain/content/liquid"
)

// firstMark is the first of the private characters that stand for pieces of Liquid while HTML is turned into text.
const (
	firstMark = 0xF0000
	lastMark  = 0xFFFFD
)

// Template turns an HTML template into a text template once, so that no HTML needs to be read for each message. ok is
// false if that cannot be done faithfully; then the text is made from each rendered letter.
func Template(src string) (text string, ok bool) {
	pieces, err := liquid.Pieces(src)
	if err != nil || len(pieces) > lastMark-firstMark || strings.IndexFunc(src, func(r rune) bool { return r >= firstMark && r <= lastMark }) >= 0 {
		return "", false
	}
	var masked strings.Builder
	pos := 0
	for i, p := range pieces {
		masked.WriteString(src[pos:p.From])
		masked.WriteRune(firstMark + rune(i))
		pos = p.To
	}
	masked.WriteString(src[pos:])
	plain := FromHTML(masked.String())
	// Braces that the author wrote as character references must not become Liquid.
	plain = strings.NewReplacer("{{", `{{ "{{" }}`, "{%", `{{ "{%" }}`).Replace(plain)
	var out strings.Builder
	kept := make([]bool, len(pieces))
	for _, r := range plain {
		if r < firstMark || r > lastMark {
			out.WriteRune(r)
			continue
		}
		p := pieces[r-firstMark]
		kept[r-firstMark] = true
		out.WriteString(src[p.From:p.To])
	}
	for i, p := range pieces {
		switch p.Tag {
		case "assign", "capture", "endcapture":
			if !kept[i] { // it stood where text never is, and the text needs it
				return "", false
			}
		}
	}
	return out.String(), true
}

// FromHTML turns HTML into readable text: paragraphs, list marks, the addresses of links.
func FromHTML(src string) string {
	t := textMaker{}
	z := html.NewTokenizer(strings.NewReader(src))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return Tidy(t.b.String())
		case html.TextToken:
			t.text(string(z.Text()))
		case html.StartTagToken, html.SelfClosingTagToken:
			t.start(z.Token())
		case html.EndTagToken:
			t.end(z.Token())
		}
	}
}

type textMaker struct {
	b     strings.Builder
	brk   int // line breaks owed before the next text
	space bool
	begun bool
	skip  atom.Atom // inside an element that is not shown
	depth int       // of elements of the same name inside it
	links []link
}

type link struct {
	href string
	from int // length of the text before its label
}

// line owes at least n line breaks before the next text.
func (t *textMaker) line(n int) {
	if n > 0 {
		t.brk, t.space = max(t.brk, n), false
	}
}

func (t *textMaker) write(s string) {
	if t.begun {
		for range t.brk {
			t.b.WriteByte('\n')
		}
		if t.brk == 0 && t.space {
			t.b.WriteByte(' ')
		}
	}
	t.brk, t.space, t.begun = 0, false, true
	t.b.WriteString(s)
}

func (t *textMaker) text(raw string) {
	if t.skip != 0 {
		return
	}
	s := html.UnescapeString(raw)
	words := strings.FieldsFunc(s, asciiSpace)
	if len(words) == 0 {
		t.space = t.space || s != ""
		return
	}
	t.space = t.space || asciiSpace(rune(s[0]))
	t.write(strings.Join(words, " "))
	t.space = asciiSpace(rune(s[len(s)-1]))
}

func asciiSpace(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == '\r' || r == '\f' }

func (t *textMaker) start(tok html.Token) {
	if t.skip != 0 {
		if tok.DataAtom == t.skip && tok.Type == html.StartTagToken {
			t.depth++
		}
		return
	}
	if tok.Type == html.StartTagToken && hidden(tok) {
		t.skip, t.depth = tok.DataAtom, 1
		return
	}
	switch tok.DataAtom {
	case atom.Br:
		t.brk++
		t.space = false
	case atom.Hr:
		t.line(2)
		t.write("----------")
		t.line(2)
	case atom.Li:
		t.line(1)
		t.write("- ")
	case atom.Td, atom.Th:
		t.space = true
	case atom.Img:
		if alt := strings.Join(strings.Fields(attr(tok, "alt")), " "); alt != "" {
			t.write(alt)
		}
	case atom.A:
		if tok.Type == html.StartTagToken {
			t.links = append(t.links, link{strings.TrimSpace(attr(tok, "href")), t.b.Len()})
		}
	default:
		t.line(breaks(tok.DataAtom))
	}
}

func (t *textMaker) end(tok html.Token) {
	if t.skip != 0 {
		if tok.DataAtom == t.skip {
			if t.depth--; t.depth == 0 {
				t.skip = 0
			}
		}
		return
	}
	switch tok.DataAtom {
	case atom.A:
		if len(t.links) == 0 {
			return
		}
		l := t.links[len(t.links)-1]
		t.links = t.links[:len(t.links)-1]
		label := strings.TrimSpace(t.b.String()[l.from:])
		switch {
		case l.href == "" || strings.HasPrefix(l.href, "#") || l.href == label || strings.TrimPrefix(l.href, "mailto:") == label || strings.TrimPrefix(l.href, "tel:") == label:
		case label == "":
			t.write(l.href)
		default:
			space := t.space
			t.space = true
			t.write("(" + l.href + ")")
			t.space = space
		}
	case atom.Td, atom.Th:
		t.space = true
	default:
		t.line(breaks(tok.DataAtom))
	}
}

// breaks is the number of line breaks around an element.
func breaks(a atom.Atom) int {
	switch a {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol, atom.Table, atom.Blockquote, atom.Pre, atom.Dl:
		return 2
	case atom.Div, atom.Tr, atom.Li, atom.Section, atom.Header, atom.Footer, atom.Article, atom.Main, atom.Center, atom.Dt, atom.Dd, atom.Body:
		return 1
	}
	return 0
}

// hidden tells whether an element's content is not for reading.
func hidden(tok html.Token) bool {
	switch tok.DataAtom {
	case atom.Head, atom.Style, atom.Script, atom.Title, atom.Noscript, atom.Template:
		return true
	case atom.Br, atom.Hr, atom.Img, atom.Input, atom.Meta, atom.Link, atom.Col, 0:
		return false
	}
	style := strings.ToLower(strings.ReplaceAll(attr(tok, "style"), " ", ""))
	return strings.Contains(style, "display:none")
}

func attr(tok html.Token, key string) string {
	for _, a := range tok.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// Tidy trims lines and leaves at most one of them empty between others.
func Tidy(s string) string {
	var out strings.Builder
	out.Grow(len(s) + 1)
	empty := 0
	for line := range strings.SplitSeq(strings.ReplaceAll(s, "\r\n", "\n"), "\n") {
		line = strings.TrimFunc(line, unicode.IsSpace)
		if line == "" {
			empty++
			continue
		}
		if out.Len() > 0 {
			out.WriteString("\n\n"[:1+min(empty, 1)])
		}
		empty = 0
		out.WriteString(line)
	}
	if out.Len() == 0 {
		return ""
	}
	out.WriteByte('\n')
	return out.String()
}
