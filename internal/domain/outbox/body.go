package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Body is what belongs to one message alone: its own words, if it has no template, and what is attached. It is kept sealed, apart from
// the message, until some days after it has gone.
type Body struct {
	Subject     string               `json:"subject,omitempty"`
	HTML        string               `json:"html,omitempty"`
	Text        string               `json:"text,omitempty"` // empty: made from HTML
	FromName    string               `json:"from_name,omitempty"`
	ReplyTo     string               `json:"reply_to,omitempty"`
	Locale      string               `json:"locale,omitempty"` // of the words, or wanted of the template; empty: the person's
	Attachments []channel.Attachment `json:"attachments,omitempty"`
}

func (b *Body) words() bool { return b.Subject != "" || b.HTML != "" || b.Text != "" }

// Limits of a body, in bytes unless said otherwise.
const (
	MaxSubject     = 1000 // characters
	MaxText        = 512 << 10
	MaxAttachments = 20       // files
	MaxAttached    = 10 << 20 // all files together; many servers refuse mails of more than 25 MB, and base64 adds a third
	maxFileName    = 200
	maxFromName    = 200 // characters
)

// barred are endings that mail providers refuse to deliver (Gmail's list of blocked file types).
var barred = []string{
	".ade", ".adp", ".apk", ".app", ".bat", ".chm", ".cmd", ".com", ".cpl", ".dll", ".dmg", ".exe", ".hta", ".ins", ".iso", ".isp", ".jar",
	".js", ".jse", ".lib", ".lnk", ".mde", ".msc", ".msi", ".msp", ".mst", ".nsh", ".pif", ".ps1", ".scr", ".sct", ".shb", ".sys", ".vb",
	".vbe", ".vbs", ".vhd", ".vxd", ".wsc", ".wsf", ".wsh",
}

// Validate names the first thing that no mail may hold. raw says that the body must have words of its own.
func (b *Body) Validate(raw bool) error {
	switch {
	case raw && strings.TrimSpace(b.Subject) == "":
		return errs.Invalid("message.subject_missing", "subject", "give the message a subject, or name a template")
	case raw && b.HTML == "" && b.Text == "":
		return errs.Invalid("message.content_missing", "html", "give the message html or text, or name a template")
	case !raw && b.words():
		return errs.Invalid("message.content_twice", "template", "give either a template or subject, html and text of your own")
	case utf8.RuneCountInString(b.Subject) > MaxSubject || strings.ContainsFunc(b.Subject, unicode.IsControl):
		return errs.Invalid("message.subject_invalid", "subject", "one line of at most %d characters", MaxSubject)
	case utf8.RuneCountInString(b.FromName) > maxFromName || strings.ContainsFunc(b.FromName, unicode.IsControl):
		return errs.Invalid("message.from_name_invalid", "from_name", "one line of at most %d characters", maxFromName)
	case len(b.HTML) > MaxText:
		return errs.Invalid("message.too_large", "html", "at most %d KB", MaxText>>10)
	case len(b.Text) > MaxText:
		return errs.Invalid("message.too_large", "text", "at most %d KB", MaxText>>10)
	case b.ReplyTo != "" && !validAddress(KindEmail, b.ReplyTo):
		return errs.Invalid("message.reply_to_invalid", "reply_to", "%q is no mail address", b.ReplyTo)
	case len(b.Attachments) > MaxAttachments:
		return errs.Invalid("message.attachments_too_many", "attachments", "at most %d files", MaxAttachments)
	}
	total := 0
	for i := range b.Attachments {
		if err := validFile(&b.Attachments[i], fmt.Sprintf("attachments[%d]", i)); err != nil {
			return err
		}
		total += len(b.Attachments[i].Content)
	}
	if total > MaxAttached {
		return errs.Invalid("message.attachments_too_large", "attachments", "%d bytes; at most %d in all: link to what is larger", total, MaxAttached)
	}
	return inert(b.HTML)
}

func validFile(a *channel.Attachment, field string) error {
	switch {
	case a.Name == "" || len(a.Name) > maxFileName || strings.ContainsAny(a.Name, "/\\") || strings.ContainsFunc(a.Name, unicode.IsControl):
		return errs.Invalid("message.attachment.name", field+".name", "a file name of at most %d bytes, without a path", maxFileName)
	case slices.Contains(barred, strings.ToLower(path.Ext(a.Name))):
		return errs.Invalid("message.attachment.barred", field+".name", "mail providers refuse %s files; send a link to it", path.Ext(a.Name))
	case len(a.Content) == 0:
		return errs.Invalid("message.attachment.empty", field+".content", "the file is empty; give its bytes in base64")
	}
	if a.Type == "" {
		a.Type = "application/octet-stream"
	}
	kind, _, err := mime.ParseMediaType(a.Type)
	if err != nil || !strings.Contains(kind, "/") || strings.HasPrefix(kind, "multipart/") || strings.HasPrefix(kind, "message/") {
		return errs.Invalid("message.attachment.type", field+".type", "%q is no media type of a file, such as application/pdf", a.Type)
	}
	a.Type = kind
	return nil
}

