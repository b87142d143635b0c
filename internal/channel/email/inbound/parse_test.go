package inbound_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/channel/email/inbound"
)

const (
	bounceRef = "b-01kb5m6t2q8w3r5y7z9x1c4v6babcdefghijklmnop"
	replyRef  = "r-01kb5m6t2q8w3r5y7z9x1c4v6babcdefghijklmnop"
)

func sample(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestBouncesAreReadWhoeverWroteThem(t *testing.T) {
	for name, want := range map[string]channel.Returned{
		"rfc3464_unknown.eml": {News: channel.NewsBounced, Class: channel.Hard, Code: "550 5.1.1", Detail: "550 5.1.1 <mika@example.net>: Recipient address rejected: User unknown"},
		"rfc3464_delayed.eml": {News: channel.NewsDelayed, Code: "451 4.4.1", Detail: "451 4.4.1 connection timed out"},
		"rfc3464_full.eml":    {News: channel.NewsBounced, Class: channel.Full, Code: "552 5.2.2", Detail: "552 5.2.2 Mailbox full, over quota"},
		"rfc3464_policy.eml": {
			News: channel.NewsBounced, Class: channel.Block, Code: "550 5.7.1",
			Detail: "550-5.7.1 [203.0.113.9] Our system has detected that this message is likely unsolicited mail. To reduce the amount of spam, this message has been blocked.",
		},
		"rfc3464_success.eml": {News: channel.NewsDelivered, Code: "250 2.0.0", Detail: "250 2.0.0 ok"},
		"exchange.eml": {
			News: channel.NewsBounced, Class: channel.Hard, Code: "5.1.10",
			Detail: "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup'",
		},
		"exchange_old.eml": {News: channel.NewsBounced, Class: channel.Hard, Code: "550 5.1.1", Detail: "550 5.1.1 User unknown>"},
		"qmail.eml":        {News: channel.NewsBounced, Class: channel.Hard, Code: "5.1.1", Detail: "Sorry, no mailbox here by that name. (#5.1.1)"},
		"exim.eml":         {News: channel.NewsBounced, Class: channel.Block, Code: "550 5.7.1", Detail: "550 5.7.1 Access denied, sender is on our blocklist"},
		"docomo.eml":       {News: channel.NewsBounced, Class: channel.Hard, Code: "550 5.1.1", Detail: "550 Unknown user mika@docomo.example"},
		"au.eml":           {News: channel.NewsBounced, Class: channel.Hard, Detail: "<mika@ezweb.example> 送信先メールサーバの不明なエラーです。 宛先のメールアドレスが存在しません。"},
		"softbank.eml":     {News: channel.NewsBounced, Class: channel.Full, Detail: "<mika@softbank.example> あて先のメールボックスの容量が一杯のため、お届けできませんでした。"},
		"arf.eml":          {News: channel.NewsComplained, Feedback: "abuse", Detail: "SomeGenerator/1.0"},
		"arf_not_spam.eml": {News: channel.NewsComplained, Feedback: "not-spam", Detail: "SomeGenerator/1.0"},
	} {
		t.Run(name, func(t *testing.T) {
			got := inbound.Parse(sample(t, name), inbound.Envelope{Null: true})
			if len(got.References) != 1 || got.References[0] != bounceRef {
				t.Errorf("references %q", got.References)
			}
			if got.Key == "" {
				t.Error("no key")
			}
			got.References, got.Key = nil, ""
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestAnswersLoseTheQuotedMessage(t *testing.T) {
	for name, want := range map[string]channel.Reply{
		"reply.eml": {
			From: "mika@example.net", Name: "山田美香", Subject: "Re: The first harvest is here",
			Text:        "Yes please, two tins of the Yame sencha.\nCan you send them to my “new” address?",
			Attachments: []channel.AttachedFile{{Name: "address.pdf", Type: "application/pdf", Size: 9}},
		},
		"reply_ja.eml":      {From: "mika@example.net", Subject: "Re: test", Text: "ありがとうございます。二つお願いします。"},
		"reply_zh_html.eml": {From: "mika@example.net", Subject: "test", Text: "好的，请寄两罐。"},
		"reply_below.eml":   {From: "mika@example.net", Subject: "Re: test", Text: "I write below."},
		"vacation.eml":      {From: "mika@example.net", Subject: "Out of office: The first harvest is here", Text: "I am away until Monday.", Auto: true},
	} {
		t.Run(name, func(t *testing.T) {
			at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
			got := inbound.Parse(sample(t, name), inbound.Envelope{From: "mika@example.net", To: []string{"back+" + replyRef + "@in.example.com"}, At: at})
			if got.News != channel.NewsReplied || !got.At.Equal(at) || got.References[0] != replyRef {
				t.Errorf("%s at %s about %q", got.News, got.At, got.References)
			}
			if d := cmp.Diff(want, got.Reply); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestTheAddressAMailWasHandedInToComesFirst(t *testing.T) {
	raw := []byte("From: a@example.net\r\nTo: back+" + replyRef + "@in.example.com\r\n\r\nhello " + bounceRef + "\r\n")
	other := "r-01kb5m6t2q8w3r5y7z9x1c4v6c" + "abcdefghijklmnop"
	got := inbound.Parse(raw, inbound.Envelope{To: []string{"Back+" + strings.ToUpper(other) + "@in.example.com"}})
	if d := cmp.Diff([]string{other, replyRef, bounceRef}, got.References); d != "" {
		t.Error(d)
	}
}

func TestTheSameMailHasTheSameKey(t *testing.T) {
	raw := sample(t, "reply.eml")
	a, b := inbound.Parse(raw, inbound.Envelope{}), inbound.Parse(append([]byte("Received: by relay.example.com; later\r\n"), raw...), inbound.Envelope{})
	if a.Key != b.Key {
		t.Error("a mail that took another way counts as another one")
	}
	if c := inbound.Parse(sample(t, "reply_ja.eml"), inbound.Envelope{}); c.Key == a.Key {
		t.Error("two mails have one key")
	}
}

func TestLongAnswersAreCut(t *testing.T) {
	raw := "From: a@example.net\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + strings.Repeat("茶", 20_000)
	got := inbound.Parse([]byte(raw), inbound.Envelope{}).Reply
	if !got.Cut || utf8.RuneCountInString(got.Text) != 10_000 {
		t.Errorf("%d characters, cut %t", utf8.RuneCountInString(got.Text), got.Cut)
	}
}

// A mail that nests parts in each other is read in bounded depth.
func TestPartsWithinPartsEndSomewhere(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("From: a@example.net\r\n")
	for i := range 2000 {
		name := strings.Repeat("x", 1+i%20) + strings.Repeat("y", 1+i/20)
		b.WriteString("Content-Type: multipart/mixed; boundary=\"" + name + "\"\r\n\r\n--" + name + "\r\n")
	}
	b.WriteString("\r\nhello")
	if got := inbound.Parse(b.Bytes(), inbound.Envelope{}); got.News != channel.NewsReplied {
		t.Errorf("%+v", got)
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(files) < 15 {
		f.Fatalf("samples: %v %v", files, err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, true)
	}
	f.Fuzz(func(t *testing.T, raw []byte, null bool) {
		got := inbound.Parse(raw, inbound.Envelope{Null: null})
		switch got.News {
		case channel.NewsBounced:
			if got.Class == "" {
				t.Error("a bounce without a class")
			}
		case channel.NewsDelayed, channel.NewsDelivered, channel.NewsComplained, channel.NewsReplied:
		default:
			t.Errorf("news %q", got.News)
		}
		for _, s := range []string{got.Detail, got.Code, got.Feedback, got.Reply.Subject, got.Reply.Name, got.Reply.From} {
			if !utf8.ValidString(s) || strings.ContainsAny(s, "\r\n\x00") || utf8.RuneCountInString(s) > 1100 {
				t.Errorf("%q", s)
			}
		}
		if !utf8.ValidString(got.Reply.Text) || strings.ContainsAny(got.Reply.Text, "\x00\x1b\r") || utf8.RuneCountInString(got.Reply.Text) > 10_000 {
			t.Errorf("text %q", got.Reply.Text)
		}
		if len(got.References) > 20 || got.Key == "" {
			t.Errorf("%d references, key %q", len(got.References), got.Key)
		}
	})
}
