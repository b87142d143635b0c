package stafftest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

func signInTellsNothing(f *fixture) {
	ctx := f.Context()
	f.member("ws_a", "ann@example.com", staff.Owner)
	_, _, err := f.svc.Invite(ctx, staff.System("ws_a"), staff.NewUser{Email: "new@example.com", Role: staff.Viewer})
	f.check(err)
	var texts []string
	for _, c := range []staff.Credentials{
		{Email: "ann@example.com", Password: "wrong password"},
		{Email: "ann@example.com"},
		{Email: "nobody@example.com", Password: password},
		{Email: "new@example.com"}, // invited, no password yet
		{Email: "no address", Password: password},
		{Email: strings.Repeat("x", 5000), Password: strings.Repeat("y", 5000)},
		{},
	} {
		_, err := f.svc.SignIn(ctx, c)
		f.fails(err, errs.KindUnauthenticated, "staff.sign_in.failed")
		texts = append(texts, err.Error())
	}
	for _, text := range texts {
		f.equal(texts[0], text)
	}

	got := must[staff.Ticket](f)(f.svc.SignIn(ctx, staff.Credentials{Email: " ANN@Example.com ", Password: password, IP: "192.0.2.1", UserAgent: strings.Repeat("絆", 200)}))
	want := staff.Principal{
		Kind: staff.ByUser, ID: got.Principal.ID, Name: "ann@example.com", Workspace: "ws_a", Role: staff.Owner,
		Permissions: staff.Owner.Permissions(), Session: got.Session.ID, IP: "192.0.2.1",
	}
	f.equal(want, got.Principal)
	f.equal(300, len(got.Session.UserAgent))
	if len(got.Token) < 43 || got.Token == got.CSRF || staff.CheckCSRF(got.Token, got.CSRF) != nil {
		f.Errorf("token %q, CSRF %q", got.Token, got.CSRF)
	}
	f.fails(staff.CheckCSRF(got.Token, ""), errs.KindForbidden, "staff.csrf.invalid")
	f.fails(staff.CheckCSRF("other", got.CSRF), errs.KindForbidden, "staff.csrf.invalid")
	want.IP = "192.0.2.9"
	f.equal(want, must[staff.Principal](f)(f.svc.Authenticate(ctx, got.Token, "192.0.2.9")))
	_, err = f.svc.Authenticate(ctx, got.Session.ID, "")
	f.fails(err, errs.KindUnauthenticated, "staff.session.ended")
	_, err = f.svc.Authenticate(ctx, "", "")
	f.fails(err, errs.KindUnauthenticated, "staff.session.ended")
	_, err = f.svc.SignIn(ctx, staff.Credentials{Email: "ann@example.com", Password: password, Workspace: "ws_b"})
	f.fails(err, errs.KindForbidden, "staff.member.none")
	f.equal(start, must[staff.Member](f)(f.svc.Member(ctx, want, want.ID)).User.LastSignIn)
}

func signInSlowsDown(f *fixture) {
	ctx := f.Context()
	f.member("ws_a", "ann@example.com", staff.Owner)
	f.member("ws_a", "bob@example.com", staff.Viewer)
	attempt := func(email, pw, ip string) error {
		_, err := f.svc.SignIn(ctx, staff.Credentials{Email: email, Password: pw, IP: ip})
		return err
	}
	for _, email := range []string{"ann@example.com", "nobody@example.com"} {
		n := 0
		for ; n < 100 && errs.Is(attempt(email, "wrong", ""), errs.KindUnauthenticated); n++ {
		}
		f.equal(10, n) // the same for an account that does not exist
	}
	f.fails(attempt("ann@example.com", password, "198.51.100.1"), errs.KindRateLimited, "staff.sign_in.too_many")
	f.clock.Advance(30 * time.Second)
	f.check(attempt("ann@example.com", password, "198.51.100.1"))
	f.check(attempt("ann@example.com", password, "198.51.100.1")) // success clears the account

	n := 0
	for ; n < 100 && !errs.Is(attempt("user"+strings.Repeat("x", n)+"@example.com", "wrong", "2001:db8::"+string(rune('a'+n%6))), errs.KindRateLimited); n++ {
	}
	f.equal(30, n) // one network, many accounts
	f.fails(attempt("bob@example.com", password, "2001:db8::ffff"), errs.KindRateLimited, "staff.sign_in.too_many")
	f.check(attempt("bob@example.com", password, "2001:db8:0:1::1"))
}

