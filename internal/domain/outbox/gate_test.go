package outbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func TestTheGateRefusesWithAReasonThatIsStored(t *testing.T) {
	f := setup(t, sqlite(t), func(c *outbox.Config) {
		c.Needs = func(context.Context, string) ([]string, error) { return []string{"ads", "mail"}, nil }
	})
	ctx := t.Context()
	f.subscribed(1, 9)
	f.people.add(7, func(p *person.Person) {
		p.Traits[person.TraitPreferences] = person.Trait{Value: map[string]any{"ads": true, "mail": false}}
	})
	f.people.add(8, func(p *person.Person) {
		p.Traits[person.TraitPreferences] = person.Trait{Value: map[string]any{"ads": true, "mail": true}}
	})
	f.people.add(10)
	f.people.add(11, func(p *person.Person) { delete(p.Traits, "email") })
	f.people.add(12, func(p *person.Person) { p.Traits["email"] = person.Trait{Value: "no@address@here"} })
	noMore := consent.Change{PersonID: pid(2), Topic: f.news.ID, Channel: "email", Source: "test"}
	if err := f.consent.Unsubscribe(ctx, ws, noMore); err != nil {
		t.Fatal(err)
	}
	if _, err := f.consent.Suppress(ctx, ws,
		consent.Suppress{Channel: "email", Address: "P3@example.test", Reason: consent.Complaint},
		consent.Suppress{Channel: "email", Address: "p4@example.test", Reason: consent.UnsubscribedAll}); err != nil {
		t.Fatal(err)
	}
	for n, all := range map[int]bool{5: false, 6: true} {
		if _, err := f.consent.HoldPerson(ctx, ws, consent.Hold{PersonID: pid(n), Ground: consent.GroundAsked, All: all}); err != nil {
			t.Fatal(err)
		}
	}
	f.people.add(5, func(p *person.Person) { p.Traits["email"] = person.Trait{Value: "new5@example.test"} })
	archived, err := f.consent.CreateTopic(ctx, ws, consent.Topic{Name: "Old", Channels: []string{"email"}, Archived: true})
	if err != nil {
		t.Fatal(err)
	}
	bySMS, err := f.consent.CreateTopic(ctx, ws, consent.Topic{Name: "Texts", Channels: []string{"sms"}})
	if err != nil {
		t.Fatal(err)
	}
	old, err := f.contents.Create(ctx, ws, f.template.Draft)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.contents.Archive(ctx, ws, old.ID); err != nil {
		t.Fatal(err)
	}
	transactional := func(r *outbox.Request) { r.Transactional, r.Topic = true, "" }
	cases := []struct {
		why  string
		n    int
		with func(*outbox.Request)
	}{
		{"", 1, nil},
		{outbox.ReasonUnsubscribed, 2, nil},
		{outbox.ReasonSuppressed, 3, nil},
		{outbox.ReasonSuppressed, 4, nil},
		{"", 4, transactional},
		{outbox.ReasonSuppressed, 3, transactional},
		{outbox.ReasonPersonSuppressed, 5, nil}, // whatever the address is now
		{"", 5, transactional},
		{outbox.ReasonPersonSuppressed, 6, nil},
		{outbox.ReasonPersonSuppressed, 6, transactional},
		{outbox.ReasonCategory, 7, nil},
		{"", 7, transactional},
		{"", 8, nil},
		{outbox.ReasonNotSubscribed, 10, nil},
		{"", 10, transactional},
		{"", 2, transactional},
		{outbox.ReasonNoAddress, 11, nil},
		{outbox.ReasonNoAddress, 11, transactional},
		{outbox.ReasonBadAddress, 12, nil},
		{outbox.ReasonUnknownPerson, 99, nil},
		{outbox.ReasonNoTopic, 1, func(r *outbox.Request) { r.Topic = "" }},
		{outbox.ReasonUnknownTopic, 1, func(r *outbox.Request) { r.Topic = "tpc_none" }},
		{outbox.ReasonUnknownTopic, 1, func(r *outbox.Request) { r.Topic = archived.ID }},
		{outbox.ReasonTopicChannel, 1, func(r *outbox.Request) { r.Topic = bySMS.ID }},
		{outbox.ReasonUnknownTemplate, 1, func(r *outbox.Request) { r.Template = "tpl_none" }},
		{outbox.ReasonArchivedTemplate, 1, func(r *outbox.Request) { r.Template = old.ID }},
		{outbox.ReasonTemplateChannel, 1, func(r *outbox.Request) { r.Channel = "sms" }},
	}
	var reqs []outbox.Request
	for i, c := range cases {
		r := f.request(c.n, func(r *outbox.Request) { r.Key = c.why + string(rune('a'+i)) })
		if c.with != nil {
			c.with(&r)
		}
		reqs = append(reqs, r)
	}
	got := f.enqueue(reqs...)
	refused, bare := 0, map[string]bool{outbox.ReasonUnknownPerson: true, outbox.ReasonNoTopic: true} // they speak for themselves
	for i, c := range cases {
		d := got[i]
		if d.Reason != c.why || d.Allowed != (c.why == "") || d.Duplicate {
			t.Errorf("case %d (%s): %+v", i, c.why, d)
		}
		m := f.message(d.MessageID)
		if c.why == "" {
			if m.State != outbox.Queued || m.Address == "" || m.TemplateVersion != 1 {
				t.Errorf("case %d: stored as %+v", i, m)
			}
			continue
		}
		refused++
		if m.State != outbox.Refused || m.Reason != c.why || !sameEvidence(m.Data, d.Data) || (len(m.Data) == 0) != bare[c.why] {
			t.Errorf("case %d (%s): stored as %+v", i, c.why, m)
		}
		settled := 0
		for _, step := range m.Course() {
			if step.Outcome == outbox.StepFailed && step.Reason == c.why {
				settled++
			}
		}
		if settled != 1 {
			t.Errorf("case %d (%s): %d questions of its course say so: %+v", i, c.why, settled, m.Course())
		}
	}
	var told int
	for _, e := range f.log.all() {
		if e.Name == event.MessageRefused {
			told++
			var p map[string]any
			if err := json.Unmarshal(e.Properties, &p); err != nil || p["reason"] == "" || p["message_id"] == "" || p["source_id"] != "cmp_1" || e.PersonID == "" {
				t.Errorf("event: %+v", e)
			}
		}
	}
	if told != refused {
		t.Errorf("%d refusals were told, want %d", told, refused)
	}
	c := f.counts()
	if c.Audience != int64(len(cases)) || c.Refused != int64(refused) || c.RefusedBy[outbox.ReasonSuppressed] != 3 {
		t.Errorf("counts: %+v", c)
	}
	if raw, _ := json.Marshal(f.log.all()); strings.Contains(string(raw), "@example.test") {
		t.Error("an address is in the events")
	}
}

