package hookin_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/channel/email/inbound/hookin"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

const ref = "m-01kb5m6t2q8w3r5y7z9x1c4v6babcdefghijklmnop"

// office is the side that the handler speaks for, with one webhook a provider.
type office struct {
	t       *testing.T
	in      map[string]outbox.Inbound // by key
	news    []channel.Returned
	from    []outbox.Scope
	fail    error
	fetched []string
	cert    []byte
	sns     *rsa.PrivateKey
	grid    *ecdsa.PrivateKey
	h       http.Handler
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t}
	var err error
	o.sns, err = rsa.GenerateKey(rand.Reader, 2048)
	o.must(err)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sns.amazonaws.com"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &o.sns.PublicKey, o.sns)
	o.must(err)
	o.cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	o.grid, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	o.must(err)
	public, err := x509.MarshalPKIXPublicKey(&o.grid.PublicKey)
	o.must(err)
	o.in = map[string]outbox.Inbound{
		"ses-key":      {Workspace: "ws_1", Account: "acc_ses", Provider: outbox.ProviderSES},
		"postmark-key": {Workspace: "ws_1", Account: "acc_pm", Provider: outbox.ProviderPostmark},
		"sendgrid-key": {Workspace: "ws_2", Account: "acc_sg", Provider: outbox.ProviderSendGrid, VerifyKey: base64.StdEncoding.EncodeToString(public)},
	}
	o.h = hookin.New(hookin.Config{
		Hook: func(_ context.Context, key string) (outbox.Inbound, error) {
			in, ok := o.in[key]
			if !ok {
				return in, errs.NotFound("webhook", "")
			}
			return in, nil
		},
		KeepTopic: func(_ context.Context, ws, account, topic string) error {
			in := o.in["ses-key"]
			if in.Workspace != ws || in.Account != account {
				t.Errorf("topic kept for %s %s", ws, account)
			}
			in.Topic = topic
			o.in["ses-key"] = in
			return nil
		},
		Take: func(_ context.Context, from outbox.Scope, news ...channel.Returned) error {
			if o.fail != nil {
				return o.fail
			}
			for _, n := range news {
				o.news, o.from = append(o.news, n), append(o.from, from)
			}
			return nil
		},
		Get: func(_ context.Context, url string) ([]byte, error) {
			o.fetched = append(o.fetched, url)
			return o.cert, nil
		},
		Log: slog.New(slog.DiscardHandler),
	})
	return o
}

func (o *office) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) post(path, body string, header ...string) int {
	r := httptest.NewRequest(http.MethodPost, hookin.Path+path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	o.h.ServeHTTP(w, r)
	return w.Code
}

func (o *office) want(status int, got int, what string) {
	o.t.Helper()
	if status != got {
		o.t.Errorf("%s: %d, want %d", what, got, status)
	}
}

func TestPostmarkIsRead(t *testing.T) {
	o := newOffice(t)
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		body string
		want channel.Returned
	}{
		{`{"RecordType":"Bounce","Type":"HardBounce","Details":"550 5.1.1 no such user","BouncedAt":"2026-03-01T09:00:00Z","Metadata":{"kizuna":"` + ref + `"}}`, channel.Returned{News: channel.NewsBounced, Class: channel.Hard, Code: "550 5.1.1", Detail: "550 5.1.1 no such user", At: at}},
		{`{"RecordType":"Bounce","Type":"SoftBounce","Description":"mailbox full","BouncedAt":"2026-03-01T09:00:00Z","Metadata":{"kizuna":"` + ref + `"}}`, channel.Returned{News: channel.NewsBounced, Class: channel.Full, Detail: "mailbox full", At: at}},
		{`{"RecordType":"Bounce","Type":"SpamNotification","BouncedAt":"2026-03-01T09:00:00Z","Metadata":{"kizuna":"` + ref + `"}}`, channel.Returned{News: channel.NewsBounced, Class: channel.Block, At: at}},
		{`{"RecordType":"SpamComplaint","BouncedAt":"2026-03-01T09:00:00Z","Metadata":{"kizuna":"` + ref + `"}}`, channel.Returned{News: channel.NewsComplained, Feedback: "abuse", At: at}},
		{`[{"RecordType":"Delivery","DeliveredAt":"2026-03-01T09:00:00Z","Metadata":{"kizuna":"` + ref + `"}}]`, channel.Returned{News: channel.NewsDelivered, At: at}},
		{`{"RecordType":"Open","Metadata":{"kizuna":"` + ref + `"}}`, channel.Returned{}},
	} {
		o.news = nil
		o.want(200, o.post("postmark/postmark-key", c.body), c.body)
		c.want.References = []string{ref}
		if d := cmp.Diff([]channel.Returned{c.want}, o.news); d != "" {
			t.Errorf("%s:\n%s", c.body, d)
		}
	}
	if o.from[0] != (outbox.Scope{Workspace: "ws_1", Account: "acc_pm"}) {
		t.Errorf("scope %+v", o.from[0])
	}
	o.want(400, o.post("postmark/postmark-key", "<xml>"), "no JSON")
	o.want(404, o.post("postmark/other-key", "{}"), "an unknown key")
	o.want(404, o.post("postmark/ses-key", "{}"), "another provider's key")
	o.want(413, o.post("postmark/postmark-key", strings.Repeat(" ", 3<<20)), "a large body")
	o.fail = errors.New("the log is full")
	o.want(503, o.post("postmark/postmark-key", `{"RecordType":"Bounce"}`), "what cannot be kept")
}

