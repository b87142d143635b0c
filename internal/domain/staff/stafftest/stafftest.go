// Package stafftest is the suite that every staff.Store passes, together with the service's rules on top of it.
package stafftest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// Cheap makes password hashes that take no time; for tests alone.
var Cheap = staff.HashParams{Memory: 64, Time: 1, Threads: 1}

// Opener returns an empty store and the transactions that it takes part in.
type Opener func(t *testing.T) (staff.Store, tx.Runner)

// fixture is one test's world.
type fixture struct {
	*testing.T
	store staff.Store
	tx    tx.Runner
	clock *clock.Fixed
	svc   *staff.Service
}

// Run runs the suite.
func Run(t *testing.T, open Opener) {
	for name, test := range map[string]func(*fixture){
		"users come back as they were stored":             usersComeBack,
		"members stay inside their workspace":             membersStayInside,
		"members page by address":                         membersPage,
		"sessions come and go":                            sessionsComeAndGo,
		"links work once":                                 linksWorkOnce,
		"keys stay inside their workspace":                keysStayInside,
		"audit log filters and pages":                     auditLogFilters,
		"audit entries share the fate of their act":       auditSharesFate,
		"sign-in tells nothing to strangers":              signInTellsNothing,
		"sign-in slows down guessing":                     signInSlowsDown,
		"sign-in renews cheap hashes":                     signInRenewsHashes,
		"sign-in loses to a change at the same moment":    signInLosesToChange,
		"sessions end":                                    sessionsEnd,
		"sessions follow role and workspace":              sessionsFollowRole,
		"changing the password ends other sessions":       changingPassword,
		"invitations let somebody in once":                invitations,
		"nobody grants more than they have":               nobodyGrantsMore,
		"the last owner stays":                            lastOwnerStays,
		"API keys do what their scopes say":               apiKeys,
		"keys of one workspace open no other":             keysOpenNoOther,
		"bootstrap may be repeated":                       bootstrapMayBeRepeated,
		"removing the last membership removes the user":   removingTheUser,
		"reset links need a say over the whole user":      resetLinks,
		"two owners cannot unmake each other at one time": ownersRace,
	} {
		t.Run(name, func(t *testing.T) {
			store, runner := open(t)
			c := clock.NewFixed(start)
			test(&fixture{t, store, runner, c, staff.New(staff.Config{Store: store, Tx: runner, Clock: c, Hash: Cheap})})
		})
	}
}

