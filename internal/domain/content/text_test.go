package content

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestTheDerivedTemplateSaysWhatTheLetterSays holds the two ways of making a text against each other: from the HTML template,
// once, and from each rendered letter.
func TestTheDerivedTemplateSaysWhatTheLetterSays(t *testing.T) {
	vars := map[string]any{"a": "Ann & <Co>", "l": []any{"x", "y"}, "yes": true, "no": false, "url": "https://x.example/?a=1&b=2"}
	rapid.Check(t, func(t *rapid.T) {
		var piece func(depth int) string
		list := func(depth int) string {
			var b strings.Builder
			for range rapid.IntRange(0, 4).Draw(t, "n") {
				b.WriteString(piece(depth))
			}
			return b.String()
		}
		piece = func(depth int) string {
			if depth == 0 {
				return rapid.SampledFrom([]string{
					"word ", "日本 ", "&amp;&nbsp;", "{{ a }} ", "{{ a | upcase }}, ", "<br>", "<hr>", "<img alt='An image'> ", "{{ missing | default: a }} ", "{% comment %} no {% endcomment %}",
					"{% raw %}{{ a }}{% endraw %} ", "<!-- {{ a }} -->", "<a href='{{ url }}'>here</a> ", "<a href='https://y.example/'>{{ a }}</a> ", "<style>p {}</style>", "&#123;&#123; a }} ",
				}).Draw(t, "leaf")
			}
			body := list(depth - 1)
			return strings.Replace(rapid.SampledFrom([]string{
				"<p>@</p>", "<div class='{{ a }}'>@</div>", "<b>@</b> ", "<ul><li>@</li><li>x</li></ul>", "<table><tr><td>@</td><td>{{ a }}</td></tr></table>", "{% if yes %}@{% endif %}", "{% if no %}@{% else %}else {% endif %}",
				"{% unless yes %}@{% endunless %}", "{% for i in l %}@{{ i }} {% endfor %}", "{% case a %}{% when 'b' %}@{% else %}other {% endcase %}", "{% capture c %}@{% endcapture %}<i>{{ c }}</i> ", "{% assign d = a %}@{{ d }} ",
				"<p {% if yes %}title='{{ a }}'{% endif %}>@</p>", "<div style='display:none'>@</div>",
			}).Draw(t, "block"), "@", body, 1)
		}
		src := list(3)
		if strings.TrimSpace(src) == "" {
			return
		}
		c, err := compile(Draft{Name: "x", Channel: Email, Kind: Code, Subject: "x", HTML: src}, Translation{Subject: "x", HTML: src}, Kit{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := c.render(vars, RenderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		letter := *c
		letter.text, letter.derived = nil, false
		want, err := letter.render(vars, RenderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := strings.Join(strings.Fields(r.Text), " "), strings.Join(strings.Fields(want.Text), " "); got != want {
			t.Fatalf("%s\nderived %q\nletter  %q", src, got, want)
		}
	})
}
