package person

import (
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/names"
)

// Ref names a person in the two ways that other packages do.
type Ref struct {
	Workspace string
	ID        string // public id, "per_..."
	Num       uint64 // dense number inside the workspace, from 1
}

// Status says how well a person is known.
type Status string

// The statuses.
const (
	Anonymous  Status = "anonymous"  // only device and browser ids so far
	Known      Status = "known"      // reachable by mail, phone or an account elsewhere, but without a user id
	Identified Status = "identified" // has a user id
)

// Person is one customer with everything that was folded from their events. Times are UTC; zero if nothing was seen yet.
type Person struct {
	ID          string
	Num         uint64
	Workspace   string
	Status      Status
	FirstSeen   time.Time // time of the earliest event
	LastSeen    time.Time // time of the latest event
	CreatedAt   time.Time // when the record was made
	UpdatedAt   time.Time // when the record was last written
	Traits      map[string]Trait
	Counters    map[string]int64 // see the Counter constants
	First       map[string]Touch // see the First constants
	Groups      []Membership     // groups joined, newest last
	Identifiers []Identifier     // in the order of their kinds' priority
	LearntZone  string           // IANA name that most of the person's events came from; empty if none named one
	Merges      int              // how many people were merged into this one
}

// Ref returns the person's names.
func (p Person) Ref() Ref { return Ref{Workspace: p.Workspace, ID: p.ID, Num: p.Num} }

// Trait is one attribute with its provenance. The value with the latest (Time, MessageID) stands.
type Trait struct {
	Value     any // decoded JSON; nil if Deleted
	Time      time.Time
	MessageID string
	Source    string // source id, empty for values set inside the product
	Deleted   bool   // an explicit null arrived; kept so that an older value cannot come back
}

// Counter keys. Amounts are minor units in the counter "<name>.<ISO 4217 code>", with NoCurrency for events without one.
const (
	CountEvents   = "events" // track, page and screen events
	CountTracks   = "tracks"
	CountPages    = "pages"
	CountScreens  = "screens"
	CountOrders   = "orders"
	CountRefunds  = "refunds"
	CountCancels  = "cancellations" // of orders
	SumRevenue    = "revenue"       // e.g. "revenue.EUR"
	SumRefunded   = "refunded"      // e.g. "refunded.EUR"; what cancellations name included
	NoCurrency    = "XXX"           // ISO 4217: no currency involved
	maxCurrencies = 20
)

// First-touch keys.
const (
	FirstSource      = "source" // source id of the first event
	FirstReferrer    = "referrer"
	FirstLandingPage = "landing_page"
	FirstCampaign    = "utm_campaign"
	FirstUTMSource   = "utm_source"
	FirstUTMMedium   = "utm_medium"
	FirstUTMTerm     = "utm_term"
	FirstUTMContent  = "utm_content"
)

// Touch is the earliest value of something.
type Touch struct {
	Value     string
	Time      time.Time
	MessageID string
}

// Membership is a group that the person was put into by a group call.
type Membership struct {
	Group string
	Since time.Time // earliest group call
}

// IdentifierStatus says what an identifier does now.
type IdentifierStatus string

// The statuses.
const (
	Active IdentifierStatus = "active" // links events to this person
	Shared IdentifierStatus = "shared" // used by too many people at once: links nothing any more
)

// Identifier is one identifier of a person.
type Identifier struct {
	Kind      string
	Value     string // normalised
	Status    IdentifierStatus
	FirstSeen time.Time
	LastSeen  time.Time
	Since     time.Time // when this person took it over from someone else; zero: always this person's
	Source    string    // source id of the event that brought it
}

// Values returns the plain traits, deleted ones and what is kept encrypted left out.
func (p Person) Values() map[string]any {
	values, _ := p.readable()
	return values
}

// Encrypted returns the paths of the traits that Values leaves out because they are kept encrypted ("traits.address.street"), sorted.
func (p Person) Encrypted() []string {
	_, hidden := p.readable()
	slices.Sort(hidden)
	return hidden
}

func (p Person) readable() (values map[string]any, hidden []string) {
	values = make(map[string]any, len(p.Traits))
	for k, t := range p.Traits {
		if t.Deleted {
			continue
		}
		v := event.Unseal(t.Value, "traits."+k, func(path, _ string) (any, bool) {
			hidden = append(hidden, path)
			return nil, false
		})
		if !event.Sealed(t.Value) {
			values[k] = v
		}
	}
	return values, hidden
}

// Text returns a trait that is a string, empty if it is absent, kept encrypted or something else.
func (p Person) Text(key string) string {
	s, _ := p.Traits[key].Value.(string)
	if event.Sealed(s) {
		return ""
	}
	return s
}

// TraitPreferences holds what the person has agreed to, by category of their consent banner.
const TraitPreferences = "consent_categories"

// Preferences returns what the person has agreed to; nil if they were never asked.
func (p Person) Preferences() event.Preferences {
	said, ok := p.Traits[TraitPreferences].Value.(map[string]any)
	if !ok {
		return nil
	}
	out := make(event.Preferences, len(said))
	for name, yes := range said {
		out[name] = yes == true
	}
	return out
}

// Email returns the address to write to: the trait "email", else the person's most recent email identifier.
func (p Person) Email() string { return p.address("email", KindEmail) }

// Phone returns the number to call: the trait "phone", else the person's most recent phone identifier.
func (p Person) Phone() string { return p.address("phone", KindPhone) }

