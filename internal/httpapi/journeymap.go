package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journeymap"
	"github.com/kizuna-cx/kizuna/internal/domain/report"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/domain/version"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// MapSignal names events that show that somebody was at a touchpoint; what is left out narrows nothing.
type MapSignal struct {
	Type    string `json:"type,omitempty" enum:"track,page,screen,message,segment,journey,consent,invoice,task"`
	Name    string `json:"name,omitempty" maxLength:"500" doc:"of the event, as GET /event-names lists them"`
	Path    string `json:"path,omitempty" maxLength:"500" doc:"of a page; a final * stands for any ending"`
	Channel string `json:"channel,omitempty" maxLength:"100" doc:"of messages"`
	Source  string `json:"source_id,omitempty" maxLength:"100" doc:"of messages: campaign or journey that sent them"`
}

// MapTouchpoint is where customers meet the business, or others who speak of it.
type MapTouchpoint struct {
	ID      string      `json:"id" maxLength:"40" doc:"unique in the map, chosen by the client"`
	Name    string      `json:"name,omitempty"`
	Channel string      `json:"channel,omitempty" doc:"a word such as web, email, store"`
	Owner   string      `json:"owner,omitempty" doc:"who takes care of it"`
	Signals []MapSignal `json:"signals,omitempty" maxItems:"8" doc:"events that show that somebody was here"`
}

// MapStage is one stage of a map. Texts have up to 2000 characters.
type MapStage struct {
	ID            string            `json:"id" maxLength:"40" doc:"unique in the map, chosen by the client"`
	Name          string            `json:"name,omitempty"`
	Does          string            `json:"does,omitempty" doc:"what the customer does"`
	Thinks        string            `json:"thinks,omitempty"`
	Feels         string            `json:"feels,omitempty"`
	Mood          int               `json:"mood" minimum:"-2" maximum:"2" doc:"from bad to good"`
	Needs         string            `json:"needs,omitempty"`
	Pains         string            `json:"pains,omitempty"`
	Opportunities string            `json:"opportunities,omitempty"`
	Actions       string            `json:"actions,omitempty" doc:"what we do"`
	Notes         map[string]string `json:"notes,omitempty" doc:"by the id of a row"`
	Touchpoints   []MapTouchpoint   `json:"touchpoints,omitempty" maxItems:"12"`
	Also          []string          `json:"also,omitempty" doc:"stages that the plan leads to from here, beside the next one"`
}

// JourneyMapDraft is how a team imagines that customers come.
type JourneyMapDraft struct {
	Name        string     `json:"name" maxLength:"120"`
	Description string     `json:"description,omitempty" maxLength:"2000"`
	Persona     string     `json:"persona_id,omitempty" maxLength:"80"`
	Segment     string     `json:"segment_id,omitempty" maxLength:"80" doc:"whose real ways are looked at; without it those of the persona's segment, else everyone's"`
	Stages      []MapStage `json:"stages" maxItems:"16"`
	Rows        []MapRow   `json:"rows,omitempty" maxItems:"10" doc:"of the team's own, beside those that every map has"`
}

// MapRow is something that the team writes about every stage.
type MapRow struct {
	ID   string `json:"id" maxLength:"40" doc:"unique in the map, chosen by the client"`
	Name string `json:"name,omitempty" maxLength:"120"`
}

// JourneyMap is a plan of how customers come, stage by stage.
type JourneyMap struct {
	ID string `json:"id"`
	JourneyMapDraft
	Revision  int64     `json:"revision" doc:"send it back with an edit"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// ReadyMap is a ready-made map.
type ReadyMap struct {
	Key         string   `json:"key"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Stages      []string `json:"stages"`
}

// ReadyMaps are all ready-made maps.
type ReadyMaps struct {
	Maps []ReadyMap `json:"maps"`
}

