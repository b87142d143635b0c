package email_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/emersion/go-message/mail"
	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/channel/channeltest"
	"github.com/kizuna-cx/kizuna/internal/channel/email"
	"github.com/kizuna-cx/kizuna/internal/channel/email/smtptest"
)

// parts reads a mail with an independent parser and returns its two texts.
func parts(t testing.TB, raw []byte) (text, html string) {
	t.Helper()
	r, err := mail.CreateReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	for {
		p, err := r.NextPart()
		if err == io.EOF {
			return text, html
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(p.Body)
		if err != nil {
			t.Fatal(err)
		}
		if kind, _, _ := p.Header.(*mail.InlineHeader).ContentType(); kind == "text/html" {
			html = string(body)
		} else {
			text = string(body)
		}
	}
}

// post sends a message through a sender and returns what arrived.
func post(t testing.TB, m channel.Message) []byte {
	t.Helper()
	s := smtptest.Start(t)
	sender, err := email.New(email.Config{Host: s.Host(), Port: s.Port(), Security: email.None}, email.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	if o := sender.Send(t.Context(), m, ok); o.Result != channel.Sent {
		t.Fatalf("%+v", o)
	}
	return s.Messages()[0].Data
}

func TestAMailReadsBackAsItWasWritten(t *testing.T) {
	m := channeltest.Message("msg_01J", "taro@example.com")
	m.Subject = "日本語の件名：とても長いので折り返しが必要です。次の行にも続きます。さらに続きます。"
	m.From.Name = `Tea "Aoba", 青葉`
	m.ReplyTo = "service@shop.example"
	m.Text = "你好，世界\r\n.\r\n..dots\r\nFrom here\r\n"
	m.HTML = "<p title=\"x\">Mostly ASCII with é = 1</p>\r\n"
	m.Headers = map[string]string{"List-Unsubscribe": "<https://m.example/u/" + strings.Repeat("a", 100) + ">", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click", "X-Note": "注"}
	raw := post(t, m)
	r, err := mail.CreateReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	subject, _ := r.Header.Subject()
	from, _ := r.Header.AddressList("From")
	to, _ := r.Header.AddressList("To")
	reply, _ := r.Header.AddressList("Reply-To")
	id, _ := r.Header.MessageID()
	date, _ := r.Header.Date()
	note, _ := r.Header.Text("X-Note")
	got := fmt.Sprint(subject, "|", from[0].Name, from[0].Address, "|", to[0].Name, to[0].Address, "|", reply[0].Address, "|", id, "|", date.UTC(), "|", r.Header.Get("List-Unsubscribe"), "|", r.Header.Get("List-Unsubscribe-Post"), "|", note)
	want := fmt.Sprint(m.Subject, "|", m.From.Name, m.From.Addr, "|", m.To.Name, m.To.Addr, "|", m.ReplyTo, "|msg_01j@shop.example|", m.Date, "|", m.Headers["List-Unsubscribe"], "|", m.Headers["List-Unsubscribe-Post"], "|", "注")
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	text, html := parts(t, raw)
	if text != m.Text || html != m.HTML {
		t.Errorf("text %q, HTML %q", text, html)
	}
	for i, line := range bytes.Split(raw, []byte("\r\n")) {
		if len(line) > 78 && !bytes.Contains(line, []byte("https://m.example")) {
			t.Errorf("line %d has %d characters: %s", i, len(line), line)
		}
		if bytes.IndexByte(line, '\n') >= 0 || bytes.IndexByte(line, '\r') >= 0 {
			t.Errorf("line %d has a bare line break", i)
		}
		for _, c := range line {
			if c >= 0x80 {
				t.Errorf("line %d is not ASCII: %s", i, line)
				break
			}
		}
	}
	if again := post(t, m); !bytes.Equal(raw, again) {
		t.Error("the second attempt has other bytes")
	}
}

func TestTransferEncodingFollowsTheContent(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"plain\nASCII\n", "7bit"}, {strings.Repeat("x", 2000), "quoted-printable"}, {"mostly ASCII with é and more of it\n", "quoted-printable"}, {"日本語の本文", "base64"}, {"a\x00b and some more text here", "quoted-printable"}, {"", "7bit"},
	} {
		m := channeltest.Message("msg_1", "a@example.com")
		m.HTML, m.Text = "", c.text
		raw := string(post(t, m))
		if !strings.Contains(raw, "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "+c.want+"\r\n") {
			t.Errorf("%.20q: want %s in %s", c.text, c.want, raw)
		}
	}
	m := channeltest.Message("msg_1", "a@example.com")
	m.Text = ""
	if raw := string(post(t, m)); !strings.Contains(raw, "\r\nContent-Type: text/html; charset=utf-8\r\n") || strings.Contains(raw, "multipart") {
		t.Errorf("HTML alone: %s", raw)
	}
}

func TestHeadersCannotBeInjected(t *testing.T) {
	evil := "x\r\nBcc: victim@example.com\r\n\r\n<script>"
	s := smtptest.Start(t)
	sender, err := email.New(email.Config{Host: s.Host(), Port: s.Port(), Security: email.None}, email.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	for name, c := range map[string]struct {
		change    func(*channel.Message)
		sent      bool
		permanent bool
	}{
		"subject":            {func(m *channel.Message) { m.Subject = evil }, true, false},
		"subject with NEL":   {func(m *channel.Message) { m.Subject = "a\u0085b\u2028c\x00d" }, true, false},
		"subject that looks": {func(m *channel.Message) { m.Subject = "=?utf-8?q?=0D=0ABcc:_x?=" }, true, false},
		"sender's name":      {func(m *channel.Message) { m.From.Name = evil }, true, false},
		"recipient's name":   {func(m *channel.Message) { m.To.Name = `a" <b@c.example>, "` + evil }, true, false},
		"message id":         {func(m *channel.Message) { m.ID = "msg" + evil + ">" }, true, false},
		"recipient":          {func(m *channel.Message) { m.To.Addr = "a@example.com>\r\nRCPT TO:<victim@example.com" }, false, true},
		"two recipients":     {func(m *channel.Message) { m.To.Addr = "a@example.com, victim@example.com" }, false, true},
		"recipient and more": {func(m *channel.Message) { m.To.Addr = "a@example.com> NOTIFY=NEVER <" }, false, true},
		"no domain":          {func(m *channel.Message) { m.To.Addr = "a" }, false, true},
		"empty recipient":    {func(m *channel.Message) { m.To.Addr = "" }, false, true},
		"sender":             {func(m *channel.Message) { m.From.Addr = "a@b.example\r\nX: y" }, false, false},
		"reply address":      {func(m *channel.Message) { m.ReplyTo = evil }, false, false},
		"header value":       {func(m *channel.Message) { m.Headers = map[string]string{"X-A": evil} }, false, false},
		"header name":        {func(m *channel.Message) { m.Headers = map[string]string{"X-A: b\r\nBcc": "c"} }, false, false},
		"header of ours":     {func(m *channel.Message) { m.Headers = map[string]string{"bcc": "victim@example.com"} }, false, false},
		"content header":     {func(m *channel.Message) { m.Headers = map[string]string{"Content-Type": "text/html"} }, false, false},
		"endless header":     {func(m *channel.Message) { m.Headers = map[string]string{"X-A": strings.Repeat("a", 2000)} }, false, false},
	} {
		s.Clear()
		m := channeltest.Message("msg_1", "a@example.com")
		c.change(&m)
		commits := 0
		o := sender.Send(t.Context(), m, func() error { commits++; return nil })
		if !c.sent {
			if o.Result != channel.Rejected || o.Permanent != c.permanent || o.Detail == "" || commits != 0 || len(s.Messages()) != 0 {
				t.Errorf("%s: %+v", name, o)
			}
			continue
		}
		if o.Result != channel.Sent {
			t.Errorf("%s: %+v", name, o)
			continue
		}
		got := s.Messages()[0]
		r, err := mail.CreateReader(bytes.NewReader(got.Data))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for f := r.Header.Fields(); f.Next(); n++ {
			if strings.EqualFold(f.Key(), "bcc") {
				t.Errorf("%s: a header was injected", name)
			}
		}
		if to, err := r.Header.AddressList("To"); n != 7 || len(got.To) != 1 || err != nil || len(to) != 1 || to[0].Address != "a@example.com" {
			t.Errorf("%s: %d headers, envelope %v, to %v %v\n%s", name, n, got.To, to, err, got.Data)
		}
	}
}

// TestAnyTextSurvivesTheWire holds encoding, folding and dot-stuffing against an independent parser.
func TestAnyTextSurvivesTheWire(t *testing.T) {
	s := smtptest.Start(t)
	sender, err := email.New(email.Config{Host: s.Host(), Port: s.Port(), Security: email.None, MaxMessages: 1 << 20}, email.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	atoms := []string{".", "..", "\n", "\r\n", " ", "\t", "=", "From ", "a", "日本", "é", "😀", "=?utf-8?q?x?=", "word ", strings.Repeat("y", 80), "--", "<p>", "\"", "\\", ",", "_", "?"}
	text := func(rt *rapid.T, name string) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(atoms), 0, 30).Draw(rt, name), "")
	}
	line := func(s string) string {
		return strings.TrimSpace(strings.NewReplacer("\r\n", "  ", "\n", " ", "\t", " ").Replace(s))
	}
	crlf := func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n") }
	rapid.Check(t, func(rt *rapid.T) {
		m := channeltest.Message("msg_1", "a@example.com")
		m.Subject, m.To.Name, m.Text, m.HTML = text(rt, "subject"), text(rt, "name"), text(rt, "text"), "<p>"+text(rt, "html")
		s.Clear()
		if o := sender.Send(t.Context(), m, ok); o.Result != channel.Sent {
			if len(line(m.Subject)) > 900 {
				return
			}
			rt.Fatalf("%+v", o)
		}
		raw := s.Messages()[0].Data
		r, err := mail.CreateReader(bytes.NewReader(raw))
		if err != nil {
			rt.Fatal(err)
		}
		subject, err := r.Header.Subject()
		if err != nil || subject != line(m.Subject) {
			rt.Fatalf("subject %q (%v), want %q\n%s", subject, err, line(m.Subject), raw)
		}
		to, err := r.Header.AddressList("To")
		if err != nil || len(to) != 1 || to[0].Address != "a@example.com" || to[0].Name != line(m.To.Name) && strings.Join(strings.Fields(to[0].Name), " ") != strings.Join(strings.Fields(m.To.Name), " ") {
			rt.Fatalf("to %v (%v), want %q\n%s", to, err, line(m.To.Name), raw)
		}
		text, html := parts(t, raw)
		for _, p := range []struct{ got, want string }{{text, m.Text}, {html, m.HTML}} {
			if want := crlf(p.want); p.got != want && p.got != want+"\r\n" { // a mail of one part ends in a line break
				rt.Fatalf("body %q, want %q\n%s", p.got, want, raw)
			}
		}
	})
}