func signInRenewsHashes(f *fixture) {
	ctx := f.Context()
	m := f.member("ws_a", "ann@example.com", staff.Owner)
	before := must[staff.User](f)(f.store.User(ctx, m.User.ID)).PasswordHash
	f.signIn("ann@example.com")
	f.equal(before, must[staff.User](f)(f.store.User(ctx, m.User.ID)).PasswordHash)

	dearer := staff.New(staff.Config{Store: f.store, Tx: f.tx, Clock: f.clock, Hash: staff.HashParams{Memory: 128, Time: 1, Threads: 1}})
	if _, err := dearer.SignIn(ctx, staff.Credentials{Email: "ann@example.com", Password: "wrong"}); err == nil {
		f.Error("a wrong password was accepted")
	}
	f.equal(before, must[staff.User](f)(f.store.User(ctx, m.User.ID)).PasswordHash)
	for range 2 {
		must[staff.Ticket](f)(dearer.SignIn(ctx, staff.Credentials{Email: "ann@example.com", Password: password}))
		if after := must[staff.User](f)(f.store.User(ctx, m.User.ID)).PasswordHash; !strings.HasPrefix(after, "$argon2id$v=19$m=128,t=1,p=1$") {
			f.Errorf("stored %s", after)
		}
	}
	f.signIn("ann@example.com")
}

// meanwhile runs something just before each transaction.
type meanwhile struct {
	tx.Runner
	do func()
}

func (m meanwhile) InTx(ctx context.Context, fn func(context.Context) error) error {
	m.do()
	return m.Runner.InTx(ctx, fn)
}

func signInLosesToChange(f *fixture) {
	ctx := f.Context()
	m := f.member("ws_a", "ann@example.com", staff.Owner)
	u := must[staff.User](f)(f.store.User(ctx, m.User.ID))
	for _, change := range []func(){
		func() { u.PasswordHash = "changed"; f.check(f.store.UpdateUser(ctx, u)) },
		func() { f.check(f.store.DeleteUser(ctx, u.ID)) },
	} {
		f.check(f.store.UpdateUser(ctx, m.User)) // the password it had
		svc := staff.New(staff.Config{Store: f.store, Tx: meanwhile{f.tx, change}, Clock: f.clock, Hash: Cheap})
		_, err := svc.SignIn(ctx, staff.Credentials{Email: "ann@example.com", Password: password})
		f.fails(err, errs.KindUnauthenticated, "staff.sign_in.failed")
		if left, err := f.store.User(ctx, u.ID); err == nil && left.PasswordHash != "changed" {
			f.Error("the sign-in put the old password back")
		}
	}
}

