package content_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// webOf answers with a code where one is named.
type webOf struct {
	codes map[string]string
	asked []string
}

func (w *webOf) CheckLinks(_ context.Context, urls []string) ([]content.LinkVerdict, error) {
	w.asked = urls
	out := make([]content.LinkVerdict, len(urls))
	for i, u := range urls {
		out[i] = content.LinkVerdict{URL: u, Code: w.codes[u]}
	}
	return out, nil
}

func TestLinksAreAskedAsTheReaderWouldFollowThem(t *testing.T) {
	web := &webOf{codes: map[string]string{"https://shop.example/o/A-7": "not_found"}}
	m := newStore(t)
	s := content.New(content.Config{Store: m, Tx: m, Clock: clock.NewFixed(now), Links: web})
	d := content.Draft{
		Name: "x", Subject: "x", Locale: "en",
		HTML: `<p><a href="https://shop.example/o/{{ event.order }}"><img src="https://shop.example/o.png" alt="Your order">Your order</a> <a href="https://shop.example/a#top">A</a> <a href="https://shop.example/a#end">A again</a>
			<a href="mailto:hi@shop.example">write</a> <a href="#x">below</a> <a href="{{ unsubscribe_url }}">leave</a></p>`,
		Translations: []content.Translation{{Locale: "ja", Subject: "x", HTML: `<p><a href="https://shop.example/ja">ja</a> <a href="{{ unsubscribe_url }}">x</a></p>`}},
	}
	r := content.PreviewRequest{Draft: &d, Vars: map[string]any{"event": map[string]any{"order": "A-7"}}}
	got, left, err := s.CheckLinks(t.Context(), ws, r)
	if err != nil || left != 0 {
		t.Fatal(left, err)
	}
	want := []content.LinkVerdict{
		{URL: "https://shop.example/o/A-7", Label: "Your order", Code: "not_found"}, {URL: "https://shop.example/a", Label: "A"}, {URL: "https://shop.example/ja", Label: "ja"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.Options.Locale = "ja"
	if _, _, err := s.CheckLinks(t.Context(), ws, r); err != nil || len(web.asked) != 1 {
		t.Errorf("one language: %v %v", web.asked, err)
	}
	d.HTML = `<p>{% for i in (1..120) %}<a href="https://shop.example/{{ i }}">x</a>{% endfor %}</p>`
	r.Options.Locale = "en"
	if got, left, err := s.CheckLinks(t.Context(), ws, r); err != nil || len(got) != 100 || left < 20 {
		t.Errorf("too many: %d asked, %d left out, %v", len(got), left, err)
	}
	web.asked = nil
	d.HTML = `<p>{{</p>`
	if got, _, err := s.CheckLinks(t.Context(), ws, r); err != nil || len(got) != 0 || web.asked != nil {
		t.Errorf("a draft that cannot be made: %v %v", got, err)
	}
}

func TestALetterThatLeadsToTheSiteNeedsOne(t *testing.T) {
	m, site := newStore(t), ""
	s := content.New(content.Config{Store: m, Tx: m, Clock: clock.NewFixed(now), Sender: func(context.Context, string) (content.Sender, error) {
		return content.Sender{Name: "Shop", Site: site}, nil
	}})
	d := draft()
	d.HTML = `<a href="{{ event.url | default: workspace.site }}">Look</a> {{ unsubscribe_url }}`
	tpl, err := s.Create(t.Context(), ws, d)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CheckSite(t.Context(), ws, tpl); !errs.Is(err, errs.KindConflict) {
		t.Errorf("without a site: %v", err)
	}
	site = "https://shop.example/"
	if err := s.CheckSite(t.Context(), ws, tpl); err != nil {
		t.Errorf("with one: %v", err)
	}
	for want, vars := range map[string]map[string]any{
		`href="https://shop.example/"`: nil, `href="https://shop.example/tea"`: {"event": map[string]any{"url": "https://shop.example/tea"}},
	} {
		r, err := s.Render(t.Context(), ws, tpl.ID, 1, vars, content.RenderOptions{})
		if err != nil || !strings.Contains(r.HTML, want) {
			t.Errorf("want %s: %s %v", want, r.HTML, err)
		}
	}
	plain, err := s.Create(t.Context(), ws, draft())
	if err != nil {
		t.Fatal(err)
	}
	site = ""
	if err := s.CheckSite(t.Context(), ws, plain); err != nil {
		t.Errorf("a letter that leads elsewhere: %v", err)
	}
}
