package campaign_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// The preflight of a draft that cannot be launched is no failure: it says what has to be mended.
func TestPreflightOfADraftWhoseThingsAreGoneNamesThem(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = people(1, 3)
	c := w.draft("seg_1")
	w.checks["seg_1"] = errs.Conflict("segment.archived", "the segment %q is archived", "Regulars")
	w.checks["tpl_1"] = errs.NotFound("template", "tpl_1")
	p, err := w.svc.Preflight(t.Context(), ws, c.ID)
	if err != nil || len(p.Blocking) != 2 {
		t.Fatalf("preflight: %+v, %v", p, err)
	}
	for i, want := range []struct{ code, field, names string }{{"segment.archived", "audience.include", "Regulars"}, {"campaign.missing.template", "template", "tpl_1"}} {
		if b := p.Blocking[i]; b.Code != want.code || b.Field != want.field || !slices.Contains(b.Args, want.names) {
			t.Errorf("blocked by %+v, want %+v", b, want)
		}
	}
	w.checks = map[string]error{}
	if p, err := w.svc.Preflight(t.Context(), ws, c.ID); err != nil || len(p.Blocking) != 0 || p.Audience != 3 {
		t.Errorf("once they are back: %+v, %v", p, err)
	}
	w.checks["seg_1"] = errors.New("the disk is gone")
	if _, err := w.svc.Preflight(t.Context(), ws, c.ID); err == nil {
		t.Error("what cannot be asked is no answer")
	}
}

// A text with a gap for everybody keeps a campaign from being launched; one that is scheduled or a series that runs goes on.
func TestATextThatIsEmptyForEverybodyKeepsACampaignFromBeingLaunched(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = people(1, 3)
	c := w.draft("seg_1")
	w.checks["variables of tpl_1"] = errs.Conflict("template.unfilled", "%s %s %d %d", "Letter", "person.frist_name", 2, 5)
	_, err := w.svc.Launch(t.Context(), ws, c.ID, "usr_1")
	if e, ok := errors.AsType[*errs.Error](err); !ok || e.Kind != errs.KindInvalid || e.Code != "template.unfilled" || e.Field != "template" || !slices.Equal(e.Args, []string{"Letter", "person.frist_name", "2", "5"}) {
		t.Errorf("launched: %v", err)
	}
	p, err := w.svc.Preflight(t.Context(), ws, c.ID)
	if err != nil || len(p.Blocking) != 1 || p.Blocking[0].Code != "template.unfilled" {
		t.Errorf("preflight: %+v, %v", p, err)
	}
	delete(w.checks, "variables of tpl_1")
	if _, err := w.svc.Launch(t.Context(), ws, c.ID, "usr_1"); err != nil {
		t.Errorf("with a default: %v", err)
	}
}
