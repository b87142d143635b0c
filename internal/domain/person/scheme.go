package person

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Kinds that have a meaning of their own.
const (
	KindUser      = "user_id"
	KindEmail     = "email"
	KindPhone     = "phone"
	KindDevice    = "device_id"
	KindAdvert    = "advertising_id"
	KindPush      = "push_token"
	KindAnonymous = "anonymous_id"

	// kindPerson is not a declared kind: events that name the person directly carry it, so that their history is found.
	kindPerson = "person_id"
)

// Strength says what a kind names.
type Strength string

// The strengths.
const (
	Strong Strength = "strong" // a person: an account, an address
	Weak   Strength = "weak"   // a device or a browser, which may be shared and passed on
)

// Normaliser is the way to bring the values of a kind into their one form.
type Normaliser string

// The normalisers.
const (
	Trimmed Normaliser = "trim"  // as it is, without surrounding space
	Mail    Normaliser = "email" // Unicode NFC, lower case; without an @ it is no identifier
	Dial    Normaliser = "phone" // E.164; a number that cannot exist is no identifier
)

// Limit is how many values of a kind a person may gain.
type Limit struct {
	N      int
	Window time.Duration // 0: ever
}

// Kind declares a kind of identifier.
type Kind struct {
	Name     string
	Aliases  []string // other names in context.externalIds
	Strength Strength
	Form     Normaliser
	Limit    Limit
	Bind     bool   // tells whom an event is from, but never makes one of two people
	Parent   string // the kind that this one lives with: unbinding one of those unbinds what came with it; empty: none
}

// Single reports whether a person has at most one value of the kind, ever.
func (k Kind) Single() bool { return k.Limit.N == 1 && k.Limit.Window == 0 }

// Scheme declares the identifier kinds of a workspace, highest priority first. Values of undeclared kinds stay in the
// payload and identify nobody.
type Scheme struct {
	Kinds []Kind
}

// Windows of the default limits.
const (
	week = 7 * 24 * time.Hour
	year = 365 * 24 * time.Hour
)

// DefaultScheme returns the kinds that a new workspace has.
func DefaultScheme() Scheme {
	return Scheme{Kinds: []Kind{
		{Name: KindUser, Strength: Strong, Form: Trimmed, Limit: Limit{N: 1}},
		{Name: KindEmail, Strength: Strong, Form: Mail, Limit: Limit{N: 5}},
		{Name: KindPhone, Strength: Strong, Form: Dial, Limit: Limit{N: 5}},
		{Name: "wechat_unionid", Strength: Strong, Form: Trimmed, Limit: Limit{N: 5}},
		{Name: "wechat_openid", Strength: Strong, Form: Trimmed, Limit: Limit{N: 5}, Parent: "wechat_unionid"},
		{Name: "line_user_id", Strength: Strong, Form: Trimmed, Limit: Limit{N: 5}},
		{Name: "whatsapp_id", Strength: Strong, Form: Dial, Limit: Limit{N: 5}, Parent: KindPhone},
		{Name: KindDevice, Aliases: []string{"ios.id", "android.id", "ios.idfv"}, Strength: Weak, Form: Trimmed, Limit: Limit{N: 5, Window: year}},
		{Name: KindAdvert, Aliases: []string{"ios.idfa", "android.idfa"}, Strength: Weak, Form: Trimmed, Limit: Limit{N: 5, Window: year}, Parent: KindDevice},
		{Name: KindPush, Aliases: []string{"ios.push_token", "android.push_token"}, Strength: Weak, Form: Trimmed, Limit: Limit{N: 5, Window: year}, Parent: KindDevice},
		{Name: "ga_client_id", Strength: Weak, Form: Trimmed, Limit: Limit{N: 5, Window: year}},
		{Name: "cross_domain_id", Strength: Weak, Form: Trimmed, Limit: Limit{N: 5, Window: year}},
		{Name: KindAnonymous, Strength: Weak, Form: Trimmed, Limit: Limit{N: 5, Window: week}},
	}}
}

const maxKinds = 50

var kindName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// Validate reports the first thing that is wrong with the scheme; the field of the error names the kind.
func (s Scheme) Validate() error {
	if len(s.Kinds) == 0 || s.Kinds[0].Name != KindUser || !s.Kinds[0].Single() || s.Kinds[0].Bind {
		return errs.Invalid("identity.scheme.user", "kinds[0]", "the first kind must be %s, limited to one ever, and it joins", KindUser)
	}
	if len(s.Kinds) > maxKinds {
		return errs.Invalid("identity.scheme.too_many", "kinds", "%d kinds are too many; at most %d are possible", len(s.Kinds), maxKinds)
	}
	if !slices.ContainsFunc(s.Kinds, func(k Kind) bool { return k.Name == KindAnonymous }) {
		return errs.Invalid("identity.scheme.missing", "kinds", "the kind %s is missing; events without a user id need it", KindAnonymous)
	}
	names := map[string]bool{kindPerson: true}
	weak := false
	for i, k := range s.Kinds {
		at := func(part string) string { return fmt.Sprintf("kinds[%d].%s", i, part) }
		if !kindName.MatchString(k.Name) {
			return errs.Invalid("identity.kind.name", at("name"), "%q is not a name; use up to 40 lower-case letters, digits and _, beginning with a letter", k.Name)
		}
		for _, n := range append([]string{k.Name}, k.Aliases...) {
			if names[n] {
				return errs.Invalid("identity.kind.name_used", at("name"), "the name %q is used twice or reserved; choose another", n)
			}
			names[n] = true
		}
		switch k.Strength {
		case Weak:
			weak = true
		case Strong:
			if weak {
				return errs.Invalid("identity.kind.order", at("strength"), "%s names a person and stands below a device; a device must not outrank a person, so move it up", k.Name)
			}
		default:
			return errs.Invalid("identity.kind.strength", at("strength"), "say whether %s names a person (strong) or a device (weak)", k.Name)
		}
		switch k.Form {
		case Trimmed, Mail, Dial:
		default:
			return errs.Invalid("identity.kind.form", at("form"), "say how values of %s are written: trim, email or phone", k.Name)
		}
		if k.Parent != "" && (k.Parent == k.Name || !slices.ContainsFunc(s.Kinds, func(p Kind) bool { return names[k.Parent] && p.Name == k.Parent })) {
			return errs.Invalid("identity.kind.parent", at("parent"), "%s lives with %q, which must stand above it", k.Name, k.Parent)
		}
		if k.Limit.N < 1 || k.Limit.Window < 0 {
			return errs.Invalid("identity.kind.limit", at("limit"), "say how many values of %s a person may have: at least one", k.Name)
		}
	}
	return nil
}
