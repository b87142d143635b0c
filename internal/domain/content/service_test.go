package content_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

const ws = "ws_1"

var now = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

// store is a real one that nothing else uses.
type store struct {
	*sqlstore.Content
	*sqldb.DB
}

func newStore(t testing.TB) store {
	t.Helper()
	db := sqldbtest.Open(t, sqldb.SQLite)
	return store{sqlstore.NewContent(db), db}
}

func newService(t testing.TB) *content.Service {
	t.Helper()
	m := newStore(t)
	return content.New(content.Config{Store: m, Tx: m, Clock: clock.NewFixed(now), CacheSize: 2})
}

func service(t *testing.T) (*content.Service, store, *clock.Fixed) {
	t.Helper()
	m, c := newStore(t), clock.NewFixed(now)
	return content.New(content.Config{Store: m, Tx: m, Clock: c, CacheSize: 2}), m, c
}

func draft() content.Draft {
	return content.Draft{Name: "Cart", Subject: "{{ person.first_name | default: 'You' }} forgot something", HTML: "<p>Hi {{ person.first_name }}</p>", ValueProposition: "they wanted it", Preheader: "It is kept", Purpose: content.Purpose{Action: "order"}}
}

func TestEverySaveIsAVersionThatNeverChanges(t *testing.T) {
	s, _, c := service(t)
	first, err := s.Create(t.Context(), ws, draft())
	if err != nil {
		t.Fatal(err)
	}
	if first.Version != 1 || first.Channel != content.Email || first.Status != content.Active || !strings.HasPrefix(first.ID, "tpl_") || !first.CreatedAt.Equal(now) {
		t.Errorf("created %+v", first)
	}
	vars := map[string]any{"person": map[string]any{"first_name": "Ann"}}
	before, err := s.Render(t.Context(), ws, first.ID, 1, vars, content.RenderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c.Advance(time.Hour)
	d := draft()
	d.HTML = "<p>Bye</p>"
	second, err := s.Update(t.Context(), ws, first.ID, d, 1)
	if err != nil || second.Version != 2 || !second.CreatedAt.Equal(now) || !second.UpdatedAt.Equal(now.Add(time.Hour)) {
		t.Fatalf("updated to %+v, %v", second, err)
	}
	if same, err := s.Update(t.Context(), ws, first.ID, d, 2); err != nil || same.Version != 2 {
		t.Errorf("saving the same made version %d, %v", same.Version, err)
	}
	if _, err := s.Update(t.Context(), ws, first.ID, draft(), 1); !errs.Is(err, errs.KindConflict) {
		t.Errorf("an update of an old version: %v, want a conflict", err)
	}
	if third, err := s.Update(t.Context(), ws, first.ID, draft(), 0); err != nil || third.Version != 3 {
		t.Errorf("an update without a base: version %d, %v", third.Version, err)
	}
	again, err := s.Render(t.Context(), ws, first.ID, 1, vars, content.RenderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, again); diff != "" {
		t.Errorf("version 1 renders differently now: %s", diff)
	}
	vs, err := s.Versions(t.Context(), ws, first.ID, page.Request{})
	if err != nil || len(vs.Items) != 3 || vs.Items[1].HTML != "<p>Bye</p>" {
		t.Errorf("versions %+v, %v", vs, err)
	}
	if _, err := s.Versions(t.Context(), ws, "tpl_none", page.Request{}); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("versions of nothing: %v", err)
	}
	if _, err := s.Update(t.Context(), ws, "tpl_none", draft(), 0); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("update of nothing: %v", err)
	}
}

