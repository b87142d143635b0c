package staff

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

var update = flag.Bool("update", false, "write golden files anew")

func TestPermissionMatrixIsTheReviewedOne(t *testing.T) {
	var b strings.Builder
	fmt.Fprintf(&b, "%-16s", "")
	for _, r := range Roles() {
		fmt.Fprintf(&b, " %-9s", r)
	}
	b.WriteString("\n")
	for _, p := range Permissions() {
		fmt.Fprintf(&b, "%-16s", p)
		for _, r := range Roles() {
			mark := "-"
			if slices.Contains(r.Permissions(), p) {
				mark = "yes"
			}
			fmt.Fprintf(&b, " %-9s", mark)
		}
		b.WriteString("\n")
	}
	const path = "testdata/permissions.golden"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("who may do what has changed; if that is meant, run go test -update and have it reviewed:\n%s", d)
	}
}

func TestRolesNest(t *testing.T) {
	if d := cmp.Diff(Permissions(), Owner.Permissions()); d != "" {
		t.Errorf("an owner lacks permissions: %s", d)
	}
	owner := Principal{Permissions: Owner.Permissions()}
	admin := Principal{Permissions: Admin.Permissions()}
	for _, r := range Roles() {
		if !owner.covers(r.Permissions()) {
			t.Errorf("an owner cannot grant %s", r)
		}
		if got, want := admin.covers(r.Permissions()), r != Owner; got != want {
			t.Errorf("an admin can grant %s: %v, want %v", r, got, want)
		}
		if err := r.Validate(); err != nil {
			t.Error(err)
		}
		if len(r.Permissions()) == 0 {
			t.Errorf("%s may do nothing", r)
		}
	}
	if err := Role("king").Validate(); !errs.Is(err, errs.KindInvalid) || len(Role("king").Permissions()) != 0 {
		t.Errorf("an unknown role: %v, %v", err, Role("king").Permissions())
	}
}

func TestPermissionsAreDistinct(t *testing.T) {
	all := Permissions()
	slices.Sort(all)
	if len(slices.Compact(all)) != len(Permissions()) {
		t.Error("a permission is listed twice")
	}
	if (Principal{}).Can(PeopleRead) || (Principal{}).Require(PeopleRead) == nil {
		t.Error("the zero principal may do something")
	}
	if !System("ws").covers(Permissions()) {
		t.Error("the system may not do everything")
	}
}