// MapFlow is how people really went through the stages of a map. Stages are named by their place, the first is 0.
type MapFlow struct {
	From    string         `json:"from" doc:"first day, in the zone of the workspace"`
	To      string         `json:"to" doc:"last day"`
	Segment string         `json:"segment_id,omitempty" doc:"whose ways these are; absent: everyone's"`
	People  int64          `json:"people" doc:"who came to a stage at all"`
	OffPlan int64          `json:"off_plan" doc:"of them: who began elsewhere than at the first stage, or went where the plan does not lead"`
	Steps   int            `json:"steps" doc:"stations of a way that are told apart"`
	Stages  []MapFlowStage `json:"stages"`
	Links   []MapFlowLink  `json:"links"`
	Paths   []MapFlowPath  `json:"paths" doc:"most frequent first"`
	Other   int64          `json:"other" doc:"people who went another way than those of paths"`
}

// MapFlowStage counts people at a stage.
type MapFlowStage struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Seen     bool   `json:"seen" doc:"some event stands for it; without one nobody can be seen here"`
	Reached  int64  `json:"reached"`
	Next     int64  `json:"next" doc:"of them: who later came to the stage after it"`
	Dropped  int64  `json:"dropped" doc:"reached less next"`
	Ended    int64  `json:"ended" doc:"whose way ends here as far as the period goes"`
	MedianMS int64  `json:"median_ms" doc:"from first coming here to coming to the next stage, of those who did"`
}

// MapFlowLink is a station of people's ways and the one after it.
type MapFlowLink struct {
	Step     int   `json:"step" doc:"place of the station in the way, from 1"`
	From     int   `json:"from"`
	To       int   `json:"to" doc:"-1: the way ends"`
	Planned  bool  `json:"planned" doc:"the plan leads there, or the way ends"`
	People   int64 `json:"people"`
	MedianMS int64 `json:"median_ms" doc:"from coming to the one to coming to the other"`
}

// MapFlowPath is a way that people went.
type MapFlowPath struct {
	Stages  []int `json:"stages"`
	More    bool  `json:"more" doc:"it goes on"`
	OffPlan bool  `json:"off_plan"`
	People  int64 `json:"people"`
}

func mapDraftShape(d journeymap.Draft) JourneyMapDraft {
	out := JourneyMapDraft{Name: d.Name, Description: d.Description, Persona: d.Persona, Segment: d.Segment, Stages: make([]MapStage, len(d.Stages))}
	for _, r := range d.Rows {
		out.Rows = append(out.Rows, MapRow(r))
	}
	for i, s := range d.Stages {
		stage := MapStage{
			ID: s.ID, Name: s.Name, Does: s.Does, Thinks: s.Thinks, Feels: s.Feels, Mood: s.Mood, Needs: s.Needs, Pains: s.Pains, Opportunities: s.Opportunities, Actions: s.Actions, Notes: s.Notes, Also: s.Also,
			Touchpoints: make([]MapTouchpoint, len(s.Touchpoints)),
		}
		for j, p := range s.Touchpoints {
			stage.Touchpoints[j] = MapTouchpoint{ID: p.ID, Name: p.Name, Channel: p.Channel, Owner: p.Owner, Signals: make([]MapSignal, len(p.Signals))}
			for k, g := range p.Signals {
				stage.Touchpoints[j].Signals[k] = MapSignal{Type: string(g.Type), Name: g.Name, Path: g.Path, Channel: g.Channel, Source: g.Source}
			}
		}
		out.Stages[i] = stage
	}
	return out
}

