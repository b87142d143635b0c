package block

import (
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/content/brand"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Words are the texts that a mail gets from us, in its language.
type Words struct {
	Reason      string `json:"reason"`
	Unsubscribe string `json:"unsubscribe"`
	Preferences string `json:"preferences"`
}

// Options are what a document is compiled for.
type Options struct {
	Brand    brand.Brand
	Locale   string // of this text, BCP 47
	Title    string // Liquid; the subject
	Words    Words
	Snippets map[string]Fragment // by key, those that snippets refer to included
}

// Output is a compiled document, Liquid both.
type Output struct {
	HTML string
	Text string
}

// maxDepth is how deep snippets may stand in snippets.
const maxDepth = 8

// maxOutput bounds what snippets may blow a document up to.
const maxOutput = 2 << 20

// Compile turns a document into templates. The error names a snippet that is missing or leads back to itself.
func Compile(d Document, o Options) (Output, error) { return CompileInside("", d, o) }

// CompileInside compiles what a snippet holds: a reference to its key leads back to itself.
func CompileInside(key string, d Document, o Options) (Output, error) {
	w := &writer{o: o, html: &strings.Builder{}, script: brand.ScriptOf(o.Locale), width: d.Width, fg: "text"}
	if w.width == 0 {
		w.width = 600
	}
	if key != "" {
		w.inside = append(w.inside, key)
	}
	w.begin(d)
	for _, s := range d.Sections {
		w.section(s)
	}
	w.end(d)
	if w.err == nil && w.html.Len() > maxOutput {
		w.err = errs.Invalid("content.block.too_long", "", "the document with its snippets becomes longer than %d bytes", maxOutput)
	}
	return Output{HTML: w.html.String(), Text: strings.TrimSpace(w.text.String()) + "\n"}, w.err
}

type writer struct {
	o      Options
	script brand.Script
	html   *strings.Builder
	text   strings.Builder
	width  int    // in pixels, for what is written now
	fg     string // colour of text where we are
	size   int    // of text where we are
	align  string // left, center, right
	inside []string
	err    error
}

func (w *writer) out(parts ...string) {
	for _, p := range parts {
		w.html.WriteString(p)
	}
}

// line writes a paragraph of the text part.
func (w *writer) line(s string) {
	if s != "" {
		w.text.WriteString(s + "\n\n")
	}
}

// when writes a condition around something in both parts.
func (w *writer) when(cond string, do func()) {
	if cond == "" {
		do()
		return
	}
	w.out("{% if ", cond, " %}")
	w.text.WriteString("{% if " + cond + " %}")
	do()
	w.out("{% endif %}")
	w.text.WriteString("{% endif %}")
}

func token(p brand.Palette, name string) string {
	switch name {
	case "page":
		return p.Page
	case "surface":
		return p.Surface
	case "subtle":
		return p.Subtle
	case "muted":
		return p.Muted
	case "accent":
		return p.Accent
	case "on_accent":
		return p.OnAccent
	case "border":
		return p.Border
	}
	return p.Text
}

func class(prefix, name string) string { return prefix + strings.ReplaceAll(name, "_", "-") }

// colour begins the attributes of something in a colour: its class for dark screens and an open style.
func (w *writer) colour(name string) string {
	return ` class="` + class("c-", name) + `" style="color:` + token(w.o.Brand.Light, name)
}

// link is the colour of links where we are.
func (w *writer) link() string {
	if w.fg == "on_accent" {
		return "on_accent"
	}
	return "accent"
}

func (w *writer) side(align string) string {
	switch {
	case align == "center":
		return "center"
	case align == "end" != w.script.RTL:
		return "right"
	}
	return "left"
}

func (w *writer) font(family string) string { return brand.Stack(family, w.script.Lang) }

// headingFont is the style of headings if they have a font of their own; all else has the body's already.
func (w *writer) headingFont() string {
	if f := w.o.Brand.Fonts; f.Heading != "" && f.Heading != f.Body {
		return ";font-family:" + w.font(f.Heading)
	}
	return ""
}

func (w *writer) pick(v, otherwise string) string {
	if v == "" {
		return otherwise
	}
	return v
}

var (
	gaps    = map[string]int{"none": 0, "s": 8, "m": 18, "l": 32, "": 18}
	rooms   = map[string]int{"none": 0, "s": 14, "m": 28, "l": 48, "": 28} // above and below a section
	insides = map[string]int{"none": 0, "s": 12, "m": 20, "l": 32, "": 0}  // around a block
	sizes   = map[string]int{"s": 14, "m": 16, "l": 18, "xl": 22, "": 16}
)

const (
	sideRoom = 32 // beside the content of a section
	gutter   = 16 // between columns
)

const presentation = `<table role="presentation" border="0" cellpadding="0" cellspacing="0" width="100%"`

// section writes a band of the letter.
func (w *writer) section(s Section) {
	w.when(s.If, func() {
		bg := w.pick(s.Style.Background, "surface")
		if bg == "none" {
			bg = "page"
		}
		outer, outerFG := w.width, w.fg
		w.fg = w.pick(s.Style.Color, map[bool]string{true: "on_accent", false: "text"}[bg == "accent"])
		align := w.align
		w.align = w.side(s.Style.Align)
		room := rooms[s.Style.Padding]
		side := sideRoom
		if s.Style.Padding == "none" {
			side = 0
		}
		pad, many := "pad", len(s.Columns) > 1
		inner := w.width - 2*side
		if many && side > 0 { // each column brings half a gutter on both of its sides
			side, inner, pad = side-gutter/2, inner+gutter, "padm"
		}
		if side == 0 {
			pad = "bleed"
		}
		border := ""
		if s.Style.Border {
			border = ";border-top:1px solid " + w.o.Brand.Light.Border
		}
		w.out("<tr><td class=\"", class("b-", bg), " l-border ", pad, "\" bgcolor=\"", token(w.o.Brand.Light, bg), "\" style=\"background-color:", token(w.o.Brand.Light, bg),
			";padding:", strconv.Itoa(room), "px ", strconv.Itoa(side), "px;text-align:", w.align, border, "\">\n")
		widths := shares(s.Columns, inner)
		if many {
			w.out("<!--[if mso]><table role=\"presentation\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" width=\"", strconv.Itoa(inner), "\"><tr><![endif]-->")
		}
		for i, c := range s.Columns {
			w.width = widths[i]
			valign := w.pick(c.VAlign, "top")
			if many {
				if side > 0 {
					w.width -= gutter
				}
				w.out("<!--[if mso]><td width=\"", strconv.Itoa(widths[i]), "\" valign=\"", valign, "\"><![endif]-->")
				w.out("<div class=\"col\" style=\"display:inline-block;width:100%;max-width:", strconv.Itoa(widths[i]), "px;vertical-align:", valign, "\">")
				cell := ` class="cell"`
				if i == len(s.Columns)-1 {
					cell = ""
				}
				gut := 0
				if side > 0 {
					gut = gutter / 2
				}
				w.out(presentation, "><tr><td", cell, " style=\"padding:0 ", strconv.Itoa(gut), "px\">\n")
			}
			w.out(presentation, " style=\"border-collapse:separate\">\n")
			w.blocks(c.Blocks)
			w.out("</table>\n")
			if many {
				w.out("</td></tr></table></div><!--[if mso]></td><![endif]-->")
			}
		}
		if many {
			w.out("<!--[if mso]></tr></table><![endif]-->\n")
		}
		w.out("</td></tr>\n")
		w.width, w.fg, w.align = outer, outerFG, align
	})
}

// shares divides a width among columns.
func shares(cols []Column, width int) []int {
	rest, free := 100, 0
	for _, c := range cols {
		rest -= c.Width
		if c.Width == 0 {
			free++
		}
	}
	out := make([]int, len(cols))
	left := width
	for i, c := range cols {
		share := c.Width
		if share == 0 {
			share = max(rest, 0) / free
		}
		out[i] = width * share / 100
		if i == len(cols)-1 && free > 0 {
			out[i] = left
		}
		left -= out[i]
	}
	return out
}

func (w *writer) blocks(blocks []Block) {
	for i, b := range blocks {
		if s, ok := b.body.(*snippet); ok {
			w.snippet(b, s, i == len(blocks)-1)
			continue
		}
		w.block(b, i == len(blocks)-1)
	}
}

// snippet writes the blocks of a snippet in its place.
func (w *writer) snippet(b Block, s *snippet, last bool) {
	f, ok := w.o.Snippets[s.Snippet]
	switch {
	case w.err != nil:
		return
	case !ok:
		w.err = errs.Invalid("content.snippet.unknown", "document", "%s: there is no snippet %q", b.who(), s.Snippet)
		return
	case slices.Contains(w.inside, s.Snippet) || len(w.inside) >= maxDepth:
		w.err = errs.Invalid("content.snippet.cycle", "document", "%s: the snippets %s lead back to themselves or stand more than %d deep", b.who(), strings.Join(append(w.inside, s.Snippet), " > "), maxDepth)
		return
	case w.html.Len() > maxOutput:
		return // reported at the end
	}
	w.inside = append(w.inside, s.Snippet)
	w.when(b.If, func() {
		for i, x := range f {
			if deeper, ok := x.body.(*snippet); ok {
				w.snippet(x, deeper, last && i == len(f)-1)
				continue
			}
			w.block(x, last && i == len(f)-1)
		}
	})
	w.inside = w.inside[:len(w.inside)-1]
}

// block writes one row.
func (w *writer) block(b Block, last bool) {
	w.when(b.If, func() {
		gap := gaps[b.Style.Gap]
		if last && b.Style.Gap == "" {
			gap = 0
		}
		fg, align, width, size := w.fg, w.align, w.width, w.size
		w.size = sizes[b.Style.Size]
		if b.Style.Align != "" {
			w.align = w.side(b.Style.Align)
		}
		boxed := b.Style.Background != "" && b.Style.Background != "none" || b.Style.Border
		if b.Style.Background == "accent" {
			w.fg = "on_accent"
		}
		w.fg = w.pick(b.Style.Color, w.fg)
		w.out("<tr><td align=\"", w.align, "\" style=\"padding:0 0 ", strconv.Itoa(gap), "px\">")
		if boxed {
			inner := insides[w.pick(b.Style.Padding, "m")]
			style := "padding:" + strconv.Itoa(inner) + "px"
			cls, bgcolor := "l-border", ""
			if bg := b.Style.Background; bg != "" && bg != "none" {
				cls += " " + class("b-", bg)
				bgcolor = ` bgcolor="` + token(w.o.Brand.Light, bg) + `"`
				style += ";background-color:" + token(w.o.Brand.Light, bg)
			}
			if b.Style.Border {
				style += ";border:1px solid " + w.o.Brand.Light.Border
			}
			if b.Style.Rounded {
				style += fmt.Sprintf(";border-radius:%dpx", w.o.Brand.Radius)
			}
			w.width -= 2 * inner
			w.out(presentation, " style=\"border-collapse:separate\"><tr><td class=\"", cls, "\"", bgcolor, " align=\"", w.align, "\" style=\"", style, "\">")
		}
		b.body.write(w, b)
		if boxed {
			w.out("</td></tr></table>")
		}
		w.out("</td></tr>\n")
		w.fg, w.align, w.width, w.size = fg, align, width, size
	})
}

// begin writes everything above the first section.
func (w *writer) begin(d Document) {
	b, light := w.o.Brand, w.o.Brand.Light
	lang, dir := html.EscapeString(w.script.Lang), "ltr"
	if w.script.RTL {
		dir = "rtl"
	}
	root := ""
	if lang != "" {
		root = ` lang="` + lang + `"`
	}
	w.out("<!doctype html>\n<html", root, " dir=\"", dir, "\" xmlns:o=\"urn:schemas-microsoft-com:office:office\">\n<head>\n<meta charset=\"utf-8\">\n",
		"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<meta name=\"x-apple-disable-message-reformatting\">\n",
		"<meta name=\"format-detection\" content=\"telephone=no,date=no,address=no,email=no,url=no\">\n",
		"<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"supported-color-schemes\" content=\"light dark\">\n",
		"<title>", escaped(w.o.Title), "</title>\n",
		"<!--[if mso]><xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml><style>table{border-collapse:collapse}td,p,a,li,h1,h2,h3{font-family:", outlookFont(w.script), "!important}</style><![endif]-->\n",
		w.sheet(), "</head>\n")
	w.out("<body class=\"b-page\" style=\"margin:0;padding:0;width:100%;background-color:", light.Page, ";-webkit-text-size-adjust:100%;-ms-text-size-adjust:100%\">\n")
	w.out("<div role=\"article\" aria-roledescription=\"email\"", root, " dir=\"", dir, "\" class=\"type\" style=\"font-family:", w.font(b.Fonts.Body), ";font-size:16px;line-height:", number(w.script.Height), ";", w.breaking(), "\">\n")
	w.out(presentation, " class=\"b-page\" bgcolor=\"", light.Page, "\" style=\"background-color:", light.Page, "\"><tr><td class=\"frame\" align=\"center\" style=\"padding:24px 12px\">\n")
	width := strconv.Itoa(w.width)
	w.out("<!--[if mso]><table role=\"presentation\" align=\"center\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" width=\"", width, "\"><tr><td><![endif]-->\n")
	if d.Header != "none" {
		w.logo()
	}
	w.out(presentation, " class=\"card\" style=\"max-width:", width, "px;margin:0 auto;border-collapse:separate;border-radius:", strconv.Itoa(b.Radius), "px;overflow:hidden\">\n")
}

// number writes a line height the same way everywhere.
func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// breaking is how lines break: CJK between characters but not before a closing mark, others between words.
func (w *writer) breaking() string {
	if w.script.CJK {
		return "line-break:strict;word-break:normal;overflow-wrap:anywhere"
	}
	return "word-break:normal;overflow-wrap:break-word"
}

func outlookFont(s brand.Script) string {
	switch base, _, _ := strings.Cut(s.Lang, "-"); base {
	case "ja":
		return "'Yu Gothic',Meiryo,sans-serif"
	case "zh":
		return "'Microsoft YaHei','Microsoft JhengHei',sans-serif"
	case "ko":
		return "'Malgun Gothic',sans-serif"
	}
	return "'Segoe UI',Arial,sans-serif"
}

// sheet is what cannot be said in place: dark screens and phones. Outlook's apps do not know prefers-color-scheme and mark what
// they have recoloured with data-ogsc (text) and data-ogsb (background).
func (w *writer) sheet() string {
	var b strings.Builder
	d := w.o.Brand.Dark
	fg := []string{"text", "muted", "accent", "on_accent"}
	bg := []string{"page", "surface", "subtle", "accent"}
	b.WriteString("<style>\n:root{color-scheme:light dark;supported-color-schemes:light dark}\n.only-dark{display:none}\n")
	b.WriteString("a{word-break:break-word}\nh1,h2,h3,p{margin:0}\n")
	if w.script.CJK && strings.HasPrefix(w.script.Lang, "ja") {
		b.WriteString("h1,h2,h3,.btn{word-break:auto-phrase}\n") // between phrases, where it is known
	}
	b.WriteString("@media (prefers-color-scheme:dark){\n")
	for _, n := range fg {
		b.WriteString("." + class("c-", n) + "{color:" + token(d, n) + "!important}\n")
	}
	for _, n := range bg {
		b.WriteString("." + class("b-", n) + "{background-color:" + token(d, n) + "!important}\n")
	}
	b.WriteString(".l-border{border-color:" + d.Border + "!important}\n.l-accent{border-color:" + d.Accent + "!important}\n.l-surface{border-color:" + d.Surface + "!important}\n")
	b.WriteString(".only-dark{display:inline-block!important}\n.only-light{display:none!important}\n}\n")
	for _, n := range fg {
		b.WriteString("[data-ogsc] ." + class("c-", n) + "{color:" + token(d, n) + "!important}\n")
	}
	for _, n := range bg {
		b.WriteString("[data-ogsb] ." + class("b-", n) + "{background-color:" + token(d, n) + "!important}\n")
	}
	b.WriteString("@media (max-width:600px){\n.frame{padding:0 0 24px!important}\n.card{border-radius:0!important}\n.col{max-width:100%!important}\n.cell{padding-bottom:20px!important}\n" +
		".pad{padding-left:20px!important;padding-right:20px!important}\n.padm{padding-left:12px!important;padding-right:12px!important}\n" +
		".h1{font-size:25px!important}\n.full{width:100%!important}\n}\n</style>\n")
	return b.String()
}

// logo writes the head: the brand's picture, or its name.
func (w *writer) logo() {
	b := w.o.Brand
	if b.Logo.URL == "" && b.Name == "" {
		return
	}
	w.out(presentation, " style=\"max-width:", strconv.Itoa(w.width), "px;margin:0 auto\"><tr><td class=\"pad\" align=\"center\" style=\"padding:8px 32px 20px;text-align:center\">")
	open, end := "", ""
	if b.Logo.Link != "" {
		open, end = `<a href="`+html.EscapeString(b.Logo.Link)+`"`+w.colour("text")+`;text-decoration:none">`, "</a>"
	}
	w.out(open)
	if b.Logo.URL != "" {
		width := b.Logo.Width
		if width == 0 {
			width = 140
		}
		w.picture(html.EscapeString(b.Logo.URL), html.EscapeString(b.Logo.DarkURL), html.EscapeString(b.Name), width, 0)
	} else {
		w.out("<span", w.colour("text"), w.headingFont(), ";font-size:20px;line-height:28px;font-weight:700;letter-spacing:.02em\">", html.EscapeString(b.Name), "</span>")
	}
	w.out(end, "</td></tr></table>\n")
	w.line(strings.TrimSpace(b.Name))
}

// picture writes an image whose parts are HTML already.
func (w *writer) picture(src, dark, alt string, width, radius int) {
	one := func(cls, src string) {
		round := ""
		if radius > 0 {
			round = fmt.Sprintf(";border-radius:%dpx", radius)
		}
		w.out("<img", cls, " src=\"", src, "\" alt=\"", alt, "\" width=\"", strconv.Itoa(width), "\"")
		hide := ""
		if strings.Contains(cls, "only-dark") {
			hide = ";display:none;mso-hide:all"
		} else {
			hide = ";display:inline-block"
		}
		w.out(" style=\"border:0;width:100%;max-width:", strconv.Itoa(width), "px;height:auto;vertical-align:middle;font-size:14px;line-height:20px", round, hide, "\">")
	}
	if dark == "" {
		one("", src)
		return
	}
	one(` class="only-light"`, src)
	one(` class="only-dark"`, dark)
}

// end writes the foot: who sends, where they are reached by post, the way out.
func (w *writer) end(d Document) {
	b, words := w.o.Brand, w.o.Words
	w.out("</table>\n", presentation, " style=\"max-width:", strconv.Itoa(w.width), "px;margin:0 auto\"><tr><td align=\"center\"", strings.Replace(w.colour("muted"), `class="`, `class="pad `, 1),
		";padding:24px 32px 8px;text-align:center;font-size:13px;line-height:", number(w.script.Height), "\">\n")
	w.text.WriteString("-- \n")
	para := func(html, text string) {
		if html != "" {
			w.out("<p style=\"margin:0 0 10px\">", html, "</p>\n")
			w.text.WriteString(text + "\n")
		}
	}
	anchor := func(url, label string) string {
		return `<a href="` + url + `"` + w.colour("muted") + `;text-decoration:underline">` + label + `</a>`
	}
	if d.Footer != "short" {
		var parts []string
		for _, l := range append(slices.Clone(b.Social), b.Footer.Links...) {
			parts = append(parts, anchor(html.EscapeString(l.URL), html.EscapeString(l.Label)))
			w.text.WriteString(braces.Replace(l.Label+": "+l.URL) + "\n")
		}
		para(strings.Join(parts, " &nbsp;·&nbsp; "), "")
		if note := byLanguage(b.Footer.Notes, w.o.Locale); note != "" {
			para(lines(note), braces.Replace(note))
		}
	}
	who := strings.Trim(b.Footer.Company+"\n"+b.Footer.Address, "\n")
	para(lines(who), braces.Replace(who))
	// Mail that answers what somebody did has nothing to leave.
	w.out("{% unless mail.transactional %}<p style=\"margin:0\">", html.EscapeString(words.Reason), " ", anchor("{{ unsubscribe_url }}", html.EscapeString(words.Unsubscribe)),
		"{% if preferences_url and preferences_url != unsubscribe_url %} · ", anchor("{{ preferences_url }}", html.EscapeString(words.Preferences)), "{% endif %}</p>{% endunless %}\n")
	w.text.WriteString("{% unless mail.transactional %}" + words.Reason + "\n" + words.Unsubscribe + ": {{ unsubscribe_url }}\n{% endunless %}")
	w.out("</td></tr></table>\n<!--[if mso]></td></tr></table><![endif]-->\n</td></tr></table>\n</div>\n</body>\n</html>\n")
}

// lines is a text of ours with its line ends kept, as HTML. Braces stay braces.
func lines(s string) string {
	return strings.ReplaceAll(braces.Replace(html.EscapeString(s)), "\n", "<br>")
}

func byLanguage(texts map[string]string, locale string) string {
	for _, l := range brand.Chain(locale, "") {
		if v := texts[l]; v != "" {
			return v
		}
	}
	return ""
}