func sessionsEnd(f *fixture) {
	ctx := f.Context()
	f.member("ws_a", "ann@example.com", staff.Owner)
	f.member("ws_a", "bob@example.com", staff.Owner)
	auth := func(t staff.Ticket) error { _, err := f.svc.Authenticate(ctx, t.Token, "192.0.2.2"); return err }
	idle, busy, bob := f.signIn("ann@example.com"), f.signIn("ann@example.com"), f.signIn("bob@example.com")

	f.clock.Advance(11 * time.Hour)
	f.check(auth(busy))
	f.clock.Advance(time.Hour)
	f.fails(auth(idle), errs.KindUnauthenticated, "staff.session.ended")
	f.check(auth(busy))
	alive := must[[]staff.Session](f)(f.svc.Sessions(ctx, busy.Principal))
	if len(alive) != 1 || alive[0].ID != busy.Session.ID || alive[0].IP != "192.0.2.2" || !alive[0].LastSeen.Equal(start.Add(12*time.Hour)) {
		f.Errorf("alive: %+v", alive)
	}
	for range 13 { // seven days less a moment
		f.clock.Advance(11 * time.Hour)
		f.check(auth(busy))
	}
	f.clock.Set(start.Add(7 * 24 * time.Hour))
	f.fails(auth(busy), errs.KindUnauthenticated, "staff.session.ended")

	one, two := f.signIn("ann@example.com"), f.signIn("ann@example.com")
	f.equal(2, len(must[[]staff.Session](f)(f.store.Sessions(ctx, one.Principal.ID)))) // the dead ones were swept away
	f.fails(f.svc.RevokeSession(ctx, one.Principal, bob.Session.ID), errs.KindNotFound, "session.not_found")
	f.check(f.svc.RevokeSession(ctx, one.Principal, two.Session.ID))
	f.fails(auth(two), errs.KindUnauthenticated, "staff.session.ended")
	for range 2 {
		f.check(f.svc.SignOut(ctx, one.Principal))
	}
	f.fails(auth(one), errs.KindUnauthenticated, "staff.session.ended")
	f.check(f.svc.SignOut(ctx, staff.System("ws_a")))
}

func sessionsFollowRole(f *fixture) {
	ctx := f.Context()
	f.member("ws_a", "boss@example.com", staff.Owner)
	ann := f.member("ws_a", "ann@example.com", staff.Marketer)
	f.clock.Advance(time.Second)
	_, token, err := f.svc.Invite(ctx, staff.System("ws_b"), staff.NewUser{Email: "ann@example.com", Role: staff.Admin})
	f.check(err)
	f.equal("", token) // she has a password
	t := f.signIn("ann@example.com")
	f.equal("ws_a", t.Principal.Workspace)
	must[staff.Member](f)(f.svc.SetRole(ctx, staff.System("ws_a"), ann.User.ID, staff.Viewer))
	p := must[staff.Principal](f)(f.svc.Authenticate(ctx, t.Token, ""))
	if p.Can(staff.CampaignsSend) || !p.Can(staff.ReportsRead) {
		f.Errorf("still may %v", p.Permissions)
	}
	f.equal(2, len(must[[]staff.Member](f)(f.svc.Memberships(ctx, p))))
	_, err = f.svc.SwitchWorkspace(ctx, p, "ws_c")
	f.fails(err, errs.KindForbidden, "staff.member.none")
	p = must[staff.Principal](f)(f.svc.SwitchWorkspace(ctx, p, "ws_b"))
	f.equal(p, must[staff.Principal](f)(f.svc.Authenticate(ctx, t.Token, "")))
	f.equal(staff.Admin, p.Role)
	f.check(f.svc.RemoveMember(ctx, staff.System("ws_b"), ann.User.ID))
	_, err = f.svc.Authenticate(ctx, t.Token, "")
	f.fails(err, errs.KindUnauthenticated, "staff.session.ended")
	f.equal("ws_a", f.signIn("ann@example.com").Principal.Workspace)
}

func changingPassword(f *fixture) {
	ctx := f.Context()
	f.member("ws_a", "ann@example.com", staff.Owner)
	here, there := f.signIn("ann@example.com"), f.signIn("ann@example.com")
	by := here.Principal
	f.fails(f.svc.ChangePassword(ctx, by, "wrong password", "a new long password"), errs.KindInvalid, "staff.password.wrong")
	f.fails(f.svc.ChangePassword(ctx, by, password, "short"), errs.KindInvalid, "staff.password.length")
	f.fails(f.svc.ChangePassword(ctx, staff.System("ws_a"), password, "a new long password"), errs.KindForbidden, "staff.password.user_only")
	f.check(f.svc.ChangePassword(ctx, by, password, "a new long password"))
	must[staff.Principal](f)(f.svc.Authenticate(ctx, here.Token, ""))
	_, err := f.svc.Authenticate(ctx, there.Token, "")
	f.fails(err, errs.KindUnauthenticated, "staff.session.ended")
	_, err = f.svc.SignIn(ctx, staff.Credentials{Email: "ann@example.com", Password: password})
	f.fails(err, errs.KindUnauthenticated, "staff.sign_in.failed")
	must[staff.Ticket](f)(f.svc.SignIn(ctx, staff.Credentials{Email: "ann@example.com", Password: "a new long password"}))
	u := must[staff.User](f)(f.svc.SetProfile(ctx, by, " Ann ", "zh-Hans"))
	f.equal("Ann", u.Name)
	_, err = f.svc.SetProfile(ctx, by, "", "en")
	f.fails(err, errs.KindInvalid, "staff.name.length")
	f.equal("Ann", must[staff.Principal](f)(f.svc.Authenticate(ctx, here.Token, "")).Name)
	n := 0
	for ; n < 100 && !errs.Is(f.svc.ChangePassword(ctx, by, "guess", "a new long password"), errs.KindRateLimited); n++ {
	}
	if n > 30 {
		f.Errorf("%d guesses at the current password", n)
	}
}

