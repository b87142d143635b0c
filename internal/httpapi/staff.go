package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// Member is a colleague in the workspace.
type Member struct {
	ID         string     `json:"id"`
	Email      string     `json:"email"`
	Name       string     `json:"name"`
	Role       string     `json:"role" enum:"owner,admin,marketer,agent,analyst,viewer"`
	CreatedAt  time.Time  `json:"created_at"`
	LastSignIn *time.Time `json:"last_sign_in,omitempty"`
}

func memberShape(m staff.Member) Member {
	return Member{ID: m.User.ID, Email: m.User.Email, Name: m.User.Name, Role: string(m.Role), CreatedAt: m.CreatedAt, LastSignIn: moment(m.User.LastSignIn)}
}

// Key is an API key; its secret is shown once, when it is made.
type Key struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Hint      string     `json:"hint,omitempty"`
	Secret    string     `json:"secret,omitempty" doc:"only in the answer to its making"`
	Scopes    []string   `json:"scopes"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	LastUsed  *time.Time `json:"last_used,omitempty"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
}

func keyShape(k staff.Key) Key {
	out := Key{ID: k.ID, Name: k.Name, Hint: k.Hint, CreatedAt: k.CreatedAt, ExpiresAt: moment(k.ExpiresAt), LastUsed: moment(k.LastUsed), RevokedAt: moment(k.RevokedAt), Scopes: make([]string, len(k.Scopes))}
	for i, s := range k.Scopes {
		out.Scopes[i] = string(s)
	}
	return out
}

// AuditEntry is one act.
type AuditEntry struct {
	ID     string          `json:"id"`
	At     time.Time       `json:"at"`
	Actor  AuditActor      `json:"actor"`
	Action string          `json:"action"`
	Noun   string          `json:"noun"`
	NounID string          `json:"noun_id"`
	Detail json.RawMessage `json:"detail"`
	IP     string          `json:"ip,omitempty"`
}

// AuditActor is who did it.
type AuditActor struct {
	Kind string `json:"kind" enum:"user,key,system"`
	ID   string `json:"id"`
	Name string `json:"name"`
}

func auditShape(e staff.AuditEntry) AuditEntry {
	return AuditEntry{ID: e.ID, At: e.At, Actor: AuditActor{string(e.ActorKind), e.ActorID, e.ActorName}, Action: e.Action, Noun: e.Noun, NounID: e.NounID, Detail: e.Detail, IP: e.IP}
}

