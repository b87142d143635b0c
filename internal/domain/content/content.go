package content

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/domain/content/block"
	"github.com/kizuna-cx/kizuna/internal/domain/content/brand"
	"github.com/kizuna-cx/kizuna/internal/domain/content/liquid"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Status says whether a template may be used for new messages.
type Status string

// The statuses.
const (
	Active   Status = "active"
	Archived Status = "archived"
)

// Email is the channel of mail templates.
const Email = "email"

// The kinds of templates.
const (
	Code   = "code"   // HTML and text as an author wrote them
	Blocks = "blocks" // a document of blocks, which the brand dresses
)

// Draft is what an author writes. Subject, Preheader, HTML and Text are Liquid.
type Draft struct {
	Name      string          `json:"name"`
	Channel   string          `json:"channel"`            // "email"
	Kind      string          `json:"kind"`               // "code" or "blocks"; if empty, what the body is
	Locale    string          `json:"locale"`             // language of the fields below, the main one; empty: not said
	Subject   string          `json:"subject"`            // one line
	Preheader string          `json:"preheader"`          // the line that mail programs show after the subject
	HTML      string          `json:"html"`               // a document, or what stands in its body
	Text      string          `json:"text"`               // the alternative for programs without HTML; empty: made from HTML
	Document  json.RawMessage `json:"document,omitempty"` // of kind "blocks", in place of HTML and Text
	// Translations are the same in other languages.
	Translations []Translation `json:"translations,omitempty"`
	FromName     string        `json:"from_name"` // empty: the account's
	ReplyTo      string        `json:"reply_to"`  // empty: the account's
	// ValueProposition says, for the team alone, why the reader would open this.
	ValueProposition string  `json:"value_proposition"`
	Purpose          Purpose `json:"purpose"`
}

// Purpose is what the team has thought about before asking somebody for attention. All of it is for the team alone.
type Purpose struct {
	Read   string `json:"read,omitempty" doc:"why the reader reads on after the first line"`
	Click  string `json:"click,omitempty" doc:"why the reader clicks or answers"`
	Action string `json:"action,omitempty" doc:"the one thing the reader is meant to do"`
	Ask    string `json:"ask,omitempty" doc:"what is asked of the reader: a review, an answer, data; empty if nothing is"`
	Why    string `json:"why,omitempty" doc:"why it is asked"`
	Who    string `json:"who,omitempty" doc:"which team asks"`
	Use    string `json:"use,omitempty" doc:"what the answer is used for, and what the reader gets from it"`
}

// Translation is the words of a template in one language.
type Translation struct {
	Locale    string          `json:"locale"` // BCP 47
	Subject   string          `json:"subject"`
	Preheader string          `json:"preheader,omitempty"`
	HTML      string          `json:"html,omitempty"`
	Text      string          `json:"text,omitempty"`
	Document  json.RawMessage `json:"document,omitempty"`
}

// translations returns the main text and the others.
func (d Draft) translations() []Translation {
	main := Translation{d.Locale, d.Subject, d.Preheader, d.HTML, d.Text, d.Document}
	return append([]Translation{main}, d.Translations...)
}

// same tells whether two drafts say the same.
func (d Draft) same(o Draft) bool {
	a, err := json.Marshal(d)
	b, err2 := json.Marshal(o)
	return err == nil && err2 == nil && string(a) == string(b)
}

// Template is one version of a draft, with what identifies it.
type Template struct {
	ID      string
	Key     string // stable name of a template that the product makes itself, unique in the workspace; else empty
	Version int    // from 1
	Status  Status
	Draft
	Pins      Pins      // what it was compiled with
	CreatedAt time.Time // of the template
	UpdatedAt time.Time // of this version; later if the status has changed since
}

// Bounds of what an author may write, in characters unless said otherwise.
const (
	MaxName             = 200
	MaxSubject          = 1000
	MaxPreheader        = 2000
	MaxValueProposition = 4000
	MaxBody             = 512 << 10 // bytes, of HTML and of Text
	MaxTranslations     = 40
)

