package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kizuna-cx/kizuna/internal/domain/rule"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Rule is a condition tree; GET /rule-schema has its JSON Schema. Its faults are reported with their path.
type Rule json.RawMessage

// Schema implements huma.SchemaProvider: the tree is checked by the rule package, which names faults better.
func (Rule) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "condition tree, see GET /rule-schema", Examples: []any{map[string]any{"trait": map[string]any{"path": "country", "op": "eq", "value": "JP"}}}}
}

// MarshalJSON implements json.Marshaler.
func (r Rule) MarshalJSON() ([]byte, error) { return json.RawMessage(r).MarshalJSON() }

// UnmarshalJSON implements json.Unmarshaler.
func (r *Rule) UnmarshalJSON(b []byte) error { return (*json.RawMessage)(r).UnmarshalJSON(b) }

// Segment is a rule and how many people fulfil it.
type Segment struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Description string     `json:"description,omitempty"`
	Rule        Rule       `json:"rule"`
	RuleVersion int        `json:"rule_version"`
	Revision    int64      `json:"revision" doc:"grows with each change of name, description, rule or status"`
	Status      string     `json:"status" enum:"active,archived"`
	State       string     `json:"state" enum:"ready,evaluating,failed"`
	Failure     string     `json:"failure,omitempty"`
	Progress    *Progress  `json:"progress,omitempty"`
	Size        uint64     `json:"size" doc:"members now"`
	Version     uint64     `json:"version"`
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
	EvaluatedAt *time.Time `json:"evaluated_at,omitempty"`
}

// Progress counts something long.
type Progress struct {
	Done  uint64 `json:"done"`
	Total uint64 `json:"total"`
}

func segmentShape(s segment.Segment) Segment {
	out := Segment{
		ID: s.ID, Name: s.Name, Description: s.Description, Rule: Rule(s.Rule), RuleVersion: s.RuleVersion, Revision: s.Rev, Status: string(s.Status), State: string(s.State), Failure: s.Failure,
		Size: s.Size, Version: s.Version, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt, EvaluatedAt: moment(s.EvaluatedAt),
	}
	if s.State == segment.Evaluating {
		out.Progress = &Progress{s.Progress.Done, s.Progress.Total}
	}
	return out
}

func segmentState(s segment.Segment) state {
	return state{"segment", s.ID, s.Rev, s.UpdatedAt, segmentShape(s)}
}

// SegmentMove is somebody entering or leaving.
type SegmentMove struct {
	Person         PersonBrief `json:"person"`
	Entered        bool        `json:"entered" doc:"false: left"`
	Cause          string      `json:"cause" enum:"event,time,edit,merge,manual"`
	CauseMessageID string      `json:"cause_message_id,omitempty"`
	At             time.Time   `json:"at"`
	Version        uint64      `json:"version"`
}

// PersonBrief is enough of a person to name them.
type PersonBrief struct {
	ID    string `json:"id"`
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
}

// briefs returns people by number.
func (a *api) briefs(ctx context.Context, ws string, nums []uint64) (map[uint64]PersonBrief, error) {
	people, err := a.c.People.ByNums(ctx, ws, nums)
	if err != nil {
		return nil, err
	}
	out := make(map[uint64]PersonBrief, len(people))
	for _, p := range people {
		out[p.Num] = PersonBrief{ID: p.ID, Name: p.Name(), Email: p.Email()}
	}
	return out, nil
}