// accept follows a link and reports what was wrong.
func (f *fixture) accept(token, name, password string) error {
	_, err := f.svc.AcceptLink(f.Context(), token, name, password, "")
	return err
}

func invitations(f *fixture) {
	ctx := f.Context()
	by := staff.System("ws_a")
	m, token, err := f.svc.Invite(ctx, by, staff.NewUser{Email: "Ann@example.com", Role: staff.Marketer})
	f.check(err)
	f.equal("ann@example.com", m.User.Name)
	_, _, err = f.svc.Invite(ctx, by, staff.NewUser{Email: "ann@example.com", Role: staff.Marketer})
	f.fails(err, errs.KindConflict, "staff.member.exists")
	f.fails(f.accept("nonsense", "", password), errs.KindInvalid, "staff.link.invalid")
	f.fails(f.accept(token, "", "ann@example.com"), errs.KindInvalid, "staff.password.weak") // and the link is still good
	email, err := f.svc.AcceptLink(ctx, token, "Ann", password, "192.0.2.1")
	f.check(err)
	f.equal("ann@example.com", email)
	f.fails(f.accept(token, "Eve", password), errs.KindInvalid, "staff.link.invalid")
	f.equal("Ann", f.signIn("ann@example.com").Principal.Name)

	_, late, err := f.svc.Invite(ctx, by, staff.NewUser{Email: "late@example.com", Role: staff.Viewer})
	f.check(err)
	f.clock.Advance(7 * 24 * time.Hour)
	f.fails(f.accept(late, "", password), errs.KindInvalid, "staff.link.invalid")
	f.equal([]string{"staff.add", "session.start", "staff.password", "staff.add"}, f.acts("ws_a"))

	for code, n := range map[string]staff.NewUser{
		"staff.email.invalid":  {Email: "Ann <ann@example.com>", Role: staff.Viewer},
		"staff.role.unknown":   {Email: "x@example.com", Role: "king"},
		"staff.name.length":    {Email: "x@example.com", Role: staff.Viewer, Name: "a\nb"},
		"staff.locale.unknown": {Email: "x@example.com", Role: staff.Viewer, Locale: "!"},
	} {
		_, _, err := f.svc.Invite(ctx, by, n)
		f.fails(err, errs.KindInvalid, code)
	}
	_, err = f.svc.CreateUser(ctx, staff.System("ws_b"), staff.NewUser{Email: "ann@example.com", Role: staff.Viewer, Password: "another password"})
	f.fails(err, errs.KindConflict, "staff.email.taken")
	f.signIn("ann@example.com")
}