// Finding is something about a draft that its author should know.
type Finding struct {
	Group   string `json:"group,omitempty"`  // "variable", "link", "access", "spam", "length", "purpose", "brand", "language"; empty: an error, or a value that is missing
	Field   string `json:"field"`            // "html", "subject" ...
	Code    string `json:"code"`             // "unknown", "missing", "unsafe_url", "clipped" ... or a liquid code
	Name    string `json:"name,omitempty"`   // the variable concerned
	Like    string `json:"like,omitempty"`   // of an unknown variable: the one that was probably meant
	Path    string `json:"-"`                // of an unknown variable: see liquid.Problem
	Locale  string `json:"locale,omitempty"` // of the text concerned
	Block   string `json:"block,omitempty"`  // id of the block concerned
	Line    int    `json:"line,omitempty"`   // from 1; 0 if it concerns the whole field
	Col     int    `json:"col,omitempty"`    // from 1, in characters
	Message string `json:"message"`
	Error   bool   `json:"error"` // the draft cannot be saved
}

// normal brings a draft into the form that is kept.
func (d Draft) normal() Draft {
	d.Name = strings.TrimSpace(d.Name)
	d.Subject = strings.TrimSpace(d.Subject)
	d.Preheader = strings.TrimSpace(d.Preheader)
	d.FromName = strings.TrimSpace(d.FromName)
	d.ReplyTo = strings.TrimSpace(d.ReplyTo)
	d.ValueProposition = strings.TrimSpace(d.ValueProposition)
	if d.Channel == "" {
		d.Channel = Email
	}
	if d.Kind == "" {
		d.Kind = Code
		if empty(d.Document) != nil {
			d.Kind = Blocks
		}
	}
	d.Locale = brand.Tag(d.Locale)
	for _, p := range []*string{&d.Purpose.Read, &d.Purpose.Click, &d.Purpose.Action, &d.Purpose.Ask, &d.Purpose.Why, &d.Purpose.Who, &d.Purpose.Use} {
		*p = strings.TrimSpace(*p)
	}
	main := Translation{d.Locale, d.Subject, d.Preheader, d.HTML, d.Text, d.Document}.normal()
	d.Subject, d.Preheader, d.HTML, d.Text, d.Document = main.Subject, main.Preheader, main.HTML, main.Text, main.Document
	if len(d.Translations) == 0 {
		d.Translations = nil
	}
	d.Translations = slices.Clone(d.Translations)
	for i, t := range d.Translations {
		d.Translations[i] = t.normal()
	}
	slices.SortStableFunc(d.Translations, func(a, b Translation) int { return strings.Compare(a.Locale, b.Locale) })
	return d
}

func (t Translation) normal() Translation {
	t.Locale = brand.Tag(t.Locale)
	t.Subject, t.Preheader = strings.TrimSpace(t.Subject), strings.TrimSpace(t.Preheader)
	if strings.TrimSpace(t.HTML) == "" {
		t.HTML = ""
	}
	if strings.TrimSpace(t.Text) == "" {
		t.Text = ""
	}
	if t.Document = empty(t.Document); t.Document != nil {
		if doc, err := block.Parse(t.Document); err == nil {
			t.Document = doc.Encode()
		}
	}
	return t
}

// empty returns nil for a document that is none.
func empty(raw json.RawMessage) json.RawMessage {
	if s := strings.TrimSpace(string(raw)); s == "" || s == "null" {
		return nil
	}
	return raw
}

// Validate returns everything that keeps the draft from being saved, joined; errors in the language carry line
// and column in their message.
func (d Draft) Validate() error {
	_, err := compileAll(d.normal(), plainKit())
	return err
}

