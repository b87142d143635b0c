package workspace

import (
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func valid() Workspace {
	return Workspace{Name: "Shop", Timezone: "Europe/Berlin", Currency: "EUR", DefaultRegion: "DE", Locale: "zh-Hans"}
}

func TestValidateNamesEveryFault(t *testing.T) {
	if err := valid().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*Workspace)
		code   string
	}{
		"no name":             {func(w *Workspace) { w.Name = "" }, "workspace.name.length"},
		"long name":           {func(w *Workspace) { w.Name = strings.Repeat("絆", 201) }, "workspace.name.length"},
		"no zone":             {func(w *Workspace) { w.Timezone = "" }, "workspace.timezone.unknown"},
		"machine's zone":      {func(w *Workspace) { w.Timezone = "Local" }, "workspace.timezone.unknown"},
		"path as zone":        {func(w *Workspace) { w.Timezone = "../../etc/passwd" }, "workspace.timezone.unknown"},
		"no currency":         {func(w *Workspace) { w.Currency = "EURO" }, "workspace.currency.unknown"},
		"region is an area":   {func(w *Workspace) { w.DefaultRegion = "419" }, "workspace.default_region.unknown"},
		"region unknown":      {func(w *Workspace) { w.DefaultRegion = "QQ" }, "workspace.default_region.unknown"},
		"locale":              {func(w *Workspace) { w.Locale = "not_a_locale!" }, "workspace.locale.unknown"},
		"URL without scheme":  {func(w *Workspace) { w.Settings.PublicURL = "k.example.com" }, "workspace.settings.public_url.invalid"},
		"site without scheme": {func(w *Workspace) { w.Settings.SiteURL = "www.example.com" }, "workspace.settings.site_url.invalid"},
		"URL of a script":     {func(w *Workspace) { w.Settings.PublicURL = "javascript:alert(1)" }, "workspace.settings.public_url.invalid"},
		"URL with a query":    {func(w *Workspace) { w.Settings.PublicURL = "https://k.example.com?x=1" }, "workspace.settings.public_url.invalid"},
		"sender with a name":  {func(w *Workspace) { w.Settings.SenderEmail = "Ann <a@example.com>" }, "workspace.settings.sender_email.invalid"},
		"reply to":            {func(w *Workspace) { w.Settings.ReplyTo = "a@" }, "workspace.settings.reply_to.invalid"},
		"header in a name":    {func(w *Workspace) { w.Settings.SenderName = "a\r\nBcc: all@example.com" }, "workspace.settings.sender_name.invalid"},
		"address of a novel":  {func(w *Workspace) { w.Settings.PostalAddress = strings.Repeat("x", 2001) }, "workspace.settings.postal_address.length"},
		"less than nothing":   {func(w *Workspace) { w.Settings.Cadence.Least = -1 }, "workspace.cadence.range"},
		"a message a second":  {func(w *Workspace) { w.Settings.Cadence.Person = 604_800 }, "workspace.cadence.range"},
		"most below least":    {func(w *Workspace) { w.Settings.Cadence = Cadence{Least: 3, Most: 2} }, "workspace.cadence.order"},
		"URL with a password": {func(w *Workspace) { w.Settings.PublicURL = "https://u:p@k.example.com" }, "workspace.settings.public_url.invalid"},
	} {
		w := valid()
		c.change(&w)
		all := errs.All(w.Validate())
		if len(all) != 1 || all[0].Code != c.code || all[0].Kind != errs.KindInvalid || all[0].Field == "" {
			t.Errorf("%s: got %v, want one error with code %s", name, all, c.code)
		}
	}
	if n := len(errs.All(Workspace{}.Validate())); n != 5 {
		t.Errorf("an empty workspace has %d faults, want 5", n)
	}
}

func TestNormalizeIsStable(t *testing.T) {
	w := Workspace{Name: " Shop ", Timezone: "UTC ", Currency: "eur", DefaultRegion: "de", Locale: "ZH-hans", Settings: Settings{PublicURL: " https://x.example// "}}
	w.normalize()
	once := w
	w.normalize()
	if w != once {
		t.Errorf("%+v became %+v", once, w)
	}
	if err := w.Validate(); err != nil {
		t.Error(err)
	}
	if w.Locale != "zh-Hans" || w.Currency != "EUR" || w.DefaultRegion != "DE" || w.Settings.PublicURL != "https://x.example" {
		t.Errorf("got %+v", w)
	}
}

func TestLocationFallsBackToUTC(t *testing.T) {
	if got := (Workspace{Timezone: "Mars/Olympus"}).Location(); got != time.UTC {
		t.Errorf("got %v", got)
	}
	if got := valid().Location(); got.String() != "Europe/Berlin" {
		t.Errorf("got %v", got)
	}
}

func TestSourceValidate(t *testing.T) {
	if err := (Source{Name: "x", Kind: Browser, WriteKey: "abcd"}).Validate(); err != nil {
		t.Error(err)
	}
	for _, key := range []string{"", "abc", "with space", strings.Repeat("x", 129), "semi;colon"} {
		if err := (Source{Name: "x", Kind: Browser, WriteKey: key}).Validate(); !errs.Is(err, errs.KindInvalid) {
			t.Errorf("write key %q: %v", key, err)
		}
	}
	if n := len(errs.All(Source{}.Validate())); n != 3 {
		t.Errorf("an empty source has %d faults, want 3", n)
	}
}

func TestTheKeyCacheStaysSmall(t *testing.T) {
	c := newKeyCache()
	now := time.Now()
	for i := range 3 * maxCached {
		c.put(strings.Repeat("x", 4)+time.Duration(i).String(), Source{}, now, 0)
	}
	if len(c.byKey) > maxCached {
		t.Errorf("%d keys are remembered", len(c.byKey))
	}
}

func TestALookupThatBeganBeforeAChangeIsNotRemembered(t *testing.T) {
	c := newKeyCache()
	now := time.Now()
	before := c.generation.Load()
	c.clear() // the change
	c.put("key", Source{ID: "old"}, now, before)
	if _, ok := c.get("key", now); ok {
		t.Error("the old answer was remembered")
	}
}
