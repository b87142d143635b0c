package httpapi

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// readable returns what may be shown of a JSON object and the fields that are left out since they are kept encrypted.
func readable(raw json.RawMessage, root string) (json.RawMessage, []string) {
	var hidden []string
	return event.UnsealJSON(raw, root, func(path, _ string) (any, bool) {
		hidden = append(hidden, path)
		return nil, false
	}), hidden
}

// shown is what may be shown of an event, and the fields that are left out since they are kept encrypted.
func shown(k event.Kept) (properties, around json.RawMessage, hidden []string) {
	properties, hidden = readable(k.Properties, rootOf(k.Type))
	around, more := readable(k.Context, "context")
	return properties, around, append(hidden, more...)
}

// rootOf is where rules of intake have the properties of events of a type.
func rootOf(t event.Type) string {
	if t == event.Identify || t == event.Group {
		return "traits"
	}
	return "properties"
}

// opened returns an opener of what is encrypted for the workspace; what cannot be read stays as it is.
func (a *api) opened(ws string) func(path, sealed string) (any, bool) {
	return func(_, sealed string) (any, bool) {
		v, err := a.c.Privacy.Open(ws, sealed)
		if err != nil {
			return sealed, true
		}
		return v, true
	}
}

func (a *api) revealRoutes() {
	type asked struct {
		Field     string `json:"field" minLength:"1" maxLength:"400" doc:"as listed under encrypted"`
		MessageID string `json:"message_id,omitempty" maxLength:"400" doc:"of the event that it stands in; without it, the trait of the person"`
		Reason    string `json:"reason" minLength:"3" maxLength:"300" doc:"why it has to be seen; kept in the audit log"`
	}
	type revealed struct {
		Value any `json:"value"`
	}
	route(a, http.MethodPost, "/people/{id}/reveal", "person-reveal", "One value that is kept encrypted; who looked at it, and why, is noted in the audit log", staff.PeopleReveal, func(ctx context.Context, in *inAt[asked]) (*body[revealed], error) {
		p, err := a.c.People.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		sealed, err := a.sealed(ctx, p, in.Body.Field, in.Body.MessageID)
		if err != nil {
			return nil, err
		}
		var out revealed
		detail := map[string]string{"field": in.Body.Field, "reason": in.Body.Reason}
		if in.Body.MessageID != "" {
			detail["message_id"] = in.Body.MessageID
		}
		err = a.changeWith(ctx, "reveal", "person", p.ID, detail, func(context.Context) (err error) {
			out.Value, err = a.c.Privacy.Open(p.Workspace, sealed)
			return err
		})
		return answer(out), err
	})
}

// sealed finds a field that is kept encrypted among the traits of a person or, if a message id is given, in an event of theirs.
func (a *api) sealed(ctx context.Context, p person.Person, field, messageID string) (string, error) {
	found := ""
	look := func(path, sealed string) (any, bool) {
		if path == field {
			found = sealed
		}
		return nil, false
	}
	if messageID == "" {
		for k, t := range p.Traits {
			event.Unseal(t.Value, "traits."+k, look)
		}
	} else {
		events, err := a.c.Events.Arrivals(ctx, p.Workspace, event.ArrivalFilter{MessageID: messageID}, page.Request{Limit: 1})
		if err != nil {
			return "", err
		}
		ids, err := a.peopleOf(ctx, p.Workspace, events.Items)
		if err != nil {
			return "", err
		}
		if len(events.Items) == 0 || ids[events.Items[0].Person] != p.ID {
			return "", errs.NotFound("event", messageID)
		}
		k := events.Items[0]
		event.UnsealJSON(k.Properties, rootOf(k.Type), look)
		event.UnsealJSON(k.Context, "context", look)
	}
	if found == "" {
		return "", errs.NotFound("encrypted_field", field)
	}
	return found, nil
}
