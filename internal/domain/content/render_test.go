package content_test

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
)

var update = flag.Bool("update", false, "write the golden files anew")

func track(u string) string { return "https://t.example/c?u=" + url.QueryEscape(u) + "&s='1'" }

func rendered(t testing.TB, d content.Draft, vars map[string]any, o content.RenderOptions) content.Rendered {
	t.Helper()
	m := newService(t)
	if d.Name == "" {
		d.Name = "x"
	}
	if d.Subject == "" {
		d.Subject = "x"
	}
	tpl, err := m.Create(t.Context(), ws, d)
	if err != nil {
		t.Fatal(err)
	}
	r, err := m.Render(t.Context(), ws, tpl.ID, 1, vars, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// links returns the href of every link that a browser would see.
func links(doc string) (out []string) {
	z := html.NewTokenizer(strings.NewReader(doc))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return out
		case html.StartTagToken, html.SelfClosingTagToken:
			tok := z.Token()
			if tok.Data == "a" || tok.Data == "area" {
				for _, a := range tok.Attr {
					if a.Key == "href" {
						out = append(out, a.Val)
						break
					}
				}
			}
		}
	}
}

func TestLinksAreRewrittenWhereverTheyStand(t *testing.T) {
	const off = "https://m.example/u?t=1&x=2"
	o := content.RenderOptions{LinkFunc: track, UnsubscribeURL: off}
	vars := map[string]any{"url": "https://shop.example/?a=1&b='2'", "evil": "javascript:alert(1)"}
	for _, c := range []struct{ html, want string }{
		{`<a href="https://x.example/1">`, track("https://x.example/1")},
		{`<A class=b HREF='http://x.example/?a=1&amp;b=2'>`, track("http://x.example/?a=1&b=2")},
		{`<a href=https://x.example/3>x`, track("https://x.example/3")},
		{`<a href={{ url }}>x`, track("https://shop.example/?a=1&b='2'")},
		{"<a\n\ttitle='a > b'\n href = \"{{ url }}\" >", track("https://shop.example/?a=1&b='2'")},
		{`<a href=" https://x.example/4 ">`, track("https://x.example/4")},
		{`<map><area href="HTTPS://x.example/5"></map>`, track("HTTPS://x.example/5")},
		{`<a href="mailto:a@b.example">`, "mailto:a@b.example"},
		{`<a href="tel:+8190">`, "tel:+8190"},
		{`<a href="#top">`, "#top"},
		{`<a href="/relative">`, "/relative"},
		{`<a href="">`, ""},
		{`<a href="{{ evil }}">`, "#"},
		{`<a href="{{ unsubscribe_url }}">off</a>`, off},
		{`<a data-href="https://x.example/6" href="https://x.example/7">`, track("https://x.example/7")},
		{`<a href="https://x.example/8" href="https://x.example/9">`, track("https://x.example/8")},
		{`<a/href="https://x.example/10">`, track("https://x.example/10")},
		{`<abbr href="https://x.example/11"></abbr><a href="https://x.example/12">`, track("https://x.example/12")},
		{`<!-- <a href="https://x.example/no"> --><a href="https://x.example/13">`, track("https://x.example/13")},
		{`<style>a[href="<a href='https://no.example'>"] {}</style><a href="https://x.example/14">`, track("https://x.example/14")},
		{`1 < 2 <3 </a><a href="https://x.example/15">`, track("https://x.example/15")},
	} {
		r := rendered(t, content.Draft{HTML: c.html}, vars, o)
		got := links(strings.Split(r.HTML, `<div style="margin`)[0])
		if diff := cmp.Diff([]string{c.want}, got); diff != "" {
			t.Errorf("%s became %s\n%s", c.html, r.HTML, diff)
		}
	}
	r := rendered(t, content.Draft{HTML: `<a href="https://x.example">x</a>`}, nil, content.RenderOptions{})
	if !strings.Contains(r.HTML, `href="https://x.example"`) {
		t.Errorf("without a LinkFunc: %s", r.HTML)
	}
}

