package httpapi

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Suggestion says that two people may be one, and why.
type Suggestion struct {
	ID        string            `json:"id"`
	Status    string            `json:"status" enum:"open,joined,refused"`
	One       Person            `json:"one" doc:"who would keep the id"`
	Two       Person            `json:"two"`
	Score     int               `json:"score" doc:"what the evidence weighs; the list is ordered by it"`
	Evidence  []SuggestedBy     `json:"evidence"`
	FirstAt   time.Time         `json:"first_at" doc:"when it came up"`
	LastAt    time.Time         `json:"last_at"`
	Note      string            `json:"note,omitempty" doc:"why it was decided"`
	By        string            `json:"by,omitempty" doc:"who decided"`
	DecidedAt *time.Time        `json:"decided_at,omitempty"`
	Effect    *SuggestionEffect `json:"effect,omitempty" doc:"what joining them would do; only for one suggestion"`
}

// SuggestedBy is one reason to take two people for one.
type SuggestedBy struct {
	Reason  string    `json:"reason" doc:"why a merge was refused: conflict, alias, limit, link_cap, merge_cap, apart; or what they are alike in: same_mail, same_phone, same_name_address, same_name_birthday"`
	Kind    string    `json:"kind,omitempty" doc:"of the identifier that they have in common"`
	Value   string    `json:"value,omitempty"`
	Times   int       `json:"times" doc:"how often it was met"`
	FirstAt time.Time `json:"first_at"`
	LastAt  time.Time `json:"last_at"`
}

// SuggestionEffect is what joining two people would do.
type SuggestionEffect struct {
	Identifiers int                 `json:"identifiers" doc:"of the one person"`
	Journeys    []SuggestionJourney `json:"journeys" doc:"ways that go on; where both are inside, one does"`
	Consents    []SuggestionConsent `json:"consents" doc:"topics of which the two have said different things: the more restrictive stands"`
}

// SuggestionJourney is a journey that one or both are inside.
type SuggestionJourney struct {
	Journey string `json:"journey_id"`
	Of      string `json:"of" enum:"one,two,both"`
}

// SuggestionConsent is what two people have said of a topic and what would stand.
type SuggestionConsent struct {
	Topic   string `json:"topic"`
	Channel string `json:"channel"`
	One     string `json:"one,omitempty"`
	Two     string `json:"two,omitempty"`
	Then    string `json:"then"`
}

func suggestionShape(x person.Suggestion) Suggestion {
	out := Suggestion{
		ID: x.ID, Status: string(x.Status), One: personShape(x.One), Two: personShape(x.Two), Score: x.Score, Evidence: make([]SuggestedBy, len(x.Evidence)),
		FirstAt: x.First, LastAt: x.Last, Note: x.Note, By: x.By, DecidedAt: moment(x.Decided),
	}
	for i, e := range x.Evidence {
		out.Evidence[i] = SuggestedBy{Reason: e.Reason, Kind: e.Kind, Value: e.Value, Times: e.Times, FirstAt: time.UnixMicro(e.First).UTC(), LastAt: time.UnixMicro(e.Last).UTC()}
	}
	return out
}

