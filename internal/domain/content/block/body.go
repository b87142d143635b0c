package block

import (
	"fmt"
	"html"
	"regexp"
	"strconv"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/content/plain"
)

func (x *heading) write(w *writer, b Block) {
	level := max(x.Level, 1)
	size := []int{28, 22, 18}[level-1]
	if b.Style.Size != "" {
		size = map[string]int{"s": 16, "m": 20, "l": 28, "xl": 36}[b.Style.Size]
	}
	tag := "h" + strconv.Itoa(level)
	cls := strings.Replace(w.colour(w.fg), `class="`, `class="`+tag+` `, 1)
	w.out("<", tag, cls, ";margin:0", w.headingFont(), ";font-size:", strconv.Itoa(size), "px;line-height:", number(w.script.Tight),
		";font-weight:700;text-align:", w.align, "\">", strings.ReplaceAll(escaped(strings.TrimSpace(x.Text)), "\n", "<br>"), "</", tag, ">")
	w.line(plainText(x.Text))
}

func (x *text) write(w *writer, b Block) {
	r, _ := inline(x.Text) // checked when it was parsed
	w.out("<div", w.colour(w.fg), ";font-size:", strconv.Itoa(w.size), "px;line-height:", number(w.script.Height), ";text-align:", w.align, "\">", r.html(w), "</div>")
	w.line(r.plain())
}

func (x *button) write(w *writer, _ Block) {
	w.link1(x.Label, x.URL, x.Look, x.Full)
	w.line(plainText(x.Label) + ": " + plainText(x.URL))
}

// link1 writes a button. Outlook does not know padding on links; it gets the room from spaces that only it sees.
func (w *writer) link1(label, url, look string, full bool) {
	href, text, p := escaped(strings.TrimSpace(url)), escaped(strings.TrimSpace(label)), w.o.Brand.Light
	font := ";font-size:16px;line-height:24px;font-weight:600"
	if look == "link" {
		w.out("<a href=\"", href, "\"", w.colour(w.link()), font, ";text-decoration:underline\">", text, "</a>")
		return
	}
	bg, fg, line := "accent", "on_accent", p.Accent
	switch {
	case look == "outline" && w.fg == "on_accent":
		bg, fg, line = "", "on_accent", p.OnAccent
	case look == "outline":
		bg, fg = "", "accent"
	case w.fg == "on_accent": // on a band in the accent's colour a button is the other way round
		bg, fg, line = "surface", "accent", p.Surface
	}
	cls, back := class("c-", fg)+" btn", ""
	switch bg {
	case "accent":
		cls += " l-accent"
	case "surface":
		cls += " l-surface"
	}
	if bg != "" {
		cls += " " + class("b-", bg)
		back = ";background-color:" + token(p, bg)
	} else if fg == "accent" {
		cls += " l-accent"
	}
	display := "inline-block"
	if full {
		display = "block"
	}
	w.out("<a href=\"", href, "\" class=\"", cls, "\" style=\"display:", display, back, ";color:", token(p, fg), ";border:1px solid ", line,
		fmt.Sprintf(";border-radius:%dpx", w.o.Brand.Radius), ";padding:12px 26px;text-align:center;text-decoration:none", font, ";mso-padding-alt:0\">",
		"<!--[if mso]><i style=\"mso-font-width:200%;mso-text-raise:22pt\" hidden>&emsp;</i><span style=\"mso-text-raise:11pt\"><![endif]-->", text,
		"<!--[if mso]></span><i style=\"mso-font-width:200%\" hidden>&emsp;&#8203;</i><![endif]--></a>")
}

func (x *image) write(w *writer, b Block) {
	width := w.width
	if x.Width > 0 {
		width = min(x.Width, w.width)
	}
	radius := 0
	if b.Style.Rounded {
		radius = w.o.Brand.Radius
	}
	alt := ""
	if !x.Decorative {
		alt = escaped(x.Alt)
	}
	if x.URL != "" {
		w.out("<a href=\"", escaped(x.URL), "\"", w.colour(w.link()), ";text-decoration:none\">")
	}
	w.picture(escaped(strings.TrimSpace(x.Src)), escaped(strings.TrimSpace(x.DarkSrc)), alt, width, radius)
	if x.URL != "" {
		w.out("</a>")
	}
	if x.Caption != "" {
		w.out("<p", w.colour("muted"), ";margin:8px 0 0;font-size:13px;line-height:1.5;text-align:", w.align, "\">", escaped(x.Caption), "</p>")
	}
	if !x.Decorative {
		t := "[" + plainText(x.Alt) + "]"
		if x.URL != "" {
			t += " " + plainText(x.URL)
		}
		w.line(t)
	}
	w.line(plainText(x.Caption))
}