func (p Person) address(trait, kind string) string {
	if s := p.Text(trait); s != "" && !Hashed(s) {
		return s
	}
	if p.Traits[trait].Deleted {
		return ""
	}
	var best Identifier
	for _, id := range p.Identifiers {
		if id.Kind == kind && !Hashed(id.Value) && (best.Value == "" || id.LastSeen.After(best.LastSeen)) {
			best = id
		}
	}
	return best.Value
}

// Timezone returns the IANA name of the person's zone: the trait "timezone" if there is such a zone, else the one that their events
// came from, empty if unknown.
func (p Person) Timezone() string {
	if name := p.Text("timezone"); clock.Zone(name) != nil {
		return name
	}
	return p.LearntZone
}

// Location returns where the person's clock is; home if that is not known.
func (p Person) Location(home *time.Location) *time.Location {
	if zone := clock.Zone(p.Timezone()); zone != nil {
		return zone
	}
	return home
}

// Locale returns the language tag in the trait "locale" (else "language"), empty if unknown.
func (p Person) Locale() string {
	if s := p.Text("locale"); s != "" {
		return s
	}
	return p.Text("language")
}

// Name returns what to call the person in lists: the trait "name", else given and family name in the order of their bearer, else an address, else the best
// identifier, else the id.
func (p Person) Name() string {
	if s := displayName(p.Text); s != "" {
		return s
	}
	if s := p.Email(); s != "" {
		return s
	}
	if s := p.Phone(); s != "" {
		return s
	}
	if len(p.Identifiers) > 0 && p.Identifiers[0].Kind == KindUser {
		return p.Identifiers[0].Value
	}
	return p.ID
}

// UserID returns the person's user id, empty if not identified.
func (p Person) UserID() string {
	for _, id := range p.Identifiers {
		if id.Kind == KindUser {
			return id.Value
		}
	}
	return ""
}

func displayName(text func(string) string) string {
	if s := text("name"); s != "" {
		return s
	}
	first, last := text("first_name"), text("last_name")
	if first == "" {
		first = text("firstName")
	}
	if last == "" {
		last = text("lastName")
	}
	return names.Full(first, last)
}

// LogRecord is one record of the log with its events.
type LogRecord struct {
	Seq    uint64
	Events []event.Event // a zero Event stands for one that was erased
}

// Applied is what a batch changed; the pipeline carries it into the event store and on to the reactions.
type Applied struct {
	// Kept are the events to store, in log order, duplicates left out. Person is 0 for an event that carries no usable
	// identifier at all: it is kept for the figures but belongs to nobody.
	Kept      []event.Kept
	Refused   []string   // subjects (event.Subject) of events that were not taken and whose keys nobody else's events need
	Touched   []Ref      // people whose state changed or who have new events
	Told      []Sighting // those of them who are what they were, but for new events and the time of the latest
	People    []Person   // the others of them, as the batch has left them; not of RunTasks
	Redirects []event.Redirect
	Moves     []event.Move
	Tasks     bool     // call RunTasks: after Apply, because work waits; after RunTasks, because there is more
	Receipts  []string // RunTasks: hand back to Acknowledge once everything above is stored
}

// Sighting is somebody with the time of their latest event.
type Sighting struct {
	Ref
	LastSeen time.Time
}

// Action is the kind of a decision.
type Action string

// The actions.
const (
	Created  Action = "created"  // a person was made; Identifiers names what they came with
	Linked   Action = "linked"   // an identifier was added
	Merged   Action = "merged"   // Other became this person
	Refused  Action = "refused"  // Reason says why two things were not joined
	Moved    Action = "moved"    // an identifier changed hands: it belongs to this person from Time on, before to Other
	Demoted  Action = "demoted"  // an identifier was not added because its kind is at the limit
	Flagged  Action = "shared"   // an identifier was used by too many people at once and links nothing any more
	Replayed Action = "replayed" // late events made it necessary to work out the identity again
	Unbound  Action = "unbound"  // an identifier was taken off this person; it is nobody's from Time on
	SplitOff Action = "split"    // a member of staff has taken identifiers off this person, or keeps Other apart
)

// Reasons of a refusal.
const (
	ReasonConflict    = "conflict"     // both have a user id
	ReasonBinds       = "binds"        // the kind tells whom an event is from and never makes one of two people
	ReasonApart       = "apart"        // a member of staff has decided that these are two people
	ReasonAlias       = "alias"        // an alias between two identified people
	ReasonMergeCap    = "merge_cap"    // too many merges
	ReasonLinkCap     = "link_cap"     // too many identifiers
	ReasonTraitCap    = "trait_cap"    // too many traits, or too large
	ReasonTooLarge    = "too_large"    // too many identifiers or events to work out again
	ReasonLimit       = "limit"        // the limit of a kind would be passed
	ReasonGroupCap    = "group_cap"    // too many groups
	ReasonCurrencyCap = "currency_cap" // too many currencies
)

// Decision is one entry of the identity log: why this is one person.
type Decision struct {
	ID          string
	Person      Ref
	Action      Action
	Reason      string
	Identifiers []event.Identifier
	Other       Ref // the other person, if any
	MessageID   string
	Time        time.Time // of the event
	At          time.Time // when it was decided
	Count       int       // refusals and demotions of a kind are written once a day and counted
}
