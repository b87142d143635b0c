package email

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/channel"
)

// composed is a message ready for the wire.
type composed struct {
	from, to address
	data     []byte // dots are doubled, the end is in CRLF, the final dot is missing
	utf8     bool   // SMTPUTF8 is needed
}

// refusal is a message that cannot be mail.
type refusal struct {
	code, why string
	permanent bool
}

func (r *refusal) Error() string { return r.why }

// spare is the room behind a message for what goes out in one piece with it: the final dot and the envelope of the next one.
const spare = 512

// compose builds the message, in the space given if it fits. Fields that people wrote are made harmless; fields that programs wrote must be right, or
// the message is refused.
func compose(m channel.Message, c *Config, space []byte) (*composed, error) {
	out := &composed{}
	var err error
	if out.to, err = parseAddress(m.To.Addr); err != nil {
		return nil, &refusal{"553 5.1.3", fmt.Sprintf("%q is not a mail address", m.To.Addr), true}
	}
	from, err := parseAddress(m.From.Addr)
	if err != nil {
		return nil, &refusal{"553 5.1.7", fmt.Sprintf("the sender %q is not a mail address", m.From.Addr), false}
	}
	out.from = from
	switch {
	case m.ReturnPath != "":
		if out.from, err = parseAddress(m.ReturnPath); err != nil {
			return nil, &refusal{"553 5.1.7", fmt.Sprintf("the return path %q is not a mail address", m.ReturnPath), false}
		}
	case c.ReturnPath != "":
		if out.from, err = c.envelope(m.ID, out.to.String()); err != nil {
			return nil, &refusal{"553 5.1.7", "the return path is not a mail address", false}
		}
	}
	out.utf8 = from.utf8 || out.to.utf8 || out.from.utf8

	b := slices.Grow(space, 1024+len(m.HTML)+len(m.HTML)/8+len(m.Text)+len(m.Text)/8+spare)
	b = append(b, "Date: "...)
	b = m.Date.AppendFormat(b, time.RFC1123Z)
	b = append(b, "\r\nMessage-ID: <"...)
	b = append(b, verp(strings.ToLower(m.ID))...)
	b = append(b, '@')
	b = append(b, strings.Trim(from.domain, "[]")...)
	b = append(b, ">\r\n"...)
	b = appendMailbox(b, "From", m.From.Name, from)
	b = appendMailbox(b, "To", m.To.Name, out.to)
	if m.ReplyTo != "" {
		reply, err := parseAddress(m.ReplyTo)
		if err != nil {
			return nil, &refusal{"554 5.6.0", fmt.Sprintf("the reply address %q is not a mail address", m.ReplyTo), false}
		}
		out.utf8 = out.utf8 || reply.utf8
		b = appendMailbox(b, "Reply-To", "", reply)
	}
	if b, err = appendHeader(b, "Subject", oneLine(m.Subject)); err != nil {
		return nil, &refusal{"554 5.6.0", "the subject: " + err.Error(), false}
	}
	names := make([]string, 0, len(m.Headers))
	for n := range m.Headers {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		if err := checkHeader(n, m.Headers[n]); err != nil {
			return nil, &refusal{"554 5.6.0", fmt.Sprintf("the header %q: %v", n, err), false}
		}
		if b, err = appendHeader(b, n, strings.TrimSpace(m.Headers[n])); err != nil {
			return nil, &refusal{"554 5.6.0", fmt.Sprintf("the header %q: %v", n, err), false}
		}
	}
	b = append(b, "MIME-Version: 1.0\r\n"...)
	if len(m.Attachments) == 0 {
		b = appendContent(b, m)
	} else {
		boundary := boundaryOf(m, "mixed")
		b = append(b, `Content-Type: multipart/mixed; boundary="`+boundary+"\"\r\n\r\n--"+boundary+"\r\n"...)
		b = appendContent(b, m)
		for _, a := range m.Attachments {
			b = append(b, "--"+boundary+"\r\n"...)
			b = appendFile(b, a)
		}
		b = append(b, "--"+boundary+"--\r\n"...)
	}
	if b, err = sign(b, m.Sign); err != nil {
		return nil, err
	}
	out.data = stuff(b)
	return out, nil
}