func nobodyGrantsMore(f *fixture) {
	ctx := f.Context()
	f.member("ws_a", "owner@example.com", staff.Owner)
	f.member("ws_a", "admin@example.com", staff.Admin)
	marketer := f.member("ws_a", "marketer@example.com", staff.Marketer)
	owner, admin := f.signIn("owner@example.com").Principal, f.signIn("admin@example.com").Principal

	_, err := f.svc.SetRole(ctx, admin, marketer.User.ID, staff.Owner)
	f.fails(err, errs.KindForbidden, "staff.role.beyond")
	_, err = f.svc.SetRole(ctx, admin, admin.ID, staff.Owner)
	f.fails(err, errs.KindForbidden, "staff.role.beyond")
	_, err = f.svc.SetRole(ctx, admin, owner.ID, staff.Viewer)
	f.fails(err, errs.KindForbidden, "staff.role.beyond")
	f.fails(f.svc.RemoveMember(ctx, admin, owner.ID), errs.KindForbidden, "staff.role.beyond")
	_, err = f.svc.ResetLink(ctx, admin, owner.ID)
	f.fails(err, errs.KindForbidden, "staff.role.beyond")
	_, _, err = f.svc.Invite(ctx, admin, staff.NewUser{Email: "x@example.com", Role: staff.Owner})
	f.fails(err, errs.KindForbidden, "staff.role.beyond")
	must[staff.Member](f)(f.svc.SetRole(ctx, admin, marketer.User.ID, staff.Agent))
	must[staff.Member](f)(f.svc.SetRole(ctx, owner, admin.ID, staff.Owner))
	f.equal(staff.Owner, must[staff.Member](f)(f.svc.Member(ctx, owner, admin.ID)).Role)

	agent := f.signIn("marketer@example.com").Principal
	_, err = f.svc.SetRole(ctx, agent, agent.ID, staff.Admin)
	f.fails(err, errs.KindForbidden, "staff.permission.missing")
	_, err = f.svc.CreateUser(ctx, agent, staff.NewUser{Email: "x@example.com", Role: staff.Viewer, Password: password})
	f.fails(err, errs.KindForbidden, "staff.permission.missing")
	f.fails(f.svc.RemoveMember(ctx, agent, owner.ID), errs.KindForbidden, "staff.permission.missing")
	f.check(f.svc.RemoveMember(ctx, agent, agent.ID)) // leaving is free

	key := staff.Principal{Kind: staff.ByKey, ID: "key_x", Workspace: "ws_a", Permissions: []staff.Permission{staff.StaffWrite, staff.KeysWrite}}
	_, _, err = f.svc.Invite(ctx, key, staff.NewUser{Email: "x@example.com", Role: staff.Viewer})
	f.fails(err, errs.KindForbidden, "staff.role.beyond")
	_, _, err = f.svc.CreateKey(ctx, key, staff.NewKey{Name: "x", Scopes: []staff.Permission{staff.PeopleRead}})
	f.fails(err, errs.KindForbidden, "staff.key.scopes.beyond")

	viewer := staff.Principal{Kind: staff.ByUser, ID: "usr_v", Workspace: "ws_a", Permissions: staff.Viewer.Permissions()}
	_, err = f.svc.Members(ctx, viewer, staff.MemberFilter{}, page.Request{})
	f.fails(err, errs.KindForbidden, "staff.permission.missing")
	_, err = f.svc.Member(ctx, viewer, owner.ID)
	f.fails(err, errs.KindForbidden, "staff.permission.missing")
	f.equal(2, len(must[page.Of[staff.Member]](f)(f.svc.Members(ctx, owner, staff.MemberFilter{}, page.Request{})).Items))
}

func lastOwnerStays(f *fixture) {
	ctx := f.Context()
	ann := f.member("ws_a", "ann@example.com", staff.Owner)
	by := f.signIn("ann@example.com").Principal
	f.member("ws_b", "other@example.com", staff.Owner) // an owner elsewhere does not help
	_, err := f.svc.SetRole(ctx, by, ann.User.ID, staff.Admin)
	f.fails(err, errs.KindConflict, "staff.owner.last")
	f.fails(f.svc.RemoveMember(ctx, by, ann.User.ID), errs.KindConflict, "staff.owner.last")
	f.fails(f.svc.RemoveMember(ctx, staff.System("ws_a"), ann.User.ID), errs.KindConflict, "staff.owner.last")
	must[staff.Member](f)(f.svc.SetRole(ctx, by, ann.User.ID, staff.Owner)) // no change
	f.member("ws_a", "bob@example.com", staff.Owner)
	must[staff.Member](f)(f.svc.SetRole(ctx, by, ann.User.ID, staff.Admin))
	f.check(f.svc.RemoveMember(ctx, by, ann.User.ID))
}

