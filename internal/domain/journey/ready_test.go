package journey_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// shelf is the workspace's topics, templates and segments.
type shelf struct {
	t         *testing.T
	content   *content.Service
	made      []string
	templates map[string]string // id by key
	letters   map[string]journey.Letter
}

func newShelf(t *testing.T, w *world) *shelf {
	return &shelf{t: t, templates: map[string]string{}, letters: map[string]journey.Letter{}, content: content.New(content.Config{
		Store: sqlstore.NewContent(w.db), Tx: w.db, Clock: w.clock,
		Sender: func(context.Context, string) (content.Sender, error) {
			return content.Sender{Name: "Shop", PostalAddress: "Ginza"}, nil
		},
	})}
}

func (s *shelf) EnsureTopic(_ context.Context, _, key string, t journey.ReadyTopic) (string, error) {
	if t.OptIn != "explicit" && t.OptIn != "implied" || t.Because == "" || t.Leave == "" {
		s.t.Errorf("topic %s: %+v", key, t)
	}
	return s.put(key, t.Name)
}

func (s *shelf) EnsureSegment(_ context.Context, _, key, name string, raw json.RawMessage) (string, error) {
	if _, err := rule.Parse(raw); err != nil {
		s.t.Errorf("rule of %s: %v", key, err)
	}
	return s.put(key, name)
}

func (s *shelf) EnsureTemplate(ctx context.Context, ws, key string, l journey.Letter) (string, error) {
	if l.ValueProposition == "" || l.Preheader == "" || l.Greeting == "" {
		s.t.Errorf("template %s: %+v", key, l)
	}
	t, err := s.content.Ensure(ctx, ws, key, l.Draft())
	s.templates[key] = t.ID
	s.letters[t.ID] = l
	if err != nil {
		return "", err
	}
	if _, err := s.put(key, l.Name); err != nil {
		return "", err
	}
	return t.ID, nil
}

func (s *shelf) put(key, name string) (string, error) {
	if strings.TrimSpace(name) == "" {
		s.t.Errorf("%s has no name", key)
	}
	s.made = append(s.made, key)
	return "id_" + key, nil
}

func TestReadyMadeJourneysCanBePublishedInEveryLanguage(t *testing.T) {
	w := newWorld(t)
	for _, locale := range journey.Locales {
		ws := "ws_" + locale
		kit := newShelf(t, w)
		first, err := w.svc.Install(t.Context(), ws, locale, kit)
		if err != nil {
			t.Fatalf("%s: %v", locale, err)
		}
		again, err := w.svc.Install(t.Context(), ws, locale, kit)
		if err != nil {
			t.Fatalf("%s again: %v", locale, err)
		}
		scenarios, err := journey.Scenarios(locale)
		if err != nil || len(scenarios) != len(first) || len(first) < 11 {
			t.Fatalf("%s: %d scenarios, %d journeys, %v", locale, len(scenarios), len(first), err)
		}
		for i, sc := range scenarios {
			key, j := sc.Key, first[i]
			if j.ID == "" || j.Key != key || j.ID != again[i].ID || j.Status != journey.Draft || j.Name == "" {
				t.Errorf("%s: %+v, then %+v", key, j, again[i])
			}
			if sc.Words.About == "" || sc.Words.Indicator == "" || sc.Words.Goal == "" || sc.Indicator.Event == "" || sc.Indicator.Window.Check("window") != nil || sc.Target <= 0 || sc.Target > 100 {
				t.Errorf("%s %s does not say what it is judged by: %+v", locale, key, sc)
			}
			for _, n := range j.Draft.Nodes {
				if n.Title == "" {
					t.Errorf("%s %s: node %s has no title", locale, key, n.ID)
				}
			}
			if _, err := w.svc.Publish(t.Context(), ws, j.ID); err != nil {
				t.Errorf("%s %s: %v", locale, key, err)
			}
		}
		for key, id := range kit.templates {
			p, err := kit.content.Preview(t.Context(), ws, content.PreviewRequest{
				ID: id, Options: content.RenderOptions{Locale: locale},
				Vars: map[string]any{"person": map[string]any{"name": "陳 Ö", "renewal_date": "2026-12-31"}, "event": map[string]any{
					"product": "Lamp <1>", "url": "https://shop.co/lamp", "invoice_id": "A-17", "outstanding": 49.5, "currency": "EUR", "due_date": "2026-12-31",
				}},
			})
			p.Findings = slices.DeleteFunc(p.Findings, func(f content.Finding) bool { return f.Code == "footer" && !kit.letters[id].Stoppable })
			if err != nil || len(p.Findings) > 0 {
				t.Errorf("%s %s: %v %+v", locale, key, err, p.Findings)
			}
			for part, text := range map[string]string{"subject": p.Subject, "html": p.HTML, "text": p.Text} {
				if text == "" || strings.Contains(text, "{{") || part != "subject" && (kit.letters[id].Stoppable && !strings.Contains(text, "unsubscribe") || !strings.Contains(text, "陳 Ö")) {
					t.Errorf("%s %s %s: %s", locale, key, part, text)
				}
			}
			bare, err := kit.content.Preview(t.Context(), ws, content.PreviewRequest{ID: id, Options: content.RenderOptions{Locale: locale}})
			if err != nil || bare.Subject == "" || strings.Contains(bare.HTML, "{{") {
				t.Errorf("%s %s for someone of whom nothing is known: %v %+v", locale, key, err, bare)
			}
		}
	}
	if _, err := w.svc.Install(t.Context(), ws, "tlh", &shelf{}); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("an unknown language: %v", err)
	}
	if _, err := w.svc.Install(t.Context(), ws, "en", &shelf{}, "lottery"); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("an unknown journey: %v", err)
	}
}