// boundaryOf returns a boundary that the message cannot hold: "=_" occurs neither in quoted-printable nor in base64, and the digest of an id
// that was drawn after the words were written is nobody's guess.
func boundaryOf(m channel.Message, level string) string {
	sum := sha256.Sum256([]byte(level + " " + m.ID))
	return "=_" + hex.EncodeToString(sum[:12])
}

// appendContent writes what the reader sees: text, HTML, or both to choose from.
func appendContent(b []byte, m channel.Message) []byte {
	switch {
	case m.HTML == "":
		return append(appendPart(b, "text/plain", m.Text), "\r\n"...)
	case m.Text == "":
		return append(appendPart(b, "text/html", m.HTML), "\r\n"...)
	}
	boundary := boundaryOf(m, "")
	b = append(b, `Content-Type: multipart/alternative; boundary="`+boundary+"\"\r\n\r\n--"+boundary+"\r\n"...)
	b = appendPart(b, "text/plain", m.Text)
	b = append(b, "\r\n--"+boundary+"\r\n"...)
	b = appendPart(b, "text/html", m.HTML)
	return append(b, "\r\n--"+boundary+"--\r\n"...)
}

// appendFile writes an attachment. A name beyond ASCII is written as RFC 2231 says.
func appendFile(b []byte, a channel.Attachment) []byte {
	kind, _, err := mime.ParseMediaType(a.Type)
	if err != nil || strings.HasPrefix(kind, "multipart/") || strings.HasPrefix(kind, "message/") {
		kind = "application/octet-stream"
	}
	name := strings.NewReplacer(`"`, "'", "\\", "_", "/", "_").Replace(oneLine(a.Name))
	b = append(b, "Content-Type: "+kind+"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment;\r\n "...)
	if needsEncoding(name) {
		b = append(b, "filename*=utf-8''"...)
		for i := range len(name) {
			switch c := name[i]; {
			case wordSafe(c) && c != '*' && c != '/' || c == '.' || c == '_':
				b = append(b, c)
			default:
				b = append(b, '%', hexDigits[c>>4], hexDigits[c&15])
			}
		}
	} else {
		b = append(b, `filename="`+name+`"`...)
	}
	b = append(b, "\r\n\r\n"...)
	for i := 0; i < len(a.Content); i += 57 {
		b = base64.StdEncoding.AppendEncode(b, a.Content[i:min(i+57, len(a.Content))])
		b = append(b, "\r\n"...)
	}
	return b
}

// oneLine turns control characters, line breaks above all, into spaces, and broken UTF-8 into U+FFFD.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7F && r < 0xA0 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
}

// ours are the headers that compose writes; nobody else may.
var ours = []string{"date", "message-id", "from", "to", "cc", "bcc", "reply-to", "sender", "subject", "mime-version", "return-path", "received"}

func checkHeader(name, value string) error {
	lower := strings.ToLower(name)
	switch {
	case name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7F || r == ':' }):
		return errors.New("this is not the name of a header")
	case slices.Contains(ours, lower) || strings.HasPrefix(lower, "content-") || strings.HasPrefix(lower, "resent-"):
		return errors.New("this header is written by the adapter itself")
	case strings.ContainsFunc(value, func(r rune) bool { return r < 0x20 && r != '\t' || r == 0x7F }) || !utf8.ValidString(value):
		return errors.New("the value has control characters")
	}
	return nil
}

// maxLine is the longest header line we write; RFC 5322 allows 998 characters and asks for 78.
const (
	maxLine  = 76
	hardLine = 990
)

// appendHeader writes an unstructured header (RFC 5322 2.2.1), encoded as in RFC 2047 if it has to be, folded.
func appendHeader(b []byte, name, value string) ([]byte, error) {
	start := len(b)
	b = append(b, name...)
	b = append(b, ": "...)
	if needsEncoding(value) {
		return append(appendWords(b, value, len(b)-start), "\r\n"...), nil
	}
	col := len(b) - start
	for i := 0; i < len(value); {
		j := i
		for j < len(value) && value[j] == ' ' || j < len(value) && value[j] == '\t' {
			j++
		}
		for j < len(value) && value[j] != ' ' && value[j] != '\t' {
			j++
		}
		word := value[i:j] // with the space before it
		if len(word) > hardLine {
			return b, fmt.Errorf("%d characters without a space; %d fit into a line", len(word), hardLine)
		}
		if col+len(word) > maxLine && i > 0 {
			b = append(b, "\r\n"...)
			col = 0
		}
		b = append(b, word...)
		col += len(word)
		i = j
	}
	return append(b, "\r\n"...), nil
}

