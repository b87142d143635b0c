package journey_test

import (
	"slices"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func TestTextsOfNodesNameWhatThereIs(t *testing.T) {
	w := newWorld(t)
	nodes := func(title, body, url string) string {
		return `{"trigger": {"manual": {}}, "nodes": [
			{"id": "set", "kind": "set_trait", "config": {"traits": {"score": 1}}, "next": {"next": "call"}},
			{"id": "call", "kind": "webhook", "config": {"url": "https://crm.example/` + url + `", "body": {"of": [` + body + `]}}, "next": {"done": "task"}},
			{"id": "task", "kind": "create_task", "config": {"title": "` + title + `"}}]}`
	}
	for graph, faults := range map[string][]string{
		nodes(`{{ person.plan }} {{ event.any.thing }} {{ person.score }}`, `"{{ person.id }}", "{{ event.cart-id }}"`, `{{ person.email | url_encode }}`): nil,
		nodes(`{{ answers.call.body.tier }}`, `"x"`, ``):                         nil,
		nodes(`{{ person.new | default: 'x' }}`, `"x"`, ``):                      nil,
		nodes(`{% if person.new %}x{% endif %}y`, `"x"`, ``):                     nil,
		nodes(`{{ person.plam }}`, `"x"`, ``):                                    {"journey.template.misspelt nodes[task].config.title"},
		nodes(`{{ person.new }}`, `"x"`, ``):                                     {"journey.template.variable nodes[task].config.title"},
		nodes(`{% if person.new %}{{ person.new }}{% endif %}`, `"x"`, ``):       {"journey.template.variable nodes[task].config.title"},
		nodes(`{{ answers.task.body.tier }}`, `"{{ answers.set.body.x }}"`, ``):  {"journey.template.variable nodes[call].config.body.of[0]"},
		nodes(`{{ persn.id | default: 'x' }}`, `"{{ foo }}", "x {{ foo }}"`, ``): {"journey.template.variable nodes[call].config.body.of[0]", "journey.template.variable nodes[call].config.body.of[1]", "journey.template.misspelt nodes[task].config.title"},
		nodes(`x`, `"x"`, `{{ persn.plan }}`):                                    {"journey.template.misspelt nodes[call].config.url"},
	} {
		j, err := w.svc.Create(t.Context(), ws, "", "x", parse(t, graph))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range errs.All(w.svc.Check(t.Context(), ws, j.ID)) {
			got = append(got, e.Code+" "+e.Field)
		}
		if !slices.Equal(got, faults) {
			t.Errorf("%s: %q, want %q", graph, got, faults)
		}
	}
}

func TestWhatIsMissingAndWhatWouldServeNobodyAreToldAtOnce(t *testing.T) {
	w := newWorld(t)
	w.checks["usr_gone"] = errs.NotFound("member", "usr_gone")
	j, err := w.svc.Create(t.Context(), ws, "", "x", parse(t, `{"trigger": {"manual": {}}, "nodes": [{"id": "t", "kind": "create_task", "config": {"title": "{{ foo }}", "assignee": "usr_gone"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range errs.All(w.svc.Check(t.Context(), ws, j.ID)) {
		got = append(got, e.Code)
	}
	want(t, "faults", got, []string{"journey.missing.member", "journey.template.variable"})
}

func TestATraitIsSetToWhatItCanBe(t *testing.T) {
	w := newWorld(t)
	node := func(config string) string {
		return `{"trigger": {"event": {"name": "Go"}}, "re_entry": {"mode": "always"}, "nodes": [{"id": "s", "kind": "set_trait", "config": ` + config + `}]}`
	}
	for config, field := range map[string]string{
		`{"traits": {"email": "nobody"}}`:       "traits",
		`{"traits": {"email": 7}}`:              "traits",
		`{"traits": {"phone": "ring me"}}`:      "traits",
		`{"traits": {"timezone": "Mars/Base"}}`: "traits",
		`{"increment": {"phone": 1}}`:           "increment",
		`{"traits": {"email": "a@b.example", "phone": "+81 3 1234 5678", "timezone": "UTC"}}`: "",
		`{"traits": {"email": null, "phones": "none", "plan": "x"}}`:                          "",
	} {
		j, err := w.svc.Create(t.Context(), ws, "", "x", parse(t, node(config)))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range errs.All(w.svc.Check(t.Context(), ws, j.ID)) {
			got = append(got, e.Code+" "+e.Field)
		}
		if want := []string{"journey.set_trait.unfit nodes[s].config." + field}; field == "" && got != nil || field != "" && !slices.Equal(got, want) {
			t.Errorf("%s: %q", config, got)
		}
	}
	w.publish("x", node(`{"traits": {"seen": true}, "from": {"email": "event.mail", "plan": "event.plan"}}`))
	w.happen(w.event("a", 1, "Go", `{"mail": "nobody", "plan": "gold"}`))
	w.happen(w.event("b", 2, "Go", `{"mail": "b@b.example"}`))
	w.settle()
	want(t, "written", w.strings(`SELECT person || ' ' || traits FROM test_trait ORDER BY 1`), []string{`per_1 {"plan":"gold","seen":true}`, `per_2 {"email":"b@b.example","seen":true}`})
	want(t, "told", w.strings(`SELECT reason FROM journey_step WHERE person_id = 'per_1'`), []string{`{"code":"traits_set","data":{"traits":["plan","seen"],"unfit":["email"]}}`})
}
