package mailbox

import (
	"bytes"
	"io"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/emersion/go-message/mail"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Summary is a line of the list.
type Summary struct {
	ID      string // sorts in the order of arrival
	From    string // as it is shown: name and address
	To      string // envelope recipients, separated by commas
	Subject string
	Date    time.Time // as the sender wrote it
	Size    int       // bytes
}

// Mail is a message, read.
type Mail struct {
	Summary
	Headers []Header // in their order, decoded
	Text    string
	HTML    string
}

// Header is one line of a message's head.
type Header struct{ Name, Value string }

// List returns up to limit messages that came before the one with the id before ("": the newest), newest first.
func (m *Mailbox) List(before string, limit int) []Summary {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Summary
	for i := len(m.mails) - 1; i >= 0 && len(out) < limit; i-- {
		if before == "" || m.mails[i].ID < before {
			out = append(out, m.mails[i])
		}
	}
	return out
}

// Since returns the messages that came after the one with the id after ("": all), oldest first. Messages that were
// pruned meanwhile are left out.
func (m *Mailbox) Since(after string) ([]Mail, error) {
	m.mu.Lock()
	var ids []string
	for _, s := range m.mails {
		if s.ID > after {
			ids = append(ids, s.ID)
		}
	}
	m.mu.Unlock()
	var out []Mail
	for _, id := range ids {
		one, err := m.Read(id)
		if errs.Is(err, errs.KindNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// Read returns one message, or not_found.
func (m *Mailbox) Read(id string) (Mail, error) {
	raw, err := m.Raw(id)
	if err != nil {
		return Mail{}, err
	}
	return parse(id, raw), nil
}

func summarise(id string, raw []byte) Summary {
	s := Summary{ID: id, Size: len(raw)}
	r, err := gomail.CreateReader(bytes.NewReader(raw))
	if r == nil {
		s.Subject = "(" + err.Error() + ")"
		return s
	}
	defer r.Close()
	s.Subject, _ = r.Header.Subject()
	s.Date, _ = r.Header.Date()
	if list, err := r.Header.AddressList("From"); err == nil && len(list) > 0 {
		s.From = shown(list[0])
	} else {
		s.From = r.Header.Get("From")
	}
	var to []string
	for f := r.Header.FieldsByKey("Delivered-To"); f.Next(); {
		to = append(to, f.Value())
	}
	s.To = strings.Join(to, ", ")
	return s
}

// shown writes an address for reading; mail.Address.String would encode the name.
func shown(a *gomail.Address) string {
	plain := (&mail.Address{Address: a.Address}).String()
	if a.Name == "" {
		return strings.Trim(plain, "<>")
	}
	return a.Name + " " + plain
}

// parse reads what can be read; a broken message shows its source as text.
func parse(id string, raw []byte) Mail {
	out := Mail{Summary: summarise(id, raw)}
	r, _ := gomail.CreateReader(bytes.NewReader(raw)) // a reader comes with some errors, such as unknown charsets
	if r == nil {
		out.Text = strings.ToValidUTF8(string(raw), "\uFFFD")
		return out
	}
	defer r.Close()
	for f := r.Header.Fields(); f.Next(); {
		v, err := f.Text()
		if err != nil {
			v = f.Value()
		}
		out.Headers = append(out.Headers, Header{f.Key(), v})
	}
	for {
		p, err := r.NextPart()
		if err != nil { // the end, or what cannot be read
			return out
		}
		h, ok := p.Header.(*gomail.InlineHeader)
		if !ok {
			continue
		}
		body, err := io.ReadAll(io.LimitReader(p.Body, 10<<20))
		if err != nil && len(body) == 0 {
			continue
		}
		text := strings.ToValidUTF8(string(body), "\uFFFD")
		if kind, _, _ := h.ContentType(); kind == "text/html" {
			out.HTML += text
		} else {
			out.Text += text
		}
	}
}