func ownersRace(f *fixture) {
	ctx := f.Context()
	a := f.member("ws_a", "a@example.com", staff.Owner)
	b := f.member("ws_a", "b@example.com", staff.Owner)
	var wg sync.WaitGroup
	results := make([]error, 2)
	for i, id := range []string{a.User.ID, b.User.ID} {
		wg.Go(func() { _, results[i] = f.svc.SetRole(ctx, staff.System("ws_a"), id, staff.Viewer) })
	}
	wg.Wait()
	f.equal(1, must[int](f)(f.store.Owners(ctx, "ws_a")))
	f.fails(errors.Join(results...), errs.KindConflict, "staff.owner.last")
}

func apiKeys(f *fixture) {
	ctx := f.Context()
	f.member("ws_a", "ann@example.com", staff.Admin)
	by := f.signIn("ann@example.com").Principal
	k, secret, err := f.svc.CreateKey(ctx, by, staff.NewKey{Name: " Shop ", Scopes: []staff.Permission{staff.PeopleRead}, ExpiresAt: start.Add(time.Hour)})
	f.check(err)
	if !strings.HasPrefix(secret, "kz_") || len(secret) < 46 || !strings.HasPrefix(secret, k.Hint) || len(k.Hint) > 8 || strings.Contains(string(k.Hash), secret) {
		f.Errorf("secret %q, hint %q", secret, k.Hint)
	}
	p := must[staff.Principal](f)(f.svc.AuthenticateKey(ctx, secret, "192.0.2.5"))
	f.equal(staff.Principal{Kind: staff.ByKey, ID: k.ID, Name: "Shop", Workspace: "ws_a", Permissions: []staff.Permission{staff.PeopleRead}, IP: "192.0.2.5"}, p)
	if !p.Can(staff.PeopleRead) || p.Can(staff.PeopleWrite) || p.Require(staff.PeopleRead) != nil {
		f.Errorf("may %v", p.Permissions)
	}
	f.fails(p.Require(staff.PeopleWrite), errs.KindForbidden, "staff.permission.missing")

	f.clock.Advance(59 * time.Second)
	must[staff.Principal](f)(f.svc.AuthenticateKey(ctx, secret, ""))
	f.equal(start, must[staff.Key](f)(f.store.Key(ctx, "ws_a", k.ID)).LastUsed)
	f.clock.Advance(time.Second)
	must[staff.Principal](f)(f.svc.AuthenticateKey(ctx, secret, ""))
	f.equal(start.Add(time.Minute), must[staff.Key](f)(f.store.Key(ctx, "ws_a", k.ID)).LastUsed)
	f.clock.Set(start.Add(time.Hour))
	_, err = f.svc.AuthenticateKey(ctx, secret, "")
	f.fails(err, errs.KindUnauthenticated, "staff.key.expired")

	k, secret, err = f.svc.CreateKey(ctx, by, staff.NewKey{Name: "x", Scopes: []staff.Permission{staff.ReportsRead}})
	f.check(err)
	must[staff.Key](f)(f.svc.RevokeKey(ctx, by, k.ID))
	must[staff.Key](f)(f.svc.RevokeKey(ctx, by, k.ID))
	_, err = f.svc.AuthenticateKey(ctx, secret, "")
	f.fails(err, errs.KindUnauthenticated, "staff.key.revoked")
	for _, s := range []string{"", "kz_", secret[:len(secret)-1], k.ID} {
		_, err = f.svc.AuthenticateKey(ctx, s, "")
		f.fails(err, errs.KindUnauthenticated, "staff.key.unknown")
	}
	for code, n := range map[string]staff.NewKey{
		"staff.key.scopes.empty":    {Name: "x"},
		"staff.key.scopes.unknown":  {Name: "x", Scopes: []staff.Permission{"everything"}},
		"staff.name.length":         {Scopes: []staff.Permission{staff.PeopleRead}},
		"staff.key.expires_at.past": {Name: "x", Scopes: []staff.Permission{staff.PeopleRead}, ExpiresAt: f.clock.Now()},
	} {
		_, _, err := f.svc.CreateKey(ctx, by, n)
		f.fails(err, errs.KindInvalid, code)
	}
	_, _, err = f.svc.CreateKey(ctx, by, staff.NewKey{Name: "x", Scopes: []staff.Permission{staff.OwnersWrite}})
	f.fails(err, errs.KindForbidden, "staff.key.scopes.beyond")
	_, _, err = f.svc.CreateKey(ctx, by, staff.NewKey{Name: "x", Scopes: []staff.Permission{staff.PeopleRead}, Secret: "chosen by hand"})
	f.fails(err, errs.KindForbidden, "staff.key.secret")
	viewer := staff.Principal{Workspace: "ws_a", Permissions: staff.Viewer.Permissions()}
	_, _, err = f.svc.CreateKey(ctx, viewer, staff.NewKey{Name: "x", Scopes: []staff.Permission{staff.PeopleRead}})
	f.fails(err, errs.KindForbidden, "staff.permission.missing")
	_, err = f.svc.Keys(ctx, viewer, staff.KeyFilter{}, page.Request{})
	f.fails(err, errs.KindForbidden, "staff.permission.missing")
	f.equal([]string{"key.revoke", "key.create", "key.create", "session.start", "staff.add"}, f.acts("ws_a"))
}

