package journeymap

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Map is a journey map.
type Map struct {
	ID        string
	Workspace string
	Draft
	Rev       int64 // grows with each change
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Draft is what the team says.
type Draft struct {
	Name        string  `json:"name"`
	Description string  `json:"description"`
	Persona     string  `json:"persona"` // id; empty: none
	Segment     string  `json:"segment"` // whose real ways are looked at; empty: that of the persona, else everyone
	Stages      []Stage `json:"stages"`
	Rows        []Row   `json:"rows"` // of the team's own, beside those that every map has
}

// Row is something that the team writes about every stage.
type Row struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Stage is one column of the map.
type Stage struct {
	ID            string            `json:"id"`
	Name          string            `json:"name"`
	Does          string            `json:"does"` // the customer
	Thinks        string            `json:"thinks"`
	Feels         string            `json:"feels"`
	Mood          int               `json:"mood"` // -2 (bad) to 2 (good)
	Needs         string            `json:"needs"`
	Pains         string            `json:"pains"`
	Opportunities string            `json:"opportunities"`
	Actions       string            `json:"actions"` // ours
	Notes         map[string]string `json:"notes"`   // by the id of a Row
	Touchpoints   []Touchpoint      `json:"touchpoints"`
	Also          []string          `json:"also"` // ids of stages that the plan leads to from here, beside the next one
}

// Touchpoint is where the customer meets the business, or others who speak of it.
type Touchpoint struct {
	ID      string         `json:"id"`
	Name    string         `json:"name"`
	Channel string         `json:"channel"` // a code of the console or words of the team
	Owner   string         `json:"owner"`   // who takes care of it
	Signals []event.Signal `json:"signals"` // events that show that somebody was here; none: it cannot be seen
}

// Limits of what a team may write.
const (
	Max            = 200 // maps of a workspace
	MaxStages      = 16
	MaxTouchpoints = 12 // of a stage
	MaxSignals     = 8  // of a touchpoint
	MaxRows        = 10 // of the team's own
	MaxName        = 120
	MaxLine        = 200
	MaxText        = 2000
)

func tooLong(field string, limit int) error {
	return errs.Invalid("map.too_long", field, "use at most %d characters", limit)
}

// tidy trims and checks a draft.
func (d *Draft) tidy() error {
	d.Name = strings.TrimSpace(d.Name)
	if n := utf8.RuneCountInString(d.Name); n == 0 || n > MaxName {
		return errs.Invalid("map.name", "name", "give the map a name of 1 to %d characters", MaxName)
	}
	if utf8.RuneCountInString(d.Description) > MaxText {
		return tooLong("description", MaxText)
	}
	if len(d.Stages) > MaxStages {
		return errs.Invalid("map.stages", "stages", "a map has at most %d stages; join some", MaxStages)
	}
	if d.Stages == nil {
		d.Stages = []Stage{}
	}
	seen := map[string]bool{}
	once := func(id, field string) error {
		if id == "" || len(id) > 40 || seen[id] {
			return errs.Invalid("map.id", field, "give each stage and touchpoint an id of its own, at most 40 characters")
		}
		seen[id] = true
		return nil
	}
	for i := range d.Stages {
		if err := once(d.Stages[i].ID, fmt.Sprintf("stages[%d].id", i)); err != nil {
			return err
		}
	}
	if len(d.Rows) > MaxRows {
		return errs.Invalid("map.rows", "rows", "a map has at most %d rows of its own", MaxRows)
	}
	if d.Rows == nil {
		d.Rows = []Row{}
	}
	for i, r := range d.Rows {
		if err := once(r.ID, fmt.Sprintf("rows[%d].id", i)); err != nil {
			return err
		}
		if utf8.RuneCountInString(r.Name) > MaxName {
			return tooLong(fmt.Sprintf("rows[%d].name", i), MaxName)
		}
	}
	for i := range d.Stages {
		if err := d.Stages[i].notes(fmt.Sprintf("stages[%d]", i), d.Rows); err != nil {
			return err
		}
		if err := d.Stages[i].tidy(fmt.Sprintf("stages[%d]", i), d.Stages, once); err != nil {
			return err
		}
	}
	return nil
}

// notes keeps what is written in rows that the map has.
func (s *Stage) notes(at string, rows []Row) error {
	kept := map[string]string{}
	for _, r := range rows {
		text := s.Notes[r.ID]
		if utf8.RuneCountInString(text) > MaxText {
			return tooLong(at+".notes."+r.ID, MaxText)
		}
		if text != "" {
			kept[r.ID] = text
		}
	}
	s.Notes = kept
	return nil
}

func (s *Stage) tidy(at string, all []Stage, once func(id, field string) error) error {
	for _, f := range []struct {
		text  *string
		field string
		max   int
	}{
		{&s.Name, "name", MaxName},
		{&s.Does, "does", MaxText},
		{&s.Thinks, "thinks", MaxText},
		{&s.Feels, "feels", MaxText},
		{&s.Needs, "needs", MaxText},
		{&s.Pains, "pains", MaxText},
		{&s.Opportunities, "opportunities", MaxText},
		{&s.Actions, "actions", MaxText},
	} {
		if utf8.RuneCountInString(*f.text) > f.max {
			return tooLong(at+"."+f.field, f.max)
		}
	}
	if s.Mood < -2 || s.Mood > 2 {
		return errs.Invalid("map.mood", at+".mood", "the mood goes from -2 to 2")
	}
	// A stage may have been removed since: the way to it goes with it.
	also := []string{}
	for _, id := range s.Also {
		if id != s.ID && !slices.Contains(also, id) && slices.ContainsFunc(all, func(o Stage) bool { return o.ID == id }) {
			also = append(also, id)
		}
	}
	s.Also = also
	if len(s.Touchpoints) > MaxTouchpoints {
		return errs.Invalid("map.touchpoints", at+".touchpoints", "a stage has at most %d touchpoints", MaxTouchpoints)
	}
	if s.Touchpoints == nil {
		s.Touchpoints = []Touchpoint{}
	}
	for i := range s.Touchpoints {
		field := fmt.Sprintf("%s.touchpoints[%d]", at, i)
		if err := once(s.Touchpoints[i].ID, field+".id"); err != nil {
			return err
		}
		if err := s.Touchpoints[i].tidy(field); err != nil {
			return err
		}
	}
	return nil
}

func (p *Touchpoint) tidy(at string) error {
	for field, text := range map[string]string{"name": p.Name, "channel": p.Channel, "owner": p.Owner} {
		if utf8.RuneCountInString(text) > MaxLine {
			return tooLong(at+"."+field, MaxLine)
		}
	}
	if len(p.Signals) > MaxSignals {
		return errs.Invalid("map.signals", at+".signals", "a touchpoint has at most %d signals", MaxSignals)
	}
	if p.Signals == nil {
		p.Signals = []event.Signal{}
	}
	for i := range p.Signals {
		s, field := &p.Signals[i], fmt.Sprintf("%s.signals[%d]", at, i)
		for _, text := range []string{s.Name, s.Path, s.Channel, s.Source} {
			if len(text) > 500 {
				return tooLong(field, 500)
			}
		}
		switch s.Type {
		case "", event.Track, event.Page, event.Screen, event.Message, event.Segment, event.Journey, event.Consent, event.Invoice, event.Task:
		default:
			return errs.Invalid("map.signal.type", field+".type", "%q is no kind of event that people leave; choose track, page, screen or message", s.Type)
		}
		if s.Path != "" && s.Type == "" {
			s.Type = event.Page // every event of a page carries its path; being there is the page event
		}
		if s.Name == "" && s.Path == "" && s.Type != event.Message {
			return errs.Invalid("map.signal.empty", field, "name the event or the path of the page")
		}
	}
	return nil
}

// Seen reports whether some event stands for the stage.
func (s Stage) Seen() bool {
	return slices.ContainsFunc(s.Touchpoints, func(p Touchpoint) bool { return len(p.Signals) > 0 })
}

// Leads reports whether the plan leads from a stage to another one, by their places.
func (d Draft) Leads(from, to int) bool { return slices.Contains(d.flow().Ways[from], to) }

// flow is the question how people went through the stages.
func (d Draft) flow() event.FlowQuery {
	q := event.FlowQuery{Stages: make([][]event.Signal, len(d.Stages)), Ways: make([][]int, len(d.Stages))}
	for i, s := range d.Stages {
		for _, p := range s.Touchpoints {
			q.Stages[i] = append(q.Stages[i], p.Signals...)
		}
		if i+1 < len(d.Stages) {
			q.Ways[i] = append(q.Ways[i], i+1)
		}
		for _, id := range s.Also {
			q.Ways[i] = append(q.Ways[i], slices.IndexFunc(d.Stages, func(o Stage) bool { return o.ID == id }))
		}
	}
	return q
}
