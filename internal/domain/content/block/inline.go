package block

import (
	"fmt"
	"html"
	"slices"
	"strings"

	nethtml "golang.org/x/net/html"

	"github.com/kizuna-cx/kizuna/internal/domain/content/liquid"
)

// While a text is read as HTML, each piece of Liquid in it is one private character.
const (
	firstMark = 0xF0000
	lastMark  = 0xFFFFD
)

func private(r rune) bool { return r >= firstMark && r <= lastMark }

// masked is a text whose Liquid is hidden.
type masked struct {
	text   string
	pieces []string
}

func mask(src string) masked {
	found, err := liquid.Pieces(src)
	if err != nil || len(found) == 0 || len(found) > lastMark-firstMark {
		return masked{text: src} // does not parse, which the check tells
	}
	m := masked{}
	var b strings.Builder
	pos := 0
	for i, p := range found {
		b.WriteString(src[pos:p.From])
		b.WriteRune(firstMark + rune(i))
		m.pieces = append(m.pieces, src[p.From:p.To])
		pos = p.To
	}
	b.WriteString(src[pos:])
	m.text = b.String()
	return m
}

// show brings the Liquid back into a part of the text, and does something to everything else.
func (m masked) show(part string, literal func(string) string) string {
	var b strings.Builder
	from := 0
	for i, r := range part {
		if !private(r) || int(r-firstMark) >= len(m.pieces) {
			continue
		}
		b.WriteString(literal(part[from:i]))
		b.WriteString(m.pieces[r-firstMark])
		from = i + len(string(r))
	}
	b.WriteString(literal(part[from:]))
	return b.String()
}

// escaped is a text with Liquid as HTML: its literal parts are escaped, Liquid escapes its own.
func escaped(src string) string { m := mask(src); return m.show(m.text, html.EscapeString) }

// braces keeps what an author wrote as character references from becoming Liquid.
var braces = strings.NewReplacer("{{", `{{ "{{" }}`, "{%", `{{ "{%" }}`)

// run is a piece of rich text: characters, the beginning or the end of an element.
type run struct {
	op   byte // 't', '<' or '>'
	tag  string
	text string // characters, or the address of a link
}

// rich is a parsed rich text.
type rich struct {
	masked
	runs []run
}

const (
	emptyTag = iota + 1
	inlineTag
	blockTag
)

// inlineTags are what an author may write.
var inlineTags = map[string]int{
	"br": emptyTag, "b": inlineTag, "strong": inlineTag, "i": inlineTag, "em": inlineTag, "u": inlineTag, "s": inlineTag, "sup": inlineTag, "sub": inlineTag, "a": inlineTag,
	"p": blockTag, "ul": blockTag, "ol": blockTag, "li": blockTag,
}

// inline reads rich text. Text without paragraphs gets them from empty lines.
func inline(src string) (rich, []string) {
	out := rich{masked: mask(src)}
	var problems []string
	var open []string
	structured := false
	z := nethtml.NewTokenizer(strings.NewReader(out.text))
	for {
		kind := z.Next()
		if kind == nethtml.ErrorToken {
			break
		}
		switch kind {
		case nethtml.TextToken:
			out.runs = append(out.runs, run{op: 't', text: html.UnescapeString(string(z.Raw()))})
		case nethtml.CommentToken, nethtml.DoctypeToken:
			problems = append(problems, "there is a comment in the text; take it out")
		case nethtml.StartTagToken, nethtml.SelfClosingTagToken:
			tok := z.Token()
			what := inlineTags[tok.Data]
			if what == 0 {
				problems = append(problems, fmt.Sprintf("<%s> does not belong into text; p, br, b, strong, i, em, u, s, sup, sub, a, ul, ol and li do", tok.Data))
				continue
			}
			structured = structured || what == blockTag
			r := run{op: '<', tag: tok.Data}
			for _, a := range tok.Attr {
				if tok.Data != "a" || a.Key != "href" {
					if tok.Data == "a" && (a.Key == "target" || a.Key == "rel") {
						continue // editors add them
					}
					problems = append(problems, fmt.Sprintf("<%s> cannot have %s here", tok.Data, a.Key))
					continue
				}
				r.text = strings.TrimSpace(a.Val)
			}
			if tok.Data == "a" {
				if r.text == "" {
					problems = append(problems, "a link has no address: write <a href=\"https://…\">")
				} else if msg := badURL(out.show(r.text, same)); msg != "" {
					problems = append(problems, msg)
				}
			}
			out.runs = append(out.runs, r)
			if what != emptyTag && kind == nethtml.StartTagToken {
				open = append(open, tok.Data)
			}
		case nethtml.EndTagToken:
			tok := z.Token()
			if inlineTags[tok.Data] == emptyTag {
				continue
			}
			if len(open) == 0 || open[len(open)-1] != tok.Data {
				if inlineTags[tok.Data] != 0 {
					problems = append(problems, fmt.Sprintf("</%s> closes nothing that is open", tok.Data))
				}
				continue
			}
			open = open[:len(open)-1]
			out.runs = append(out.runs, run{op: '>', tag: tok.Data})
		}
	}
	if len(open) > 0 {
		problems = append(problems, fmt.Sprintf("<%s> is not closed", open[len(open)-1]))
	}
	if !structured {
		out.runs = paragraphs(out.runs)
	}
	return out, problems
}