func TestTextHasTheRealAddressesAndNoTracking(t *testing.T) {
	d := content.Draft{HTML: `<a href="https://x.example/1">One</a> <a href="{{ url }}"><b>Two</b></a> <a href="https://x.example/3">https://x.example/3</a> <a href="https://x.example/4"><img src="x.png"></a> <a href="#x">Five</a> <a href="mailto:a@b.example">a@b.example</a>`}
	r := rendered(t, d, map[string]any{"url": "https://shop.example/?a=1&b=2"}, content.RenderOptions{LinkFunc: track, Transactional: true})
	want := "One (https://x.example/1) Two (https://shop.example/?a=1&b=2) https://x.example/3 https://x.example/4 Five a@b.example\n"
	if r.Text != want {
		t.Errorf("got  %q\nwant %q", r.Text, want)
	}
}

func TestTheWayOutIsAlwaysThere(t *testing.T) {
	const off = "https://m.example/u?t=1&x=2"
	for _, c := range []struct {
		name         string
		draft        content.Draft
		o            content.RenderOptions
		footer       bool
		html         int // links to the way out
		textContains bool
	}{
		{"a template without the link gets a footer", content.Draft{HTML: "<p>x</p>"}, content.RenderOptions{UnsubscribeURL: off, Locale: "ja"}, true, 1, true},
		{"a template with the link gets none", content.Draft{HTML: "<p><a href='{{ unsubscribe_url }}'>x</a></p>"}, content.RenderOptions{UnsubscribeURL: off}, false, 1, true},
		{"the link in quoteless HTML counts", content.Draft{HTML: "<p><a href={{ unsubscribe_url }}>x</a></p>"}, content.RenderOptions{UnsubscribeURL: off}, false, 1, true},
		{"the link in a branch not taken does not count", content.Draft{HTML: "{% if no %}<a href='{{ unsubscribe_url }}'>x</a>{% endif %}<p>x</p>"}, content.RenderOptions{UnsubscribeURL: off}, true, 1, true},
		{"the address in a comment does not count", content.Draft{HTML: "<!-- {{ unsubscribe_url }} --><p>x</p>"}, content.RenderOptions{UnsubscribeURL: off}, true, 1, true},
		{"a written text gets a footer of its own", content.Draft{HTML: "<a href='{{ unsubscribe_url }}'>x</a>", Text: "hello"}, content.RenderOptions{UnsubscribeURL: off}, false, 1, true},
		{"a transactional mail gets none", content.Draft{HTML: "<p>x</p>"}, content.RenderOptions{UnsubscribeURL: off, Transactional: true}, false, 0, false},
		{"without an address there is none", content.Draft{HTML: "<p>x</p>"}, content.RenderOptions{}, false, 0, false},
	} {
		c.o.LinkFunc = track
		r := rendered(t, c.draft, nil, c.o)
		n := 0
		for _, l := range links(r.HTML) {
			if l == off {
				n++
			}
		}
		footer := strings.Contains(r.HTML, `<div style="margin:24px`)
		if n != c.html || footer != c.footer || strings.Contains(r.Text, off) != c.textContains {
			t.Errorf("%s: %d links, footer %v\n%s\n%s", c.name, n, footer, r.HTML, r.Text)
		}
	}
	for locale, word := range map[string]string{"ja-JP": "配信を停止する", "zh-Hans": "退订", "zh": "退订", "en-GB": "Unsubscribe", "fr": "Unsubscribe", "": "Unsubscribe"} {
		r := rendered(t, content.Draft{HTML: "<p>x</p>"}, nil, content.RenderOptions{UnsubscribeURL: off, Locale: locale})
		if !strings.Contains(r.HTML, word) || !strings.Contains(r.Text, word+": "+off) {
			t.Errorf("%q: no %q in %s %s", locale, word, r.HTML, r.Text)
		}
	}
}

