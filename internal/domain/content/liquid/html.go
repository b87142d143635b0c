package liquid

import (
	"html"
	"strings"
)

// place is where in an HTML document an output stands; it decides the escaping.
type place uint8

const (
	inPlain        place = iota // not HTML
	inLine                      // not HTML, one line: control characters and line breaks become spaces
	inText                      // between tags, in a title, in a comment
	inQuoted                    // inside a quoted attribute value
	inUnquoted                  // at the start of an attribute value without quotes
	inUnquotedMore              // later in such a value
	inStyle                     // inside a style element or attribute
	inStyleURL                  // at the start of url() in a style attribute
	inStyleURLMore              // later in such a url()
	inSheetURL                  // at the start of url() in a style element, where nothing is a character reference
	inSheetURLMore              // later in such a url()
	inURL                       // at the start of a quoted URL attribute
	inBareURL                   // at the start of a URL attribute without quotes
)

// scan follows HTML as a browser's tokenizer would, one byte at a time and as far as escaping needs it.
// Two scans are equal if what follows means the same after both.
type scan struct {
	at    scanState
	elem  string // in raw text: the element whose end tag ends it; in a tag: its name
	attr  attrKind
	name  string // partial tag or attribute name, or partial end tag in raw text
	quote byte
	start bool // no character of the attribute value has been written yet
	end   bool // in an end tag
	dash  uint8
	css   cssState
	tail  string // the last characters of a style, as far as they may begin url(
}

// cssState is where a style stands with respect to url().
type cssState uint8

const (
	cssOther cssState = iota
	cssStart          // in url(, before its first character
	cssURL            // later
)

type scanState uint8

const (
	scanText scanState = iota
	scanOpen           // after <
	scanTagName
	scanBeforeAttr
	scanAttrName
	scanAfterAttr
	scanBeforeValue
	scanValue
	scanDeclaration // after <!
	scanComment
	scanBogus // <!doctype ...>, <?xml ...>
	scanRaw   // inside script, style, title, textarea
)

type attrKind uint8

const (
	attrPlain attrKind = iota
	attrURL
	attrStyle
	attrScript // an event handler, or a document inside an attribute
)

func space(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c | 0x20
	}
	return c
}

func kindOf(attr string) attrKind {
	switch attr {
	case "href", "src", "action", "formaction", "background", "poster", "cite", "data", "xlink:href", "srcset", "longdesc", "manifest", "ping":
		return attrURL
	case "style":
		return attrStyle
	case "srcdoc":
		return attrScript
	}
	if strings.HasPrefix(attr, "on") {
		return attrScript
	}
	return attrPlain
}

// text advances over literal template text.
func (h *scan) text(s string) {
	for i := 0; i < len(s); i++ {
		h.step(s[i])
	}
}

func (h *scan) step(c byte) {
	switch h.at {
	case scanText:
		if c == '<' {
			*h = scan{at: scanOpen}
		}
	case scanOpen:
		switch {
		case letter(c):
			h.at, h.name = scanTagName, string(lower(c))
		case c == '/' && !h.end:
			h.end = true
		case c == '!' && !h.end:
			*h = scan{at: scanDeclaration}
		case c == '?' || h.end && c != '>':
			*h = scan{at: scanBogus}
		case c == '<':
			*h = scan{at: scanOpen}
		default:
			*h = scan{}
		}
	case scanTagName:
		switch {
		case space(c) || c == '/':
			*h = scan{at: scanBeforeAttr, elem: h.name, end: h.end}
		case c == '>':
			h.elem = h.name
			h.close()
		default:
			h.name += string(lower(c))
		}
	case scanBeforeAttr, scanAfterAttr:
		switch {
		case c == '>':
			h.close()
		case space(c) || c == '/':
		case c == '=' && h.at == scanAfterAttr:
			h.at, h.attr, h.start = scanBeforeValue, kindOf(h.name), true
		default:
			h.at, h.name = scanAttrName, string(lower(c))
		}
	case scanAttrName:
		switch {
		case c == '=':
			h.at, h.attr, h.start = scanBeforeValue, kindOf(h.name), true
		case c == '>':
			h.close()
		case space(c):
			h.at = scanAfterAttr
		case c == '/':
			h.at, h.name = scanBeforeAttr, ""
		default:
			h.name += string(lower(c))
		}
	case scanBeforeValue:
		switch {
		case space(c):
		case c == '"' || c == '\'':
			h.at, h.quote, h.name = scanValue, c, ""
		case c == '>':
			h.close()
		default:
			h.at, h.quote, h.name, h.start = scanValue, 0, "", false
		}
	case scanValue:
		switch {
		case h.quote != 0 && c == h.quote, h.quote == 0 && space(c):
			*h = scan{at: scanBeforeAttr, elem: h.elem, end: h.end}
		case h.quote == 0 && c == '>':
			h.close()
		case h.attr == attrStyle:
			h.style(c)
		case !space(c):
			h.start = false
		}
	case scanDeclaration:
		switch {
		case c == '-' && h.dash == 0:
			h.dash = 1
		case c == '-':
			*h = scan{at: scanComment, dash: 2} // <!--> is a whole comment
		case c == '>':
			*h = scan{}
		default:
			*h = scan{at: scanBogus}
		}
	case scanComment:
		switch {
		case c == '-':
			h.dash = min(h.dash+1, 2)
		case c == '>' && h.dash == 2:
			*h = scan{}
		case c == '!' && h.dash == 2: // --!> ends a comment, too
		default:
			h.dash = 0
		}
	case scanBogus:
		if c == '>' {
			*h = scan{}
		}
	case scanRaw:
		h.raw(c)
	}
}

