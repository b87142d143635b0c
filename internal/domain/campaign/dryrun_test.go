package campaign_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

func TestADryRunNeedsNoCampaignAndListsPeopleByReason(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"], w.sets["seg_2"] = people(1, 2500), people(2401, 2600)
	for n := 2; n <= 2500; n += 500 {
		w.refuse[fmt.Sprintf("per_%d", n)] = "unsubscribed"
	}
	w.refuse["per_7"] = "suppressed"
	ask := campaign.Campaign{Audience: campaign.Audience{Include: []string{"seg_1"}, Exclude: []string{"seg_2"}}, Topic: "tpc_1"}
	p, err := w.svc.DryRun(t.Context(), ws, ask)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "counts", p, campaign.Preflight{Included: 2500, Excluded: 100, Audience: 2400, Checked: 2400, Allowed: 2394, Refused: map[string]int64{"unsubscribed": 5, "suppressed": 1}, Waits: map[string]int64{}})
	var who []string
	request := page.Request{Limit: 2}
	for {
		found, err := w.svc.DryRunPeople(t.Context(), ws, ask, campaign.Wanted{Outcome: "refused", Reason: "unsubscribed"}, request)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range found.Items {
			who = append(who, a.PersonID)
		}
		if request.Cursor = found.Next; request.Cursor == "" {
			break
		}
	}
	want(t, "people", who, []string{"per_2", "per_502", "per_1002", "per_1502", "per_2002"})
	want(t, "nothing is stored", w.states(), map[string]int{})
	w.checks = map[string]error{"seg_gone": errs.NotFound("segment", "seg_gone")}
	gone := campaign.Campaign{Topic: "tpc_1", Audience: campaign.Audience{Include: []string{"seg_1", "seg_gone"}}}
	if _, err := w.svc.DryRun(t.Context(), ws, gone); len(errs.All(err)) != 1 || errs.All(err)[0].Field != "include[1]" || !errs.Is(err, errs.KindNotFound) {
		t.Errorf("for a segment that is gone: %v", err)
	}
	if _, err := w.svc.DryRun(t.Context(), ws, campaign.Campaign{Topic: "tpc_1"}); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("without an audience: %v", err)
	}
}

func TestPreflightOfALocalTimeAsksAboutEachPersonsOwnMoment(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = people(1, 3)
	w.habits[1], w.habits[2] = campaign.Habit{Zone: zone(t, "Asia/Tokyo")}, campaign.Habit{Zone: zone(t, "America/New_York")}
	c := w.planned(campaign.Plan{Local: civil(t, "2026-03-03T09:00")}, "seg_1")
	if _, err := w.svc.Preflight(t.Context(), ws, c.ID); err != nil {
		t.Fatal(err)
	}
	want(t, "asked about", w.askedFor, map[string]time.Time{
		"per_1": time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC), "per_2": time.Date(2026, 3, 3, 14, 0, 0, 0, time.UTC), "per_3": time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC),
	})
}

func TestPreflightCountsWhoGetsALanguageThatTheyDoNotRead(t *testing.T) {
	w := newWorld(t)
	w.sets["seg_1"] = people(1, 9)
	w.speaks = content.Coverage{Main: "en", Has: []string{"en", "zh-Hans"}}
	w.locales = map[string]string{
		"per_1": "en-GB", "per_2": "ja", "per_3": "ja-JP", "per_4": "fr", "per_5": "fr", "per_6": "zh-CN", "per_7": "zh-TW", "per_8": "not a language", // and per_9: unknown
	}
	w.refuse["per_5"] = "unsubscribed"
	c := w.planned(campaign.Plan{}, "seg_1")
	p, err := w.svc.Preflight(t.Context(), ws, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	of := func(language, gets string, n int64) campaign.Fallback {
		return campaign.Fallback{Template: c.Template, Language: language, Gets: gets, People: n}
	}
	want(t, "fallbacks", p.Fallbacks, []campaign.Fallback{of("ja", "en", 2), of("fr", "en", 1), of("zh-Hant", "en", 1)})
	found, err := w.svc.DryRunPeople(t.Context(), ws, c, campaign.Wanted{Language: "ja"}, page.Request{})
	if err != nil || len(found.Items) != 2 || found.Items[0].PersonID != "per_2" || found.Items[1].PersonID != "per_3" {
		t.Errorf("who reads Japanese: %+v %v", found.Items, err)
	}
	if found, err = w.svc.DryRunPeople(t.Context(), ws, c, campaign.Wanted{Language: "fr"}, page.Request{}); err != nil || len(found.Items) != 1 {
		t.Errorf("who gets it and reads French: %+v %v", found.Items, err)
	}
	w.speaks.Main, w.speaks.Has = "", nil // nobody said in which language it is
	if p, err = w.svc.Preflight(t.Context(), ws, c.ID); err != nil || len(p.Fallbacks) != 0 {
		t.Errorf("of a text whose language is unknown: %+v %v", p.Fallbacks, err)
	}
}
