package liquid

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var testNow = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

func vars(t testing.TB, raw string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(raw), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func render(t testing.TB, src string, mode Mode, v map[string]any, env Env) (string, []Problem) {
	t.Helper()
	tpl, err := Parse(src, mode, Limits{})
	if err != nil {
		t.Fatalf("parse %q: %v", src, err)
	}
	out, problems, err := tpl.Render(v, env)
	if err != nil {
		t.Fatalf("render %q: %v", src, err)
	}
	return out, problems
}

const sample = `{
  "name": "Ann", "n": 7, "f": 2.5, "yes": true, "no": false, "nothing": null, "void": "", "spaces": "  ",
  "list": ["a", "b", "c"], "nums": [3, 1, 2], "none": [],
  "items": [{"name": "Tea", "price": 4.5, "gift": true}, {"name": "Cup", "price": 12}],
  "map": {"b": 2, "a": 1}, "deep": {"list": [{"x": {"y": "found"}}]}, "key": "name", "s": "it's", "姓名": "山田"
}`

func TestLanguageRendersAsDocumented(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"plain", "plain"},
		{"{{ name }} {{name}}", "Ann Ann"},
		{"{{ n }}|{{ f }}|{{ yes }}|{{ nothing }}|{{ 1.50 }}", "7|2.5|true||1.5"},
		{"{{ items[0].name }} {{ items[-1]['name'] }} {{ items.first.name }} {{ items.last.name }} {{ items.size }}", "Tea Cup Tea Cup 2"},
		{"{{ deep.list[0].x.y }} {{ items[0][key] }} {{ 姓名 }}", "found Tea 山田"},
		{"{{ list }}", "abc"},
		{`{{ "}}" }} {{ '%}' }}`, "}} %}"},
		{"{ {{name}} } {a} {", "{ Ann } {a} {"},

		{"{% if yes %}1{% endif %}{% if no %}2{% endif %}{% if nothing %}3{% endif %}{% if void %}4{% endif %}{% if n == 7 %}5{% endif %}", "145"},
		{"{% if no %}a{% elsif n > 5 %}b{% else %}c{% endif %}", "b"},
		{"{% unless no %}a{% else %}b{% endunless %}{% unless yes %}c{% elsif yes %}d{% endunless %}", "ad"},
		{"{% if yes or no and no %}right first{% endif %}", "right first"},
		{"{% if no and no or yes %}x{% else %}right first{% endif %}", "right first"},
		{"{% if list contains 'b' and s contains \"t's\" and map contains 'a' %}y{% endif %}", "y"},
		{"{% if void == empty and none == empty and spaces == blank and nothing == blank and missing == nil %}y{% endif %}", "y"},
		{"{% if name != 'Bob' and name <> 'Bob' and n >= 7 and n <= 7 and f < 3 and 'b' > 'a' %}y{% endif %}", "y"},
		{"{% if name > 3 %}y{% else %}n{% endif %}{% if '7' == n %}y{% else %}n{% endif %}", "nn"},

		{"{% for i in list %}{{ i }}{{ forloop.index }}{% endfor %}", "a1b2c3"},
		{"{% for i in list reversed %}{{ i }}{% endfor %}", "cba"},
		{"{% for i in list limit:1 offset:1 %}{{ i }}{% endfor %}{% for i in list limit: n, offset: 2 %}{{ i }}{% endfor %}", "bc"},
		{"{% for i in none %}x{% else %}empty{% endfor %}{% for i in nothing %}x{% else %}nil{% endfor %}", "emptynil"},
		{"{% for i in (1..3) %}{{ i }}{% if forloop.last %}!{% else %},{% endif %}{% endfor %}", "1,2,3!"},
		{"{% for p in map %}{{ p[0] }}={{ p[1] }};{% endfor %}", "a=1;b=2;"},
		{"{% for i in list %}{% for j in nums %}{{ forloop.parentloop.index }}{{ j }} {% endfor %}{% endfor %}", "13 11 12 23 21 22 33 31 32 "},
		{"{% for i in (1..9) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 4 %}{% break %}{% endif %}{{ i }}{% endfor %}", "13"},
		{"{% for i in list %}{{ forloop.rindex }}{{ forloop.rindex0 }}{{ forloop.index0 }}{{ forloop.first }}{{ forloop.length }} {% endfor %}", "320true3 211false3 102false3 "},
		{"{% for name in list %}{{ name }}{% endfor %}{{ name }}", "abcAnn"},

		{"{% case n %}{% when 1, 7 %}hit{% when 8 %}no{% endcase %}{% case name %}{% when 'Bob' or 'Ann' %}A{% else %}E{% endcase %}{% case 1 %} {% when 2 %}x{% else %}e{% endcase %}", "hitAe"},
		{"{% assign x = n | plus: 1 %}{{ x }}{% assign name = 'Eve' %}{{ name }}", "8Eve"},
		{"{% if no %}{% assign name = 'Eve' %}{% endif %}{{ name }}", "Ann"},
		{"{% for i in (1..2) %}{{ seen }}{% assign seen = i %}{% endfor %}", "1"},
		{"{% capture x %}Hi {{ name }}{% endcapture %}{{ x }}, {{ x }}", "Hi Ann, Hi Ann"},
		{"a{% comment %} {{ nonsense | ] }} {% if %} {% comment %}in{% endcomment %} {% endcomment %}b{% # don't mind %}c", "abc"},
		{"{% raw %}{{ name }} {% if %}{% endraw %}", "{{ name }} {% if %}"},
		{" a {{- name -}} b {%- if yes -%} c {%- endif -%} d ", " aAnnbcd "},
		{"x  {%- comment -%}  y {%- endcomment -%}  z", "xz"},
		{"x {%- raw -%}  y  {%- endraw -%} z", "xyz"},

		{"{{ missing | default: 'd' }}{{ void | default: 'e' }}{{ no | default: 1 }}{{ none | default: 'f' }}{{ name | default: 'x' }}", "de1fAnn"},
		{"{{ 'straßé' | upcase }} {{ 'ÀB' | downcase }} {{ 'hELLO wORLD' | capitalize }} {{ '' | capitalize }}", "STRAßÉ àb Hello world "},
		{"{{ 'Ground control' | truncate: 9 }}|{{ 'short' | truncate: 9 }}|{{ 'abcdef' | truncate: 4, '' }}|{{ 'abc' | truncate: 1 }}", "Ground...|short|abcd|..."},
		{"{{ '日本語の長い件名です' | truncate: 6, '…' }}|{{ '👨‍👩‍👧👩🏽🇯🇵é' | truncate: 3, '' }}|{{ '👨‍👩‍👧👩🏽🇯🇵é' | size }}", "日本語の長…|👨‍👩‍👧👩🏽🇯🇵|4"},
		{"[{{ '  a b  ' | strip }}] [{{ ' a ' | lstrip }}] [{{ ' a ' | rstrip }}]", "[a b] [a ] [ a]"},
		{"{{ 'a b&c/日' | url_encode }}", "a+b%26c%2F%E6%97%A5"},
		{"{{ 'a' | append: 'b' | prepend: 'c' }}{{ 'aXbX' | replace: 'X', '--' }}{{ 'aXbX' | remove: 'X' }}{{ 'abc' | replace: '', 'x' }}", "caba--b--ababc"},
		{"{{ 'a,b,,c,,' | split: ',' | join: '+' }} {{ 'añb' | split: '' | join: '.' }} {{ list | join }} {{ nums | sort | join: '' }}", "a+b++c a.ñ.b a b c 123"},
		{"{{ list | first }}{{ list | last }}{{ list | size }}{{ name | size }}{{ none | first }}", "ac33"},
		{"{% assign by = items | sort: 'price' %}{{ by[0].name }} {% assign by = items | sort: 'name' %}{{ by[0].name }}", "Tea Cup"},
		{"{{ items | map: 'name' | join: ', ' }}|{{ items | where: 'gift' | map: 'name' }}|{{ items | where: 'name', 'Cup' | size }}", "Tea, Cup|Tea|1"},
		{"{{ 'a,b,a' | split: ',' | uniq | reverse | join: '' }}", "ba"},
		{"{{ 3 | plus: 4 }} {{ 3 | minus: 4.5 }} {{ '3' | times: 4 }} {{ 7 | divided_by: 2 }} {{ 7.0 | divided_by: 2 }} {{ 7 | modulo: 3 }} {{ -7 | divided_by: 2 }} {{ -7 | modulo: 3 }}", "7 -1.5 12 3 3.5 1 -4 2"},
		{"{{ 3 | at_least: 5 }} {{ 7 | at_least: 5 }} {{ 7 | at_most: 5.5 }} {{ -1 | at_most: 0 }}", "5 7 5.5 -1"},
		{"{% assign l = '0.1,0.2,x,3' | split: ',' %}{{ l | sum }} {{ l | slice: 1, 2 | join: '+' }} {{ l | slice: -1 | join }} {{ l | slice: 9, 1 | size }}", "3.3 0.2+x 3 0"},
		{"{{ 'привет茶👨‍👩‍👧' | slice: -2, 2 }} {{ 'abc' | slice: 1 }} {{ 'abc' | slice: 1, 99 }}{{ 'abc' | slice: 7 }}", "茶👨‍👩‍👧 b bc"},
		{"{% assign a = 'x,y' | split: ',' %}{% assign b = 'z' | split: ',' %}{{ a | concat: b | join: '' }} {{ a | concat: nothing_here | compact | size }}", "xyz 2"},
		{"{{ 0.1 | plus: 0.2 }} {{ 1.005 | round: 2 }} {{ 2.5 | round }} {{ -2.5 | round }} {{ 1.2 | ceil }} {{ 1.8 | floor }} {{ -3 | abs }} {{ 12345678.9 }}", "0.3 1.01 3 -3 2 1 3 12345678.9"},
		{"{{ 9223372036854775807 | plus: 1 }}", "9223372036854776000"},
		{"{{ 1234567.891 | number }} {{ 1234 | number: 2 }} {{ -1234.5 | number: 0 }} {{ 999 | number }}", "1,234,567.891 1,234.00 -1,235 999"},
		{"{{ 'now' | date: '%Y-%m-%d %H:%M:%S %A %-d %e %j %p %I %y %%' }}", "2026-03-14 15:09:26 Saturday 14 14 073 PM 03 26 %"},
		{"{{ '2024-02-29T23:30:00+09:00' | date: '%F %T' }} {{ 1700000000 | date: '%F' }} {{ 1700000000000 | date: '%F' }} {{ '2024-02-29' | date: 'long' }}", "2024-02-29 14:30:00 2023-11-14 2023-11-14 February 29, 2024"},
		{"{{ '2024-02-29T23:30:00Z' | date: 'datetime', 'Asia/Tokyo' }}", "March 1, 2024 at 8:30 AM"},
	} {
		if got, _ := render(t, c.src, Text, vars(t, sample), Env{Now: testNow}); got != c.want {
			t.Errorf("%s\n got %q\nwant %q", c.src, got, c.want)
		}
	}
}

