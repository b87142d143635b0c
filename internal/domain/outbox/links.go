package outbox

import (
	"crypto/subtle"
	"encoding/base32"
	"strconv"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/secret"
)

// Paths below the base URL; the tracking handlers serve them.
const (
	OpenPath        = "/t/o/"
	ClickPath       = "/t/c/"
	UnsubscribePath = "/u/"
	ConfirmPath     = "/u/confirm/"
)

// Purposes of the signatures: a token for one thing is no good for another.
const (
	openPurpose        = "link/open"
	clickPurpose       = "link/click"
	unsubscribePurpose = "link/unsubscribe"
	trapPurpose        = "link/trap"
	personPurpose      = "link/person"
	confirmPurpose     = "link/confirm"
)

const trapPrefix = "x." // no token begins so

// Links makes and reads the signed links that go out with messages. A token holds the workspace, the message and, for a
// click, the destination: nothing but a link that this installation made leads anywhere.
type Links struct {
	base string
	box  *secret.Box
}

// NewLinks returns Links below the base URL.
func NewLinks(base string, box *secret.Box) *Links {
	return &Links{base: strings.TrimRight(base, "/"), box: box}
}

// Link is what a token says.
type Link struct {
	Workspace string
	MessageID string
	PersonID  string // of a preference link that belongs to no message
	URL       string // of a click
	Trap      bool   // nobody can see this link
}

// separator of the parts of a payload; ids never hold it, and a URL comes last.
const separator = "\n"

// Open returns the address of the image that tells of an open.
func (l *Links) Open(ws, messageID string) string {
	return l.base + OpenPath + l.box.Sign(openPurpose, []byte(ws+separator+messageID))
}

// Click returns the address that leads to url and tells of the click.
func (l *Links) Click(ws, messageID, url string) string {
	return l.base + ClickPath + l.box.Sign(clickPurpose, []byte(ws+separator+messageID+separator+url))
}

// Trap returns the address of a link that no person sees: who follows it is a machine. It leads to this installation's own front page.
func (l *Links) Trap(ws, messageID string) string {
	return l.base + ClickPath + trapPrefix + l.box.Sign(trapPurpose, []byte(ws+separator+messageID))
}

// Unsubscribe returns the address of the page, and of the one-click request, that ends a subscription.
func (l *Links) Unsubscribe(ws, messageID string) string {
	return l.base + UnsubscribePath + l.box.Sign(unsubscribePurpose, []byte(ws+separator+messageID))
}

// Person returns the address of a person's preference page that came with no message.
func (l *Links) Person(ws, personID string) string {
	return l.base + UnsubscribePath + "p." + l.box.Sign(personPurpose, []byte(ws+separator+personID))
}

// Confirmation is what a link in a confirmation mail says.
type Confirmation struct {
	Workspace string
	PersonID  string
	Topic     string
	Channel   string
	Asked     time.Time
}

// Confirm returns the address that confirms a subscription.
func (l *Links) Confirm(c Confirmation) string {
	payload := strings.Join([]string{c.Workspace, c.PersonID, c.Topic, c.Channel, strconv.FormatInt(c.Asked.UnixMicro(), 10)}, separator)
	return l.base + ConfirmPath + l.box.Sign(confirmPurpose, []byte(payload))
}

// ReadConfirm reads the token of a Confirm link.
func (l *Links) ReadConfirm(token string) (Confirmation, error) {
	bad := errs.NotFound("link", "")
	payload, err := l.box.Verify(confirmPurpose, token)
	if err != nil {
		return Confirmation{}, bad.With(err)
	}
	p := strings.Split(string(payload), separator)
	if len(p) != 5 {
		return Confirmation{}, bad
	}
	micros, err := strconv.ParseInt(p[4], 10, 64)
	if err != nil {
		return Confirmation{}, bad.With(err)
	}
	return Confirmation{p[0], p[1], p[2], p[3], time.UnixMicro(micros).UTC()}, nil
}

// ReadOpen reads the token of an Open link.
func (l *Links) ReadOpen(token string) (Link, error) { return l.read(openPurpose, token, 2) }

// ReadClick reads the token of a Click link.
func (l *Links) ReadClick(token string) (Link, error) {
	if of, ok := strings.CutPrefix(token, trapPrefix); ok {
		out, err := l.read(trapPurpose, of, 2)
		out.URL, out.Trap = l.base+"/", true
		return out, err
	}
	return l.read(clickPurpose, token, 3)
}

// ReadUnsubscribe reads the token of an Unsubscribe link.
func (l *Links) ReadUnsubscribe(token string) (Link, error) {
	if of, ok := strings.CutPrefix(token, "p."); ok {
		out, err := l.read(personPurpose, of, 2)
		out.MessageID, out.PersonID = "", out.MessageID
		return out, err
	}
	return l.read(unsubscribePurpose, token, 2)
}

func (l *Links) read(purpose, token string, parts int) (Link, error) {
	bad := errs.NotFound("link", "")
	payload, err := l.box.Verify(purpose, token)
	if err != nil {
		return Link{}, bad.With(err)
	}
	p := strings.SplitN(string(payload), separator, parts)
	if len(p) != parts {
		return Link{}, bad
	}
	out := Link{Workspace: p[0], MessageID: p[1]}
	if parts == 3 {
		out.URL = p[2]
	}
	return out, nil
}

// Purpose says what a reference is for.
type Purpose byte

// The purposes.
const (
	Return Purpose = 'b' // where bounces go
	Answer Purpose = 'r' // where answers go
	Mark   Purpose = 'm' // written into the headers, for reports that hold nothing else of the message
)

var references = base32.StdEncoding.WithPadding(base32.NoPadding)

// Reference returns a signed name of the message that fits into an address: see channel.ReferencePattern. Whoever did not get the message, or
// handle it on its way, cannot make one. Empty for an id that is not of the usual form.
func (l *Links) Reference(p Purpose, messageID string) string {
	number, ok := strings.CutPrefix(messageID, "msg_")
	if !ok || len(number) != 26 {
		return ""
	}
	tag := l.box.Hash("reference/"+string(rune(p)), messageID)[:10] // 80 bits: nobody tries that many addresses
	return string(rune(p)) + "-" + strings.ToLower(number+references.EncodeToString(tag))
}

// ReadReference returns the message that a reference of any purpose names, or not_found for one that was not made here.
func (l *Links) ReadReference(reference string) (Purpose, string, error) {
	if len(reference) == 44 && reference[1] == '-' {
		p, id := Purpose(reference[0]|0x20), "msg_"+strings.ToUpper(reference[2:28])
		if want := l.Reference(p, id); want != "" && subtle.ConstantTimeCompare([]byte(want), []byte(strings.ToLower(reference))) == 1 {
			return p, id, nil
		}
	}
	return 0, "", errs.NotFound("reference", "")
}

// Links returns the maker and reader of the links in messages.
func (s *Service) Links() *Links { return s.links }