func (x *products) write(w *writer, _ Block) {
	if len(x.Items) > 0 {
		w.cards(x.Layout, x.Items)
		return
	}
	limit := x.Limit
	if limit == 0 {
		limit = 6
	}
	p := product{
		Image: w.pick(x.Image, "{{ item.image_url }}"), Title: w.pick(x.Title, "{{ item.name }}"), Note: x.Note,
		Price: w.pick(x.Price, "{{ item.price | money: item.currency }}"), URL: w.pick(x.URL, "{{ item.url }}"), Label: x.Label,
	}
	loop := "{% for item in " + x.Each + " limit:" + strconv.Itoa(limit) + " %}"
	filled := "{% if " + x.Each + ".size > 0 %}"
	w.out(filled)
	w.text.WriteString(filled)
	w.text.WriteString(loop + "\n")
	if x.Layout == "grid" {
		w.out("<div style=\"margin:0\">", loop, "{% assign side = forloop.index0 | modulo: 2 %}")
		w.half(p, "{% if side == 0 %}"+w.beside(0)+"{% else %}"+w.beside(1)+"{% endif %}")
		w.out("{% endfor %}</div>")
	} else {
		w.out(presentation, ">", loop, "<tr><td style=\"padding:0 0 {% if forloop.last %}0{% else %}16px{% endif %}\">")
		w.card(p, false, w.width)
		w.out("</td></tr>{% endfor %}</table>")
	}
	w.text.WriteString("{% endfor %}\n")
	if x.Empty != "" {
		r, _ := inline(x.Empty)
		w.out("{% else %}<div", w.colour(w.fg), ";font-size:16px;line-height:", number(w.script.Height), "\">", r.html(w), "</div>")
		w.text.WriteString("{% else %}" + r.plain() + "\n\n")
	}
	w.out("{% endif %}")
	w.text.WriteString("{% endif %}\n")
}

// cards writes a fixed list.
func (w *writer) cards(layout string, items []product) {
	if layout == "grid" {
		w.out("<div style=\"margin:0\">")
		for i, p := range items {
			w.half(p, w.beside(i%2))
		}
		w.out("</div>")
		return
	}
	w.out(presentation, ">")
	for i, p := range items {
		gap := "16px"
		if i == len(items)-1 {
			gap = "0"
		}
		w.out("<tr><td style=\"padding:0 0 ", gap, "\">")
		w.card(p, false, w.width)
		w.out("</td></tr>")
	}
	w.out("</table>")
}

// beside is the room around the first or second card of a row.
func (w *writer) beside(n int) string {
	if (n == 0) != w.script.RTL {
		return "0 8px 20px 0"
	}
	return "0 0 20px 8px"
}

// half writes a card that takes half of the width.
func (w *writer) half(p product, room string) {
	half := w.width / 2
	w.out("<!--[if mso]><table role=\"presentation\" align=\"left\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" width=\"", strconv.Itoa(half), "\"><tr><td style=\"padding:0 8px 20px 0\"><![endif]-->",
		"<div style=\"display:inline-block;width:50%;max-width:", strconv.Itoa(half), "px;vertical-align:top;box-sizing:border-box;padding:", room, "\">")
	w.card(p, true, half-gutter/2)
	w.out("</div><!--[if mso]></td></tr></table><![endif]-->")
}

// single finds the variable that a field consists of, with or without filters.
var single = regexp.MustCompile(`^\{\{-?\s*([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)\s*(?:\|[^{}]*)?\}\}$`)

// guarded puts s there only if the field has something to show: a field that is one variable, and that without a default, leaves neither
// gap nor complaint where a product does not have it.
func guarded(field, s string) string {
	m := single.FindStringSubmatch(strings.TrimSpace(field))
	if m == nil || strings.Contains(field, "default") {
		return s
	}
	return "{% if " + m[1] + " %}" + s + "{% endif %}"
}

