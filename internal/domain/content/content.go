package content

import (
	"errors"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

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

// Draft is what an author writes. Subject, Preheader, HTML and Text are Liquid.
type Draft struct {
	Name      string `json:"name"`
	Channel   string `json:"channel"`   // "email"
	Subject   string `json:"subject"`   // one line
	Preheader string `json:"preheader"` // the line that mail programs show after the subject
	HTML      string `json:"html"`      // a document, or what stands in its body
	Text      string `json:"text"`      // the alternative for programs without HTML; empty: made from HTML
	FromName  string `json:"from_name"` // empty: the account's
	ReplyTo   string `json:"reply_to"`  // empty: the account's
	// ValueProposition says, for the team alone, why the reader would open, read and click this.
	ValueProposition string `json:"value_proposition"`
}

// Template is one version of a draft, with what identifies it.
type Template struct {
	ID      string
	Key     string // stable name of a template that the product makes itself, unique in the workspace; else empty
	Version int    // from 1
	Status  Status
	Draft
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
)

// Finding is something about a draft that its author should know.
type Finding struct {
	Field   string `json:"field"`          // "html", "subject" ...
	Code    string `json:"code"`           // "unknown", "missing", "unsafe_url", "clipped" ... or a liquid code
	Name    string `json:"name,omitempty"` // the variable concerned
	Line    int    `json:"line,omitempty"` // from 1; 0 if it concerns the whole field
	Col     int    `json:"col,omitempty"`  // from 1, in characters
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
	if strings.TrimSpace(d.HTML) == "" {
		d.HTML = ""
	}
	if strings.TrimSpace(d.Text) == "" {
		d.Text = ""
	}
	return d
}

// Validate returns everything that keeps the draft from being saved, joined; errors in the language carry line
// and column in their message.
func (d Draft) Validate() error {
	_, err := compile(d.normal())
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
	text("subject", d.Subject, MaxSubject, false)
	text("preheader", d.Preheader, MaxPreheader, false)
	text("from_name", d.FromName, MaxName, true)
	text("value_proposition", d.ValueProposition, MaxValueProposition, false)
	if d.Channel != Email {
		add("channel", "channel", "there is no channel %q for templates; use %q", d.Channel, Email)
	}
	if d.Subject == "" {
		add("subject_missing", "subject", "a mail needs a subject")
	}
	if d.HTML == "" && d.Text == "" {
		add("body_missing", "html", "write what the mail says, as HTML or as text")
	}
	for _, f := range []struct{ field, v string }{{"html", d.HTML}, {"text", d.Text}} {
		if len(f.v) > MaxBody {
			add("too_long", f.field, "%d bytes; at most %d fit here: host images elsewhere and link to them", len(f.v), MaxBody)
		}
	}
	for _, f := range []struct{ field, v string }{{"name", d.Name}, {"subject", d.Subject}, {"preheader", d.Preheader}, {"html", d.HTML}, {"text", d.Text}, {"from_name", d.FromName}, {"value_proposition", d.ValueProposition}} {
		if !utf8.ValidString(f.v) || strings.ContainsRune(f.v, 0) {
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

// languageError turns a liquid error into one that names the field.
func languageError(field string, err error) error {
	var e *liquid.Error
	if !errors.As(err, &e) {
		return err
	}
	return errs.Invalid("content.template."+e.Code, field, "line %d, column %d: %s", e.Line, e.Col, e.Msg).With(err)
}
