package block_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/content/block"
	"github.com/kizuna-cx/kizuna/internal/domain/content/brand"
	"github.com/kizuna-cx/kizuna/internal/domain/content/liquid"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample is a block of each kind; what must be in three languages is said in three.
var sample = map[string]string{
	"heading":  `{"type":"heading","level":2,"text":"{{ person.name | name }}, 新茶が届きました\n\"A & B\" <1>","style":{"align":"center","color":"accent"}}`,
	"text":     `{"type":"text","text":"<p>春の<b>新茶</b>、<em>とても</em>香り高い。{{ person.first_name }}</p><ul><li>一つ <a href=\"{{ url }}\">詳しく</a></li><li>2 &amp; 3</li></ul><p>{% if vip %}VIP{% endif %}</p>","style":{"size":"l"}}`,
	"prose":    `{"type":"text","text":"First line\nsecond line.\n\nSecond paragraph, <a href=\"https://example.com/a?b=1&amp;c=2\">link</a>."}`,
	"button":   `{"type":"button","label":"See {{ item_name | default: \"it\" }}","url":"https://shop.example/?q={{ q | url_encode }}&x=1","style":{"align":"center"}}`,
	"outline":  `{"type":"button","label":"カートに戻る","url":"{{ url }}","look":"outline","full":true}`,
	"textlink": `{"type":"button","label":"more","url":"mailto:a@example.com","look":"link"}`,
	"image":    `{"type":"image","src":"https://cdn.example/a.png","dark_src":"https://cdn.example/a-dark.png","alt":"A cup of \"tea\"","url":"https://shop.example/","width":300,"caption":"茶 & 器","style":{"rounded":true}}`,
	"deco":     `{"type":"image","src":"https://cdn.example/line.png","decorative":true,"bleed":true}`,
	"fixed":    `{"type":"products","layout":"grid","items":[{"title":"Sencha","note":"100 g","price":"¥1,800","image":"https://cdn.example/s.png","url":"https://shop.example/s","label":"Buy"},{"title":"Kyusu"},{"title":"Third"}]}`,
	"loop":     `{"type":"products","each":"event.products","limit":3,"empty":"カートは<b>空</b>です"}`,
	"grid":     `{"type":"products","each":"event.products","layout":"grid","note":"{{ item.quantity }} ×","label":"見る"}`,
	"list":     `{"type":"list","each":"event.products","text":"{{ item.name }} × {{ item.quantity }}","ordered":true,"empty":"nothing"}`,
	"divider":  `{"type":"divider"}`,
	"spacer":   `{"type":"spacer","height":40}`,
	"social":   `{"type":"social","style":{"align":"center"}}`,
	"profiles": `{"type":"social","links":[{"label":"LINE","url":"https://line.me/x"},{"label":"微信","url":"https://weixin.example/x"}]}`,
	"html":     `{"type":"html","html":"<table bgcolor=\"#fff\"><tr onclick=\"x()\"><td style=\"color:red;position:fixed\">{{ a }} <script>alert(1)</script><a href=\"{{ url }}?x={{ y }}\">go</a><img src=\"https://cdn.example/x.png\" alt=\"{{ alt }}\"><a href=\"javascript:x()\">no</a></td></tr></table>"}`,
	"boxed":    `{"type":"text","if":"person.vip == true and person.orders > 3","text":"only for you","style":{"background":"subtle","border":true,"rounded":true,"padding":"m"}}`,
	"snippet":  `{"type":"snippet","snippet":"hours"}`,
}

var vars = map[string]any{
	"person": map[string]any{"name": "山田 太郎", "first_name": "太郎 <&>", "vip": true, "orders": 4},
	"url":    "https://shop.example/x?a=1&b=2", "vip": true, "q": "茶 & x", "a": "<b>", "y": "z\"", "alt": "\"q\"", "unsubscribe_url": "https://m.example/u", "preferences_url": "https://m.example/p",
	"event": map[string]any{"products": []any{
		map[string]any{"name": "Sencha <Uji>", "price": 1800, "currency": "JPY", "quantity": 2, "url": "https://shop.example/s", "image_url": "https://cdn.example/s.png"},
		map[string]any{"name": "急須", "quantity": 1},
	}},
	"mail": map[string]any{"transactional": false},
}

var words = block.Words{Reason: "You get this because you asked.", Unsubscribe: "Unsubscribe", Preferences: "Preferences"}

