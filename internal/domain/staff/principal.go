package staff

import (
	"context"
	"slices"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Kind says what kind of actor a principal is.
type Kind string

// The kinds of actors.
const (
	ByUser   Kind = "user"
	ByKey    Kind = "key"
	BySystem Kind = "system" // the product itself, and whoever sits at the machine's command line
)

// Principal is who acts, in which workspace, and what they may do there. The zero value may do nothing.
type Principal struct {
	Kind        Kind
	ID          string // of the user or key
	Name        string // as the audit log shows it
	Workspace   string
	Role        Role // users only
	Permissions []Permission
	Session     string // id of the session, users only
	IP          string
}

// Can reports whether the principal holds the permission.
func (p Principal) Can(perm Permission) bool { return slices.Contains(p.Permissions, perm) }

// Require returns an errs.KindForbidden error that names the permission if the principal does not hold it.
func (p Principal) Require(perm Permission) error {
	if p.Can(perm) {
		return nil
	}
	return errs.Forbidden("staff.permission.missing", "this needs the permission %s; ask an owner or admin of the workspace", perm)
}

// covers reports whether the principal holds all of the permissions, so that granting them gives nothing away.
func (p Principal) covers(perms []Permission) bool {
	return !slices.ContainsFunc(perms, func(perm Permission) bool { return !p.Can(perm) })
}

// System returns the principal for what the product or its operator at the command line does in a workspace.
func System(ws string) Principal {
	return Principal{Kind: BySystem, ID: "system", Name: "Kizuna", Workspace: ws, Permissions: Permissions()}
}

// Operator is System for what somebody does at the command line whom the machine knows by a name.
func Operator(ws, name string) Principal {
	p := System(ws)
	p.ID, p.Name = "operator", name
	return p
}

// Acting returns who an id stands for in a workspace, a member's or a key's, with the permissions they have now: for work that they have begun and that goes on
// without them. One that was removed, has expired or was revoked is an errs.KindForbidden error.
func (s *Service) Acting(ctx context.Context, ws, id string) (Principal, error) {
	gone := errs.Forbidden("staff.actor.gone", "whoever began this may not go on: they are no member of the workspace any more, or their key has ended")
	m, err := s.store.Member(ctx, ws, id)
	if err == nil {
		return userPrincipal(m, "", ""), nil
	}
	if !errs.Is(err, errs.KindNotFound) {
		return Principal{}, err
	}
	k, err := s.store.Key(ctx, ws, id)
	switch {
	case errs.Is(err, errs.KindNotFound):
		return Principal{}, gone
	case err != nil:
		return Principal{}, err
	case !k.RevokedAt.IsZero(), !k.ExpiresAt.IsZero() && !s.clock.Now().Before(k.ExpiresAt):
		return Principal{}, gone
	}
	return Principal{Kind: ByKey, ID: k.ID, Name: k.Name, Workspace: k.Workspace, Permissions: k.Scopes}, nil
}
