package campaign

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// sample is how many people at most the gate is asked about before launch.
const sample = 10_000

// nearlyAll is the share of all people from which on a campaign is called a mail to everyone, in percent.
const nearlyAll = 80

// Preflight is what would happen if the campaign were launched now.
type Preflight struct {
	// Blocking is what keeps the campaign from being launched: what is missing, or gone since it was chosen. Nothing is counted then.
	Blocking []*errs.Error
	Included int64            // in the included segments
	Excluded int64            // of them, taken out by the excluded ones
	Audience int64            // the rest
	Checked  int64            // of the audience, those the gate was asked about
	Allowed  int64            // of the audience; an estimate from Checked if Checked < Audience
	Waits    map[string]int64 // of the allowed, those who get it later, by what they wait for; likewise
	Refused  map[string]int64 // of the audience by reason; likewise
	Arms     []Arm            // of the A/B test: how many people see each variant before the rest
	Content  []content.Report // what the team should read about each template: why it is sent, what the checks found
	Warnings []Warning
	// Unsettled names the segments that are being evaluated: the figures are not final.
	Unsettled []string
	// Languages counts the allowed by content.Language; those of whom it is not known are left out. Likewise an estimate.
	Languages map[string]int64
	Fallbacks []Fallback // by template, most people first
}

// Fallback says how many people would get a template in a language that they do not read.
type Fallback struct {
	Template string
	Language string // that they read
	Gets     string // locale of the text
	People   int64
}

// Warning is advice; it does not keep anyone from launching.
type Warning struct {
	Code    string // "empty", "nobody_allowed", "nearly_everyone", "test_too_small", "no_goal", "sending_stopped", "unsettled"
	Message string
}

// Preflight counts the audience and asks the gate about it, or about an even sample of a large one, unless the campaign could not be launched as it is. Nothing is
// stored.
func (s *Service) Preflight(ctx context.Context, ws, id string) (Preflight, error) {
	c, err := s.c.Store.Get(ctx, ws, id)
	if err != nil {
		return Preflight{}, err
	}
	switch err := s.check(ctx, c); {
	case errs.Is(err, errs.KindInvalid):
		return Preflight{Blocking: errs.All(err)}, nil
	case err != nil:
		return Preflight{}, err
	}
	out, audience, err := s.sized(ctx, c)
	if err != nil {
		return Preflight{}, err
	}
	if unsettled := out.Unsettled; len(unsettled) > 0 {
		out.warn("unsettled", fmt.Sprintf("not all members of %s are known yet: these figures are not final, and the campaign waits until they are", strings.Join(unsettled, ", ")))
	}
	if err := s.askGate(ctx, c, audience, &out); err != nil {
		return Preflight{}, err
	}
	if c.Plan.Test != nil {
		out.Arms = c.Plan.Test.arms(out.Allowed)
		if least := out.Arms[0]; least.People < minArm {
			out.warn("test_too_small", fmt.Sprintf("each variant reaches %d people; with fewer than %d chance decides: raise the share or send one variant", least.People, minArm))
		}
	}
	if c.Goal.IsZero() {
		out.warn("no_goal", "no goal was chosen, so the campaign is measured by orders within seven days; what success means is best chosen before the start")
	}
	templates := []string{c.Template}
	if c.Plan.Test != nil {
		templates = append(templates, c.Plan.Test.Variants...)
	}
	for _, t := range templates {
		r, err := s.c.Content.Report(ctx, ws, t)
		if err != nil {
			return Preflight{}, fmt.Errorf("check template %s: %w", t, err)
		}
		out.Content = append(out.Content, r)
		out.Fallbacks = append(out.Fallbacks, fallbacks(r, out.Languages)...)
	}
	everyone, err := s.c.Everyone.Everyone(ctx, ws)
	if err != nil {
		return Preflight{}, err
	}
	stopped, err := s.c.Outbox.SendingStopped(ctx, ws)
	if err != nil {
		return Preflight{}, err
	}
	if !stopped.IsZero() {
		out.warn("sending_stopped", "all sending of the workspace is stopped: nothing goes out before somebody lets it go on in the settings")
	}
	switch all := int64(everyone.GetCardinality()); {
	case out.Audience == 0:
		out.warn("empty", "nobody is in this audience now")
	case out.Allowed == 0:
		out.warn("nobody_allowed", "nobody in this audience may be written to; see the reasons")
	case all >= 100 && out.Audience*100 >= all*nearlyAll:
		out.warn("nearly_everyone", fmt.Sprintf("this goes to %d of %d people; a message to those it concerns is read more and unsubscribed from less", out.Audience, all))
	}
	return out, nil
}

// fallbacks lists the languages that a template does not speak and somebody reads, most people first.
func fallbacks(r content.Report, languages map[string]int64) (out []Fallback) {
	for l, people := range languages {
		if text, reads := r.Languages.Gets(l); !reads {
			out = append(out, Fallback{Template: r.Template, Language: l, Gets: text, People: people})
		}
	}
	slices.SortFunc(out, func(a, b Fallback) int {
		return cmp.Or(cmp.Compare(b.People, a.People), strings.Compare(a.Language, b.Language))
	})
	return out
}

func (p *Preflight) warn(code, message string) {
	p.Warnings = append(p.Warnings, Warning{code, message})
}