func TestPixelPreheaderAndFooterStandWhereTheyBelong(t *testing.T) {
	const pixel, off = "https://t.example/o?a=1&b=2", "https://m.example/u"
	o := content.RenderOptions{OpenPixelURL: pixel, UnsubscribeURL: off, Locale: "zh-Hans"}
	for _, c := range []struct{ name, html string }{
		{"a document", `<!doctype html><html><head><title>t</title></head><body bgcolor="#fff"><p>x</p></BODY></html>`},
		{"a document without a body tag", `<html><head></head><p>x</p></html>`},
		{"a fragment", `<p>x</p>`},
		{"two ends of the body", `<html><body><p>x</p><!-- </body> --><pre></body></pre></body></html>`},
	} {
		r := rendered(t, content.Draft{HTML: c.html, Preheader: `Hi {{ n }}`}, map[string]any{"n": "<b>&"}, o)
		root, err := html.Parse(strings.NewReader(r.HTML))
		if err != nil {
			t.Fatal(err)
		}
		var order []string
		var walk func(*html.Node)
		walk = func(n *html.Node) {
			if n.Type == html.ElementNode {
				switch {
				case n.Data == "div" && strings.Contains(fmt.Sprint(n.Attr), "display:none"):
					order = append(order, "preheader "+n.FirstChild.Data)
				case n.Data == "p":
					order = append(order, "p")
				case n.Data == "a":
					order = append(order, "footer")
				case n.Data == "img":
					order = append(order, "pixel "+n.Attr[0].Val)
				}
			}
			for k := n.FirstChild; k != nil; k = k.NextSibling {
				walk(k)
			}
		}
		walk(root)
		if diff := cmp.Diff([]string{"preheader Hi <b>&", "p", "footer", "pixel " + pixel}, order); diff != "" {
			t.Errorf("%s: %s\n%s", c.name, diff, r.HTML)
		}
		if n := strings.Count(strings.ToLower(r.HTML), "<html"); n != 1 {
			t.Errorf("%s: %d html tags", c.name, n)
		}
		if strings.Contains(r.Text, "Hi <b>") {
			t.Errorf("%s: the preheader is in the text: %s", c.name, r.Text)
		}
	}
	r := rendered(t, content.Draft{HTML: "<p>x</p>"}, nil, content.RenderOptions{Locale: "zh-Hans"})
	if !strings.Contains(r.HTML, `<html lang="zh-Hans">`) {
		t.Errorf("a fragment is not marked with its language: %s", r.HTML)
	}
}

func TestTextIsMadeFromHTML(t *testing.T) {
	for _, c := range []struct{ html, want string }{
		{"<h1>Hello {{ n }}</h1><p>One\n two&nbsp;&amp; <b>three</b></p><ul><li>a<li>b</ul><hr>end", "Hello Ann\n\nOne two\u00a0& three\n\n- a\n- b\n\n----------\n\nend\n"},
		{"<table><tr><td>a</td><td>b</td></tr><tr><td>c<td>d</table>", "a b\nc d\n"},
		{"<style>p {}</style><head><title>t</title></head><script>x</script><div style='Display: none'>pre<div>x</div></div>a<br>b<br><br>c", "a\nb\n\nc\n"},
		{"{% for i in l %}<p>{{ i | upcase }}</p>{% endfor %}{% if n %}<p>yes</p>{% else %}<p>no</p>{% endif %}", "A\n\nB\n\nyes\n"},
		{"<p {% if n %}class='a'{% endif %} title='{{ n }}'>x</p>", "x\n"},
		{"{% assign a = n %}<p>{{ a }}</p>{% capture c %}<b>{{ a }}</b>!{% endcapture %}<i>{{ c }}</i>", "Ann\n\nAnn!\n"},
		{"<head>{% assign a = n %}</head><p>{{ a }}</p>", "Ann\n"},
		{"<p>&#123;&#123; n }} &#123;% if %}{% raw %}{{ x }}{% endraw %}</p>", "{{ n }} {% if %}{{ x }}\n"},
		{"<p>{{ h }} {{ h | escape }} {{ h | newline_to_br }}</p>", "<i>&\" <i>&\" <i>&\"\n"},
		{"<img alt='A  cup' src=x> <a href='https://x.example/{{ n }}'>go</a>", "A cup go (https://x.example/Ann)\n"},
		{"<p>\U000F0000{{ n }}</p>", "\U000F0000Ann\n"},
		{"<p><!-- {{ n }} -->日本語<span>です</span></p>", "日本語です\n"},
	} {
		r := rendered(t, content.Draft{HTML: c.html}, map[string]any{"n": "Ann", "l": []any{"a", "b"}, "h": "<i>&\""}, content.RenderOptions{})
		if r.Text != c.want {
			t.Errorf("%s\n got %q\nwant %q", c.html, r.Text, c.want)
		}
	}
}

func TestSubjectIsOneLineAndHeadersAreSafe(t *testing.T) {
	r := rendered(t, content.Draft{Subject: "Hi\r\n {{ n }}", HTML: "x"}, map[string]any{"n": "Ann\r\nBcc: x@evil.example"}, content.RenderOptions{})
	if strings.ContainsAny(r.Subject, "\r\n") || !strings.Contains(r.Subject, "Ann Bcc:") {
		t.Errorf("subject %q", r.Subject)
	}
}

