package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

var errNobody = errs.Unauthenticated("request.unauthenticated", "send an API key (Authorization: Bearer ...) or sign in")

// Session is who is signed in, and what the page needs to know.
type Session struct {
	User        SessionUser `json:"user"`
	Workspace   string      `json:"workspace"`
	Role        string      `json:"role,omitempty"`
	Permissions []string    `json:"permissions"`
	CSRF        string      `json:"csrf,omitempty" doc:"send it as X-CSRF-Token with every change"`
	Live        string      `json:"live,omitempty" doc:"give it to /live as last: what changes after this answer is heard, however late the stream is opened. Absent if the server sends no live changes"`
	Demo        *struct {
		Mailbox string `json:"mailbox"`
	} `json:"demo,omitempty" doc:"present in the demonstration"`
}

// SessionUser is the caller.
type SessionUser struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// OpenSession is a browser that is signed in.
type OpenSession struct {
	ID        string    `json:"id"`
	IP        string    `json:"ip"`
	UserAgent string    `json:"user_agent"`
	Current   bool      `json:"current" doc:"the one that asks"`
	CreatedAt time.Time `json:"created_at"`
	LastSeen  time.Time `json:"last_seen"`
	ExpiresAt time.Time `json:"expires_at"`
}

type sessionAnswer struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      Session
}

// sessionShape begins with the mark of live changes: what the page reads next, it reads after that mark.
func (a *api) sessionShape(p staff.Principal, csrf string) Session {
	live := ""
	if a.c.Live != nil {
		live = a.c.Live.Mark(p.Workspace)
	}
	s := Session{User: SessionUser{ID: p.ID, Name: p.Name}, Workspace: p.Workspace, Role: string(p.Role), CSRF: csrf, Live: live, Permissions: make([]string, len(p.Permissions))}
	for i, perm := range p.Permissions {
		s.Permissions[i] = string(perm)
	}
	if a.c.Demo != nil {
		s.Demo = &struct {
			Mailbox string `json:"mailbox"`
		}{a.c.Demo.Mailbox}
	}
	return s
}

func (a *api) cookie(token string, expires time.Time) http.Cookie {
	return http.Cookie{Name: cookieName, Value: token, Path: "/", Expires: expires, HttpOnly: true, Secure: a.c.SecureCookies, SameSite: http.SameSiteLaxMode}
}

func (a *api) sessionRoutes() {
	type credentials struct {
		Email    string `json:"email" minLength:"1" maxLength:"254"`
		Password string `json:"password" minLength:"1" maxLength:"1024"`
	}
	enter := func(ctx context.Context, c credentials) (*sessionAnswer, error) {
		o := originOf(ctx)
		t, err := a.c.Staff.SignIn(ctx, staff.Credentials{Email: c.Email, Password: c.Password, IP: o.ip, UserAgent: o.userAgent})
		if err != nil {
			return nil, err
		}
		return &sessionAnswer{SetCookie: a.cookie(t.Token, t.Session.ExpiresAt), Body: a.sessionShape(t.Principal, t.CSRF)}, nil
	}
	route(a, http.MethodPost, "/session", "session-start", "Sign in", public, func(ctx context.Context, in *in[credentials]) (*sessionAnswer, error) {
		return enter(ctx, in.Body)
	})
	route(a, http.MethodGet, "/session", "session-get", "Who am I", signedIn, func(ctx context.Context, _ *nothing) (*body[Session], error) {
		csrf := ""
		if token := originOf(ctx).session; token != "" {
			csrf = staff.CSRF(token)
		}
		return answer(a.sessionShape(caller(ctx), csrf)), nil
	})
	type gone struct {
		SetCookie http.Cookie `header:"Set-Cookie"`
	}
	route(a, http.MethodDelete, "/session", "session-end", "Sign out", signedIn, func(ctx context.Context, _ *nothing) (*gone, error) {
		if err := a.c.Staff.SignOut(ctx, caller(ctx)); err != nil {
			return nil, err
		}
		return &gone{a.cookie("", time.Unix(1, 0))}, nil
	}, noContent)

	route(a, http.MethodGet, "/sessions", "session-list", "One's own browsers that are signed in, newest first", signedIn, func(ctx context.Context, _ *nothing) (*body[List[OpenSession]], error) {
		all, err := a.c.Staff.Sessions(ctx, caller(ctx))
		if err != nil {
			return nil, err
		}
		return list(page.Of[staff.Session]{Items: all}, func(s staff.Session) OpenSession {
			return OpenSession{s.ID, s.IP, s.UserAgent, s.ID == caller(ctx).Session, s.CreatedAt, s.LastSeen, s.ExpiresAt}
		}), nil
	})
	route(a, http.MethodDelete, "/sessions/{id}", "session-revoke", "Sign one of one's own browsers out", signedIn, func(ctx context.Context, in *IDPath) (*nothing, error) {
		return nil, a.c.Staff.RevokeSession(ctx, caller(ctx), in.ID)
	}, noContent)

	type state struct {
		Needed bool `json:"needed" doc:"true on an installation without an owner"`
	}
	route(a, http.MethodGet, "/setup", "setup-get", "Does this installation need its first owner", public, func(ctx context.Context, _ *nothing) (*body[state], error) {
		any, err := a.c.Staff.AnyUser(ctx)
		return answer(state{!any}), err
	})
	route(a, http.MethodPost, "/setup", "setup-create", "Make the first owner's account and sign in", public, func(ctx context.Context, in *in[credentials]) (*sessionAnswer, error) {
		if err := a.c.Staff.SetUp(ctx, a.c.Tenants, in.Body.Email, in.Body.Password); err != nil {
			return nil, err
		}
		out, err := enter(ctx, in.Body)
		if errs.Is(err, errs.KindUnauthenticated) { // somebody else was faster, and the account is theirs
			return nil, errs.Conflict("staff.setup.done", "this installation has an owner; sign in")
		}
		return out, err
	}, created)
}
