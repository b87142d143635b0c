package demo_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/demo"
	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

var update = flag.Bool("update", false, "write the golden files anew")

const pictures = "https://aoba-sample.example/pictures/"

// TestTheMailsOfTheSample shows whole mails, dressed in the sample's brand, as three readers get them.
func TestTheMailsOfTheSample(t *testing.T) {
	ctx, ws := t.Context(), "ws_1"
	now := time.Date(2026, 4, 18, 9, 0, 0, 0, time.UTC)
	db := sqldbtest.Open(t, sqldb.SQLite)
	c := content.New(content.Config{Store: sqlstore.NewContent(db), Tx: db, Clock: clock.NewFixed(now)})
	if _, err := c.SetLook(ctx, ws, demo.Brand("en"), 0); err != nil {
		t.Fatal(err)
	}
	letter, err := demo.Letter("en", demo.Shop{Pictures: pictures})
	if err != nil {
		t.Fatal(err)
	}
	drafts := map[string]content.Draft{"letter": letter}
	scenarios, err := journey.Scenarios("en")
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range scenarios {
		for key, l := range sc.Words.Templates {
			if key != "abandoned_cart" && key != "review_request" {
				continue
			}
			l.Locale = "en"
			for _, other := range []string{"ja", "zh-Hans"} {
				in, err := journey.Scenarios(other)
				if err != nil {
					t.Fatal(err)
				}
				for _, o := range in {
					if w, ok := o.Words.Templates[key]; ok {
						w.Locale = other
						l.Translations = append(l.Translations, w)
					}
				}
			}
			drafts[key] = l.Draft()
		}
	}
	people := map[string]map[string]any{
		"en-GB": {"name": "Amelia Walker", "first_name": "Amelia", "standing": map[string]any{"f": 2}},
		"ja-JP": {"name": "佐藤 陽菜", "first_name": "陽菜", "last_name": "佐藤", "standing": map[string]any{"f": 2}},
		"zh-CN": {"name": "王伟", "first_name": "伟", "last_name": "王", "gender": "male", "standing": map[string]any{"stage": "lead"}},
	}
	for name, d := range drafts {
		tpl, err := c.Create(ctx, ws, d)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for locale, who := range people {
			r, err := c.Render(ctx, ws, tpl.ID, 1, map[string]any{
				"person": who, "preferences_url": "https://mail.example/u/t",
				"event": map[string]any{"name": "Matcha, ceremonial", "price": 3600, "currency": "JPY", "url": "https://aoba-sample.example/tea/tea-matcha", "image_url": pictures + "tea-matcha.svg"},
			}, content.RenderOptions{Locale: locale, Now: now, UnsubscribeURL: "https://mail.example/u/t"})
			if err != nil {
				t.Fatalf("%s %s: %v", name, locale, err)
			}
			if len(r.Problems) > 0 {
				t.Errorf("%s %s: %+v", name, locale, r.Problems)
			}
			if n := len(r.HTML); n > 60<<10 {
				t.Errorf("%s %s: %d bytes, and Gmail clips at 102 KB", name, locale, n)
			}
			path := filepath.Join("testdata", name+"."+locale)
			for end, got := range map[string]string{".html": r.HTML, ".txt": "Subject: " + r.Subject + "\n\n" + r.Text} {
				if *update {
					if err := os.WriteFile(path+end, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path + end)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
					t.Errorf("%s: run with -update if this is meant\n%s", path+end, diff)
				}
			}
		}
	}
}
