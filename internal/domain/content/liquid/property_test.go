package liquid

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"pgregory.net/rapid"
)

// hostile pieces are what an attacker would put into a profile.
var hostile = []string{
	`"`, `'`, `<`, `>`, `&`, "`", `=`, ` `, "\n", `/`, `-->`, `<!--`, `</style>`, `</title>`, `<script>`, `javascript:`, `onload=x`, `]]>`, `}}`, `{{`, `&quot;`, `&#34;`, `\`, `x`, `日`, "\x00", `)`, `;`, `url(`, `expression(`,
}

// places are templates with an output in every position where one may stand.
var places = []string{
	`<p>{{ x }}</p>`, `<p title="{{ x }}">a</p>`, `<p title='{{ x }}'>a</p>`, `<p title={{ x }}>a</p>`, `<p title=a{{ x }}b class=c>a</p>`, `<a href="{{ x }}">a</a>`, `<a href='{{ x }}/b'>a</a>`, `<a href={{ x }}>a</a>`,
	`<a href="https://x.example/{{ x }}">a</a>`, `<style>p { color: {{ x }} }</style><p>a</p>`, `<p style="color: {{ x }}">a</p>`, `<p style="background:url({{ x }})">a</p>`, `<p style="background:url('/a/{{ x }}')">a</p>`, `<style>p { background: url("{{ x }}") }</style><p>a</p>`, `<title>{{ x }}</title><p>a</p>`, `<!-- {{ x }} --><p>a</p>`, `<textarea>{{ x }}</textarea>`,
	`<p>{{ x | upcase }}{{ x | replace: "a", "b" | append: x | truncate: 30 }}</p>`, `<p title="{{ x | split: '' | join: '' }}">{{ x | escape }}</p>`, `{% capture c %}<b>{{ x }}</b>{% endcapture %}<p title="{{ c }}">{{ c }}</p>`,
	`{% assign c = x | prepend: "<i>" %}<p>{{ c }}</p>`, `<p {% if x %}title="{{ x }}"{% endif %}>a</p>`, `<p>{{ x | raw }}</p>`, `<!doctype html {{ x }}><p>a</p>`,
}

// shape is what a browser makes of a document, without the texts.
func shape(t *rapid.T, doc string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(doc))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			tok := z.Token()
			b.WriteString(tok.Type.String() + " " + tok.Data)
			for _, a := range tok.Attr {
				b.WriteString(" " + a.Key)
				if scheme, _, ok := strings.Cut(strings.TrimLeft(a.Val, "\x00 \n"), ":"); a.Key == "href" && ok && !strings.ContainsAny(scheme, "/?#") && scheme != "https" {
					t.Fatalf("the address %q got through: %q", a.Val, doc)
				}
			}
			b.WriteByte('\n')
		}
	}
}

// TestNoValueChangesTheShapeOfADocument holds the escaping against an independent HTML tokenizer: whatever a variable
// contains, the tags and attributes are those of a harmless value.
func TestNoValueChangesTheShapeOfADocument(t *testing.T) {
	templates := make([]*Template, len(places))
	for i, src := range places {
		tpl, err := Parse(src, HTML, Limits{})
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		templates[i] = tpl
	}
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, len(places)-1).Draw(t, "place")
		x := strings.Join(rapid.SliceOfN(rapid.SampledFrom(hostile), 0, 8).Draw(t, "value"), "")
		harmless, _, err := templates[i].Render(map[string]any{"x": "x"}, Env{})
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := templates[i].Render(map[string]any{"x": x}, Env{})
		if err != nil {
			t.Fatal(err)
		}
		if s, want := shape(t, got), shape(t, harmless); s != want {
			t.Fatalf("%s with %q\nbecame %s\nshape %q, want %q", places[i], x, got, s, want)
		}
	})
}

func TestTruncateNeverCutsACharacter(t *testing.T) {
	parts := []string{"a", "é", "日", "👨‍👩‍👧", "🇯🇵", "👍🏽", "각", " ", "ก็", "1️⃣"}
	tpl, err := Parse("{{ x | truncate: n, '' }}", Text, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		seq := rapid.SliceOfN(rapid.SampledFrom(parts), 0, 12).Draw(t, "text")
		n := rapid.IntRange(0, 12).Draw(t, "n")
		x := strings.Join(seq, "")
		got, _, err := tpl.Render(map[string]any{"x": x, "n": n}, Env{})
		if err != nil {
			t.Fatal(err)
		}
		want := x
		if len(seq) > n {
			want = strings.TrimRight(strings.Join(seq[:n], ""), " ")
		}
		if got != want && !(len(seq) <= n && got == x) {
			t.Fatalf("%q to %d: %q, want %q", x, n, got, want)
		}
	})
}

func FuzzParseAndRender(f *testing.F) {
	for _, p := range places {
		f.Add(p, `{"x": "<b>"}`)
	}
	f.Add(letterSource, `{"person": {"first_name": "A"}, "order": {"items": [{"name": 1}], "at": "2024-01-01", "total": "5"}}`)
	f.Add("{% for i in (1..9) %}{% if i == 2 %}{% continue %}{% endif %}{{ i | times: x | divided_by: 3 | round: 1 | date: '%c' }}{% else %}{% endfor %}", `{"x": -1.5e300}`)
	f.Add("{% case x %}{% when 1 %}{% else %}{% endcase %}{%- assign a = x | split: '' | sort | uniq | map: 'b' | where: 'c', 1 | join: x -%}{% capture a %}{{ a }}{% endcapture %}{% unless a %}{% endunless %}", `{"x": [1, "a", {"b": null}]}`)
	f.Add("{% raw %}{% endraw %}{% comment %}{% endcomment %}{% # x %}{{ x | money: 'JPY' | number: 2 | name | truncate: 3 | capitalize | url_encode | strip_html }}", `{"x": {"minor": 1, "currency": "KWD"}}`)
	f.Fuzz(func(t *testing.T, src, data string) {
		var v map[string]any
		if json.Unmarshal([]byte(data), &v) != nil {
			v = map[string]any{"x": data}
		}
		limits := Limits{Steps: 5000, Output: 20000, Source: 20000, Depth: 16}
		for _, mode := range []Mode{HTML, Text, Subject} {
			tpl, err := Parse(src, mode, limits)
			if err != nil {
				var e *Error
				if !errors.As(err, &e) || e.Code == "" || e.Msg == "" || e.Line < 1 || e.Col < 1 {
					t.Fatalf("error without a place: %#v", err)
				}
				continue
			}
			tpl.Check([]string{"x", "person.*"})
			a, _, err1 := tpl.Render(v, Env{Locale: "ja", Now: testNow})
			b, _, err2 := tpl.Render(v, Env{Locale: "ja", Now: testNow})
			if (err1 == nil) != (err2 == nil) || err1 == nil && a != b {
				t.Fatalf("two renderings differ: %q %q", a, b)
			}
			if err1 == nil && len(a) > limits.Output {
				t.Fatalf("%d bytes of output", len(a))
			}
			if err1 == nil && mode == Subject && strings.ContainsAny(a, "\r\n") {
				t.Fatalf("a line break in a subject: %q", a)
			}
		}
	})
}
