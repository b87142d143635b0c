package inbound

import (
	"regexp"
	"strings"

	"github.com/jhillyerd/enmime/v2"

	"github.com/kizuna-cx/kizuna/internal/channel"
)

// reply reads an answer.
func (m *message) reply(out *channel.Returned) {
	h := m.root.Header
	out.News = channel.NewsReplied
	r := &out.Reply
	r.Name, r.From = sender(h)
	r.Subject = oneLine(h.Get("Subject"), maxLine)
	text := string(m.plain)
	if e, err := enmime.EnvelopeFromPart(m.root); err == nil {
		if strings.TrimSpace(e.Text) != "" {
			text = e.Text
		}
		if s := e.GetHeader("Subject"); s != "" { // decoded
			r.Subject = oneLine(s, maxLine)
		}
		if list, err := e.AddressList("From"); err == nil && len(list) > 0 {
			r.Name, r.From = oneLine(list[0].Name, 200), strings.ToLower(oneLine(list[0].Address, 320))
		}
		for _, p := range append(append(e.Attachments, e.Inlines...), e.OtherParts...) {
			if len(r.Attachments) == maxAttachments {
				r.Cut = true
				break
			}
			r.Attachments = append(r.Attachments, channel.AttachedFile{Name: oneLine(p.FileName, 200), Type: oneLine(p.ContentType, 100), Size: len(p.Content)})
		}
	}
	r.Auto = m.automatic(r.Subject)
	var cut bool
	r.Text, cut = clean(own(text), maxText)
	r.Cut = r.Cut || cut
}

var automatics = regexp.MustCompile(`(?i)^\s*(re: ?)?(out of (the )?office|automatic reply|auto(mated)?[ :-]?(reply|response)|auto:|vacation|on (leave|holiday)|away from|abwesen|automatische antwort|réponse automatique|absence|respuesta automática|risposta automatica|自動返信|自動応答|不在|自动回复|自動回覆|外出)`)

// automatic tells answers that no person wrote (RFC 3834, and what programs did before and beside it).
func (m *message) automatic(subject string) bool {
	h := m.root.Header
	if m.envelope.Null {
		return true
	}
	if v := strings.ToLower(firstWord(h.Get("Auto-Submitted"))); v != "" && v != "no" && !strings.HasPrefix(v, "no;") {
		return true
	}
	for _, name := range []string{"X-Autoreply", "X-Autorespond", "X-Auto-Reply", "X-Autoresponder", "X-Auto-Response-Suppress", "List-Id", "List-Unsubscribe", "Feedback-Id", "X-Loop"} {
		if h.Get(name) != "" {
			return true
		}
	}
	switch strings.ToLower(strings.TrimSpace(h.Get("Precedence"))) {
	case "auto_reply", "auto-reply", "bulk", "junk", "list":
		return true
	}
	return strings.TrimSpace(h.Get("Return-Path")) == "<>" || daemons.MatchString(h.Get("From")) || automatics.MatchString(subject)
}

// introductions begin the quoted message: "On Monday, Ann wrote:" as mail programs write it in the languages we meet. A program may break
// the line, so two lines are looked at together.
var introductions = []*regexp.Regexp{
	regexp.MustCompile(`(?i)^\s*(on|am|le|el|il|op|em)\s.{4,200}\s?(wrote|schrieb|a écrit|escribió|ha scritto|schreef|escreveu)\b.{0,100}:\s*$`),
	regexp.MustCompile(`^\s*(在\s?)?\d{4}\s?[年/-].{1,200}(写道|寫道)\s?[:：]\s*$`),
	regexp.MustCompile(`^\s*\d{4}\s?年\s?\d{1,2}\s?月\s?\d{1,2}\s?日.{0,200}(<[^<>]*>|さん|様|は書きました|のメール)\s?[:：]\s*$`),
	regexp.MustCompile(`(?i)^\s*-{2,}\s*(original message|ursprüngliche nachricht|message d'origine|forwarded message|mensaje original|元のメッセージ|原始邮件|原始郵件|转发邮件)\s*-{2,}`),
	regexp.MustCompile(`^\s*_{20,}\s*$`),
	regexp.MustCompile(`(?i)^\s*\*?(from|von|de|差出人|发件人|寄件者)\s?[:：]\*?\s.*@`),
	regexp.MustCompile(`(?i)^\s*-----+ ?(reply above|write above) `),
}

// own returns what the sender has written: without the quoted message below it and without the signature.
func own(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	end := len(lines)
search:
	for i, line := range lines {
		if len(line) > 1000 {
			continue
		}
		if strings.TrimRight(line, " ") == "--" || line == "-- " {
			end = i
			break
		}
		pair := line
		if i+1 < len(lines) && len(lines[i+1]) < 300 {
			pair += " " + strings.TrimSpace(lines[i+1])
		}
		for n, p := range introductions {
			if p.MatchString(line) || n < 3 && p.MatchString(pair) {
				end = i
				break search
			}
		}
	}
	if out := unquoted(lines[:end]); out != "" || end == len(lines) {
		return out
	}
	return unquoted(lines[end+1:]) // written below the quoted message
}

func unquoted(lines []string) string {
	var kept []string
	for _, line := range lines {
		if !strings.HasPrefix(strings.TrimSpace(line), ">") {
			kept = append(kept, strings.TrimRight(line, " \t"))
		}
	}
	return strings.TrimSpace(blank.ReplaceAllString(strings.Join(kept, "\n"), "\n\n"))
}

var blank = regexp.MustCompile(`\n{3,}`)
