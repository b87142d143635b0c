package tracking

import (
	"embed"
	"encoding/json"
	"html/template"
	"mime"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/text/language"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
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
	Lang   string
	Title  string
	Notice string // key of what has just happened
	Prefs  *outbox.Preferences
	Topic  string // of the message; empty if it had none
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
main { max-width: 34rem; margin: 0 auto; }
h1 { font-size: 1.4rem; line-height: 1.3; }
h2 { font-size: 1.05rem; margin-top: 2.5rem; }
.notice { border: 1px solid var(--line); border-left: 4px solid var(--strong); padding: .7rem 1rem; border-radius: 6px; }
label { display: flex; gap: .7rem; padding: .6rem 0; border-bottom: 1px solid var(--line); }
small { display: block; opacity: .75; }
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
<label><input type="checkbox" name="topic" value="{{.Topic.ID}}"{{if .Subscribed}} checked{{end}}> <span>{{.Topic.Name}}{{with .Topic.Description}}<small>{{.}}</small>{{end}}</span></label>
{{- end}}
<button name="action" value="save">{{$.T "save"}}</button>
</form>
{{- end}}
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
	v.words = words{v.Lang, strings.NewReplacer("{topic}", v.Topic, "{address}", prefs.Address, "{sender}", prefs.Sender)}
	if prefs.Sender == "" {
		v.fill = strings.NewReplacer("{topic}", v.Topic, "{address}", prefs.Address, "{sender}", catalogs()[v.Lang]["nameless"])
	}
	write(w, http.StatusOK, v)
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
	const page = "preference_page"
	notice := ""
	switch form := r.PostForm; {
	case form.Get("List-Unsubscribe") == "One-Click":
		if err := h.Outbox.Unsubscribe(r.Context(), link, false, "one_click"); err != nil {
			h.fail(w, r, link, err)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("unsubscribed\n"))
		return
	case form.Get("action") == "topic":
		notice, err = "left_topic", h.Outbox.Unsubscribe(r.Context(), link, false, page)
	case form.Get("action") == "all":
		notice, err = "left_all", h.Outbox.Unsubscribe(r.Context(), link, true, page)
	case form.Get("action") == "save":
		wanted := map[string]bool{}
		for _, id := range form["topic"] {
			wanted[id] = true
		}
		notice, err = "saved", h.Outbox.Choose(r.Context(), link, wanted, page)
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