func (a *api) segmentRoutes() {
	type draft struct {
		Name        string `json:"name" maxLength:"200"`
		Description string `json:"description,omitempty" maxLength:"2000"`
		Rule        Rule   `json:"rule"`
	}
	type filter struct {
		Paging
		Q      string `query:"q" maxLength:"200" doc:"part of the name"`
		Status string `query:"status" enum:"active,archived" default:"active"`
	}
	route(a, http.MethodGet, "/segments", "segment-list", "Segments with their live sizes", staff.SegmentsRead, func(ctx context.Context, in *filter) (*body[List[Segment]], error) {
		found, err := a.c.Segments.Segments(ctx, workspaceOf(ctx), segment.Filter{Status: segment.Status(in.Status), Text: in.Q}, in.request())
		if err != nil {
			return nil, err
		}
		return list(found, segmentShape), nil
	})
	route(a, http.MethodPost, "/segments", "segment-create", "Make a segment; its members are found at once", staff.SegmentsWrite, func(ctx context.Context, in *in[draft]) (*body[Segment], error) {
		s, err := a.c.Segments.Create(ctx, workspaceOf(ctx), segment.Draft{Name: in.Body.Name, Description: in.Body.Description, Rule: json.RawMessage(in.Body.Rule)})
		if err != nil {
			return nil, err
		}
		if err := a.keep(ctx, state{}, segmentState(s)); err != nil {
			return nil, err
		}
		return answer(segmentShape(s)), a.audit(ctx, "create", "segment", s.ID)
	}, created)
	route(a, http.MethodGet, "/segments/{id}", "segment-get", "One segment", staff.SegmentsRead, func(ctx context.Context, in *IDPath) (*body[Segment], error) {
		s, err := a.c.Segments.Get(ctx, workspaceOf(ctx), in.ID)
		return answer(segmentShape(s)), err
	})
	type patch struct {
		Name        *string `json:"name,omitempty" maxLength:"200"`
		Description *string `json:"description,omitempty" maxLength:"2000"`
		Rule        Rule    `json:"rule,omitempty"`
		Revision    int64   `json:"revision,omitempty" doc:"that the editor saw; another one in between is a conflict, 0 overwrites whatever is there"`
	}
	route(a, http.MethodPatch, "/segments/{id}", "segment-update", "Change name, description or rule", staff.SegmentsWrite, func(ctx context.Context, in *inAt[patch]) (*body[Segment], error) {
		before, err := a.c.Segments.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		s, err := a.c.Segments.Update(ctx, workspaceOf(ctx), in.ID, segment.Patch{Rev: in.Body.Revision, Name: in.Body.Name, Description: in.Body.Description, Rule: json.RawMessage(in.Body.Rule)})
		if err != nil {
			return nil, a.overtaken(ctx, err, "segment.changed", "segment", in.ID)
		}
		if err := a.keep(ctx, segmentState(before), segmentState(s)); err != nil {
			return nil, err
		}
		return answer(segmentShape(s)), a.audit(ctx, "update", "segment", s.ID)
	})
	type leave struct {
		IDPath
		Leave bool `query:"leave" doc:"true: members leave, and what reacts to leaving does"`
	}
	route(a, http.MethodDelete, "/segments/{id}", "segment-archive", "Archive a segment", staff.SegmentsWrite, func(ctx context.Context, in *leave) (*body[Segment], error) {
		s, err := a.c.Segments.Archive(ctx, workspaceOf(ctx), in.ID, in.Leave)
		if err != nil {
			return nil, err
		}
		return answer(segmentShape(s)), a.audit(ctx, "archive", "segment", s.ID)
	})
	route(a, http.MethodPost, "/segments/{id}/unarchive", "segment-unarchive", "Take a segment from the archive", staff.SegmentsWrite, func(ctx context.Context, in *IDPath) (*body[Segment], error) {
		s, err := a.c.Segments.Unarchive(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return answer(segmentShape(s)), a.audit(ctx, "unarchive", "segment", s.ID)
	})

	type preview struct {
		Count      uint64           `json:"count"`
		Sample     []PersonBrief    `json:"sample" doc:"up to five people; empty without the permission people.read"`
		Conditions []ConditionCount `json:"conditions" doc:"people for each node of the tree alone"`
		Reach      []ChannelReach   `json:"reach" doc:"of them, who can be written to, by kind of channel"`
		Entering   *uint64          `json:"entering,omitempty" doc:"with segment_id: who would come in"`
		Leaving    *uint64          `json:"leaving,omitempty" doc:"with segment_id: who would go"`
	}
	type ruleBody struct {
		Rule      Rule   `json:"rule"`
		SegmentID string `json:"segment_id,omitempty" doc:"the segment whose rule this is to become"`
	}
	route(a, http.MethodPost, "/segments/preview", "segment-preview", "Who would fulfil a rule now", staff.SegmentsRead, func(ctx context.Context, in *in[ruleBody]) (*body[preview], error) {
		ws := workspaceOf(ctx)
		var kinds []string
		for _, c := range a.c.Outbox.Channels() {
			kinds = append(kinds, c.Kind)
		}
		p, err := a.c.Segments.Preview(ctx, ws, json.RawMessage(in.Body.Rule), in.Body.SegmentID, kinds...)
		if err != nil {
			return nil, err
		}
		out := preview{Count: p.Count, Sample: []PersonBrief{}, Conditions: make([]ConditionCount, len(p.Counts)), Reach: []ChannelReach{}}
		for i, c := range p.Counts {
			out.Conditions[i] = ConditionCount{Path: c.Path, Count: c.Count}
		}
		for _, kind := range kinds {
			out.Reach = append(out.Reach, ChannelReach{Channel: kind, Count: p.Reach[kind]})
		}
		if in.Body.SegmentID != "" {
			out.Entering, out.Leaving = &p.Entering, &p.Leaving
		}
		if !caller(ctx).Can(staff.PeopleRead) {
			return answer(out), nil // who may count people may not yet see them
		}
		names, err := a.briefs(ctx, ws, p.Sample)
		if err != nil {
			return nil, err
		}
		for _, num := range p.Sample {
			if b, ok := names[num]; ok {
				out.Sample = append(out.Sample, b)
			}
		}
		return answer(out), nil
	})
	type part struct {
		Rule      Rule   `json:"rule"`
		Condition string `json:"condition,omitempty" maxLength:"500" doc:"who fulfils the condition at this path alone, as the preview counts them"`
		Channel   string `json:"channel,omitempty" maxLength:"40" doc:"of those who fulfil the rule, who can be written to on this kind of channel"`
		SegmentID string `json:"segment_id,omitempty" doc:"the segment whose rule this is to become"`
		Change    string `json:"change,omitempty" enum:"entering,leaving" doc:"with segment_id: who would come in or go"`
		Limit     int    `json:"limit,omitempty" minimum:"1" maximum:"500" default:"50"`
		Cursor    string `json:"cursor,omitempty" doc:"from next_cursor of the page before"`
	}
	route(a, http.MethodPost, "/segments/preview/people", "segment-preview-people", "The people behind a figure of a preview", staff.PeopleRead, func(ctx context.Context, in *in[part]) (*body[List[Person]], error) {
		b := in.Body
		if b.Change != "" && b.SegmentID == "" {
			return nil, errs.Invalid("segment.change", "segment_id", "name the segment that people would come into or leave")
		}
		found, err := a.c.Segments.PreviewPeople(ctx, workspaceOf(ctx), json.RawMessage(b.Rule), segment.Part{
			Condition: b.Condition, Channel: b.Channel, Against: b.SegmentID, Entering: b.Change == "entering", Leaving: b.Change == "leaving",
		}, page.Request{Limit: b.Limit, Cursor: b.Cursor})
		if err != nil {
			return nil, err
		}
		return a.peoplePage(ctx, found)
	})
	route(a, http.MethodGet, "/segments/{id}/members", "segment-members", "The people in a segment or list", staff.PeopleRead, a.members)
	route(a, http.MethodGet, "/segments/{id}/history", "segment-history", "Who entered and left, and why, newest first", staff.PeopleRead, func(ctx context.Context, in *PageAt) (*body[List[SegmentMove]], error) {
		ws := workspaceOf(ctx)
		moves, err := a.c.Segments.History(ctx, ws, in.ID, in.request())
		if err != nil {
			return nil, err
		}
		nums := make([]uint64, len(moves.Items))
		for i, m := range moves.Items {
			nums[i] = m.Person
		}
		names, err := a.briefs(ctx, ws, nums)
		if err != nil {
			return nil, err
		}
		return list(moves, func(m segment.Change) SegmentMove {
			return SegmentMove{Person: names[m.Person], Entered: m.Entered, Cause: string(m.Cause), CauseMessageID: m.CauseMessageID, At: m.At, Version: m.Version}
		}), nil
	})
	route(a, http.MethodGet, "/rule-schema", "rule-schema-get", "JSON Schema of rules", staff.SegmentsRead, func(context.Context, *nothing) (*body[json.RawMessage], error) {
		return answer(json.RawMessage(rule.Schema())), nil
	})
}

// ChannelReach is how many people can be written to on a channel: they have an address there that is not suppressed.
type ChannelReach struct {
	Channel string `json:"channel" doc:"its kind"`
	Count   uint64 `json:"count"`
}

// ConditionCount is how many people fulfil one node of a rule.
type ConditionCount struct {
	Path  string `json:"path" doc:"where in the tree, e.g. all[0].event; the shortest is the whole rule"`
	Count uint64 `json:"count"`
}

func (a *api) members(ctx context.Context, in *PageAt) (*body[List[Person]], error) {
	ws := workspaceOf(ctx)
	nums, err := a.c.Segments.MembersPage(ctx, ws, in.ID, in.request())
	if err != nil {
		return nil, err
	}
	return a.peoplePage(ctx, nums)
}
