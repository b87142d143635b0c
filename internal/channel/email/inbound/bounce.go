package inbound

import (
	"regexp"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/channel"
)

// feedback reads a complaint (RFC 5965).
func (m *message) feedback(out *channel.Returned) bool {
	if m.arf == nil {
		return false
	}
	out.News, out.Feedback = channel.NewsComplained, "abuse"
	for _, g := range fields(m.arf) {
		if t := g["feedback-type"]; t != "" {
			out.Feedback = strings.ToLower(oneLine(t, 40))
		}
		if out.Detail == "" {
			out.Detail = oneLine(g["user-agent"], maxDetail)
		}
	}
	return true
}

// report reads a delivery report (RFC 3464). Of several recipients the worst news counts: our messages have one.
func (m *message) report(out *channel.Returned) bool {
	if m.status == nil {
		return false
	}
	rank := map[channel.News]int{channel.NewsDelivered: 1, channel.NewsDelayed: 2, channel.NewsBounced: 3}
	best := 0
	for _, g := range fields(m.status) {
		if g["final-recipient"] == "" && g["original-recipient"] == "" && g["action"] == "" && g["status"] == "" {
			continue // what concerns the whole message
		}
		var news channel.News
		status := firstWord(g["status"])
		switch action := strings.ToLower(firstWord(g["action"])); {
		case action == "failed", action == "" && strings.HasPrefix(status, "5"):
			news = channel.NewsBounced
		case action == "delayed", action == "" && strings.HasPrefix(status, "4"):
			news = channel.NewsDelayed
		case action == "delivered":
			news = channel.NewsDelivered
		default: // relayed, expanded: the end is not known
			continue
		}
		if rank[news] <= best {
			continue
		}
		best = rank[news]
		words := g["diagnostic-code"]
		if _, text, ok := strings.Cut(words, ";"); ok {
			words = text
		}
		words = oneLine(words, maxDetail)
		out.News, out.Code, out.Detail = news, channel.CodeOf(words), words
		if out.Code == "" || !strings.Contains(out.Code, ".") && strings.Count(status, ".") == 2 {
			out.Code = strings.TrimSpace(out.Code + " " + oneLine(status, 12))
		}
	}
	if best == 0 {
		return false
	}
	if out.Detail == "" { // Exchange and others write the reason into the text alone
		out.Detail = reason(string(m.plain))
	}
	if out.News == channel.NewsBounced {
		out.Class = channel.Classify(out.Code, out.Detail)
	}
	return true
}

func firstWord(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), " ")
	return s
}

var (
	daemons  = regexp.MustCompile(`(?i)mailer-?daemon|postmaster|mail delivery (sub)?system|mail-?deliver|microsoft ?exchange|bounce@`)
	failures = regexp.MustCompile(`(?i)failure notice|undeliver|delivery (status notification|failure|has failed|incomplete)|mail (system error|delivery failed)|returned mail|return(ed)? to sender|user unknown|unknown (user|address)|could not be delivered|not delivered|message (rejected|you sent blocked)|配信|送信できません|エラー|退信|无法投递|無法投遞`)
	delays   = regexp.MustCompile(`(?i)\b(delayed|warning: (message|could not)|has not (yet )?been delivered|still (being )?(retried|trying)|will keep trying)\b`)
	// quoted begins the copy of our message inside a bounce without MIME structure.
	quoted = regexp.MustCompile(`(?im)^\s*(--- Below this line is a copy of the message|-{3,} ?(This is a copy of|Original message|Returned message|Unsent message|Message headers? follow|The following message|転送|元のメッセージ)|Return-Path:|Received: (from|by))`)
)

// oldBounce reads what servers write that keep to no standard: qmail, Exim, older Exchange, mail gateways, and the Japanese carriers.
func (m *message) oldBounce(out *channel.Returned) bool {
	h := m.root.Header
	from, subject := h.Get("From"), h.Get("Subject")
	text := string(m.plain)
	failed := h.Get("X-Failed-Recipients") != "" // Exim
	qmail := strings.Contains(text, "This is the qmail-send program") || strings.Contains(text, "I'm afraid I wasn't able to deliver your message")
	daemon := daemons.MatchString(from) || m.envelope.Null
	if !failed && !qmail && !(daemon && (failures.MatchString(subject) || failures.MatchString(head(text)))) {
		return false
	}
	if at := quoted.FindStringIndex(text); at != nil && at[0] > 0 {
		text = text[:at[0]]
	}
	out.Detail = reason(text)
	out.Code = channel.CodeOf(out.Detail)
	if delays.MatchString(subject) || delays.MatchString(head(text)) && !strings.HasPrefix(out.Code, "5") {
		out.News = channel.NewsDelayed
		return true
	}
	out.News, out.Class = channel.NewsBounced, channel.Classify(out.Code, out.Detail)
	if out.Class == channel.Other {
		out.Class = channel.Classify(out.Code, oneLine(subject+" "+text, 4*maxDetail))
	}
	return true
}

// head is the beginning of a text, where a report says what it is.
func head(text string) string {
	if len(text) > 600 {
		text = strings.ToValidUTF8(text[:600], "")
	}
	return text
}

var (
	coded = regexp.MustCompile(`(?m)^.*?(\b[45]\d\d[ -]([45]\.\d{1,3}\.\d{1,3}|\S)|#[45]\.\d{1,3}\.\d{1,3}|\b[45]\.\d{1,3}\.\d{1,3}\b).*$`)
	named = regexp.MustCompile(`(?m)^\s*<[^<>\s]+@[^<>\s]+>:?.*$`)
)

// reason finds the line in which a server gives its reason: one with a code, with the lines that go on from it; else what follows the address; else all.
func reason(text string) string {
	at := coded.FindStringIndex(text)
	if at == nil {
		at = named.FindStringIndex(text)
	}
	if at == nil {
		return oneLine(text, maxDetail)
	}
	end := at[1]
	for range 3 { // up to the end of the paragraph
		next := strings.IndexByte(text[end:], '\n')
		if next < 0 {
			break
		}
		rest := text[end+next+1:]
		line, _, _ := strings.Cut(rest, "\n")
		if strings.TrimSpace(line) == "" {
			break
		}
		end += next + 1 + len(line)
	}
	found := oneLine(text[at[0]:end], maxDetail)
	if i := strings.Index(found, "said: "); i >= 0 { // Postfix and Exim: "host mx.example said: 550 ..."
		found = found[i+len("said: "):]
	} else if m := regexpReply.FindStringIndex(found); m != nil {
		found = found[m[0]:]
	}
	return found
}

var regexpReply = regexp.MustCompile(`\b[45]\d\d[ -][45]\.\d{1,3}\.\d{1,3}\b`)
