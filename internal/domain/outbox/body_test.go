package outbox_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// own makes a request of words of its own.
func own(b outbox.Body) func(*outbox.Request) {
	return func(r *outbox.Request) { r.Template, r.Body, r.Transactional, r.Topic = "", &b, true, "" }
}

func TestAMessageMayBringItsOwnWordsFilesAndAddress(t *testing.T) {
	f := setup(t, sqlite(t))
	f.people.add(1)
	pdf := channel.Attachment{Name: "invoice.pdf", Type: "application/pdf", Content: []byte("%PDF-1.7 \x00\xff")}
	d := f.enqueue(
		f.request(1, keyed("own"), own(outbox.Body{Subject: "Your parcel", HTML: `<p>It is on its <a href="https://shop.example/way">way</a></p>`, FromName: "Parcels", ReplyTo: "help@example.test", Attachments: []channel.Attachment{pdf}})),
		f.request(1, keyed("template"), transactional, func(r *outbox.Request) {
			r.Body, r.Address = &outbox.Body{FromName: "Parcels", ReplyTo: "help@example.test", Attachments: []channel.Attachment{pdf}}, "other@example.test"
		}),
		f.request(1, keyed("later"), own(outbox.Body{Subject: "x", Text: "y"}), func(r *outbox.Request) { r.NotBefore = start.Add(time.Hour) }),
	)
	f.dispatch(outbox.DispatchConfig{})
	for _, x := range d[:2] {
		f.untilState(x.MessageID, outbox.Sent)
	}
	got := map[string]channel.Message{}
	for _, m := range f.wire.got() {
		got[m.ID] = m
	}
	a, b := got[d[0].MessageID], got[d[1].MessageID]
	if a.Subject != "Your parcel" || a.From.Name != "Parcels" || a.ReplyTo != "help@example.test" || a.To.Addr != "p1@example.test" || !strings.Contains(a.HTML, baseURL+outbox.ClickPath) || !strings.Contains(a.Text, "https://shop.example/way") {
		t.Errorf("%+v", a)
	}
	if diff := cmp.Diff([]channel.Attachment{pdf}, a.Attachments); diff != "" {
		t.Error(diff)
	}
	if b.To.Addr != "other@example.test" || b.Subject != "Hello Pat 1" || b.From.Name != "Parcels" || b.ReplyTo != "help@example.test" || len(b.Attachments) != 1 {
		t.Errorf("%+v", b)
	}
	if m, err := f.Cancel(t.Context(), ws, d[2].MessageID); err != nil || m.State != outbox.Cancelled || m.EndedAt.IsZero() {
		t.Errorf("cancel: %+v, %v", m, err)
	}
	if _, err := f.Cancel(t.Context(), ws, d[0].MessageID); !errs.Is(err, errs.KindConflict) {
		t.Errorf("cancel what was sent: %v", err)
	}
	if n, err := f.PurgeBodies(t.Context(), 10); err != nil || n != 0 {
		t.Errorf("purged at once: %d, %v", n, err)
	}
	f.clock.Advance(8 * 24 * time.Hour)
	if n, err := f.PurgeBodies(t.Context(), 10); err != nil || n != 3 {
		t.Errorf("purged later: %d, %v", n, err)
	}
}

func TestAnAddressThatTheAskerNamesIsJudgedItself(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 1)
	ctx := t.Context()
	to := func(address string) func(*outbox.Request) {
		return func(r *outbox.Request) { transactional(r); r.Key, r.Address = address, address }
	}
	if _, err := f.consent.Suppress(ctx, ws, consent.Suppress{Channel: "email", Address: "Gone@example.test", Reason: consent.HardBounce}); err != nil {
		t.Fatal(err)
	}
	d := f.enqueue(f.request(1, to("gone@example.test")), f.request(1, to("there@example.test")))
	if d[0].Reason != outbox.ReasonSuppressed || d[0].Data["why"] != "hard_bounce" || !d[1].Allowed {
		t.Errorf("%+v", d)
	}
	if _, err := f.Enqueue(ctx, []outbox.Request{f.request(1, to("nonsense"))}); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("nonsense: %v", err)
	}
	if _, err := f.consent.Suppress(ctx, ws, consent.Suppress{Channel: "email", Address: "there@example.test", Reason: consent.Complaint}); err != nil {
		t.Fatal(err)
	}
	f.dispatch(outbox.DispatchConfig{})
	f.untilState(d[1].MessageID, outbox.Refused)
}

