package block

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"
)

// policy is what an HTML block may hold: what shows the same in every mail program and runs nothing.
var policy = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "b", "strong", "i", "em", "u", "s", "sup", "sub", "small", "span", "div", "center", "blockquote", "pre", "code",
		"h1", "h2", "h3", "h4", "ul", "ol", "li", "table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("title").OnElements("a", "img")
	p.AllowAttrs("src", "alt").OnElements("img")
	p.AllowAttrs("width", "height").Matching(regexp.MustCompile(`^[0-9]{1,4}%?$`)).OnElements("img", "table", "td", "th")
	p.AllowAttrs("border", "cellpadding", "cellspacing").Matching(bluemonday.Integer).OnElements("table")
	p.AllowAttrs("colspan", "rowspan").Matching(bluemonday.Integer).OnElements("td", "th")
	p.AllowAttrs("align", "valign").Matching(regexp.MustCompile(`(?i)^(left|right|center|justify|top|middle|bottom)$`)).OnElements("table", "tr", "td", "th", "div", "p", "img")
	p.AllowAttrs("bgcolor").Matching(regexp.MustCompile(`^#[0-9A-Fa-f]{3,6}$`)).OnElements("table", "tr", "td", "th")
	p.AllowAttrs("role").Matching(regexp.MustCompile(`^presentation$`)).OnElements("table")
	p.AllowAttrs("lang", "dir").Matching(regexp.MustCompile(`^[A-Za-z0-9-]{1,35}$`)).Globally()
	p.AllowURLSchemes("https", "http", "mailto", "tel", "sms", "cid", "line", "weixin")
	p.AllowRelativeURLs(true) // a variable stands where an address will be
	p.RequireParseableURLs(true)
	p.AllowStyles("color", "background-color", "font-family", "font-size", "font-weight", "font-style", "line-height", "letter-spacing", "text-align", "text-decoration", "vertical-align",
		"width", "max-width", "height", "margin", "margin-top", "margin-bottom", "margin-left", "margin-right", "padding", "padding-top", "padding-bottom", "padding-left", "padding-right",
		"border", "border-top", "border-bottom", "border-left", "border-right", "border-radius", "border-collapse", "display").
		Matching(regexp.MustCompile(`^[A-Za-z0-9#.,%'"() \-!]*$`)).Globally()
	return p
})

// sanitised is an HTML block without anything that runs, loads or breaks out. Liquid in it survives; where Liquid chooses an
// attribute, the language's own rules hold.
func sanitised(src string) string {
	m, mark := words(src)
	clean := policy().Sanitize(m.text)
	return unword(clean, m.pieces, mark)
}

// words hides Liquid behind words of plain letters, which pass through addresses and styles unchanged.
func words(src string) (masked, string) {
	m := mask(src)
	mark := "kzliquid"
	for strings.Contains(src, mark) {
		mark += "x"
	}
	var b strings.Builder
	for _, r := range m.text {
		if private(r) && int(r-firstMark) < len(m.pieces) {
			b.WriteString(mark + strconv.Itoa(int(r-firstMark)) + "z")
			continue
		}
		b.WriteRune(r)
	}
	m.text = b.String()
	return m, mark
}

func unword(s string, pieces []string, mark string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, mark)
		if i < 0 {
			return b.String() + braces.Replace(s)
		}
		b.WriteString(braces.Replace(s[:i]))
		s = s[i+len(mark):]
		end := strings.IndexByte(s, 'z')
		n, err := strconv.Atoi(s[:max(end, 0)])
		if err == nil && n < len(pieces) {
			b.WriteString(pieces[n])
			s = s[end+1:]
		}
	}
}
