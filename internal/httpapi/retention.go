package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/retention"
	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// RetentionPolicy says how long events are kept.
type RetentionPolicy struct {
	Days  int             `json:"days" minimum:"0" doc:"what no rule names; 0: as long as the workspace"`
	Rules []RetentionRule `json:"rules" maxItems:"500"`
}

// RetentionRule is how long events of a kind are kept.
type RetentionRule struct {
	Type string `json:"type" enum:"track,page,screen,message,segment,journey,task,standing,invoice"`
	Name string `json:"name,omitempty" maxLength:"200" doc:"without: all of the type that no other rule names; pages and screens have none"`
	Days int    `json:"days" minimum:"0" doc:"0: as long as the workspace"`
}

func (p RetentionPolicy) policy() retention.Policy {
	out := retention.Policy{Days: p.Days}
	for _, r := range p.Rules {
		out.Rules = append(out.Rules, retention.Rule{Kind: event.Kind{Type: event.Type(r.Type), Name: r.Name}, Days: r.Days})
	}
	return out
}

func policyOf(p retention.Policy) RetentionPolicy {
	out := RetentionPolicy{Days: p.Days, Rules: make([]RetentionRule, len(p.Rules))}
	for i, r := range p.Rules {
		out.Rules[i] = RetentionRule{string(r.Type), r.Name, r.Days}
	}
	return out
}

// Retention is how long events are kept, and what is gone.
type Retention struct {
	Policy     RetentionPolicy `json:"policy"`
	Kinds      []RetainedKind  `json:"kinds" doc:"that there are or were, the most frequent first"`
	Least      int             `json:"least" doc:"days that a rule may name at least"`
	LedgerDays int             `json:"ledger_days" doc:"days that orders and invoices are kept at least"`
}

// RetainedKind is a kind of event and how long it is kept.
type RetainedKind struct {
	Type    string     `json:"type"`
	Name    string     `json:"name,omitempty"`
	Count   int64      `json:"count"`
	Oldest  *time.Time `json:"oldest,omitempty"`
	Days    int        `json:"days" doc:"that it is kept; 0: as long as the workspace"`
	Lasting string     `json:"lasting,omitempty" enum:"identity,consent" doc:"why it is kept as long as the person, whatever the policy says"`
	Ledger  bool       `json:"ledger,omitempty" doc:"part of the books"`
	Before  *time.Time `json:"gone_before,omitempty" doc:"what happened before was removed"`
	Removed int64      `json:"removed"`
}

// RetentionCount is how many events of a kind go, or went.
type RetentionCount struct {
	Type   string    `json:"type"`
	Name   string    `json:"name,omitempty"`
	Before time.Time `json:"before"`
	Count  int64     `json:"count"`
}

// RetentionCheck is what a policy would do.
type RetentionCheck struct {
	Removed  []RetentionCount `json:"removed" doc:"what would go with the next removal"`
	Segments []RetentionAsker `json:"segments" doc:"that ask further back than events would be kept"`
}

// RetentionAsker is a segment that asks for events that are not kept so long.
type RetentionAsker struct {
	ID     string           `json:"id"`
	Name   string           `json:"name"`
	Limits []RetentionLimit `json:"limits"`
}

// RetentionLimit is how far back a kind of event is known.
type RetentionLimit struct {
	Type   string    `json:"type"`
	Name   string    `json:"name,omitempty"`
	Days   int       `json:"days" doc:"that it is kept; 0: for ever from now on"`
	Before time.Time `json:"before" doc:"what happened before is not known"`
}

// RetentionReceipt is what a removal has done.
type RetentionReceipt struct {
	ID         string           `json:"id" doc:"of its job"`
	By         string           `json:"by"`
	Count      int64            `json:"count"`
	Lines      []RetentionCount `json:"lines"`
	Rewritten  bool             `json:"rewritten" doc:"the files were written anew: the bytes are gone as well"`
	Segments   int              `json:"segments" doc:"that were evaluated again"`
	StartedAt  time.Time        `json:"started_at"`
	FinishedAt time.Time        `json:"finished_at"`
}

func goneShapes(lines []retention.Gone) []RetentionCount {
	out := make([]RetentionCount, len(lines))
	for i, l := range lines {
		out[i] = RetentionCount{string(l.Type), l.Name, l.Before, l.Count}
	}
	return out
}

