package content

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
	"golang.org/x/net/html"

	"github.com/kizuna-cx/kizuna/internal/domain/content/brand"
	"github.com/kizuna-cx/kizuna/internal/domain/content/liquid"
)

// How much is read. Phones show about 40 Latin or 20 CJK characters of a subject, and a CJK character is as wide as two; a third more is
// where desktop programs cut as well. Posts of up to 80 characters do best and beyond 250 readers leave, half as many in CJK.
const (
	subjectWidth   = 60
	preheaderWidth = 180
	paragraphWidth = 500
)

// readable is a text with each piece of Liquid replaced by a word.
func readable(src string) string {
	pieces, err := liquid.Pieces(src)
	if err != nil {
		return src
	}
	var b strings.Builder
	pos := 0
	for _, p := range pieces {
		b.WriteString(src[pos:p.From])
		if p.Tag == "" {
			b.WriteString("xxxxxx")
		}
		pos = p.To
	}
	return b.String() + src[pos:]
}

// words of spam filters that no honest mail needs, in small letters.
var spamWords = []string{
	"100% free", "act now", "click below", "double your", "earn money", "free money", "guaranteed winner", "no obligation", "risk-free", "this is not spam", "urgent!!!", "winner!!",
	"今すぐ稼", "絶対儲", "無料で稼", "当選おめでとう", "完全無料", "免费领取", "点击领取", "恭喜中奖", "稳赚", "日赚", "全网最低",
}

// lines looks at the subject and the preheader.
func (f *finder) lines() {
	subject := readable(f.c.text0.Subject)
	at := Finding{Group: "length", Field: "subject"}
	if w := uniseg.StringWidth(subject); w > subjectWidth {
		at.Code = "long"
		n := uniseg.GraphemeClusterCount(subject)
		if brand.ScriptOf(f.c.text0.Locale).CJK || w > n*3/2 {
			f.add(at, "%d characters: phones show about 20 of this script", n)
		} else {
			f.add(at, "%d characters: phones show about 40", n)
		}
	}
	at.Group = "spam"
	letters, upper := 0, 0
	for _, r := range subject {
		if unicode.IsLetter(r) && r < 0x250 {
			letters++
			if unicode.IsUpper(r) {
				upper++
			}
		}
	}
	if letters >= 10 && upper*10 > letters*7 {
		at.Code = "shouting"
		f.add(at, "the subject is in capitals; filters and readers take that for spam")
	}
	if n := strings.Count(subject, "!") + strings.Count(subject, "！"); n > 1 {
		at.Code = "exclamations"
		f.add(at, "%d exclamation marks; one is enough", n)
	}
	low := strings.ToLower(strings.TrimSpace(subject))
	for _, p := range []string{"re:", "re：", "fwd:", "fw:", "回复:", "回复：", "转发:", "转发："} {
		if strings.HasPrefix(low, p) {
			at.Code = "false_reply"
			f.add(at, "the subject pretends to be an answer, which several countries forbid")
		}
	}
	for _, x := range [][2]string{{"subject", f.c.text0.Subject}, {"preheader", f.c.text0.Preheader}} {
		f.spam(x[1], Finding{Field: x[0]})
		f.words(x[1], Finding{Field: x[0]})
	}
	switch pre := readable(f.c.text0.Preheader); {
	case pre == "":
		f.add(Finding{Group: "length", Field: "preheader", Code: "preheader_missing"}, "programs show the first words of the mail after the subject; say there what the reader gains")
	case strings.EqualFold(pre, subject):
		f.add(Finding{Group: "length", Field: "preheader", Code: "preheader_same"}, "it repeats the subject; say something more")
	case uniseg.StringWidth(pre) > preheaderWidth:
		f.add(Finding{Group: "length", Field: "preheader", Code: "long"}, "%d characters: programs show 40 to 100", uniseg.GraphemeClusterCount(pre))
	}
}

func (f *finder) spam(text string, at Finding) {
	low := strings.ToLower(text)
	for _, w := range spamWords {
		if strings.Contains(low, w) {
			at.Group, at.Code, at.Name = "spam", "spam_word", w
			f.add(at, "filters know %q from spam", w)
		}
	}
}

var betweenTags = regexp.MustCompile(`(?i)</p>|<br\s*/?>|</li>|\n\s*\n`)

// paragraphs looks at running text.
func (f *finder) paragraphs(text string, at Finding) {
	f.spam(text, at)
	for _, p := range betweenTags.Split(readable(text), -1) {
		p = stripTags(p)
		if w := uniseg.StringWidth(p); w > paragraphWidth {
			at.Group, at.Code = "length", "long_paragraph"
			f.add(at, "%d characters in one paragraph; on a phone that is a wall: say it in fewer than 250, in half as many of Chinese or Japanese, or divide it", uniseg.GraphemeClusterCount(p))
			return
		}
	}
}