// check returns everything wrong with the fields beside the language.
func (d Draft) check() []error {
	var all []error
	add := func(code, field, format string, args ...any) {
		all = append(all, errs.Invalid("content.template."+code, field, format, args...))
	}
	text := func(field, v string, maximum int, oneLine bool) {
		if n := utf8.RuneCountInString(v); n > maximum {
			add("too_long", field, "%d characters; at most %d fit here", n, maximum)
		}
		if oneLine && strings.ContainsAny(v, "\r\n") {
			add("one_line", field, "this must be one line")
		}
	}
	if d.Name == "" {
		add("name_missing", "name", "give the template a name that your team will recognise")
	}
	text("name", d.Name, MaxName, true)
	text("from_name", d.FromName, MaxName, true)
	text("value_proposition", d.ValueProposition, MaxValueProposition, false)
	if d.Channel != Email {
		add("channel", "channel", "there is no channel %q for templates; use %q", d.Channel, Email)
	}
	if d.Kind != Code && d.Kind != Blocks {
		add("kind", "kind", "there is no kind %q of templates; use %q or %q", d.Kind, Blocks, Code)
	}
	seen := map[string]bool{strings.ToLower(d.Locale): true}
	if len(d.Translations) > MaxTranslations {
		add("too_many", "translations", "%d languages; at most %d fit here", len(d.Translations), MaxTranslations)
	}
	if len(d.Translations) > 0 && d.Locale == "" {
		add("locale_missing", "locale", "say which language the main text is in, so that it is clear who gets which")
	}
	if d.Locale != "" && !brand.ValidTag(d.Locale) {
		add("locale", "locale", "%q is no language; write it like en, zh-Hans or ja", d.Locale)
	}
	for i, t := range d.translations() {
		at := ""
		if i > 0 {
			at = fmt.Sprintf("translations[%d].", i-1)
			switch {
			case !brand.ValidTag(t.Locale):
				add("locale", at+"locale", "%q is no language; write it like en, zh-Hans or ja", t.Locale)
			case seen[strings.ToLower(t.Locale)]:
				add("locale_twice", at+"locale", "there is a text in %s already", t.Locale)
			}
			seen[strings.ToLower(t.Locale)] = true
		}
		text(at+"subject", t.Subject, MaxSubject, false)
		text(at+"preheader", t.Preheader, MaxPreheader, false)
		if t.Subject == "" {
			add("subject_missing", at+"subject", "a mail needs a subject")
		}
		switch {
		case d.Kind == Blocks && t.Document == nil:
			add("body_missing", at+"document", "write what the mail says")
		case d.Kind == Blocks && (t.HTML != "" || t.Text != ""):
			add("two_bodies", at+"html", "HTML and text are made from the document; leave them out, or make a template of kind %q", Code)
		case d.Kind == Code && t.Document != nil:
			add("two_bodies", at+"document", "a template of kind %q has no document", Code)
		case d.Kind == Code && t.HTML == "" && t.Text == "":
			add("body_missing", at+"html", "write what the mail says, as HTML or as text")
		}
		for _, f := range []struct{ field, v string }{{"html", t.HTML}, {"text", t.Text}} {
			if len(f.v) > MaxBody {
				add("too_long", at+f.field, "%d bytes; at most %d fit here: host images elsewhere and link to them", len(f.v), MaxBody)
			}
		}
		for _, f := range []struct{ field, v string }{{"subject", t.Subject}, {"preheader", t.Preheader}, {"html", t.HTML}, {"text", t.Text}} {
			if !clean(f.v) {
				add("encoding", at+f.field, "this is not valid UTF-8 text")
			}
		}
	}
	p := d.Purpose
	for field, v := range map[string]string{"read": p.Read, "click": p.Click, "action": p.Action, "ask": p.Ask, "why": p.Why, "who": p.Who, "use": p.Use} {
		text("purpose."+field, v, MaxValueProposition, false)
		if !clean(v) {
			add("encoding", "purpose."+field, "this is not valid UTF-8 text")
		}
	}
	for _, f := range []struct{ field, v string }{{"name", d.Name}, {"from_name", d.FromName}, {"value_proposition", d.ValueProposition}} {
		if !clean(f.v) {
			add("encoding", f.field, "this is not valid UTF-8 text")
		}
	}
	if d.ReplyTo != "" {
		if a, err := mail.ParseAddress(d.ReplyTo); err != nil || a.Address != d.ReplyTo {
			add("reply_to", "reply_to", "%q is not a mail address; write it like service@example.com", d.ReplyTo)
		}
	}
	return all
}

func clean(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// inTranslation moves an error to the text it is about.
func inTranslation(i int, err error) []error {
	var out []error
	for _, e := range errs.All(err) {
		moved := *e
		moved.Field = fmt.Sprintf("translations[%d].%s", i, e.Field)
		out = append(out, &moved)
	}
	return out
}

// languageError turns a liquid error into one that names the field.
func languageError(field string, err error) error {
	var e *liquid.Error
	if !errors.As(err, &e) {
		return err
	}
	return errs.Invalid("content.template."+e.Code, field, "line %d, column %d: %s", e.Line, e.Col, e.Msg).With(err)
}
