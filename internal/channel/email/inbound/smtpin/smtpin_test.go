package smtpin_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/smtp"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/channel/email/inbound/smtpin"
	"github.com/kizuna-cx/kizuna/internal/channel/email/smtptest"
)

// back is whoever keeps what came.
type back struct {
	mu   sync.Mutex
	news []channel.Returned
	err  error
}

func (b *back) take(_ context.Context, n channel.Returned) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.news = append(b.news, n)
	}
	return b.err
}

func serve(t *testing.T, b *back, change ...func(*smtpin.Options)) string {
	t.Helper()
	o := smtpin.Options{
		Addr: "127.0.0.1:0", Domain: "in.example.com", Take: b.take, Now: func() time.Time { return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC) },
		Accepts: func(_ context.Context, address string) (bool, error) {
			if strings.HasPrefix(address, "trouble") {
				return false, errors.New("no store")
			}
			return strings.HasPrefix(address, "back+b-"), nil
		},
	}
	for _, f := range change {
		f(&o)
	}
	s := smtpin.New(o)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s.Addr()
}

const ours = "back+b-01kb5m6t2q8w3r5y7z9x1c4v6babcdefghijklmnop@in.example.com"

func bounce(t *testing.T) []byte {
	t.Helper()
	raw, err := os.ReadFile("../testdata/rfc3464_unknown.eml")
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestABounceHandedInIsKept(t *testing.T) {
	b := &back{}
	addr := serve(t, b)
	if err := smtp.SendMail(addr, nil, "", []string{ours}, bounce(t)); err != nil {
		t.Fatal(err)
	}
	if len(b.news) != 1 || b.news[0].News != channel.NewsBounced || b.news[0].Class != channel.Hard || b.news[0].References[0] != ours[5:49] || b.news[0].At.IsZero() {
		t.Errorf("kept %+v", b.news)
	}
}

func TestMailForOthersIsRefused(t *testing.T) {
	b := &back{}
	addr := serve(t, b)
	for to, code := range map[string]string{"someone@elsewhere.example": "550", "back@in.example.com": "550", "trouble@in.example.com": "451"} {
		err := smtp.SendMail(addr, nil, "a@b.example", []string{to}, []byte("Subject: x\r\n\r\nx"))
		if err == nil || !strings.HasPrefix(err.Error(), code) {
			t.Errorf("%s: %v, want %s", to, err, code)
		}
	}
	if len(b.news) != 0 {
		t.Errorf("kept %+v", b.news)
	}
}

// Whoever cannot keep the mail must not say that it has: the other server tries again.
func TestWhatCannotBeKeptIsNotAcknowledged(t *testing.T) {
	b := &back{err: errors.New("the log is full")}
	err := smtp.SendMail(serve(t, b), nil, "", []string{ours}, bounce(t))
	if err == nil || !strings.HasPrefix(err.Error(), "451") {
		t.Errorf("%v, want 451", err)
	}
}

func TestSizeAndRateAreBounded(t *testing.T) {
	b := &back{}
	addr := serve(t, b, func(o *smtpin.Options) { o.MaxBytes, o.Rate, o.Burst = 10_000, 0.001, 2 })
	err := smtp.SendMail(addr, nil, "", []string{ours}, bytes.Repeat([]byte("a: b\r\n"), 5000))
	if err == nil || !strings.HasPrefix(err.Error(), "552") {
		t.Errorf("a large message: %v, want 552", err)
	}
	if err := smtp.SendMail(addr, nil, "", []string{ours}, bounce(t)); err != nil {
		t.Fatal(err)
	}
	err = smtp.SendMail(addr, nil, "", []string{ours}, bounce(t))
	if err == nil || !strings.HasPrefix(err.Error(), "421") {
		t.Errorf("the third in no time: %v, want 421", err)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	b := &back{}
	addr := serve(t, b, func(o *smtpin.Options) { o.Conns = 1 })
	first, err := smtp.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Hello("a.example"); err != nil {
		t.Fatal(err)
	}
	if err := smtp.SendMail(addr, nil, "", []string{ours}, bounce(t)); err == nil {
		t.Error("a second connection is served beside the only one")
	}
	if err := first.Quit(); err != nil {
		t.Error(err)
	}
}

func TestTLSWhereThereIsACertificate(t *testing.T) {
	b := &back{}
	certPEM, keyPEM, err := smtptest.Certificate("in.example.com")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certPEM)
	addr := serve(t, b, func(o *smtpin.Options) { o.TLS = &tls.Config{Certificates: []tls.Certificate{cert}} })
	c, err := smtp.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.StartTLS(&tls.Config{ServerName: "in.example.com", RootCAs: roots}); err != nil {
		t.Fatal(err)
	}
	if err := c.Mail(""); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt(ours); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(bounce(t)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if len(b.news) != 1 {
		t.Errorf("kept %d", len(b.news))
	}
}
