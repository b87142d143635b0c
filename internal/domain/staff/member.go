package staff

import (
	"context"
	"fmt"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// NewUser is somebody to become a member of the principal's workspace.
type NewUser struct {
	Email    string
	Name     string // empty: the address
	Locale   string
	Role     Role
	Password string // CreateUser only
}

// MemberFilter narrows a list of members; empty members narrow nothing.
type MemberFilter struct {
	Text string // part of name or address
	Role Role
}

// Members returns a page of the workspace's members that fit a filter, by address.
func (s *Service) Members(ctx context.Context, by Principal, f MemberFilter, p page.Request) (page.Of[Member], error) {
	if err := by.Require(StaffRead); err != nil {
		return page.Of[Member]{}, err
	}
	return s.store.Members(ctx, by.Workspace, f, p)
}

// Member returns a member of the workspace. Everybody may read themselves.
func (s *Service) Member(ctx context.Context, by Principal, userID string) (Member, error) {
	if by.ID != userID {
		if err := by.Require(StaffRead); err != nil {
			return Member{}, err
		}
	}
	return s.store.Member(ctx, by.Workspace, userID)
}

// Belongs reports whether a user is a member of a workspace.
func (s *Service) Belongs(ctx context.Context, ws, userID string) (bool, error) {
	_, err := s.store.Member(ctx, ws, userID)
	if errs.Is(err, errs.KindNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Memberships returns everywhere that the principal is a member.
func (s *Service) Memberships(ctx context.Context, by Principal) ([]Member, error) {
	return s.store.Memberships(ctx, by.ID)
}

// mayGrant checks that the principal may give somebody the role.
func mayGrant(by Principal, role Role) error {
	if err := by.Require(StaffWrite); err != nil {
		return err
	}
	if err := role.Validate(); err != nil {
		return err
	}
	if !by.covers(role.Permissions()) {
		return errs.Forbidden("staff.role.beyond", "only somebody with all permissions of the role %s may grant it or take it away", role)
	}
	return nil
}

// normalize checks a new user and returns them as they are stored.
func (n NewUser) normalize() (User, error) {
	email, err := normalizeEmail(n.Email)
	if err != nil {
		return User{}, err
	}
	u := User{Email: email, Name: strings.TrimSpace(n.Name), Locale: n.Locale}
	if u.Name == "" {
		u.Name = email
	}
	if err := validName("name", u.Name); err != nil {
		return User{}, err
	}
	return u, validLocale(u.Locale)
}

// CreateUser adds a user with a password and makes them a member. If the address is known in the installation it returns an
// errs.KindConflict error: a password that exists is nobody else's to set. Invite them instead.
func (s *Service) CreateUser(ctx context.Context, by Principal, n NewUser) (Member, error) {
	if err := mayGrant(by, n.Role); err != nil {
		return Member{}, err
	}
	u, err := n.normalize()
	if err != nil {
		return Member{}, err
	}
	if err := validPassword("password", n.Password, u.Email); err != nil {
		return Member{}, err
	}
	if u.PasswordHash, err = s.hasher.hash(ctx, n.Password); err != nil {
		return Member{}, err
	}
	var m Member
	err = s.tx.InTx(ctx, func(ctx context.Context) (err error) {
		m, err = s.addUser(ctx, by, u, n.Role)
		return err
	})
	return m, err
}

// Invite makes somebody a member. Somebody new gets a link, whose token is returned, to set a password with AcceptLink; for
// somebody who has a password already the token is empty.
func (s *Service) Invite(ctx context.Context, by Principal, n NewUser) (m Member, token string, err error) {
	if err := mayGrant(by, n.Role); err != nil {
		return Member{}, "", err
	}
	u, err := n.normalize()
	if err != nil {
		return Member{}, "", err
	}
	err = s.tx.InTx(ctx, func(ctx context.Context) error {
		token = ""
		known, err := s.store.UserByEmail(ctx, u.Email)
		switch {
		case errs.Is(err, errs.KindNotFound):
			if m, err = s.addUser(ctx, by, u, n.Role); err != nil {
				return err
			}
		case err != nil:
			return err
		default:
			if m, err = s.addMember(ctx, by, known, n.Role); err != nil {
				return err
			}
		}
		if m.User.PasswordHash == "" {
			token, err = s.putLink(ctx, by, m.User.ID)
		}
		return err
	})
	if err != nil {
		return Member{}, "", err
	}
	return m, token, nil
}

func (s *Service) addUser(ctx context.Context, by Principal, u User, role Role) (Member, error) {
	u.ID, u.CreatedAt = id.New("usr"), s.clock.Now()
	u.UpdatedAt = u.CreatedAt
	if err := s.store.CreateUser(ctx, u); err != nil {
		return Member{}, err
	}
	return s.addMember(ctx, by, u, role)
}

func (s *Service) addMember(ctx context.Context, by Principal, u User, role Role) (Member, error) {
	m := Member{User: u, Workspace: by.Workspace, Role: role, CreatedAt: s.clock.Now()}
	if err := s.store.AddMember(ctx, by.Workspace, m); err != nil {
		return Member{}, err
	}
	return m, s.Audit(ctx, by, Act{Action: "staff.add", Noun: "user", NounID: u.ID, Detail: map[string]any{"role": role}})
}

func (s *Service) putLink(ctx context.Context, by Principal, userID string) (string, error) {
	token, hash := newToken()
	return token, s.store.PutLink(ctx, Link{Hash: hash, UserID: userID, Workspace: by.Workspace, ExpiresAt: s.clock.Now().Add(s.linkLifetime)})
}

// ResetLink makes a link with which a member sets a new password; earlier links end. It is refused for somebody with more permissions, and
// for members of other workspaces too, where the principal has no say.
func (s *Service) ResetLink(ctx context.Context, by Principal, userID string) (token string, err error) {
	err = s.tx.InTx(ctx, func(ctx context.Context) error {
		m, err := s.store.Member(ctx, by.Workspace, userID)
		if err != nil {
			return err
		}
		if err := mayGrant(by, m.Role); err != nil {
			return err
		}
		all, err := s.store.Memberships(ctx, userID)
		if err != nil {
			return err
		}
		if len(all) > 1 {
			return errs.Forbidden("staff.reset.elsewhere", "this user is a member of other workspaces too and must change the password themselves")
		}
		if token, err = s.putLink(ctx, by, userID); err != nil {
			return err
		}
		return s.Audit(ctx, by, Act{Action: "staff.reset_link", Noun: "user", NounID: userID})
	})
	return token, err
}

// AcceptLink sets the password of whom the link was made for, ends their sessions and returns the address they sign in with. An unknown, used or
// expired link gives an errs.KindInvalid error with code staff.link.invalid. name may be empty to keep the one they have.
func (s *Service) AcceptLink(ctx context.Context, token, name, password, ip string) (email string, err error) {
	invalid := errs.Invalid("staff.link.invalid", "token", "this link has been used or has expired; ask for a new one")
	if wait, ok := s.addresses.take(addressKey(ip), s.clock.Now()); !ok { // hashing is work that anybody could ask for
		return "", tooMany(wait)
	}
	// The hash takes its time, and the transaction must be short: hash first, and check the password against its owner's address inside.
	if err := validPassword("password", password, ""); err != nil {
		return "", err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return "", err
	}
	err = s.tx.InTx(ctx, func(ctx context.Context) error {
		l, err := s.store.TakeLink(ctx, hashToken(token))
		if errs.Is(err, errs.KindNotFound) {
			return invalid
		}
		if err != nil {
			return err
		}
		now := s.clock.Now()
		if !now.Before(l.ExpiresAt) {
			return invalid
		}
		u, err := s.store.User(ctx, l.UserID)
		if err != nil {
			return err
		}
		if err := validPassword("password", password, u.Email); err != nil {
			return err // the rollback leaves the link as it was
		}
		if name = strings.TrimSpace(name); name != "" {
			if err := validName("name", name); err != nil {
				return err
			}
			u.Name = name
		}
		u.PasswordHash, u.UpdatedAt = hash, now
		if err := s.store.UpdateUser(ctx, u); err != nil {
			return err
		}
		if err := s.store.DeleteSessions(ctx, u.ID, ""); err != nil {
			return err
		}
		s.accounts.forget(u.Email)
		email = u.Email
		by := Principal{Kind: ByUser, ID: u.ID, Name: u.Name, Workspace: l.Workspace, IP: ip}
		return s.Audit(ctx, by, Act{Action: "staff.password", Noun: "user", NounID: u.ID, Detail: map[string]any{"how": "link"}})
	})
	return email, err
}

// ChangePassword sets the principal's own password and ends their other sessions. Attempts count like sign-ins.
func (s *Service) ChangePassword(ctx context.Context, by Principal, current, next string) error {
	if by.Kind != ByUser {
		return errs.Forbidden("staff.password.user_only", "only users have passwords")
	}
	u, err := s.store.User(ctx, by.ID)
	if err != nil {
		return err
	}
	if err := s.throttle(u.Email, by.IP, s.clock.Now()); err != nil {
		return err
	}
	if err := validPassword("new_password", next, u.Email); err != nil {
		return err
	}
	ok, _, err := s.hasher.check(ctx, u.PasswordHash, current)
	if err != nil {
		return err
	}
	if !ok {
		return errs.Invalid("staff.password.wrong", "current_password", "this is not your current password")
	}
	s.accounts.forget(u.Email)
	hash, err := s.hasher.hash(ctx, next)
	if err != nil {
		return err
	}
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		now, err := s.store.User(ctx, by.ID)
		if err != nil {
			return err
		}
		if now.PasswordHash != u.PasswordHash {
			return errs.Conflict("staff.password.changed", "the password was changed at the same moment; sign in again")
		}
		now.PasswordHash, now.UpdatedAt = hash, s.clock.Now()
		if err := s.store.UpdateUser(ctx, now); err != nil {
			return err
		}
		if err := s.store.DeleteSessions(ctx, by.ID, by.Session); err != nil {
			return err
		}
		return s.Audit(ctx, by, Act{Action: "staff.password", Noun: "user", NounID: by.ID, Detail: map[string]any{"how": "change"}})
	})
}

// SetProfile changes the principal's own name and language.
func (s *Service) SetProfile(ctx context.Context, by Principal, name, locale string) (User, error) {
	name = strings.TrimSpace(name)
	if err := validName("name", name); err != nil {
		return User{}, err
	}
	if err := validLocale(locale); err != nil {
		return User{}, err
	}
	var u User
	err := s.tx.InTx(ctx, func(ctx context.Context) (err error) {
		if u, err = s.store.User(ctx, by.ID); err != nil {
			return err
		}
		u.Name, u.Locale, u.UpdatedAt = name, locale, s.clock.Now()
		return s.store.UpdateUser(ctx, u)
	})
	return u, err
}

// SetRole changes a member's role. The last owner stays one.
func (s *Service) SetRole(ctx context.Context, by Principal, userID string, role Role) (Member, error) {
	if err := mayGrant(by, role); err != nil {
		return Member{}, err
	}
	var m Member
	err := s.tx.InTx(ctx, func(ctx context.Context) error {
		var err error
		if m, err = s.store.Member(ctx, by.Workspace, userID); err != nil {
			return err
		}
		if m.Role == role {
			return nil
		}
		if err := s.mayTake(ctx, by, m); err != nil {
			return err
		}
		if err := s.store.SetRole(ctx, by.Workspace, userID, role); err != nil {
			return err
		}
		before := m.Role
		m.Role = role
		return s.Audit(ctx, by, Act{Action: "staff.role", Noun: "user", NounID: userID, Detail: map[string]any{"from": before, "to": role}})
	})
	return m, err
}

// mayTake checks that the principal may take the member's role away and that an owner remains.
func (s *Service) mayTake(ctx context.Context, by Principal, m Member) error {
	if err := mayGrant(by, m.Role); err != nil {
		return err
	}
	if m.Role != Owner {
		return nil
	}
	n, err := s.store.Owners(ctx, m.Workspace)
	if err == nil && n <= 1 {
		err = errs.Conflict("staff.owner.last", "a workspace keeps at least one owner; make somebody else an owner first")
	}
	return err
}

// RemoveMember ends a membership and the member's sessions in the workspace; a user who is left without a workspace is deleted. Everybody but
// the last owner may leave.
func (s *Service) RemoveMember(ctx context.Context, by Principal, userID string) error {
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		m, err := s.store.Member(ctx, by.Workspace, userID)
		if err != nil {
			return err
		}
		as := by
		if by.Kind == ByUser && by.ID == userID {
			as = System(by.Workspace)
		}
		if err := s.mayTake(ctx, as, m); err != nil {
			return err
		}
		if err := s.store.RemoveMember(ctx, by.Workspace, userID); err != nil {
			return err
		}
		rest, err := s.store.Memberships(ctx, userID)
		if err != nil {
			return err
		}
		if len(rest) == 0 {
			if err := s.store.DeleteUser(ctx, userID); err != nil {
				return err
			}
		}
		if s.left != nil {
			if err := s.left(ctx, by.Workspace, userID); err != nil {
				return fmt.Errorf("tell that a member has left: %w", err)
			}
		}
		return s.Audit(ctx, by, Act{Action: "staff.remove", Noun: "user", NounID: userID, Detail: map[string]any{"role": m.Role}})
	})
}