func TestWinBackWritesTwiceAndStopsAtTheOrder(t *testing.T) {
	w := newWorld(t)
	kit := newShelf(t, w)
	made, err := w.svc.Install(t.Context(), ws, "en", kit, "win_back")
	if err != nil {
		t.Fatal(err)
	}
	j, err := w.svc.Publish(t.Context(), ws, made[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	one, two := kit.templates["win_back_1"], kit.templates["win_back_2"]
	for n := range uint64(3) {
		w.happen(w.event("s"+string(rune('1'+n)), n+1, "Segment Entered", `{"segment_id": "id_lapsed_customers", "cause": "time"}`))
	}
	w.settle()
	w.clock.Advance(2 * 24 * time.Hour)
	w.happen(w.event("o1", 1, "Order Completed", `{"total": 30, "currency": "EUR"}`))
	w.pass(5 * 24 * time.Hour)
	w.clock.Advance(24 * time.Hour)
	w.happen(w.event("o2", 2, "Order Completed", `{"total": 1500, "currency": "JPY"}`))
	w.pass(20 * 24 * time.Hour)
	got := w.messages()
	slices.Sort(got)
	want(t, "messages", got, slices.Sorted(slices.Values([]string{"per_1 " + one, "per_2 " + one, "per_3 " + one, "per_2 " + two, "per_3 " + two})))
	want(t, "paths", []string{w.path("per_1"), w.path("per_2"), w.path("per_3")}, []string{
		"first>next wait!goal", "first>next wait>next ordered>no second>next goal!goal", "first>next wait>next ordered>no second>next goal>missed",
	})
	s := w.stats(j.ID)
	want(t, "revenue", s.Revenue, map[string]int64{"EUR": 3000, "JPY": 1500})
	want(t, "goals", s.Goals, 2)
}

// Each reminder is a round of its own, so that somebody with two invoices gets all of them; how firm a mail is follows from the day.
func TestRemindersOfSeveralInvoicesGoOutSideBySide(t *testing.T) {
	w := newWorld(t)
	kit := newShelf(t, w)
	made, err := w.svc.Install(t.Context(), ws, "en", kit, "overdue_invoice")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.Publish(t.Context(), ws, made[0].ID); err != nil {
		t.Fatal(err)
	}
	remind := func(invoice string, day int) {
		w.happen(w.event(fmt.Sprintf("%s:%d", invoice, day), 1, "Invoice Reminder Due",
			fmt.Sprintf(`{"invoice_id":%q,"day":%d,"reminder_id":"%s:%d","outstanding":50,"currency":"EUR","due_date":"2026-03-31"}`, invoice, day, invoice, day)))
		w.settle()
	}
	remind("A", -3)
	remind("B", 1)
	w.pass(24 * time.Hour)
	remind("A", 1)
	remind("B", 15)
	remind("B", 15) // the same again
	got := w.messages()
	slices.Sort(got)
	before, late, last := kit.templates["invoice_before"], kit.templates["invoice_overdue"], kit.templates["invoice_last"]
	want(t, "messages", got, slices.Sorted(slices.Values([]string{"per_1 " + before, "per_1 " + late, "per_1 " + late, "per_1 " + last})))
	w.clock.Advance(time.Hour)
	w.happen(w.event("paid", 1, "Invoice Paid", `{"invoice_id":"A","total":50,"currency":"EUR"}`))
	w.pass(10 * 24 * time.Hour)
	if s := w.stats(made[0].ID); s.Inside != 0 || s.Goals == 0 {
		t.Errorf("after the payment: %+v", s)
	}
}

func TestAReadyMadeJourneyThatWasPutAwayCanBeHadAgain(t *testing.T) {
	w := newWorld(t)
	kit := newShelf(t, w)
	first, err := w.svc.Install(t.Context(), ws, "en", kit, "abandoned_cart")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.Archive(t.Context(), ws, first[0].ID); err != nil {
		t.Fatal(err)
	}
	again, err := w.svc.Install(t.Context(), ws, "en", kit, "abandoned_cart")
	if err != nil || again[0].ID == first[0].ID || again[0].Status != journey.Draft || again[0].Key != "abandoned_cart" {
		t.Fatalf("%+v, %v", again, err)
	}
	old, err := w.svc.Get(t.Context(), ws, first[0].ID)
	if err != nil || old.Status != journey.Archived || old.Key != "" {
		t.Errorf("the one put away: %+v, %v", old, err)
	}
	third, err := w.svc.Install(t.Context(), ws, "en", kit, "abandoned_cart")
	if err != nil || third[0].ID != again[0].ID {
		t.Errorf("once more: %+v, %v", third, err)
	}
}

func TestALetterWithoutItsSiteKeepsItsOwnProblem(t *testing.T) {
	w := newWorld(t)
	j, err := w.svc.Create(t.Context(), ws, "x", "x", parse(t, mail(`{"event": {"name": "Cart"}}`, "")))
	if err != nil {
		t.Fatal(err)
	}
	w.checks["tpl"] = errs.Conflict(content.SiteMissing, "no site")
	_, err = w.svc.Publish(t.Context(), ws, j.ID)
	if all := errs.All(err); len(all) != 1 || all[0].Code != content.SiteMissing {
		t.Errorf("%v", err)
	}
}