func TestWithoutAnAccountMessagesAreRefused(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 1)
	if err := f.DeleteAccount(t.Context(), ws, f.account.ID); err != nil {
		t.Fatal(err)
	}
	if d := f.enqueue(f.request(1)); d[0].Reason != outbox.ReasonNoAccount {
		t.Errorf("got %+v", d)
	}
}

func TestAKeyIsDecidedOnce(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 2)
	first := f.enqueue(f.request(1), f.request(2), f.request(1))
	if first[0].Duplicate || !first[2].Duplicate || first[2].MessageID != first[0].MessageID {
		t.Errorf("within a call: %+v", first)
	}
	f.people.add(3)
	refused := f.enqueue(f.request(3))[0]
	if err := f.consent.Subscribe(t.Context(), ws, consent.Change{PersonID: pid(3), Topic: f.news.ID, Channel: "email", Source: "test"}); err != nil {
		t.Fatal(err)
	}
	again := f.enqueue(f.request(2), f.request(3))
	if !again[0].Duplicate || !again[0].Allowed || again[0].MessageID != first[1].MessageID {
		t.Errorf("allowed again: %+v", again[0])
	}
	want := refused
	want.Duplicate = true
	if diff := cmp.Diff(want, again[1]); diff != "" {
		t.Errorf("a refusal stays what it was (-want +got):\n%s", diff)
	}
}