func TestMissingNamesEachVariableOnce(t *testing.T) {
	r := rendered(t, content.Draft{Subject: "{{ a }}", HTML: "<p>{{ a }} {{ b.c }} {{ d | default: 'x' }}</p>"}, nil, content.RenderOptions{})
	if diff := cmp.Diff([]string{"a", "b.c"}, r.Missing); diff != "" {
		t.Error(diff)
	}
	if len(r.Problems) != 3 {
		t.Errorf("problems %+v", r.Problems)
	}
}

const letterHTML = `<!doctype html>
<html><head><title>{{ shop }}</title><style>p { color: #222 }</style></head>
<body>
<h1>{{ person | name | default: "friend" }}</h1>
<p>{{ event.ordered_at | date: "full" }}</p>
<table>
{%- for item in event.items %}
<tr><td>{{ item.name }}</td><td>{{ item.price | money: event.currency }}</td></tr>
{%- endfor %}
</table>
<p><a href="https://shop.example/cart?id={{ event.cart_id | url_encode }}&amp;utm_source=mail">{{ shop }}</a></p>
</body></html>
`

func TestLettersInThreeLanguagesMatchTheirGoldenFiles(t *testing.T) {
	for locale, person := range map[string]map[string]any{
		"en":      {"first_name": "Jane", "last_name": "Doe"},
		"zh-Hans": {"first_name": "伟", "last_name": "王", "gender": "male"},
		"ja":      {"first_name": "太郎", "last_name": "山田"},
	} {
		r := rendered(t, content.Draft{Subject: "{{ person | name }}, {{ event.items.size }}", Preheader: "{{ event.items[0].name }}", HTML: letterHTML}, map[string]any{
			"person": person, "shop": "Tea & Cups",
			"event": map[string]any{"ordered_at": "2026-01-31T20:00:00Z", "currency": "JPY", "cart_id": "a b", "items": []any{map[string]any{"name": "抹茶 <tea>", "price": 1200.0}}},
		}, content.RenderOptions{
			Locale: locale, Zone: content.Zone("Asia/Tokyo"), Now: now, LinkFunc: track, OpenPixelURL: "https://t.example/o/1", UnsubscribeURL: "https://m.example/u/1",
		})
		got := "Subject: " + r.Subject + "\n\n" + r.HTML + "\n=====\n" + r.Text
		file := filepath.Join("testdata", "letter."+locale+".txt")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s: %s", locale, diff)
		}
	}
}

func TestZoneFallsBackToUTC(t *testing.T) {
	if z := content.Zone("Asia/Tokyo"); z.String() != "Asia/Tokyo" || content.Zone("Asia/Tokyo") != z {
		t.Errorf("Asia/Tokyo is %v", z)
	}
	for _, bad := range []string{"", "Local", "Mars/Base", "../../etc/passwd", strings.Repeat("x", 100)} {
		if z := content.Zone(bad); z.String() != "UTC" {
			t.Errorf("%q is %v", bad, z)
		}
	}
}

func BenchmarkRenderLetter(b *testing.B) {
	s := newService(b)
	body := letterHTML + strings.Repeat(`<p style="font-family:Helvetica,Arial,sans-serif;font-size:15px">One of many lines that are the same for every reader.</p>`, 25)
	tpl, err := s.Create(b.Context(), ws, content.Draft{Name: "x", Subject: "{{ person | name }}", HTML: body})
	if err != nil {
		b.Fatal(err)
	}
	vars := map[string]any{"person": map[string]any{"first_name": "太郎", "last_name": "山田"}, "shop": "Tea", "event": map[string]any{"ordered_at": "2026-01-31T20:00:00Z", "currency": "JPY", "items": []any{map[string]any{"name": "x", "price": 1.0}}}}
	o := content.RenderOptions{Locale: "ja", Zone: content.Zone("Asia/Tokyo"), LinkFunc: func(u string) string { return "https://t.example/" + u }, OpenPixelURL: "https://t.example/o", UnsubscribeURL: "https://m.example/u"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Render(b.Context(), ws, tpl.ID, 1, vars, o); err != nil {
			b.Fatal(err)
		}
	}
}