// active are elements that do something in a browser. No mail program runs them; the page that shows a sent message must not either.
var active = []string{
	"script", "iframe", "frame", "frameset", "object", "embed", "applet", "form", "input", "button", "select", "textarea", "base", "link", "meta", "svg", "math", "video", "audio", "portal",
}

// harmless are the attributes of an HTML document's head that active would bar.
func harmless(t html.Token) bool {
	if t.Data != "meta" {
		return false
	}
	for _, a := range t.Attr {
		if strings.EqualFold(a.Key, "http-equiv") && !strings.EqualFold(a.Val, "content-type") {
			return false
		}
	}
	return true
}

// inert refuses HTML that does something. It is refused and not cleaned: what went out must be what was asked for.
func inert(doc string) error {
	if doc == "" {
		return nil
	}
	z := html.NewTokenizer(strings.NewReader(doc))
	bad := func(what string) error {
		return errs.Invalid("message.html.active", "html", "%s does not belong into a mail; take it out", what)
	}
	for {
		switch z.Next() {
		case html.ErrorToken:
			return nil // the end: a tokenizer reads anything
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			if slices.Contains(active, t.Data) && !harmless(t) {
				return bad("the element <" + t.Data + ">")
			}
			for _, a := range t.Attr {
				key := strings.ToLower(a.Key)
				switch {
				case strings.HasPrefix(key, "on"):
					return bad("the attribute " + key)
				case (key == "href" || key == "src" || key == "background" || key == "action" || key == "formaction" || key == "poster" || strings.HasSuffix(key, ":href")) && !leads(a.Val, key):
					return bad(fmt.Sprintf("the address %q", cutTo(a.Val, 60)))
				case key == "style" && strings.Contains(strings.ToLower(a.Val), "expression("):
					return bad("expression() in a style")
				}
			}
		}
	}
}

func cutTo(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}

// leads reports whether an address in a mail leads to something that a reader may follow.
func leads(raw, key string) bool {
	address := strings.ToLower(strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f { // browsers skip them
			return -1
		}
		return r
	}, raw))
	scheme, _, has := strings.Cut(address, ":")
	if !has || strings.ContainsAny(scheme, "/?#") {
		return true // relative, an anchor or empty: leads nowhere, harms nobody
	}
	switch scheme {
	case "http", "https", "mailto", "tel", "sms", "cid":
		return true
	case "data":
		return key == "src" && strings.HasPrefix(address, "data:image/") && !strings.HasPrefix(address, "data:image/svg")
	}
	return false
}

const bodyPurpose = "message/body"

func (s *Service) sealBody(b *Body) ([]byte, error) {
	raw, err := json.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("encode body: %w", err)
	}
	return s.box.Seal(bodyPurpose, raw), nil
}

// body returns what belongs to the message alone, nil if nothing does. A body that was purged cannot be sent any more.
func (s *Service) body(ctx context.Context, m Message) (*Body, error) {
	if !m.Body {
		return nil, nil
	}
	sealed, err := s.store.Body(ctx, m.Workspace, m.ID)
	if err != nil {
		return nil, fmt.Errorf("load body: %w", err)
	}
	raw, err := s.box.Open(bodyPurpose, sealed)
	if err != nil {
		return nil, errs.Invalid("message.body.sealed", "", "the words of this message cannot be read; was the master key changed?").With(err)
	}
	var b Body
	if err := json.Unmarshal(raw, &b); err != nil {
		return nil, errors.Join(errs.Invalid("message.body.broken", "", "the words of this message are broken"), err)
	}
	return &b, nil
}

// bodyDays is how long the words of a message are kept once it has reached its final state.
const bodyDays = 7

// PurgeBodies forgets bodies of messages that have reached their final state, and returns how many.
func (s *Service) PurgeBodies(ctx context.Context, limit int) (int64, error) {
	return s.store.PurgeBodies(ctx, s.clock.Now().Add(-bodyDays*24*time.Hour), limit)
}