func same(s string) string { return s }

// paragraphs makes paragraphs of empty lines and breaks of line ends, wherever the tags stand beside them. Elements that are open across
// an empty line are closed before it and opened again behind it.
func paragraphs(runs []run) []run {
	out := []run{{op: '<', tag: "p"}}
	var open []run
	ends := 0       // line ends that nothing has followed yet
	begun := false  // the paragraph has something in it
	broken := false // what came last was a break, which the line end behind it does not repeat
	follow := func() {
		switch {
		case ends > 1:
			for _, r := range slices.Backward(open) {
				out = append(out, run{op: '>', tag: r.tag})
			}
			for range ends / 2 {
				out = append(out, run{op: '>', tag: "p"}, run{op: '<', tag: "p"})
			}
			out = append(out, open...)
		case ends == 1 && begun && !broken:
			out = append(out, run{op: '<', tag: "br"})
		}
		ends, begun, broken = 0, true, false
	}
	for _, r := range runs {
		switch {
		case r.op == 't':
			for j, line := range strings.Split(strings.ReplaceAll(r.text, "\r\n", "\n"), "\n") {
				if j > 0 {
					ends++
				}
				if line != "" {
					follow()
					out = append(out, run{op: 't', text: line})
				}
			}
		case r.op == '>':
			out = append(out, r)
			open = open[:max(0, len(open)-1)]
		case r.tag == "br":
			if ends == 1 {
				ends = 0 // the same line end, written twice
			}
			follow()
			out, broken = append(out, r), true
		default:
			follow()
			out, open = append(out, r), append(open, r)
		}
	}
	if ends > 1 {
		follow()
	}
	return append(out, run{op: '>', tag: "p"})
}

// html writes the text with the styles that mail programs need on every element.
func (r rich) html(w *writer) string {
	var b strings.Builder
	last := -1 // the last element at the top, which needs no room below
	depth := 0
	for i, x := range r.runs {
		switch {
		case x.op == '<' && x.tag != "br":
			if depth == 0 && inlineTags[x.tag] == blockTag {
				last = i
			}
			depth++
		case x.op == '>':
			depth--
		}
	}
	for i, x := range r.runs {
		switch x.op {
		case 't':
			b.WriteString(r.show(x.text, func(s string) string { return html.EscapeString(s) }))
		case '>':
			b.WriteString("</" + x.tag + ">")
		default:
			gap := "0 0 14px"
			if i == last {
				gap = "0"
			}
			switch x.tag {
			case "br":
				b.WriteString("<br>")
			case "p":
				b.WriteString(`<p style="margin:` + gap + `">`)
			case "ul", "ol":
				side := "left"
				if w.script.RTL {
					side = "right"
				}
				b.WriteString("<" + x.tag + ` style="margin:` + gap + `;padding:0;padding-` + side + `:24px">`)
			case "li":
				b.WriteString(`<li style="margin:0 0 6px">`)
			case "a":
				b.WriteString(`<a href="` + r.show(x.text, html.EscapeString) + `"` + w.colour(w.link()) + `;text-decoration:underline">`)
			case "i", "em":
				if w.script.CJK { // slanted Han characters are hard to read and nobody prints them
					b.WriteString("<" + x.tag + ` style="font-style:normal;font-weight:600">`)
				} else {
					b.WriteString("<" + x.tag + ">")
				}
			default:
				b.WriteString("<" + x.tag + ">")
			}
		}
	}
	return b.String()
}

// plain writes the text without markup, the addresses of links behind them.
func (r rich) plain() string {
	var b strings.Builder
	var hrefs []string
	var starts []int
	var lists []int // number of the next item; -1 in lists without numbers
	for _, x := range r.runs {
		switch {
		case x.op == 't':
			b.WriteString(r.show(x.text, braces.Replace))
		case x.op == '<' && x.tag == "br":
			b.WriteByte('\n')
		case x.op == '<' && x.tag == "ul":
			lists = append(lists, -1)
			b.WriteByte('\n')
		case x.op == '<' && x.tag == "ol":
			lists = append(lists, 1)
			b.WriteByte('\n')
		case x.op == '<' && x.tag == "li":
			n := len(lists) - 1
			if n >= 0 && lists[n] > 0 {
				fmt.Fprintf(&b, "\n%d. ", lists[n])
				lists[n]++
			} else {
				b.WriteString("\n- ")
			}
		case x.op == '>' && (x.tag == "ul" || x.tag == "ol"):
			lists = lists[:max(0, len(lists)-1)]
			b.WriteString("\n\n")
		case x.op == '>' && x.tag == "p":
			b.WriteString("\n\n")
		case x.op == '<' && x.tag == "a":
			hrefs, starts = append(hrefs, r.show(x.text, braces.Replace)), append(starts, b.Len())
		case x.op == '>' && x.tag == "a" && len(hrefs) > 0:
			n := len(hrefs) - 1
			if label := strings.TrimSpace(b.String()[starts[n]:]); label != hrefs[n] && "mailto:"+label != hrefs[n] {
				b.WriteString(" (" + hrefs[n] + ")")
			}
			hrefs, starts = hrefs[:n], starts[:n]
		}
	}
	return strings.TrimSpace(b.String())
}

// plainText is a field of lines of Liquid for a text part: what is there already.
func plainText(src string) string { return strings.TrimSpace(src) }
