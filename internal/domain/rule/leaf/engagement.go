package leaf

import (
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Engagement asks what became of messages to the person: {"action": "opened", "source": {"kind": "campaign", "id": "cmp_..."}, "topic": "tpc_...",
// "channel": "email", "agg": "count", "op": "gte", "value": 1, "window": ...}. count counts what happened, distinct the messages
// it happened to.
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
)

type engagement struct {
	pick    pick
	measure measure
}

func parseEngagement(in Input) (Leaf, error) {
	f := in.fields("action", "source", "topic", "channel", "agg", "op", "value", "window")
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
	}, "action").with(countSchema())
}
