package httpapi

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/persona"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/domain/version"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// PersonaDraft is what a team says about a persona.
type PersonaDraft struct {
	Name     string   `json:"name" maxLength:"100"`
	Role     string   `json:"role,omitempty" maxLength:"300" doc:"occupation, place, family: one line"`
	Colour   int      `json:"colour,omitempty" minimum:"1" maximum:"8" doc:"of the disc behind the initials, a place in the palette of charts; 1 without it"`
	Picture  *string  `json:"picture,omitempty" maxLength:"81000" doc:"data URL of a JPEG or PNG of at most 60 kB and 640 pixels a side; an empty text removes it, without the member it stays"`
	AgeFrom  int      `json:"age_from,omitempty" minimum:"0" maximum:"130"`
	AgeTo    int      `json:"age_to,omitempty" minimum:"0" maximum:"130" doc:"included; 0: no age is assumed"`
	Quote    string   `json:"quote,omitempty" maxLength:"300"`
	Story    string   `json:"story,omitempty" maxLength:"5000"`
	Goals    []string `json:"goals,omitempty" maxItems:"40"`
	Needs    []string `json:"needs,omitempty" maxItems:"40"`
	Pains    []string `json:"pains,omitempty" maxItems:"40" doc:"what frustrates them"`
	Words    []string `json:"words,omitempty" maxItems:"40" doc:"words they use"`
	Channels []string `json:"channels,omitempty" maxItems:"40" doc:"preferred first: kinds of GET /channels or words of the team"`
	Segment  string   `json:"segment_id,omitempty" maxLength:"80" doc:"segment or list of the people it stands for"`
}