// needsEncoding tells whether text cannot stand in a header as it is: it is not ASCII, looks encoded, or has white space that
// folding would not keep.
func needsEncoding(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x7F || s[i] < ' ' {
			return true
		}
	}
	return strings.Contains(s, "=?") || strings.Contains(s, "  ")
}

// appendWords writes text as encoded words (RFC 2047), each of at most 75 characters and whole characters, one on a line.
func appendWords(b []byte, s string, col int) []byte {
	plain := 0
	for i := range len(s) {
		if wordSafe(s[i]) {
			plain++
		}
	}
	q := plain*2 > len(s)
	const frame = len("=?utf-8?q?") + len("?=")
	for first := true; s != ""; first = false {
		if !first {
			b = append(b, "\r\n "...)
			col = 1
		}
		room := maxLine - col - frame
		n, width := 0, 0
		for n < len(s) {
			_, size := utf8.DecodeRuneInString(s[n:])
			w := width
			if q {
				for k := n; k < n+size; k++ {
					if w++; !wordSafe(s[k]) && s[k] != ' ' {
						w += 2
					}
				}
			} else {
				w = (n + size + 2) / 3 * 4
			}
			if w > room && n > 0 {
				break
			}
			n, width = n+size, w
		}
		if q {
			b = append(b, "=?utf-8?q?"...)
			for k := range n {
				switch c := s[k]; {
				case c == ' ':
					b = append(b, '_')
				case wordSafe(c):
					b = append(b, c)
				default:
					b = append(b, '=', hexDigits[c>>4], hexDigits[c&15])
				}
			}
		} else {
			b = append(b, "=?utf-8?b?"...)
			b = base64.StdEncoding.AppendEncode(b, []byte(s[:n]))
		}
		b = append(b, "?="...)
		s = s[n:]
	}
	return b
}

// wordSafe tells whether a byte may stand for itself in an encoded word, also inside a phrase (RFC 2047 5(3)).
func wordSafe(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '!' || c == '*' || c == '+' || c == '-' || c == '/'
}

// appendMailbox writes an address header.
func appendMailbox(b []byte, header, name string, a address) []byte {
	start := len(b)
	b = append(b, header...)
	b = append(b, ": "...)
	name = oneLine(name)
	switch {
	case name == "":
		b = append(b, a.String()...)
		return append(b, "\r\n"...)
	case needsEncoding(name) || len(name) > 60:
		b = appendWords(b, name, len(b)-start)
	case strings.ContainsFunc(name, func(r rune) bool { return !wordSafe(byte(r)) && r != ' ' && r != '_' }):
		b = append(b, '"')
		for i := range len(name) {
			if name[i] == '"' || name[i] == '\\' {
				b = append(b, '\\')
			}
			b = append(b, name[i])
		}
		b = append(b, '"')
	default:
		b = append(b, name...)
	}
	line := len(b) - start - strings.LastIndexByte(string(b[start:]), '\n') - 1
	if line+len(a.String())+3 > maxLine {
		b = append(b, "\r\n"...)
	}
	b = append(b, " <"...)
	b = append(b, a.String()...)
	return append(b, ">\r\n"...)
}

// appendPart writes a text part with its headers, in the transfer encoding that is smallest and safe. No line break is added at
// its end: what follows begins with one.
func appendPart(b []byte, kind, text string) []byte {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	b = append(b, "Content-Type: "...)
	b = append(b, kind...)
	b = append(b, "; charset=utf-8\r\nContent-Transfer-Encoding: "...)
	odd, longest := measure(text)
	switch {
	case odd == 0 && longest <= hardLine:
		b = append(b, "7bit\r\n\r\n"...)
		b = appendLines(b, text)
	case odd*6 < len(text):
		b = append(b, "quoted-printable\r\n\r\n"...)
		b = appendQuoted(b, text)
	default:
		b = append(b, "base64\r\n\r\n"...)
		b = appendBase64(b, text)
	}
	return b
}