func limitShapes(limits []retention.Limit) []RetentionLimit {
	out := make([]RetentionLimit, len(limits))
	for i, l := range limits {
		out[i] = RetentionLimit{string(l.Type), l.Name, l.Days, l.Before}
	}
	return out
}

func (a *api) retentionRoutes() {
	s := a.c.Retention
	route(a, http.MethodGet, "/retention", "retention-get", "How long events are kept, and what is gone", staff.ReportsRead, func(ctx context.Context, _ *struct{}) (*body[Retention], error) {
		p, err := s.Policy(ctx, workspaceOf(ctx))
		if err != nil {
			return nil, err
		}
		kinds, err := s.Kinds(ctx, workspaceOf(ctx))
		if err != nil {
			return nil, err
		}
		out := Retention{Policy: policyOf(p), Kinds: make([]RetainedKind, len(kinds)), Least: retention.LeastDays, LedgerDays: retention.LedgerDays}
		for i, k := range kinds {
			out.Kinds[i] = RetainedKind{
				Type: string(k.Type), Name: k.Name, Count: k.Count, Oldest: moment(k.Oldest), Days: k.Days, Lasting: k.Lasting, Ledger: k.Ledger, Before: moment(k.Gone), Removed: k.Removed,
			}
		}
		return answer(out), nil
	})
	type gone struct {
		Items []RetentionCount `json:"items"`
	}
	route(a, http.MethodGet, "/retention/gone", "retention-gone", "Events that were removed, by kind: what happened before is not known", staff.ReportsRead, func(ctx context.Context, _ *struct{}) (*body[gone], error) {
		found, err := s.Gone(ctx, workspaceOf(ctx))
		return answer(gone{goneShapes(found)}), err
	})
	route(a, http.MethodPut, "/retention", "retention-set", "Replace how long events are kept; what is too old goes within a day", staff.PrivacyWrite, func(ctx context.Context, in *in[RetentionPolicy]) (*body[RetentionPolicy], error) {
		err := a.change(ctx, "update", "retention", workspaceOf(ctx), func(ctx context.Context) error {
			return s.SetPolicy(ctx, workspaceOf(ctx), in.Body.policy())
		})
		return answer(in.Body), err
	})
	route(a, http.MethodPost, "/retention/check", "retention-check", "What a policy that need not be in force would remove, and which segments ask further back", staff.PrivacyWrite, func(ctx context.Context, in *in[RetentionPolicy]) (*body[RetentionCheck], error) {
		f, err := s.Look(ctx, workspaceOf(ctx), in.Body.policy())
		if err != nil {
			return nil, err
		}
		out := RetentionCheck{Removed: goneShapes(f.Lines), Segments: make([]RetentionAsker, len(f.Askers))}
		for i, g := range f.Askers {
			out.Segments[i] = RetentionAsker{g.ID, g.Name, limitShapes(g.Limits)}
		}
		return answer(out), nil
	})
	route(a, http.MethodPost, "/retention/removal", "retention-remove", "Remove what is too old now, as a job", staff.PrivacyWrite, func(ctx context.Context, _ *struct{}) (*body[Job], error) {
		return a.begin(ctx, "remove", "retention", s.Wanted())
	}, accepted)
	route(a, http.MethodGet, "/retention/receipts", "retention-receipts", "What removals have done, the last one first", staff.PrivacyWrite, func(ctx context.Context, in *Paging) (*body[List[RetentionReceipt]], error) {
		found, err := s.Receipts(ctx, workspaceOf(ctx), in.request())
		if err != nil {
			return nil, err
		}
		return list(found, func(r retention.Receipt) RetentionReceipt {
			return RetentionReceipt{ID: r.ID, By: r.By, Count: r.Count(), Lines: goneShapes(r.Lines), Rewritten: r.Rewritten, Segments: r.Segments, StartedAt: r.StartedAt, FinishedAt: r.FinishedAt}
		}), nil
	})
	type asked struct {
		Rule Rule `json:"rule"`
	}
	type limits struct {
		Limits []RetentionLimit `json:"limits" doc:"events that are not known as far back as the rule asks"`
	}
	route(a, http.MethodPost, "/retention/limits", "retention-limits", "Which events are not known as far back as a rule asks", staff.SegmentsRead, func(ctx context.Context, in *in[asked]) (*body[limits], error) {
		r, err := rule.Parse(json.RawMessage(in.Body.Rule))
		if err != nil {
			return nil, err
		}
		found, err := s.Limits(ctx, workspaceOf(ctx), r)
		return answer(limits{limitShapes(found)}), err
	})
}