func TestHTMLEscapesForWhereTheOutputStands(t *testing.T) {
	v := map[string]any{
		"x": `<b a="1">'&`, "sp": "a b=c`d", "js": "javascript:alert(1)", "odd": "java\nscript:alert(1)", "url": "https://a.example/?q=1&r=<2>", "rel": "/path?a:b",
		"trusted": Trusted(`<b title="t">1 &amp; 2</b>`), "css": `red;background:url(x)"}</style>`, "void": "", "nul": "a\x00b",
	}
	for _, c := range []struct{ src, want string }{
		{`{{ x }}`, `&lt;b a=&#34;1&#34;&gt;&#39;&amp;`},
		{`<p title="{{ x }}">`, `<p title="&lt;b a=&#34;1&#34;&gt;&#39;&amp;">`},
		{`<p title='{{ x }}' b>`, `<p title='&lt;b a=&#34;1&#34;&gt;&#39;&amp;' b>`},
		{`<p title={{ sp }}>{{ sp }}`, "<p title=a&#32;b&#61;c&#96;d>a b=c`d"},
		{`<p title={{ void }} b=x{{ void }}>`, `<p title="" b=x>`},
		{`<a href="{{ js }}">`, `<a href="#">`},
		{`<a href="{{ odd }}">`, `<a href="#">`},
		{`<a href={{ js }}>`, `<a href=#>`},
		{`<a href=" {{ js }}">`, `<a href=" #">`},
		{`<a href="{{ void }}{{ js }}">`, `<a href="#">`},
		{`<a href="https://x/{{ js }}">`, `<a href="https://x/javascript:alert(1)">`},
		{`<a href="{{ url }}"><IMG SRC='{{ rel }}'>`, `<a href="https://a.example/?q=1&amp;r=&lt;2&gt;"><IMG SRC='/path?a:b'>`},
		{`{{ trusted }}{{ trusted | raw }}`, `<b title="t">1 &amp; 2</b><b title="t">1 &amp; 2</b>`},
		{`<p title="{{ trusted }}">`, `<p title="&lt;b title=&#34;t&#34;&gt;1 &amp; 2&lt;/b&gt;">`},
		{`{{ trusted | append: "" }}`, `&lt;b title=&#34;t&#34;&gt;1 &amp;amp; 2&lt;/b&gt;`},
		{`{{ x | raw }}`, `&lt;b a=&#34;1&#34;&gt;&#39;&amp;`},
		{`{{ x | escape }}{{ x | escape | escape }}`, strings.Repeat(`&lt;b a=&#34;1&#34;&gt;&#39;&amp;`, 2)},
		{"{{ 'a\n<b' | newline_to_br }}", "a<br>\n&lt;b"},
		{`<style>p{color:{{ css }}}</style>{{ x }}`, `<style>p{color:redbackgroundurlxstyle}</style>&lt;b a=&#34;1&#34;&gt;&#39;&amp;`},
		{`<td style="color: {{ css }}">`, `<td style="color: redbackgroundurlxstyle">`},
		{`<td style="background:url('{{ url }}')">`, `<td style="background:url('https://a.example/?q=1&amp;r=%3C2%3E')">`},
		{`<td style='background: URL( "{{ js }}" )'>`, `<td style='background: URL( "#" )'>`},
		{`<td style="background:url(https://x/{{ css }}.png); color: {{ css }}">`, `<td style="background:url(https://x/red%3Bbackground:url%28x%29%22%7D%3C/style%3E.png); color: redbackgroundurlxstyle">`},
		{`<style>a{background:url({{ url }}) {{ css }}}</style>`, `<style>a{background:url(https://a.example/?q=1&r=%3C2%3E) redbackgroundurlxstyle}</style>`},
		{`<td style="{% if x %}u{% else %}ur{% endif %}rl({{ url }})">`, `<td style="url(httpsa.exampleq1r2)">`},
		{`<title>{{ x }}</title>`, `<title>&lt;b a=&#34;1&#34;&gt;&#39;&amp;</title>`},
		{`<!-- {{ x }} --><p>`, `<!-- &lt;b a=&#34;1&#34;&gt;&#39;&amp; --><p>`},
		{`<!--[if mso]><td width="{{ x }}"><![endif]--><a href="{{ js }}">`, `<!--[if mso]><td width="&lt;b a=&#34;1&#34;&gt;&#39;&amp;"><![endif]--><a href="#">`},
		{`{% capture c %}<i>{{ x }}</i>{% endcapture %}{{ c }}`, `<i>&lt;b a=&#34;1&#34;&gt;&#39;&amp;</i>`},
		{`{% assign c = "<i>" %}{{ c }}`, `&lt;i&gt;`},
		{`<a {% if x %}class="a"{% else %}class="b"{% endif %} href="{{ js }}">`, `<a class="a" href="#">`},
		{`<a href="{% if x %}{{ js }}{% else %}https://x{% endif %}">`, `<a href="#">`},
		{`1 < 2 {{ x }}`, `1 < 2 &lt;b a=&#34;1&#34;&gt;&#39;&amp;`},
		{`{{ nul }}`, "a\uFFFDb"},
	} {
		if got, _ := render(t, c.src, HTML, v, Env{}); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.src, got, c.want)
		}
	}
}