func TestFilesComeOutAsTheyWentIn(t *testing.T) {
	files := []channel.Attachment{
		{Name: "invoice.pdf", Type: "application/pdf", Content: bytes.Repeat([]byte("%PDF\x00\xff\r\n."), 100)},
		{Name: "請求書 \"3\".pdf", Type: "application/pdf", Content: []byte("x")},
		{Name: "odd.bin", Type: "multipart/mixed; boundary=x", Content: []byte("--x--")},
	}
	raw := post(t, channel.Message{ID: "msg_1", From: channel.Address{Addr: "shop@example.com"}, To: channel.Address{Addr: "a@example.com"}, Subject: "Files", HTML: "<p>see</p>", Text: "see", Attachments: files})
	r, err := mail.CreateReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var texts int
	var got []channel.Attachment
	for {
		p, err := r.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(p.Body)
		if err != nil {
			t.Fatal(err)
		}
		h, isFile := p.Header.(*mail.AttachmentHeader)
		if !isFile {
			texts++
			continue
		}
		name, err := h.Filename()
		if err != nil {
			t.Fatal(err)
		}
		kind, _, err := h.ContentType()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, channel.Attachment{Name: name, Type: kind, Content: body})
	}
	if texts != 2 || len(got) != len(files) {
		t.Fatalf("%d texts and %d files in %s", texts, len(got), raw)
	}
	for i, name := range []string{"invoice.pdf", "請求書 '3'.pdf", "odd.bin"} {
		if got[i].Name != name || !bytes.Equal(got[i].Content, files[i].Content) {
			t.Errorf("%q of %d bytes, want %q of %d", got[i].Name, len(got[i].Content), name, len(files[i].Content))
		}
	}
	if got[2].Type != "application/octet-stream" {
		t.Errorf("a type that would break the letter: %s", got[2].Type)
	}
}