var tag = regexp.MustCompile(`<[^>]*>`)

func stripTags(s string) string {
	return strings.TrimSpace(html.UnescapeString(tag.ReplaceAllString(s, "")))
}

// empty words for a link, in small letters: read alone, as screen readers list them, they say nothing.
var emptyLabels = []string{"click here", "here", "read more", "more", "link", "this link", "こちら", "ここ", "ここをクリック", "こちらをクリック", "もっと見る", "点击这里", "点这里", "点击此处", "这里", "更多"}

var shorteners = []string{"bit.ly", "tinyurl.com", "goo.gl", "t.co", "ow.ly", "is.gd", "t.cn", "suo.im", "dwz.cn", "x.gd"}

// link looks at an address as its author wrote it, and at what stands on it.
func (f *finder) link(address, label string, at Finding) {
	at.Group, at.Name = "link", address
	if code, say := badLink(address); code != "" {
		at.Code = code
		f.add(at, "%s", say)
	}
	if l := strings.ToLower(stripTags(label)); slices.Contains(emptyLabels, l) {
		at.Group, at.Code, at.Name = "access", "link_text", label
		f.add(at, "%q says nothing by itself; name what is behind the link", label)
	}
}

// badLink says what is wrong with an address; one that begins with Liquid is only known when it is filled.
func badLink(address string) (code, say string) {
	address = strings.TrimSpace(address)
	if pieces, err := liquid.Pieces(address); err == nil && len(pieces) > 0 {
		if pieces[0].From == 0 {
			return "", ""
		}
		address = address[:pieces[0].From]
	}
	low := strings.ToLower(address)
	switch {
	case address == "":
		return "link_empty", "the link leads nowhere"
	case strings.HasPrefix(address, "#"):
		if address == "#" {
			return "link_empty", "the link leads nowhere"
		}
		return "", ""
	case strings.Contains(address, "{{") || strings.Contains(address, "{%") || strings.Contains(address, "}}"):
		return "link_unresolved", "there is Liquid left in the address"
	case strings.HasPrefix(low, "mailto:"), strings.HasPrefix(low, "tel:"), strings.HasPrefix(low, "sms:"), strings.HasPrefix(low, "line:"), strings.HasPrefix(low, "weixin:"), strings.HasPrefix(low, "geo:"), strings.HasPrefix(low, "webcal:"), strings.HasPrefix(low, "cid:"):
		return "", ""
	case !web(address):
		return "link_no_scheme", "the address has no https:// and leads nowhere from a mail"
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return "link_broken", "this is no address"
	}
	host := strings.ToLower(u.Hostname())
	ip, ipErr := netip.ParseAddr(host)
	switch {
	case host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".internal") || strings.HasSuffix(host, ".test") || strings.HasSuffix(host, ".invalid") || ipErr == nil && (ip.IsPrivate() || ip.IsLoopback()):
		return "link_private", "readers cannot reach " + host
	case slices.ContainsFunc(strings.FieldsFunc(strings.SplitN(host, ".", 2)[0], func(r rune) bool { return r == '-' }), func(part string) bool {
		return slices.Contains([]string{"staging", "stage", "stg", "dev", "test", "uat", "preview", "sandbox"}, part)
	}):
		return "link_staging", host + " looks like a place for trials"
	case host == "example.com" || host == "example.org" || host == "example.net" || strings.HasSuffix(host, ".example.com"):
		return "link_placeholder", "put your own address in place of " + host
	case slices.Contains(shorteners, host):
		return "link_shortener", "filters distrust shortened addresses; write the real one"
	case u.Scheme == "http":
		return "link_http", "the address is not encrypted; most sites answer at https://"
	}
	return "", ""
}

// code looks at HTML that an author wrote.
func (f *finder) code() {
	s := f.markup(f.c.text0.HTML, Finding{Field: "html"})
	f.pictures(s.images, uniseg.StringWidth(s.text), Finding{Field: "html"})
	f.words(f.c.text0.HTML+f.c.text0.Text, Finding{Field: "html"})
	f.spam(f.c.text0.HTML+f.c.text0.Text, Finding{Field: "html"})
}

// What a mail should say in words beside its pictures, in columns: a line for the first, a few words for each further one.
const (
	wordsForOne  = 60
	wordsForMore = 20
)

// pictures compares how many pictures there are with how much is said in words.
func (f *finder) pictures(n, width int, at Finding) {
	if n > 0 && width < wordsForOne+(n-1)*wordsForMore {
		at.Group, at.Code = "spam", "image_only"
		f.add(at, "nearly all is in pictures: filters distrust that, and many programs do not show them; say the main thing in words, too")
	}
}