func TestOtherModesDoNotEscape(t *testing.T) {
	v := map[string]any{"x": "a<b>&\r\nBcc: x@y.example\t\u2028z", "t": Trusted("<b>1 &amp; 2</b>")}
	if got, _ := render(t, "{{ x }} {{ t }} {{ x | escape | newline_to_br }}", Text, v, Env{}); got != v["x"].(string)+" 1 & 2 "+v["x"].(string) {
		t.Errorf("text: %q", got)
	}
	if got, _ := render(t, "Re: {{ x }} {{ t }}", Subject, v, Env{}); got != "Re: a<b>& Bcc: x@y.example z 1 & 2" {
		t.Errorf("subject: %q", got)
	}
}

func TestErrorsSayWhereAndWhat(t *testing.T) {
	for _, c := range []struct {
		src, code string
		line, col int
		part      string
	}{
		{"a\nbc {{ x", "liquid.syntax", 2, 4, "never closed"},
		{"日本 {{ x | upcas }}", "liquid.filter.unknown", 1, 11, `did you mean "upcase"?`},
		{"{{ x | truncate: 1, 2, 3 }}", "liquid.filter.arguments", 1, 8, "0 to 2 arguments"},
		{"{{ x | replace: 'a' }}", "liquid.filter.arguments", 1, 8, "2 arguments, not 1"},
		{"{% fro i in x %}", "liquid.tag.unknown", 1, 4, `did you mean "for"?`},
		{"{% if x %}\n", "liquid.syntax", 1, 4, "write {% endif %}"},
		{"{% endif %}", "liquid.syntax", 1, 4, "no block"},
		{"{% if x = 1 %}{% endif %}", "liquid.syntax", 1, 9, "write =="},
		{"{% if %}{% endif %}", "liquid.syntax", 1, 7, "expected a variable"},
		{"{% if (a and b) %}{% endif %}", "liquid.syntax", 1, 10, "conditions take no brackets"},
		{"{% if a %}{% else %}{% elsif b %}{% endif %}", "liquid.syntax", 1, 24, "else comes last"},
		{"{% for in x %}{% endfor %}", "liquid.syntax", 1, 8, "a meaning of its own"},
		{"{% for i of x %}{% endfor %}", "liquid.syntax", 1, 10, `expected "in"`},
		{"{% for i in x limt:2 %}{% endfor %}", "liquid.syntax", 1, 15, "limit:"},
		{"{% break %}", "liquid.syntax", 1, 4, "inside {% for %}"},
		{"{{ forloop.index }}", "liquid.syntax", 1, 4, "only inside"},
		{"{% for i in x %}{{ forloop.indx }}{% endfor %}", "liquid.syntax", 1, 28, "one of first"},
		{"{% case x %}stray{% when 1 %}{% endcase %}", "liquid.syntax", 1, 8, "only {% when %}"},
		{"{% raw %} {{ x }}", "liquid.syntax", 1, 4, "endraw"},
		{"{% comment %} {{ x }}", "liquid.syntax", 1, 4, "endcomment"},
		{"{{ 'abc }}", "liquid.syntax", 1, 4, "never closed"},
		{"{{ a..b }}", "liquid.syntax", 1, 5, "nothing more"},
		{"{{ a ? }}", "liquid.syntax", 1, 6, "unexpected character '?'"},
		{"{{ 99999999999999999999999999999999999999999999999999 }}{{", "liquid.syntax", 1, 57, "never closed"},
		{"{% assign = 1 %}", "liquid.syntax", 1, 11, "expected a name"},
		{"{% else x %}", "liquid.syntax", 1, 4, "no block"},
		{"{% if a %}{% endif a %}", "liquid.syntax", 1, 19, "takes nothing"},
		{"{{ x | date: 'shrot' }}", "liquid.filter.arguments", 1, 8, "nor one of short"},
		{"{{ x | date: '%F', 'Mars/Base' }}", "liquid.filter.arguments", 1, 8, "no time zone"},
		{"{{ x | name: 'nick' }}", "liquid.filter.arguments", 1, 8, "name takes"},
		{"<script>{{ x }}</script>", "liquid.html.position", 1, 11, "inside <script>"},
		{"<p onclick=\"{{ x }}\">", "liquid.html.position", 1, 15, "script attribute"},
		{"<p style=color:{{ x }}>", "liquid.html.position", 1, 18, "between quotes"},
		{"<{{ x }}>", "liquid.html.position", 1, 4, "name of a tag"},
		{"<p {{ x }}>", "liquid.html.position", 1, 6, "name of a tag or attribute"},
		{"{% if x %}<p a=\"{% endif %}\">", "liquid.html.branch", 1, 20, "different places"},
		{"{% for i in x %}<p a=\"{% endfor %}\">", "liquid.html.branch", 1, 26, "different places"},
		{"{% capture x %}<p {% endcapture %}", "liquid.html.branch", 1, 22, "captured text ends inside"},
		{"{% for i in x %}<b {% break %}>{% endfor %}", "liquid.html.branch", 1, 23, "outside"},
		{strings.Repeat("{% if a %}", 40) + strings.Repeat("{% endif %}", 40), "liquid.limit.depth", 1, 324, "flatten"},
		{"{{ a" + strings.Repeat("[a", 40) + strings.Repeat("]", 40) + " }}", "liquid.limit.depth", 1, 68, "brackets"},
	} {
		_, err := Parse(c.src, HTML, Limits{})
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: no error", c.src)
			continue
		}
		if e.Code != c.code || e.Line != c.line || e.Col != c.col || !strings.Contains(e.Msg, c.part) {
			t.Errorf("%s\n got %s %v\nwant %s line %d, column %d: ...%s...", c.src, e.Code, e, c.code, c.line, c.col, c.part)
		}
	}
}