func keysOpenNoOther(f *fixture) {
	ctx := f.Context()
	f.member("ws_a", "a@example.com", staff.Owner)
	b := f.member("ws_b", "b@example.com", staff.Owner)
	a := f.signIn("a@example.com").Principal
	kb, _, err := f.svc.CreateKey(ctx, staff.System("ws_b"), staff.NewKey{Name: "B", Scopes: []staff.Permission{staff.PeopleRead}})
	f.check(err)
	_, err = f.svc.RevokeKey(ctx, a, kb.ID)
	f.fails(err, errs.KindNotFound, "key.not_found")
	_, err = f.svc.Member(ctx, a, b.User.ID)
	f.fails(err, errs.KindNotFound, "member.not_found")
	_, err = f.svc.SetRole(ctx, a, b.User.ID, staff.Viewer)
	f.fails(err, errs.KindNotFound, "member.not_found")
	f.fails(f.svc.RemoveMember(ctx, a, b.User.ID), errs.KindNotFound, "member.not_found")
	_, err = f.svc.ResetLink(ctx, a, b.User.ID)
	f.fails(err, errs.KindNotFound, "member.not_found")
	f.equal(0, len(must[page.Of[staff.Key]](f)(f.svc.Keys(ctx, a, staff.KeyFilter{}, page.Request{})).Items))
	for _, e := range must[page.Of[staff.AuditEntry]](f)(f.svc.AuditLog(ctx, a, staff.AuditFilter{}, page.Request{})).Items {
		f.equal("ws_a", e.Workspace)
	}
}

// tenants stands in for package workspace, which staff must not import.
type tenants struct{ keys []string }

func (t *tenants) Bootstrap(_ context.Context, key string) (string, error) {
	t.keys = append(t.keys, key)
	if key == "bad" {
		return "", errs.Invalid("source.write_key.invalid", "write_key", "bad")
	}
	return "ws_first", nil
}

