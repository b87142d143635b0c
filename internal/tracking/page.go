package tracking

import (
	"embed"
	"encoding/json"
	"html/template"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/language"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/network"
)

//go:embed catalog/*.json
var catalogFiles embed.FS

// locales are the languages of the page; the first stands in for all others.
var locales = []string{"en", "zh-Hans", "ja"}

var (
	catalogs = sync.OnceValue(func() map[string]map[string]string {
		out := map[string]map[string]string{}
		for _, locale := range locales {
			raw, err := catalogFiles.ReadFile("catalog/" + locale + ".json")
			if err != nil {
				panic(err) // embedded
			}
			var words map[string]string
			if err := json.Unmarshal(raw, &words); err != nil {
				panic(err)
			}
			out[locale] = words
		}
		return out
	})
	matcher = sync.OnceValue(func() language.Matcher {
		tags := make([]language.Tag, len(locales))
		for i, l := range locales {
			tags[i] = language.MustParse(l)
		}
		return language.NewMatcher(tags)
	})
)

// locale chooses the page's language: what the browser asks for, else what is known of the person.
func locale(r *http.Request, person string) string {
	for _, wanted := range []string{r.Header.Get("Accept-Language"), strings.ReplaceAll(person, "_", "-")} {
		tags, _, err := language.ParseAcceptLanguage(wanted)
		if err != nil || len(tags) == 0 {
			continue
		}
		if _, i, confidence := matcher().Match(tags...); confidence > language.No {
			return locales[i]
		}
	}
	return locales[0]
}

// words looks a page's texts up, with the names filled in. The template escapes them.
type words struct {
	lang string
	fill *strings.Replacer
}

// T returns a text.
func (w words) T(key string) string { return w.fill.Replace(catalogs()[w.lang][key]) }

type view struct {
	words
	Lang    string
	Title   string
	Notice  string // key of what has just happened
	Prefs   *outbox.Preferences
	Topic   string // of the message; empty if it had none
	Why     string // key of the sentence that says why the message came; empty: nothing is known
	Pause   string // "" while nothing can be received anyway; else "pause" or "resume"
	Ask     bool   // the page of a confirmation mail that waits for the answer
	Several bool   // more than one channel is offered, so each is named
}

// On names a channel in the reader's language.
func (v view) On(channel string) string {
	if w, ok := catalogs()[v.Lang]["channel_"+channel]; ok {
		return w
	}
	return channel
}