// card writes one product.
func (w *writer) card(p product, tall bool, width int) {
	alt := p.Alt
	if alt == "" {
		alt = p.Title
	}
	fromHTML := func(do func()) string {
		outer := w.html
		w.html = &strings.Builder{}
		do()
		out := w.html.String()
		w.html = outer
		return out
	}
	linked := func(inner string, style string) string {
		if p.URL == "" {
			return inner
		}
		a := "<a href=\"" + escaped(p.URL) + "\"" + w.colour(w.fg) + ";text-decoration:none" + style + "\">" + inner + "</a>"
		if g := guarded(p.URL, a); g != a {
			return strings.TrimSuffix(g, "{% endif %}") + "{% else %}" + inner + "{% endif %}"
		}
		return a
	}
	side := 96
	if tall {
		side = width
	}
	picture := ""
	if p.Image != "" {
		picture = linked(fromHTML(func() { w.picture(escaped(p.Image), "", escaped(alt), side, w.o.Brand.Radius) }), "")
	}
	size, start := "16px", w.side("start")
	words := "<div" + w.colour(w.fg) + ";font-size:" + size + ";line-height:" + number(w.script.Tight+0.1) + ";font-weight:600;text-align:" + start + "\">" + linked(escaped(p.Title), "") + "</div>"
	if p.Note != "" {
		words += guarded(p.Note, "<div"+w.colour(mutedOn(w.fg))+";font-size:14px;line-height:"+number(w.script.Height)+";text-align:"+start+"\">"+escaped(p.Note)+"</div>")
	}
	if p.Price != "" {
		words += guarded(p.Price, "<div"+w.colour(w.fg)+";font-size:15px;line-height:"+number(w.script.Height)+";text-align:"+start+"\">"+escaped(p.Price)+"</div>")
	}
	if p.Label != "" && p.URL != "" {
		words += guarded(p.URL, "<div style=\"padding:4px 0 0;text-align:"+start+"\"><a href=\""+escaped(p.URL)+"\""+w.colour(w.link())+";font-size:15px;text-decoration:underline\">"+escaped(p.Label)+"</a></div>")
	}
	switch {
	case tall:
		if picture != "" {
			w.out(guarded(p.Image, "<div style=\"padding:0 0 10px\">"+picture+"</div>"))
		}
		w.out(words)
	default:
		w.out(presentation, "><tr>")
		if picture != "" {
			pad := "0 16px 0 0"
			if w.script.RTL {
				pad = "0 0 0 16px"
			}
			w.out(guarded(p.Image, "<td width=\"96\" valign=\"middle\" style=\"width:96px;padding:"+pad+"\">"+picture+"</td>"))
		}
		w.out("<td valign=\"middle\" align=\"", start, "\">", words, "</td></tr></table>")
	}
	w.text.WriteString("- " + plainText(p.Title))
	if p.Price != "" {
		w.text.WriteString(guarded(p.Price, ", "+plainText(p.Price)))
	}
	w.text.WriteString("\n")
	if p.Note != "" {
		w.text.WriteString(guarded(p.Note, "  "+plainText(p.Note)+"\n"))
	}
	if p.URL != "" {
		w.text.WriteString(guarded(p.URL, "  "+plainText(p.URL)+"\n"))
	}
	w.text.WriteString("\n")
}

func mutedOn(fg string) string {
	if fg == "on_accent" {
		return fg
	}
	return "muted"
}

func (x *list) write(w *writer, _ Block) {
	limit := x.Limit
	if limit == 0 {
		limit = 20
	}
	tag := "ul"
	mark := "- "
	if x.Ordered {
		tag, mark = "ol", "{{ forloop.index }}. "
	}
	loop := "{% for item in " + x.Each + " limit:" + strconv.Itoa(limit) + " %}"
	filled := "{% if " + x.Each + ".size > 0 %}"
	w.out(filled, "<", tag, w.colour(w.fg), ";margin:0;padding:0;padding-", w.side("start"), ":24px;font-size:", strconv.Itoa(w.size), "px;text-align:", w.side("start"), "\">", loop,
		"<li style=\"margin:0 0 6px\">", escaped(x.Text), "</li>{% endfor %}</", tag, ">")
	w.text.WriteString(filled + loop + mark + plainText(x.Text) + "\n{% endfor %}")
	if x.Empty != "" {
		w.out("{% else %}<p", w.colour(w.fg), ";margin:0;text-align:", w.align, "\">", escaped(x.Empty), "</p>")
		w.text.WriteString("{% else %}" + plainText(x.Empty) + "\n")
	}
	w.out("{% endif %}")
	w.text.WriteString("{% endif %}\n")
}

func (x *divider) write(w *writer, _ Block) {
	w.out(presentation, "><tr><td class=\"l-border\" style=\"border-top:1px solid ", w.o.Brand.Light.Border, ";font-size:0;line-height:0\">&nbsp;</td></tr></table>")
	w.line("----------")
}

func (x *spacer) write(w *writer, _ Block) {
	h := x.Height
	if h == 0 {
		h = 24
	}
	n := strconv.Itoa(h)
	w.out("<div style=\"height:", n, "px;line-height:", n, "px;font-size:1px;mso-line-height-rule:exactly\">&nbsp;</div>")
}

func (x *social) write(w *writer, _ Block) {
	var parts, plain []string
	add := func(label, url string) {
		parts = append(parts, "<a href=\""+url+"\""+w.colour(w.link())+";font-size:15px;text-decoration:underline\">"+label+"</a>")
	}
	for _, l := range x.Links {
		add(escaped(l.Label), escaped(l.URL))
		plain = append(plain, plainText(l.Label)+": "+plainText(l.URL))
	}
	if len(x.Links) == 0 {
		for _, l := range w.o.Brand.Social {
			add(html.EscapeString(l.Label), html.EscapeString(l.URL))
			plain = append(plain, braces.Replace(l.Label+": "+l.URL))
		}
	}
	w.out("<div style=\"text-align:", w.align, "\">", strings.Join(parts, " &nbsp; "), "</div>")
	w.line(strings.Join(plain, "\n"))
}

func (x *snippet) write(*writer, Block) {} // the writer puts its blocks in

func (x *raw) write(w *writer, _ Block) {
	clean := sanitised(x.HTML)
	w.out("<div", w.colour(w.fg), ";text-align:", w.align, "\">", clean, "</div>")
	t := plainText(x.Text)
	if t == "" {
		if derived, ok := plain.Template(clean); ok {
			t = plainText(derived)
		}
	}
	w.line(t)
}
