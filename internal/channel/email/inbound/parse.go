package inbound

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"io"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/jhillyerd/enmime/v2"

	"github.com/kizuna-cx/kizuna/internal/channel"
)

// Envelope is what was said of a mail beside the mail itself.
type Envelope struct {
	From string   // empty: the null sender, by which servers say that nobody wants an answer
	Null bool     // From is known to be empty, rather than not known
	To   []string // to whom it was handed in
	At   time.Time
}

// Limits of what is kept of a mail.
const (
	maxDetail      = 1000
	maxText        = 10_000
	maxLine        = 300
	maxReferences  = 20
	maxAttachments = 20
	maxBoundaries  = 20
)

var parser = enmime.NewParser(enmime.SkipMalformedParts(true), enmime.MultipartWOBoundaryAsSinglePart(true), enmime.MaxStoredPartErrors(1))

// Parse reads one mail. Bytes that are no mail at all are an answer without text.
func Parse(raw []byte, e Envelope) (out channel.Returned) {
	defer func() {
		if recover() != nil { // a mail that breaks the MIME reader must not stop the rest
			out = channel.Returned{News: channel.NewsReplied, References: references(e, nil, raw), Key: key(raw), At: e.At, Reply: channel.Reply{Auto: true}}
		}
	}()
	root := plain(raw)
	// The MIME reader's work grows with the product of size and depth. Twenty boundaries are more than any mail program nests.
	if bytes.Count(bytes.ToLower(raw), []byte("boundary")) <= maxBoundaries {
		if p, err := parser.ReadParts(bytes.NewReader(raw)); err == nil && p != nil {
			root = p
		}
	}
	m := &message{root: root, envelope: e}
	m.gather(root, 0)
	out = channel.Returned{At: e.At, Key: key(raw), References: references(e, root.Header, raw, m.decoded...)}
	if id := strings.TrimSpace(root.Header.Get("Message-Id")); id != "" {
		out.Key = key([]byte(id + "\n" + root.Header.Get("From")))
	}
	switch {
	case m.feedback(&out), m.report(&out), m.oldBounce(&out):
		return out
	}
	m.reply(&out)
	return out
}

// plain takes a mail for its header and a body of text.
func plain(raw []byte) *enmime.Part {
	p := enmime.NewPart("text/plain")
	p.Header, p.Content = textproto.MIMEHeader{}, raw
	if m, err := mail.ReadMessage(bytes.NewReader(raw)); err == nil {
		p.Header = textproto.MIMEHeader(m.Header)
		p.Content, _ = io.ReadAll(m.Body) // a reader of bytes
	}
	return p
}

func key(b []byte) string {
	sum := sha256.Sum256(b)
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:10]))
}

// message is a mail taken apart.
type message struct {
	root     *enmime.Part
	envelope Envelope
	status   []byte // message/delivery-status
	arf      []byte // message/feedback-report
	plain    []byte // the first text/plain, else what an only part holds
	decoded  [][]byte
	original bool // holds the returned message or its headers
}

const maxDepth = 20

// gather finds the parts that matter. Reports are found wherever they are: not every server labels the whole as multipart/report.
func (m *message) gather(p *enmime.Part, depth int) {
	if depth > maxDepth {
		return
	}
	kind := strings.ToLower(p.ContentType)
	switch kind {
	case "message/delivery-status", "message/global-delivery-status":
		if m.status == nil {
			m.status = p.Content
		}
	case "message/feedback-report":
		if m.arf == nil {
			m.arf = p.Content
		}
	case "message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global", "message/global-headers":
		m.original = true
	case "text/plain", "":
		if m.plain == nil && p.FirstChild == nil {
			m.plain = p.Content
		}
	}
	if len(p.Content) > 0 && (strings.HasPrefix(kind, "text/") || strings.HasPrefix(kind, "message/") || kind == "") {
		m.decoded = append(m.decoded, p.Content)
	}
	for c := p.FirstChild; c != nil; c = c.NextSibling {
		m.gather(c, depth+1)
	}
}

// references collects everything that looks like one of our references: from the address it was sent to, from the headers, from the rest.
func references(e Envelope, h textproto.MIMEHeader, raw []byte, decoded ...[]byte) []string {
	var out []string
	add := func(b []byte) {
		for _, r := range channel.ReferencePattern.FindAll(b, maxReferences) {
			if s := strings.ToLower(string(r)); len(out) < maxReferences && !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	for _, to := range e.To {
		add([]byte(to))
	}
	for _, name := range []string{"X-Original-To", "Delivered-To", "Envelope-To", "To", "In-Reply-To", "References"} {
		for _, v := range h[textproto.CanonicalMIMEHeaderKey(name)] {
			add([]byte(v))
		}
	}
	for _, d := range decoded {
		add(d)
	}
	add(raw)
	return out
}

// fields reads header-like lines, in groups that blank lines part; names are lower case. Broken lines are passed over.
func fields(b []byte) []map[string]string {
	var out []map[string]string
	group := map[string]string{}
	last := ""
	flush := func() {
		if len(group) > 0 {
			out = append(out, group)
		}
		group, last = map[string]string{}, ""
	}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimRight(line, "\r\n")
		switch name, value, ok := strings.Cut(line, ":"); {
		case strings.TrimSpace(line) == "":
			flush()
		case line[0] == ' ' || line[0] == '\t':
			if last != "" && len(group[last]) < maxDetail {
				group[last] += " " + strings.TrimSpace(line)
			}
		case ok:
			last = strings.ToLower(strings.TrimSpace(name))
			if _, twice := group[last]; !twice {
				group[last] = strings.TrimSpace(value)
			}
		}
	}
	flush()
	return out
}

// clean makes text harmless to show and store: valid, without control characters but line breaks and tabs, without direction marks that could turn it around, bounded.
func clean(s string, limit int) (_ string, cut bool) {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r) || r == unicode.ReplacementChar || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, strings.ToValidUTF8(strings.ReplaceAll(s, "\r\n", "\n"), ""))
	s = strings.TrimSpace(s)
	n := 0
	for i := range s {
		if n == limit {
			return strings.TrimSpace(s[:i]), true
		}
		n++
	}
	return s, false
}

func oneLine(s string, limit int) string {
	s, _ = clean(strings.Join(strings.Fields(s), " "), limit)
	return s
}

func sender(h textproto.MIMEHeader) (name, address string) {
	raw := h.Get("From")
	if a, err := (&mail.AddressParser{WordDecoder: nil}).Parse(raw); err == nil {
		return oneLine(a.Name, 200), strings.ToLower(oneLine(a.Address, 320))
	}
	if i := strings.LastIndexByte(raw, '<'); i >= 0 {
		name, rest := raw[:i], strings.TrimSuffix(strings.TrimSpace(raw[i+1:]), ">")
		return oneLine(strings.Trim(strings.TrimSpace(name), `"`), 200), strings.ToLower(oneLine(rest, 320))
	}
	return "", strings.ToLower(oneLine(raw, 320))
}