func (f *fixture) check(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func must[T any](f *fixture) func(T, error) T {
	return func(v T, err error) T {
		f.Helper()
		f.check(err)
		return v
	}
}

func (f *fixture) equal(want, got any) {
	f.Helper()
	if d := cmp.Diff(want, got); d != "" {
		f.Error(d)
	}
}

func (f *fixture) fails(err error, kind errs.Kind, code string) {
	f.Helper()
	all := errs.All(err)
	if !errs.Is(err, kind) || len(all) == 0 || all[0].Code != code {
		f.Errorf("got %v (kind %v), want kind %v, code %s", err, errs.KindOf(err), kind, code)
	}
}

const password = "correct horse battery"

// member adds a user with the role to the workspace, by way of the service.
func (f *fixture) member(ws, email string, role staff.Role) staff.Member {
	f.Helper()
	return must[staff.Member](f)(f.svc.CreateUser(f.Context(), staff.System(ws), staff.NewUser{Email: email, Role: role, Password: password}))
}

// signIn returns a session's ticket.
func (f *fixture) signIn(email string) staff.Ticket {
	f.Helper()
	return must[staff.Ticket](f)(f.svc.SignIn(f.Context(), staff.Credentials{Email: email, Password: password, IP: "192.0.2.1", UserAgent: "test"}))
}

func user(id string) staff.User {
	return staff.User{ID: id, Email: id + "@example.com", Name: "絆 " + id, Locale: "ja", PasswordHash: "hash", CreatedAt: start, UpdatedAt: start.Add(time.Microsecond)}
}

func usersComeBack(f *fixture) {
	ctx := f.Context()
	f.equal(false, must[bool](f)(f.store.AnyUser(ctx)))
	u := user("usr_a")
	f.check(f.store.CreateUser(ctx, u))
	f.equal(true, must[bool](f)(f.store.AnyUser(ctx)))
	f.equal(u, must[staff.User](f)(f.store.User(ctx, "usr_a")))
	f.equal(u, must[staff.User](f)(f.store.UserByEmail(ctx, "usr_a@example.com")))
	again := user("usr_b")
	again.Email = u.Email
	f.fails(f.store.CreateUser(ctx, again), errs.KindConflict, "staff.email.taken")
	u.Name, u.Locale, u.PasswordHash, u.UpdatedAt, u.LastSignIn = "N", "", "other", start.Add(time.Hour), start.Add(time.Minute)
	f.check(f.store.UpdateUser(ctx, u))
	f.equal(u, must[staff.User](f)(f.store.User(ctx, "usr_a")))
	_, err := f.store.User(ctx, "usr_b")
	f.fails(err, errs.KindNotFound, "user.not_found")
	_, err = f.store.UserByEmail(ctx, "USR_A@example.com")
	f.fails(err, errs.KindNotFound, "user.not_found")
	f.fails(f.store.UpdateUser(ctx, user("usr_b")), errs.KindNotFound, "user.not_found")

	f.check(f.store.AddMember(ctx, "ws_a", staff.Member{User: u, Role: staff.Owner, CreatedAt: start}))
	f.check(f.store.CreateSession(ctx, staff.Session{ID: "ses_a", Hash: []byte("h"), UserID: "usr_a", Workspace: "ws_a"}))
	f.check(f.store.PutLink(ctx, staff.Link{Hash: []byte("l"), UserID: "usr_a", Workspace: "ws_a", ExpiresAt: start}))
	f.check(f.store.DeleteUser(ctx, "usr_a"))
	f.check(f.store.DeleteUser(ctx, "usr_a"))
	f.equal([]staff.Member{}, must[[]staff.Member](f)(f.store.Memberships(ctx, "usr_a")))
	f.equal([]staff.Session{}, must[[]staff.Session](f)(f.store.Sessions(ctx, "usr_a")))
	_, err = f.store.TakeLink(ctx, []byte("l"))
	f.fails(err, errs.KindNotFound, "link.not_found")
}

func membersStayInside(f *fixture) {
	ctx := f.Context()
	a, b := user("usr_a"), user("usr_b")
	f.check(f.store.CreateUser(ctx, a))
	f.check(f.store.CreateUser(ctx, b))
	in := func(ws string, u staff.User, r staff.Role, at time.Time) staff.Member {
		m := staff.Member{User: u, Workspace: ws, Role: r, CreatedAt: at}
		f.check(f.store.AddMember(ctx, ws, m))
		return m
	}
	aInA := in("ws_a", a, staff.Owner, start.Add(time.Second))
	aInB := in("ws_b", a, staff.Viewer, start)
	bInB := in("ws_b", b, staff.Owner, start)
	f.fails(f.store.AddMember(ctx, "ws_a", aInA), errs.KindConflict, "staff.member.exists")

	f.equal(aInA, must[staff.Member](f)(f.store.Member(ctx, "ws_a", "usr_a")))
	f.equal([]staff.Member{aInB, aInA}, must[[]staff.Member](f)(f.store.Memberships(ctx, "usr_a")))
	f.equal([]staff.Member{aInB, bInB}, must[page.Of[staff.Member]](f)(f.store.Members(ctx, "ws_b", staff.MemberFilter{}, page.Request{})).Items)
	f.equal(1, must[int](f)(f.store.Owners(ctx, "ws_b")))

	_, err := f.store.Member(ctx, "ws_a", "usr_b")
	f.fails(err, errs.KindNotFound, "member.not_found")
	f.fails(f.store.SetRole(ctx, "ws_a", "usr_b", staff.Viewer), errs.KindNotFound, "member.not_found")
	f.fails(f.store.RemoveMember(ctx, "ws_a", "usr_b"), errs.KindNotFound, "member.not_found")
	f.equal(bInB, must[staff.Member](f)(f.store.Member(ctx, "ws_b", "usr_b")))

	f.check(f.store.SetRole(ctx, "ws_b", "usr_a", staff.Owner))
	f.equal(2, must[int](f)(f.store.Owners(ctx, "ws_b")))
	f.equal(1, must[int](f)(f.store.Owners(ctx, "ws_a")))
	for i, ws := range []string{"ws_a", "ws_b"} {
		f.check(f.store.CreateSession(ctx, staff.Session{ID: fmt.Sprint("ses_", i), Hash: []byte{byte(i)}, UserID: "usr_a", Workspace: ws}))
	}
	f.check(f.store.RemoveMember(ctx, "ws_b", "usr_a"))
	f.equal([]staff.Member{aInA}, must[[]staff.Member](f)(f.store.Memberships(ctx, "usr_a")))
	left := must[[]staff.Session](f)(f.store.Sessions(ctx, "usr_a"))
	if len(left) != 1 || left[0].Workspace != "ws_a" {
		f.Errorf("sessions left: %v", left)
	}
}

func membersPage(f *fixture) {
	ctx := f.Context()
	var want []string
	for i := range 7 {
		u := user(fmt.Sprintf("usr_%d", i))
		f.check(f.store.CreateUser(ctx, u))
		f.check(f.store.AddMember(ctx, "ws_a", staff.Member{User: u, Role: staff.Agent, CreatedAt: start}))
		want = append(want, u.Email)
	}
	for _, size := range []int{1, 3, 7, 100} {
		f.equal(want, pages(f, size, func(p page.Request) (page.Of[staff.Member], error) {
			return f.store.Members(ctx, "ws_a", staff.MemberFilter{}, p)
		},
			func(m staff.Member) string { return m.User.Email }))
	}
	_, err := f.store.Members(ctx, "ws_a", staff.MemberFilter{}, page.Request{Cursor: "nonsense"})
	f.fails(err, errs.KindInvalid, "page.cursor.invalid")
}

func pages[T any](f *fixture, size int, list func(page.Request) (page.Of[T], error), key func(T) string) []string {
	f.Helper()
	var out []string
	for p := (page.Request{Limit: size}); ; {
		got := must[page.Of[T]](f)(list(p))
		if len(got.Items) > size {
			f.Fatalf("a page of %d items, want at most %d", len(got.Items), size)
		}
		for _, v := range got.Items {
			out = append(out, key(v))
		}
		if got.Next == "" {
			return out
		}
		p.Cursor = got.Next
	}
}

func sessionsComeAndGo(f *fixture) {
	ctx := f.Context()
	f.check(f.store.CreateUser(ctx, user("usr_a")))
	f.check(f.store.CreateUser(ctx, user("usr_b")))
	ses := func(id, userID string, created, seen, expires time.Time) staff.Session {
		s := staff.Session{
			ID: id, Hash: []byte(id), UserID: userID, Workspace: "ws_a", IP: "2001:db8::1", UserAgent: "agent",
			CreatedAt: created, LastSeen: seen, ExpiresAt: expires,
		}
		f.check(f.store.CreateSession(ctx, s))
		return s
	}
	old := ses("ses_1", "usr_a", start, start, start.Add(time.Hour))
	young := ses("ses_2", "usr_a", start.Add(time.Second), start.Add(time.Second), start.Add(2*time.Hour))
	other := ses("ses_3", "usr_b", start, start.Add(time.Hour), start.Add(3*time.Hour))
	f.equal(old, must[staff.Session](f)(f.store.SessionByHash(ctx, []byte("ses_1"))))
	_, err := f.store.SessionByHash(ctx, []byte("ses_9"))
	f.fails(err, errs.KindNotFound, "session.not_found")
	f.equal([]staff.Session{young, old}, must[[]staff.Session](f)(f.store.Sessions(ctx, "usr_a")))

	f.check(f.store.TouchSession(ctx, "ses_2", "ws_b", "192.0.2.7", start.Add(time.Minute)))
	f.check(f.store.TouchSession(ctx, "ses_9", "ws_b", "192.0.2.7", start))
	young.Workspace, young.IP, young.LastSeen = "ws_b", "192.0.2.7", start.Add(time.Minute)
	f.equal(young, must[staff.Session](f)(f.store.SessionByHash(ctx, []byte("ses_2"))))

	f.fails(f.store.DeleteSession(ctx, "usr_a", "ses_3"), errs.KindNotFound, "session.not_found")
	f.check(f.store.DeleteSession(ctx, "usr_a", "ses_1"))
	f.check(f.store.DeleteSessions(ctx, "usr_a", "ses_2"))
	f.equal([]staff.Session{young}, must[[]staff.Session](f)(f.store.Sessions(ctx, "usr_a")))
	f.check(f.store.DeleteSessions(ctx, "usr_a", ""))
	f.equal([]staff.Session{}, must[[]staff.Session](f)(f.store.Sessions(ctx, "usr_a")))
	f.equal([]staff.Session{other}, must[[]staff.Session](f)(f.store.Sessions(ctx, "usr_b")))

	ses("ses_idle", "usr_a", start, start, start.Add(9*time.Hour))
	ses("ses_expired", "usr_a", start, start.Add(2*time.Hour), start.Add(2*time.Hour))
	kept := ses("ses_alive", "usr_a", start, start.Add(2*time.Hour), start.Add(9*time.Hour))
	f.check(f.store.PutLink(ctx, staff.Link{Hash: []byte("gone"), UserID: "usr_a", ExpiresAt: start}))
	f.check(f.store.PutLink(ctx, staff.Link{Hash: []byte("there"), UserID: "usr_b", ExpiresAt: start.Add(9 * time.Hour)}))
	f.check(f.store.Sweep(ctx, start.Add(3*time.Hour), start.Add(time.Hour)))
	f.equal([]staff.Session{kept}, must[[]staff.Session](f)(f.store.Sessions(ctx, "usr_a")))
	_, err = f.store.TakeLink(ctx, []byte("gone"))
	f.fails(err, errs.KindNotFound, "link.not_found")
	must[staff.Link](f)(f.store.TakeLink(ctx, []byte("there")))
}

func linksWorkOnce(f *fixture) {
	ctx := f.Context()
	f.check(f.store.CreateUser(ctx, user("usr_a")))
	first := staff.Link{Hash: []byte("1"), UserID: "usr_a", Workspace: "ws_a", ExpiresAt: start}
	second := first
	second.Hash = []byte("2")
	f.check(f.store.PutLink(ctx, first))
	f.check(f.store.PutLink(ctx, second))
	_, err := f.store.TakeLink(ctx, first.Hash)
	f.fails(err, errs.KindNotFound, "link.not_found")
	f.equal(second, must[staff.Link](f)(f.store.TakeLink(ctx, second.Hash)))
	_, err = f.store.TakeLink(ctx, second.Hash)
	f.fails(err, errs.KindNotFound, "link.not_found")
}

func keysStayInside(f *fixture) {
	ctx := f.Context()
	key := func(id, ws string) staff.Key {
		k := staff.Key{
			ID: id, Workspace: ws, Name: "K", Hint: "kz_ab", Hash: []byte(id), Scopes: []staff.Permission{staff.PeopleRead, staff.Export},
			CreatedBy: "usr_a", CreatedAt: start, ExpiresAt: start.Add(time.Hour),
		}
		f.check(f.store.CreateKey(ctx, ws, k))
		return k
	}
	a, b := key("key_a", "ws_a"), key("key_b", "ws_b")
	f.equal(a, must[staff.Key](f)(f.store.Key(ctx, "ws_a", "key_a")))
	f.equal(b, must[staff.Key](f)(f.store.KeyByHash(ctx, b.Hash)))
	f.equal([]staff.Key{a}, must[page.Of[staff.Key]](f)(f.store.Keys(ctx, "ws_a", staff.KeyFilter{}, time.Time{}, page.Request{})).Items)
	twin := a
	twin.ID = "key_c"
	f.fails(f.store.CreateKey(ctx, "ws_b", twin), errs.KindConflict, "staff.key.taken")
	_, err := f.store.Key(ctx, "ws_a", "key_b")
	f.fails(err, errs.KindNotFound, "key.not_found")
	_, err = f.store.KeyByHash(ctx, []byte("none"))
	f.fails(err, errs.KindNotFound, "key.not_found")
	f.fails(f.store.RevokeKey(ctx, "ws_a", "key_b", start), errs.KindNotFound, "key.not_found")
	f.check(f.store.TouchKey(ctx, "ws_a", "key_b", start))
	f.equal(b, must[staff.Key](f)(f.store.Key(ctx, "ws_b", "key_b")))

	f.check(f.store.TouchKey(ctx, "ws_a", "key_a", start.Add(time.Minute)))
	f.check(f.store.RevokeKey(ctx, "ws_a", "key_a", start.Add(time.Second)))
	f.check(f.store.RevokeKey(ctx, "ws_a", "key_a", start.Add(time.Hour)))
	a.LastUsed, a.RevokedAt = start.Add(time.Minute), start.Add(time.Second)
	f.equal(a, must[staff.Key](f)(f.store.Key(ctx, "ws_a", "key_a")))

	want := []string{"key_b"}
	for i := range 5 {
		want = append([]string{key(fmt.Sprintf("key_c%d", i), "ws_b").ID}, want...)
	}
	f.equal(want, pages(f, 2, func(p page.Request) (page.Of[staff.Key], error) {
		return f.store.Keys(ctx, "ws_b", staff.KeyFilter{}, time.Time{}, p)
	},
		func(k staff.Key) string { return k.ID }))
}

func auditLogFilters(f *fixture) {
	ctx := f.Context()
	entry := func(i int, ws, actor, action, noun, nounID string, at time.Time) staff.AuditEntry {
		e := staff.AuditEntry{
			ID: fmt.Sprintf("aud_%d", i), Workspace: ws, At: at, ActorKind: staff.ByUser, ActorID: actor, ActorName: "A", Action: action,
			Noun: noun, NounID: nounID, Detail: json.RawMessage(`{"k":"絆"}`), IP: "192.0.2.1",
		}
		f.check(f.store.AppendAudit(ctx, ws, e))
		return e
	}
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	e0 := entry(0, "ws_a", "usr_a", "campaign.send", "campaign", "cmp_1", at(1))
	e1 := entry(1, "ws_a", "usr_b", "campaign.send", "campaign", "cmp_2", at(2))
	e2 := entry(2, "ws_a", "usr_b", "segment.update", "segment", "seg_1", at(2)) // same moment: the id decides
	e3 := entry(3, "ws_a", "usr_a", "segment.update", "segment", "seg_1", at(3))
	entry(4, "ws_b", "usr_a", "campaign.send", "campaign", "cmp_1", at(2))
	for name, c := range map[string]struct {
		filter staff.AuditFilter
		want   []staff.AuditEntry
	}{
		"all":     {staff.AuditFilter{}, []staff.AuditEntry{e3, e2, e1, e0}},
		"actor":   {staff.AuditFilter{ActorID: "usr_b"}, []staff.AuditEntry{e2, e1}},
		"action":  {staff.AuditFilter{Action: "campaign.send"}, []staff.AuditEntry{e1, e0}},
		"noun":    {staff.AuditFilter{Noun: "segment"}, []staff.AuditEntry{e3, e2}},
		"noun id": {staff.AuditFilter{Noun: "campaign", NounID: "cmp_2"}, []staff.AuditEntry{e1}},
		"time":    {staff.AuditFilter{From: at(2), To: at(3)}, []staff.AuditEntry{e2, e1}},
		"several": {staff.AuditFilter{ActorID: "usr_a", Action: "segment.update", From: at(1), To: at(9)}, []staff.AuditEntry{e3}},
		"none":    {staff.AuditFilter{ActorID: "usr_c"}, []staff.AuditEntry{}},
	} {
		got := must[page.Of[staff.AuditEntry]](f)(f.store.AuditLog(ctx, "ws_a", c.filter, page.Request{}))
		if d := cmp.Diff(c.want, got.Items); d != "" {
			f.Errorf("%s: %s", name, d)
		}
	}
	for _, size := range []int{1, 2, 3, 4} {
		f.equal([]string{"aud_3", "aud_2", "aud_1", "aud_0"}, pages(f, size,
			func(p page.Request) (page.Of[staff.AuditEntry], error) {
				return f.store.AuditLog(ctx, "ws_a", staff.AuditFilter{}, p)
			},
			func(e staff.AuditEntry) string { return e.ID }))
	}
}

func auditSharesFate(f *fixture) {
	ctx := f.Context()
	by := staff.System("ws_a")
	by.IP = "192.0.2.1"
	act := staff.Act{Action: "campaign.send", Noun: "campaign", NounID: "cmp_1", Detail: map[string]any{"people": 5}}
	_ = f.tx.InTx(ctx, func(ctx context.Context) error {
		f.check(f.svc.Audit(ctx, by, act))
		return context.Canceled
	})
	f.equal(0, len(f.audit("ws_a")))
	f.check(f.svc.Audit(ctx, by, act))
	got := f.audit("ws_a")
	if len(got) != 1 || got[0].At != start || got[0].ActorKind != staff.BySystem || got[0].NounID != "cmp_1" || string(got[0].Detail) != `{"people":5}` || got[0].IP != by.IP {
		f.Errorf("got %+v", got)
	}
	_, err := f.svc.AuditLog(ctx, staff.Principal{Workspace: "ws_a", Permissions: staff.Marketer.Permissions()}, staff.AuditFilter{}, page.Request{})
	f.fails(err, errs.KindForbidden, "staff.permission.missing")
}

func (f *fixture) audit(ws string) []staff.AuditEntry {
	f.Helper()
	return must[page.Of[staff.AuditEntry]](f)(f.svc.AuditLog(f.Context(), staff.System(ws), staff.AuditFilter{}, page.Request{})).Items
}

func (f *fixture) acts(ws string) []string {
	f.Helper()
	var out []string
	for _, e := range f.audit(ws) {
		out = append(out, e.Action)
	}
	return out
}
