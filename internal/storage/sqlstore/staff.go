package sqlstore

import (
	"context"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Staff implements staff.Store. Sessions, links and keys are in staff_session.go, the audit log in staff_audit.go.
type Staff struct{ db *sqldb.DB }

var _ staff.Store = (*Staff)(nil)

// NewStaff returns the store of staff.
func NewStaff(db *sqldb.DB) *Staff { return &Staff{db} }

// userColumns are written with the table's name, because members are read in a join.
const userColumns = `staff_user.id, staff_user.email, staff_user.name, staff_user.locale, staff_user.password_hash,
	staff_user.created_at, staff_user.updated_at, staff_user.last_sign_in`

func userFields(u *staff.User) []any {
	return []any{&u.ID, &u.Email, &u.Name, &u.Locale, &u.PasswordHash, &u.CreatedAt, &u.UpdatedAt, &u.LastSignIn}
}

func scanUser(r sqldb.Row) (u staff.User, err error) {
	err = r.Scan(userFields(&u)...)
	return u, err
}

// CreateUser implements staff.Store.
func (s *Staff) CreateUser(ctx context.Context, u staff.User) error {
	_, err := s.db.Exec(ctx, `INSERT INTO staff_user (id, email, name, locale, password_hash, created_at, updated_at, last_sign_in)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, u.ID, u.Email, u.Name, u.Locale, u.PasswordHash, u.CreatedAt, u.UpdatedAt, u.LastSignIn)
	if sqldb.IsUnique(err) {
		return errs.Conflict("staff.email.taken", "somebody with this mail address is known here already; invite them instead").With(err)
	}
	return err
}

// User implements staff.Store.
func (s *Staff) User(ctx context.Context, id string) (staff.User, error) {
	u, err := sqldb.One(ctx, s.db, scanUser, `SELECT `+userColumns+` FROM staff_user WHERE id = $1`, id)
	return u, notFound(err, "user", id)
}

// UserByEmail implements staff.Store.
func (s *Staff) UserByEmail(ctx context.Context, email string) (staff.User, error) {
	u, err := sqldb.One(ctx, s.db, scanUser, `SELECT `+userColumns+` FROM staff_user WHERE email = $1`, email)
	return u, notFound(err, "user", email)
}

// UpdateUser implements staff.Store.
func (s *Staff) UpdateUser(ctx context.Context, u staff.User) error {
	n, err := s.db.Exec(ctx, `UPDATE staff_user SET name = $2, locale = $3, password_hash = $4, updated_at = $5, last_sign_in = $6 WHERE id = $1`,
		u.ID, u.Name, u.Locale, u.PasswordHash, u.UpdatedAt, u.LastSignIn)
	return changed(n, err, "user", u.ID)
}

// DeleteUser implements staff.Store.
func (s *Staff) DeleteUser(ctx context.Context, id string) error {
	_, err := s.db.Exec(ctx, `DELETE FROM staff_user WHERE id = $1`, id) // the rest goes by ON DELETE CASCADE
	return err
}

// AnyUser implements staff.Store.
func (s *Staff) AnyUser(ctx context.Context) (bool, error) {
	return sqldb.One(ctx, s.db, sqldb.Value[bool], `SELECT EXISTS (SELECT 1 FROM staff_user)`)
}

const selectMember = `SELECT ` + userColumns + `, m.workspace_id, m.role, m.created_at
	FROM staff_member m JOIN staff_user ON staff_user.id = m.user_id `

func scanMember(r sqldb.Row) (m staff.Member, err error) {
	err = r.Scan(append(userFields(&m.User), &m.Workspace, &m.Role, &m.CreatedAt)...)
	return m, err
}

// AddMember implements staff.Store.
func (s *Staff) AddMember(ctx context.Context, ws string, m staff.Member) error {
	_, err := s.db.Exec(ctx, `INSERT INTO staff_member (workspace_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)`,
		ws, m.User.ID, string(m.Role), m.CreatedAt)
	if sqldb.IsUnique(err) {
		return errs.Conflict("staff.member.exists", "this user is a member already; change their role instead").With(err)
	}
	return err
}

// Member implements staff.Store.
func (s *Staff) Member(ctx context.Context, ws, userID string) (staff.Member, error) {
	m, err := sqldb.One(ctx, s.db, scanMember, selectMember+`WHERE m.workspace_id = $1 AND m.user_id = $2`, ws, userID)
	return m, notFound(err, "member", userID)
}

// Members implements staff.Store.
func (s *Staff) Members(ctx context.Context, ws string, f staff.MemberFilter, p page.Request) (page.Of[staff.Member], error) {
	var after string
	if _, err := page.Decode(p.Cursor, &after); err != nil {
		return page.Of[staff.Member]{}, err
	}
	items, err := sqldb.Collect(ctx, s.db, scanMember,
		selectMember+`WHERE m.workspace_id = $1 AND staff_user.email > $2 AND ($4 = '' OR m.role = $4)
			AND (lower(staff_user.name) LIKE $5 ESCAPE '\' OR lower(staff_user.email) LIKE $5 ESCAPE '\') ORDER BY staff_user.email LIMIT $3`,
		ws, after, p.Size()+1, string(f.Role), contains(f.Text))
	if err != nil {
		return page.Of[staff.Member]{}, err
	}
	return page.Cut(items, p.Size(), func(m staff.Member) string { return page.Encode(m.User.Email) }), nil
}

// Memberships implements staff.Store.
func (s *Staff) Memberships(ctx context.Context, userID string) ([]staff.Member, error) {
	return sqldb.Collect(ctx, s.db, scanMember, selectMember+`WHERE m.user_id = $1 ORDER BY m.created_at, m.workspace_id`, userID)
}

// SetRole implements staff.Store.
func (s *Staff) SetRole(ctx context.Context, ws, userID string, role staff.Role) error {
	n, err := s.db.Exec(ctx, `UPDATE staff_member SET role = $3 WHERE workspace_id = $1 AND user_id = $2`, ws, userID, string(role))
	return changed(n, err, "member", userID)
}

// RemoveMember implements staff.Store.
func (s *Staff) RemoveMember(ctx context.Context, ws, userID string) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		n, err := s.db.Exec(ctx, `DELETE FROM staff_member WHERE workspace_id = $1 AND user_id = $2`, ws, userID)
		if err := changed(n, err, "member", userID); err != nil {
			return err
		}
		if _, err := s.db.Exec(ctx, `DELETE FROM staff_session WHERE workspace_id = $1 AND user_id = $2`, ws, userID); err != nil {
			return err
		}
		_, err = s.db.Exec(ctx, `DELETE FROM draft WHERE workspace_id = $1 AND owner_id = $2`, ws, userID)
		return err
	})
}

// Owners implements staff.Store.
func (s *Staff) Owners(ctx context.Context, ws string) (int, error) {
	return sqldb.One(ctx, s.db, sqldb.Value[int], `SELECT count(*) FROM staff_member WHERE workspace_id = $1 AND role = $2`, ws, string(staff.Owner))
}
