package liquid

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

const letterSource = `<html lang="{{ locale }}"><body>
<h1>{{ person | name | default: "friend" }} / {{ person | name: "family" }} / {{ person | name: "given" }} / {{ person | name: "plain" }} / {{ "Smith" | name }}</h1>
<p>{{ order.at | date: "short" }} | {{ order.at | date: "medium" }} | {{ order.at | date: "long" }} | {{ order.at | date: "full" }} | {{ order.at | date: "month_day" }} | {{ order.at | date: "weekday" }} | {{ order.at | date: "time" }} | {{ order.at | date: "datetime" }} | {{ order.at | date: "%A %a %B %b %p %Z" }}</p>
<table>
{%- for item in order.items %}
<tr><td>{{ forloop.index }}</td><td>{{ item.name | truncate: 8, "…" }}</td><td>{{ item.price | money: order.currency }}</td></tr>
{%- else %}
<tr><td>-</td></tr>
{%- endfor %}
</table>
<p>{{ order.total | money: order.currency }} {{ 123456 | money_minor: "USD" }} {{ 123456 | money_minor: "JPY" }} {{ 1234.5 | money: "CNY" }} {{ -3 | money: "EUR" }} {{ 9 | money: "XYZ" }} {{ 7.25 | money }} {{ refund | money }} {{ 1234567.5 | number }}</p>
{% if order.total >= 100 %}<p class="vip">{{ person.note }}</p>{% endif %}
<a href="{{ shop_url }}?o={{ order.id | url_encode }}">{{ shop_url }}</a>
</body></html>
`

// TestLettersInThreeLanguages renders one letter for an English, a Chinese and a Japanese reader.
func TestLettersInThreeLanguages(t *testing.T) {
	zone := func(name string) *time.Location {
		z, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	order := `"order": {"id": "A 1/2", "at": "2026-01-31T15:30:00Z", "total": 1280, "currency": "JPY", "items": [{"name": "抹茶クッキーの詰め合わせ", "price": 1000}, {"name": "Tea & <b>Cup</b>", "price": 280}]}, "refund": {"minor": 990, "currency": "USD"}, "shop_url": "https://shop.example/p"`
	for _, c := range []struct {
		locale, zone, person string
	}{
		{"en-US", "America/New_York", `{"first_name": "Jane", "last_name": "Doe", "title": "Dr.", "note": "<3 you & yours"}`},
		{"zh-Hans-CN", "Asia/Shanghai", `{"first_name": "伟", "last_name": "王", "gender": "male", "note": "感谢您的惠顾"}`},
		{"ja", "Asia/Tokyo", `{"first_name": "太郎", "last_name": "山田", "note": "いつもありがとうございます"}`},
	} {
		env := Env{Locale: c.locale, Zone: zone(c.zone), Now: testNow, Currency: "USD"}
		got, problems := render(t, letterSource, HTML, vars(t, `{"locale": "`+c.locale+`", "person": `+c.person+`, `+order+`}`), env)
		if len(problems) > 0 {
			t.Errorf("%s: %v", c.locale, problems)
		}
		file := filepath.Join("testdata", "letter."+c.locale+".html")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs from its golden file; run with -update if that is right\n%s", c.locale, got)
		}
	}
}

func TestNamesAreAddressedAsTheReadersLanguageDoes(t *testing.T) {
	for _, c := range []struct{ locale, person, style, want string }{
		{"ja", `"田中さん"`, "full", "田中さん"},
		{"ja", `"John Smith"`, "full", "John Smith様"},
		{"ja", `{"first_name": "John", "last_name": "Smith"}`, "full", "John Smith様"},
		{"ja", `{"name": "佐藤花子"}`, "family", "佐藤花子様"},
		{"ja", `{"name": ""}`, "full", ""},
		{"ja", `{"traits": {"first_name": "花子", "last_name": "佐藤"}}`, "full", "佐藤 花子様"},
		{"ja", `{"first_name": "花子", "last_name": "佐藤"}`, "plain", "佐藤 花子"},
		{"zh-Hans", `{"first_name": "芳", "last_name": "李", "gender": "female"}`, "family", "李女士"},
		{"zh-Hans", `{"first_name": "芳", "last_name": "李"}`, "full", "李芳"},
		{"zh-Hant", `{"first_name": "芳", "last_name": "李", "title": "教授"}`, "family", "李教授"},
		{"zh", `"王先生"`, "full", "王先生"},
		{"en", `{"first_name": "Jane"}`, "full", "Jane"},
		{"en", `{"name": "Jane Doe", "title": "Ms."}`, "full", "Ms. Jane Doe"},
		{"en", `{"first_name": "太郎", "last_name": "山田"}`, "full", "山田 太郎"},
		{"fr", `{"first_name": "Zoé", "last_name": "Roy"}`, "full", "Zoé Roy"},
		{"en", `5`, "full", ""},
		{"en", `null`, "full", ""},
	} {
		got, _ := render(t, `{{ p | name: s }}`, Text, vars(t, `{"p": `+c.person+`, "s": "`+c.style+`"}`), Env{Locale: c.locale})
		if got != c.want {
			t.Errorf("%s %s %s: %q, want %q", c.locale, c.style, c.person, got, c.want)
		}
	}
}