func TestArchivedTemplatesStillRenderAndComeBack(t *testing.T) {
	s, _, _ := service(t)
	a, err := s.Create(t.Context(), ws, draft())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Archive(t.Context(), ws, a.ID); err != nil || got.Status != content.Archived {
		t.Fatalf("archived %+v, %v", got, err)
	}
	if _, err := s.Render(t.Context(), ws, a.ID, 1, nil, content.RenderOptions{}); err != nil {
		t.Errorf("a message of an archived template: %v", err)
	}
	if got, err := s.Restore(t.Context(), ws, a.ID); err != nil || got.Status != content.Active || got.Version != 1 {
		t.Errorf("restored %+v, %v", got, err)
	}
	if _, err := s.Archive(t.Context(), ws, "tpl_none"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("archive of nothing: %v", err)
	}
}

func TestEnsureLeavesWhatTheOwnerMade(t *testing.T) {
	s, _, _ := service(t)
	a, err := s.Ensure(t.Context(), ws, "cart", draft())
	if err != nil {
		t.Fatal(err)
	}
	d := draft()
	d.Subject = "Mine"
	if _, err := s.Update(t.Context(), ws, a.ID, d, 0); err != nil {
		t.Fatal(err)
	}
	b, err := s.Ensure(t.Context(), ws, "cart", draft())
	if err != nil || b.ID != a.ID || b.Subject != "Mine" || b.Key != "cart" {
		t.Errorf("ensured %+v, %v", b, err)
	}
}

func TestBadDraftsAreRefusedWithFieldLineAndRemedy(t *testing.T) {
	s, _, _ := service(t)
	for _, c := range []struct {
		change func(*content.Draft)
		want   []string // field, code, part of the message
	}{
		{func(d *content.Draft) { d.Name = " " }, []string{"name content.template.name_missing recognise"}},
		{func(d *content.Draft) { d.Name = "a\nb" }, []string{"name content.template.one_line one line"}},
		{func(d *content.Draft) { d.Subject = "" }, []string{"subject content.template.subject_missing needs"}},
		{func(d *content.Draft) { d.HTML = "\n " }, []string{"html content.template.body_missing write"}},
		{func(d *content.Draft) { d.Channel = "fax" }, []string{"channel content.template.channel fax"}},
		{func(d *content.Draft) { d.ReplyTo = "Me <me@example.com>" }, []string{"reply_to content.template.reply_to service@example.com"}},
		{func(d *content.Draft) { d.FromName = "x\r\nBcc: y" }, []string{"from_name content.template.one_line one line"}},
		{func(d *content.Draft) { d.Subject = strings.Repeat("件", 1001) }, []string{"subject content.template.too_long 1001"}},
		{func(d *content.Draft) { d.HTML = strings.Repeat("x", 513<<10) }, []string{"html content.template.too_long host images"}},
		{func(d *content.Draft) { d.Text = "\xff" }, []string{"text content.template.encoding UTF-8"}},
		{func(d *content.Draft) { d.HTML = "<p>\n {{ x | upcas }}"; d.Subject = "{% if %}" }, []string{"subject content.template.liquid.syntax line 1, column 7", "html content.template.liquid.filter.unknown line 2, column 9"}},
		{func(d *content.Draft) { d.HTML = "<script>{{ x }}</script>" }, []string{"html content.template.liquid.html.position no escaping"}},
	} {
		d := draft()
		c.change(&d)
		_, err := s.Create(t.Context(), ws, d)
		all := errs.All(err)
		if len(all) != len(c.want) {
			t.Errorf("%v, want %v", err, c.want)
			continue
		}
		for i, e := range all {
			parts := strings.SplitN(c.want[i], " ", 3)
			if e.Kind != errs.KindInvalid || e.Field != parts[0] || e.Code != parts[1] || !strings.Contains(e.Msg, parts[2]) {
				t.Errorf("%s %s %q, want %s", e.Field, e.Code, e.Msg, c.want[i])
			}
		}
		if err := d.Validate(); (err == nil) != (len(c.want) == 0) {
			t.Errorf("Validate says %v", err)
		}
	}
	if err := draft().Validate(); err != nil {
		t.Errorf("a good draft: %v", err)
	}
}

