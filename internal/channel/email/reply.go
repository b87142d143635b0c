package email

import (
	"bufio"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
)

// reply is what a server says.
type reply struct {
	code     int
	enhanced string // RFC 3463, e.g. "5.1.1"; empty if there is none
	lines    []string
}

// short is the code with the enhanced one: "550 5.1.1".
func (r reply) short() string {
	if r.enhanced == "" {
		return strconv.Itoa(r.code)
	}
	return strconv.Itoa(r.code) + " " + r.enhanced
}

// words is the text of all lines.
func (r reply) words() string { return strings.ToValidUTF8(strings.Join(r.lines, " "), "\uFFFD") }

func (r reply) String() string { return strings.TrimSpace(r.short() + " " + r.words()) }

// Limits of a reply. RFC 5321 says 512 bytes a line; servers are wordier.
const (
	maxReplyLine  = 4096
	maxReplyLines = 100
)

// protocolError is a server that does not speak SMTP.
type protocolError struct{ what string }

func (e *protocolError) Error() string { return "the mail server broke the protocol: " + e.what }

// readReply reads one reply, of several lines if need be.
func readReply(r *bufio.Reader) (reply, error) {
	var out reply
	for {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return out, &protocolError{fmt.Sprintf("a line of more than %d bytes", maxReplyLine)}
		}
		if err != nil {
			return out, err
		}
		s := strings.TrimRight(string(line), "\r\n")
		if len(s) < 3 || len(s) > 3 && s[3] != ' ' && s[3] != '-' {
			return out, &protocolError{fmt.Sprintf("%.80q is not a reply", s)}
		}
		code, err := strconv.Atoi(s[:3])
		if err != nil || code < 200 || code > 599 {
			return out, &protocolError{fmt.Sprintf("%.80q is not a reply", s)}
		}
		if out.code != 0 && code != out.code {
			return out, &protocolError{fmt.Sprintf("a reply with the codes %d and %d", out.code, code)}
		}
		out.code = code
		text := ""
		if len(s) > 4 {
			text = s[4:]
		}
		if e, rest := enhanced(text, code); e != "" {
			out.enhanced, text = e, rest
		}
		out.lines = append(out.lines, strings.TrimSpace(text))
		if len(s) == 3 || s[3] == ' ' {
			return out, nil
		}
		if len(out.lines) >= maxReplyLines {
			return out, &protocolError{fmt.Sprintf("a reply of more than %d lines", maxReplyLines)}
		}
	}
}

// enhanced splits "5.1.1 text"; the class must be that of the code.
func enhanced(text string, code int) (status, rest string) {
	first, rest, _ := strings.Cut(text, " ")
	parts := strings.Split(first, ".")
	if len(parts) != 3 || parts[0] != strconv.Itoa(code/100) {
		return "", text
	}
	for _, p := range parts {
		if n, err := strconv.Atoi(p); err != nil || n < 0 || n > 999 {
			return "", text
		}
	}
	return first, rest
}

// stage is the command that a reply answers.
type stage uint8

const (
	atMail stage = iota
	atRecipient
	atData
	atEnd
)

// outcome classes a negative reply to a message. ok is false if the reply speaks of the session rather than the message:
// the account must sign in or encrypt, or the server is closing.
func (r reply) outcome(at stage) (o channel.Outcome, ok bool) {
	switch r.code {
	case 421, 530, 534, 535, 538:
		if r.code != 421 || at != atEnd {
			return channel.Outcome{Result: channel.Deferred, Detail: r.String()}, false
		}
	}
	o = channel.Outcome{Code: r.short(), Detail: r.words()}
	if r.code/100 == 4 {
		o.Result, o.Retry = channel.Deferred, retryAfter(o.Detail)
		return o, true
	}
	o.Result, o.Permanent = channel.Rejected, r.dead(at)
	return o, true
}

// policy are words by which servers refuse a sender or a message while using the codes for unknown recipients.
var policy = regexp.MustCompile(`(?i)spam|black ?list|block(ed|list)|polic(y|ies)|reputation|relay|denied|spf|dkim|dmarc|rbl|dnsbl|rate|limit|quota|full|content|virus|sender|client host|not allowed|authenticat|listed`)

// dead tells whether the reply says that the address does not exist or never takes mail, so that nobody should write to it
// again. Codes are RFC 3463 and 7505.
func (r reply) dead(at stage) bool {
	switch r.enhanced {
	case "5.1.1", "5.1.2", "5.1.3", "5.1.4", "5.1.6", "5.1.10", "5.2.1":
		return true
	case "", "5.0.0", "5.1.0":
		if at != atRecipient {
			return false
		}
		switch r.code {
		case 550, 551, 553, 556:
			return !policy.MatchString(r.words())
		}
	}
	return false
}

var retryWords = regexp.MustCompile(`(?i)\b(?:in|after|within|for)\s+(?:(\d{1,2}):(\d{2}):(\d{2})|(\d{1,5})\s*(s|sec|secs|seconds?|m|min|mins|minutes?|h|hours?)\b)`)

// retryAfter finds "try again in 5 minutes" and the like, up to a day.
func retryAfter(words string) time.Duration {
	m := retryWords.FindStringSubmatch(words)
	if m == nil {
		return 0
	}
	n := func(s string) time.Duration { v, _ := strconv.Atoi(s); return time.Duration(v) }
	d := n(m[1])*time.Hour + n(m[2])*time.Minute + n(m[3])*time.Second
	if m[4] != "" {
		switch m[5][0] | 0x20 {
		case 's':
			d = n(m[4]) * time.Second
		case 'm':
			d = n(m[4]) * time.Minute
		case 'h':
			d = n(m[4]) * time.Hour
		}
	}
	return min(d, 24*time.Hour)
}
