package tracking

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image/gif"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/secret"
)

const (
	browser = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15"
	shop    = "https://shop.example/a//b?x=1&y=%2F#z"
)

var letter = outbox.Link{Workspace: "ws_1", MessageID: "msg_1"}

// fake is an outbox with one message, and a log.
type fake struct {
	links     *outbox.Links
	err       error // of everything that touches the record store
	logErr    error
	asked     []outbox.Interaction
	told      []string
	left      []string // "all source" or "topic source"
	chosen    []map[string]bool
	prefs     outbox.Preferences
	paused    []bool
	ask       outbox.Asked
	confirmed []string
	handler   http.Handler
}

func (f *fake) Links() *outbox.Links { return f.links }

func (f *fake) Opened(_ context.Context, in outbox.Interaction) (event.Event, error) {
	f.asked = append(f.asked, in)
	return event.Event{MessageID: event.MessageOpened}, f.err
}

func (f *fake) Followed(_ context.Context, in outbox.Interaction) error {
	f.asked = append(f.asked, in)
	return f.err
}

func (f *fake) Preferences(context.Context, outbox.Link) (outbox.Preferences, error) {
	return f.prefs, f.err
}

func (f *fake) Unsubscribe(_ context.Context, l outbox.Link, all bool, by outbox.Said) error {
	if f.err == nil && l == letter && by.IP == "192.0.2.0" {
		f.left = append(f.left, map[bool]string{true: "all ", false: "topic "}[all]+by.Source)
	}
	return f.err
}

func (f *fake) Choose(_ context.Context, _ outbox.Link, wanted map[string]bool, weekly bool, _ outbox.Said) error {
	if weekly {
		wanted["weekly"] = true
	}
	f.chosen = append(f.chosen, wanted)
	return f.err
}

func (f *fake) Pause(_ context.Context, _ outbox.Link, on bool, _ outbox.Said) error {
	f.paused = append(f.paused, on)
	return f.err
}

func (f *fake) Asked(_ context.Context, c outbox.Confirmation) (outbox.Asked, error) {
	f.ask.Confirmation = c
	return f.ask, f.err
}

func (f *fake) Confirm(_ context.Context, c outbox.Confirmation, by outbox.Said) error {
	if !f.ask.Open && !f.ask.Done {
		return errs.NotFound("subscription that waits", c.Topic)
	}
	f.confirmed = append(f.confirmed, c.PersonID+" "+by.IP)
	return f.err
}

func (f *fake) Publish(_ context.Context, events ...event.Event) error {
	for _, e := range events {
		f.told = append(f.told, e.MessageID)
	}
	return f.logErr
}

