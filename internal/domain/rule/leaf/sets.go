package leaf

import "time"

// Segment asks for membership in another segment: {"id": "seg_...", "in": true}. "in" may be left out.
func Segment() Spec { return setSpec("segment", "Is in a segment") }

// List asks for membership in a static list: {"id": "lst_...", "in": true}. "in" may be left out.
func List() Spec { return setSpec("list", "Is on a list") }

func setSpec(kind, title string) Spec {
	return Spec{Kind: kind, Title: title, Parse: parseSet, Schema: func() Schema {
		return object(map[string]Schema{"id": textSchema, "in": booleanSchema}, "id")
	}}
}

type set struct {
	id string
	in bool
}

func parseSet(in Input) (Leaf, error) {
	f := in.fields("id", "in")
	l := &set{id: f.text("id"), in: f.yesNo("in", true)}
	return l, f.err
}

func (l *set) Ask(Dialect, string, time.Time) Question {
	return Question{Set: l.id, Complement: !l.in}
}

func (l *set) Eval(s *Subject, _ time.Time) Result {
	return steady((s.In != nil && s.In(l.id)) == l.in)
}

func (l *set) Needs() Needs { return Needs{Sets: []string{l.id}} }