type vocabulary []string

func (v vocabulary) Known(context.Context, string) ([]string, error) { return v, nil }

func TestCheckWarnsBeforeAnythingIsSent(t *testing.T) {
	m := newStore(t)
	s := content.New(content.Config{Store: m, Tx: m, Clock: clock.NewFixed(now), Vocabulary: vocabulary{"person.first_name", "event.*"}})
	codes := func(d content.Draft) (out []string) {
		t.Helper()
		f, err := s.Check(t.Context(), ws, d)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range f {
			out = append(out, fmt.Sprintf("%s %s %s%s %d:%d", one.Field, one.Code, one.Name, one.Like, one.Line, one.Col))
		}
		return out
	}
	d := draft()
	d.HTML = "<p>{{ person.first_nam }} {{ event.any }}\n{{ vip }}</p><a href='{{ unsubscribe_url }}'>x</a>"
	if diff := cmp.Diff([]string{"html unknown person.first_namperson.first_name 1:7", "html unknown vip 2:4"}, codes(d)); diff != "" {
		t.Error(diff)
	}
	p, err := s.Preview(t.Context(), ws, content.PreviewRequest{Draft: &d})
	if err != nil || slices.ContainsFunc(p.Findings, func(f content.Finding) bool { return f.Code == "missing" && f.Name == "person.first_nam" }) {
		t.Errorf("a name that nobody has is missing, too: %+v, %v", p.Findings, err)
	}
	whole := content.New(content.Config{Store: m, Tx: m, Clock: clock.NewFixed(now)})
	d = draft()
	d.HTML = "{{ campaign.name }}{{ journey.name }}{{ workspace.colour }}{{ topic.colour }}{{ message.colour }}" + // what no message has
		"{{ topic.name }}{{ workspace.site }}{{ answers.crm.body.tier }}{{ confirm_url }}{% for x in feed.items %}{{ x.title }}{% endfor %}<a href='{{ unsubscribe_url }}'>x</a>"
	for way, look := range map[string]func() ([]content.Finding, error){
		"check": func() ([]content.Finding, error) { return whole.Check(t.Context(), ws, d) },
		"preview": func() ([]content.Finding, error) {
			p, err := whole.Preview(t.Context(), ws, content.PreviewRequest{Draft: &d})
			return p.Findings, err
		},
	} {
		found, err := look()
		var names []string
		for _, f := range found {
			if f.Field == "html" && f.Name != "" {
				names = append(names, f.Code+" "+f.Name)
			}
		}
		want := []string{"unknown campaign.name", "unknown journey.name", "unknown workspace.colour", "unknown topic.colour", "unknown message.colour"}
		if way == "preview" {
			want = append(want, "missing workspace.site") // of nobody, since no sender is known here
		}
		if diff := cmp.Diff(want, names); diff != "" || err != nil {
			t.Errorf("%s: %s %v", way, diff, err)
		}
	}
	d = draft()
	d.ValueProposition, d.Subject, d.HTML = "", strings.Repeat("long ", 40), strings.Repeat("x", 110<<10)
	if diff := cmp.Diff([]string{"html clipped  0:0", "subject long  0:0", "html footer  0:0", "value_proposition empty  0:0"}, codes(d)); diff != "" {
		t.Error(diff)
	}
	d.HTML = "{% if %}"
	if diff := cmp.Diff([]string{"html content.template.liquid.syntax  1:7"}, codes(d)); diff != "" {
		t.Error(diff)
	}
}

