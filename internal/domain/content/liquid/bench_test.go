package liquid

import (
	"strings"
	"testing"
)

// BenchmarkRender4KB renders a 4 KB mail with sixteen outputs, a loop, conditions and filters.
func BenchmarkRender4KB(b *testing.B) {
	row := `<tr><td style="padding:8px 16px;font-family:Helvetica,Arial,sans-serif;font-size:15px;line-height:22px;color:#1c1c1c">`
	src := `<html><body><table width="600">` +
		row + `Hello {{ person.first_name | default: "friend" }}, your {{ person.plan }} plan</td></tr>` +
		row + `{% if person.visits > 3 %}Welcome back{% else %}Welcome{% endif %} {{ person.city | upcase }}</td></tr>` +
		`{% for i in event.items limit:4 %}` + row + `{{ i.name }} x {{ i.quantity }}: {{ i.price | money: "USD" }}</td></tr>{% endfor %}` +
		row + `<a href="{{ event.url }}">{{ event.title }}</a> {{ event.total | money: "USD" }}</td></tr>`
	src += strings.Repeat(row+`Nothing in this line changes from one reader to the next, as most of a letter.</td></tr>`, (3500-len(src))/200+1)
	src += `<p><a href="{{ unsubscribe_url }}">unsubscribe</a></p></table></body></html>`
	v := map[string]any{
		"person":          map[string]any{"first_name": "Jane", "plan": "family & friends", "visits": 5.0, "city": "Kyoto"},
		"event":           map[string]any{"url": "https://shop.example/cart?id=7&x=1", "title": "Your cart", "total": 120.5, "items": []any{}},
		"unsubscribe_url": "https://mail.example/u/abcdef",
	}
	var items []any
	for _, n := range []string{"Tea", "Cup", "Pot", "Spoon"} {
		items = append(items, map[string]any{"name": n, "quantity": 2.0, "price": 12.5})
	}
	v["event"].(map[string]any)["items"] = items
	tpl, err := Parse(src, HTML, Limits{})
	if err != nil {
		b.Fatal(err)
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _, err = tpl.Append(buf[:0], v, Env{Locale: "en"})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(buf)), "bytes")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "renders/s")
}