func setup(t *testing.T) *fake {
	t.Helper()
	box, err := secret.NewBox(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{links: outbox.NewLinks("", box), prefs: outbox.Preferences{
		Sender: "Shop & Sons", Address: "p…@e….test", Topics: []outbox.TopicChoice{
			{Topic: consent.Topic{ID: "tpc_1", Name: "News <b>", Description: "Monthly"}, Channel: "email", Subscribed: true, Current: true},
			{Topic: consent.Topic{ID: "tpc_2", Name: "Offers"}, Channel: "email"},
		},
	}}
	f.handler = New(Config{Outbox: f, Log: f, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	return f
}

func (f *fake) do(r *http.Request) *httptest.ResponseRecorder {
	if r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", browser)
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	return w
}

func (f *fake) get(target string) *httptest.ResponseRecorder {
	return f.do(httptest.NewRequest("GET", target, nil))
}

func (f *fake) post(target string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return f.do(r)
}

func TestAnOpenIsAnImageAndAnEvent(t *testing.T) {
	f := setup(t)
	w := f.get(f.links.Open("ws_1", "msg_1"))
	if w.Code != 200 || w.Header().Get("Content-Type") != "image/gif" || !strings.Contains(w.Header().Get("Cache-Control"), "no-store") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if img, err := gif.Decode(w.Body); err != nil || img.Bounds().Dx() != 1 || img.Bounds().Dy() != 1 {
		t.Errorf("image: %v, %v", img, err)
	}
	want := []outbox.Interaction{{Link: letter, Agent: browser, Address: "192.0.2.0"}}
	if diff := cmp.Diff(want, f.asked); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{event.MessageOpened}, f.told); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAClickLeadsExactlyWhereItWasSigned(t *testing.T) {
	f := setup(t)
	w := f.get(f.links.Click("ws_1", "msg_1", shop))
	if w.Code != 302 || w.Header().Get("Location") != shop || w.Header().Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if len(f.asked) != 1 || f.asked[0].URL != shop || len(f.told) != 0 { // the event comes once it is known who it was

		t.Errorf("%+v", f.asked)
	}
}

func TestThereIsNoOpenRedirect(t *testing.T) {
	f := setup(t)
	other, _ := secret.NewBox(bytes.Repeat([]byte{1}, 32))
	good := f.links.Click("ws_1", "msg_1", shop)
	for name, target := range map[string]string{
		"garbage":           outbox.ClickPath + "aHR0cHM6Ly9ldmlsLmV4YW1wbGU",
		"another key":       outbox.NewLinks("", other).Click("ws_1", "msg_1", "https://evil.example"),
		"cut off":           good[:len(good)-3],
		"open token":        outbox.ClickPath + strings.TrimPrefix(f.links.Open("ws_1", "msg_1"), outbox.OpenPath),
		"javascript":        f.links.Click("ws_1", "msg_1", "javascript:alert(1)"),
		"header injection":  f.links.Click("ws_1", "msg_1", "https://a.example/\r\nSet-Cookie: x=1"),
		"relative":          f.links.Click("ws_1", "msg_1", "//evil.example"),
		"url in the query":  outbox.ClickPath + "x?url=https://evil.example",
		"unsubscribe token": outbox.ClickPath + strings.TrimPrefix(f.links.Unsubscribe("ws_1", "msg_1"), outbox.UnsubscribePath),
	} {
		w := f.get(target)
		if w.Code != 404 || w.Header().Get("Location") != "" {
			t.Errorf("%s: %d, to %q", name, w.Code, w.Header().Get("Location"))
		}
	}
	if len(f.asked) != 0 {
		t.Errorf("recorded: %+v", f.asked)
	}
}

func TestOpensAndClicksAreServedWhateverIsDown(t *testing.T) {
	for name, broken := range map[string]func(*fake){
		"record store": func(f *fake) { f.err = errors.New("down") },
		"log":          func(f *fake) { f.logErr = errs.Unavailable("bus.full", "full") },
		"erased":       func(f *fake) { f.err = errs.NotFound("message", "msg_1") },
	} {
		f := setup(t)
		broken(f)
		if w := f.get(f.links.Open("ws_1", "msg_1")); w.Code != 200 {
			t.Errorf("%s: open answers %d", name, w.Code)
		}
		if w := f.get(f.links.Click("ws_1", "msg_1", shop)); w.Code != 302 {
			t.Errorf("%s: click answers %d", name, w.Code)
		}
	}
}

func TestMachinesAreTold(t *testing.T) {
	f := setup(t)
	for agent, want := range map[string]bool{
		browser: false,
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148": false,
		"Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)":                     false,
		"Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)":                                    false,
		"curl/8.1": false, "Slackbot-LinkExpanding 1.0": true,
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": true,
		"Microsoft Office Existence Discovery":                                     true,
	} {
		f.asked = nil
		r := httptest.NewRequest("GET", f.links.Click("ws_1", "msg_1", shop), nil)
		r.Header.Set("User-Agent", agent)
		f.do(r)
		if f.asked[0].Machine != want {
			t.Errorf("%q: machine %v, want %v", agent, f.asked[0].Machine, want)
		}
	}
	// Who says nothing: a proxy that loads pictures ahead, or a click of something odd.
	for _, agent := range []string{"Mozilla/5.0", " "} {
		for link, want := range map[string]bool{f.links.Open("ws_1", "msg_1"): true, f.links.Click("ws_1", "msg_1", shop): false} {
			f.asked = nil
			r := httptest.NewRequest("GET", link, nil)
			r.Header.Set("User-Agent", agent)
			if f.do(r); f.asked[0].Machine != want {
				t.Errorf("%q at %s: machine %v, want %v", agent, link, f.asked[0].Machine, want)
			}
		}
	}
	r := httptest.NewRequest("GET", f.links.Click("ws_1", "msg_1", shop), nil)
	r.Header.Set("Sec-Purpose", "prefetch;prerender")
	f.asked = nil
	if f.do(r); !f.asked[0].Machine {
		t.Error("a prefetch is taken for a person")
	}
	f.asked = nil
	r = httptest.NewRequest("HEAD", f.links.Click("ws_1", "msg_1", shop), nil)
	if w := f.do(r); w.Code != 302 || len(f.asked) != 1 || !f.asked[0].Machine { // scanners ask so, browsers do not
		t.Errorf("HEAD: %d, recorded %v", w.Code, f.asked)
	}
	f.asked = nil
	r = httptest.NewRequest("HEAD", f.links.Open("ws_1", "msg_1"), nil)
	if f.do(r); len(f.asked) != 0 {
		t.Errorf("HEAD of the picture is recorded: %v", f.asked)
	}
	f.asked = nil
	if w := f.do(httptest.NewRequest("GET", f.links.Trap("ws_1", "msg_1"), nil)); w.Code != 302 || len(f.asked) != 1 || !f.asked[0].Trap {
		t.Errorf("a link that nobody sees: %d, recorded %v", w.Code, f.asked)
	}
}

func TestOperatorsNameNetworksOfScanners(t *testing.T) {
	f := setup(t)
	f.handler = New(Config{Outbox: f, Log: f, Logger: slog.New(slog.DiscardHandler), Scanners: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	f.get(f.links.Click("ws_1", "msg_1", shop))
	f.get(f.links.Open("ws_1", "msg_1"))
	if len(f.asked) != 2 || !f.asked[0].Machine || !f.asked[1].Machine {
		t.Errorf("%+v", f.asked)
	}
}

func TestThePageChangesNothingAndSpeaksTheReadersLanguage(t *testing.T) {
	f := setup(t)
	for _, c := range []struct{ accept, person, lang, says string }{
		{"", "", "en", "Unsubscribe from everything"},
		{"de-DE,de;q=0.9", "", "en", "Unsubscribe from everything"},
		{"de-DE", "ja-JP", "ja", "すべての配信を停止する"},
		{"zh-CN,zh;q=0.9,en;q=0.8", "ja", "zh-Hans", "退订全部内容"},
		{"ja", "en", "ja", "すべての配信を停止する"},
		{"", "zh_CN", "zh-Hans", "退订全部内容"},
		{"garbage;;q=x", "", "en", "Unsubscribe"},
	} {
		f.prefs.Locale = c.person
		r := httptest.NewRequest("GET", f.links.Unsubscribe("ws_1", "msg_1"), nil)
		r.Header.Set("Accept-Language", c.accept)
		w := f.do(r)
		body := w.Body.String()
		if w.Code != 200 || !strings.Contains(body, `<html lang="`+c.lang+`">`) || !strings.Contains(body, c.says) {
			t.Errorf("%+v: %d\n%s", c, w.Code, body)
		}
	}
	body := f.get(f.links.Unsubscribe("ws_1", "msg_1")).Body.String()
	for _, must := range []string{"Shop &amp; Sons", "p…@e….test", "News &lt;b&gt;", "Monthly", `value="tpc_1" checked`, `value="tpc_2">`, `value="topic"`, `value="all"`} {
		if !strings.Contains(body, must) {
			t.Errorf("the page lacks %q", must)
		}
	}
	if strings.Contains(body, "<b>") || regexp.MustCompile(`\{[a-z]+\}`).MatchString(strings.SplitN(body, "</style>", 2)[1]) {
		t.Errorf("markup or placeholders leak:\n%s", body)
	}
	if len(f.left)+len(f.chosen)+len(f.told) != 0 {
		t.Error("looking at the page changed something")
	}
}

func TestOneClickUnsubscribesInEitherEncoding(t *testing.T) {
	f := setup(t)
	target := f.links.Unsubscribe("ws_1", "msg_1")
	if w := f.post(target, url.Values{"List-Unsubscribe": {"One-Click"}}); w.Code != 200 {
		t.Errorf("urlencoded: %d", w.Code)
	}
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	if err := errors.Join(m.WriteField("List-Unsubscribe", "One-Click"), m.Close()); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", target, &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	if w := f.do(r); w.Code != 200 {
		t.Errorf("multipart: %d", w.Code)
	}
	if diff := cmp.Diff([]string{"topic one_click", "topic one_click"}, f.left); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestThePagesButtonsDoWhatTheySay(t *testing.T) {
	f := setup(t)
	target := f.links.Unsubscribe("ws_1", "msg_1")
	for _, c := range []struct {
		form url.Values
		says string
	}{
		{url.Values{"action": {"topic"}}, "no more messages about “News &lt;b&gt;”"},
		{url.Values{"action": {"all"}}, "no more messages of this kind"},
		{url.Values{"action": {"save"}, "topic": {"tpc_2", "tpc_9"}}, "Saved"},
		{url.Values{"action": {"save"}, "frequency": {"weekly"}}, "Saved"},
		{url.Values{"action": {"pause"}}, "paused until"},
		{url.Values{"action": {"resume"}}, "pause has ended"},
	} {
		w := f.post(target, c.form)
		if w.Code != 200 || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%v: %d\n%s", c.form, w.Code, w.Body)
		}
	}
	if diff := cmp.Diff([]string{"topic preference_page", "all preference_page"}, f.left); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]map[string]bool{{"tpc_2": true, "tpc_9": true}, {"weekly": true}}, f.chosen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnUnsubscribeIsNeverConfirmedBeforeItIsDurable(t *testing.T) {
	f := setup(t)
	target := f.links.Unsubscribe("ws_1", "msg_1")
	f.err = errors.New("disk full")
	for _, form := range []url.Values{{"List-Unsubscribe": {"One-Click"}}, {"action": {"topic"}}, {"action": {"all"}}, {"action": {"save"}}, {"action": {"pause"}}, {"action": {"resume"}}} {
		w := f.post(target, form)
		if w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Errorf("%v: %d", form, w.Code)
		}
	}
}

func TestBadRequestsGetAClearAnswer(t *testing.T) {
	f := setup(t)
	target := f.links.Unsubscribe("ws_1", "msg_1")
	for name, c := range map[string]struct {
		r    *http.Request
		want int
	}{
		"no action":      {httptest.NewRequest("POST", target, nil), 400},
		"too large":      {httptest.NewRequest("POST", target, strings.NewReader("x="+strings.Repeat("a", 1<<20))), 400},
		"broken form":    {httptest.NewRequest("POST", target, strings.NewReader("%zz")), 400},
		"unknown token":  {httptest.NewRequest("POST", outbox.UnsubscribePath+"AAAA", strings.NewReader("List-Unsubscribe=One-Click")), 404},
		"unknown page":   {httptest.NewRequest("GET", outbox.UnsubscribePath+"AAAA", nil), 404},
		"unknown image":  {httptest.NewRequest("GET", outbox.OpenPath+"AAAA", nil), 404},
		"wrong method":   {httptest.NewRequest("DELETE", target, nil), 405},
		"click by POST":  {httptest.NewRequest("POST", f.links.Click("ws_1", "msg_1", shop), nil), 405},
		"broken parts":   {httptest.NewRequest("POST", target, strings.NewReader("--x")), 400},
		"erased message": {httptest.NewRequest("GET", f.links.Unsubscribe("ws_1", "msg_gone"), nil), 404},
	} {
		c.r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if name == "broken parts" {
			c.r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		}
		f.err = nil
		if name == "erased message" {
			f.err = errs.NotFound("message", "msg_gone")
		}
		if w := f.do(c.r); w.Code != c.want {
			t.Errorf("%s: %d, want %d", name, w.Code, c.want)
		}
	}
	if len(f.left) != 0 {
		t.Errorf("left: %v", f.left)
	}
}

func TestCataloguesAreComplete(t *testing.T) {
	keys := func(m map[string]string) []string {
		var out []string
		for k, v := range m {
			if strings.TrimSpace(v) == "" {
				t.Errorf("%q is empty", k)
			}
			for _, p := range regexp.MustCompile(`\{[^}]*\}`).FindAllString(v, -1) {
				out = append(out, k+" "+p)
			}
			out = append(out, k)
		}
		slices.Sort(out)
		return out
	}
	want := keys(catalogs()["en"])
	for _, l := range locales {
		if diff := cmp.Diff(want, keys(catalogs()[l])); diff != "" {
			t.Errorf("%s (-en +%s):\n%s", l, l, diff)
		}
		raw, _ := catalogFiles.ReadFile("catalog/" + l + ".json")
		if !json.Valid(raw) {
			t.Errorf("%s is not JSON", l)
		}
	}
}

func TestThePageSaysWhyAndHowItStands(t *testing.T) {
	f := setup(t)
	f.prefs.Why = outbox.Why{Kind: "subscribed", Topic: "News", Since: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	f.prefs.Settings = consent.Settings{Weekly: true, PausedUntil: time.Date(2026, 4, 2, 9, 0, 0, 0, time.UTC)}
	f.prefs.Topics = append(f.prefs.Topics, outbox.TopicChoice{Topic: consent.Topic{ID: "tpc_2", Name: "Offers"}, Channel: "sms", Pending: true})
	for lang, says := range map[string][]string{
		"en": {"subscribed to “News” on 1 March 2026", "Paused until 2 April 2026", `value="tpc_2/sms"`, "Offers · text message · not confirmed yet", `value="weekly" checked`, `value="resume"`},
		"ja": {"2026年3月1日に「News」に", "2026年4月2日まで休止中", "確認待ち"}, "zh-Hans": {"您于2026年3月1日订阅了“News”", "已暂停至2026年4月2日"},
	} {
		r := httptest.NewRequest("GET", f.links.Person("ws_1", "per_1"), nil)
		r.Header.Set("Accept-Language", lang)
		body := f.do(r).Body.String()
		for _, must := range says {
			if !strings.Contains(body, must) {
				t.Errorf("%s lacks %q:\n%s", lang, must, body)
			}
		}
		if strings.Contains(body, "<script") {
			t.Error("the page needs no script")
		}
	}
}

func TestAConfirmationTakesAButtonAndNotALook(t *testing.T) {
	f := setup(t)
	f.ask = outbox.Asked{Open: true, Topic: consent.Topic{ID: "tpc_1", Name: "News"}, Sender: "Shop", Address: "p…@e….test"}
	target := f.links.Confirm(outbox.Confirmation{Workspace: "ws_1", PersonID: "per_1", Topic: "tpc_1", Channel: "email", Asked: time.UnixMicro(1_000_000).UTC()})
	if w := f.get(target); w.Code != 200 || !strings.Contains(w.Body.String(), "Yes, subscribe") || len(f.confirmed) != 0 {
		t.Errorf("look: %d %s", w.Code, w.Body)
	}
	if w := f.post(target, url.Values{"action": {"confirm"}}); w.Code != 200 || !strings.Contains(w.Body.String(), "You are subscribed to “News”") || strings.Contains(w.Body.String(), "Yes, subscribe") {
		t.Errorf("answer: %d %s", w.Code, w.Body)
	}
	if diff := cmp.Diff([]string{"per_1 192.0.2.0"}, f.confirmed); diff != "" {
		t.Error(diff)
	}
	f.ask.Open = false
	for _, w := range []*httptest.ResponseRecorder{f.get(target), f.post(target, nil)} {
		if w.Code != 410 || !strings.Contains(w.Body.String(), "expired") {
			t.Errorf("expired: %d %s", w.Code, w.Body)
		}
	}
	for _, bad := range []string{target[:len(target)-2], outbox.ConfirmPath + "x"} {
		if w := f.get(bad); w.Code != 404 {
			t.Errorf("%s: %d", bad, w.Code)
		}
		if w := f.post(bad, nil); w.Code != 404 {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}
	f.ask.Open, f.err = true, errors.New("disk full")
	if w := f.post(target, nil); w.Code != 503 {
		t.Errorf("broken: %d", w.Code)
	}
}