func TestMissingValuesAreEmptyAndReported(t *testing.T) {
	src := "{{ person.first_name }} {{ person.nick | upcase }}\n{{ a.b | default: 'x' }}{% if c %}{% endif %}{% for i in d %}{% endfor %}{% for i in e %}{% else %}{% endfor %} {{ person.nick }} {{ 5 | divided_by: z }}"
	got, problems := render(t, src, Text, vars(t, `{"person": {"first_name": "Ann"}, "z": 0}`), Env{})
	if got != "Ann \nx  " {
		t.Errorf("rendered %q", got)
	}
	if diff := cmp.Diff([]string{"person.nick", "d"}, Missing(problems)); diff != "" {
		t.Error(diff)
	}
	want := []Problem{
		{Code: "missing", Name: "person.nick", Line: 1, Col: 28, Msg: "person.nick has no value"},
		{Code: "missing", Name: "d", Line: 2, Col: 58, Msg: "d has no value"},
		{Code: "division_by_zero", Name: "divided_by", Line: 2, Col: 138, Msg: "this divides by zero"},
	}
	if diff := cmp.Diff(want, problems); diff != "" {
		t.Error(diff)
	}
}

func TestProblemsDoNotStopARendering(t *testing.T) {
	for _, c := range []struct{ src, code, want string }{
		{"{{ 'x' | plus: 1 }}.", "not_a_number", "."},
		{"{{ 'soon' | date: 'long' }}.", "not_a_date", "."},
		{"{{ 1e9 }}{{ map }}.", "not_text", "."},
		{"{% for i in 5 %}x{% endfor %}.", "not_a_list", "."},
		{"{{ x | raw }}.", "untrusted", "&lt;i&gt;."},
		{"<a href='{{ js }}'>", "unsafe_url", "<a href='#'>"},
	} {
		if strings.Contains(c.src, "1e9") {
			c.src = strings.Replace(c.src, "{{ 1e9 }}", "", 1)
		}
		got, problems := render(t, c.src, HTML, map[string]any{"map": map[string]any{"a": 1}, "x": "<i>", "js": "javascript:1"}, Env{})
		if got != c.want || len(problems) != 1 || problems[0].Code != c.code {
			t.Errorf("%s: %q %v, want %q and one %s", c.src, got, problems, c.want, c.code)
		}
	}
}

