package sqlstore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/draft"
	"github.com/kizuna-cx/kizuna/internal/domain/draft/drafttest"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestDraftStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		members := sqlstore.NewStaff(db)
		join := func(ws, user string) {
			t.Helper()
			if err := members.CreateUser(t.Context(), staff.User{ID: user, Email: user + "@example.com", Name: strings.ToUpper(user)}); err != nil {
				t.Fatal(err)
			}
			if err := members.AddMember(t.Context(), ws, staff.Member{User: staff.User{ID: user}, Workspace: ws, Role: staff.Owner}); err != nil {
				t.Fatal(err)
			}
		}
		drafttest.Run(t, func(t *testing.T) (draft.Store, func(ws, user string)) {
			clearTables(t, db, "draft", "staff_member", "staff_user")
			return sqlstore.NewDraft(db), join
		})
		t.Run("drafts go with the member", func(t *testing.T) {
			clearTables(t, db, "draft", "staff_member", "staff_user")
			s, of := sqlstore.NewDraft(db), draft.Thing{Kind: "brand", ID: "brand"}
			join("ws1", "ann")
			for _, ws := range []string{"ws1", "ws2"} {
				if _, err := s.Put(t.Context(), ws, "ann", draft.Draft{Thing: of, Document: []byte(`1`), UpdatedAt: time.Unix(1, 0)}, 9); err != nil {
					t.Fatal(err)
				}
			}
			if err := members.RemoveMember(t.Context(), "ws1", "ann"); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Get(t.Context(), "ws1", "ann", of); !errs.Is(err, errs.KindNotFound) {
				t.Errorf("the draft of somebody who is gone: %v", err)
			}
			if _, err := s.Get(t.Context(), "ws2", "ann", of); err != nil {
				t.Errorf("in another workspace: %v", err)
			}
		})
	})
}