func (a *api) staffRoutes() {
	s := a.c.Staff
	type memberFilter struct {
		Paging
		Q    string `query:"q" maxLength:"200" doc:"part of name or mail address"`
		Role string `query:"role" enum:"owner,admin,marketer,agent,analyst,viewer"`
	}
	route(a, http.MethodGet, "/staff", "staff-list", "Members of the workspace", staff.StaffRead, func(ctx context.Context, in *memberFilter) (*body[List[Member]], error) {
		found, err := s.Members(ctx, caller(ctx), staff.MemberFilter{Text: in.Q, Role: staff.Role(in.Role)}, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, memberShape), nil
	})
	type invitation struct {
		Email  string `json:"email" maxLength:"254"`
		Name   string `json:"name,omitempty" maxLength:"200"`
		Role   string `json:"role" enum:"owner,admin,marketer,agent,analyst,viewer"`
		Locale string `json:"locale,omitempty"`
	}
	type invited struct {
		Member Member `json:"member"`
		Token  string `json:"token,omitempty" doc:"hand it to the colleague: POST /staff/accept with a password. Empty if they have an account already"`
	}
	route(a, http.MethodPost, "/staff", "staff-invite", "Invite a colleague", staff.StaffWrite, func(ctx context.Context, in *in[invitation]) (*body[invited], error) {
		m, token, err := s.Invite(ctx, caller(ctx), staff.NewUser{Email: in.Body.Email, Name: in.Body.Name, Role: staff.Role(in.Body.Role), Locale: in.Body.Locale})
		return answer(invited{memberShape(m), token}), err
	}, created)
	type acceptance struct {
		Token    string `json:"token" minLength:"1" maxLength:"200"`
		Name     string `json:"name,omitempty" maxLength:"200"`
		Password string `json:"password" minLength:"1" maxLength:"1024"`
	}
	type accepted struct {
		Email string `json:"email" doc:"sign in with it and the password: POST /session"`
	}
	route(a, http.MethodPost, "/staff/accept", "staff-accept", "Set a password with an invitation or reset token", public, func(ctx context.Context, in *in[acceptance]) (*body[accepted], error) {
		email, err := s.AcceptLink(ctx, in.Body.Token, in.Body.Name, in.Body.Password, originOf(ctx).ip)
		return answer(accepted{email}), err
	})
	route(a, http.MethodGet, "/staff/{id}", "staff-get", "One member of the workspace", staff.StaffRead, func(ctx context.Context, in *IDPath) (*body[Member], error) {
		m, err := s.Member(ctx, caller(ctx), in.ID)
		return answer(memberShape(m)), err
	})
	type role struct {
		Role string `json:"role" enum:"owner,admin,marketer,agent,analyst,viewer"`
	}
	route(a, http.MethodPut, "/staff/{id}/role", "staff-set-role", "Change a colleague's role", staff.StaffWrite, func(ctx context.Context, in *inAt[role]) (*body[Member], error) {
		m, err := s.SetRole(ctx, caller(ctx), in.ID, staff.Role(in.Body.Role))
		return answer(memberShape(m)), err
	})
	type reset struct {
		Token string `json:"token"`
	}
	route(a, http.MethodPost, "/staff/{id}/reset", "staff-reset", "Make a token with which a colleague sets a new password", staff.StaffWrite, func(ctx context.Context, in *IDPath) (*body[reset], error) {
		token, err := s.ResetLink(ctx, caller(ctx), in.ID)
		return answer(reset{token}), err
	})
	route(a, http.MethodDelete, "/staff/{id}", "staff-remove", "Remove a colleague from the workspace", staff.StaffWrite, func(ctx context.Context, in *IDPath) (*nothing, error) {
		return nil, s.RemoveMember(ctx, caller(ctx), in.ID)
	}, noContent)
	type passwords struct {
		Current string `json:"current_password" minLength:"1" maxLength:"1024"`
		Next    string `json:"new_password" minLength:"1" maxLength:"1024"`
	}
	route(a, http.MethodPost, "/session/password", "session-password", "Change one's own password", signedIn, func(ctx context.Context, in *in[passwords]) (*nothing, error) {
		return nil, s.ChangePassword(ctx, caller(ctx), in.Body.Current, in.Body.Next)
	}, noContent)

	type keyFilter struct {
		Paging
		Q      string `query:"q" maxLength:"200" doc:"part of the name"`
		Status string `query:"status" enum:"active,expired,revoked"`
	}
	route(a, http.MethodGet, "/keys", "key-list", "API keys", staff.KeysWrite, func(ctx context.Context, in *keyFilter) (*body[List[Key]], error) {
		found, err := s.Keys(ctx, caller(ctx), staff.KeyFilter{Text: in.Q, State: staff.KeyState(in.Status)}, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, keyShape), nil
	})
	type newKey struct {
		Name      string     `json:"name" maxLength:"200"`
		Scopes    []string   `json:"scopes" minItems:"1" doc:"permissions, e.g. people.read"`
		ExpiresAt *time.Time `json:"expires_at,omitempty"`
	}
	route(a, http.MethodPost, "/keys", "key-create", "Make an API key", staff.KeysWrite, func(ctx context.Context, in *in[newKey]) (*body[Key], error) {
		n := staff.NewKey{Name: in.Body.Name}
		for _, scope := range in.Body.Scopes {
			n.Scopes = append(n.Scopes, staff.Permission(scope))
		}
		if in.Body.ExpiresAt != nil {
			n.ExpiresAt = *in.Body.ExpiresAt
		}
		k, secret, err := s.CreateKey(ctx, caller(ctx), n)
		out := keyShape(k)
		out.Secret = secret
		return answer(out), err
	}, created)
	route(a, http.MethodGet, "/keys/{id}", "key-get", "One API key, without its secret", staff.KeysWrite, func(ctx context.Context, in *IDPath) (*body[Key], error) {
		k, err := s.Key(ctx, caller(ctx), in.ID)
		return answer(keyShape(k)), err
	})
	route(a, http.MethodDelete, "/keys/{id}", "key-revoke", "Revoke an API key", staff.KeysWrite, func(ctx context.Context, in *IDPath) (*body[Key], error) {
		k, err := s.RevokeKey(ctx, caller(ctx), in.ID)
		return answer(keyShape(k)), err
	})

	type filter struct {
		Paging
		Actor  string    `query:"actor" maxLength:"60"`
		Action string    `query:"action" maxLength:"100"`
		Noun   string    `query:"noun" maxLength:"60"`
		NounID string    `query:"noun_id" maxLength:"100"`
		From   time.Time `query:"from"`
		To     time.Time `query:"to"`
	}
	route(a, http.MethodGet, "/audit", "audit-list", "Who saw and did what, newest first", staff.AuditRead, func(ctx context.Context, in *filter) (*body[List[AuditEntry]], error) {
		found, err := s.AuditLog(ctx, caller(ctx), staff.AuditFilter{ActorID: in.Actor, Action: in.Action, Noun: in.Noun, NounID: in.NounID, From: in.From, To: in.To}, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, auditShape), nil
	})
}