func (d JourneyMapDraft) draft() journeymap.Draft {
	out := journeymap.Draft{Name: d.Name, Description: d.Description, Persona: d.Persona, Segment: d.Segment, Stages: make([]journeymap.Stage, len(d.Stages))}
	for _, r := range d.Rows {
		out.Rows = append(out.Rows, journeymap.Row(r))
	}
	for i, s := range d.Stages {
		stage := journeymap.Stage{
			ID: s.ID, Name: s.Name, Does: s.Does, Thinks: s.Thinks, Feels: s.Feels, Mood: s.Mood, Needs: s.Needs, Pains: s.Pains, Opportunities: s.Opportunities, Actions: s.Actions, Notes: s.Notes, Also: s.Also,
			Touchpoints: make([]journeymap.Touchpoint, len(s.Touchpoints)),
		}
		for j, p := range s.Touchpoints {
			stage.Touchpoints[j] = journeymap.Touchpoint{ID: p.ID, Name: p.Name, Channel: p.Channel, Owner: p.Owner, Signals: make([]event.Signal, len(p.Signals))}
			for k, g := range p.Signals {
				stage.Touchpoints[j].Signals[k] = event.Signal{Type: event.Type(g.Type), Name: g.Name, Path: g.Path, Channel: g.Channel, Source: g.Source}
			}
		}
		out.Stages[i] = stage
	}
	return out
}

func mapShape(m journeymap.Map) JourneyMap {
	return JourneyMap{ID: m.ID, JourneyMapDraft: mapDraftShape(m.Draft), Revision: m.Rev, CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt}
}

func mapState(m journeymap.Map) state {
	return state{"journey_map", m.ID, m.Rev, m.UpdatedAt, mapShape(m)}
}

func mapFlowShape(m journeymap.Map, r journeymap.Real) MapFlow {
	out := MapFlow{
		Segment: r.Segment, People: r.People, OffPlan: r.OffPlan, Steps: r.Steps, Other: r.Other, Stages: make([]MapFlowStage, len(r.Stages)), Links: make([]MapFlowLink, len(r.Links)),
		Paths: make([]MapFlowPath, len(r.Paths)),
	}
	for i, s := range r.Stages {
		out.Stages[i] = MapFlowStage{
			ID: m.Stages[i].ID, Name: m.Stages[i].Name, Seen: m.Stages[i].Seen(), Reached: s.Reached, Next: s.Next, Dropped: s.Reached - s.Next, Ended: s.Ended, MedianMS: s.Median.Milliseconds(),
		}
	}
	for i, l := range r.Links {
		out.Links[i] = MapFlowLink{Step: l.Step, From: l.From, To: l.To, Planned: l.To == event.End || m.Leads(l.From, l.To), People: l.People, MedianMS: l.Median.Milliseconds()}
	}
	for i, p := range r.Paths {
		out.Paths[i] = MapFlowPath{Stages: p.Stages, More: p.More, OffPlan: p.Off, People: p.People}
	}
	return out
}

// MapPeriod is the days and the people whose ways are asked for.
type MapPeriod struct {
	From    string `query:"from" doc:"first day, such as 2026-03-01; thirty days before the last without it"`
	To      string `query:"to" doc:"last day; today without it"`
	Segment string `query:"segment" maxLength:"80" doc:"segment or list; \"everyone\" for all people; without it that of the map, else of its persona"`
}

func (a *api) mapPeriod(ctx context.Context, in MapPeriod) (report.Period, journeymap.Period, error) {
	ws, err := a.c.Workspaces.Get(ctx, workspaceOf(ctx))
	if err != nil {
		return report.Period{}, journeymap.Period{}, err
	}
	p, err := report.ParsePeriod(in.From, in.To, a.c.Clock.Now(), ws.Location())
	return p, journeymap.Period{From: p.From, To: p.To, Segment: in.Segment}, err
}

