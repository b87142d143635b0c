package staff

import (
	"encoding/json"
	"errors"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// User is a human being who may sign in.
type User struct {
	ID           string
	Email        string // normalised; unique in the installation
	Name         string
	Locale       string // language of the console; empty: the browser's
	PasswordHash string `json:"-"` // PHC string; empty until an invitation is accepted
	CreatedAt    time.Time
	UpdatedAt    time.Time
	LastSignIn   time.Time // zero if never
}

// Member is a user in a workspace.
type Member struct {
	User      User
	Workspace string
	Role      Role
	CreatedAt time.Time
}

// Session is a signed-in browser.
type Session struct {
	ID        string
	Hash      []byte `json:"-"` // SHA-256 of the token
	UserID    string
	Workspace string // the one the browser looks at
	IP        string // last seen
	UserAgent string
	CreatedAt time.Time
	LastSeen  time.Time // to the minute
	ExpiresAt time.Time // however busy it is
}

// Link lets somebody set a password without an old one, once.
type Link struct {
	Hash      []byte
	UserID    string
	Workspace string // where it was asked for
	ExpiresAt time.Time
}

// Key is an API key of a workspace.
type Key struct {
	ID        string
	Workspace string
	Name      string
	Hint      string // first characters of the secret, to tell keys apart
	Hash      []byte `json:"-"` // SHA-256 of the secret
	Scopes    []Permission
	CreatedBy string // id of the principal
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
	LastUsed  time.Time // to the minute; zero if never
	RevokedAt time.Time // zero: in force
}

// AuditEntry is one act of staff.
type AuditEntry struct {
	ID        string
	Workspace string
	At        time.Time
	ActorKind Kind
	ActorID   string
	ActorName string // as it was then
	Action    string // dotted, e.g. "campaign.send"
	Noun      string // what it was done to, e.g. "campaign"
	NounID    string
	Detail    json.RawMessage // object
	IP        string
}

// AuditFilter narrows the audit log; empty fields do not.
type AuditFilter struct {
	ActorID string
	Action  string // exact
	Noun    string
	NounID  string
	From    time.Time // inclusive
	To      time.Time // exclusive
}

const (
	maxName      = 200
	maxEmail     = 254 // RFC 5321 with the angle brackets taken off
	maxUserAgent = 300
)

// normalizeEmail brings an address into the form that users are found by. Upper and lower case are the same here: no
// mail system that people sign up with tells them apart.
func normalizeEmail(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > maxEmail {
		return "", errs.Invalid("staff.email.invalid", "email", "this is no mail address; write one such as ann@example.com")
	}
	return s, nil
}

func validName(field, name string) error {
	n := utf8.RuneCountInString(name)
	if n == 0 || n > maxName || strings.ContainsFunc(name, unicode.IsControl) {
		return errs.Invalid("staff.name.length", field, "write a name of 1 to %d characters on one line", maxName)
	}
	return nil
}

func validLocale(locale string) error {
	if locale == "" {
		return nil
	}
	if _, err := language.Parse(locale); err != nil {
		return errs.Invalid("staff.locale.unknown", "locale", "%q is no language tag; write one such as en, zh-Hans or ja", locale)
	}
	return nil
}

const (
	minPassword = 10  // characters
	maxPassword = 256 // bytes; argon2 would take more, a form should not
)

// common are passwords long enough to pass and still the first ones anybody tries.
var common = []string{"password", "passw0rd", "1234567890", "0123456789", "qwertyuiop", "qwerty", "letmein", "welcome", "iloveyou", "administrator", "changeme", "kizuna"}

// validPassword refuses what is guessed first. Length is what counts (NIST SP 800-63B): no rules about kinds of characters.
func validPassword(field, password, email string) error {
	bad := func(code, msg string, args ...any) error {
		return errs.Invalid("staff.password."+code, field, msg, args...)
	}
	if utf8.RuneCountInString(password) < minPassword || len(password) > maxPassword {
		return bad("length", "use %d characters or more (at most %d bytes); a few words in a row make a good password", minPassword, maxPassword)
	}
	low := strings.ToLower(password)
	core := strings.Trim(low, "0123456789!?.,-_ ")
	user, _, _ := strings.Cut(email, "@")
	var kinds []rune
	for _, r := range low {
		if !slices.Contains(kinds, r) {
			kinds = append(kinds, r)
		}
	}
	if low == email || core == user || len(kinds) < 4 || slices.Contains(common, low) || slices.Contains(common, core) {
		return bad("weak", "this is one of the first passwords anybody would try; use a few words in a row")
	}
	return nil
}

// validKey reports everything that is wrong with a new key.
func validKey(k Key, now time.Time) error {
	all := []error{validName("name", k.Name)}
	if len(k.Scopes) == 0 {
		all = append(all, errs.Invalid("staff.key.scopes.empty", "scopes", "name at least one permission that the key shall have"))
	}
	for _, s := range k.Scopes {
		if !slices.Contains(Permissions(), s) {
			all = append(all, errs.Invalid("staff.key.scopes.unknown", "scopes", "%q is no permission", s))
		}
	}
	if !k.ExpiresAt.IsZero() && !k.ExpiresAt.After(now) {
		all = append(all, errs.Invalid("staff.key.expires_at.past", "expires_at", "this moment has passed; leave it out for a key without end"))
	}
	return errors.Join(all...)
}