// askGate fills Checked, Allowed, Waits, Refused and Languages.
func (s *Service) askGate(ctx context.Context, c Campaign, audience *roaring64.Bitmap, out *Preflight) error {
	picked, err := pick(c, audience)
	if err != nil {
		return err
	}
	times, err := s.clocks(ctx, c, roaring64.BitmapOf(picked...))
	if err != nil {
		return err
	}
	allowed := int64(0)
	for len(picked) > 0 {
		chunk := picked[:min(len(picked), s.c.Chunk)]
		picked = picked[len(chunk):]
		answers, left, err := s.ask(ctx, c, chunk, times)
		if err != nil {
			return err
		}
		for reason, k := range left.Refused {
			out.Refused[reason] += k
		}
		for _, a := range answers {
			if !a.Allowed {
				out.Refused[a.Reason]++
				continue
			}
			allowed++
			if l := content.Language(a.Locale); l != "" {
				if out.Languages == nil {
					out.Languages = map[string]int64{}
				}
				out.Languages[l]++
			}
			if a.Waits != "" {
				out.Waits[a.Waits]++
			}
		}
		out.Checked += int64(len(chunk))
	}
	out.Allowed = allowed
	if out.Checked < out.Audience {
		scale := func(k int64) int64 { return (k*out.Audience + out.Checked/2) / out.Checked }
		out.Allowed = scale(allowed)
		for _, counts := range []map[string]int64{out.Refused, out.Waits, out.Languages} {
			for reason, k := range counts {
				counts[reason] = scale(k)
			}
		}
	}
	return nil
}

// pick returns the people of the audience that the gate is asked about: all, or of a large audience one from each of sample equal parts,
// at a random place in it, since an even step could keep time with a pattern in the numbers. The same campaign asks about the same
// people each time.
func pick(c Campaign, audience *roaring64.Bitmap) ([]uint64, error) {
	n := audience.GetCardinality()
	if n <= sample {
		return audience.ToArray(), nil
	}
	seed := fnv.New64a()
	_, _ = seed.Write([]byte(c.ID))
	rng := rand.New(rand.NewPCG(seed.Sum64(), n))
	picked := make([]uint64, 0, sample)
	for i := range uint64(sample) {
		from, to := i*n/sample, (i+1)*n/sample
		num, err := audience.Select(from + rng.Uint64N(to-from))
		if err != nil {
			return nil, err
		}
		picked = append(picked, num)
	}
	return picked, nil
}

// audience returns the included people, and those of them who are not excluded.
func (s *Service) audience(ctx context.Context, c Campaign) (included, audience *roaring64.Bitmap, err error) {
	union := func(sets []string) (*roaring64.Bitmap, error) {
		out := roaring64.New()
		for _, set := range sets {
			m, err := s.c.Sets.Members(ctx, c.Workspace, set)
			if err != nil {
				return nil, fmt.Errorf("members of %s: %w", set, err)
			}
			out.Or(m)
		}
		return out, nil
	}
	if included, err = union(c.Audience.Include); err != nil {
		return nil, nil, err
	}
	excluded, err := union(c.Audience.Exclude)
	if err != nil {
		return nil, nil, err
	}
	return included, roaring64.AndNot(included, excluded), nil
}

// sized begins the figures of an audience.
func (s *Service) sized(ctx context.Context, c Campaign) (Preflight, *roaring64.Bitmap, error) {
	out := Preflight{Refused: map[string]int64{}, Waits: map[string]int64{}}
	included, audience, err := s.audience(ctx, c)
	if err != nil {
		return out, nil, err
	}
	out.Included, out.Audience = int64(included.GetCardinality()), int64(audience.GetCardinality())
	out.Excluded = out.Included - out.Audience
	out.Unsettled, err = s.unsettled(ctx, c)
	return out, audience, err
}

// unsettled names the segments whose members have to be known before the audience is.
func (s *Service) unsettled(ctx context.Context, c Campaign) ([]string, error) {
	return s.c.Sets.Unsettled(ctx, c.Workspace, slices.Concat(c.Audience.Include, c.Audience.Exclude))
}

// settled returns the audience, or the segments for which it has to wait. It asks for them before and after it reads, since an edit may come in between.
func (s *Service) settled(ctx context.Context, c Campaign) (audience *roaring64.Bitmap, unsettled []string, err error) {
	if unsettled, err = s.unsettled(ctx, c); err != nil || len(unsettled) > 0 {
		return nil, unsettled, err
	}
	if _, audience, err = s.audience(ctx, c); err != nil {
		return nil, nil, err
	}
	unsettled, err = s.unsettled(ctx, c)
	return audience, unsettled, err
}

// requests makes the requests for people of a wave by their numbers, each person once. The progress holds those who are left out.
func requests(c Campaign, w Wave, nums []uint64, ids map[uint64]string) (_ []outbox.Request, left Progress) {
	source := c.Source()
	source.Node = w.Node
	reqs := make([]outbox.Request, 0, len(nums))
	seen := make(map[string]bool, len(nums))
	for _, n := range nums {
		who := ids[n]
		switch {
		case who == "":
			left = left.plus(ReasonGone, 1)
			continue
		case seen[who]:
			left = left.plus(ReasonMerged, 1)
			continue
		}
		seen[who] = true
		reqs = append(reqs, outbox.Request{
			Workspace: c.Workspace, PersonID: who, Channel: c.Channel, Topic: c.Topic, Template: w.Template,
			Source: source, Key: "cmp:" + c.ID + ":" + who, Goal: c.Goal, Holdout: c.Plan.Holdout, NotBefore: w.DueAt, Priority: c.Plan.Priority, Version: c.Plan.Approved[w.Template],
		})
	}
	return reqs, left
}
