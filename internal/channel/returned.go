package channel

import (
	"regexp"
	"strings"
	"time"
)

// News is what a Returned tells.
type News string

// The news.
const (
	NewsBounced    News = "bounced"    // it will not be delivered
	NewsDelayed    News = "delayed"    // the other side goes on trying: no bounce
	NewsDelivered  News = "delivered"  // it is in the mailbox
	NewsComplained News = "complained" // the recipient called it spam
	NewsReplied    News = "replied"    // somebody, or something, has answered
)

// Returned is what came back about a message: a bounce, a complaint, an answer. What it says is a claim of whoever sent it; only a
// reference that is signed ties it to a message.
type Returned struct {
	News       News
	References []string // what may be signed references of our messages, the likeliest first
	To         []string // to which of our addresses it came, if that is known
	Key        string   // tells one piece of news from another; the same news again has the same key
	At         time.Time
	Class      Class  // of a bounce
	Code       string // as the other side's server said it: "550 5.1.1", "5.1.1"
	Detail     string // its words
	Feedback   string // of a complaint: "abuse", "fraud", "not-spam" ...
	Reply      Reply  // of an answer
}

// Reply is an answer to a message.
type Reply struct {
	From        string // address; anybody can write anything here
	Name        string
	Subject     string
	Text        string // plain text without the quoted message
	Cut         bool   // Text is not all of it
	Auto        bool   // no person wrote it: a notice of absence, a ticket number
	Attachments []AttachedFile
}

// AttachedFile describes a file that came with an answer; the file itself is not kept.
type AttachedFile struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Size int    `json:"size"`
}

// Class says what a refusal means for further messages to the address.
type Class string

// The classes.
const (
	Hard  Class = "hard"  // there is no such address, and waiting will not make one
	Soft  Class = "soft"  // trouble at the other side that may pass
	Full  Class = "full"  // the mailbox is full
	Block Class = "block" // the sender or the content is unwelcome; says nothing of the person
	Other Class = "other" // refused for good, for a reason that is none of the above or not said
)

// Phrases by which servers say what their codes do not. They were collected from the answers of the large providers and of the common mail
// servers; a code that is specific comes before any of them.
var (
	fullWords = regexp.MustCompile(`(?i)mailbox.{0,20}full|over ?quota|quota.{0,20}exceed|exceed.{0,30}(quota|storage)|insufficient (system )?storage|storage.{0,20}full|out of (storage|space)|mailbox size limit|容量`)
	hardWords = regexp.MustCompile(`(?i)(user|recipient|address|mailbox|account|addressee|member)s?.{0,40}(unknown|not found|(does|do)(n't| not) exist|invalid|not exist|no longer|disabled|deactivated|inactive|unavailable|suspended|closed|not have an)` +
		`|(unknown|no such|invalid|inactive|non-?existent|bad destination|not a valid|not our) (local )?(user|recipient|address|mailbox|account|customer|host)|no mailbox here|does(n't| not) have an? .{0,40}account` +
		`|(host|domain).{0,20}(unknown|not found)|(name|domain).{0,30}(does not exist|not found)|null ?mx|doesn't like recipient|宛先|存在しません|あて先`)
	blockWords = regexp.MustCompile(`(?i)spam|black ?list|blocked|blocklist|block list|\bpolic(y|ies)\b|reputation|\brelay|access denied|\bspf\b|\bdkim\b|\bdmarc\b|\brbl\b|dnsbl|rate limit|too many|throttl|content reject|virus|malware|client host|not allowed|authenticat|\blisted\b|unsolicited|sender.{0,20}(rejected|denied|verif)|complain|bulk mail|greylist`)
	statusCode = regexp.MustCompile(`\b([245])\.(\d{1,3})\.(\d{1,3})\b`)
	replyCode  = regexp.MustCompile(`^\s*([245]\d\d)\b`)
)

// Classify tells what a refusal means from its code ("550 5.1.1", either part may be missing) and its words. The enhanced codes are those of
// RFC 3463 and the registry that RFC 5248 began.
func Classify(code, words string) Class {
	status := statusCode.FindStringSubmatch(code)
	if status == nil {
		status = statusCode.FindStringSubmatch(words)
	}
	passing := strings.HasPrefix(strings.TrimSpace(code), "4")
	if status != nil {
		passing = status[1] == "4"
		if c, ok := byStatus(status[2]+"."+status[3], words); ok && (!passing || c == Full || c == Block) {
			return c
		}
	}
	switch {
	case fullWords.MatchString(words):
		return Full
	case passing && blockWords.MatchString(words):
		return Block
	case passing:
		return Soft
	case blockWords.MatchString(words):
		return Block
	case hardWords.MatchString(words):
		return Hard
	}
	if status != nil && (status[2] == "3" || status[2] == "4") {
		return Soft
	}
	return Other
}

// byStatus reads the subject and detail of an enhanced code. Codes that servers use for anything decide nothing.
func byStatus(detail, words string) (Class, bool) {
	switch detail {
	case "1.1", "1.2", "1.3", "1.4", "1.6", "1.10", "2.1", "4.4":
		return Hard, true
	case "2.2", "3.1":
		return Full, true
	case "1.7", "1.8", "1.9", "2.3", "3.4", "5.3":
		return Block, true
	case "4.1", "4.2", "4.3", "4.5", "4.6", "4.7", "3.2":
		return Soft, true
	}
	switch {
	case strings.HasPrefix(detail, "7.") || strings.HasPrefix(detail, "6."):
		return Block, !fullWords.MatchString(words)
	}
	return Other, false
}

// CodeOf returns the reply code at the beginning of a server's words, with the enhanced code if there is one: "550 5.1.1".
func CodeOf(words string) string {
	out := ""
	if m := replyCode.FindStringSubmatch(words); m != nil {
		out = m[1]
	}
	if m := statusCode.FindString(words); m != "" {
		out = strings.TrimSpace(out + " " + m)
	}
	return out
}

// ReferencePattern is what a signed reference looks like: a letter for its purpose, the number of a message, a signature. It survives mail
// servers that change case and fits, behind a plus sign too, into the local part of an address (64 characters, RFC 5321 4.5.3.1.1).
var ReferencePattern = regexp.MustCompile(`(?i)\b[a-z]-[0-9a-hjkmnp-tv-z]{26}[a-z2-7]{16}\b`)