func (a *api) journeyMapRoutes() {
	s := a.c.Maps
	write := func(ctx context.Context, action string, do func(ctx context.Context) (journeymap.Map, error)) (*body[JourneyMap], error) {
		m, err := changed(ctx, a, action, "journey_map", func(m journeymap.Map) string { return m.ID }, do)
		return answer(mapShape(m)), err
	}
	type filter struct {
		Paging
		Q       string `query:"q" maxLength:"200" doc:"part of the name"`
		Persona string `query:"persona" maxLength:"80" doc:"maps that show this persona"`
	}
	route(a, http.MethodGet, "/journey-maps", "journey-map-list", "Journey maps, latest made first", staff.SegmentsRead, func(ctx context.Context, in *filter) (*body[List[JourneyMap]], error) {
		found, err := s.List(ctx, workspaceOf(ctx), journeymap.Filter{Text: in.Q, Persona: in.Persona}, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, mapShape), nil
	})
	type locale struct {
		Locale string `query:"locale" enum:"en,zh-Hans,ja" default:"en"`
	}
	route(a, http.MethodGet, "/journey-maps/ready", "journey-map-ready", "Ready-made maps to begin with", staff.SegmentsRead, func(_ context.Context, in *locale) (*body[ReadyMaps], error) {
		all, err := journeymap.ReadyMaps(in.Locale)
		out := ReadyMaps{Maps: make([]ReadyMap, len(all))}
		for i, r := range all {
			out.Maps[i] = ReadyMap{Key: r.Key, Name: r.Name, Description: r.Description, Stages: []string{}}
			for _, stage := range r.Stages {
				out.Maps[i].Stages = append(out.Maps[i].Stages, stage.Name)
			}
		}
		return answer(out), err
	})
	type draft struct {
		Name    string     `json:"name,omitempty" maxLength:"120" doc:"that of the ready-made map without it"`
		Ready   string     `json:"ready,omitempty" doc:"key of a ready-made map, whose stages it begins with"`
		Locale  string     `json:"locale,omitempty" enum:"en,zh-Hans,ja"`
		Persona string     `json:"persona_id,omitempty" maxLength:"80"`
		Segment string     `json:"segment_id,omitempty" maxLength:"80"`
		Stages  []MapStage `json:"stages,omitempty" maxItems:"16" doc:"without ready"`
	}
	route(a, http.MethodPost, "/journey-maps", "journey-map-create", "Make a journey map, empty or from a ready-made one", staff.SegmentsWrite, func(ctx context.Context, in *in[draft]) (*body[JourneyMap], error) {
		b := in.Body
		d := JourneyMapDraft{Name: b.Name, Stages: b.Stages}.draft()
		if b.Ready != "" {
			r, err := journeymap.ReadyMap(b.Ready, b.Locale)
			if err != nil {
				return nil, err
			}
			if d = r.Draft; b.Name != "" {
				d.Name = b.Name
			}
		}
		d.Persona, d.Segment = b.Persona, b.Segment
		return write(ctx, "create", func(ctx context.Context) (journeymap.Map, error) {
			m, err := s.Create(ctx, workspaceOf(ctx), d)
			if err != nil {
				return m, err
			}
			return m, a.keep(ctx, state{}, mapState(m))
		})
	}, created)
	route(a, http.MethodGet, "/journey-maps/{id}", "journey-map-get", "One journey map", staff.SegmentsRead, func(ctx context.Context, in *IDPath) (*body[JourneyMap], error) {
		m, err := s.Get(ctx, workspaceOf(ctx), in.ID)
		return answer(mapShape(m)), err
	})
	type edit struct {
		JourneyMapDraft
		Revision int64 `json:"revision" doc:"that was seen; 0 overwrites whatever is there"`
		Apart    bool  `json:"apart,omitempty" doc:"what it said until now stays a version of its own, even if the caller saved it a moment ago; for taking up an old version"`
	}
	route(a, http.MethodPut, "/journey-maps/{id}", "journey-map-update", "Change a journey map", staff.SegmentsWrite, func(ctx context.Context, in *inAt[edit]) (*body[JourneyMap], error) {
		return write(ctx, "update", func(ctx context.Context) (journeymap.Map, error) {
			before, err := s.Get(ctx, workspaceOf(ctx), in.ID)
			if err != nil {
				return before, err
			}
			now, err := s.Update(ctx, workspaceOf(ctx), in.ID, in.Body.Revision, in.Body.draft())
			if err != nil {
				return now, err
			}
			if in.Body.Apart {
				return now, a.keep(ctx, mapState(before), mapState(now))
			}
			return now, a.join(ctx, mapState(before), mapState(now))
		})
	})
	route(a, http.MethodDelete, "/journey-maps/{id}", "journey-map-delete", "Remove a journey map", staff.SegmentsWrite, func(ctx context.Context, in *IDPath) (*nothing, error) {
		return nil, a.change(ctx, "delete", "journey_map", in.ID, func(ctx context.Context) error {
			if err := s.Delete(ctx, workspaceOf(ctx), in.ID); err != nil {
				return err
			}
			return a.c.Versions.Drop(ctx, workspaceOf(ctx), version.Thing{Kind: "journey_map", ID: in.ID})
		})
	}, noContent)
	type period struct {
		IDPath
		MapPeriod
	}
	route(a, http.MethodGet, "/journey-maps/{id}/flow", "journey-map-flow", "How people really went through the stages, from the events they left", staff.SegmentsRead, func(ctx context.Context, in *period) (*body[MapFlow], error) {
		days, p, err := a.mapPeriod(ctx, in.MapPeriod)
		if err != nil {
			return nil, err
		}
		m, r, err := s.Flow(ctx, workspaceOf(ctx), in.ID, p)
		if err != nil {
			return nil, err
		}
		out := mapFlowShape(m, r)
		all := days.Days()
		out.From, out.To = all[0].Format(time.DateOnly), all[len(all)-1].Format(time.DateOnly)
		return answer(out), nil
	})
	type behind struct {
		PageAt
		MapPeriod
		Figure string `query:"figure" required:"true" enum:"all,off,reached,next,dropped,link,path" doc:"next and dropped: of those who reached the stage"`
		Stage  int    `query:"stage" doc:"reached, next, dropped: its place; link: where it begins"`
		Step   int    `query:"step" doc:"of a link"`
		To     int    `query:"next" doc:"of a link: where it leads; -1: the way ends"`
		Path   string `query:"path" maxLength:"100" doc:"of a way: places of stages, such as 0,1,2"`
		More   bool   `query:"more" doc:"of a way: it goes on"`
	}
	route(a, http.MethodGet, "/journey-maps/{id}/people", "journey-map-people", "The people behind a figure of the flow", staff.PeopleRead, func(ctx context.Context, in *behind) (*body[List[Person]], error) {
		_, p, err := a.mapPeriod(ctx, in.MapPeriod)
		if err != nil {
			return nil, err
		}
		pick := event.FlowPick{Figure: event.FlowFigure(in.Figure), Stage: in.Stage, Step: in.Step, To: in.To, More: in.More}
		if pick.Figure == event.FlowWent {
			if pick.Path, err = mapPath(in.Path); err != nil {
				return nil, err
			}
		}
		ws := workspaceOf(ctx)
		nums, err := s.FlowPeople(ctx, ws, in.ID, p, pick, in.request())
		if err != nil {
			return nil, err
		}
		return a.peoplePage(ctx, nums)
	})
}

func mapPath(text string) ([]int, error) {
	var out []int
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, errs.Invalid("map.path", "path", "%q is no way; write places of stages such as 0,1,2", text)
		}
		out = append(out, n)
	}
	return out, nil
}

// peoplePage is a page of people by their numbers.
func (a *api) peoplePage(ctx context.Context, nums page.Of[uint64]) (*body[List[Person]], error) {
	people, err := a.c.People.ByNums(ctx, workspaceOf(ctx), nums.Items)
	if err != nil {
		return nil, fmt.Errorf("people behind a figure: %w", err)
	}
	out := List[Person]{Items: make([]Person, len(people)), NextCursor: nums.Next}
	for i, p := range people {
		out.Items[i] = personShape(p)
	}
	return answer(out), nil
}
