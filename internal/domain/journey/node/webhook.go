package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/content/liquid"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Webhook calls another server and waits for its answer, which later nodes and messages can name as answers.<node>.
var Webhook = Spec{
	Kind: "webhook", Title: "Call a webhook", Outputs: []string{"done", "refused", "timeout"}, Pauses: true, Quick: true,
	Config: func() any { return &WebhookConfig{} },
	New:    newWebhook,
}

// WebhookConfig configures Webhook. Templates may name person.*, event.* and answers.*.
type WebhookConfig struct {
	Method      string          `json:"method,omitempty" enum:"GET,POST,PUT,PATCH,DELETE" doc:"POST unless given"`
	URL         string          `json:"url" doc:"Address; a template after the host name, such as https://example.com/people/{{ person.id | url_encode }}"`
	Headers     []Header        `json:"headers,omitempty" doc:"Headers beside Content-Type and Idempotency-Key"`
	Body        json.RawMessage `json:"body,omitempty" doc:"JSON to send, every text in it a template; a text that is one {{ name }} keeps the value's type. Empty: person, event and answers"`
	Text        string          `json:"text,omitempty" doc:"Other text to send instead of JSON; a template"`
	ContentType string          `json:"content_type,omitempty" doc:"Of text; text/plain unless given"`
	Timeout     int             `json:"timeout,omitempty" doc:"Seconds to wait for one answer, 10 unless given, at most 30"`
	Within      *Span           `json:"within,omitempty" doc:"How long to try before the person leaves by timeout, one hour unless given"`
}

const (
	maxHeaders      = 20
	maxCallBody     = 64 << 10
	maxCallTimeout  = 30
	usualTimeout    = 10
	usualWithin     = time.Hour
	maxCallTemplate = 32 << 10
)

var (
	methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}
	// ownHeaders are ours to set; a value of the author's would break the request or its idempotency.
	ownHeaders = []string{"Host", "Content-Length", "Content-Type", "Connection", "Transfer-Encoding", "Upgrade", "Te", "Trailer", "Keep-Alive", "Proxy-Authorization", "Expect", "Idempotency-Key", "Accept-Encoding"}
	headerName = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+.^_|~-]{1,100}$`)
	// fixedHost holds scheme and host to what the author wrote: a trait must not decide where secrets are sent.
	fixedHost = regexp.MustCompile(`^https?://[^{}/?#\s]+([/?#]|$)`)
)

type webhook struct {
	method      string
	url         *liquid.Template
	host        string
	headers     []header
	body        filler // nil: the usual body
	text        *liquid.Template
	contentType string
	timeout     int
	within      time.Duration
	texts       []Text
}

type header struct {
	Header
	value *liquid.Template
}

func newWebhook(config any) (Node, error) {
	c := config.(*WebhookConfig)
	n := webhook{method: c.Method, contentType: c.ContentType, timeout: c.Timeout, within: usualWithin}
	if n.method == "" {
		n.method = "POST"
	}
	var bad []error
	fail := func(err error) { bad = append(bad, err) }
	words := &texts{fail: fail}
	if !slices.Contains(methods, n.method) {
		fail(errs.Invalid("journey.webhook.method", "method", "the method %q is not known; use %s", c.Method, strings.Join(methods, ", ")))
	}
	switch {
	case c.URL == "":
		fail(errs.Invalid("journey.webhook.url", "url", "give the address to call"))
	case !fixedHost.MatchString(c.URL):
		fail(errs.Invalid("journey.webhook.host", "url", "the address must begin with https:// or http:// and a host name that is no template; put templates after the host"))
	default:
		n.host = fixedHost.FindString(c.URL)
		n.url = words.parse("url", c.URL, liquid.Subject)
	}
	if len(c.Headers) > maxHeaders {
		fail(errs.Invalid("journey.webhook.headers", "headers", "at most %d headers", maxHeaders))
	}
	for i, h := range c.Headers {
		field := fmt.Sprintf("headers[%d]", i)
		switch {
		case !headerName.MatchString(h.Name):
			fail(errs.Invalid("journey.webhook.header.name", field+".name", "%q is not a name of a header", h.Name))
		case slices.Contains(ownHeaders, textproto.CanonicalMIMEHeaderKey(h.Name)):
			fail(errs.Invalid("journey.webhook.header.reserved", field+".name", "%s is set by the request itself; remove it", h.Name))
		case (h.Value != "") == (h.Secret != ""):
			fail(errs.Invalid("journey.webhook.header.value", field+".value", "give the header either a value or a secret"))
		case strings.ContainsFunc(h.Prefix, func(r rune) bool { return r < ' ' || r == 0x7f }):
			fail(errs.Invalid("journey.webhook.header.prefix", field+".prefix", "the prefix has line breaks or control characters; remove them"))
		}
		n.headers = append(n.headers, header{h, words.parse(field+".value", h.Value, liquid.Subject)})
	}
	if len(c.Body) > 0 && c.Text != "" {
		fail(errs.Invalid("journey.webhook.body.both", "text", "give either body or text"))
	}
	if (len(c.Body) > 0 || c.Text != "") && (n.method == "GET" || n.method == "DELETE") {
		fail(errs.Invalid("journey.webhook.body.method", "body", "a %s request has no body; use POST, PUT or PATCH", n.method))
	}
	if len(c.Body) > maxCallTemplate || len(c.Text) > maxCallTemplate {
		fail(errs.Invalid("journey.webhook.body.size", "body", "the body is larger than %d KB; send less", maxCallTemplate>>10))
	} else if len(c.Body) > 0 {
		var v any
		if err := json.Unmarshal(c.Body, &v); err != nil {
			fail(errs.Invalid("journey.webhook.body.json", "body", "this is not JSON: %v", err))
		}
		n.body = words.filler("body", v)
	}
	if c.Text != "" {
		n.text = words.parse("text", c.Text, liquid.Text)
		if n.contentType == "" {
			n.contentType = "text/plain; charset=utf-8"
		}
	} else {
		n.contentType = "application/json"
	}
	if strings.ContainsFunc(n.contentType, func(r rune) bool { return r < ' ' || r > '~' }) {
		fail(errs.Invalid("journey.webhook.content_type", "content_type", "the content type has characters that a header cannot carry"))
	}
	if n.timeout == 0 {
		n.timeout = usualTimeout
	}
	if n.timeout < 1 || n.timeout > maxCallTimeout {
		fail(errs.Invalid("journey.webhook.timeout", "timeout", "wait between 1 and %d seconds for one answer", maxCallTimeout))
	}
	if c.Within != nil {
		if err := c.Within.Check("within"); err != nil {
			fail(err)
		}
		n.within = c.Within.Duration()
	}
	n.texts = words.all
	switch len(bad) {
	case 0:
		return n, nil
	case 1:
		return nil, bad[0]
	}
	return nil, errors.Join(bad...)
}

