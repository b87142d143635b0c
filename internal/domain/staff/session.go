package staff

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

// Credentials are what somebody signs in with.
type Credentials struct {
	Email, Password string
	Workspace       string // empty: the one they joined first
	IP, UserAgent   string // of the browser
}

// Ticket is what a browser gets at sign-in. The token is shown here and never again.
type Ticket struct {
	Token     string // for an HttpOnly cookie
	CSRF      string // for a header that pages must send with every change
	Session   Session
	Principal Principal
}

var (
	errSignIn  = errs.Unauthenticated("staff.sign_in.failed", "mail address or password is wrong")
	errSession = errs.Unauthenticated("staff.session.ended", "sign in again")
)

// SignIn checks a password and starts a session. A wrong password, an unknown address and a user who has not accepted the invitation
// get the same errs.KindUnauthenticated error after the same work. Too many attempts at one account or from one
// address give errs.KindRateLimited; attempts at an unknown account count as well.
func (s *Service) SignIn(ctx context.Context, c Credentials) (Ticket, error) {
	now := s.clock.Now()
	email, badEmail := normalizeEmail(c.Email)
	account := email
	if badEmail != nil {
		account = c.Email[:min(len(c.Email), maxEmail)]
	}
	if err := s.throttle(account, c.IP, now); err != nil {
		return Ticket{}, err
	}
	var user User
	if badEmail == nil {
		var err error
		if user, err = s.store.UserByEmail(ctx, email); err != nil && !errs.Is(err, errs.KindNotFound) {
			return Ticket{}, err
		}
	}
	if len(c.Password) > maxPassword {
		c.Password = "" // no stored password is that long; hashing it would be a favour to an attacker
	}
	ok, stale, err := s.hasher.check(ctx, user.PasswordHash, c.Password)
	if err != nil {
		return Ticket{}, err
	}
	if !ok {
		return Ticket{}, errSignIn
	}
	s.accounts.forget(account)
	renewed := user.PasswordHash
	if stale {
		if renewed, err = s.hasher.hash(ctx, c.Password); err != nil {
			return Ticket{}, err
		}
	}
	return s.startSession(ctx, user, renewed, c, now)
}

// throttle counts an attempt against the account and the address.
func (s *Service) throttle(account, ip string, now time.Time) error {
	wait, ok := s.addresses.take(addressKey(ip), now)
	if ok {
		wait, ok = s.accounts.take(account, now)
	}
	if !ok {
		return tooMany(wait)
	}
	return nil
}

func tooMany(wait time.Duration) error {
	return errs.RateLimited("staff.sign_in.too_many", "too many attempts; try again in %d seconds", int(wait.Seconds())+1)
}

// startSession signs in a user whose password was checked against the hash in checked; renewed is the hash to keep.
func (s *Service) startSession(ctx context.Context, checked User, renewed string, c Credentials, now time.Time) (Ticket, error) {
	var t Ticket
	err := s.tx.InTx(ctx, func(ctx context.Context) error {
		user, err := s.store.User(ctx, checked.ID)
		if err != nil && !errs.Is(err, errs.KindNotFound) {
			return err
		}
		if err != nil || user.PasswordHash != checked.PasswordHash { // removed or changed while we were hashing
			return errSignIn
		}
		members, err := s.store.Memberships(ctx, user.ID)
		if err != nil {
			return err
		}
		m, err := choose(members, c.Workspace)
		if err != nil {
			return err
		}
		user.PasswordHash, user.LastSignIn = renewed, now
		if err := s.store.UpdateUser(ctx, user); err != nil {
			return err
		}
		token, hash := newToken()
		ses := Session{
			ID: id.New("ses"), Hash: hash, UserID: user.ID, Workspace: m.Workspace, IP: c.IP, UserAgent: truncate(c.UserAgent, maxUserAgent),
			CreatedAt: now, LastSeen: now, ExpiresAt: now.Add(s.lifetime),
		}
		if err := s.store.CreateSession(ctx, ses); err != nil {
			return err
		}
		m.User = user
		p := userPrincipal(m, ses.ID, c.IP)
		if last := s.swept.Load(); now.Unix()-last >= int64(sweepEvery/time.Second) {
			if err := s.store.Sweep(ctx, now, now.Add(-s.idle)); err != nil {
				return err
			}
			s.swept.Store(now.Unix())
		}
		t = Ticket{Token: token, CSRF: CSRF(token), Session: ses, Principal: p}
		return s.Audit(ctx, p, Act{Action: "session.start", Noun: "session", NounID: ses.ID})
	})
	if err != nil {
		return Ticket{}, err
	}
	return t, nil
}