func (o *office) signGrid(stamp, body string) []string {
	sum := sha256.Sum256([]byte(stamp + body))
	sig, err := ecdsa.SignASN1(rand.Reader, o.grid, sum[:])
	o.must(err)
	return []string{"X-Twilio-Email-Event-Webhook-Signature", base64.StdEncoding.EncodeToString(sig), "X-Twilio-Email-Event-Webhook-Timestamp", stamp}
}

func TestSendGridIsReadIfItsSignatureFits(t *testing.T) {
	o := newOffice(t)
	body := `[{"event":"bounce","type":"bounce","status":"5.1.1","reason":"550 5.1.1 no such user","timestamp":1772355600,"kizuna":"` + ref + `"},
		{"event":"bounce","type":"blocked","reason":"554 listed","timestamp":1772355600,"kizuna":"` + ref + `"},
		{"event":"dropped","reason":"Bounced Address","kizuna":"` + ref + `"},{"event":"spamreport","kizuna":"` + ref + `"},
		{"event":"delivered","response":"250 OK","kizuna":"` + ref + `"},{"event":"deferred","kizuna":"` + ref + `"},{"event":"group_resubscribe","kizuna":7}]`
	genuine := o.signGrid("1772355601", body)
	o.want(200, o.post("sendgrid/sendgrid-key", body, genuine...), "genuine")
	var got []string
	for _, n := range o.news {
		got = append(got, fmt.Sprintf("%s %s %d", n.News, n.Class, len(n.References)))
	}
	if d := cmp.Diff([]string{"bounced hard 1", "bounced block 1", "bounced hard 1", "complained  1", "delivered  1", "delayed  1", "  0"}, got); d != "" {
		t.Error(d)
	}
	if !o.news[0].At.Equal(time.Unix(1772355600, 0)) || o.from[0] != (outbox.Scope{Workspace: "ws_2", Account: "acc_sg"}) {
		t.Errorf("%+v %+v", o.news[0], o.from[0])
	}
	first := o.news
	o.news = nil
	o.want(200, o.post("sendgrid/sendgrid-key", body, genuine...), "replayed")
	if d := cmp.Diff(first, o.news); d != "" {
		t.Errorf("a replay makes other news:\n%s", d)
	}
	o.news = nil
	o.want(403, o.post("sendgrid/sendgrid-key", body), "unsigned")
	o.want(403, o.post("sendgrid/sendgrid-key", body+" ", genuine...), "changed")
	o.want(403, o.post("sendgrid/sendgrid-key", body, o.signGrid("1772355602", body)[0], genuine[1], genuine[2], "1772355602"), "another time")
	thief, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	o.must(err)
	o.grid = thief
	o.want(403, o.post("sendgrid/sendgrid-key", body, o.signGrid("1772355601", body)...), "another key")
	if len(o.news) != 0 {
		t.Errorf("believed: %+v", o.news)
	}
}