func TestBodiesOfRefusedAndRepeatedRequestsAreNotKept(t *testing.T) {
	f := setup(t, sqlite(t))
	f.people.add(1)
	f.enqueue(f.request(9, keyed("nobody"), own(outbox.Body{Subject: "x", Text: "y"})), f.request(1, keyed("k"), own(outbox.Body{Subject: "first", Text: "y"})))
	again := f.enqueue(f.request(1, keyed("k"), own(outbox.Body{Subject: "second", Text: "y"})))[0]
	f.dispatch(outbox.DispatchConfig{})
	if m := f.untilState(again.MessageID, outbox.Sent); !again.Duplicate || m.Subject != "first" {
		t.Errorf("%+v %+v", again, m)
	}
	f.clock.Advance(8 * 24 * time.Hour)
	if n, err := f.PurgeBodies(context.Background(), 10); err != nil || n != 1 {
		t.Errorf("%d bodies were kept, %v", n, err)
	}
}

func TestBodiesHoldNothingThatNoMailMayHold(t *testing.T) {
	file := func(name, kind string, size int) outbox.Body {
		return outbox.Body{Subject: "x", Text: "y", Attachments: []channel.Attachment{{Name: name, Type: kind, Content: make([]byte, size)}}}
	}
	html := func(h string) outbox.Body { return outbox.Body{Subject: "x", HTML: h} }
	for _, c := range []struct {
		b     outbox.Body
		field string
	}{
		{html(`<!doctype html><html><head><meta charset="utf-8"><style>p{color:red}</style></head><body background="https://a.example/b.png"><p style="color:red"><a href="mailto:a@b.example">x</a><img src="cid:1"><img src="data:image/png;base64,AA"></p></body></html>`), ""},
		{html(`<a href="#top">up</a><a href="/x?y=a:b">z</a>`), ""},
		{html(`<SCRIPT>alert(1)</SCRIPT>`), "html"},
		{html(`<p>x<iframe src="https://a.example">`), "html"},
		{html(`<img src=x OnError="alert(1)">`), "html"},
		{html(`<a href=" java&#9;script:alert(1)">x</a>`), "html"},
		{html(`<a href="vbscript:x">x</a>`), "html"},
		{html(`<a href="data:text/html,x">x</a>`), "html"},
		{html(`<img src="data:image/svg+xml,x">`), "html"},
		{html(`<meta http-equiv="refresh" content="0;url=https://a.example">`), "html"},
		{html(`<svg><a xlink:href="javascript:1"/></svg>`), "html"},
		{html(`<form action="https://a.example"><input></form>`), "html"},
		{html(`<p style="width: Expression(alert(1))">`), "html"},
		{outbox.Body{Subject: "a\nBcc: b", Text: "y"}, "subject"},
		{outbox.Body{Subject: "x"}, "html"},
		{outbox.Body{Text: "x"}, "subject"},
		{outbox.Body{Subject: "x", Text: strings.Repeat("y", outbox.MaxText+1)}, "text"},
		{outbox.Body{Subject: "x", Text: "y", ReplyTo: "nobody"}, "reply_to"},
		{file("a.pdf", "application/pdf", 1), ""},
		{file("a.pdf", "", 1), ""},
		{file("../a.pdf", "application/pdf", 1), "attachments[0].name"},
		{file("a.EXE", "application/pdf", 1), "attachments[0].name"},
		{file("a.pdf", "pdf", 1), "attachments[0].type"},
		{file("a.eml", "message/rfc822", 1), "attachments[0].type"},
		{file("a.pdf", "application/pdf", 0), "attachments[0].content"},
		{file("a.pdf", "application/pdf", outbox.MaxAttached+1), "attachments"},
	} {
		err := c.b.Validate(true)
		if c.field == "" && err != nil {
			t.Errorf("%+v: %v", c.b, err)
			continue
		}
		if c.field != "" {
			if all := errs.All(err); len(all) != 1 || all[0].Field != c.field {
				t.Errorf("%.80q: %v, want a fault in %s", c.b.HTML+c.b.Subject, err, c.field)
			}
		}
	}
	b := outbox.Body{Text: "y"}
	if err := b.Validate(false); err == nil {
		t.Error("a template and words of its own")
	}
}