// style follows url( ... ) inside a style.
func (h *scan) style(c byte) {
	switch {
	case h.css != cssOther && c == ')':
		h.css, h.tail = cssOther, ""
	case h.css == cssStart && !space(c) && c != '"' && c != '\'':
		h.css = cssURL
	case h.css == cssOther:
		switch h.tail += string(lower(c)); h.tail {
		case "url(":
			h.css, h.tail = cssStart, ""
		case "u", "ur", "url":
		default:
			h.tail = ""
			if lower(c) == 'u' {
				h.tail = "u"
			}
		}
	}
}

// inside returns the place of an output in a style.
func (h *scan) inside(start, more place) place {
	h.tail = ""
	switch h.css {
	case cssStart:
		return start
	case cssURL:
		return more
	}
	return inStyle
}

// raw looks for the end tag of the element whose content is not markup.
func (h *scan) raw(c byte) {
	if h.elem == "style" {
		h.style(c)
	}
	want := "</" + h.elem
	switch {
	case h.name == want && (space(c) || c == '/'):
		*h = scan{at: scanBeforeAttr, elem: h.elem, end: true}
	case h.name == want && c == '>':
		*h = scan{}
	case c == '<':
		h.name = "<"
	case h.name != "" && len(h.name) < len(want) && want[len(h.name)] == lower(c):
		h.name += string(lower(c))
	default:
		h.name = ""
	}
}

// close ends a tag.
func (h *scan) close() {
	elem, end := h.elem, h.end
	*h = scan{}
	if end {
		return
	}
	switch elem {
	case "script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "plaintext":
		*h = scan{at: scanRaw, elem: elem}
	}
}

// output returns where an output at this point stands and advances over it; msg is set if it may not stand here.
func (h *scan) output() (p place, msg string) {
	switch h.at {
	case scanText, scanBogus:
		return inText, ""
	case scanComment:
		h.dash = 0
		return inText, ""
	case scanRaw:
		h.name = ""
		switch h.elem {
		case "title", "textarea":
			return inText, ""
		case "style":
			return h.inside(inSheetURL, inSheetURLMore), ""
		}
		return 0, "a variable cannot stand inside <" + h.elem + ">: no escaping makes that safe, and mail programs drop it"
	case scanBeforeValue, scanValue:
		bare, first := h.quote == 0, h.at == scanBeforeValue
		h.at, h.name = scanValue, ""
		switch h.attr {
		case attrScript:
			return 0, "a variable cannot stand inside a script attribute: no escaping makes that safe, and mail programs drop it"
		case attrStyle:
			if bare {
				return 0, "put the style between quotes: without them a variable in it could become another attribute"
			}
			return h.inside(inStyleURL, inStyleURLMore), ""
		case attrURL:
			switch {
			case h.start && bare:
				return inBareURL, ""
			case h.start:
				return inURL, ""
			}
		}
		switch {
		case first && bare:
			return inUnquoted, ""
		case bare:
			return inUnquotedMore, ""
		}
		return inQuoted, ""
	}
	return 0, "a variable cannot be the name of a tag or attribute: put it between the quotes of an attribute's value, or choose with {% if %}"
}

// join merges the ends of two branches; ok is false if what follows would mean different things.
func (h scan) join(o scan) (scan, bool) {
	start := h.start || o.start
	h.start, o.start = start, start
	if h.tail != o.tail {
		h.tail, o.tail = "", ""
	}
	if h.css != cssOther && o.css != cssOther {
		h.css = min(h.css, o.css)
		o.css = h.css
	}
	if h.at == scanComment && o.at == scanComment {
		h.dash, o.dash = 0, 0
	}
	if h.at == scanRaw && o.at == scanRaw {
		h.name, o.name = "", ""
	}
	return h, h == o
}

const (
	special   = 1 << iota // escaped everywhere in HTML
	bareOnly              // escaped in addition where there are no quotes
	cssUnsafe             // dropped from style values
	urlUnsafe             // percent-encoded in url()
)

