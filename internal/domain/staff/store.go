package staff

import (
	"context"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Store keeps staff. All methods take part in the transaction of their context. "Not found" below is an errs.KindNotFound error.
// Users, their sessions and links belong to the installation; everything else is inside a workspace.
type Store interface {
	// CreateUser adds a user; if the address is taken it returns an errs.KindConflict error with code staff.email.taken.
	CreateUser(ctx context.Context, u User) error
	// User returns a user, or not found.
	User(ctx context.Context, id string) (User, error)
	// UserByEmail returns the user with exactly this address, or not found.
	UserByEmail(ctx context.Context, email string) (User, error)
	// UpdateUser replaces everything but id, address and CreatedAt; or not found.
	UpdateUser(ctx context.Context, u User) error
	// DeleteUser removes a user with their memberships, sessions and links; nothing happens if there is none.
	DeleteUser(ctx context.Context, id string) error
	// AnyUser reports whether there is a user at all.
	AnyUser(ctx context.Context) (bool, error)

	// AddMember makes a user a member; if they are one already it returns an errs.KindConflict error with code staff.member.exists.
	AddMember(ctx context.Context, ws string, m Member) error
	// Member returns a member with their user, or not found.
	Member(ctx context.Context, ws, userID string) (Member, error)
	// Members returns the workspace's members that fit a filter with their users, by address.
	Members(ctx context.Context, ws string, f MemberFilter, p page.Request) (page.Of[Member], error)
	// Memberships returns everywhere that the user is a member, oldest membership first.
	Memberships(ctx context.Context, userID string) ([]Member, error)
	// SetRole changes a member's role; or not found.
	SetRole(ctx context.Context, ws, userID string, role Role) error
	// RemoveMember ends a membership together with the user's sessions in the workspace; or not found.
	RemoveMember(ctx context.Context, ws, userID string) error
	// Owners counts the workspace's owners.
	Owners(ctx context.Context, ws string) (int, error)

	// CreateSession adds a session.
	CreateSession(ctx context.Context, s Session) error
	// SessionByHash returns the session with the token's hash, expired or not, or not found.
	SessionByHash(ctx context.Context, hash []byte) (Session, error)
	// Sessions returns the user's sessions, expired or not, newest first.
	Sessions(ctx context.Context, userID string) ([]Session, error)
	// TouchSession notes the last sign of life and the workspace looked at; nothing happens if the session is gone.
	TouchSession(ctx context.Context, id, ws, ip string, at time.Time) error
	// DeleteSession ends a session of the user; or not found.
	DeleteSession(ctx context.Context, userID, id string) error
	// DeleteSessions ends all sessions of the user but the one with the id keep, which may be empty.
	DeleteSessions(ctx context.Context, userID, keep string) error
	// PutLink adds a link and removes the user's earlier ones.
	PutLink(ctx context.Context, l Link) error
	// TakeLink removes the link with the hash and returns it, expired or not, or not found. Of two who take it one gets it.
	TakeLink(ctx context.Context, hash []byte) (Link, error)
	// Sweep removes sessions that expired before now or were last seen before idle, and links that expired before now.
	Sweep(ctx context.Context, now, idle time.Time) error

	// CreateKey adds a key; if any workspace has one with this hash it returns an errs.KindConflict error with code staff.key.taken.
	CreateKey(ctx context.Context, ws string, k Key) error
	// Key returns a key of the workspace, in force or not, or not found.
	Key(ctx context.Context, ws, id string) (Key, error)
	// KeyByHash returns the key with the secret's hash from any workspace, in force or not, or not found.
	KeyByHash(ctx context.Context, hash []byte) (Key, error)
	// Keys returns the workspace's keys that fit a filter, newest id first; whether one has expired is judged at now.
	Keys(ctx context.Context, ws string, f KeyFilter, now time.Time, p page.Request) (page.Of[Key], error)
	// RevokeKey sets RevokedAt unless it is set; or not found.
	RevokeKey(ctx context.Context, ws, id string, at time.Time) error
	// TouchKey notes the last use; nothing happens if the key is gone.
	TouchKey(ctx context.Context, ws, id string, at time.Time) error

	// AppendAudit adds an entry.
	AppendAudit(ctx context.Context, ws string, e AuditEntry) error
	// AuditLog returns the entries that pass the filter, newest first.
	AuditLog(ctx context.Context, ws string, f AuditFilter, p page.Request) (page.Of[AuditEntry], error)
}