func TestCheckFindsUnknownVariablesBeforeSending(t *testing.T) {
	src := `{{ person.first_nam }}{{ person.email }}{{ event.anything.goes[0] }}
{% for it in order.items %}{{ it.name }}{{ it.nam }}{{ forloop.index }}{{ order.items[0].name }}{% endfor %}
{% assign o = order %}{{ o.total }}{{ o.totl }}{% capture c %}{% endcapture %}{{ c.x }}{{ order.items.size }}{{ order }}{{ vip }}{{ person["email"] }}{{ other[key] }}`
	tpl, err := Parse(src, HTML, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	type found struct {
		Name      string
		Line, Col int
		Hint      bool
	}
	var got []found
	for _, p := range tpl.Check([]string{"person.first_name", "person.email", "event.*", "order.items[].name", "order.total", "key"}) {
		got = append(got, found{p.Name, p.Line, p.Col, strings.Contains(p.Msg, "did you mean")})
	}
	want := []found{{"person.first_nam", 1, 4, true}, {"it.nam", 2, 44, true}, {"o.totl", 3, 39, true}, {"vip", 3, 124, false}, {"other[key]", 3, 154, false}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var optional []string
	tpl, _ = Parse("{{ a }}{{ b | default: c }}{% if d == e %}{% endif %}{% for x in f %}{% else %}{% endfor %}{% for x in g %}{% endfor %}{{ h }}{% if 'x' == 'y' %}{% endif %}", Text, Limits{})
	for _, u := range tpl.Uses() {
		if u.Optional {
			optional = append(optional, u.Path)
		}
	}
	if diff := cmp.Diff([]string{"b", "c", "d", "e", "f"}, optional); diff != "" {
		t.Error(diff)
	}
}

func TestLimitsStopRunawayTemplates(t *testing.T) {
	big := make([]any, 1000)
	for i := range big {
		big[i] = strings.Repeat("x", 100)
	}
	long := strings.Repeat("y", 200_000)
	for _, c := range []struct{ src, code string }{
		{"{% for a in l %}{% for b in l %}{% for c in l %}{% endfor %}{% endfor %}{% endfor %}", "liquid.limit.steps"},
		{"{% for i in (1..100000000) %}{% endfor %}", "liquid.limit.steps"},
		{"{% for a in l %}{% for b in l %}{{ b }}{% endfor %}{% endfor %}", "liquid.limit.output"},
		{"{% for a in l %}{% capture x %}{{ long }}{{ long }}{% endcapture %}{% endfor %}", "liquid.limit.steps"},
		{"{% assign x = 'xxxxxxxxxx' %}{% for i in (1..40) %}{% assign x = x | append: x %}{% endfor %}", "liquid.limit.output"},
		{"{% assign x = long %}{% for i in (1..40) %}{% assign x = x | replace: 'y', 'yy' %}{% endfor %}", "liquid.limit.output"},
		{"{% for i in (1..1000) %}{% if long contains 'z' %}{% endif %}{% if long == long %}{% endif %}{{ long.size | times: 0 }}{% endfor %}", "liquid.limit.steps"},
		{"{% for i in (1..100) %}{% assign x = l | join: long %}{% endfor %}", "liquid.limit.output"},
		{"{% for i in (1..100000) %}{% assign x = l | sort %}{% endfor %}", "liquid.limit.steps"},
		{"{% for i in (1..90000) %}{% assign x = long | split: '' | uniq %}{% endfor %}", "liquid.limit.steps"},
	} {
		tpl, err := Parse(c.src, HTML, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, _, err = tpl.Render(map[string]any{"l": big, "long": long}, Env{})
		var e *Error
		if !errors.As(err, &e) || e.Code != c.code {
			t.Errorf("%s: %v, want %s", c.src, err, c.code)
		}
		if d := time.Since(began); d > 30*time.Second {
			t.Errorf("%s took %v to be stopped", c.src, d)
		}
	}
	if _, err := Parse(strings.Repeat("x", 600<<10), Text, Limits{}); err == nil {
		t.Error("a source beyond the limit was accepted")
	}
}

func TestRenderingIsPureAndConcurrent(t *testing.T) {
	tpl, err := Parse("{% for p in map %}{{ p[0] }}{{ p[1] }}{% endfor %}{% assign x = n | plus: 1 %}{{ x }}{% capture y %}{{ x }}{% endcapture %}{{ y }}{{ 'now' | date: 'full' }}", HTML, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			v := map[string]any{"map": map[string]any{"d": 4, "a": 1, "c": 3, "b": 2}, "n": g}
			want := fmt.Sprintf("a1b2c3d4%d%dSaturday, March 14, 2026", g+1, g+1)
			for range 500 {
				if got, _, err := tpl.Render(v, Env{Now: testNow}); got != want || err != nil {
					t.Errorf("got %q %v, want %q", got, err, want)
					return
				}
			}
		}()
	}
	wg.Wait()
}

func TestGoValuesOfEveryKindRender(t *testing.T) {
	type named string
	v := map[string]any{
		"i": 3, "i8": int8(4), "u": uint(5), "f32": float32(1.5), "jn": json.Number("12.50"), "ji": json.Number("12"), "named": named("n"), "strs": []string{"a", "b"},
		"maps": []map[string]any{{"x": 1}}, "sm": map[string]string{"k": "v"}, "ints": []int{1, 2}, "time": testNow, "ptr": new(int), "nilptr": (*int)(nil), "ch": make(chan int), "im": map[int]int{1: 2},
	}
	got, _ := render(t, "{{i}} {{i8}} {{u}} {{f32}} {{jn}} {{ji}} {{named}} {{strs[1]}} {{maps[0].x}} {{sm.k}} {{ints.last}} {{time}} {{ptr}}{{nilptr}}{{ch}}{{im}} {{ i | plus: u }} {% if i < u and named == 'n' %}y{% endif %}", Text, v, Env{})
	if want := "3 4 5 1.5 12.5 12 n b 1 v 2 2026-03-14T15:09:26Z 0 8 y"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
