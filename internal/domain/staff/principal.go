package staff

import (
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