// Texts implements Worded.
func (n webhook) Texts() []Text { return n.texts }

func (n webhook) Needs() Needs {
	out := Needs{Subject: true, Effects: true, Asks: true}
	if n.host != "" {
		out.URLs = []string{strings.TrimRight(n.host, "/?#")}
	}
	for _, h := range n.headers {
		if h.Secret != "" {
			out.Secrets = append(out.Secrets, h.Secret)
		}
	}
	return out
}

func (webhook) Listens() []*Matcher { return nil }

func (n webhook) Step(s State, in Input, now time.Time) Result {
	due := s.Arrived.Add(n.within)
	switch {
	case len(s.Data) == 0:
		call, err := n.call(s, in, now)
		if err != nil {
			return Result{Failed: Because("request_unmade", "text", err.Error())}
		}
		due = later(due, now)
		return Result{Due: due, Data: asked, Reason: Because("waits_answer"), Effects: []Effect{{Errand: &Errand{Call: call, Until: due}}}}
	case in.Answer == nil && now.Before(due):
		return Result{Due: due, Data: s.Data, Reason: Because("waits_answer")}
	case in.Answer == nil:
		return Result{Output: "timeout", Reason: Because("no_answer")}
	case in.Answer.OK:
		return Result{Output: "done", Reason: Because("answered", "status", in.Answer.Status, "tries", in.Answer.Tries), Answer: in.Answer}
	case in.Answer.Status == 0:
		return Result{Output: "refused", Reason: Because("not_called", "code", in.Answer.Code, "text", in.Answer.Error, "args", Named(in.Answer.Args)), Answer: in.Answer}
	}
	return Result{Output: "refused", Reason: Because("answered", "status", in.Answer.Status, "tries", in.Answer.Tries), Answer: in.Answer}
}

// call renders the request; it stays the same for every try.
func (n webhook) call(s State, in Input, now time.Time) (*Call, error) {
	person := map[string]any{}
	maps.Copy(person, in.Subject.Traits)
	person["id"] = in.Subject.ID
	r := &rendering{vars: scope(s), env: liquid.Env{Now: now, Zone: in.Home}}
	r.vars["person"] = person
	out := &Call{Method: n.method, URL: strings.TrimSpace(r.text(n.url)), Timeout: n.timeout}
	for _, h := range n.headers {
		h.Value = r.text(h.value)
		out.Headers = append(out.Headers, h.Header)
	}
	if n.method != "GET" && n.method != "DELETE" {
		out.Headers = append(out.Headers, Header{Name: "Content-Type", Value: n.contentType})
		switch {
		case n.text != nil:
			out.Body = r.text(n.text)
		default:
			var v any = r.vars
			if n.body != nil {
				v = n.body(r)
			}
			raw, err := json.Marshal(v)
			if err != nil {
				return nil, err
			}
			out.Body = string(raw)
		}
	}
	if r.err == nil && len(out.Body) > maxCallBody {
		return nil, fmt.Errorf("the body has %d bytes, at most %d; send less", len(out.Body), maxCallBody)
	}
	return out, r.err
}
