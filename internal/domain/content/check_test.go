package content_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/content/brand"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// mail is a document of blocks with nothing to find fault with but what the blocks bring.
func mail(blocks string) content.Draft {
	return content.Draft{
		Name: "x", Subject: "A calm subject", Preheader: "and a little more", Locale: "en", ValueProposition: "v", Purpose: content.Purpose{Action: "look"},
		Document: json.RawMessage(`{"version":1,"sections":[{"columns":[{"blocks":[` + blocks + `]}]}]}`),
	}
}

const button = `{"type":"button","label":"See the tea","url":"https://shop.example.co/"}`

const (
	picture = `{"type":"image","src":"https://shop.co/a.png","alt":"Tea"}`
	words   = "The first tea of spring is here, picked in the morning and steamed at noon."
)

func TestEachCheckFindsWhatItIsFor(t *testing.T) {
	s := newService(t)
	b := brand.Default("Aoba", "Ginza", "en")
	b.Voice.Dont = []string{"Cheap", "激安"}
	b.Locales = []string{"en", "ja"}
	if _, err := s.SetLook(t.Context(), ws, b, 0); err != nil {
		t.Fatal(err)
	}
	with := func(change func(d *content.Draft)) content.Draft {
		d := mail(button)
		change(&d)
		return d
	}
	code := func(html string) content.Draft {
		return content.Draft{Name: "x", Subject: "A calm subject", Preheader: "and more", ValueProposition: "v", Purpose: content.Purpose{Action: "look"}, HTML: html + "<a href='{{ unsubscribe_url }}'>Unsubscribe</a>" + strings.Repeat(" words", 20)}
	}
	for _, c := range []struct {
		name  string
		draft content.Draft
		want  string // field code name
	}{
		{"an unknown variable names its block", mail(button + `,{"id":"b7","type":"text","text":"{{ persn.name }}"}`), "b7 document.sections[0].columns[0].blocks[1].text unknown persn.name"},
		{"an unknown variable of a condition", mail(button + `,{"id":"b7","type":"text","if":"vipp","text":"x"}`), "b7 document.sections[0].columns[0].blocks[1].if unknown vipp"},
		{"the member of a list is known", mail(button + `,{"type":"list","each":"event.products","text":"{{ item.name }}"}`), ""},
		{"but only in the list", mail(button + `,{"id":"b7","type":"text","text":"{{ item.name }}"}`), "b7 document.sections[0].columns[0].blocks[1].text unknown item.name"},
		{"a place for trials", mail(`{"type":"button","label":"Go","url":"https://staging.shop.co/"}`), "b2 document.sections[0].columns[0].blocks[0].url link_staging https://staging.shop.co/"},
		{"a machine of ours", mail(`{"type":"text","text":"<a href='http://192.168.0.3/x'>tea</a>"}`), "b2 document.sections[0].columns[0].blocks[0].text link_private http://192.168.0.3/x"},
		{"a placeholder", mail(`{"type":"button","label":"Go","url":"https://example.com/x"}`), "b2 document.sections[0].columns[0].blocks[0].url link_placeholder https://example.com/x"},
		{"a shortener", mail(`{"type":"button","label":"Go","url":"https://bit.ly/x"}`), "b2 document.sections[0].columns[0].blocks[0].url link_shortener https://bit.ly/x"},
		{"no encryption", mail(`{"type":"button","label":"Go","url":"http://shop.co/{{ x.y }}"}`), "b2 document.sections[0].columns[0].blocks[0].url unknown x.y, b2 document.sections[0].columns[0].blocks[0].url link_http http://shop.co/{{ x.y }}"},
		{"a link that says nothing", mail(`{"type":"button","label":"こちら","url":"https://shop.co/"}`), "b2 document.sections[0].columns[0].blocks[0].url link_text こちら"},
		{"nothing to click", mail(`{"type":"divider"}`), " document no_link "},
		{"a level is left out", mail(button + `,{"type":"heading","text":"a"},{"id":"b9","type":"heading","text":"b","level":3}`), "b9 document heading_order "},
		{"a word of others", mail(button + `,{"id":"b9","type":"text","text":"so CHEAP"}`), "b9 document.sections[0].columns[0].blocks[1].text word Cheap"},
		{"a word of others in the subject", with(func(d *content.Draft) { d.Subject = "激安セール" }), " subject word 激安"},
		{"spam", mail(button + `,{"id":"b9","type":"text","text":"Act now"}`), "b9 document.sections[0].columns[0].blocks[1].text spam_word act now"},
		{"shouting", with(func(d *content.Draft) { d.Subject = "THE BEST TEA EVER" }), " subject shouting "},
		{"exclamations", with(func(d *content.Draft) { d.Subject = "新茶！！" }), " subject exclamations "},
		{"a false reply", with(func(d *content.Draft) { d.Subject = "Re: your order" }), " subject false_reply "},
		{"a long subject", with(func(d *content.Draft) { d.Subject = strings.Repeat("tea ", 20) }), " subject long "},
		{"a long subject of Chinese characters", with(func(d *content.Draft) { d.Subject = strings.Repeat("茶", 31) }), " subject long "},
		{"30 Chinese characters fit", with(func(d *content.Draft) { d.Subject = strings.Repeat("茶", 30) }), ""},
		{"a family is one character", with(func(d *content.Draft) { d.Subject = strings.Repeat("👨‍👩‍👧‍👦", 30) }), ""},
		{"no preheader", with(func(d *content.Draft) { d.Preheader = "" }), " preheader preheader_missing "},
		{"a preheader that repeats", with(func(d *content.Draft) { d.Preheader = d.Subject }), " preheader preheader_same "},
		{"a wall of text", mail(button + `,{"id":"b9","type":"text","text":"` + strings.Repeat("word ", 120) + `"}`), "b9 document.sections[0].columns[0].blocks[1].text long_paragraph "},
		{"the same in paragraphs", mail(button + `,{"id":"b9","type":"text","text":"` + strings.Repeat(strings.Repeat("word ", 40)+`\n\n`, 3) + `"}`), ""},
		{"no promise", with(func(d *content.Draft) { d.ValueProposition = "" }), " value_proposition empty "},
		{"no action", with(func(d *content.Draft) { d.Purpose.Action = "" }), " purpose.action action_missing "},
		{"an ask without a reason", with(func(d *content.Draft) { d.Purpose.Ask, d.Purpose.Who = "a review", "the shop" }), " purpose.why why_missing ,  purpose.use use_missing "},
		{"pictures without words", code(`<img src="https://x.co/a.png">`), " html alt_missing "},
		{"a document without a language", code(`<html><body>`), " html lang_missing "},
		{"only a picture", content.Draft{Name: "x", Subject: "A calm subject", Preheader: "p", ValueProposition: "v", Purpose: content.Purpose{Action: "a"}, HTML: `<img alt="" src="https://x.co/a.png"><a href="{{ unsubscribe_url }}">off</a>`}, " html image_only "},
		{"blocks of pictures alone", mail(picture + `,` + button), " document image_only "},
		{"what a picture says to those who do not see it is no text", mail(`{"type":"image","src":"https://shop.co/a.png","alt":"` + strings.Repeat("tea of spring ", 9) + `"},` + button), " document image_only "},
		{"a picture and some words", mail(picture + `,` + button + `,{"type":"text","text":"` + words + `"}`), ""},
		{"a picture and as much in Japanese", mail(picture + `,` + button + `,{"type":"text","text":"宇治の新茶が今年も届きました。朝に摘んだばかりの香りをお楽しみください。"}`), ""},
		{"many pictures and as few words", mail(strings.Repeat(picture+`,`, 6) + button + `,{"type":"text","text":"` + words + `"}`), " document image_only "},
		{"pictures in HTML of one's own", mail(button + `,{"type":"html","html":"<img alt='' src='https://shop.co/a.png'>"}`), " document image_only "},
		{"such HTML among words", mail(button + `,{"type":"html","html":"<img alt='' src='https://shop.co/a.png'>"},{"type":"text","text":"` + words + `"}`), ""},
		{"cards of products bring their words", mail(picture + `,` + button + `,{"type":"products","each":"event.products"}`), ""},
		{"no scheme", code(`<a href="shop.co/a">tea</a>`), " html link_no_scheme shop.co/a"},
		{"nowhere", code(`<a href="#">tea</a>`), " html link_empty #"},
		{"levels of code", code(`<h1>a</h1><h3>b</h3>`), " html heading_order "},
	} {
		found, err := s.Check(t.Context(), ws, c.draft)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		found = slices.DeleteFunc(found, func(f content.Finding) bool { return f.Code == "translation_missing" })
		var got []string
		for _, f := range found {
			got = append(got, f.Block+" "+f.Field+" "+f.Code+" "+f.Name)
			if f.Message == "" || f.Group == "" || f.Error {
				t.Errorf("%s: %+v", c.name, f)
			}
		}
		if diff := cmp.Diff(c.want, strings.Join(got, ", ")); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	found, err := s.Check(t.Context(), ws, mail(button))
	if err != nil || len(found) != 1 || found[0].Code != "translation_missing" || found[0].Name != "ja" {
		t.Errorf("%v %+v", err, found)
	}
}

func TestTheRenderedLetterIsChecked(t *testing.T) {
	s := newService(t)
	d := mail(`{"type":"button","label":"Go","url":"{{ event.url }}"},{"type":"list","each":"event.lines","text":"{{ item }}","limit":100}`)
	codes := func(event map[string]any) (out []string) {
		p, err := s.Preview(t.Context(), ws, content.PreviewRequest{Draft: &d, Vars: map[string]any{"event": event}})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range p.Findings {
			out = append(out, f.Code)
		}
		return out
	}
	for _, c := range []struct {
		event map[string]any
		want  string
	}{
		{map[string]any{"url": "https://shop.co/"}, ""},
		{map[string]any{"url": ""}, "link_empty"},
		{map[string]any{"url": "shop.co"}, "link_no_scheme"},
		{map[string]any{"url": "javascript:x"}, "unsafe_url link_empty"},
		{map[string]any{"url": "http://localhost:8080/"}, "link_private"},
		{map[string]any{"url": "https://shop.co/", "lines": slices.Repeat([]string{strings.Repeat("x", 2000)}, 100)}, "clipped"},
	} {
		got := slices.DeleteFunc(codes(c.event), func(c string) bool { return c == "address_missing" || c == "missing" })
		if strings.Join(got, " ") != c.want {
			t.Errorf("%v: %v, want %s", c.event["url"], got, c.want)
		}
	}
}

func TestAReaderGetsTheNearestLanguage(t *testing.T) {
	d := mail(button)
	for _, l := range []string{"ja", "zh-Hans", "zh-Hant", "en-US"} {
		d.Translations = append(d.Translations, content.Translation{Locale: l, Subject: "in " + l, Document: d.Document})
	}
	d.Locale, d.Subject = "fr", "in fr"
	s := newService(t)
	tpl, err := s.Create(t.Context(), ws, d)
	if err != nil {
		t.Fatal(err)
	}
	for reader, want := range map[string]string{"ja-JP": "ja", "zh-CN": "zh-Hans", "zh": "zh-Hans", "zh-TW": "zh-Hant", "zh-HK": "zh-Hant", "en-GB": "en-US", "en": "en-US", "fr-CA": "fr", "de": "fr", "": "fr", "nonsense!": "fr"} {
		for range 2 { // compiled, then remembered
			r, err := s.Render(t.Context(), ws, tpl.ID, 1, nil, content.RenderOptions{Locale: reader})
			if err != nil || r.Subject != "in "+want || r.Locale != want || !strings.Contains(r.HTML, `lang="`+want+`"`) {
				t.Errorf("%q gets %q (%s): %v", reader, r.Subject, r.Locale, err)
			}
		}
	}
}

func TestOldVersionsRenderAsTheyDid(t *testing.T) {
	s, st, c := service(t)
	hours := func(text string) content.SnippetDraft {
		return content.SnippetDraft{Name: "Hours", Blocks: json.RawMessage(`[{"type":"text","text":"` + text + `"}]`)}
	}
	if _, err := s.CreateSnippet(t.Context(), ws, "hours", hours("9 to 5")); err != nil {
		t.Fatal(err)
	}
	tpl, err := s.Create(t.Context(), ws, mail(button+`,{"type":"snippet","snippet":"hours"}`))
	if err != nil {
		t.Fatal(err)
	}
	render := func(s *content.Service, version int) content.Rendered {
		t.Helper()
		r, err := s.Render(t.Context(), ws, tpl.ID, version, nil, content.RenderOptions{Locale: "en"})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	before := render(s, 1)
	b := brand.Default("Aoba", "Ginza", "en")
	b.Light.Accent = "#7a1f3d"
	if _, err := s.SetLook(t.Context(), ws, b, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := s.UpdateSnippet(t.Context(), ws, "hours", hours("10 to 6"), 1); err != nil {
		t.Fatal(err)
	}
	fresh := content.New(content.Config{Store: st, Tx: st, Clock: c}) // nothing remembered
	if diff := cmp.Diff(before, render(fresh, 1)); diff != "" {
		t.Errorf("version 1 changed: %s", diff)
	}
	if _, err := s.Refresh(t.Context(), ws, tpl.ID); err != nil {
		t.Fatal(err)
	}
	if after := render(fresh, 2); !strings.Contains(after.HTML, "10 to 6") || !strings.Contains(after.HTML, "#7a1f3d") {
		t.Errorf("version 2 is not refreshed: %s", after.HTML)
	}
}

func TestAConfirmationMailNeedsItsLinkInEveryLanguage(t *testing.T) {
	s := newService(t)
	const link = `{"type":"button","label":"Yes","url":"{{ confirm_url }}"}`
	inJapanese := func(d content.Draft, blocks string) content.Draft {
		d.Translations = []content.Translation{{Locale: "ja", Subject: "確認", Document: mail(blocks).Document}}
		return d
	}
	for name, c := range map[string]struct {
		draft content.Draft
		code  string
	}{
		"a button":            {mail(link), ""},
		"only to the shop":    {mail(button), "consent.topic.confirmation_link"},
		"both languages":      {inJapanese(mail(link), link), ""},
		"not the Japanese":    {inJapanese(mail(link), button), "consent.topic.confirmation_link"},
		"text alone":          {content.Draft{Name: "x", Subject: "s", Text: "Yes: {{ vars.confirm_url }}"}, ""},
		"text without a link": {content.Draft{Name: "x", Subject: "s", Text: "Yes"}, "consent.topic.confirmation_link"},
	} {
		made, err := s.Create(t.Context(), ws, c.draft)
		if err != nil {
			t.Fatal(name, err)
		}
		got := ""
		if all := errs.All(s.CheckConfirmation(t.Context(), ws, made.ID)); len(all) > 0 {
			got = all[0].Code
		}
		if got != c.code {
			t.Errorf("%s: %q, want %q", name, got, c.code)
		}
	}
	if err := s.CheckConfirmation(t.Context(), ws, "tpl_none"); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("of nothing: %v", err)
	}
}