const topic = "arn:aws:sns:eu-west-1:123456789012:mail"

// note is an SNS message, signed as SNS documents it.
func (o *office) note(kind, version string, change ...func(m map[string]string)) string {
	m := map[string]string{
		"Type": kind, "MessageId": "id-1", "TopicArn": topic, "Timestamp": "2026-03-01T09:00:00.000Z", "SignatureVersion": version,
		"SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
		"Message":        `{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bounceSubType":"General","timestamp":"2026-03-01T09:00:00Z","bouncedRecipients":[{"status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]},"mail":{"source":"x@y.example","tags":{"kizuna":["` + ref + `"]}}}`,
	}
	names := []string{"Message", "MessageId", "Timestamp", "TopicArn", "Type"}
	if kind != "Notification" {
		m["Token"], m["SubscribeURL"] = "tok", "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=tok"
		names = []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	}
	for _, f := range change {
		f(m)
	}
	var text strings.Builder
	for _, n := range names {
		text.WriteString(n + "\n" + m[n] + "\n")
	}
	var sig []byte
	var err error
	if version == "1" {
		sum := sha1.Sum([]byte(text.String()))
		sig, err = rsa.SignPKCS1v15(rand.Reader, o.sns, crypto.SHA1, sum[:])
	} else {
		sum := sha256.Sum256([]byte(text.String()))
		sig, err = rsa.SignPKCS1v15(rand.Reader, o.sns, crypto.SHA256, sum[:])
	}
	o.must(err)
	m["Signature"] = base64.StdEncoding.EncodeToString(sig)
	raw, err := json.Marshal(m)
	o.must(err)
	return string(raw)
}