// markup reads HTML as far as links, pictures, headings and the language go.
func (f *finder) markup(src string, at Finding) surveyed {
	pieces, err := liquid.Pieces(src)
	if err != nil || src == "" {
		return surveyed{}
	}
	var b strings.Builder // the source with each piece as one private character, so that HTML can be read
	pos := 0
	for i, p := range pieces {
		b.WriteString(src[pos:p.From])
		b.WriteRune(rune(0xF0000 + i%0xFFFD))
		pos = p.To
	}
	b.WriteString(src[pos:])
	back := func(s string) string {
		var out strings.Builder
		for _, r := range s {
			if i := int(r) - 0xF0000; i >= 0 && i < len(pieces) {
				out.WriteString(src[pieces[i].From:pieces[i].To])
				continue
			}
			out.WriteRune(r)
		}
		return out.String()
	}
	s := survey(b.String())
	for _, l := range s.links {
		f.link(back(l.href), back(l.label), at)
	}
	at.Group = "access"
	if s.noAlt > 0 {
		at.Code = "alt_missing"
		f.add(at, "%d pictures have no alternative text; write alt=\"\" for those that say nothing", s.noAlt)
	}
	if s.noLang {
		at.Code = "lang_missing"
		f.add(at, "<html> has no lang; programs choose fonts and voices by it")
	}
	if s.jump > 0 {
		at.Code = "heading_order"
		f.add(at, "a heading of level %d comes too early; people who listen to mail find their way by the order", s.jump)
	}
	return s
}

// surveyed is what a look through HTML found.
type surveyed struct {
	links         []struct{ href, label string }
	images, noAlt int
	noLang        bool
	jump          int // level of the first heading that is more than one below the one before
	text          string
}

func survey(doc string) surveyed {
	var s surveyed
	var text strings.Builder
	z := html.NewTokenizer(strings.NewReader(doc))
	level, skip := 0, ""
	open := -1
	for {
		switch z.Next() {
		case html.ErrorToken:
			s.text = strings.Join(strings.Fields(text.String()), " ")
			return s
		case html.TextToken:
			if skip == "" {
				t := string(z.Text())
				text.WriteString(t)
				if open >= 0 {
					s.links[open].label += html.UnescapeString(t)
				}
			}
		case html.EndTagToken:
			tok := z.Token()
			if tok.Data == skip {
				skip = ""
			}
			if tok.Data == "a" {
				open = -1
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			tok := z.Token()
			attrs := map[string]string{}
			for _, a := range tok.Attr {
				attrs[a.Key] = a.Val
			}
			switch tok.Data {
			case "style", "script", "title":
				skip = tok.Data
			case "html":
				s.noLang = attrs["lang"] == ""
			case "img":
				s.images++
				if alt, ok := attrs["alt"]; !ok {
					s.noAlt++
				} else if open >= 0 {
					s.links[open].label += alt
				}
			case "a":
				if href, ok := attrs["href"]; ok {
					s.links = append(s.links, struct{ href, label string }{href, ""})
					open = len(s.links) - 1
				}
			case "h1", "h2", "h3", "h4", "h5", "h6":
				n := int(tok.Data[1] - '0')
				if n > level+1 && !(level == 0 && n == 2) && s.jump == 0 {
					s.jump = n
				}
				level = n
			}
		}
	}
}

// rendered looks at a filled letter: what only shows once the values are in.
func rendered(r Rendered) []Finding {
	f := &finder{}
	if n := len(r.HTML); n > clipped {
		f.out = append(f.out, tooLong(n, r.Locale))
	}
	if r.Subject == "" {
		f.add(Finding{Group: "length", Field: "subject", Code: "subject_empty", Locale: r.Locale}, "the subject is empty for this person")
	}
	for _, x := range [][2]string{{"subject", r.Subject}, {"text", r.Text}} {
		for _, left := range []string{"{{", "{%"} {
			if strings.Contains(x[1], left) {
				f.add(Finding{Group: "variable", Field: x[0], Code: "unresolved", Name: left, Locale: r.Locale}, "there is Liquid left in the finished text")
			}
		}
	}
	seen := map[string]bool{}
	for _, l := range survey(r.HTML).links {
		if code, say := badLink(l.href); code != "" && !seen[l.href] && l.href != sampleUnsubscribe {
			seen[l.href] = true
			f.add(Finding{Group: "link", Field: "html", Code: code, Name: l.href, Locale: r.Locale}, "%q: %s", strings.TrimSpace(l.label), say)
		}
	}
	return f.out
}