func options(locale string) block.Options {
	b := brand.Default("Aoba Tea", "1-2-3 Ginza\nTokyo", "en")
	b.Social = []brand.Link{{Label: "Instagram", URL: "https://instagram.example/aoba"}}
	b.Footer.Notes = map[string]string{"en": "Small & print {{ x }}", "ja": "表示はすべて税込です。"}
	hours, err := block.ParseFragment([]byte(`[{"type":"text","text":"Open 9 to 5"},{"type":"snippet","snippet":"phone","if":"person.vip"}]`))
	if err != nil {
		panic(err)
	}
	phone, err := block.ParseFragment([]byte(`[{"type":"button","label":"Call","url":"tel:+81300000000"}]`))
	if err != nil {
		panic(err)
	}
	return block.Options{Brand: b, Locale: locale, Title: "Hello {{ person.name }}", Words: words, Snippets: map[string]block.Fragment{"hours": hours, "phone": phone}}
}

func document(blocks string) string {
	return `{"version":1,"sections":[{"columns":[{"blocks":[` + blocks + `]}]}]}`
}

// filled compiles and fills a document.
func filled(t testing.TB, doc, locale string) (html, text string) {
	t.Helper()
	d, err := block.Parse([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	out, err := block.Compile(d, options(locale))
	if err != nil {
		t.Fatal(err)
	}
	fill := func(src string, mode liquid.Mode) string {
		tpl, err := liquid.Parse(src, mode, liquid.Limits{Source: 4 << 20})
		if err != nil {
			t.Fatalf("%v\n%s", err, src)
		}
		s, _, err := tpl.Render(vars, liquid.Env{Locale: locale})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	return fill(out.HTML, liquid.HTML), fill(out.Text, liquid.Text)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: run with -update if this is meant\n%s", name, diff)
	}
}

// body is what a block alone becomes; the frame around it has files of its own.
func body(html string) string {
	_, rest, _ := strings.Cut(html, `overflow:hidden">`)
	rest, _, _ = strings.Cut(rest, `<table role="presentation" border="0" cellpadding="0" cellspacing="0" width="100%" style="max-width:600px;margin:0 auto"><tr><td align="center" class="pad`)
	return rest
}

func TestEachKindOfBlockInThreeLanguages(t *testing.T) {
	for name, one := range sample {
		for _, locale := range []string{"en", "zh-Hans", "ja"} {
			html, text := filled(t, document(one), locale)
			text, _, _ = strings.Cut(text, "-- \n")
			golden(t, name+"."+locale+".golden", strings.TrimSpace(body(html))+"\n=====\n"+strings.TrimSpace(text)+"\n")
		}
	}
	for _, k := range block.Kinds() {
		if sample[k.Type] == "" && k.Type != "products" {
			t.Errorf("there is no sample of %s", k.Type)
		}
	}
}

func TestTheFrameInEveryScript(t *testing.T) {
	two := `{"version":1,"sections":[{"style":{"background":"accent","align":"center"},"columns":[{"blocks":[{"type":"heading","text":"1"}]}]},{"if":"vip","columns":[{"width":40,"blocks":[{"type":"spacer"}]},{"valign":"middle","blocks":[{"type":"button","label":"x","url":"https://example.com/"}]}]}]}`
	for _, locale := range []string{"en", "zh-Hans", "ja", "ar", ""} {
		html, text := filled(t, two, locale)
		golden(t, "frame."+locale+".golden", html+"\n=====\n"+text)
		for _, must := range []string{`content="light dark"`, "prefers-color-scheme:dark", "[data-ogsc]", "[data-ogsb]", "1-2-3 Ginza<br>Tokyo", "https://m.example/u", "https://m.example/p"} {
			if !strings.Contains(html, must) {
				t.Errorf("%s: no %s", locale, must)
			}
		}
	}
}

func TestCompilingIsPure(t *testing.T) {
	all := make([]string, 0, len(sample))
	for _, k := range sample {
		all = append(all, k)
	}
	d, err := block.Parse([]byte(document(strings.Join(all, ","))))
	if err != nil {
		t.Fatal(err)
	}
	first, err := block.Compile(d, options("ja"))
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if again, err := block.Compile(d, options("ja")); err != nil || again != first {
			t.Fatal("the same document gave other bytes")
		}
	}
	back, err := block.Parse(d.Encode())
	if err != nil || string(back.Encode()) != string(d.Encode()) {
		t.Errorf("a document changes when it is read again: %v", err)
	}
}

func TestErrorsNameTheBlockAndTheField(t *testing.T) {
	at := "sections[0].columns[0].blocks[0]"
	for _, c := range []struct{ doc, want string }{
		{`{`, " content.block.json"},
		{`{"sections":[]}`, "version content.block.version"},
		{`{"version":2,"sections":[]}`, "version content.block.version"},
		{`{"version":1,"sections":[]}`, "sections content.block.empty"},
		{`{"version":1,"sections":[],"extra":1}`, "extra content.block.field_unknown"},
		{`{"version":1,"width":2000,"sections":[{"columns":[{"blocks":[]}]}]}`, "width content.block.range"},
		{`{"version":1,"sections":[{"columns":[]}]}`, "sections[0].columns content.block.columns"},
		{`{"version":1,"sections":[{"columns":[{"width":80,"blocks":[]},{"width":40,"blocks":[]}]}]}`, "sections[0].columns content.block.widths"},
		{`{"version":1,"sections":[{"style":{"background":"red"},"columns":[{"blocks":[]}]}]}`, "sections[0].style.background content.block.choice"},
		{document(`{"text":"x"}`), at + ".type content.block.type_missing"},
		{document(`{"type":"marquee"}`), at + ".type content.block.type_unknown"},
		{document(`{"type":"button","label":"x","href":"https://x.example"}`), at + ".href content.block.field_unknown"},
		{document(`{"type":"button","label":7,"url":"https://x.example"}`), at + ".label content.block.type"},
		{document(`{"type":"button","label":"x"}`), at + ".url content.block.missing"},
		{document(`{"type":"button","label":"a\nb","url":"https://x.example"}`), at + ".label content.block.one_line"},
		{document(`{"type":"button","label":"x","url":"javascript:alert(1)"}`), at + ".url content.block.url"},
		{document(`{"type":"button","label":"x","url":"shop.example/a"}`), at + ".url content.block.url"},
		{document(`{"type":"button","label":"{{ x","url":"https://x.example"}`), at + ".label content.block.liquid.syntax"},
		{document(`{"type":"image","src":"https://x.example/a.png"}`), at + ".alt content.block.alt_missing"},
		{document(`{"type":"text","text":"a <script>x</script>"}`), at + ".text content.block.markup"},
		{document(`{"type":"text","text":"<b>a"}`), at + ".text content.block.markup"},
		{document(`{"type":"text","text":"<p onclick='x'>a</p>"}`), at + ".text content.block.markup"},
		{document(`{"type":"text","text":"<a href='javascript:x'>a</a>"}`), at + ".text content.block.markup"},
		{document(`{"type":"text","text":"{% if x %}<b>{% endif %}"}`), at + ".text content.block.markup"},
		{document(`{"type":"text","text":"x","if":"a == "}`), at + ".if content.block.liquid.syntax"},
		{document(`{"type":"text","text":"x","if":"a %}{{ b }}{% if c"}`), at + ".if content.block.condition"},
		{document(`{"type":"text","text":"x","style":{"align":"left"}}`), at + ".style.align content.block.choice"},
		{document(`{"type":"text","text":"x","style":{"colour":"text"}}`), at + ".style.colour content.block.field_unknown"},
		{document(`{"type":"products"}`), at + ".each content.block.products"},
		{document(`{"type":"products","each":"event.items | sort"}`), at + ".each content.block.path"},
		{document(`{"type":"products","items":[{"title":""}]}`), at + ".items[0].title content.block.missing"},
		{document(`{"type":"snippet","snippet":"No Key"}`), at + ".snippet content.block.key"},
	} {
		_, err := block.Parse([]byte(c.doc))
		var got []string
		for _, e := range errs.All(err) {
			got = append(got, e.Field+" "+e.Code)
		}
		if strings.Join(got, " | ") != c.want {
			t.Errorf("%s\n got %s (%v)\nwant %s", c.doc, strings.Join(got, " | "), err, c.want)
		}
	}
	_, err := block.Parse([]byte(document(`{"id":"cta","type":"button","label":"","url":"x y"},{"type":"image","src":"https://x.example/{{"}`)))
	if n := len(errs.All(err)); n != 4 || !strings.Contains(err.Error(), "button cta") || !strings.Contains(err.Error(), "image b2") {
		t.Errorf("%d errors: %v", n, err)
	}
}

func TestBlocksGetNamesThatStay(t *testing.T) {
	d, err := block.Parse([]byte(document(`{"type":"divider"},{"id":"b1","type":"divider"},{"id":"b1","type":"spacer"}`)))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, b := range d.Blocks {
		ids = append(ids, b.ID)
	}
	if fmt.Sprint(ids) != "[b3 b1 b4]" { // b2 is the section
		t.Errorf("%v in %s", ids, d.Encode())
	}
}

func TestSnippetsThatLeadBackAreRefused(t *testing.T) {
	d, err := block.Parse([]byte(document(`{"type":"snippet","snippet":"a"}`)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := block.Compile(d, options("en")); !errs.Is(err, errs.KindInvalid) || errs.All(err)[0].Code != "content.snippet.unknown" {
		t.Errorf("an unknown snippet: %v", err)
	}
	o := options("en")
	for from, to := range map[string]string{"a": "b", "b": "a"} {
		f, err := block.ParseFragment([]byte(`[{"type":"snippet","snippet":"` + to + `"}]`))
		if err != nil {
			t.Fatal(err)
		}
		o.Snippets[from] = f
	}
	if _, err := block.Compile(d, o); err == nil || errs.All(err)[0].Code != "content.snippet.cycle" {
		t.Errorf("a circle: %v", err)
	}
}

func TestTheSchemaAgreesWithTheParser(t *testing.T) {
	schema, err := jsonschema.UnmarshalJSON(strings.NewReader(string(block.Schema())))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("mail.json", schema); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("mail.json")
	if err != nil {
		t.Fatal(err)
	}
	valid := func(doc []byte) error {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(doc)))
		if err != nil {
			return err
		}
		return s.Validate(v)
	}
	for name, one := range sample {
		d, err := block.Parse([]byte(document(one)))
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range [][]byte{[]byte(document(one)), d.Encode()} {
			if err := valid(doc); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for _, bad := range []string{`{"version":2,"sections":[]}`, document(`{"type":"marquee"}`), document(`{"type":"button","label":"x"}`), document(`{"type":"divider","x":1}`), document(`{"type":"text","text":"x","style":{"align":"left"}}`)} {
		if valid([]byte(bad)) == nil {
			t.Errorf("the schema takes %s", bad)
		}
	}
}

// TestNoTextBecomesMarkup puts hostile words into every field of every block and looks for them among the tags.
func TestNoTextBecomesMarkup(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		evil := rapid.SampledFrom([]string{`"><img src=x onerror=evil()>`, `<script>evil()</script>`, `' onclick='evil()`, `--><b onload=evil()>`, `</style><i onload=evil()>`, `]]><u onload=evil()>`}).Draw(t, "evil")
		quoted, _ := json.Marshal(evil)
		doc := strings.NewReplacer("@", strings.Trim(string(quoted), `"`)).Replace(document(rapid.SampledFrom([]string{
			`{"type":"heading","text":"@"}`, `{"type":"button","label":"@","url":"https://x.example/@"}`, `{"type":"image","src":"https://x.example/@","alt":"@","caption":"@"}`,
			`{"type":"products","items":[{"title":"@","note":"@","price":"@","alt":"@","image":"https://x.example/@"}]}`, `{"type":"products","each":"event.products"}`,
			`{"type":"list","each":"event.products","text":"@","empty":"@"}`, `{"type":"html","html":"@ {{ evil }}"}`, `{"type":"text","text":"{{ evil }}"}`,
		}).Draw(t, "block")))
		d, err := block.Parse([]byte(doc))
		if err != nil {
			return // refused is safe
		}
		o := options("en")
		o.Title, o.Brand.Name, o.Brand.Footer.Address = evil, evil, evil
		out, err := block.Compile(d, o)
		if err != nil {
			t.Fatal(err)
		}
		tpl, err := liquid.Parse(out.HTML, liquid.HTML, liquid.Limits{Source: 4 << 20})
		if err != nil {
			t.Fatalf("%v\n%s", err, out.HTML)
		}
		got, _, err := tpl.Render(map[string]any{"evil": evil, "unsubscribe_url": "https://m.example/u", "event": map[string]any{"products": []any{map[string]any{"name": evil, "image_url": evil, "url": evil}}}}, liquid.Env{})
		if err != nil {
			t.Fatal(err)
		}
		for _, tag := range tags(got) {
			if strings.Contains(tag, "evil") {
				t.Fatalf("%s\nbecame %s", doc, tag)
			}
		}
	})
}

func BenchmarkCompile(b *testing.B) {
	all := make([]string, 0, len(sample))
	for _, k := range sample {
		all = append(all, k)
	}
	raw := []byte(document(strings.Join(all, ",")))
	b.ReportAllocs()
	for b.Loop() {
		d, err := block.Parse(raw)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := block.Compile(d, options("ja")); err != nil {
			b.Fatal(err)
		}
	}
}