// Persona is a named archetype that stands for the people of a segment.
type Persona struct {
	ID string `json:"id"`
	PersonaDraft
	Size      *uint64   `json:"size,omitempty" doc:"people of its segment now; absent without one"`
	Unsettled bool      `json:"unsettled,omitempty" doc:"its segment is still being evaluated: the size is not final"`
	Revision  int64     `json:"revision" doc:"send it back with an edit"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// PersonaReality is what the people of a persona's segment are like.
type PersonaReality struct {
	Since     time.Time     `json:"since" doc:"what they did before is not looked at"`
	People    int64         `json:"people"`
	Everyone  int64         `json:"everyone" doc:"people of the workspace, beside whom shares are given"`
	Unsettled bool          `json:"unsettled" doc:"the segment is still being evaluated: others may belong to it"`
	Age       AgeSpread     `json:"age"`
	Traits    []RealTrait   `json:"traits" doc:"most widely known first"`
	Doings    []RealShare   `json:"doings" doc:"what most of them did"`
	Channels  []RealChannel `json:"channels"`
}

// AgeSpread says how old people are.
type AgeSpread struct {
	Known  int64   `json:"known" doc:"people whose age is known, by the traits age or birthday; the others are 0 if it is 0"`
	Low    float64 `json:"low" doc:"a quarter is younger"`
	Median float64 `json:"median"`
	High   float64 `json:"high" doc:"a quarter is older"`
}

// RealTrait is a trait as the people of a segment have it.
type RealTrait struct {
	Path   string      `json:"path"`
	Kind   string      `json:"kind" enum:"text,number,boolean"`
	Known  int64       `json:"known" doc:"people who have it"`
	Low    float64     `json:"low,omitempty" doc:"of numbers: a quarter lies below"`
	Median float64     `json:"median,omitempty"`
	High   float64     `json:"high,omitempty"`
	Values []RealShare `json:"values" doc:"of texts and truth values, most frequent first; none of a single person"`
}

// RealShare is a value or an act and how many people share it.
type RealShare struct {
	Value string   `json:"value"`
	Type  string   `json:"type,omitempty" doc:"of acts: track, page or screen"`
	N     int64    `json:"n" doc:"people"`
	Of    int64    `json:"of" doc:"people it is a share of"`
	Usual *float64 `json:"usual,omitempty" doc:"share among everyone, if it is known"`
}

// RealChannel says how people are reached on a channel.
type RealChannel struct {
	Kind     string `json:"kind"`
	Reached  int64  `json:"reached" doc:"people who can be reached there"`
	Answered int64  `json:"answered" doc:"people who opened, clicked or replied there"`
}

// personaWords is a persona without its picture and the size of its segment.
func personaWords(p persona.Persona) Persona {
	return Persona{
		ID: p.ID, Revision: p.Rev, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
		PersonaDraft: PersonaDraft{
			Name: p.Name, Role: p.Role, Colour: p.Colour, AgeFrom: p.AgeFrom, AgeTo: p.AgeTo, Quote: p.Quote, Story: p.Story, Goals: p.Goals, Needs: p.Needs,
			Pains: p.Pains, Words: p.Words, Channels: p.Channels, Segment: p.Segment,
		},
	}
}

// personaState has no picture: a hundred of them would be eight megabytes a persona.
func personaState(p persona.Persona) state {
	return state{"persona", p.ID, p.Rev, p.UpdatedAt, personaWords(p)}
}

func (a *api) personaShape(ctx context.Context, p persona.Persona) (Persona, error) {
	out := personaWords(p)
	if len(p.Picture) > 0 {
		url := "data:" + http.DetectContentType(p.Picture) + ";base64," + base64.StdEncoding.EncodeToString(p.Picture)
		out.Picture = &url
	}
	size, ok, err := a.c.Personas.Size(ctx, p)
	if ok {
		out.Size, out.Unsettled = &size.People, size.Unsettled
	}
	return out, err
}

func (d PersonaDraft) draft() (persona.Draft, error) {
	out := persona.Draft{
		Name: d.Name, Role: d.Role, Colour: d.Colour, AgeFrom: d.AgeFrom, AgeTo: d.AgeTo, Quote: d.Quote, Story: d.Story, Goals: d.Goals, Needs: d.Needs,
		Pains: d.Pains, Words: d.Words, Channels: d.Channels, Segment: d.Segment,
	}
	if d.Picture == nil || *d.Picture == "" {
		return out, nil
	}
	head, data, ok := strings.Cut(*d.Picture, ";base64,")
	raw, err := base64.StdEncoding.DecodeString(data)
	if !ok || err != nil || !strings.HasPrefix(head, "data:image/") {
		return out, errs.Invalid("persona.picture", "picture", "send the picture as a data URL: data:image/jpeg;base64,...")
	}
	out.Picture = raw
	return out, nil
}

func realityShape(r persona.Reality) PersonaReality {
	out := PersonaReality{
		Since: r.Since, People: r.Theirs.People, Everyone: r.Everyone.People, Unsettled: r.Unsettled, Traits: []RealTrait{}, Doings: []RealShare{}, Channels: []RealChannel{},
		Age: AgeSpread{r.Theirs.Ages.N, r.Theirs.Ages.Low, r.Theirs.Ages.Median, r.Theirs.Ages.High},
	}
	usual := map[[2]string]float64{}
	for _, t := range r.Everyone.Traits {
		for _, v := range t.Values {
			usual[[2]string{t.Path, v.Value}] = float64(v.Count) / float64(t.Spread.N)
		}
	}
	for _, d := range r.Everyone.Doings {
		usual[[2]string{"\x00" + string(d.Type), d.Name}] = float64(d.People) / float64(r.Everyone.People)
	}
	share := func(of, value, typ string, n, all int64) RealShare {
		s := RealShare{Value: value, Type: typ, N: n, Of: all}
		if u, ok := usual[[2]string{of, value}]; ok {
			s.Usual = &u
		}
		return s
	}
	for _, t := range r.Theirs.Traits {
		s := RealTrait{Path: t.Path, Kind: t.Kind, Known: t.Spread.N, Low: t.Spread.Low, Median: t.Spread.Median, High: t.Spread.High, Values: []RealShare{}}
		for _, v := range t.Values {
			s.Values = append(s.Values, share(t.Path, v.Value, "", v.Count, t.Spread.N))
		}
		out.Traits = append(out.Traits, s)
	}
	for _, d := range r.Theirs.Doings {
		out.Doings = append(out.Doings, share("\x00"+string(d.Type), d.Name, string(d.Type), d.People, r.Theirs.People))
	}
	for _, kind := range r.Theirs.Channels() {
		out.Channels = append(out.Channels, RealChannel{kind, r.Theirs.Reached[kind], r.Theirs.Answered[kind]})
	}
	return out
}

func (a *api) personaRoutes() {
	s := a.c.Personas
	write := func(ctx context.Context, action string, do func(ctx context.Context) (persona.Persona, error)) (*body[Persona], error) {
		p, err := changed(ctx, a, action, "persona", func(p persona.Persona) string { return p.ID }, do)
		if err != nil {
			return nil, err
		}
		out, err := a.personaShape(ctx, p)
		return answer(out), err
	}
	type filter struct {
		Paging
		Q string `query:"q" maxLength:"200" doc:"part of name or role"`
	}
	route(a, http.MethodGet, "/personas", "persona-list", "Personas with the live sizes of their segments, by name", staff.SegmentsRead, func(ctx context.Context, in *filter) (*body[List[Persona]], error) {
		found, err := s.List(ctx, workspaceOf(ctx), in.Q, in.request())
		if err != nil {
			return nil, err
		}
		out := List[Persona]{Items: make([]Persona, len(found.Items)), NextCursor: found.Next}
		for i, p := range found.Items {
			if out.Items[i], err = a.personaShape(ctx, p); err != nil {
				return nil, err
			}
		}
		return answer(out), nil
	})
	route(a, http.MethodPost, "/personas", "persona-create", "Make a persona", staff.SegmentsWrite, func(ctx context.Context, in *in[PersonaDraft]) (*body[Persona], error) {
		d, err := in.Body.draft()
		if err != nil {
			return nil, err
		}
		return write(ctx, "create", func(ctx context.Context) (persona.Persona, error) {
			p, err := s.Create(ctx, workspaceOf(ctx), d)
			if err != nil {
				return p, err
			}
			return p, a.keep(ctx, state{}, personaState(p))
		})
	}, created)
	route(a, http.MethodGet, "/personas/{id}", "persona-get", "One persona", staff.SegmentsRead, func(ctx context.Context, in *IDPath) (*body[Persona], error) {
		p, err := s.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		out, err := a.personaShape(ctx, p)
		return answer(out), err
	})
	type edit struct {
		PersonaDraft
		Revision int64 `json:"revision" doc:"that was seen; 0 overwrites whatever is there"`
	}
	route(a, http.MethodPut, "/personas/{id}", "persona-update", "Change a persona", staff.SegmentsWrite, func(ctx context.Context, in *inAt[edit]) (*body[Persona], error) {
		d, err := in.Body.draft()
		if err != nil {
			return nil, err
		}
		return write(ctx, "update", func(ctx context.Context) (persona.Persona, error) {
			before, err := s.Get(ctx, workspaceOf(ctx), in.ID)
			if err != nil {
				return before, err
			}
			now, err := s.Update(ctx, workspaceOf(ctx), in.ID, in.Body.Revision, d, in.Body.Picture == nil)
			if err != nil {
				return now, err
			}
			return now, a.keep(ctx, personaState(before), personaState(now))
		})
	})
	route(a, http.MethodDelete, "/personas/{id}", "persona-delete", "Remove a persona; journey maps that named it name none", staff.SegmentsWrite, func(ctx context.Context, in *IDPath) (*nothing, error) {
		return nil, a.change(ctx, "delete", "persona", in.ID, func(ctx context.Context) error {
			if err := s.Delete(ctx, workspaceOf(ctx), in.ID); err != nil {
				return err
			}
			return a.c.Versions.Drop(ctx, workspaceOf(ctx), version.Thing{Kind: "persona", ID: in.ID})
		})
	}, noContent)
	route(a, http.MethodGet, "/personas/{id}/reality", "persona-reality", "What the people of its segment are like: age, traits, what they did in ninety days, where they are reached", staff.PeopleRead, func(ctx context.Context, in *IDPath) (*body[PersonaReality], error) {
		r, err := s.Real(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return answer(realityShape(r)), nil
	})
}