// classes has the escaping classes of every byte.
var classes = func() (t [256]uint8) {
	for _, c := range []byte("&<>\"'\x00") {
		t[c] |= special
	}
	for _, c := range []byte(" \t\n\r\f=`") {
		t[c] |= bareOnly
	}
	for c := range 128 {
		if c <= ' ' || c == 0x7F || strings.ContainsRune("\"'()<>\\;{}", rune(c)) {
			t[c] |= urlUnsafe
		}
		if !letter(byte(c)) && !strings.ContainsRune("0123456789#%.,- _", rune(c)) {
			t[c] |= cssUnsafe
		}
	}
	return t
}()

// escapeMask appends s with the bytes in mask replaced by character references.
func escapeMask(dst []byte, s string, mask uint8) []byte {
	last := 0
	for i := 0; i < len(s); i++ {
		if classes[s[i]]&mask == 0 {
			continue
		}
		dst = append(dst, s[last:i]...)
		last = i + 1
		switch c := s[i]; c {
		case '&':
			dst = append(dst, "&amp;"...)
		case '<':
			dst = append(dst, "&lt;"...)
		case '>':
			dst = append(dst, "&gt;"...)
		case 0:
			dst = append(dst, "\uFFFD"...)
		default:
			dst = append(dst, '&', '#', '0'+c/10%10, '0'+c%10, ';')
		}
	}
	return append(dst, s[last:]...)
}

// escapeAt appends s as the place demands; trusted HTML keeps its markup in text and its references elsewhere.
// ok is false if s is a URL with a scheme that is not on the list; a "#" is written then.
func escapeAt(dst []byte, s string, p place, trusted bool) (_ []byte, ok bool) {
	switch p {
	case inPlain:
		if trusted {
			s = plain(s)
		}
		return append(dst, s...), true
	case inLine:
		if trusted {
			s = plain(s)
		}
		return appendLine(dst, s), true
	case inStyle:
		for i := 0; i < len(s); i++ {
			if classes[s[i]]&cssUnsafe == 0 {
				dst = append(dst, s[i])
			}
		}
		return dst, true
	case inText:
		if trusted {
			return append(dst, s...), true
		}
		return escapeMask(dst, s, special), true
	}
	if trusted {
		s = html.UnescapeString(s)
	}
	ok = true
	if (p == inURL || p == inBareURL || p == inStyleURL || p == inSheetURL) && !harmless(s) {
		s, ok = "#", false
	}
	switch p {
	case inStyleURL, inStyleURLMore, inSheetURL, inSheetURLMore:
		attribute := p == inStyleURL || p == inStyleURLMore
		for i := 0; i < len(s); i++ {
			switch c := s[i]; {
			case classes[c]&urlUnsafe != 0:
				dst = append(dst, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
			case c == '&' && attribute:
				dst = append(dst, "&amp;"...)
			default:
				dst = append(dst, c)
			}
		}
		return dst, ok
	}
	if p == inQuoted || p == inURL {
		return escapeMask(dst, s, special), ok
	}
	if s == "" && p == inUnquoted {
		return append(dst, `""`...), ok
	}
	return escapeMask(dst, s, special|bareOnly), ok
}

// harmless tells whether a URL is relative or has a scheme that a mail may link to. What comes before the first colon
// must be such a scheme exactly, which also defeats schemes broken up by control characters.
func harmless(u string) bool {
	i := strings.IndexAny(u, ":/?#")
	if i < 0 || u[i] != ':' {
		return true
	}
	switch strings.ToLower(strings.TrimLeft(u[:i], " ")) {
	case "http", "https", "mailto", "tel", "sms", "cid", "line", "weixin", "geo", "webcal":
		return true
	}
	return false
}

// appendLine appends s with every run of control characters and line separators turned into one space.
func appendLine(dst []byte, s string) []byte {
	gap := false
	for _, r := range s {
		if r < 0x20 || r == 0x7F || r >= 0x80 && r <= 0x9F || r == 0x2028 || r == 0x2029 {
			gap = true
			continue
		}
		if gap && len(dst) > 0 && dst[len(dst)-1] != ' ' && r != ' ' {
			dst = append(dst, ' ')
		}
		gap = false
		dst = append(dst, string(r)...)
	}
	return dst
}

// plain strips tags from trusted HTML and resolves its character references.
func plain(s string) string {
	if !strings.ContainsAny(s, "<&") {
		return s
	}
	var b strings.Builder
	var h scan
	for i := 0; i < len(s); i++ {
		was := h.at
		h.step(s[i])
		if was == scanText && h.at == scanText {
			b.WriteByte(s[i])
		}
	}
	return html.UnescapeString(b.String())
}
