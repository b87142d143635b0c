package postfix

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-message/mail"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/channel/channeltest"
	"github.com/kizuna-cx/kizuna/internal/channel/email"
	"github.com/kizuna-cx/kizuna/test/peers/postfix/postfixtest"
)

func sender(t *testing.T, p *postfixtest.Postfix, security email.Security) *email.Sender {
	t.Helper()
	c := email.Config{Host: p.Host, Port: p.Port, Security: security, HelloName: "kizuna.example", ReturnPath: "bounce+{id}@kizuna.example"}
	if security == email.Required {
		c.CACert = p.CertPEM
	}
	s, err := email.New(c, email.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// find returns the mail with a Message-ID.
func find(t *testing.T, mails [][]byte, id string) (h mail.Header, text, html string, raw string) {
	t.Helper()
	for _, m := range mails {
		r, err := mail.CreateReader(bytes.NewReader(m))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := r.Header.MessageID(); got != id {
			continue
		}
		for {
			p, err := r.NextPart()
			if err == io.EOF {
				return r.Header, text, html, string(m)
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
	t.Fatalf("no mail has the id %s", id)
	return h, "", "", ""
}

// TestARealServerTakesOurMail needs postfix and root; one server serves all its parts.
func TestARealServerTakesOurMail(t *testing.T) {
	p := postfixtest.Start(t)
	ok := func() error { return nil }
	arrived := 0

	for _, security := range []email.Security{email.None, email.Required} {
		t.Run("Chinese and Japanese arrive whole, security "+string(security), func(t *testing.T) {
			s := sender(t, p, security)
			if err := s.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			m := channeltest.Message("msg_"+string(security), "taro@例え.example")
			m.Subject = "日本語の件名：とても長いので、折り返しが必要になります。簡体字の「欢迎」も入れます。"
			m.HTML = "<p>こんにちは、世界。</p>\r\n.\r\n..<p>" + strings.Repeat("欢迎光临", 300) + "</p>"
			m.Text = "你好，世界\r\n.\r\nFrom the start\r\n"
			m.Headers = map[string]string{"List-Unsubscribe": "<https://m.example/u/1>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
			if o := s.Send(t.Context(), m, ok); o.Result != channel.Sent || !strings.HasPrefix(o.Code, "250 2.0.0") || !strings.Contains(o.Detail, "queued as") {
				t.Fatalf("%+v", o)
			}
			arrived++
			h, text, html, raw := find(t, p.Wait(t, arrived), "msg_"+string(security)+"@shop.example")
			subject, _ := h.Subject()
			to, _ := h.AddressList("To")
			if subject != m.Subject || len(to) != 1 || to[0].Name != m.To.Name {
				t.Errorf("subject %q, to %v", subject, to)
			}
			if text != m.Text || html != m.HTML {
				t.Errorf("text %q, HTML %q", text, html)
			}
			if h.Get("Return-Path") != "<bounce+msg_"+string(security)+"@kizuna.example>" || h.Get("List-Unsubscribe-Post") == "" {
				t.Errorf("head of\n%s", raw)
			}
			if encrypted := strings.Contains(raw, "with ESMTPS"); encrypted != (security == email.Required) {
				t.Errorf("encrypted %v:\n%s", encrypted, raw)
			}
		})
	}

	t.Run("an international mailbox", func(t *testing.T) {
		m := channeltest.Message("msg_utf8", "太郎@例え.example")
		if o := sender(t, p, email.None).Send(t.Context(), m, ok); o.Result != channel.Sent {
			t.Fatalf("%+v", o)
		}
		arrived++
		h, _, _, _ := find(t, p.Wait(t, arrived), "msg_utf8@shop.example")
		if got := h.Get("Delivered-To"); !strings.HasPrefix(got, "太郎@") {
			t.Errorf("delivered to %q", got)
		}
	})

	t.Run("refusals, greylisting and success over one connection", func(t *testing.T) {
		p.Decide(func(to string, before int) string {
			switch {
			case strings.HasSuffix(to, "@unknown.example"):
				return "550 5.1.2 there is no such domain"
			case strings.HasPrefix(to, "gone@"):
				return "550 5.1.1 User unknown"
			case strings.HasPrefix(to, "grey@") && before == 0:
				return "451 4.7.1 Greylisted, try again in 5 minutes"
			case strings.HasPrefix(to, "spam@"):
				return "554 5.7.1 we do not want this"
			}
			return ""
		})
		t.Cleanup(func() { p.Decide(nil) })
		s := sender(t, p, email.Required)
		for i, c := range []struct {
			to        string
			want      channel.Result
			code      string
			permanent bool
		}{
			{"a@unknown.example", channel.Rejected, "550 5.1.2", true},
			{"gone@example.com", channel.Rejected, "550 5.1.1", true},
			{"grey@example.com", channel.Deferred, "451 4.7.1", false},
			{"spam@example.com", channel.Rejected, "554 5.7.1", false},
			{"grey@example.com", channel.Sent, "250 2.0.0", false},
			{"fine@example.com", channel.Sent, "250 2.0.0", false},
		} {
			o := s.Send(t.Context(), channeltest.Message(fmt.Sprint("msg_p", i), c.to), ok)
			if o.Result != c.want || o.Code != c.code || o.Permanent != c.permanent {
				t.Errorf("%s: %+v, want %+v", c.to, o, c)
			}
			if o.Result == channel.Sent {
				arrived++
			}
		}
		mails := p.Wait(t, arrived)
		find(t, mails, "msg_p4@shop.example")
		find(t, mails, "msg_p5@shop.example")
	})

	t.Run("a message that is given up at the last moment does not arrive", func(t *testing.T) {
		s := sender(t, p, email.None)
		o := s.Send(t.Context(), channeltest.Message("msg_given_up", "a@example.com"), func() error { return io.ErrClosedPipe })
		if o.Result != channel.Deferred {
			t.Errorf("%+v", o)
		}
		if o := s.Send(t.Context(), channeltest.Message("msg_next", "a@example.com"), ok); o.Result != channel.Sent {
			t.Errorf("%+v", o)
		}
		arrived++
		for _, m := range p.Wait(t, arrived) {
			if bytes.Contains(m, []byte("msg_given_up@")) {
				t.Error("it arrived")
			}
		}
	})

	t.Run("many at once", func(t *testing.T) {
		s := sender(t, p, email.None)
		var wg sync.WaitGroup
		for w := range 5 {
			wg.Go(func() {
				for i := range 20 {
					if o := s.Send(t.Context(), channeltest.Message(fmt.Sprintf("msg_m%d_%d", w, i), fmt.Sprintf("p%d@example.com", i)), ok); o.Result != channel.Sent {
						t.Errorf("%+v", o)
					}
				}
			})
		}
		wg.Wait()
		arrived += 100
		if got := p.Wait(t, arrived); len(got) != arrived {
			t.Errorf("%d mails, want %d", len(got), arrived)
		}
	})

	t.Run("a stopped server defers", func(t *testing.T) {
		s := sender(t, p, email.None)
		if o := s.Send(t.Context(), channeltest.Message("msg_s1", "a@example.com"), ok); o.Result != channel.Sent {
			t.Fatalf("%+v", o)
		}
		if err := p.Stop(); err != nil {
			t.Fatal(err)
		}
		if o := s.Send(t.Context(), channeltest.Message("msg_s2", "a@example.com"), ok); o.Result != channel.Deferred || o.Code != "" {
			t.Errorf("%+v", o)
		}
	})
}