var pageTemplate = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="{{.Lang}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{.T .Title}}</title>
<style>
:root { color-scheme: light dark; --line: #8886; --strong: #1f5eff; }
body { font: 16px/1.6 system-ui, sans-serif; margin: 0; padding: 6vh 20px; }
:lang(zh) { text-autospace: ideograph-alpha; }
main { max-width: 34rem; margin: 0 auto; }
h1 { font-size: 1.4rem; line-height: 1.3; }
h2 { font-size: 1.05rem; margin-top: 2.5rem; }
.notice { border: 1px solid var(--line); border-left: 4px solid var(--strong); padding: .7rem 1rem; border-radius: 6px; }
label { display: flex; gap: .7rem; padding: .6rem 0; border-bottom: 1px solid var(--line); }
small { display: block; opacity: .75; }
fieldset { border: 0; margin: 1.5rem 0 0; padding: 0; }
legend { font-weight: 600; padding: 0; }
button { font: inherit; padding: .6rem 1.1rem; border-radius: 6px; border: 1px solid var(--line); background: transparent; color: inherit; cursor: pointer; margin: .6rem .6rem 0 0; }
button.main { background: var(--strong); border-color: var(--strong); color: #fff; }
button:focus-visible, input:focus-visible { outline: 3px solid var(--strong); outline-offset: 2px; }
</style>
</head>
<body>
<main>
<h1>{{.T .Title}}</h1>
{{- with .Notice}}
<p class="notice" role="status">{{$.T .}}</p>
{{- end}}
{{- with .Prefs}}
<p>{{$.T "intro"}}</p>
{{- with $.Why}}
<p><small>{{$.T .}}</small></p>
{{- end}}
<form method="post">
{{- if and $.Topic (not $.Notice)}}
<button class="main" name="action" value="topic">{{$.T "leave_topic"}}</button>
{{- end}}
<button name="action" value="all">{{$.T "leave_all"}}</button>
</form>
{{- if .Topics}}
<h2>{{$.T "choose"}}</h2>
<form method="post">
{{- range .Topics}}
<label><input type="checkbox" name="topic" value="{{.Value}}"{{if .Subscribed}} checked{{end}}> <span>{{.Topic.Name}}{{if $.Several}} · {{$.On .Channel}}{{end}}{{if .Pending}} · {{$.T "pending"}}{{end}}{{with .Topic.Description}}<small>{{.}}</small>{{end}}</span></label>
{{- end}}
<fieldset>
<legend>{{$.T "how_often"}}</legend>
<label><input type="radio" name="frequency" value="all"{{if not .Settings.Weekly}} checked{{end}}> <span>{{$.T "often_all"}}</span></label>
<label><input type="radio" name="frequency" value="weekly"{{if .Settings.Weekly}} checked{{end}}> <span>{{$.T "often_weekly"}}</span></label>
</fieldset>
<button name="action" value="save">{{$.T "save"}}</button>
</form>
{{- end}}
<h2>{{$.T "pause_title"}}</h2>
<form method="post">
{{- if eq $.Pause "resume"}}
<p>{{$.T "paused"}}</p>
<button name="action" value="resume">{{$.T "resume"}}</button>
{{- else}}
<p><small>{{$.T "pause_hint"}}</small></p>
<button name="action" value="pause">{{$.T "pause"}}</button>
{{- end}}
</form>
{{- end}}
{{- if .Ask}}
<p>{{.T "ask"}}</p>
<form method="post"><button class="main" name="action" value="confirm">{{.T "ask_yes"}}</button></form>
{{- end}}
</main>
</body>
</html>
`))

func (h *handler) page(w http.ResponseWriter, r *http.Request) {
	h.show(w, r, "")
}

// show writes the page as things stand now, with a notice of what has just happened.
func (h *handler) show(w http.ResponseWriter, r *http.Request, notice string) {
	link, err := h.Outbox.Links().ReadUnsubscribe(r.PathValue("token"))
	if err != nil {
		h.notice(w, r, http.StatusNotFound, "broken")
		return
	}
	if h.elsewhere(w, r, link.Workspace) {
		return
	}
	prefs, err := h.Outbox.Preferences(r.Context(), link)
	if err != nil {
		h.fail(w, r, link, err)
		return
	}
	v := view{Lang: locale(r, prefs.Locale), Title: "title", Notice: notice, Prefs: &prefs}
	for _, t := range prefs.Topics {
		if t.Current {
			v.Topic = t.Topic.Name
		}
	}
	channels := map[string]bool{}
	for _, t := range prefs.Topics {
		channels[t.Channel] = true
	}
	v.Several = len(channels) > 1
	if prefs.Why.Kind != "" {
		v.Why = "why_" + prefs.Why.Kind
	}
	if v.Pause = "pause"; !prefs.Settings.PausedUntil.IsZero() {
		v.Pause = "resume"
	}
	v.words = fillWith(v.Lang, prefs.Sender, "{topic}", v.Topic, "{address}", prefs.Address, "{why_topic}", prefs.Why.Topic,
		"{since}", day(v.Lang, prefs.Why.Since), "{until}", day(v.Lang, prefs.Settings.PausedUntil))
	write(w, http.StatusOK, v)
}

// fillWith looks texts up with names filled in; a sender without a name is "us".
func fillWith(lang, sender string, pairs ...string) words {
	if sender == "" {
		sender = catalogs()[lang]["nameless"]
	}
	return words{lang, strings.NewReplacer(append(pairs, "{sender}", sender)...)}
}

// day writes a date as the language does.
func day(lang string, t time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case lang == "en":
		return t.Format("2 January 2006")
	}
	return t.Format("2006年1月2日")
}

func (h *handler) fail(w http.ResponseWriter, r *http.Request, link outbox.Link, err error) {
	if errs.Is(err, errs.KindNotFound) {
		h.notice(w, r, http.StatusNotFound, "broken")
		return
	}
	h.Logger.Error("a preference page or choice failed", "message", link.MessageID, "err", err)
	w.Header().Set("Retry-After", "60")
	h.notice(w, r, http.StatusServiceUnavailable, "trouble")
}

// notice writes a page that says one thing.
func (h *handler) notice(w http.ResponseWriter, r *http.Request, status int, key string) {
	v := view{Lang: locale(r, ""), Title: key + "_title", Notice: key}
	v.words = words{v.Lang, strings.NewReplacer()}
	write(w, status, v)
}

func write(w http.ResponseWriter, status int, v view) {
	head := w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Content-Language", v.Lang)
	head.Set("Vary", "Accept-Language")
	head.Set("Cache-Control", "no-store, private")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("X-Robots-Tag", "noindex")
	head.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	w.WriteHeader(status)
	_ = pageTemplate.Execute(w, v) // only fails if the reader has gone away
}

// maxForm is far more than the form with every topic ticked.
const maxForm = 64 << 10

// unsubscribe takes the page's form and one-click requests. Mail providers send the latter without cookies and follow no redirect; the
// body is a form of either encoding (RFC 8058, section 3.1).
func (h *handler) unsubscribe(w http.ResponseWriter, r *http.Request) {
	link, err := h.Outbox.Links().ReadUnsubscribe(r.PathValue("token"))
	if err != nil {
		h.notice(w, r, http.StatusNotFound, "broken")
		return
	}
	if h.elsewhere(w, r, link.Workspace) {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "multipart/form-data" {
		err = r.ParseMultipartForm(maxForm)
	} else {
		err = r.ParseForm()
	}
	if err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	by := outbox.Said{Source: "preference_page", IP: network.OfText(h.ClientIP(r))}
	notice := ""
	switch form := r.PostForm; {
	case form.Get("List-Unsubscribe") == "One-Click":
		if err := h.Outbox.Unsubscribe(r.Context(), link, false, outbox.Said{Source: "one_click", IP: by.IP}); err != nil {
			h.fail(w, r, link, err)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("unsubscribed\n"))
		return
	case form.Get("action") == "topic":
		notice, err = "left_topic", h.Outbox.Unsubscribe(r.Context(), link, false, by)
	case form.Get("action") == "all":
		notice, err = "left_all", h.Outbox.Unsubscribe(r.Context(), link, true, by)
	case form.Get("action") == "pause":
		notice, err = "pause_on", h.Outbox.Pause(r.Context(), link, true, by)
	case form.Get("action") == "resume":
		notice, err = "pause_off", h.Outbox.Pause(r.Context(), link, false, by)
	case form.Get("action") == "save":
		wanted := map[string]bool{}
		for _, id := range form["topic"] {
			wanted[id] = true
		}
		notice, err = "saved", h.Outbox.Choose(r.Context(), link, wanted, form.Get("frequency") == "weekly", by)
	default:
		http.Error(w, "the form names no action", http.StatusBadRequest)
		return
	}
	if err != nil {
		h.fail(w, r, link, err)
		return
	}
	h.show(w, r, notice)
}

// confirmation shows what a confirmation mail asks. Looking at it changes nothing: scanners follow every link of a mail.
func (h *handler) confirmation(w http.ResponseWriter, r *http.Request) {
	c, err := h.Outbox.Links().ReadConfirm(r.PathValue("token"))
	if err != nil {
		h.notice(w, r, http.StatusNotFound, "broken")
		return
	}
	if h.elsewhere(w, r, c.Workspace) {
		return
	}
	a, err := h.Outbox.Asked(r.Context(), c)
	if err != nil {
		h.fail(w, r, outbox.Link{}, err)
		return
	}
	h.answer(w, r, a, "")
}

func (h *handler) answer(w http.ResponseWriter, r *http.Request, a outbox.Asked, notice string) {
	v := view{Lang: locale(r, a.Locale), Title: "confirm_title", Notice: notice, Ask: notice == "" && a.Open && !a.Done}
	status := http.StatusOK
	switch {
	case notice != "" || v.Ask:
	case a.Done:
		v.Notice = "confirmed"
	default:
		v.Notice, status = "confirm_expired", http.StatusGone
	}
	v.words = fillWith(v.Lang, a.Sender, "{topic}", a.Topic.Name, "{address}", a.Address)
	write(w, status, v)
}

// confirm takes the answer.
func (h *handler) confirm(w http.ResponseWriter, r *http.Request) {
	c, err := h.Outbox.Links().ReadConfirm(r.PathValue("token"))
	if err != nil {
		h.notice(w, r, http.StatusNotFound, "broken")
		return
	}
	if h.elsewhere(w, r, c.Workspace) {
		return
	}
	a, err := h.Outbox.Asked(r.Context(), c)
	if err == nil {
		err = h.Outbox.Confirm(r.Context(), c, outbox.Said{IP: network.OfText(h.ClientIP(r))})
	}
	switch {
	case err == nil:
		h.answer(w, r, a, "confirmed")
	case errs.Is(err, errs.KindNotFound) && a.Topic.ID != "":
		a.Open, a.Done = false, false
		h.answer(w, r, a, "")
	default:
		h.fail(w, r, outbox.Link{}, err)
	}
}
