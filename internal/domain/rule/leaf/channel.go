package leaf

import (
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// ChannelLeaf asks how the person can be reached: {"kind": "email", "reachable": true} or {"kind": "email", "subscribed": "tpc_...", "value": true}.
// Who has no such channel is neither reachable nor subscribed.
func ChannelLeaf() Spec {
	return Spec{Kind: "channel", Title: "Can be reached, is subscribed", Parse: parseChannel, Schema: func() Schema {
		return object(map[string]Schema{"kind": textSchema, "reachable": booleanSchema, "subscribed": textSchema, "value": booleanSchema}, "kind").with(
			anyOf(
				Schema{"required": []string{"reachable"}, "not": anyOf(has("subscribed"), has("value"))},
				Schema{"required": []string{"subscribed"}, "not": has("reachable")},
			))
	}}
}

type channelLeaf struct {
	kind, topic string // topic is empty for reachability
	want        bool
}

func parseChannel(in Input) (Leaf, error) {
	f := in.fields("kind", "reachable", "subscribed", "value")
	l := &channelLeaf{kind: f.text("kind")}
	switch {
	case f.err != nil:
	case f.has("reachable") == f.has("subscribed"):
		f.fail(errs.Invalid("rule.value", in.Path, "give exactly one of reachable (true or false) and subscribed (a topic id)"))
	case f.has("reachable"):
		if f.has("value") {
			f.fail(errs.Invalid("rule.value", in.Path+".value", "value goes with subscribed; write \"reachable\": false instead"))
		}
		l.want = f.yesNo("reachable", true)
	default:
		l.topic, l.want = f.text("subscribed"), f.yesNo("value", true)
	}
	return l, f.err
}

var isTrue = Cond{Op: Eq, Vals: []Value{{kind: 'b', yes: true}}}

func (l *channelLeaf) Ask(d Dialect, ws string, now time.Time) Question {
	p := Path{l.kind, "reachable"}
	if l.topic != "" {
		p = Path{l.kind, "topics", l.topic}
	}
	q := &SQL{}
	q.Add("SELECT num FROM person WHERE ws = ").Arg(ws).Add(" AND ")
	if !l.want {
		q.Add("NOT ")
	}
	d.Cond(q, "channels", p, isTrue, now.UnixMicro())
	return q.question()
}

func (l *channelLeaf) Eval(s *Subject, _ time.Time) Result {
	c := s.Channels[l.kind]
	if l.topic != "" {
		return steady(c.Topics[l.topic] == l.want)
	}
	return steady(c.Reachable == l.want)
}

func (l *channelLeaf) Needs() Needs { return Needs{} }