// choose picks the membership to sign in with.
func choose(members []Member, ws string) (Member, error) {
	for _, m := range members {
		if ws == "" || m.Workspace == ws {
			return m, nil
		}
	}
	return Member{}, errs.Forbidden("staff.member.none", "you are a member of no such workspace; ask its owner for an invitation")
}

func userPrincipal(m Member, session, ip string) Principal {
	return Principal{
		Kind: ByUser, ID: m.User.ID, Name: m.User.Name, Workspace: m.Workspace, Role: m.Role, Permissions: m.Role.Permissions(),
		Session: session, IP: ip,
	}
}

// Authenticate returns who a session token stands for, with the permissions they have now. Unknown, idle and expired
// sessions and those of removed members give an errs.KindUnauthenticated error.
func (s *Service) Authenticate(ctx context.Context, token, ip string) (Principal, error) {
	now := s.clock.Now()
	ses, err := s.store.SessionByHash(ctx, hashToken(token))
	if errs.Is(err, errs.KindNotFound) {
		return Principal{}, errSession
	}
	if err != nil {
		return Principal{}, err
	}
	if !s.alive(ses, now) {
		return Principal{}, errSession
	}
	m, err := s.store.Member(ctx, ses.Workspace, ses.UserID)
	if errs.Is(err, errs.KindNotFound) {
		return Principal{}, errSession
	}
	if err != nil {
		return Principal{}, err
	}
	if now.Sub(ses.LastSeen) >= noteEvery {
		if err := s.store.TouchSession(ctx, ses.ID, ses.Workspace, ip, now); err != nil {
			return Principal{}, err
		}
	}
	return userPrincipal(m, ses.ID, ip), nil
}

func (s *Service) alive(ses Session, now time.Time) bool {
	return now.Before(ses.ExpiresAt) && now.Sub(ses.LastSeen) < s.idle
}

// CSRF returns the token that pages of the session with this token send along with every change. It is derived from the
// session token, so it can be checked without being stored, and nobody who lacks the cookie can make it.
func CSRF(token string) string {
	m := hmac.New(sha256.New, []byte(token))
	m.Write([]byte("kizuna/csrf"))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// CheckCSRF returns an errs.KindForbidden error unless got is the CSRF token of the session token.
func CheckCSRF(token, got string) error {
	if !hmac.Equal([]byte(CSRF(token)), []byte(got)) {
		return errs.Forbidden("staff.csrf.invalid", "the page is out of date; load it again")
	}
	return nil
}

// SignOut ends the principal's own session; repeating it changes nothing.
func (s *Service) SignOut(ctx context.Context, by Principal) error {
	if by.Session == "" {
		return nil
	}
	if err := s.RevokeSession(ctx, by, by.Session); !errs.Is(err, errs.KindNotFound) {
		return err
	}
	return nil
}

// Sessions returns the principal's own sessions that are alive, newest first.
func (s *Service) Sessions(ctx context.Context, by Principal) ([]Session, error) {
	all, err := s.store.Sessions(ctx, by.ID)
	if err != nil {
		return nil, err
	}
	alive := []Session{}
	for _, ses := range all {
		if s.alive(ses, s.clock.Now()) {
			alive = append(alive, ses)
		}
	}
	return alive, nil
}

// RevokeSession ends one of the principal's own sessions.
func (s *Service) RevokeSession(ctx context.Context, by Principal, id string) error {
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.store.DeleteSession(ctx, by.ID, id); err != nil {
			return err
		}
		return s.Audit(ctx, by, Act{Action: "session.end", Noun: "session", NounID: id})
	})
}

// SwitchWorkspace makes the principal's session look at another workspace that they are a member of.
func (s *Service) SwitchWorkspace(ctx context.Context, by Principal, ws string) (Principal, error) {
	m, err := s.store.Member(ctx, ws, by.ID)
	if errs.Is(err, errs.KindNotFound) {
		return Principal{}, errs.Forbidden("staff.member.none", "you are a member of no such workspace; ask its owner for an invitation")
	}
	if err != nil {
		return Principal{}, err
	}
	if err := s.store.TouchSession(ctx, by.Session, ws, by.IP, s.clock.Now()); err != nil {
		return Principal{}, err
	}
	return userPrincipal(m, by.Session, by.IP), nil
}

// truncate cuts s to at most n bytes. Half a character at the end goes too.
func truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
