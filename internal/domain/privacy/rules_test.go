package privacy

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/secret"
)

func service(t *testing.T) *Service {
	t.Helper()
	box, err := secret.NewBox(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	return &Service{c: Config{Box: box}}
}

func TestFieldsAreDroppedHashedAndMaskedWhereverTheyStand(t *testing.T) {
	s := service(t)
	r := Rules{Fields: []Field{
		{"properties.card", Drop}, {"properties.lines.serial", Mask}, {"traits.email", Hash}, {"traits.phones", Mask}, {"traits.deep.ssn", Drop}, {"context.ip", Drop}, {"traits.n", Hash},
	}}
	if err := r.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		typ                    event.Type
		props, context         string
		wantProps, wantContext string
	}{
		"a track event": {
			event.Track, `{"card":"4111","lines":[{"serial":"ABCDEFG"},{"other":1}],"email":"stays"}`, `{"ip":"1.2.3.4","traits":{"deep":{"ssn":1,"x":2}}}`,
			`{"email":"stays","lines":[{"serial":"AB…FG"},{"other":1}]}`, `{"traits":{"deep":{"x":2}}}`,
		},
		"traits": {
			event.Identify, `{"card":"stays","phones":["+4930123456",null],"n":12345678901234567890,"email":null}`, `{}`,
			`{"card":"stays","email":null,"n":"#","phones":["+4…56","…"]}`, `{}`,
		},
		"a group's traits":      {event.Group, `{"deep":{"ssn":"x"}}`, `{}`, `{"deep":{}}`, `{}`},
		"nothing of the sort":   {event.Track, `{ "a" : 1 }`, `{ "b":"<>" }`, `{ "a" : 1 }`, `{ "b":"<>" }`},
		"not what it should be": {event.Track, `{"lines":"text","card":{"a":1}}`, `{"traits":[1,"ssn","deep"]}`, `{"lines":"text"}`, `{"traits":[1,"ssn","deep"]}`},
	} {
		e := event.Event{Workspace: "ws_1", Type: c.typ, Properties: json.RawMessage(c.props), Context: json.RawMessage(c.context)}
		if !s.Try("ws_1", r, &e) {
			t.Errorf("%s: not kept", name)
		}
		got := string(e.Properties)
		if i := strings.Index(got, "hash:"); i >= 0 {
			got = got[:i] + "#" + got[i+len("hash:")+24:]
		}
		if got != c.wantProps || string(e.Context) != c.wantContext {
			t.Errorf("%s: %s %s", name, got, e.Context)
		}
	}
}

func TestAHashIsTheSameForTheSameValueAndNotInAnotherWorkspace(t *testing.T) {
	s := service(t)
	r := Rules{Fields: []Field{{"traits.email", Hash}}}
	hash := func(ws, value string) string {
		e := event.Event{Type: event.Identify, Properties: json.RawMessage(`{"email":"` + value + `"}`)}
		s.Try(ws, r, &e)
		return string(e.Properties)
	}
	a := hash("ws_1", "Ann@Example.com ")
	if a != hash("ws_1", "ann@example.com") || a == hash("ws_2", "ann@example.com") || a == hash("ws_1", "ben@example.com") || strings.Contains(strings.ToLower(a), "ann") {
		t.Error(a)
	}
}

func TestWhatLacksConsentIsNotTaken(t *testing.T) {
	s := service(t)
	with := func(context string) event.Event {
		return event.Event{Type: event.Track, Context: json.RawMessage(context)}
	}
	for _, c := range []struct {
		context        string
		asked, unasked bool // whether it is taken without and with Unasked
	}{
		{`{}`, false, true},
		{`{"consent":null}`, false, true},
		{`{"consent":{}}`, false, false}, // asked, and nothing was agreed to
		{`{"consent":{"categoryPreferences":{"analytics":true}}}`, false, false},
		{`{"consent":{"categoryPreferences":{"analytics":true,"marketing":true}}}`, true, true},
		{`{"consent":{"categoryPreferences":{"analytics":true,"marketing":false}}}`, false, false},
	} {
		r := Rules{Consent: []string{"analytics", "marketing"}}
		e := with(c.context)
		if got := s.Try("ws_1", r, &e); got != c.asked {
			t.Errorf("%s: %v", c.context, got)
		}
		r.Unasked = true
		if got := s.Try("ws_1", r, &e); got != c.unasked {
			t.Errorf("%s, unasked taken: %v", c.context, got)
		}
		if !s.Try("ws_1", Rules{}, &e) {
			t.Errorf("%s: refused though nothing is required", c.context)
		}
	}
}

func TestOfWhatIsNotKeptTheStatementOfAKnownUserIs(t *testing.T) {
	s := service(t)
	no := `{"ip":"10.1.2.3","consent":{"categoryPreferences":{"analytics":false,"mail":false}}}`
	known := func() event.Event {
		return event.Event{Type: event.Track, Name: "Paid", UserID: "u1", AnonymousID: "a1", Properties: json.RawMessage(`{"card":"4111"}`), Context: json.RawMessage(no)}
	}
	e := known()
	if s.Try("ws_1", Rules{Consent: []string{"analytics"}}, &e) {
		t.Error("taken though nothing asks what they said")
	}
	r := Rules{Consent: []string{"analytics"}, Send: []string{"mail"}}
	e = known()
	if !s.Try("ws_1", r, &e) || e.Type != event.Identify || e.Name+e.AnonymousID != "" || string(e.Properties) != "{}" || string(e.Context) != `{"consent":{"categoryPreferences":{"analytics":false,"mail":false}}}` {
		t.Errorf("kept: %+v %s %s", e, e.Properties, e.Context)
	}
	e = known()
	e.UserID = ""
	if s.Try("ws_1", r, &e) {
		t.Error("a device is remembered for having refused")
	}
}

func TestBadRulesAreRefusedWithARemedy(t *testing.T) {
	for code, r := range map[string]Rules{
		"privacy.rules.path":     {Fields: []Field{{"card", Drop}}},
		"privacy.rules.twice":    {Fields: []Field{{"traits.a", Drop}, {"traits.a", Hash}}},
		"privacy.rules.action":   {Fields: []Field{{"traits.a", "burn"}}},
		"privacy.rules.category": {Consent: []string{"a", "a"}},
	} {
		all := errs.All(r.Validate())
		if len(all) != 1 || all[0].Code != code {
			t.Errorf("%s: %v", code, all)
		}
	}
	for _, path := range []string{"traits", "traits.", "traits..a", "userId", "context.a.", strings.Repeat("traits.", 40) + "x"} {
		if (Rules{Fields: []Field{{path, Drop}}}).Validate() == nil {
			t.Errorf("%q is a path", path)
		}
	}
}
