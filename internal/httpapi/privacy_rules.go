package httpapi

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/privacy"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// PrivacyRules are what a workspace has decided about what intake keeps.
type PrivacyRules struct {
	Fields  []PrivacyField `json:"fields" maxItems:"100" doc:"what becomes of fields before anything is stored"`
	Consent []string       `json:"consent" maxItems:"20" doc:"categories that an event must carry a yes to in context.consent.categoryPreferences to be kept, for profiles, segments and reports; one that lacks it is not taken, or its preferences alone if it names a user"`
	Send    []string       `json:"send,omitempty" maxItems:"20" doc:"categories: who has said anything about consent and not yes to each is sent nothing but transactional messages"`
	Forward []string       `json:"forward,omitempty" maxItems:"20" doc:"categories: of events and people that have said anything about consent and not yes to each webhooks tell nothing"`
	Unasked bool           `json:"unasked" doc:"events that carry no preferences at all are taken all the same"`
}

// PrivacyField is one field and what becomes of it.
type PrivacyField struct {
	Path   string `json:"path" doc:"properties.card.number, traits.birth_date, context.ip; lists are gone through"`
	Action string `json:"action" enum:"drop,hash,mask,encrypt" doc:"drop: not kept. hash: a keyed hash is kept. mask: most of it is hidden. encrypt: nobody can ask for it, and who may reveal it can read it"`
}

func (r PrivacyRules) rules() privacy.Rules {
	out := privacy.Rules{Consent: r.Consent, Send: r.Send, Forward: r.Forward, Unasked: r.Unasked}
	for _, f := range r.Fields {
		out.Fields = append(out.Fields, privacy.Field{Path: f.Path, Action: privacy.Action(f.Action)})
	}
	return out
}

func rulesShape(r privacy.Rules) PrivacyRules {
	out := PrivacyRules{Fields: make([]PrivacyField, len(r.Fields)), Consent: filled(r.Consent), Send: r.Send, Forward: r.Forward, Unasked: r.Unasked}
	for i, f := range r.Fields {
		out.Fields[i] = PrivacyField{f.Path, string(f.Action)}
	}
	return out
}

// changeIntake makes a change of what intake takes and keeps, and answers when this process goes by it.
func (a *api) changeIntake(ctx context.Context, verb, noun, id string, do func(ctx context.Context) error) error {
	if err := a.change(ctx, verb, noun, id, do); err != nil {
		return err
	}
	return a.c.Privacy.Refresh(ctx)
}

func (a *api) privacyRuleRoutes() {
	s := a.c.Privacy
	route(a, http.MethodGet, "/privacy-rules", "privacy-rules-get", "What intake keeps of events", staff.PrivacyWrite, func(ctx context.Context, _ *struct{}) (*body[PrivacyRules], error) {
		r, err := s.Rules(ctx, workspaceOf(ctx))
		return answer(rulesShape(r)), err
	})
	route(a, http.MethodPut, "/privacy-rules", "privacy-rules-set", "Replace what intake keeps of events, from now on", staff.PrivacyWrite, func(ctx context.Context, in *in[PrivacyRules]) (*body[PrivacyRules], error) {
		err := a.changeIntake(ctx, "update", "privacy_rules", workspaceOf(ctx), func(ctx context.Context) error {
			return s.SetRules(ctx, workspaceOf(ctx), in.Body.rules())
		})
		return answer(in.Body), err
	})
	type sample struct {
		Type       string         `json:"type" enum:"track,page,screen,identify,group"`
		Properties map[string]any `json:"properties,omitempty" doc:"of identify and group: the traits"`
		Context    map[string]any `json:"context,omitempty"`
	}
	type trial struct {
		Rules PrivacyRules `json:"rules"`
		Event sample       `json:"event"`
	}
	type outcome struct {
		Taken bool   `json:"taken"`
		Event sample `json:"event" doc:"as it would be kept"`
	}
	route(a, http.MethodPost, "/privacy-rules/try", "privacy-rules-try", "What rules that need not be in force would leave of an event; nothing is stored", staff.PrivacyWrite, func(ctx context.Context, in *in[trial]) (*body[outcome], error) {
		r := in.Body.Rules.rules()
		if err := r.Validate(); err != nil {
			return nil, renamed(err, func(field string) string { return "rules." + field })
		}
		props, err := json.Marshal(in.Body.Event.Properties)
		if err != nil {
			return nil, err
		}
		around, err := json.Marshal(in.Body.Event.Context)
		if err != nil {
			return nil, err
		}
		e := event.Event{Workspace: workspaceOf(ctx), Type: event.Type(in.Body.Event.Type), Properties: props, Context: around}
		out := outcome{Taken: s.Try(e.Workspace, r, &e), Event: sample{Type: in.Body.Event.Type}}
		if out.Taken {
			out.Event.Properties, out.Event.Context = event.Object(e.Properties), event.Object(e.Context)
		}
		return answer(out), nil
	})
}