// measure counts the bytes that cannot stand as they are, and those of the longest line.
func measure(text string) (odd, longest int) {
	for rest := text; ; {
		n := strings.IndexByte(rest, '\n')
		if n < 0 {
			longest = max(longest, len(rest))
			break
		}
		longest, rest = max(longest, n), rest[n+1:]
	}
	const ones, high = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(text); i += 8 {
		e := text[i : i+8]
		w := uint64(e[0]) | uint64(e[1])<<8 | uint64(e[2])<<16 | uint64(e[3])<<24 | uint64(e[4])<<32 | uint64(e[5])<<40 | uint64(e[6])<<48 | uint64(e[7])<<56
		// Eight at once: none is below a space, and none is 0x7F or above.
		if ((w-0x20*ones)|(w+ones)|w)&high == 0 {
			continue
		}
		for k := i; k < i+8; k++ {
			if odds[text[k]] {
				odd++
			}
		}
	}
	for ; i < len(text); i++ {
		if odds[text[i]] {
			odd++
		}
	}
	return odd, longest
}

// odds has the bytes that need a transfer encoding.
var odds = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x7F || c < ' ' && c != '\t' && c != '\r' && c != '\n'
	}
	return t
}()

// appendLines writes text with CRLF for every line break.
func appendLines(b []byte, text string) []byte {
	if strings.IndexByte(text, '\r') < 0 {
		for {
			n := strings.IndexByte(text, '\n')
			if n < 0 {
				return append(b, text...)
			}
			b = append(append(b, text[:n]...), "\r\n"...)
			text = text[n+1:]
		}
	}
	for i := 0; i < len(text); {
		j := strings.IndexAny(text[i:], "\r\n")
		if j < 0 {
			return append(b, text[i:]...)
		}
		b = append(b, text[i:i+j]...)
		b = append(b, "\r\n"...)
		i += j + newline(text[i+j:])
	}
	return b
}

// newline returns the length of the line break that s starts with: CRLF, LF or CR.
func newline(s string) int {
	switch {
	case strings.HasPrefix(s, "\r\n"):
		return 2
	case s != "" && (s[0] == '\n' || s[0] == '\r'):
		return 1
	}
	return 0
}

const hexDigits = "0123456789ABCDEF"

// quotable has the bytes that stand for themselves in quoted-printable wherever they are.
var quotable = func() (t [256]bool) {
	for c := '!'; c <= '~'; c++ {
		t[c] = c != '='
	}
	return t
}()

// appendQuoted writes quoted-printable (RFC 2045 6.7) in lines of at most 76 characters.
func appendQuoted(b []byte, text string) []byte {
	const width = 75 // and the = of a soft line break
	col := 0
	for i := 0; i < len(text); {
		c := text[i]
		if n := newline(text[i:]); n > 0 {
			b = append(b, "\r\n"...)
			col = 0
			i += n
			continue
		}
		run := i
		for end := min(len(text), i+width-col); run < end; run++ {
			if c := text[run]; !quotable[c] && (c != ' ' && c != '\t' || run+1 == len(text) || text[run+1] == '\r' || text[run+1] == '\n') {
				break
			}
		}
		if col == 0 && c == 'F' && strings.HasPrefix(text[i:], "From ") { // mailboxes of the mbox kind would change it
			run = i
		}
		switch {
		case run > i:
			b = append(b, text[i:run]...)
			col += run - i
			i = run
		case col+3 <= width:
			b = append(b, '=', hexDigits[c>>4], hexDigits[c&15])
			col += 3
			i++
		default:
			b = append(b, "=\r\n"...)
			col = 0
		}
	}
	return b
}

// appendBase64 writes base64 in lines of 76 characters; line breaks of the text become CRLF, as text parts want it.
func appendBase64(b []byte, text string) []byte {
	raw := appendLines(make([]byte, 0, len(text)+64), text)
	for i := 0; i < len(raw); i += 57 {
		if i > 0 {
			b = append(b, "\r\n"...)
		}
		b = base64.StdEncoding.AppendEncode(b, raw[i:min(i+57, len(raw))])
	}
	return b
}

// stuff doubles the dots at the start of lines (RFC 5321 4.5.2).
func stuff(b []byte) []byte {
	lead := []byte("\n.")
	n := bytes.Count(b, lead)
	if n == 0 {
		return b
	}
	out := make([]byte, 0, len(b)+n+spare)
	for {
		i := bytes.Index(b, lead)
		if i < 0 {
			return append(out, b...)
		}
		out = append(append(out, b[:i+2]...), '.')
		b = b[i+2:]
	}
}