func TestEnqueueIsUndoneWithItsTransaction(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 1)
	boom := errors.New("boom")
	err := f.db.InTx(t.Context(), func(ctx context.Context) error {
		if _, err := f.Enqueue(ctx, []outbox.Request{f.request(1)}); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatal(err)
	}
	if d := f.enqueue(f.request(1)); d[0].Duplicate {
		t.Error("the message of a transaction that was rolled back is still there")
	}
}

func TestMalformedRequestsAreErrors(t *testing.T) {
	f := setup(t, sqlite(t))
	for field, with := range map[string]func(*outbox.Request){
		"workspace": func(r *outbox.Request) { r.Workspace = "" }, "person_id": func(r *outbox.Request) { r.PersonID = "" },
		"channel": func(r *outbox.Request) { r.Channel = "" }, "template": func(r *outbox.Request) { r.Template = "" },
		"key": func(r *outbox.Request) { r.Key = "" }, "source": func(r *outbox.Request) { r.Source.Kind = "" },
	} {
		_, err := f.Enqueue(t.Context(), []outbox.Request{f.request(1, with)})
		if all := errs.All(err); len(all) != 1 || all[0].Field != field || all[0].Kind != errs.KindInvalid {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestMergedPeopleAreWrittenToAsOne(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 1)
	f.people.also["per_old"] = pid(1)
	d := f.enqueue(f.request(1, func(r *outbox.Request) { r.PersonID, r.Key = "per_old", "x" }))
	if m := f.message(d[0].MessageID); !d[0].Allowed || m.PersonID != pid(1) {
		t.Errorf("%+v: %+v", d[0], m)
	}
}

func TestAddressesThatWouldBreakMailAreRefused(t *testing.T) {
	f := setup(t, sqlite(t))
	bad := []string{
		"a b@c.d", "a@b@c", "@b.c", "a@", "a@b..c", "a\r\nBcc: x@y.z", "a@b.c\x00", ".a@b.c", "a.@b.c", "a..b@c.d", "a@-b.c", "a@b-.c",
		strings.Repeat("a", 65) + "@b.c", "a@" + strings.Repeat("b", 64) + ".c", "a@" + strings.Repeat("b.", 130) + "c", "<a@b.c>", "a@[1.2.3.4]",
	}
	good := []string{"a@b.c", "a+tag@b.example", "a'b@c.d", "ü@例え.jp", "a@localhost"}
	for i, addr := range append(bad, good...) {
		n := 100 + i
		f.people.add(n, func(p *person.Person) { p.Traits["email"] = person.Trait{Value: addr, Time: start} })
		d := f.enqueue(f.request(n, func(r *outbox.Request) { r.Transactional = true }))[0]
		if d.Allowed != (i >= len(bad)) {
			t.Errorf("%q: %+v", addr, d)
		}
	}
}

func TestGoalsAreFilledInAndBounded(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 2)
	d := f.enqueue(f.request(1), f.request(2, func(r *outbox.Request) { r.Goal = outbox.Goal{Event: "Signed Up", Window: 1000 * time.Hour * 24} }))
	if got := f.message(d[0].MessageID).Goal; !reflect.DeepEqual(got, outbox.DefaultGoal) {
		t.Errorf("default: %+v", got)
	}
	if got := f.message(d[1].MessageID).Goal; !reflect.DeepEqual(got, outbox.Goal{Event: "Signed Up", Window: outbox.MaxGoalWindow}) {
		t.Errorf("own: %+v", got)
	}
}