func TestPreviewShowsDraftsAndVersions(t *testing.T) {
	s, _, _ := service(t)
	d := draft()
	d.Name, d.HTML = "", "<p>Hi {{ person.first_name }} {{ 'now' | date: 'long' }}</p>"
	p, err := s.Preview(t.Context(), ws, content.PreviewRequest{Draft: &d})
	if err != nil || p.Subject != "You forgot something" || !strings.Contains(p.HTML, "March 14, 2026") || !strings.Contains(p.HTML, "https://example.com/unsubscribe") {
		t.Errorf("preview %+v, %v", p, err)
	}
	if diff := cmp.Diff([]string{"person.first_name"}, p.Missing); diff != "" {
		t.Error(diff)
	}
	if len(p.Findings) != 2 || p.Findings[0].Code != "footer" || p.Findings[1].Code != "missing" || p.Findings[1].Line != 1 || p.Findings[1].Col != 10 {
		t.Errorf("findings %+v", p.Findings)
	}
	saved, err := s.Create(t.Context(), ws, draft())
	if err != nil {
		t.Fatal(err)
	}
	d = draft()
	d.Subject = "Second"
	if _, err := s.Update(t.Context(), ws, saved.ID, d, 0); err != nil {
		t.Fatal(err)
	}
	for version, want := range map[int]string{0: "Second", 1: "Ann forgot something", 2: "Second"} {
		p, err := s.Preview(t.Context(), ws, content.PreviewRequest{ID: saved.ID, Version: version, Vars: map[string]any{"person": map[string]any{"first_name": "Ann"}}})
		if err != nil || p.Subject != want {
			t.Errorf("version %d shows %q, %v; want %q", version, p.Subject, err, want)
		}
	}
	bad := content.Draft{Name: "x", Subject: "{{", HTML: "x"}
	p, err = s.Preview(t.Context(), ws, content.PreviewRequest{Draft: &bad})
	if err != nil || p.HTML != "" || len(p.Findings) != 1 || !p.Findings[0].Error || p.Findings[0].Col != 1 {
		t.Errorf("preview of a broken draft %+v, %v", p, err)
	}
	loop := content.Draft{Name: "x", Subject: "x", HTML: "{% for i in (1..9999999) %}x{% endfor %}"}
	p, err = s.Preview(t.Context(), ws, content.PreviewRequest{Draft: &loop})
	if err != nil || len(p.Findings) == 0 || p.Findings[len(p.Findings)-1].Code != "content.render.liquid.limit.steps" {
		t.Errorf("preview of an endless draft %+v, %v", p.Findings, err)
	}
	for _, r := range []content.PreviewRequest{{ID: "tpl_none"}, {ID: saved.ID, Version: 9}} {
		if _, err := s.Preview(t.Context(), ws, r); !errs.Is(err, errs.KindNotFound) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

type countingStore struct {
	store
	loads int
	fail  error
}

func (c *countingStore) Version(ctx context.Context, ws, id string, v int) (content.Template, error) {
	c.loads++
	if c.fail != nil {
		return content.Template{}, c.fail
	}
	return c.Content.Version(ctx, ws, id, v)
}

func TestVersionsAreLoadedAndCompiledOnce(t *testing.T) {
	st := &countingStore{store: newStore(t)}
	s := content.New(content.Config{Store: st, Tx: st, Clock: clock.NewFixed(now), CacheSize: 2})
	var ids []string
	for range 3 {
		a, err := s.Create(t.Context(), ws, draft())
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, a.ID)
	}
	show := func(i int) {
		t.Helper()
		if _, err := s.Render(t.Context(), ws, ids[i], 1, nil, content.RenderOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		show(0)
		show(1)
	}
	if st.loads != 2 {
		t.Errorf("%d loads for two templates", st.loads)
	}
	show(2) // pushes out 0, which was used longest ago
	show(1)
	if st.loads != 3 {
		t.Errorf("%d loads, want 3", st.loads)
	}
	show(0)
	if st.loads != 4 {
		t.Errorf("%d loads, want 4", st.loads)
	}
	st.fail = errors.New("disk")
	if _, err := s.Render(t.Context(), ws, ids[2], 1, nil, content.RenderOptions{}); !errors.Is(err, st.fail) {
		t.Errorf("a failing store: %v", err)
	}
}
