package content

import (
	"embed"
	"encoding/json"
	"html"
	"strings"
	"sync"

	"github.com/kizuna-cx/kizuna/internal/domain/content/block"
)

//go:embed catalog/*.json
var catalogFiles embed.FS

// words are the texts that a letter gets from us, in one language.
type words = block.Words

var catalogs = sync.OnceValue(func() map[string]words {
	out := map[string]words{}
	for _, locale := range []string{"en", "zh-Hans", "ja"} {
		raw, err := catalogFiles.ReadFile("catalog/" + locale + ".json")
		if err != nil {
			panic(err) // embedded
		}
		var w words
		if err := json.Unmarshal(raw, &w); err != nil {
			panic(err)
		}
		out[locale] = w
	}
	return out
})

// wordsFor returns the texts in the language of a BCP 47 tag, English if there are none.
func wordsFor(locale string) words {
	switch l, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(locale, "_", "-")), "-"); l {
	case "zh":
		return catalogs()["zh-Hans"]
	case "ja":
		return catalogs()["ja"]
	}
	return catalogs()["en"]
}

// dressing is what is put into a rendered letter.
type dressing struct {
	locale      string
	preheader   string // plain text
	link        func(url string) string
	pixel       string // address of the open mark
	unsubscribe string // the way out: never rewritten
	force       bool   // the way out must be in the letter
}

// edit replaces bytes of a document.
type edit struct {
	from, to int
	text     string
}

// dressHTML rewrites links and adds preheader, way out and pixel. It reads the document as far as it must: tags,
// comments and raw text are told apart, nothing else is changed.
func dressHTML(doc string, d dressing) string {
	var edits []edit
	bodyStart, bodyEnd, hasHTML := -1, -1, false
	wayOut := !d.force || d.unsubscribe == ""
	for i := 0; ; {
		j := strings.IndexByte(doc[i:], '<')
		if j < 0 {
			break
		}
		i += j
		if strings.HasPrefix(doc[i:], "<!--") {
			end := strings.Index(doc[i+4:], "-->")
			if end < 0 {
				break
			}
			i += 4 + end + 3
			continue
		}
		name := tagName(doc[i+1:])
		if name == "" {
			i++
			continue
		}
		end, href := tagEnd(doc, i+1+len(name))
		switch name {
		case "a", "area":
			if href.to > href.from {
				url := strings.TrimSpace(html.UnescapeString(doc[href.from:href.to]))
				if url == d.unsubscribe {
					wayOut = true
				} else if d.link != nil && web(url) {
					if to := d.link(url); to != url {
						text := html.EscapeString(to)
						if href.bare {
							text = `"` + text + `"`
						}
						edits = append(edits, edit{href.from, href.to, text})
					}
				}
			}
		case "html":
			hasHTML = true
		case "body":
			bodyStart = end
		case "/body":
			bodyEnd = i
		case "style", "script", "title", "textarea":
			if k := indexFold(doc[end:], "</"+name); k >= 0 {
				end += k
			} else {
				end = len(doc)
			}
		}
		i = end
	}

	var tail strings.Builder
	if !wayOut {
		w := wordsFor(d.locale)
		tail.WriteString(`<div style="margin:24px 0 0;padding:12px 16px;text-align:center;font-family:sans-serif;font-size:12px;line-height:18px;color:#6b6b6b">`)
		tail.WriteString(html.EscapeString(w.Reason))
		tail.WriteString(` <a href="` + html.EscapeString(d.unsubscribe) + `" style="color:#6b6b6b">` + html.EscapeString(w.Unsubscribe) + `</a></div>`)
	}
	if d.pixel != "" {
		tail.WriteString(`<img src="` + html.EscapeString(d.pixel) + `" width="1" height="1" alt="" style="border:0;width:1px;height:1px">`)
	}
	head := ""
	if d.preheader != "" {
		head = `<div style="display:none;max-height:0;overflow:hidden;mso-hide:all">` + html.EscapeString(d.preheader) + `</div>`
	}
	foot := ""
	if !hasHTML && bodyStart < 0 {
		// Programs choose fonts for Chinese characters by the language, so a fragment gets a document around it.
		lang := ""
		if d.locale != "" {
			lang = ` lang="` + html.EscapeString(d.locale) + `"`
		}
		head = "<!doctype html>\n<html" + lang + "><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"></head><body>" + head
		foot = "</body></html>\n"
	}
	if bodyStart < 0 && hasHTML && head != "" {
		bodyStart = afterHead(doc)
	}
	if bodyEnd < max(bodyStart, 0) {
		bodyEnd = len(doc)
	}
	edits = insert(edits, edit{max(bodyStart, 0), max(bodyStart, 0), head})
	edits = insert(edits, edit{bodyEnd, bodyEnd, tail.String() + foot})

	size := len(doc)
	for _, e := range edits {
		size += len(e.text)
	}
	var out strings.Builder
	out.Grow(size)
	pos := 0
	for _, e := range edits {
		out.WriteString(doc[pos:e.from])
		out.WriteString(e.text)
		pos = e.to
	}
	out.WriteString(doc[pos:])
	return out.String()
}

