package campaign

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Answer is what the gate would say to writing to one person.
type Answer struct {
	PersonID string
	At       time.Time // when they would be written to, before the gate makes them wait
	outbox.Decision
}

// DryRun says how many people a campaign that need not exist would reach, and how many not for which reason, by the code that decides on
// real messages. It needs an audience, a topic and a channel; a template may be left out. Nothing is stored.
func (s *Service) DryRun(ctx context.Context, ws string, c Campaign) (Preflight, error) {
	c, err := s.imagined(ctx, ws, c)
	if err != nil {
		return Preflight{}, err
	}
	out, audience, err := s.sized(ctx, c)
	if err != nil {
		return Preflight{}, err
	}
	if err := s.askGate(ctx, c, audience, &out); err != nil {
		return Preflight{}, err
	}
	if c.Plan.Test != nil {
		out.Arms = c.Plan.Test.arms(out.Allowed)
	}
	return out, nil
}

// Wanted narrows the people of a dry run; the zero value takes all.
type Wanted struct {
	Outcome string // "allowed", "waits" or "refused"
	Reason  string // of a wait or refusal
	// Language takes only people who get it and read that language, as content.Language names it.
	Language string
}

func (w Wanted) takes(d outbox.Decision) bool {
	if w.Language != "" && (!d.Allowed || content.Language(d.Locale) != w.Language) {
		return false
	}
	switch w.Outcome {
	case "allowed":
		return d.Allowed && d.Waits == ""
	case "waits":
		return d.Allowed && d.Waits != "" && (w.Reason == "" || w.Reason == d.Waits)
	case "refused":
		return !d.Allowed && (w.Reason == "" || w.Reason == d.Reason)
	}
	return w.Reason == "" || w.Reason == d.Reason || w.Reason == d.Waits
}

// maxAsked bounds how many people are asked about for one page of answers. A page may then hold fewer people than it could, or none,
// and still have a next.
const maxAsked = 20_000

// DryRunPeople lists the people of a dry run with the gate's answer, in the order of their numbers.
func (s *Service) DryRunPeople(ctx context.Context, ws string, c Campaign, w Wanted, p page.Request) (page.Of[Answer], error) {
	var out page.Of[Answer]
	c, err := s.imagined(ctx, ws, c)
	if err != nil {
		return out, err
	}
	var last uint64
	if _, err := page.Decode(p.Cursor, &last); err != nil {
		return out, err
	}
	_, audience, err := s.audience(ctx, c)
	if err != nil {
		return out, err
	}
	crowd, err := pick(c, audience)
	if err != nil {
		return out, err
	}
	times, err := s.clocks(ctx, c, roaring64.BitmapOf(crowd...))
	if err != nil {
		return out, err
	}
	it := audience.Iterator()
	it.AdvanceIfNeeded(last + 1)
	for asked := 0; asked < maxAsked && it.HasNext(); {
		nums := make([]uint64, 0, s.c.Chunk)
		for it.HasNext() && len(nums) < s.c.Chunk {
			nums = append(nums, it.Next())
		}
		asked += len(nums)
		answers, _, err := s.ask(ctx, c, nums, times)
		if err != nil {
			return out, err
		}
		for i, num := range nums {
			a, ok := answers[num]
			if !ok || !w.takes(a.Decision) {
				continue
			}
			out.Items = append(out.Items, a)
			if len(out.Items) == p.Size() {
				if it.HasNext() || i < len(nums)-1 {
					out.Next = page.Encode(num)
				}
				return out, nil
			}
		}
		last = nums[len(nums)-1]
	}
	if it.HasNext() {
		out.Next = page.Encode(last)
	}
	return out, nil
}

// imagined completes a campaign that is not stored.
func (s *Service) imagined(ctx context.Context, ws string, c Campaign) (Campaign, error) {
	c.Workspace = ws
	if c.Channel == "" {
		c.Channel = "email"
	}
	if c.Name == "" {
		c.Name = "dry run"
	}
	if err := c.Validate(); err != nil {
		return c, err
	}
	if len(c.Audience.Include) == 0 {
		return c, errs.Invalid("campaign.incomplete.audience", "audience.include", "choose the segments or lists to write to")
	}
	for i, id := range c.Audience.Include {
		if err := s.c.Checker.CheckSet(ctx, ws, id); err != nil {
			if e, ok := errors.AsType[*errs.Error](err); ok && e.Kind == errs.KindNotFound {
				err = &errs.Error{Kind: e.Kind, Code: e.Code, Field: fmt.Sprintf("include[%d]", i), Msg: e.Msg, Args: e.Args}
			}
			return c, err
		}
	}
	return c, nil
}

