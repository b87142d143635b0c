package mailbox_test

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/channel/channeltest"
	"github.com/kizuna-cx/kizuna/internal/channel/email"
	"github.com/kizuna-cx/kizuna/internal/channel/email/mailbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func open(t *testing.T, dir string, o mailbox.Options) (*mailbox.Mailbox, *email.Sender) {
	t.Helper()
	m, err := mailbox.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Stop(t.Context()) })
	host, port, err := net.SplitHostPort(m.Addr())
	if err != nil {
		t.Fatal(err)
	}
	p, _ := strconv.Atoi(port)
	s, err := email.New(email.Config{Host: host, Port: p, Security: email.None}, email.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return m, s
}

func send(t *testing.T, s *email.Sender, m channel.Message) channel.Outcome {
	t.Helper()
	return s.Send(t.Context(), m, func() error { return nil })
}

func TestMailIsKeptAndRead(t *testing.T) {
	dir := t.TempDir()
	m, s := open(t, dir, mailbox.Options{})
	msg := channeltest.Message("msg_1", "太郎@例え.example")
	msg.From.Name = "青葉 Tea"
	if o := send(t, s, msg); o.Result != channel.Sent {
		t.Fatalf("%+v", o)
	}
	if o := send(t, s, channeltest.Message("msg_2", "b@example.com")); o.Result != channel.Sent {
		t.Fatalf("%+v", o)
	}
	check := func(m *mailbox.Mailbox) {
		t.Helper()
		list := m.List("", 10)
		if len(list) != 2 || m.Count() != 2 || list[0].To != "b@example.com" || list[1].To != "太郎@xn--r8jz45g.example" {
			t.Fatalf("list %+v", list)
		}
		if list[1].Subject != msg.Subject || list[1].From != "青葉 Tea <hello@shop.example>" || !list[1].Date.Equal(msg.Date) || list[1].Size < 300 {
			t.Errorf("summary %+v", list[1])
		}
		if older := m.List(list[0].ID, 10); len(older) != 1 || older[0].ID != list[1].ID {
			t.Errorf("before %s: %+v", list[0].ID, older)
		}
		one, err := m.Read(list[1].ID)
		if err != nil || one.HTML != msg.HTML || strings.TrimSpace(one.Text) != "你好" {
			t.Errorf("read %+v, %v", one, err)
		}
		if diff := cmp.Diff(mailbox.Header{Name: "Return-Path", Value: "<hello@shop.example>"}, one.Headers[0]); diff != "" {
			t.Error(diff)
		}
		since, err := m.Since(list[1].ID)
		if err != nil || len(since) != 1 || since[0].ID != list[0].ID {
			t.Errorf("since %+v, %v", since, err)
		}
		if all, err := m.Since(""); err != nil || len(all) != 2 || all[0].ID != list[1].ID {
			t.Errorf("since the beginning %+v, %v", all, err)
		}
	}
	check(m)
	for range 2 {
		if err := m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	again, _ := open(t, dir, mailbox.Options{})
	check(again)
	if err := again.Clear(); err != nil || again.Count() != 0 {
		t.Errorf("cleared: %v, %d left", err, again.Count())
	}
}

func TestTheMailboxIsBounded(t *testing.T) {
	dir := t.TempDir()
	m, s := open(t, dir, mailbox.Options{Max: 5, MaxBytes: 3000})
	for i := range 12 {
		if o := send(t, s, channeltest.Message(fmt.Sprint("msg_", i), fmt.Sprintf("p%d@example.com", i))); o.Result != channel.Sent {
			t.Fatalf("%+v", o)
		}
	}
	var got []string
	for _, one := range m.List("", 100) {
		got = append(got, one.To)
	}
	if diff := cmp.Diff([]string{"p11@example.com", "p10@example.com", "p9@example.com", "p8@example.com", "p7@example.com"}, got); diff != "" {
		t.Error(diff)
	}
	big := channeltest.Message("msg_b", "b@example.com")
	big.HTML = strings.Repeat("x\n", 5000)
	if o := send(t, s, big); o.Result != channel.Rejected {
		t.Errorf("a message above the limit: %+v", o)
	}
	_ = m.Stop(t.Context())
	if again, _ := open(t, dir, mailbox.Options{Max: 2}); again.Count() != 2 {
		t.Errorf("%d messages after opening with a smaller limit", again.Count())
	}
}

func TestMailArrivesSideBySide(t *testing.T) {
	m, s := open(t, t.TempDir(), mailbox.Options{})
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			if o := send(t, s, channeltest.Message(fmt.Sprint("msg_", i), fmt.Sprintf("p%d@example.com", i))); o.Result != channel.Sent {
				t.Errorf("%+v", o)
			}
		})
	}
	wg.Wait()
	list := m.List("", 100)
	for i := 1; i < len(list); i++ {
		if list[i].ID >= list[i-1].ID {
			t.Errorf("out of order at %d", i)
		}
	}
	if len(list) != 40 {
		t.Errorf("%d messages, want 40", len(list))
	}
}

func TestForeignIdsReadNothing(t *testing.T) {
	m, _ := open(t, t.TempDir(), mailbox.Options{})
	for _, id := range []string{"", "mail_none", "../../../../etc/passwd", "../tmp/x"} {
		if _, err := m.Read(id); !errs.Is(err, errs.KindNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
}
