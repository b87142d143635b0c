package workspace

import (
	"errors"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/currency"
	"golang.org/x/text/language"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Workspace is one tenant.
type Workspace struct {
	ID            string
	Name          string
	Timezone      string // IANA name; used for people whose zone is unknown, and for the days of reports
	Currency      string // ISO 4217; of orders that name none
	DefaultRegion string // ISO 3166 alpha-2; of telephone numbers without a country code
	Locale        string // BCP 47; of people whose language is unknown
	Settings      Settings
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// Settings are what messages need to know about their sender, and who may let them go. All may be empty.
type Settings struct {
	PublicURL     string `json:"public_url,omitempty"` // where people's mail programs reach this installation: base of links and open marks, without a final slash
	SiteURL       string `json:"site_url,omitempty"`   // the business's own site; letters lead there where nothing better is known
	SenderName    string `json:"sender_name,omitempty"`
	SenderEmail   string `json:"sender_email,omitempty"`
	ReplyTo       string `json:"reply_to,omitempty"`
	PostalAddress string `json:"postal_address,omitempty"` // shown at the foot of marketing mail, where law asks for it

	ApproveCampaigns bool `json:"approve_campaigns,omitempty"` // a campaign goes out only after a second person has agreed

	Cadence Cadence `json:"cadence,omitzero"`
}

// Cadence is the rhythm of messages that the team aims at. It is a target to be judged by, not a limit that holds messages back; limits
// are the outbox's. A bound of zero is none.
type Cadence struct {
	Least  int `json:"least,omitempty"`  // campaigns a week
	Most   int `json:"most,omitempty"`   // campaigns a week
	Person int `json:"person,omitempty"` // messages that one person gets in a week at most, from campaigns, journeys and all else
}

// maxCadence is a campaign every ten minutes: more is a slip of the finger.
const maxCadence = 1000

// Validate reports everything that is wrong with the cadence.
func (c Cadence) Validate() error {
	var all []error
	for _, b := range []struct {
		field string
		value int
	}{{"least", c.Least}, {"most", c.Most}, {"person", c.Person}} {
		if b.value < 0 || b.value > maxCadence {
			all = append(all, errs.Invalid("workspace.cadence.range", "settings.cadence."+b.field, "write a number between 0 (no target) and %d", maxCadence))
		}
	}
	if c.Most > 0 && c.Least > c.Most {
		all = append(all, errs.Invalid("workspace.cadence.order", "settings.cadence.most", "at most %d is less than at least %d; raise it, or write 0 for no upper target", c.Most, c.Least))
	}
	return errors.Join(all...)
}

// Kind says where a source's events come from.
type Kind string

// The kinds of sources.
const (
	Browser Kind = "browser" // the key is public
	Server  Kind = "server"  // the key is a secret
)

// Source is a place that events come from.
type Source struct {
	ID        string
	Workspace string
	Name      string
	Kind      Kind
	WriteKey  string
	Disabled  bool // events with the key are refused
	CreatedAt time.Time
	LastUsed  time.Time // to the minute; zero if never
}

const (
	maxName = 200
	maxText = 2000
)

// Location returns the workspace's zone, UTC if it cannot be loaded.
func (w Workspace) Location() *time.Location {
	if loc, err := time.LoadLocation(w.Timezone); err == nil {
		return loc
	}
	return time.UTC
}

// normalize brings what was typed into the one form that is stored.
func (w *Workspace) normalize() {
	s := &w.Settings
	for _, p := range []*string{&w.Name, &w.Timezone, &w.Currency, &w.DefaultRegion, &w.Locale, &s.PublicURL, &s.SiteURL, &s.SenderName, &s.SenderEmail, &s.ReplyTo, &s.PostalAddress} {
		*p = strings.TrimSpace(*p)
	}
	w.Currency = strings.ToUpper(w.Currency)
	w.DefaultRegion = strings.ToUpper(w.DefaultRegion)
	if tag, err := language.Parse(w.Locale); err == nil {
		w.Locale = tag.String()
	}
	s.PublicURL = strings.TrimRight(s.PublicURL, "/")
}

// Validate reports everything that is wrong with the workspace.
func (w Workspace) Validate() error {
	var all []error
	bad := func(code, field, format string, args ...any) {
		all = append(all, errs.Invalid("workspace."+code, field, format, args...))
	}
	if n := utf8.RuneCountInString(w.Name); n == 0 || n > maxName {
		bad("name.length", "name", "give the workspace a name of 1 to %d characters", maxName)
	}
	// LoadLocation takes "" for UTC and "Local" for the machine's zone, which is no property of a workspace.
	if _, err := time.LoadLocation(w.Timezone); err != nil || w.Timezone == "" || w.Timezone == "Local" {
		bad("timezone.unknown", "timezone", "%q is no IANA time zone; write one such as Asia/Tokyo or UTC", w.Timezone)
	}
	if _, err := currency.ParseISO(w.Currency); err != nil {
		bad("currency.unknown", "currency", "%q is no ISO 4217 currency; write one such as EUR or JPY", w.Currency)
	}
	if r, err := language.ParseRegion(w.DefaultRegion); err != nil || !r.IsCountry() || len(w.DefaultRegion) != 2 {
		bad("default_region.unknown", "default_region", "%q is no country code; write two letters such as JP or DE", w.DefaultRegion)
	}
	if _, err := language.Parse(w.Locale); err != nil || w.Locale == "" {
		bad("locale.unknown", "locale", "%q is no language tag; write one such as en, zh-Hans or ja", w.Locale)
	}
	s := w.Settings
	if s.PublicURL != "" {
		u, err := url.Parse(s.PublicURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			bad("settings.public_url.invalid", "settings.public_url", "write an address such as https://mail.example.com")
		}
	}
	if s.SiteURL != "" {
		u, err := url.Parse(s.SiteURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			bad("settings.site_url.invalid", "settings.site_url", "write an address such as https://www.example.com/")
		}
	}
	if s.SenderEmail != "" && !plainAddress(s.SenderEmail) {
		bad("settings.sender_email.invalid", "settings.sender_email", "%q is no mail address", s.SenderEmail)
	}
	if s.ReplyTo != "" && !plainAddress(s.ReplyTo) {
		bad("settings.reply_to.invalid", "settings.reply_to", "%q is no mail address", s.ReplyTo)
	}
	// The name goes into a mail header.
	if utf8.RuneCountInString(s.SenderName) > maxName || strings.ContainsAny(s.SenderName, "\r\n") {
		bad("settings.sender_name.invalid", "settings.sender_name", "write the name on one line of at most %d characters", maxName)
	}
	if utf8.RuneCountInString(s.PostalAddress) > maxText {
		bad("settings.postal_address.length", "settings.postal_address", "write at most %d characters", maxText)
	}
	return errors.Join(append(all, s.Cadence.Validate())...)
}

// plainAddress reports whether s is a mail address and nothing but one ("Ann <ann@example.com>" is more).
func plainAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}

// Keys from elsewhere are taken over as they are, so that a site need not change its snippet.
var writeKeyForm = regexp.MustCompile(`^[A-Za-z0-9_-]{4,128}$`)

// Validate reports everything that is wrong with the source.
func (s Source) Validate() error {
	var all []error
	if n := utf8.RuneCountInString(s.Name); n == 0 || n > maxName {
		all = append(all, errs.Invalid("source.name.length", "name", "give the source a name of 1 to %d characters", maxName))
	}
	if s.Kind != Browser && s.Kind != Server {
		all = append(all, errs.Invalid("source.kind.unknown", "kind", "%q is no kind of source; use browser or server", s.Kind))
	}
	if !writeKeyForm.MatchString(s.WriteKey) {
		all = append(all, errs.Invalid("source.write_key.invalid", "write_key", "a write key has 4 to 128 letters, digits, - and _; leave it out to get a new one"))
	}
	return errors.Join(all...)
}

// Moved is a workspace that has gone to another installation.
type Moved struct {
	Workspace string
	Name      string
	To        string   // URL of that installation
	Keys      []string // write keys of the sources that have gone with it
	At        time.Time
}
