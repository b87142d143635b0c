package email

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestRetryHintsAreRead(t *testing.T) {
	for words, want := range map[string]time.Duration{
		"Greylisted, please try again in 300 seconds": 5 * time.Minute,
		"retry in 5 minutes":                          5 * time.Minute,
		"try after 1 hour":                            time.Hour,
		"come back in 00:10:00":                       10 * time.Minute,
		"wait for 90s please":                         90 * time.Second,
		"try in 99999 hours":                          24 * time.Hour,
		"mailbox full in 2 ways":                      0,
		"try again later":                             0,
		"":                                            0,
	} {
		if got := retryAfter(words); got != want {
			t.Errorf("%q: %v, want %v", words, got, want)
		}
	}
}

func FuzzReadReply(f *testing.F) {
	f.Add("250 ok\r\n")
	f.Add("250-2.1.0 a\r\n250 2.1.0 b\r\n")
	f.Add("550-5.1.1 x\r\n551 y\r\n")
	f.Add("250")
	f.Add("25\r\n")
	f.Add("421 4.3.2 \xff\xfe try in 00:00:99\n")
	f.Fuzz(func(t *testing.T, in string) {
		r, err := readReply(bufio.NewReaderSize(strings.NewReader(in), maxReplyLine))
		if err != nil {
			var p *protocolError
			if !errors.Is(err, io.EOF) && !errors.As(err, &p) {
				t.Fatalf("unexpected error %v", err)
			}
			return
		}
		if r.code < 200 || r.code > 599 || len(r.lines) == 0 || len(r.lines) > maxReplyLines {
			t.Fatalf("%+v", r)
		}
		for _, at := range []stage{atMail, atRecipient, atData, atEnd} {
			if r.code >= 400 {
				o, _ := r.outcome(at)
				if o.Result == "" || o.Retry < 0 || o.Permanent && r.code < 500 {
					t.Fatalf("%+v", o)
				}
			}
		}
	})
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"a@example.com", "太郎@日本語.example", `"a b"@example.com`, "a@[127.0.0.1]", "a@[IPv6:::1]", "a@b>,<c@d", "a@b (x)", "@", "a@", ".a@b", "a\x00@b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := parseAddress(s)
		if err != nil {
			return
		}
		out := a.String()
		if strings.ContainsAny(out, "\r\n\x00") || strings.ContainsAny(a.domain, "<> ,") || !strings.HasPrefix(a.quoted, `"`) && strings.ContainsAny(out, "<> ,;\"") {
			t.Fatalf("%q became %q", s, out)
		}
		b, err := parseAddress(out)
		if err != nil || b.String() != out {
			t.Fatalf("%q became %q, which became %q, %v", s, out, b.String(), err)
		}
	})
}