// insert puts e behind the edits that come before it.
func insert(edits []edit, e edit) []edit {
	if e.text == "" {
		return edits
	}
	i := len(edits)
	for i > 0 && edits[i-1].from > e.from {
		i--
	}
	edits = append(edits, edit{})
	copy(edits[i+1:], edits[i:])
	edits[i] = e
	return edits
}

// afterHead finds where the body of a document without a body tag begins.
func afterHead(doc string) int {
	for _, tag := range []string{"</head>", "<html"} {
		if i := indexFold(doc, tag); i >= 0 {
			if j := strings.IndexByte(doc[i:], '>'); j >= 0 {
				return i + j + 1
			}
		}
	}
	return 0
}

// tagName returns the lower-case name at the start of s, with its slash if it is an end tag, if s starts with one.
func tagName(s string) string {
	n := 0
	if n < len(s) && s[n] == '/' {
		n++
	}
	from := n
	for n < len(s) && (s[n]|0x20 >= 'a' && s[n]|0x20 <= 'z' || n > from && s[n] >= '0' && s[n] <= '9') {
		n++
	}
	if n == from || n < len(s) && !asciiSpace(rune(s[n])) && s[n] != '>' && s[n] != '/' {
		return ""
	}
	return strings.ToLower(s[:n])
}

type hrefRange struct {
	from, to int
	bare     bool // without quotes
}

// tagEnd walks over the attributes that start at i and returns the position after the tag, and the first href.
func tagEnd(doc string, i int) (end int, href hrefRange) {
	for i < len(doc) {
		switch c := doc[i]; {
		case c == '>':
			return i + 1, href
		case asciiSpace(rune(c)) || c == '/':
			i++
			continue
		}
		from := i
		for i < len(doc) && !asciiSpace(rune(doc[i])) && doc[i] != '=' && doc[i] != '>' && doc[i] != '/' {
			i++
		}
		name := doc[from:i]
		if i == from { // a stray =
			i++
			continue
		}
		k := i
		for k < len(doc) && asciiSpace(rune(doc[k])) {
			k++
		}
		if k >= len(doc) || doc[k] != '=' {
			continue
		}
		k++
		for k < len(doc) && asciiSpace(rune(doc[k])) {
			k++
		}
		if k >= len(doc) {
			return k, href
		}
		v := hrefRange{from: k}
		if q := doc[k]; q == '"' || q == '\'' {
			n := strings.IndexByte(doc[k+1:], q)
			if n < 0 {
				return len(doc), href
			}
			v = hrefRange{from: k + 1, to: k + 1 + n}
			i = v.to + 1
		} else {
			for k < len(doc) && !asciiSpace(rune(doc[k])) && doc[k] != '>' {
				k++
			}
			v.to, v.bare, i = k, true, k
		}
		if href.to == 0 && strings.EqualFold(name, "href") {
			href = v
		}
	}
	return len(doc), href
}

// web tells whether an address can be redirected to.
func web(url string) bool {
	for _, p := range []string{"http://", "https://"} {
		if len(url) > len(p) && strings.EqualFold(url[:len(p)], p) {
			return true
		}
	}
	return false
}

// indexFold finds lower-case ASCII text in s in any case.
func indexFold(s, lower string) int {
	for i := 0; i+len(lower) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(lower)], lower) {
			return i
		}
	}
	return -1
}

// dressText adds the way out if the text lacks it.
func dressText(text string, d dressing) string {
	if !d.force || d.unsubscribe == "" || strings.Contains(text, d.unsubscribe) {
		return text
	}
	w := wordsFor(d.locale)
	return strings.TrimRight(text, "\n") + "\n\n-- \n" + w.Reason + "\n" + w.Unsubscribe + ": " + d.unsubscribe + "\n"
}

func asciiSpace(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == '\r' || r == '\f' }
