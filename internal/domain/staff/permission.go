package staff

import (
	"slices"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Permission is the right to do one kind of thing in a workspace. The texts are part of the API: scopes of keys are permissions.
type Permission string

// The permissions.
const (
	PeopleRead      Permission = "people.read" // people, their events and messages
	PeopleWrite     Permission = "people.write"
	PeopleReveal    Permission = "people.reveal" // single values that are kept encrypted
	ConsentWrite    Permission = "consent.write" // subscriptions and suppressions
	SegmentsRead    Permission = "segments.read" // segments and lists
	SegmentsWrite   Permission = "segments.write"
	ContentRead     Permission = "content.read"
	ContentWrite    Permission = "content.write"
	CampaignsRead   Permission = "campaigns.read"
	CampaignsWrite  Permission = "campaigns.write"
	CampaignsSend   Permission = "campaigns.send"
	MessagesSend    Permission = "messages.send" // single messages, as shops and services send them
	JourneysRead    Permission = "journeys.read"
	JourneysWrite   Permission = "journeys.write"
	JourneysPublish Permission = "journeys.publish"
	ReportsRead     Permission = "reports.read"
	ImportWrite     Permission = "import.write"
	Export          Permission = "export"        // take many people's data out
	SettingsRead    Permission = "settings.read" // workspace, channels, topics
	SettingsWrite   Permission = "settings.write"
	KeysWrite       Permission = "keys.write" // sources, write keys, API keys
	StaffRead       Permission = "staff.read"
	StaffWrite      Permission = "staff.write"
	AuditRead       Permission = "audit.read"
	PrivacyWrite    Permission = "privacy.write" // erase people, give out all that is known of one, refuse identifiers
	OwnersWrite     Permission = "owners.write"  // make and unmake owners
)

// Role is a named set of permissions.
type Role string

// The roles, from most to least.
const (
	Owner    Role = "owner"
	Admin    Role = "admin"
	Marketer Role = "marketer"
	Agent    Role = "agent"
	Analyst  Role = "analyst"
	Viewer   Role = "viewer"
)

// Roles returns all roles, from most to least.
func Roles() []Role { return []Role{Owner, Admin, Marketer, Agent, Analyst, Viewer} }

// matrix says who may do what. Reading is for everyone whose work it touches; what leaves the house (sending, publishing, exporting)
// and what lets others in has a permission of its own.
var matrix = []struct {
	permission Permission
	roles      []Role
}{
	{PeopleRead, []Role{Owner, Admin, Marketer, Agent, Analyst, Viewer}},
	{PeopleWrite, []Role{Owner, Admin, Marketer, Agent}},
	{PeopleReveal, []Role{Owner, Admin}},
	{ConsentWrite, []Role{Owner, Admin, Marketer, Agent}},
	{SegmentsRead, []Role{Owner, Admin, Marketer, Agent, Analyst, Viewer}},
	{SegmentsWrite, []Role{Owner, Admin, Marketer, Analyst}},
	{ContentRead, []Role{Owner, Admin, Marketer, Agent, Analyst, Viewer}},
	{ContentWrite, []Role{Owner, Admin, Marketer}},
	{CampaignsRead, []Role{Owner, Admin, Marketer, Agent, Analyst, Viewer}},
	{CampaignsWrite, []Role{Owner, Admin, Marketer}},
	{CampaignsSend, []Role{Owner, Admin, Marketer}},
	{MessagesSend, []Role{Owner, Admin, Marketer}},
	{JourneysRead, []Role{Owner, Admin, Marketer, Agent, Analyst, Viewer}},
	{JourneysWrite, []Role{Owner, Admin, Marketer}},
	{JourneysPublish, []Role{Owner, Admin, Marketer}},
	{ReportsRead, []Role{Owner, Admin, Marketer, Analyst, Viewer}},
	{ImportWrite, []Role{Owner, Admin, Marketer}},
	{Export, []Role{Owner, Admin, Analyst}},
	{SettingsRead, []Role{Owner, Admin, Marketer, Agent, Analyst, Viewer}},
	{SettingsWrite, []Role{Owner, Admin}},
	{KeysWrite, []Role{Owner, Admin}},
	{StaffRead, []Role{Owner, Admin, Marketer, Agent}},
	{StaffWrite, []Role{Owner, Admin}},
	{AuditRead, []Role{Owner, Admin}},
	{PrivacyWrite, []Role{Owner, Admin}},
	{OwnersWrite, []Role{Owner}},
}

// Permissions returns all permissions in the order of the documentation.
func Permissions() []Permission {
	all := make([]Permission, len(matrix))
	for i, row := range matrix {
		all[i] = row.permission
	}
	return all
}

// Permissions returns what the role may do, in the order of Permissions; nothing for an unknown role.
func (r Role) Permissions() []Permission {
	var mine []Permission
	for _, row := range matrix {
		if slices.Contains(row.roles, r) {
			mine = append(mine, row.permission)
		}
	}
	return mine
}

// Validate reports an unknown role.
func (r Role) Validate() error {
	if !slices.Contains(Roles(), r) {
		return errs.Invalid("staff.role.unknown", "role", "%q is no role; use owner, admin, marketer, agent, analyst or viewer", r)
	}
	return nil
}