func (a *api) suggestionRoutes() {
	s := a.c.People
	type filter struct {
		Paging
		Status string `query:"status" enum:"open,joined,refused" default:"open"`
		Source string `query:"source" maxLength:"60" doc:"id of a source, or of the job of an import: only pairs that something from there speaks for"`
	}
	route(a, http.MethodGet, "/people-suggestions", "people-suggestion-list", "Pairs of people who may be one, those with the weightiest evidence first; no machine ever joins them", staff.PeopleRead, func(ctx context.Context, in *filter) (*body[List[Suggestion]], error) {
		found, err := s.Suggestions(ctx, workspaceOf(ctx), person.SuggestionStatus(in.Status), in.Source, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, suggestionShape), nil
	})
	route(a, http.MethodGet, "/people-suggestions/{id}", "people-suggestion-get", "Two people who may be one, and what joining them would do", staff.PeopleRead, func(ctx context.Context, in *IDPath) (*body[Suggestion], error) {
		x, err := s.Suggestion(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		out := suggestionShape(x)
		if out.Effect, err = a.effect(ctx, x); err != nil {
			return nil, err
		}
		for _, p := range []person.Person{x.One, x.Two} {
			if err := a.saw(ctx, p.ID); err != nil {
				return nil, err
			}
		}
		return answer(out), nil
	})
	type decision struct {
		Note string `json:"note,omitempty" maxLength:"500" doc:"why"`
	}
	decide := func(action string, do func(ctx context.Context, ws, id, note, by string) (person.Suggestion, error)) func(ctx context.Context, in *inAt[decision]) (*body[Suggestion], error) {
		return func(ctx context.Context, in *inAt[decision]) (*body[Suggestion], error) {
			before, err := s.Suggestion(ctx, workspaceOf(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			if before.Status != person.Open { // repeated: the same answer, and no second entry in the log
				x, err := do(ctx, workspaceOf(ctx), in.ID, in.Body.Note, caller(ctx).ID)
				return answer(suggestionShape(x)), err
			}
			var x person.Suggestion
			detail := map[string]any{"one": before.One.ID, "two": before.Two.ID, "note": in.Body.Note}
			err = a.changeWith(ctx, action, "suggestion", in.ID, detail, func(ctx context.Context) (err error) {
				x, err = do(ctx, workspaceOf(ctx), in.ID, in.Body.Note, caller(ctx).ID)
				return err
			})
			return answer(suggestionShape(x)), err
		}
	}
	route(a, http.MethodPost, "/people-suggestions/{id}/accept", "people-suggestion-accept", "Make one person of the two, within seconds, against any limit of identifiers; repeated, it changes nothing", staff.PeopleWrite, decide("accept", s.AcceptSuggestion))
	route(a, http.MethodPost, "/people-suggestions/{id}/refuse", "people-suggestion-refuse", "Decide that they are two: no machine joins them, and they are not suggested again; repeated, it changes nothing", staff.PeopleWrite, decide("refuse", s.RefuseSuggestion))
	route(a, http.MethodPost, "/people-suggestions/look", "people-suggestion-look", "Search for probable duplicates anew; it is done in the background and finds people who are alike in address, number, or name and birthday", staff.PeopleWrite, func(ctx context.Context, _ *nothing) (*nothing, error) {
		return nil, a.change(ctx, "look", "suggestion", workspaceOf(ctx), func(ctx context.Context) error { return s.LookAgain(ctx, workspaceOf(ctx)) })
	}, noContent)
}

// effect says what joining the two of a suggestion would do.
func (a *api) effect(ctx context.Context, x person.Suggestion) (*SuggestionEffect, error) {
	out := &SuggestionEffect{Identifiers: len(x.One.Identifiers) + len(x.Two.Identifiers), Journeys: []SuggestionJourney{}, Consents: []SuggestionConsent{}}
	var said [2][]consent.State
	for i, p := range []person.Person{x.One, x.Two} {
		rounds, err := a.c.Journeys.OfPerson(ctx, p.Workspace, p.ID, page.Request{Limit: page.MaxLimit})
		if err != nil {
			return nil, err
		}
		for _, r := range rounds.Items {
			if !r.Inside() {
				continue
			}
			side := []string{"one", "two"}[i]
			j := slices.IndexFunc(out.Journeys, func(s SuggestionJourney) bool { return s.Journey == r.Journey })
			switch {
			case j < 0:
				out.Journeys = append(out.Journeys, SuggestionJourney{r.Journey, side})
			case out.Journeys[j].Of != side:
				out.Journeys[j].Of = "both"
			}
		}
		if _, said[i], err = a.c.Consent.Preferences(ctx, p.Workspace, p.ID); err != nil {
			return nil, err
		}
	}
	of := func(states []consent.State, topic, channel string) string {
		for _, s := range states {
			if s.Topic == topic && s.Channel == channel {
				return string(s.Status)
			}
		}
		return ""
	}
	for _, m := range consent.Merged(said[0], said[1]) {
		one, two := of(said[0], m.Topic, m.Channel), of(said[1], m.Topic, m.Channel)
		if one != two {
			out.Consents = append(out.Consents, SuggestionConsent{Topic: m.Topic, Channel: m.Channel, One: one, Two: two, Then: string(m.Status)})
		}
	}
	return out, nil
}