// ask asks the gate about people by their numbers, each at their own time. The progress holds those who are left out.
func (s *Service) ask(ctx context.Context, c Campaign, nums []uint64, times func(Habit) time.Time) (map[uint64]Answer, Progress, error) {
	due := make(map[uint64]time.Time, len(nums))
	if !c.Plan.Local.IsZero() || c.Plan.BestHour {
		err := s.habits(ctx, c, roaring64.BitmapOf(nums...), func(num uint64, h Habit) { due[num] = times(h) })
		if err != nil {
			return nil, Progress{}, err
		}
	}
	ids, err := s.c.People.IDs(ctx, c.Workspace, nums)
	if err != nil {
		return nil, Progress{}, fmt.Errorf("find %d people: %w", len(nums), err)
	}
	reqs, left := requests(c, Wave{Template: c.Template, DueAt: c.ScheduledAt}, nums, ids)
	byPerson := make(map[string]uint64, len(nums))
	for i := len(nums) - 1; i >= 0; i-- { // the first number of a person is the one that was asked with
		byPerson[ids[nums[i]]] = nums[i]
	}
	for i := range reqs {
		if at, ok := due[byPerson[reqs[i].PersonID]]; ok {
			reqs[i].NotBefore = at
		}
	}
	decisions, err := s.c.Outbox.DryRun(ctx, reqs)
	if err != nil {
		return nil, Progress{}, fmt.Errorf("ask the gate: %w", err)
	}
	if len(decisions) != len(reqs) {
		return nil, Progress{}, fmt.Errorf("ask the gate: %d decisions for %d requests", len(decisions), len(reqs))
	}
	out := make(map[uint64]Answer, len(reqs))
	for i, d := range decisions {
		out[byPerson[reqs[i].PersonID]] = Answer{PersonID: reqs[i].PersonID, At: reqs[i].NotBefore, Decision: d}
	}
	return out, left, nil
}

// Standing says how one person stands to a campaign now, whatever was true when it was sent.
type Standing struct {
	Included []string // of its sets, those that they are in
	Excluded []string
	Answer   *Answer // what the gate would say; nil if they are not in the audience, or the campaign is not complete
}

// Recorded says whether somebody was in the audience when it was fixed, whoever is in its sets today.
type Recorded struct {
	At    time.Time // when that was; zero: it is not fixed yet
	In    bool
	DueAt time.Time // of the wave that has not come to them yet; zero: all have, or who comes to be asked waits for the test's result
}

// RecordedOf returns what was written down of a person, by all the numbers that they have had.
func (s *Service) RecordedOf(ctx context.Context, c Campaign, nums []uint64) (Recorded, error) {
	out := Recorded{At: c.StartedAt}
	if c.StartedAt.IsZero() {
		return out, nil
	}
	seqs, err := s.c.Store.WavesOf(ctx, c.Workspace, c.ID, nums)
	if err != nil || len(seqs) == 0 {
		return out, err
	}
	out.In = true
	waves, err := s.c.Store.Waves(ctx, c.Workspace, c.ID)
	for _, w := range waves {
		if w.Left() > 0 && slices.Contains(seqs, w.Seq) {
			out.DueAt = w.DueAt
		}
	}
	return out, err
}

// StandingOf returns how a person, by their number, stands to a campaign. Sets that are gone are left out.
func (s *Service) StandingOf(ctx context.Context, ws, id string, num uint64) (Standing, error) {
	var out Standing
	c, err := s.Get(ctx, ws, id)
	if err != nil {
		return out, err
	}
	in := func(sets []string) (found []string, err error) {
		for _, set := range sets {
			members, err := s.c.Sets.Members(ctx, ws, set)
			if errs.Is(err, errs.KindNotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
			if members.Contains(num) {
				found = append(found, set)
			}
		}
		return found, nil
	}
	if out.Included, err = in(c.Audience.Include); err != nil {
		return out, err
	}
	if out.Excluded, err = in(c.Audience.Exclude); err != nil || len(out.Included) == 0 || len(out.Excluded) > 0 || c.Topic == "" {
		return out, err
	}
	times, err := s.clocks(ctx, c, roaring64.BitmapOf(num))
	if err != nil {
		return out, err
	}
	answers, _, err := s.ask(ctx, c, []uint64{num}, times)
	if a, ok := answers[num]; ok {
		out.Answer = &a
	}
	return out, err
}