func bootstrapMayBeRepeated(f *fixture) {
	ctx := f.Context()
	var ten tenants
	setup := staff.Setup{Email: "Boss@example.com", Password: "pw", APIKey: "my-key", WriteKey: "wk"}
	_, err := f.svc.Bootstrap(ctx, &ten, staff.Setup{Email: "x", Password: "y"})
	f.fails(err, errs.KindInvalid, "staff.email.invalid")
	_, err = f.svc.Bootstrap(ctx, &ten, staff.Setup{Email: "boss@example.com"})
	f.fails(err, errs.KindInvalid, "staff.password.length")
	f.equal("ws_first", must[string](f)(f.svc.Bootstrap(ctx, &ten, staff.Setup{})))
	f.equal(false, must[bool](f)(f.store.AnyUser(ctx)))
	bad := setup
	bad.WriteKey = "bad"
	_, err = f.svc.Bootstrap(ctx, &ten, bad)
	f.fails(err, errs.KindInvalid, "source.write_key.invalid")
	f.equal(false, must[bool](f)(f.store.AnyUser(ctx))) // all or nothing

	for range 2 {
		f.equal("ws_first", must[string](f)(f.svc.Bootstrap(ctx, &ten, setup)))
	}
	setup.Email, setup.Password = "late@example.com", "another"
	must[string](f)(f.svc.Bootstrap(ctx, &ten, setup)) // there is a user: no second owner
	_, err = f.svc.SignIn(ctx, staff.Credentials{Email: "late@example.com", Password: "another"})
	f.fails(err, errs.KindUnauthenticated, "staff.sign_in.failed")
	t := must[staff.Ticket](f)(f.svc.SignIn(ctx, staff.Credentials{Email: "boss@example.com", Password: "pw"}))
	f.equal(staff.Owner, t.Principal.Role)
	p := must[staff.Principal](f)(f.svc.AuthenticateKey(ctx, "my-key", ""))
	if d := cmp.Diff(staff.Permissions(), p.Permissions); d != "" || p.Workspace != "ws_first" {
		f.Errorf("%+v: %s", p, d)
	}
	f.equal("wk", ten.keys[len(ten.keys)-1])

	must[staff.Key](f)(f.svc.RevokeKey(ctx, t.Principal, p.ID))
	must[string](f)(f.svc.Bootstrap(ctx, &ten, setup))
	_, err = f.svc.AuthenticateKey(ctx, "my-key", "")
	f.fails(err, errs.KindUnauthenticated, "staff.key.revoked") // a restart does not undo it
}

func removingTheUser(f *fixture) {
	ctx := f.Context()
	f.member("ws_a", "boss@example.com", staff.Owner)
	ann := f.member("ws_a", "ann@example.com", staff.Agent)
	_, _, err := f.svc.Invite(ctx, staff.System("ws_b"), staff.NewUser{Email: "ann@example.com", Role: staff.Viewer})
	f.check(err)
	f.check(f.svc.RemoveMember(ctx, staff.System("ws_a"), ann.User.ID))
	f.equal("ws_b", f.signIn("ann@example.com").Principal.Workspace)
	f.check(f.svc.RemoveMember(ctx, staff.System("ws_b"), ann.User.ID))
	_, err = f.store.User(ctx, ann.User.ID)
	f.fails(err, errs.KindNotFound, "user.not_found")
	f.fails(f.svc.RemoveMember(ctx, staff.System("ws_b"), ann.User.ID), errs.KindNotFound, "member.not_found")
}

func resetLinks(f *fixture) {
	ctx := f.Context()
	f.member("ws_a", "boss@example.com", staff.Owner)
	ann := f.member("ws_a", "ann@example.com", staff.Agent)
	by, session := f.signIn("boss@example.com").Principal, f.signIn("ann@example.com")
	first := must[string](f)(f.svc.ResetLink(ctx, by, ann.User.ID))
	second := must[string](f)(f.svc.ResetLink(ctx, by, ann.User.ID))
	f.fails(f.accept(first, "", "a new long password"), errs.KindInvalid, "staff.link.invalid")
	f.check(f.accept(second, "", "a new long password"))
	_, err := f.svc.Authenticate(ctx, session.Token, "")
	f.fails(err, errs.KindUnauthenticated, "staff.session.ended")
	must[staff.Ticket](f)(f.svc.SignIn(ctx, staff.Credentials{Email: "ann@example.com", Password: "a new long password"}))

	_, _, err = f.svc.Invite(ctx, staff.System("ws_b"), staff.NewUser{Email: "ann@example.com", Role: staff.Owner})
	f.check(err)
	_, err = f.svc.ResetLink(ctx, by, ann.User.ID)
	f.fails(err, errs.KindForbidden, "staff.reset.elsewhere")
}
