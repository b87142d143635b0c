package node

import (
	"encoding/json"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Values that a configuration takes from what is known when the step is done are named by a path: "event.total" is a property of the event that
// brought the person in, "trait.plan" a trait, "answers.crm.body.tier" what the webhook of the node "crm" answered.

// pathRoots are the first words of paths.
var pathRoots = []string{"event", "trait", "answers"}

func checkPath(code, field, path string) error {
	root, rest, ok := strings.Cut(path, ".")
	for _, r := range pathRoots {
		if ok && rest != "" && r == root {
			return nil
		}
	}
	return errs.Invalid(code, field, "%q names no value; write event.<property>, trait.<name> or answers.<node>.body.<field>", path)
}

// answersOf returns the nodes whose answers the paths lead into.
func answersOf(paths ...string) (nodes []string) {
	for _, path := range paths {
		if rest, ok := strings.CutPrefix(path, "answers."); ok {
			id, _, _ := strings.Cut(rest, ".")
			nodes = append(nodes, id)
		}
	}
	return nodes
}

// look returns the value at a path, false if there is none.
func look(path string, s State, in Input) (any, bool) {
	root, rest, _ := strings.Cut(path, ".")
	switch root {
	case "trait":
		v := trait(in.Subject, rest)
		return v, v != nil
	case "event":
		return dig(s.Trigger.Properties, rest)
	case "answers":
		node, field, deeper := strings.Cut(rest, ".")
		if !deeper {
			return dig(s.Answers[node], "")
		}
		return dig(s.Answers[node], field)
	}
	return nil, false
}

// dig returns the value at a dotted path inside a JSON document.
func dig(raw json.RawMessage, path string) (any, bool) {
	var v any
	if len(raw) == 0 || json.Unmarshal(raw, &v) != nil {
		return nil, false
	}
	for path != "" {
		var key string
		key, path, _ = strings.Cut(path, ".")
		object, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = object[key]; !ok {
			return nil, false
		}
	}
	return v, v != nil
}

// scope is what templates of a node may say: event, answers.
func scope(s State) map[string]any {
	vars := map[string]any{}
	// Properties that are no object were refused at intake; a journey entered by hand has none.
	var props map[string]any
	if json.Unmarshal(s.Trigger.Properties, &props) == nil && props != nil {
		vars["event"] = props
	}
	answers := map[string]any{}
	for node, raw := range s.Answers {
		var v any
		if json.Unmarshal(raw, &v) == nil {
			answers[node] = v
		}
	}
	if len(answers) > 0 {
		vars["answers"] = answers
	}
	return vars
}