func TestSESConfirmsItsTopicAndIsRead(t *testing.T) {
	o := newOffice(t)
	o.want(403, o.post("ses/ses-key", o.note("Notification", "2")), "a topic that has never asked")
	o.want(200, o.post("ses/ses-key", o.note("SubscriptionConfirmation", "1")), "confirmation")
	if o.in["ses-key"].Topic != topic || !strings.Contains(strings.Join(o.fetched, " "), "Action=ConfirmSubscription&Token=tok") {
		t.Fatalf("topic %q, fetched %q", o.in["ses-key"].Topic, o.fetched)
	}
	for _, version := range []string{"1", "2"} {
		o.news = nil
		o.want(200, o.post("ses/ses-key", o.note("Notification", version)), "notification "+version)
		want := channel.Returned{News: channel.NewsBounced, Class: channel.Hard, Code: "550 5.1.1", Detail: "550 5.1.1 user unknown", At: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
		if len(o.news) != 1 || o.news[0].References[0] != ref {
			t.Fatalf("news %+v", o.news)
		}
		o.news[0].References = nil
		if d := cmp.Diff(want, o.news[0]); d != "" {
			t.Error(d)
		}
	}
	certs := 0
	for _, u := range o.fetched {
		if strings.HasSuffix(u, ".pem") {
			certs++
		}
	}
	if certs != 1 {
		t.Errorf("the certificate was fetched %d times", certs)
	}
	for inner, want := range map[string]string{
		`{"eventType":"Complaint","complaint":{"complaintFeedbackType":"not-spam"},"mail":{"tags":{"kizuna":["` + ref + `"]}}}`:         "complained  not-spam",
		`{"notificationType":"Complaint","mail":{"tags":{"kizuna":["` + ref + `"]}}}`:                                                   "complained  abuse",
		`{"notificationType":"Bounce","bounce":{"bounceType":"Transient","bounceSubType":"MailboxFull"},"mail":{}}`:                     "bounced full ",
		`{"notificationType":"Bounce","bounce":{"bounceType":"Transient","bounceSubType":"General"},"mail":{}}`:                         "bounced soft ",
		`{"notificationType":"Bounce","bounce":{"bounceType":"Transient","bounceSubType":"ContentRejected"},"mail":{}}`:                 "bounced block ",
		`{"notificationType":"Bounce","bounce":{"bounceType":"Undetermined","bouncedRecipients":[{"diagnosticCode":"huh"}]},"mail":{}}`: "bounced other ",
		`{"eventType":"Delivery","delivery":{"smtpResponse":"250 ok"},"mail":{}}`:                                                       "delivered  ",
		`{"eventType":"DeliveryDelay","mail":{}}`:                                                                                       "delayed  ", `{"eventType":"Rendering Failure"}`: "  ", `Successfully validated SNS topic`: "  ",
	} {
		o.news = nil
		o.want(200, o.post("ses/ses-key", o.note("Notification", "2", func(m map[string]string) { m["Message"] = inner })), inner)
		if got := fmt.Sprintf("%s %s %s", o.news[0].News, o.news[0].Class, o.news[0].Feedback); got != want {
			t.Errorf("%s: %q, want %q", inner, got, want)
		}
	}
}

func TestForgedSNSMessagesAreNotBelieved(t *testing.T) {
	o := newOffice(t)
	o.want(200, o.post("ses/ses-key", o.note("SubscriptionConfirmation", "2")), "confirmation")
	o.fetched = nil
	set := func(name, value string) func(m map[string]string) {
		return func(m map[string]string) { m[name] = value }
	}
	for what, body := range map[string]string{
		"another topic":                   o.note("Notification", "2", set("TopicArn", topic+"2")),
		"a confirmation of another topic": o.note("SubscriptionConfirmation", "2", set("TopicArn", topic+"2")),
		"a certificate from elsewhere":    o.note("Notification", "2", set("SigningCertURL", "https://evil.example/sns.eu-west-1.amazonaws.com.pem")),
		"a certificate by a lookalike":    o.note("Notification", "2", set("SigningCertURL", "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem")),
		"a certificate in a bucket":       o.note("Notification", "2", set("SigningCertURL", "https://s3.amazonaws.com/sns/x.pem")),
		"a certificate without TLS":       o.note("Notification", "2", set("SigningCertURL", "http://sns.eu-west-1.amazonaws.com/x.pem")),
		"a certificate with a user":       o.note("Notification", "2", set("SigningCertURL", "https://sns.eu-west-1.amazonaws.com@evil.example/x.pem")),
		"an unknown version":              strings.Replace(o.note("Notification", "2"), `"SignatureVersion":"2"`, `"SignatureVersion":"3"`, 1),
		"a changed message":               strings.Replace(o.note("Notification", "2"), "Permanent", "Permanenx", 1),
		"no signature":                    `{"Type":"Notification","TopicArn":"` + topic + `","Message":"{}"}`,
		"a subscription leading elsewhere": o.note("SubscriptionConfirmation", "2", func(m map[string]string) {
			m["SubscribeURL"] = "https://evil.example/"
		}),
	} {
		o.want(403, o.post("ses/ses-key", body), what)
	}
	for _, u := range o.fetched {
		if !strings.HasPrefix(u, "https://sns.eu-west-1.amazonaws.com/") {
			t.Errorf("fetched %s", u)
		}
	}
	if len(o.news) != 0 {
		t.Errorf("believed: %+v", o.news)
	}
	thief, err := rsa.GenerateKey(rand.Reader, 2048)
	o.must(err)
	o.sns = thief
	o.want(403, o.post("ses/ses-key", o.note("Notification", "2")), "another key")
}

func FuzzProviders(f *testing.F) {
	for _, s := range []string{`{"RecordType":"Bounce","Type":"HardBounce","Details":"550"}`, `[{"RecordType":"Delivery"}]`, `[]`, `{}`, `[{"event":"bounce"}]`, `x`} {
		f.Add(s)
	}
	in := outbox.Inbound{Provider: outbox.ProviderPostmark}
	h := hookin.New(hookin.Config{
		Hook: func(context.Context, string) (outbox.Inbound, error) { return in, nil },
		Take: func(_ context.Context, _ outbox.Scope, news ...channel.Returned) error {
			for _, n := range news {
				if n.News == channel.NewsBounced && n.Class == "" || len(n.References) > 20 {
					return errors.New("half read")
				}
			}
			return nil
		},
		Log: slog.New(slog.DiscardHandler),
	})
	f.Fuzz(func(t *testing.T, body string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, hookin.Path+"postmark/k", strings.NewReader(body)))
		if w.Code != 200 && w.Code != 400 {
			t.Errorf("%d", w.Code)
		}
	})
}
