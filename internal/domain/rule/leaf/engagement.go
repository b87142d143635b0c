package leaf

import (
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Engagement asks what became of messages to the person: {"action": "opened", "source": {"kind": "campaign", "id": "cmp_..."}, "topic": "tpc_...",
// "channel": "email", "agg": "count", "op": "gte", "value": 1, "window": ...}. count counts what happened, distinct the messages
// it happened to. What a privacy proxy, a link scanner or an automatic answer did is no sign of the person: "machine": true counts it too.
func Engagement() Spec {
	return Spec{Kind: "engagement", Title: "Received, opened or clicked a message", Parse: parseEngagement, Schema: engagementSchema}
}

var (
	actions     = []string{"sent", "delivered", "opened", "clicked", "bounced", "converted", "unsubscribed", "complained", "replied"}
	actionNames = map[string]string{
		"sent": event.MessageSent, "delivered": event.MessageDelivered, "opened": event.MessageOpened, "clicked": event.MessageClicked,
		"bounced": event.MessageBounced, "converted": event.MessageConverted, "unsubscribed": event.MessageUnsubscribed,
		"complained": event.MessageComplained, "replied": event.MessageReplied,
	}
	engagementAggs = []string{"count", "distinct"}

	// byHand are the actions that machines do as well.
	byHand = []string{"opened", "clicked", "replied"}
	// byPerson holds for an event that does not say of itself that a machine did it.
	byPerson = filter{Path{"machine"}, Cond{Neq, []Value{{kind: 'b', yes: true}}}}
)

type engagement struct {
	pick    pick
	measure measure
}

func parseEngagement(in Input) (Leaf, error) {
	f := in.fields("action", "source", "topic", "channel", "agg", "op", "value", "window", "machine")
	l := &engagement{}
	l.pick.typ = event.Message
	l.pick.name = actionNames[f.choice("action", "", actions)]
	is := func(column, want string, of func(*event.Promoted) string) {
		if want != "" {
			l.pick.columns = append(l.pick.columns, columnIs{column, of, want})
		}
	}
	if source, ok := in.Get("source"); ok && f.err == nil {
		g := source.fields("kind", "id", "node")
		if g.err == nil && len(source.members) == 0 {
			g.fail(errs.Invalid("rule.missing", source.Path, "which source? Add kind, id or node"))
		}
		is("source_kind", g.maybeText("kind"), func(p *event.Promoted) string { return p.SourceKind })
		is("source_id", g.maybeText("id"), func(p *event.Promoted) string { return p.SourceID })
		is("node", g.maybeText("node"), func(p *event.Promoted) string { return p.Node })
		f.fail(g.err)
	}
	is("topic", f.maybeText("topic"), func(p *event.Promoted) string { return p.Topic })
	is("channel", f.maybeText("channel"), func(p *event.Promoted) string { return p.Channel })
	l.measure.agg = f.choice("agg", "count", engagementAggs)
	if l.measure.agg == "distinct" {
		l.measure.column, l.measure.of = "outbox_id", func(p *event.Promoted) string { return p.OutboxID }
	}
	l.measure.cond = f.figure("count")
	l.pick.window = f.window()
	action := f.text("action")
	machines := f.yesNo("machine", false)
	switch human := slices.Contains(byHand, action); {
	case f.err != nil:
	case machines && !human:
		f.fail(errs.Invalid("rule.value", in.Path+".machine", "no machine does %q; leave machine out, it is for opened, clicked and replied", action))
	case human && !machines:
		l.pick.filters = append(l.pick.filters, byPerson)
	}
	return l, f.err
}

func (l *engagement) Ask(d Dialect, ws string, now time.Time) Question {
	return l.measure.ask(&l.pick, d, ws, now.UnixMicro())
}

func (l *engagement) Eval(s *Subject, now time.Time) Result { return l.measure.eval(&l.pick, s, now) }

func (l *engagement) Needs() Needs { return l.pick.needs() }

func engagementSchema() Schema {
	source := object(map[string]Schema{"kind": textSchema, "id": textSchema, "node": textSchema})
	source["minProperties"] = 1
	return object(map[string]Schema{
		"action": enum(actions...), "source": source, "topic": textSchema, "channel": textSchema, "agg": enum(engagementAggs...),
		"op": enum(numericOps...), "value": {}, "window": ref("window"),
		"machine": {"type": "boolean", "description": "also opens and clicks by proxies and scanners, and automatic answers; without it only what people did"},
	}, "action").with(countSchema())
}
